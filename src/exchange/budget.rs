//! How much may be asked of REST: the request weight of the exchange's clock minute.
//!
//! Invariant: pure; both clocks are handed in. What is sent is charged before it is sent, and what
//! the exchange says about our use can only raise the figure.

use std::time::Duration;

use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};

const MINUTE: i64 = 60_000;

/// The exchange counts by its clock minute, and its counter falls to zero up to three seconds
/// late: a figure heard before that may still be the old minute's.
const HEARSAY_GUARD: i64 = 3_000;

/// We know its clock to within a round trip only: what is sent in the first second of a minute
/// counts in the minute before as well.
const EDGE_GUARD: i64 = 1_000;

/// Requests of klines: the most rows for each weight, cheapest first.
///
/// Two readings of the USD-M bands exist (a limit of exactly 100 or 500 is in the lower band by
/// one, in the upper by the other); these limits cost the same by both.
pub fn klines_bands(market: Market) -> &'static [(u32, u32)] {
    match market {
        Market::UsdM => &[(99, 1), (499, 2), (999, 5), (1_500, 10)],
        Market::Spot => &[(1_000, 2)],
    }
}

/// What a klines request of `limit` rows costs, by the dearer reading.
pub fn klines_weight(market: Market, limit: u32) -> u32 {
    let bands = klines_bands(market);
    bands.iter().find(|(rows, _)| limit <= *rows).or(bands.last()).map_or(1, |(_, weight)| *weight)
}

/// What the other routes cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The exchange's time.
    Time,
    /// All instruments.
    ExchangeInfo,
    /// All 24 h figures.
    Day,
}

impl Route {
    /// Its weight.
    pub fn weight(self, market: Market) -> u32 {
        match (self, market) {
            (Self::Time, _) | (Self::ExchangeInfo, Market::UsdM) => 1,
            (Self::ExchangeInfo, Market::Spot) => 20,
            (Self::Day, Market::UsdM) => 40,
            (Self::Day, Market::Spot) => 80,
        }
    }
}

/// Why a request may not be sent now, and when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The minute is used up; ask at this time of the exchange's.
    Minute(UnixMs),
    /// The exchange refused us; ask at this time of ours.
    Held(Mono),
}

/// The weight pool of one market.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: u32,
    minute: i64,
    used: u32,
    used_before: u32,
    held_until: Option<Mono>,
}

impl Budget {
    /// A fresh pool with the limit that is known to hold for `market` (2400 on USD-M, which it
    /// shares with COIN-M, 6000 on spot) until the exchange says otherwise.
    pub fn new(market: Market) -> Self {
        let limit = match market {
            Market::UsdM => 2_400,
            Market::Spot => 6_000,
        };
        Self { limit, minute: i64::MIN, used: 0, used_before: 0, held_until: None }
    }

    /// Takes the limit of `exchangeInfo`. A limit too small for its own requests is not believed.
    pub fn set_limit(&mut self, limit: u32) {
        if limit >= 100 {
            self.limit = limit;
        }
    }

    /// The exchange's limit a minute.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// What we allow ourselves of it: other programs on this address need some too.
    pub fn cap(&self) -> u32 {
        self.limit / 10 * 9
    }

    /// Weight used in the minute of the last request.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// When that minute began.
    pub fn minute(&self) -> UnixMs {
        UnixMs(self.minute.saturating_mul(MINUTE))
    }

    /// Nothing is sent before this, where the exchange refused us.
    pub fn held_until(&self, now: Mono) -> Option<Mono> {
        self.held_until.filter(|t| *t > now)
    }

    /// Charges a request of `weight`, or says when to ask again. A weight above the whole cap is
    /// let through in an empty minute, as it would never be otherwise.
    pub fn charge(&mut self, weight: u32, theirs: UnixMs, ours: Mono) -> Result<(), Wait> {
        if let Some(until) = self.held_until(ours) {
            return Err(Wait::Held(until));
        }
        self.roll(theirs);
        let cap = self.cap().max(weight);
        let start = self.minute * MINUTE;
        if self.used.saturating_add(weight) > cap {
            return Err(Wait::Minute(UnixMs(start + MINUTE)));
        }
        if theirs.0 - start < EDGE_GUARD {
            if self.used_before.saturating_add(weight) > cap {
                return Err(Wait::Minute(UnixMs(start + EDGE_GUARD)));
            }
            self.used_before += weight;
        }
        self.used += weight;
        Ok(())
    }

    /// The exchange says how much this address has used, in the answer to a request sent at
    /// `sent` and here at `theirs`. Only raises; a figure that may be the old minute's is ignored.
    pub fn heard(&mut self, used: u32, sent: UnixMs, theirs: UnixMs) {
        self.roll(theirs);
        let start = self.minute * MINUTE;
        if sent.0 >= start && theirs.0 - start >= HEARSAY_GUARD {
            self.used = self.used.max(used);
        }
    }

    /// The exchange refused us: nothing more before `until`. Only ever extended.
    pub fn hold(&mut self, until: Mono) {
        self.held_until = Some(self.held_until.map_or(until, |t| t.max(until)));
    }

