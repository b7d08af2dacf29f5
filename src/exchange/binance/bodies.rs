//! What REST answers, as candles, instruments and figures.
//!
//! Invariant: unknown fields and unknown values of enumerations cost nothing; an entry that can't
//! be read costs itself and is counted.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::wire::{Lenient, Number, change_pct, millis};
use crate::domain::kline::{Kline, KlineFields};
use crate::domain::symbol::{Instrument, Market, Pair, Symbol, Tick};
use crate::domain::time::UnixMs;
use crate::exchange::DayEvent;

/// The body has another shape than the route promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongShape;

fn from_str<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, WrongShape> {
    serde_json::from_str(body).map_err(|_| WrongShape)
}

/// A page of candles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KlineRows {
    /// Those that could be read, in the order given.
    pub rows: Vec<Kline>,
    /// How many could not.
    pub skipped: u32,
}

impl KlineRows {
    /// How many rows the page had.
    pub fn given(&self) -> usize {
        self.rows.len() + self.skipped as usize
    }
}

/// Reads the answer to a klines request.
pub fn klines(body: &str) -> Result<KlineRows, WrongShape> {
    // Rows of the right shape with impossible values are sorted out on the way; only a row of
    // another shape makes it look at each one by itself.
    if let Ok(page) = page(body) {
        return Ok(page);
    }
    let mut page = KlineRows::default();
    for row in from_str::<Vec<Lenient<WireRow>>>(body)? {
        match row {
            Lenient::Good(row) => page.push(&row),
            Lenient::Bad(_) => page.skipped += 1,
        }
    }
    Ok(page)
}

impl KlineRows {
    fn push(&mut self, row: &WireRow) {
        match row.read() {
            Some(kline) => self.rows.push(kline),
            None => self.skipped += 1,
        }
    }
}

/// Reads a page whose rows all have the right shape.
struct Page {
    /// How many rows to expect.
    about: usize,
}

impl<'de> Visitor<'de> for Page {
    type Value = KlineRows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of candles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<KlineRows, A::Error> {
        let mut page = KlineRows { rows: Vec::with_capacity(self.about), skipped: 0 };
        while let Some(row) = seq.next_element::<WireRow>()? {
            page.push(&row);
        }
        Ok(page)
    }
}

fn page(body: &str) -> serde_json::Result<KlineRows> {
    // A row has some 130 bytes, a short one 100.
    let about = (body.len() / 100).min(1_500);
    let mut json = serde_json::Deserializer::from_str(body);
    let page = json.deserialize_seq(Page { about })?;
    json.end().map(|()| page)
}

/// A row: open time, four prices, volume, close time, then what not every source has.
#[derive(Clone, Debug)]
struct WireRow {
    open_time: i64,
    prices: [f64; 4],
    volume: f64,
    close_time: i64,
    quote_volume: Option<Number>,
    trades: Option<i64>,
    taker_base: Option<Number>,
    taker_quote: Option<Number>,
}

impl WireRow {
    fn read(&self) -> Option<Kline> {
        let [open, high, low, close] = self.prices;
        Kline::new(KlineFields {
            open_time: UnixMs(self.open_time),
            close_time: UnixMs(self.close_time),
            open,
            high,
            low,
            close,
            volume: self.volume,
            quote_volume: self.quote_volume.map(|v| v.0),
            trades: self.trades.map(u32::try_from).transpose().ok()?,
            taker_base: self.taker_base.map(|v| v.0),
            taker_quote: self.taker_quote.map(|v| v.0),
        })
        .ok()
    }
}

impl<'de> Deserialize<'de> for WireRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;

        impl<'de> Visitor<'de> for Row {
            type Value = WireRow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a candle as an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WireRow, A::Error> {
                let mut place = 0;
                let row = WireRow {
                    open_time: need(&mut seq, &mut place)?,
                    prices: [
                        need::<_, Number>(&mut seq, &mut place)?.0,
                        need::<_, Number>(&mut seq, &mut place)?.0,
                        need::<_, Number>(&mut seq, &mut place)?.0,
                        need::<_, Number>(&mut seq, &mut place)?.0,
                    ],
                    volume: need::<_, Number>(&mut seq, &mut place)?.0,
                    close_time: need(&mut seq, &mut place)?,
                    quote_volume: seq.next_element()?,
                    trades: seq.next_element()?,
                    taker_base: seq.next_element()?,
                    taker_quote: seq.next_element()?,
                };
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(row)
            }
        }

        deserializer.deserialize_seq(Row)
    }
}

fn need<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A, place: &mut usize) -> Result<T, A::Error> {
    *place += 1;
    seq.next_element()?.ok_or_else(|| serde::de::Error::invalid_length(*place - 1, &"a whole candle"))
}

/// The exchange's time.
pub fn time(body: &str) -> Result<UnixMs, WrongShape> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        server_time: i64,
    }
    millis(from_str::<Body>(body)?.server_time).ok_or(WrongShape)
}

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

