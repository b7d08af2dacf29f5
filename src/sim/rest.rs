//! The REST routes of both markets.

mod answer;
mod broken;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::rest::RestFault;
use super::listing::Contract;
use super::stats::Violation;
use super::truth::{ListingId, Range, Series};
use super::weight;
use super::wire;
use super::world::World;
use crate::domain::interval::Interval;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;
use answer::{Manner, Refusal, Request, answer, json_answer};

/// A refusal with the body that the exchange, or what stands before it, gives that status.
pub(crate) fn refusal(status: u16, retry_after_s: Option<u32>) -> Option<Response> {
    let (body, code, message) = (None, None, None);
    broken::failure(&RestFault::RestError { status, body, code, message, retry_after_s })
}

/// The routes under `/fapi`, `/api` and, of the product that shares USD-M's weight, `/dapi`.
pub(crate) fn routes() -> Router<Arc<World>> {
    let coin = Router::new()
        .route("/dapi/v1/ping", get(move |s, u, h| ping(Market::UsdM, s, u, h)))
        .route("/dapi/v1/time", get(move |s, u, h| time(Market::UsdM, s, u, h)))
        .route("/dapi/v1/exchangeInfo", get(coin_info));
    let price = get(move |s, u, h, q| price(Market::UsdM, s, u, h, q));
    market(Market::UsdM, "/fapi/v1")
        .route("/fapi/v1/continuousKlines", get(continuous_klines))
        .route("/fapi/v2/ticker/price", price)
        .merge(market(Market::Spot, "/api/v3"))
        .route("/api/v3/uiKlines", get(move |s, u, h, q| klines(Market::Spot, s, u, h, q)))
        .merge(coin)
}

fn market(market: Market, under: &str) -> Router<Arc<World>> {
    let path = |name: &str| format!("{under}/{name}");
    Router::new()
        .route(&path("ping"), get(move |s, u, h| ping(market, s, u, h)))
        .route(&path("time"), get(move |s, u, h| time(market, s, u, h)))
        .route(&path("exchangeInfo"), get(move |s, u, h, q| exchange_info(market, s, u, h, q)))
        .route(&path("klines"), get(move |s, u, h, q| klines(market, s, u, h, q)))
        .route(&path("ticker/24hr"), get(move |s, u, h, q| ticker(market, s, u, h, q)))
        .route(&path("ticker/price"), get(move |s, u, h, q| price(market, s, u, h, q)))
}

type Shared = State<Arc<World>>;

const NO_SYMBOL: Refusal = Refusal { code: -1121, message: "Invalid symbol." };
const NO_INTERVAL: Refusal = Refusal { code: -1120, message: "Invalid interval." };
const BAD_LIMIT: Refusal = Refusal { code: -1130, message: "Data sent for parameter 'limit' is not valid." };
const MISSING_SYMBOL: Refusal = Refusal {
    code: -1102,
    message: "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
};
const MISSING_INTERVAL: Refusal = Refusal {
    code: -1102,
    message: "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
};
const BAD_TIME: Refusal = Refusal { code: -1100, message: "Illegal characters found in a parameter." };
const BAD_STATUS: Refusal = Refusal { code: -1122, message: "Invalid symbolStatus." };

async fn ping(market: Market, State(world): Shared, uri: Uri, headers: HeaderMap) -> Response {
    let request = Request { market, cost: 1, uri, headers };
    answer(&world, request, |_| Ok("{}".to_owned())).await
}

