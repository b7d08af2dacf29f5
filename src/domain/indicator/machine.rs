//! The incremental form: one candle after the other.

use crate::domain::hama::{HamaPoint, Parts, Sign};
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::{BandForm, BandsSpec, GradientLine, MaSource, Needs, Preset};
use crate::domain::time::UnixMs;

use super::crossing::{Cross, Crossing};
use super::ema::Ema;
use super::figures::{self, Band, BandBase, Scoring};
use super::ladder::Ladder;
use super::mean::{self, Mean};
use super::options::{EmaSeed, HamaOptions, InitialSide};
use super::reading::{Lines, Reading};
use super::spread::Spread;
use super::tie;

/// The indicator of one series, carried forward from candle to candle in constant time.
///
/// It holds for one unbroken series: after a gap that was not repaired, a reset of the symbol or a
/// change of the interval, make a new one and give it the candles again.
#[derive(Clone, Debug, PartialEq)]
pub struct Hama {
    needs: Needs,
    /// The first bar on which every field is known.
    warm_from: u32,
    scoring: Scoring,
    initial_side: InitialSide,
    ma_source: MaSource,
    averages: Averages,
    /// Closed bars so far.
    bars: u32,
    past: Past,
}

#[derive(Clone, Debug, PartialEq)]
struct Averages {
    open: Mean,
    high: Mean,
    low: Mean,
    close: Mean,
    ma: Mean,
    /// The gradient's own line, where it is not the moving average.
    gradient: Option<Mean>,
    gradient_mean: Ema,
    bands: Option<BandAverages>,
}

#[derive(Clone, Debug, PartialEq)]
struct BandAverages {
    lines: BandLines,
    mult: f64,
    /// The first bar on which the bands are known.
    from: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum BandLines {
    Simple(Spread),
    Exponential {
        basis: Ema,
        squares: Ema,
        /// The first bar on which the basis is known.
        from: u32,
    },
}

/// What the next bar has to know of the last.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Past {
    /// (open + close) / 2 of the last bar, the source of the next HAMA open.
    body: f64,
    open: f64,
    ma: f64,
    gradient: f64,
    ladder: Ladder,
    crossing: Crossing,
    cross_time: UnixMs,
    band_side: Option<Sign>,
}

/// The inputs of one bar's averages.
#[derive(Clone, Copy)]
struct Sources {
    open: Option<f64>,
    high: f64,
    low: f64,
    close: f64,
    bar_close: f64,
    /// `None` where the moving average is taken of the HAMA close.
    ma: Option<f64>,
}

impl Hama {
    /// The indicator of `preset` for a series on `interval`, with no bar yet.
    pub fn new(preset: &Preset, interval: Interval) -> Self {
        Self::with_options(preset, interval, HamaOptions::default())
    }

    /// The same with other options than the usual ones.
    pub fn with_options(preset: &Preset, interval: Interval, options: HamaOptions) -> Self {
        let seed = options.ema_seed;
        let needs = Needs::with(preset, |line| mean::inputs(line, seed));
        Self {
            needs,
            warm_from: needs.full(),
            scoring: Scoring::of(interval),
            initial_side: options.initial_side,
            ma_source: preset.ma_source,
            averages: Averages::new(preset, seed),
            bars: 0,
            past: Past::NONE,
        }
    }

    /// Takes the next closed bar.
    #[inline]
    pub fn push(&mut self, bar: &Kline) -> HamaPoint {
        if self.bars >= self.warm_from { self.take::<true>(bar) } else { self.take_early(bar) }
    }

    /// What the indicator would say if the forming bar closed as it is. Nothing is kept of it.
    #[inline]
    pub fn peek(&self, bar: &Kline) -> HamaPoint {
        if self.bars >= self.warm_from { self.look::<true>(bar) } else { self.look_early(bar) }
    }

