//! What the cache holds, to the byte.

use super::freshness::Stage;
use super::lane::Lane;
use super::series::after;
use super::snapshot::{CacheStats, DataState};
use super::store::{PairId, Store};
use crate::domain::kline::Kline;
use crate::domain::symbol::Pair;
use crate::domain::time::UnixMs;

impl Store {
    /// The statistics.
    pub fn stats(&self) -> CacheStats {
        let c = &self.counters;
        let mut stats = CacheStats {
            symbols: count(self.index.len()),
            series: count(self.lanes.iter().flatten().count()),
            capacity: count(self.capacity()),
            updates: c.outcomes.appended + c.outcomes.amended,
            outcomes: c.outcomes,
            hits: c.hits,
            misses: c.misses,
            gaps: c.gaps,
            repaired: c.repaired,
            discarded: c.discards.total(),
            discards: c.discards,
            upkeep: c.upkeep,
            bytes: self.bytes() as u64,
            ..CacheStats::default()
        };
        let mut newest: Option<UnixMs> = None;
        for lane in self.lanes.iter().flatten().filter(|l| l.freshness.stage != Stage::Delisted) {
            let bars = lane.series().closed();
            stats.klines += bars.len() as u64;
            stats.warm += u32::from(bars.len() >= self.need_score() as usize);
            stats.stale += u32::from(lane.freshness.state(bars.len(), self.need_score()) == DataState::Stale);
            if let Some(first) = bars.front().map(Kline::open_time) {
                stats.oldest = Some(stats.oldest.map_or(first, |o| o.min(first)));
            }
            newest = newest.max(bars.back().map(after));
        }
        stats.newest = newest.map(|n| UnixMs(n.0 - 1));
        stats
    }

    /// Bytes of the cache: the rings at their full capacity, the indicator's state, the lanes
    /// themselves, and the index with the names in it. Without the allocator's own rounding.
    pub fn bytes(&self) -> usize {
        let lanes: usize = self.lanes.iter().flatten().map(Lane::heap_bytes).sum();
        // A name is shared by all that hold the pair: two counters and the text.
        let names: usize = self.index.keys().map(|p| p.symbol.as_str().len() + 2 * size_of::<usize>()).sum();
        lanes
            + self.lanes.capacity() * size_of::<Option<Lane>>()
            + self.pairs.capacity() * size_of::<Option<Pair>>()
            + self.free.capacity() * size_of::<PairId>()
            + names
            + table_bytes(self.index.capacity(), size_of::<(Pair, PairId)>())
    }
}

/// Bytes of a hash table with room for `capacity` entries: a power of two of buckets, an eighth of
/// them always free, a control byte each, and one group of control bytes more.
fn table_bytes(capacity: usize, entry: usize) -> usize {
    if capacity == 0 {
        return 0;
    }
    let buckets = (capacity * 8 / 7).next_power_of_two();
    buckets * (entry + 1) + 16
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
