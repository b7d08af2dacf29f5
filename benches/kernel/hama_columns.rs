//! The preset `quantdinger` over a whole series, as bare as can be: constant lengths, one loop per
//! chain, plain comparisons, no fresh sums, nothing unknown. It is the measure, so no change of the
//! product touches it. Columns mean nothing before the preset's first bars.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;

use super::derived_columns::{Derived, columns};

columns! {
    /// Sources, averages and bands.
    Lines {
        so: f64, sh: f64, sl: f64, sc: f64, c: f64, time: i64,
        open: f64, high: f64, low: f64, close: f64, ma: f64,
        basis: f64, variance: f64, upper: f64, lower: f64,
    }
}

/// All figures of a series.
pub struct Columns {
    lines: Lines,
    derived: Derived,
}

impl Columns {
    pub fn new(bars: usize) -> Self {
        Self { lines: Lines::new(bars), derived: Derived::new(bars) }
    }

    pub fn compute(&mut self, bars: &[Kline]) {
        let Self { lines, derived } = self;
        lines.sources(bars);
        ema(&lines.so[1..], 45, &mut lines.open[1..]);
        ema(&lines.sh, 20, &mut lines.high);
        ema(&lines.sl, 20, &mut lines.low);
        wma(&lines.sc, 40, &mut lines.close);
        wma(&lines.c, 100, &mut lines.ma);
        lines.spread();
        derived.slopes_and_sides(&lines.open, &lines.close, &lines.ma);
        for t in 0..bars.len() {
            derived.band(t, lines.c[t], lines.bands(t));
        }
        let ma = &lines.ma;
        let mut mean = (ma[99] + ma[100] + ma[101]) / 3.0;
        derived.gradient(ma, |t| {
            if t > 101 {
                mean = 0.5 * ma[t] + 0.5 * mean;
            }
            mean
        });
        derived.crosses();
        derived.scores();
    }

    /// Says where a bar's figures differ from the product's.
    pub fn assert_agrees(&self, t: usize, p: &HamaPoint) {
        let near = |a: f64, b: Option<f64>| {
            assert!(b.is_none_or(|b| (a - b).abs() <= 1e-9 * a.abs().max(b.abs())), "{a} {b:?}");
        };
        let l = &self.lines;
        let bands = p.bands;
        for (ours, theirs) in [
            (l.open[t], p.open),
            (l.high[t], p.high),
            (l.low[t], p.low),
            (l.close[t], p.close),
            (l.ma[t], p.ma),
            (l.basis[t], bands.map(|b| b.basis)),
            (l.upper[t], bands.map(|b| b.upper)),
            (l.lower[t], bands.map(|b| b.lower)),
        ] {
            near(ours, theirs);
        }
        assert!(p.last_cross.and_then(|c| c.time.map(|x| x.0 == l.time[t - c.bars as usize])) != Some(false));
        self.derived.assert_agrees(t, p);
    }
}

impl Lines {
    fn sources(&mut self, bars: &[Kline]) {
        let mut body = 0.0;
        for (t, bar) in bars.iter().enumerate() {
            let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
            self.so[t] = body;
            body = (o + c) / 2.0;
            self.sh[t] = h.max(c);
            self.sl[t] = l.min(c);
            self.sc[t] = (o + h + l + c) / 4.0;
            self.c[t] = c;
            self.time[t] = bar.close_time().0;
        }
    }

    fn spread(&mut self) {
        let x = &self.c;
        let (anchor, mut sum, mut squares) = (x[0], 0.0, 0.0);
        for t in 0..x.len() {
            let (new, old) = (x[t] - anchor, if t < 400 { 0.0 } else { x[t - 400] - anchor });
            sum += new - old;
            squares += (new - old) * (new + old);
            let shift = sum / 400.0;
            self.basis[t] = anchor + shift;
            self.variance[t] = (squares - sum * shift) / 400.0;
        }
    }

    /// Basis, upper and lower.
    #[inline(always)]
    fn bands(&mut self, t: usize) -> (f64, f64, f64) {
        let (basis, half) = (self.basis[t], 2.0 * self.variance[t].max(0.0).sqrt());
        (self.upper[t], self.lower[t]) = (basis + half, basis - half);
        (basis, basis + half, basis - half)
    }
}

fn ema(x: &[f64], length: usize, out: &mut [f64]) {
    let alpha = 2.0 / (length as f64 + 1.0);
    let mut value = x[..length].iter().sum::<f64>() / length as f64;
    out[length - 1] = value;
    for (x, out) in x[length..].iter().zip(&mut out[length..]) {
        value = alpha * x + (1.0 - alpha) * value;
        *out = value;
    }
}

fn wma(x: &[f64], length: usize, out: &mut [f64]) {
    let (weight, scale) = (length as f64, 2.0 / (length as f64 * (length as f64 + 1.0)));
    let (mut plain, mut weighted) = (0.0, 0.0);
    for t in 0..x.len() {
        let old = if t < length { 0.0 } else { x[t - length] };
        weighted += weight * x[t] - plain;
        plain += x[t] - old;
        out[t] = weighted * scale;
    }
}
