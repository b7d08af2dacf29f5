//! All figures of one bar as plain numbers, known or not, and how they become a point.

use crate::domain::hama::{Bands, Color, Gradient, HamaPoint, LastCross, Parts, Sign};
use crate::domain::preset::Needs;

use super::crossing::{Cross, Crossing};
use super::figures::{self, BandBase};

/// The averages of one bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lines {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) ma: f64,
    /// The line the gradient is taken of, which way it went where it is not the moving average, and
    /// its short average.
    pub(super) gradient: f64,
    pub(super) gradient_slope: Option<Sign>,
    pub(super) gradient_mean: f64,
    /// Of the bands, where they are known.
    pub(super) band: Option<BandBase>,
}

/// All figures of one bar. Which of them mean something, the number of the bar says, save where
/// it is said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) ma: f64,
    pub(super) open_slope: Sign,
    pub(super) ma_slope: Sign,
    pub(super) gradient: Gradient,
    pub(super) dev: f64,
    pub(super) trend: Sign,
    pub(super) crossing: Crossing,
    pub(super) cross: Cross,
    pub(super) parts: Parts,
    pub(super) score: f64,
    /// The bands, where they are known.
    pub(super) bands: Option<Bands>,
}

impl Reading {
    /// What is known of it on the bar of that number. `ALL`: everything is.
    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    pub(super) fn point<const ALL: bool>(&self, needs: &Needs, index: u32) -> HamaPoint {
        let since = |from: u32| ALL || index >= from;
        let known = |from: u32, x: f64| since(from).then_some(x);
        let sign_known = |from: u32, x: Sign| since(from).then_some(x);
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
            } else if self.open_slope == Sign::Up {
                Color::Green
            } else {
                Color::Red
            },
            open_slope: sign_known(needs.color(), self.open_slope),
            gradient: since(needs.gradient).then_some(self.gradient),
            ma_slope: sign_known(needs.ma_slope(), self.ma_slope),
            side: sign_known(trend_from, self.crossing.side),
            dev_pct: known(trend_from, self.dev),
            trend: sign_known(trend_from, self.trend),
            strength: has_trend.then(|| figures::strength(self.dev)),
            cross: self.cross.dir,
            flip: self.cross.flip,
            last_cross: has_trend.then(|| self.last_cross(index)),
            bands: self.bands,
            parts: has_score.then_some(self.parts),
            score: has_score.then_some(self.score),
        }
    }

    #[inline]
    fn last_cross(&self, index: u32) -> LastCross {
        let Crossing { direction: dir, inferred, since, time, .. } = self.crossing;
        LastCross { dir, inferred, bars: index - since, time }
    }
}