    /// How long to hold after a 429 that names no time, on the exchange's clock.
    pub fn to_next_minute(theirs: UnixMs) -> Duration {
        let left = MINUTE - theirs.0.rem_euclid(MINUTE) + EDGE_GUARD;
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// A clock that was set back does not open a minute that was used before.
    fn roll(&mut self, theirs: UnixMs) {
        let minute = theirs.0.div_euclid(MINUTE);
        if minute > self.minute {
            self.used_before = if minute == self.minute.saturating_add(1) { self.used } else { 0 };
            self.used = 0;
            self.minute = minute;
        } else if minute < self.minute - 1 {
            // So far back is no jitter but a new clock.
            self.minute = minute;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T0: i64 = 1_760_000_040_000; // a full minute

    fn at(ms: i64) -> UnixMs {
        UnixMs(T0 + ms)
    }

    #[test]
    fn the_weight_table_is_safe_by_both_readings() {
        let documented = |n: u32| match n {
            0..100 => 1,
            100..500 => 2,
            500..=1000 => 5,
            _ => 10,
        };
        let measured = |n: u32| match n {
            0..=100 => 1,
            101..=500 => 2,
            501..=1000 => 5,
            _ => 10,
        };
        for n in 1..=1_500 {
            let dearer = documented(n).max(measured(n));
            // 1000 rows are the one limit that we take to be dearer than they are.
            assert!(klines_weight(Market::UsdM, n) == dearer || n == 1_000, "{n}");
            assert_eq!(klines_weight(Market::Spot, n), 2);
        }
        for (rows, weight) in klines_bands(Market::UsdM) {
            assert_eq!((documented(*rows), measured(*rows)), (*weight, *weight));
        }
    }

    #[test]
    fn nine_tenths_a_minute_and_not_one_more() {
        let mut b = Budget::new(Market::UsdM);
        assert_eq!(b.cap(), 2_160);
        for _ in 0..1_080 {
            b.charge(2, at(10_000), Mono::default()).unwrap();
        }
        assert_eq!(b.charge(1, at(59_999), Mono::default()), Err(Wait::Minute(at(60_000))));
        // The first second of the new minute may still be the old one over there.
        assert_eq!(b.charge(1, at(60_010), Mono::default()), Err(Wait::Minute(at(61_000))));
        assert_eq!(b.charge(1, at(61_000), Mono::default()), Ok(()));
        assert_eq!(b.used(), 1);
    }

    #[test]
    fn the_header_only_raises_and_never_with_the_old_minutes_figure() {
        let mut b = Budget::new(Market::UsdM);
        b.charge(100, at(5_000), Mono::default()).unwrap();
        b.heard(40, at(5_000), at(5_100));
        assert_eq!(b.used(), 100);
        b.heard(2_159, at(5_000), at(5_100));
        assert_eq!(b.used(), 2_159);
        assert!(b.charge(2, at(6_000), Mono::default()).is_err());
        b.heard(2_159, at(59_900), at(60_100));
        assert_eq!(b.used(), 0);
        b.heard(2_159, at(60_050), at(62_900));
        assert_eq!(b.used(), 0);
        b.heard(7, at(63_000), at(63_100));
        assert_eq!(b.used(), 7);
    }

    #[test]
    fn a_refusal_holds_and_is_only_extended() {
        let mut b = Budget::new(Market::Spot);
        b.hold(Mono::from_millis(5_000));
        b.hold(Mono::from_millis(1_000));
        let until = Mono::from_millis(5_000);
        assert_eq!(b.charge(1, at(0), Mono::from_millis(4_999)), Err(Wait::Held(until)));
        assert_eq!(b.held_until(Mono::from_millis(4_999)), Some(until));
        assert_eq!(b.charge(1, at(0), until), Ok(()));
        assert_eq!(b.held_until(until), None);
        assert_eq!(Budget::to_next_minute(at(12_000)), Duration::from_secs(49));
    }

    #[test]
    fn limits_come_from_the_exchange_unless_absurd() {
        let mut b = Budget::new(Market::Spot);
        b.set_limit(1_200);
        assert_eq!((b.limit(), b.cap()), (1_200, 1_080));
        b.set_limit(0);
        assert_eq!(b.limit(), 1_200);
    }

    proptest! {
        /// Whatever is asked whenever, no clock minute gets more than the cap.
        #[test]
        fn no_minute_exceeds_the_cap(asks in prop::collection::vec((0i64..400, 1u32..11), 1..3000)) {
            let mut b = Budget::new(Market::UsdM);
            b.set_limit(200);
            let mut now = 0;
            let mut by_minute = std::collections::HashMap::<i64, u32>::new();
            for (step, weight) in asks {
                now += step;
                if b.charge(weight, at(now), Mono::default()).is_ok() {
                    *by_minute.entry(now / 60_000).or_default() += weight;
                }
            }
            prop_assert!(by_minute.values().all(|used| *used <= b.cap()));
        }
    }
}
