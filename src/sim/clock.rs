//! The exchange's own clock: starts where it is told, runs as fast as it is told, can stand still.

use std::time::Duration;

use crate::domain::time::{Mono, UnixMs};

/// Virtual time as a function of the monotonic clock.
///
/// Speed 0 stands still. So does a clock that reached its end; it never shows more than that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VirtualClock {
    at: Mono,
    then: UnixMs,
    speed: f64,
    end: Option<UnixMs>,
}

/// Why the clock can't be set so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClock {
    /// Speed negative, infinite or not a number.
    #[error("the speed has to be a number of at least 0 (1 is real time, 0 stands still)")]
    Speed,
    /// The time lies behind what the clock shows.
    #[error("the clock only goes forward: the time given lies before the one it shows")]
    Backwards,
}

impl VirtualClock {
    /// A clock that shows `start` at `at`.
    pub fn new(at: Mono, start: UnixMs, speed: f64, end: Option<UnixMs>) -> Result<Self, BadClock> {
        Ok(Self { at, then: start, speed: checked(speed)?, end })
    }

    /// What it shows when ours is `at`.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the end is far below that")]
    pub fn now(&self, at: Mono) -> UnixMs {
        let ahead = at.since(self.at).as_secs_f64() * 1_000.0 * self.speed;
        let shown = UnixMs(self.then.0.saturating_add(ahead as i64));
        self.end.map_or(shown, |end| shown.min(end.max(self.then)))
    }

    /// When it will show `t`, on our clock; `None` where it never will.
    pub fn when(&self, t: UnixMs) -> Option<Mono> {
        if t <= self.then {
            return Some(self.at);
        }
        if self.speed <= 0.0 || self.end.is_some_and(|end| t > end) {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a difference of candle times is far below 2^52 ms")]
        let seconds = (t.0 - self.then.0) as f64 / 1_000.0 / self.speed;
        // A nanosecond more, so that rounding never wakes anyone just before the time.
        Duration::try_from_secs_f64(seconds).ok().map(|d| self.at + d + Duration::from_nanos(1))
    }

    /// Runs at another speed from `at` on.
    pub fn set_speed(&mut self, at: Mono, speed: f64) -> Result<(), BadClock> {
        let speed = checked(speed)?;
        *self = Self { at, then: self.now(at), speed, end: self.end };
        Ok(())
    }

    /// Jumps forward to `t` (to the end, where that comes first).
    pub fn jump(&mut self, at: Mono, t: UnixMs) -> Result<(), BadClock> {
        if t < self.now(at) {
            return Err(BadClock::Backwards);
        }
        self.then = self.end.map_or(t, |end| t.min(end.max(self.now(at))));
        self.at = at;
        Ok(())
    }

    /// How many of its seconds pass in one of ours.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Where it stands still.
    pub fn end(&self) -> Option<UnixMs> {
        self.end
    }

    /// Whether it stands at its end.
    pub fn ended(&self, at: Mono) -> bool {
        self.end.is_some_and(|end| self.now(at) >= end)
    }
}

fn checked(speed: f64) -> Result<f64, BadClock> {
    if speed.is_finite() && speed >= 0.0 { Ok(speed) } else { Err(BadClock::Speed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(speed: f64) -> VirtualClock {
        VirtualClock::new(Mono::from_millis(1_000), UnixMs(1_000_000), speed, Some(UnixMs(1_600_000)))
            .unwrap()
    }

    #[test]
    fn runs_at_its_speed_and_stands_at_its_end() {
        let c = clock(60.0);
        assert_eq!(c.now(Mono::from_millis(0)), UnixMs(1_000_000));
        assert_eq!(c.now(Mono::from_millis(2_000)), UnixMs(1_060_000));
        assert!(!c.ended(Mono::from_millis(10_999)));
        assert_eq!(c.now(Mono::from_millis(99_000)), UnixMs(1_600_000));
        assert!(c.ended(Mono::from_millis(11_001)));
        assert_eq!(c.when(UnixMs(1_600_001)), None);
    }

    #[test]
    fn a_timer_set_for_a_time_never_fires_before_it() {
        for speed in [0.3, 1.0, 7.0, 60.0, 999.0, 36_000.0] {
            let c = clock(speed);
            for t in [1_000_001, 1_000_333, 1_299_999, 1_600_000] {
                let at = c.when(UnixMs(t)).unwrap();
                assert!(c.now(at) >= UnixMs(t), "{speed} {t}");
            }
        }
    }

    #[test]
    fn speed_zero_stands_and_a_change_keeps_the_time() {
        let mut c = clock(60.0);
        c.set_speed(Mono::from_millis(2_000), 0.0).unwrap();
        assert_eq!(c.now(Mono::from_millis(50_000)), UnixMs(1_060_000));
        assert_eq!(c.when(UnixMs(1_060_001)), None);
        c.set_speed(Mono::from_millis(50_000), 1.0).unwrap();
        assert_eq!(c.now(Mono::from_millis(51_000)), UnixMs(1_061_000));
    }

    #[test]
    fn jumps_only_forward() {
        let mut c = clock(0.0);
        assert_eq!(c.jump(Mono::from_millis(1_000), UnixMs(999_999)), Err(BadClock::Backwards));
        c.jump(Mono::from_millis(1_000), UnixMs(1_500_000)).unwrap();
        assert_eq!(c.now(Mono::from_millis(9_000)), UnixMs(1_500_000));
        c.jump(Mono::from_millis(9_000), UnixMs(9_500_000)).unwrap();
        assert_eq!(c.now(Mono::from_millis(9_000)), UnixMs(1_600_000));
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(c.set_speed(Mono::default(), bad), Err(BadClock::Speed));
        }
    }
}
