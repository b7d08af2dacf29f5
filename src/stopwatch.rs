//! The one place that reads clocks.

use std::time::{Duration, Instant, SystemTime};

use crate::domain::time::Mono;

/// Turns `Instant`s into [`Mono`] and back. Made once, at the start, and handed to the shells that
/// have to know the time; the pure parts are told.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    // The runtime's, so that a test that holds the runtime's time holds this too.
    start: tokio::time::Instant,
}

impl Stopwatch {
    /// Starts counting.
    pub fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Mono {
        Mono(self.start.elapsed())
    }

    /// The instant of `moment`, for timers.
    pub fn instant(&self, moment: Mono) -> Instant {
        (self.start + moment.0).into_std()
    }
}

/// What this machine takes the time since 1970 to be. For the names of files, and where there is no
/// exchange to ask or the two are to be compared; nothing of the market goes by it.
pub fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// How the wall clock jumped against the monotonic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// Ahead: the machine slept, or somebody set the clock.
    Ahead(Duration),
    /// Back: somebody set it.
    Back(Duration),
}

/// Finds out that time passed which the monotonic clock did not count, as it does not while the
/// machine sleeps, or that somebody set the wall clock. What the wall clock shows is never used.
#[derive(Clone, Copy, Debug)]
pub struct SleepWatch {
    last: (Mono, SystemTime),
}

impl SleepWatch {
    /// Less than this is a clock being disciplined.
    const LEAST: Duration = Duration::from_secs(2);

    /// Begins at `now`.
    pub fn start(now: Mono) -> Self {
        Self { last: (now, SystemTime::now()) }
    }

    /// How the wall clock ran against ours since the last call; `None` where they agree.
    pub fn jump(&mut self, now: Mono) -> Option<Jump> {
        self.compare(now, SystemTime::now())
    }

    fn compare(&mut self, now: Mono, wall: SystemTime) -> Option<Jump> {
        let (ours, before) = std::mem::replace(&mut self.last, (now, wall));
        let passed = now.since(ours);
        let jump = match wall.duration_since(before) {
            Ok(theirs) if theirs >= passed => Jump::Ahead(theirs.abs_diff(passed)),
            Ok(theirs) => Jump::Back(passed.abs_diff(theirs)),
            Err(back) => Jump::Back(back.duration() + passed),
        };
        let (Jump::Ahead(by) | Jump::Back(by)) = jump;
        (by >= Self::LEAST).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_wall_clock_is_seen_either_way_and_the_pass_of_time_is_not() {
        let (start, wall) = (Mono::from_millis(0), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        let mut watch = SleepWatch { last: (start, wall) };
        let second = Duration::from_secs(1);
        assert_eq!(watch.compare(start + second * 3_600, wall + second * 3_601), None);
        let (now, wall) = (start + second * 3_601, wall + second * (3_601 + 600));
        assert_eq!(watch.compare(now, wall), Some(Jump::Ahead(second * 599)), "ten minutes asleep");
        assert_eq!(
            watch.compare(now + second, wall - second * 119),
            Some(Jump::Back(second * 120)),
            "set back"
        );
        assert_eq!(watch.compare(now + second * 2, wall - second * 118), None, "told once");
    }
}
