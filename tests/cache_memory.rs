//! The cache's own count of its bytes against an allocator that counts.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::preset::Preset;
use hamatop::domain::symbol::{Market, Pair};
use hamatop::domain::time::UnixMs;
use hamatop::market::freshness::{Freshness, Stream};
use hamatop::market::lane::{Answer, Lag};
use hamatop::market::store::Store;

thread_local! {
    /// Bytes this thread has and has not given back.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(by: usize, sign: isize) {
    let by = isize::try_from(by).unwrap_or(isize::MAX);
    // A thread that is ending has no cell any more; nobody measures it.
    let _ = HELD.try_with(|held| held.set(held.get() + sign * by));
}

#[expect(unsafe_code, reason = "an allocator can't be counted without being one")]
// SAFETY: everything is handed to the system's allocator unchanged; the counter touches no memory
// of the allocations.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn bar(n: i64, step: i64) -> Kline {
    let price = 100.0 + f64::from(u32::try_from(n % 17).unwrap());
    Kline::new(KlineFields {
        open_time: UnixMs(n * step),
        close_time: UnixMs((n + 1) * step - 1),
        open: price,
        high: price + 1.0,
        low: price - 1.0,
        close: price + 0.5,
        volume: 5.0,
        ..KlineFields::default()
    })
    .unwrap()
}

#[test]
fn the_statistics_agree_with_a_counting_allocator_and_a_kline_costs_at_most_96_bytes() {
    let intervals: Arc<[Interval]> = [Interval::M15, Interval::H1, Interval::H4].into();
    let preset = Arc::new(Preset::builtin("quantdinger").unwrap());
    let before = HELD.get();
    let mut store = Store::new(preset, intervals, 500);
    store.reserve(125);
    for n in 0..125 {
        let pair = Pair { market: Market::UsdM, symbol: format!("SYM{n}USDT").parse().unwrap() };
        store.add(&pair, &Freshness::new(Stream::Unneeded));
    }
    for id in store.ids() {
        let lane = store.lane_mut(id).unwrap();
        let step = lane.interval().millis();
        let rows: Vec<Kline> = (1_000..1_499).map(|n| bar(n, step)).collect();
        let answer = Answer {
            rows: &rows,
            proved: rows.len(),
            from: None,
            asked: UnixMs(0),
            lag: Lag::Wait,
            unread: 0,
        };
        let mut out = Vec::new();
        lane.rest(&answer, &mut out);
        // Past the ring's end, so that what wraps and evicts is counted too.
        for n in 1_499..1_510 {
            out.clear();
            lane.stream_closed(bar(n, step), &mut out);
            lane.stream_forming(bar(n + 1, step), UnixMs(n * step));
        }
        assert_eq!(lane.series().closed().len(), 500);
    }
    let held = HELD.get() - before;
    let stats = store.stats();
    assert_eq!((stats.series, stats.klines, stats.capacity), (375, 187_500, 500));
    let counted = f64::from(i32::try_from(held).unwrap());
    let said = f64::from(u32::try_from(stats.bytes).unwrap());
    println!("allocator {held} B, statistics {} B, {:.2} B a kline", stats.bytes, counted / 187_500.0);
    assert!((counted - said).abs() <= 0.05 * counted, "allocator {held}, statistics {}", stats.bytes);
    assert!(counted / 187_500.0 <= 96.0, "{} bytes a kline", counted / 187_500.0);
}
