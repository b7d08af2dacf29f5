use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::*;
use crate::domain::interval::Interval;
use crate::domain::kline::Finality;
use crate::exchange::binance::session::Stall;
use crate::exchange::testing::{Proxy, Rest, Streams, reply, soon};

mod faults;
mod handover;
mod hostile;
mod world;

type Peer = WebSocketStream<TcpStream>;

struct Client {
    commands: mpsc::Sender<FeedCommand>,
    events: mpsc::Receiver<FeedEvent>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Client {
    fn start(url: &str, change: impl FnOnce(&mut FeedConfig)) -> Self {
        let endpoint = Endpoint::new(Market::UsdM, None, Some(url)).unwrap();
        let mut config = FeedConfig::new(vec![endpoint], Stopwatch::start());
        config.proxies = Proxies::None;
        change(&mut config);
        let dialer = Dialer::new(config.proxies.clone());
        Self::through(dialer, config)
    }

    fn through(dialer: Dialer, config: FeedConfig) -> Self {
        let (commands, taken) = mpsc::channel(4);
        let (given, events) = mpsc::channel(4);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(run_through(dialer, config, taken, given, cancel.clone()));
        Self { commands, events, cancel, task }
    }

    async fn watch(&self, keys: Vec<SeriesKey>) {
        soon(self.commands.send(FeedCommand::Watch(keys))).await.unwrap();
    }

    async fn event(&mut self) -> FeedEvent {
        soon(self.events.recv()).await.unwrap()
    }

    /// The next loss, and when it is tried again.
    async fn down(&mut self) -> (ExchangeError, Option<Mono>) {
        loop {
            if let FeedEvent::Down { error, retry, .. } = self.event().await {
                return (error, retry);
            }
        }
    }

    async fn subscribed(&mut self) -> Arc<[SeriesKey]> {
        loop {
            match self.event().await {
                FeedEvent::Subscribed { keys, .. } => return keys,
                FeedEvent::Down { error, .. } => panic!("{error}"),
                _ => {}
            }
        }
    }
}

fn key(n: usize) -> SeriesKey {
    SeriesKey::new(Pair { market: Market::UsdM, symbol: format!("S{n}USDT").parse().unwrap() }, Interval::M1)
}

fn keys(n: usize) -> Vec<SeriesKey> {
    (0..n).map(key).collect()
}

fn frame(n: usize, open: i64, stamp: i64, closed: bool) -> Message {
    let close = open + 59_999;
    Message::text(format!(
        r#"{{"stream":"s{n}usdt@kline_1m","data":{{"e":"kline","E":{stamp},"s":"S{n}USDT","k":{{"t":{open},"T":{close},"s":"S{n}USDT","i":"1m","o":"1","c":"1","h":"1","l":"1","v":"0","n":0,"x":{closed},"q":"0","V":"0","Q":"0"}}}}}}"#
    ))
}

/// Acknowledges until `streams` names are subscribed. Returns the names.
async fn acknowledge(peer: &mut Peer, streams: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < streams {
        let Message::Text(text) = soon(peer.next()).await.unwrap().unwrap() else { continue };
        assert!(text.len() <= 4_000);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["method"], "SUBSCRIBE");
        names.extend(json["params"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()));
        peer.send(Message::text(format!("{{\"result\":null,\"id\":{}}}", json["id"]))).await.unwrap();
    }
    names
}

#[tokio::test]
async fn streams_are_subscribed_on_the_right_path_and_told() {
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |_| ());
    client.watch(keys(200)).await;
    let (path, mut peer) = server.accept().await;
    assert_eq!(path, "/market/stream");
    let names = acknowledge(&mut peer, 201).await;
    assert!(names.contains(&"s7usdt@kline_1m".to_owned()) && names.contains(&"!miniTicker@arr".to_owned()));
    assert!(matches!(client.event().await, FeedEvent::Connecting { streams: 200, .. }));
    assert_eq!(client.subscribed().await.len(), 200);
    peer.send(frame(7, 60_000, 119_999, true)).await.unwrap();
    let FeedEvent::Kline(candle) = client.event().await else { panic!() };
    assert_eq!((candle.key, candle.finality), (key(7), Finality::Closed));
    let day = r#"{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker","E":1,"s":"S7USDT","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"},{"e":"24hrMiniTicker","E":1,"s":"BTCUSD_PERP","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9","st":2}]}"#;
    peer.send(Message::text(day)).await.unwrap();
    let FeedEvent::Day(rows) = client.event().await else { panic!() };
    assert_eq!((rows.len(), rows[0].change_pct), (1, 50.0));
    // One more, and one less, over the living socket.
    client.watch(vec![key(999)]).await;
    assert_eq!(acknowledge(&mut peer, 1).await, ["s999usdt@kline_1m"]);
    assert_eq!(*client.subscribed().await, [key(999)]);
    client.commands.send(FeedCommand::Unwatch(vec![key(999)])).await.unwrap();
    let gone = soon(peer.next()).await.unwrap().unwrap();
    assert!(gone.to_text().unwrap().contains(r#""UNSUBSCRIBE","params":["s999usdt@kline_1m"]"#));
    // Nothing left to carry: the socket is closed.
    client.commands.send(FeedCommand::Unwatch(keys(200))).await.unwrap();
    soon(async { while !matches!(peer.next().await, None | Some(Ok(Message::Close(_)) | Err(_))) {} }).await;
}

#[tokio::test]
async fn a_lost_socket_is_replaced_and_all_is_subscribed_again() {
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |_| ());
    client.watch(keys(3)).await;
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 4).await;
    client.subscribed().await;
    peer.send(frame(1, 60_000, 119_999, true)).await.unwrap();
    peer.flush().await.unwrap();
    drop(peer);
    // What was heard before the loss is told before it.
    assert!(matches!(client.event().await, FeedEvent::Kline(_)));
    let (error, retry) = client.down().await;
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(retry.is_some());
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 4).await;
    assert_eq!(client.subscribed().await.len(), 3);
}

