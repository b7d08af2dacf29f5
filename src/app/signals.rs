//! The log of what closed bars said.

use std::collections::VecDeque;
use std::time::Duration;

use crate::market::snapshot::{SignalEvent, Snapshot};

use super::action::{Action, ActionSpec, Context, Group, c, k, line};
use super::keys::Key;
use super::layout::{Shape, Tier};
use super::list::{Keep, List, Motion, Pane, Rows};
use super::text::bar_end;
use super::{App, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Open the pair on the signal's interval.
    Open,
    /// The signal has been seen.
    Read,
    /// Everything so far has been seen.
    ReadAll,
}

const HERE: &[Context] = &[Context::View(View::Signals)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[
    line(
        Action::Signals(Act::Open),
        "open-signal",
        ("open its chart", "chart"),
        (Group::Table, HERE),
        &[k(Key::Enter)],
    ),
    line(Action::Signals(Act::Read), "read", ("mark as read", "read"), (Group::Table, HERE), &[c('m')]),
    line(
        Action::Signals(Act::ReadAll),
        "read-all",
        ("mark all as read", "read all"),
        (Group::Table, HERE),
        &[c('M')],
    ),
];

/// Signals remembered. Older ones go.
const KEPT: usize = 2_000;

/// A signal in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What the engine said.
    pub event: SignalEvent,
    /// Nobody has marked it as seen.
    pub is_unread: bool,
    /// From the bar's close to the engine: by our clock where the exchange's rate is known, since
    /// a replay's hours are our seconds.
    pub told_after: Duration,
    /// From the bar's close to the screen, by the same clock, where that is known.
    pub shown_after: Option<Duration>,
}

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Newest first.
    log: VecDeque<Entry>,
    /// The newest number seen.
    newest: u64,
    /// Signals that came and went between two pictures.
    missed: u64,
    unread: usize,
    list: List<u64>,
}

struct Newest<'a>(&'a VecDeque<Entry>);

impl Rows for Newest<'_> {
    type Key = u64;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn key(&self, place: usize) -> u64 {
        self.0[place].event.seq
    }

    fn find(&self, key: &u64) -> Option<usize> {
        let place = self.0.partition_point(|e| e.event.seq > *key);
        self.0.get(place).filter(|e| e.event.seq == *key).map(|_| place)
    }
}

impl Signals {
    /// Takes what is new in a picture. `ages` is how long after the close it was told, and how long
    /// ago that was, as things are now.
    fn take(&mut self, picture: &Snapshot, ages: impl Fn(&SignalEvent) -> (Duration, Option<Duration>)) {
        let newest = self.newest;
        for event in picture.signals.iter().filter(|e| e.seq > newest) {
            self.missed += event.seq - self.newest - 1;
            self.newest = event.seq;
            let (told_after, shown_after) = ages(event);
            self.log.push_front(Entry { event: event.clone(), is_unread: true, told_after, shown_after });
            self.unread += 1;
        }
        while self.log.len() > KEPT {
            let gone = self.log.pop_back();
            self.unread -= usize::from(gone.is_some_and(|e| e.is_unread));
        }
    }

    fn read(&mut self, place: usize) {
        if let Some(entry) = self.log.get_mut(place).filter(|e| e.is_unread) {
            entry.is_unread = false;
            self.unread -= 1;
        }
    }
}

/// Where the log stands: below the title and the heading; under it the selected signal at length,
/// where there is room, and the keys.
pub fn pane(shape: Shape) -> Pane {
    let (first, below) = match shape.tier {
        Tier::Roomy => (5, 4),
        Tier::Full => (5, 3),
        Tier::Reduced | Tier::TooSmall => (4, 1),
    };
    Pane { first, rows: usize::from(shape.rows.saturating_sub(first + below).max(1)) }
}

impl App {
    pub(super) fn take_signals(&mut self) {
        let (clock, now) = (self.snapshot.clock, self.now);
        let ages = |e: &SignalEvent| {
            let Some(clock) = clock.filter(|c| !c.is_standing()) else { return (e.lag, None) };
            let since = clock.at(now).since(bar_end(e.close_time)).max(e.lag);
            (clock.ours(e.lag), Some(clock.ours(since)))
        };
        self.signals.take(&self.snapshot, ages);
        self.signals.list.settle(&Newest(&self.signals.log), pane(self.shape), Keep::Cursor);
    }

    pub(super) fn reveal_signal(&mut self) {
        self.signals.list.reveal(&Newest(&self.signals.log), pane(self.shape));
    }

    pub(super) fn move_in_signals(&mut self, motion: Motion) {
        self.signals.list.go(motion, &Newest(&self.signals.log), pane(self.shape));
    }

    pub(super) fn act_in_signals(&mut self, act: Act) {
        let place = self.signals.list.place();
        match act {
            Act::Open => self.open_signal(place),
            Act::Read => self.signals.read(place),
            Act::ReadAll => {
                for place in 0..self.signals.log.len() {
                    self.signals.read(place);
                }
            }
        }
    }

    fn open_signal(&mut self, place: usize) {
        let Some(event) = self.signals.log.get(place).map(|e| e.event.clone()) else { return };
        self.signals.read(place);
        let lane = self.snapshot.intervals.iter().position(|i| *i == event.interval);
        if let Some(lane) = lane {
            self.shift_lane(lane);
        }
        self.set_detail_pair(Some(event.pair));
        self.show(View::Detail);
    }

    /// The log from a place on, newest first.
    pub fn signals_from(&self, first: usize) -> impl Iterator<Item = &Entry> {
        self.signals.log.iter().skip(first)
    }

    /// Signals in the log.
    pub fn signal_count(&self) -> usize {
        self.signals.log.len()
    }

    /// The signal under the cursor, as a place in the log.
    pub fn signal_place(&self) -> usize {
        self.signals.list.place()
    }

    /// The first signal on screen: so many are newer.
    pub fn signal_top(&self) -> usize {
        self.signals.list.top()
    }

    /// Signals nobody has marked as seen.
    pub fn unread(&self) -> usize {
        self.signals.unread
    }

    /// Signals that were lost between two pictures: only their number is known.
    pub fn missed_signals(&self) -> u64 {
        self.signals.missed
    }
}

#[cfg(test)]
mod tests;
