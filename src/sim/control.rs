//! The routes under `/sim`: what a test or a person asks of the exchange itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault;
use super::stats::{SocketEnd, SocketStats, Stats, Violation};
use super::truth::Series;
use super::wire;
use super::world::World;
use crate::domain::interval::Interval;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sim/stats", get(stats))
        .route("/sim/clock", get(clock).post(set_clock))
        .route("/sim/faults", get(in_force).post(faults).delete(heal))
        .route("/sim/truth", get(truth))
}

type Shared = State<Arc<World>>;

async fn stats(State(world): Shared) -> Json<Value> {
    Json(stats_json(&world.stats()))
}

fn stats_json(s: &Stats) -> Value {
    let violations: BTreeMap<&str, u64> = s.violations.iter().map(|(v, n)| (v.as_str(), *n)).collect();
    let sockets: Vec<Value> = s.sockets.iter().map(|(number, socket)| socket_json(*number, socket)).collect();
    json!({
        "requests": s.requests,
        "weight_total": s.weight_total,
        "weight_by_minute": {"um": s.weight_um, "spot": s.weight_spot},
        "connections": {"open": s.open, "opened": s.opened},
        "streams": s.streams,
        "violations": violations,
        "frames": {"updates": s.updates, "closes": s.closes, "lost": s.lost},
        "faults": s.faults,
        "violation_kinds": Violation::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>(),
        "sockets": sockets,
    })
}

fn socket_json(number: u64, s: &SocketStats) -> Value {
    let (open, code) = match s.end {
        None => (true, None),
        Some(SocketEnd::Torn) => (false, None),
        Some(SocketEnd::Closed(code)) => (false, Some(code)),
    };
    json!({
        "number": number, "market": s.market.as_str(), "path": s.path, "open": open, "close_code": code,
        "streams": s.streams, "pings": s.pings, "pongs": s.pongs, "unsolicited_pongs": s.unsolicited_pongs,
        "max_pong_ms": s.max_pong_ms, "max_messages_a_second": s.max_messages_a_second,
    })
}

fn clock_json(world: &World) -> Value {
    let clock = world.clock();
    json!({"now": world.now().0, "speed": clock.speed(), "end": clock.end().map(|e| e.0), "ended": world.ended()})
}

async fn clock(State(world): Shared) -> Json<Value> {
    Json(clock_json(&world))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    speed: Option<f64>,
    now: Option<i64>,
}

async fn set_clock(State(world): Shared, body: String) -> Response {
    let body: ClockBody = match serde_json::from_str(&body) {
        Ok(body) => body,
        Err(e) => {
            return bad(&format!("a clock is set by {{\"speed\":60}} or {{\"now\":1760126400000}}: {e}"));
        }
    };
    let jumped = body.now.map_or(Ok(()), |now| world.jump(UnixMs(now)));
    match jumped.and_then(|()| body.speed.map_or(Ok(()), |speed| world.set_speed(speed))) {
        Ok(()) => Json(clock_json(&world)).into_response(),
        Err(e) => bad(&e.to_string()),
    }
}

async fn in_force(State(world): Shared) -> Json<Value> {
    Json(world.faults())
}

async fn heal(State(world): Shared) -> Json<Value> {
    world.heal();
    Json(world.faults())
}

async fn faults(State(world): Shared, body: String) -> Response {
    match fault::parse(&body) {
        Ok(faults) => {
            let injected = faults.len();
            world.inject(faults);
            Json(json!({"injected": injected})).into_response()
        }
        Err(e) => bad(&e.to_string()),
    }
}

#[derive(Debug, Deserialize)]
struct TruthQuery {
    market: Option<String>,
    symbol: String,
    interval: String,
    limit: Option<usize>,
}

async fn truth(State(world): Shared, Query(q): Query<TruthQuery>) -> Response {
    let market = match q.market.as_deref() {
        None | Some("um") => Market::UsdM,
        Some(name) => match name.parse() {
            Ok(market) => market,
            Err(e) => return bad(&format!("{e}")),
        },
    };
    let interval: Interval = match q.interval.parse() {
        Ok(interval) => interval,
        Err(e) => return bad(&format!("{e}")),
    };
    let found = world.truth.find(market, &q.symbol).map(|listing| Series { listing, interval });
    let Some(series) = found.filter(|s| world.truth.has(*s)) else {
        return bad(&format!("there is no {} {} {interval} here", market, q.symbol));
    };
    let Some(listing) = world.truth.listing(series.listing) else { return bad("no such symbol") };
    let rows = world.truth.closed(series, q.limit.unwrap_or(500), world.now());
    ([(header::CONTENT_TYPE, "application/json")], wire::kline_rows(&listing, &rows)).into_response()
}

fn bad(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response()
}
