//! The scanner: which rows, in which order, and where the cursor is among them.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::symbol::Pair;
use crate::domain::time::Mono;
use crate::market::snapshot::{Row, Snapshot};
use crate::rule::filter::Filter;

use super::App;
use super::column::Column;
use super::layout::Shape;
use super::list::{Keep, List, Motion, Pane, Rows};
use super::order::{self, SortBy};

/// The order stays as it is for so long after the cursor moved, so that no row slips away from
/// under it.
pub const HOLD: Duration = Duration::from_secs(2);

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    pub(super) filter: Filter,
    pub(super) sort: SortBy,
    /// The interval of the figures, as a place in the snapshot's.
    pub(super) lane: usize,
    /// The rows that match, as places in the snapshot's.
    pub(super) order: Vec<usize>,
    pub(super) list: List<Pair>,
    /// Until then the order is kept.
    pub(super) hold_until: Option<Mono>,
}

/// The rows in their order, for the list.
struct Ordered<'a> {
    rows: &'a [Arc<Row>],
    order: &'a [usize],
}

impl Rows for Ordered<'_> {
    type Key = Pair;

    fn count(&self) -> usize {
        self.order.len()
    }

    fn key(&self, place: usize) -> Pair {
        self.rows[self.order[place]].pair.clone()
    }

    fn find(&self, key: &Pair) -> Option<usize> {
        self.order.iter().position(|n| self.rows[*n].pair == *key)
    }
}

impl Scanner {
    /// The rows' pairs, in order.
    fn pairs(&self, snapshot: &Snapshot) -> Vec<Pair> {
        self.order.iter().filter_map(|n| snapshot.rows.get(*n)).map(|r| r.pair.clone()).collect()
    }

    fn settle(&mut self, snapshot: &Snapshot, shape: Shape) {
        let rows = Ordered { rows: &snapshot.rows, order: &self.order };
        self.list.settle(&rows, shape.pane(), Keep::Cursor);
    }

    /// The terminal has another size.
    pub(super) fn reveal(&mut self, snapshot: &Snapshot, pane: Pane) {
        self.list.reveal(&Ordered { rows: &snapshot.rows, order: &self.order }, pane);
    }
}

impl App {
    pub(super) fn move_in_scanner(&mut self, motion: Motion) {
        let rows = Ordered { rows: &self.snapshot.rows, order: &self.scanner.order };
        self.scanner.list.go(motion, &rows, self.shape.pane());
        self.scanner.hold_until = Some(self.now + HOLD);
    }

    /// The rows of a new picture: in their order, or, where that is held, in the one from before.
    pub(super) fn take_rows(&mut self, snapshot: Arc<Snapshot>) {
        let held = self.scanner.hold_until.is_some_and(|t| t > self.now);
        let before = if held { self.scanner.pairs(&self.snapshot) } else { Vec::new() };
        self.scanner.lane = self.scanner.lane.min(snapshot.intervals.len().saturating_sub(1));
        self.snapshot = snapshot;
        if held {
            self.scanner.order = order::keep_order(&self.snapshot.rows, &self.scanner.filter, &before);
            self.scanner.settle(&self.snapshot, self.shape);
        } else {
            self.reorder();
        }
    }

    pub(super) fn reorder(&mut self) {
        let reading = self.reading();
        let scanner = &mut self.scanner;
        scanner.order = order::order(&self.snapshot.rows, &scanner.filter, scanner.sort, &reading);
        scanner.settle(&self.snapshot, self.shape);
    }

    /// Lets go of an order that was held long enough.
    pub(super) fn let_go(&mut self) {
        if self.scanner.hold_until.is_some_and(|t| t <= self.now) {
            self.reorder_now();
        }
    }

    fn reorder_now(&mut self) {
        self.scanner.hold_until = None;
        self.reorder();
    }

    pub(super) fn filter_scanner(&mut self, filter: Filter) {
        if filter != self.scanner.filter {
            self.scanner.filter = filter;
            self.reorder_now();
        }
    }

    pub(super) fn shift_lane(&mut self, lane: usize) {
        self.scanner.lane = lane.min(self.snapshot.intervals.len().saturating_sub(1));
        self.reorder();
    }

    pub(super) fn shift_sort(&mut self, by: isize) {
        let columns = self.columns();
        let here = columns.iter().position(|c| *c == self.scanner.sort.column).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(columns.len().saturating_sub(1));
        if let Some(column) = columns.get(there) {
            self.sort_by(*column);
        }
    }

    pub(super) fn sort_by(&mut self, column: Column) {
        if column != self.scanner.sort.column {
            self.scanner.sort = SortBy { column, inverted: false };
        }
        self.reorder_now();
    }

    pub(super) fn invert(&mut self) {
        self.scanner.sort.inverted = !self.scanner.sort.inverted;
        self.reorder_now();
    }
}
