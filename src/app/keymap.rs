//! The keys in force: the table of actions with the keys that the user may have put in their place.
//! Lookup, help, hints, and every sentence that names a key read this.

use std::fmt::Write as _;

use crate::domain::text::nearest;

use super::View;
use super::action::{Action, ActionSpec, Context, Group, actions};
use super::keys::{Chord, Key};
use super::list::Motion;

/// An action with its keys.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Its line of the table.
    pub spec: &'static ActionSpec,
    /// The keys in force.
    pub chords: Vec<Chord>,
}

impl Bound {
    /// All keys, as help shows them.
    pub fn keys(&self) -> String {
        self.chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Whether the key does it there. Where text is typed, a letter is text.
    fn is_hit(&self, context: Context, chord: Chord) -> bool {
        let typed = context.is_typed() && !chord.ctrl && matches!(chord.key, Key::Char(_));
        !typed && self.spec.is_in(context) && self.chords.contains(&chord)
    }
}

/// Every action with its keys.
#[derive(Clone, Debug)]
pub struct Keymap {
    lines: Vec<Bound>,
}

impl Default for Keymap {
    /// The keys of the table.
    fn default() -> Self {
        Self { lines: actions().map(|spec| Bound { spec, chords: spec.chords.to_vec() }).collect() }
    }
}

/// A key of the config that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[keys] {0}")]
pub struct BadKeys(String);

impl Keymap {
    /// With the user's keys instead of the table's, by the actions' names: `refresh` = `r`, `ctrl-r`.
    pub fn with(overrides: &[(String, Vec<String>)]) -> Result<Self, BadKeys> {
        let mut map = Self::default();
        for (id, keys) in overrides {
            let Some(line) = map.lines.iter_mut().find(|l| l.spec.id == id) else {
                return Err(unknown(id));
            };
            if keys.is_empty() {
                return Err(BadKeys(format!("`{id}` has no key; give it one, or leave the line out")));
            }
            let chords =
                keys.iter().map(|k| k.parse().map_err(|e| BadKeys(format!("`{id}` has the key `{k}`: {e}"))));
            line.chords = chords.collect::<Result<_, _>>()?;
        }
        map.check()?;
        Ok(map)
    }

    /// No key may mean two things in one place, and no place may be without a way out.
    fn check(&self) -> Result<(), BadKeys> {
        for context in Context::all() {
            let mut seen: Vec<(Chord, &str)> = Vec::new();
            for line in &self.lines {
                for chord in line.chords.iter().filter(|c| line.is_hit(context, **c)) {
                    if let Some((_, other)) = seen.iter().find(|(c, _)| c == chord) {
                        let id = line.spec.id;
                        return Err(BadKeys(format!(
                            "{chord} is `{other}` and `{id}` {}; give one of them another key",
                            context.place()
                        )));
                    }
                    seen.push((*chord, line.spec.id));
                }
            }
            let leaves = |l: &&Bound| l.spec.action == Action::Escape;
            let out = self.lines.iter().find(leaves);
            if let Some(line) = out.filter(|l| !l.chords.iter().any(|c| l.is_hit(context, *c))) {
                return Err(BadKeys(format!(
                    "`{}` needs a key that is no character: {} it would be text",
                    line.spec.id,
                    context.place()
                )));
            }
        }
        Ok(())
    }

    /// A line an action: keys, name, what it does. What `hamatop keys` prints.
    pub fn page(&self) -> String {
        let keys_width = self.lines.iter().map(|l| l.keys().chars().count()).max().unwrap_or(0);
        let id_width = self.lines.iter().map(|l| l.spec.id.len()).max().unwrap_or(0);
        self.lines.iter().fold(String::new(), |mut out, line| {
            // Writing to a string cannot fail.
            let spec = line.spec;
            let _ = writeln!(out, "{:keys_width$}  {:id_width$}  {}", line.keys(), spec.id, spec.help);
            out
        })
    }

    /// The same as a table of Markdown, by group.
    pub fn markdown(&self) -> String {
        let mut out = String::from("| keys | name in `[keys]` | what they do |\n|---|---|---|\n");
        for line in self.sections().into_iter().flat_map(|(_, lines)| lines) {
            let spec = line.spec;
            let keys: Vec<String> = line.chords.iter().map(code).collect();
            let place = spec.own_view().map_or_else(String::new, |v| format!("{}: ", v.titles().0));
            let _ = writeln!(out, "| {} | `{}` | {place}{} |", keys.join(" "), spec.id, spec.help);
        }
        out
    }

    /// The lines under their headings: by group, then what is of one view alone.
    pub fn sections(&self) -> Vec<(&'static str, Vec<&Bound>)> {
        let of =
            |wanted: &dyn Fn(&ActionSpec) -> bool| self.lines.iter().filter(|l| wanted(l.spec)).collect();
        let groups = Group::ALL
            .map(|group| (group.title(), of(&|spec| spec.group == group && spec.own_view().is_none())));
        let views = View::ALL.map(|view| (view.titles().0, of(&|spec| spec.own_view() == Some(view))));
        groups.into_iter().chain(views).filter(|(_, lines): &(_, Vec<_>)| !lines.is_empty()).collect()
    }

    /// In the order of the table.
    pub fn lines(&self) -> &[Bound] {
        &self.lines
    }

    /// What a key does in a context.
    pub fn lookup(&self, context: Context, chord: Chord) -> Option<Action> {
        self.lines.iter().find(|l| l.is_hit(context, chord)).map(|l| l.spec.action)
    }

