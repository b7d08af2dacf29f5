//! A candle as the exchange gives it.

use super::time::UnixMs;

/// One candle, valid by construction: positive prices of a sane size with `low ≤ open, close ≤ high`,
/// volumes finite and not negative, closing after it opens.
///
/// Eighty bytes, since half a million of them are kept. What a source did not give is `None` from
/// the accessors, never 0; inside it is a value no valid field has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kline {
    open_time: UnixMs,
    /// Close time less open time; the longest candle, a month, fits.
    span_ms: u32,
    trades: u32,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    quote_volume: f64,
    taker_base: f64,
    taker_quote: f64,
}

const NO_TRADES_GIVEN: u32 = u32::MAX;
/// Stands for "not given" in a volume: a valid one is never negative. Not NaN, so that equal
/// candles compare equal.
const NOT_GIVEN: f64 = -1.0;

/// The fields of a candle, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct KlineFields {
    /// When the candle opens.
    pub open_time: UnixMs,
    /// The last millisecond that belongs to it.
    pub close_time: UnixMs,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base asset traded.
    pub volume: f64,
    /// Quote asset traded.
    pub quote_volume: Option<f64>,
    /// Number of trades.
    pub trades: Option<u32>,
    /// Base asset bought by takers.
    pub taker_base: Option<f64>,
    /// Quote asset spent by takers who bought.
    pub taker_quote: Option<f64>,
}

/// Why a candle can't be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKline {
    /// A price is not positive, not a number, or beyond all prices.
    #[error("a price is not a number above 0 and up to 1e18")]
    Price,
    /// Low above open or close, or high below.
    #[error("low, open, close and high are out of order")]
    Order,
    /// A volume is negative, not a number, or beyond all volumes.
    #[error("a volume is not a number from 0 to 1e30")]
    Volume,
    /// Closes before it opens, lasts longer than 49 days, or has times that are not milliseconds.
    #[error("open and close time do not make a candle (times are Unix milliseconds)")]
    Time,
}

impl Kline {
    /// The latest time accepted; beyond it a time is in microseconds, or wrong.
    const MAX_TIME: i64 = 100_000_000_000_000;
    /// Squares of prices, summed over the longest window, stay finite below it.
    const MAX_PRICE: f64 = 1e18;
    const MAX_VOLUME: f64 = 1e30;

    /// Checks the fields. In line, since each frame and each row of REST comes through here.
    #[inline]
    pub fn new(f: KlineFields) -> Result<Self, BadKline> {
        let prices = [f.open, f.high, f.low, f.close];
        if !prices.iter().all(|p| *p > 0.0 && *p <= Self::MAX_PRICE) {
            return Err(BadKline::Price);
        }
        if f.low > f.open.min(f.close) || f.high < f.open.max(f.close) {
            return Err(BadKline::Order);
        }
        let volumes = [Some(f.volume), f.quote_volume, f.taker_base, f.taker_quote];
        if !volumes.iter().flatten().all(|v| (0.0..=Self::MAX_VOLUME).contains(v)) {
            return Err(BadKline::Volume);
        }
        let span_ms = f.close_time.0.checked_sub(f.open_time.0).and_then(|d| u32::try_from(d).ok());
        let in_range = (0..Self::MAX_TIME).contains(&f.open_time.0);
        let span_ms = span_ms.filter(|s| *s > 0 && in_range).ok_or(BadKline::Time)?;
        Ok(Self {
            open_time: f.open_time,
            span_ms,
            trades: f.trades.unwrap_or(NO_TRADES_GIVEN),
            open: f.open,
            high: f.high,
            low: f.low,
            close: f.close,
            volume: f.volume,
            quote_volume: f.quote_volume.unwrap_or(NOT_GIVEN),
            taker_base: f.taker_base.unwrap_or(NOT_GIVEN),
            taker_quote: f.taker_quote.unwrap_or(NOT_GIVEN),
        })
    }

