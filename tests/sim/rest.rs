//! REST: rows, limits, refusals.

use std::time::Duration;

use hamatop::sim::{SimConfig, replay};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::client::*;

#[tokio::test]
async fn klines_end_with_the_forming_candle_and_cost_what_the_exchange_says() {
    let sim = start(standing()).await;
    let (status, headers, rows) = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=100").await;
    assert_eq!(status, 200);
    assert_eq!(headers["x-mbx-used-weight-1m"], "1");
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 100);
    assert!(rows.iter().all(|r| r.as_array().unwrap().len() == 12));
    // 20:00 sharp: the last row opened this very moment, the one before closed a millisecond ago.
    assert_eq!(rows[99][0], replay::START.0);
    assert_eq!(rows[98][6], replay::START.0 - 1);
    // The recorded candle of 19:00, as the exchange had it.
    assert_eq!(rows[98][1], json!("117178.5"));
    assert_eq!((&rows[98][4], &rows[98][8]), (&json!("116605.3"), &json!(519_827)));
    let (_, headers, rows) = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=15m&limit=500").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], "3");
    assert_eq!(rows.as_array().unwrap().len(), 500);
    let (_, headers, _) = get(&sim, "/fapi/v1/klines?symbol=ETHUSDT&interval=4h").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], "8");
    sim.stop().await;
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_exchanges_codes_and_charged() {
    let sim = start(standing()).await;
    for (query, code) in [
        ("symbol=NOPEUSDT&interval=1h&limit=10", -1121),
        ("symbol=BTCUSDT&interval=1H&limit=10", -1120),
        ("symbol=BTCUSDT&interval=1m&limit=10", -1120),
        ("symbol=BTCUSDT&interval=1h&limit=1501", -1130),
        ("symbol=BTCUSDT&interval=1h&limit=0", -1130),
        ("interval=1h", -1102),
    ] {
        let (status, headers, body) = get(&sim, &format!("/fapi/v1/klines?{query}")).await;
        assert_eq!((status, &body["code"]), (400, &json!(code)), "{query}: {body}");
        assert!(headers.contains_key("x-mbx-used-weight-1m"));
    }
    // 4 of 1, one of 10, one of the default's 5.
    assert_eq!(sim.stats().weight_total, 1 + 1 + 1 + 10 + 1 + 5);
    assert_eq!(get(&sim, "/fapi/v1/nothing").await.0, 404);
    let violations = get(&sim, "/sim/stats").await.2["violations"].clone();
    assert_eq!(violations, json!({"bad_request": 6, "unknown_route": 1}));
    sim.stop().await;
}

#[tokio::test]
async fn start_end_and_limit_choose_rows_as_the_exchange_does() {
    let sim = start(standing()).await;
    let hour = 3_600_000;
    let first = replay::START.0 - 10 * hour;
    let opens = |body: Value| -> Vec<i64> {
        body.as_array().unwrap().iter().map(|r| r[0].as_i64().unwrap()).collect()
    };
    let ask = |query: String| format!("/fapi/v1/klines?symbol=ETHUSDT&interval=1h&{query}");
    let from = opens(get(&sim, &ask(format!("startTime={first}&limit=3"))).await.2);
    assert_eq!(from, [first, first + hour, first + 2 * hour]);
    let between = opens(get(&sim, &ask(format!("startTime={}&endTime={}", first - 1, first + hour))).await.2);
    assert_eq!(between, [first, first + hour]);
    let until = opens(get(&sim, &ask(format!("endTime={first}&limit=2"))).await.2);
    assert_eq!(until, [first - hour, first]);
    let future = opens(get(&sim, &ask(format!("startTime={}", replay::START.0 + hour))).await.2);
    assert!(future.is_empty());
    sim.stop().await;
}

