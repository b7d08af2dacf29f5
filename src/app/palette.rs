//! The palette: actions, pairs, columns and views, found by typing a part of them; and commands.

use crate::domain::symbol::Pair;
use crate::market::snapshot::Level;
use crate::rule::filter::Filter;

use super::action::{Action, Context};
use super::column::Column;
use super::list::{Lines, List, Motion, Pane};
use super::order::SortBy;
use super::popup::{Overlay, Query};
use super::{App, Effect, View};

/// Lines found, at most.
const MAX_FOUND: usize = 200;

/// Commands that take a word: what they begin with, what stands for the word, what they do.
const COMMANDS: [(&str, &str, &str); 7] = [
    ("view save", "NAME", "keep filter, order and columns"),
    ("view delete", "NAME", "forget a view"),
    ("view", "NAME", "a view that was kept"),
    ("goto", "PAIR", "go to a pair"),
    ("sort", "[-]COLUMN", "sort by any column"),
    ("columns", "NAME", "a set of columns"),
    ("filter", "EXPR", "apply a filter"),
];

/// What a line of the palette does.
#[derive(Clone, Debug, PartialEq)]
enum Choice {
    Do(Action),
    GoTo(Pair),
    Sort(Column),
    Columns(String),
    View(String),
    /// Begins a command, whose word is still to be typed.
    Begin(&'static str),
}

/// A line of the palette.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it says.
    pub text: String,
    /// The keys that do the same.
    pub keys: String,
    choice: Choice,
}

/// What is looked for, and what is found.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    pub(super) query: Query,
    found: Vec<Entry>,
    list: List<usize>,
}

impl Palette {
    /// What is looked for.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// What is found, the likeliest first.
    pub fn found(&self) -> &[Entry] {
        &self.found
    }

    /// The chosen line, and the first on screen.
    pub fn list(&self) -> &List<usize> {
        &self.list
    }

    pub(super) fn go(&mut self, motion: Motion, pane: Pane) -> bool {
        self.list.go(motion, &Lines(self.found.len()), pane)
    }

    pub(super) fn find(&mut self, app: &App) {
        let query: Vec<char> = self.query.text().to_lowercase().chars().collect();
        let mut found: Vec<(u32, Entry)> =
            app.entries().filter_map(|e| Some((cost(&query, &e.text)?, e))).collect();
        found.sort_by_key(|(cost, _)| *cost);
        self.found = found.into_iter().take(MAX_FOUND).map(|(_, e)| e).collect();
        self.list = List::default();
    }
}

/// How far a text is from what is looked for; `None` where its letters aren't all there in their
/// order. A word's beginning is nearest, then a part of a word, then scattered letters.
fn cost(query: &[char], text: &str) -> Option<u32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    if query.is_empty() {
        return Some(0);
    }
    let whole = text.windows(query.len()).enumerate().filter(|(_, w)| *w == query);
    let starts = |n: usize| n == 0 || !text[n - 1].is_alphanumeric();
    if let Some(best) = whole.map(|(n, _)| u32::from(!starts(n))).min() {
        // Of two that fit, the shorter one has less that does not.
        return Some(best * 100 + u32::try_from(text.len()).unwrap_or(99).min(99));
    }
    let (mut gaps, mut last, mut at) = (0_u32, None, 0);
    for wanted in query.iter().filter(|c| **c != ' ') {
        let found = at + text[at..].iter().position(|c| c == wanted)?;
        gaps += u32::from(last.is_some_and(|l| found != l + 1)) + u32::from(last.is_none() && found > 0);
        (last, at) = (Some(found), found + 1);
    }
    Some(200 + gaps * 10)
}

impl App {
    pub(super) fn open_palette(&mut self) {
        let mut palette = Palette::default();
        palette.find(self);
        self.overlay = Some(Overlay::Palette(palette));
    }

