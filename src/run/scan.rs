//! The table once: load over REST, compute, print.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::exchange::budget::{klines_bands, klines_weight};
use crate::market::snapshot::{Pool, Snapshot, UnknownName};
use crate::report::scan::{self, ScanOptions};
use crate::stopwatch::Stopwatch;

use super::failure::Failure;
use super::names::names;
use super::session::{Place, Purpose, Session};
use super::{DemoRun, Rows, demo};

use self::shortfall::{Holds, cut_short, is_hopeless, is_loaded, pause, refused, scored};

mod shortfall;

/// What is to be printed, and how long it may take.
#[derive(Clone, Debug)]
pub struct ScanPlan {
    /// What of the picture, and how.
    pub options: ScanOptions,
    /// When to give up.
    pub timeout: Duration,
    /// Closed bars per interval in the rows.
    pub klines: Option<u32>,
}

pub(super) async fn run(
    config: &Config,
    demo: Option<DemoRun>,
    plan: &ScanPlan,
    cancel: CancellationToken,
) -> Result<Rows, Failure> {
    let names = names(config);
    let checked = plan.options.filter.check(&config.intervals, &names);
    checked.map_err(|e| Failure::Usage(e.of_flag()))?;
    if plan.options.filter.asks_marks() {
        return Err(Failure::Usage("--filter: marks belong to the screen; take `mark` out".into()));
    }
    let place = match demo {
        None => Place::of(config),
        Some(run) => demo::start(run.start, run.speed, cancel.clone()).await?.1,
    };
    let started = Stopwatch::start();
    let purpose = Purpose { keep_klines: plan.klines.is_some(), ..Purpose::ONCE };
    let mut session = Session::start(config, &place, purpose, cancel.clone())?;
    let mut progress = Progress::new();
    let mut holds = Holds::default();
    let stopwatch = session.stopwatch;
    let loading = session.wait_for(|s| {
        progress.show(s, config.bars);
        for sentence in holds.news(s, stopwatch.now()) {
            progress.say(&sentence);
        }
        let patience = plan.timeout.saturating_sub(started.now().0);
        let hopeless = is_hopeless(s, stopwatch.now(), patience);
        is_loaded(s) || unknown_name(s).is_some() || nothing_to_come(s) || hopeless
    });
    let loaded = tokio::select! {
        loaded = tokio::time::timeout(plan.timeout, loading) => loaded,
        () = cancel.cancelled() => return Err(Failure::NoData("interrupted".into())),
    };
    progress.end();
    let in_time = loaded.is_ok();
    let snapshot = match loaded {
        Ok(snapshot) => snapshot?,
        Err(_) => std::sync::Arc::clone(&session.snapshots.borrow()),
    };
    session.end().await;

    if let Some(name) = unknown_name(&snapshot) {
        return Err(Failure::Usage(unknown(name, config)));
    }
    if snapshot.rows.iter().all(|r| r.score.is_none() && r.lanes.iter().all(|l| l.bars == 0)) {
        let pause = pause(&snapshot, stopwatch.now());
        return Err(Failure::NoData(pause.unwrap_or_else(|| no_data(&snapshot, in_time, plan.timeout))));
    }
    let cut_short = cut_short(&snapshot, stopwatch.now(), plan.timeout);
    let options = ScanOptions {
        now: stopwatch.now(),
        elapsed: started.now().0,
        klines: plan.klines,
        names,
        incomplete: cut_short.clone().or_else(|| refused(&snapshot)),
        ..plan.options.clone()
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = scan::write(&snapshot, &options, &mut out).map_err(Failure::of_output)?;
    out.flush().map_err(Failure::of_output)?;
    if let Some(why) = cut_short {
        let (scored, all) = scored(&snapshot);
        return Err(Failure::Incomplete(format!(
            "the table is NOT complete ({scored} of {all} pairs have a score): {why}"
        )));
    }
    if let Some(why) = &options.incomplete {
        complain(&format!("the table is NOT complete: {why}"));
    }
    if written.unknown > 0 {
        complain(&left_out(written.unknown));
    }
    Ok(if written.rows > 0 { Rows::Some } else { Rows::None })
}

/// A list of pairs that can't be had is asked for again by a program that goes on; this one ends.
fn nothing_to_come(s: &Snapshot) -> bool {
    let no_pairs = s.universe.pending == 0 && s.rows.is_empty();
    no_pairs || (!s.universe.failed.is_empty() && s.warmup.done + s.warmup.failed >= s.warmup.total)
}

/// A name that was asked for by itself. A list may hold names of pairs that are gone.
fn unknown_name(s: &Snapshot) -> Option<&UnknownName> {
    s.universe.unknown.iter().find(|name| name.pool == Pool::Named)
}

fn unknown(name: &UnknownName, config: &Config) -> String {
    let near = match name.near.as_slice() {
        [] => String::new(),
        near => {
            format!("; near names: {}", near.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    };
    let markets: Vec<_> = config.markets.iter().map(|m| m.as_str()).collect();
    format!("no pair `{}` on {}{near}", name.name, markets.join(" or "))
}

fn no_data(snapshot: &Snapshot, in_time: bool, timeout: Duration) -> String {
    if let Some((market, why)) = snapshot.universe.failed.first() {
        return format!("no data from {market}: {why}");
    }
    let mut lanes = snapshot.rows.iter().flat_map(|r| &r.lanes);
    let why = lanes.find_map(|l| l.why.as_ref()).map(ToString::to_string);
    let why =
        why.or_else(|| snapshot.rest.iter().find_map(|r| r.last_error.as_ref().map(|(e, _)| e.to_string())));
    match (why, in_time) {
        (Some(why), _) => format!("no data: {why}"),
        (None, false) => format!("no data within {timeout:?}; a slow network wants a longer --timeout"),
        (None, true) => "no pair matches: check --quote, --top, --movers, --watchlist and --symbols".into(),
    }
}

fn left_out(unknown: usize) -> String {
    let pairs = if unknown == 1 { "1 pair lacks" } else { &format!("{unknown} pairs lack") };
    format!("{pairs} figures that the filter asks for, and may or may not match: left out")
}

fn complain(sentence: &str) {
    // Nobody may be listening; there is nothing to do about that.
    let _ = writeln!(io::stderr(), "hamatop: {sentence}");
}

/// The warm-up on stderr, where that is a terminal.
struct Progress {
    style: Style,
    last: (u32, u32),
    started: Stopwatch,
}

/// How the progress is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Not at all: nobody looks, or it is over.
    Silent,
    /// The beginning and the end; the terminal knows no codes.
    Plain,
    /// One line that is written over.
    Live,
}

impl Progress {
    fn new() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|t| t == "dumb");
        let style = match (io::stderr().is_terminal(), dumb) {
            (false, _) => Style::Silent,
            (true, true) => Style::Plain,
            (true, false) => Style::Live,
        };
        Self { style, last: (0, 0), started: Stopwatch::start() }
    }

    fn show(&mut self, s: &Snapshot, bars: u32) {
        let now = (s.warmup.done + s.warmup.failed, s.warmup.total);
        if self.style == Style::Silent || now == self.last || now.1 == 0 {
            return;
        }
        if self.last.1 == 0 {
            self.line(&estimate(s, bars));
        }
        self.last = now;
        if s.warmup.is_over() {
            self.line(&self.summary(s));
            self.style = Style::Silent;
        } else if self.style == Style::Live {
            let rate = s.warmup.rate.map_or(String::new(), |r| format!(", {r:.0}/s"));
            let eta = s.warmup.eta.map_or(String::new(), |e| format!(", {} s left", e.as_secs() + 1));
            let _ = write!(io::stderr(), "\r\x1b[Kwarm-up {}/{}{rate}{eta}", now.0, now.1);
        }
    }

    fn summary(&self, s: &Snapshot) -> String {
        let calls: u64 = s.rest.iter().map(|r| r.requests).sum();
        let seconds = self.started.now().0.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = s.rows.len() as f64 / seconds.max(1e-3);
        let failed = s.warmup.failed;
        format!("warm-up: {calls} calls, {seconds:.1} s, {per_second:.0} symbols/s, {failed} series failed")
    }

    fn line(&self, text: &str) {
        let clear = if self.style == Style::Live { "\r\x1b[K" } else { "" };
        // Nobody may be listening; there is nothing to do about that.
        let _ = writeln!(io::stderr(), "{clear}{text}");
    }

    /// A sentence that is not of the progress.
    fn say(&self, sentence: &str) {
        if self.style == Style::Live {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        complain(sentence);
    }

    fn end(&self) {
        if self.style == Style::Live && self.last.1 > 0 {
            let _ = writeln!(io::stderr());
        }
    }
}

/// What is ahead: requests, their weight, and how long the exchange's budget makes that take.
fn estimate(s: &Snapshot, bars: u32) -> String {
    let per_page = |m| klines_bands(m).iter().find(|(rows, _)| *rows >= PAGE).map_or(PAGE, |(rows, _)| *rows);
    let (mut calls, mut weight, mut minutes) = (0, 0, 0);
    for rest in &s.rest {
        let pairs = s.rows.iter().filter(|r| r.pair.market == rest.market);
        let series: u32 = pairs.map(|r| u32::try_from(r.lanes.len()).unwrap_or(u32::MAX)).sum();
        let pages = series * bars.div_ceil(per_page(rest.market));
        let cost = pages * klines_weight(rest.market, bars.min(per_page(rest.market)));
        calls += pages;
        weight += cost;
        minutes = minutes.max(cost / (rest.limit / 10 * 9).max(1));
    }
    let time = match minutes {
        0 => "within this minute's budget".to_owned(),
        n => format!("the exchange's budget spreads it over {} minutes", n + 1),
    };
    format!("warm-up: {} series, about {calls} calls of weight {weight}; {time}", s.warmup.total)
}

/// The cheapest way to many bars is in pages of that many.
const PAGE: u32 = 499;
