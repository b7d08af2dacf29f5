//! The `ta` crate's objects for the same averages and bands. It has no weighted average; its simple
//! one, which is less work, stands in for that.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;
use ta::Next;
use ta::indicators::{BollingerBands, ExponentialMovingAverage as Ema, SimpleMovingAverage as Sma};

pub struct Objects {
    body: f64,
    open: Ema,
    high: Ema,
    low: Ema,
    close: Sma,
    ma: Sma,
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
            close: Sma::new(40).unwrap(),
            ma: Sma::new(100).unwrap(),
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

/// Says where its figures differ from the product's: those both have, and not by more than the
/// other seed of its exponential averages explains.
pub fn assert_agrees(theirs: &[f64; 9], p: &HamaPoint) {
    let b = p.bands.unwrap();
    let ours = [
        (0, p.open.unwrap()),
        (1, p.high.unwrap()),
        (2, p.low.unwrap()),
        (6, b.basis),
        (7, b.upper),
        (8, b.lower),
    ];
    for (n, ours) in ours {
        assert!((ours - theirs[n]).abs() <= 1e-7 * ours.abs(), "{n}: {ours} {}", theirs[n]);
    }
}
