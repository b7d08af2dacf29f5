//! The warm-up: what is loaded in which order, and how far it is.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::symbol::SeriesKey;
use crate::domain::time::Mono;
use crate::exchange::{FeedCommand, Priority};
use crate::market::freshness::{Refusal, Stage};
use crate::market::snapshot::Warmup;
use crate::market::store::{LaneId, PairId};

use super::Output;
use super::core::Engine;
use super::repair::Purpose;

/// Completions the rate is taken of.
const KEPT: usize = 64;

/// When series were loaded.
#[derive(Debug, Default)]
pub(super) struct Loads {
    recent: VecDeque<Mono>,
}

impl Loads {
    pub(super) fn loaded(&mut self, now: Mono) {
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
    }

    /// Series a second, over the last completions.
    #[expect(clippy::cast_precision_loss, reason = "at most 64")]
    fn rate(&self) -> Option<f64> {
        let span = self.recent.back()?.since(*self.recent.front()?).as_secs_f64();
        (self.recent.len() >= 4 && span > 0.0).then(|| (self.recent.len() - 1) as f64 / span)
    }
}

impl Engine {
    /// Bars asked for at the start. 499 cost less than half of what 500 cost, and the ring's last
    /// place is soon filled by the stream.
    pub(super) fn load_bars(&self) -> u32 {
        match self.store.capacity() {
            500 => 499,
            n => u32::try_from(n).unwrap_or(u32::MAX),
        }
    }

    /// Streams first, so that nothing is missed between the answer and the first frame; then the
    /// rows: the primary interval of all pairs before the others, so that scores appear at once.
    pub(super) fn load(&mut self, pairs: &[PairId], now: Mono, out: &mut Vec<Output>) {
        let lanes: Vec<Vec<LaneId>> = pairs.iter().map(|p| self.store.lanes_of(*p).collect()).collect();
        if !self.cfg.rest_only && !pairs.is_empty() {
            let keys: Vec<SeriesKey> =
                lanes.iter().flatten().filter_map(|lane| self.store.key(*lane)).collect();
            out.push(Output::Feed(FeedCommand::Watch(keys)));
        }
        for slot in 0..self.cfg.intervals.len() {
            for lane in lanes.iter().filter_map(|l| l.get(slot)) {
                self.send(*lane, Purpose::Warmup, Priority::Warmup, now, out);
            }
        }
    }

    pub(super) fn warmup(&self) -> Warmup {
        let mut sum = Warmup::default();
        for lane in self.store.ids().filter_map(|id| self.store.lane(id)) {
            let given_up = matches!(lane.freshness.refused, Some(Refusal::GivenUp(_)));
            match lane.freshness.stage {
                Stage::Delisted => continue,
                Stage::Loaded => sum.done += 1,
                Stage::Loading => sum.failed += u32::from(given_up),
            }
            sum.total += 1;
        }
        let left = f64::from(sum.total - sum.done - sum.failed);
        if left > 0.0 {
            sum.rate = self.loads.rate();
            sum.eta = sum.rate.and_then(|r| Duration::try_from_secs_f64(left / r).ok());
        }
        sum
    }
}
