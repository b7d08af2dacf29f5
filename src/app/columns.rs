//! Which columns the scanner has, and in which order: built-in sets, the user's own, and what the
//! user made of them in the editor.

use crate::domain::interval::Interval;
use crate::domain::text::nearest;
use crate::market::snapshot::{Level, Snapshot};

use super::App;
use crate::rule::field::{FIELDS, Scope};

use super::column::{Column, Field, UnknownColumn, scanner_columns};
use super::list::{List, Pane};

/// A set of columns under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSet {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Those of them that are not dropped where width is short.
    pub pinned: Vec<Column>,
}

impl ColumnSet {
    /// Of columns by their names; the error says which there are.
    pub fn parse(name: &str, columns: &[String]) -> Result<Self, UnknownColumn> {
        let mut set = Self { name: name.to_owned(), columns: Vec::new(), pinned: Vec::new() };
        for column in columns {
            let column = column.parse()?;
            if !set.columns.contains(&column) {
                set.columns.push(column);
            }
        }
        Ok(set)
    }
}

/// A set that depends on the intervals: its columns before the trends, and after them.
struct Builtin {
    name: &'static str,
    before: &'static [Field],
    after: &'static [Field],
}

use Field::{
    Age, Bands, Bars, Chg, Coherence, Coverage, Cross, Dist, Gradient, Hama, Last, Ma, Note, Pos, PriceSide,
    Raw, Score, State, Sym, Vol, Width,
};

/// The first set, and what each start begins with.
pub const OVERVIEW: &str = "overview";

/// The others that are built in.
const BUILTIN: [Builtin; 4] = [
    Builtin { name: "bands", before: &[Sym, Last, Score], after: &[Bands, Width, Pos, Dist, Cross, Age] },
    Builtin { name: "figures", before: &[Sym, Last], after: &[Hama, Ma, Dist, PriceSide, Gradient, Age] },
    Builtin { name: "scores", before: &[Sym, Score, Raw], after: &[Coverage, Coherence, Cross, Age] },
    Builtin { name: "feed", before: &[Sym, Last, Chg, Vol], after: &[State, Bars, Age, Note] },
];

/// The sets there are, and the one in force.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// The user's, from the config.
    own: Vec<ColumnSet>,
    /// What the editor made of a set, instead of it.
    edited: Vec<ColumnSet>,
    /// The name of the one in force; empty for the first.
    current: String,
}

impl Columns {
    pub(super) fn new(own: Vec<ColumnSet>) -> Self {
        Self { own, ..Self::default() }
    }

    pub(super) fn current(&self) -> &str {
        if self.current.is_empty() { OVERVIEW } else { &self.current }
    }

    pub(super) fn edited(&self) -> &[ColumnSet] {
        &self.edited
    }

    pub(super) fn restore(&mut self, edited: Vec<ColumnSet>) {
        self.edited = edited;
    }

