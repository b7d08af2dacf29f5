//! The scanner: which rows, in which order, and where the cursor is among them.
//!
//! Rows stay put: the cursor is on a pair, ranks change at most once a second, not at all for a
//! short while after the cursor has moved, and not before they are let go where the order is frozen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::symbol::Pair;
use crate::domain::time::Mono;
use crate::market::snapshot::{Level, Row, Snapshot};
use crate::rule::filter::{self, Filter};

use super::App;
use super::changed::{self, News};
use super::column::Column;
use super::layout::Shape;
use super::list::{Keep, List, Motion, Pane, Rows};
use super::order::{self, SortBy};

/// The order stays as it is for so long after the cursor moved, so that no row slips away from
/// under it.
pub const HOLD: Duration = Duration::from_secs(2);
/// New figures change the order no more often.
const RANKS: Duration = Duration::from_secs(1);
/// More marks than that are no marks.
pub(super) const MAX_MARKS: usize = 2_000;

/// Which rows there are to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Those that match the filter.
    #[default]
    Matching,
    /// Of those, the marked ones.
    Marked,
}

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    pub(super) filter: Filter,
    pub(super) sort: SortBy,
    /// The interval of the figures, as a place in the snapshot's.
    pub(super) lane: usize,
    /// The rows that are shown, as places in the snapshot's.
    pub(super) order: Vec<usize>,
    /// Rows that are left out since it is not known whether they match.
    pub(super) unknown: usize,
    pub(super) list: List<Pair>,
    pub(super) keep: Keep,
    pub(super) marks: BTreeSet<Pair>,
    pub(super) shown: Shown,
    /// The order that is kept until it is let go: every pair there was, wanted or not.
    frozen: Option<Vec<Pair>>,
    /// The cursor has moved: until then the order is kept.
    pub(super) hold_until: Option<Mono>,
    /// The order is as old as the last picture but some; it is made anew then.
    due: Option<Mono>,
    /// When it was made.
    ordered: Option<Mono>,
    /// What the user saw last, and what has changed in each row since.
    seen: Option<Arc<Snapshot>>,
    pub(super) news: Vec<Option<News>>,
    /// Rows with news, counted once a picture.
    pub(super) changed: usize,
    /// How often the rows were taken anew: of another picture, by another filter or order.
    pub(super) taken: u64,
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

    /// The order in which the rows stay for now, if they are to.
    fn kept(&self, now: Mono, snapshot: &Snapshot) -> Option<Vec<Pair>> {
        if let Some(frozen) = &self.frozen {
            return Some(frozen.clone());
        }
        let held = self.hold_until.is_some_and(|t| t > now);
        let recent = self.ordered.is_some_and(|t| now < t + RANKS) && !self.order.is_empty();
        (held || recent).then(|| self.pairs(snapshot))
    }

    /// When the order is to be made anew, whatever comes.
    pub(super) fn deadline(&self) -> Option<Mono> {
        match (self.hold_until, self.due) {
            (Some(held), Some(due)) => Some(held.max(due)),
            (held, due) => held.or(due),
        }
    }

    /// Whether the order is kept until it is let go.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    fn take(&mut self, ordered: order::Ordered) {
        (self.order, self.unknown) = (ordered.rows, ordered.unknown);
        self.taken += 1;
    }

    fn drop_unmarked(&mut self, rows: &[Arc<Row>]) {
        if self.shown == Shown::Marked {
            self.order.retain(|n| self.marks.contains(&rows[*n].pair));
        }
    }

    fn settle(&mut self, snapshot: &Snapshot, shape: Shape) {
        self.drop_unmarked(&snapshot.rows);
        let rows = Ordered { rows: &snapshot.rows, order: &self.order };
        self.list.settle(&rows, shape.pane(), self.keep);
    }

    /// Shows the cursor's row: the terminal has another size, or the order was asked for.
    pub(super) fn reveal(&mut self, snapshot: &Snapshot, pane: Pane) {
        self.list.reveal(&Ordered { rows: &snapshot.rows, order: &self.order }, pane);
    }

    /// Somebody is there and has seen the picture.
    pub(super) fn see(&mut self, snapshot: &Arc<Snapshot>) {
        if !self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, snapshot)) {
            self.seen = Some(Arc::clone(snapshot));
        }
        self.news.clear();
        self.changed = 0;
    }
}

