//! What all routes and sockets of one exchange share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock::{BadClock, VirtualClock};
use super::fault::board::{Board, Event, Order};
use super::fault::frames::FrameFault;
use super::fault::scope::Target;
use super::fault::{self, Fault, Scheduled};
use super::stats::{Stats, Violation};
use super::truth::{Series, Truth};
use super::weight::{Pool, Verdict};
use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};
use crate::stopwatch::Stopwatch;

/// Sockets that an address may try to open within [`ATTEMPTS_WITHIN`], refused ones included.
const ATTEMPTS: usize = 300;
const ATTEMPTS_WITHIN: Duration = Duration::from_secs(300);

/// One exchange. Each lock is held for a few lines and never over an await.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) truth: Truth,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) latency: Duration,
    /// Whose data the paths without `/market` or `/public` carry.
    pub(crate) unrouted: Market,
    pub(crate) sockets: TaskTracker,
    /// Ends it.
    pub(crate) cancel: CancellationToken,
    clock: Mutex<VirtualClock>,
    pools: Mutex<(Pool, Pool)>,
    stats: Mutex<Stats>,
    faults: Mutex<Board>,
    /// When each address tried to open sockets, within the last five minutes of ours.
    attempts: Mutex<HashMap<IpAddr, VecDeque<Mono>>>,
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
            cancel: CancellationToken::new(),
            clock: Mutex::new(clock),
            pools: Mutex::default(),
            stats: Mutex::default(),
            faults: Mutex::default(),
            attempts: Mutex::default(),
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

    /// Bans the address from a market; until when.
    pub(crate) fn ban(&self, market: Market, seconds: i64) -> UnixMs {
        let now = self.now();
        self.pool(market, |pool| pool.ban(seconds, now))
    }

    fn pool<R>(&self, market: Market, ask: impl FnOnce(&mut Pool) -> R) -> R {
        let mut pools = lock(&self.pools);
        ask(match market {
            Market::UsdM => &mut pools.0,
            Market::Spot => &mut pools.1,
        })
    }

    /// Charges a request, when other programs on the address have used `foreign` of the minute.
    pub(crate) fn charge(&self, market: Market, weight: u32, foreign: u32) -> Verdict {
        let now = self.now();
        let verdict = self.pool(market, |pool| pool.charge(market, weight, foreign, now));
        let mut stats = lock(&self.stats);
        let mut broke = |v: Violation| *stats.violations.entry(v).or_default() += 1;
        match verdict {
            // That others used it up is nobody's fault, unless it goes on asking.
            Verdict::Fine { .. } | Verdict::TooMany { again: false, own: false, .. } => {}
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
        let faults = lock(&self.faults).struck();
        Stats { weight_total, weight_um: um, weight_spot: spot, faults, ..lock(&self.stats).clone() }
    }

    /// Counts an attempt to open a socket; whether it is one that the address may make.
    pub(crate) fn attempt(&self, from: IpAddr) -> bool {
        let now = self.stopwatch.now();
        let fine = {
            let mut attempts = lock(&self.attempts);
            let mine = attempts.entry(from).or_default();
            while mine.front().is_some_and(|t| now.since(*t) >= ATTEMPTS_WITHIN) {
                mine.pop_front();
            }
            let fine = mine.len() < ATTEMPTS;
            if fine {
                mine.push_back(now);
            }
            fine
        };
        if !fine {
            self.violation(Violation::ConnectionRate);
        }
        fine
    }

    /// Takes faults in, each to begin at its time.
    pub(crate) fn inject(&self, faults: Vec<Scheduled>) {
        let now = self.now();
        let (market, others) = faults.into_iter().partition(|f| matches!(f.fault, Fault::Market(_)));
        let market: Vec<Scheduled> = market;
        for scheduled in &market {
            let Fault::Market(fault) = &scheduled.fault else { continue };
            // The truth is of all times: what will happen to it is written down at once.
            let struck = fault::market::apply(fault, scheduled, &self.truth, now);
            self.board(|board, _| board.count(fault.kind(), struck));
        }
        let others: Vec<Scheduled> = others;
        self.board(|board, now| others.into_iter().for_each(|f| board.inject(f, now)));
        // Begins those that wait for nothing, and wakes who waits for the others.
        self.next_fault();
        self.changed();
    }

    /// Ends all faults.
    pub(crate) fn heal(&self) {
        self.board(|board, _| board.clear());
        self.changed();
    }

    /// The faults that wait and those in force.
    pub(crate) fn faults(&self) -> Value {
        self.board(|board, now| board.list(now))
    }

    /// Begins the faults whose time has come; the time of the next one.
    pub(crate) fn next_fault(&self) -> Option<UnixMs> {
        self.board(|board, _| board.next_due())
    }

    /// The board at the present time. Sockets that have orders by that are woken.
    fn board<R>(&self, ask: impl FnOnce(&mut Board, UnixMs) -> R) -> R {
        let now = self.now();
        let (ordered, answer) = {
            let mut board = lock(&self.faults);
            (board.advance(now), ask(&mut board, now))
        };
        if ordered {
            self.changed();
        }
        answer
    }

    /// What strikes `target`: of the faults in force the first that `pick` takes.
    pub(crate) fn strike<T>(&self, target: &Target<'_>, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.board(|board, now| board.strike(now, target, pick))
    }

    /// All that strikes `target`.
    pub(crate) fn strikes<T>(&self, target: &Target<'_>, pick: impl Fn(&Fault) -> Option<T>) -> Vec<T> {
        self.board(|board, now| board.strikes(now, target, pick))
    }

    /// Tells of an event that faults may wait for.
    pub(crate) fn event(&self, event: Event, target: &Target<'_>) {
        if self.board(|board, now| board.event(event, target, now)) {
            self.changed();
        }
    }

    /// What happens to the closing frame of a candle.
    pub(crate) fn close(&self, series: Series, open: UnixMs, target: &Target<'_>) -> Option<FrameFault> {
        self.board(|board, now| board.close(series, open, now, target))
    }

    /// Takes a socket in and says its number.
    pub(crate) fn open(&self, market: Market, route: &str) -> u64 {
        let number = self.board(|board, _| board.open(market, route));
        let target = Target {
            market: Some(market),
            connection: Some(number),
            route: Some(route),
            ..Target::default()
        };
        self.event(Event::Connection, &target);
        number
    }

    pub(crate) fn closed(&self, number: u64) {
        self.board(|board, _| board.closed(number));
    }

    /// What is to be done to a socket, now.
    pub(crate) fn orders(&self, number: u64) -> Vec<Order> {
        self.board(|board, _| board.orders(number))
    }
}

/// A lock that a panicking holder left is as good as any: the counters inside stay whole.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
