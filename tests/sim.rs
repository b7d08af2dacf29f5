//! The embedded exchange over real sockets on loopback.
#![allow(missing_docs)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hamatop::domain::interval::Interval;
use hamatop::domain::symbol::Market;
use hamatop::domain::time::UnixMs;
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
    assert_eq!(rows[98][1], json!("117099.40"), "{}", rows[98]);
    let (_, headers, rows) = get(&sim, "/fapi/v1/klines?symbol=BTCUSDT&interval=15m&limit=500").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], "3");
    assert_eq!(rows.as_array().unwrap().len(), 500);
    let (_, headers, _) = get(&sim, "/fapi/v1/klines?symbol=ETHUSDT&interval=4h").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], "8");
    sim.stop().await;
}
