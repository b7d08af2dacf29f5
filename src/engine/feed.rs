//! What the streams tell: sockets that come and go, candles, 24 h figures.

use std::time::Duration;

use crate::domain::kline::{Finality, Kline};
use crate::domain::symbol::{Market, SeriesKey};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{
    ConnId, DayEvent, Discard, ErrorKind, ExchangeError, FeedEvent, KlineEvent, Replacement,
};
use crate::market::freshness::{Stage, Stream};
use crate::market::series::Upsert;
use crate::market::snapshot::{Level, Link, LinkState};
use crate::market::store::{LaneId, PairId};

use super::Output;
use super::core::{Engine, day_figures};
use super::desk::Desk;
use super::happenings::What;
use super::hearing::Hearing;
use super::repair::Errand;

/// A socket, and what it carries.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) link: Link,
    pub(super) lanes: Vec<LaneId>,
    /// The exchange's stamp on its newest frame.
    pub(super) spoke: Option<UnixMs>,
    /// It was open while the machine slept, and has brought nothing of after: a frame with a stamp
    /// up to this may be of before.
    pub(super) asleep: Option<UnixMs>,
    /// Why it was last told to be lost, until it is told to be back.
    told: Option<CleanText>,
}

impl Wire {
    fn new(conn: ConnId, now: Mono) -> Self {
        let link = Link {
            market: conn.market,
            conn: conn.number,
            state: LinkState::Connecting,
            streams: 0,
            frames: 0,
            lag: None,
            since: now,
            drops: 0,
            replaced: 0,
        };
        Self { link, lanes: Vec::new(), spoke: None, asleep: None, told: None }
    }

    pub(super) fn turn(&mut self, state: LinkState, now: Mono) {
        if (self.link.state == LinkState::Up) != (state == LinkState::Up) {
            self.link.since = now;
            self.link.lag = None;
        }
        self.link.state = state;
        self.asleep = None;
    }
}

impl Engine {
    pub(super) fn on_feed(&mut self, event: FeedEvent, now: Mono, out: &mut Vec<Output>) {
        self.dirty = true;
        if self.is_stray(&event) {
            return;
        }
        match event {
            FeedEvent::Connecting { conn, streams } => {
                let wire = self.wire(conn, now);
                wire.link.streams = streams;
                wire.lanes.clear();
                wire.turn(LinkState::Connecting, now);
            }
            FeedEvent::Subscribed { conn, keys } => self.on_subscribed(conn, &keys, now, out),
            FeedEvent::Down { conn, keys, error, retry } => {
                self.on_down(conn, &keys, &error, retry, now);
            }
            FeedEvent::Refused { conn, key, why } => {
                self.wire(conn, now);
                self.on_stream_refused(&key, &why, now);
            }
            FeedEvent::Replaced { conn, why } => self.on_replaced(conn, why, now),
            FeedEvent::Kline(event) => self.on_kline(&event, now, out),
            FeedEvent::Day(events) => {
                for event in &events {
                    self.on_day(event, now);
                }
            }
            FeedEvent::Discarded { why, .. } => self.note_discard(why),
        }
    }

    fn note_discard(&mut self, why: Discard) {
        let counts = &mut self.store.counters.discards;
        *match why {
            Discard::NotJson => &mut counts.not_json,
            Discard::UnknownShape => &mut counts.unknown_shape,
            Discard::BadValue => &mut counts.bad_value,
            Discard::NotWatched => &mut counts.not_watched,
            Discard::Overrun => &mut counts.overrun,
        } += 1;
    }

    /// Whether it is of the last words of a socket that carries nothing any more.
    fn is_stray(&self, event: &FeedEvent) -> bool {
        let ended = |conn: &ConnId| !self.wires.contains_key(conn) && !self.is_wanted(*conn);
        match event {
            FeedEvent::Subscribed { keys, .. } => keys.iter().all(|k| self.store.find(k).is_none()),
            FeedEvent::Connecting { conn, .. }
            | FeedEvent::Down { conn, .. }
            | FeedEvent::Replaced { conn, .. } => ended(conn),
            FeedEvent::Kline(_)
            | FeedEvent::Day(_)
            | FeedEvent::Refused { .. }
            | FeedEvent::Discarded { .. } => false,
        }
    }