/// Reads `ticker/24hr`: figures of the pairs in `known`, and how many entries could not be read.
/// Pairs without a trade in the window have no figures, and that is no fault.
pub fn day_figures<S: std::hash::BuildHasher>(
    body: &str,
    market: Market,
    known: &HashSet<&str, S>,
) -> Result<(Vec<DayEvent>, u32), WrongShape> {
    let mut events = Vec::new();
    let mut skipped = 0;
    for entry in from_str::<Vec<Lenient<WireTicker<'_>>>>(body)? {
        match entry {
            Lenient::Good(t) if known.contains(&*t.symbol) => match t.read(market) {
                Some(event) => events.push(event),
                None if t.last_price.0 == 0.0 => {}
                None => skipped += 1,
            },
            Lenient::Good(_) => {}
            Lenient::Bad(_) => skipped += 1,
        }
    }
    Ok((events, skipped))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTicker<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    last_price: Number,
    open_price: Number,
    quote_volume: Number,
    close_time: i64,
}

impl WireTicker<'_> {
    fn read(&self, market: Market) -> Option<DayEvent> {
        Some(DayEvent {
            pair: Pair { market, symbol: self.symbol.parse::<Symbol>().ok()? },
            last: Some(self.last_price.0).filter(|v| v.is_finite() && *v > 0.0)?,
            change_pct: change_pct(self.open_price.0, self.last_price.0)?,
            quote_volume: Some(self.quote_volume.0).filter(|v| v.is_finite() && *v >= 0.0)?,
            event_time: millis(self.close_time)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = r#"[1760000400000,"2.0","3.0","1.5","2.5","10",1760001299999,"25","7","6","15","0"]"#;

    fn row() -> String {
        ROW.replace("\"7\"", "7")
    }

    #[test]
    fn a_row_has_twelve_fields_of_which_seven_are_needed() {
        let page = klines(&format!("[{},{}]", row(), r#"[1760001300000,"2","3","1","2","0",1760002199999]"#))
            .unwrap();
        assert_eq!((page.rows.len(), page.skipped), (2, 0));
        assert_eq!(page.rows[0].trades(), Some(7));
        assert_eq!(page.rows[0].taker_quote(), Some(15.0));
        assert_eq!((page.rows[1].trades(), page.rows[1].quote_volume()), (None, None));
        assert_eq!(klines("[]"), Ok(KlineRows::default()));
    }

    #[test]
    fn a_bad_row_costs_itself() {
        for bad in [
            r#"[1760000400000,"NaN","3.0","1.5","2.5","10",1760001299999]"#,
            r#"[1760000400000000,"2","3.0","1.5","2.5","10",1760001299999000]"#,
            r#"[1760000400000,"2","1.0","1.5","2.5","10",1760001299999]"#,
            r#"["a"]"#,
            "[]",
            "7",
            "{}",
            "null",
            r#"[1760000400000,{},"3.0","1.5","2.5","10",1760001299999]"#,
        ] {
            let page = klines(&format!("[{},{bad},{}]", row(), row())).unwrap();
            assert_eq!((page.rows.len(), page.skipped, page.given()), (2, 1, 3), "{bad}");
        }
        for wrong in ["", "{}", "[[1]", "<html>", r#"{"code":-1121,"msg":"Invalid symbol."}"#] {
            assert_eq!(klines(wrong), Err(WrongShape), "{wrong}");
        }
    }

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

    #[test]
    fn day_figures_are_of_known_pairs_and_dead_ones_have_none() {
        let t = |name: &str, last: &str| {
            format!(
                r#"{{"symbol":"{name}","lastPrice":"{last}","openPrice":"100","quoteVolume":"5","closeTime":1760000400000}}"#
            )
        };
        let body = format!(
            "[{},{},{},{},7]",
            t("BTCUSDT", "90"),
            t("BTCUSD_PERP", "9"),
            t("DEAD", "0"),
            t("BAD", "x")
        );
        let known = HashSet::from(["BTCUSDT", "DEAD", "BAD"]);
        let (events, skipped) = day_figures(&body, Market::UsdM, &known).unwrap();
        assert_eq!((events.len(), skipped), (1, 2));
        assert!((events[0].change_pct + 10.0).abs() < 1e-12);
    }

    #[test]
    fn the_time_is_in_milliseconds_or_not_the_time() {
        assert_eq!(time(r#"{"serverTime":1760000400000}"#), Ok(UnixMs(1_760_000_400_000)));
        for bad in ["{}", "[]", r#"{"serverTime":1760000400000000}"#, r#"{"serverTime":"x"}"#] {
            assert_eq!(time(bad), Err(WrongShape), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(cut in 0usize..400, at in 0usize..400, byte in prop::sample::select(b"[]{},\":-0e.n".to_vec())) {
            let mut body = format!("[{},{},{}]", row(), row(), row()).into_bytes();
            let n = body.len();
            body[at % n] = byte;
            body.truncate(cut);
            if let Ok(text) = std::str::from_utf8(&body) {
                let _ = (klines(text), exchange_info(text, Market::Spot), time(text));
                let _ = day_figures(text, Market::UsdM, &HashSet::new());
            }
        }
    }
}
