//! The one ground truth that REST, streams, tickers and `/sim/truth` are views of.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::calendar;
use super::candle::Candle;
use super::listing::{Contract, Listing, Status, split};
use super::recorded::Recorded;
use super::synthetic::{self, Synthetic};
use crate::domain::interval::Interval;
use crate::domain::symbol::{BadSymbol, Market};
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
    /// The candle of the last 24 h to the millisecond, the running part included. Its opening
    /// price and its volumes are those of that time; where its first part lies within a recorded
    /// candle, the extremes are of all of that one, since what part of them is older is unknown.
    pub whole: Candle,
}

/// All candles of all instruments, past and (for who asks) future.
#[derive(Debug)]
pub struct Truth {
    book: RwLock<Book>,
    source: Source,
}

/// What is listed. Grows while the exchange runs; an instrument keeps its id.
#[derive(Debug, Default)]
struct Book {
    listings: Vec<Arc<Listing>>,
    by_symbol: HashMap<(Market, String), ListingId>,
    by_stream: HashMap<(Market, String), ListingId>,
}

impl Book {
    fn add(&mut self, listing: Listing) {
        let id = ListingId(self.listings.len());
        self.by_symbol.insert((listing.market, listing.symbol.as_str().to_owned()), id);
        self.by_stream.insert((listing.market, listing.symbol.to_stream_name()), id);
        self.listings.push(Arc::new(listing));
    }
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
    pub(crate) fn synthetic((source, listings): (Synthetic, Vec<Listing>)) -> Self {
        Self::new(listings, Source::Synthetic(source))
    }

    fn new(listings: Vec<Listing>, source: Source) -> Self {
        let mut book = Book::default();
        for listing in listings {
            book.add(listing);
        }
        Self { book: RwLock::new(book), source }
    }

    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instrument of that name.
    pub fn find(&self, market: Market, symbol: &str) -> Option<ListingId> {
        self.book().by_symbol.get(&(market, symbol.to_owned())).copied()
    }

    /// The instrument whose streams have that name.
    pub(crate) fn find_stream(&self, market: Market, name: &str) -> Option<ListingId> {
        self.book().by_stream.get(&(market, name.to_owned())).copied()
    }

    /// The contract of a kind on a pair.
    pub(crate) fn continuous(&self, pair: &str, kind: impl Fn(Contract) -> bool) -> Option<ListingId> {
        let book = self.book();
        let of =
            |l: &Listing| kind(l.contract) && l.gone().is_none() && format!("{}{}", l.base, l.quote) == pair;
        book.listings.iter().position(|l| l.market == Market::UsdM && of(l)).map(ListingId)
    }

    /// All instruments of a market, as they are now.
    pub fn listings(&self, market: Market) -> impl Iterator<Item = (ListingId, Arc<Listing>)> {
        let all: Vec<_> = self.book().listings.iter().cloned().enumerate().collect();
        all.into_iter().filter(move |(_, l)| l.market == market).map(|(n, l)| (ListingId(n), l))
    }

    /// What an instrument is. `None` only for an id of another truth.
    pub fn listing(&self, id: ListingId) -> Option<Arc<Listing>> {
        self.book().listings.get(id.0).cloned()
    }

