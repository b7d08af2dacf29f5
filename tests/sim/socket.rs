//! The protocol of a socket.

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::*;

#[tokio::test]
async fn requests_on_a_socket_are_answered_by_id_and_acknowledged_whatever_they_name() {
    let sim = start(standing()).await;
    let mut ws = connect(&sim, "/market/stream").await;
    say(&mut ws, json!({"method":"SUBSCRIBE","params":["NOPE@kline_1h","BTCUSDT@kline_1h"],"id":"x1"})).await;
    assert_eq!(next(&mut ws).await, json!({"result":null,"id":"x1"}));
    say(&mut ws, json!({"method":"LIST_SUBSCRIPTIONS","id":7})).await;
    assert_eq!(next(&mut ws).await, json!({"result":["NOPE@kline_1h","BTCUSDT@kline_1h"],"id":7}));
    say(&mut ws, json!({"method":"GET_PROPERTY","params":["combined"],"id":null})).await;
    assert_eq!(next(&mut ws).await, json!({"result":true,"id":null}));
    say(&mut ws, json!({"method":"SET_PROPERTY","params":["combined",false],"id":8})).await;
    assert_eq!(next(&mut ws).await, json!({"result":null,"id":8}));
    say(&mut ws, json!({"method":"SUBSCRIBE","params":["btcusdt@kline_1h"],"id":9})).await;
    assert_eq!(next(&mut ws).await["id"], 9);
    let frame = next(&mut ws).await;
    assert_eq!(
        (&frame["e"], &frame["k"]["i"], &frame["k"]["x"]),
        (&json!("kline"), &json!("1h"), &json!(false))
    );
    say(&mut ws, json!({"method":"UNSUBSCRIBE","params":["btcusdt@kline_1h","never"],"id":10})).await;
    assert_eq!(next(&mut ws).await, json!({"result":null,"id":10}));
    ws.send(Message::Text("{nonsense".into())).await.unwrap();
    assert_eq!(next(&mut ws).await["error"]["code"], 3);
    let stats = sim.stats();
    assert_eq!((stats.streams, stats.open), (2, 1));
    sim.stop().await;
}

#[tokio::test]
async fn a_frame_over_the_size_is_never_answered() {
    let sim = start(standing()).await;
    let mut ws = connect(&sim, "/market/stream").await;
    let subscribe = |names: usize, id: i32| {
        let names: Vec<String> = (0..names).map(|n| format!("s{n:05}@kline_1h")).collect();
        json!({"method":"SUBSCRIBE","params":names,"id":id})
    };
    let long = subscribe(280, 1);
    assert!(long.to_string().len() > 4_088);
    say(&mut ws, long).await;
    say(&mut ws, subscribe(200, 2)).await;
    assert_eq!(next(&mut ws).await["id"], 2);
    assert_eq!(sim.stats().violations[&hamatop::sim::stats::Violation::FrameTooLong], 1);
    sim.stop().await;
}

#[tokio::test]
async fn too_many_messages_close_the_socket() {
    let sim = start(standing()).await;
    for (path, allowed) in [("/market/stream", 10), ("/stream", 5)] {
        let mut ws = connect(&sim, path).await;
        for n in 0..40 {
            say(&mut ws, json!({"method":"LIST_SUBSCRIPTIONS","id":n})).await;
        }
        for n in 0..allowed {
            assert_eq!(next(&mut ws).await["id"], n);
        }
        assert_eq!(end(&mut ws).await, Some((1008, "Too many requests".to_owned())));
    }
    sim.stop().await;
}

#[tokio::test]
async fn the_1025th_stream_costs_all_of_them() {
    let sim = start(standing()).await;
    let mut ws = connect(&sim, "/market/stream").await;
    for id in 0..8 {
        let names: Vec<String> = (0..128).map(|n| format!("s{}@kline_1h", id * 128 + n)).collect();
        say(&mut ws, json!({"method":"SUBSCRIBE","params":names,"id":id})).await;
        assert_eq!(next(&mut ws).await, json!({"result":null,"id":id}));
    }
    say(&mut ws, json!({"method":"SUBSCRIBE","params":["last@kline_1h"],"id":99})).await;
    assert_eq!(next(&mut ws).await["error"]["code"], 4);
    assert_eq!(end(&mut ws).await.unwrap().0, 1008);
    sim.stop().await;
}

#[tokio::test]
async fn the_market_path_carries_usdm_the_bare_path_spot_and_the_public_path_nothing() {
    let sim = start(synthetic(4, 0.0)).await;
    let chinese = "/market/ws/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@kline_1h";
    assert_eq!(next(&mut connect(&sim, chinese).await).await["s"], "币安人生USDT");
    let um = next(&mut connect(&sim, "/market/ws/btcusdt@kline_1h").await).await;
    let spot = next(&mut connect(&sim, "/stream?streams=btcusdt@kline_1h").await).await;
    assert_eq!(spot["stream"], "btcusdt@kline_1h");
    assert_ne!(um["k"]["o"], spot["data"]["k"]["o"]);
    let mut public = connect(&sim, "/public/stream").await;
    say(&mut public, json!({"method":"SUBSCRIBE","params":["btcusdt@kline_1h"],"id":1})).await;
    assert_eq!(next(&mut public).await, json!({"result":null,"id":1}));
    say(&mut public, json!({"method":"LIST_SUBSCRIPTIONS","id":2})).await;
    assert_eq!(next(&mut public).await["id"], 2);
    let mut tickers = connect(&sim, "/market/ws/!miniTicker@arr").await;
    let all = next(&mut tickers).await;
    assert!(
        all.as_array().unwrap().iter().any(|t| t["s"] == "BTCUSDT" && t["e"] == "24hrMiniTicker"),
        "{all}"
    );
    sim.stop().await;
}