    /// The first key of an action, for sentences that name it.
    pub fn key_of(&self, action: Action) -> String {
        self.first(action).map_or_else(String::new, |c| c.to_string())
    }

    fn first(&self, action: Action) -> Option<Chord> {
        self.lines.iter().find(|l| l.spec.action == action)?.chords.first().copied()
    }

    fn first_in(&self, context: Context, action: Action) -> Option<Chord> {
        let line = self.lines.iter().find(|l| l.spec.action == action)?;
        line.chords.iter().find(|c| line.is_hit(context, **c)).copied()
    }

    /// The hint bar's words: keys and what they do. Pairs of actions share one (`< > sort`).
    pub fn hints(&self, context: Context) -> Vec<(String, &'static str)> {
        let mut out: Vec<(String, &'static str)> = Vec::new();
        for line in &self.lines {
            let what = line.spec.hint_in(context);
            let is_key = |c: &&Chord| line.is_hit(context, **c);
            let Some(first) = line.chords.iter().find(is_key).filter(|_| !what.is_empty()) else { continue };
            let twin = match line.spec.action {
                Action::Move(Motion::Down) => self.first_in(context, Action::Move(Motion::Up)),
                Action::SortLeft => self.first_in(context, Action::SortRight),
                Action::IntervalPrev => self.first_in(context, Action::IntervalNext),
                _ => None,
            };
            let keys = twin.map_or_else(|| first.to_string(), |second| format!("{first} {second}"));
            out.push((keys, what));
        }
        out
    }
}

/// A key as code; the two characters that Markdown takes for its own are entities.
fn code(chord: &Chord) -> String {
    match chord.to_string().as_str() {
        "`" => "`` ` ``".to_owned(),
        "|" => "`\\|`".to_owned(),
        other => format!("`{other}`"),
    }
}

fn unknown(id: &str) -> BadKeys {
    let ids = || actions().map(|a| a.id);
    BadKeys(match nearest(id, ids()) {
        Some(near) => format!("there is no action `{id}`; did you mean `{near}`?"),
        None => format!("there is no action `{id}`; `hamatop keys` names them all"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_bar_comes_from_the_table() {
        let keys = Keymap::default();
        let hints = keys.hints(Context::View(View::Scanner));
        assert_eq!(hints[0], ("j k".to_owned(), "move"));
        assert!(hints.contains(&("< >".to_owned(), "sort")), "{hints:?}");
        assert!(hints.contains(&("?".to_owned(), "help")));
        assert!(hints.iter().all(|(keys, _)| keys != "Esc"));
        let prompt = keys.hints(Context::Prompt);
        let want = [("Up", "earlier"), ("Enter", "keep"), ("Esc", "as before")];
        assert_eq!(prompt, want.map(|(k, h)| (k.to_owned(), h)));
        assert!(keys.hints(Context::Popup).contains(&("Enter".to_owned(), "take")));
        assert_eq!(
            (keys.key_of(Action::Show(View::Cache)), keys.key_of(Action::Quit)),
            ("4".to_owned(), "Q".to_owned())
        );
    }

    fn with(lines: &[(&str, &[&str])]) -> Result<Keymap, BadKeys> {
        let own = |keys: &[&str]| keys.iter().map(ToString::to_string).collect();
        Keymap::with(&lines.iter().map(|(id, keys)| ((*id).to_owned(), own(keys))).collect::<Vec<_>>())
    }

    #[test]
    fn the_users_keys_take_the_place_of_the_tables() {
        let keys = with(&[("refresh", &["x", "ctrl-x"]), ("quit", &["ctrl-q"])]).unwrap();
        let scanner = Context::View(View::Scanner);
        assert_eq!(keys.lookup(scanner, Chord::char('x')), Some(Action::RefreshOne));
        assert_eq!(keys.lookup(scanner, Chord::ctrl('x')), Some(Action::RefreshOne));
        assert_eq!(keys.lookup(scanner, Chord::char('r')), None);
        assert_eq!(keys.key_of(Action::RefreshOne), "x");
        assert!(keys.page().contains("x ^x") && keys.markdown().contains("| `^q` | `quit` |"));
    }

    #[test]
    fn keys_that_can_not_be_used_are_refused_with_a_sentence() {
        for (lines, want) in [
            (&[("refresh", &["F"][..])][..], "[keys] F is `follow` and `refresh` in the scanner"),
            (&[("refresh", &["R"]), ("refresh-all", &["R"])], "R is `refresh` and `refresh-all`"),
            (&[("refersh", &["r"])], "no action `refersh`; did you mean `refresh`?"),
            (&[("zzzzzzzz", &["r"])], "`hamatop keys` names them all"),
            (&[("refresh", &["hyper-r"])], "`refresh` has the key `hyper-r`: a key is one character"),
            (&[("refresh", &[])], "`refresh` has no key"),
            (&[("escape", &["~"])], "`escape` needs a key that is no character"),
        ] {
            let error = with(lines).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
        // Two that swap their keys are in nobody's way.
        assert!(with(&[("refresh", &["R"]), ("refresh-all", &["r"])]).is_ok());
    }

    #[test]
    fn the_readme_has_the_table() {
        let readme = include_str!("../../README.md");
        let (_, rest) = readme.split_once("<!-- keys: ").unwrap();
        let (_, rest) = rest.split_once("-->\n").unwrap();
        let (section, _) = rest.split_once("<!-- /keys -->").unwrap();
        let table = Keymap::default().markdown();
        assert!(section.trim() == table.trim(), "the README's section of keys should be:\n{table}");
    }
}