#[tokio::test]
async fn streams_are_spread_and_each_socket_has_something_that_always_flows() {
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |c| c.per_socket = 4);
    client.watch(keys(10)).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        let (_, mut peer) = server.accept().await;
        let streams = soon(peer.next()).await.unwrap().unwrap();
        let json: serde_json::Value = serde_json::from_str(streams.to_text().unwrap()).unwrap();
        names.extend(json["params"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()));
        tokio::spawn(async move { while peer.next().await.is_some() {} });
    }
    // The two small sockets have the figures as a pulse.
    assert_eq!(names.len(), 13);
    assert_eq!(names.iter().filter(|n| n.starts_with('!')).count(), 3);
    assert!(matches!(client.event().await, FeedEvent::Connecting { .. }));
}

#[tokio::test]
async fn item_05_pings_are_answered_and_no_close_is_lost_while_nobody_listens() {
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |_| ());
    client.watch(keys(30)).await;
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 31).await;
    client.subscribed().await;
    for n in 0..6_000_i64 {
        peer.feed(frame(usize::try_from(n % 30).unwrap(), 60_000, n, false)).await.unwrap();
        if n % 100 == 0 {
            peer.feed(frame(usize::try_from(n / 100 % 30).unwrap(), n * 600 + 120_000, n, true))
                .await
                .unwrap();
        }
    }
    peer.send(Message::Ping(Bytes::from_static(b"1700000000"))).await.unwrap();
    let pong = async {
        loop {
            if let Message::Pong(payload) = peer.next().await.unwrap().unwrap() {
                return payload;
            }
        }
    };
    assert_eq!(&soon(pong).await[..], b"1700000000");
    let (mut closed, mut forming) = (0, 0);
    while closed < 60 || forming < 30 {
        match client.event().await {
            FeedEvent::Kline(k) if k.finality == Finality::Closed => closed += 1,
            FeedEvent::Kline(_) => forming += 1,
            other => panic!("{other:?}"),
        }
    }
    // Of six thousand forming states those that fit into the channel, and the last of each.
    assert!(closed == 60 && forming < 100, "{closed} {forming}");
}

#[tokio::test]
async fn silence_of_each_kind_has_its_name() {
    let fast = |c: &mut FeedConfig| {
        c.timing.ping = Duration::from_millis(300);
        c.timing.dead = Duration::from_millis(900);
        c.timing.ack = Duration::from_millis(500);
        c.timing.stall = Stall::After(Duration::from_millis(500));
    };
    // Accepts, and never acknowledges.
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), fast);
    client.watch(keys(30)).await;
    let (_, mut peer) = server.accept().await;
    tokio::spawn(async move { while peer.next().await.is_some() {} });
    assert!(client.down().await.0.message.as_str().contains("acknowledge"));

    // Acknowledges, answers pings, and sends no data.
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), fast);
    client.watch(keys(30)).await;
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 31).await;
    tokio::spawn(async move { while peer.next().await.is_some() {} });
    let error = client.down().await.0;
    assert!(error.message.as_str().starts_with("acknowledged but silent"), "{error}");
    assert!(error.message.as_str().contains("/market"));

    // Goes silent altogether: the connection stands, and nobody is there.
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |c| {
        fast(c);
        c.timing.stall = Stall::Never;
    });
    client.watch(keys(5)).await;
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 6).await;
    assert!(client.down().await.0.message.as_str().starts_with("dead"));
    drop(peer);
}

