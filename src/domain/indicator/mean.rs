//! A moving average of any kind.

use crate::domain::preset::{Average, Line};

use super::ema::Ema;
use super::options::EmaSeed;
use super::window_mean::{Sma, Wma};

/// The average of a preset's line. `WARM` says that it has had enough inputs. What it gives before it has had enough inputs means nothing;
/// its user knows from the preset's needs when that is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mean {
    Ema(Ema),
    Wma(Wma),
    Sma(Sma),
}

impl Mean {
    pub(super) fn new(line: Line, seed: EmaSeed) -> Self {
        match line.kind {
            Average::Ema => Self::Ema(Ema::new(line.length, inputs(line, seed))),
            Average::Wma => Self::Wma(Wma::new(line.length)),
            Average::Sma => Self::Sma(Sma::new(line.length)),
        }
    }

    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the average")]
    #[inline(always)]
    pub(super) fn peek<const WARM: bool>(&self, x: f64) -> f64 {
        match self {
            Self::Ema(m) => m.peek::<WARM>(x),
            Self::Wma(m) => m.peek(x),
            Self::Sma(m) => m.peek(x),
        }
    }

    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the average")]
    #[inline(always)]
    pub(super) fn push<const WARM: bool>(&mut self, x: f64) -> f64 {
        match self {
            Self::Ema(m) => m.push::<WARM>(x),
            Self::Wma(m) => m.push(x),
            Self::Sma(m) => m.push(x),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Ema(_) => 0,
            Self::Wma(m) => m.heap_bytes(),
            Self::Sma(m) => m.heap_bytes(),
        }
    }
}

/// Inputs a line needs before it is known.
pub(super) fn inputs(line: Line, seed: EmaSeed) -> u32 {
    match (line.kind, seed) {
        (Average::Ema, EmaSeed::First) => 1,
        _ => line.length.max(1),
    }
}
