//! An adversary's scripts over real sockets. Those that fail prove a defect; see the report.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code, reason = "a test")]

#[path = "world/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;

use hamatop::config::{Config, Sources};
use hamatop::domain::time::UnixMs;
use hamatop::engine::{Command, Scope};
use hamatop::exchange::binance::session::Stall;
use hamatop::exchange::connect::Proxies;
use hamatop::market::snapshot::{DataState, Snapshot, Source};
use hamatop::run::session::{Place, Purpose, Session};
use hamatop::sim::SimConfig;
use tokio_util::sync::CancellationToken;
use world::{World, all_live, assert_true, lanes, wait};

const CLOSE: UnixMs = UnixMs(1_760_127_300_000); // 20:15
const ROWS: usize = 24;

/// A scanner with the product's own grace.
fn scanner(world: &World, rate: f64) -> Session {
    let config = Config::load(&Sources::default()).unwrap();
    let place = Place {
        source: Source::Demo,
        rest_url: Some(world.exchange.rest_url()),
        ws_url: Some(world.exchange.ws_url()),
        clock_rate: rate,
        proxies: Proxies::None,
        stall: Stall::ByMarket,
    };
    let purpose = Purpose { keep_klines: true, ..Purpose::LIVE };
    Session::start(&config, &place, purpose, CancellationToken::new()).unwrap()
}

async fn until(world: &World, t: UnixMs) {
    while world.exchange.now() < t {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn odd(s: &Snapshot) -> Vec<String> {
    lanes(s)
        .filter(|(_, l)| l.state != DataState::Live)
        .map(|(r, l)| format!("{} {} {:?} {:?}", r.pair, l.interval, l.state, l.why))
        .collect()
}

async fn script(speed: f64, before: u64, faults: &[&str], settle_secs: u64) {
    let start = Some(CLOSE - Duration::from_secs(before));
    let world = World::start(SimConfig { speed, start, ..SimConfig::default() }).await;
    let mut s = scanner(&world, speed);
    if !faults.iter().any(|f| f.contains("rest_error")) {
        wait(&mut s, "24 live rows", |s| all_live(s, ROWS)).await;
    }
    for f in faults {
        world.inject(f).await;
    }
    until(&world, CLOSE + Duration::from_secs(60)).await;
    tokio::time::sleep(Duration::from_secs(settle_secs)).await;
    let calm = tokio::time::timeout(Duration::from_secs(30), s.wait_for(|s| all_live(s, ROWS))).await;
    let last = Arc::clone(&s.snapshots.borrow());
    assert!(calm.is_ok(), "not live: {:?}", odd(&last));
    assert_true(&world, &last, 1).await;
    s.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_closes_at_60() {
    script(60.0, 240, &[r#"{"kind":"drop_close","interval":"15m","count":24}"#], 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_closes_at_600() {
    script(600.0, 2_400, &[r#"{"kind":"drop_close","interval":"15m","count":48}"#], 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_closes_and_latency_at_60() {
    script(
        60.0,
        240,
        &[
            r#"{"kind":"delay_close","interval":"15m","count":24,"for_ms":30000}"#,
            r#"{"kind":"latency","ms":700,"for_ms":300000}"#,
        ],
        8,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_over_a_close_at_60() {
    script(60.0, 240, &[r#"{"kind":"ws_silence","for_ms":400000}"#], 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_during_the_warm_up() {
    script(60.0, 600, &[r#"{"kind":"rest_error","status":429,"count":5}"#], 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_errors_during_the_warm_up() {
    script(60.0, 600, &[r#"{"kind":"rest_error","status":500,"count":40}"#], 6).await;
}

/// The product's grace, an idle hour at the demo's speed: no klines request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_demos_speed_and_grace_closes_cost_no_request() {
    let world = World::start(SimConfig { speed: 60.0, ..SimConfig::default() }).await;
    let mut s = scanner(&world, 60.0);
    wait(&mut s, "24 live rows", |s| all_live(s, ROWS)).await;
    let before = world.klines_requests().await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(world.klines_requests().await, before);
    s.end().await;
}

/// A cut over a close, slow REST, and somebody presses refresh while the repairs wait: later lost
/// closes must still be found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_while_repairs_wait_blocks_no_lane() {
    let start = Some(CLOSE - Duration::from_secs(240));
    let world = World::start(SimConfig { speed: 60.0, start, ..SimConfig::default() }).await;
    let mut s = scanner(&world, 60.0);
    wait(&mut s, "24 live rows", |s| all_live(s, ROWS)).await;
    world.inject(r#"{"kind":"latency","ms":400,"for_ms":240000}"#).await;
    world.inject(r#"{"kind":"drop_close","interval":"15m","count":24}"#).await;
    until(&world, CLOSE + Duration::from_secs(14)).await; // the verifications are under way or wait
    s.commands.send(Command::Refresh(Scope::All)).await.unwrap();
    wait(&mut s, "all healed", |s| {
        all_live(s, ROWS)
            && lanes(s)
                .all(|(_, l)| l.newest.is_some_and(|(_, c)| l.interval.minutes() != 15 || c.0 >= CLOSE.0 - 1))
    })
    .await;
    // The next closes are lost, too.
    world.inject(r#"{"kind":"drop_close","interval":"15m","count":24}"#).await;
    until(&world, CLOSE + Duration::from_secs(900 + 120)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let last = Arc::clone(&s.snapshots.borrow());
    assert!(all_live(&last, ROWS), "for ever: {:?}", odd(&last));
    assert_true(&world, &last, 0).await;
    s.end().await;
}
