//! The incremental form: one candle after the other.

use crate::domain::hama::{HamaPoint, Parts, Sign};
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::{BandForm, BandsSpec, GradientLine, MaSource, Needs, Preset};

use super::candle::Candle;
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
    averages: Averages,
    /// Closed bars so far.
    bars: u32,
    past: Past,
}

#[derive(Clone, Debug, PartialEq)]
struct Averages {
    candle: Candle,
    close: Mean,
    ma_source: MaSource,
    ma: Mean,
    /// Boxed, since seldom there: what every bar needs lies closer together.
    gradient: Option<Box<OwnLine>>,
    gradient_mean: Ema,
    bands: Option<BandAverages>,
}

/// The gradient's own line, where it is not the moving average.
#[derive(Clone, Debug, PartialEq)]
struct OwnLine {
    mean: Mean,
    /// On the last bar.
    last: f64,
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
    open: f64,
    ma: f64,
    ladder: Ladder,
    crossing: Crossing,
    band_side: Option<Sign>,
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
        let lines = self.averages.push::<WARM>(bar, &self.needs, self.bars);
        let (reading, past) = self.read::<WARM>(bar, &lines);
        let point = reading.point::<WARM>(&self.needs, self.bars);
        self.past = past;
        self.bars = self.bars.saturating_add(1);
        point
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn look<const WARM: bool>(&self, bar: &Kline) -> HamaPoint {
        let lines = self.averages.peek::<WARM>(bar, &self.needs, self.bars);
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

    /// Everything that follows from a bar's averages and the bar before it.
    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn read<const WARM: bool>(&self, bar: &Kline, lines: &Lines) -> (Reading, Past) {
        let past = &self.past;
        let open_slope = tie::sign(lines.open, past.open);
        let ma_slope = tie::sign(lines.ma, past.ma);
        let ladder = self.ladder::<WARM>(lines, ma_slope);
        let side = tie::sign(lines.close, lines.ma);
        let (crossing, cross) = self.crossing::<WARM>(side, bar);
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
            parts,
            score: figures::score(parts),
            bands: band.map(|band| band.says(breakout)),
        };
        let next = Past { open: lines.open, ma: lines.ma, ladder, crossing, band_side };
        (reading, next)
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn ladder<const WARM: bool>(&self, lines: &Lines, ma_slope: Sign) -> Ladder {
        if !WARM && self.bars < self.needs.gradient {
            return Ladder::START;
        }
        let side = tie::sign(lines.gradient, lines.gradient_mean);
        self.past.ladder.next(side, lines.gradient_slope.unwrap_or(ma_slope))
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn crossing<const WARM: bool>(&self, side: Sign, bar: &Kline) -> (Crossing, Cross) {
        let from = self.needs.trend();
        match self.bars {
            number if WARM || number > from => self.past.crossing.next(side, number, || bar.close_time()),
            number if number == from => (Crossing::first(side, number, self.initial_side), Cross::NONE),
            _ => (Crossing::START, Cross::NONE),
        }
    }
}

impl Past {
    const NONE: Self =
        Self { open: 0.0, ma: 0.0, ladder: Ladder::START, crossing: Crossing::START, band_side: None };
}

impl Averages {
    fn new(preset: &Preset, seed: EmaSeed) -> Self {
        let gradient_average = crate::domain::preset::GRADIENT_AVERAGE;
        Self {
            candle: Candle::new(preset, seed),
            close: Mean::new(preset.close, seed),
            ma_source: preset.ma_source,
            ma: Mean::new(preset.ma, seed),
            gradient: match preset.gradient {
                GradientLine::Ma => None,
                GradientLine::OfClose(line) => {
                    Some(Box::new(OwnLine { mean: Mean::new(line, seed), last: 0.0 }))
                }
            },
            gradient_mean: Ema::new(gradient_average, gradient_average),
            bands: preset.bands.map(BandAverages::new),
        }
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn push<const WARM: bool>(&mut self, bar: &Kline, needs: &Needs, index: u32) -> Lines {
        // First, since the root takes long: the other averages are worked out meanwhile.
        // Not `map_or`: that stays a call of its own.
        let band = match &mut self.bands {
            Some(bands) => bands.push::<WARM>(bar.close(), index),
            None => None,
        };
        let close = self.close.push::<WARM>(ohlc4(bar));
        let ma = match self.ma_source {
            MaSource::Close => self.ma.push::<WARM>(bar.close()),
            MaSource::HamaClose if !WARM && index < needs.close => 0.0,
            source => self.ma.push::<WARM>(ma_input(source, bar, close)),
        };
        let (gradient, gradient_slope) = match &mut self.gradient {
            Some(line) => line.push::<WARM>(bar.close()),
            None => (ma, None),
        };
        let known = WARM || index >= needs.gradient_line;
        let gradient_mean = if known { self.gradient_mean.push::<WARM>(gradient) } else { 0.0 };
        let [open, high, low] = self.candle.push::<WARM>(bar, index == 0);
        Lines { open, high, low, close, ma, gradient, gradient_slope, gradient_mean, band }
    }

    #[expect(clippy::inline_always, reason = "measured: a call passes dozens of figures through memory")]
    #[inline(always)]
    fn peek<const WARM: bool>(&self, bar: &Kline, needs: &Needs, index: u32) -> Lines {
        let band = match &self.bands {
            Some(bands) => bands.peek::<WARM>(bar.close(), index),
            None => None,
        };
        let close = self.close.peek::<WARM>(ohlc4(bar));
        let ma = match self.ma_source {
            MaSource::Close => self.ma.peek::<WARM>(bar.close()),
            MaSource::HamaClose if !WARM && index < needs.close => 0.0,
            source => self.ma.peek::<WARM>(ma_input(source, bar, close)),
        };
        let (gradient, gradient_slope) = match &self.gradient {
            Some(line) => line.peek::<WARM>(bar.close()),
            None => (ma, None),
        };
        let known = WARM || index >= needs.gradient_line;
        let gradient_mean = if known { self.gradient_mean.peek::<WARM>(gradient) } else { 0.0 };
        let [open, high, low] = self.candle.peek::<WARM>(bar, index == 0);
        Lines { open, high, low, close, ma, gradient, gradient_slope, gradient_mean, band }
    }

    fn heap_bytes(&self) -> usize {
        let own = self.gradient.as_ref().map_or(0, |line| size_of::<OwnLine>() + line.mean.heap_bytes());
        let lines = self.candle.heap_bytes() + self.close.heap_bytes() + self.ma.heap_bytes() + own;
        let bands = match self.bands.as_ref().map(|b| &b.lines) {
            Some(BandLines::Simple(spread)) => spread.heap_bytes(),
            Some(BandLines::Exponential { .. }) | None => 0,
        };
        lines + bands
    }
}

#[inline]
fn ohlc4(bar: &Kline) -> f64 {
    (bar.open() + bar.high() + bar.low() + bar.close()) * 0.25
}

/// What a moving average that is not of the bar's close is taken of.
#[inline(never)]
fn ma_input(source: MaSource, bar: &Kline, hama_close: f64) -> f64 {
    match source {
        MaSource::Close => bar.close(),
        MaSource::Hl2 => (bar.high() + bar.low()) * 0.5,
        MaSource::Ohlc4 => ohlc4(bar),
        MaSource::HamaClose => hama_close,
    }
}

/// Both out of the way of the usual case, which needs the registers.
impl OwnLine {
    /// The line, and which way it went.
    #[inline(never)]
    fn push<const WARM: bool>(&mut self, close: f64) -> (f64, Option<Sign>) {
        let x = self.mean.push::<WARM>(close);
        let slope = tie::sign(x, self.last);
        self.last = x;
        (x, Some(slope))
    }

    #[inline(never)]
    fn peek<const WARM: bool>(&self, close: f64) -> (f64, Option<Sign>) {
        let x = self.mean.peek::<WARM>(close);
        (x, Some(tie::sign(x, self.last)))
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
