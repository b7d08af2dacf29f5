//! The client that all rooms use, and what they start.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hamatop::domain::interval::Interval;
use hamatop::domain::symbol::Market;
use hamatop::sim::stats::Stats;
use hamatop::sim::truth::Series;
use hamatop::sim::{SimConfig, SimHandle, SourceConfig, fault, serve};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

pub type Socket = WebSocketStream<TcpStream>;

pub async fn start(config: SimConfig) -> SimHandle {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, config, CancellationToken::new()).await.unwrap()
}

pub fn standing() -> SimConfig {
    SimConfig { speed: 0.0, ..SimConfig::default() }
}

pub fn synthetic(count: usize, speed: f64) -> SimConfig {
    SimConfig { source: SourceConfig::Synthetic { count, seed: 7 }, speed, ..SimConfig::default() }
}

pub fn http() -> reqwest::Client {
    // Fails where another test was first: then it is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn get(sim: &SimHandle, path: &str) -> (u16, reqwest::header::HeaderMap, Value) {
    let response = http().get(format!("{}{path}", sim.rest_url())).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    (status, headers, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub async fn connect(sim: &SimHandle, path: &str) -> Socket {
    try_connect(sim, path).await.unwrap()
}

pub async fn try_connect(sim: &SimHandle, path: &str) -> Result<Socket, Error> {
    let tcp = TcpStream::connect(sim.address()).await.unwrap();
    client_async(format!("{}{path}", sim.ws_url()), tcp).await.map(|(socket, _)| socket)
}

/// The next JSON frame; fails after ten seconds.
pub async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(10), socket.next()).await.expect("a frame in time");
        if let Message::Text(text) = message.unwrap().unwrap() {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

/// How the socket ended: the close code, or `None` where it was torn.
pub async fn end(socket: &mut Socket) -> Option<(u16, String)> {
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

pub async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}

pub fn series(sim: &SimHandle, market: Market, symbol: &str, interval: Interval) -> Series {
    Series { listing: sim.truth().find(market, symbol).unwrap(), interval }
}

/// Collects closes until each of `names` had `count`, by name.
pub async fn closes(ws: &mut Socket, names: &[String], count: usize) -> Vec<Vec<Value>> {
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

pub fn faults(text: &str) -> Vec<fault::Scheduled> {
    fault::parse(text).unwrap()
}

/// A folder of its own for one test, gone when dropped.
pub struct Folder(pub std::path::PathBuf);

impl Folder {
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
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

/// Makes something go wrong; it is in force when this returns.
pub fn inject(sim: &SimHandle, text: &str) {
    sim.inject(faults(text));
}

/// The next message of any kind, or how reading failed.
pub async fn raw(ws: &mut Socket) -> Result<Message, Error> {
    timeout(Duration::from_secs(10), ws.next()).await.expect("a message in time").expect("no end yet")
}

/// Whether nothing comes for a moment.
pub async fn quiet(ws: &mut Socket) -> bool {
    timeout(Duration::from_millis(700), ws.next()).await.is_err()
}

/// Waits until the exchange's record says so.
pub async fn until(sim: &SimHandle, what: impl Fn(&Stats) -> bool) {
    let wait = async {
        while !what(&sim.stats()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(Duration::from_secs(20), wait).await.is_ok(), "never: {:?}", sim.stats());
}
