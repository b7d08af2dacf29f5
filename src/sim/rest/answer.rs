//! What every route does: counts, waits, charges, then answers, or fails as faults have it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::broken;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;
use crate::sim::fault::Fault;
use crate::sim::fault::board::Event;
use crate::sim::fault::rest::RestFault;
use crate::sim::fault::scope::Target;
use crate::sim::socket::percent_decoded;
use crate::sim::stats::Violation;
use crate::sim::weight::{self, Verdict};
use crate::sim::wire::{self, TimeUnit};
use crate::sim::world::World;

const USED_WEIGHT: HeaderName = HeaderName::from_static("x-mbx-used-weight-1m");

/// What a request is refused with.
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) message: &'static str,
}

/// One request: for whom, and what it costs.
pub(super) struct Request {
    pub(super) market: Market,
    pub(super) cost: u32,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// How its answer is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) unit: TimeUnit,
    /// How far the exchange's clock goes ahead of the truth's.
    pub(super) skew_ms: i64,
    /// Rows of candles that closed less than that ago lack their last trades.
    pub(super) lag_ms: i64,
}

impl Manner {
    fn of(request: &Request, faults: &[RestFault]) -> Self {
        // Only spot takes the header.
        let asked = request.headers.get("x-mbx-time-unit").is_some_and(|unit| {
            request.market == Market::Spot && unit.as_bytes().eq_ignore_ascii_case(b"microsecond")
        });
        let mut manner = Self { unit: TimeUnit::Milli, skew_ms: 0, lag_ms: 0 };
        if asked || faults.contains(&RestFault::RestMicroseconds {}) {
            manner.unit = TimeUnit::Micro;
        }
        for fault in faults {
            match fault {
                RestFault::TimeSkew { by_ms } => manner.skew_ms += by_ms,
                RestFault::RowLag { by_ms } => manner.lag_ms = manner.lag_ms.max(*by_ms),
                _ => {}
            }
        }
        manner
    }
}

/// Answers `request` with what `body` gives.
pub(super) async fn answer(
    world: &World,
    request: Request,
    body: impl FnOnce(Manner) -> Result<String, Refusal> + Send,
) -> Response {
    let faults = faults(world, &request);
    let late: u64 = faults.iter().map(|f| if let RestFault::Latency { ms } = f { *ms } else { 0 }).sum();
    let delay = world.latency + Duration::from_millis(late);
    if !delay.is_zero() {
        wait(world, delay).await;
    }
    let foreign = faults.iter().map(|f| if let RestFault::ForeignLoad { weight } = f { *weight } else { 0 });
    let verdict = world.charge(request.market, request.cost, foreign.sum());
    if faults.contains(&RestFault::NoAnswer {}) {
        // Longer than anyone waits.
        wait(world, Duration::from_secs(600)).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    for fault in &faults {
        if let RestFault::Ban { seconds } = fault {
            let until = world.ban(request.market, *seconds);
            return broken::banned(*seconds, until);
        }
        if let Some(failed) = broken::failure(fault) {
            return failed;
        }
    }
    let used = match verdict {
        Verdict::Banned { until, retry_after } => {
            let text = wire::error(-1003, &ban_words(until));
            return refused(StatusCode::IM_A_TEAPOT, retry_after, None, text);
        }
        Verdict::TooMany { used, retry_after, .. } => {
            let text = format!(
                "Too many requests; current limit of IP is {} requests per minute. Please use the websocket for live updates to avoid polling the API.",
                weight::limit(request.market)
            );
            return refused(
                StatusCode::TOO_MANY_REQUESTS,
                retry_after,
                Some(used),
                wire::error(-1003, &text),
            );
        }
        Verdict::Fine { used } => used,
    };
    match body(Manner::of(&request, &faults)) {
        Ok(body) => {
            let spoilt = faults.iter().find_map(|f| broken::spoilt(f, &body));
            spoilt.unwrap_or_else(|| json_answer(StatusCode::OK, Some(used), body))
        }
        Err(refusal) => {
            world.violation(Violation::BadRequest);
            json_answer(StatusCode::BAD_REQUEST, Some(used), wire::error(refusal.code, refusal.message))
        }
    }
}

/// All that strikes a request.
fn faults(world: &World, request: &Request) -> Vec<RestFault> {
    let path = request.uri.path().to_owned();
    world.count(|s| *s.requests.entry(path.clone()).or_default() += 1);
    // Who asks for which series is the query's to say: faults may be meant for one of them.
    let part = |name: &str| {
        let pair = |p: &str| p.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| percent_decoded(v));
        request.uri.query().and_then(|q| q.split('&').find_map(pair))
    };
    let symbol = part("symbol");
    let target = Target {
        market: Some(request.market),
        symbol: symbol.as_deref(),
        interval: part("interval").and_then(|i| i.parse().ok()),
        route: Some(&path),
        ..Target::default()
    };
    world.event(Event::Request, &target);
    world.strikes(&target, |f| match f {
        Fault::Rest(fault) if fault.concerns(&path) => Some(fault.clone()),
        _ => None,
    })
}

/// Waits, but not for longer than the exchange is there.
async fn wait(world: &World, time: Duration) {
    let _ = world.cancel.run_until_cancelled(tokio::time::sleep(time)).await;
}

pub(super) fn ban_words(until: UnixMs) -> String {
    format!(
        "Way too much request weight used; IP banned until {until}. Please use the websocket for live updates to avoid bans."
    )
}

pub(super) fn json_answer(status: StatusCode, used: Option<u32>, body: String) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    if let Some(used) = used {
        headers.insert(USED_WEIGHT, HeaderValue::from(used));
    }
    response
}

pub(super) fn refused(status: StatusCode, retry_after: i64, used: Option<u32>, body: String) -> Response {
    let mut response = json_answer(status, used, body);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}
