//! Whose turn it is when many series need REST at once: what is looked at goes first, and the rest
//! one after the other, so that the budget is not spent in one burst and the rows in view wait for
//! nobody.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::symbol::Pair;
use crate::domain::time::Mono;
use crate::exchange::Priority;
use crate::market::store::{LaneId, PairId};

use super::Output;
use super::core::Engine;
use super::happenings::What;
use super::repair::{Errand, Purpose};

/// Requests that may go at once.
const BURST: u32 = 60;
/// The pause between two beyond that: 400 series take fourteen seconds and 1500 of the 2400 that
/// USD-M allows a minute.
const PAUSE: Duration = Duration::from_millis(40);

/// The requests of one market, paced.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turns {
    /// When all that had their turn would have had it at the steady pace.
    paid: Mono,
}

impl Turns {
    /// Takes a turn: when it is. An exchange that runs n times as fast is asked n times as fast.
    pub(super) fn take(&mut self, now: Mono, rate: f64) -> Mono {
        let pause = PAUSE.div_f64(rate.max(1.0));
        let start = self.paid.max(now);
        self.paid = start + pause;
        let ahead = start.since(now);
        now + ahead.saturating_sub(pause * BURST)
    }
}

impl Engine {
    /// Notes which rows are looked at.
    pub(super) fn on_visible(&mut self, pairs: &[Pair]) {
        self.visible = pairs.iter().filter_map(|p| self.store.find_pair(p)).collect();
    }

    fn is_visible(&self, pair: PairId) -> bool {
        self.focus == Some(pair) || self.visible.contains(&pair)
    }

    /// The lanes of the rows in view.
    pub(super) fn in_view(&self) -> Vec<LaneId> {
        self.focus.iter().chain(&self.visible).flat_map(|pair| self.store.lanes_of(*pair)).collect()
    }

    /// Lanes in the order in which they are cared for: those in view, then the primary interval of
    /// all pairs by their rank, then the others.
    pub(super) fn by_rank(&self, lanes: impl Iterator<Item = LaneId>) -> Vec<LaneId> {
        let slots = self.cfg.intervals.len().max(1);
        let mut all: Vec<LaneId> = lanes.collect();
        all.sort_by_cached_key(|id| {
            let pair = self.store.pair_of(*id);
            (!self.is_visible(pair), id.index() % slots, pair)
        });
        all
    }

    /// Asks REST about a lane when it is its turn: now, or later where many others are before it.
    pub(super) fn send_in_turn(&mut self, id: LaneId, purpose: Purpose, now: Mono, out: &mut Vec<Output>) {
        let pair = self.store.pair_of(id);
        let visible = self.is_visible(pair);
        let market = self.store.pair(pair).map(|p| p.market);
        let Some(desk) = market.and_then(|m| self.desk(m)) else { return };
        let rate = desk.clock().map_or(1.0, crate::domain::clock::Clock::rate);
        let turn = desk.turns.take(now, rate);
        if visible || turn <= now {
            return self.send(id, purpose, Priority::Gap, now, out);
        }
        if let Some(care) = self.care.get_mut(id.index()) {
            care.errand = Errand::Turn(turn, purpose);
        }
        self.happened(id, What::Spread(turn.since(now)));
    }

    /// The turn of a lane has come: it is asked about, if it still needs to be.
    pub(super) fn on_turn(&mut self, id: LaneId, purpose: Purpose, now: Mono, out: &mut Vec<Output>) {
        let Some(lane) = self.store.lane(id) else { return };
        let needed = self.behind(id, now) > 0 || lane.freshness.doubt.is_some();
        if let Some(care) = self.care.get_mut(id.index()) {
            care.errand = Errand::None;
        }
        if needed {
            self.send(id, purpose, Priority::Gap, now, out);
        } else {
            self.resume_answered(id);
        }
    }
}

/// The rows that are looked at.
pub(super) type Visible = HashSet<PairId>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_go_at_once_and_four_hundred_within_fifteen_seconds() {
        let now = Mono::from_millis(7);
        let mut turns = Turns::default();
        let waits: Vec<Duration> = (0..400).map(|_| turns.take(now, 1.0).since(now)).collect();
        assert_eq!(waits.iter().filter(|w| w.is_zero()).count(), 61);
        assert_eq!(waits.last().unwrap(), &(PAUSE * 339));
        assert!(waits.is_sorted());
        let later = now + Duration::from_secs(60);
        assert_eq!(turns.take(later, 1.0), later, "an event long past costs nothing");
    }
}
