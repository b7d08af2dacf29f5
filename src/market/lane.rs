//! A lane: one series, what the indicator says of it, and what may be thought of that.

use std::sync::Arc;

use crate::domain::hama::HamaPoint;
use crate::domain::indicator::Hama;
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::Preset;
use crate::domain::time::UnixMs;

use super::freshness::{Doubt, Freshness, Stage};
use super::series::{Merge, Origin, RestRows, Series, Upsert, after, smaller};
use super::snapshot::{Extremes, Preview};

/// Closed bars kept that came before what is missing in front of them. Enough for the time a
/// repair takes; what does not fit is in the repair's answer anyway.
const MAX_KEPT: usize = 8;

/// A closed bar and what the indicator says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closed {
    /// The bar.
    pub kline: Kline,
    /// The indicator.
    pub point: HamaPoint,
    /// The interval's score on the bar before.
    pub score_before: Option<f64>,
}

/// How the newest end of a lane hangs together with what the stream shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing is missing.
    Whole,
    /// The next candle is forming and nobody said that the one before it closed.
    Unclosed {
        /// That one's close time.
        close: UnixMs,
    },
    /// Candles are missing.
    Gap {
        /// First millisecond that no candle covers.
        from: UnixMs,
        /// Last one.
        to: UnixMs,
    },
}

/// An answer of REST for a lane.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// All rows, ascending.
    pub rows: &'a [Kline],
    /// How many of them, from the first, are proved closed by the exchange's clock.
    pub proved: usize,
    /// Rows beside them that could not be read.
    pub unread: u32,
    /// The oldest open time asked for; `None` = the newest rows were asked for.
    pub from: Option<UnixMs>,
    /// The exchange's time of the request: how new the last row is.
    pub asked: UnixMs,
    /// What to do where REST knows less of a candle than the stream has shown.
    pub lag: Lag,
}

/// What to do where REST knows less of a candle than the stream has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// Leave the candle open; REST is asked again.
    Wait,
    /// Take REST's word: it had time enough, and nobody else says that the candle closed.
    TakeRest,
}

/// One series and all that is derived from it.
#[derive(Clone, Debug)]
pub struct Lane {
    interval: Interval,
    series: Series,
    preset: Arc<Preset>,
    head: Head,
    /// The highest and the lowest of the bars at hand.
    reach: Option<Reach>,
    extremes: Option<Extremes>,
    /// Closed by the stream, with something missing before them; ascending.
    kept: Vec<Kline>,
    /// The newest state of a candle whose successor is forming already.
    unclosed: Option<Kline>,
    /// The facts that make the state.
    pub freshness: Freshness,
    /// When the exchange last sent anything of this series.
    pub seen: Option<UnixMs>,
    revision: u64,
}

/// The indicator, and what it says of the two newest closed bars.
#[derive(Clone, Debug)]
struct Head {
    hama: Hama,
    point: HamaPoint,
    previous: HamaPoint,
}

impl Head {
    fn new(preset: &Preset, interval: Interval) -> Self {
        Self { hama: Hama::new(preset, interval), point: HamaPoint::UNKNOWN, previous: HamaPoint::UNKNOWN }
    }

    fn push(&mut self, kline: &Kline) -> Closed {
        self.previous = std::mem::replace(&mut self.point, self.hama.push(kline));
        Closed { kline: *kline, point: self.point, score_before: self.previous.score }
    }
}

/// The highest high and the lowest low of some bars, and when those bars opened: of equal ones the
/// newest, which stays longest.
#[derive(Clone, Copy, Debug)]
struct Reach {
    high: (f64, UnixMs),
    low: (f64, UnixMs),
}

impl Reach {
    /// With one bar more, which is newer.
    fn with(before: Option<Self>, kline: &Kline) -> Self {
        let here = Self { high: (kline.high(), kline.open_time()), low: (kline.low(), kline.open_time()) };
        before.map_or(here, |b| Self {
            high: if b.high.0 > here.high.0 { b.high } else { here.high },
            low: if b.low.0 < here.low.0 { b.low } else { here.low },
        })
    }

    /// Of bars in order; `None` of none.
    fn of<'a>(bars: impl Iterator<Item = &'a Kline>) -> Option<Self> {
        bars.fold(None, |before, kline| Some(Self::with(before, kline)))
    }
}

