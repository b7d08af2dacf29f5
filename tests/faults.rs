//! The whole client against the embedded exchange while that does what it should not: after each
//! fault what the program holds is what the exchange knows.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "world/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;

use hamatop::domain::time::UnixMs;
use hamatop::market::snapshot::{DataState, Snapshot};
use hamatop::run::session::Session;
use hamatop::sim::{SimConfig, SourceConfig};
use serde_json::{Value, json};
use world::{World, assert_true, lanes, wait};

const MINUTE: i64 = 60_000;
/// Requests that the client has under way at once, at most.
const UNDER_WAY: u64 = 10;
/// A minute a second.
const SPEED: f64 = 60.0;

fn config(speed: f64) -> SimConfig {
    let source = SourceConfig::Synthetic { count: 8, seed: 7 };
    SimConfig { source, speed, ..SimConfig::default() }
}

/// All that trades is kept true by the streams; a young listing lacks bars for the score, no more.
fn all_fed(s: &Snapshot) -> bool {
    let fed = |state, young| match state {
        DataState::Live | DataState::Delisted => true,
        DataState::Warming => young,
        _ => false,
    };
    let all = lanes(s).all(|(_, l)| fed(l.state, l.bars < l.need_score && l.why.is_none()));
    all && s.warmup.is_over() && !s.rows.is_empty()
}

/// The oldest of the newest closes of all that trades.
fn oldest_close(s: &Snapshot) -> UnixMs {
    let traded = lanes(s).filter(|(_, l)| l.state != DataState::Delisted);
    traded.map(|(_, l)| l.newest.map_or(UnixMs(0), |n| n.1)).min().unwrap_or_default()
}

