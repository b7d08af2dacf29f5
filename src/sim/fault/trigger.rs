//! When a fault begins, how long it lasts and how often it strikes.

use crate::domain::interval::Interval;
use crate::domain::time::UnixMs;
use crate::sim::calendar;

/// What a fault waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// For nothing.
    Now,
    /// For a time.
    At(UnixMs),
    /// For a boundary of the exchange's clock.
    Boundary {
        /// Of what.
        of: Boundary,
        /// For the so-manieth from then on.
        nth: u64,
        /// Counted from here on; from where the fault is injected, where not given.
        not_before: Option<UnixMs>,
    },
    /// For the so-manieth socket within its scope, from now on.
    Connection(u64),
    /// For the so-manieth subscribe request within its scope, from now on.
    Subscribe(u64),
    /// For the so-manieth request of REST within its scope, from now on.
    Request(u64),
}

/// Something that the clock passes again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// A full minute.
    Minute,
    /// A full hour.
    Hour,
    /// A UTC day.
    Day,
    /// The close of candles of that length.
    Close(Interval),
}

impl Boundary {
    fn next(self, t: UnixMs) -> UnixMs {
        let of = |interval| calendar::next_open(interval, calendar::open_at(interval, t));
        match self {
            Self::Minute => of(Interval::M1),
            Self::Hour => of(Interval::H1),
            Self::Day => of(Interval::D1),
            Self::Close(interval) => of(interval),
        }
    }
}

/// When and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What it waits for.
    pub begin: Begin,
    /// How long after (or, for a time that is known, before) that it begins.
    pub after_ms: i64,
    /// How long it lasts.
    pub for_ms: Option<i64>,
    /// How often it strikes, at most.
    pub count: Option<u32>,
}

impl Schedule {
    /// When it begins, for what is injected at `now`; `None` where an event has to come first.
    pub(crate) fn time(&self, now: UnixMs) -> Option<UnixMs> {
        let begin = match self.begin {
            Begin::Now => now,
            Begin::At(t) => t,
            Begin::Boundary { of, nth, not_before } => {
                // A boundary that is `not_before` itself counts.
                let first = not_before.filter(|t| *t > now).map_or(now, |t| UnixMs(t.0 - 1));
                (0..nth.min(100_000)).fold(first, |t, _| of.next(t))
            }
            Begin::Connection(_) | Begin::Subscribe(_) | Begin::Request(_) => return None,
        };
        Some(UnixMs(begin.0.saturating_add(self.after_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_the_exchanges() {
        let now = UnixMs(1_760_130_123_456); // 2025-10-10T21:02:03.456Z
        let time = |of, nth, not_before| {
            let begin = Begin::Boundary { of, nth, not_before };
            Schedule { begin, after_ms: 5, for_ms: None, count: None }.time(now).unwrap().0 - 5
        };
        assert_eq!(time(Boundary::Minute, 1, None), 1_760_130_180_000);
        assert_eq!(time(Boundary::Hour, 2, None), 1_760_137_200_000);
        assert_eq!(time(Boundary::Close(Interval::M15), 1, None), 1_760_130_900_000);
        assert_eq!(time(Boundary::Hour, 1, Some(UnixMs(1_760_137_200_000))), 1_760_137_200_000);
        assert_eq!(time(Boundary::Day, 1, None), 1_760_140_800_000);
    }
}
