//! The preset `quantdinger` bar by bar, as bare as can be: constant lengths, plain comparisons, no
//! fresh sums, nothing unknown. It is the measure, so no change of the product touches it.

use hamatop::domain::hama::HamaPoint;
use hamatop::domain::kline::Kline;

/// All figures of one bar.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub ma: f64,
    pub dev: f64,
    pub distance: f64,
    pub score: f64,
    pub basis: f64,
    pub upper: f64,
    pub lower: f64,
    pub width: f64,
    pub pos: f64,
    pub open_slope: i8,
    pub ma_slope: i8,
    pub side: i8,
    pub trend: i8,
    pub direction: i8,
    pub steps: i8,
    pub cross: i8,
    pub last_cross: i8,
    pub strength: i8,
    pub band_state: i8,
    pub band_side: i8,
    pub band_break: i8,
    pub flip: bool,
    pub inferred: bool,
    pub bars_since: u32,
    pub cross_time: i64,
}

pub struct State {
    body: f64,
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
    gradient_side: i8,
    last: Figures,
}

#[inline(always)]
pub fn sign(a: f64, b: f64) -> i8 {
    i8::from(a > b) - i8::from(a < b)
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
        let newest = bars[bars.len() - 1];
        let (gradient, cross) = (last.gradient.unwrap(), last.last_cross.unwrap());
        let bands = last.bands.unwrap();
        let basis_side = sign(newest.close(), bands.upper).max(0) - sign(bands.lower, newest.close()).max(0);
        Self {
            body: (newest.open() + newest.close()) / 2.0,
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
            gradient_side: gradient.dir.as_i8(),
            last: Figures {
                open: last.open.unwrap(),
                high: last.high.unwrap(),
                low: last.low.unwrap(),
                close: last.close.unwrap(),
                ma: last.ma.unwrap(),
                side: last.side.unwrap().as_i8(),
                direction: gradient.dir.as_i8(),
                steps: gradient.steps as i8,
                last_cross: cross.dir.as_i8(),
                inferred: cross.inferred,
                bars_since: cross.bars,
                cross_time: cross.time.map_or(0, |t| t.0),
                band_side: basis_side,
                ..Figures::default()
            },
        }
    }

    pub fn step(&mut self, bar: &Kline) -> Figures {
        let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
        let before = self.last;
        let mean4 = (o + h + l + c) / 4.0;
        let old40 = replace(&mut self.window40, &mut self.at40, mean4);
        let old100 = replace(&mut self.window100, &mut self.at100, c);
        let old400 = replace(&mut self.window400, &mut self.at400, c);
        let open = ema(45.0, before.open, self.body);
        let high = ema(20.0, before.high, h.max(c));
        let low = ema(20.0, before.low, l.min(c));
        let close = wma(&mut self.plain40, &mut self.weighted40, 40.0, mean4, old40);
        let ma = wma(&mut self.plain100, &mut self.weighted100, 100.0, c, old100);
        self.mean3 = ema(3.0, self.mean3, ma);
        let (new, old) = (c - self.anchor, old400 - self.anchor);
        self.sum += new - old;
        self.squares += (new - old) * (new + old);
        let shift = self.sum / 400.0;
        let sigma = ((self.squares - self.sum * shift) / 400.0).max(0.0).sqrt();
        self.body = (o + c) / 2.0;

        let mut f = Figures { open, high, low, close, ma, ..before };
        f.open_slope = sign(open, before.open);
        f.ma_slope = sign(ma, before.ma);
        f.side = sign(close, ma);
        self.count(&mut f);
        f.cross = if f.side != 0 && f.side != before.side { f.side } else { 0 };
        f.flip = f.cross != 0 && f.cross != before.last_cross;
        if f.cross == 0 {
            f.bars_since += 1;
        } else {
            (f.last_cross, f.inferred, f.bars_since) = (f.cross, false, 0);
            f.cross_time = bar.close_time().0;
        }
        f.dev = (close - ma) / ma * 100.0;
        f.distance = f.dev / (f.dev.abs() + 1.5);
        f.trend = if f.dev.abs() >= 0.1 && f.side * f.last_cross >= 0 { f.last_cross } else { 0 };
        f.strength = i8::from(f.dev.abs() > 0.3) + i8::from(f.dev.abs() > 1.0);
        let gradient = f64::from(f.direction) * f64::from(f.steps) / 5.0;
        let signs = 0.40 * f64::from(f.trend) + 0.25 * f.distance + 0.20 * gradient;
        f.score = 100.0 * (signs + 0.15 * f64::from(f.open_slope));
        f.basis = self.anchor + shift;
        (f.upper, f.lower) = (f.basis + 2.0 * sigma, f.basis - 2.0 * sigma);
        f.width = (f.upper - f.lower) / f.basis;
        f.pos = (c - f.lower) / (f.upper - f.lower);
        f.band_state = i8::from(f.width > 0.15) - i8::from(f.width < 0.10);
        f.band_side = i8::from(c > f.upper) - i8::from(c < f.lower);
        f.band_break = if f.band_side == before.band_side { 0 } else { f.band_side };
        self.last = f;
        f
    }

    fn count(&mut self, f: &mut Figures) {
        let side = sign(f.ma, self.mean3);
        if side != 0 {
            f.steps = match side * f.ma_slope {
                _ if side * self.gradient_side <= 0 => 1,
                1 => (f.steps + 1).min(5),
                -1 => (f.steps - 1).max(1),
                _ => f.steps,
            };
            f.direction = side;
        }
        self.gradient_side = side;
    }
}

