//! What follows from averages and bands over a whole series, as bare as can be: constant limits,
//! plain comparisons, nothing unknown. The references of `hama/full_375x500` share it; no change
//! of the product touches it. Columns mean nothing before the preset's first bars.

use hamatop::domain::hama::{HamaPoint, Sign};

use super::figures::sign;

/// Makes a struct of columns, each as long as the series.
macro_rules! columns {
    ($(#[$doc:meta])* $kind:ident { $($name:ident: $of:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $kind { $(pub $name: Vec<$of>,)+ }

        impl $kind {
            pub fn new(bars: usize) -> Self {
                Self { $($name: vec![<$of>::default(); bars],)+ }
            }
        }
    };
}
pub(crate) use columns;

columns! {
    /// Slopes, side, deviation, gradient counter, crosses, trend, score, and the bands' shares.
    Derived {
        dev: f64, distance: f64, score: f64, width: f64, pos: f64,
        open_slope: i8, ma_slope: i8, side: i8, trend: i8, direction: i8, steps: i8,
        cross: i8, last_cross: i8, band_side: i8,
        flip: bool, inferred: bool, bars_since: u32,
    }
}

impl Derived {
    /// Each from its first bar on, in loops of their own over columns of one length.
    pub fn slopes_and_sides(&mut self, open: &[f64], close: &[f64], ma: &[f64]) {
        slopes(&open[45..], &mut self.open_slope[45..]);
        slopes(&ma[99..], &mut self.ma_slope[99..]);
        let lines = close[99..].iter().zip(&ma[99..]);
        for ((close, ma), side) in lines.clone().zip(&mut self.side[99..]) {
            *side = sign(*close, *ma);
        }
        for (((close, ma), dev), distance) in lines.zip(&mut self.dev[99..]).zip(&mut self.distance[99..]) {
            *dev = (close - ma) / ma * 100.0;
            *distance = *dev / (dev.abs() + 1.5);
        }
    }

    /// What the bands say, given from their first bar on.
    pub fn bands(&mut self, from: usize, close: &[f64], basis: &[f64], upper: &[f64], lower: &[f64]) {
        let lines = basis.iter().zip(upper).zip(lower).zip(close);
        let shares = self.width[from..].iter_mut().zip(&mut self.pos[from..]);
        for ((((basis, upper), lower), close), (width, pos)) in lines.clone().zip(shares) {
            *width = (upper - lower) / basis;
            *pos = (close - lower) / (upper - lower);
        }
        for ((((_, upper), lower), close), side) in lines.zip(&mut self.band_side[from..]) {
            *side = i8::from(close > upper) - i8::from(close < lower);
        }
    }

    /// `mean`: the line's short average, asked for bar after bar.
    #[inline(always)]
    pub fn gradient(&mut self, ma: &[f64], mut mean: impl FnMut(usize) -> f64) {
        let (mut direction, mut steps, mut before) = (0, 0_i8, 0);
        for t in 101..ma.len() {
            let side = sign(ma[t], mean(t));
            // Chosen, not branched: which way the line goes next can't be foreseen.
            let step = side * self.ma_slope[t];
            let moved = if step < 0 { (steps + step).max(1) } else { (steps + step).min(5) };
            let moved = if (t > 101) & (side * before <= 0) { 1 } else { moved };
            steps = if side == 0 { steps } else { moved };
            direction = if side == 0 { direction } else { side };
            before = side;
            (self.direction[t], self.steps[t]) = (direction, steps);
        }
    }

    pub fn crosses(&mut self) {
        let (mut before, mut bars) = (self.side[99], 0);
        let (mut last, mut inferred) = (before, before != 0);
        for t in 99..self.side.len() {
            let side = self.side[t];
            let cross = if side != 0 && side != before { side } else { 0 };
            self.flip[t] = cross != 0 && cross != last;
            if cross != 0 {
                (last, inferred, bars) = (cross, false, 0);
            } else if t > 99 {
                bars += 1;
            }
            before = side;
            self.trend[t] = if (self.dev[t].abs() >= 0.1) & (side * last >= 0) { last } else { 0 };
            (self.cross[t], self.last_cross[t], self.inferred[t]) = (cross, last, inferred);
            self.bars_since[t] = bars;
        }
    }

    pub fn scores(&mut self) {
        let signs = self.trend[101..].iter().zip(&self.open_slope[101..]);
        let gradients = self.direction[101..].iter().zip(&self.steps[101..]);
        let rest = self.distance[101..].iter().zip(&mut self.score[101..]);
        for (((trend, slope), (direction, steps)), (distance, score)) in signs.zip(gradients).zip(rest) {
            let gradient = f64::from(direction * steps) * 0.2;
            let three = 0.40 * f64::from(*trend) + 0.25 * distance + 0.20 * gradient;
            *score = 100.0 * (three + 0.15 * f64::from(*slope));
        }
    }

    /// Says where a bar's figures differ from the product's.
    pub fn assert_agrees(&self, t: usize, p: &HamaPoint) {
        let sign = |ours: i8, theirs: Option<Sign>| {
            assert!(theirs.is_none_or(|s| s.as_i8() == ours), "{t}: {ours} {theirs:?}");
        };
        sign(self.open_slope[t], p.open_slope);
        sign(self.ma_slope[t], p.ma_slope);
        sign(self.side[t], p.side);
        sign(self.trend[t], p.trend);
        sign(self.direction[t], p.gradient.map(|g| g.dir));
        sign(self.last_cross[t], p.last_cross.map(|c| c.dir));
        sign(self.cross[t], p.cross);
        assert!(p.gradient.is_none_or(|g| g.steps as i8 == self.steps[t]));
        assert_eq!(self.flip[t], p.flip);
        if let Some(c) = p.last_cross {
            assert_eq!((self.inferred[t], self.bars_since[t]), (c.inferred, c.bars));
        }
        if let Some(b) = p.bands {
            assert!((self.width[t] - b.width).abs() < 1e-9 && (self.pos[t] - b.pos.unwrap()).abs() < 1e-6);
            assert!(b.breakout.is_none_or(|s| s.as_i8() == self.band_side[t]));
        }
        for (ours, theirs) in [(self.dev[t], p.dev_pct), (self.score[t], p.score)] {
            assert!(theirs.is_none_or(|x| (ours - x).abs() < 1e-6), "{t}: {ours} {theirs:?}");
        }
        assert!(p.parts.is_none_or(|x| (self.distance[t] - x.distance).abs() < 1e-9));
    }
}

/// Which way a line went on each bar but the first.
fn slopes(line: &[f64], out: &mut [i8]) {
    for ((before, x), out) in line.iter().zip(&line[1..]).zip(&mut out[1..]) {
        *out = sign(*x, *before);
    }
}