    /// When the candle opens: its identity within a series.
    pub fn open_time(&self) -> UnixMs {
        self.open_time
    }

    /// The last millisecond that belongs to it.
    pub fn close_time(&self) -> UnixMs {
        UnixMs(self.open_time.0 + i64::from(self.span_ms))
    }

    /// First price.
    pub fn open(&self) -> f64 {
        self.open
    }

    /// Highest price.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Lowest price.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// Last price.
    pub fn close(&self) -> f64 {
        self.close
    }

    /// Base asset traded.
    pub fn volume(&self) -> f64 {
        self.volume
    }

    /// Quote asset traded.
    pub fn quote_volume(&self) -> Option<f64> {
        given(self.quote_volume)
    }

    /// Number of trades.
    pub fn trades(&self) -> Option<u32> {
        (self.trades != NO_TRADES_GIVEN).then_some(self.trades)
    }

    /// Base asset bought by takers.
    pub fn taker_base(&self) -> Option<f64> {
        given(self.taker_base)
    }

    /// Quote asset spent by takers who bought.
    pub fn taker_quote(&self) -> Option<f64> {
        given(self.taker_quote)
    }
}

fn given(v: f64) -> Option<f64> {
    (v >= 0.0).then_some(v)
}

/// Whether a candle can still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finality {
    /// The exchange said so (`x=true`), or REST gave it well past its close.
    Closed,
    /// Still open, or not proved closed: a preview, never a signal.
    Forming,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> KlineFields {
        KlineFields {
            open_time: UnixMs(900_000),
            close_time: UnixMs(1_799_999),
            open: 2.0,
            high: 3.0,
            low: 1.0,
            close: 2.5,
            volume: 0.0,
            ..KlineFields::default()
        }
    }

    #[test]
    fn a_kline_is_small_and_says_what_it_was_not_given() {
        assert_eq!(size_of::<Kline>(), 80);
        let k = Kline::new(fields()).unwrap();
        assert_eq!((k.open_time(), k.close_time()), (UnixMs(900_000), UnixMs(1_799_999)));
        assert_eq!((k.trades(), k.quote_volume(), k.taker_base(), k.taker_quote()), (None, None, None, None));
        let k = Kline::new(KlineFields { trades: Some(0), quote_volume: Some(0.0), ..fields() }).unwrap();
        assert_eq!((k.trades(), k.quote_volume()), (Some(0), Some(0.0)));
    }

    #[test]
    fn what_is_no_candle_is_refused() {
        let f = fields();
        for (bad, why) in [
            (KlineFields { open: 0.0, ..f }, BadKline::Price),
            (KlineFields { close: f64::NAN, ..f }, BadKline::Price),
            (KlineFields { high: f64::INFINITY, ..f }, BadKline::Price),
            (KlineFields { high: 1e300, ..f }, BadKline::Price),
            (KlineFields { high: 2.2, ..f }, BadKline::Order),
            (KlineFields { low: 2.2, ..f }, BadKline::Order),
            (KlineFields { volume: -1.0, ..f }, BadKline::Volume),
            (KlineFields { volume: 1e300, ..f }, BadKline::Volume),
            (KlineFields { quote_volume: Some(f64::NAN), ..f }, BadKline::Volume),
            (KlineFields { close_time: UnixMs(900_000), ..f }, BadKline::Time),
            (KlineFields { open_time: UnixMs(-5), ..f }, BadKline::Time),
            (
                KlineFields {
                    open_time: UnixMs(1_760_000_000_000_000),
                    close_time: UnixMs(1_760_000_000_899_999),
                    ..f
                },
                BadKline::Time,
            ),
            (KlineFields { close_time: UnixMs(i64::MAX), ..f }, BadKline::Time),
        ] {
            assert_eq!(Kline::new(bad), Err(why), "{bad:?}");
        }
    }
}
