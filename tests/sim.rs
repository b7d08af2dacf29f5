//! The embedded exchange over real sockets on loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hamatop::domain::interval::Interval;
use hamatop::domain::symbol::Market;
use hamatop::domain::time::UnixMs;
use hamatop::sim::command::{self, ExchangeArgs};
use hamatop::sim::truth::Series;
use hamatop::sim::{SimConfig, SimHandle, SourceConfig, fault, replay, serve};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

type Socket = WebSocketStream<TcpStream>;

async fn start(config: SimConfig) -> SimHandle {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, config, CancellationToken::new()).await.unwrap()
}

fn standing() -> SimConfig {
    SimConfig { speed: 0.0, ..SimConfig::default() }
}

fn synthetic(count: usize, speed: f64) -> SimConfig {
    SimConfig { source: SourceConfig::Synthetic { count, seed: 7 }, speed, ..SimConfig::default() }
}

fn http() -> reqwest::Client {
    // Fails where another test was first: then it is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn get(sim: &SimHandle, path: &str) -> (u16, reqwest::header::HeaderMap, Value) {
    let response = http().get(format!("{}{path}", sim.rest_url())).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    (status, headers, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn connect(sim: &SimHandle, path: &str) -> Socket {
    try_connect(sim, path).await.unwrap()
}

async fn try_connect(sim: &SimHandle, path: &str) -> Result<Socket, tokio_tungstenite::tungstenite::Error> {
    let tcp = TcpStream::connect(sim.address()).await.unwrap();
    client_async(format!("{}{path}", sim.ws_url()), tcp).await.map(|(socket, _)| socket)
}

/// The next JSON frame; fails after ten seconds.
async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(10), socket.next()).await.expect("a frame in time");
        if let Message::Text(text) = message.unwrap().unwrap() {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

/// How the socket ended: the close code, or `None` where it was torn.
async fn end(socket: &mut Socket) -> Option<(u16, String)> {
    loop {
        match timeout(Duration::from_secs(10), socket.next()).await.expect("an end in time") {
            Some(Ok(Message::Close(Some(frame)))) => {
                return Some((frame.code.into(), frame.reason.to_string()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}

fn series(sim: &SimHandle, market: Market, symbol: &str, interval: Interval) -> Series {
    Series { listing: sim.truth().find(market, symbol).unwrap(), interval }
}

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

/// Collects closes until each of `names` had `count`, by name.
async fn closes(ws: &mut Socket, names: &[String], count: usize) -> Vec<Vec<Value>> {
    let mut got: Vec<Vec<Value>> = vec![Vec::new(); names.len()];
    while got.iter().any(|g| g.len() < count) {
        let frame = next(ws).await;
        let at = names.iter().position(|n| frame["stream"] == n.as_str());
        if let (Some(at), json) = (at, &frame["data"]["k"])
            && json["x"] == true
        {
            got[at].push(json.clone());
        }
    }
    got
}

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

fn faults(text: &str) -> Vec<fault::Scheduled> {
    fault::parse(text).unwrap()
}

#[tokio::test]
async fn a_cut_tears_all_sockets_and_refuses_new_ones_for_its_span() {
    let sim = start(standing()).await;
    let mut ws = connect(&sim, "/market/stream").await;
    say(&mut ws, json!({"method":"LIST_SUBSCRIPTIONS","id":1})).await;
    assert_eq!(next(&mut ws).await["id"], 1);
    let answer = http().post(format!("{}/sim/faults", sim.rest_url()));
    let answer = answer.body(r#"{"kind":"ws_cut","for_ms":60000}"#).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), r#"{"injected":1}"#);
    assert_eq!(end(&mut ws).await, None);
    assert!(try_connect(&sim, "/market/stream").await.is_err());
    sim.jump(replay::START + Duration::from_secs(60)).unwrap();
    assert!(try_connect(&sim, "/market/stream").await.is_ok());
    let wrong = http().post(format!("{}/sim/faults", sim.rest_url())).body(r#"{"kind":"flood"}"#);
    let wrong = wrong.send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().await.unwrap().contains("drop_close"));
    sim.stop().await;
}

#[tokio::test]
async fn closes_are_dropped_and_delayed_and_silence_loses_frames() {
    let script = r#"[{"kind":"drop_close","symbol":"BTCUSDT","interval":"15m","count":1},
        {"kind":"delay_close","symbol":"ETHUSDT","interval":"15m","count":1,"for_ms":30000},
        {"kind":"ws_silence","for_ms":900000,"at":1767574800000}]"#;
    let start_at = UnixMs(1_767_571_200_000);
    let config = SimConfig { faults: faults(script), start: Some(start_at), ..synthetic(3, 0.0) };
    let sim = start(config).await;
    let names: Vec<String> = ["btcusdt@kline_15m", "ethusdt@kline_15m"].map(String::from).into();
    let mut ws = connect(&sim, &format!("/market/stream?streams={}", names.join("/"))).await;
    let first = [next(&mut ws).await, next(&mut ws).await];
    assert!(first.iter().all(|f| f["data"]["k"]["x"] == false));
    let quarter = |n: i64| UnixMs(start_at.0 + n * 900_000);
    sim.jump(quarter(2)).unwrap();
    // The first close of BTCUSDT is lost; that of ETHUSDT was held back until after its next one.
    let got = closes(&mut ws, &names, 1).await;
    assert_eq!(got[0][0]["t"], quarter(1).0);
    sim.jump(UnixMs(quarter(2).0 + 31_000)).unwrap();
    let mut opens: Vec<i64> = got[1].iter().map(|k| k["t"].as_i64().unwrap()).collect();
    while opens.len() < 2 {
        opens.extend(closes(&mut ws, &names[1..], 1).await[0].iter().map(|k| k["t"].as_i64().unwrap()));
    }
    opens.sort_unstable();
    assert_eq!(opens, [start_at.0, quarter(1).0]);
    // In the silence from the fourth quarter on, nothing comes; what was closed in it is lost.
    sim.jump(quarter(4)).unwrap();
    timeout(Duration::from_secs(10), async {
        while sim.stats().lost < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the frames of two quarters of two series are lost");
    sim.jump(quarter(5)).unwrap();
    let heard = closes(&mut ws, &names[..1], 1).await;
    assert_eq!(heard[0][0]["t"], quarter(4).0);
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

#[tokio::test]
async fn the_control_routes_have_the_contracts_shapes() {
    let sim = start(standing()).await;
    get(&sim, "/fapi/v1/time").await;
    let stats = get(&sim, "/sim/stats").await.2;
    assert_eq!(stats["requests"], json!({"/fapi/v1/time": 1}));
    assert_eq!(stats["weight_total"], 1);
    assert_eq!(stats["weight_by_minute"], json!({"um": {replay::START.0.to_string(): 1}, "spot": {}}));
    assert_eq!(stats["connections"], json!({"open": 0, "opened": 0}));
    assert_eq!((&stats["streams"], &stats["violations"]), (&json!(0), &json!({})));
    let clock = get(&sim, "/sim/clock").await.2;
    assert_eq!((&clock["now"], &clock["speed"]), (&json!(replay::START.0), &json!(0.0)));
    let truth = get(&sim, "/sim/truth?market=usdm&symbol=BTCUSDT&interval=15m&limit=640").await.2;
    assert_eq!(truth.as_array().unwrap().len(), 640);
    assert_eq!(truth[639][6], replay::START.0 - 1);
    assert_eq!(get(&sim, "/sim/truth?symbol=NOPE&interval=15m").await.0, 400);
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

/// A folder of its own for one test, gone when dropped.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("hamatop-sim-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        for (file, text) in files {
            std::fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn quarters(count: i64, zeros: &str) -> String {
    let row = |n: i64| {
        let (open, close) = (100 + n, 101 + n);
        format!("{},{open}.5{zeros},{close}.75,{open}.25,{close}.5,10.125,,,,,\n", n * 900_000)
    };
    let head = "open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_base,taker_quote\n";
    std::iter::once(head.to_owned()).chain((0..count).map(row)).collect()
}

#[tokio::test]
async fn a_folder_of_kline_files_is_served_on_both_markets() {
    let folder = Folder::new("served", &[("币安人生USDT-15m.csv", &quarters(16, "0")), ("notes.txt", "x")]);
    let source = SourceConfig::Folder(folder.0.clone());
    let sim = start(SimConfig { source, speed: 0.0, ..SimConfig::default() }).await;
    // The middle of four hours, and the last row has just opened.
    assert_eq!((sim.now(), sim.clock().end()), (UnixMs(7_200_000 - 3_600_000), Some(UnixMs(14_400_000))));
    let symbol = "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT";
    let um = get(&sim, &format!("/fapi/v1/klines?symbol={symbol}&interval=15m")).await.2;
    assert_eq!(um.as_array().unwrap().len(), 5);
    assert_eq!((&um[0][1], &um[0][5], &um[0][6]), (&json!("100.50"), &json!("10.125"), &json!(899_999)));
    // Derived: the volume times the mean of the four prices.
    assert_eq!(um[0][7], "1022.62");
    let spot = get(&sim, &format!("/api/v3/klines?symbol={symbol}&interval=1h")).await.2;
    assert_eq!(
        (&spot[0][1], &spot[0][4], &spot[0][5]),
        (&json!("100.50000000"), &json!("104.50000000"), &json!("40.50000000"))
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_served_is_refused_with_file_and_line() {
    let bad = quarters(3, "").replace("102.5,103.75", "102.5,x");
    for (name, files, words) in [
        ("bad", vec![("AUSDT-15m.csv", bad.as_str())], vec!["AUSDT-15m.csv", "line 4", "high"]),
        ("name", vec![("prices.csv", "")], vec!["prices.csv", "SYMBOL-INTERVAL"]),
        ("empty", vec![], vec!["no kline files"]),
    ] {
        let folder = Folder::new(name, &files);
        let source = SourceConfig::Folder(folder.0.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = SimConfig { source, ..SimConfig::default() };
        let error = serve(listener, config, CancellationToken::new()).await.unwrap_err().to_string();
        assert!(words.iter().all(|w| error.contains(w)), "{error}");
    }
}

#[tokio::test]
async fn the_command_says_where_it_listens_and_stops_when_told() {
    let cancel = CancellationToken::new();
    let (out, written) = std::io::pipe().unwrap();
    let args =
        ExchangeArgs { source: SourceConfig::Synthetic { count: 2, seed: 1 }, ..ExchangeArgs::default() };
    let exchange = tokio::spawn(command::run(args, written, cancel.clone()));
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        line
    });
    let ready: Value = serde_json::from_str(&line.await.unwrap()).unwrap();
    let rest = ready["rest"].as_str().unwrap();
    assert!(ready["ws"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    assert_eq!(http().get(format!("{rest}/fapi/v1/ping")).send().await.unwrap().status(), 200);
    cancel.cancel();
    timeout(Duration::from_secs(10), exchange).await.expect("an end in time").unwrap().unwrap();

    let faults = Folder::new("faults", &[("f.json", r#"[{"kind":"flood"}]"#)]);
    let args = ExchangeArgs { faults: Some(faults.0.join("f.json")), ..ExchangeArgs::default() };
    let error = command::run(args, std::io::sink(), CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("f.json") && error.contains("fault 1"), "{error}");
}

#[test]
fn the_bundled_recording_is_small() {
    let size = std::fs::metadata("src/sim/replay/um-2025-10.gz").unwrap().len();
    assert!(size <= 3 * 1024 * 1024, "{size} bytes");
}
