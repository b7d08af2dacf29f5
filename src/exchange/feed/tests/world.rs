//! An exchange in memory, under a runtime whose time is paused: days pass in no time.

use std::sync::Mutex;

use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use super::*;
use crate::exchange::testing::{Call, Exchange, Net};

type MemoryPeer = WebSocketStream<DuplexStream>;

/// The exchange's time when a test begins: a quarter of an hour begins here too.
pub(super) const BEGIN: i64 = 1_760_000_400_000;

/// A feed whose exchange is the test.
pub(super) fn start(change: impl FnOnce(&mut FeedConfig)) -> (Client, Exchange) {
    let (net, exchange) = Net::new();
    let endpoint = Endpoint::new(Market::UsdM, None, Some("ws://exchange")).unwrap();
    let mut config = FeedConfig::new(vec![endpoint], Stopwatch::start());
    change(&mut config);
    (Client::through(Dialer::within(net), config), exchange)
}

/// What a served connection is told to do.
pub(super) enum Order {
    Say(Message),
    /// No more data; answers go on.
    Mute,
    /// No more candles; answers and the 24 h figures go on.
    FiguresOnly,
    /// Neither reads nor writes any more, and stays open.
    Freeze,
    HangUp,
    /// From now on a byte a second, of a frame that has no end.
    Drip,
}

#[derive(Default)]
pub(super) struct Log {
    /// Streams subscribed.
    pub(super) names: Vec<String>,
    /// A stream that it refuses.
    pub(super) refused: Option<&'static str>,
    /// When each text came.
    pub(super) texts: Vec<(Instant, String)>,
    /// When the first data was sent.
    pub(super) data: Option<Instant>,
    /// When the client closed it.
    pub(super) closed: Option<Instant>,
}

/// A connection that is served.
#[derive(Clone)]
pub(super) struct Served {
    orders: mpsc::Sender<Order>,
    pub(super) opened: Instant,
    pub(super) log: Arc<Mutex<Log>>,
}

impl Served {
    pub(super) async fn order(&self, order: Order) {
        assert!(self.orders.send(order).await.is_ok());
    }

    pub(super) fn closed(&self) -> Option<Instant> {
        self.log.lock().unwrap().closed
    }

    pub(super) fn data(&self) -> Option<Instant> {
        self.log.lock().unwrap().data
    }
}

/// Serves as the exchange does: acknowledges, answers pings, and every `pace` sends a state of each
/// candle, of those that ended since the last time the close, and the 24 h figures. `zero` is when the test began.
pub(super) fn serve(call: Call, zero: Instant, pace: Duration) -> Served {
    let (orders, mut taken) = mpsc::channel(8);
    let log = Arc::new(Mutex::new(Log::default()));
    let served = Served { orders, opened: Instant::now(), log: log.clone() };
    tokio::spawn(async move {
        let mut peer = tokio_tungstenite::accept_async(call.connect().unwrap()).await.unwrap();
        let mut ticks = tokio::time::interval(pace);
        let (mut mute, mut candles) = (false, true);
        let mut told = now_ms(zero);
        loop {
            let alive = tokio::select! {
                Some(order) = taken.recv() => match order {
                    Order::Say(message) => peer.send(message).await.is_ok(),
                    Order::Mute => { mute = true; true }
                    Order::FiguresOnly => { candles = false; true }
                    Order::Freeze => { std::future::pending::<()>().await; false }
                    Order::HangUp => false,
                    Order::Drip => drip(peer.get_mut()).await,
                },
                message = peer.next() => match message {
                    Some(Ok(Message::Text(text))) => answer(&mut peer, &log, text.as_str()).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                    Some(Ok(_)) => true,
                },
                _ = ticks.tick(), if !mute => {
                    let now = now_ms(zero);
                    let alive = figures(&mut peer, &log, now).await
                        && (!candles || emit(&mut peer, &log, told, now).await);
                    told = now;
                    alive
                }
            };
            if !alive {
                break;
            }
        }
        log.lock().unwrap().closed = Some(Instant::now());
    });
    served
}

async fn drip(stream: &mut DuplexStream) -> bool {
    // A text frame of 60,000 bytes begins.
    let head = [0x81, 126, 0xEA, 0x60];
    for byte in head.into_iter().chain(std::iter::repeat(b'x')) {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    false
}

pub(super) fn now_ms(zero: Instant) -> i64 {
    BEGIN + i64::try_from(zero.elapsed().as_millis()).unwrap()
}

async fn answer(peer: &mut MemoryPeer, log: &Mutex<Log>, text: &str) -> bool {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let params = json["params"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned());
    let answer = {
        let mut log = log.lock().unwrap();
        log.texts.push((Instant::now(), text.to_owned()));
        // What the exchange does with longer ones.
        if text.len() > 4_088 {
            return true;
        }
        if log.refused.is_some_and(|name| text.contains(name)) {
            let id = &json["id"];
            format!(r#"{{"error":{{"code":2,"msg":"Invalid request: invalid stream"}},"id":{id}}}"#)
        } else {
            if json["method"] == "SUBSCRIBE" {
                log.names.extend(params);
            }
            format!("{{\"result\":null,\"id\":{}}}", json["id"])
        }
    };
    peer.send(Message::text(answer)).await.is_ok()
}

async fn figures(peer: &mut MemoryPeer, log: &Mutex<Log>, now: i64) -> bool {
    if !log.lock().unwrap().names.iter().any(|n| n == "!miniTicker@arr") {
        return true;
    }
    let row = |symbol: &str| {
        format!(
            r#"{{"e":"24hrMiniTicker","E":{now},"s":"{symbol}","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"}}"#
        )
    };
    let text = format!(r#"{{"stream":"!miniTicker@arr","data":[{},{}]}}"#, row("S0USDT"), row("NOBODYSUSDT"));
    peer.send(Message::text(text)).await.is_ok()
}

async fn emit(peer: &mut MemoryPeer, log: &Mutex<Log>, told: i64, now: i64) -> bool {
    let names = log.lock().unwrap().names.clone();
    for name in names {
        let Some(n) = name.strip_prefix('s').and_then(|n| n.split_once("usdt")?.0.parse().ok()) else {
            continue;
        };
        let open = now - now.rem_euclid(60_000);
        let mut frames = vec![frame(n, open, now, false)];
        if told < open {
            frames.insert(0, frame(n, open - 60_000, open + 2, true));
        }
        for frame in frames {
            if peer.send(frame).await.is_err() {
                return false;
            }
        }
        log.lock().unwrap().data.get_or_insert_with(Instant::now);
    }
    true
}
