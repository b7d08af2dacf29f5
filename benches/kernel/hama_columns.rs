//! The preset `quantdinger` over a whole series, as bare and as fast as plain code can be: constant
//! lengths, chains that wait for themselves side by side, plain comparisons, no fresh sums, nothing
//! unknown, nothing worked out before the bar from which it means something. It is the measure, so
//! no change of the product touches it.

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

/// The first bar that has bands.
const BANDS: usize = 399;

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
        lines.candle();
        weighted::<40>(&lines.sc, &mut lines.close);
        weighted::<100>(&lines.c, &mut lines.ma);
        lines.bands();
        derived.slopes_and_sides(&lines.open, &lines.close, &lines.ma);
        let close = &lines.c[BANDS..];
        derived.bands(BANDS, close, &lines.basis[BANDS..], &lines.upper[BANDS..], &lines.lower[BANDS..]);
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
        let n = bars.len();
        let (so, sh, sl) = (&mut self.so[..n], &mut self.sh[..n], &mut self.sl[..n]);
        let (sc, c, time) = (&mut self.sc[..n], &mut self.c[..n], &mut self.time[..n]);
        let mut body = 0.0;
        for t in 0..n {
            let bar = &bars[t];
            let (open, high, low, close) = (bar.open(), bar.high(), bar.low(), bar.close());
            so[t] = body;
            body = (open + close) * 0.5;
            sh[t] = if high > close { high } else { close };
            sl[t] = if low < close { low } else { close };
            sc[t] = (open + high + low + close) * 0.25;
            c[t] = close;
            time[t] = bar.close_time().0;
        }
    }

    /// Open, high and low, which take turns: each waits for its own last value.
    fn candle(&mut self) {
        let n = self.so.len();
        let [mut o, mut h, mut l] = [(&self.so[1..46], 45.0), (&self.sh[..20], 20.0), (&self.sl[..20], 20.0)]
            .map(|(seed, length)| seed.iter().sum::<f64>() / length);
        (self.open[45], self.high[19], self.low[19]) = (o, h, l);
        let step = |length: f64, value: f64, x: f64| {
            let alpha = 2.0 / (length + 1.0);
            alpha * x + (1.0 - alpha) * value
        };
        for t in 20..46 {
            (h, l) = (step(20.0, h, self.sh[t]), step(20.0, l, self.sl[t]));
            (self.high[t], self.low[t]) = (h, l);
        }
        let (so, sh, sl) = (&self.so[46..n], &self.sh[46..n], &self.sl[46..n]);
        let (open, high, low) = (&mut self.open[46..n], &mut self.high[46..n], &mut self.low[46..n]);
        for t in 0..so.len() {
            (o, h, l) = (step(45.0, o, so[t]), step(20.0, h, sh[t]), step(20.0, l, sl[t]));
            (open[t], high[t], low[t]) = (o, h, l);
        }
    }

    /// The sums, then basis and lines of each bar by itself.
    fn bands(&mut self) {
        let x = &self.c;
        let anchor = x[0];
        let (mut sum, mut squares) = (0.0, 0.0);
        for x in &x[..400] {
            let new = x - anchor;
            sum += new;
            squares += new * new;
        }
        let scale = 1.0 / 400.0;
        let say = |sum: f64, squares: f64, basis: &mut f64, variance: &mut f64| {
            let shift = sum * scale;
            (*basis, *variance) = (anchor + shift, (squares - sum * shift) * scale);
        };
        let (basis, variance) = (&mut self.basis[BANDS..], &mut self.variance[BANDS..]);
        say(sum, squares, &mut basis[0], &mut variance[0]);
        let windows = x[400..].iter().zip(x);
        for ((new, old), (basis, variance)) in windows.zip(basis[1..].iter_mut().zip(&mut variance[1..])) {
            let (new, old) = (new - anchor, old - anchor);
            sum += new - old;
            squares += (new - old) * (new + old);
            say(sum, squares, basis, variance);
        }
        let lines = self.upper[BANDS..].iter_mut().zip(&mut self.lower[BANDS..]);
        for ((basis, variance), (upper, lower)) in basis.iter().zip(&*variance).zip(lines) {
            let half = 2.0 * (if *variance > 0.0 { *variance } else { 0.0 }).sqrt();
            (*upper, *lower) = (basis + half, basis - half);
        }
    }
}

fn weighted<const LENGTH: usize>(x: &[f64], out: &mut [f64]) {
    let weight = LENGTH as f64;
    let scale = 2.0 / (weight * (weight + 1.0));
    let (mut plain, mut sum) = (0.0, 0.0);
    for x in &x[..LENGTH] {
        sum += weight * x - plain;
        plain += x;
    }
    out[LENGTH - 1] = sum * scale;
    for ((new, old), out) in x[LENGTH..].iter().zip(x).zip(&mut out[LENGTH..]) {
        sum += weight * new - plain;
        plain += new - old;
        *out = sum * scale;
    }
}
