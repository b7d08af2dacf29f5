//! REST against the embedded exchange, which counts the weight by its own clock: what it has counted
//! is what is judged.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code, reason = "a test")]

#[path = "world/world.rs"]
mod world;

use std::time::Duration;

use hamatop::domain::interval::Interval;
use hamatop::domain::symbol::{Market, Pair, SeriesKey};
use hamatop::domain::time::UnixMs;
use hamatop::engine::{Command, Scope};
use hamatop::exchange::binance::endpoint::Endpoint;
use hamatop::exchange::connect::Proxies;
use hamatop::exchange::fetch::{self, FetchConfig};
use hamatop::exchange::{FetchRequest, Fetched, KlinesRequest, Priority};
use hamatop::market::snapshot::{LinkState, Snapshot};
use hamatop::sim::{SimConfig, SourceConfig};
use hamatop::stopwatch::Stopwatch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use world::{World, all_live, lanes, wait};

/// Weight by minute as the exchange counts it.
async fn weights(world: &World) -> Vec<u64> {
    let stats = world.get("/sim/stats").await;
    let by_minute = stats["weight_by_minute"]["um"].as_object().unwrap();
    by_minute.values().filter_map(serde_json::Value::as_u64).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_23_a_warm_up_of_three_thousand_series_stays_below_nine_tenths_in_every_minute() {
    const RATE: f64 = 60.0;
    let source = SourceConfig::Synthetic { count: 750, seed: 11 };
    // Close to a minute's end, so that what is under way over the edge counts.
    let start = Some(UnixMs(1_767_571_258_000));
    let world = World::start(SimConfig { source, speed: RATE, start, ..SimConfig::default() }).await;
    let endpoint = Endpoint::new(Market::UsdM, Some(&world.exchange.rest_url()), None).unwrap();
    let mut config = FetchConfig::new(vec![endpoint], Stopwatch::start());
    config.proxies = Proxies::None;
    config.clock_rate = RATE;
    let cancel = CancellationToken::new();
    let (requests, taken) = mpsc::channel(64);
    let (given, mut answers) = mpsc::channel(64);
    let serving = tokio::spawn(fetch::run(config, taken, given, cancel.clone()));
    requests.send(FetchRequest::Universe(Market::UsdM)).await.unwrap();
    let symbols: Vec<_> = loop {
        if let Fetched::Universe { result, .. } = answers.recv().await.unwrap() {
            break result.unwrap().trading.into_iter().map(|i| i.pair.symbol).collect();
        }
    };
    assert_eq!(symbols.len(), 750);
    let asking = tokio::spawn(async move {
        let mut id = 0;
        for symbol in symbols {
            for interval in [Interval::M5, Interval::M15, Interval::H1, Interval::H4] {
                id += 1;
                let pair = Pair { market: Market::UsdM, symbol: symbol.clone() };
                let key = SeriesKey::new(pair, interval);
                // The fewest rows of weight 2 by both readings of the table.
                let request = KlinesRequest { id, key, from: None, bars: 101, priority: Priority::Warmup };
                requests.send(FetchRequest::Klines(request)).await.unwrap();
            }
        }
        requests
    });
    let mut loaded = 0;
    while loaded < 3_000 {
        let answer = tokio::time::timeout(Duration::from_secs(60), answers.recv()).await.unwrap().unwrap();
        if let Fetched::Klines { result, .. } = answer {
            // A young listing has fewer.
            assert!((1..=101).contains(&result.unwrap().rows.len()));
            loaded += 1;
        }
    }
    drop(asking.await.unwrap());
    cancel.cancel();
    serving.await.unwrap();
    let used = weights(&world).await;
    assert!(used.iter().all(|w| *w <= 2_160), "{used:?}");
    assert_eq!(used.iter().sum::<u64>(), 6_000 + 1 + 1 + 40, "no request but those: {used:?}");
    let stats = world.get("/sim/stats").await;
    let violations = stats["violations"].as_object().unwrap();
    assert!(violations.values().all(|n| n.as_u64() == Some(0)), "{violations:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_24_under_a_ban_the_sockets_stay_up_and_the_picture_has_its_end() {
    const SPEED: f64 = 60.0;
    let close = UnixMs(1_760_127_300_000);
    let start = Some(close - Duration::from_secs(240));
    let world = World::start(SimConfig { speed: SPEED, start, ..SimConfig::default() }).await;
    let mut scanner = world.scanner(&[("top", "4")], SPEED);
    let live = wait(&mut scanner, "four live rows", |s| all_live(s, 4)).await;
    let frames = |s: &Snapshot| s.links.iter().map(|l| l.frames).sum::<u64>();

    // Another program on this address goes on after the 429s, until all of it is banned.
    let mut banned = false;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    // The cheapest way to much weight.
    let url = format!("{}/fapi/v1/klines?symbol=BTCUSDT&interval=15m&limit=9999", world.exchange.rest_url());
    for _ in 0..4_000 {
        banned = http.get(&url).send().await.unwrap().status() == 418;
        if banned {
            break;
        }
    }
    assert!(banned);
    let before = world.klines_requests().await;
    // However long that took: somebody wants to know now.
    scanner.commands.send(Command::Refresh(Scope::All)).await.unwrap();
    world.inject(r#"{"kind":"drop_close","interval":"15m","count":4}"#).await;
    let held = |s: &Snapshot| s.rest.iter().any(|r| r.held.is_some());
    let picture = wait(&mut scanner, "REST is held", held).await;
    let until = picture.rest[0].held.unwrap().until;
    assert!(until > world.exchange.now(), "{until}");
    let asked = world.klines_requests().await;
    assert!(asked <= before + 10, "those under way at once, and no more");
    let later = wait(&mut scanner, "data goes on", |s| frames(s) > frames(&picture) + 10).await;
    assert!(later.links.iter().all(|l| l.state == LinkState::Up && l.drops == 0), "{:?}", later.links);
    if world.exchange.now() < until {
        assert_eq!(world.klines_requests().await, asked, "nothing is asked while it lasts");
    }
    let closed = UnixMs(close.0 - 1);
    let past = |s: &Snapshot| {
        lanes(s)
            .filter(|(_, l)| l.interval == Interval::M15)
            .all(|(_, l)| l.newest.is_some_and(|(_, t)| t >= closed))
    };
    let after = wait(&mut scanner, "healed when it is over", |s| all_live(s, 4) && past(s)).await;
    world::assert_true(&world, &after, 1).await;
    assert!(live.links.len() == after.links.len());
    scanner.end().await;
}
