//! The preset `quantdinger` bar by bar, as bare as can be: constant lengths, plain comparisons, no
//! fresh sums, nothing unknown. It is the measure, so no change of the product touches it.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;

use super::figures::{Averages, Figures, Last};

pub struct State {
    body: f64,
    high: f64,
    low: f64,
    mean3: f64,
    plain40: f64,
    weighted40: f64,
    plain100: f64,
    weighted100: f64,
    anchor: f64,
    sum: f64,
    squares: f64,
    at40: usize,
    at100: usize,
    at400: usize,
    window40: Box<[f64]>,
    window100: Box<[f64]>,
    window400: Box<[f64]>,
    last: Last,
}

fn replace(window: &mut [f64], at: &mut usize, x: f64) -> f64 {
    let old = std::mem::replace(&mut window[*at], x);
    *at = if *at + 1 == window.len() { 0 } else { *at + 1 };
    old
}

fn wma(plain: &mut f64, weighted: &mut f64, length: f64, x: f64, old: f64) -> f64 {
    *weighted += length * x - *plain;
    *plain += x - old;
    *weighted * (2.0 / (length * (length + 1.0)))
}

fn ema(length: f64, before: f64, x: f64) -> f64 {
    let alpha = 2.0 / (length + 1.0);
    alpha * x + (1.0 - alpha) * before
}

impl State {
    /// After these bars (400 or more of them), of which the last had these figures.
    pub fn after(bars: &[Kline], last: &HamaPoint) -> Self {
        let of = |length: usize, f: fn(&Kline) -> f64| -> Box<[f64]> {
            bars[bars.len() - length..].iter().map(f).collect()
        };
        let mean4 = |b: &Kline| (b.open() + b.high() + b.low() + b.close()) / 4.0;
        let (window40, window100, window400) = (of(40, mean4), of(100, Kline::close), of(400, Kline::close));
        let weighted = |w: &[f64]| w.iter().enumerate().map(|(n, x)| (n + 1) as f64 * x).sum::<f64>();
        let anchor = window400[399];
        let newest = &bars[bars.len() - 1];
        Self {
            body: (newest.open() + newest.close()) / 2.0,
            high: last.high.unwrap(),
            low: last.low.unwrap(),
            mean3: mean3(bars),
            plain40: window40.iter().sum(),
            weighted40: weighted(&window40),
            plain100: window100.iter().sum(),
            weighted100: weighted(&window100),
            anchor,
            sum: window400.iter().map(|x| x - anchor).sum(),
            squares: window400.iter().map(|x| (x - anchor) * (x - anchor)).sum(),
            at40: 0,
            at100: 0,
            at400: 0,
            window40,
            window100,
            window400,
            last: Last::of(newest, last),
        }
    }

    pub fn step(&mut self, bar: &Kline) -> Figures {
        let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
        let mean4 = (o + h + l + c) / 4.0;
        let old40 = replace(&mut self.window40, &mut self.at40, mean4);
        let old100 = replace(&mut self.window100, &mut self.at100, c);
        let old400 = replace(&mut self.window400, &mut self.at400, c);
        let open = ema(45.0, self.last.open, self.body);
        self.high = ema(20.0, self.high, h.max(c));
        self.low = ema(20.0, self.low, l.min(c));
        let close = wma(&mut self.plain40, &mut self.weighted40, 40.0, mean4, old40);
        let ma = wma(&mut self.plain100, &mut self.weighted100, 100.0, c, old100);
        self.mean3 = ema(3.0, self.mean3, ma);
        let (new, old) = (c - self.anchor, old400 - self.anchor);
        self.sum += new - old;
        self.squares += (new - old) * (new + old);
        let shift = self.sum / 400.0;
        let sigma = ((self.squares - self.sum * shift) / 400.0).max(0.0).sqrt();
        self.body = (o + c) / 2.0;
        let (basis, half) = (self.anchor + shift, 2.0 * sigma);
        let (high, low, mean3) = (self.high, self.low, self.mean3);
        let (upper, lower) = (basis + half, basis - half);
        self.last.next(bar, Averages { open, high, low, close, ma, mean3, basis, upper, lower })
    }
}

/// EMA3 of WMA100, from far enough back.
fn mean3(bars: &[Kline]) -> f64 {
    let close: Vec<f64> = bars.iter().map(Kline::close).collect();
    let wma = |t: usize| (1..=100).map(|n| n as f64 * close[t - 100 + n]).sum::<f64>() / 5050.0;
    (bars.len() - 60..bars.len()).fold(wma(bars.len() - 61), |mean, t| ema(3.0, mean, wma(t)))
}
