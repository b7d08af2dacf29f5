//! The exchange's clock, seen from ours.

use std::time::Duration;

use super::time::{Mono, UnixMs};

/// Offset and rate of the exchange's time against our monotonic time.
///
/// Every candle deadline and every age of data goes through one of these. Our wall clock takes no
/// part: a laptop that sleeps, or whose clock is five seconds off, closes no candle early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    at: Mono,
    then: UnixMs,
    rate: f64,
    uncertainty: Duration,
}

impl Clock {
    /// Below a millisecond in thirty years, and above 0, so that one may divide by it.
    const STANDING_RATE: f64 = 1e-12;

    /// A clock that showed `then` when ours showed `at` and runs `rate` times as fast.
    /// A rate that is not a positive number counts as 1.
    pub fn new(at: Mono, then: UnixMs, rate: f64) -> Self {
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 1.0 };
        Self { at, then, rate, uncertainty: Duration::MAX }
    }

    /// A clock that stands still at `then`: a replay that is over, or was never started.
    pub fn standing(at: Mono, then: UnixMs) -> Self {
        Self { at, then, rate: Self::STANDING_RATE, uncertainty: Duration::ZERO }
    }

    /// Whether it stands still.
    pub fn is_standing(&self) -> bool {
        self.rate <= Self::STANDING_RATE
    }

    /// Takes the answer to a time request: asked at `sent`, here at `received`. The exchange's
    /// figure is taken to be of the middle of the round trip. A slower round trip than the one
    /// the clock stands on is used only when that is over ten minutes (of ours) old.
    pub fn sync(&mut self, sent: Mono, received: Mono, server: UnixMs) {
        let trip = received.since(sent);
        if trip <= self.uncertainty || received.since(self.at) > Duration::from_secs(600) {
            self.at = sent + trip / 2;
            self.then = server;
            self.uncertainty = trip;
        }
    }

    /// The exchange's time when ours is `now`.
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a program's life fit an i64")]
    pub fn at(&self, now: Mono) -> UnixMs {
        let ours = now.0.as_secs_f64() - self.at.0.as_secs_f64();
        UnixMs(self.then.0.saturating_add((ours * self.rate * 1_000.0).round() as i64))
    }

    /// When ours is what the exchange's time reaches `t`; the start of our clock for times before it.
    pub fn when(&self, t: UnixMs) -> Mono {
        #[expect(clippy::cast_precision_loss, reason = "a difference of candle times is far below 2^52 ms")]
        let ahead = (t.0.saturating_sub(self.then.0)) as f64 / 1_000.0 / self.rate;
        Mono(Duration::try_from_secs_f64(self.at.0.as_secs_f64() + ahead).unwrap_or(Duration::ZERO))
    }

    /// How much of our time a span of the exchange's takes.
    pub fn ours(&self, theirs: Duration) -> Duration {
        Duration::try_from_secs_f64(theirs.as_secs_f64() / self.rate).unwrap_or(Duration::MAX)
    }

    /// How many of the exchange's seconds pass in one of ours.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The round trip of the answer the clock stands on; `None` before the first.
    pub fn uncertainty(&self) -> Option<Duration> {
        (self.uncertainty < Duration::MAX).then_some(self.uncertainty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_offset_go_both_ways() {
        let clock = Clock::new(Mono::from_millis(500), UnixMs(1_000_000), 60.0);
        assert_eq!(clock.at(Mono::from_millis(1_500)), UnixMs(1_060_000));
        assert_eq!(clock.at(Mono::from_millis(0)), UnixMs(970_000));
        assert_eq!(clock.when(UnixMs(1_060_000)), Mono::from_millis(1_500));
        assert_eq!(clock.when(UnixMs(0)), Mono::default());
        assert_eq!(clock.ours(Duration::from_secs(60)), Duration::from_secs(1));
    }

    #[test]
    fn a_slow_answer_does_not_replace_a_fast_one_until_that_is_old() {
        let mut clock = Clock::new(Mono::default(), UnixMs(0), 1.0);
        clock.sync(Mono::from_millis(100), Mono::from_millis(120), UnixMs(5_000));
        assert_eq!(clock.at(Mono::from_millis(110)), UnixMs(5_000));
        clock.sync(Mono::from_millis(200), Mono::from_millis(1_200), UnixMs(9_000));
        assert_eq!(clock.at(Mono::from_millis(110)), UnixMs(5_000));
        clock.sync(Mono::from_millis(700_200), Mono::from_millis(701_200), UnixMs(9_000));
        assert_eq!(clock.at(Mono::from_millis(700_700)), UnixMs(9_000));
    }

    #[test]
    fn a_standing_clock_stands() {
        let clock = Clock::standing(Mono::from_millis(5), UnixMs(7_000));
        assert!(clock.is_standing());
        assert_eq!(clock.at(Mono::from_millis(86_400_000)), UnixMs(7_000));
        assert!(clock.when(UnixMs(7_001)) > Mono::from_millis(86_400_000));
        assert!(clock.ours(Duration::from_secs(1)) > Duration::from_secs(86_400));
    }

    #[test]
    fn a_rate_that_is_none_counts_as_one() {
        for rate in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert!((Clock::new(Mono::default(), UnixMs(0), rate).rate() - 1.0).abs() < f64::EPSILON);
        }
    }
}
