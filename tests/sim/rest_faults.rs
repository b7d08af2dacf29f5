//! What REST does to its clients, each fault by itself.

use std::time::{Duration, Instant};

use hamatop::domain::time::UnixMs;
use hamatop::sim::stats::Violation;
use hamatop::sim::{SimHandle, fault, replay};
use serde_json::{Value, json};

use crate::client::*;

const MINUTE: i64 = 60_000;
const KLINES: &str = "/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=3";

fn inject(sim: &SimHandle, faults: &Value) {
    sim.inject(fault::parse(&faults.to_string()).unwrap());
}

/// Status and body, or that the body could not be had.
async fn try_get(sim: &SimHandle, path: &str) -> (u16, Result<String, ()>) {
    let request = http().get(format!("{}{path}", sim.rest_url())).timeout(Duration::from_secs(10));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.map_err(drop))
}

#[tokio::test]
async fn errors_come_with_the_body_and_the_wait_that_were_asked_for() {
    let sim = start(standing()).await;
    for (fault, status, wait, body) in [
        (json!({"status": 403}), 403, None, "<html>"),
        (json!({"status": 451}), 451, None, "\"code\":0"),
        (json!({"status": 429}), 429, Some("1"), "-1003"),
        (json!({"status": 429, "retry_after_s": 0}), 429, None, "-1003"),
        (json!({"status": 429, "body": "html", "retry_after_s": 7}), 429, Some("7"), "<html>"),
        (json!({"status": 418, "body": "empty", "retry_after_s": 300}), 418, Some("300"), ""),
        (json!({"status": 502}), 502, None, "<html>"),
        (json!({"status": 503, "body": "json"}), 503, None, "-1008"),
        (json!({"status": 400, "code": -1003, "message": "Too many requests queued"}), 400, None, "queued"),
    ] {
        let mut whole = fault.clone();
        whole["kind"] = json!("rest_error");
        inject(&sim, &whole);
        let (got, headers, text) = get(&sim, KLINES).await;
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        assert_eq!(got, status, "{fault}");
        assert_eq!(headers.get("retry-after").map(|v| v.to_str().unwrap()), wait, "{fault}");
        assert!(text.contains(body) && text.is_empty() == body.is_empty(), "{fault}: {text}");
    }
    // Each of them once, then all is well.
    assert_eq!(get(&sim, KLINES).await.0, 200);
    assert_eq!(sim.stats().faults["rest_error"], 9);
    sim.stop().await;
}

#[tokio::test]
async fn bodies_break_in_every_way_that_was_asked_for() {
    let sim = start(standing()).await;
    for kind in ["truncated", "truncated_gzip"] {
        inject(&sim, &json!({"kind": kind}));
        assert_eq!(try_get(&sim, KLINES).await, (200, Err(())), "{kind}");
    }
    inject(&sim, &json!({"kind": "cut_json"}));
    let (status, cut) = try_get(&sim, KLINES).await;
    assert!(status == 200 && serde_json::from_str::<Value>(&cut.unwrap()).is_err());
    inject(&sim, &json!({"kind": "empty_body"}));
    assert_eq!(try_get(&sim, KLINES).await, (200, Ok(String::new())));
    inject(&sim, &json!({"kind": "wrong_type"}));
    let (status, headers, text) = get(&sim, KLINES).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "text/html"));
    assert!(text.as_str().unwrap().starts_with("<html>"));
    inject(&sim, &json!({"kind": "gzip_bomb", "mebibytes": 5}));
    assert_eq!(try_get(&sim, KLINES).await.1.unwrap().len(), 5 * 1_048_576 + 2);
    assert_eq!(get(&sim, KLINES).await.2.as_array().unwrap().len(), 3);
    sim.stop().await;
}

