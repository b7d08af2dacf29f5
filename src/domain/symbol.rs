//! What is traded, and where.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::interval::Interval;
use super::text;

/// One of Binance's markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Market {
    /// USD-margined perpetuals (and quarterlies), `fapi`.
    UsdM,
    /// Spot, `api`.
    Spot,
}

impl Market {
    /// Every market, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::UsdM, Self::Spot];

    /// The name in options and exports: `usdm`, `spot`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsdM => "usdm",
            Self::Spot => "spot",
        }
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Market {
    type Err = UnknownMarket;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|m| m.as_str() == s).ok_or(UnknownMarket)
    }
}

/// The market's name is neither `usdm` nor `spot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a market is `usdm` or `spot`")]
pub struct UnknownMarket;

/// The exchange's name of a pair: `BTCUSDT`, `1000PEPEUSDT`, `BTCUSDT_261225`, `币安人生USDT`.
///
/// Valid by construction: 1 to 64 characters, none of them white space, a control character or
/// one of `"\/,?#&%`. Case is kept, as the exchange gave it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// The longest name accepted, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the count of coins that a contract is of, and that count: `PEPEUSDT` and
    /// 1000 of `1000PEPEUSDT`.
    pub fn without_count(&self) -> (&str, f64) {
        for (count, coins) in [("1000000", 1e6), ("1000", 1e3)] {
            if let Some(coin) = self.0.strip_prefix(count).filter(|c| c.starts_with(char::is_alphabetic)) {
                return (coin, coins);
            }
        }
        (&self.0, 1.0)
    }

    /// The name as stream names want it: ASCII letters lowercased, all else untouched.
    pub fn to_stream_name(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Symbol {
    type Err = BadSymbol;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let bad = |c: char| c.is_whitespace() || text::is_unsafe(c) || "\"\\/,?#&%".contains(c);
        let chars = s.chars().count();
        if chars == 0 || chars > Self::MAX_CHARS || s.contains(bad) {
            return Err(BadSymbol);
        }
        Ok(Self(s.into()))
    }
}

/// The text can't be the name of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a symbol has 1 to 64 characters and no spaces, control characters or any of \"\\/,?#&%")]
pub struct BadSymbol;

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pair on a market: what a row of the scanner is keyed by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// Where.
    pub market: Market,
    /// What.
    pub symbol: Symbol,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.market, self.symbol)
    }
}

/// One series of candles: what a lane of the cache and a kline stream are keyed by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// Whose candles.
    pub pair: Pair,
    /// How long each is.
    pub interval: Interval,
}

impl SeriesKey {
    /// The series of `pair` on `interval`.
    pub fn new(pair: Pair, interval: Interval) -> Self {
        Self { pair, interval }
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.pair, self.interval)
    }
}

/// What the exchange says about a pair, as far as a scanner needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// The pair.
    pub pair: Pair,
    /// `BTC` of `BTCUSDT`.
    pub base: Symbol,
    /// `USDT` of `BTCUSDT`.
    pub quote: Symbol,
    /// The price step, from the price filter; how many digits a price is shown with.
    pub tick: Tick,
}

/// A price step, kept as the number of decimals it needs: `0.10` → 1, `0.0000001` → 7, `1` → 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tick {
    /// Digits behind the point.
    pub decimals: u8,
}

impl Tick {
    /// Reads the step as the exchange writes it. Trailing zeros do not count.
    pub fn parse(step: &str) -> Option<Self> {
        step.parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0)?;
        let decimals = step.split_once('.').map_or(0, |(_, frac)| frac.trim_end_matches('0').len());
        u8::try_from(decimals).ok().filter(|d| *d <= 16).map(|decimals| Self { decimals })
    }

    /// `price` with this step's digits.
    pub fn format(self, price: f64) -> String {
        format!("{price:.*}", usize::from(self.decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_exchange_has_are_symbols_and_hostile_ones_are_not() {
        for good in ["BTCUSDT", "1000PEPEUSDT", "BTCUSDT_261225", "BTCUSD_PERP", "币安人生USDT"] {
            assert_eq!(good.parse::<Symbol>().unwrap().as_str(), good);
        }
        for bad in ["", "A B", "A\x1b[2J", "A\u{202e}B", "a/b", "a\"b", &"X".repeat(65)] {
            assert_eq!(bad.parse::<Symbol>(), Err(BadSymbol), "{bad:?}");
        }
    }

    #[test]
    fn a_count_of_coins_is_told_from_a_name_that_begins_with_a_digit() {
        for (name, coin, coins) in [
            ("1000PEPEUSDT", "PEPEUSDT", 1e3),
            ("1000000MOGUSDT", "MOGUSDT", 1e6),
            ("1INCHUSDT", "1INCHUSDT", 1.0),
            ("10000SATSUSDT", "10000SATSUSDT", 1.0),
            ("BTCUSDT", "BTCUSDT", 1.0),
            ("1000", "1000", 1.0),
        ] {
            assert_eq!(name.parse::<Symbol>().unwrap().without_count(), (coin, coins), "{name}");
        }
    }

    #[test]
    fn stream_names_lower_ascii_only() {
        assert_eq!("ÄBTC币USDT".parse::<Symbol>().unwrap().to_stream_name(), "Äbtc币usdt");
    }

    #[test]
    fn a_tick_counts_the_digits_a_price_needs() {
        for (step, decimals) in [("0.10", 1), ("0.00000100", 6), ("1", 0), ("10.000", 0)] {
            assert_eq!(Tick::parse(step).unwrap().decimals, decimals, "{step}");
        }
        for bad in ["", "0", "-1", "x", "NaN", "inf"] {
            assert_eq!(Tick::parse(bad), None, "{bad}");
        }
        assert_eq!(Tick { decimals: 7 }.format(0.01), "0.0100000");
    }
}
