//! The third layer of liveness, the single stream: acknowledged, and silent while its neighbours
//! speak. And what a series without a stream lives on meanwhile: REST, at its closes.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::kline::{Finality, Kline};
use crate::domain::symbol::SeriesKey;
use crate::domain::text::CleanText;
use crate::domain::time::Mono;
use crate::exchange::{DayEvent, FeedCommand, KlineEvent};
use crate::market::freshness::{Stage, Stream};
use crate::market::series::{Origin, smaller};
use crate::market::snapshot::{Level, LinkState};
use crate::market::store::{LaneId, PairId};

use super::Output;
use super::core::Engine;
use super::feed::Wire;
use super::happenings::What;

/// How long a stream may be lost before its closes are had from REST: most sockets are back
/// sooner, and then fetch what closed meanwhile anyway.
const PATIENCE: Duration = Duration::from_secs(20);
/// A socket with fewer pairs may be silent as a whole for want of trade, so that nobody replaces it
/// for that.
const WATCHED: usize = 20;
/// Silent streams named one by one on screen; the log names all.
const NAMED: usize = 8;
/// How much newer than a stream's last frame, on the exchange's clock, a price may be that its
/// candle does not have: candles follow a trade within two seconds.
const OUTRUN: Duration = Duration::from_secs(15);

/// What was done about a silent stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Nothing: it speaks, as far as anybody knows.
    #[default]
    Fine,
    /// Nothing yet, though it was found silent: all of its socket was, and whoever watches the
    /// sockets was to see to that.
    Left,
    /// It was subscribed anew.
    Resubscribed,
    /// That did not help: REST has to do until it speaks.
    GivenUp,
    /// The exchange refused to carry it, and that was told.
    Refused,
}

impl Hearing {
    /// Whether its own stream is taken to be silent, whatever its socket does.
    pub(super) fn is_told(self) -> bool {
        matches!(self, Self::Resubscribed | Self::GivenUp)
    }
}

impl Engine {
    /// After REST closed a bar that the stream should have told: is the stream silent? It is where
    /// there was trade of which it said nothing, and nothing came of it since the close; a quiet
    /// pair is not. It is subscribed anew, once. Where the whole socket says nothing, that is for
    /// those who watch the sockets; the second time, with the link still up, it is not.
    pub(super) fn listen(&mut self, id: LaneId, pending: Option<&Kline>, now: Mono) {
        if !self.is_silent(id, pending) {
            return;
        }
        let Some(key) = self.store.key(id) else { return };
        let alone = self.is_alone(id);
        let Some(care) = self.care.get_mut(id.index()) else { return };
        let hearing = care.hearing;
        care.hearing = match hearing {
            Hearing::Fine if !alone => Hearing::Left,
            Hearing::Fine | Hearing::Left => Hearing::Resubscribed,
            Hearing::Resubscribed | Hearing::GivenUp | Hearing::Refused => Hearing::GivenUp,
        };
        if let Some(lane) = self.store.lane_mut(id) {
            lane.freshness.stream = Stream::Silent;
        }
        if hearing == Hearing::Fine {
            self.happened(id, What::Silent);
        }
        match hearing {
            Hearing::Fine if !alone => {}
            Hearing::Fine | Hearing::Left => {
                self.happened(id, What::Resubscribed);
                self.mute.push(key.clone());
                self.name_silent(&format!("{key}: the stream is silent; subscribed anew"), now);
            }
            Hearing::Resubscribed => {
                let text = format!("{key}: the stream stays silent; kept true by REST at each close");
                self.name_silent(&text, now);
            }
            Hearing::GivenUp | Hearing::Refused => {}
        }
        self.touch(self.store.pair_of(id));
    }

