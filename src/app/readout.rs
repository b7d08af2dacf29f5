//! What the drawing reads of the state. Nothing here changes it.

use std::collections::BTreeSet;

use crate::domain::symbol::Pair;
use crate::domain::time::{Mono, UnixMs};
use crate::market::snapshot::{Row, Snapshot};
use crate::rule::filter::{Filter, FilterError};
use crate::rule::names::Names;

use super::action::{Action, Context};
use super::changed::News;
use super::column::{Column, Reading};
use super::columns::ColumnSet;
use super::keymap::Keymap;
use super::layout::Shape;
use super::list::Keep;
use super::order::SortBy;
use super::{App, AppConfig, Overlay, Prompt, QUIET, Shown, Toast, Troubled, View};

impl App {
    /// The picture of the market.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What does not change.
    pub fn config(&self) -> &AppConfig {
        &self.config
    }

    /// Our clock, at the last message.
    pub fn now(&self) -> Mono {
        self.now
    }

    /// The exchange's clock, at the last message.
    pub fn exchange_now(&self) -> Option<UnixMs> {
        self.snapshot.clock.map(|c| c.at(self.now))
    }

    /// Whether no row in view has changed for a while, so that ages and the clock are all that moves.
    pub fn is_quiet(&self) -> bool {
        self.now.since(self.news) >= QUIET
    }

    /// Whether the replay has come to its end.
    pub fn has_ended(&self) -> bool {
        let end = self.config.replay.map(|r| r.end);
        end.zip(self.exchange_now()).is_some_and(|(end, now)| now >= end)
    }

    /// The terminal's size and what follows from it.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The view.
    pub fn view(&self) -> View {
        self.view
    }

    /// The keys in force.
    pub fn keys(&self) -> &Keymap {
        &self.keys
    }

    /// The first key of an action, for sentences that name it.
    pub fn key_of(&self, action: Action) -> String {
        self.keys.key_of(action)
    }

    /// What lies over it.
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// The filter prompt, while it is open.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    /// The filter that is applied; while a bad one is typed, the one from before.
    pub fn filter(&self) -> &Filter {
        &self.scanner.filter
    }

    /// What is wrong with the filter being typed.
    pub fn filter_error(&self) -> Option<&FilterError> {
        self.prompt.as_ref()?.error()
    }

    /// The order.
    pub fn sort(&self) -> SortBy {
        self.scanner.sort
    }

    /// Whether the order is kept as it is for the moment.
    pub fn is_order_held(&self) -> bool {
        self.scanner.hold_until.is_some()
    }

    /// The interval in view, as a place in the snapshot's intervals.
    pub fn lane(&self) -> usize {
        self.scanner.lane
    }

    /// The set of columns in force.
    pub fn column_set(&self) -> ColumnSet {
        self.columns.set(&self.snapshot)
    }

    /// Its columns, also those that there is no room for.
    pub fn columns(&self) -> Vec<Column> {
        self.column_set().columns
    }

    /// Whether the order is kept until it is let go.
    pub fn is_frozen(&self) -> bool {
        self.scanner.is_frozen()
    }

    /// What stays where it is when rows change their places.
    pub fn keeps(&self) -> Keep {
        self.scanner.keep
    }

    /// The marked pairs.
    pub fn marks(&self) -> &BTreeSet<Pair> {
        &self.scanner.marks
    }

    /// Which rows there are to see.
    pub fn shown(&self) -> Shown {
        self.scanner.shown
    }

    /// What is new in the row at a place of the order, since somebody last pressed a key.
    pub fn news(&self, place: usize) -> Option<News> {
        let row = *self.scanner.order.get(place)?;
        self.scanner.news.get(row).copied().flatten()
    }

    /// Rows with news, also those that are not shown.
    pub fn news_count(&self) -> usize {
        self.scanner.changed
    }

    /// Whether somebody may see this for the first time.
    pub fn greets(&self) -> bool {
        self.memory.newcomer
    }

    /// How cells are read now.
    pub fn reading(&self) -> Reading {
        let mut reading = Reading::new(&self.snapshot, self.now, self.scanner.lane);
        reading.standing |= self.has_ended();
        reading.with_names(&self.names)
    }

    /// How many rows of all are not as they should be.
    pub fn troubled(&self) -> Troubled {
        self.troubled
    }

    /// Rows that match.
    pub fn matches(&self) -> usize {
        self.scanner.order.len()
    }

    /// Rows that are left out since it is not known whether they match.
    pub fn unknown(&self) -> usize {
        self.scanner.unknown
    }

    /// The names that filters refer to.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The cursor's place among them.
    pub fn place(&self) -> usize {
        self.scanner.list.place()
    }

    /// The first row on screen.
    pub fn top(&self) -> usize {
        self.scanner.list.top()
    }

    /// The rows from `first` on, in order.
    pub fn rows_from(&self, first: usize) -> impl Iterator<Item = &Row> {
        self.scanner.order.iter().skip(first).filter_map(|n| self.snapshot.rows.get(*n)).map(|row| &**row)
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&Row> {
        self.rows_from(self.place()).next()
    }

    /// The word to the user, while there is one.
    pub fn toast(&self) -> Option<&Toast> {
        self.toast.as_ref()
    }

    /// Where a key would be pressed now.
    pub fn context(&self) -> Context {
        match (&self.prompt, &self.overlay) {
            (Some(_), _) => Context::Prompt,
            (None, Some(overlay)) => overlay.context(),
            (None, None) => Context::View(self.view),
        }
    }
}