impl Lane {
    /// An empty lane whose ring holds `capacity` bars.
    pub fn new(interval: Interval, preset: &Arc<Preset>, capacity: usize, freshness: Freshness) -> Self {
        // Nothing ever comes of a pair that is not traded.
        let capacity = if freshness.stage == Stage::Delisted { 1 } else { capacity };
        Self {
            interval,
            series: Series::new(capacity),
            preset: Arc::clone(preset),
            head: Head::new(preset, interval),
            reach: None,
            extremes: None,
            kept: Vec::new(),
            unclosed: None,
            freshness,
            seen: None,
            revision: 0,
        }
    }

    /// Which interval.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// The candles.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// The indicator on the newest closed bar.
    pub fn point(&self) -> &HamaPoint {
        &self.head.point
    }

    /// The indicator on the closed bar before that one.
    pub fn previous(&self) -> &HamaPoint {
        &self.head.previous
    }

    /// Whether the newest closed bar goes beyond all others at hand; `None` while it is the only one.
    pub fn extremes(&self) -> Option<Extremes> {
        self.extremes
    }

    /// Counts up whenever the closed bars change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the REST rows are in.
    pub fn is_loaded(&self) -> bool {
        self.freshness.stage == Stage::Loaded
    }

    /// The forming bar and the indicator if it closed now, on a copy. Nothing while something is
    /// missing before it.
    pub fn preview(&self) -> Option<Preview> {
        let bar = self.series.forming()?.kline;
        let whole = self.is_loaded() && self.series.follows(bar.open_time());
        whole.then(|| Preview { bar, point: self.head.hama.peek(&bar) })
    }

    /// A candle the stream calls closed. `None` where it is kept for later, since the REST rows
    /// are not in yet. Bars that enter the ring come out in `out`, and one that is corrected.
    pub fn stream_closed(&mut self, kline: Kline, out: &mut Vec<Closed>) -> Option<Upsert> {
        if !self.is_loaded() {
            self.keep(kline);
            return None;
        }
        let outcome = self.series.close(kline, Origin::Stream);
        match outcome {
            Upsert::Gap { .. } => self.keep(kline),
            Upsert::Appended => {
                self.push(out);
                self.release(out);
            }
            Upsert::Amended => self.recompute(kline.open_time(), out),
            Upsert::Duplicate | Upsert::Older => {}
        }
        self.settle();
        Some(outcome)
    }

    /// A state of a candle that is still forming.
    pub fn stream_forming(&mut self, kline: Kline, event_time: UnixMs) -> Upsert {
        if self.kept.last().is_some_and(|k| k.open_time() >= kline.open_time()) {
            return Upsert::Older;
        }
        let before = self.series.forming().map(|f| f.kline);
        let outcome = self.series.form(kline, event_time);
        if let Some(old) = before.filter(|old| {
            outcome != Upsert::Older && after(old) == kline.open_time() && self.kept.last() != Some(old)
        }) {
            self.unclosed = Some(old);
        }
        self.settle();
        outcome
    }

    /// An answer of REST. Bars that enter the ring come out in `out`, and where one that was there
    /// is corrected, that one and all after it.
    pub fn rest(&mut self, answer: &Answer<'_>, out: &mut Vec<Closed>) -> Merge {
        let (closed, open, waits) = self.sort_out(answer);
        let known = self.series.newest().map_or(UnixMs(-1), Kline::open_time);
        let rows = RestRows {
            closed: &closed,
            next_open: open.first().map(Kline::open_time),
            unread: answer.unread,
            from: answer.from,
        };
        let before = self.series.newest().map(Kline::open_time);
        let mut done = self.series.merge(&rows);
        done.lagging += u32::from(waits);
        self.freshness.stage = Stage::Loaded;
        // More rows than the ring holds: the indicator would miss those that fell out again.
        if done.rewrites() || done.appended as usize >= self.series.capacity() {
            let new = UnixMs(known.0 + 1);
            self.recompute(done.first_amended.map_or(new, |open| open.min(new)), out);
        } else if done.appended > 0 {
            self.push_from(before, out);
        }
        self.release(out);
        if !done.gap {
            for row in open {
                self.rest_open(*row, answer.asked);
            }
        }
        self.settle();
        if done.gap {
            self.doubt_close();
        }
        done
    }

