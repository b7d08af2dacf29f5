//! The `ta` crate's objects for the same averages and bands: sources, three exponential averages,
//! two weighted ones, the short average of the line, and the bands. The crate has no weighted
//! average; [`Wma`] is one as its `SimpleMovingAverage` is written, with running sums and a ring.
//! [`Objects`] gives averages and bands only. [`All`] adds what the crate has no function for
//! (slopes, side, cross, deviation, gradient, trend, score, the bands' shares), by the plain code of
//! `figures`: the same figures as the product's.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;
use ta::Next;
use ta::indicators::{BollingerBands, ExponentialMovingAverage as Ema};

use super::figures::{Averages, Figures, Last};

/// The weighted average in that crate's manner.
struct Wma {
    period: usize,
    index: usize,
    count: usize,
    sum: f64,
    weighted: f64,
    deque: Box<[f64]>,
}

impl Wma {
    fn new(period: usize) -> Self {
        Self { period, index: 0, count: 0, sum: 0.0, weighted: 0.0, deque: vec![0.0; period].into() }
    }
}

impl Next<f64> for Wma {
    type Output = f64;

    fn next(&mut self, input: f64) -> f64 {
        let old = self.deque[self.index];
        self.deque[self.index] = input;
        self.index = if self.index + 1 < self.period { self.index + 1 } else { 0 };
        if self.count < self.period {
            self.count += 1;
            self.weighted += self.count as f64 * input;
        } else {
            self.weighted += self.period as f64 * input - self.sum;
        }
        self.sum = self.sum - old + input;
        self.weighted / (self.count * (self.count + 1) / 2) as f64
    }
}

pub struct Objects {
    body: f64,
    open: Ema,
    high: Ema,
    low: Ema,
    close: Wma,
    ma: Wma,
    mean3: Ema,
    bands: BollingerBands,
}

impl Objects {
    pub fn new() -> Self {
        Self {
            body: 0.0,
            open: Ema::new(45).unwrap(),
            high: Ema::new(20).unwrap(),
            low: Ema::new(20).unwrap(),
            close: Wma::new(40),
            ma: Wma::new(100),
            mean3: Ema::new(3).unwrap(),
            bands: BollingerBands::new(400, 2.0).unwrap(),
        }
    }

    #[inline(always)]
    pub fn next(&mut self, bar: &Kline) -> Averages {
        let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
        let open = self.open.next(if self.body == 0.0 { o } else { self.body });
        self.body = (o + c) / 2.0;
        let ma = self.ma.next(c);
        let bands = self.bands.next(c);
        Averages {
            open,
            high: self.high.next(h.max(c)),
            low: self.low.next(l.min(c)),
            close: self.close.next((o + h + l + c) / 4.0),
            ma,
            mean3: self.mean3.next(ma),
            basis: bands.average,
            upper: bands.upper,
            lower: bands.lower,
        }
    }
}

/// The objects, and everything that follows from them.
pub struct All {
    objects: Objects,
    last: Last,
}

impl All {
    /// After these bars, of which the last had these figures.
    pub fn after(bars: &[Kline], last: &HamaPoint) -> Self {
        let mut objects = Objects::new();
        for bar in bars {
            objects.next(bar);
        }
        Self { objects, last: Last::of(&bars[bars.len() - 1], last) }
    }

    pub fn next(&mut self, bar: &Kline) -> Figures {
        self.last.next(bar, self.objects.next(bar))
    }
}

/// The share that the other seed of its exponential averages explains.
pub const SEEDS: f64 = 1e-7;

/// Says where its figures differ from the product's.
pub fn assert_agrees(a: &Averages, p: &HamaPoint) {
    let b = p.bands.unwrap();
    for (ours, theirs) in [
        (p.open.unwrap(), a.open),
        (p.high.unwrap(), a.high),
        (p.low.unwrap(), a.low),
        (p.close.unwrap(), a.close),
        (p.ma.unwrap(), a.ma),
        (b.basis, a.basis),
        (b.upper, a.upper),
        (b.lower, a.lower),
    ] {
        assert!((ours - theirs).abs() <= SEEDS * ours.abs(), "{ours} {theirs}");
    }
}
