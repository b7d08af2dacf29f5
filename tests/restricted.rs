//! A place that the exchange does not serve (HTTP 451): the engine and the true fetcher, an hour of the
//! engine's time by hand, and every request counted at the door.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code, reason = "a test")]

#[path = "world/world.rs"]
mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hamatop::config::{Config, Sources};
use hamatop::domain::interval::Interval;
use hamatop::domain::symbol::Market;
use hamatop::domain::time::Mono;
use hamatop::engine::{
    Command, Engine, EngineConfig, Input, Output, Scope, UniverseSpec, default_close_grace,
};
use hamatop::exchange::binance::endpoint::Endpoint;
use hamatop::exchange::connect::Proxies;
use hamatop::exchange::fetch::{self, FetchConfig};
use hamatop::exchange::{FetchRequest, Fetched};
use hamatop::market::snapshot::Source;
use hamatop::sim::{SimConfig, SourceConfig};
use hamatop::stopwatch::Stopwatch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use world::World;

const REFUSAL: &str = "HTTP/1.1 451 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const PAIRS: u32 = 4;
const INTERVALS: [Interval; 3] = [Interval::M15, Interval::H1, Interval::H4];

/// Stands before the exchange, and lets requests through or refuses them.
struct Door {
    address: SocketAddr,
    is_shut: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
}

impl Door {
    async fn start(exchange: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Self {
            address: listener.local_addr().unwrap(),
            is_shut: Arc::default(),
            refused: Arc::default(),
        };
        let (is_shut, refused) = (door.is_shut.clone(), door.refused.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, exchange, is_shut.clone(), refused.clone()));
            }
        });
        door
    }

    /// Requests refused since the last call.
    fn refused(&self) -> u64 {
        self.refused.swap(0, Ordering::SeqCst)
    }
}

/// One request; then the connection is closed.
async fn serve(
    mut stream: TcpStream,
    exchange: SocketAddr,
    is_shut: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if is_shut.load(Ordering::SeqCst) {
        refused.fetch_add(1, Ordering::SeqCst);
        return stream.write_all(REFUSAL.as_bytes()).await;
    }
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"connection: close\r\n\r\n");
    let mut inside = TcpStream::connect(exchange).await?;
    inside.write_all(&head).await?;
    tokio::io::copy(&mut inside, &mut stream).await?;
    stream.shutdown().await
}

/// The engine with a clock set by hand, and the fetcher.
struct Scanner {
    engine: Engine,
    now: Mono,
    requests: mpsc::Sender<FetchRequest>,
    answers: mpsc::Receiver<Fetched>,
}

impl Scanner {
    fn start(door: &Door) -> Self {
        let endpoint = Endpoint::new(Market::UsdM, Some(&format!("http://{}", door.address)), None).unwrap();
        let mut config = FetchConfig::new(vec![endpoint], Stopwatch::start());
        config.proxies = Proxies::None;
        let (requests, taken) = mpsc::channel(64);
        let (given, answers) = mpsc::channel(64);
        tokio::spawn(fetch::run(config, taken, given, CancellationToken::new()));
        let config = Config::load(&Sources::default()).unwrap();
        let engine = Engine::new(EngineConfig {
            source: Source::Live,
            preset: Arc::clone(&config.preset),
            intervals: INTERVALS.into(),
            markets: [Market::UsdM].into(),
            universe: UniverseSpec {
                quote: "USDT".parse().unwrap(),
                top: PAIRS,
                movers: 0,
                watched: vec![],
                named: vec![],
            },
            bars: 20,
            clock_rate: 1.0,
            keep_klines: false,
            rest_only: false,
            close_grace: default_close_grace,
            rules: Vec::new(),
            names: Arc::default(),
        });
        Self { engine, now: Mono::default(), requests, answers }
    }