    /// Whether a socket has anything to carry: series it carried last, or such as nobody has yet.
    fn is_wanted(&self, conn: ConnId) -> bool {
        let mut lanes = self.members(conn.market).flat_map(|(id, _)| self.store.lanes_of(id));
        lanes.any(|id| {
            let may_be = self.care.get(id.index()).is_some_and(|c| c.conn.is_none_or(|c| c == conn));
            may_be && self.store.lane(id).is_some_and(|l| l.freshness.stage != Stage::Delisted)
        })
    }

    fn wire(&mut self, conn: ConnId, now: Mono) -> &mut Wire {
        self.wires.entry(conn).or_insert_with(|| Wire::new(conn, now))
    }

    /// These lanes are carried no more. A socket that carries nothing else is closed with them.
    pub(super) fn unwire(&mut self, lanes: &[LaneId]) {
        for wire in self.wires.values_mut() {
            let before = wire.lanes.len();
            wire.lanes.retain(|lane| !lanes.contains(lane));
            if wire.lanes.len() < before {
                wire.link.streams = u32::try_from(wire.lanes.len()).unwrap_or(u32::MAX);
            }
        }
        self.forget_wires();
    }

    /// Forgets the sockets that carry nothing and never will: they end without a word.
    fn forget_wires(&mut self) {
        let bare = self.wires.iter().filter(|(_, w)| w.lanes.is_empty()).map(|(conn, _)| *conn);
        let over: Vec<ConnId> = bare.filter(|conn| !self.is_wanted(*conn)).collect();
        for conn in over {
            self.wires.remove(&conn);
        }
    }

    /// The subscriptions stand, as far as the exchange says. What closed while the socket was away
    /// is fetched; the others wait for data.
    fn on_subscribed(&mut self, conn: ConnId, keys: &[SeriesKey], now: Mono, out: &mut Vec<Output>) {
        let lanes: Vec<LaneId> = keys.iter().filter_map(|k| self.store.find(k)).collect();
        let wire = self.wire(conn, now);
        let was_up = wire.link.state == LinkState::Up;
        // Subscriptions may come in parts, and data of the first before the last is acknowledged.
        if !was_up && wire.asleep.is_none() {
            wire.turn(LinkState::Subscribing, now);
        }
        wire.lanes.extend(lanes.iter().copied());
        wire.lanes.sort_unstable();
        wire.lanes.dedup();
        wire.link.streams = u32::try_from(wire.lanes.len()).unwrap_or(u32::MAX);
        for id in self.by_rank(lanes.into_iter()) {
            let Some(care) = self.care.get_mut(id.index()) else { continue };
            care.conn = Some(conn);
            care.acked = now;
            let mute = care.hearing.is_told();
            let Some(lane) = self.store.lane_mut(id) else { continue };
            if matches!(lane.freshness.stream, Stream::Lost(_) | Stream::Refused(_)) {
                // What all of the socket before was, this one is not yet, nor is it refused any more.
                care.hearing = if mute { care.hearing } else { Hearing::Fine };
                lane.freshness.stream = if mute { Stream::Silent } else { Stream::Resumed };
                self.catch_up(id, now, out);
            }
            if was_up {
                self.resume(id, now, out);
            }
            self.touch(self.store.pair_of(id));
        }
        self.forget_wires();
    }

    fn on_replaced(&mut self, conn: ConnId, why: Replacement, now: Mono) {
        self.wire(conn, now).link.replaced += 1;
        self.store.counters.upkeep.replaced += 1;
        let why = match why {
            Replacement::Age => "its day was nearly over",
            Replacement::Shutdown => "the server said that it goes down",
        };
        let text = format!("{} socket {} replaced without a loss: {why}", conn.market, conn.number);
        self.notice(now, Level::Info, &text);
    }