async fn time(market: Market, State(world): Shared, uri: Uri, headers: HeaderMap) -> Response {
    let request = Request { market, cost: 1, uri, headers };
    answer(&world, request, |manner| {
        let now = UnixMs(world.now().0 + manner.skew_ms);
        Ok(json!({"serverTime": manner.unit.of(now)}).to_string())
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InfoQuery {
    symbol: Option<String>,
    symbols: Option<String>,
    symbol_status: Option<String>,
}

const STATUSES: [&str; 6] = ["TRADING", "END_OF_DAY", "HALT", "BREAK", "CANCEL_ONLY", "PENDING_TRADING"];

async fn exchange_info(
    market: Market,
    State(world): Shared,
    uri: Uri,
    headers: HeaderMap,
    q: Query<InfoQuery>,
) -> Response {
    let cost = if market == Market::Spot { 20 } else { 1 };
    answer(&world, Request { market, cost, uri, headers }, |manner| {
        let now = world.now();
        let mut wanted: Vec<_> =
            world.truth.listings(market).map(|(_, l)| l).filter(|l| l.on_rest()).collect();
        if market == Market::Spot {
            let named = named(q.symbol.as_ref(), q.symbols.as_ref());
            if let Some(names) = &named {
                let known = names.iter().all(|n| world.truth.find(market, n).is_some());
                known.then_some(()).ok_or(NO_SYMBOL)?;
                wanted.retain(|l| names.iter().any(|n| n == l.symbol.as_str()));
            }
            if let Some(status) = &q.symbol_status {
                // A status goes with no names.
                let fine = named.is_none() && STATUSES.contains(&status.as_str());
                fine.then_some(()).ok_or(BAD_STATUS)?;
                wanted.retain(|l| wire::status(l, now) == status);
            }
        }
        Ok(wire::exchange_info(market, &wanted, (now, manner.skew_ms)).to_string())
    })
    .await
}

async fn coin_info(State(world): Shared, uri: Uri, headers: HeaderMap) -> Response {
    let market = Market::UsdM;
    answer(&world, Request { market, cost: 1, uri, headers }, |manner| {
        let all = world.truth.listings(market).map(|(_, l)| l);
        let wanted: Vec<_> = all.filter(|l| l.contract == Contract::Coin).collect();
        Ok(wire::exchange_info(market, &wanted, (world.now(), manner.skew_ms)).to_string())
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KlinesQuery {
    symbol: Option<String>,
    pair: Option<String>,
    contract_type: Option<String>,
    interval: Option<String>,
    start_time: Option<String>,
    end_time: Option<String>,
    limit: Option<String>,
}

impl KlinesQuery {
    fn cost(&self, market: Market) -> u32 {
        // A limit that is no number costs what the most rows do.
        let asked = self.limit.as_ref().map(|l| l.parse().unwrap_or(usize::MAX));
        weight::klines(market, asked)
    }

    fn rows(&self, market: Market, id: ListingId, world: &World, manner: Manner) -> Result<String, Refusal> {
        let interval = self.interval.as_deref().filter(|s| !s.is_empty()).ok_or(MISSING_INTERVAL)?;
        let interval: Interval = interval.parse().map_err(|_| NO_INTERVAL)?;
        let series = Series { listing: id, interval };
        let listing = world.truth.listing(id).ok_or(NO_SYMBOL)?;
        if !world.truth.has(series) {
            return Err(NO_INTERVAL);
        }
        let bound = |text: &Option<String>| {
            text.as_ref().map(|t| t.parse().map(UnixMs).map_err(|_| BAD_TIME)).transpose()
        };
        let range = Range { from: bound(&self.start_time)?, to: bound(&self.end_time)?, limit: 0 };
        let range = weight::rows_asked(market, self.limit.as_deref(), range).ok_or(BAD_LIMIT)?;
        let now = world.now();
        let mut rows = world.truth.rows(series, range, now);
        for row in &mut rows {
            if row.close_time < now && now.0 - row.close_time.0 <= manner.lag_ms {
                *row = row.unfinished();
            }
        }
        Ok(wire::kline_rows_in(&listing, &rows, manner.unit))
    }
}

async fn klines(
    market: Market,
    State(world): Shared,
    uri: Uri,
    headers: HeaderMap,
    Query(q): Query<KlinesQuery>,
) -> Response {
    answer(&world, Request { market, cost: q.cost(market), uri, headers }, |manner| {
        let symbol = q.symbol.as_deref().filter(|s| !s.is_empty()).ok_or(MISSING_SYMBOL)?;
        let id = find(&world, market, symbol)?;
        q.rows(market, id, &world, manner)
    })
    .await
}

async fn continuous_klines(
    State(world): Shared,
    uri: Uri,
    headers: HeaderMap,
    Query(q): Query<KlinesQuery>,
) -> Response {
    let market = Market::UsdM;
    answer(&world, Request { market, cost: q.cost(market), uri, headers }, |manner| {
        let pair = q.pair.as_deref().filter(|s| !s.is_empty()).ok_or(MISSING_SYMBOL)?;
        let kind = q.contract_type.as_deref().unwrap_or_default();
        let id = world.truth.continuous(pair, |contract| contract.is(kind)).ok_or(NO_SYMBOL)?;
        q.rows(market, id, &world, manner)
    })
    .await
}

fn find(world: &World, market: Market, symbol: &str) -> Result<ListingId, Refusal> {
    let found = world.truth.find(market, symbol);
    found.filter(|id| world.truth.listing(*id).is_some_and(|l| l.on_rest())).ok_or(NO_SYMBOL)
}

#[derive(Debug, Deserialize)]
struct TickerQuery {
    symbol: Option<String>,
    symbols: Option<String>,
}

/// The symbols that a query names; `None` where it means all.
fn named(symbol: Option<&String>, symbols: Option<&String>) -> Option<Vec<String>> {
    let list = |text: &String| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    symbol.map(|one| vec![one.clone()]).or(symbols.map(list))
}

async fn ticker(
    market: Market,
    State(world): Shared,
    uri: Uri,
    headers: HeaderMap,
    Query(q): Query<TickerQuery>,
) -> Response {
    let named = named(q.symbol.as_ref(), q.symbols.as_ref());
    let cost = weight::ticker(market, named.as_ref().map(Vec::len));
    answer(&world, Request { market, cost, uri, headers }, |_| {
        let now = world.now();
        let entry = |id: ListingId| {
            Some(wire::ticker(&*world.truth.listing(id)?, world.truth.day(id, now).as_ref(), now))
        };
        entries(&world, market, &q, named, entry)
    })
    .await
}

async fn price(
    market: Market,
    State(world): Shared,
    uri: Uri,
    headers: HeaderMap,
    Query(q): Query<TickerQuery>,
) -> Response {
    let named = named(q.symbol.as_ref(), q.symbols.as_ref());
    let cost = weight::price(market, named.as_ref().map(Vec::len));
    answer(&world, Request { market, cost, uri, headers }, |_| {
        let now = world.now();
        let stamp = (market == Market::UsdM).then_some(now);
        let entry =
            |id: ListingId| Some(wire::price(&*world.truth.listing(id)?, &world.truth.day(id, now)?, stamp));
        entries(&world, market, &q, named, entry)
    })
    .await
}

/// One entry for one symbol, a list for many or all.
fn entries(
    world: &World,
    market: Market,
    q: &TickerQuery,
    named: Option<Vec<String>>,
    entry: impl Fn(ListingId) -> Option<Value>,
) -> Result<String, Refusal> {
    let Some(named) = named else {
        let now = world.now();
        let trading = world
            .truth
            .listings(market)
            .filter(|(_, l)| l.on_rest() && (market == Market::Spot || wire::status(l, now) == "TRADING"));
        let entries: Vec<_> = trading.filter_map(|(id, _)| entry(id)).collect();
        return Ok(json!(entries).to_string());
    };
    let found = named.iter().map(|s| find(world, market, s).and_then(|id| entry(id).ok_or(NO_SYMBOL)));
    let entries = found.collect::<Result<Vec<_>, _>>()?;
    match (q.symbol.is_some(), entries.first()) {
        (_, None) => Err(NO_SYMBOL),
        (true, Some(one)) => Ok(one.to_string()),
        (false, Some(_)) => Ok(json!(entries).to_string()),
    }
}

/// Any route that is not there.
pub(crate) async fn unknown(State(world): Shared) -> Response {
    world.violation(Violation::UnknownRoute);
    json_answer(StatusCode::NOT_FOUND, None, wire::error(-5000, "Path not found, or method not supported."))
}
