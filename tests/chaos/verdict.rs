//! The audit of a run: what the client holds and said, against the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hamatop::domain::hama::Sign;
use hamatop::domain::indicator::HamaColumns;
use hamatop::market::snapshot::Upkeep;

use super::fault::{Fault, Kind, QUIET};
use super::market::{INTERVALS, MINUTE, SERIES, START, key, millis, series_of};
use super::world::World;

/// So long without a fault, a signal has to be given.
const CALM: i64 = 45_000;
/// The longest pause of the client after REST failed it.
const REST_AFTERMATH: i64 = 310_000;

/// What came of a run. Everything in `wrong` is a defect.
#[derive(Debug, Default)]
pub struct Verdict {
    pub closes: u64,
    pub compared: u64,
    pub signals: u64,
    /// Signals of bars that nobody could know within one interval of their close: those are not
    /// told, since they are old.
    pub too_late: u64,
    pub requests: u64,
    pub peak_weight: u32,
    pub gaps: u64,
    pub repaired: u64,
    pub discarded: u64,
    pub upkeep: Upkeep,
    /// Our seconds from the end of the last fault until all was equal to the truth.
    pub healed: Option<f64>,
    pub felt: BTreeMap<Kind, u64>,
    pub wrong: Wrong,
}

/// Defects, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    pub lost: u64,
    pub doubled: u64,
    pub misordered: u64,
    pub different: u64,
    pub missed: u64,
    pub signaled_twice: u64,
    pub invented: u64,
    pub violations: u64,
    /// Lanes that were called live while a close was missing for long.
    pub lies: u64,
    /// Series not live at the end.
    pub not_live: u64,
    /// The first of them, in words.
    pub first: Vec<String>,
}

impl Wrong {
    pub fn is_nothing(&self) -> bool {
        let Self { lost, doubled, misordered, different, missed, signaled_twice, .. } = self;
        [lost, doubled, misordered, different, missed, signaled_twice].iter().all(|n| **n == 0)
            && (self.invented, self.violations, self.lies, self.not_live) == (0, 0, 0, 0)
    }

