//! The exchange's names on the wire, this server's own copy: a mistake in the client's is not
//! repeated here.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::candle::{Candle, Fixed};
use super::listing::{Contract, Listing, Status};
use super::truth::Day;
use super::weight;
use crate::domain::interval::Interval;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

/// A perpetual's delivery date.
const NEVER: i64 = 4_133_404_800_000;

/// The figures of a candle as the exchange prints them.
struct Figures {
    open: Fixed,
    high: Fixed,
    low: Fixed,
    close: Fixed,
    volume: Fixed,
    quote: Fixed,
    taker_base: Fixed,
    taker_quote: Fixed,
}

fn figures(listing: &Listing, c: &Candle) -> Figures {
    // Spot pads to eight digits, futures follow the tick.
    let pad = if listing.market == Market::Spot { 8 } else { 0 };
    let price = |units| Fixed { units, decimals: listing.scale.price, pad };
    let volume = |units| Fixed { units, decimals: listing.scale.volume, pad };
    let quote = |units| Fixed { units, decimals: listing.scale.quote, pad };
    Figures {
        open: price(c.open),
        high: price(c.high),
        low: price(c.low),
        close: price(c.close),
        volume: volume(c.volume),
        quote: quote(c.quote),
        taker_base: volume(c.taker_base),
        taker_quote: quote(c.taker_quote),
    }
}

/// In what the exchange counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Milli,
    Micro,
}

impl TimeUnit {
    /// A time that begins something.
    pub(crate) fn of(self, t: UnixMs) -> i64 {
        match self {
            Self::Milli => t.0,
            Self::Micro => t.0 * 1_000,
        }
    }

    /// The last one of a millisecond.
    fn last(self, t: UnixMs) -> i64 {
        self.of(UnixMs(t.0 + 1)) - 1
    }
}

/// The rows of a klines answer.
pub(crate) fn kline_rows(listing: &Listing, candles: &[Candle]) -> String {
    kline_rows_in(listing, candles, TimeUnit::Milli)
}

/// The same with times in `unit`.
pub(crate) fn kline_rows_in(listing: &Listing, candles: &[Candle], unit: TimeUnit) -> String {
    let mut out = String::with_capacity(2 + candles.len() * 160);
    out.push('[');
    for (n, c) in candles.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let f = figures(listing, c);
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "{comma}[{},\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",{},\"{}\",{},\"{}\",\"{}\",\"0\"]",
            unit.of(c.open_time),
            f.open,
            f.high,
            f.low,
            f.close,
            f.volume,
            unit.last(c.close_time),
            f.quote,
            c.trades,
            f.taker_base,
            f.taker_quote
        );
    }
    out.push(']');
    out
}

/// Whether a frame says that its candle is closed, and its stamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) event: UnixMs,
    pub(crate) closed: bool,
}

/// In which form a candle is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// By its symbol.
    Symbol,
    /// By pair and kind of contract.
    Continuous,
}

/// The data of a kline frame.
pub(crate) fn kline_event(
    listing: &Listing,
    (interval, form): (Interval, Form),
    c: &Candle,
    stamp: Stamp,
) -> String {
    let f = figures(listing, c);
    let symbol = &listing.symbol;
    let (head, name) = match form {
        Form::Symbol => (
            format!("{{\"e\":\"kline\",\"E\":{},\"s\":\"{symbol}\"", stamp.event),
            format!("\"s\":\"{symbol}\","),
        ),
        Form::Continuous => {
            let kind = contract_type(listing, stamp.event).to_owned();
            let pair = format!("\"ps\":\"{}{}\",\"ct\":\"{kind}\"", listing.base, listing.quote);
            (format!("{{\"e\":\"continuous_kline\",\"E\":{},{pair}", stamp.event), String::new())
        }
    };
    // Ids of trades grow with time; a candle without trades has none.
    let (first, last) = if c.trades == 0 { (-1, -1) } else { (c.open_time.0, c.open_time.0 + c.trades - 1) };
    format!(
        "{head},\"k\":{{\"t\":{},\"T\":{},{name}\"i\":\"{interval}\",\
         \"f\":{first},\"L\":{last},\"o\":\"{}\",\"c\":\"{}\",\"h\":\"{}\",\"l\":\"{}\",\"v\":\"{}\",\"n\":{},\"x\":{},\
         \"q\":\"{}\",\"V\":\"{}\",\"Q\":\"{}\",\"B\":\"0\"}}}}",
        c.open_time,
        c.close_time,
        f.open,
        f.close,
        f.high,
        f.low,
        f.volume,
        c.trades,
        stamp.closed,
        f.quote,
        f.taker_base,
        f.taker_quote
    )
}