#[tokio::test]
async fn a_refused_stream_does_not_take_its_neighbours_with_it() {
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |_| ());
    client.watch(keys(2)).await;
    let (_, mut peer) = server.accept().await;
    let answering = tokio::spawn(async move {
        while let Some(Ok(message)) = peer.next().await {
            let Ok(text) = message.to_text() else { continue };
            let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else { continue };
            let id = &json["id"];
            let answer = if text.contains("s0usdt") {
                format!(r#"{{"error":{{"code":2,"msg":"Invalid request: invalid stream"}},"id":{id}}}"#)
            } else {
                format!(r#"{{"result":null,"id":{id}}}"#)
            };
            peer.send(Message::text(answer)).await.unwrap();
        }
    });
    let refused = loop {
        match client.event().await {
            FeedEvent::Refused { key, why, .. } => break (key, why),
            FeedEvent::Connecting { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((refused.0, refused.1.as_str()), (key(0), "Invalid request: invalid stream (code 2)"));
    assert_eq!(*client.subscribed().await, [key(1)]);
    answering.abort();
}

#[tokio::test]
async fn a_refused_handshake_says_why_and_whether_it_is_tried_again() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = Rest::start(|_: &str| reply(451, "", "{}")).await;
    let missing = Rest::start(|_: &str| reply(404, "", "")).await;
    let page = Rest::start(|_: &str| reply(200, "", "<html>")).await;
    let busy = Rest::start(|_: &str| reply(429, "Retry-After: 50\r\n", "")).await;
    let down = Rest::start(|_: &str| reply(503, "", "")).await;
    let seconds = |retry: Option<Mono>| retry.map(|t| t.0.as_secs());
    for (url, word, least, most) in [
        (format!("ws://{nobody}"), "can't connect", Some(0), Some(2)),
        (format!("ws://{}", place.address), "451", None, None),
        (format!("ws://{}", missing.address), "404", Some(59), Some(62)),
        (format!("ws://{}", page.address), "--ws-url", Some(59), Some(62)),
        (format!("ws://{}", busy.address), "429", Some(49), Some(52)),
        (format!("ws://{}", down.address), "503", Some(0), Some(2)),
        (format!("wss://{}", down.address), "can't connect", Some(0), Some(2)),
    ] {
        let mut client = Client::start(&url, |_| ());
        client.watch(keys(1)).await;
        let (error, retry) = client.down().await;
        assert!(error.message.as_str().contains(word), "{error}");
        assert!(seconds(retry) >= least && seconds(retry) <= most, "{error} {retry:?}");
    }
}

#[tokio::test]
async fn cancelling_closes_the_sockets_within_a_second() {
    let mut server = Streams::start().await;
    let mut client = Client::start(&server.url(), |_| ());
    client.watch(keys(2)).await;
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 3).await;
    client.subscribed().await;
    client.cancel.cancel();
    let closed = tokio::spawn(async move { matches!(soon(peer.next()).await, Some(Ok(Message::Close(_)))) });
    tokio::time::timeout(Duration::from_secs(1), client.task).await.unwrap().unwrap();
    assert!(closed.await.unwrap());
    // Nor does one that never answers hold us, with nobody reading what we tell.
    let mut server = Streams::start().await;
    let client = Client::start(&server.url(), |_| ());
    client.watch(keys(2)).await;
    let (_, peer) = server.accept().await;
    client.cancel.cancel();
    tokio::time::timeout(Duration::from_secs(1), client.task).await.unwrap().unwrap();
    drop(peer);
}

#[tokio::test]
async fn both_kinds_of_proxies_are_used() {
    let proxy = Proxy::start().await;
    for (scheme, host, word) in [
        ("http", "127.0.0.1", "CONNECT 127.0.0.1:"),
        ("socks5h", "localhost", "SOCKS5 localhost:"),
        ("socks5", "localhost", "SOCKS5 127.0.0.1:"),
    ] {
        let mut server = Streams::start().await;
        let before = proxy.log().len();
        let through = Proxies::Through(format!("{scheme}://{}", proxy.address));
        let url = format!("ws://{host}:{}", server.address.port());
        let mut client = Client::start(&url, |c| c.proxies = through);
        client.watch(keys(2)).await;
        let (_, mut peer) = server.accept().await;
        acknowledge(&mut peer, 3).await;
        assert_eq!(client.subscribed().await.len(), 2);
        let log = proxy.log()[before..].to_vec();
        assert!(log.len() == 1 && log[0].starts_with(word), "{log:?}");
    }
}

#[tokio::test]
async fn a_dead_proxy_is_named_as_a_possible_cause() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "socks5h", "socks4"] {
        let through = Proxies::Through(format!("{scheme}://{nobody}"));
        let mut client = Client::start("ws://127.0.0.1:9", |c| c.proxies = through);
        client.watch(keys(1)).await;
        let (error, _) = client.down().await;
        assert!(error.message.as_str().contains("HTTPS_PROXY"), "{error}");
    }
}