    fn is_silent(&self, id: LaneId, pending: Option<&Kline>) -> bool {
        let (Some(lane), Some(care), Some(desk)) =
            (self.store.lane(id), self.care.get(id.index()), self.desk_of(id))
        else {
            return false;
        };
        let (Some(bar), Some(clock)) = (lane.series().newest(), desk.clock()) else { return false };
        let Some(wire) = care.conn.and_then(|c| self.wires.get(&c)) else { return false };
        let listened = clock.at(wire.link.since.max(care.acked)) < bar.close_time();
        let carried = wire.link.state == LinkState::Up && listened && !desk.is_standing();
        let unheard = care.heard.is_none_or(|at| at <= bar.close_time());
        let traded = match pending.filter(|p| p.open_time() == bar.open_time()) {
            Some(known) => smaller(known, bar),
            None => bar.trades().is_none_or(|n| n > 0) && bar.volume() > 0.0,
        };
        let expected = matches!(lane.freshness.stream, Stream::Fed | Stream::Silent | Stream::Outrun);
        expected && carried && unheard && traded && lane.series().newest_by() == Origin::Rest
    }

    /// Whether it is this stream that is silent, not its socket.
    fn is_alone(&self, id: LaneId) -> bool {
        let bar = self.store.lane(id).and_then(|l| l.series().newest()).map(Kline::close_time);
        let wire = self.care.get(id.index()).and_then(|c| c.conn).and_then(|c| self.wires.get(&c));
        let pairs =
            |w: &Wire| w.lanes.iter().map(|l| self.store.pair_of(*l).index()).collect::<BTreeSet<_>>();
        wire.is_some_and(|w| w.spoke > bar || pairs(w).len() < WATCHED)
    }

    /// The 24 h figures tell a price. Where it moves and a lane's stream says nothing of that, the
    /// lane's candle is an old one, long before its close shows it.
    pub(super) fn compare(&mut self, pair: PairId, event: &DayEvent, now: Mono) {
        for id in self.store.lanes_of(pair) {
            if self.is_outrun(id, event, now) {
                self.on_outrun(id, now);
            }
        }
    }

    /// One trade that is told by the figures first is nothing: the difference has to last.
    fn is_outrun(&mut self, id: LaneId, event: &DayEvent, now: Mono) -> bool {
        let (Some(lane), Some(care), Some(desk)) =
            (self.store.lane(id), self.care.get(id.index()), self.desk_of(id))
        else {
            return false;
        };
        let Some(clock) = desk.clock().filter(|c| !c.is_standing()) else { return false };
        let Some(wire) = care.conn.and_then(|c| self.wires.get(&c)) else { return false };
        let fed = lane.is_loaded() && lane.freshness.stream == Stream::Fed;
        if !fed || wire.link.state != LinkState::Up {
            return false;
        }
        let since = Some(clock.at(wire.link.since.max(care.acked))).max(care.heard).unwrap_or_default();
        let forming = lane.series().forming().map(|f| &f.kline);
        let shown = forming.or(lane.series().newest()).map(Kline::close);
        #[expect(clippy::float_cmp, reason = "both are read from the same digits")]
        let differs = shown.is_some_and(|price| price != event.last);
        let first =
            (differs && event.event_time > since + OUTRUN).then(|| care.outrun.unwrap_or(clock.at(now)));
        let lasts = first.is_some_and(|first| desk.overdue(first, now));
        if let Some(care) = self.care.get_mut(id.index()) {
            care.outrun = first;
        }
        lasts
    }

    /// Stale until the next frame, and subscribed anew once, if others on its socket speak.
    fn on_outrun(&mut self, id: LaneId, now: Mono) {
        let Some(key) = self.store.key(id) else { return };
        let Some(care) = self.care.get_mut(id.index()) else { return };
        let spoke = care.conn.and_then(|c| self.wires.get(&c)).and_then(|w| w.spoke);
        let alone = spoke > care.heard.map(|heard| heard + OUTRUN);
        let hearing = care.hearing;
        let anew = alone && matches!(hearing, Hearing::Fine | Hearing::Left);
        if anew {
            care.hearing = Hearing::Resubscribed;
        }
        if let Some(lane) = self.store.lane_mut(id) {
            lane.freshness.stream = Stream::Outrun;
        }
        if anew {
            if hearing == Hearing::Fine {
                self.happened(id, What::Silent);
            }
            self.happened(id, What::Resubscribed);
            self.mute.push(key.clone());
            let text = format!("{key}: the price moves, its candles don't; subscribed anew");
            self.name_silent(&text, now);
        }
        self.touch(self.store.pair_of(id));
    }

