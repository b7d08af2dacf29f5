//! What REST is asked about each series, and why: never more than needed, and never nothing where
//! something is missing.
//!
//! A lane has at most one errand. Between closes, with a healthy stream, it has none.

use std::time::Duration;

use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{FetchRequest, KlinesRequest, Priority};
use crate::market::freshness::{Doubt, Freshness, Stream};
use crate::market::lane::Tail;
use crate::market::series::after;
use crate::market::snapshot::Level;
use crate::market::store::LaneId;

use super::Output;
use super::core::Engine;
use super::desk::{Call, Desk, Passed};
use super::happenings::What;
use super::hearing::Hearing;
use super::signals::Given;

/// Beyond the margin, where the next candle has begun and the close is missing.
const URGENT: Duration = Duration::from_millis(250);

/// Why REST is asked about a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its first rows.
    Warmup,
    /// Bars that are missing.
    Repair,
    /// Whether a candle closed.
    Verify,
    /// Somebody asked for a check; which one.
    Check(u32),
}

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) lane: LaneId,
    pub(super) purpose: Purpose,
}

/// The requests that one answer settles: the fetcher lets a later request for a series take in
/// one that still waits, and a lane may have its errand and a check under way at once.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) lane: LaneId,
    /// What the lane itself wanted to know.
    pub(super) errand: Option<Purpose>,
    /// The checks it is part of.
    pub(super) checks: Vec<u32>,
}

/// What is under way for a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Errand {
    /// Nothing.
    #[default]
    None,
    /// A request.
    Asked(u64),
    /// Looked at again at that time.
    Again(Mono, Purpose),
    /// Asked at that time, when it is its turn among many.
    Turn(Mono, Purpose),
}

/// The state of a lane's errands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Care {
    pub(super) errand: Errand,
    /// Requests in a row that failed.
    pub(super) failures: u32,
    /// Answers in a row that did not bring what was missing.
    pub(super) fruitless: u32,
    /// Answers in a row that knew less than the stream had shown.
    pub(super) lags: u32,
    /// The socket that carries the lane.
    pub(super) conn: Option<crate::exchange::ConnId>,
    /// When the exchange last said that it carries the stream.
    pub(super) acked: Mono,
    /// Since when no socket carries it, until its own stream speaks again.
    pub(super) lost: Option<Mono>,
    /// The exchange's stamp on the newest frame of its stream.
    pub(super) heard: Option<UnixMs>,
    /// Since when, on the exchange's clock, the price is another than its candles', and they don't
    /// come.
    pub(super) outrun: Option<UnixMs>,
    pub(super) hearing: Hearing,
    /// The newest bar of the warm-up: bars up to there give no signal.
    pub(super) loaded_to: Option<UnixMs>,
    pub(super) given: Given,
}

impl Engine {
    /// Looks at every lane: is something due?
    pub(super) fn attend_all(&mut self, now: Mono, out: &mut Vec<Output>) {
        let slots = self.cfg.intervals.len().max(1);
        for lane in self.in_view() {
            self.attend(lane, now, out);
        }
        // The primary interval of all pairs, then the next.
        for slot in 0..slots {
            for lane in self.store.ids().skip(slot).step_by(slots) {
                self.attend(lane, now, out);
            }
        }
    }

    /// Looks at one lane: sends what is due, does nothing otherwise.
    pub(super) fn attend(&mut self, id: LaneId, now: Mono, out: &mut Vec<Output>) {
        if self.is_overdue(id, now)
            && let Some(lane) = self.store.lane_mut(id)
        {
            lane.doubt_close();
            self.touch(self.store.pair_of(id));
        }
        let (Some(care), Some(lane)) = (self.care.get(id.index()), self.store.lane(id)) else { return };
        match care.errand {
            Errand::Asked(_) => return,
            Errand::Again(at, _) | Errand::Turn(at, _) if now < at => return,
            Errand::Turn(_, purpose) => return self.on_turn(id, purpose, now, out),
            Errand::Again(_, Purpose::Warmup) => {
                return self.send(id, Purpose::Warmup, Priority::Warmup, now, out);
            }
            Errand::Again(..) | Errand::None => {}
        }
        let need = self.need(id, lane.tail(), now);
        if let Some(care) = self.care.get_mut(id.index()) {
            care.errand = Errand::None;
        }
        if !matches!(need, Need::Nothing) {
            // What it shows of the forming candle is over.
            self.touch(self.store.pair_of(id));
        }
        match need {
            Need::Nothing => self.trust(id),
            Need::Time => {
                let market = self.desk_of(id).map(|d| d.market);
                if let Some(desk) = market.and_then(|m| self.desk(m)) {
                    desk.want_time(now);
                }
            }
            Need::Klines(purpose) => self.send_in_turn(id, purpose, now, out),
        }
    }

