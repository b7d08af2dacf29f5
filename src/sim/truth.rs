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
        listings.into_iter().for_each(|l| book.add(l));
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
        let of = |l: &Listing| kind(l.contract) && l.gone().is_none() && format!("{}{}", l.base, l.quote) == pair;
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
        self.first_there(&of, series.interval, opens)
    }

    /// The first open after `t`.
    pub fn next_open(&self, series: Series, t: UnixMs) -> Option<UnixMs> {
        let of = self.listing(series.listing)?;
        let after = |t| match &self.source {
            Source::Recorded(all) => all.get(series.listing.0)?.next_open(series.interval, t),
            Source::Synthetic(_) => synthetic::next_open(&of, series.interval, t),
        };
        let opens = std::iter::successors(after(t), |o| after(*o));
        self.first_there(&of, series.interval, opens.take_while(|o| of.gone().is_none_or(|gone| *o < gone)))
    }

    /// The first of `opens` whose candle is in no hole and not after the end.
    fn first_there(
        &self,
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
mod tests {
    use super::*;
    use crate::sim::{recorded_truth, replay};

    const QUARTER: i64 = 900_000;
    const START: UnixMs = UnixMs(1_767_571_200_000);

    fn made_up() -> Truth {
        Truth::synthetic(Synthetic::new(10, 3, START).unwrap())
    }

    fn series(truth: &Truth, symbol: &str, interval: Interval) -> Series {
        Series { listing: truth.find(Market::UsdM, symbol).unwrap(), interval }
    }

    fn opens(truth: &Truth, of: Series, from: UnixMs, count: usize) -> Vec<UnixMs> {
        let first = truth.next_open(of, UnixMs(from.0 - 1));
        std::iter::successors(first, |o| truth.next_open(of, *o)).take(count).collect()
    }

    /// The long candle is the sum of the short ones.
    fn assert_adds_up(truth: &Truth, symbol: &str, long: Interval, short: Interval, open: UnixMs) {
        let whole = truth.candle(series(truth, symbol, long), open).unwrap();
        let short = series(truth, symbol, short);
        let parts = opens(truth, short, open, 100_000).into_iter();
        let parts = parts.take_while(|o| *o <= whole.close_time).filter_map(|o| truth.candle(short, o));
        let sum = Candle::join(parts, whole.close_time).map(|c| Candle { open_time: open, ..c });
        assert_eq!(sum, Some(whole), "{symbol} {long} {open}");
    }

    #[test]
    fn computed_candles_of_all_lengths_are_views_of_one_price() {
        let truth = made_up();
        for symbol in
            ["BTCUSDT", "币安人生USDT", "FLATUSDT", "THINUSDT", "YOUNGUSDT", "BTCUSDT_261225", "OLDUSDT"]
        {
            let week = series(&truth, symbol, Interval::W1);
            let open = truth.last_open(week, START).unwrap();
            assert_adds_up(&truth, symbol, Interval::W1, Interval::H4, open);
            let hours = series(&truth, symbol, Interval::H4);
            let open = truth.last_open(hours, UnixMs(START.0 - 1)).unwrap();
            for short in [Interval::M1, Interval::M15, Interval::H1] {
                assert_adds_up(&truth, symbol, Interval::H4, short, open);
            }
        }
    }

    #[test]
    fn another_seed_is_another_market_and_the_same_one_the_same() {
        let of = |seed| {
            let truth = Truth::synthetic(Synthetic::new(3, seed, START).unwrap());
            truth.candle(series(&truth, "BTCUSDT", Interval::H1), START).unwrap()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        // Holds the figures still: a changed generator makes old seeds of failed runs useless.
        let c = of(1);
        assert!(c.low > 300_000 && c.high < 2_000_000 && c.trades > 60, "{c:?}");
    }

    #[test]
    fn young_and_gone_instruments_have_candles_only_while_they_trade() {
        let truth = made_up();
        let gone = series(&truth, "OLDUSDT", Interval::H1);
        let last = truth.last_open(gone, START).unwrap();
        assert_eq!(last, UnixMs(START.0 - 3 * DAY_MS - 3_600_000));
        assert_eq!(truth.next_open(gone, last), None);
        assert_eq!(truth.day(gone.listing, START), None);
        let young = series(&truth, "YOUNGUSDT", Interval::H1);
        let all = truth.rows(young, Range { limit: 500, ..Range::default() }, START);
        assert_eq!(all.len(), 22);
        assert!(all.windows(2).all(|w| w[0].close_time.0 + 1 == w[1].open_time.0));
    }

    /// A forming candle only grows, and its last state is the closed one.
    fn assert_grows(truth: &Truth, of: Series, open: UnixMs) {
        let whole = truth.candle(of, open).unwrap();
        let mut now = open;
        let mut last: Option<Candle> = None;
        let mut changes = 0;
        while now <= whole.close_time {
            let shown = truth.candle_at(of, open, now).unwrap();
            if let Some(last) = last {
                assert!(shown.high >= last.high && shown.low <= last.low && shown.open == last.open);
                assert!(shown.volume >= last.volume && shown.trades >= last.trades, "{of:?} {now}");
                assert!(shown.quote >= last.quote);
            }
            assert!(shown.low <= shown.close && shown.close <= shown.high);
            last = Some(shown);
            changes += 1;
            let next = truth.changes_after(of, open, now).unwrap();
            assert!(next > now);
            now = next;
        }
        assert!(changes >= 90);
        assert_eq!(now, UnixMs(whole.close_time.0 + 1));
        assert_eq!(truth.candle_at(of, open, whole.close_time), Some(whole));
        assert_eq!(truth.candle_at(of, open, UnixMs(open.0 - 1)), None);
    }

    #[test]
    fn forming_candles_grow_into_the_closed_ones() {
        let truth = made_up();
        assert_grows(&truth, series(&truth, "BTCUSDT", Interval::M15), START);
        assert_grows(&truth, series(&truth, "THINUSDT", Interval::M5), START);
        let replay = recorded_truth(replay::bundled().unwrap(), &[Market::UsdM]).unwrap();
        for symbol in ["BTCUSDT", "1000PEPEUSDT", "0GUSDT"] {
            for interval in [Interval::M5, Interval::M15, Interval::H1, Interval::H4] {
                assert_grows(&replay, series(&replay, symbol, interval), replay::START);
            }
        }
        // Before the 5m candles begin, a candle is played from itself.
        let before = UnixMs(replay::PLAYED_FROM.0 - 4 * 3_600_000);
        assert_grows(&replay, series(&replay, "BTCUSDT", Interval::H4), before);
    }

    #[test]
    fn the_recording_has_what_the_presets_need_and_no_hole() {
        let truth = recorded_truth(replay::bundled().unwrap(), &[Market::UsdM]).unwrap();
        assert_eq!(truth.listings(Market::UsdM).count(), 24);
        let all = Range { limit: 5_000, ..Range::default() };
        for (id, listing) in truth.listings(Market::UsdM) {
            for (interval, least) in [(Interval::M15, 660), (Interval::H1, 492), (Interval::H4, 123)] {
                let rows = truth.rows(Series { listing: id, interval }, all, replay::PLAYED_FROM);
                assert!(rows.len() > least, "{} {interval}: {}", listing.symbol, rows.len());
                assert!(rows.windows(2).all(|w| w[0].close_time.0 + 1 == w[1].open_time.0));
                assert!(rows.iter().all(|c| c.trades > 0 && c.quote > 0), "{} {interval}", listing.symbol);
            }
            for (long, short) in [(Interval::M15, Interval::M5), (Interval::H1, Interval::M15)] {
                assert_adds_up(
                    &truth,
                    listing.symbol.as_str(),
                    long,
                    short,
                    UnixMs(replay::START.0 + QUARTER * 4),
                );
            }
            assert_eq!(truth.candle(Series { listing: id, interval: Interval::H4 }, replay::END), None);
        }
    }

    #[test]
    fn intervals_that_were_not_recorded_are_made_where_that_is_exact() {
        let truth = recorded_truth(replay::bundled().unwrap(), &[Market::UsdM]).unwrap();
        let of = |interval| series(&truth, "BTCUSDT", interval);
        assert!(!truth.has(of(Interval::M1)) && !truth.has(of(Interval::M3)));
        assert_adds_up(&truth, "BTCUSDT", Interval::M30, Interval::M15, replay::START);
        assert_adds_up(&truth, "BTCUSDT", Interval::H2, Interval::H1, replay::START);
        assert_grows(&truth, of(Interval::M30), replay::START);
        let days = truth.rows(of(Interval::D1), Range { limit: 9, ..Range::default() }, replay::END);
        assert_eq!(days.len(), 9);
        assert_eq!(days[8].close_time, UnixMs(replay::END.0 - 1));
    }

    #[test]
    fn the_day_is_exact_within_a_candle_too() {
        let replay = recorded_truth(replay::bundled().unwrap(), &[Market::UsdM]).unwrap();
        let truth = made_up();
        for (truth, start) in [(&replay, replay::START), (&truth, START)] {
            let quarter = series(truth, "BTCUSDT", Interval::M15);
            for after in [0, 1, 7 * 60_000, QUARTER - 1, QUARTER, 3 * QUARTER + 400_000] {
                let now = UnixMs(start.0 + after);
                let from = UnixMs(now.0 - DAY_MS);
                let open = truth.last_open(quarter, from).unwrap();
                let day = truth.day(quarter.listing, now).unwrap().whole;
                let then = truth.candle_at(quarter, open, from).unwrap();
                let price = if open == from { then.open } else { then.close };
                assert_eq!((day.open_time, day.open), (from, price), "{after}");
                // What was traded by now, less what was traded by then.
                let range = Range { from: Some(open), limit: 200, ..Range::default() };
                let sum: i64 = truth.rows(quarter, range, now).iter().map(|c| c.volume).sum();
                let past = if open == from { 0 } else { then.volume };
                assert_eq!(day.volume, sum - past, "{after}");
                assert!(day.low <= day.open.min(day.close) && day.high >= day.open.max(day.close));
            }
        }
    }

    #[test]
    fn the_day_is_the_last_24_hours() {
        let truth = recorded_truth(replay::bundled().unwrap(), &[Market::UsdM]).unwrap();
        let quarter = series(&truth, "BTCUSDT", Interval::M15);
        let day = truth.day(quarter.listing, UnixMs(replay::START.0 + 1)).unwrap().whole;
        let running = truth.candle_at(quarter, replay::START, UnixMs(replay::START.0 + 1)).unwrap();
        assert_eq!((day.close, day.open_time.0), (running.close, replay::START.0 + 1 - DAY_MS));
    }
}
