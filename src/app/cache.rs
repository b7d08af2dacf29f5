//! The cache: every series of the rows that match, the oldest word first, below what is held and how
//! it is fed.

use std::time::Duration;

use crate::domain::symbol::SeriesKey;
use crate::domain::time::Mono;
use crate::engine::{Command, Scope};
use crate::market::snapshot::{DataState, LaneView, Level, Row, Snapshot};

use super::action::{Action, ActionSpec, Context, Group, k, line};
use super::keys::Key;
use super::layout::{Shape, Tier};
use super::list::{Keep, List, Motion, Pane, Rows};
use super::{App, Effect, View, behind};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// The series alone, or what stands above them too.
    Zoom,
}

const HERE: &[Context] = &[Context::View(View::Cache)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[line(
    Action::Cache(Act::Zoom),
    "cache-zoom",
    ("series alone", "series"),
    (Group::Table, HERE),
    &[k(Key::Tab)],
)];

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Cache {
    list: List<SeriesKey>,
    /// Series as places in the snapshot's rows and their lanes, in order.
    order: Vec<(usize, usize)>,
    /// The series alone are shown.
    zoomed: bool,
    /// Of which rows the order is, for which shape, and when it was made.
    made: Option<(u64, Shape, Mono)>,
}

impl Cache {
    /// The view comes up: its order is of before.
    pub(super) fn enter(&mut self) {
        self.made = None;
    }
}

/// The series in their order, for the list.
struct Ordered<'a> {
    snapshot: &'a Snapshot,
    order: &'a [(usize, usize)],
}

impl Rows for Ordered<'_> {
    type Key = SeriesKey;

    fn count(&self) -> usize {
        self.order.len()
    }

    fn key(&self, place: usize) -> SeriesKey {
        let (row, lane) = self.order[place];
        let row = &self.snapshot.rows[row];
        SeriesKey::new(row.pair.clone(), row.lanes[lane].interval)
    }

    fn find(&self, key: &SeriesKey) -> Option<usize> {
        self.order.iter().position(|(row, lane)| {
            let row = &self.snapshot.rows[*row];
            row.pair == key.pair && row.lanes[*lane].interval == key.interval
        })
    }
}

/// Rows from which there is room for more than memory, sockets and series.
const WITH_UPKEEP: u16 = 24;
/// Rows from which everything is told at length.
const AT_LENGTH: u16 = 30;
/// Ages grow by themselves: with them the order is made anew.
const AGES: Duration = Duration::from_secs(1);
/// Columns from which two of figures fit beside each other.
pub const TWO_COLUMNS: u16 = 80;

/// Which line each block begins on; `None` where there is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In few words.
    pub short: bool,
    /// What is held.
    pub memory: Option<u16>,
    /// What was done to keep it true.
    pub upkeep: Option<u16>,
    /// Sockets and REST.
    pub feeds: Option<u16>,
    /// Sockets shown.
    pub links: usize,
    /// Redis and history.
    pub stores: Option<u16>,
    /// The series.
    pub series: u16,
    /// The first line that is not ours.
    pub end: u16,
}

impl Plan {
    fn of(shape: Shape, snapshot: &Snapshot, zoomed: bool) -> Self {
        let end = shape.rows.saturating_sub(if shape.tier == Tier::Roomy { 2 } else { 1 });
        let top = if shape.tier == Tier::Reduced { 2 } else { 3 };
        let short = shape.tier == Tier::Reduced || shape.rows < AT_LENGTH;
        let alone =
            Self { short, memory: None, upkeep: None, feeds: None, links: 0, stores: None, series: top, end };
        if zoomed {
            return alone;
        }
        let mut y = top + if short { 5 } else { 7 };
        let upkeep = (shape.rows >= WITH_UPKEEP).then_some(y);
        if upkeep.is_some() {
            y += if shape.cols < TWO_COLUMNS { 10 } else { 6 };
        }
        let feeds = y;
        let room = usize::from(end.saturating_sub(y + 1)) / 2;
        let links = snapshot.links.len().min(room.max(1));
        let told = links.max(1) + snapshot.rest.len().min(2) + usize::from(shape.rows >= WITH_UPKEEP);
        let below = u16::try_from(told).unwrap_or(u16::MAX);
        y = y.saturating_add(1).saturating_add(below);
        let stores = (shape.rows >= AT_LENGTH).then_some(y);
        y += if stores.is_some() { 3 } else { 0 };
        Self { memory: Some(top), upkeep, feeds: Some(feeds), links, stores, series: y, ..alone }
    }

