//! What outlives the program: which view, how it is sorted and filtered, marks, kept views, filters
//! typed before. Pure data; the shell reads and writes the file.

use std::time::Duration;

use crate::domain::interval::Interval;
use crate::domain::symbol::Pair;
use crate::domain::text::CleanText;
use crate::domain::time::Mono;
use crate::market::snapshot::Level;

use super::columns::ColumnSet;
use super::list::Keep;
use super::look::{Look, Palette};
use super::order::SortBy;
use super::scanner::MAX_MARKS;
use super::{App, Effect, View};

/// So long after the last key the state is written.
const QUIET: Duration = Duration::from_secs(1);
/// Filters remembered.
const MAX_HISTORY: usize = 50;
/// Views kept.
const MAX_VIEWS: usize = 50;
/// The longest name of a view, in characters.
const MAX_NAME: usize = 32;

/// What is kept under a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The filter's text.
    pub filter: String,
    /// The order.
    pub sort: SortBy,
    /// The set of columns.
    pub columns: String,
}

/// A table with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// What it is.
    pub table: Table,
}

/// Everything that outlives the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// The view that was open.
    pub view: View,
    /// How the scanner looked.
    pub table: Table,
    /// The interval of the figures.
    pub interval: Option<Interval>,
    /// Whether the screen goes where the selected pair goes.
    pub follow: Keep,
    /// The marked pairs.
    pub marks: Vec<Pair>,
    /// Sets of columns as the editor left them.
    pub columns: Vec<ColumnSet>,
    /// Views kept by name.
    pub views: Vec<SavedView>,
    /// Filters typed, the newest last.
    pub history: Vec<String>,
    /// The theme by its name, and the palette.
    pub theme: Option<(String, Palette)>,
}

impl Saved {
    /// No more of anything than could have been kept: files are edited by hand, too.
    fn bounded(mut self) -> Self {
        self.marks.truncate(MAX_MARKS);
        self.views.truncate(MAX_VIEWS);
        for view in &mut self.views {
            view.name = named(&view.name);
        }
        let over = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..over);
        self
    }
}

/// A name as long as names may be.
fn named(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// What is remembered besides what the screen shows.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) views: Vec<SavedView>,
    pub(super) history: Vec<String>,
    /// The look that was chosen.
    pub(super) look: Option<Look>,
    /// Nothing was saved before: whoever sits here may see this for the first time.
    pub(super) newcomer: bool,
    /// What the file has.
    written: Saved,
    /// When it is compared with what it should have.
    pub(super) due: Option<Mono>,
}

impl Memory {
    pub(super) fn remember(&mut self, filter: &str) {
        if !filter.is_empty() {
            self.history.retain(|f| f != filter);
            self.history.push(filter.to_owned());
            let over = self.history.len().saturating_sub(MAX_HISTORY);
            self.history.drain(..over);
        }
    }

    /// Something may have changed.
    pub(super) fn touch(&mut self, now: Mono) {
        self.due = Some(now + QUIET);
    }
}

impl App {
    /// Takes up where the program was left. Nothing saved: somebody new is there.
    pub fn restore(&mut self, saved: Option<Saved>) {
        let Some(saved) = saved.map(Saved::bounded) else {
            self.memory.newcomer = true;
            self.memory.written = self.saved();
            return;
        };
        self.memory.newcomer = false;
        self.view = saved.view;
        self.scanner.keep = saved.follow;
        self.scanner.marks = saved.marks.iter().cloned().collect();
        self.name_marks();
        self.columns.restore(saved.columns.clone());
        self.memory.views.clone_from(&saved.views);
        self.memory.history.clone_from(&saved.history);
        if let Some((theme, palette)) = &saved.theme {
            self.restore_look(theme, *palette);
        }
        let lane = self.snapshot.intervals.iter().position(|i| Some(*i) == saved.interval);
        self.scanner.lane = lane.unwrap_or(0);
        self.take_table(&saved.table);
        // What was taken up again is no news; what could not be is.
        self.toast = self.toast.take().filter(|t| t.level > Level::Info);
        self.memory.written = saved;
    }

    /// What is to be saved.
    pub fn saved(&self) -> Saved {
        Saved {
            view: self.view,
            table: self.table(),
            interval: self.snapshot.intervals.get(self.scanner.lane).copied(),
            follow: self.scanner.keep,
            marks: self.scanner.marks.iter().cloned().collect(),
            columns: self.columns.edited().to_vec(),
            views: self.memory.views.clone(),
            history: self.memory.history.clone(),
            theme: self.chosen_look().map(|(name, palette)| (name.to_owned(), palette)),
        }
    }

    /// What has changed since it was saved, if something has.
    pub fn unsaved(&mut self) -> Option<Saved> {
        self.memory.due = None;
        let saved = self.saved();
        (saved != self.memory.written).then(|| {
            self.memory.written = saved.clone();
            saved
        })
    }

    /// After a while without keys, what they changed is saved.
    pub(super) fn save(&mut self, effects: &mut Vec<Effect>) {
        if self.memory.due.is_some_and(|t| t <= self.now) {
            effects.extend(self.unsaved().map(|s| Effect::Save(Box::new(s))));
        }
    }

    fn table(&self) -> Table {
        // A filter that is still being typed is not one yet.
        let filter = self.prompt.as_ref().map_or(self.scanner.filter.source(), |p| p.before());
        Table {
            filter: filter.to_owned(),
            sort: self.scanner.sort,
            columns: self.columns.current().to_owned(),
        }
    }

    fn take_table(&mut self, table: &Table) {
        if table.columns != self.columns.current() {
            self.take_columns(&table.columns);
        }
        match self.usable(&table.filter) {
            Ok(filter) => self.filter_scanner(filter),
            Err(error) => {
                let text = format!("the saved filter can't be used: {error}");
                self.hear_word(Level::Warn, CleanText::new(&text));
            }
        }
        if let Err(error) = self.take_sort(table.sort) {
            self.say(Level::Warn, &format!("the saved order can't be used: {error}"));
        }
    }

    pub(super) fn keep_view(&mut self, name: &str) {
        let name = named(name);
        let table = self.table();
        let is_full = self.memory.views.len() >= MAX_VIEWS;
        match self.memory.views.iter_mut().find(|v| v.name == name) {
            Some(view) => view.table = table,
            None if is_full => {
                return self.say(Level::Warn, "50 views are kept; `view delete NAME` makes room");
            }
            None => self.memory.views.push(SavedView { name: name.clone(), table }),
        }
        self.say(Level::Info, &format!("kept as {name}; `view {name}` brings it back"));
    }

    pub(super) fn forget_view(&mut self, name: &str) {
        let before = self.memory.views.len();
        self.memory.views.retain(|v| v.name != name);
        let gone = self.memory.views.len() < before;
        self.say(Level::Info, &if gone { format!("{name} is forgotten") } else { no_view(name) });
    }

    pub(super) fn take_view(&mut self, name: &str) {
        let Some(table) = self.memory.views.iter().find(|v| v.name == name).map(|v| v.table.clone()) else {
            return self.say(Level::Info, &no_view(name));
        };
        self.show_all_rows();
        self.take_table(&table);
        self.show(View::Scanner);
    }
}

fn no_view(name: &str) -> String {
    format!("no view is kept as {name}; `view save {name}` keeps this one")
}