/// What USD-M's events say of the product, beside the symbol.
fn product(listing: &Listing) -> String {
    if listing.market == Market::Spot {
        return String::new();
    }
    let st = if listing.contract == Contract::Coin { 2 } else { 1 };
    format!(",\"ps\":\"{}{}\",\"st\":{st}", listing.base, listing.quote)
}

/// The data of a ticker frame, and one entry of `!ticker@arr`.
pub(crate) fn ticker_event(listing: &Listing, day: &Day, event: UnixMs) -> String {
    let c = &day.whole;
    let f = figures(listing, c);
    let (change, per_cent) = change(c, f.open);
    let (first, last) = if c.trades == 0 { (-1, -1) } else { (c.open_time.0, c.open_time.0 + c.trades - 1) };
    let spot = if listing.market == Market::Spot {
        format!(",\"x\":\"{}\",\"b\":\"{}\",\"B\":\"0\",\"a\":\"{}\",\"A\":\"0\"", f.open, f.close, f.close)
    } else {
        product(listing)
    };
    format!(
        "{{\"e\":\"24hrTicker\",\"E\":{event},\"s\":\"{}\",\"p\":\"{change}\",\"P\":\"{per_cent}\",\"w\":\"{}\",\
         \"c\":\"{}\",\"Q\":\"0\",\"o\":\"{}\",\"h\":\"{}\",\"l\":\"{}\",\"v\":\"{}\",\"q\":\"{}\",\
         \"O\":{},\"C\":{event},\"F\":{first},\"L\":{last},\"n\":{}{spot}}}",
        listing.symbol,
        f.close,
        f.close,
        f.open,
        f.high,
        f.low,
        f.volume,
        f.quote,
        event.0 - 86_400_000,
        c.trades
    )
}

/// The data of a mark price; the price of the last trade stands for all of them.
pub(crate) fn mark_price(listing: &Listing, day: &Day, event: UnixMs) -> String {
    let price = figures(listing, &day.whole).close;
    let funding = event.0 - event.0.rem_euclid(28_800_000) + 28_800_000;
    format!(
        "{{\"e\":\"markPriceUpdate\",\"E\":{event},\"s\":\"{}\",\"p\":\"{price}\",\"ap\":\"{price}\",\"P\":\"{price}\",\
         \"i\":\"{price}\",\"r\":\"0.00010000\",\"T\":{funding}{}}}",
        listing.symbol,
        product(listing)
    )
}

/// The announcement that a socket is about to be closed.
pub(crate) fn server_shutdown(now: UnixMs, wrapped: bool) -> String {
    let event = format!("{{\"e\":\"serverShutdown\",\"E\":{now}}}");
    if wrapped { combined("!serverShutdown", &event) } else { event }
}

/// The data of a contract's change.
pub(crate) fn contract_info(l: &Listing, now: UnixMs) -> String {
    format!(
        "{{\"e\":\"contractInfo\",\"E\":{now},\"s\":\"{}\",\"ps\":\"{}{}\",\"ct\":\"{}\",\"dt\":{},\"ot\":{},\"cs\":\"{}\",\"st\":{}}}",
        l.symbol,
        l.base,
        l.quote,
        contract_type(l, now),
        delivery(l),
        l.onboard,
        status(l, now),
        if l.contract == Contract::Coin { 2 } else { 1 }
    )
}

/// A day's change as a price and in per cent, to three digits as the exchange prints it.
fn change(c: &Candle, price: Fixed) -> (Fixed, Fixed) {
    let per_cent =
        if c.open == 0 { 0 } else { (i128::from(c.close - c.open) * 100_000) / i128::from(c.open) };
    let per_cent = Fixed { units: i64::try_from(per_cent).unwrap_or(0), decimals: 3, pad: 0 };
    (Fixed { units: c.close - c.open, ..price }, per_cent)
}