    /// Where the series' rows stand.
    pub fn pane(&self) -> Pane {
        Pane { first: self.series + 2, rows: usize::from(self.end.saturating_sub(self.series + 2).max(1)) }
    }
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRow<'a> {
    /// Its place in the list.
    pub place: usize,
    /// Of which pair.
    pub row: &'a Row,
    /// Which series.
    pub lane: &'a LaneView,
}

impl App {
    /// Which block of the cache's view is where.
    pub fn cache_plan(&self) -> Plan {
        Plan::of(self.shape, &self.snapshot, self.cache.zoomed)
    }

    /// The series on screen.
    pub fn series_shown(&self) -> impl Iterator<Item = SeriesRow<'_>> {
        self.cache.list.visible(self.cache_plan().pane()).filter_map(|place| self.series_at(place))
    }

    /// How many series match, and which of them the cursor is on.
    pub fn series_count(&self) -> (usize, usize) {
        (self.cache.order.len(), self.cache.list.place())
    }

    /// The series under the cursor.
    pub fn series_selected(&self) -> Option<SeriesRow<'_>> {
        self.series_at(self.cache.list.place())
    }

    /// The row that a key of this view is about.
    pub(super) fn picked(&self) -> Option<&Row> {
        if self.view == View::Cache { self.series_selected().map(|s| s.row) } else { self.selected() }
    }

    fn series_at(&self, place: usize) -> Option<SeriesRow<'_>> {
        let (row, lane) = *self.cache.order.get(place)?;
        let row = self.snapshot.rows.get(row)?;
        Some(SeriesRow { place, row, lane: row.lanes.get(lane)? })
    }

    pub(super) fn move_in_cache(&mut self, motion: Motion) {
        let pane = self.cache_plan().pane();
        let rows = Ordered { snapshot: &self.snapshot, order: &self.cache.order };
        self.cache.list.go(motion, &rows, pane);
    }

    /// Puts the series in order where rows or ages are others than they were: keys alone change
    /// nothing, and there are thousands of series.
    pub(super) fn settle_cache(&mut self) {
        let (taken, shape, now) = (self.scanner.taken, self.shape, self.now);
        let is_same = |(t, s, at): (u64, Shape, Mono)| (t, s) == (taken, shape) && now < at + AGES;
        if !self.cache.made.is_some_and(is_same) {
            self.cache.made = Some((taken, shape, now));
            self.order_series();
        }
    }

    /// Those that are worst off first, then by the age of the last word.
    fn order_series(&mut self) {
        let clock = self.exchange_now();
        let age = |l: &LaneView| match behind::lane_since(l, clock).zip(clock) {
            // Ages are told in steps, and rows that step to and fro can't be read.
            Some((seen, now)) => now.since(seen).as_secs() / 60,
            None => u64::MAX,
        };
        let rank = |l: &LaneView| match l.state {
            DataState::Failed => 0,
            DataState::Stale => 1,
            DataState::Warming => 2,
            DataState::Live => 3,
            DataState::Delisted => 4,
        };
        let rows = &self.snapshot.rows;
        let matching = self.scanner.order.iter().filter_map(|n| Some((*n, rows.get(*n)?)));
        let mut order: Vec<_> = matching
            .flat_map(|(n, row)| row.lanes.iter().enumerate().map(move |(lane, l)| (n, lane, l)))
            .map(|(n, lane, l)| ((rank(l), std::cmp::Reverse(age(l)), n, lane), (n, lane)))
            .collect();
        order.sort_unstable();
        self.cache.order = order.into_iter().map(|(_, place)| place).collect();
        let pane = self.cache_plan().pane();
        let rows = Ordered { snapshot: &self.snapshot, order: &self.cache.order };
        self.cache.list.settle(&rows, pane, Keep::Screen);
    }

    pub(super) fn act_in_cache(&mut self, act: Act) {
        match act {
            Act::Zoom => {
                self.cache.zoomed = !self.cache.zoomed;
                let pane = self.cache_plan().pane();
                let rows = Ordered { snapshot: &self.snapshot, order: &self.cache.order };
                self.cache.list.reveal(&rows, pane);
            }
        }
    }

    pub(super) fn refresh_series(&mut self, effects: &mut Vec<Effect>) {
        let Some(SeriesRow { row, lane, .. }) = self.series_selected() else {
            return self.say(Level::Info, "no series is selected");
        };
        let key = SeriesKey::new(row.pair.clone(), lane.interval);
        self.say(Level::Info, &format!("checking {} {}", key.pair.symbol, key.interval));
        effects.push(Effect::Send(Command::Refresh(Scope::Series(key))));
    }
}
