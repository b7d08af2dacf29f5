//! What the embedded exchange lists.

use super::candle::Scale;
use super::churn::Timeline;
use crate::domain::symbol::{BadSymbol, Market, Symbol};
use crate::domain::time::UnixMs;

/// What kind of contract a listing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// A pair of the spot market.
    Spot,
    /// A perpetual.
    Perpetual,
    /// A perpetual on a share or a commodity.
    TradFi,
    /// A perpetual margined in its coin: another product's, whose rows stand in arrays of all.
    Coin,
    /// A future that is delivered.
    Quarter {
        /// When.
        delivery: UnixMs,
    },
}

impl Contract {
    /// Whether `contractType=KIND` of continuous candles means it, in either case.
    pub(crate) fn is(self, kind: &str) -> bool {
        let word = match self {
            Self::Perpetual => "PERPETUAL",
            Self::TradFi => "TRADIFI_PERPETUAL",
            Self::Quarter { .. } => "CURRENT_QUARTER",
            Self::Spot | Self::Coin => return false,
        };
        word.eq_ignore_ascii_case(kind)
    }
}

/// Whether a listing trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Trading,
    /// It did: no candle opens at `since` or after.
    Gone {
        /// When it stopped.
        since: UnixMs,
    },
}

/// One instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Where.
    pub market: Market,
    /// Its name.
    pub symbol: Symbol,
    /// `BTC` of `BTCUSDT`.
    pub base: Symbol,
    /// `USDT` of `BTCUSDT`.
    pub quote: Symbol,
    /// What kind.
    pub contract: Contract,
    /// Whether it trades.
    pub status: Status,
    /// Digits of its figures.
    pub scale: Scale,
    /// When its first candle opened.
    pub onboard: UnixMs,
    /// What happened to it since the start.
    pub timeline: Timeline,
}

impl Listing {
    /// From when on it has no candles.
    pub(crate) fn gone(&self) -> Option<UnixMs> {
        match self.status {
            Status::Gone { since } => Some(since),
            Status::Trading => None,
        }
    }

    /// Whether the routes of its market know it.
    pub(crate) fn on_rest(&self) -> bool {
        self.contract != Contract::Coin
    }
}

const QUOTES: [&str; 12] =
    ["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "BTC", "ETH", "BNB", "TRY", "EUR", "BRL"];

/// Base and quote of a name such as `BTCUSDT` or `BTCUSDT_261225`; the quote is `USDT` where the
/// name does not say.
pub(crate) fn split(symbol: &Symbol) -> Result<(Symbol, Symbol), BadSymbol> {
    let pair = symbol.as_str().split('_').next().unwrap_or_default();
    let quote = QUOTES.into_iter().find(|q| pair.len() > q.len() && pair.ends_with(q));
    let base = quote.and_then(|q| pair.strip_suffix(q)).unwrap_or(pair);
    Ok((base.parse()?, quote.unwrap_or("USDT").parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_base_and_quote() {
        for (name, base, quote) in [
            ("BTCUSDT", "BTC", "USDT"),
            ("ETHBTC", "ETH", "BTC"),
            ("BTCUSDT_261225", "BTC", "USDT"),
            ("币安人生USDT", "币安人生", "USDT"),
            ("USDT", "USDT", "USDT"),
        ] {
            let (b, q) = split(&name.parse().unwrap()).unwrap();
            assert_eq!((b.as_str(), q.as_str()), (base, quote), "{name}");
        }
    }
}
