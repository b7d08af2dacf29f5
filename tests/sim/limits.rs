//! The limits of sockets: pings, age, attempts, URLs, and what the record says of each socket.

use std::time::Duration;

use futures_util::StreamExt;
use hamatop::sim::stats::{SocketEnd, Violation};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::*;

#[tokio::test]
async fn a_ping_that_is_not_answered_costs_the_socket_and_an_answered_one_is_timed() {
    let sim = start(synthetic(2, 0.0)).await;
    let mut good = connect(&sim, "/ws").await;
    let mut bad = connect(&sim, "/ws").await;
    // A socket that is read answers by itself; the other one is left alone until the end.
    let reader = tokio::spawn(async move { while good.next().await.is_some_and(|m| m.is_ok()) {} });
    sim.jump(sim.now() + Duration::from_secs(20)).unwrap();
    until(&sim, |s| s.sockets.values().all(|c| c.pings == 1)).await;
    until(&sim, |s| s.sockets[&1].pongs == 1).await;
    sim.jump(sim.now() + Duration::from_secs(60)).unwrap();
    until(&sim, |s| s.violations.get(&Violation::NoPong) == Some(&1)).await;
    let Some(Ok(Message::Ping(payload))) = bad.next().await else { panic!("no ping") };
    let stamp: i64 = std::str::from_utf8(&payload).unwrap().parse().unwrap();
    assert_eq!(stamp, sim.now().0 - 60_000);
    assert_eq!(end(&mut bad).await.unwrap().0, 1008);
    let stats = sim.stats();
    assert_eq!((stats.sockets[&1].end, stats.sockets[&2].end), (None, Some(SocketEnd::Closed(1008))));
    reader.abort();
    sim.stop().await;
}

#[tokio::test]
async fn a_socket_is_closed_after_a_day_of_the_exchanges_time_and_all_it_owed_is_sent() {
    let sim = start(synthetic(2, 0.0)).await;
    let mut ws = connect(&sim, "/market/ws/btcusdt@kline_4h").await;
    assert_eq!(next(&mut ws).await["k"]["x"], false);
    sim.jump(sim.now() + Duration::from_secs(86_399)).unwrap();
    let mut closed = 0;
    while closed < 5 {
        closed += u64::from(next(&mut ws).await["k"]["x"] == true);
    }
    sim.jump(sim.now() + Duration::from_secs(1)).unwrap();
    loop {
        match raw(&mut ws).await.unwrap() {
            Message::Text(text) => closed += u64::from(text.contains("\"x\":true")),
            Message::Close(Some(frame)) => {
                assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "24 hours"));
                break;
            }
            _ => {}
        }
    }
    assert_eq!(closed, 6);
    sim.stop().await;
}

#[tokio::test]
async fn the_301st_attempt_within_five_minutes_is_refused() {
    let sim = start(synthetic(1, 0.0)).await;
    for _ in 0..300 {
        assert!(
            matches!(try_connect(&sim, "/market/nothing").await, Err(Error::Http(r)) if r.status() == 404)
        );
    }
    let Err(Error::Http(refused)) = try_connect(&sim, "/ws").await else { panic!("not refused") };
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "300"));
    assert_eq!(sim.stats().violations[&Violation::ConnectionRate], 1);
    sim.stop().await;
}

#[tokio::test]
async fn a_url_over_the_length_is_refused() {
    let sim = start(synthetic(1, 0.0)).await;
    let path = |bytes: usize| format!("/stream?streams={}", "x".repeat(bytes - "/stream?streams=".len()));
    assert!(try_connect(&sim, &path(8_004)).await.is_ok());
    assert!(matches!(try_connect(&sim, &path(8_005)).await, Err(Error::Http(r)) if r.status() == 414));
    assert_eq!(sim.stats().violations[&Violation::UrlTooLong], 1);
    sim.stop().await;
}

#[tokio::test]
async fn ids_are_integers_strings_or_null() {
    let sim = start(synthetic(1, 0.0)).await;
    let mut ws = connect(&sim, "/market/stream").await;
    for id in [json!(-7), json!("d4c3b2a1-0000-1111-2222-333344445555"), json!(null)] {
        say(&mut ws, json!({"method":"LIST_SUBSCRIPTIONS","id":id})).await;
        assert_eq!(next(&mut ws).await, json!({"result":[],"id":id}));
    }
    for id in [json!([1]), json!({"a":1}), json!(1.5), json!("x".repeat(37))] {
        say(&mut ws, json!({"method":"LIST_SUBSCRIPTIONS","id":id})).await;
        assert_eq!(next(&mut ws).await["error"]["code"], 2);
    }
    let stats = get(&sim, "/sim/stats").await.2;
    let socket = &stats["sockets"][0];
    assert!(socket["max_messages_a_second"].as_u64().unwrap() >= 1, "{socket}");
    assert_eq!(
        (&socket["number"], &socket["path"], &socket["open"]),
        (&json!(1), &json!("/market/stream"), &json!(true))
    );
    assert!(stats["violation_kinds"].as_array().unwrap().contains(&json!("connection_rate")));
    sim.stop().await;
}

#[tokio::test]
async fn arrays_carry_what_changed_and_rows_of_the_other_product() {
    let sim = start(synthetic(6, 60.0)).await;
    let mut ws = connect(&sim, "/market/ws/!miniTicker@arr").await;
    let rows = |frame: &serde_json::Value| -> Vec<(String, u64)> {
        let row = |r: &serde_json::Value| (r["s"].as_str().unwrap().to_owned(), r["st"].as_u64().unwrap());
        frame.as_array().unwrap().iter().map(row).collect()
    };
    let first = rows(&next(&mut ws).await);
    assert!(
        first.contains(&("BTCUSDT".into(), 1)) && first.contains(&("BTCUSD_PERP".into(), 2)),
        "{first:?}"
    );
    assert!(first.contains(&("FLATUSDT".into(), 1)));
    let second = rows(&next(&mut ws).await);
    assert!(
        second.contains(&("BTCUSDT".into(), 1)) && !second.contains(&("FLATUSDT".into(), 1)),
        "{second:?}"
    );
    // Spot has one product.
    let mut spot = connect(&sim, "/ws/!miniTicker@arr").await;
    let spot = next(&mut spot).await;
    assert!(spot.as_array().unwrap().iter().all(|r| r["s"] != "BTCUSD_PERP" && r["st"].is_null()));

    let mut marks = connect(&sim, "/market/ws/!markPrice@arr@1s").await;
    let (most, rest) = (next(&mut marks).await, next(&mut marks).await);
    let (most, rest) = (most.as_array().unwrap(), rest.as_array().unwrap());
    assert!(most.len() > rest.len() && !rest.is_empty() && most[0]["e"] == "markPriceUpdate");
    assert!(rest.iter().all(|r| !most.iter().any(|m| m["s"] == r["s"])));
    let mut days = connect(&sim, "/market/ws/!ticker@arr").await;
    assert_eq!(next(&mut days).await[0]["e"], "24hrTicker");
    let mut one = connect(&sim, "/market/stream?streams=ethusdt@miniTicker").await;
    assert_eq!(next(&mut one).await["data"]["s"], "ETHUSDT");
    sim.stop().await;
}
