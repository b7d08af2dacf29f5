//! What REST is asked about each series, and why: never more than needed, and never nothing where
//! something is missing.
//!
//! A lane has at most one errand. Between closes, with a healthy stream, it has none.

use std::time::Duration;

use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{ErrorKind, ExchangeError, FetchRequest, KlinesAnswer, KlinesRequest, Priority};
use crate::market::freshness::{Doubt, Freshness, Refusal, Stage, Stream};
use crate::market::lane::{Answer, Lag, Tail};
use crate::market::series::after;
use crate::market::snapshot::{Level, SignalEvent};
use crate::market::store::LaneId;

use super::Output;
use super::core::Engine;
use super::desk::{Desk, Passed, backoff};

/// Failures in a row after which a series counts as failed.
const MAX_FAILURES: u32 = 4;
/// Answers in a row that know less than the stream showed, before the stream is believed.
const MAX_LAGS: u32 = 3;
/// How long a series that failed is left alone.
const LATER: Duration = Duration::from_secs(300);
/// The longest pause between two answers that did not help.
const MAX_PAUSE: Duration = Duration::from_secs(300);
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
}

/// The state of a lane's errands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Care {
    pub(super) errand: Errand,
    /// Requests in a row that failed.
    failures: u32,
    /// Answers in a row that did not bring what was missing.
    fruitless: u32,
    /// The socket that carries the lane.
    pub(super) conn: Option<crate::exchange::ConnId>,
    /// Open time of the newest bar that a signal was given for.
    signaled: Option<UnixMs>,
}

impl Engine {
    /// Looks at every lane: is something due?
    pub(super) fn attend_all(&mut self, now: Mono, out: &mut Vec<Output>) {
        for lane in self.store.ids() {
            self.attend(lane, now, out);
        }
    }

    /// Looks at one lane: sends what is due, does nothing otherwise.
    pub(super) fn attend(&mut self, id: LaneId, now: Mono, out: &mut Vec<Output>) {
        let (Some(care), Some(lane)) = (self.care.get(id.index()), self.store.lane(id)) else { return };
        match care.errand {
            Errand::Asked(_) => return,
            Errand::Again(at, _) if now < at => return,
            Errand::Again(_, Purpose::Warmup) => {
                return self.send(id, Purpose::Warmup, Priority::Warmup, now, out);
            }
            Errand::Again(..) | Errand::None => {}
        }
        let need = self.need(id, lane.tail(), now);
        if let Some(care) = self.care.get_mut(id.index()) {
            care.errand = Errand::None;
        }
        match need {
            Need::Nothing => {}
            Need::Time => {
                let market = self.desk_of(id).map(|d| d.market);
                if let Some(desk) = market.and_then(|m| self.desk(m)) {
                    desk.want_time(now);
                }
            }
            Need::Klines(purpose) => self.send(id, purpose, Priority::Gap, now, out),
        }
    }

    /// What a lane with no errand needs.
    fn need(&self, id: LaneId, tail: Tail, now: Mono) -> Need {
        let (Some(lane), Some(desk)) = (self.store.lane(id), self.desk_of(id)) else { return Need::Nothing };
        if !lane.is_loaded() {
            return Need::Nothing;
        }
        // While the socket is gone its candles close unseen; what is missing is fetched once it is
        // back, and the lane says that it is stale.
        if matches!(lane.freshness.stream, Stream::Lost(_)) {
            return Need::Nothing;
        }
        let due = match tail {
            Tail::Gap { .. } => return Need::Klines(Purpose::Repair),
            Tail::Unclosed { close } => close + desk.margin() + URGENT,
            Tail::Whole => {
                let Some(close) = lane.next_close() else { return Need::Nothing };
                let grace = (self.cfg.close_grace)(desk.market).max(desk.margin() + URGENT);
                if desk.is_standing() { UnixMs(close.0 + 1) } else { close + grace }
            }
        };
        match desk.passed(due, now) {
            Passed::No => Need::Nothing,
            Passed::Unproven => Need::Time,
            Passed::Yes => Need::Klines(Purpose::Verify),
        }
    }

