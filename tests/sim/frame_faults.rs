//! What happens to data frames, each kind.

use std::time::Duration;

use hamatop::sim::SimHandle;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::*;

const QUARTER: Duration = Duration::from_secs(900);

/// Frames of one stream as `(open time in quarters, closed)` until `count` came.
async fn told(ws: &mut Socket, from: i64, count: usize) -> Vec<(i64, bool)> {
    let mut told = Vec::new();
    while told.len() < count {
        let k = next(ws).await["k"].clone();
        told.push(((k["t"].as_i64().unwrap() - from) / 900_000, k["x"] == true));
    }
    told
}

/// What a quarter's close and the beginning of the next quarter are told as, under a fault.
async fn around_a_close(fault: &str, count: usize) -> Vec<(i64, bool)> {
    let sim = start(synthetic(2, 0.0)).await;
    let from = sim.now();
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_15m").await;
    next(&mut ws).await;
    inject(&sim, fault);
    sim.jump(from + QUARTER + Duration::from_secs(60)).unwrap();
    let told = told(&mut ws, from.0, count).await;
    sim.stop().await;
    told
}

#[tokio::test]
async fn closes_come_after_the_next_candle_twice_or_are_followed_by_an_update() {
    let around = |fault: &'static str, count| around_a_close(fault, count);
    assert_eq!(around(r#"{"kind":"repeat"}"#, 3).await, [(0, true), (0, true), (1, false)]);
    assert_eq!(around(r#"{"kind":"repeat_close"}"#, 3).await, [(0, true), (0, true), (1, false)]);
    assert_eq!(around(r#"{"kind":"update_after_close"}"#, 3).await, [(0, true), (0, false), (1, false)]);
    assert_eq!(around(r#"{"kind":"close_after_next"}"#, 2).await, [(1, false), (0, true)]);
    assert_eq!(around(r#"{"kind":"reorder"}"#, 2).await, [(1, false), (0, true)]);
    assert_eq!(around(r#"{"kind":"drop_close","interval":"15m"}"#, 1).await, [(1, false)]);
}

#[tokio::test]
async fn an_illiquid_market_closes_with_the_next_trade() {
    let sim = start(synthetic(6, 0.0)).await;
    let from = sim.now();
    // Trades in every second minute only.
    let mut ws = connect(&sim, "/market/ws/thinusdt@kline_1m").await;
    inject(&sim, r#"{"kind":"illiquid"}"#);
    sim.jump(from + Duration::from_secs(119)).unwrap();
    assert!(quiet_of_closes(&mut ws).await);
    sim.jump(from + Duration::from_secs(170)).unwrap();
    let mut opens = Vec::new();
    while opens.len() < 3 {
        let k = next(&mut ws).await["k"].clone();
        opens.push(((k["t"].as_i64().unwrap() - from.0) / 60_000, k["x"] == true));
    }
    assert_eq!(opens, [(0, true), (1, true), (2, false)]);
    sim.stop().await;
}

async fn quiet_of_closes(ws: &mut Socket) -> bool {
    let heard = tokio::time::timeout(Duration::from_millis(500), async {
        loop {
            if next(ws).await["k"]["x"] == true {
                return;
            }
        }
    });
    heard.await.is_err()
}

#[tokio::test]
async fn one_stream_of_many_falls_silent_and_the_others_go_on() {
    let sim = start(synthetic(3, 60.0)).await;
    let mut ws = connect(&sim, "/market/stream?streams=btcusdt@kline_1h/ethusdt@kline_1h").await;
    inject(&sim, r#"{"kind":"ws_silence","stream":"ethusdt@kline_1h","connection":1}"#);
    until(&sim, |s| s.lost > 0).await;
    // What was sent before the silence is read by now.
    while sim.stats().lost < 3 {
        next(&mut ws).await;
    }
    for _ in 0..4 {
        assert_eq!(next(&mut ws).await["stream"], "btcusdt@kline_1h");
    }
    let mut other = connect(&sim, "/market/ws/ethusdt@kline_1h").await;
    assert_eq!(next(&mut other).await["s"], "ETHUSDT");
    assert!(sim.stats().faults["ws_silence"] >= 3);
    sim.stop().await;
}

/// The first message after `fault` that `found` says yes to, of a stream of updates.
async fn struck(sim: &SimHandle, fault: Value, found: impl Fn(&Result<Message, Error>) -> bool) {
    let mut ws = connect(sim, "/market/ws/btcusdt@kline_1h").await;
    next(&mut ws).await;
    inject(sim, &fault.to_string());
    for _ in 0..6 {
        if found(&raw(&mut ws).await) {
            return;
        }
    }
    panic!("never struck: {fault}");
}

fn text(message: &Result<Message, Error>) -> &str {
    match message {
        Ok(Message::Text(text)) => text.as_str(),
        _ => "",
    }
}

#[tokio::test]
async fn frames_that_are_none_come_between() {
    let sim = start(synthetic(2, 60.0)).await;
    struck(&sim, json!({"kind":"garbage"}), |m| text(m).starts_with("<html>")).await;
    struck(&sim, json!({"kind":"deep","levels":2000}), |m| text(m).starts_with("[[[[")).await;
    struck(&sim, json!({"kind":"binary"}), |m| matches!(m, Ok(Message::Binary(_)))).await;
    struck(&sim, json!({"kind":"empty"}), |m| matches!(m, Ok(Message::Text(t)) if t.is_empty())).await;
    struck(&sim, json!({"kind":"unknown_event"}), |m| text(m).contains("somethingNew")).await;
    struck(&sim, json!({"kind":"invalid_utf8"}), |m| matches!(m, Err(Error::Utf8(_)))).await;
    struck(&sim, json!({"kind":"oversized"}), |m| matches!(m, Err(Error::Capacity(_)))).await;
    assert_eq!(sim.stats().faults.values().sum::<u64>(), 7);
    sim.stop().await;
}

#[tokio::test]
async fn fields_and_times_are_not_what_they_should_be() {
    let sim = start(synthetic(2, 60.0)).await;
    let of = |m: &Result<Message, Error>| serde_json::from_str::<Value>(text(m)).unwrap_or_default();
    let time = |m: &Result<Message, Error>| of(m)["E"].as_i64().unwrap_or(0);
    struck(&sim, json!({"kind":"missing_field"}), |m| of(m)["k"]["B"].is_null()).await;
    struck(&sim, json!({"kind":"extra_field"}), |m| of(m)["st"] == 1).await;
    struck(&sim, json!({"kind":"bad_value"}), |m| text(m).contains("\"c\":NaN")).await;
    struck(&sim, json!({"kind":"microseconds","count":1}), |m| time(m) > 100_000_000_000_000).await;
    let now = sim.now().0;
    struck(&sim, json!({"kind":"old_event","by_ms":3_600_000}), |m| time(m) < now - 3_000_000).await;
    struck(&sim, json!({"kind":"clock_skew","by_ms":7_200_000,"count":1}), |m| time(m) > now + 7_000_000)
        .await;
    sim.stop().await;
}

#[tokio::test]
async fn a_frame_in_pieces_is_one_frame() {
    let sim = start(synthetic(2, 60.0)).await;
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_1h").await;
    inject(&sim, r#"{"kind":"fragmented","pieces":50,"count":3}"#);
    until(&sim, |s| s.faults.get("fragmented") == Some(&3)).await;
    for _ in 0..5 {
        assert_eq!(next(&mut ws).await["e"], "kline");
    }
    sim.stop().await;
}
