//! Alert rules: a filter that is watched, and what is told when a pair begins or ceases to match it.
//!
//! A rule speaks of changes. What a pair is when it is first known is no change, and a pair about
//! which nothing can be said at the moment (a figure is missing) is what it was.

use std::collections::HashMap;

use crate::domain::interval::Interval;
use crate::domain::symbol::Pair;
use crate::domain::text::CleanText;
use crate::domain::time::UnixMs;
use crate::market::snapshot::{Edge, Timing};

use super::filter::Filter;
use super::names::Names;

/// A rule as it is written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: CleanText,
    /// What is watched.
    pub when: Filter,
    /// When it fires.
    pub timing: Timing,
    /// Whether it is in force.
    pub enabled: bool,
    /// Why it can't be.
    pub refused: Option<CleanText>,
}

impl Rule {
    /// A rule in force. What its filter says of no interval is said of `interval`.
    pub fn new(name: CleanText, when: &Filter, interval: Interval) -> Self {
        Self { name, when: when.on(interval), timing: Timing::default(), enabled: true, refused: None }
    }

    /// Takes it out of force where its filter can't be tested here.
    pub fn checked(mut self, intervals: &[Interval], names: &Names) -> Self {
        let refused = match self.when.check(intervals, names) {
            Err(error) => Some(error.to_string()),
            Ok(()) => self.when.asks_marks().then(|| "marks are known to the screen alone".to_owned()),
        };
        if let Some(why) = refused {
            (self.enabled, self.refused) = (false, Some(CleanText::new(&why)));
        }
        self
    }
}

/// What one rule knows of the pairs.
#[derive(Clone, Debug)]
pub struct Watch {
    timing: Timing,
    seats: HashMap<Pair, Seat>,
}

/// What a rule knows of one pair.
#[derive(Clone, Copy, Debug)]
struct Seat {
    is_in: bool,
    /// Since when the other is so, while that is not long enough.
    turning: Option<UnixMs>,
    /// Nothing is told before.
    quiet_until: UnixMs,
    /// The round in which it was last there.
    round: u64,
}

/// What came of one look at all pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// What is to be told, and of which of the rows.
    pub fired: Vec<(usize, Edge)>,
    /// Pairs that match.
    pub matching: u32,
    /// Pairs of which it can't be said.
    pub unknown: u32,
    /// Changes that have not lasted long enough.
    pub waiting: u32,
    /// Changes that are not told, since the rule is quiet about the pair.
    pub quiet: u32,
}

impl Watch {
    /// Nothing is known yet.
    pub fn new(timing: Timing) -> Self {
        Self { timing, seats: HashMap::new() }
    }

    /// When it fires.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Whether a change is waited on that has not lasted long enough.
    pub fn is_waiting(&self) -> bool {
        self.seats.values().any(|seat| seat.turning.is_some())
    }

    /// Looks at every pair: whether it matches, `None` where that can't be said. A pair that is no
    /// longer among them is forgotten; when it comes back, it is new. `now` is the exchange's time:
    /// a rule speaks of the market, and so waits in its time.
    pub fn look<'a>(
        &mut self,
        now: UnixMs,
        rows: impl Iterator<Item = (&'a Pair, Option<bool>)>,
        round: u64,
    ) -> Look {
        let mut look = Look::default();
        for (at, (pair, matches)) in rows.enumerate() {
            match matches {
                Some(true) => look.matching += 1,
                Some(false) => {}
                None => look.unknown += 1,
            }
            if let Some(edge) = self.see(pair, matches, (now, round), &mut look) {
                look.fired.push((at, edge));
            }
        }
        self.seats.retain(|_, seat| seat.round == round);
        look
    }

