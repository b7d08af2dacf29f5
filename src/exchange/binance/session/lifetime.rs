//! When a connection is replaced before the exchange ends it.
//!
//! Invariant: pure. The exchange counts a day on its own clock, so the span is reckoned on that:
//! its pace is configured, its time is that of the first data.

use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::time::{Mono, UnixMs};

/// The life of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    opened: Mono,
    rate: f64,
    stagger: f64,
    until: Mono,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The exchange has shown no time yet.
    Unplaced,
    /// The end is placed within its minutes.
    Placed,
    /// Told to be over.
    Over,
}

/// The usual age at which a connection is replaced; the exchange ends it at 24 h.
const AGE: Duration = Duration::from_secs(23 * 3_600);
/// So much earlier or later, so that the sockets do not all go at once.
const SPREAD: Duration = Duration::from_secs(20 * 60);
/// What is kept of the spread for moving out of the way of candles' ends: so much before,
const BEFORE: Duration = Duration::from_secs(60);
/// and so much after.
const AFTER: Duration = Duration::from_secs(180);

impl Lifetime {
    /// Of a connection opened at `opened`, with an exchange whose clock runs `rate` times as fast
    /// as ours. `stagger` in `0..1` is its place among its neighbours.
    pub fn new(opened: Mono, rate: f64, stagger: f64) -> Self {
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 1.0 };
        // Should no data ever show the time, at least the span is right.
        let until = opened + AGE.div_f64(rate);
        Self { opened, rate, stagger, until, stage: Stage::Unplaced }
    }

    /// The exchange showed its time; the first time counts.
    pub(super) fn stamp(&mut self, shown: UnixMs, now: Mono) {
        if self.stage == Stage::Unplaced {
            let clock = Clock::new(now, shown, self.rate);
            self.until = clock.when(renewal(clock.at(self.opened), self.stagger));
            self.stage = Stage::Placed;
        }
    }

    /// When it is over; `None` once that was told.
    pub(super) fn ends(&self) -> Option<Mono> {
        (self.stage != Stage::Over).then_some(self.until)
    }

    /// Whether it is over now; says so once.
    pub(super) fn is_over(&mut self, now: Mono) -> bool {
        let over = self.ends().is_some_and(|t| now >= t);
        if over {
            self.stage = Stage::Over;
        }
        over
    }
}

/// When a connection opened at `opened` is to be replaced: 23 h later, up to 20 min earlier or
/// later, at second 20 to 40 of a minute that does not touch the end of a quarter of an hour. All
/// longer candles end there too, and that is when most is to be heard.
fn renewal(opened: UnixMs, stagger: f64) -> UnixMs {
    let stagger = if stagger.is_finite() { stagger.clamp(0.0, 1.0) } else { 0.5 };
    let span = (SPREAD * 2).saturating_sub(BEFORE + AFTER);
    let wish = opened + AGE + BEFORE + span.mul_f64(stagger) - SPREAD;
    let minute = wish.0.div_euclid(60_000);
    let aside = match minute.rem_euclid(15) {
        14 => 2,
        0 => 1,
        _ => 0,
    };
    let within = Duration::from_secs(20).mul_f64((stagger * 997.0).fract());
    UnixMs((minute + aside) * 60_000) + Duration::from_secs(20) + within
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_renewal_is_at_23_h_and_away_from_the_ends_of_candles(
            opened in 1_500_000_000_000_i64..2_000_000_000_000,
            stagger in 0.0..=1.0_f64,
        ) {
            let opened = UnixMs(opened);
            let at = renewal(opened, stagger);
            let age = at.since(opened).as_secs();
            prop_assert!((22 * 3_600 + 40 * 60..=23 * 3_600 + 20 * 60).contains(&age), "{}", age);
            let second = at.0.rem_euclid(60_000);
            prop_assert!((20_000..=40_000).contains(&second));
            let minute = at.0.div_euclid(60_000).rem_euclid(15);
            prop_assert!((1..=13).contains(&minute), "{}", minute);
        }
    }

    #[test]
    fn neighbours_go_one_by_one() {
        let opened = UnixMs(1_760_000_000_000);
        let mut at: Vec<i64> = (0..8).map(|n| renewal(opened, f64::from(n) / 8.0).0).collect();
        at.dedup();
        assert_eq!(at.len(), 8);
        assert!(at.windows(2).all(|w| w[1] - w[0] >= 120_000), "{at:?}");
    }

    #[test]
    fn the_day_is_the_exchanges() {
        let mut life = Lifetime::new(Mono::from_millis(1_000), 60.0, 0.5);
        assert_eq!(life.ends(), Some(Mono::from_millis(1_381_000)), "23 min of ours are 23 h of theirs");
        life.stamp(UnixMs(1_760_000_000_000), Mono::from_millis(2_000));
        life.stamp(UnixMs(1), Mono::from_millis(3_000));
        let ends = life.ends().unwrap();
        assert!((1_361..=1_401).contains(&ends.0.as_secs()), "{ends:?}");
        assert!(!life.is_over(Mono::from_millis(1_360_000)));
        assert!(life.is_over(Mono::from_millis(1_402_000)));
        assert!(!life.is_over(Mono::from_millis(1_403_000)) && life.ends().is_none(), "told once");
    }
}
