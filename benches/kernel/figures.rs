//! What follows from one bar's averages and bands, as bare as can be: plain comparisons, nothing
//! unknown. The references of `hama/close_375` share it; no change of the product touches it.

use hamatop::domain::hama::{Color, HamaPoint};
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
    pub gradient: f64,
    pub score: f64,
    pub basis: f64,
    pub upper: f64,
    pub lower: f64,
    pub width: f64,
    pub pos: f64,
    pub color: i8,
    pub open_slope: i8,
    pub ma_slope: i8,
    pub side: i8,
    pub trend: i8,
    pub direction: i8,
    pub steps: i8,
    /// Which side of its short average the line is on.
    pub gradient_side: i8,
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

/// The averages and bands of one bar.
pub struct Averages {
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub ma: f64,
    /// The line's short average.
    pub mean3: f64,
    pub basis: f64,
    pub upper: f64,
    pub lower: f64,
}

#[inline(always)]
pub fn sign(a: f64, b: f64) -> i8 {
    i8::from(a > b) - i8::from(a < b)
}

impl Figures {
    /// Those of the product's point of this bar, as far as the next bar needs them.
    pub fn after(newest: &Kline, last: &HamaPoint) -> Self {
        let (gradient, cross) = (last.gradient.unwrap(), last.last_cross.unwrap());
        let bands = last.bands.unwrap();
        Self {
            open: last.open.unwrap(),
            high: last.high.unwrap(),
            low: last.low.unwrap(),
            close: last.close.unwrap(),
            ma: last.ma.unwrap(),
            side: last.side.unwrap().as_i8(),
            direction: gradient.dir.as_i8(),
            gradient_side: gradient.dir.as_i8(),
            steps: gradient.steps as i8,
            last_cross: cross.dir.as_i8(),
            inferred: cross.inferred,
            bars_since: cross.bars,
            cross_time: cross.time.map_or(0, |t| t.0),
            band_side: sign(newest.close(), bands.upper).max(0) - sign(bands.lower, newest.close()).max(0),
            ..Self::default()
        }
    }

    /// Those of the next bar.
    #[inline(always)]
    pub fn next(&self, bar: &Kline, averages: Averages) -> Self {
        let before = self;
        let Averages { open, high, low, close, ma, mean3, basis, upper, lower } = averages;
        let mut f = Self { open, high, low, close, ma, basis, upper, lower, ..*before };
        f.open_slope = sign(open, before.open);
        f.color = if f.open_slope > 0 { 1 } else { -1 };
        f.ma_slope = sign(ma, before.ma);
        f.side = sign(close, ma);
        f.count(mean3);
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
        f.gradient = f64::from(f.direction) * f64::from(f.steps) / 5.0;
        let signs = 0.40 * f64::from(f.trend) + 0.25 * f.distance + 0.20 * f.gradient;
        f.score = 100.0 * (signs + 0.15 * f64::from(f.open_slope));
        let c = bar.close();
        f.width = (upper - lower) / basis;
        f.pos = (c - lower) / (upper - lower);
        f.band_state = i8::from(f.width > 0.15) - i8::from(f.width < 0.10);
        f.band_side = i8::from(c > upper) - i8::from(c < lower);
        f.band_break = if f.band_side == before.band_side { 0 } else { f.band_side };
        f
    }

    #[inline(always)]
    fn count(&mut self, mean3: f64) {
        let side = sign(self.ma, mean3);
        if side != 0 {
            self.steps = match side * self.ma_slope {
                _ if side * self.gradient_side <= 0 => 1,
                1 => (self.steps + 1).min(5),
                -1 => (self.steps - 1).max(1),
                _ => self.steps,
            };
            self.direction = side;
        }
        self.gradient_side = side;
    }

    /// Says where it differs from the product's point.
    /// `by`: the share by which averages may.
    pub fn assert_agrees(&self, p: &HamaPoint, by: f64) {
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
            near(ours, theirs, by);
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
        assert_eq!(self.color > 0, p.color == Color::Green);
        let parts = p.parts.unwrap();
        near(self.distance, parts.distance, 1e-6);
        near(self.gradient, parts.gradient, 1e-12);
        assert_eq!((f64::from(self.trend), f64::from(self.open_slope)), (parts.trend, parts.body));
    }
}