    /// The names of all sets, in the order in which they come round.
    pub(super) fn names(&self) -> Vec<&str> {
        let builtin = BUILTIN.iter().map(|b| b.name);
        let own = self.own.iter().map(|s| s.name.as_str());
        let mut names: Vec<&str> = std::iter::once(OVERVIEW).chain(builtin).collect();
        own.for_each(|name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        names
    }

    /// The set in force, for the intervals and markets there are.
    pub(super) fn set(&self, snapshot: &Snapshot) -> ColumnSet {
        let name = self.current();
        let made = self.edited.iter().chain(&self.own).find(|s| s.name == name);
        made.cloned().unwrap_or_else(|| builtin(name, snapshot))
    }

    fn put(&mut self, set: ColumnSet) {
        self.edited.retain(|s| s.name != set.name);
        self.edited.push(set);
    }
}

fn builtin(name: &str, snapshot: &Snapshot) -> ColumnSet {
    let several = snapshot.markets.len() > 1;
    let columns = match BUILTIN.iter().find(|b| b.name == name) {
        None => scanner_columns(&snapshot.intervals, several),
        Some(set) => {
            let market = several.then_some(Column::of(Field::Market));
            let trends = snapshot.intervals.iter().map(|i| Column::on(*i, Field::Trend));
            let (first, before) = set.before.split_at(1);
            let of = |fields: &'static [Field]| fields.iter().map(|f| Column::of(*f));
            of(first).chain(market).chain(of(before)).chain(trends).chain(of(set.after)).collect()
        }
    };
    ColumnSet { name: name.to_owned(), columns, pinned: Vec::new() }
}

/// Every column there could be, in the order of the table.
fn all_columns(intervals: &[Interval]) -> Vec<Column> {
    let mut all: Vec<Column> =
        FIELDS.iter().filter(|f| f.field != Field::Trend).map(|f| Column::of(f.field)).collect();
    let per_interval = FIELDS.iter().filter(|f| f.scope == Scope::Lane);
    all.extend(per_interval.flat_map(|f| intervals.iter().map(|i| Column::on(*i, f.field))));
    all
}

/// What the editor does to the column under its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Show or hide it.
    Toggle,
    /// One place to the left.
    Left,
    /// One place to the right.
    Right,
    /// Drop it never, or like the others.
    Pin,
    /// All columns as they were.
    Reset,
}

impl App {
    /// The editor's lines: the columns shown, in order, then the others.
    pub fn editor_lines(&self) -> Vec<Column> {
        let mut lines = self.column_set().columns;
        let rest = all_columns(&self.snapshot.intervals).into_iter().filter(|c| !lines.contains(c));
        let rest: Vec<Column> = rest.collect();
        lines.extend(rest);
        lines
    }

    /// The next set of columns.
    pub(super) fn next_columns(&mut self) {
        let names = self.columns.names();
        let here = names.iter().position(|n| *n == self.columns.current()).unwrap_or(0);
        let next = names[(here + 1) % names.len()].to_owned();
        self.take_columns(&next);
    }

    /// The set of that name; says whether there is one.
    pub(super) fn take_columns(&mut self, name: &str) -> bool {
        let names = self.columns.names();
        if !names.contains(&name) {
            let guess = nearest(name, names.iter().copied()).map(|n| format!("; did you mean {n}?"));
            let text = format!("there are no columns {name}{}", guess.unwrap_or_default());
            self.say(Level::Warn, &text);
            return false;
        }
        name.clone_into(&mut self.columns.current);
        self.say(Level::Info, &format!("columns: {name}"));
        true
    }

    /// Changes the set in force; the cursor stays on its column.
    pub(super) fn edit_columns(&mut self, edit: Edit, list: &mut List<Column>, pane: Pane) {
        let Some(column) = self.editor_lines().get(list.place()).copied() else { return };
        let mut set = self.column_set();
        let place = set.columns.iter().position(|c| *c == column);
        match (edit, place) {
            (Edit::Reset, _) => {
                let name = set.name;
                self.columns.edited.retain(|s| s.name != name);
                return;
            }
            // A row without its name is nothing.
            (Edit::Toggle | Edit::Left | Edit::Right, Some(0)) if column.field == Sym => return,
            (Edit::Left, Some(1)) if set.columns[0].field == Sym => return,
            (Edit::Toggle, Some(n)) => {
                set.columns.remove(n);
                set.pinned.retain(|c| *c != column);
            }
            (Edit::Toggle, None) => set.columns.push(column),
            (Edit::Left, Some(n)) => set.columns.swap(n, n.saturating_sub(1)),
            (Edit::Right, Some(n)) if n + 1 < set.columns.len() => set.columns.swap(n, n + 1),
            (Edit::Pin, Some(_)) if set.pinned.contains(&column) => set.pinned.retain(|c| *c != column),
            (Edit::Pin, Some(_)) => set.pinned.push(column),
            (Edit::Left | Edit::Right | Edit::Pin, _) => return,
        }
        self.columns.put(set);
        let lines = self.editor_lines();
        list.find(&column, &lines.as_slice(), pane);
    }
}