    /// How the newest end hangs together.
    pub fn tail(&self) -> Tail {
        let Some(newest) = self.series.newest() else { return Tail::Whole };
        let next = self.kept.first().or(self.series.forming().map(|f| &f.kline));
        let Some(next) = next.filter(|k| !self.series.follows(k.open_time())) else { return Tail::Whole };
        match &self.unclosed {
            Some(u) if self.series.follows(u.open_time()) && after(u) == next.open_time() => {
                Tail::Unclosed { close: u.close_time() }
            }
            _ => Tail::Gap { from: after(newest), to: UnixMs(next.open_time().0 - 1) },
        }
    }

    /// The candle that is to close next, as far as anybody showed it.
    pub fn pending(&self) -> Option<&Kline> {
        let shown = self.unclosed.as_ref().or(self.series.forming().map(|f| &f.kline));
        shown.filter(|k| self.series.follows(k.open_time()))
    }

    /// When the candle after the newest closed one closes: as the stream or REST said, else by
    /// the calendar.
    pub fn next_close(&self) -> Option<UnixMs> {
        if let Some(k) = self.pending() {
            return Some(k.close_time());
        }
        self.series.newest().map(|n| self.interval.close_of(after(n)))
    }

    /// Candles that must have closed after the newest one by `now`.
    pub fn behind(&self, now: UnixMs) -> u32 {
        let Some(newest) = self.series.newest() else { return 0 };
        self.interval.closed_between(after(newest), now)
    }

    /// The next close can't be confirmed for now: in doubt, unless something worse is.
    pub fn doubt_close(&mut self) {
        if self.is_loaded() && self.freshness.doubt.is_none() {
            self.freshness.doubt = self.next_close().map(|close| Doubt::Unconfirmed { close });
        }
    }

    /// Drops what was taken for newer than `horizon`, but for closed bars in the ring. Whether there
    /// was anything.
    pub fn drop_after(&mut self, horizon: UnixMs) -> bool {
        let held = self.kept.len();
        self.kept.retain(|k| k.open_time() <= horizon);
        let mut dropped = self.kept.len() < held;
        dropped |= self.unclosed.take_if(|u| u.open_time() > horizon).is_some();
        dropped |= self.series.drop_forming_after(horizon);
        dropped |= self.seen.take_if(|at| *at > horizon).is_some();
        if dropped {
            self.settle();
        }
        dropped
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.series.heap_bytes() + self.head.hama.heap_bytes() + self.kept.capacity() * size_of::<Kline>()
    }