/// EMA3 of WMA100, from far enough back.
fn mean3(bars: &[Kline]) -> f64 {
    let close: Vec<f64> = bars.iter().map(Kline::close).collect();
    let wma = |t: usize| (1..=100).map(|n| n as f64 * close[t - 100 + n]).sum::<f64>() / 5050.0;
    (bars.len() - 60..bars.len()).fold(wma(bars.len() - 61), |mean, t| ema(3.0, mean, wma(t)))
}

impl Figures {
    /// Says where it differs from the product's point.
    pub fn assert_agrees(&self, p: &HamaPoint) {
        let b = p.bands.unwrap();
        let (gradient, cross) = (p.gradient.unwrap(), p.last_cross.unwrap());
        let near = |a: f64, b: f64, by: f64| {
            assert!((a - b).abs() <= by * a.abs().max(b.abs()).max(1e-30), "{a} {b}")
        };
        for (ours, theirs) in [
            (self.open, p.open.unwrap()),
            (self.high, p.high.unwrap()),
            (self.low, p.low.unwrap()),
            (self.close, p.close.unwrap()),
            (self.ma, p.ma.unwrap()),
            (self.basis, b.basis),
            (self.upper, b.upper),
            (self.lower, b.lower),
        ] {
            near(ours, theirs, 1e-9);
        }
        for (ours, theirs) in
            [(self.dev, p.dev_pct.unwrap()), (self.score, p.score.unwrap()), (self.pos, b.pos.unwrap())]
        {
            assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
        }
        let signs = [
            p.open_slope.unwrap(),
            p.ma_slope.unwrap(),
            p.side.unwrap(),
            p.trend.unwrap(),
            gradient.dir,
            cross.dir,
        ];
        let ours = [self.open_slope, self.ma_slope, self.side, self.trend, self.direction, self.last_cross];
        assert_eq!(ours, signs.map(|s| s.as_i8()));
        assert_eq!((self.steps as u8, self.flip, self.inferred), (gradient.steps, p.flip, cross.inferred));
        assert_eq!(self.bars_since, cross.bars);
        assert_eq!(self.cross, p.cross.map_or(0, |s| s.as_i8()));
        assert_eq!(self.band_break, b.breakout.map_or(0, |s| s.as_i8()));
        assert_eq!((self.strength, self.band_state), (p.strength.unwrap() as i8, b.state as i8 - 1));
        assert_eq!(cross.time.map(|t| t.0), (self.cross_time != 0).then_some(self.cross_time));
        near(self.width, b.width, 1e-6);
        near(self.distance, p.parts.unwrap().distance, 1e-6);
    }
}
