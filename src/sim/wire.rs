//! The exchange's names on the wire, this server's own copy: a mistake in the client's is not
//! repeated here.

use std::fmt::Write as _;

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

/// The rows of a klines answer.
pub(crate) fn kline_rows(listing: &Listing, candles: &[Candle]) -> String {
    let mut out = String::with_capacity(2 + candles.len() * 160);
    out.push('[');
    for (n, c) in candles.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let f = figures(listing, c);
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "{comma}[{},\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",{},\"{}\",{},\"{}\",\"{}\",\"0\"]",
            c.open_time,
            f.open,
            f.high,
            f.low,
            f.close,
            f.volume,
            c.close_time,
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

/// The data of a kline frame.
pub(crate) fn kline_event(listing: &Listing, interval: Interval, c: &Candle, stamp: Stamp) -> String {
    let f = figures(listing, c);
    let symbol = &listing.symbol;
    // Ids of trades grow with time; a candle without trades has none.
    let (first, last) = if c.trades == 0 { (-1, -1) } else { (c.open_time.0, c.open_time.0 + c.trades - 1) };
    format!(
        "{{\"e\":\"kline\",\"E\":{},\"s\":\"{symbol}\",\"k\":{{\"t\":{},\"T\":{},\"s\":\"{symbol}\",\"i\":\"{interval}\",\
         \"f\":{first},\"L\":{last},\"o\":\"{}\",\"c\":\"{}\",\"h\":\"{}\",\"l\":\"{}\",\"v\":\"{}\",\"n\":{},\"x\":{},\
         \"q\":\"{}\",\"V\":\"{}\",\"Q\":\"{}\",\"B\":\"0\"}}}}",
        stamp.event,
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

/// The fields by which the shared arrays of USD-M and COIN-M tell whose a row is.
fn product(listing: &Listing) -> String {
    match listing.market {
        Market::Spot => String::new(),
        Market::UsdM => {
            let coin_margined = listing.symbol.as_str().ends_with("USD_PERP");
            format!(",\"ps\":\"{}{}\",\"st\":{}", listing.base, listing.quote, 1 + u8::from(coin_margined))
        }
    }
}

/// One entry of `!ticker@arr`.
pub(crate) fn day_ticker(listing: &Listing, day: &Day, event: UnixMs) -> String {
    let c = &day.whole;
    let f = figures(listing, c);
    let (first, last) = if c.trades == 0 { (-1, -1) } else { (c.open_time.0, c.open_time.0 + c.trades - 1) };
    let (change, per_cent) = change(c, &f);
    format!(
        "{{\"e\":\"24hrTicker\",\"E\":{event},\"s\":\"{}\",\"p\":\"{change}\",\"P\":\"{per_cent}\",\"w\":\"{}\",\
         \"c\":\"{}\",\"Q\":\"0\",\"o\":\"{}\",\"h\":\"{}\",\"l\":\"{}\",\"v\":\"{}\",\"q\":\"{}\",\"O\":{},\"C\":{event},\
         \"F\":{first},\"L\":{last},\"n\":{}{}}}",
        listing.symbol,
        f.close,
        f.close,
        f.open,
        f.high,
        f.low,
        f.volume,
        f.quote,
        event.0 - 86_400_000,
        c.trades,
        product(listing)
    )
}

/// One entry of `!markPrice@arr@1s`; the price of the last trade stands for all of them.
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

/// An event of `!contractInfo`.
pub(crate) fn contract_info(listing: &Listing, now: UnixMs) -> String {
    let known = instrument(listing, now);
    json!({
        "e": "contractInfo", "E": now.0, "s": known["symbol"], "ps": known["pair"], "ct": known["contractType"],
        "dt": known["deliveryDate"], "ot": known["onboardDate"], "cs": known["status"], "st": 1,
    })
    .to_string()
}

/// The announcement that a socket is about to be closed.
pub(crate) fn server_shutdown(now: UnixMs, wrapped: bool) -> String {
    let event = format!("{{\"e\":\"serverShutdown\",\"E\":{now}}}");
    if wrapped { combined("!serverShutdown", &event) } else { event }
}

/// Change in price and in per cent, printed.
fn change(c: &Candle, f: &Figures) -> (String, String) {
    let change = Fixed { units: c.close - c.open, ..f.open };
    // In thousandths of a per cent, as the exchange prints three digits.
    let per_cent =
        if c.open == 0 { 0 } else { (i128::from(c.close - c.open) * 100_000) / i128::from(c.open) };
    let per_cent = Fixed { units: i64::try_from(per_cent).unwrap_or(0), decimals: 3, pad: 0 };
    (change.to_string(), per_cent.to_string())
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
    let (change, per_cent) = change(&c, &f);
    let mut entry = json!({
        "symbol": listing.symbol.as_str(),
        "priceChange": change,
        "priceChangePercent": per_cent,
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
pub(crate) fn exchange_info<'a>(
    market: Market,
    listings: impl Iterator<Item = &'a Listing>,
    now: UnixMs,
) -> Value {
    let weight = weight::limit(market);
    let limits = json!([
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]);
    let symbols: Vec<Value> = listings.map(|l| instrument(l, now)).collect();
    match market {
        Market::UsdM => json!({
            "timezone": "UTC", "serverTime": now.0, "futuresType": "U_MARGINED", "rateLimits": limits,
            "exchangeFilters": [], "assets": [{"asset": "USDT", "marginAvailable": true, "autoAssetExchange": "-10000"}],
            "symbols": symbols,
        }),
        Market::Spot => json!({
            "timezone": "UTC", "serverTime": now.0, "rateLimits": limits, "exchangeFilters": [], "symbols": symbols,
        }),
    }
}

fn instrument(l: &Listing, now: UnixMs) -> Value {
    let step = |decimals: u8| Fixed { units: 1, decimals, pad: 0 }.to_string();
    let filters = json!([
        {"filterType": "PRICE_FILTER", "minPrice": step(l.scale.price), "maxPrice": "4529764", "tickSize": step(l.scale.price)},
        {"filterType": "LOT_SIZE", "minQty": step(l.scale.volume), "maxQty": "10000000", "stepSize": step(l.scale.volume)},
    ]);
    let status = status(l, now);
    let (contract, kind, delivery) = match l.contract {
        Contract::Spot => return spot_instrument(l, status, filters),
        Contract::Perpetual => ("PERPETUAL", "COIN", NEVER),
        Contract::TradFi => ("TRADIFI_PERPETUAL", "EQUITY", NEVER),
        Contract::Quarter { delivery } => ("CURRENT_QUARTER", "COIN", delivery.0),
    };
    let delivery = match l.status {
        Status::Gone { since } => since.0,
        Status::Trading => delivery,
    };
    json!({
        "symbol": l.symbol.as_str(), "pair": format!("{}{}", l.base, l.quote), "contractType": contract,
        "deliveryDate": delivery, "onboardDate": l.onboard.0, "status": status,
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000",
        "baseAsset": l.base.as_str(), "quoteAsset": l.quote.as_str(), "marginAsset": l.quote.as_str(),
        "pricePrecision": l.scale.price, "quantityPrecision": l.scale.volume,
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": kind, "underlyingSubType": [],
        "triggerProtect": "0.0500", "liquidationFee": "0.012500", "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000, "filters": filters,
        "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    })
}

fn spot_instrument(l: &Listing, status: &str, filters: Value) -> Value {
    let mut entry = json!({
        "symbol": l.symbol.as_str(), "status": status,
        "baseAsset": l.base.as_str(), "baseAssetPrecision": 8,
        "quoteAsset": l.quote.as_str(), "quotePrecision": 8, "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"], "icebergAllowed": true, "ocoAllowed": true,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "permissions": [], "permissionSets": [["SPOT"]],
    });
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("filters".to_owned(), filters);
    }
    entry
}

/// The exchange's word for whether it trades.
pub(crate) fn status(l: &Listing, now: UnixMs) -> &'static str {
    match (l.status, l.market) {
        (Status::Gone { since }, Market::UsdM) if since <= now => "SETTLING",
        (Status::Gone { since }, Market::Spot) if since <= now => "BREAK",
        _ if l.onboard > now => "PENDING_TRADING",
        _ => "TRADING",
    }
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
