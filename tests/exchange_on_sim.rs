//! The client against the embedded exchange, over real sockets: what it hears and fetches is the
//! exchange's truth, and it breaks none of the exchange's rules on the way.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Duration;

use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Finality, Kline};
use hamatop::domain::symbol::{Market, SeriesKey};
use hamatop::domain::time::UnixMs;
use hamatop::exchange::binance::bodies;
use hamatop::exchange::binance::endpoint::Endpoint;
use hamatop::exchange::connect::{Dialer, Proxies};
use hamatop::exchange::feed::{self, FeedConfig};
use hamatop::exchange::fetch::{self, FetchConfig};
use hamatop::exchange::{
    FeedCommand, FeedEvent, FetchRequest, Fetched, KlinesRequest, Priority, UniverseAnswer,
};
use hamatop::sim::{SimConfig, SimHandle, SourceConfig, serve};
use hamatop::stopwatch::Stopwatch;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A minute candle takes a quarter of a second.
const SPEED: f64 = 240.0;

struct World {
    sim: SimHandle,
    requests: mpsc::Sender<FetchRequest>,
    answers: mpsc::Receiver<Fetched>,
    commands: mpsc::Sender<FeedCommand>,
    events: mpsc::Receiver<FeedEvent>,
    cancel: CancellationToken,
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.expect("did not happen in time")
}

async fn start(market: Market, count: usize) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = SourceConfig::Synthetic { count, seed: 7 };
    let config = SimConfig { source, speed: SPEED, ..SimConfig::default() };
    let sim = serve(listener, config, CancellationToken::new()).await.unwrap();
    let endpoint = Endpoint::new(market, Some(&sim.rest_url()), Some(&sim.ws_url())).unwrap();
    let stopwatch = Stopwatch::start();
    let cancel = CancellationToken::new();
    let (requests, taken) = mpsc::channel(16);
    let (given, answers) = mpsc::channel(64);
    let mut config = FetchConfig::new(vec![endpoint.clone()], stopwatch);
    config.proxies = Proxies::None;
    config.clock_rate = SPEED;
    tokio::spawn(fetch::run(config, taken, given, cancel.clone()));
    let (commands, taken) = mpsc::channel(16);
    let (given, events) = mpsc::channel(256);
    let mut config = FeedConfig::new(vec![endpoint], stopwatch);
    config.proxies = Proxies::None;
    tokio::spawn(feed::run(config, taken, given, cancel.clone()));
    World { sim, requests, answers, commands, events, cancel }
}

impl World {
    async fn answer(&mut self) -> Fetched {
        loop {
            match soon(self.answers.recv()).await.unwrap() {
                Fetched::Budget(_) => {}
                answer => return answer,
            }
        }
    }

    async fn universe(&mut self, market: Market) -> UniverseAnswer {
        self.requests.send(FetchRequest::Universe(market)).await.unwrap();
        match self.answer().await {
            Fetched::Universe { result, .. } => result.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn truth(&self, key: &SeriesKey) -> BTreeMap<UnixMs, Kline> {
        let client = Dialer::new(Proxies::None).http_client(Duration::from_secs(10)).unwrap();
        let (pair, interval) = (&key.pair, key.interval.as_str());
        let route = format!("market={}&symbol={}&interval={interval}&limit=600", pair.market, pair.symbol);
        let body = client.get(format!("{}/sim/truth?{route}", self.sim.rest_url())).send().await.unwrap();
        let page = bodies::klines(&body.text().await.unwrap()).unwrap();
        assert_eq!(page.skipped, 0);
        page.rows.into_iter().map(|k| (k.open_time(), k)).collect()
    }
}

async fn heard_and_fetched_is_the_truth(market: Market) {
    let mut world = start(market, 40).await;
    let universe = world.universe(market).await;
    assert!(universe.trading.len() >= 40 && universe.skipped == 0);
    assert!(universe.day.len() >= 40);
    let keys: Vec<SeriesKey> =
        universe.trading.iter().map(|i| SeriesKey::new(i.pair.clone(), Interval::M1)).collect();
    world.commands.send(FeedCommand::Watch(keys.clone())).await.unwrap();
    // Hear until each of the first series had three closes, and figures of the day came.
    let mut closed = BTreeMap::<SeriesKey, Vec<Kline>>::new();
    let (mut forming, mut day, mut subscribed) = (0, 0, 0);
    soon(async {
        while closed.values().filter(|k| k.len() >= 3).count() < 30 || day == 0 || forming == 0 {
            match world.events.recv().await.unwrap() {
                FeedEvent::Kline(k) if k.finality == Finality::Closed => {
                    closed.entry(k.key).or_default().push(k.kline);
                }
                FeedEvent::Kline(_) => forming += 1,
                FeedEvent::Day(rows) => day += rows.len(),
                FeedEvent::Subscribed { keys, .. } => subscribed += keys.len(),
                FeedEvent::Connecting { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    assert_eq!(subscribed, keys.len());
    let key = closed.iter().find(|(_, k)| k.len() >= 3).unwrap().0.clone();
    let request = KlinesRequest { id: 1, key: key.clone(), from: None, bars: 520, priority: Priority::User };
    world.requests.send(FetchRequest::Klines(request)).await.unwrap();
    let Fetched::Klines { result, .. } = world.answer().await else { panic!() };
    let rows = result.unwrap().rows;
    assert_eq!(rows.len(), 520);
    let truth = world.truth(&key).await;
    for row in &rows[..rows.len() - 1] {
        assert_eq!(truth.get(&row.open_time()), Some(row));
    }
    for (key, candles) in closed.iter().take(10) {
        let truth = world.truth(key).await;
        for candle in candles {
            assert_eq!(truth.get(&candle.open_time()), Some(candle), "{key}");
        }
    }
    let stats = reqwest_text(&world, "/sim/stats").await;
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    let violations = stats["violations"].as_object().unwrap();
    assert!(violations.values().all(|n| n == 0), "{stats}");
    world.cancel.cancel();
}

async fn reqwest_text(world: &World, path: &str) -> String {
    let client = Dialer::new(Proxies::None).http_client(Duration::from_secs(10)).unwrap();
    client.get(format!("{}{path}", world.sim.rest_url())).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn on_usdm_what_is_heard_and_fetched_is_the_truth() {
    heard_and_fetched_is_the_truth(Market::UsdM).await;
}

#[tokio::test]
async fn on_spot_what_is_heard_and_fetched_is_the_truth() {
    heard_and_fetched_is_the_truth(Market::Spot).await;
}
