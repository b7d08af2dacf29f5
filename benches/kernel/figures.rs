//! What follows from one bar's averages and bands, as bare as can be: plain comparisons, nothing
//! unknown. The references of `hama/close_375` share it; no change of the product touches it.

use hamatop::domain::hama::{Color, HamaPoint};
use hamatop::domain::kline::Kline;

/// All figures of one bar.
#[derive(Debug)]
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
    pub cross: i8,
    pub last_cross: i8,
    pub strength: i8,
    pub band_state: i8,
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

/// What the next bar has to know of the last.
pub struct Last {
    pub open: f64,
    ma: f64,
    cross_time: i64,
    bars_since: u32,
    side: i8,
    direction: i8,
    steps: i8,
    /// Which side of its short average the line is on.
    gradient_side: i8,
    cross: i8,
    inferred: bool,
    band_side: i8,
}

impl Last {
    /// Of the product's point of this bar.
    pub fn of(newest: &Kline, last: &HamaPoint) -> Self {
        let (gradient, cross) = (last.gradient.unwrap(), last.last_cross.unwrap());
        let bands = last.bands.unwrap();
        Self {
            open: last.open.unwrap(),
            ma: last.ma.unwrap(),
            cross_time: cross.time.map_or(0, |t| t.0),
            bars_since: cross.bars,
            side: last.side.unwrap().as_i8(),
            direction: gradient.dir.as_i8(),
            steps: gradient.steps as i8,
            gradient_side: gradient.dir.as_i8(),
            cross: cross.dir.as_i8(),
            inferred: cross.inferred,
            band_side: sign(newest.close(), bands.upper).max(0) - sign(bands.lower, newest.close()).max(0),
        }
    }

    /// The figures of the next bar, which becomes the last.
    #[inline(always)]
    pub fn next(&mut self, bar: &Kline, averages: Averages) -> Figures {
        let Averages { open, high, low, close, ma, mean3, basis, upper, lower } = averages;
        let open_slope = sign(open, self.open);
        let ma_slope = sign(ma, self.ma);
        self.count(sign(ma, mean3), ma_slope);
        let side = sign(close, ma);
        let cross = if side != 0 && side != self.side { side } else { 0 };
        let flip = cross != 0 && cross != self.cross;
        if cross == 0 {
            self.bars_since += 1;
        } else {
            (self.cross, self.inferred, self.bars_since) = (cross, false, 0);
            self.cross_time = bar.close_time().0;
        }
        let dev = (close - ma) / ma * 100.0;
        let distance = dev / (dev.abs() + 1.5);
        let trend = if dev.abs() >= 0.1 && side * self.cross >= 0 { self.cross } else { 0 };
        let gradient = f64::from(self.direction) * f64::from(self.steps) / 5.0;
        let signs = 0.40 * f64::from(trend) + 0.25 * distance + 0.20 * gradient;
        let c = bar.close();
        let width = (upper - lower) / basis;
        let band_side = i8::from(c > upper) - i8::from(c < lower);
        let band_break = if band_side == self.band_side { 0 } else { band_side };
        (self.open, self.ma, self.side, self.band_side) = (open, ma, side, band_side);
        Figures {
            open,
            high,
            low,
            close,
            ma,
            dev,
            distance,
            gradient,
            score: 100.0 * (signs + 0.15 * f64::from(open_slope)),
            basis,
            upper,
            lower,
            width,
            pos: (c - lower) / (upper - lower),
            color: if open_slope > 0 { 1 } else { -1 },
            open_slope,
            ma_slope,
            side,
            trend,
            direction: self.direction,
            steps: self.steps,
            cross,
            last_cross: self.cross,
            strength: i8::from(dev.abs() > 0.3) + i8::from(dev.abs() > 1.0),
            band_state: i8::from(width > 0.15) - i8::from(width < 0.10),
            band_break,
            flip,
            inferred: self.inferred,
            bars_since: self.bars_since,
            cross_time: self.cross_time,
        }
    }

    #[inline(always)]
    fn count(&mut self, side: i8, slope: i8) {
        if side != 0 {
            self.steps = match side * slope {
                _ if side * self.gradient_side <= 0 => 1,
                1 => (self.steps + 1).min(5),
                -1 => (self.steps - 1).max(1),
                _ => self.steps,
            };
            self.direction = side;
        }
        self.gradient_side = side;
    }
}

impl Figures {
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
