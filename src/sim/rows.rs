//! Recorded candles before they are truth: rows of decimals, and what is derived where a source
//! lacks a figure.

use std::collections::BTreeMap;

use super::candle::{Candle, Scale};
use super::recorded::Recorded;
use crate::domain::interval::Interval;
use crate::domain::symbol::Symbol;

/// The largest figure in units, so that the sums of longer candles fit.
const LARGEST: i128 = 10_i128.pow(17);
const MOST_DECIMALS: u8 = 10;

/// A decimal number, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Decimal {
    units: i128,
    decimals: u8,
}

impl Decimal {
    /// Reads `0.0093213`, `5`, `1e-05`. Zeros at the end do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = if text.contains(['e', 'E']) {
            text.parse::<f64>().ok().filter(|v| v.is_finite())?.to_string()
        } else {
            text.to_owned()
        };
        let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
        let part = part.trim_end_matches('0');
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || whole.len() > 16 || part.len() > 18 {
            return None;
        }
        let units = format!("{whole}{part}").parse().ok()?;
        Some(Self { units, decimals: u8::try_from(part.len()).ok()? })
    }

    pub(crate) fn is_zero(self) -> bool {
        self.units == 0
    }

    /// Whether it is greater.
    pub(crate) fn over(self, other: Self) -> bool {
        let most = self.decimals.max(other.decimals);
        let at_most = |d: Self| d.units.saturating_mul(10_i128.pow(u32::from(most - d.decimals)));
        at_most(self) > at_most(other)
    }

    fn at(self, decimals: u8) -> i64 {
        let units = if decimals >= self.decimals {
            self.units * 10_i128.pow(u32::from(decimals - self.decimals))
        } else {
            let one = 10_i128.pow(u32::from(self.decimals - decimals));
            (self.units + one / 2) / one
        };
        i64::try_from(units).unwrap_or(i64::MAX)
    }
}

/// A row of a kline file. What the source does not give is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) open_time: i64,
    pub(crate) close_time: i64,
    /// Open, high, low, close.
    pub(crate) prices: [Decimal; 4],
    pub(crate) volume: Decimal,
    pub(crate) quote: Option<Decimal>,
    pub(crate) trades: Option<i64>,
    /// Base and quote.
    pub(crate) taker: Option<(Decimal, Decimal)>,
}

/// A candle and which of its figures the source gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) candle: Candle,
    pub(crate) has_quote: bool,
    pub(crate) has_trades: bool,
    pub(crate) has_taker: bool,
}

/// All recorded series of one symbol.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) symbol: Symbol,
    pub(crate) scale: Scale,
    pub(crate) series: BTreeMap<Interval, Vec<Raw>>,
}

impl Recording {
    /// Puts rows into whole units, with as many digits as they need.
    pub(crate) fn new(symbol: Symbol, rows: &BTreeMap<Interval, Vec<Row>>) -> Self {
        let all = || rows.values().flatten();
        let scale = Scale {
            price: digits(all().flat_map(|r| r.prices)),
            volume: digits(all().flat_map(|r| [Some(r.volume), r.taker.map(|t| t.0)]).flatten()),
            quote: digits(all().flat_map(|r| [r.quote, r.taker.map(|t| t.1)]).flatten()).max(2),
        };
        let series =
            rows.iter().map(|(i, rows)| (*i, rows.iter().map(|r| raw(r, scale)).collect())).collect();
        Self { symbol, scale, series }
    }

    /// The truth of it: derives what the source does not give.
    ///
    /// A candle's missing quote volume, trades and taker figures are its share of the next longer
    /// candle that has them, so that sums stay exact; where there is none, they come from its own
    /// volume and prices.
    pub(crate) fn into_recorded(self) -> Recorded {
        let mut done: BTreeMap<Interval, Vec<Candle>> = BTreeMap::new();
        for (interval, mut raws) in self.series.into_iter().rev() {
            let longer = done.iter().find(|(i, _)| i.millis() % interval.millis() == 0);
            for whole in longer.map(|(_, c)| c.as_slice()).unwrap_or_default() {
                let from = raws.partition_point(|r| r.candle.open_time < whole.open_time);
                let to = raws.partition_point(|r| r.candle.open_time <= whole.close_time);
                if let Some(parts) = raws.get_mut(from..to) {
                    share(whole, parts, interval);
                }
            }
            let own = raws.into_iter().map(|r| from_itself(r, self.scale)).collect();
            done.insert(interval, own);
        }
        Recorded::new(done)
    }
}

fn digits(of: impl Iterator<Item = Decimal>) -> u8 {
    let (most, largest) = of.fold((0, 0), |(most, largest), d| {
        (d.decimals.max(most), (d.units / 10_i128.pow(u32::from(d.decimals))).max(largest))
    });
    let fits = |decimals: &u8| (largest + 1) * 10_i128.pow(u32::from(*decimals)) <= LARGEST;
    (0..=most.min(MOST_DECIMALS)).rev().find(fits).unwrap_or(0)
}

