//! The columns of a chart: bars alone, or several in one.

use std::ops::Range;

use crate::domain::hama::{Color, HamaPoint, Sign};
use crate::domain::indicator::tie;
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::time::UnixMs;

use super::{Layer, Layers};

/// What the candles are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candles {
    /// The indicator.
    Hama,
    /// The market.
    Market,
}

/// Which way a candle goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Of HAMA: its open rose. Of the market: it closed no lower than it opened.
    Up,
    /// It did not.
    Down,
    /// There is no bar before it that would tell.
    Unknown,
}

/// A candle as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    /// Open of the first bar.
    pub open: f64,
    /// Close of the last bar.
    pub close: f64,
    /// Highest high and lowest low. Of HAMA they need not lie outside open and close.
    pub wick: Option<(f64, f64)>,
    /// Which way.
    pub turn: Turn,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Open time of its first bar.
    pub open_time: UnixMs,
    /// Bars are missing before it or in it, which the exchange itself does not have.
    pub has_hole: bool,
    /// The candle; `None` where it is not known yet.
    pub candle: Option<Candle>,
    /// The moving average on its last bar.
    pub ma: Option<f64>,
    /// The upper and the lower band on its last bar.
    pub bands: Option<[f64; 2]>,
    /// What was traded in all its bars.
    pub volume: f64,
}

/// Bars that share a column, by their places in the series.
pub type Group = Range<usize>;

/// Parts a series into groups of `size` bars. The limits are fixed in time, so that a new bar does
/// not move them.
pub fn groups(bars: &[Kline], interval: Interval, size: u32) -> Vec<Group> {
    let span = interval.millis() * i64::from(size.max(1));
    let mut out: Vec<Group> = Vec::new();
    let mut id = None;
    for (n, bar) in bars.iter().enumerate() {
        let here = Some(bar.open_time().0.div_euclid(span));
        match out.last_mut().filter(|_| size > 1 && here == id) {
            Some(last) => last.end = n + 1,
            None => out.push(n..n + 1),
        }
        id = here;
    }
    out
}

impl Column {
    /// Of a group of bars and what the indicator says of each bar of the series.
    pub fn of(group: &Group, bars: &[Kline], points: &[HamaPoint], candles: Candles) -> Option<Self> {
        let (own, own_points) = (bars.get(group.clone())?, points.get(group.clone())?);
        let (first, last) = (own.first()?, own_points.last()?);
        let before = group.start.checked_sub(1);
        let from = before.unwrap_or(group.start);
        let is_hole = |pair: &[Kline]| pair[0].close_time().0 + 1 != pair[1].open_time().0;
        let candle = match candles {
            Candles::Market => market_candle(own),
            Candles::Hama => hama_candle(own_points, before.and_then(|n| points.get(n))),
        };
        Some(Self {
            open_time: first.open_time(),
            has_hole: bars.get(from..group.end)?.windows(2).any(is_hole),
            candle,
            ma: last.ma,
            bands: last.bands.map(|b| [b.upper, b.lower]),
            volume: own.iter().map(Kline::volume).sum(),
        })
    }

    /// The prices of the candle and of the moving average: the scale has room for all of them.
    pub(super) fn prices(&self, layers: Layers) -> impl Iterator<Item = f64> {
        let candle = self.candle.map(|c| [c.open, c.close]);
        let wick = self.candle.and_then(|c| c.wick).map(|(high, low)| [high, low]);
        let ma = self.ma.filter(|_| layers.has(Layer::Ma));
        [candle, wick].into_iter().flatten().flatten().chain(ma)
    }

    /// The bands, where they are shown.
    pub(super) fn band_prices(&self, layers: Layers) -> impl Iterator<Item = f64> {
        self.bands.filter(|_| layers.has(Layer::Bands)).into_iter().flatten()
    }
}

fn market_candle(bars: &[Kline]) -> Option<Candle> {
    let (first, last) = (bars.first()?, bars.last()?);
    let high = bars.iter().map(Kline::high).fold(f64::NEG_INFINITY, f64::max);
    let low = bars.iter().map(Kline::low).fold(f64::INFINITY, f64::min);
    let (open, close) = (first.open(), last.close());
    let turn = if close >= open { Turn::Up } else { Turn::Down };
    Some(Candle { open, close, wick: Some((high, low)), turn })
}

/// The colour of one bar is its own; of several, whether the open rose since the bar before them,
/// which for one bar is the same.
fn hama_candle(points: &[HamaPoint], before: Option<&HamaPoint>) -> Option<Candle> {
    let (first, last) = (points.first()?, points.last()?);
    let (open, close) = (first.open?, last.close?);
    let turn = match points {
        [one] => match one.color {
            Color::Green => Turn::Up,
            Color::Red => Turn::Down,
            Color::Gray => Turn::Unknown,
        },
        _ => match before.and_then(|b| b.open).zip(last.open).map(|(was, is)| tie::sign(is, was)) {
            Some(Sign::Up) => Turn::Up,
            Some(Sign::Flat | Sign::Down) => Turn::Down,
            None => Turn::Unknown,
        },
    };
    let highs = points.iter().filter_map(|p| p.high).reduce(f64::max);
    let lows = points.iter().filter_map(|p| p.low).reduce(f64::min);
    Some(Candle { open, close, wick: highs.zip(lows), turn })
}