async fn pass(world: &World, minutes: i64) {
    let until = UnixMs(world.exchange.now().0 + minutes * MINUTE);
    while world.exchange.now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the candles of now have come, and compares all of them.
async fn assert_heals(world: &World, scanner: &mut Session, longest: i64, what: &str) -> Arc<Snapshot> {
    let healed = world.exchange.now();
    let come = |s: &Snapshot| all_fed(s) && oldest_close(s).0 + longest * MINUTE >= healed.0;
    let later = wait(scanner, what, come).await;
    let mut traded = (*later).clone();
    traded.rows.retain(|r| r.lanes.iter().all(|l| l.state != DataState::Delisted));
    assert_true(world, &traded, 2).await;
    later
}

/// The exchange's record, if it has nothing against the client, but for those requests that were
/// under way when a ban came.
async fn assert_no_violation(world: &World, what: &str) -> Value {
    let stats = world.get("/sim/stats").await;
    let violations = stats["violations"].as_object().unwrap();
    let most = |kind: &str| if kind == "ignored_418" { UNDER_WAY - 1 } else { 0 };
    assert!(violations.iter().all(|(kind, n)| n.as_u64() <= Some(most(kind))), "{what}: {violations:?}");
    stats
}

/// The states of a pair's lanes; `None` where it has no row.
fn states(s: &Snapshot, symbol: &str) -> Option<Vec<DataState>> {
    let row = s.rows.iter().find(|r| r.pair.symbol.as_str() == symbol)?;
    Some(row.lanes.iter().map(|l| l.state).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_29_fault_37_listings_delistings_halts_and_volumes_of_a_running_market() {
    // The list of pairs is asked for every quarter of an hour of the exchange's: three seconds.
    let speed = 300.0;
    let world = World::start(config(speed)).await;
    let flags = [("market", "usdm"), ("top", "40"), ("intervals", "15m,1h")];
    let mut scanner = world.scanner_with(&flags, speed, |_| Duration::from_secs(600));
    wait(&mut scanner, "all loaded", all_fed).await;
    let churn = json!([
        {"kind": "list", "market": "usdm", "symbol": "FRESHUSDT"},
        {"kind": "delist", "market": "usdm", "symbol": "ETHUSDT"},
        {"kind": "halt", "market": "usdm", "symbol": "BTCUSDT", "for_ms": 90 * MINUTE},
        {"kind": "volume", "market": "usdm", "symbol": "1000SATSUSDT", "per_mille": 50},
    ]);
    world.inject(&churn.to_string()).await;
    let gone = |s: &Snapshot, name| {
        states(s, name).is_none_or(|all| all.iter().all(|state| *state == DataState::Delisted))
    };
    wait(&mut scanner, "one listed, one gone, one halted", |s| {
        states(s, "FRESHUSDT").is_some() && gone(s, "ETHUSDT") && gone(s, "BTCUSDT")
    })
    .await;
    wait(&mut scanner, "the halted one is back", |s| !gone(s, "BTCUSDT") && gone(s, "ETHUSDT")).await;
    pass(&world, 60).await;
    let later = assert_heals(&world, &mut scanner, 60, "all that trades is fed").await;
    assert!(states(&later, "1000SATSUSDT").is_some());
    assert_no_violation(&world, "churn").await;
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_24_item_25_fault_16_fault_17_a_repair_that_is_refused_or_answered_with_rubbish_ends_well() {
    let world = World::start(config(SPEED)).await;
    let flags = [("market", "usdm"), ("top", "40"), ("intervals", "1m,5m")];
    let mut scanner = world.scanner(&flags, SPEED);
    let loaded = wait(&mut scanner, "all loaded", all_fed).await;
    let mut names = loaded.rows.iter().map(|r| r.pair.symbol.as_str());
    // Each way to spoil a body strikes another pair, so that none hides another.
    let mut spoilt = |kind: &str| json!({"kind": kind, "count": 2, "symbol": names.next().unwrap()});
    for faults in [
        vec![json!({"kind": "ban", "seconds": 120})],
        vec![json!({"kind": "rest_error", "status": 429, "retry_after_s": 30, "count": 2})],
        vec![json!({"kind": "rest_error", "status": 503, "count": 4})],
        ["truncated", "cut_json", "truncated_gzip", "wrong_type", "empty_body"].map(&mut spoilt).to_vec(),
    ] {
        let before = world.get("/sim/stats").await["faults"].clone();
        let of_klines = faults.iter().cloned().map(|mut fault| {
            fault["route"] = json!("/fapi/v1/klines");
            fault
        });
        // The streams are away over a close, so that REST has to mend it.
        let cut = json!({"kind": "ws_cut", "for_ms": 90_000});
        world.inject(&of_klines.chain([cut]).collect::<Value>().to_string()).await;
        pass(&world, 2).await;
        let what = Value::from(faults.clone()).to_string();
        assert_heals(&world, &mut scanner, 5, &what).await;
        let stats = assert_no_violation(&world, &what).await;
        for kind in faults.iter().filter_map(|f| f["kind"].as_str()) {
            let (now, then) = (stats["faults"][kind].as_u64(), before[kind].as_u64().unwrap_or(0));
            assert!(now > Some(then), "{kind} never struck");
        }
    }
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_10_item_15_fault_07_fault_15_frames_doubled_reordered_and_garbled_end_as_the_truth() {
    let world = World::start(config(SPEED)).await;
    let flags = [("market", "usdm"), ("top", "40"), ("intervals", "1m,5m")];
    let mut scanner = world.scanner(&flags, SPEED);
    wait(&mut scanner, "all loaded", all_fed).await;
    // Old stamps and missing fields are of candles only, where a frame has them.
    let kinds = [
        "repeat",
        "reorder",
        "extra_field",
        "missing_field",
        "bad_value",
        "unknown_event",
        "garbage",
        "deep",
        "binary",
        "empty",
        "fragmented",
        "repeat_close",
        "update_after_close",
    ];
    for kind in kinds {
        world.inject(&json!({"kind": kind, "for_ms": 2 * MINUTE}).to_string()).await;
        pass(&world, 2).await;
    }
    world.inject(&json!({"kind": "old_event", "by_ms": 5 * MINUTE, "for_ms": 2 * MINUTE}).to_string()).await;
    pass(&world, 2).await;
    let later = assert_heals(&world, &mut scanner, 5, "fed after broken frames").await;
    let stats = assert_no_violation(&world, "frames").await;
    for kind in kinds {
        assert!(stats["faults"][kind].as_u64() > Some(0), "{kind} never struck");
    }
    assert!(later.stats.discarded > 0, "what is thrown away is counted: {:?}", later.stats.discards);
    assert_eq!(stats["connections"]["opened"], 1, "no such frame costs the socket");

    // These two break the protocol, and so the socket.
    world.inject(r#"[{"kind":"invalid_utf8","count":1},{"kind":"oversized","count":1}]"#).await;
    pass(&world, 2).await;
    assert_heals(&world, &mut scanner, 5, "fed after broken sockets").await;
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_32_fault_04_of_two_sockets_the_silent_one_is_replaced_and_its_candles_are_had() {
    let world = World::start(config(SPEED)).await;
    let flags = [("market", "usdm,spot"), ("top", "40"), ("intervals", "1m,5m")];
    let mut scanner = world.scanner(&flags, SPEED);
    wait(&mut scanner, "all loaded", all_fed).await;
    let stats = world.get("/sim/stats").await;
    let sockets = stats["sockets"].as_array().unwrap();
    assert_eq!(sockets.len(), 2, "{sockets:?}");
    let of = |market: &str| sockets.iter().find(|s| s["market"] == market).unwrap()["number"].clone();
    let (silent, other) = (of("usdm"), of("spot"));
    // For as long as it lives: only another socket brings the data back.
    let fault = json!({"kind": "ws_silence", "connection": silent, "for_ms": 1_000 * MINUTE});
    world.inject(&fault.to_string()).await;
    wait(&mut scanner, "the silence is seen", |s| !all_fed(s)).await;
    assert_heals(&world, &mut scanner, 5, "fed by a new socket").await;
    let stats = assert_no_violation(&world, "silence").await;
    let open = |number: &Value| {
        stats["sockets"].as_array().unwrap().iter().any(|s| s["number"] == *number && s["open"] == true)
    };
    assert!(!open(&silent) && open(&other), "{}", stats["sockets"]);
    scanner.end().await;
}
