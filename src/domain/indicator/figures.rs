//! The figures of one bar that follow from its averages.

use crate::domain::hama::{BandState, Bands, Parts, Sign, Strength};
use crate::domain::interval::Interval;

use super::tie::{self, Limit};

/// |dev| from which there is a trend, in per cent.
const TREND_FROM: Limit = Limit::new(0.1);
/// |dev| above which the strength is moderate, and strong.
const MODERATE_ABOVE: Limit = Limit::new(0.3);
const STRONG_ABOVE: Limit = Limit::new(1.0);
/// Band width below which they are squeezed, and above which they expand.
const SQUEEZE_BELOW: Limit = Limit::new(0.10);
const EXPANSION_ABOVE: Limit = Limit::new(0.15);

/// (C − M) / M · 100; exactly 0 where they are equal.
#[inline]
pub(super) fn deviation_pct(close: f64, ma: f64, is_equal: bool) -> f64 {
    if is_equal { 0.0 } else { (close - ma) / ma * 100.0 }
}

/// Whether the deviation is large enough for a trend.
#[inline]
fn is_far(dev: f64) -> bool {
    TREND_FROM.is_reached_by(dev.abs())
}

/// Whether the last cross's direction is the trend: the close `agrees` with it, being on its side
/// of the average or on the average, and is far enough away.
#[inline]
pub(super) fn is_trend(dev: f64, agrees: bool) -> bool {
    // Both are looked at in any case, so that several bars can be at once.
    is_far(dev) & agrees
}

#[inline]
pub(super) fn strength(dev: f64) -> Strength {
    let size = dev.abs();
    let weak = if MODERATE_ABOVE.is_passed_by(size) { Strength::Moderate } else { Strength::Weak };
    if STRONG_ABOVE.is_passed_by(size) { Strength::Strong } else { weak }
}

/// How an interval's score is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scoring {
    /// The deviation, in per cent, that counts for one half.
    half_at: f64,
}

impl Scoring {
    pub(super) fn of(interval: Interval) -> Self {
        Self { half_at: 1.5 * (f64::from(interval.minutes()) / 15.0).sqrt() }
    }

    /// The distance part: dev, saturating softly.
    #[inline]
    pub(super) fn distance(self, dev: f64) -> f64 {
        dev / (dev.abs() + self.half_at)
    }
}

/// The interval's score, −100 to 100.
#[inline]
pub(super) fn score(parts: Parts) -> f64 {
    100.0 * (0.40 * parts.trend + 0.25 * parts.distance + 0.20 * parts.gradient + 0.15 * parts.body)
}

/// What bands are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BandBase {
    pub(super) basis: f64,
    /// One σ, or `AICoin`'s form of it. One that is only rounding counts as none.
    pub(super) deviation: f64,
    pub(super) mult: f64,
}

/// The bands around a basis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    pub(super) basis: f64,
    pub(super) upper: f64,
    pub(super) lower: f64,
    pub(super) width: f64,
    /// Means nothing where upper and lower are one.
    pub(super) pos: f64,
}

impl Band {
    #[inline]
    pub(super) fn around(BandBase { basis, deviation, mult }: BandBase, close: f64) -> Self {
        let half = if deviation <= tie::TIE * basis { 0.0 } else { mult * deviation };
        let (upper, lower) = (basis + half, basis - half);
        let height = upper - lower;
        Self { basis, upper, lower, width: height / basis, pos: (close - lower) / height }
    }

    /// Whether the close is above the bands, and whether it is below them.
    #[inline]
    pub(super) fn sides(&self, close: f64) -> (bool, bool) {
        (tie::above(close, self.upper), tie::below(close, self.lower))
    }

    /// All there is to say of them, `breakout` being the side that the close went to on this bar.
    #[inline]
    pub(super) fn says(&self, breakout: Option<Sign>) -> Bands {
        let Self { basis, upper, lower, width, pos } = *self;
        let pos = tie::above(upper, lower).then_some(pos);
        Bands { basis, upper, lower, width, pos, state: band_state(width), breakout }
    }
}

#[inline]
fn band_state(width: f64) -> BandState {
    let wide = if EXPANSION_ABOVE.is_passed_by(width) { BandState::Expansion } else { BandState::Normal };
    if SQUEEZE_BELOW.is_reached_by(width) { wide } else { BandState::Squeeze }
}