/// One entry of `!miniTicker@arr`.
pub(crate) fn mini_ticker(listing: &Listing, day: &Day, event: UnixMs) -> String {
    let f = figures(listing, &day.whole);
    let mut out = format!(
        "{{\"e\":\"24hrMiniTicker\",\"E\":{event},\"s\":\"{}\",\"c\":\"{}\",\"o\":\"{}\",\"h\":\"{}\",\"l\":\"{}\",\"v\":\"{}\",\"q\":\"{}\"",
        listing.symbol, f.close, f.open, f.high, f.low, f.volume, f.quote
    );
    out.push_str(&product(listing));
    out.push('}');
    out
}

/// A data frame of a combined connection.
pub(crate) fn combined(stream: &str, data: &str) -> String {
    format!("{{\"stream\":\"{stream}\",\"data\":{data}}}")
}

/// One entry of the 24 h ticker; zeros where there is nothing to tell, as the exchange does.
pub(crate) fn ticker(listing: &Listing, day: Option<&Day>, now: UnixMs) -> Value {
    let zero = Candle {
        open_time: UnixMs(now.0 - 86_400_000),
        close_time: now,
        open: 0,
        high: 0,
        low: 0,
        close: 0,
        volume: 0,
        quote: 0,
        trades: 0,
        taker_base: 0,
        taker_quote: 0,
    };
    let c = day.map_or(zero, |d| d.whole);
    let f = figures(listing, &c);
    let (change, per_cent) = change(&c, f.open);
    let mut entry = json!({
        "symbol": listing.symbol.as_str(),
        "priceChange": change.to_string(),
        "priceChangePercent": per_cent.to_string(),
        "weightedAvgPrice": f.close.to_string(),
        "lastPrice": f.close.to_string(),
        "lastQty": "0",
        "openPrice": f.open.to_string(),
        "highPrice": f.high.to_string(),
        "lowPrice": f.low.to_string(),
        "volume": f.volume.to_string(),
        "quoteVolume": f.quote.to_string(),
        "openTime": now.0 - 86_400_000,
        "closeTime": now.0,
        "firstId": if c.trades == 0 { -1 } else { c.open_time.0 },
        "lastId": if c.trades == 0 { -1 } else { c.open_time.0 + c.trades - 1 },
        "count": c.trades,
    });
    if let (Market::Spot, Some(entry)) = (listing.market, entry.as_object_mut()) {
        for (name, value) in [("prevClosePrice", &f.open), ("bidPrice", &f.close), ("askPrice", &f.close)] {
            entry.insert(name.to_owned(), Value::String(value.to_string()));
        }
    }
    entry
}

/// The answer of `exchangeInfo`.
pub(crate) fn exchange_info(market: Market, listings: &[Arc<Listing>], (now, skew): (UnixMs, i64)) -> Value {
    let weight = weight::limit(market);
    let limits = json!([
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]);
    let symbols: Vec<Value> = listings.iter().map(|l| instrument(l, now)).collect();
    match market {
        Market::UsdM => json!({
            "timezone": "UTC", "serverTime": now.0 + skew, "futuresType": "U_MARGINED", "rateLimits": limits,
            "exchangeFilters": [], "assets": [{"asset": "USDT", "marginAvailable": true, "autoAssetExchange": "-10000"}],
            "symbols": symbols,
        }),
        Market::Spot => json!({
            "timezone": "UTC", "serverTime": now.0 + skew, "rateLimits": limits, "exchangeFilters": [], "symbols": symbols,
        }),
    }
}

