//! An exchange's streams on loopback that say nothing by themselves: they acknowledge what is
//! subscribed, and send what a test hands out, as fast as they can, with pings in between.

#![allow(dead_code, missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hamatop::domain::kline::Kline;
use hamatop::domain::symbol::SeriesKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A ping goes out after so many frames.
const PING_EVERY: usize = 64;

/// What is to be sent next: a frame for each stream that is subscribed.
#[derive(Clone, Default)]
pub struct Salvo(pub Arc<HashMap<String, String>>);

#[derive(Default)]
struct Record {
    streams: BTreeSet<String>,
    sockets: u64,
    pongs: Vec<Duration>,
    open_pings: usize,
    began: Option<Instant>,
    sent: usize,
    lost: u64,
}

pub struct Streams {
    pub address: SocketAddr,
    salvo: watch::Sender<Salvo>,
    record: Arc<Mutex<Record>>,
}

impl Streams {
    /// Listens on a free port; ends with the runtime.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (salvo, salvos) = watch::channel(Salvo::default());
        let record = Arc::new(Mutex::new(Record::default()));
        let shared = record.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (salvos, shared) = (salvos.clone(), shared.clone());
                tokio::spawn(async move {
                    if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                        shared.lock().unwrap().sockets += 1;
                        let served =
                            Connection { socket, salvos, record: shared.clone(), streams: Vec::new() };
                        served.run().await;
                        shared.lock().unwrap().lost += 1;
                    }
                });
            }
        });
        Self { address, salvo, record }
    }

    /// The same on a thread of its own, as a machine of its own would be.
    pub fn start_apart() -> Self {
        let (out, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                out.send(Self::start().await).unwrap();
                std::future::pending::<()>().await;
            });
        });
        started.recv().unwrap()
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Streams subscribed so far.
    pub fn subscribed(&self) -> usize {
        self.record.lock().unwrap().streams.len()
    }

    /// Connections opened and lost so far.
    pub fn sockets(&self) -> (u64, u64) {
        let record = self.record.lock().unwrap();
        (record.sockets, record.lost)
    }

    /// Sends these at once.
    pub fn fire(&self, salvo: Salvo) {
        let mut record = self.record.lock().unwrap();
        record.began = None;
        record.sent = 0;
        drop(record);
        self.salvo.send_replace(salvo);
    }

    /// When the first byte of the last salvo was about to leave.
    pub fn began(&self) -> Option<Instant> {
        self.record.lock().unwrap().began
    }

    /// Frames of the last salvo that left.
    pub fn sent(&self) -> usize {
        self.record.lock().unwrap().sent
    }

    /// How long each pong took, and how many are still to come.
    pub fn pongs(&self) -> (Vec<Duration>, usize) {
        let record = self.record.lock().unwrap();
        (record.pongs.clone(), record.open_pings)
    }
}

struct Connection {
    socket: WebSocketStream<TcpStream>,
    salvos: watch::Receiver<Salvo>,
    record: Arc<Mutex<Record>>,
    streams: Vec<String>,
}

impl Connection {
    async fn run(mut self) {
        let mut pings: HashMap<u64, Instant> = HashMap::new();
        let mut count = 0;
        loop {
            tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.answer(&text).await,
                    Some(Ok(Message::Pong(payload))) => {
                        let id = payload.as_ref().try_into().map(u64::from_be_bytes).unwrap();
                        let sent = pings.remove(&id).expect("a pong repeats the payload of its ping");
                        let mut record = self.record.lock().unwrap();
                        record.pongs.push(sent.elapsed());
                        record.open_pings -= 1;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                changed = self.salvos.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let salvo = self.salvos.borrow_and_update().clone();
                    if self.send(&salvo, &mut pings, &mut count).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn answer(&mut self, text: &str) {
        let request: serde_json::Value = serde_json::from_str(text).unwrap();
        if request["method"] == "SUBSCRIBE" {
            let names = request["params"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned());
            let names: Vec<String> = names.collect();
            self.record.lock().unwrap().streams.extend(names.iter().cloned());
            self.streams.extend(names);
        }
        let reply = format!(r#"{{"result":null,"id":{}}}"#, request["id"]);
        drop(self.socket.send(Message::text(reply)).await);
    }

    async fn send(
        &mut self,
        salvo: &Salvo,
        pings: &mut HashMap<u64, Instant>,
        count: &mut u64,
    ) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let frames: Vec<&String> = self.streams.iter().filter_map(|s| salvo.0.get(s)).collect();
        if !frames.is_empty() {
            self.record.lock().unwrap().began.get_or_insert_with(Instant::now);
        }
        for chunk in frames.chunks(PING_EVERY) {
            for frame in chunk {
                self.socket.feed(Message::text((*frame).clone())).await?;
            }
            if frames.len() > 1 {
                *count += 1;
                pings.insert(*count, Instant::now());
                self.record.lock().unwrap().open_pings += 1;
                self.socket.feed(Message::Ping(count.to_be_bytes().to_vec().into())).await?;
            }
        }
        self.socket.flush().await?;
        self.record.lock().unwrap().sent += frames.len();
        Ok(())
    }
}

/// A stream's name and its frame, as the exchange writes it.
pub fn frame(key: &SeriesKey, k: &Kline, event_time: i64, closed: bool) -> (String, String) {
    let symbol = key.pair.symbol.as_str();
    let stream = format!("{}@kline_{}", symbol.to_lowercase(), key.interval.as_str());
    let mut text = format!(r#"{{"stream":"{stream}","data":{{"e":"kline","E":{event_time},"s":"{symbol}","#);
    let given = |v: Option<f64>| v.unwrap_or_default();
    write!(
        text,
        r#""k":{{"t":{},"T":{},"s":"{symbol}","i":"{}","f":1,"L":2,"o":"{}","c":"{}","h":"{}","l":"{}","v":"{}","n":{},"x":{closed},"q":"{}","V":"{}","Q":"{}","B":"0"}}}}}}"#,
        k.open_time(),
        k.close_time(),
        key.interval.as_str(),
        k.open(),
        k.close(),
        k.high(),
        k.low(),
        k.volume(),
        k.trades().unwrap_or_default(),
        given(k.quote_volume()),
        given(k.taker_base()),
        given(k.taker_quote()),
    )
    .unwrap();
    (stream, text)
}
