//! The `ta-lib` crate's batch functions for the same averages and bands, each into a column of its
//! own: sources, three exponential averages, two weighted ones, the short average of the line, and
//! the bands. The product fills some twenty columns more (slopes, side, cross, deviation, gradient,
//! trend, score, width and place within the bands); the bare kernel is the reference for those.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;
use ta_lib::{Core, MAType};

pub struct Columns {
    core: Core,
    sources: [Vec<f64>; 5],
    lines: [Vec<f64>; 9],
}

impl Columns {
    pub fn new(bars: usize) -> Self {
        let column = || vec![0.0; bars];
        Self {
            core: Core::new(),
            sources: std::array::from_fn(|_| column()),
            lines: std::array::from_fn(|_| column()),
        }
    }

    pub fn compute(&mut self, bars: &[Kline]) {
        let [so, sh, sl, sc, c] = &mut self.sources;
        let mut body = 0.0;
        for (t, bar) in bars.iter().enumerate() {
            let (open, high, low, close) = (bar.open(), bar.high(), bar.low(), bar.close());
            so[t] = body;
            body = (open + close) / 2.0;
            sh[t] = high.max(close);
            sl[t] = low.min(close);
            sc[t] = (open + high + low + close) / 4.0;
            c[t] = close;
        }
        let (core, end) = (&self.core, bars.len() - 1);
        let [open, high, low, close, ma, mean3, upper, basis, lower] = &mut self.lines;
        core.ema(0, end - 1, &so[1..], 45, open).unwrap();
        core.ema(0, end, sh, 20, high).unwrap();
        core.ema(0, end, sl, 20, low).unwrap();
        core.wma(0, end, sc, 40, close).unwrap();
        core.wma(0, end, c, 100, ma).unwrap();
        core.ema(0, end - 99, &ma[..=end - 99], 3, mean3).unwrap();
        core.bbands(0, end, c, 400, 2.0, 2.0, MAType::SMA, upper, basis, lower).unwrap();
    }

    /// Says where a bar's figures differ from the product's.
    pub fn assert_agrees(&self, t: usize, p: &HamaPoint) {
        let bands = [p.bands.map(|b| b.upper), p.bands.map(|b| b.basis), p.bands.map(|b| b.lower)];
        let lines = [(0, 45, p.open), (1, 19, p.high), (2, 19, p.low), (3, 39, p.close), (4, 99, p.ma)];
        let bands = bands.into_iter().enumerate().map(|(n, b)| (6 + n, 399, b));
        for (line, from, ours) in lines.into_iter().chain(bands) {
            let Some(ours) = ours else { continue };
            let theirs = self.lines[line][t - from];
            assert!((ours - theirs).abs() <= 1e-9 * ours.abs(), "{line} at {t}: {ours} {theirs}");
        }
    }
}