fn instrument(l: &Listing, now: UnixMs) -> Value {
    let step = |decimals: u8| Fixed { units: 1, decimals, pad: 0 }.to_string();
    let (tick, lot) = (step(l.scale.price), step(l.scale.volume));
    let mut filters = vec![
        json!({"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "4529764", "tickSize": tick}),
        json!({"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "10000000", "stepSize": lot}),
        json!({"filterType": "MARKET_LOT_SIZE", "minQty": lot, "maxQty": "10000000", "stepSize": lot}),
    ];
    if l.contract == Contract::Spot {
        filters.push(json!({"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": true,
            "maxNotional": "9000000.00000000", "applyMaxToMarket": false, "avgPriceMins": 5}));
    } else {
        filters.push(json!({"filterType": "MAX_NUM_ORDERS", "limit": 200}));
        filters.push(json!({"filterType": "MIN_NOTIONAL", "notional": "5"}));
    }
    if let Some(strange) = l.timeline.label(now, |labels| labels.filter.as_deref()) {
        filters.push(json!({"filterType": strange, "anything": {"nested": [1, 2.5]}}));
    }
    let status = status(l, now);
    let kind = match l.contract {
        Contract::Spot => return spot_instrument(l, status, &filters),
        Contract::TradFi => "EQUITY",
        _ => "COIN",
    };
    let kind = l.timeline.label(now, |labels| labels.underlying_type.as_deref()).unwrap_or(kind);
    let (contract, delivery) = (contract_type(l, now), delivery(l));
    let margin = if l.contract == Contract::Coin { &l.base } else { &l.quote };
    json!({
        "symbol": l.symbol.as_str(), "pair": format!("{}{}", l.base, l.quote), "contractType": contract,
        "deliveryDate": delivery, "onboardDate": l.onboard.0, "status": status,
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000",
        "baseAsset": l.base.as_str(), "quoteAsset": l.quote.as_str(), "marginAsset": margin.as_str(),
        "pricePrecision": l.scale.price, "quantityPrecision": l.scale.volume,
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": kind, "underlyingSubType": [],
        "triggerProtect": "0.0500", "liquidationFee": "0.012500", "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000, "filters": filters,
        "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    })
}

/// The exchange's word for the kind of contract.
pub(crate) fn contract_type(l: &Listing, now: UnixMs) -> &str {
    let usual = match l.contract {
        Contract::Spot => "SPOT",
        Contract::Perpetual | Contract::Coin => "PERPETUAL",
        Contract::TradFi => "TRADIFI_PERPETUAL",
        Contract::Quarter { .. } => "CURRENT_QUARTER",
    };
    l.timeline.label(now, |labels| labels.contract_type.as_deref()).unwrap_or(usual)
}

fn delivery(l: &Listing) -> i64 {
    match (l.gone(), l.contract) {
        (Some(since), _) => since.0,
        (None, Contract::Quarter { delivery }) => delivery.0,
        (None, _) => NEVER,
    }
}

fn spot_instrument(l: &Listing, status: &str, filters: &[Value]) -> Value {
    let mut entry = json!({
        "symbol": l.symbol.as_str(), "status": status,
        "baseAsset": l.base.as_str(), "baseAssetPrecision": 8,
        "quoteAsset": l.quote.as_str(), "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"], "icebergAllowed": true, "ocoAllowed": true, "otoAllowed": true,
        "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": true, "cancelReplaceAllowed": true,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "permissions": [], "permissionSets": [["SPOT"]],
    });
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("filters".to_owned(), json!(filters));
    }
    entry
}

/// The exchange's word for whether it trades.
pub(crate) fn status(l: &Listing, now: UnixMs) -> &str {
    let usual = match (l.status, l.market) {
        (Status::Gone { since }, Market::UsdM) if since <= now => "SETTLING",
        (Status::Gone { since }, Market::Spot) if since <= now => "BREAK",
        _ if l.onboard > now => "PENDING_TRADING",
        _ => "TRADING",
    };
    l.timeline.label(now, |labels| labels.status.as_deref()).unwrap_or(usual)
}

/// The entry of `ticker/price`; `time` as the second version of USD-M's has it.
pub(crate) fn price(listing: &Listing, day: &Day, time: Option<UnixMs>) -> Value {
    let price = figures(listing, &day.whole).close.to_string();
    let mut entry = json!({"symbol": listing.symbol.as_str(), "price": price});
    if let (Some(time), Some(entry)) = (time, entry.as_object_mut()) {
        entry.insert("time".to_owned(), json!(time.0));
    }
    entry
}

/// An error body of REST.
pub(crate) fn error(code: i32, message: &str) -> String {
    json!({"code": code, "msg": message}).to_string()
}

/// An error answer on a socket, in the shape of the documents.
pub(crate) fn flat_error(id: &Value, code: i32, message: &str) -> String {
    json!({"code": code, "msg": message, "id": id}).to_string()
}

/// A success answer on a socket.
pub(crate) fn result(id: &Value, result: &Value) -> String {
    json!({"result": result, "id": id}).to_string()
}

/// An error answer on a socket.
pub(crate) fn socket_error(id: &Value, code: i32, message: &str) -> String {
    json!({"error": {"code": code, "msg": message}, "id": id}).to_string()
}