impl App {
    pub(super) fn move_in_scanner(&mut self, motion: Motion) {
        let rows = Ordered { rows: &self.snapshot.rows, order: &self.scanner.order };
        self.scanner.list.go(motion, &rows, self.shape.pane());
        self.scanner.hold_until = Some(self.now + HOLD);
    }

    /// Puts the cursor on a pair. Says whether it is among the rows shown.
    pub(super) fn go_to_pair(&mut self, pair: &Pair) -> bool {
        let rows = Ordered { rows: &self.snapshot.rows, order: &self.scanner.order };
        let found = self.scanner.list.find(pair, &rows, self.shape.pane());
        self.scanner.hold_until = Some(self.now + HOLD);
        found
    }

    /// The rows of a new picture: in their order, or in the one from before.
    pub(super) fn take_rows(&mut self, snapshot: Arc<Snapshot>) {
        let kept = self.scanner.kept(self.now, &self.snapshot);
        self.scanner.lane = self.scanner.lane.min(snapshot.intervals.len().saturating_sub(1));
        self.snapshot = snapshot;
        // What is being loaded is not compared with: it would be news to nobody.
        let seen = self.scanner.seen.take().filter(|s| s.warmup.is_over());
        let seen = seen.unwrap_or_else(|| Arc::clone(&self.snapshot));
        self.scanner.news = changed::since(&seen, &self.snapshot);
        self.scanner.changed = self.scanner.news.iter().flatten().count();
        self.scanner.seen = Some(seen);
        match kept {
            Some(before) => self.keep_order(&before),
            None => self.reorder(),
        }
    }

    fn keep_order(&mut self, before: &[Pair]) {
        let reading = self.reading();
        let scanner = &mut self.scanner;
        scanner.take(order::keep_order(&self.snapshot.rows, &scanner.filter, before, &reading));
        if scanner.frozen.is_none() {
            scanner.due = scanner.ordered.map(|t| t + RANKS);
        }
        scanner.settle(&self.snapshot, self.shape);
    }

    /// The rows in the order that is in force, after the filter or the marks have changed.
    pub(super) fn reorder(&mut self) {
        match self.scanner.frozen.clone() {
            Some(frozen) => self.keep_order(&frozen),
            None => self.sort_rows(),
        }
    }

    fn sort_rows(&mut self) {
        let reading = self.reading();
        let scanner = &mut self.scanner;
        scanner.take(order::order(&self.snapshot.rows, &scanner.filter, scanner.sort, &reading));
        scanner.ordered = Some(self.now);
        (scanner.hold_until, scanner.due) = (None, None);
        scanner.settle(&self.snapshot, self.shape);
    }

    /// The user wants another order: it comes at once, and is kept from then on where it is frozen.
    fn sort_anew(&mut self) {
        let was_frozen = self.scanner.frozen.take().is_some();
        self.sort_rows();
        if was_frozen {
            self.scanner.frozen = Some(self.all_in_order());
        }
        self.scanner.reveal(&self.snapshot, self.shape.pane());
    }

    /// Lets go of an order that was kept long enough.
    pub(super) fn let_go(&mut self) {
        if self.scanner.deadline().is_some_and(|t| t <= self.now) {
            (self.scanner.hold_until, self.scanner.due) = (None, None);
            self.reorder();
        }
    }

