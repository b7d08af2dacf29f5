//! The randomized proof: seeded schedules of two to five faults at once over 20 pairs on four
//! intervals, and after each the audit: no closed candle lost, doubled, misordered or different, no
//! signal missed, doubled or invented against the batch indicator on the truth, no limit broken.
//!
//! Everything runs in this process on one virtual clock: the product's pure core and its budget
//! against an exchange, sockets, REST and a machine that fail as told. A seed gives the same run
//! on every machine; one that fails is run again with faults taken out, as long as it still fails,
//! and what is left is printed.
//!
//! ```text
//! cargo test --test chaos                                                    # 20 seeds
//! cargo test --release --test chaos -- --ignored --nocapture thousand_seeds  # 1,000, with totals
//! HAMATOP_SEED=17 cargo test --test chaos -- --ignored --nocapture one_seed
//! HAMATOP_SEEDS=5000-9000 cargo test --release --test chaos -- --ignored --nocapture thousand_seeds
//! ```
//!
//! A signal is missed if its bar could be known within one interval of its close and it was not
//! given; older ones are not told by design, and are counted apart. "Could be known": 45 s of our
//! time without a fault that concerns the series.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]

#[path = "chaos/fault.rs"]
mod fault;
#[path = "chaos/feed.rs"]
mod feed;
#[path = "chaos/market.rs"]
mod market;
#[path = "chaos/rest.rs"]
mod rest;
#[path = "chaos/verdict.rs"]
mod verdict;
#[path = "chaos/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use fault::{Fault, Kind, QUIET, Target, draw, schedule};
use verdict::{Verdict, audit};
use world::{Setup, World};

fn run(setup: Setup, faults: &[Fault]) -> Verdict {
    let mut world = World::new(setup, faults);
    world.run();
    audit(&world)
}

/// Takes faults out as long as what is left still fails.
fn shrink(setup: Setup, faults: &[Fault]) -> (Vec<Fault>, Verdict) {
    let mut left = faults.to_vec();
    let mut verdict = run(setup, &left);
    let mut at = 0;
    while at < left.len() {
        let mut fewer = left.clone();
        fewer.remove(at);
        let without = run(setup, &fewer);
        if without.wrong.is_nothing() {
            at += 1;
        } else {
            (left, verdict) = (fewer, without);
        }
    }
    (left, verdict)
}

/// What a failed seed looks like.
fn report(setup: Setup, faults: &[Fault]) -> String {
    let (left, verdict) = shrink(setup, faults);
    let list: Vec<String> = left.iter().map(|f| format!("  {f}")).collect();
    format!("{setup:?}\n{}\n  {}", list.join("\n"), verdict.wrong)
}

