//! The truth of recorded candles: what a file says, and what follows from it exactly.

use std::collections::BTreeMap;

use super::calendar;
use super::candle::Candle;
use crate::domain::interval::Interval;
use crate::domain::time::UnixMs;

/// The recorded series of one instrument, ascending, each open time once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    series: BTreeMap<Interval, Vec<Candle>>,
}

impl Recorded {
    pub(crate) fn new(mut series: BTreeMap<Interval, Vec<Candle>>) -> Self {
        series.retain(|_, candles| !candles.is_empty());
        Self { series }
    }

    pub(crate) fn native(&self) -> impl Iterator<Item = (Interval, &[Candle])> {
        self.series.iter().map(|(i, c)| (*i, c.as_slice()))
    }

    fn series(&self, interval: Interval) -> &[Candle] {
        self.series.get(&interval).map_or(&[], Vec::as_slice)
    }

    /// Recorded intervals that `interval` can be put together from, shortest first.
    fn parts(&self, interval: Interval) -> impl DoubleEndedIterator<Item = Interval> + '_ {
        let fits = move |part: &Interval| {
            *part < interval && part.is_epoch_aligned() && (interval.millis() % part.millis() == 0)
        };
        self.series.keys().copied().filter(fits)
    }

    pub(crate) fn has(&self, interval: Interval) -> bool {
        self.series.contains_key(&interval) || self.parts(interval).next().is_some()
    }

    /// The candles of `part` that make the candle `[open, end)`; `None` unless all are there.
    fn slots(&self, part: Interval, open: UnixMs, end: UnixMs) -> Option<&[Candle]> {
        let series = self.series(part);
        let from = series.partition_point(|c| c.open_time < open);
        let to = series.partition_point(|c| c.open_time < end);
        let all = i64::try_from(to - from).ok()? == (end.0 - open.0) / part.millis();
        all.then(|| series.get(from..to)).flatten()
    }

    /// The whole candle that opens at `open`.
    pub(crate) fn candle(&self, interval: Interval, open: UnixMs) -> Option<Candle> {
        if let Some(series) = self.series.get(&interval) {
            let at = series.binary_search_by_key(&open, |c| c.open_time).ok()?;
            return series.get(at).copied();
        }
        if calendar::open_at(interval, open) != open {
            return None;
        }
        let end = calendar::next_open(interval, open);
        let slots = self.parts(interval).rev().find_map(|part| self.slots(part, open, end))?;
        Candle::join(slots.iter().copied(), UnixMs(end.0 - 1))
    }

    /// The finest interval that plays the candle `whole` while it forms.
    pub(crate) fn played_by(&self, interval: Interval, whole: &Candle) -> Option<Interval> {
        let end = UnixMs(whole.close_time.0 + 1);
        self.parts(interval).find(|part| self.slots(*part, whole.open_time, end).is_some())
    }

    fn bounds(&self, interval: Interval) -> Option<(UnixMs, UnixMs)> {
        let of = |c: &[Candle]| Some((c.first()?.open_time, c.last()?.open_time));
        if self.series.contains_key(&interval) {
            return of(self.series(interval));
        }
        let parts = self.parts(interval).filter_map(|p| of(self.series(p)));
        parts.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The last open at or before `t`.
    pub(crate) fn last_open(&self, interval: Interval, t: UnixMs) -> Option<UnixMs> {
        if let Some(series) = self.series.get(&interval) {
            let at = series.partition_point(|c| c.open_time <= t);
            return series.get(at.checked_sub(1)?).map(|c| c.open_time);
        }
        let (first, last) = self.bounds(interval)?;
        let mut open = calendar::open_at(interval, t.min(last));
        while open >= calendar::open_at(interval, first) {
            if self.candle(interval, open).is_some() {
                return Some(open);
            }
            open = calendar::open_at(interval, UnixMs(open.0 - 1));
        }
        None
    }

    /// The first open after `t`.
    pub(crate) fn next_open(&self, interval: Interval, t: UnixMs) -> Option<UnixMs> {
        if let Some(series) = self.series.get(&interval) {
            return series.get(series.partition_point(|c| c.open_time <= t)).map(|c| c.open_time);
        }
        let (first, last) = self.bounds(interval)?;
        let mut open = calendar::open_at(interval, t.max(UnixMs(first.0 - 1)));
        while open <= last {
            if open > t && self.candle(interval, open).is_some() {
                return Some(open);
            }
            open = calendar::next_open(interval, open);
        }
        None
    }

    /// When the first candle of any interval opens, and the last one closes.
    pub(crate) fn span(&self) -> Option<(UnixMs, UnixMs)> {
        let ends = self.series.values().filter_map(|c| Some((c.first()?.open_time, c.last()?.close_time)));
        ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}
