//! The universe while it changes: listings, delistings, halts, holes, ranks, strange words.

use std::time::Duration;

use hamatop::domain::time::UnixMs;
use hamatop::sim::{SimHandle, fault};
use serde_json::{Value, json};

use crate::client::*;

const MINUTE: i64 = 60_000;

fn inject(sim: &SimHandle, faults: &Value) {
    sim.inject(fault::parse(&faults.to_string()).unwrap());
}

async fn listed(sim: &SimHandle, symbol: &str) -> Option<Value> {
    let info = get(sim, "/fapi/v1/exchangeInfo").await.2;
    info["symbols"].as_array().unwrap().iter().find(|s| s["symbol"] == symbol).cloned()
}

async fn status(sim: &SimHandle, symbol: &str) -> String {
    listed(sim, symbol).await.map_or("none".to_owned(), |s| s["status"].as_str().unwrap().to_owned())
}

async fn ranked(sim: &SimHandle) -> Vec<String> {
    let day = get(sim, "/fapi/v1/ticker/24hr").await.2;
    let volume = |d: &Value| d["quoteVolume"].as_str().unwrap().parse::<f64>().unwrap();
    let mut rows: Vec<_> = day
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (volume(d), d["symbol"].as_str().unwrap().to_owned()))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.into_iter().map(|r| r.1).collect()
}

async fn minutes(sim: &SimHandle, symbol: &str, limit: usize) -> Vec<Value> {
    let path = format!("/fapi/v1/klines?symbol={symbol}&interval=1m&limit={limit}");
    get(sim, &path).await.2.as_array().cloned().unwrap_or_default()
}

/// Lets minutes pass one by one.
fn pass(sim: &SimHandle, minutes: i64) {
    sim.jump(UnixMs(sim.now().0 + minutes * MINUTE)).unwrap();
}

/// The closes that a stream tells in the next minutes, `[open time, trades]` each.
async fn closes(ws: &mut Socket, count: usize) -> Vec<(i64, i64)> {
    let mut out = Vec::new();
    while out.len() < count {
        let frame = next(ws).await;
        if frame["k"]["x"] == true {
            out.push((frame["k"]["t"].as_i64().unwrap(), frame["k"]["n"].as_i64().unwrap()));
        }
    }
    out
}

#[tokio::test]
async fn a_listing_appears_everywhere_with_its_first_candles() {
    let sim = start(synthetic(4, 0.0)).await;
    let begin = sim.now().0;
    let mut contracts = connect(&sim, "/market/ws/!contractInfo").await;
    assert_eq!(status(&sim, "新币USDT").await, "none");
    inject(&sim, &json!({"kind": "list", "market": "usdm", "symbol": "新币USDT", "at": begin + 5 * MINUTE}));
    assert_eq!(status(&sim, "新币USDT").await, "PENDING_TRADING");
    assert!(!ranked(&sim).await.contains(&"新币USDT".to_owned()));
    // Told as it was announced, then as it trades.
    let told = next(&mut contracts).await;
    assert_eq!((&told["s"], &told["cs"]), (&json!("新币USDT"), &json!("PENDING_TRADING")));
    pass(&sim, 8);
    assert_eq!(status(&sim, "新币USDT").await, "TRADING");
    let told = next(&mut contracts).await;
    assert_eq!(
        (&told["e"], &told["cs"], &told["ct"]),
        (&json!("contractInfo"), &json!("TRADING"), &json!("PERPETUAL"))
    );
    assert_eq!(listed(&sim, "新币USDT").await.unwrap()["onboardDate"], begin + 5 * MINUTE);
    // Three whole minutes and the one that began this moment.
    let rows = minutes(&sim, "%E6%96%B0%E5%B8%81USDT", 99).await;
    assert_eq!(
        rows.iter().map(|r| r[0].as_i64().unwrap()).collect::<Vec<_>>(),
        [5, 6, 7, 8].map(|n| begin + n * MINUTE)
    );
    assert!(ranked(&sim).await.contains(&"新币USDT".to_owned()));
    let mut ws =
        connect(&sim, "/market/ws/%E6%96%B0%E5%B8%81USDT@kline_1m".replace("USDT", "usdt").as_str()).await;
    assert_eq!(next(&mut ws).await["k"]["s"], "新币USDT");
    assert_eq!(sim.stats().faults["list"], 1);
    sim.stop().await;
}

