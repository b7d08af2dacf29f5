//! The HAMA indicator ("NSDT HAMA Candles"): what one bar's result is made of.

use std::cmp::Ordering;

use super::time::UnixMs;

/// Up, down or neither. Whether the market says "neither" or we do not know is not mixed up:
/// unknown is the `None` of an `Option<Sign>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum Sign {
    /// −1
    Down = -1,
    /// 0
    Flat = 0,
    /// 1
    Up = 1,
}

impl Sign {
    /// Up, down or neither, where both at once are neither.
    #[inline]
    pub fn of(is_up: bool, is_down: bool) -> Self {
        // An order has the same numbers as a sign: this is one subtraction.
        match is_up.cmp(&is_down) {
            Ordering::Less => Self::Down,
            Ordering::Equal => Self::Flat,
            Ordering::Greater => Self::Up,
        }
    }

    /// −1, 0 or 1.
    pub const fn as_i8(self) -> i8 {
        self as i8
    }

    /// −1.0, 0.0 or 1.0.
    pub fn as_f64(self) -> f64 {
        f64::from(self.as_i8())
    }
}

/// The body colour of a HAMA candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Color {
    /// The candle's open rose.
    Green,
    /// It fell or stood (a tie is red).
    Red,
    /// Not known yet.
    Gray,
}

impl Color {
    /// The word, as files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Gray => "gray",
        }
    }
}

/// How far the HAMA close stands from the moving average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strength {
    /// Up to 0.3 %.
    Weak,
    /// Up to 1 %.
    Moderate,
    /// Over 1 %.
    Strong,
}

impl Strength {
    /// The word, as files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Moderate => "moderate",
            Self::Strong => "strong",
        }
    }
}

/// The gradient counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gradient {
    /// Which side of its own short average the line is on.
    pub dir: Sign,
    /// 0 to 5.
    pub steps: u8,
}

/// The last time the HAMA close crossed the moving average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LastCross {
    /// Up or down; flat while none is known.
    pub dir: Sign,
    /// No cross was seen: the side the first known bar stood on says how the last one must have
    /// gone. It is older than the bars at hand.
    pub inferred: bool,
    /// Closed bars since, 0 on the cross bar; for an inferred one, since the side was first known.
    pub bars: u32,
    /// Close time of the cross bar; `None` for an inferred one.
    pub time: Option<UnixMs>,
}

/// Where the bands' width stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BandState {
    /// Width below 0.10.
    Squeeze,
    /// Between.
    Normal,
    /// Width above 0.15.
    Expansion,
}

impl BandState {
    /// The word, as files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Squeeze => "squeeze",
            Self::Normal => "normal",
            Self::Expansion => "expansion",
        }
    }
}

/// The bands of one bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Middle line.
    pub basis: f64,
    /// Upper line.
    pub upper: f64,
    /// Lower line.
    pub lower: f64,
    /// (upper − lower) / basis
    pub width: f64,
    /// 0 at the lower line, 1 at the upper; `None` where they are one.
    pub pos: Option<f64>,
    /// Squeeze, normal, expansion.
    pub state: BandState,
    /// The close left the bands on this bar, upward or downward.
    pub breakout: Option<Sign>,
}

/// The four parts of an interval's score, each in [−1, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// Trend.
    pub trend: f64,
    /// Distance from the moving average, saturating softly.
    pub distance: f64,
    /// Gradient.
    pub gradient: f64,
    /// Slope of the candle's open.
    pub body: f64,
}

/// What the indicator says of one bar. What needs more bars than there are is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HamaPoint {
    /// HAMA open (O).
    pub open: Option<f64>,
    /// HAMA high (H). Not always above O and C: the lengths differ.
    pub high: Option<f64>,
    /// HAMA low (L).
    pub low: Option<f64>,
    /// HAMA close (C).
    pub close: Option<f64>,
    /// The moving average line (M).
    pub ma: Option<f64>,
    /// Body colour.
    pub color: Color,
    /// Which way O went.
    pub open_slope: Option<Sign>,
    /// Gradient counter.
    pub gradient: Option<Gradient>,
    /// Which way M went.
    pub ma_slope: Option<Sign>,
    /// sign(C − M)
    pub side: Option<Sign>,
    /// (C − M) / M · 100
    pub dev_pct: Option<f64>,
    /// Up, down or flat.
    pub trend: Option<Sign>,
    /// By |dev|.
    pub strength: Option<Strength>,
    /// C crossed M on this bar.
    pub cross: Option<Sign>,
    /// That cross went the other way than the last: what alerts go by.
    pub flip: bool,
    /// The last cross up to here.
    pub last_cross: Option<LastCross>,
    /// The bands.
    pub bands: Option<Bands>,
    /// The score's parts, where all four are known.
    pub parts: Option<Parts>,
    /// The interval's score s, −100 to 100, unrounded.
    pub score: Option<f64>,
}

impl HamaPoint {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        open: None,
        high: None,
        low: None,
        close: None,
        ma: None,
        color: Color::Gray,
        open_slope: None,
        gradient: None,
        ma_slope: None,
        side: None,
        dev_pct: None,
        trend: None,
        strength: None,
        cross: None,
        flip: false,
        last_cross: None,
        bands: None,
        parts: None,
        score: None,
    };
}