fn raw(r: &Row, scale: Scale) -> Raw {
    let [open, high, low, close] = r.prices.map(|p| p.at(scale.price));
    let candle = Candle {
        open_time: crate::domain::time::UnixMs(r.open_time),
        close_time: crate::domain::time::UnixMs(r.close_time),
        open,
        high,
        low,
        close,
        volume: r.volume.at(scale.volume),
        quote: r.quote.map_or(0, |q| q.at(scale.quote)),
        trades: r.trades.unwrap_or(0),
        taker_base: r.taker.map_or(0, |t| t.0.at(scale.volume)),
        taker_quote: r.taker.map_or(0, |t| t.1.at(scale.quote)),
    };
    Raw { candle, has_quote: r.quote.is_some(), has_trades: r.trades.is_some(), has_taker: r.taker.is_some() }
}

/// Gives each part its share of the figures that the parts lack, so that they add up to the whole's
/// exactly. Taker figures of the whole are there by now, given or derived.
fn share(whole: &Candle, parts: &mut [Raw], interval: Interval) {
    let all = (whole.close_time.0 + 1 - whole.open_time.0) / interval.millis();
    if i64::try_from(parts.len()) != Ok(all) {
        return;
    }
    let lacks_turnover = !parts.iter().any(|p| p.has_quote || p.has_trades);
    let lacks_taker = !parts.iter().any(|p| p.has_taker);
    let value = |c: &Candle| i128::from(c.volume) * i128::from(c.open + c.high + c.low + c.close);
    let total: i128 = parts.iter().map(|p| value(&p.candle)).sum();
    if total == 0 {
        return;
    }
    let mut seen = 0;
    let mut given = [0; 4];
    for part in parts {
        seen += value(&part.candle);
        let until = |of: i64| i64::try_from(i128::from(of) * seen / total).unwrap_or(of);
        let now = [whole.quote, whole.trades, whole.taker_base, whole.taker_quote].map(until);
        let [quote, trades, taker_base, taker_quote] = std::array::from_fn(|n| now[n] - given[n]);
        if lacks_turnover {
            (part.candle.quote, part.candle.trades) = (quote, trades);
            (part.has_quote, part.has_trades) = (true, true);
        }
        if lacks_taker {
            (part.candle.taker_base, part.candle.taker_quote) = (taker_base, taker_quote);
            part.has_taker = true;
        }
        given = now;
    }
}

fn from_itself(r: Raw, scale: Scale) -> Candle {
    let mut c = r.candle;
    if !r.has_quote {
        let prices = i128::from(c.open + c.high + c.low + c.close);
        let digits = i32::from(scale.quote) - i32::from(scale.price) - i32::from(scale.volume);
        let ten = 10_i128.pow(digits.unsigned_abs());
        let value = i128::from(c.volume) * prices / 4;
        c.quote = i64::try_from(if digits < 0 { value / ten } else { value * ten }).unwrap_or(i64::MAX);
    }
    if !r.has_trades {
        c.trades = if c.volume == 0 { 0 } else { 1 + c.volume.isqrt() };
    }
    if !r.has_taker {
        (c.taker_base, c.taker_quote) = (c.volume / 2, c.quote / 2);
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::UnixMs;

    #[test]
    fn decimals_are_read_exactly() {
        let read = |t: &str| Decimal::parse(t).map(|d| (d.units, d.decimals));
        assert_eq!(read("0.0093213"), Some((93_213, 7)));
        assert_eq!(read("115715.50"), Some((1_157_155, 1)));
        assert_eq!(read("199249698.0"), Some((199_249_698, 0)));
        assert_eq!(read("1e-05"), Some((1, 5)));
        for bad in ["", "-1", "x", ".5", "1.2.3", "NaN", "inf", "1e400"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    fn row(open_time: i64, step: i64, volume: &str, given: Option<(&str, i64)>) -> Row {
        let d = |t| Decimal::parse(t).unwrap();
        Row {
            open_time,
            close_time: open_time + step - 1,
            prices: [d("1.5"), d("1.75"), d("1.25"), d("1.5")],
            volume: d(volume),
            quote: given.map(|g| d(g.0)),
            trades: given.map(|g| g.1),
            taker: None,
        }
    }

    #[test]
    fn what_a_source_lacks_adds_up_to_the_longer_candle() {
        let hour = 3_600_000;
        let mut rows = BTreeMap::new();
        rows.insert(Interval::H1, vec![row(0, hour, "10", Some(("15.0001", 7)))]);
        let quarters = (0..).zip(["1", "2", "3", "4"]);
        rows.insert(Interval::M15, quarters.map(|(n, v)| row(n * 900_000, 900_000, v, None)).collect());
        let recorded = Recording::new("AUSDT".parse().unwrap(), &rows).into_recorded();
        let quarter = |n: i64| recorded.candle(Interval::M15, UnixMs(n * 900_000)).unwrap();
        let sums = (0..4).map(quarter).fold((0, 0), |s, c| (s.0 + c.quote, s.1 + c.trades));
        assert_eq!(sums, (150_001, 7));
        assert!((0..4).map(quarter).all(|c| c.trades > 0 || c.volume == 1));
    }
}