    /// One input, and all that REST has to say before the clock goes on.
    async fn step(&mut self, input: Input) {
        let (mut out, mut open) = (Vec::new(), 0);
        self.engine.step(input, self.now, &mut out);
        loop {
            for request in out.drain(..).filter_map(|o| match o {
                Output::Fetch(request) => Some(request),
                Output::Feed(_) => None,
            }) {
                self.requests.send(request).await.unwrap();
                open += 1;
            }
            if open == 0 {
                return;
            }
            let answer = tokio::time::timeout(world::PATIENCE, self.answers.recv()).await.unwrap().unwrap();
            let answer = self.dated(answer);
            open -= match &answer {
                Fetched::Budget(_) => 0,
                Fetched::Klines { covers, .. } => 1 + covers.len(),
                _ => 1,
            };
            self.engine.step(Input::Fetched(answer), self.now, &mut out);
        }
    }

    /// As if it had left and come now, by the clock that is set by hand.
    fn dated(&self, mut answer: Fetched) -> Fetched {
        let now = self.now;
        match &mut answer {
            Fetched::Time { result: Ok(a), .. } => (a.sent, a.received) = (now, now),
            Fetched::Klines { result: Ok(a), .. } => (a.sent, a.received) = (now, now),
            _ => {}
        }
        answer
    }

    async fn seconds(&mut self, n: u32) {
        for _ in 0..n {
            self.now = self.now + Duration::from_secs(1);
            self.step(Input::Tick).await;
        }
    }

    async fn refresh(&mut self) {
        self.step(Input::Command(Command::Refresh(Scope::All))).await;
    }

    fn loaded(&self) -> usize {
        let store = self.engine.store();
        store.ids().filter(|id| store.lane(*id).is_some_and(|l| l.series().newest().is_some())).count()
    }
}

const ALL: usize = PAIRS as usize * INTERVALS.len();

async fn exchange() -> World {
    World::start(SimConfig { source: SourceConfig::Synthetic { count: 4, seed: 5 }, ..SimConfig::default() })
        .await
}

#[tokio::test]
async fn item_25_a_place_refused_from_the_start_is_asked_once_a_half_hour_or_when_somebody_wants_to_know() {
    let world = exchange().await;
    let door = Door::start(world.exchange.address()).await;
    door.is_shut.store(true, Ordering::SeqCst);
    let mut scanner = Scanner::start(&door);
    scanner.step(Input::Tick).await;
    assert_eq!(door.refused(), 1, "time and list were wanted, and one request found out");
    scanner.seconds(1_799).await;
    assert_eq!(door.refused(), 0, "it is not asked again");
    scanner.seconds(1_801).await;
    assert_eq!(door.refused(), 2, "an hour: one each half hour");
    scanner.refresh().await;
    scanner.seconds(60).await;
    assert_eq!(door.refused(), 1, "somebody wanted to know");
    door.is_shut.store(false, Ordering::SeqCst);
    scanner.seconds(1_800).await;
    assert_eq!((scanner.loaded(), door.refused()), (ALL, 0), "served again, and all is there");
}

#[tokio::test]
async fn item_25_a_place_refused_in_the_middle_is_left_alone_and_all_goes_on_when_it_is_served_again() {
    let world = exchange().await;
    let door = Door::start(world.exchange.address()).await;
    let mut scanner = Scanner::start(&door);
    scanner.step(Input::Tick).await;
    scanner.seconds(5).await;
    assert_eq!(scanner.loaded(), ALL);
    door.is_shut.store(true, Ordering::SeqCst);
    scanner.refresh().await;
    let at_once = door.refused();
    assert!((1..=10).contains(&at_once), "{at_once}: those that were under way together");
    // Four quarter hours and an hour close, lists are due, and nothing of that is asked.
    scanner.seconds(3_599).await;
    assert_eq!(door.refused(), 1, "only whether the place is served");
    scanner.refresh().await;
    scanner.refresh().await;
    assert_eq!(door.refused(), 2, "once each time somebody wants to know");
    door.is_shut.store(false, Ordering::SeqCst);
    scanner.refresh().await;
    let notices: Vec<_> = scanner.engine.notices_after(0).map(|n| n.text.to_string()).collect();
    assert!(notices.iter().any(|n| n.contains("serves this place again")), "{notices:?}");
    let stats = world.get("/sim/stats").await;
    assert_eq!(stats["requests"]["/fapi/v1/exchangeInfo"], 2, "the list that was due is asked for at once");
    assert_eq!((door.refused(), scanner.loaded()), (0, ALL));
}
