//! What there is to trade.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::wire::Lenient;
use super::{WrongShape, from_str};
use crate::domain::symbol::{Instrument, Market, Pair, Symbol, Tick};

/// What there is to trade, and how much may be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExchangeInfo {
    /// Pairs that trade, of the kind a scanner wants.
    pub trading: Vec<Instrument>,
    /// Pairs that trade and are of another kind.
    pub others: Vec<Instrument>,
    /// Pairs of any kind that do not trade now.
    pub not_trading: Vec<Pair>,
    /// Entries that could not be read.
    pub skipped: u32,
    /// Their names, as far as those could be: they exist.
    pub unread: Vec<Symbol>,
    /// Entries that were read and have a status, a kind or a filter that we do not know.
    pub unknown: u32,
    /// Request weight allowed a minute, where it says so.
    pub weight_limit: Option<u32>,
}

impl ExchangeInfo {
    fn skip(&mut self, name: &str) {
        self.skipped += 1;
        self.unread.extend(name.parse());
    }
}

/// Reads `exchangeInfo` of either market.
pub fn exchange_info(body: &str, market: Market) -> Result<ExchangeInfo, WrongShape> {
    let wire: WireInfo<'_> = from_str(body)?;
    let mut info = ExchangeInfo { weight_limit: weight_limit(&wire.rate_limits), ..ExchangeInfo::default() };
    for entry in wire.symbols {
        let entry = match entry {
            Entry::Good(entry) => entry,
            Entry::Named { symbol } => {
                info.skip(&symbol);
                continue;
            }
            Entry::Bad(_) => {
                info.skipped += 1;
                continue;
            }
        };
        info.unknown += u32::from(entry.has_unknown(market));
        let Some(instrument) = entry.instrument(market) else {
            info.skip(&entry.symbol);
            continue;
        };
        let trades = entry.status() == Some("TRADING") && entry.is_spot_trading_allowed != Some(false);
        if !trades {
            info.not_trading.push(instrument.pair);
        } else if entry.wanted(market) {
            info.trading.push(instrument);
        } else {
            info.others.push(instrument);
        }
    }
    Ok(info)
}