    /// Nothing is missing any more: a pause after a failure must not cover what fails next.
    pub(super) fn relax(&mut self, id: LaneId) {
        let Some(care) = self.care.get_mut(id.index()) else { return };
        if matches!(care.errand, Errand::Again(..) | Errand::Turn(..)) {
            care.errand = Errand::None;
        }
        care.failures = 0;
        care.fruitless = 0;
        care.lags = 0;
    }

    /// The place we ask from is served again: what waited for that is due.
    pub(super) fn on_served(&mut self, market: Market, now: Mono) {
        if let Some(desk) = self.desk(market)
            && let Call::Due(_) = desk.universe
        {
            desk.universe = Call::Due(now);
        }
        let lanes: Vec<LaneId> = self.members(market).flat_map(|(id, _)| self.store.lanes_of(id)).collect();
        for lane in lanes {
            if let Some(Care { errand: Errand::Again(at, _), .. }) = self.care.get_mut(lane.index()) {
                *at = now;
            }
        }
        self.notice(now, Level::Info, &format!("{market}: the exchange serves this place again"));
    }

    /// Whether a close has not come for so long that the lane can't be called live, whatever is
    /// under way about it. One whose stream is lost is not, and one in doubt says so already.
    fn is_overdue(&self, id: LaneId, now: Mono) -> bool {
        let (Some(lane), Some(desk)) = (self.store.lane(id), self.desk_of(id)) else { return false };
        let lost = matches!(lane.freshness.stream, Stream::Lost(_)) && !lane.freshness.by_rest;
        lane.freshness.doubt.is_none()
            && !lost
            && lane.is_loaded()
            && lane.next_close().is_some_and(|close| desk.overdue(self.due(desk, close), now))
    }

    /// A close that was overdue by a reckoning that proved wrong is not due yet.
    fn trust(&mut self, id: LaneId) {
        let Some(lane) = self.store.lane_mut(id) else { return };
        let calm = lane.tail() == Tail::Whole && !matches!(lane.freshness.stream, Stream::Lost(_));
        if calm && lane.freshness.doubt.take().is_some() {
            self.touch(self.store.pair_of(id));
        }
    }

    /// What a lane with no errand needs.
    pub(super) fn need(&self, id: LaneId, tail: Tail, now: Mono) -> Need {
        let (Some(lane), Some(desk)) = (self.store.lane(id), self.desk_of(id)) else { return Need::Nothing };
        if !lane.is_loaded() {
            return Need::Nothing;
        }
        // While the socket is gone its candles close unseen, and the lane says that it is stale. A
        // short loss is made up for at its end; in a long one REST is asked at each close.
        if matches!(lane.freshness.stream, Stream::Lost(_)) && self.is_lost_for_now(id, now) {
            return Need::Nothing;
        }
        let due = match tail {
            Tail::Gap { .. } => return Need::Klines(Purpose::Repair),
            Tail::Unclosed { close } => close + desk.margin() + URGENT,
            Tail::Whole => {
                let Some(close) = lane.next_close() else { return Need::Nothing };
                self.due(desk, close)
            }
        };
        match desk.passed(due, now) {
            Passed::No => Need::Nothing,
            Passed::Unproven => Need::Time,
            Passed::Yes => Need::Klines(Purpose::Verify),
        }
    }