    pub(super) fn filter_scanner(&mut self, filter: Filter) {
        if filter != self.scanner.filter {
            self.scanner.filter = filter;
            self.scanner.hold_until = None;
            self.reorder();
            self.scanner.reveal(&self.snapshot, self.shape.pane());
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
        self.sort_anew();
    }

    /// Sorts by what was typed or saved; on an interval that is not shown there is nothing to sort.
    pub(super) fn take_sort(&mut self, sort: SortBy) -> Result<(), String> {
        let intervals = &self.snapshot.intervals;
        if let Some(interval) = sort.column.interval.filter(|i| !intervals.contains(i)) {
            return Err(filter::not_among(interval, intervals));
        }
        self.scanner.sort = sort;
        self.sort_anew();
        Ok(())
    }

    pub(super) fn invert(&mut self) {
        self.scanner.sort.inverted = !self.scanner.sort.inverted;
        self.sort_anew();
    }

    /// Another row may come under the screen's lines; the cursor's keeps its own, or not.
    pub(super) fn toggle_follow(&mut self) {
        let (keep, said) = match self.scanner.keep {
            Keep::Screen => (Keep::Cursor, "following the selected pair: the screen goes where it goes"),
            Keep::Cursor => (Keep::Screen, "not following: the screen stays where it is"),
        };
        self.scanner.keep = keep;
        self.scanner.reveal(&self.snapshot, self.shape.pane());
        self.say(Level::Info, said);
    }

    pub(super) fn toggle_freeze(&mut self) {
        if self.scanner.frozen.take().is_some() {
            self.sort_anew();
            return self.say(Level::Info, "the order moves again");
        }
        self.scanner.frozen = Some(self.all_in_order());
        let text = format!("the order is frozen; {} lets it go", self.key_of(super::Action::Freeze));
        self.say(Level::Info, &text);
    }

    /// Every pair: those that are shown as they stand, then the others as they would.
    fn all_in_order(&self) -> Vec<Pair> {
        let mut pairs = self.scanner.pairs(&self.snapshot);
        let shown: BTreeSet<Pair> = pairs.iter().cloned().collect();
        let all = order::order(&self.snapshot.rows, &Filter::default(), self.scanner.sort, &self.reading());
        let rest = all.rows.into_iter().map(|n| &self.snapshot.rows[n].pair).filter(|p| !shown.contains(*p));
        pairs.extend(rest.cloned());
        pairs
    }

    /// Marks the selected pair, or takes its mark off, and goes on to the next.
    pub(super) fn toggle_mark(&mut self) {
        let Some(pair) = self.selected().map(|r| r.pair.clone()) else { return };
        if !self.scanner.marks.remove(&pair) {
            if self.scanner.marks.len() >= MAX_MARKS {
                return self.say(Level::Warn, "2000 pairs are marked; that is all there may be");
            }
            self.scanner.marks.insert(pair.clone());
        }
        Arc::make_mut(&mut self.names).set_mark(&pair, self.scanner.marks.contains(&pair));
        self.move_in_scanner(Motion::Down);
        if self.scanner.shown == Shown::Marked {
            self.show_rows(if self.scanner.marks.is_empty() { Shown::Matching } else { Shown::Marked });
        }
    }

    /// Filters know the marks by the names they refer to.
    pub(super) fn name_marks(&mut self) {
        let names = Arc::make_mut(&mut self.names);
        for pair in &self.scanner.marks {
            names.set_mark(pair, true);
        }
    }

    pub(super) fn unmark_all(&mut self) {
        let marks = std::mem::take(&mut self.scanner.marks);
        let names = Arc::make_mut(&mut self.names);
        for pair in &marks {
            names.set_mark(pair, false);
        }
        let count = marks.len();
        self.show_rows(Shown::Matching);
        self.say(Level::Info, &format!("{count} marks taken off"));
    }

    pub(super) fn toggle_marked(&mut self) {
        if self.scanner.shown == Shown::Marked {
            self.show_rows(Shown::Matching);
        } else if self.scanner.marks.is_empty() {
            let text = format!("no pair is marked; {} marks one", self.key_of(super::Action::Mark));
            self.say(Level::Info, &text);
        } else {
            self.show_rows(Shown::Marked);
        }
    }

    pub(super) fn show_all_rows(&mut self) {
        self.show_rows(Shown::Matching);
    }

    fn show_rows(&mut self, shown: Shown) {
        self.scanner.shown = shown;
        self.reorder();
        self.scanner.reveal(&self.snapshot, self.shape.pane());
    }
}
