//! All figures of one bar as plain numbers, known or not, and how they become a point.

use crate::domain::hama::{Bands, Color, Gradient, HamaPoint, LastCross, Parts, Sign};
use crate::domain::preset::Needs;
use crate::domain::time::UnixMs;

use super::crossing::Crossing;
use super::figures;
use super::tie;

/// The averages of one bar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) ma: f64,
    /// The line the gradient is taken of, and its short average.
    pub(super) gradient: f64,
    pub(super) gradient_mean: f64,
    pub(super) basis: f64,
    /// One σ, or `AICoin`'s form of it.
    pub(super) deviation: f64,
}

/// All figures of one bar. Which of them mean something, the number of the bar says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) ma: f64,
    pub(super) open_slope: i8,
    pub(super) ma_slope: i8,
    pub(super) side: i8,
    pub(super) gradient: Gradient,
    pub(super) dev: f64,
    pub(super) trend: i8,
    pub(super) crossing: Crossing,
    pub(super) cross_time: UnixMs,
    pub(super) distance: f64,
    pub(super) score: f64,
    pub(super) basis: f64,
    pub(super) band: figures::Band,
    pub(super) band_break: i8,
}

impl Reading {
    /// What is known of it on the bar of that number. `ALL`: everything is.
    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    pub(super) fn point<const ALL: bool>(&self, needs: &Needs, index: u32) -> HamaPoint {
        let since = |from: u32| ALL || index >= from;
        let known = |from: u32, x: f64| since(from).then_some(x);
        let sign_known = |from: u32, x: i8| since(from).then_some(sign_of(x));
        let trend_from = needs.trend();
        let has_trend = since(trend_from);
        let has_score = since(needs.score_index());
        HamaPoint {
            open: known(needs.open, self.open),
            high: known(needs.high, self.high),
            low: known(needs.low, self.low),
            close: known(needs.close, self.close),
            ma: known(needs.ma, self.ma),
            color: if !since(needs.color()) {
                Color::Gray
            } else if self.open_slope > 0 {
                Color::Green
            } else {
                Color::Red
            },
            open_slope: sign_known(needs.color(), self.open_slope),
            gradient: since(needs.gradient).then_some(self.gradient),
            ma_slope: sign_known(needs.ma_slope(), self.ma_slope),
            side: sign_known(trend_from, self.side),
            dev_pct: known(trend_from, self.dev),
            trend: sign_known(trend_from, self.trend),
            strength: has_trend.then(|| figures::strength(self.dev)),
            cross: (since(needs.cross()) && self.crossing.cross != 0).then(|| sign_of(self.crossing.cross)),
            flip: since(needs.cross()) && self.crossing.flip,
            last_cross: has_trend.then(|| self.last_cross()),
            bands: needs.bands.filter(|from| since(*from)).map(|_| self.bands()),
            parts: has_score.then(|| self.parts()),
            score: has_score.then_some(self.score),
        }
    }

    #[inline]
    fn last_cross(&self) -> LastCross {
        let Crossing { direction, inferred, bars, .. } = self.crossing;
        let seen = direction != 0 && !inferred;
        LastCross { dir: sign_of(direction), inferred, bars, time: seen.then_some(self.cross_time) }
    }

    #[inline]
    fn bands(&self) -> Bands {
        let figures::Band { upper, lower, width, pos } = self.band;
        Bands {
            basis: self.basis,
            upper,
            lower,
            width,
            pos: tie::above(upper, lower).then_some(pos),
            state: figures::band_state(width),
            breakout: (self.band_break != 0).then(|| sign_of(self.band_break)),
        }
    }

    #[inline]
    fn parts(&self) -> Parts {
        Parts {
            trend: f64::from(self.trend),
            distance: self.distance,
            gradient: figures::gradient_part(self.gradient.dir.as_i8(), self.gradient.steps),
            body: f64::from(self.open_slope),
        }
    }
}

/// The sign of a number that stands for one.
#[inline]
pub(super) fn sign_of(x: i8) -> Sign {
    let up = if x > 0 { Sign::Up } else { Sign::Flat };
    if x < 0 { Sign::Down } else { up }
}

/// −1, 0 or 1 of a sign that is kept as a factor.
#[inline]
pub(super) fn as_i8(factor: f64) -> i8 {
    i8::from(factor > 0.0) - i8::from(factor < 0.0)
}