    /// When a candle that closes at `close` must have been told closed.
    pub(super) fn due(&self, desk: &Desk, close: UnixMs) -> UnixMs {
        let grace = (self.cfg.close_grace)(desk.market).max(desk.margin() + URGENT);
        if desk.is_standing() { UnixMs(close.0 + 1) } else { close + grace }
    }

    /// After a socket came back: fetches what closed meanwhile. A close so fresh that REST could
    /// not prove it yet is left to the deadline.
    pub(super) fn catch_up(&mut self, id: LaneId, now: Mono, out: &mut Vec<Output>) -> bool {
        let behind = self.behind(id, now);
        let free = |e: Errand| matches!(e, Errand::None | Errand::Again(..));
        if behind > 0 && self.care.get(id.index()).is_some_and(|c| free(c.errand)) {
            self.send_in_turn(id, Purpose::Repair, now, out);
        }
        behind > 0
    }

    /// Closed bars a lane must be missing, as far as REST could prove them.
    pub(super) fn behind(&self, id: LaneId, now: Mono) -> u32 {
        let theirs = self.desk_of(id).and_then(|d| Some(d.now(now)? - d.margin()));
        let (Some(lane), Some(theirs)) = (self.store.lane(id).filter(|l| l.is_loaded()), theirs) else {
            return 0;
        };
        lane.behind(theirs)
    }

    /// Asks REST about a lane.
    pub(super) fn send(
        &mut self,
        id: LaneId,
        purpose: Purpose,
        priority: Priority,
        now: Mono,
        out: &mut Vec<Output>,
    ) {
        let (Some(key), Some(lane)) = (self.store.key(id), self.store.lane(id)) else { return };
        let theirs = self.desk_of(id).and_then(|d| d.now(now));
        if theirs.is_none() && purpose == Purpose::Warmup {
            // Rows that come before the clock is known prove nothing closed, and would be paid twice.
            if let Some(care) = self.care.get_mut(id.index()) {
                care.errand = Errand::Again(now, purpose);
            }
            return;
        }
        let until = match lane.tail() {
            Tail::Gap { to, .. } => theirs.max(Some(UnixMs(to.0 + 1))),
            _ => theirs,
        };
        let missing = until.map_or(0, |t| lane.behind(t)).saturating_add(2);
        let load = self.load_bars();
        let newest = lane.series().newest().map(after);
        let (from, bars) = match purpose {
            Purpose::Warmup => (None, load),
            Purpose::Check(_) => (None, missing.max(99).min(load)),
            // An answer may have proved nothing closed.
            Purpose::Repair | Purpose::Verify if missing >= load || newest.is_none() => (None, load),
            Purpose::Repair | Purpose::Verify => (newest, missing),
        };
        self.next_id += 1;
        let request = KlinesRequest { id: self.next_id, key, from, bars, priority };
        if purpose == Purpose::Verify {
            let deaf = self.is_deaf(id);
            self.happened(id, if deaf { What::Poll } else { What::Verification });
        }
        self.tasks.insert(request.id, Task { lane: id, purpose });
        if !matches!(purpose, Purpose::Check(_))
            && let Some(care) = self.care.get_mut(id.index())
        {
            care.errand = Errand::Asked(request.id);
        }
        out.push(Output::Fetch(FetchRequest::Klines(request)));
    }

    pub(super) fn is_gap(&self, id: LaneId) -> bool {
        let doubt = |f: &Freshness| matches!(f.doubt, Some(Doubt::Gap { .. }));
        self.store.lane(id).is_some_and(|l| doubt(&l.freshness))
    }

    /// Counts a gap that opened or was closed.
    pub(super) fn note_gap(&mut self, id: LaneId, was: bool) {
        match (was, self.is_gap(id)) {
            (false, true) => self.happened(id, What::Gap),
            (true, false) => self.happened(id, What::Repaired),
            _ => {}
        }
    }
}

/// What a lane needs of REST.
pub(super) enum Need {
    Nothing,
    /// The time: by our reckoning a deadline has passed, but the exchange's clock may stand still.
    Time,
    Klines(Purpose),
}
