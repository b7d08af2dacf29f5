//! The `ta-lib` crate's batch functions for the same averages and bands, each into a column of its
//! own: sources, three exponential averages, two weighted ones, the short average of the line, and
//! the bands. [`Columns::compute_all`] adds what the crate has no function for (slopes, side, cross,
//! deviation, gradient, trend, score, the bands' shares), by the plain passes of `derived_columns`:
//! the same columns as the product's.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;
use ta_lib::{Core, MAType};

use super::derived_columns::Derived;

/// The first bar of each line: open, high, low, close, the line, its short average, and the bands.
const FROM: [usize; 9] = [45, 19, 19, 39, 99, 101, 399, 399, 399];

pub struct Columns {
    core: Core,
    sources: [Vec<f64>; 5],
    times: Vec<i64>,
    /// In the order of [`FROM`]; of the bands the upper comes first.
    lines: [Vec<f64>; 9],
    derived: Derived,
}

impl Columns {
    pub fn new(bars: usize) -> Self {
        let column = || vec![0.0; bars];
        Self {
            core: Core::new(),
            sources: std::array::from_fn(|_| column()),
            times: vec![0; bars],
            lines: std::array::from_fn(|_| column()),
            derived: Derived::new(bars),
        }
    }

    /// Averages and bands.
    pub fn compute(&mut self, bars: &[Kline]) {
        self.sources::<false>(bars);
        self.averages();
    }

    /// Every column.
    pub fn compute_all(&mut self, bars: &[Kline]) {
        self.sources::<true>(bars);
        self.averages();
        let [open, _, _, close, ma, mean3, upper, basis, lower] = &self.lines;
        self.derived.slopes_and_sides(open, close, ma);
        let from = FROM[6];
        let close = &self.sources[4][from..];
        self.derived.bands(from, close, &basis[from..], &upper[from..], &lower[from..]);
        self.derived.gradient(ma, |t| mean3[t]);
        self.derived.crosses();
        self.derived.scores();
    }

    fn sources<const TIMES: bool>(&mut self, bars: &[Kline]) {
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
            if TIMES {
                self.times[t] = bar.close_time().0;
            }
        }
    }

    fn averages(&mut self) {
        let [so, sh, sl, sc, c] = &self.sources;
        let (core, end) = (&self.core, c.len() - 1);
        let mut from = FROM.iter();
        let [open, high, low, close, ma, mean3, upper, basis, lower] =
            self.lines.each_mut().map(|line| &mut line[*from.next().unwrap()..]);
        core.ema(0, end - 1, &so[1..], 45, open).unwrap();
        core.ema(0, end, sh, 20, high).unwrap();
        core.ema(0, end, sl, 20, low).unwrap();
        core.wma(0, end, sc, 40, close).unwrap();
        core.wma(0, end, c, 100, ma).unwrap();
        core.ema(0, end - 99, ma, 3, mean3).unwrap();
        core.bbands(0, end, c, 400, 2.0, 2.0, MAType::SMA, upper, basis, lower).unwrap();
    }

    /// Says where a bar's averages and bands differ from the product's.
    pub fn assert_agrees(&self, t: usize, p: &HamaPoint) {
        let bands = [p.bands.map(|b| b.upper), p.bands.map(|b| b.basis), p.bands.map(|b| b.lower)];
        let lines = [p.open, p.high, p.low, p.close, p.ma, None].into_iter().chain(bands);
        for (line, ours) in lines.enumerate() {
            let Some(ours) = ours else { continue };
            let theirs = self.lines[line][t];
            assert!((ours - theirs).abs() <= 1e-9 * ours.abs(), "{line} at {t}: {ours} {theirs}");
        }
    }

    /// The same of every column.
    pub fn assert_all_agree(&self, t: usize, p: &HamaPoint) {
        self.assert_agrees(t, p);
        let time = |bars: u32| self.times[t - bars as usize];
        assert!(p.last_cross.and_then(|c| c.time.map(|x| x.0 == time(c.bars))) != Some(false));
        self.derived.assert_agrees(t, p);
    }
}