    fn on_down(
        &mut self,
        conn: ConnId,
        keys: &[SeriesKey],
        error: &ExchangeError,
        retry: Option<Mono>,
        now: Mono,
    ) {
        let why = &error.message;
        // A socket that is silent because the exchange's clock stands still loses nothing.
        let standing = self.desk(conn.market).is_some_and(|desk| {
            desk.want_time(now);
            desk.is_standing()
        });
        let wire = self.wire(conn, now);
        let was_open = matches!(wire.link.state, LinkState::Up | LinkState::Subscribing);
        wire.link.drops += u32::from(was_open);
        wire.turn(LinkState::Down { why: why.clone(), retry }, now);
        let news = !standing && wire.told.replace(why.clone()).as_ref() != Some(why);
        self.store.counters.upkeep.lost += u64::from(was_open);
        self.store.counters.upkeep.stalls += u64::from(was_open && error.kind == ErrorKind::Silent);
        if standing {
            return;
        }
        self.lose(conn, keys, why, now);
        if news {
            self.notice(now, Level::Warn, &format!("{} socket {} lost: {why}", conn.market, conn.number));
        }
    }

    /// Marks the lanes of a lost socket. One that another socket carries by now is none of them.
    fn lose(&mut self, conn: ConnId, keys: &[SeriesKey], why: &CleanText, now: Mono) {
        for key in keys {
            let Some(id) = self.store.find(key) else { continue };
            let (Some(care), Some(lane)) = (self.care.get_mut(id.index()), self.store.lane_mut(id)) else {
                continue;
            };
            let is_ours = care.conn.is_none_or(|c| c == conn);
            if is_ours && !matches!(lane.freshness.stage, Stage::Delisted) {
                care.lost.get_or_insert(now);
                lane.freshness.stream = Stream::Lost(why.clone());
                self.touch(self.store.pair_of(id));
            }
        }
    }

    /// The socket has brought data: its subscriptions are real. Lanes that miss nothing are live
    /// again, those of quiet pairs too, whose own first frame may be hours away.
    pub(super) fn prove(&mut self, conn: ConnId, now: Mono, out: &mut Vec<Output>) {
        let wire = self.wire(conn, now);
        if wire.link.state == LinkState::Up {
            return;
        }
        wire.turn(LinkState::Up, now);
        let back = wire.told.take().is_some();
        let lanes = wire.lanes.clone();
        for id in lanes {
            self.resume(id, now, out);
        }
        if back {
            self.notice(now, Level::Info, &format!("{} socket {} is back", conn.market, conn.number));
        }
    }

    /// Turns a lane over to its stream, if that brings data and nothing is missing before it.
    fn resume(&mut self, id: LaneId, now: Mono, out: &mut Vec<Output>) {
        let busy = self.care.get(id.index()).is_some_and(|c| matches!(c.errand, Errand::Asked(_)));
        if self.can_resume(id) && !busy && !self.catch_up(id, now, out) {
            self.feed_lane(id);
        }
    }

    /// The same after an answer of REST. What it did not bring the deadlines look after: asking
    /// again at once would be a loop.
    pub(super) fn resume_answered(&mut self, id: LaneId) {
        if self.can_resume(id) {
            self.feed_lane(id);
        }
    }

    fn can_resume(&self, id: LaneId) -> bool {
        let conn = self.care.get(id.index()).and_then(|c| c.conn);
        let up = conn.and_then(|c| self.wires.get(&c)).is_some_and(|w| w.link.state == LinkState::Up);
        let standing = self.desk_of(id).is_some_and(Desk::is_standing);
        let up = up || standing;
        let waits = |s: &Stream| match s {
            Stream::Waiting | Stream::Resumed | Stream::Slept => true,
            Stream::Lost(_) | Stream::Silent | Stream::Outrun => standing,
            Stream::Fed | Stream::Unneeded | Stream::Refused(_) => false,
        };
        let ready = self.store.lane(id).is_some_and(|l| l.is_loaded() && waits(&l.freshness.stream));
        up && ready
    }

