//! What the streams say, and when.

use std::time::Duration;

use hamatop::domain::interval::Interval;
use hamatop::domain::symbol::Market;
use hamatop::domain::time::UnixMs;
use hamatop::sim::{SimConfig, replay};
use serde_json::json;

use crate::client::*;

#[tokio::test]
async fn every_close_comes_in_order_and_is_the_truth_at_high_speed() {
    let sim = start(SimConfig { speed: 3_600.0, ..SimConfig::default() }).await;
    let names: Vec<String> =
        ["btcusdt@kline_15m", "ethusdt@kline_1h", "1000pepeusdt@kline_15m"].map(String::from).into();
    let mut ws = connect(&sim, &format!("/market/stream?streams={}", names.join("/"))).await;
    let got = closes(&mut ws, &names, 4).await;
    let which = [("BTCUSDT", Interval::M15), ("ETHUSDT", Interval::H1), ("1000PEPEUSDT", Interval::M15)];
    for (frames, (symbol, interval)) in got.iter().zip(which) {
        let opens: Vec<i64> = frames.iter().map(|k| k["t"].as_i64().unwrap()).collect();
        let steps = opens.windows(2).all(|w| w[1] - w[0] == interval.millis());
        assert!(steps, "{symbol}: {opens:?}");
        let path = format!("/sim/truth?market=usdm&symbol={symbol}&interval={interval}&limit=600");
        let truth = get(&sim, &path).await.2;
        for k in frames {
            let row = truth.as_array().unwrap().iter().find(|r| r[0] == k["t"]).unwrap();
            let sent = ["t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B"].map(|f| k[f].clone());
            assert_eq!(row, &json!(sent));
        }
    }
    assert!(sim.stats().closes >= 12);
    sim.stop().await;
}

#[tokio::test]
async fn a_jump_of_the_clock_skips_no_close() {
    let sim = start(synthetic(3, 0.0)).await;
    let mut ws = connect(&sim, "/market/stream?streams=btcusdt@kline_15m").await;
    assert_eq!(next(&mut ws).await["data"]["k"]["x"], false);
    let from = sim.now();
    let to = from.0 + 50 * 900_000;
    let response = http().post(format!("{}/sim/clock", sim.rest_url()));
    let answer = response.body(json!({"now": to}).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for n in 0..50 {
        let k = next(&mut ws).await["data"]["k"].clone();
        assert_eq!((&k["t"], &k["x"]), (&json!(from.0 + n * 900_000), &json!(true)));
    }
    let back =
        http().post(format!("{}/sim/clock", sim.rest_url())).body(r#"{"now":5}"#).send().await.unwrap();
    assert_eq!(back.status(), 400);
    sim.stop().await;
}

#[tokio::test]
async fn updates_keep_their_pace_at_any_speed_and_carry_growing_figures() {
    let sim = start(synthetic(3, 600.0)).await;
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_1d").await;
    let began = std::time::Instant::now();
    let mut last = (0, 0);
    for _ in 0..5 {
        let frame = next(&mut ws).await;
        let now = (frame["E"].as_i64().unwrap(), frame["k"]["n"].as_i64().unwrap());
        assert!(now > last, "{now:?} after {last:?}");
        last = now;
    }
    assert!(began.elapsed() >= Duration::from_millis(990), "{:?}", began.elapsed());
    sim.stop().await;
}

#[tokio::test]
async fn a_candle_without_a_trade_is_told_once_when_it_closes() {
    let sim = start(synthetic(6, 0.0)).await;
    let mut ws = connect(&sim, "/market/ws/flatusdt@kline_15m/btcusdt@kline_15m").await;
    assert_eq!(next(&mut ws).await["s"], "BTCUSDT");
    sim.jump(sim.now() + Duration::from_secs(900)).unwrap();
    let flat = loop {
        let frame = next(&mut ws).await;
        if frame["s"] == "FLATUSDT" {
            break frame["k"].clone();
        }
    };
    assert_eq!(
        (&flat["x"], &flat["n"], &flat["f"], &flat["L"]),
        (&json!(true), &json!(0), &json!(-1), &json!(-1))
    );
    sim.stop().await;
}

#[tokio::test]
async fn at_the_end_the_clock_stands_and_all_is_closed() {
    let config = SimConfig { start: Some(UnixMs(replay::END.0 - 60_000)), ..standing() };
    let sim = start(config).await;
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_4h").await;
    assert_eq!(next(&mut ws).await["k"]["x"], false);
    sim.set_speed(36_000.0).unwrap();
    loop {
        let k = next(&mut ws).await["k"].clone();
        if k["x"] == true {
            assert_eq!(k["T"], replay::END.0 - 1);
            break;
        }
    }
    assert!(sim.ended());
    assert_eq!(sim.now(), replay::END);
    let btc = series(&sim, Market::UsdM, "BTCUSDT", Interval::H4);
    assert_eq!(sim.truth().closed(btc, 1, sim.now())[0].close_time, UnixMs(replay::END.0 - 1));
    sim.stop().await;
}