    fn see(
        &mut self,
        pair: &Pair,
        matches: Option<bool>,
        (now, round): (UnixMs, u64),
        look: &mut Look,
    ) -> Option<Edge> {
        let Some(seat) = self.seats.get_mut(pair) else {
            if let Some(is_in) = matches {
                let seat = Seat { is_in, turning: None, quiet_until: UnixMs::default(), round };
                self.seats.insert(pair.clone(), seat);
            }
            return None;
        };
        seat.round = round;
        match matches {
            // While nothing can be said, nothing lasts either.
            None => seat.turning = None,
            Some(is_in) if is_in == seat.is_in => seat.turning = None,
            Some(is_in) => {
                let since = *seat.turning.get_or_insert(now);
                if now.since(since) < self.timing.debounce {
                    look.waiting += 1;
                    return None;
                }
                (seat.is_in, seat.turning) = (is_in, None);
                let edge = if is_in { Edge::Entered } else { Edge::Left };
                if !self.timing.on.wants(edge) {
                    return None;
                }
                if now < seat.quiet_until {
                    look.quiet += 1;
                    return None;
                }
                seat.quiet_until = now + self.timing.cooldown;
                return Some(edge);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::symbol::Market;
    use crate::market::snapshot::FireOn;

    const S: Duration = Duration::from_secs(1);

    fn pair(name: &str) -> Pair {
        Pair { market: Market::UsdM, symbol: name.parse().unwrap() }
    }

    struct Desk {
        watch: Watch,
        now: UnixMs,
        round: u64,
    }

    impl Desk {
        fn new(on: FireOn, debounce: u32, cooldown: u32) -> Self {
            let timing = Timing { on, debounce: S * debounce, cooldown: S * cooldown };
            Self { watch: Watch::new(timing), now: UnixMs(1_000), round: 0 }
        }

        /// A second later.
        fn look(&mut self, rows: &[(&str, Option<bool>)]) -> Look {
            self.now = self.now + S;
            self.round += 1;
            let rows: Vec<_> = rows.iter().map(|(name, m)| (pair(name), *m)).collect();
            self.watch.look(self.now, rows.iter().map(|(p, m)| (p, *m)), self.round)
        }

        /// What one pair does, second by second: which edges are told, and when.
        fn course(&mut self, course: &str) -> Vec<(usize, Edge)> {
            let mut told = Vec::new();
            for (n, c) in course.chars().enumerate() {
                let matches = match c {
                    '1' => Some(true),
                    '0' => Some(false),
                    _ => None,
                };
                told.extend(self.look(&[("A", matches)]).fired.into_iter().map(|(_, edge)| (n, edge)));
            }
            told
        }
    }

    #[test]
    fn what_is_so_when_first_known_is_no_change() {
        assert_eq!(Desk::new(FireOn::Both, 0, 0).course("?1111"), []);
        assert_eq!(Desk::new(FireOn::Both, 0, 0).course("??0?1"), [(4, Edge::Entered)]);
        let look = Desk::new(FireOn::Both, 0, 0).look(&[("A", Some(true)), ("B", None), ("C", Some(false))]);
        assert_eq!((look.matching, look.unknown, look.fired.len()), (1, 1, 0));
    }

    #[test]
    fn each_rule_fires_at_the_change_it_is_for() {
        let told = |on| Desk::new(on, 0, 0).course("00110011");
        assert_eq!(told(FireOn::Enter), [(2, Edge::Entered), (6, Edge::Entered)]);
        assert_eq!(told(FireOn::Leave), [(4, Edge::Left)]);
        assert_eq!(told(FireOn::Both).len(), 3);
    }

    #[test]
    fn a_change_has_to_last_and_not_knowing_ends_the_wait() {
        assert_eq!(Desk::new(FireOn::Enter, 2, 0).course("0101011100"), [(7, Edge::Entered)]);
        assert_eq!(Desk::new(FireOn::Enter, 2, 0).course("011?1100"), []);
        assert_eq!(Desk::new(FireOn::Enter, 2, 0).course("011?111"), [(6, Edge::Entered)]);
        // The other way round, not knowing takes nobody out.
        assert_eq!(Desk::new(FireOn::Both, 0, 0).course("01??1?"), [(1, Edge::Entered)]);
    }

    #[test]
    fn after_it_told_of_a_pair_a_rule_is_quiet_about_it_and_counts() {
        let mut desk = Desk::new(FireOn::Enter, 0, 4);
        assert_eq!(desk.course("010101"), [(1, Edge::Entered), (5, Edge::Entered)]);
        let mut desk = Desk::new(FireOn::Enter, 0, 100);
        desk.course("010");
        assert_eq!(desk.look(&[("A", Some(true)), ("B", Some(false))]).quiet, 1);
        assert_eq!(desk.look(&[("A", Some(true)), ("B", Some(true))]).fired, [(1, Edge::Entered)]);
    }

    #[test]
    fn a_pair_that_went_and_came_back_is_new() {
        let mut desk = Desk::new(FireOn::Both, 0, 0);
        desk.look(&[("A", Some(false))]);
        desk.look(&[]);
        assert_eq!(desk.look(&[("A", Some(true))]).fired, []);
    }
}
