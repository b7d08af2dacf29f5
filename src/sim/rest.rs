//! The REST routes of both markets.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::fault::Fault;
use super::fault::board::Event;
use super::fault::rest::RestFault;
use super::fault::scope::Target;
use super::socket::percent_decoded;
use super::stats::Violation;
use super::truth::{ListingId, Range, Series};
use super::weight::{self, Verdict};
use super::wire;
use super::world::World;
use crate::domain::interval::Interval;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

const USED_WEIGHT: HeaderName = HeaderName::from_static("x-mbx-used-weight-1m");

/// The routes under `/fapi/v1` and `/api/v3`.
pub(crate) fn routes() -> Router<Arc<World>> {
    market(Market::UsdM, "/fapi/v1").merge(market(Market::Spot, "/api/v3"))
}

fn market(market: Market, under: &str) -> Router<Arc<World>> {
    let path = |name: &str| format!("{under}/{name}");
    Router::new()
        .route(&path("ping"), get(move |s, u| ping(market, s, u)))
        .route(&path("time"), get(move |s, u| time(market, s, u)))
        .route(&path("exchangeInfo"), get(move |s, u, q| exchange_info(market, s, u, q)))
        .route(&path("klines"), get(move |s, u, q| klines(market, s, u, q)))
        .route(&path("ticker/24hr"), get(move |s, u, q| ticker(market, s, u, q)))
}

type Shared = State<Arc<World>>;

/// What a request is refused with.
struct Refusal {
    code: i32,
    message: &'static str,
}

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

async fn ping(market: Market, State(world): Shared, uri: Uri) -> Response {
    answer(&world, market, 1, &uri, || Ok("{}".to_owned())).await
}

