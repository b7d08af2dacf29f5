//! The soak: the whole client against the embedded exchange at sixty times the speed, over real
//! sockets, with faults that come back again and again. Each minute a line: memory, file
//! descriptors, threads, tasks, how many bars were equal to the exchange's truth, what it counted against
//! us. At the end the slopes, which have to be flat.
//!
//! ```text
//! cargo test --release --test soak -- --ignored --nocapture                     # thirty minutes
//! HAMATOP_SOAK_MINUTES=3 cargo test --release --test soak -- --ignored --nocapture
//! ```
//!
//! The exchange lives in the same process: its memory is in the figures, too. Memory is what is asked
//! for and not given back; what the system has given the process for it goes by steps, and is told.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

#[path = "world/world.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hamatop::market::snapshot::{DataState, Snapshot};
use hamatop::sim::{SimConfig, SourceConfig};
use serde_json::{Value, json};
use world::{World, assert_true, lanes, wait};

const SPEED: f64 = 60.0;
const ROWS: usize = 40;
/// The share of a minute at whose end all is compared: by then the faults are over.
const HEALED: Duration = Duration::from_secs(45);

/// Bytes asked for and not given back.
static HEAP: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(unsafe_code, reason = "an allocator can't be counted without being one")]
// SAFETY: everything is handed to the system's allocator unchanged; the counter touches no memory
// of the allocations.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HEAP.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Holding {
    at: f64,
    heap_kib: f64,
    resident_kib: f64,
    files: f64,
    threads: f64,
    tasks: f64,
}

impl Holding {
    fn now(since: Instant) -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let figure = |name: &str| -> Option<f64> {
            let line = status.lines().find(|l| l.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Some(Self {
            at: since.elapsed().as_secs_f64() / 60.0,
            heap_kib: HEAP.load(Relaxed) as f64 / 1024.0,
            resident_kib: figure("VmRSS:")?,
            files: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
            threads: figure("Threads:")?,
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks() as f64,
        })
    }
}

/// Least squares: how much a figure grows in a minute.
fn slope(all: &[Holding], figure: impl Fn(&Holding) -> f64) -> f64 {
    let n = all.len() as f64;
    let (mx, my) = (all.iter().map(|h| h.at).sum::<f64>() / n, all.iter().map(&figure).sum::<f64>() / n);
    let above: f64 = all.iter().map(|h| (h.at - mx) * (figure(h) - my)).sum();
    let below: f64 = all.iter().map(|h| (h.at - mx).powi(2)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

/// The faults of one minute of ours, an hour of the exchange's.
fn faults(rng: &mut Rng, now: i64) -> Value {
    let mut at = |within: i64| now + rng.i64(0..within);
    let kinds = [
        json!({ "kind": "ws_cut", "for_ms": 60_000, "at": at(600_000) }),
        json!({ "kind": "ws_silence", "for_ms": 120_000, "at": at(600_000) }),
        json!({ "kind": "drop_close", "count": 40, "at": at(900_000) }),
        json!({ "kind": "delay_close", "count": 40, "for_ms": 30_000, "at": at(900_000) }),
        json!({ "kind": "rest_error", "status": 503, "count": 3, "at": at(900_000) }),
        json!({ "kind": "latency", "ms": 200, "for_ms": 300_000, "at": at(900_000) }),
    ];
    kinds.into_iter().filter(|_| rng.bool()).collect()
}

fn all_fed(s: &Snapshot) -> bool {
    let fed = |state, young| state == DataState::Live || (state == DataState::Warming && young);
    s.rows.len() == ROWS && lanes(s).all(|(_, l)| fed(l.state, l.bars < l.need_score && l.why.is_none()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half an hour: HAMATOP_SOAK_MINUTES sets another length"]
async fn soak() {
    let minutes: u64 = std::env::var("HAMATOP_SOAK_MINUTES").map_or(30, |m| m.parse().unwrap());
    let source = SourceConfig::Synthetic { count: ROWS, seed: 11 };
    let world = World::start(SimConfig { source, speed: SPEED, ..SimConfig::default() }).await;
    let mut scanner = world.scanner(&[("top", "40"), ("intervals", "1m,3m,5m,15m")], SPEED);
    wait(&mut scanner, "all rows", all_fed).await;
    let mut rng = Rng::with_seed(11);
    let start = Instant::now();
    let mut held = Vec::new();
    for minute in 1..=minutes {
        let list = faults(&mut rng, world.exchange.now().0);
        if list.as_array().is_some_and(|l| !l.is_empty()) {
            world.inject(&list.to_string()).await;
        }
        let end = Duration::from_secs(60 * (minute - 1)) + HEALED;
        tokio::time::sleep(end.saturating_sub(start.elapsed())).await;
        let healed = wait(&mut scanner, "all live after the faults", all_fed).await;
        assert_true(&world, &healed, 2).await;
        let bars: usize = lanes(&healed).filter_map(|(_, l)| l.klines.as_ref()).map(|k| k.len()).sum();
        let stats = world.get("/sim/stats").await;
        let broken: u64 = stats["violations"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        let now = Holding::now(start);
        let drops: u32 = healed.links.iter().map(|l| l.drops).sum();
        println!(
            "minute {minute}: {now:?}; {bars} bars equal to the truth; {} closes taken, {drops} sockets lost, \
             {} gaps, {} repaired; violations {broken}; faults so far {}",
            healed.stats.outcomes.appended, healed.stats.gaps, healed.stats.repaired, stats["faults"]
        );
        assert_eq!(broken, 0, "{stats}");
        held.extend(now);
        tokio::time::sleep(Duration::from_secs(60 * minute).saturating_sub(start.elapsed())).await;
    }
    let felt = world.get("/sim/stats").await["faults"].as_object().map_or(0, serde_json::Map::len);
    assert!(felt > 0, "nothing went wrong: that proves nothing");
    scanner.end().await;
    // The first minutes fill what is filled once.
    let settled = held.get(held.len() / 3..).unwrap_or_default();
    let (heap, resident) = (slope(settled, |h| h.heap_kib), slope(settled, |h| h.resident_kib));
    let (files, threads, tasks) =
        (slope(settled, |h| h.files), slope(settled, |h| h.threads), slope(settled, |h| h.tasks));
    println!(
        "a minute: heap {heap:+.1} KiB, resident {resident:+.1} KiB, file descriptors {files:+.2}, threads \
         {threads:+.2}, tasks {tasks:+.2}"
    );
    if held.len() >= 10 {
        // At sixty times the speed a minute is an hour's worth.
        assert!(heap < 128.0, "the heap grows by {heap} KiB a minute");
        assert!(resident < 1_024.0, "memory grows by {resident} KiB a minute");
        let flat = [files, threads, tasks].iter().all(|s| s.abs() < 0.5);
        assert!(flat, "files {files}, threads {threads}, tasks {tasks} a minute");
    }
}
