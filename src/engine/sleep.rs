//! The machine slept: time passed that our clock did not count, so that by our reckoning all is as
//! it was. Until the exchange's time is known again and a socket has brought a frame of after,
//! nothing it carries is called true now.

use std::time::Duration;

use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::ConnId;
use crate::market::freshness::Stream;
use crate::market::snapshot::{Level, LinkState};
use crate::market::store::PairId;

use super::Output;
use super::core::Engine;
use super::desk::Desk;

/// When a market's clock came into doubt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Woke {
    /// An answer to a question of before says nothing of now.
    pub(super) at: Mono,
    /// Questions for the time that had failed in a row by then.
    failures: u32,
}

impl Desk {
    /// Doubts the clock as of now. What frames of before the sleep can be stamped with at most;
    /// `None` where no time passes, so that none was missed.
    fn doze(&mut self, now: Mono) -> Option<UnixMs> {
        self.want_time(now);
        if self.is_standing() {
            return None;
        }
        self.woke = Some(Woke { at: now, failures: self.time_failures });
        Some(self.now(now).map_or(UnixMs(i64::MIN), |theirs| theirs + self.margin()))
    }

    /// Whether the exchange's time is not known since a sleep: neither did it tell, nor has asking
    /// failed, after which stamps have to do.
    fn is_drowsy(&self) -> bool {
        self.woke.is_some_and(|woke| self.time_failures <= woke.failures)
    }
}

impl Engine {
    /// The wall clock ran ahead of ours. Whether the machine slept or somebody set it, the exchange
    /// tells.
    pub(super) fn on_slept(&mut self, by: Duration, now: Mono) {
        for market in self.cfg.markets.clone().iter() {
            let Some(before) = self.desk(*market).and_then(|desk| desk.doze(now)) else { continue };
            for (_, wire) in self.wires.iter_mut().filter(|(conn, _)| conn.market == *market) {
                if wire.link.state == LinkState::Up {
                    wire.turn(LinkState::Subscribing, now);
                    wire.asleep = Some(before);
                }
            }
            self.doubt_all(*market);
        }
        let text = format!("the wall clock jumped by {} s; the exchange's is compared anew", by.as_secs());
        self.notice(now, Level::Info, &text);
    }

    /// The wall clock fell behind ours: somebody set it, and the exchange's is compared at the least.
    pub(super) fn on_set_back(&mut self, by: Duration, now: Mono) {
        for desk in &mut self.desks {
            desk.want_time(now);
        }
        let text = format!("the wall clock was set back by {} s; the exchange's is compared", by.as_secs());
        self.notice(now, Level::Info, &text);
    }

    fn doubt_all(&mut self, market: Market) {
        let pairs: Vec<PairId> = self.members(market).map(|(id, _)| id).collect();
        for pair in pairs {
            for id in self.store.lanes_of(pair) {
                let Some(lane) = self.store.lane_mut(id) else { continue };
                lane.freshness.by_rest = false;
                if matches!(lane.freshness.stream, Stream::Fed | Stream::Waiting) {
                    lane.freshness.stream = Stream::Slept;
                }
            }
            self.touch(pair);
        }
    }

    /// The exchange told the time. Where our reckoning `held`, nothing was slept through, and the
    /// sockets are what they were; else those are awake that have brought a frame of after.
    pub(super) fn rouse(&mut self, market: Market, held: bool, now: Mono, out: &mut Vec<Output>) {
        let ours = self.wires.iter().filter(|(conn, _)| conn.market == market);
        let awake: Vec<ConnId> = ours
            .filter(|(_, wire)| wire.asleep.is_some_and(|before| held || wire.spoke > Some(before)))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in awake {
            self.prove(conn, now, out);
        }
    }

    /// Whether a frame with that stamp shows that its socket lives: after a sleep only one that was
    /// sent since, and only by a clock that is not seen to be behind.
    pub(super) fn is_proof(&self, conn: ConnId, stamp: UnixMs, now: Mono) -> bool {
        let Some(desk) = self.desk_of_market(conn.market) else { return true };
        if desk.is_drowsy() || (desk.woke.is_some() && desk.is_behind(stamp, now)) {
            return false;
        }
        let asleep = self.wires.get(&conn).and_then(|w| w.asleep);
        asleep.is_none_or(|before| stamp > before)
    }
}
