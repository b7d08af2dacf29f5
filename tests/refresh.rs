//! The whole client against the embedded exchange: a key finds a bar that the stream told wrong, says
//! which, and a ban is told as a ban. The timer's rounds ask nothing of a market that is well.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "world/world.rs"]
mod world;

use std::time::Duration;

use hamatop::app::check;
use hamatop::app::zone::Zone;
use hamatop::domain::symbol::Pair;
use hamatop::domain::time::UnixMs;
use hamatop::engine::{Command, Scope};
use hamatop::market::snapshot::{Check, LaneView, Snapshot, Verdict};
use hamatop::run::session::Session;
use hamatop::schedule::{JobId, ScheduleCommand};
use hamatop::sim::{SimConfig, SourceConfig};
use world::{World, all_live, assert_true, lanes, wait};

const SPEED: f64 = 60.0;
const ROWS: usize = 6;

async fn started() -> (World, Session) {
    let source = SourceConfig::Synthetic { count: 8, seed: 7 };
    let world = World::start(SimConfig { source, speed: SPEED, ..SimConfig::default() }).await;
    let flags = [("market", "usdm"), ("top", "6"), ("intervals", "1m,5m")];
    // What is late is the machine, not the stream.
    let scanner = world.scanner_with(&flags, SPEED, |_| Duration::from_secs(600));
    (world, scanner)
}

fn lane<'a>(s: &'a Snapshot, pair: &Pair, at: usize) -> &'a LaneView {
    &s.rows.iter().find(|r| r.pair == *pair).unwrap().lanes[at]
}

fn verdict(lane: &LaneView) -> Option<&Verdict> {
    match lane.check.as_ref()? {
        Check::Told { verdict, .. } => Some(verdict),
        Check::Asked(_) => None,
    }
}

fn note(s: &Snapshot, pair: &Pair) -> String {
    let row = s.rows.iter().find(|r| r.pair == *pair).unwrap();
    let mut out = String::new();
    check::note_of(row, s.made).unwrap().write(&Zone::default(), &mut out).unwrap();
    out
}

/// A closed bar of the first interval that holds what was only told, if there is one.
fn wrong(lane: &LaneView) -> Option<UnixMs> {
    let told = |k: &&hamatop::domain::kline::Kline| k.volume().to_bits() == 0.125_f64.to_bits();
    lane.klines.as_ref()?.iter().find(told).map(hamatop::domain::kline::Kline::open_time)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_finds_the_bar_that_the_stream_told_wrong_names_it_and_puts_it_right() {
    let (world, mut scanner) = started().await;
    let live = wait(&mut scanner, "all live", |s| all_live(s, ROWS)).await;
    let pair = live.rows[2].pair.clone();
    let fault = format!(
        r#"{{"kind":"bad_value","name":"v","value":"\"0.125\"","symbol":"{}","interval":"1m","for_ms":60000}}"#,
        pair.symbol
    );
    world.inject(&fault).await;
    let held = wait(&mut scanner, "a wrong bar is held", |s| wrong(lane(s, &pair, 0)).is_some()).await;
    let bar = wrong(lane(&held, &pair, 0)).unwrap();
    // It is not made good by itself, and nothing says that it is wrong.
    let later = bar + Duration::from_secs(240);
    let past = |s: &Snapshot| lane(s, &pair, 0).newest.is_some_and(|n| n.0 >= later);
    let before = wait(&mut scanner, "four bars later", past).await;
    assert_eq!(wrong(lane(&before, &pair, 0)), Some(bar));
    assert!(lanes(&before).all(|(_, l)| l.check.is_none()));

    let asked = world.klines_requests().await;
    scanner.commands.send(Command::Refresh(Scope::One(pair.clone()))).await.unwrap();
    let told = |s: &Snapshot| lanes(s).filter(|(r, l)| r.pair == pair && verdict(l).is_some()).count() == 2;
    let after = wait(&mut scanner, "both series are compared", told).await;
    let Some(Verdict::Compared(found)) = verdict(lane(&after, &pair, 0)) else { panic!() };
    assert!(found.corrected >= 1 && found.first == Some(bar), "{found:?}");
    assert!(found.equal >= 90, "{found:?}");
    let Some(Verdict::Compared(other)) = verdict(lane(&after, &pair, 1)) else { panic!() };
    assert!(other.corrected == 0 && other.equal >= 90, "{other:?}");
    let text = note(&after, &pair);
    assert!(text.contains(" corrected 1m ") && text.ends_with(", just now"), "{text}");
    assert_eq!(world.klines_requests().await, asked + 2, "one request a series");
    assert!(lanes(&after).all(|(r, l)| r.pair == pair || l.check.is_none()), "of no other pair");

    let well = wait(&mut scanner, "all live", |s| all_live(s, ROWS)).await;
    assert_true(&world, &well, 2).await;
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_ban_a_key_says_that_it_could_not_ask() {
    let (world, mut scanner) = started().await;
    let live = wait(&mut scanner, "all live", |s| all_live(s, ROWS)).await;
    world.inject(r#"{"kind":"ban","seconds":86400}"#).await;
    scanner.commands.send(Command::Refresh(Scope::All)).await.unwrap();
    let told = |s: &Snapshot| lanes(s).all(|(_, l)| verdict(l).is_some());
    let after = wait(&mut scanner, "all are answered", told).await;
    for (row, lane) in lanes(&after) {
        let Some(Verdict::Failed(why)) = verdict(lane) else { panic!("{} {:?}", row.pair, lane.check) };
        assert!(why.as_str().starts_with("banned "), "{why}");
    }
    let text = note(&after, &live.rows[0].pair);
    assert!(text.starts_with("could not ask: banned "), "{text}");
    scanner.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_over_a_healthy_market_cost_no_request_and_no_time() {
    let (world, mut scanner) = started().await;
    let over = |s: &Snapshot, n| refresh(s).last().is_some_and(|r| r.number >= n);
    let first = wait(&mut scanner, "the first round", |s| over(s, 1) && all_live(s, ROWS)).await;
    let run = *refresh(&first).last().unwrap();
    let series = u32::try_from(2 * ROWS).unwrap();
    assert_eq!((run.counts.ok, run.counts.loaded, run.counts.failed), (series, series, 0), "the warm-up");
    let before = world.klines_requests().await;
    for n in 2..=4 {
        scanner.commands.send(Command::Schedule(ScheduleCommand::Run(JobId::Refresh))).await.unwrap();
        let after = wait(&mut scanner, "a round", |s| over(s, n)).await;
        let run = refresh(&after).last().unwrap();
        assert_eq!((run.counts.ok, run.counts.fresh), (series, series));
        assert!(run.took < Duration::from_secs(1), "{:?}", run.took);
    }
    assert_eq!(world.klines_requests().await, before);
    scanner.end().await;
}

fn refresh(s: &Snapshot) -> &hamatop::schedule::JobView {
    s.schedule.jobs.iter().find(|j| j.id == JobId::Refresh).unwrap()
}