/// The pool that counts weight by the minute.
fn weight_limit(limits: &[Lenient<WireLimit<'_>>]) -> Option<u32> {
    limits.iter().find_map(|l| match l {
        Lenient::Good(l) if l.rate_limit_type == "REQUEST_WEIGHT" && l.interval == "MINUTE" => {
            l.limit.checked_div(l.interval_num.unwrap_or(1))
        }
        _ => None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireInfo<'a> {
    #[serde(borrow, default)]
    rate_limits: Vec<Lenient<WireLimit<'a>>>,
    #[serde(borrow)]
    symbols: Vec<Entry<'a>>,
}

/// A pair, or at least its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry<'a> {
    Good(#[serde(borrow)] WireSymbol<'a>),
    Named {
        #[serde(borrow)]
        symbol: Cow<'a, str>,
    },
    Bad(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLimit<'a> {
    #[serde(borrow)]
    rate_limit_type: Cow<'a, str>,
    #[serde(borrow)]
    interval: Cow<'a, str>,
    interval_num: Option<u32>,
    limit: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSymbol<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    contract_status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    contract_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    underlying_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    base_asset: Cow<'a, str>,
    #[serde(borrow)]
    quote_asset: Cow<'a, str>,
    is_spot_trading_allowed: Option<bool>,
    #[serde(borrow, default)]
    filters: Vec<Lenient<WireFilter<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFilter<'a> {
    #[serde(borrow)]
    filter_type: Cow<'a, str>,
    #[serde(borrow)]
    tick_size: Option<Cow<'a, str>>,
}

/// What the exchange is known to say. A value beyond these costs nothing; it is counted, since it
/// may mean something that this program should know.
const STATUSES: [&str; 14] = [
    "TRADING",
    "END_OF_DAY",
    "HALT",
    "BREAK",
    "CANCEL_ONLY",
    "PENDING_TRADING",
    "PRE_DELIVERING",
    "DELIVERING",
    "DELIVERED",
    "PRE_SETTLE",
    "SETTLING",
    "CLOSE",
    "TRADING_HALT",
    "TRADING_CANCEL_ONLY",
];
const CONTRACTS: [&str; 8] = [
    "PERPETUAL",
    "TRADIFI_PERPETUAL",
    "CURRENT_MONTH",
    "NEXT_MONTH",
    "CURRENT_QUARTER",
    "NEXT_QUARTER",
    "PERPETUAL DELIVERING",
    "CURRENT_QUARTER DELIVERING",
];
const UNDERLYINGS: [&str; 9] =
    ["COIN", "EQUITY", "HK_EQUITY", "KR_EQUITY", "CN_EQUITY", "COMMODITY", "PREMARKET", "INDEX", "FX"];
const FILTERS: [&str; 17] = [
    "PRICE_FILTER",
    "LOT_SIZE",
    "MARKET_LOT_SIZE",
    "MIN_NOTIONAL",
    "NOTIONAL",
    "PERCENT_PRICE",
    "PERCENT_PRICE_BY_SIDE",
    "POSITION_RISK_CONTROL",
    "MAX_POSITION",
    "MAX_NUM_ORDERS",
    "MAX_NUM_ALGO_ORDERS",
    "MAX_NUM_ICEBERG_ORDERS",
    "MAX_NUM_ORDER_LISTS",
    "MAX_NUM_ORDER_AMENDS",
    "ICEBERG_PARTS",
    "TRAILING_DELTA",
    "INVERSE_PRICE_FILTER",
];

impl WireSymbol<'_> {
    fn status(&self) -> Option<&str> {
        self.status.as_deref().or(self.contract_status.as_deref())
    }

    fn has_unknown(&self, market: Market) -> bool {
        let odd =
            |value: Option<&str>, known: &[&str]| value.is_some_and(|v| !v.is_empty() && !known.contains(&v));
        let filter = |f: &Lenient<WireFilter<'_>>| match f {
            Lenient::Good(f) => !FILTERS.contains(&&*f.filter_type),
            Lenient::Bad(_) => true,
        };
        let kind = market == Market::UsdM
            && (odd(self.contract_type.as_deref(), &CONTRACTS)
                || odd(self.underlying_type.as_deref(), &UNDERLYINGS));
        kind || odd(self.status(), &STATUSES) || self.filters.iter().any(filter)
    }

    /// Quarterlies, perpetuals on shares and kinds not yet invented are no rows of the scanner
    /// unless they are named.
    fn wanted(&self, market: Market) -> bool {
        match market {
            Market::UsdM => self.contract_type.as_deref() == Some("PERPETUAL"),
            Market::Spot => true,
        }
    }

    fn instrument(&self, market: Market) -> Option<Instrument> {
        let step = self.filters.iter().find_map(|f| match f {
            Lenient::Good(f) if f.filter_type == "PRICE_FILTER" => f.tick_size.as_deref(),
            _ => None,
        });
        Some(Instrument {
            pair: Pair { market, symbol: self.symbol.parse().ok()? },
            base: self.base_asset.parse().ok()?,
            quote: self.quote_asset.parse().ok()?,
            tick: Tick::parse(step?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str, more: &str) -> String {
        format!(
            r#"{{"symbol":"{name}","baseAsset":"A","quoteAsset":"USDT","filters":[{{"filterType":"NEW","x":1}},{{"filterType":"PRICE_FILTER","tickSize":"0.010"}}],{more}}}"#
        )
    }

    #[test]
    fn item_26_unknown_values_cost_no_symbol_and_are_counted() {
        let perpetual = r#""contractType":"PERPETUAL","status":"TRADING""#;
        let entries = [
            symbol("BTCUSDT", perpetual),
            symbol("币安人生USDT", &format!(r#"{perpetual},"underlyingType":"NEVER_HEARD_OF""#)),
            symbol("OLDUSDT", r#""contractType":"PERPETUAL","status":"SETTLING""#),
            symbol("ODDUSDT", r#""contractType":"PERPETUAL","status":"WHATEVER_COMES""#),
            symbol("BTCUSDT_261225", r#""contractType":"CURRENT_QUARTER","status":"TRADING""#),
            symbol("WHATUSDT", r#""contractType":"KIND_OF_2027","status":"TRADING""#),
            symbol("BADSETUSDT", perpetual).replace(r#"{"filterType":"NEW","x":1}"#, "[7]"),
            symbol("TSLAUSDT", r#""contractType":"TRADIFI_PERPETUAL","status":"TRADING""#),
            symbol("A B", perpetual),
            symbol("NOTICK", perpetual).replace("0.010", "x"),
            r#"{"symbol":"NOASSETUSDT"}"#.to_owned(),
            r#"{"symbol":7}"#.to_owned(),
            "null".to_owned(),
        ];
        let limits = r#"[{"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200},{"odd":1},{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400}]"#;
        let body = format!(r#"{{"rateLimits":{limits},"new":{{}},"symbols":[{}]}}"#, entries.join(","));
        let info = exchange_info(&body, Market::UsdM).unwrap();
        let names: Vec<&str> = info.trading.iter().map(|i| i.pair.symbol.as_str()).collect();
        assert_eq!(names, ["BTCUSDT", "币安人生USDT", "BADSETUSDT"]);
        let names: Vec<&str> = info.others.iter().map(|i| i.pair.symbol.as_str()).collect();
        assert_eq!(names, ["BTCUSDT_261225", "WHATUSDT", "TSLAUSDT"], "only where they are named");
        assert_eq!(info.trading[0].tick.decimals, 2);
        let names: Vec<&str> = info.not_trading.iter().map(|p| p.symbol.as_str()).collect();
        assert_eq!(names, ["OLDUSDT", "ODDUSDT"]);
        assert_eq!((info.skipped, info.weight_limit), (5, Some(2_400)));
        let names: Vec<&str> = info.unread.iter().map(Symbol::as_str).collect();
        assert_eq!(names, ["NOTICK", "NOASSETUSDT"], "they exist, whatever they are");
        // Each of them has the filter `NEW`, or one of no known shape.
        assert_eq!(info.unknown, 10);
        let usual = |more: &str| symbol("BTCUSDT", more).replace(r#"{"filterType":"NEW","x":1},"#, "");
        for (more, unknown) in [
            (perpetual, 0),
            (r#""contractType":"PERPETUAL","status":"WHATEVER_COMES""#, 1),
            (r#""contractType":"KIND_OF_2027","status":"TRADING""#, 1),
            (r#""contractType":"PERPETUAL","status":"TRADING","underlyingType":"NEVER_HEARD_OF""#, 1),
        ] {
            let body = format!(r#"{{"symbols":[{}]}}"#, usual(more));
            assert_eq!(exchange_info(&body, Market::UsdM).unwrap().unknown, unknown, "{more}");
        }
        assert_eq!(exchange_info("{}", Market::UsdM), Err(WrongShape));
    }

    #[test]
    fn spot_has_no_contract_types() {
        let body = format!(
            r#"{{"symbols":[{},{},{}]}}"#,
            symbol("BTCUSDT", r#""status":"TRADING","isSpotTradingAllowed":true"#),
            symbol("OFFUSDT", r#""status":"TRADING","isSpotTradingAllowed":false"#),
            symbol("OLDUSDT", r#""status":"BREAK""#),
        );
        let info = exchange_info(&body, Market::Spot).unwrap();
        assert_eq!((info.trading.len(), info.not_trading.len(), info.weight_limit), (1, 2, None));
    }
}