    /// After a socket came back: fetches what closed meanwhile. A close so fresh that REST could
    /// not prove it yet is left to the deadline.
    pub(super) fn catch_up(&mut self, id: LaneId, now: Mono, out: &mut Vec<Output>) -> bool {
        let behind = self.behind(id, now);
        let idle = self.care.get(id.index()).is_some_and(|c| !matches!(c.errand, Errand::Asked(_)));
        if behind > 0 && idle {
            self.send(id, Purpose::Repair, Priority::Gap, now, out);
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
            Purpose::Repair | Purpose::Verify if missing >= load => (None, load),
            Purpose::Repair | Purpose::Verify => (newest, missing),
        };
        self.next_id += 1;
        let request = KlinesRequest { id: self.next_id, key, from, bars, priority };
        self.tasks.insert(request.id, Task { lane: id, purpose });
        if !matches!(purpose, Purpose::Check(_))
            && let Some(care) = self.care.get_mut(id.index())
        {
            care.errand = Errand::Asked(request.id);
        }
        out.push(Output::Fetch(FetchRequest::Klines(request)));
    }

    /// REST has answered.
    pub(super) fn on_klines(
        &mut self,
        request: &KlinesRequest,
        result: Result<KlinesAnswer, ExchangeError>,
        now: Mono,
        out: &mut Vec<Output>,
    ) {
        let Some(task) = self.tasks.remove(&request.id) else { return };
        if let Some(care) = self.care.get_mut(task.lane.index())
            && care.errand == Errand::Asked(request.id)
        {
            care.errand = Errand::None;
        }
        self.touch(self.store.pair_of(task.lane));
        match result {
            Ok(answer) => self.on_rows(task, request, &answer, now, out),
            Err(error) => self.on_refused(task, &error, now),
        }
    }

    fn on_rows(
        &mut self,
        task: Task,
        request: &KlinesRequest,
        answer: &KlinesAnswer,
        now: Mono,
        out: &mut Vec<Output>,
    ) {
        let id = task.lane;
        let Some(desk) = self.desk_of(id) else { return };
        let (proved, asked) = (desk.proved(&answer.rows, answer.sent), desk.now(answer.sent));
        let lags = self.care.get(id.index()).map_or(0, |c| c.fruitless);
        let was_gap = self.is_gap(id);
        let mut closed = std::mem::take(&mut self.closed);
        let Some(lane) = self.store.lane_mut(id) else { return };
        let first = !lane.is_loaded();
        let held = lane.series().closed().len();
        let merge = lane.rest(
            &Answer {
                rows: &answer.rows,
                proved,
                from: request.from,
                asked: asked.unwrap_or_default(),
                lag: if lags < MAX_LAGS { Lag::Wait } else { Lag::TakeStream },
            },
            &mut closed,
        );
        lane.seen = lane.seen.max(asked);
        lane.freshness.refused = None;
        let last = answer.rows.last().map(crate::domain::kline::Kline::close);
        self.store.count_merge(&merge);
        // What was held before the answer came is what the recompute found in the cache.
        if merge.rewrites() || !closed.is_empty() {
            self.store.count_read(held);
        }
        self.store.counters.discarded += u64::from(answer.skipped);
        self.note_last(id, last, asked);
        if first {
            self.loads.loaded(now);
        } else {
            self.announce(id, &closed, now);
        }
        closed.clear();
        self.closed = closed;
        self.note_gap(id, was_gap);
        self.resume_answered(id);
        if let Purpose::Check(check) = task.purpose {
            self.checked(check, Ok(&merge), now);
        }
        self.follow_up(id, task.purpose, now, out);
    }

    /// Whether the answer was enough, and when to look again if not.
    fn follow_up(&mut self, id: LaneId, purpose: Purpose, now: Mono, out: &mut Vec<Output>) {
        let Some(lane) = self.store.lane(id) else { return };
        let rate = self.desk_of(id).and_then(Desk::clock).map_or(1.0, |c| c.rate().max(1.0));
        let need = self.need(id, lane.tail(), now);
        let next_close = lane.next_close();
        let Some(care) = self.care.get_mut(id.index()) else { return };
        care.failures = 0;
        if matches!(care.errand, Errand::Asked(_)) {
            return;
        }
        let Need::Klines(again) = need else {
            care.fruitless = 0;
            return;
        };
        if matches!(purpose, Purpose::Warmup | Purpose::Check(_)) {
            return self.attend(id, now, out);
        }
        care.fruitless += 1;
        let pause = Duration::from_secs(1 << care.fruitless.min(9)).div_f64(2.0 * rate);
        let pause = pause.clamp(Duration::from_millis(100), MAX_PAUSE);
        care.errand = Errand::Again(now + pause, again);
        if let (Some(lane), Some(close)) = (self.store.lane_mut(id), next_close)
            && lane.freshness.doubt.is_none()
        {
            lane.freshness.doubt = Some(Doubt::Unconfirmed { close });
        }
    }