    /// `WARM`: every field is known, the usual case, and nothing has to be asked.
    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn take<const WARM: bool>(&mut self, bar: &Kline) -> HamaPoint {
        let lines = self.averages.push::<WARM>(&self.sources::<WARM>(bar), &self.needs, self.bars);
        let (reading, past) = self.read::<WARM>(bar, &lines);
        let point = reading.point::<WARM>(&self.needs, self.bars);
        self.past = past;
        self.bars = self.bars.saturating_add(1);
        point
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn look<const WARM: bool>(&self, bar: &Kline) -> HamaPoint {
        let lines = self.averages.peek::<WARM>(&self.sources::<WARM>(bar), &self.needs, self.bars);
        self.read::<WARM>(bar, &lines).0.point::<WARM>(&self.needs, self.bars)
    }

    /// Out of the way of the usual case, which needs the registers.
    #[inline(never)]
    fn take_early(&mut self, bar: &Kline) -> HamaPoint {
        self.take::<false>(bar)
    }

    #[inline(never)]
    fn look_early(&self, bar: &Kline) -> HamaPoint {
        self.look::<false>(bar)
    }

    /// Closed bars taken so far.
    pub fn bars(&self) -> u32 {
        self.bars
    }

    /// For each field the first bar on which it is known.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Bytes on the heap, exactly.
    pub fn heap_bytes(&self) -> usize {
        self.averages.heap_bytes()
    }

    #[inline]
    fn sources<const WARM: bool>(&self, bar: &Kline) -> Sources {
        let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
        let ohlc4 = (o + h + l + c) * 0.25;
        Sources {
            open: (WARM || self.bars > 0).then_some(self.past.body),
            high: if h > c { h } else { c },
            low: if l < c { l } else { c },
            close: ohlc4,
            bar_close: c,
            ma: match self.ma_source {
                MaSource::Close => Some(c),
                MaSource::Hl2 => Some((h + l) * 0.5),
                MaSource::Ohlc4 => Some(ohlc4),
                MaSource::HamaClose => None,
            },
        }
    }

    /// Everything that follows from a bar's averages and the bar before it.
    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn read<const WARM: bool>(&self, bar: &Kline, lines: &Lines) -> (Reading, Past) {
        let past = &self.past;
        let open_slope = tie::sign(lines.open, past.open);
        let ma_slope = tie::sign(lines.ma, past.ma);
        let ladder = self.ladder::<WARM>(lines, ma_slope);
        let side = tie::sign(lines.close, lines.ma);
        let (crossing, cross) = self.crossing::<WARM>(side);
        let cross_time = if cross.is_some() { bar.close_time() } else { past.cross_time };
        let dev = figures::deviation_pct(lines.close, lines.ma, side == Sign::Flat);
        let is_trend = figures::is_trend(dev, side == Sign::Flat || side == crossing.direction);
        let trend = if is_trend { crossing.direction } else { Sign::Flat };
        let band = lines.band.map(|base| Band::around(base, bar.close()));
        let band_side = band.map(|band| {
            let (above, below) = band.sides(bar.close());
            Sign::of(above, below)
        });
        let left = band_side.filter(|side| *side != Sign::Flat);
        let breakout = left.filter(|_| past.band_side.is_some() && past.band_side != left);
        let parts = Parts {
            trend: trend.as_f64(),
            distance: self.scoring.distance(dev),
            gradient: ladder.part(),
            body: open_slope.as_f64(),
        };
        let reading = Reading {
            open: lines.open,
            high: lines.high,
            low: lines.low,
            close: lines.close,
            ma: lines.ma,
            open_slope,
            ma_slope,
            gradient: ladder.gradient(),
            dev,
            trend,
            crossing,
            cross,
            cross_time,
            parts,
            score: figures::score(parts),
            bands: band.map(|band| band.says(breakout)),
        };
        let next = Past {
            body: (bar.open() + bar.close()) * 0.5,
            open: lines.open,
            ma: lines.ma,
            gradient: lines.gradient,
            ladder,
            crossing,
            cross_time,
            band_side,
        };
        (reading, next)
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn ladder<const WARM: bool>(&self, lines: &Lines, ma_slope: Sign) -> Ladder {
        if !WARM && self.bars < self.needs.gradient {
            return Ladder::START;
        }
        let side = tie::sign(lines.gradient, lines.gradient_mean);
        let has_own_line = self.averages.gradient.is_some();
        let slope = if has_own_line { tie::sign(lines.gradient, self.past.gradient) } else { ma_slope };
        self.past.ladder.next(side, slope)
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn crossing<const WARM: bool>(&self, side: Sign) -> (Crossing, Option<Cross>) {
        let from = self.needs.trend();
        match self.bars {
            bar if WARM || bar > from => self.past.crossing.next(side, bar),
            bar if bar == from => (Crossing::first(side, bar, self.initial_side), None),
            _ => (Crossing::START, None),
        }
    }
}

impl Past {
    const NONE: Self = Self {
        body: 0.0,
        open: 0.0,
        ma: 0.0,
        gradient: 0.0,
        ladder: Ladder::START,
        crossing: Crossing::START,
        cross_time: UnixMs(0),
        band_side: None,
    };
}

impl Averages {
    fn new(preset: &Preset, seed: EmaSeed) -> Self {
        let gradient_average = crate::domain::preset::GRADIENT_AVERAGE;
        Self {
            open: Mean::new(preset.open, seed),
            high: Mean::new(preset.high, seed),
            low: Mean::new(preset.low, seed),
            close: Mean::new(preset.close, seed),
            ma: Mean::new(preset.ma, seed),
            gradient: match preset.gradient {
                GradientLine::Ma => None,
                GradientLine::OfClose(line) => Some(Mean::new(line, seed)),
            },
            gradient_mean: Ema::new(gradient_average, gradient_average),
            bands: preset.bands.map(BandAverages::new),
        }
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn push<const WARM: bool>(&mut self, s: &Sources, needs: &Needs, bar: u32) -> Lines {
        // First, since the root takes long: the other averages are worked out meanwhile.
        // Not `map_or`: that stays a call of its own.
        let band = match &mut self.bands {
            Some(bands) => bands.push::<WARM>(s.bar_close, bar),
            None => None,
        };
        let close = self.close.push::<WARM>(s.close);
        let ma = match s.ma {
            Some(x) => self.ma.push::<WARM>(x),
            None if WARM || bar >= needs.close => self.ma.push::<WARM>(close),
            None => 0.0,
        };
        let gradient = match &mut self.gradient {
            Some(line) => line.push::<WARM>(s.bar_close),
            None => ma,
        };
        let known = WARM || bar >= needs.gradient_line;
        let gradient_mean = if known { self.gradient_mean.push::<WARM>(gradient) } else { 0.0 };
        let open = s.open.map_or(0.0, |x| self.open.push::<WARM>(x));
        let (high, low) = (self.high.push::<WARM>(s.high), self.low.push::<WARM>(s.low));
        Lines { open, high, low, close, ma, gradient, gradient_mean, band }
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn peek<const WARM: bool>(&self, s: &Sources, needs: &Needs, bar: u32) -> Lines {
        let band = match &self.bands {
            Some(bands) => bands.peek::<WARM>(s.bar_close, bar),
            None => None,
        };
        let close = self.close.peek::<WARM>(s.close);
        let ma = match s.ma {
            Some(x) => self.ma.peek::<WARM>(x),
            None if WARM || bar >= needs.close => self.ma.peek::<WARM>(close),
            None => 0.0,
        };
        let gradient = match &self.gradient {
            Some(line) => line.peek::<WARM>(s.bar_close),
            None => ma,
        };
        let known = WARM || bar >= needs.gradient_line;
        let gradient_mean = if known { self.gradient_mean.peek::<WARM>(gradient) } else { 0.0 };
        let open = s.open.map_or(0.0, |x| self.open.peek::<WARM>(x));
        let (high, low) = (self.high.peek::<WARM>(s.high), self.low.peek::<WARM>(s.low));
        Lines { open, high, low, close, ma, gradient, gradient_mean, band }
    }

    fn heap_bytes(&self) -> usize {
        let lines = [Some(&self.open), Some(&self.high), Some(&self.low), Some(&self.close), Some(&self.ma)];
        let lines = lines.into_iter().chain([self.gradient.as_ref()]).flatten();
        let bands = match self.bands.as_ref().map(|b| &b.lines) {
            Some(BandLines::Simple(spread)) => spread.heap_bytes(),
            Some(BandLines::Exponential { .. }) | None => 0,
        };
        lines.map(Mean::heap_bytes).sum::<usize>() + bands
    }
}

impl BandAverages {
    fn new(spec: BandsSpec) -> Self {
        let length = spec.length;
        let lines = match spec.form {
            BandForm::Simple => BandLines::Simple(Spread::new(length)),
            BandForm::Exponential => BandLines::Exponential {
                basis: Ema::new(length, length),
                squares: Ema::new(length, length),
                from: length.max(1) - 1,
            },
        };
        Self { lines, mult: spec.mult, from: spec.first_bar() }
    }

    /// Of the bands, where they are known.
    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the bands")]
    #[inline(always)]
    fn push<const WARM: bool>(&mut self, close: f64, bar: u32) -> Option<BandBase> {
        let (basis, deviation) = match &mut self.lines {
            BandLines::Simple(spread) => spread.push::<WARM>(close),
            BandLines::Exponential { basis, squares, from } => {
                let middle = basis.push::<WARM>(close);
                let away = close - middle;
                let square = if WARM || bar >= *from { squares.push::<WARM>(away * away) } else { 0.0 };
                (middle, square.sqrt())
            }
        };
        (WARM || bar >= self.from).then_some(BandBase { basis, deviation, mult: self.mult })
    }

    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the bands")]
    #[inline(always)]
    fn peek<const WARM: bool>(&self, close: f64, bar: u32) -> Option<BandBase> {
        let (basis, deviation) = match &self.lines {
            BandLines::Simple(spread) => spread.peek::<WARM>(close),
            BandLines::Exponential { basis, squares, from } => {
                let middle = basis.peek::<WARM>(close);
                let away = close - middle;
                let square = if WARM || bar >= *from { squares.peek::<WARM>(away * away) } else { 0.0 };
                (middle, square.sqrt())
            }
        };
        (WARM || bar >= self.from).then_some(BandBase { basis, deviation, mult: self.mult })
    }
}
