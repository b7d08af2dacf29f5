//! What all routes and sockets of one exchange share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::clock::{BadClock, VirtualClock};
use super::fault::{Close, Fault, FaultBoard, Scheduled};
use super::stats::{Stats, Violation};
use super::truth::{Series, Truth};
use super::weight::{Pool, Verdict};
use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};
use crate::stopwatch::Stopwatch;

/// One exchange. Each lock is held for a few lines and never over an await.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) truth: Truth,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) latency: Duration,
    /// Whose data the paths without `/market` or `/public` carry.
    pub(crate) unrouted: Market,
    pub(crate) sockets: TaskTracker,
    clock: Mutex<VirtualClock>,
    pools: Mutex<(Pool, Pool)>,
    stats: Mutex<Stats>,
    faults: Mutex<FaultBoard>,
    schedule: Mutex<Vec<(UnixMs, Fault)>>,
    /// Counts changes of clock and faults, so that who waits for a time can look again.
    changes: watch::Sender<u64>,
}

impl World {
    pub(crate) fn new(
        truth: Truth,
        clock: VirtualClock,
        stopwatch: Stopwatch,
        latency: Duration,
        unrouted: Market,
    ) -> Self {
        Self {
            truth,
            stopwatch,
            latency,
            unrouted,
            sockets: TaskTracker::new(),
            clock: Mutex::new(clock),
            pools: Mutex::default(),
            stats: Mutex::default(),
            faults: Mutex::default(),
            schedule: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn now(&self) -> UnixMs {
        lock(&self.clock).now(self.stopwatch.now())
    }

    pub(crate) fn clock(&self) -> VirtualClock {
        *lock(&self.clock)
    }

    pub(crate) fn when(&self, t: UnixMs) -> Option<Mono> {
        lock(&self.clock).when(t)
    }

    pub(crate) fn ended(&self) -> bool {
        lock(&self.clock).ended(self.stopwatch.now())
    }

    pub(crate) fn set_speed(&self, speed: f64) -> Result<(), BadClock> {
        lock(&self.clock).set_speed(self.stopwatch.now(), speed)?;
        self.changed();
        Ok(())
    }

    pub(crate) fn jump(&self, to: UnixMs) -> Result<(), BadClock> {
        lock(&self.clock).jump(self.stopwatch.now(), to)?;
        self.changed();
        Ok(())
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    pub(crate) fn charge(&self, market: Market, weight: u32) -> Verdict {
        let now = self.now();
        let verdict = {
            let mut pools = lock(&self.pools);
            let pool = match market {
                Market::UsdM => &mut pools.0,
                Market::Spot => &mut pools.1,
            };
            pool.charge(market, weight, now)
        };
        let mut stats = lock(&self.stats);
        let mut broke = |v: Violation| *stats.violations.entry(v).or_default() += 1;
        match verdict {
            Verdict::Fine { .. } => {}
            Verdict::TooMany { again: false, .. } => broke(Violation::OverWeight),
            Verdict::TooMany { again: true, .. } => broke(Violation::Ignored429),
            Verdict::Banned { .. } => broke(Violation::Ignored418),
        }
        verdict
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut lock(&self.stats));
    }

    pub(crate) fn violation(&self, v: Violation) {
        self.count(|s| *s.violations.entry(v).or_default() += 1);
    }

    pub(crate) fn stats(&self) -> Stats {
        let (um, spot): (BTreeMap<i64, u64>, BTreeMap<i64, u64>) = {
            let pools = lock(&self.pools);
            (pools.0.by_minute().clone(), pools.1.by_minute().clone())
        };
        let weight_total = um.values().chain(spot.values()).sum();
        Stats { weight_total, weight_um: um, weight_spot: spot, ..lock(&self.stats).clone() }
    }

    /// Takes faults in: those without a time, or with one that has passed, at once.
    pub(crate) fn inject(&self, faults: Vec<Scheduled>) {
        let now = self.now();
        for Scheduled { at, fault } in faults {
            match at.filter(|at| *at > now) {
                Some(at) => lock(&self.schedule).push((at, fault)),
                None => self.start(fault, now),
            }
        }
        self.changed();
    }

    fn start(&self, fault: Fault, now: UnixMs) {
        self.count(|s| *s.faults.entry(fault.kind()).or_default() += 1);
        lock(&self.faults).inject(fault, now);
    }

    /// Starts the scheduled faults whose time has come; the time of the next one.
    pub(crate) fn start_due(&self) -> Option<UnixMs> {
        let now = self.now();
        let due: Vec<_> = lock(&self.schedule).extract_if(.., |(at, _)| *at <= now).collect();
        if !due.is_empty() {
            for (at, fault) in due {
                // From its own time on, not from when we woke: at a high speed that is a difference.
                self.start(fault, at);
            }
            self.changed();
        }
        lock(&self.schedule).iter().map(|(at, _)| *at).min()
    }

    pub(crate) fn cut(&self, market: Market) -> bool {
        let now = self.now();
        lock(&self.faults).cut(market, now)
    }

    pub(crate) fn cuts(&self, market: Market) -> u64 {
        lock(&self.faults).cuts(market)
    }

    pub(crate) fn silent(&self, market: Market, now: UnixMs) -> bool {
        lock(&self.faults).silent(market, now)
    }

    pub(crate) fn close(&self, series: Series, open: UnixMs) -> Close {
        lock(&self.faults).close(series, open, &self.truth)
    }

    pub(crate) fn refusal(&self, path: &str) -> Option<u16> {
        lock(&self.faults).refusal(path)
    }

    /// How long an answer of REST is held back.
    pub(crate) fn delay(&self) -> Duration {
        let now = self.now();
        self.latency + Duration::from_millis(lock(&self.faults).latency(now))
    }
}

/// A lock that a panicking holder left is as good as any: the counters inside stay whole.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