    fn on_refused(&mut self, task: Task, error: &ExchangeError, now: Mono) {
        let id = task.lane;
        let rate_limited = matches!(error.kind, ErrorKind::RateLimited { .. });
        if let Some(market) = self.desk_of(id).map(|d| d.market)
            && let Some(desk) = self.desk(market)
        {
            desk.note_error(error);
        }
        if let Purpose::Check(check) = task.purpose {
            return self.checked(check, Err(error), now);
        }
        let Some(care) = self.care.get_mut(id.index()) else { return };
        care.failures += u32::from(!rate_limited);
        let (wait, gives_up) = match error.kind {
            ErrorKind::RateLimited { wait } => (wait + Duration::from_millis(100), false),
            ErrorKind::Transient if care.failures < MAX_FAILURES => (backoff(care.failures), false),
            ErrorKind::Transient => (LATER, true),
            ErrorKind::Rejected | ErrorKind::Bug => (LATER * 2, true),
            ErrorKind::Restricted => (LATER * 6, true),
        };
        care.errand = Errand::Again(now + wait, task.purpose);
        let key = self.store.key(id);
        let Some(lane) = self.store.lane_mut(id) else { return };
        let news = gives_up && !matches!(lane.freshness.refused, Some(Refusal::GivenUp(_)));
        let message = error.message.clone();
        lane.freshness.refused =
            Some(if gives_up { Refusal::GivenUp(message) } else { Refusal::Retrying(message) });
        if lane.freshness.stage == Stage::Loaded && lane.freshness.doubt.is_none() {
            lane.freshness.doubt = lane.next_close().map(|close| Doubt::Unconfirmed { close });
        }
        if news
            && self.noticed.replace(error.message.clone()).as_ref() != Some(&error.message)
            && let Some(key) = key
        {
            self.notice(now, Level::Error, &format!("{key}: {error}"));
        }
    }

    /// Gives a signal for each bar that flipped: once, and only where the lane hangs together and
    /// the bar is no older than one interval.
    pub(super) fn announce(&mut self, id: LaneId, closed: &[crate::market::lane::Closed], now: Mono) {
        let (Some(lane), Some(key)) = (self.store.lane(id), self.store.key(id)) else { return };
        let theirs = self.desk_of(id).and_then(|d| d.now(now));
        if lane.freshness.doubt.is_some_and(|d| matches!(d, Doubt::Gap { .. })) {
            return;
        }
        for bar in closed.iter().filter(|b| b.point.flip) {
            let (open, close) = (bar.kline.open_time(), bar.kline.close_time());
            let lag = theirs.map_or(Duration::ZERO, |t| t.since(close));
            let given = self.care.get(id.index()).and_then(|c| c.signaled).is_some_and(|s| s >= open);
            let (Some(dir), Some(hama_close), Some(ma)) = (bar.point.cross, bar.point.close, bar.point.ma)
            else {
                continue;
            };
            if given || lag > key.interval.duration() {
                continue;
            }
            if let Some(care) = self.care.get_mut(id.index()) {
                care.signaled = Some(open);
            }
            let (pair, interval) = (key.pair.clone(), key.interval);
            let event = SignalEvent { seq: 0, pair, interval, dir, close_time: close, hama_close, ma, lag };
            self.rings.signal(event);
        }
    }

    pub(super) fn is_gap(&self, id: LaneId) -> bool {
        let doubt = |f: &Freshness| matches!(f.doubt, Some(Doubt::Gap { .. }));
        self.store.lane(id).is_some_and(|l| doubt(&l.freshness))
    }

    /// Counts a gap that opened or was closed.
    pub(super) fn note_gap(&mut self, id: LaneId, was: bool) {
        match (was, self.is_gap(id)) {
            (false, true) => self.store.counters.gaps += 1,
            (true, false) => self.store.counters.repaired += 1,
            _ => {}
        }
    }
}

/// What a lane needs of REST.
enum Need {
    Nothing,
    /// The time: by our reckoning a deadline has passed, but the exchange's clock may stand still.
    Time,
    Klines(Purpose),
}
