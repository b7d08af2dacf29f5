//! When to try a lost connection again.
//!
//! Invariant: pure. The time and the dice are handed in, so that a test can hold both.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::time::Mono;

/// The waiting times of one connection.
///
/// It starts anew only after a healthy period *with data*: a server that accepts and drops at once,
/// or one that acknowledges and stays silent, is not asked twice a second for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
    up_since: Option<Mono>,
    had_data: bool,
}

impl Backoff {
    /// The shortest wait.
    pub const FLOOR: Duration = Duration::from_millis(500);
    /// The shortest wait after [`Backoff::STORM`] failures in a row.
    pub const STORM_FLOOR: Duration = Duration::from_secs(1);
    /// So many failures in a row are no accident.
    pub const STORM: u32 = 3;
    /// The longest wait.
    pub const CEILING: Duration = Duration::from_secs(60);
    /// How long a connection has to be up before its loss counts as a new story.
    pub const HEALTHY: Duration = Duration::from_secs(30);

    /// The connection is up.
    pub fn connected(&mut self, now: Mono) {
        self.up_since = Some(now);
        self.had_data = false;
    }

    /// It carried data.
    pub fn data(&mut self) {
        self.had_data = true;
    }

    /// It failed, or was lost: how long to wait. `dice` is a number in `0..1`.
    ///
    /// The wait is drawn evenly between the floor and a bound that doubles with each failure, so
    /// that sockets lost together do not come back together.
    pub fn failed(&mut self, now: Mono, dice: f64) -> Duration {
        let healthy = self.had_data && self.up_since.is_some_and(|up| now.since(up) >= Self::HEALTHY);
        if healthy {
            self.failures = 0;
        }
        self.up_since = None;
        self.had_data = false;
        self.failures = self.failures.saturating_add(1);
        let bound = Self::FLOOR.saturating_mul(1 << self.failures.min(10)).min(Self::CEILING);
        let dice = if dice.is_finite() { dice.clamp(0.0, 1.0) } else { 0.0 };
        let floor = if self.failures > Self::STORM { Self::STORM_FLOOR } else { Self::FLOOR };
        floor + bound.saturating_sub(floor).mul_f64(dice)
    }
}

/// The connection attempts of all sockets, which share an address: Binance allows 300 in five
/// minutes, we take a fifth.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    made: VecDeque<Mono>,
}

impl Attempts {
    /// Attempts allowed in a [`Attempts::WINDOW`].
    pub const MOST: usize = 60;
    /// The window they are counted in.
    pub const WINDOW: Duration = Duration::from_secs(300);

    /// The earliest moment, not before `wish`, at which another attempt is allowed.
    pub fn earliest(&self, wish: Mono) -> Mono {
        match self.made.len().checked_sub(Self::MOST) {
            Some(n) => wish.max(self.made[n] + Self::WINDOW),
            None => wish,
        }
    }

    /// An attempt is made, or planned for `at`.
    pub fn made(&mut self, at: Mono) {
        if self.made.len() == Self::MOST {
            self.made.pop_front();
        }
        self.made.push_back(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(secs: u64) -> Mono {
        Mono(Duration::from_secs(secs))
    }

    #[test]
    fn the_bound_doubles_up_to_the_ceiling_and_the_floor_holds() {
        let mut highest = Backoff::default();
        let mut lowest = Backoff::default();
        let bounds: Vec<u128> = (0..9).map(|_| highest.failed(s(0), 1.0).as_millis()).collect();
        assert_eq!(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        for _ in 0..3 {
            assert_eq!(lowest.failed(s(0), 0.0), Backoff::FLOOR);
        }
        for _ in 0..100 {
            assert_eq!(lowest.failed(s(0), 0.0), Backoff::STORM_FLOOR);
        }
        assert_eq!(lowest.failed(s(0), f64::NAN), Backoff::STORM_FLOOR);
        assert_eq!(lowest.failed(s(0), 7.0), Backoff::CEILING);
    }

    #[test]
    fn only_a_healthy_period_with_data_starts_anew() {
        let up = |secs: u64, data: bool| {
            let mut b = Backoff::default();
            for _ in 0..5 {
                b.failed(s(0), 1.0);
            }
            b.connected(s(100));
            if data {
                b.data();
            }
            b.failed(s(100 + secs), 1.0).as_secs()
        };
        assert_eq!(up(29, true), 32);
        assert_eq!(up(3_000, false), 32);
        assert_eq!(up(30, true), 1);
    }

    #[test]
    fn the_sixty_first_attempt_waits_for_the_first_to_be_five_minutes_old() {
        let mut a = Attempts::default();
        for n in 0..60 {
            assert_eq!(a.earliest(s(n)), s(n));
            a.made(s(n));
        }
        assert_eq!(a.earliest(s(60)), s(300));
        a.made(s(300));
        assert_eq!(a.earliest(s(300)), s(301));
        assert_eq!(a.earliest(s(400)), s(400));
    }
}
