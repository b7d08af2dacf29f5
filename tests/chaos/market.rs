//! The truth: trades drawn from a seed, and the candles that follow from them. REST and streams are
//! two views of it, and so is what the client must hold in the end.

use fastrand::Rng;
use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::symbol::{Market, Pair, SeriesKey};
use hamatop::domain::time::UnixMs;

pub const MINUTE: i64 = 60_000;
/// Four lengths, of which each contains the ones before it.
pub const INTERVALS: [Interval; 4] = [Interval::M1, Interval::M3, Interval::M5, Interval::M15];
/// Pairs. The last two hardly trade.
pub const SYMBOLS: usize = 20;
/// Series: pair by pair, the intervals of each in order.
pub const SERIES: usize = SYMBOLS * INTERVALS.len();

/// 2026-01-05T00:00Z.
pub const START: i64 = 1_767_571_200_000;

#[derive(Clone, Copy)]
struct Trade {
    /// Milliseconds into its minute.
    at: i64,
    price: f64,
    quantity: f64,
}

#[derive(Clone, Copy)]
struct Sum {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    quote: f64,
    trades: u32,
}

impl Sum {
    fn at(price: f64) -> Self {
        Self { open: price, high: price, low: price, close: price, volume: 0.0, quote: 0.0, trades: 0 }
    }

    fn add(&mut self, t: Trade) {
        self.high = self.high.max(t.price);
        self.low = self.low.min(t.price);
        self.close = t.price;
        self.volume += t.quantity;
        self.quote += t.quantity * t.price;
        self.trades += 1;
    }

    fn append(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.quote += later.quote;
        self.trades += later.trades;
    }
}

/// Minutes for which the exchange has nothing of a pair: whole quarter hours.
#[derive(Clone, Copy, Debug)]
pub struct Maintenance {
    pub symbol: usize,
    pub from: i64,
    pub to: i64,
}

pub struct Truth {
    seed: u64,
    /// The first minute, as milliseconds.
    first: i64,
    minutes: Vec<Vec<Sum>>,
    pub holes: Vec<Maintenance>,
}

impl Truth {
    /// Candles from `before` quarter hours ahead of [`START`] until `minutes` after it.
    pub fn new(seed: u64, before: i64, minutes: i64) -> Self {
        let first = START - before * 15 * MINUTE;
        let count = before * 15 + minutes;
        let mut truth = Self { seed, first, minutes: Vec::new(), holes: Vec::new() };
        for symbol in 0..SYMBOLS {
            let mut price = 10.0 * (1.0 + f64::from(u32::try_from(symbol).unwrap()));
            let column = (0..count).map(|n| {
                let mut sum = Sum::at(price);
                truth.trades(symbol, n, price).for_each(|t| sum.add(t));
                price = sum.close;
                sum
            });
            let column = column.collect();
            truth.minutes.push(column);
        }
        truth
    }

    fn trades(&self, symbol: usize, minute: i64, from: f64) -> impl Iterator<Item = Trade> + use<> {
        let place = (minute as u64) << 8 | symbol as u64;
        let mut rng = Rng::with_seed(self.seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let busy = symbol + 2 < SYMBOLS || rng.u8(..4) == 0;
        let count = if busy { rng.u32(0..6) } else { 0 };
        let mut price = from;
        (0..count).map(move |n| {
            price *= 1.0 + (rng.f64() - 0.5) * 0.01;
            let slot = MINUTE / i64::from(count);
            let at = i64::from(n) * slot + rng.i64(0..slot);
            Trade { at, price, quantity: 0.001 + rng.f64() * 10.0 }
        })
    }

    /// Whether the exchange has nothing of a pair at that time.
    pub fn is_shut(&self, symbol: usize, at: i64) -> bool {
        self.holes.iter().any(|h| h.symbol == symbol && (h.from..h.to).contains(&at))
    }

    /// The candle of a series that opens at `open`, as far as it had got by `until`.
    pub fn candle(&self, series: usize, open: i64, until: i64) -> Kline {
        let (symbol, interval) = (series / INTERVALS.len(), INTERVALS[series % INTERVALS.len()]);
        let close = open + interval.millis() - 1;
        let column = &self.minutes[symbol];
        let at = |t: i64| usize::try_from((t - self.first) / MINUTE).unwrap();
        let end = until.min(close + 1);
        let mut sum = Sum::at(column[at(open)].open);
        for whole in &column[at(open)..at(end)] {
            sum.append(whole);
        }
        let rest = end - (end - self.first).rem_euclid(MINUTE);
        if end > rest {
            let minute = (rest - self.first) / MINUTE;
            let mut part = Sum::at(sum.close);
            self.trades(symbol, minute, part.open).filter(|t| t.at < end - rest).for_each(|t| part.add(t));
            sum.append(&part);
        }
        Kline::new(KlineFields {
            open_time: UnixMs(open),
            close_time: UnixMs(close),
            open: sum.open,
            high: sum.high,
            low: sum.low,
            close: sum.close,
            volume: sum.volume,
            quote_volume: Some(sum.quote),
            trades: Some(sum.trades),
            taker_base: Some(sum.volume / 2.0),
            taker_quote: Some(sum.quote / 2.0),
        })
        .unwrap()
    }

    /// The open of the candle of a series that `t` falls in.
    pub fn open_at(series: usize, t: i64) -> i64 {
        t - t.rem_euclid(millis(series))
    }

    /// Candles of a series that open in `from..to` and exist, as they stand at `until`.
    pub fn candles(&self, series: usize, from: i64, to: i64, until: i64) -> Vec<Kline> {
        let step = millis(series);
        let from = Self::open_at(series, from.max(self.first) + step - 1);
        let opens = (0..).map(|n| from + n * step).take_while(|open| *open < to && *open <= until);
        let real = opens.filter(|open| !self.is_shut(series / INTERVALS.len(), *open));
        real.map(|open| self.candle(series, open, until)).collect()
    }
}

pub fn millis(series: usize) -> i64 {
    INTERVALS[series % INTERVALS.len()].millis()
}

pub fn pair(symbol: usize) -> Pair {
    Pair { market: Market::UsdM, symbol: format!("S{symbol:02}USDT").parse().unwrap() }
}

pub fn key(series: usize) -> SeriesKey {
    SeriesKey::new(pair(series / INTERVALS.len()), INTERVALS[series % INTERVALS.len()])
}

pub fn series_of(key: &SeriesKey) -> usize {
    let symbol: usize = key.pair.symbol.as_str()[1..3].parse().unwrap();
    symbol * INTERVALS.len() + INTERVALS.iter().position(|i| *i == key.interval).unwrap()
}
