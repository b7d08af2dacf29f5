//! The warm-up: what is loaded in which order, and how far it is.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::domain::symbol::{SeriesKey, Symbol};
use crate::domain::time::Mono;
use crate::exchange::{FeedCommand, Priority};
use crate::market::freshness::{Refusal, Stage};
use crate::market::snapshot::{Level, UnknownName, Warmup};
use crate::market::store::{LaneId, PairId};

use super::Output;
use super::core::Engine;
use super::desk::Call;
use super::repair::Purpose;

/// Completions the rate is taken of.
const KEPT: usize = 64;

/// When series were loaded.
#[derive(Debug, Default)]
pub(super) struct Loads {
    recent: VecDeque<Mono>,
    /// Names that some market lacks, with what looks like them and how many markets said so.
    absent: HashMap<Symbol, (u32, Vec<Symbol>)>,
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

    /// Notes which named pairs a market lacks. Only when all have answered is a name unknown.
    pub(super) fn note_absent(&mut self, absent: Vec<(Symbol, Vec<Symbol>)>, now: Mono) {
        for (name, near) in absent {
            let entry = self.loads.absent.entry(name).or_default();
            entry.0 += 1;
            entry.1.extend(near);
        }
        self.sum_up_universe();
        if self.report.pending > 0 {
            return;
        }
        let markets = u32::try_from(self.desks.len()).unwrap_or(u32::MAX);
        let named = self.cfg.universe.named.clone();
        for name in named {
            let Some((n, mut near)) = self.loads.absent.remove(&name) else { continue };
            if n < markets {
                continue;
            }
            let mut seen = HashSet::new();
            near.retain(|name| seen.insert(name.clone()));
            near.truncate(3);
            let hint: Vec<&str> = near.iter().map(Symbol::as_str).collect();
            let hint = if hint.is_empty() { String::new() } else { format!("; near: {}", hint.join(", ")) };
            self.notice(now, Level::Error, &format!("no market has a pair {name}{hint}"));
            self.report.unknown.push(UnknownName { name, near });
        }
    }

    pub(super) fn sum_up_universe(&mut self) {
        let pending = self.desks.iter().filter(|d| d.universe != Call::Done).count();
        self.report.pending = u32::try_from(pending).unwrap_or(u32::MAX);
        self.report.failed =
            self.desks.iter().filter_map(|d| Some((d.market, d.universe_error.clone()?))).collect();
        self.dirty = true;
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
