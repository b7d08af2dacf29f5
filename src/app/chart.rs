//! A chart of candles as cells: which cell shows which part of what. How a cell looks is the
//! drawing's business.
//!
//! Invariant: every figure stands in the row that the scale gives it; what is not known, or is a
//! band beyond the scale, stands nowhere.

mod columns;
mod scale;

use crate::domain::time::UnixMs;

pub use self::columns::{Candle, Candles, Column, Group, Turn, groups};
pub use self::scale::Scale;

/// What can be laid over the candles or under them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The moving average.
    Ma,
    /// The upper and the lower band.
    Bands,
    /// What was traded.
    Volume,
}

/// Which layers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers([bool; 3]);

impl Layers {
    /// All of them.
    pub const ALL: Self = Self([true; 3]);

    /// Whether one is shown.
    pub fn has(self, layer: Layer) -> bool {
        self.0[layer as usize]
    }

    /// Shows what is hidden, and hides what is shown.
    pub fn toggle(&mut self, layer: Layer) {
        self.0[layer as usize] ^= true;
    }
}

/// A line's sign in a cell. The moving average goes before a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The moving average.
    Ma,
    /// A band.
    Band,
}

/// What of a candle is in half a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Nothing.
    Blank,
    /// Between high and low.
    Wick,
    /// Between open and close.
    Body,
}

/// What is in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which way the candle goes; of no meaning where there is no candle.
    pub turn: Turn,
    /// The upper half.
    pub upper: Ink,
    /// The lower half.
    pub lower: Ink,
    /// A line that crosses the cell.
    pub line: Option<Line>,
}

impl Cell {
    const EMPTY: Self = Self { turn: Turn::Unknown, upper: Ink::Blank, lower: Ink::Blank, line: None };

    /// What of the candle the cell as a whole shows.
    pub fn ink(self) -> Ink {
        match (self.upper, self.lower) {
            (Ink::Body, _) | (_, Ink::Body) => Ink::Body,
            (Ink::Wick, _) | (_, Ink::Wick) => Ink::Wick,
            (Ink::Blank, Ink::Blank) => Ink::Blank,
        }
    }
}

/// Columns of candles and the scale they stand on.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Oldest first.
    pub columns: Vec<Column>,
    /// From prices to rows.
    pub scale: Scale,
    layers: Layers,
}

impl Chart {
    /// Lays columns out over so many rows, where one row stands for no less than a price step.
    /// `None` where nothing is known that could be shown.
    pub fn lay(columns: Vec<Column>, layers: Layers, rows: u16, price_step: f64) -> Option<Self> {
        let bands = span(columns.iter().flat_map(|c| c.band_prices(layers)));
        let (mut low, mut high) = span(columns.iter().flat_map(|c| c.prices(layers))).or(bands)?;
        if let Some((lowest, highest)) = bands {
            let room = (high - low) * BAND_ROOM;
            low = lowest.clamp(low - room, low);
            high = highest.clamp(high, high + room);
        }
        let scale = Scale::over((low, high), rows, price_step);
        Some(Self { columns, scale, layers })
    }

    /// Whether bands are beyond the scale somewhere, so that they are not drawn there.
    pub fn is_beyond(&self) -> bool {
        let mut bands = self.columns.iter().flat_map(|c| c.band_prices(self.layers));
        bands.any(|price| self.scale.row(price).is_none())
    }

    /// What is in the cell of a column and a row, both from 0.
    pub fn cell(&self, column: usize, row: u16) -> Cell {
        let Some(of) = self.columns.get(column) else { return Cell::EMPTY };
        let is_here = |price: f64| self.scale.row(price) == Some(row);
        let line = if of.ma.filter(|_| self.layers.has(Layer::Ma)).is_some_and(is_here) {
            Some(Line::Ma)
        } else {
            of.band_prices(self.layers).any(is_here).then_some(Line::Band)
        };
        let Some(candle) = of.candle else { return Cell { line, ..Cell::EMPTY } };
        let ink = |half: u16| candle_ink(&candle, &self.scale, half);
        Cell { turn: candle.turn, upper: ink(2 * row), lower: ink(2 * row + 1), line }
    }

    /// How high a column's volume stands, in steps of which the highest has `steps`. Whatever was
    /// traded has one.
    pub fn volume_steps(&self, column: usize, steps: u16) -> u16 {
        let most = self.columns.iter().map(|c| c.volume).fold(0.0, f64::max);
        let Some(volume) = self.columns.get(column).map(|c| c.volume).filter(|v| *v > 0.0) else { return 0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of `steps`")]
        let height = (volume / most * f64::from(steps)).round() as u16;
        height.clamp(1, steps)
    }

    /// The rows beside which a price stands.
    pub fn price_rows(&self) -> impl Iterator<Item = u16> {
        let every = if self.scale.rows() <= 8 { 3 } else { 4 };
        (0..self.scale.rows()).step_by(every)
    }

    /// The columns below which a time stands, each with the open time of its first bar: the first
    /// ones after round times, and no closer together than `apart` columns.
    pub fn times(&self, apart: usize) -> Vec<(usize, UnixMs)> {
        let Some(step) = self.round_step(apart) else { return Vec::new() };
        let mut out: Vec<(usize, UnixMs)> = Vec::new();
        for (x, pair) in self.columns.windows(2).enumerate() {
            let [before, here] = [pair[0].open_time.0, pair[1].open_time.0];
            let is_far = out.last().is_none_or(|(last, _)| x + 1 - last >= apart);
            if before.div_euclid(step) != here.div_euclid(step) && is_far {
                out.push((x + 1, pair[1].open_time));
            }
        }
        out
    }

    /// The smallest round span that takes `apart` columns or more.
    fn round_step(&self, apart: usize) -> Option<i64> {
        let (first, last) = (self.columns.first()?.open_time.0, self.columns.last()?.open_time.0);
        let columns = i64::try_from(self.columns.len() - 1).ok().filter(|n| *n > 0)?;
        let need = (last - first) / columns * i64::try_from(apart).ok()?;
        ROUND_MINUTES.map(|m| m * 60_000).into_iter().find(|step| *step >= need)
    }
}

/// Wide bands would flatten the candles: the scale grows by no more than this share of what the
/// candles take, on each side.
const BAND_ROOM: f64 = 0.5;

fn span(prices: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    prices.fold(None, |span, price| {
        let (low, high) = span.unwrap_or((price, price));
        Some((price.min(low), price.max(high)))
    })
}

/// Spans that people count time in.
const ROUND_MINUTES: [i64; 16] = [
    15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 7_200, 14_400, 43_200, 129_600, 525_600, 1_051_200,
    2_628_000,
];

fn candle_ink(candle: &Candle, scale: &Scale, half: u16) -> Ink {
    let within = |a: f64, b: f64| (scale.half(a.max(b))..=scale.half(a.min(b))).contains(&half);
    if within(candle.open, candle.close) {
        Ink::Body
    } else if candle.wick.is_some_and(|(high, low)| within(high, low)) {
        Ink::Wick
    } else {
        Ink::Blank
    }
}

#[cfg(test)]
mod tests;