    fn say(&mut self, text: impl FnOnce() -> String) {
        if self.first.len() < 8 {
            self.first.push(text());
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "lost {} doubled {} misordered {} different {}; ",
            self.lost, self.doubled, self.misordered, self.different
        )?;
        write!(
            f,
            "signals missed {} doubled {} invented {}; ",
            self.missed, self.signaled_twice, self.invented
        )?;
        write!(
            f,
            "limits broken {}, live on dead data {}, not live {}",
            self.violations, self.lies, self.not_live
        )?;
        self.first.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// Compares everything.
pub fn audit(world: &World) -> Verdict {
    let stats = world.engine.store().counters;
    let mut verdict = Verdict {
        closes: world.closes,
        signals: world.signals.len() as u64,
        requests: world.rest.requests,
        peak_weight: world.rest.peak(),
        gaps: stats.gaps,
        repaired: stats.repaired,
        discarded: stats.discards.total(),
        upkeep: stats.upkeep,
        healed: world.healed.map(|at| (at - world.heal) as f64 / 1e3 / world.setup.rate as f64),
        felt: world.felt.clone(),
        ..Verdict::default()
    };
    for series in 0..SERIES {
        candles(world, series, &mut verdict);
    }
    signals(world, &mut verdict);
    verdict.wrong.violations = world.rest.ignored + world.rest.over_cap() as u64;
    verdict.wrong.lies = world.lies.len() as u64;
    for (series, close) in world.lies.iter().take(3) {
        verdict
            .wrong
            .say(|| format!("{} live without the close at {:.3} s", key(*series), *close as f64 / 1e3));
    }
    verdict
}

fn candles(world: &World, series: usize, verdict: &mut Verdict) {
    let store = world.engine.store();
    let lane = store.find(&key(series)).and_then(|id| store.lane(id)).expect("every series has a lane");
    let held: Vec<_> = lane.series().closed().iter().copied().collect();
    // A close of the last moment may still be under way.
    let sure = START + world.agenda.now - 2_000;
    let oldest = held.first().map_or(sure, |k| k.open_time().0);
    let truth = world.truth.candles(series, oldest, sure - millis(series) + 1, i64::MAX);
    let wrong = &mut verdict.wrong;
    let name = key(series);
    for pair in held.windows(2) {
        match pair[0].open_time().cmp(&pair[1].open_time()) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => wrong.doubled += 1,
            std::cmp::Ordering::Greater => wrong.misordered += 1,
        }
    }
    let known: BTreeMap<_, _> = held.iter().map(|k| (k.open_time(), k)).collect();
    for real in &truth {
        verdict.compared += 1;
        let at = (real.open_time().0 - START) as f64 / 1e3;
        match known.get(&real.open_time()) {
            None => {
                wrong.lost += 1;
                wrong.say(|| format!("{name}: lost, open {at} s"));
            }
            Some(k) if *k != real => {
                wrong.different += 1;
                wrong.say(|| format!("{name}: different, open {at} s: {k:?} for {real:?}"));
            }
            Some(_) => {}
        }
    }
    let real: BTreeSet<_> = truth.iter().map(hamatop::domain::kline::Kline::open_time).collect();
    for k in held.iter().filter(|k| k.close_time().0 < sure && !real.contains(&k.open_time())) {
        wrong.different += 1;
        wrong.say(|| format!("{name}: there is no such candle: {k:?}"));
    }
    if held.len() + 3 < store.capacity() {
        wrong.lost += 1;
        wrong.say(|| format!("{name}: only {} bars of {}", held.len(), store.capacity()));
    }
    if !lane.freshness.is_current() {
        wrong.not_live += 1;
        wrong.say(|| format!("{name}: {:?}", lane.freshness));
    }
}

fn signals(world: &World, verdict: &mut Verdict) {
    let mut given: BTreeMap<(usize, i64), (Sign, u32)> = BTreeMap::new();
    for s in &world.signals {
        let series = series_of(&hamatop::domain::symbol::SeriesKey::new(s.pair.clone(), s.interval));
        given.entry((series, s.close_time.0)).or_insert((s.dir, 0)).1 += 1;
    }
    verdict.wrong.signaled_twice += given.values().filter(|(_, n)| *n > 1).count() as u64;
    let preset = world.setup.preset();
    for series in 0..SERIES {
        let before = i64::from(preset.depth) * millis(series);
        let bars = world.truth.candles(
            series,
            START - before,
            START + world.agenda.now - 2_000 - millis(series),
            i64::MAX,
        );
        let mut columns = HamaColumns::new(&preset, INTERVALS[series % INTERVALS.len()]);
        columns.compute(&bars);
        for (n, bar) in bars.iter().enumerate() {
            let point = columns.point(n).expect("a bar has a point");
            let close = bar.close_time().0;
            let told = given.remove(&(series, close));
            match (point.flip.then_some(point.cross).flatten(), told) {
                (Some(want), Some((dir, _))) if want == dir => {}
                (None, None) => {}
                (Some(_), None) if close < START + QUIET => {}
                (Some(_), None) if !must_tell(world, series, close + 1 - START) => verdict.too_late += 1,
                (Some(_), None) => {
                    verdict.wrong.missed += 1;
                    let at = (close + 1 - START) as f64 / 1e3;
                    verdict.wrong.say(|| format!("{}: no signal at {at} s", key(series)));
                }
                (want, Some((dir, _))) => {
                    verdict.wrong.invented += 1;
                    let at = (close + 1 - START) as f64 / 1e3;
                    verdict.wrong.say(|| format!("{}: signal {dir:?} at {at} s for {want:?}", key(series)));
                }
            }
        }
    }
    // Those of the last moment, which the truth above does not reach.
    let late = START + world.agenda.now - 20 * MINUTE;
    verdict.wrong.invented += given.keys().filter(|(_, close)| *close < late).count() as u64;
}

/// Whether there was time enough without a fault, within one interval of the close, for the client
/// to know of it.
fn must_tell(world: &World, series: usize, close: i64) -> bool {
    let calm = world.agenda.span(CALM);
    let mut from = close;
    let end = close + millis(series);
    for (a, b) in disturbed(world, series) {
        if from + calm <= a.min(end) {
            return true;
        }
        from = from.max(b);
    }
    from + calm <= end
}

/// When a series could not be served: its stream was struck, or had been while REST was.
fn disturbed(world: &World, series: usize) -> Vec<(i64, i64)> {
    let strikes = |f: &&Fault| {
        f.kind != Kind::Garbage && (matches!(f.kind, Kind::Suspend | Kind::Freeze) || f.target.covers(series))
    };
    let stream: Vec<&Fault> = world.faults.iter().filter(|f| !f.kind.is_rest()).filter(strikes).collect();
    let Some(first) = stream.iter().map(|f| f.from).min() else { return Vec::new() };
    // A pause that the exchange wanted is waited for on our clock, which stood while we slept.
    let slept: i64 = world.faults.iter().filter(|f| f.kind == Kind::Suspend).map(|f| f.to - f.from).sum();
    let after = world.agenda.span(REST_AFTERMATH) + slept;
    let mut spans: Vec<(i64, i64)> = stream.iter().map(|f| (f.from, f.to + aftermath(world, f))).collect();
    let rest = world.faults.iter().filter(|f| f.kind.is_rest() && f.to + after > first);
    spans.extend(rest.map(|f| (f.from, f.to + after)));
    spans.sort_unstable();
    spans
}

/// How long a fault of the stream is felt after its end.
fn aftermath(world: &World, fault: &Fault) -> i64 {
    match fault.kind {
        // What was sent late or lost last; a silent socket is reopened once more.
        Kind::Stall => world.agenda.span(35_000),
        Kind::Maintenance => world.agenda.span(REST_AFTERMATH),
        Kind::LateCloses | Kind::Backlog | Kind::Reorder => 45_000,
        _ => 0,
    }
}
