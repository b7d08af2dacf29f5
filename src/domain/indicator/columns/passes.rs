//! What follows from the averages, one kind of figure after the other.

use crate::domain::hama::Parts;
use crate::domain::indicator::crossing::Crossing;
use crate::domain::indicator::figures;
use crate::domain::indicator::ladder::Ladder;
use crate::domain::indicator::spread;
use crate::domain::indicator::tie;
use crate::domain::preset::GradientLine;

use super::{GRADIENT_SEED, HamaColumns};

impl HamaColumns {
    /// Slopes, side, deviation and distance: each bar by itself.
    pub(super) fn slopes_and_sides(&mut self) {
        slopes(&self.lines.open, &mut self.open_slope);
        slopes(&self.lines.ma, &mut self.ma_slope);
        let lines = self.lines.close.iter().zip(&self.lines.ma);
        for ((close, ma), side) in lines.zip(&mut self.side) {
            *side = tie::sign(*close, *ma);
        }
        let lines = self.lines.close.iter().zip(&self.lines.ma).zip(&self.side);
        let out = self.dev.iter_mut().zip(&mut self.distance).zip(&mut self.far);
        for (((close, ma), side), ((dev, distance), far)) in lines.zip(out) {
            *dev = figures::deviation_pct(*close, *ma, *side);
            *distance = self.scoring.distance(*dev);
            *far = figures::is_far(*dev);
        }
    }

    /// The bands around their basis, and the close's side of them.
    pub(super) fn bands(&mut self) {
        let Some(spec) = self.preset.bands else { return };
        let b = &mut self.bands;
        let input = b.basis.iter().zip(&b.variance).zip(&self.sources.bar_close);
        let out = b.upper.iter_mut().zip(&mut b.lower).zip(&mut b.width).zip(&mut b.pos).zip(&mut b.side);
        for (((basis, variance), close), ((((upper, lower), width), pos), side)) in input.zip(out) {
            let band = figures::band(*basis, spread::root(*variance), spec.mult, *close);
            (*upper, *lower, *width, *pos) = (band.upper, band.lower, band.width, band.pos);
            *side = figures::band_side(*close, band.upper, band.lower);
        }
    }

    /// The gradient's counter and the crosses, where each bar needs the one before.
    pub(super) fn chains(&mut self) {
        self.gradient_chain();
        let from = self.needs.trend() as usize;
        let Some(known) = self.side.get(from..) else { return };
        let mut state = Crossing::START;
        let out = self.crossing[from..].iter_mut().zip(&mut self.trend[from..]).zip(&self.far[from..]);
        for (n, (side, ((crossing, trend), far))) in known.iter().zip(out).enumerate() {
            state =
                if n == 0 { Crossing::first(*side, self.options.initial_side) } else { state.next(*side) };
            *crossing = state;
            *trend = figures::trend(state.direction, *side, *far);
        }
    }

    fn gradient_chain(&mut self) {
        let line = match self.preset.gradient {
            GradientLine::Ma => &self.lines.ma,
            GradientLine::OfClose(_) => &self.lines.gradient,
        };
        let from = self.needs.gradient_line as usize;
        let Some(line) = line.get(from..) else { return };
        let mut mean = crate::domain::indicator::ema::Ema::new(3, 3);
        let mut ladder = Ladder::START;
        let out = self.gradient[from..].iter_mut().zip(&mut self.lines.gradient_mean[from..]);
        let mut before = 0.0;
        for (n, (x, (out, mean_out))) in line.iter().zip(out).enumerate() {
            *mean_out = mean.push(*x);
            if n + 1 >= GRADIENT_SEED {
                ladder = ladder.next(tie::sign(*x, *mean_out), tie::sign(*x, before));
            }
            *out = (ladder.direction, ladder.steps);
            before = *x;
        }
    }

    /// The scores.
    pub(super) fn scores(&mut self) {
        let parts = self.trend.iter().zip(&self.distance).zip(&self.gradient).zip(&self.open_slope);
        for ((((trend, distance), (direction, steps)), slope), score) in parts.zip(&mut self.score) {
            *score = figures::score(Parts {
                trend: f64::from(*trend),
                distance: *distance,
                gradient: figures::gradient_part(*direction, *steps),
                body: f64::from(*slope),
            });
        }
    }
}

/// Which way a line went on each bar but the first.
fn slopes(line: &[f64], out: &mut [i8]) {
    let before = line.iter();
    for ((before, x), out) in before.zip(line.iter().skip(1)).zip(out.iter_mut().skip(1)) {
        *out = tie::sign(*x, *before);
    }
}
