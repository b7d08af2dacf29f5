//! What the drawing reads of the state. Nothing here changes it.

use crate::domain::time::{Mono, UnixMs};
use crate::market::snapshot::{Row, Snapshot};
use crate::rule::filter::{Filter, FilterError};

use super::action::Context;
use super::column::{Column, Reading, scanner_columns};
use super::layout::Shape;
use super::order::SortBy;
use super::{App, AppConfig, Cursor, Overlay, Prompt, QUIET, Toast, Troubled, View};

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
        &self.filter
    }

    /// What is wrong with the filter being typed.
    pub fn filter_error(&self) -> Option<&FilterError> {
        self.filter_error.as_ref()
    }

    /// The order.
    pub fn sort(&self) -> SortBy {
        self.sort
    }

    /// Whether the order is kept as it is for the moment.
    pub fn is_order_held(&self) -> bool {
        self.hold_until.is_some()
    }

    /// The interval in view, as a place in the snapshot's intervals.
    pub fn lane(&self) -> usize {
        self.lane
    }

    /// The scanner's columns, all of them.
    pub fn columns(&self) -> Vec<Column> {
        scanner_columns(&self.snapshot.intervals, self.snapshot.markets.len() > 1)
    }

    /// How cells are read now.
    pub fn reading(&self) -> Reading {
        let mut reading = Reading::new(&self.snapshot, self.now, self.lane);
        reading.standing |= self.has_ended();
        reading
    }

    /// How many rows of all are not as they should be.
    pub fn troubled(&self) -> Troubled {
        self.troubled
    }

    /// Rows that match.
    pub fn matches(&self) -> usize {
        self.order.len()
    }

    /// The cursor's place among them.
    pub fn place(&self) -> usize {
        match &self.cursor {
            Cursor::Top => 0,
            Cursor::On(_, place) => *place,
        }
    }

    /// The first row on screen.
    pub fn top(&self) -> usize {
        self.top
    }

    /// The rows from `first` on, in order.
    pub fn rows_from(&self, first: usize) -> impl Iterator<Item = &Row> {
        self.order.iter().skip(first).filter_map(|n| self.snapshot.rows.get(*n)).map(|row| &**row)
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
            (None, Some(_)) => Context::Popup,
            (None, None) => Context::View(self.view),
        }
    }
}