    /// Everything that can be found from here.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let context = Context::View(self.view);
        let entry = |text: String, choice| Entry { text, keys: String::new(), choice };
        let actions = self.keys.lines().iter().filter(move |l| l.spec.is_in(context)).map(|l| Entry {
            text: l.spec.help.to_owned(),
            keys: l.keys(),
            choice: Choice::Do(l.spec.action),
        });
        let commands = COMMANDS
            .into_iter()
            .map(move |(c, word, about)| entry(format!("{c} {word}: {about}"), Choice::Begin(c)));
        let views = self.memory.views.iter();
        let views = views.map(move |v| entry(format!("view {}", v.name), Choice::View(v.name.clone())));
        let sets = self.columns.names().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let sets = sets.into_iter().map(move |n| entry(format!("columns {n}"), Choice::Columns(n)));
        let sorts = self.columns().into_iter();
        let sorts = sorts.map(move |c| entry(format!("sort {c} ({})", c.title()), Choice::Sort(c)));
        let pairs = self.snapshot.rows.iter();
        let several = self.snapshot.markets.len() > 1;
        let pairs = pairs.map(move |r| {
            let market = if several { format!(" {}", r.pair.market) } else { String::new() };
            entry(format!("goto {}{market}", r.pair.symbol), Choice::GoTo(r.pair.clone()))
        });
        actions.chain(views).chain(commands).chain(sets).chain(sorts).chain(pairs)
    }

    pub(super) fn take_choice(&mut self, palette: &Palette, effects: &mut Vec<Effect>) {
        let text = palette.query.text().trim();
        if self.run_command(text) {
            return;
        }
        let Some(entry) = palette.found.get(palette.list.place()) else {
            return self.say(Level::Info, &format!("nothing here is called {text}"));
        };
        match &entry.choice {
            Choice::Do(action) => self.act(*action, effects),
            Choice::GoTo(pair) => self.go_to(&pair.clone()),
            Choice::Sort(column) => self.sort_by(*column),
            Choice::Columns(name) => {
                self.take_columns(name);
            }
            Choice::View(name) => self.take_view(name),
            Choice::Begin(command) => self.begin_command(command),
        }
    }

    /// The palette again, with the command's first words typed.
    fn begin_command(&mut self, command: &str) {
        self.open_palette();
        self.paste_in_popup(&format!("{command} "));
    }

    /// Does what a command and its word say; says whether it was one.
    fn run_command(&mut self, text: &str) -> bool {
        if let Some((command, ..)) = COMMANDS.iter().find(|(c, ..)| *c == text) {
            // Its word is still missing.
            self.begin_command(command);
            return true;
        }
        let split = |c: &str| text.strip_prefix(c)?.strip_prefix(' ').map(|w| w.trim().to_owned());
        let found = COMMANDS.iter().find_map(|(c, ..)| Some((*c, split(c)?)));
        let Some((command, word)) = found.filter(|(_, word)| !word.is_empty()) else { return false };
        match command {
            "view save" => self.keep_view(&word),
            "view delete" => self.forget_view(&word),
            "view" => self.take_view(&word),
            "goto" => self.go_to_named(&word),
            "sort" => {
                let sort = word.parse::<SortBy>().map_err(|e| e.to_string());
                if let Err(error) = sort.and_then(|sort| self.take_sort(sort)) {
                    self.say(Level::Warn, &error);
                }
            }
            "columns" => {
                self.take_columns(&word);
            }
            _ => match self.usable(&word) {
                Ok(filter) => self.filter_scanner(filter),
                Err(error) => self.say(Level::Warn, &error.to_string()),
            },
        }
        true
    }

    /// The pair whose name it is, or begins so, or has it in it.
    fn go_to_named(&mut self, name: &str) {
        let name = name.to_uppercase();
        let rank = |symbol: &str| match symbol {
            s if s == name => 0,
            s if s.starts_with(&name) => 1,
            _ => 2,
        };
        let named = self.snapshot.rows.iter().map(|r| &r.pair);
        let named = named.filter(|p| p.symbol.as_str().to_uppercase().contains(&name));
        match named.min_by_key(|p| (rank(p.symbol.as_str()), p.symbol.as_str().len())).cloned() {
            Some(pair) => self.go_to(&pair),
            None => self.say(Level::Info, &format!("no pair is called {name}")),
        }
    }

    fn go_to(&mut self, pair: &Pair) {
        if !self.go_to_pair(pair) {
            // It is there, and the filter or the marks hide it.
            self.filter_scanner(Filter::default());
            self.show_all_rows();
            self.go_to_pair(pair);
        }
        if self.view == View::Detail {
            self.set_detail_pair(Some(pair.clone()));
        } else {
            self.show(View::Scanner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(query: &str, texts: &[&'a str]) -> Vec<&'a str> {
        let query: Vec<char> = query.chars().collect();
        let mut found: Vec<_> = texts.iter().filter_map(|t| Some((cost(&query, t)?, *t))).collect();
        found.sort_by_key(|(cost, _)| *cost);
        found.into_iter().map(|(_, t)| t).collect()
    }

    #[test]
    fn the_beginning_of_a_word_comes_before_a_part_and_a_part_before_letters() {
        let texts = ["refresh all", "freeze the order", "goto FREEUSDT", "follow the row"];
        assert_eq!(best("fre", &texts), ["goto FREEUSDT", "freeze the order", "refresh all"]);
        assert_eq!(best("flow", &texts), ["follow the row"]);
        assert!(best("zzz", &texts).is_empty());
        assert_eq!(best("", &texts).len(), 4);
        assert_eq!(best("币安", &["goto 币安人生USDT", "goto BTCUSDT"]), ["goto 币安人生USDT"]);
    }
}