#[tokio::test]
async fn universe_and_tickers_have_the_exchanges_shape_zipped_when_asked() {
    let sim = start(synthetic(12, 0.0)).await;
    let (_, headers, info) = get(&sim, "/fapi/v1/exchangeInfo").await;
    // reqwest asks for gzip, and takes the header away when it has unzipped.
    assert_eq!(headers["x-mbx-used-weight-1m"], "1");
    let raw = http().get(format!("{}/fapi/v1/exchangeInfo", sim.rest_url()));
    let plain = raw.header("accept-encoding", "identity").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    assert_eq!(info["rateLimits"][0]["limit"], 2_400);
    let symbols = info["symbols"].as_array().unwrap();
    let find = |name: &str| symbols.iter().find(|s| s["symbol"] == name).unwrap();
    let trading = symbols.iter().filter(|s| s["status"] == "TRADING" && s["contractType"] == "PERPETUAL");
    assert_eq!(trading.count(), 12);
    assert_eq!(find("BTCUSDT")["filters"][0]["tickSize"], "0.1");
    assert_eq!(find("BTCUSDT_261225")["contractType"], "CURRENT_QUARTER");
    assert_eq!(find("TSLAUSDT")["contractType"], "TRADIFI_PERPETUAL");
    assert_eq!(find("OLDUSDT")["status"], "SETTLING");
    let chinese = "/fapi/v1/klines?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=1h&limit=5";
    assert_eq!(get(&sim, chinese).await.2.as_array().unwrap().len(), 5);
    let young = get(&sim, "/fapi/v1/klines?symbol=YOUNGUSDT&interval=1h&limit=99").await.2;
    assert_eq!(young.as_array().unwrap().len(), 21 + 1);
    let flat = get(&sim, "/fapi/v1/klines?symbol=FLATUSDT&interval=1h&limit=2").await.2;
    assert_eq!((&flat[0][8], &flat[0][2]), (&json!(0), &flat[0][3]));

    let (_, headers, day) = get(&sim, "/fapi/v1/ticker/24hr").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], (1 + 1 + 1 + 1 + 1 + 40).to_string().as_str());
    let day = day.as_array().unwrap();
    assert!(day.iter().all(|d| d["symbol"] != "OLDUSDT"));
    let volume = |n: usize| day[n]["quoteVolume"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(volume(0) > volume(1) && volume(1) > volume(8), "ranked by volume");

    let (_, headers, spot) = get(&sim, "/api/v3/exchangeInfo?symbolStatus=TRADING").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], "20");
    assert_eq!(spot["rateLimits"][0]["limit"], 6_000);
    let spot_rows = get(&sim, "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1").await.2;
    assert_eq!(spot_rows[0][1].as_str().unwrap().split('.').nth(1).unwrap().len(), 8);
    assert_eq!(
        get(&sim, "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D").await.2.as_array().unwrap().len(),
        1
    );
    assert_eq!(sim.stats().weight_spot.values().sum::<u64>(), 24);
    sim.stop().await;
}

#[tokio::test]
async fn bodies_are_zipped_for_who_asks() {
    let sim = start(standing()).await;
    let mut tcp = TcpStream::connect(sim.address()).await.unwrap();
    let request =
        "GET /fapi/v1/exchangeInfo HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut tcp, request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut tcp, &mut answer).await.unwrap();
    let head = String::from_utf8_lossy(&answer[..400]).to_lowercase();
    assert!(head.contains("content-encoding: gzip"), "{head}");
    sim.stop().await;
}

#[tokio::test]
async fn too_much_weight_is_429_then_418() {
    let sim = start(standing()).await;
    for _ in 0..60 {
        assert_eq!(get(&sim, "/fapi/v1/ticker/24hr").await.0, 200);
    }
    let (status, headers, body) = get(&sim, "/fapi/v1/time").await;
    assert_eq!((status, &body["code"]), (429, &json!(-1003)));
    assert_eq!(headers["retry-after"], "60");
    for _ in 0..2 {
        assert_eq!(get(&sim, "/fapi/v1/time").await.0, 429);
    }
    let (status, headers, body) = get(&sim, "/fapi/v1/time").await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (418, "120"));
    assert!(body["msg"].as_str().unwrap().contains(&format!("{}", replay::START.0 + 120_000)));
    // The other market has its own budget, and the next minute a new one.
    assert_eq!(get(&sim, "/api/v3/time").await.0, 200);
    sim.jump(replay::START + Duration::from_secs(120)).unwrap();
    assert_eq!(get(&sim, "/fapi/v1/time").await.0, 200);
    sim.stop().await;
}

#[tokio::test]
async fn rest_fails_as_told() {
    let script = r#"[{"kind":"rest_error","status":451,"count":1,"route":"/fapi/v1/klines"},
        {"kind":"rest_error","status":502,"count":1,"route":"/fapi/v1/time"}]"#;
    let sim = start(SimConfig { faults: faults(script), ..standing() }).await;
    let path = "/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=5";
    let (status, _, body) = get(&sim, path).await;
    assert_eq!((status, &body["code"]), (451, &json!(0)));
    assert_eq!(get(&sim, path).await.0, 200);
    let (status, headers, _) = get(&sim, "/fapi/v1/time").await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (502, "text/html"));
    sim.stop().await;
}
