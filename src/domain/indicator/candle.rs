//! The averages of the candle's open, high and low.

use crate::domain::kline::Kline;
use crate::domain::preset::{Average, Preset};

use super::ema::Emas;
use super::mean::{self, Mean};
use super::options::EmaSeed;

/// The averages and what they need of the last bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candle {
    /// (open + close) / 2 of the last bar, the source of the next open. Before the first bar there
    /// is none.
    body: f64,
    averages: Averages,
}

/// The three averages, in that order.
///
/// Every named preset has three exponential ones: they are asked for their kind once a bar, not
/// one by one, and lie side by side.
#[derive(Clone, Debug, PartialEq)]
enum Averages {
    Exponential(Emas<3>),
    /// Boxed, so that the usual kind does not take the room of this one.
    Mixed(Box<[Mean; 3]>),
}

impl Candle {
    pub(super) fn new(preset: &Preset, seed: EmaSeed) -> Self {
        let lines = [preset.open, preset.high, preset.low];
        let averages = if lines.iter().all(|line| line.kind == Average::Ema) {
            let inputs = lines.map(|line| mean::inputs(line, seed));
            Averages::Exponential(Emas::side_by_side(lines.map(|line| line.length), inputs))
        } else {
            Averages::Mixed(Box::new(lines.map(|line| Mean::new(line, seed))))
        };
        Self { body: 0.0, averages }
    }

    /// Open, high and low once the bar has closed; of the first bar there is no open.
    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the averages")]
    #[inline(always)]
    pub(super) fn push<const WARM: bool>(&mut self, bar: &Kline, is_first: bool) -> [f64; 3] {
        let (high, low, close) = (bar.high(), bar.low(), bar.close());
        let high = if high > close { high } else { close };
        let low = if low < close { low } else { close };
        let open = (WARM || !is_first).then_some(self.body);
        self.body = (bar.open() + close) * 0.5;
        match &mut self.averages {
            Averages::Exponential(emas) => match open {
                Some(open) if WARM => emas.push_warm([open, high, low]),
                _ => {
                    let open = open.map_or(0.0, |x| emas.push_one::<WARM>(0, x));
                    [open, emas.push_one::<WARM>(1, high), emas.push_one::<WARM>(2, low)]
                }
            },
            Averages::Mixed(means) => {
                // Taken apart, so that only these go through memory.
                let [open, high, low] = push_mixed::<WARM>(means, open, high, low);
                [open, high, low]
            }
        }
    }

    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the averages")]
    #[inline(always)]
    pub(super) fn peek<const WARM: bool>(&self, bar: &Kline, is_first: bool) -> [f64; 3] {
        let (high, low, close) = (bar.high(), bar.low(), bar.close());
        let high = if high > close { high } else { close };
        let low = if low < close { low } else { close };
        let open = (WARM || !is_first).then_some(self.body);
        match &self.averages {
            Averages::Exponential(emas) => match open {
                Some(open) if WARM => emas.peek_warm([open, high, low]),
                _ => {
                    let open = open.map_or(0.0, |x| emas.peek_one::<WARM>(0, x));
                    [open, emas.peek_one::<WARM>(1, high), emas.peek_one::<WARM>(2, low)]
                }
            },
            Averages::Mixed(means) => {
                // Taken apart, so that only these go through memory.
                let [open, high, low] = peek_mixed::<WARM>(means, open, high, low);
                [open, high, low]
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match &self.averages {
            Averages::Exponential(_) => 0,
            Averages::Mixed(means) => {
                size_of_val(&**means) + means.iter().map(Mean::heap_bytes).sum::<usize>()
            }
        }
    }
}

/// Out of the way of the usual kind, which needs the registers.
#[inline(never)]
fn push_mixed<const WARM: bool>(
    [o, h, l]: &mut [Mean; 3],
    open: Option<f64>,
    high: f64,
    low: f64,
) -> [f64; 3] {
    [open.map_or(0.0, |x| o.push::<WARM>(x)), h.push::<WARM>(high), l.push::<WARM>(low)]
}

#[inline(never)]
fn peek_mixed<const WARM: bool>([o, h, l]: &[Mean; 3], open: Option<f64>, high: f64, low: f64) -> [f64; 3] {
    [open.map_or(0.0, |x| o.peek::<WARM>(x)), h.peek::<WARM>(high), l.peek::<WARM>(low)]
}