    /// Changes how an instrument trades.
    pub(crate) fn turn(&self, id: ListingId, change: impl FnOnce(&mut Listing)) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(listing) = book.listings.get_mut(id.0) {
            change(Arc::make_mut(listing));
        }
    }

    /// Lists one more instrument, that trades from `onboard` on, like `like` where that is given.
    /// Only computed markets have candles for it; whether it is listed now.
    pub(crate) fn list(
        &self,
        (market, name): (Market, &str),
        contract: Contract,
        onboard: UnixMs,
        like: Option<ListingId>,
    ) -> Result<bool, BadSymbol> {
        let Source::Synthetic(source) = &self.source else { return Ok(false) };
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        if book.by_symbol.contains_key(&(market, name.to_owned())) {
            return Ok(false);
        }
        let twin = like.and_then(|id| Some((id, book.listings.get(id.0)?)));
        let listing = match twin {
            None => source.add(market, name, contract, onboard)?,
            Some((id, old)) => {
                let symbol = name.parse()?;
                let (base, quote) = split(&symbol)?;
                source.twin(id.0);
                Listing { symbol, base, quote, onboard, status: Status::Trading, ..Listing::clone(old) }
            }
        };
        book.add(listing);
        Ok(true)
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
        let of = self.listing(series.listing)?;
        match &self.source {
            Source::Recorded(all) => self.recorded_candle(all.get(series.listing.0)?, &of, series, open),
            Source::Synthetic(s) => s.candle(series.listing.0, &of, series.interval, open),
        }
    }

    fn recorded_candle(&self, all: &Recorded, of: &Listing, series: Series, open: UnixMs) -> Option<Candle> {
        if of.gone().is_some_and(|gone| open >= gone) {
            return None;
        }
        let whole = all.candle(series.interval, open)?;
        let end = UnixMs(whole.close_time.0 + 1);
        if of.timeline.splits(open, end)
            && let Some(part) = all.played_by(series.interval, &whole)
        {
            let parts = self.parts(Series { interval: part, ..series }, open, end);
            return parts.map(|c| Candle { open_time: open, close_time: whole.close_time, ..c });
        }
        of.timeline.turned(whole)
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
            Source::Synthetic(s) => s.sum(part.listing.0, &*self.listing(part.listing)?, from, to),
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
        let of = self.listing(series.listing)?;
        let before = |t| match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.last_open(series.interval, t),
            Source::Synthetic(_) => synthetic::last_open(&of, series.interval, t),
        };
        let opens = std::iter::successors(before(t), |o| before(UnixMs(o.0 - 1)));
        Self::first_there(&of, series.interval, opens)
    }

    /// The first open after `t`.
    pub fn next_open(&self, series: Series, t: UnixMs) -> Option<UnixMs> {
        let of = self.listing(series.listing)?;
        let after = |t| match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.next_open(series.interval, t),
            Source::Synthetic(_) => synthetic::next_open(&of, series.interval, t),
        };
        let opens = std::iter::successors(after(t), |o| after(*o));
        Self::first_there(&of, series.interval, opens.take_while(|o| of.gone().is_none_or(|gone| *o < gone)))
    }

    /// The first of `opens` whose candle is in no hole and not after the end.
    fn first_there(
        of: &Listing,
        interval: Interval,
        mut opens: impl Iterator<Item = UnixMs>,
    ) -> Option<UnixMs> {
        opens.find(|o| {
            let end = calendar::next_open(interval, *o);
            of.gone().is_none_or(|gone| *o < gone) && !of.timeline.missing_all(*o, end)
        })
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
        if self.listing(id)?.gone().is_some_and(|gone| gone <= now) {
            return None;
        }
        let wanted = [Interval::M15, Interval::M5, Interval::M30, Interval::H1, Interval::M1];
        let all = wanted.into_iter().chain(Interval::ALL.iter().copied());
        let series = all.map(|interval| Series { listing: id, interval }).find(|s| self.has(*s))?;
        let from = UnixMs(now.0 - DAY_MS);
        let first = self.last_open(series, from);
        let range = Range { from: first.or(Some(from)), to: None, limit: usize::MAX };
        let mut rows = self.rows(series, range, now);
        // A candle that closed before has no part in it: there was no trade for a while.
        rows.retain(|c| c.close_time >= from);
        let close_time = rows.last()?.close_time;
        if let Some(begun) = rows.first_mut().filter(|c| c.open_time < from) {
            let before = self.candle_at(series, begun.open_time, from)?;
            *begun = begun.without(&before, from);
        }
        Candle::join(rows, close_time).map(|whole| Day { whole })
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

#[cfg(test)]
mod tests;
