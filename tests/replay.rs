//! The whole path over real sockets: the embedded exchange's replay, the client, the cache, the
//! indicator. What the program shows must be what the exchange knows.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test")]

#[path = "world/world.rs"]
mod world;

use std::time::Duration;

use hamatop::domain::time::UnixMs;
use hamatop::engine::default_close_grace;
use hamatop::market::snapshot::Snapshot;
use hamatop::sim::SimConfig;
use world::{World, all_live, assert_true, lanes, wait};

/// Fast enough that an hour passes in seconds, slow enough that a warm-up on a loaded machine lies
/// between two closes.
const SPEED: f64 = 150.0;
const ROWS: usize = 24;
/// 2025-10-10T20:15Z.
const CLOSE: UnixMs = UnixMs(1_760_127_300_000);

fn replay() -> SimConfig {
    SimConfig { speed: SPEED, ..SimConfig::default() }
}

/// The latest close that all lanes of the interval share.
fn newest(snapshot: &Snapshot, minutes: u32) -> Option<UnixMs> {
    let of_interval = lanes(snapshot).filter(|(_, l)| l.interval.minutes() == minutes);
    of_interval.map(|(_, l)| l.newest.map(|(_, close)| close)).min().flatten()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_series_equals_the_truth_and_closes_cost_no_request() {
    let world = World::start(replay()).await;
    // Four seconds of ours: what is late is the machine, not the stream.
    let mut scanner = world.scanner_with(&[], SPEED, |_| Duration::from_secs(600));
    let warm = wait(&mut scanner, "24 live rows", |s| all_live(s, ROWS)).await;
    let before = world.klines_requests().await;
    assert_eq!(before, 72, "one request a series warms 500 bars");
    let start = newest(&warm, 15).unwrap();

    // Past a close of 1h: five of 15m for each pair, through the fall of 20:50.
    let end = start + Duration::from_secs(75 * 60);
    let past = |s: &Snapshot| newest(s, 15) >= Some(end) && all_live(s, ROWS);
    let later = wait(&mut scanner, "75 minutes later", past).await;
    assert_true(&world, &later, 1).await;
    let (asked, theirs) = (world.klines_requests().await, world.get("/sim/stats").await);
    let claim = "between closes and at closes no klines request";
    assert_eq!(asked, before, "{claim}: {:?}\n{theirs}", later.stats);
    assert!(later.stats.outcomes.appended >= 5 * ROWS as u64);

    let stats = world.get("/sim/stats").await;
    let violations = stats["violations"].as_object().unwrap();
    assert!(violations.values().all(|n| n.as_u64() == Some(0)), "{violations:?}");
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_costs_no_request_with_the_grace_that_users_have() {
    // The first close of 15m comes when the warm-up is over on a loaded machine too, and the grace of
    // five seconds is two of ours.
    let (speed, start) = (2.5, Some(CLOSE - Duration::from_secs(30)));
    let world = World::start(SimConfig { speed, start, ..SimConfig::default() }).await;
    let mut scanner = world.scanner_with(&[], speed, default_close_grace);
    wait(&mut scanner, "24 live rows", |s| all_live(s, ROWS)).await;
    let closed = UnixMs(CLOSE.0 - 1);
    let past = |s: &Snapshot| all_live(s, ROWS) && newest(s, 15) >= Some(closed);
    let later = wait(&mut scanner, "past the close", past).await;
    let theirs = world.get("/sim/stats").await;
    assert_eq!(world.klines_requests().await, 72, "{:?}\n{theirs}", later.stats);
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_minute_without_streams_the_cache_equals_the_truth_again() {
    let close = CLOSE;
    let start = Some(close - Duration::from_secs(180));
    let world = World::start(SimConfig { speed: 60.0, start, ..SimConfig::default() }).await;
    let mut scanner = world.scanner(&[], 60.0);
    wait(&mut scanner, "24 live rows", |s| all_live(s, ROWS)).await;

    // The cut holds over the close at 20:15: a candle is lost on the way, and only REST has it.
    let cut_at = close - Duration::from_secs(30);
    while world.exchange.now() < cut_at {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.inject(r#"{"kind":"ws_cut","for_ms":60000}"#).await;
    let down = wait(&mut scanner, "the loss is shown", |s| !all_live(s, ROWS)).await;
    assert!(lanes(&down).any(|(_, l)| l.why.is_some()), "a lane that is not live says why");

    while world.exchange.now() < cut_at + Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let healed = std::time::Instant::now();
    let closed = UnixMs(close.0 - 1);
    let after = wait(&mut scanner, "healed", |s| all_live(s, ROWS) && newest(s, 15) >= Some(closed)).await;
    let took = healed.elapsed();
    println!("the cache was true again {took:?} after the streams came back");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_true(&world, &after, 1).await;
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invented_markets_of_both_kinds_warm_and_stay_true() {
    let source = hamatop::sim::SourceConfig::Synthetic { count: 40, seed: 7 };
    let world = World::start(SimConfig { source, speed: SPEED, ..SimConfig::default() }).await;
    let mut scanner =
        world.scanner(&[("market", "usdm,spot"), ("top", "20"), ("intervals", "5m,15m,1h")], SPEED);
    let ready = |s: &Snapshot| {
        s.warmup.is_over()
            && s.rows.len() >= 40
            && lanes(s).all(|(_, l)| l.klines.as_ref().is_some_and(|k| !k.is_empty()))
    };
    let warm = wait(&mut scanner, "both markets loaded", ready).await;
    let start = newest(&warm, 5).unwrap();
    let end = start + Duration::from_secs(1_800);
    let later = wait(&mut scanner, "half an hour later", |s| newest(s, 5) >= Some(end)).await;
    assert_true(&world, &later, 1).await;
    scanner.end().await;
}