    /// Splits an answer into closed rows and those that are not, by the clock's proof and by what
    /// the stream has shown of the same candles. True where one has to wait since REST lags.
    fn sort_out<'a>(&self, answer: &Answer<'a>) -> (Vec<Kline>, &'a [Kline], bool) {
        let mut proved = answer.proved.min(answer.rows.len());
        let mut waits = false;
        let mut closed = answer.rows.get(..proved).unwrap_or_default().to_vec();
        for (i, row) in closed.iter_mut().enumerate() {
            if let Some(kept) = self.kept.iter().find(|k| k.open_time() == row.open_time()) {
                if !smaller(kept, row) {
                    *row = *kept;
                }
                continue;
            }
            let mut shown = self.unclosed.iter().chain(self.series.forming().map(|f| &f.kline));
            if answer.lag == Lag::Wait && shown.any(|s| s.open_time() == row.open_time() && smaller(row, s)) {
                proved = i;
                waits = true;
                break;
            }
        }
        closed.truncate(proved);
        (closed, answer.rows.get(proved..).unwrap_or_default(), waits)
    }

    /// A row of REST that is not proved closed: the forming candle, or the one before it.
    fn rest_open(&mut self, row: Kline, asked: UnixMs) {
        let open = row.open_time();
        let same = |k: &Kline| k.open_time() == open;
        let shown = self.unclosed.filter(same).or(self.series.forming().map(|f| f.kline).filter(same));
        if shown.is_some_and(|s| !smaller(&s, &row)) {
            return;
        }
        let beyond = self.series.newest().is_none_or(|n| open > n.close_time());
        if beyond && self.series.forming().is_some_and(|f| f.kline.open_time() == after(&row)) {
            self.unclosed = Some(row);
        } else {
            self.stream_forming(row, asked);
        }
    }

    /// Keeps a closed bar for the time when what is missing before it has come.
    fn keep(&mut self, kline: Kline) {
        match self.kept.binary_search_by_key(&kline.open_time(), Kline::open_time) {
            Ok(at) => {
                if let Some(k) = self.kept.get_mut(at).filter(|k| smaller(k, &kline)) {
                    *k = kline;
                }
            }
            Err(at) => {
                if self.kept.len() == MAX_KEPT {
                    if at == 0 {
                        return;
                    }
                    self.kept.remove(0);
                    self.kept.insert(at - 1, kline);
                } else {
                    self.kept.insert(at, kline);
                }
            }
        }
    }

    /// Lets kept bars into the ring, as far as nothing is missing before them.
    fn release(&mut self, out: &mut Vec<Closed>) {
        let kept = std::mem::take(&mut self.kept);
        for kline in kept {
            match self.series.close(kline, Origin::Stream) {
                Upsert::Appended => self.push(out),
                Upsert::Amended => self.recompute(kline.open_time(), out),
                Upsert::Gap { .. } => self.kept.push(kline),
                Upsert::Duplicate | Upsert::Older => {}
            }
        }
    }

    fn push(&mut self, out: &mut Vec<Closed>) {
        if let Some(kline) = self.series.newest().copied() {
            out.push(self.head.push(&kline));
            self.look_back();
            self.revision += 1;
        }
    }

    /// Compares the newest bar with all others: once when it comes, not whenever it is shown. The
    /// whole ring is read only where the highest or the lowest bar has left it: at a close of
    /// hundreds of series that would be all of memory.
    fn look_back(&mut self) {
        let ring = self.series.closed();
        let (Some(newest), Some(oldest)) = (ring.back(), ring.front()) else { return };
        let known = self.reach.filter(|r| r.high.1.min(r.low.1) >= oldest.open_time());
        let before = known.or_else(|| Reach::of(ring.range(..ring.len() - 1)));
        self.extremes =
            before.map(|r| Extremes { high: newest.high() > r.high.0, low: newest.low() < r.low.0 });
        self.reach = Some(Reach::with(before, newest));
    }

    /// Feeds the bars after `before` to the indicator.
    fn push_from(&mut self, before: Option<UnixMs>, out: &mut Vec<Closed>) {
        let ring = self.series.closed();
        let start = before.map_or(0, |b| ring.partition_point(|k| k.open_time() <= b));
        for kline in ring.range(start..) {
            out.push(self.head.push(kline));
        }
        self.reach = None;
        self.look_back();
        self.revision += 1;
    }

    /// Computes everything anew from the bars at hand; those that open at `from` or later come out.
    fn recompute(&mut self, from: UnixMs, out: &mut Vec<Closed>) {
        self.head = Head::new(&self.preset, self.interval);
        for kline in self.series.closed() {
            let closed = self.head.push(kline);
            if kline.open_time() >= from {
                out.push(closed);
            }
        }
        self.reach = None;
        self.look_back();
        self.revision += 1;
    }

    /// Drops what the newest bar has made obsolete, and notes what is in doubt.
    fn settle(&mut self) {
        if !self.is_loaded() {
            return;
        }
        let newest = self.series.newest().map(Kline::close_time);
        self.unclosed = self.unclosed.filter(|u| newest.is_none_or(|n| u.open_time() > n));
        self.freshness.doubt = match self.tail() {
            Tail::Gap { from, to } => {
                let missing = self.interval.closed_between(from, UnixMs(to.0 + 1)).max(1);
                Some(Doubt::Gap { missing })
            }
            Tail::Unclosed { close } => Some(Doubt::Unconfirmed { close }),
            Tail::Whole => self
                .freshness
                .doubt
                .filter(|d| matches!(d, Doubt::Unconfirmed { close } if newest.is_none_or(|n| *close > n))),
        };
    }
}

#[cfg(test)]
mod tests;