    /// No time passes, so nothing can be missed: a silent or lost stream is no fault.
    pub(super) fn on_stopped(&mut self, market: Market) {
        for id in self.store.ids() {
            let ours = self.desk_of(id).is_some_and(|d| d.market == market);
            if ours {
                // By our reckoning its forming candle may have been over.
                self.touch(self.store.pair_of(id));
            }
            let whole = self.store.lane(id).is_some_and(|l| l.freshness.doubt.is_none());
            if ours && whole && self.can_resume(id) {
                self.feed_lane(id);
            }
        }
    }

    /// Time passes again: what a lost socket carries is missing it.
    pub(super) fn on_started(&mut self, market: Market, now: Mono) {
        let mut lost = Vec::new();
        for (conn, wire) in self.wires.iter().filter(|(conn, _)| conn.market == market) {
            if let LinkState::Down { why, .. } = &wire.link.state {
                let keys: Vec<SeriesKey> = wire.lanes.iter().filter_map(|l| self.store.key(*l)).collect();
                lost.push((*conn, keys, why.clone()));
            }
        }
        for (conn, keys, why) in lost {
            self.lose(conn, &keys, &why, now);
        }
    }

    fn feed_lane(&mut self, id: LaneId) {
        if let Some(lane) = self.store.lane_mut(id) {
            lane.freshness.stream = Stream::Fed;
            lane.freshness.by_rest = false;
        }
        self.touch(self.store.pair_of(id));
    }

    fn on_kline(&mut self, event: &KlineEvent, now: Mono, out: &mut Vec<Output>) {
        let is_traded =
            |id: &LaneId| self.store.lane(*id).is_some_and(|l| l.freshness.stage != Stage::Delisted);
        let Some(id) = self.store.find(&event.key).filter(is_traded) else {
            self.store.counters.discards.not_watched += 1;
            return;
        };
        if let Some(desk) = self.desk(event.key.pair.market) {
            desk.witness(event.event_time, &event.key.pair.symbol, now);
            if desk.is_ahead(event.event_time.max(event.kline.open_time()), now) {
                self.store.counters.discards.bad_value += 1;
                return;
            }
        }
        let is_proof = self.is_proof(event.conn, event.event_time, now);
        if is_proof {
            if let Some(desk) = self.desk(event.key.pair.market) {
                desk.woke = None;
            }
            self.prove(event.conn, now, out);
        }
        self.note_frame(event, now);
        let delay = self.lateness(id, event, now);
        self.heard(id, event, now);
        let was_gap = self.is_gap(id);
        let mut closed = std::mem::take(&mut self.closed);
        let Some(lane) = self.store.lane_mut(id) else { return };
        lane.seen = lane.seen.max(Some(event.event_time));
        let held = lane.series().closed().len();
        let known = lane.series().newest().map(Kline::open_time);
        if is_proof {
            lane.freshness.stream = Stream::Fed;
            lane.freshness.by_rest = false;
        }
        let outcome = match event.finality {
            Finality::Closed => lane.stream_closed(event.kline, &mut closed),
            Finality::Forming => Some(lane.stream_forming(event.kline, event.event_time)),
        };
        self.note_word(id, event, outcome, delay);
        self.note_gap(id, was_gap);
        // A candle's last price is no newer than its end, however late it is told.
        self.note_last(id, Some(event.kline.close()), Some(event.event_time.min(event.kline.close_time())));
        if !closed.is_empty() {
            self.store.count_read(held);
            self.announce(id, &closed, known, now);
            if let Some(healed) = self.store.lane_mut(id).filter(|l| l.freshness.doubt.is_none()) {
                // The stream has brought what REST would not.
                healed.freshness.refused = None;
                self.relax(id);
            }
            closed.clear();
        }
        self.closed = closed;
        if self.store.lane(id).is_some_and(|l| l.freshness.doubt.is_some()) {
            self.attend(id, now, out);
        }
        self.touch(self.store.pair_of(id));
    }

