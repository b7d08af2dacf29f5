//! Which averages make up the indicator.

mod builtin;
mod cache_name;
mod custom;
mod line;
mod needs;

use std::fmt;
use std::sync::Arc;

pub use custom::{BadPreset, CustomPreset, MAX_MULT};
pub use line::{BadLine, MAX_LENGTH, UnknownMaSource};
pub(crate) use needs::GRADIENT_AVERAGE;
pub use needs::Needs;

/// The kind of a moving average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Average {
    /// Exponential, seeded with the mean of its first L inputs.
    Ema,
    /// Linearly weighted.
    Wma,
    /// Simple.
    Sma,
}

/// A moving average: its kind and its length in bars (at least 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// The kind.
    pub kind: Average,
    /// Bars.
    pub length: u32,
}

/// What the moving average line is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaSource {
    /// The bar's close.
    Close,
    /// (high + low) / 2
    Hl2,
    /// (open + high + low + close) / 4
    Ohlc4,
    /// The HAMA candle's close.
    HamaClose,
}

/// What the gradient is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GradientLine {
    /// The preset's own moving average line.
    Ma,
    /// An average of the close beside it.
    OfClose(Line),
}

/// Whether the bands stand on a simple or an exponential average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BandForm {
    /// Bollinger's: SMA and the population standard deviation.
    Simple,
    /// `AICoin`'s: EMA of the close, and the root of the EMA of squared distances from it.
    Exponential,
}

/// The bands of a preset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandsSpec {
    /// How they are made.
    pub form: BandForm,
    /// Bars.
    pub length: u32,
    /// How many deviations apart from the basis.
    pub mult: f64,
}

/// All settings that change a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// `quantdinger`, …; part of every cache key and export.
    pub name: Arc<str>,
    /// Average of the candle's open.
    pub open: Line,
    /// Average of the candle's high.
    pub high: Line,
    /// Average of the candle's low.
    pub low: Line,
    /// Average of the candle's close.
    pub close: Line,
    /// The moving average line.
    pub ma: Line,
    /// What that line is taken of.
    pub ma_source: MaSource,
    /// What the gradient is taken of.
    pub gradient: GradientLine,
    /// The bands, if any.
    pub bands: Option<BandsSpec>,
    /// Bars kept and fetched by default.
    pub depth: u32,
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}
