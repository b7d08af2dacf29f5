//! All lanes, by pair and interval.
//!
//! Invariant: a place is taken by one pair at a time, and is given to another only after
//! [`Store::remove`]. Whoever keeps a [`PairId`] or a [`LaneId`] beyond that lets go of it first.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::Preset;
use crate::domain::symbol::{Pair, SeriesKey};

use super::freshness::Freshness;
use super::lane::Lane;
use super::series::{Merge, Upsert};
use super::snapshot::{Discards, Outcomes, Upkeep};

/// A pair's place in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairId(u32);

impl PairId {
    /// As an index, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A lane's place in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(u32);

impl LaneId {
    /// As an index, from 0: pair by pair, the intervals of each in the configured order.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the cache did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Upserts by outcome.
    pub outcomes: Outcomes,
    /// Reads that found a warm series.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Gaps found.
    pub gaps: u64,
    /// Gaps repaired.
    pub repaired: u64,
    /// Frames and rows thrown away.
    pub discards: Discards,
    /// What was done to keep the series true.
    pub upkeep: Upkeep,
}

/// All lanes.
#[derive(Debug)]
pub struct Store {
    preset: Arc<Preset>,
    intervals: Arc<[Interval]>,
    capacity: usize,
    need_score: u32,
    need_full: u32,
    /// By place; `None` = free.
    pub(super) pairs: Vec<Option<Pair>>,
    pub(super) index: HashMap<Pair, PairId>,
    /// As many per place as there are intervals; `None` where the place is free.
    pub(super) lanes: Vec<Option<Lane>>,
    /// Places to be taken again before new ones are made, so that a market that comes and goes
    /// takes no more room than its most pairs at once.
    pub(super) free: Vec<PairId>,
    /// What happened so far.
    pub counters: Counters,
}

impl Store {
    /// No pairs yet. `intervals` is not empty; each ring will hold `capacity` bars.
    pub fn new(preset: Arc<Preset>, intervals: Arc<[Interval]>, capacity: usize) -> Self {
        let (need_score, need_full) = (preset.need_score(), preset.need_full());
        Self {
            preset,
            intervals,
            capacity: capacity.max(1),
            need_score,
            need_full,
            pairs: Vec::new(),
            index: HashMap::new(),
            lanes: Vec::new(),
            free: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Makes room for that many more pairs at once.
    pub fn reserve(&mut self, pairs: usize) {
        self.pairs.reserve_exact(pairs);
        self.index.reserve(pairs);
        self.lanes.reserve_exact(pairs * self.intervals.len());
    }

    /// Adds a pair with a lane per interval; one that is there already is left as it is.
    pub fn add(&mut self, pair: &Pair, freshness: &Freshness) -> PairId {
        if let Some(id) = self.index.get(pair) {
            return *id;
        }
        let id = self.free.pop().unwrap_or_else(|| {
            let id = PairId(u32::try_from(self.pairs.len()).unwrap_or(u32::MAX));
            self.pairs.push(None);
            self.lanes.resize_with(self.lanes.len() + self.intervals.len(), || None);
            id
        });
        self.index.insert(pair.clone(), id);
        let first = id.index() * self.intervals.len();
        for (place, interval) in self.lanes.iter_mut().skip(first).zip(self.intervals.iter()) {
            *place = Some(Lane::new(*interval, &self.preset, self.capacity, freshness.clone()));
        }
        if let Some(place) = self.pairs.get_mut(id.index()) {
            *place = Some(pair.clone());
        }
        id
    }

    /// Takes a pair out with all its candles; its place is free for another. Its places, for
    /// whoever has kept something by them.
    pub fn remove(&mut self, pair: &Pair) -> Option<(PairId, Vec<LaneId>)> {
        let id = self.index.remove(pair)?;
        let lanes: Vec<LaneId> = self.lanes_of(id).collect();
        if let Some(place) = self.pairs.get_mut(id.index()) {
            *place = None;
        }
        for lane in &lanes {
            if let Some(place) = self.lanes.get_mut(lane.index()) {
                *place = None;
            }
        }
        self.free.push(id);
        Some((id, lanes))
    }

    /// Bars each ring holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bars the score needs.
    pub fn need_score(&self) -> u32 {
        self.need_score
    }

    /// Bars that every field of the preset needs.
    pub fn need_full(&self) -> u32 {
        self.need_full
    }

    /// The intervals, primary first.
    pub fn intervals(&self) -> &Arc<[Interval]> {
        &self.intervals
    }

    /// The preset.
    pub fn preset(&self) -> &Arc<Preset> {
        &self.preset
    }

    /// All pairs, by place.
    pub fn pairs(&self) -> impl Iterator<Item = (PairId, &Pair)> {
        self.pairs.iter().zip(0..).filter_map(|(pair, n)| Some((PairId(n), pair.as_ref()?)))
    }

    /// Places of lanes there are, taken or free: what is kept by [`LaneId`] needs so many.
    pub fn places(&self) -> usize {
        self.lanes.len()
    }

    /// A pair's place.
    pub fn find_pair(&self, pair: &Pair) -> Option<PairId> {
        self.index.get(pair).copied()
    }

    /// A series' place.
    pub fn find(&self, key: &SeriesKey) -> Option<LaneId> {
        let slot = self.intervals.iter().position(|i| *i == key.interval)?;
        self.find_pair(&key.pair).and_then(|pair| self.lanes_of(pair).nth(slot))
    }

    /// The lanes of a pair, primary interval first.
    pub fn lanes_of(&self, pair: PairId) -> impl Iterator<Item = LaneId> + use<> {
        let stride = u32::try_from(self.intervals.len()).unwrap_or(u32::MAX);
        (pair.0 * stride..(pair.0 + 1) * stride).map(LaneId)
    }

    /// Whose lane it is.
    pub fn pair_of(&self, lane: LaneId) -> PairId {
        PairId(lane.0 / u32::try_from(self.intervals.len()).unwrap_or(1))
    }

    /// The pair at its place.
    pub fn pair(&self, id: PairId) -> Option<&Pair> {
        self.pairs.get(id.index())?.as_ref()
    }

    /// The series at its place.
    pub fn key(&self, lane: LaneId) -> Option<SeriesKey> {
        let pair = self.pair(self.pair_of(lane))?.clone();
        Some(SeriesKey::new(pair, self.lane(lane)?.interval()))
    }

    /// The places of all lanes there may be; a free one has none.
    pub fn ids(&self) -> impl Iterator<Item = LaneId> + use<> {
        (0..u32::try_from(self.lanes.len()).unwrap_or(u32::MAX)).map(LaneId)
    }

    /// A lane.
    pub fn lane(&self, id: LaneId) -> Option<&Lane> {
        self.lanes.get(id.index())?.as_ref()
    }

    /// A lane, to change it.
    pub fn lane_mut(&mut self, id: LaneId) -> Option<&mut Lane> {
        self.lanes.get_mut(id.index())?.as_mut()
    }

    /// A copy of the closed bars of a lane.
    pub fn bars(&self, id: LaneId) -> Option<Arc<[Kline]>> {
        Some(self.lane(id)?.series().closed().iter().copied().collect())
    }

    /// Counts a read (by a recompute, a scan or an export) that found `held` bars: a hit where
    /// they are enough to work with.
    pub fn count_read(&mut self, held: usize) {
        if held >= self.need_score as usize {
            self.counters.hits += 1;
        } else {
            self.counters.misses += 1;
        }
    }

    /// Counts what became of a candle.
    pub fn count(&mut self, outcome: Upsert) {
        let o = &mut self.counters.outcomes;
        match outcome {
            Upsert::Appended => o.appended += 1,
            Upsert::Amended => o.amended += 1,
            Upsert::Duplicate => o.duplicate += 1,
            Upsert::Older => o.older += 1,
            Upsert::Gap { .. } => o.gap += 1,
        }
    }

    /// Counts what became of an answer of REST. An amendment rewrites the indicator from the
    /// bars at hand, which is a read of them.
    pub fn count_merge(&mut self, merge: &Merge) {
        let o = &mut self.counters.outcomes;
        o.appended += u64::from(merge.appended);
        o.amended += u64::from(merge.amended);
        o.duplicate += u64::from(merge.duplicate);
        o.older += u64::from(merge.older);
        o.gap += u64::from(merge.gap);
    }
}