#[tokio::test]
async fn a_delisted_contract_sends_closes_without_trades_and_then_nothing() {
    let sim = start(synthetic(4, 0.0)).await;
    let begin = sim.now().0;
    let fault = json!({"kind": "delist", "symbol": "ETHUSDT", "market": "usdm", "at": begin + 2 * MINUTE, "closes_ms": 3 * MINUTE});
    inject(&sim, &fault);
    let mut ws = connect(&sim, "/market/ws/ethusdt@kline_1m").await;
    assert_eq!(status(&sim, "ETHUSDT").await, "TRADING");
    pass(&sim, 2);
    assert_eq!(status(&sim, "ETHUSDT").await, "SETTLING");
    assert!(!ranked(&sim).await.contains(&"ETHUSDT".to_owned()));
    pass(&sim, 10);
    let told = closes(&mut ws, 5).await;
    let opens: Vec<_> = told.iter().map(|c| (c.0 - begin) / MINUTE).collect();
    assert_eq!(opens, [0, 1, 2, 3, 4]);
    assert!(told[1].1 > 0 && told[2..].iter().all(|c| c.1 == 0), "{told:?}");
    // Nothing after that, on the stream or in REST, and the market goes on beside it.
    say(&mut ws, json!({"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1})).await;
    // Its clock stands: what it is asked before time goes on begins before that.
    while next(&mut ws).await["id"] != 1 {}
    pass(&sim, 5);
    let others = closes_of(&mut ws, 5).await;
    assert!(others.iter().all(|s| s == "BTCUSDT"), "{others:?}");
    let last = minutes(&sim, "ETHUSDT", 1).await;
    assert_eq!(last[0][0], begin + 4 * MINUTE);
    assert_eq!(status(&sim, "ETHUSDT").await, "SETTLING");
    assert!(listed(&sim, "ETHUSDT").await.unwrap()["deliveryDate"].as_i64().unwrap() < begin + 10 * MINUTE);
    sim.stop().await;
}

async fn closes_of(ws: &mut Socket, count: usize) -> Vec<String> {
    let mut out = Vec::new();
    while out.len() < count {
        let frame = next(ws).await;
        if frame["k"]["x"] == true {
            out.push(frame["k"]["s"].as_str().unwrap().to_owned());
        }
    }
    out
}

#[tokio::test]
async fn a_halt_is_minutes_without_trades_and_then_trading_goes_on() {
    let sim = start(synthetic(4, 0.0)).await;
    let begin = sim.now().0;
    inject(
        &sim,
        &json!({"kind": "halt", "symbol": "BTCUSDT", "at": begin + 3 * MINUTE, "for_ms": 4 * MINUTE}),
    );
    pass(&sim, 4);
    assert_eq!(status(&sim, "BTCUSDT").await, "TRADING_HALT");
    let spot = get(&sim, "/api/v3/exchangeInfo?symbol=BTCUSDT").await.2;
    assert_eq!(spot["symbols"][0]["status"], "BREAK");
    pass(&sim, 11);
    assert_eq!(status(&sim, "BTCUSDT").await, "TRADING");
    let rows = minutes(&sim, "BTCUSDT", 16).await;
    let trades: Vec<bool> = rows[..15].iter().map(|r| r[8].as_i64().unwrap() > 0).collect();
    let expected: Vec<bool> = (0..15).map(|n| !(3..7).contains(&n)).collect();
    assert_eq!(trades, expected);
    assert_eq!((&rows[3][1], &rows[3][2], &rows[3][4]), (&rows[2][4], &rows[2][4], &rows[2][4]));
    assert_eq!(rows[6][4], rows[2][4]);
    // The longer candle is their sum.
    let quarter = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=15m&limit=2").await.2;
    let sum: i64 = rows[..15].iter().map(|r| r[8].as_i64().unwrap()).sum();
    assert_eq!((&quarter[0][8], &quarter[0][1], &quarter[0][4]), (&json!(sum), &rows[0][1], &rows[14][4]));
    sim.stop().await;
}

#[tokio::test]
async fn a_hole_is_in_rest_and_stream_alike() {
    let sim = start(synthetic(4, 0.0)).await;
    let begin = sim.now().0;
    inject(&sim, &json!({"kind": "hole", "at": begin + 15 * MINUTE, "for_ms": 30 * MINUTE}));
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_15m").await;
    pass(&sim, 90);
    let told: Vec<_> = closes(&mut ws, 4).await.iter().map(|c| (c.0 - begin) / MINUTE).collect();
    assert_eq!(told, [0, 45, 60, 75]);
    let path = format!("/fapi/v1/klines?symbol=BTCUSDT&interval=15m&startTime={begin}&limit=9");
    let rows = get(&sim, &path).await.2;
    let opens: Vec<_> =
        rows.as_array().unwrap().iter().map(|r| (r[0].as_i64().unwrap() - begin) / MINUTE).collect();
    assert_eq!(opens, [0, 45, 60, 75, 90]);
    // An hour that is partly there is there, with what was traded in it.
    let hour = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=2").await.2;
    let parts = rows[0][8].as_i64().unwrap() + rows[1][8].as_i64().unwrap();
    assert_eq!((&hour[0][0], &hour[0][8]), (&json!(begin), &json!(parts)));
    sim.stop().await;
}

#[tokio::test]
async fn ranks_change_with_volume() {
    let sim = start(synthetic(12, 0.0)).await;
    let before = ranked(&sim).await;
    let last = before.iter().rev().find(|s| s.starts_with('S')).unwrap().clone();
    inject(&sim, &json!({"kind": "volume", "symbol": last, "market": "usdm", "per_mille": 200_000}));
    sim.jump(sim.now() + Duration::from_secs(6 * 3_600)).unwrap();
    assert_eq!(ranked(&sim).await[0], last);
    inject(&sim, &json!({"kind": "volume", "symbol": last, "market": "usdm", "per_mille": 1}));
    sim.jump(sim.now() + Duration::from_secs(25 * 3_600)).unwrap();
    let after = ranked(&sim).await;
    assert!(after.iter().position(|s| *s == last) >= before.iter().position(|s| *s == last), "{after:?}");
    sim.stop().await;
}

#[tokio::test]
async fn words_that_nobody_knows_and_names_that_change() {
    let sim = start(synthetic(4, 0.0)).await;
    let strange = json!([
        {"kind": "relabel", "symbol": "ETHUSDT", "status": "TRADING_ON_MARS", "filter": "LUNAR_FILTER"},
        {"kind": "relabel", "symbol": "BTCUSDT", "contract_type": "ETERNAL", "underlying_type": "WEATHER", "for_ms": MINUTE},
        {"kind": "rename", "symbol": "1000SATSUSDT", "market": "usdm", "to": "10000SATSUSDT"},
    ]);
    inject(&sim, &strange);
    pass(&sim, 1);
    let eth = listed(&sim, "ETHUSDT").await.unwrap();
    assert_eq!(eth["status"], "TRADING_ON_MARS");
    assert!(eth["filters"].as_array().unwrap().iter().any(|f| f["filterType"] == "LUNAR_FILTER"));
    let btc = listed(&sim, "BTCUSDT").await.unwrap();
    assert_eq!((&btc["contractType"], &btc["underlyingType"]), (&json!("ETERNAL"), &json!("WEATHER")));
    assert_eq!(status(&sim, "1000SATSUSDT").await, "SETTLING");
    assert_eq!(status(&sim, "10000SATSUSDT").await, "TRADING");
    pass(&sim, 2);
    assert_eq!(listed(&sim, "BTCUSDT").await.unwrap()["contractType"], "PERPETUAL");
    assert_eq!(minutes(&sim, "10000SATSUSDT", 9).await.len(), 3);
    assert_eq!(status(&sim, "ETHUSDT").await, "TRADING_ON_MARS");
    sim.stop().await;
}

#[tokio::test]
async fn rows_of_the_other_product_stand_in_arrays_of_all_and_nowhere_else() {
    let sim = start(synthetic(4, 0.0)).await;
    let mut ws = connect(&sim, "/market/stream?streams=!miniTicker@arr").await;
    let all = next(&mut ws).await["data"].as_array().unwrap().clone();
    let coin: Vec<_> = all.iter().filter(|t| t["st"] == 2).collect();
    assert_eq!((coin.len(), &coin[0]["s"], &coin[0]["ps"]), (1, &json!("BTCUSD_PERP"), &json!("BTCUSD")));
    assert!(all.iter().filter(|t| t["st"] == 1).count() >= 4);
    assert_eq!(listed(&sim, "BTCUSD_PERP").await, None);
    assert_eq!(get(&sim, "/fapi/v1/klines?symbol=BTCUSD_PERP&interval=1h").await.2["code"], -1121);
    let info = get(&sim, "/dapi/v1/exchangeInfo").await.2;
    assert_eq!(
        (&info["symbols"][0]["symbol"], &info["symbols"][0]["marginAsset"]),
        (&json!("BTCUSD_PERP"), &json!("BTC"))
    );
    sim.stop().await;
}