    /// Asks for the silent streams found since the last time to be subscribed anew, all at once:
    /// a socket takes few messages a second.
    pub(super) fn resubscribe(&mut self, out: &mut Vec<Output>) {
        if !self.mute.is_empty() {
            out.push(Output::Feed(FeedCommand::Resubscribe(std::mem::take(&mut self.mute))));
        }
    }

    fn name_silent(&mut self, text: &str, now: Mono) {
        self.name(Hearing::is_told, text, "more streams are silent; the log names them", now);
    }

    /// Names the newest of those that are `alike`, unless there are many by now.
    fn name(&mut self, alike: fn(Hearing) -> bool, text: &str, more: &str, now: Mono) {
        let alike = |l: &LaneId| self.care.get(l.index()).is_some_and(|c| alike(c.hearing));
        match self.store.ids().filter(alike).count() {
            n if n <= NAMED => self.notice(now, Level::Warn, text),
            n if n == NAMED + 1 => self.notice(now, Level::Warn, more),
            _ => {}
        }
    }

    /// The exchange refuses to carry the lane's stream: REST has to do. That it says so again with
    /// each new socket is no news.
    pub(super) fn on_stream_refused(&mut self, key: &SeriesKey, why: &CleanText, now: Mono) {
        let Some(id) = self.store.find(key) else { return };
        let (Some(care), Some(lane)) = (self.care.get_mut(id.index()), self.store.lane_mut(id)) else {
            return;
        };
        if lane.freshness.stage == Stage::Delisted {
            return;
        }
        lane.freshness.stream = Stream::Refused(why.clone());
        if std::mem::replace(&mut care.hearing, Hearing::Refused) != Hearing::Refused {
            self.happened(id, What::Refused);
            let text = format!("{key}: the exchange refuses the stream ({why}); REST tells its closes");
            let more = "more streams are refused; the log names them";
            self.name(|h| h == Hearing::Refused, &text, more, now);
        }
        self.touch(self.store.pair_of(id));
    }

    /// A frame of the lane's own stream.
    pub(super) fn heard(&mut self, id: LaneId, event: &KlineEvent, now: Mono) {
        let Some(care) = self.care.get_mut(id.index()) else { return };
        care.heard = care.heard.max(Some(event.event_time));
        care.lost = None;
        care.outrun = None;
        let was = std::mem::take(&mut care.hearing);
        if was != Hearing::Fine {
            self.happened(id, What::Heard);
        }
        if was == Hearing::GivenUp {
            self.notice(now, Level::Info, &format!("{}: the stream speaks again", event.key));
        }
    }

    /// How late the stream tells a close; `None` where it is in time, or none.
    pub(super) fn lateness(&self, id: LaneId, event: &KlineEvent, now: Mono) -> Option<Duration> {
        let close = Some(&event.kline).filter(|_| event.finality == Finality::Closed)?;
        let (lane, desk) = (self.store.lane(id)?, self.desk_of(id)?);
        let theirs = desk.now(now)?;
        let newest = lane.series().newest()?;
        let by_rest = newest.open_time() == close.open_time() && lane.series().newest_by() == Origin::Rest;
        let overdue = newest.open_time() < close.open_time() && theirs >= self.due(desk, close.close_time());
        (by_rest || overdue).then(|| theirs.since(close.close_time()))
    }

    /// Whether a lane without a socket is lost for the moment only, and can wait.
    pub(super) fn is_lost_for_now(&self, id: LaneId, now: Mono) -> bool {
        let lost = self.care.get(id.index()).and_then(|c| c.lost);
        lost.is_none_or(|since| now.since(since) < PATIENCE)
    }

    /// Whether the lane has no stream that could tell a close.
    pub(super) fn is_deaf(&self, id: LaneId) -> bool {
        let deaf =
            |s: &Stream| matches!(s, Stream::Lost(_) | Stream::Silent | Stream::Outrun | Stream::Refused(_));
        self.store.lane(id).is_some_and(|l| deaf(&l.freshness.stream))
    }

    /// After an answer of REST: whether a lane without a stream is true by REST alone.
    pub(super) fn note_by_rest(&mut self, id: LaneId, now: Mono) {
        let whole = self.is_deaf(id) && self.behind(id, now) == 0;
        if let Some(lane) = self.store.lane_mut(id) {
            lane.freshness.by_rest = whole && lane.freshness.doubt.is_none();
        }
    }
}