    /// Counts what became of a candle of the stream.
    fn note_word(&mut self, id: LaneId, event: &KlineEvent, became: Option<Upsert>, late: Option<Duration>) {
        if let Some(outcome) = became {
            self.store.count(outcome);
        }
        if (became, event.finality) == (Some(Upsert::Amended), Finality::Closed) {
            self.happened(id, What::Corrected(event.kline.open_time(), 1));
        }
        if let Some(late) = late {
            self.happened(id, What::LateClose(late));
        }
    }

    fn note_frame(&mut self, event: &KlineEvent, now: Mono) {
        let Some(desk) = self.desk(event.key.pair.market) else { return };
        let clock = desk.clock().copied().filter(|c| !c.is_standing());
        let lag = clock.map(|c| c.ours(c.at(event.received).since(event.event_time)));
        let wire = self.wire(event.conn, now);
        wire.link.frames += 1;
        wire.spoke = wire.spoke.max(Some(event.event_time));
        if let Some(lag) = lag {
            wire.link.lag = Some(wire.link.lag.map_or(lag, |old| smooth(old, lag)));
        }
    }

    /// The time is known: what says to be of later than `horizon` was a slip that came before.
    /// Left, it would pass for newer than all that follows.
    pub(super) fn drop_what_is_ahead(&mut self, market: Market, horizon: UnixMs) {
        let ahead = |at: &UnixMs| *at > horizon;
        for (_, wire) in self.wires.iter_mut().filter(|(conn, _)| conn.market == market) {
            wire.spoke.take_if(|at| ahead(at));
        }
        let pairs: Vec<PairId> = self.members(market).map(|(id, _)| id).collect();
        for pair in pairs {
            let mut dropped = false;
            if let Some(row) = self.rows.get_mut(pair.index()) {
                dropped |= row.last.take_if(|(_, at)| ahead(at)).is_some();
                dropped |= row.day.take_if(|day| ahead(&day.at)).is_some();
            }
            for id in self.store.lanes_of(pair) {
                if let Some(care) = self.care.get_mut(id.index()) {
                    care.heard.take_if(|at| ahead(at));
                }
                dropped |= self.store.lane_mut(id).is_some_and(|lane| lane.drop_after(horizon));
            }
            if dropped {
                self.store.counters.discards.bad_value += 1;
                self.touch(pair);
            }
        }
    }

    /// The price of a row is that of the newest stamp, whichever stream brought it.
    pub(super) fn note_last(&mut self, id: LaneId, price: Option<f64>, stamp: Option<UnixMs>) {
        let (Some(price), Some(stamp)) = (price, stamp) else { return };
        let pair = self.store.pair_of(id);
        if let Some(row) = self.rows.get_mut(pair.index())
            && row.last.is_none_or(|(_, at)| stamp >= at)
        {
            row.last = Some((price, stamp));
        }
    }

    pub(super) fn on_day(&mut self, event: &DayEvent, now: Mono) {
        let Some(id) = self.store.find_pair(&event.pair) else { return };
        if let Some(desk) = self.desk(event.pair.market)
            && desk.is_ahead(event.event_time, now)
        {
            desk.want_time(now);
            self.store.counters.discards.bad_value += 1;
            return;
        }
        let Some(row) = self.rows.get_mut(id.index()) else { return };
        if row.day.is_some_and(|d| d.at > event.event_time) {
            return;
        }
        row.day = Some(day_figures(event));
        if row.last.is_none_or(|(_, at)| event.event_time >= at) {
            row.last = Some((event.last, event.event_time));
        }
        self.touch(id);
        self.compare(id, event, now);
    }

    /// The exchange's clock of the first market that has one. After a sleep no age is told by a
    /// reckoning that did not count it.
    pub(super) fn clock(&self) -> Option<crate::domain::clock::Clock> {
        self.desks.iter().filter(|d| d.woke.is_none()).find_map(Desk::clock).copied()
    }
}

/// Sixteen frames make the figure.
fn smooth(old: Duration, new: Duration) -> Duration {
    (old * 15 + new) / 16
}
