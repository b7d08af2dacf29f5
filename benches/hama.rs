//! The indicator's speed, against the `ta-lib` and `ta` crates and against bare kernels.
//!
//! `cargo bench --bench hama [NAME]`. Each figure is the median of many rounds in which subject
//! and reference take turns on the same input; before that, both must agree on it.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "a bench is no library")]
#![allow(clippy::pedantic, reason = "kernels are written for the processor")]
#![allow(clippy::needless_range_loop, reason = "one bar of many columns reads best by its number")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it stops and prints where it should")]

#[path = "kernel/derived_columns.rs"]
mod derived_columns;
#[path = "kernel/figures.rs"]
mod figures;
#[path = "measure/interleaved.rs"]
mod interleaved;
#[path = "kernel/hama_columns.rs"]
mod kernel;
#[path = "kernel/hama_steps.rs"]
mod kernel_steps;
#[path = "kernel/ta_lib_columns.rs"]
mod ta_lib_columns;
#[path = "kernel/ta_lib_streams.rs"]
mod ta_lib_streams;
#[path = "kernel/ta_objects.rs"]
mod ta_objects;

use std::cell::Cell;
use std::hint::black_box;

use hamatop::domain::indicator::{Hama, HamaColumns};
use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::preset::Preset;
use hamatop::domain::time::UnixMs;
use interleaved::interleaved;

const SERIES: usize = 375;
const BARS: usize = 500;
const ROUNDS: usize = 200;
const STEP_ROUNDS: usize = 4_000;
/// Bars that the incremental forms are given in turn, so that markets move and nothing is learnt by heart.
const NEXT: usize = 256;

fn main() {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let run = |name: &str| wanted.as_ref().is_none_or(|w| name.contains(w.as_str()));
    let input = input();
    if run("hama/full_375x500") {
        full(&input);
    }
    if run("hama/close_375") {
        close(&input);
    }
    if run("hama/peek_375") {
        peek(&input);
    }
}

/// Random walks at five price scales.
fn input() -> Vec<Vec<Kline>> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..SERIES).map(|n| walk(&mut random, [6e4, 3e3, 1.0, 1e-2, 1e-5][n % 5], BARS + NEXT)).collect()
}

fn walk(random: &mut fastrand::Rng, price: f64, bars: usize) -> Vec<Kline> {
    let mut last = price;
    (0..bars as i64)
        .map(|t| {
            let open = last;
            last *= 1.0 + 0.01 * (random.f64() - 0.5);
            let fields = KlineFields {
                open_time: UnixMs(t * 900_000),
                close_time: UnixMs(t * 900_000 + 899_999),
                open,
                high: open.max(last) * (1.0 + 0.003 * random.f64()),
                low: open.min(last) * (1.0 - 0.003 * random.f64()),
                close: last,
                volume: 1.0,
                ..KlineFields::default()
            };
            Kline::new(fields).unwrap()
        })
        .collect()
}

fn full(input: &[Vec<Kline>]) {
    let name = "hama/full_375x500";
    let preset = Preset::default();
    let mut ours = HamaColumns::new(&preset, Interval::M15);
    let mut talib = ta_lib_columns::Columns::new(BARS);
    let mut bare = kernel::Columns::new(BARS);
    for bars in input {
        let bars = &bars[..BARS];
        ours.compute(bars);
        bare.compute(bars);
        for (t, point) in (0..BARS).map(|t| (t, ours.point(t).unwrap())) {
            bare.assert_agrees(t, &point);
        }
        talib.compute(bars);
        for (t, point) in (0..BARS).map(|t| (t, ours.point(t).unwrap())) {
            talib.assert_agrees(t, &point);
        }
        talib.compute_all(bars);
        for (t, point) in (0..BARS).map(|t| (t, ours.point(t).unwrap())) {
            talib.assert_all_agree(t, &point);
        }
    }
    let pair = interleaved(ROUNDS, || each(input, |b| ours.compute(b)), || each(input, |b| talib.compute(b)));
    pair.print(name, "vs ta-lib, averages and bands only", None);
    let mut all = |b: &[Kline]| talib.compute_all(b);
    let pair = interleaved(ROUNDS, || each(input, |b| ours.compute(b)), || each(input, &mut all));
    pair.print(name, "vs ta-lib, same columns", Some(1.0));
    let pair = interleaved(ROUNDS, || each(input, |b| ours.compute(b)), || each(input, |b| bare.compute(b)));
    pair.print(name, "vs bare kernel, same columns", Some(1.3));
}

