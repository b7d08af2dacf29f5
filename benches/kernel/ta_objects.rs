//! The `ta` crate's objects for the same averages and bands: sources, three exponential averages,
//! two weighted ones, the short average of the line, and the bands. The crate has no weighted
//! average; [`Wma`] is one as its `SimpleMovingAverage` is written, with running sums and a ring.
//! Nothing beside averages and bands (no side, cross, deviation, gradient or score) is worked out
//! here, since the crate has no function for it: the bare kernel is the reference for those.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;
use ta::Next;
use ta::indicators::{BollingerBands, ExponentialMovingAverage as Ema};

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

    /// Open, high, low, close, the line, its short average, and the bands.
    pub fn next(&mut self, bar: &Kline) -> [f64; 9] {
        let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
        let open = self.open.next(if self.body == 0.0 { o } else { self.body });
        self.body = (o + c) / 2.0;
        let ma = self.ma.next(c);
        let bands = self.bands.next(c);
        [
            open,
            self.high.next(h.max(c)),
            self.low.next(l.min(c)),
            self.close.next((o + h + l + c) / 4.0),
            ma,
            self.mean3.next(ma),
            bands.average,
            bands.upper,
            bands.lower,
        ]
    }
}

/// Says where its figures differ from the product's: not by more than the
/// other seed of its exponential averages explains.
pub fn assert_agrees(theirs: &[f64; 9], p: &HamaPoint) {
    let b = p.bands.unwrap();
    let ours = [
        (0, p.open.unwrap()),
        (1, p.high.unwrap()),
        (2, p.low.unwrap()),
        (3, p.close.unwrap()),
        (4, p.ma.unwrap()),
        (6, b.basis),
        (7, b.upper),
        (8, b.lower),
    ];
    for (n, ours) in ours {
        assert!((ours - theirs[n]).abs() <= 1e-7 * ours.abs(), "{n}: {ours} {}", theirs[n]);
    }
}
