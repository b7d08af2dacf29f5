//! One run of a job: why, how far, what came of it.

use std::time::Duration;

use crate::domain::time::{Mono, UnixMs};

/// Why a run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The program did.
    Start,
    /// It was time.
    Timer,
    /// Somebody asked for it.
    Key,
}

impl Trigger {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Timer => "timer",
            Self::Key => "key",
        }
    }
}

/// What became of one thing that a run had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing had to be done.
    Fresh,
    /// It was asked about, and was as it should be.
    Same,
    /// There was none of it yet, and now there is.
    Loaded,
    /// It was put right.
    Repaired,
    /// It could not be done.
    Failed,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As they should be, at the end: those below but for the failed are part of it.
    pub ok: u32,
    /// Could not be done.
    pub failed: u32,
    /// Nothing had to be done: no request.
    pub fresh: u32,
    /// There for the first time: nothing was wrong.
    pub loaded: u32,
    /// Put right.
    pub repaired: u32,
}

impl Counts {
    pub(super) fn add(&mut self, outcome: Outcome, n: u32) {
        match outcome {
            Outcome::Fresh => self.fresh += n,
            Outcome::Same => {}
            Outcome::Loaded => self.loaded += n,
            Outcome::Repaired => self.repaired += n,
            Outcome::Failed => {
                self.failed += n;
                return;
            }
        }
        self.ok += n;
    }
}

/// A run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Which of its job, from 1.
    pub number: u32,
    /// Why.
    pub trigger: Trigger,
    /// When it began, on our clock.
    pub start: Mono,
    /// The same on the exchange's, where that was known.
    pub at: Option<UnixMs>,
    /// How long it took; nothing while it runs.
    pub took: Duration,
    /// What came of it so far.
    pub counts: Counts,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Things done.
    pub done: u32,
    /// Things to do.
    pub total: u32,
    begun: Mono,
    /// Done in no time, since nothing had to be asked: they say nothing about the others.
    at_once: u32,
    latest: Mono,
}

impl Progress {
    pub(super) fn new(total: u32, begun: Mono) -> Self {
        Self { done: 0, total, begun, at_once: 0, latest: begun }
    }

    pub(super) fn advance(&mut self, n: u32, now: Mono) {
        self.done += n;
        self.latest = self.latest.max(now);
        if now <= self.begun {
            self.at_once = self.done;
        }
    }

    /// Things a second, of those that take time; `None` before that can be said.
    pub fn rate(&self) -> Option<f64> {
        let slow = f64::from(self.done - self.at_once);
        let span = self.latest.since(self.begun).as_secs_f64();
        (slow > 0.0 && span > 0.0).then(|| slow / span)
    }

    /// Time left at that rate.
    pub fn eta(&self) -> Option<Duration> {
        let left = f64::from(self.total.saturating_sub(self.done));
        Duration::try_from_secs_f64(left / self.rate()?).ok()
    }

    /// How long it has been under way.
    pub fn elapsed(&self, now: Mono) -> Duration {
        now.since(self.begun)
    }
}
