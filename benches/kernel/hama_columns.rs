//! The preset `quantdinger` over a whole series, as bare as can be: constant lengths, one loop per
//! chain, plain comparisons, no fresh sums, nothing unknown. It is the measure, so no change of the
//! product touches it. Columns mean nothing before the preset's first bars.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;

use super::kernel_steps::sign;

macro_rules! columns {
    ($($name:ident: $kind:ty,)+) => {
        /// All figures of a series.
        #[derive(Default)]
        pub struct Columns { $(pub $name: Vec<$kind>,)+ }

        impl Columns {
            pub fn new(bars: usize) -> Self {
                Self { $($name: vec![<$kind>::default(); bars],)+ }
            }
        }
    };
}

columns! {
    so: f64, sh: f64, sl: f64, sc: f64, c: f64, time: i64,
    open: f64, high: f64, low: f64, close: f64, ma: f64,
    dev: f64, distance: f64, score: f64,
    basis: f64, variance: f64, upper: f64, lower: f64, width: f64, pos: f64,
    open_slope: i8, ma_slope: i8, side: i8, trend: i8, direction: i8, steps: i8,
    cross: i8, last_cross: i8, band_side: i8,
    flip: bool, inferred: bool, bars_since: u32,
}

impl Columns {
    pub fn compute(&mut self, bars: &[Kline]) {
        let n = bars.len();
        self.sources(bars);
        ema(&self.so[1..], 45, &mut self.open[1..]);
        ema(&self.sh, 20, &mut self.high);
        ema(&self.sl, 20, &mut self.low);
        wma(&self.sc, 40, &mut self.close);
        wma(&self.c, 100, &mut self.ma);
        self.spread();
        for t in 1..n {
            self.open_slope[t] = sign(self.open[t], self.open[t - 1]);
            self.ma_slope[t] = sign(self.ma[t], self.ma[t - 1]);
        }
        for t in 0..n {
            self.side[t] = sign(self.close[t], self.ma[t]);
            self.dev[t] = (self.close[t] - self.ma[t]) / self.ma[t] * 100.0;
            self.distance[t] = self.dev[t] / (self.dev[t].abs() + 1.5);
        }
        self.bands();
        self.gradient();
        self.crosses();
        for t in 0..n {
            let gradient = f64::from(self.direction[t]) * f64::from(self.steps[t]) / 5.0;
            let three = 0.40 * f64::from(self.trend[t]) + 0.25 * self.distance[t] + 0.20 * gradient;
            self.score[t] = 100.0 * (three + 0.15 * f64::from(self.open_slope[t]));
        }
    }

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

    fn bands(&mut self) {
        for t in 0..self.c.len() {
            let half = 2.0 * self.variance[t].max(0.0).sqrt();
            let (upper, lower) = (self.basis[t] + half, self.basis[t] - half);
            (self.upper[t], self.lower[t]) = (upper, lower);
            self.width[t] = (upper - lower) / self.basis[t];
            self.pos[t] = (self.c[t] - lower) / (upper - lower);
            self.band_side[t] = i8::from(self.c[t] > upper) - i8::from(self.c[t] < lower);
        }
    }

    fn gradient(&mut self) {
        let (mut mean, mut before) = ((self.ma[99] + self.ma[100] + self.ma[101]) / 3.0, 0);
        let (mut direction, mut steps) = (0, 0);
        for t in 101..self.ma.len() {
            if t > 101 {
                mean = 0.5 * self.ma[t] + 0.5 * mean;
            }
            let side = sign(self.ma[t], mean);
            if side != 0 {
                steps = match side * self.ma_slope[t] {
                    _ if t > 101 && side * before <= 0 => 1,
                    1 => (steps + 1).min(5),
                    -1 => (steps - 1_i8).max(1),
                    _ => steps,
                };
                direction = side;
            }
            before = side;
            (self.direction[t], self.steps[t]) = (direction, steps);
        }
    }

    fn crosses(&mut self) {
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
            self.trend[t] = if self.dev[t].abs() >= 0.1 && side * last >= 0 { last } else { 0 };
            (self.cross[t], self.last_cross[t], self.inferred[t]) = (cross, last, inferred);
            self.bars_since[t] = bars;
        }
    }

    /// Says where a bar's figures differ from the product's.
    pub fn assert_agrees(&self, t: usize, p: &HamaPoint) {
        let near = |a: f64, b: Option<f64>| {
            assert!(b.is_none_or(|b| (a - b).abs() <= 1e-9 * a.abs().max(b.abs())), "{a} {b:?}");
        };
        let lines = [
            (self.open[t], p.open),
            (self.high[t], p.high),
            (self.low[t], p.low),
            (self.close[t], p.close),
            (self.ma[t], p.ma),
        ];
        let bands =
            p.bands.map(|b| [(self.basis[t], b.basis), (self.upper[t], b.upper), (self.lower[t], b.lower)]);
        for (ours, theirs) in lines {
            near(ours, theirs);
        }
        for (ours, theirs) in bands.into_iter().flatten() {
            near(ours, Some(theirs));
        }
        let sign = |ours: i8, theirs: Option<hamatop::domain::hama::Sign>| {
            assert!(theirs.is_none_or(|s| s.as_i8() == ours), "{t}: {ours} {theirs:?}");
        };
        sign(self.open_slope[t], p.open_slope);
        sign(self.ma_slope[t], p.ma_slope);
        sign(self.side[t], p.side);
        sign(self.trend[t], p.trend);
        sign(self.direction[t], p.gradient.map(|g| g.dir));
        sign(self.last_cross[t], p.last_cross.map(|c| c.dir));
        assert!(p.gradient.is_none_or(|g| g.steps as i8 == self.steps[t]));
        assert_eq!(self.flip[t], p.flip);
        if let Some(c) = p.last_cross {
            assert_eq!((self.inferred[t], self.bars_since[t]), (c.inferred, c.bars));
        }
        if let Some(b) = p.bands {
            assert!((self.width[t] - b.width).abs() < 1e-9 && (self.pos[t] - b.pos.unwrap()).abs() < 1e-6);
        }
        for (ours, theirs) in [(self.dev[t], p.dev_pct), (self.score[t], p.score)] {
            assert!(theirs.is_none_or(|x| (ours - x).abs() < 1e-6), "{t}: {ours} {theirs:?}");
        }
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
