//! The table of jobs.

use std::time::Duration;

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobId {
    /// Every series: is it fresh? Where not, REST is asked.
    Refresh,
    /// The exchange's lists of pairs.
    Universe,
}

/// Whose clock says when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Our own.
    Ours,
    /// The exchange's, market by market; who owns that keeps the time.
    Exchange,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct JobSpec {
    /// Which.
    pub id: JobId,
    /// Its name, for people and programs.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// How often, unless told otherwise.
    pub every: Duration,
    /// The next run is put off by up to this part of the interval, so that programs started
    /// together don't ask together.
    pub(super) spread: u32,
    /// Whose clock.
    pub timer: Timer,
}

/// All jobs, in the order in which they are shown.
pub const JOBS: [JobSpec; 2] = [
    JobSpec {
        id: JobId::Refresh,
        name: "refresh",
        about: "every series: fresh, or asked of REST: loaded or repaired",
        every: Duration::from_secs(300),
        spread: 60,
        timer: Timer::Ours,
    },
    JobSpec {
        id: JobId::Universe,
        name: "universe",
        about: "the exchange's lists of pairs, on its own clock",
        every: Duration::from_secs(600),
        spread: 2,
        timer: Timer::Exchange,
    },
];

impl JobId {
    /// Its line in the table.
    pub fn spec(self) -> &'static JobSpec {
        const TABLE: &[JobSpec] = &JOBS;
        &TABLE[self as usize]
    }

    /// How much later than `every` a run may begin.
    pub fn spread(self, every: Duration) -> Duration {
        every / self.spec().spread
    }

    /// From the start of a run to the next, where the interval is `every`. `seed` is any figure
    /// that two programs don't share.
    pub fn wait(self, every: Duration, seed: i64) -> Duration {
        let spread = i64::try_from(self.spread(every).as_millis()).unwrap_or(i64::MAX).max(1);
        let late = (seed.wrapping_mul(2_654_435_761) >> 8).rem_euclid(spread);
        every + Duration::from_millis(late.unsigned_abs())
    }
}
