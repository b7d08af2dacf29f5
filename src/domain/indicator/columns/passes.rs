//! What follows from the averages, one kind of figure after the other, from the bar on which it is
//! known.

use crate::domain::hama::Parts;
use crate::domain::indicator::crossing::Crossing;
use crate::domain::indicator::figures::{self, Band, BandBase};
use crate::domain::indicator::ladder::Ladder;
use crate::domain::indicator::spread;
use crate::domain::indicator::tie;
use crate::domain::preset::{GRADIENT_AVERAGE, GradientLine};

use super::{HamaColumns, NO_CROSS, sign_of};

impl HamaColumns {
    /// Slopes, side, deviation and distance: each bar by itself.
    pub(super) fn slopes_and_sides(&mut self) {
        let needs = &self.needs;
        slopes(&self.lines.open, needs.color(), &mut self.open_slope);
        slopes(&self.lines.ma, needs.ma_slope(), &mut self.ma_slope);
        let from = needs.trend();
        let lines = known(&self.lines.close, from).iter().zip(known(&self.lines.ma, from));
        let out = known_mut(&mut self.dev, from).iter_mut().zip(known_mut(&mut self.distance, from));
        for (((close, ma), side), (dev, distance)) in lines.zip(known_mut(&mut self.side, from)).zip(out) {
            *side = tie::factor(*close, *ma);
            *dev = figures::deviation_pct(*close, *ma, *side == 0.0);
            *distance = self.scoring.distance(*dev);
        }
    }

    /// The bands around their basis, and the close's side of them.
    pub(super) fn bands(&mut self) {
        let Some((spec, from)) = self.preset.bands.zip(self.needs.bands) else { return };
        let b = &mut self.bands;
        let input = known(&b.basis, from).iter().zip(known(&b.variance, from));
        let input = input.zip(known(&self.sources.bar_close, from));
        let lines = known_mut(&mut b.upper, from).iter_mut().zip(known_mut(&mut b.lower, from));
        let shares = known_mut(&mut b.width, from).iter_mut().zip(known_mut(&mut b.pos, from));
        let out = lines.zip(shares).zip(known_mut(&mut b.side, from));
        for (((basis, variance), close), (((upper, lower), (width, pos)), side)) in input.zip(out) {
            let base = BandBase { basis: *basis, deviation: spread::root(*variance), mult: spec.mult };
            let band = Band::around(base, *close);
            (*upper, *lower, *width, *pos) = (band.upper, band.lower, band.width, band.pos);
            let (above, below) = band.sides(*close);
            *side = tie::factor_of(above, below);
        }
    }

    /// The last crosses, where each bar needs the one before.
    #[expect(clippy::float_cmp, reason = "signs are exactly -1, 0 or 1")]
    #[expect(clippy::needless_bitwise_bool, reason = "a branch would be mispredicted on each cross")]
    pub(super) fn crosses(&mut self) {
        let from = self.needs.trend();
        let side = known(&self.side, from);
        let Some(first) = side.first() else { return };
        let mut at = NO_CROSS;
        let mut direction =
            Crossing::first(sign_of(*first), from, self.options.initial_side).direction.as_f64();
        let out = known_mut(&mut self.cross_at, from).iter_mut().zip(known_mut(&mut self.direction, from));
        // The first has nothing to cross from.
        let mut before = *first;
        for (bar, (side, (cross_at, last))) in (from..).zip(side.iter().zip(out)) {
            let crossed = (*side != 0.0) & (*side != before);
            before = *side;
            at = if crossed { bar } else { at };
            direction = if crossed { *side } else { direction };
            (*cross_at, *last) = (at, direction);
        }
    }

    /// The gradient's average, and its counter.
    pub(super) fn gradients(&mut self) {
        let line = match self.preset.gradient {
            GradientLine::Ma => &self.lines.ma,
            GradientLine::OfClose(_) => &self.lines.gradient,
        };
        let seed = known(line, self.needs.gradient_line);
        let from = self.needs.gradient;
        let Some([first, second, third]) = seed.first_chunk() else { return };
        let alpha = 2.0 / (f64::from(GRADIENT_AVERAGE) + 1.0);
        let beta = 1.0 - alpha;
        let mut mean = (first + second + third) / f64::from(GRADIENT_AVERAGE);
        let mut ladder = Ladder::START;
        let lines = known(line, from).iter().zip(known(line, from - 1));
        let out = known_mut(&mut self.ladder, from).iter_mut().zip(known_mut(&mut self.gradient_part, from));
        for (n, ((x, before), (out, part))) in lines.zip(out).enumerate() {
            if n > 0 {
                mean = alpha * x + beta * mean;
            }
            ladder = ladder.next(tie::sign(*x, mean), tie::sign(*x, *before));
            (*out, *part) = (ladder, ladder.part());
        }
    }

    /// Trend and score: each bar by itself.
    pub(super) fn scores(&mut self) {
        let from = self.needs.trend();
        let state = known(&self.direction, from).iter().zip(known(&self.side, from));
        for (((direction, side), dev), trend) in
            state.zip(known(&self.dev, from)).zip(known_mut(&mut self.trend, from))
        {
            let is_trend = figures::is_trend(*dev, side * direction >= 0.0);
            *trend = if is_trend { *direction } else { 0.0 };
        }
        let from = self.needs.score_index();
        let signs = known(&self.trend, from).iter().zip(known(&self.open_slope, from));
        let parts = known(&self.distance, from).iter().zip(known(&self.gradient_part, from));
        for (((trend, body), (distance, gradient)), score) in
            signs.zip(parts).zip(known_mut(&mut self.score, from))
        {
            let parts = Parts { trend: *trend, distance: *distance, gradient: *gradient, body: *body };
            *score = figures::score(parts);
        }
    }
}

/// A column from the bar `from` on.
fn known<T>(column: &[T], from: u32) -> &[T] {
    column.get(from as usize..).unwrap_or_default()
}

fn known_mut<T>(column: &mut [T], from: u32) -> &mut [T] {
    column.get_mut(from as usize..).unwrap_or_default()
}

/// Which way a line went on each bar from `from` on, which is not the first.
fn slopes(line: &[f64], from: u32, out: &mut [f64]) {
    let pairs = known(line, from - 1).iter().zip(known(line, from));
    for ((before, x), out) in pairs.zip(known_mut(out, from)) {
        *out = tie::factor(*x, *before);
    }
}