fn each(input: &[Vec<Kline>], mut work: impl FnMut(&[Kline])) {
    for bars in input {
        work(black_box(&bars[..BARS]));
    }
}

/// The incremental forms of a series, with all bars but the last taken.
struct Forms {
    ours: Vec<Hama>,
    bare: Vec<kernel_steps::State>,
    objects: Vec<ta_objects::Objects>,
    all: Vec<ta_objects::All>,
    /// The bars to come: for each round one of every series.
    next: Vec<Vec<Kline>>,
}

fn forms(input: &[Vec<Kline>]) -> Forms {
    let preset = Preset::default();
    let (mut ours, mut bare, mut objects, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for bars in input {
        let (mut hama, mut object) = (Hama::new(&preset, Interval::M15), ta_objects::Objects::new());
        let mut last = None;
        for bar in &bars[..BARS] {
            last = Some(hama.push(bar));
            object.next(bar);
        }
        ours.push(hama);
        bare.push(kernel_steps::State::after(&bars[..BARS], &last.unwrap()));
        objects.push(object);
        all.push(ta_objects::All::after(&bars[..BARS], &last.unwrap()));
    }
    Forms {
        ours,
        bare,
        objects,
        all,
        next: (0..NEXT).map(|n| input.iter().map(|bars| bars[BARS + n]).collect()).collect(),
    }
}

/// The bars of the next round.
fn turn<'a>(next: &'a [Vec<Kline>], counter: &Cell<usize>) -> &'a [Kline] {
    counter.set(counter.get() + 1);
    &next[counter.get() % NEXT]
}

fn close(input: &[Vec<Kline>]) {
    let name = "hama/close_375";
    let Forms { mut ours, mut bare, mut objects, mut all, next } = forms(input);
    for (n, bar) in next[0].iter().enumerate() {
        let point = ours[n].push(bar);
        bare[n].step(bar).assert_agrees(&point, 1e-9);
        ta_objects::assert_agrees(&objects[n].next(bar), &point);
        all[n].next(bar).assert_agrees(&point, ta_objects::SEEDS);
    }
    let counters = [const { Cell::new(0) }; 4];
    let mut subject = || {
        for (hama, bar) in ours.iter_mut().zip(turn(&next, &counters[0])) {
            black_box(&hama.push(black_box(bar)));
        }
    };
    let pair = interleaved(STEP_ROUNDS, &mut subject, || {
        for (object, bar) in objects.iter_mut().zip(turn(&next, &counters[1])) {
            black_box(&object.next(black_box(bar)));
        }
    });
    pair.print(name, "vs ta, averages and bands only", None);
    let pair = interleaved(STEP_ROUNDS, &mut subject, || {
        for (object, bar) in all.iter_mut().zip(turn(&next, &counters[3])) {
            black_box(&object.next(black_box(bar)));
        }
    });
    pair.print(name, "vs ta, same columns", Some(1.3));
    let pair = interleaved(STEP_ROUNDS, &mut subject, || {
        for (state, bar) in bare.iter_mut().zip(turn(&next, &counters[2])) {
            black_box(&state.step(black_box(bar)));
        }
    });
    pair.print(name, "vs bare kernel, same columns", Some(1.3));
}

fn peek(input: &[Vec<Kline>]) {
    let name = "hama/peek_375";
    let Forms { ours, next, .. } = forms(input);
    let streams: Vec<_> = input.iter().map(|bars| ta_lib_streams::Streams::after(&bars[..BARS])).collect();
    for ((hama, stream), bar) in ours.iter().zip(&streams).zip(&next[0]) {
        stream.assert_agrees(bar, &hama.peek(bar));
    }
    let counters = [const { Cell::new(0) }; 2];
    let subject = || {
        for (hama, bar) in ours.iter().zip(turn(&next, &counters[0])) {
            black_box(&hama.peek(black_box(bar)));
        }
    };
    let pair = interleaved(STEP_ROUNDS, subject, || {
        for (stream, bar) in streams.iter().zip(turn(&next, &counters[1])) {
            black_box(&stream.peek(black_box(bar)));
        }
    });
    pair.print(name, "vs ta-lib peek, averages and bands only", Some(1.3));
}
