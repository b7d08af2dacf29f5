//! The `ta-lib` crate's streams for the same averages and bands, asked for a bar that has not closed.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;
use ta_lib::{BbandsStream, Core, EmaStream, MAType, WmaStream};

pub struct Streams {
    body: f64,
    open: EmaStream,
    high: EmaStream,
    low: EmaStream,
    close: WmaStream,
    ma: WmaStream,
    mean3: EmaStream,
    bands: BbandsStream,
}

fn mean4(b: &Kline) -> f64 {
    (b.open() + b.high() + b.low() + b.close()) / 4.0
}

impl Streams {
    pub fn after(bars: &[Kline]) -> Self {
        let core = Core::new();
        let of = |f: fn(&Kline) -> f64| -> Vec<f64> { bars.iter().map(f).collect() };
        let body = of(|b| (b.open() + b.close()) / 2.0);
        let close = of(Kline::close);
        let mut ma = vec![0.0; close.len()];
        let known = core.wma(0, close.len() - 1, &close, 100, &mut ma).unwrap().count;
        Self {
            body: body[body.len() - 1],
            open: core.ema_open(&body[..body.len() - 1], 45).unwrap().0,
            high: core.ema_open(&of(|b| b.high().max(b.close())), 20).unwrap().0,
            low: core.ema_open(&of(|b| b.low().min(b.close())), 20).unwrap().0,
            close: core.wma_open(&of(mean4), 40).unwrap().0,
            ma: core.wma_open(&close, 100).unwrap().0,
            mean3: core.ema_open(&ma[..known], 3).unwrap().0,
            bands: core.bbands_open(&close, 400, 2.0, 2.0, MAType::SMA).unwrap().0,
        }
    }

    /// Open, high, low, close, the line, its short average, and upper, middle and lower band.
    pub fn peek(&self, bar: &Kline) -> [f64; 9] {
        let (h, l, c) = (bar.high(), bar.low(), bar.close());
        let ma = self.ma.peek(c).unwrap();
        let (upper, basis, lower) = self.bands.peek(c).unwrap();
        [
            self.open.peek(self.body).unwrap(),
            self.high.peek(h.max(c)).unwrap(),
            self.low.peek(l.min(c)).unwrap(),
            self.close.peek(mean4(bar)).unwrap(),
            ma,
            self.mean3.peek(ma).unwrap(),
            upper,
            basis,
            lower,
        ]
    }

    /// Says where its figures differ from the product's.
    pub fn assert_agrees(&self, bar: &Kline, p: &HamaPoint) {
        let (theirs, b) = (self.peek(bar), p.bands.unwrap());
        let ours = [p.open, p.high, p.low, p.close, p.ma].map(Option::unwrap);
        let ours = ours.into_iter().zip(0..).chain([(b.upper, 6), (b.basis, 7), (b.lower, 8)]);
        for (ours, n) in ours {
            assert!((ours - theirs[n]).abs() <= 1e-9 * ours.abs(), "{n}: {ours} {}", theirs[n]);
        }
    }
}
