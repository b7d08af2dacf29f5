//! The one ground truth that REST, streams, tickers and `/sim/truth` are views of.

use std::collections::HashMap;

use super::calendar;
use super::candle::Candle;
use super::listing::{Listing, Status};
use super::recorded::Recorded;
use super::synthetic::Synthetic;
use crate::domain::interval::Interval;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

/// Which instrument, within one [`Truth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListingId(usize);

/// Which series of candles, within one [`Truth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Series {
    /// Whose.
    pub listing: ListingId,
    /// How long each candle is.
    pub interval: Interval,
}

/// Which candles of a series, as the exchange's `startTime`, `endTime` and `limit` say it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// Oldest open time.
    pub from: Option<UnixMs>,
    /// Newest open time.
    pub to: Option<UnixMs>,
    /// How many at most: the oldest from `from` on where that is given, else the newest.
    pub limit: usize,
}

/// 24 h figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The candle of the last 24 h, the running one included.
    pub whole: Candle,
}

/// All candles of all instruments, past and (for who asks) future.
#[derive(Debug)]
pub struct Truth {
    listings: Vec<Listing>,
    by_symbol: HashMap<(Market, String), ListingId>,
    by_stream: HashMap<(Market, String), ListingId>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// One a listing.
    Recorded(Vec<Recorded>),
    Synthetic(Synthetic),
}

const DAY_MS: i64 = 86_400_000;

impl Truth {
    /// Truth from recorded candles.
    pub(crate) fn recorded(of: Vec<(Listing, Recorded)>) -> Self {
        let (listings, series) = of.into_iter().unzip();
        Self::new(listings, Source::Recorded(series))
    }

    /// Truth that is computed.
    pub(crate) fn synthetic(source: Synthetic) -> Self {
        Self::new(source.listings(), Source::Synthetic(source))
    }

    fn new(listings: Vec<Listing>, source: Source) -> Self {
        let ids = || listings.iter().enumerate().map(|(n, l)| (l, ListingId(n)));
        let by_symbol = ids().map(|(l, id)| ((l.market, l.symbol.as_str().to_owned()), id)).collect();
        let by_stream = ids().map(|(l, id)| ((l.market, l.symbol.to_stream_name()), id)).collect();
        Self { listings, by_symbol, by_stream, source }
    }

    /// The instrument of that name.
    pub fn find(&self, market: Market, symbol: &str) -> Option<ListingId> {
        self.by_symbol.get(&(market, symbol.to_owned())).copied()
    }

    /// The instrument whose streams have that name.
    pub(crate) fn find_stream(&self, market: Market, name: &str) -> Option<ListingId> {
        self.by_stream.get(&(market, name.to_owned())).copied()
    }

    /// All instruments of a market.
    pub fn listings(&self, market: Market) -> impl Iterator<Item = (ListingId, &Listing)> {
        let all = self.listings.iter().enumerate().map(|(n, l)| (ListingId(n), l));
        all.filter(move |(_, l)| l.market == market)
    }

    /// What an instrument is. `None` only for an id of another truth.
    pub fn listing(&self, id: ListingId) -> Option<&Listing> {
        self.listings.get(id.0)
    }

    /// Whether there are candles of that length.
    pub fn has(&self, series: Series) -> bool {
        match &self.source {
            Source::Recorded(all) => all.get(series.listing.0).is_some_and(|r| r.has(series.interval)),
            Source::Synthetic(_) => true,
        }
    }