async fn time(market: Market, State(world): Shared, uri: Uri) -> Response {
    answer(&world, market, 1, &uri, || Ok(json!({"serverTime": world.now().0}).to_string())).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InfoQuery {
    symbol: Option<String>,
    symbol_status: Option<String>,
}

async fn exchange_info(market: Market, State(world): Shared, uri: Uri, q: Query<InfoQuery>) -> Response {
    let cost = if market == Market::Spot { 20 } else { 1 };
    answer(&world, market, cost, &uri, || {
        if let Some(symbol) = q.symbol.as_ref().filter(|_| market == Market::Spot) {
            world.truth.find(market, symbol).ok_or(NO_SYMBOL)?;
        }
        let now = world.now();
        let wanted = world.truth.listings(market).map(|(_, l)| l).filter(|l| {
            market == Market::UsdM
                || (q.symbol.as_ref().is_none_or(|s| s == l.symbol.as_str())
                    && q.symbol_status.as_ref().is_none_or(|s| s == wire::status(l, now)))
        });
        Ok(wire::exchange_info(market, wanted, now).to_string())
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KlinesQuery {
    symbol: Option<String>,
    interval: Option<String>,
    start_time: Option<String>,
    end_time: Option<String>,
    limit: Option<String>,
}

async fn klines(market: Market, State(world): Shared, uri: Uri, Query(q): Query<KlinesQuery>) -> Response {
    // A limit that is no number costs what the most rows do.
    let asked = q.limit.as_ref().map(|l| l.parse().unwrap_or(usize::MAX));
    answer(&world, market, weight::klines(market, asked), &uri, || {
        let symbol = q.symbol.as_deref().filter(|s| !s.is_empty()).ok_or(MISSING_SYMBOL)?;
        let interval = q.interval.as_deref().filter(|s| !s.is_empty()).ok_or(MISSING_INTERVAL)?;
        let id = world.truth.find(market, symbol).ok_or(NO_SYMBOL)?;
        let interval: Interval = interval.parse().map_err(|_| NO_INTERVAL)?;
        let series = Series { listing: id, interval };
        let listing = world.truth.listing(id).ok_or(NO_SYMBOL)?;
        if !world.truth.has(series) {
            return Err(NO_INTERVAL);
        }
        let bound = |text: &Option<String>| {
            text.as_ref().map(|t| t.parse().map(UnixMs).map_err(|_| BAD_TIME)).transpose()
        };
        let range = Range { from: bound(&q.start_time)?, to: bound(&q.end_time)?, limit: 0 };
        let range = weight::rows_asked(market, q.limit.as_deref(), range).ok_or(BAD_LIMIT)?;
        Ok(wire::kline_rows(listing, &world.truth.rows(series, range, world.now())))
    })
    .await
}

#[derive(Debug, Deserialize)]
struct TickerQuery {
    symbol: Option<String>,
    symbols: Option<String>,
}

async fn ticker(market: Market, State(world): Shared, uri: Uri, Query(q): Query<TickerQuery>) -> Response {
    let list = |text: &String| serde_json::from_str::<Vec<String>>(text).ok();
    let named = match (&q.symbol, &q.symbols) {
        (Some(one), _) => Some(vec![one.clone()]),
        (None, Some(many)) => Some(list(many).unwrap_or_default()),
        (None, None) => None,
    };
    let cost = weight::ticker(market, named.as_ref().map(Vec::len));
    answer(&world, market, cost, &uri, || {
        let now = world.now();
        let entry = |id: ListingId| {
            let listing = world.truth.listing(id)?;
            Some(wire::ticker(listing, world.truth.day(id, now).as_ref(), now))
        };
        let Some(named) = named else {
            let trading = world
                .truth
                .listings(market)
                .filter(|(_, l)| market == Market::Spot || wire::status(l, now) == "TRADING");
            let entries: Vec<_> = trading.filter_map(|(id, _)| entry(id)).collect();
            return Ok(json!(entries).to_string());
        };
        let found = named.iter().map(|s| world.truth.find(market, s).and_then(entry).ok_or(NO_SYMBOL));
        let entries = found.collect::<Result<Vec<_>, _>>()?;
        match (q.symbol.is_some(), entries.into_iter().next(), named.len()) {
            (true, Some(one), _) => Ok(one.to_string()),
            (_, None, _) => Err(NO_SYMBOL),
            (false, Some(_), _) => {
                let all = named.iter().filter_map(|s| world.truth.find(market, s).and_then(entry));
                Ok(json!(all.collect::<Vec<_>>()).to_string())
            }
        }
    })
    .await
}

/// Counts, waits, charges, then answers: what every route does.
async fn answer(
    world: &World,
    market: Market,
    cost: u32,
    uri: &Uri,
    body: impl FnOnce() -> Result<String, Refusal> + Send,
) -> Response {
    let path = uri.path().to_owned();
    world.count(|s| *s.requests.entry(path.clone()).or_default() += 1);
    // Who asks for which series is the query's to say: faults may be meant for one of them.
    let part = |name: &str| {
        let pair = |p: &str| p.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| percent_decoded(v));
        uri.query().and_then(|q| q.split('&').find_map(pair))
    };
    let symbol = part("symbol");
    let target = Target {
        market: Some(market),
        symbol: symbol.as_deref(),
        interval: part("interval").and_then(|i| i.parse().ok()),
        route: Some(&path),
        ..Target::default()
    };
    world.event(Event::Request, &target);
    let late = world.strikes(&target, |f| match f {
        Fault::Rest(RestFault::Latency { ms }) => Some(*ms),
        _ => None,
    });
    let delay = world.latency + Duration::from_millis(late.iter().sum());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let verdict = world.charge(market, cost);
    let status = world.strike(&target, |f| match f {
        Fault::Rest(RestFault::RestError { status }) => Some(*status),
        _ => None,
    });
    if let Some(status) = status {
        return failure(status);
    }
    match verdict {
        Verdict::Banned { until, retry_after } => {
            let text = format!(
                "Way too much request weight used; IP banned until {until}. Please use the websocket for live updates to avoid bans."
            );
            refused(StatusCode::IM_A_TEAPOT, retry_after, None, wire::error(-1003, &text))
        }
        Verdict::TooMany { used, retry_after, .. } => {
            let text = format!(
                "Too many requests; current limit of IP is {} requests per minute. Please use the websocket for live updates to avoid polling the API.",
                weight::limit(market)
            );
            refused(StatusCode::TOO_MANY_REQUESTS, retry_after, Some(used), wire::error(-1003, &text))
        }
        Verdict::Fine { used } => match body() {
            Ok(body) => json_answer(StatusCode::OK, Some(used), body),
            Err(refusal) => {
                world.violation(Violation::BadRequest);
                json_answer(StatusCode::BAD_REQUEST, Some(used), wire::error(refusal.code, refusal.message))
            }
        },
    }
}

fn json_answer(status: StatusCode, used: Option<u32>, body: String) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    if let Some(used) = used {
        headers.insert(USED_WEIGHT, HeaderValue::from(used));
    }
    response
}

fn refused(status: StatusCode, retry_after: i64, used: Option<u32>, body: String) -> Response {
    let mut response = json_answer(status, used, body);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// A failure that was asked for, with the body that the exchange gives it.
fn failure(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status.as_u16() {
        451 => {
            let text = "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error.";
            json_answer(status, None, wire::error(0, text))
        }
        429 | 418 => refused(status, 1, None, wire::error(-1003, "Too many requests.")),
        403 | 500..=599 => {
            let page =
                format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
            (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        _ => json_answer(
            status,
            None,
            wire::error(-1000, "An unknown error occurred while processing the request."),
        ),
    }
}

/// Any route that is not there.
pub(crate) async fn unknown(State(world): Shared) -> Response {
    world.violation(Violation::UnknownRoute);
    json_answer(StatusCode::NOT_FOUND, None, wire::error(-5000, "Path not found, or method not supported."))
}
