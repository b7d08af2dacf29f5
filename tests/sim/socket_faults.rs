//! What happens to connections, each kind.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::*;

#[tokio::test]
async fn open_sockets_are_closed_with_any_code_or_torn() {
    let sim = start(synthetic(2, 0.0)).await;
    for code in [1000, 1001, 1008, 1011] {
        let mut ws = connect(&sim, "/market/stream").await;
        until(&sim, |s| s.open == 1).await;
        inject(&sim, &format!(r#"{{"kind":"ws_close","code":{code},"reason":"drill"}}"#));
        assert_eq!(end(&mut ws).await, Some((code, "drill".to_owned())));
        until(&sim, |s| s.open == 0).await;
    }
    let mut ws = connect(&sim, "/market/stream").await;
    until(&sim, |s| s.open == 1).await;
    inject(&sim, r#"{"kind":"ws_close","code":1006}"#);
    assert_eq!(end(&mut ws).await, None);
    assert_eq!(sim.stats().faults["ws_close"], 5);
    sim.stop().await;
}

#[tokio::test]
async fn a_reset_is_one() {
    let sim = start(synthetic(2, 0.0)).await;
    let mut ws = connect(&sim, "/market/stream").await;
    until(&sim, |s| s.open == 1).await;
    inject(&sim, r#"{"kind":"ws_reset"}"#);
    match raw(&mut ws).await {
        Err(Error::Io(e)) => assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset),
        other => panic!("{other:?}"),
    }
    sim.stop().await;
}

#[tokio::test]
async fn all_sockets_go_at_the_hour_and_a_scope_spares_the_others() {
    let sim = start(synthetic(2, 0.0)).await;
    let mut all = Vec::new();
    for path in ["/market/stream", "/market/stream", "/stream"] {
        all.push(connect(&sim, path).await);
        let opened = all.len() as u64;
        until(&sim, |s| s.opened == opened).await;
    }
    inject(&sim, r#"{"kind":"ws_close","code":1008,"connection":2}"#);
    assert_eq!(end(&mut all[1]).await.unwrap().0, 1008);
    inject(&sim, r#"{"kind":"ws_close","code":1001,"on":"hour"}"#);
    let list = get(&sim, "/sim/faults").await.2;
    assert_eq!((&list[0]["state"], &list[0]["fault"]["on"]), (&json!("waiting"), &json!("hour")));
    assert_eq!(sim.stats().open, 2);
    sim.jump(sim.now() + Duration::from_secs(3_600)).unwrap();
    assert_eq!(end(&mut all[0]).await.unwrap().0, 1001);
    assert_eq!(end(&mut all[2]).await.unwrap().0, 1001);
    assert_eq!(get(&sim, "/sim/faults").await.2, json!([]));
    sim.stop().await;
}

#[tokio::test]
async fn a_half_open_socket_says_nothing_until_healed_and_a_deaf_one_goes_on_with_data() {
    let sim = start(synthetic(2, 60.0)).await;
    let mut stopped = connect(&sim, "/market/ws/btcusdt@kline_1h").await;
    let mut deaf = connect(&sim, "/market/ws/btcusdt@kline_1h").await;
    next(&mut stopped).await;
    next(&mut deaf).await;
    inject(&sim, r#"[{"kind":"half_open","connection":1},{"kind":"no_pong","connection":2}]"#);
    until(&sim, |s| s.faults.len() == 2).await;
    // What was on its way still comes.
    while !quiet(&mut stopped).await {}
    for ws in [&mut stopped, &mut deaf] {
        ws.send(Message::Ping("mine".into())).await.unwrap();
    }
    assert!(quiet(&mut stopped).await);
    for _ in 0..3 {
        assert!(matches!(raw(&mut deaf).await.unwrap(), Message::Text(_)));
    }
    sim.heal();
    for ws in [&mut stopped, &mut deaf] {
        while raw(ws).await.unwrap() != Message::Pong("mine".into()) {}
    }
    sim.stop().await;
}

#[tokio::test]
async fn a_shutdown_is_announced_in_the_sockets_own_shape() {
    let sim = start(synthetic(2, 0.0)).await;
    let mut plain = connect(&sim, "/market/ws").await;
    let mut combined = connect(&sim, "/stream").await;
    until(&sim, |s| s.open == 2).await;
    inject(&sim, r#"{"kind":"server_shutdown","close_after_ms":60000}"#);
    let now = sim.now().0;
    assert_eq!(next(&mut plain).await, json!({"e":"serverShutdown","E":now}));
    let wrapped = json!({"stream":"!serverShutdown","data":{"e":"serverShutdown","E":now}});
    assert_eq!(next(&mut combined).await, wrapped);
    sim.jump(sim.now() + Duration::from_secs(60)).unwrap();
    assert_eq!(end(&mut plain).await.unwrap().0, 1001);
    sim.stop().await;
}

#[tokio::test]
async fn upgrades_are_refused_with_the_status_and_the_time_to_wait() {
    let sim = start(synthetic(2, 0.0)).await;
    for status in [403, 418, 429, 451, 503] {
        inject(&sim, &format!(r#"{{"kind":"refuse","status":{status},"retry_after":7}}"#));
        let Err(Error::Http(refused)) = try_connect(&sim, "/market/stream").await else { panic!("{status}") };
        let wait = refused.headers()["retry-after"].to_str().unwrap();
        assert_eq!((refused.status().as_u16(), wait), (status, "7"));
        assert!(try_connect(&sim, "/market/stream").await.is_ok());
    }
    inject(&sim, r#"{"kind":"refuse","status":503,"for_ms":5000,"route":"/market"}"#);
    for _ in 0..2 {
        assert!(try_connect(&sim, "/market/stream").await.is_err());
    }
    assert!(try_connect(&sim, "/stream").await.is_ok());
    sim.jump(sim.now() + Duration::from_secs(5)).unwrap();
    assert!(try_connect(&sim, "/market/stream").await.is_ok());
    sim.stop().await;
}

#[tokio::test]
async fn a_handshake_is_slow_and_a_socket_dropped_as_soon_as_it_is_open() {
    let sim = start(synthetic(2, 0.0)).await;
    inject(&sim, r#"{"kind":"slow_handshake","by_ms":300}"#);
    let began = Instant::now();
    connect(&sim, "/market/stream").await;
    assert!(began.elapsed() >= Duration::from_millis(300));
    inject(&sim, r#"{"kind":"accept_then_drop"}"#);
    assert_eq!(end(&mut connect(&sim, "/market/stream").await).await, None);
    // The so-manieth socket from now on, and whatever is open then.
    inject(&sim, r#"{"kind":"ws_close","code":1011,"on":"connection","nth":2}"#);
    let mut first = connect(&sim, "/market/stream").await;
    say(&mut first, json!({"method":"LIST_SUBSCRIPTIONS","id":1})).await;
    assert_eq!(next(&mut first).await["id"], 1);
    let mut second = connect(&sim, "/market/stream").await;
    assert_eq!(end(&mut second).await.unwrap().0, 1011);
    assert_eq!(end(&mut first).await.unwrap().0, 1011);
    sim.stop().await;
}

#[tokio::test]
async fn answers_are_lost_late_doubled_and_refusals_in_both_shapes() {
    let sim = start(synthetic(2, 0.0)).await;
    let mut ws = connect(&sim, "/market/stream").await;
    let list = |id: i32| json!({"method":"LIST_SUBSCRIPTIONS","id":id});
    inject(&sim, r#"{"kind":"ack_lost"}"#);
    say(&mut ws, list(1)).await;
    say(&mut ws, list(2)).await;
    assert_eq!(next(&mut ws).await["id"], 2);
    inject(&sim, r#"{"kind":"ack_late","by_ms":200}"#);
    say(&mut ws, list(3)).await;
    say(&mut ws, list(4)).await;
    assert_eq!((next(&mut ws).await["id"].clone(), next(&mut ws).await["id"].clone()), (json!(4), json!(3)));
    inject(&sim, r#"{"kind":"ack_twice"}"#);
    say(&mut ws, list(5)).await;
    assert_eq!((next(&mut ws).await["id"].clone(), next(&mut ws).await["id"].clone()), (json!(5), json!(5)));
    let mut ws = connect(&sim, "/market/stream").await;
    inject(&sim, r#"{"kind":"ack_error"}"#);
    let subscribe = |id: i32| json!({"method":"SUBSCRIBE","params":["btcusdt@kline_1h"],"id":id});
    say(&mut ws, subscribe(6)).await;
    let wrapped = next(&mut ws).await;
    assert_eq!((&wrapped["error"]["code"], &wrapped["id"]), (&json!(2), &json!(6)));
    say(&mut ws, list(7)).await;
    assert_eq!(next(&mut ws).await["result"], json!([]));
    inject(&sim, r#"{"kind":"ack_error","shape":"flat"}"#);
    say(&mut ws, subscribe(8)).await;
    let flat = next(&mut ws).await;
    assert_eq!((&flat["code"], &flat["id"], flat["msg"].is_string()), (&json!(2), &json!(8), true));
    sim.stop().await;
}

#[tokio::test]
async fn a_path_stops_carrying_a_class_of_streams_and_acknowledges_all_the_same() {
    let sim = start(synthetic(3, 60.0)).await;
    inject(
        &sim,
        r#"{"kind":"dead_subscribe","class":"kline","route":"/market","stream":"btcusdt@kline_1h"}"#,
    );
    let mut ws = connect(&sim, "/market/stream").await;
    let names = ["btcusdt@kline_1h", "ethusdt@kline_1h", "!miniTicker@arr"];
    say(&mut ws, json!({"method":"SUBSCRIBE","params":names,"id":1})).await;
    let mut heard = Vec::new();
    for _ in 0..8 {
        let frame = next(&mut ws).await;
        heard.push(frame["stream"].as_str().unwrap_or("ack").to_owned());
    }
    assert!(heard.contains(&"ack".to_owned()) && heard.contains(&names[1].to_owned()), "{heard:?}");
    assert!(heard.contains(&names[2].to_owned()) && !heard.contains(&names[0].to_owned()), "{heard:?}");
    // It is not the client's mistake.
    assert!(sim.stats().violations.is_empty());

    // USD-M's paths without a class: connected, acknowledged, mute.
    inject(&sim, r#"{"kind":"unrouted"}"#);
    let mut mute = connect(&sim, "/ws/btcusdt@kline_1h").await;
    say(&mut mute, json!({"method":"LIST_SUBSCRIPTIONS","id":2})).await;
    assert_eq!(next(&mut mute).await, json!({"result":["btcusdt@kline_1h"],"id":2}));
    assert!(quiet(&mut mute).await);
    sim.heal();
    assert_eq!(next(&mut connect(&sim, "/ws/btcusdt@kline_1h").await).await["s"], "BTCUSDT");
    sim.stop().await;
}