/// The counters that these faults move. Sockets' stalls, refusals and replacements and a signal that
/// is revised, which is rare, have tests of their own.
fn counters(v: &Verdict) -> [(&'static str, u64); 14] {
    let u = v.upkeep;
    [
        ("gaps", v.gaps),
        ("repaired", v.repaired),
        ("discards", v.discarded),
        ("verifications", u.verifications),
        ("closed by REST", u.closed_by_rest),
        ("late closes", u.late_closes),
        ("corrections", u.corrections),
        ("holes", u.holes),
        ("silent", u.silent),
        ("resubscribed", u.resubscribed),
        ("polls", u.polls),
        ("spread", u.spread),
        ("withheld", u.withheld),
        ("lost", u.lost),
    ]
}

#[derive(Default)]
struct Totals {
    runs: u64,
    closes: u64,
    compared: u64,
    signals: u64,
    too_late: u64,
    requests: u64,
    gaps: u64,
    repaired: u64,
    discarded: u64,
    /// What the cache view counts, all runs together.
    counted: BTreeMap<&'static str, u64>,
    peak_weight: u32,
    faults: BTreeMap<Kind, (u64, u64)>,
    healed: Vec<f64>,
    failed: Vec<u64>,
}

impl Totals {
    fn add(&mut self, seed: u64, faults: &[Fault], v: &Verdict) {
        self.runs += 1;
        self.closes += v.closes;
        self.compared += v.compared;
        self.signals += v.signals;
        self.too_late += v.too_late;
        self.requests += v.requests;
        self.gaps += v.gaps;
        self.repaired += v.repaired;
        self.discarded += v.discarded;
        for (counter, n) in counters(v) {
            *self.counted.entry(counter).or_default() += n;
        }
        self.peak_weight = self.peak_weight.max(v.peak_weight);
        self.healed.extend(v.healed);
        for f in faults {
            self.faults.entry(f.kind).or_default().0 += 1;
        }
        for (kind, n) in &v.felt {
            self.faults.entry(*kind).or_default().1 += n;
        }
        if !v.wrong.is_nothing() {
            self.failed.push(seed);
        }
    }

    fn print(&mut self, started: Instant) {
        println!(
            "{} seeds, {} closes during the runs, {} bars compared, {} signals given (and {} not, being old), \
             {} requests, peak weight {} in a minute, {} gaps found, {} repaired, {} frames and rows thrown away, {:.1} s",
            self.runs,
            self.closes,
            self.compared,
            self.signals,
            self.too_late,
            self.requests,
            self.peak_weight,
            self.gaps,
            self.repaired,
            self.discarded,
            started.elapsed().as_secs_f64()
        );
        self.healed.sort_by(f64::total_cmp);
        let at =
            |q: f64| self.healed.get((self.healed.len() as f64 * q) as usize).copied().unwrap_or_default();
        println!(
            "seconds from heal to equal: median {:.0}, p90 {:.0}, most {:.0}",
            at(0.5),
            at(0.9),
            self.healed.last().copied().unwrap_or_default()
        );
        for (kind, (scheduled, felt)) in &self.faults {
            println!("  {kind:?}: in {scheduled} schedules, took effect {felt} times");
        }
        println!("failed seeds: {} {:?}", self.failed.len(), self.failed);
    }
}

/// Runs seeds on as many threads as there are processors.
fn run_all(seeds: &[u64]) -> (Totals, Vec<String>) {
    let next = AtomicU64::new(0);
    let one = || {
        let mut mine = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed) as usize;
            let Some(seed) = seeds.get(at) else { return mine };
            let faults = schedule(*seed);
            let verdict = run(Setup::of(*seed), &faults);
            if at % 100 == 99 {
                println!("seed {seed}…");
            }
            mine.push((*seed, faults, verdict));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = std::thread::scope(|s| {
        let handles: Vec<_> = (0..threads).map(|_| s.spawn(one)).collect();
        handles.into_iter().flat_map(|h| h.join().unwrap()).collect::<Vec<_>>()
    });
    all.sort_by_key(|(seed, ..)| *seed);
    let mut totals = Totals::default();
    for (seed, faults, verdict) in &all {
        totals.add(*seed, faults, verdict);
    }
    let failed = all.iter().filter(|(_, _, v)| !v.wrong.is_nothing()).take(5);
    let reports = failed.map(|(seed, faults, _)| report(Setup::of(*seed), faults)).collect();
    (totals, reports)
}

#[test]
fn item_37_twenty_seeds_end_as_the_truth_and_what_was_done_is_counted() {
    let started = Instant::now();
    let (mut totals, reports) = run_all(&(1..=20).collect::<Vec<_>>());
    totals.print(started);
    assert!(reports.is_empty(), "{}", reports.join("\n"));
    assert!(totals.closes > 20 * 1_000 && totals.signals > 1_000, "too little happened to prove anything");
    let still: Vec<_> = totals.counted.iter().filter(|(_, n)| **n == 0).collect();
    assert!(still.is_empty(), "it happened and was not counted: {still:?}");
}

#[test]
#[ignore = "minutes: the proof at full length"]
fn thousand_seeds() {
    let wanted = std::env::var("HAMATOP_SEEDS").unwrap_or_else(|_| "1-1000".into());
    let (from, to) = wanted.split_once('-').expect("HAMATOP_SEEDS=FROM-TO");
    let seeds: Vec<u64> = (from.parse().unwrap()..=to.parse().unwrap()).collect();
    let started = Instant::now();
    let (mut totals, reports) = run_all(&seeds);
    totals.print(started);
    assert!(reports.is_empty(), "{}", reports.join("\n"));
}

#[test]
#[ignore = "for a seed that failed: HAMATOP_SEED=N"]
fn one_seed() {
    let seed: u64 = std::env::var("HAMATOP_SEED").expect("HAMATOP_SEED=N").parse().unwrap();
    let faults = schedule(seed);
    for f in &faults {
        println!("{f}");
    }
    let verdict = run(Setup::of(seed), &faults);
    println!("{verdict:?}");
    assert!(verdict.wrong.is_nothing(), "{}", report(Setup::of(seed), &faults));
}

/// Seeds that once failed, each for a defect of its own.
#[test]
fn seeds_that_failed_stay_mended() {
    // Rows before the clock was known; a clock that slept while REST was refused.
    let (_, reports) = run_all(&[20, 269, 674]);
    assert!(reports.is_empty(), "{}", reports.join("\n"));
}

/// Each kind alone (those of REST with lost closes), so that none is a fault in name only.
#[test]
fn every_kind_of_fault_takes_effect_and_is_survived() {
    for (n, kind) in Kind::ALL.into_iter().enumerate() {
        let setup = Setup { seed: 1_000 + n as u64, rate: 1, full: false };
        let mut rng = fastrand::Rng::with_seed(setup.seed);
        let mut fault = draw(kind, QUIET, &mut rng);
        if matches!(fault.target, Target::Series(_)) {
            fault.target = Target::Symbol(3);
        }
        // REST is asked only where the streams left something open.
        let closes = Fault { kind: Kind::DropCloses, target: Target::All, ..fault };
        let faults = if kind.is_rest() { vec![fault, closes] } else { vec![fault] };
        let verdict = run(setup, &faults);
        assert!(verdict.wrong.is_nothing(), "{}", report(setup, &faults));
        assert!(verdict.felt.get(&kind).is_some_and(|n| *n > 0), "{fault} never took effect");
    }
}
