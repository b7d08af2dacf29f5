//! How much may be asked of REST: the request weight of the exchange's clock minute.
//!
//! Invariant: pure; both clocks are handed in. What is sent is charged before it is sent, in every
//! minute in which the exchange may count it, and what the exchange says about our use can only raise
//! the figure.

use std::time::Duration;

use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};

const MINUTE: i64 = 60_000;

/// The exchange counts by its clock minute, and its counter falls to zero up to three seconds
/// late: a figure heard before that may still be the old minute's.
const HEARSAY_GUARD: i64 = 3_000;

/// We know its clock to within a round trip only: what is sent or answered so near to the edge of a
/// minute counts on both sides of it. This is the least; a slow way to the exchange makes it more.
const EDGE_GUARD: i64 = 1_000;

/// More is no use: each half of a minute would count in two.
const MOST_EDGE: i64 = 30_000;

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
    /// What the exchange said of this minute: what it counted was counted.
    heard: u32,
    /// The same of the minute before.
    heard_before: u32,
    /// What it said while that may have been the old minute's. Believed until its time is over.
    rumour: u32,
    /// Sent and not answered: it may be counted now, or only when the next minute has begun.
    under_way: u32,
    /// Answered so near to the minute's end that it may have been counted in the next.
    late: u32,
    /// How well the exchange's clock is known.
    edge: i64,
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
        Self {
            limit,
            minute: i64::MIN,
            used: 0,
            used_before: 0,
            heard: 0,
            heard_before: 0,
            rumour: 0,
            under_way: 0,
            late: 0,
            edge: EDGE_GUARD,
            held_until: None,
        }
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

    /// Weight used in the minute of the last request, as far as is known.
    pub fn used(&self) -> u32 {
        self.used.max(self.rumour)
    }

    /// When that minute began.
    pub fn minute(&self) -> UnixMs {
        UnixMs(self.minute.saturating_mul(MINUTE))
    }

    /// Nothing is sent before this, where the exchange refused us.
    pub fn held_until(&self, now: Mono) -> Option<Mono> {
        self.held_until.filter(|t| *t > now)
    }

    /// Takes how far its clock may be off, on the exchange's clock.
    pub fn set_edge(&mut self, uncertainty: Duration) {
        let uncertainty = i64::try_from(uncertainty.as_millis()).unwrap_or(MOST_EDGE);
        self.edge = uncertainty.clamp(EDGE_GUARD, MOST_EDGE);
    }

    /// Charges a request of `weight` that leaves now, or says when to ask again. Its end has to be
    /// told. A weight above the whole cap is let through in an empty minute, as it would never be
    /// otherwise.
    pub fn charge(&mut self, weight: u32, theirs: UnixMs, ours: Mono) -> Result<(), Wait> {
        if let Some(until) = self.held_until(ours) {
            return Err(Wait::Held(until));
        }
        self.roll(theirs);
        let cap = self.cap().max(weight);
        let start = self.minute * MINUTE;
        let into = theirs.0 - start;
        let over = |used: u32| used.saturating_add(weight) > cap;
        if over(self.used) {
            return Err(Wait::Minute(UnixMs(start + MINUTE)));
        }
        let doubt = HEARSAY_GUARD.max(self.edge);
        if into >= doubt {
            self.rumour = 0;
        } else if over(self.rumour) {
            return Err(Wait::Minute(UnixMs(start + doubt)));
        }
        if into < self.edge {
            if over(self.used_before) {
                return Err(Wait::Minute(UnixMs(start + self.edge)));
            }
            self.used_before += weight;
        }
        self.used += weight;
        self.under_way += weight;
        Ok(())
    }

    /// A request of `weight` ended at `theirs`, answered or given up: from now on it is counted by
    /// nobody any more.
    pub fn ended(&mut self, weight: u32, theirs: UnixMs) {
        self.roll(theirs);
        self.under_way = self.under_way.saturating_sub(weight);
        if theirs.0 >= self.minute * MINUTE + MINUTE - self.edge {
            self.late = self.late.saturating_add(weight);
        }
    }

    /// A request ended that never reached the exchange: its weight is given back, in whatever minute
    /// it left, since while it was under way it counted in each. Never below what the exchange has
    /// counted.
    pub fn give_back(&mut self, weight: u32) {
        self.under_way = self.under_way.saturating_sub(weight);
        self.used = self.used.saturating_sub(weight).max(self.heard);
    }

    /// The exchange says how much this address has used, in the answer to a request sent at
    /// `sent` and here at `theirs`. Only raises. A figure that may be the old minute's holds until
    /// the exchange must have begun to count anew, and no longer.
    pub fn heard(&mut self, used: u32, sent: UnixMs, theirs: UnixMs) {
        self.roll(theirs);
        let start = self.minute * MINUTE;
        // A count does not fall within a minute, so a smaller one is of a new minute.
        let new = used < self.heard_before && sent.0 >= start;
        if new || (sent.0 >= start + self.edge && theirs.0 - start >= HEARSAY_GUARD.max(self.edge)) {
            self.heard = self.heard.max(used);
            self.used = self.used.max(used);
        } else {
            self.rumour = self.rumour.max(used);
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
            let next = minute == self.minute.saturating_add(1);
            self.used_before = if next { self.used } else { 0 };
            // What was under way over the edge may be counted on this side of it.
            self.used = self.under_way + if next { self.late } else { 0 };
            self.heard_before = if next { self.heard } else { 0 };
            self.late = 0;
            self.heard = 0;
            self.rumour = 0;
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
    fn item_23_the_weight_table_is_safe_by_both_readings_of_its_edges() {
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
            b.ended(2, at(10_200));
        }
        assert_eq!(b.charge(1, at(59_999), Mono::default()), Err(Wait::Minute(at(60_000))));
        // The first second of the new minute may still be the old one over there.
        assert_eq!(b.charge(1, at(60_010), Mono::default()), Err(Wait::Minute(at(61_000))));
        assert_eq!(b.charge(1, at(61_000), Mono::default()), Ok(()));
        assert_eq!(b.used(), 1);
    }

    #[test]
    fn item_23_the_header_only_raises_as_other_programs_use_their_share() {
        let mut b = Budget::new(Market::UsdM);
        b.charge(100, at(5_000), Mono::default()).unwrap();
        b.ended(100, at(5_100));
        b.heard(40, at(5_000), at(5_100));
        assert_eq!(b.used(), 100);
        b.heard(2_159, at(5_000), at(5_100));
        assert_eq!(b.used(), 2_159);
        assert_eq!(b.charge(2, at(6_000), Mono::default()), Err(Wait::Minute(at(60_000))));
    }

    #[test]
    fn a_figure_that_may_be_the_old_minutes_holds_until_the_count_has_begun_anew() {
        let mut b = Budget::new(Market::UsdM);
        b.heard(2_150, at(30_000), at(30_100));
        b.heard(2_159, at(59_900), at(60_100));
        b.heard(2_160, at(60_050), at(62_900));
        assert_eq!(b.used, 0);
        assert_eq!(b.charge(2, at(62_950), Mono::default()), Err(Wait::Minute(at(63_000))));
        assert_eq!(b.charge(2, at(63_000), Mono::default()), Ok(()));
        b.ended(2, at(63_100));
        b.heard(7, at(63_000), at(63_100));
        assert_eq!(b.used(), 7);
        // Smaller than what was heard before: the new minute's, so it counts at once and stays.
        b.heard(2_000, at(120_100), at(120_200));
        assert_eq!(b.used, 0);
        b.heard(5, at(120_300), at(120_400));
        assert_eq!(b.used, 5);
    }

    #[test]
    fn what_is_under_way_over_the_edge_counts_on_both_sides() {
        let mut b = Budget::new(Market::UsdM);
        b.charge(40, at(50_000), Mono::default()).unwrap();
        b.charge(5, at(58_000), Mono::default()).unwrap();
        b.ended(5, at(58_500));
        b.charge(3, at(59_500), Mono::default()).unwrap();
        b.ended(3, at(59_700));
        b.charge(1, at(65_000), Mono::default()).unwrap();
        assert_eq!(b.used(), 40 + 3 + 1, "not answered, answered at the very end, sent now");
        b.ended(40, at(65_500));
        b.charge(1, at(121_500), Mono::default()).unwrap();
        assert_eq!(b.used(), 2, "of the minute before only what is still under way");
    }

    #[test]
    fn the_worse_the_clock_is_known_the_wider_is_the_edge() {
        let mut b = Budget::new(Market::UsdM);
        b.set_edge(Duration::from_secs(7));
        b.charge(2_160, at(30_000), Mono::default()).unwrap();
        b.ended(2_160, at(30_100));
        assert_eq!(b.charge(1, at(66_999), Mono::default()), Err(Wait::Minute(at(67_000))));
        assert_eq!(b.charge(1, at(67_000), Mono::default()), Ok(()));
        b.ended(1, at(113_500));
        b.charge(1, at(127_500), Mono::default()).unwrap();
        assert_eq!(b.used(), 2, "what ended seven seconds before the edge may be of either minute");
    }

    #[test]
    fn what_never_got_there_is_given_back_and_no_more() {
        let mut b = Budget::new(Market::UsdM);
        b.charge(40, at(5_000), Mono::default()).unwrap();
        b.charge(10, at(6_000), Mono::default()).unwrap();
        b.give_back(10);
        assert_eq!(b.used(), 40);
        b.charge(10, at(6_000), Mono::default()).unwrap();
        b.heard(45, at(7_000), at(7_100));
        b.give_back(10);
        assert_eq!(b.used(), 45, "the exchange has counted that much");
        b.charge(3, at(61_000), Mono::default()).unwrap();
        b.give_back(40);
        assert_eq!(b.used(), 3, "it was under way all the time");
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

    /// One request of the property below: how long after the one before, its weight, how long it
    /// takes to the exchange and back.
    type Ask = (i64, u32, i64, i64);

    /// The weight by minute as the exchange counts it, whose clock is `off` from what we think.
    fn counted(b: &mut Budget, asks: &[Ask], off: i64) -> std::collections::BTreeMap<i64, u32> {
        let mut by_minute = std::collections::BTreeMap::<i64, u32>::new();
        let mut open: Vec<(i64, u32)> = Vec::new();
        let mut now = 0;
        for (step, weight, there, back) in asks {
            now += step;
            open.sort_unstable();
            for (end, weight) in open.extract_if(.., |(end, _)| *end <= now) {
                b.ended(weight, at(end));
            }
            if b.charge(*weight, at(now), Mono::default()).is_ok() {
                *by_minute.entry((now + off + there).div_euclid(60_000)).or_default() += weight;
                open.push((now + there + back, *weight));
            }
        }
        by_minute
    }

    proptest! {
        /// Whatever is asked whenever, however long it is under way over a minute's edge, and with a
        /// clock as far off as it may be: no minute of the exchange's gets more than the cap.
        #[test]
        fn item_23_no_minute_of_the_exchange_exceeds_the_cap(
            // Bursts with pauses, so that some lie across an edge while there is room on both sides of it.
            asks in prop::collection::vec(
                (prop_oneof![30 => 0i64..100, 1 => 5_000i64..40_000], 1u32..11, 0i64..3_000, 0i64..3_000),
                1..1_500,
            ),
            off in -2_000i64..=2_000,
        ) {
            let mut b = Budget::new(Market::UsdM);
            b.set_limit(200);
            b.set_edge(Duration::from_secs(2));
            let used = counted(&mut b, &asks, off);
            prop_assert!(used.values().all(|used| *used <= b.cap()), "{used:?}");
        }
    }
}