    /// The whole candle that opens at `open`, whether that has happened yet or not.
    pub fn candle(&self, series: Series, open: UnixMs) -> Option<Candle> {
        match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.candle(series.interval, open),
            Source::Synthetic(s) => s.candle(series.listing.0, series.interval, open),
        }
    }

    /// The candle that opens at `open` as it shows at `now`; `None` before it opens.
    pub fn candle_at(&self, series: Series, open: UnixMs, now: UnixMs) -> Option<Candle> {
        if now < open {
            return None;
        }
        let whole = self.candle(series, open)?;
        if now > whole.close_time {
            return Some(whole);
        }
        let Some(part) = self.played_by(series, &whole) else { return Some(whole.at(now)) };
        let running = calendar::open_at(part, now);
        let part_series = Series { interval: part, ..series };
        let done = self.parts(part_series, open, running);
        let last = self.candle(part_series, running)?.at(now);
        let mut shown = done.map_or(last, |mut d| {
            d.absorb(&last);
            d
        });
        shown.close_time = whole.close_time;
        Some(shown)
    }

    fn parts(&self, part: Series, from: UnixMs, to: UnixMs) -> Option<Candle> {
        match &self.source {
            Source::Recorded(_) => {
                let opens =
                    std::iter::successors(Some(from), |o| Some(calendar::next_open(part.interval, *o)));
                Candle::join(opens.take_while(|o| *o < to).filter_map(|o| self.candle(part, o)), to)
            }
            Source::Synthetic(s) => s.sum(part.listing.0, from, to),
        }
    }

    fn played_by(&self, series: Series, whole: &Candle) -> Option<Interval> {
        match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.played_by(series.interval, whole),
            Source::Synthetic(_) => (series.interval > Interval::M1).then_some(Interval::M1),
        }
    }

    /// The first moment after `now` at which the candle that opens at `open` may show something
    /// else: its next step, or the millisecond after its close.
    pub fn changes_after(&self, series: Series, open: UnixMs, now: UnixMs) -> Option<UnixMs> {
        if now < open {
            return Some(open);
        }
        let whole = self.candle(series, open)?;
        let next = match self.played_by(series, &whole) {
            Some(part) => {
                let running = calendar::open_at(part, now);
                self.candle(Series { interval: part, ..series }, running)?.changes_after(now)
            }
            None => whole.changes_after(now),
        };
        Some(next.min(UnixMs(whole.close_time.0 + 1)))
    }

    /// The last open at or before `t`.
    pub fn last_open(&self, series: Series, t: UnixMs) -> Option<UnixMs> {
        match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.last_open(series.interval, t),
            Source::Synthetic(s) => s.last_open(series.listing.0, series.interval, t),
        }
    }

    /// The first open after `t`.
    pub fn next_open(&self, series: Series, t: UnixMs) -> Option<UnixMs> {
        match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.next_open(series.interval, t),
            Source::Synthetic(s) => s.next_open(series.listing.0, series.interval, t),
        }
    }

    /// The candles that exist at `now`, ascending; the last one may be forming.
    pub fn rows(&self, series: Series, range: Range, now: UnixMs) -> Vec<Candle> {
        let to = range.to.map_or(now, |t| t.min(now));
        let mut rows = Vec::with_capacity(range.limit.min(2_000));
        let mut open = match range.from {
            Some(from) => self.next_open(series, UnixMs(from.0.saturating_sub(1))),
            None => self.last_open(series, to),
        };
        while let Some(o) = open.filter(|o| *o <= to && rows.len() < range.limit) {
            rows.extend(self.candle_at(series, o, now));
            open = match range.from {
                Some(_) => self.next_open(series, o),
                None => self.last_open(series, UnixMs(o.0 - 1)),
            };
        }
        if range.from.is_none() {
            rows.reverse();
        }
        rows
    }

    /// The newest `limit` candles that are closed at `now`.
    pub fn closed(&self, series: Series, limit: usize, now: UnixMs) -> Vec<Candle> {
        let mut rows = self.rows(series, Range { limit: limit.saturating_add(1), ..Range::default() }, now);
        rows.retain(|c| c.close_time < now);
        let extra = rows.len().saturating_sub(limit);
        rows.drain(..extra);
        rows
    }

    /// The last 24 h of an instrument, from its 15m candles or the next best; `None` before its
    /// first trade and for one that is gone.
    pub fn day(&self, id: ListingId, now: UnixMs) -> Option<Day> {
        if matches!(self.listing(id)?.status, Status::Gone { since } if since <= now) {
            return None;
        }
        let wanted = [Interval::M15, Interval::M5, Interval::M30, Interval::H1, Interval::M1];
        let all = wanted.into_iter().chain(Interval::ALL.iter().copied());
        let series = all.map(|interval| Series { listing: id, interval }).find(|s| self.has(*s))?;
        let count = usize::try_from((DAY_MS / series.interval.millis()).max(1)).ok()?;
        let from = UnixMs(now.0 - DAY_MS);
        let rows = self.rows(series, Range { from: None, to: None, limit: count }, now);
        let close_time = rows.last()?.close_time;
        Candle::join(rows.into_iter().filter(|c| c.close_time > from), close_time).map(|whole| Day { whole })
    }

    /// When recorded candles begin and end; `None` where candles are computed.
    pub fn span(&self) -> Option<(UnixMs, UnixMs)> {
        let Source::Recorded(all) = &self.source else { return None };
        all.iter().filter_map(Recorded::span).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The span of the shortest interval that was recorded.
    pub(crate) fn finest_span(&self) -> Option<(UnixMs, UnixMs)> {
        let Source::Recorded(all) = &self.source else { return None };
        let finest = all.iter().flat_map(Recorded::native).map(|(i, _)| i).min()?;
        let spans = all.iter().flat_map(Recorded::native).filter(|(i, _)| *i == finest);
        let ends = spans.filter_map(|(_, c)| Some((c.first()?.open_time, c.last()?.close_time)));
        ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}