#[tokio::test]
async fn a_request_that_is_never_answered_does_not_hold_the_exchange_up() {
    let sim = start(standing()).await;
    inject(&sim, &json!({"kind": "no_answer", "symbol": "BTCUSDT"}));
    let short = http().get(format!("{}{KLINES}", sim.rest_url())).timeout(Duration::from_millis(200));
    assert!(short.send().await.unwrap_err().is_timeout());
    assert_eq!(get(&sim, KLINES).await.0, 200);
    inject(&sim, &json!({"kind": "no_answer"}));
    let (before, url) = (Instant::now(), format!("{}{KLINES}", sim.rest_url()));
    let hung = tokio::spawn(async move { http().get(url).send().await });
    while sim.stats().faults["no_answer"] < 2 {
        tokio::task::yield_now().await;
    }
    sim.stop().await;
    assert!(before.elapsed() < Duration::from_secs(10));
    drop(hung.await.unwrap());
}

#[tokio::test]
async fn a_fault_strikes_whom_it_is_meant_for_and_nobody_else() {
    let sim = start(synthetic(4, 0.0)).await;
    let fault = json!({"kind": "rest_error", "status": 500, "market": "spot", "symbol": "ETHUSDT",
        "interval": "4h", "count": 9});
    inject(&sim, &fault);
    let ask = |path: &'static str| get(&sim, path);
    assert_eq!(ask("/api/v3/klines?symbol=ETHUSDT&interval=4h").await.0, 500);
    assert_eq!(ask("/api/v3/klines?symbol=ETHUSDT&interval=1h").await.0, 200);
    assert_eq!(ask("/api/v3/klines?symbol=BTCUSDT&interval=4h").await.0, 200);
    assert_eq!(ask("/fapi/v1/klines?symbol=ETHUSDT&interval=4h").await.0, 200);
    inject(&sim, &json!({"kind": "rest_error", "status": 502, "route": "/fapi/v1/ticker", "for_ms": 1000}));
    assert_eq!((ask("/fapi/v1/ticker/24hr").await.0, ask("/fapi/v1/time").await.0), (502, 200));
    sim.jump(sim.now() + Duration::from_secs(1)).unwrap();
    assert_eq!(ask("/fapi/v1/ticker/24hr").await.0, 200);
    sim.stop().await;
}

#[tokio::test]
async fn weight_that_others_use_shows_in_the_header_and_runs_into_429() {
    let sim = start(standing()).await;
    inject(&sim, &json!({"kind": "foreign_load", "weight": 2_390, "market": "usdm", "for_ms": 60_000}));
    let used =
        |headers: reqwest::header::HeaderMap| headers["x-mbx-used-weight-1m"].to_str().unwrap().to_owned();
    let (_, headers, _) = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=1000").await;
    assert_eq!(used(headers), "2395");
    let (_, headers, _) = get(&sim, "/api/v3/time").await;
    assert_eq!(used(headers), "1", "spot has its own");
    let (_, headers, _) = get(&sim, "/dapi/v1/time").await;
    assert_eq!(used(headers), "2396", "and COIN-M has USD-M's");
    assert_eq!(get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=1000").await.0, 429);
    // Others used it up: that is no fault of ours, going on is.
    assert!(sim.stats().violations.is_empty());
    get(&sim, "/fapi/v1/time").await;
    assert_eq!(sim.stats().violations[&Violation::Ignored429], 1);
    sim.jump(UnixMs(replay::START.0 + MINUTE)).unwrap();
    let (_, headers, _) = get(&sim, "/fapi/v1/time").await;
    assert_eq!(used(headers), "1", "the minute forgives");
    // 11 of ours and 1 of spot's by minute: others' weight is not booked on us.
    assert_eq!(sim.stats().weight_um.values().sum::<u64>(), 5 + 1 + 5 + 1 + 1);
    sim.stop().await;
}

#[tokio::test]
async fn a_ban_lasts_until_its_time_and_counts_who_goes_on() {
    let sim = start(standing()).await;
    inject(&sim, &json!({"kind": "ban", "seconds": 300, "market": "usdm"}));
    let (status, headers, body) = get(&sim, "/fapi/v1/time").await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (418, "300"));
    let until = replay::START.0 + 300_000;
    assert!(body["msg"].as_str().unwrap().contains(&format!("banned until {until}.")));
    assert!(sim.stats().violations.is_empty());
    assert_eq!(get(&sim, "/api/v3/time").await.0, 200);
    sim.jump(UnixMs(until - 1)).unwrap();
    let (status, headers, _) = get(&sim, "/fapi/v1/time").await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (418, "1"));
    assert_eq!(sim.stats().violations[&Violation::Ignored418], 1);
    sim.jump(UnixMs(until)).unwrap();
    assert_eq!(get(&sim, "/fapi/v1/time").await.0, 200);
    sim.stop().await;
}

