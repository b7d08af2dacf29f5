//! Stamps of frames while nobody tells the time: whom to believe.

use std::time::Duration;

use crate::domain::symbol::Symbol;
use crate::domain::time::{Mono, UnixMs};

/// How far apart two stamps may be, of one time: on the exchange's clock and on ours.
const APART: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(2));
/// How long a pair has to say the same before it is believed by itself.
const ALONE: Duration = Duration::from_secs(5);

/// A stamp by which our reckoning is wrong. One alone moves no clock: it may be a slip.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    by: Symbol,
    stamp: UnixMs,
    at: Mono,
}

impl Claim {
    pub(super) fn new(by: &Symbol, stamp: UnixMs, at: Mono) -> Self {
        Self { by: by.clone(), stamp, at }
    }

    /// Whether `later` says the same of a clock that runs at `rate`.
    fn fits(&self, later: &Self, rate: f64) -> bool {
        let rate = rate.max(1.0);
        let expected = self.stamp + later.at.since(self.at).mul_f64(rate);
        let apart = later.stamp.since(expected).max(expected.since(later.stamp));
        apart <= APART.0.max(APART.1.mul_f64(rate))
    }

    /// Takes a new claim: `None` where it bears the old one out, as another pair does, or the same
    /// for a while; else what is claimed now.
    pub(super) fn borne_out(old: Option<Self>, new: Self, rate: f64) -> Option<Self> {
        match old {
            Some(old) if old.fits(&new, rate) => {
                let borne_out = old.by != new.by || new.at.since(old.at) >= ALONE;
                (!borne_out).then_some(old)
            }
            _ => Some(new),
        }
    }
}