#[tokio::test]
async fn rows_lag_behind_the_close_and_come_right() {
    let sim = start(synthetic(2, 0.0)).await;
    let hour = 3_600_000;
    let closed = sim.now() + Duration::from_millis(1);
    sim.jump(closed).unwrap();
    let whole = get(&sim, KLINES).await.2;
    inject(&sim, &json!({"kind": "row_lag", "by_ms": 2_000}));
    let late = get(&sim, KLINES).await.2;
    let trades = |rows: &Value, n: usize| rows[n][8].as_i64().unwrap();
    assert!(trades(&late, 1) < trades(&whole, 1) && trades(&late, 1) > 0);
    let volume = |rows: &Value| rows[1][5].as_str().unwrap().parse::<f64>().unwrap();
    assert!(volume(&late) < volume(&whole));
    assert_eq!((&late[1][0], &late[1][6], &late[0]), (&whole[1][0], &whole[1][6], &whole[0]));
    sim.jump(UnixMs(closed.0 + 2_000)).unwrap();
    assert_eq!(get(&sim, KLINES).await.2[1], whole[1]);
    assert_eq!(whole[1][6], closed.0 - 2, "{hour}");
    sim.stop().await;
}

#[tokio::test]
async fn clocks_go_wrong_and_microseconds_are_for_who_asks() {
    let sim = start(synthetic(2, 0.0)).await;
    let now = sim.now().0;
    inject(&sim, &json!({"kind": "time_skew", "by_ms": -5_000, "market": "usdm"}));
    assert_eq!(get(&sim, "/fapi/v1/time").await.2["serverTime"], now - 5_000);
    assert_eq!(get(&sim, "/fapi/v1/exchangeInfo").await.2["serverTime"], now - 5_000);
    assert_eq!(get(&sim, "/api/v3/time").await.2["serverTime"], now);
    let path = "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=2";
    let plain = get(&sim, path).await.2;
    let asked = http().get(format!("{}{path}", sim.rest_url())).header("X-MBX-TIME-UNIT", "MICROSECOND");
    let text = asked.send().await.unwrap().text().await.unwrap();
    let micro: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(micro[0][0], plain[0][0].as_i64().unwrap() * 1_000);
    assert_eq!(micro[0][6], plain[0][6].as_i64().unwrap() * 1_000 + 999);
    inject(&sim, &json!({"kind": "rest_microseconds", "market": "usdm"}));
    assert!(get(&sim, KLINES).await.2[0][0].as_i64().unwrap() > 100_000_000_000_000);
    sim.stop().await;
}

#[tokio::test]
async fn a_closing_frame_may_lack_trades_that_rest_has() {
    let sim = start(synthetic(2, 0.0)).await;
    inject(&sim, &json!({"kind": "short_close", "symbol": "BTCUSDT", "interval": "1m"}));
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_1m").await;
    assert_eq!(next(&mut ws).await["k"]["x"], false);
    sim.jump(sim.now() + Duration::from_secs(60)).unwrap();
    let frame = loop {
        let frame = next(&mut ws).await;
        if frame["k"]["x"] == true {
            break frame;
        }
    };
    let rows = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=2").await.2;
    assert_eq!(rows[0][0], frame["k"]["t"]);
    assert!(rows[0][8].as_i64().unwrap() > frame["k"]["n"].as_i64().unwrap());
    sim.stop().await;
}
