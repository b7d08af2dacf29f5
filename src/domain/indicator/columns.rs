//! The batch form: a whole series at once, column by column.
//!
//! Chains, where each bar waits for the one before, are kept apart from passes in which it does
//! not: the processor overlaps the first and takes several bars at a time in the second.

mod averages;
mod passes;
mod sources;

use crate::domain::hama::{Bands, HamaPoint, Parts, Sign};
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::{Average, BandForm, GradientLine, MaSource, Needs, Preset};

use super::crossing::{Cross, Crossing};
use super::figures::{Band, Scoring};
use super::ladder::Ladder;
use super::mean::inputs;
use super::options::HamaOptions;
use super::reading::Reading;
use averages::Job;
use sources::Sources;

/// All figures of a series. Made once and used for one series after the other, it allocates only
/// when a series is longer than those before.
#[derive(Clone, Debug)]
pub struct HamaColumns {
    preset: Preset,
    options: HamaOptions,
    needs: Needs,
    scoring: Scoring,
    bars: usize,
    sources: Sources,
    lines: LineColumns,
    /// Where a column has no bar, its figure means nothing; [`Needs`] says which have one.
    ///
    /// Signs are numbers as wide as the other figures, so that both are worked on side by side.
    open_slope: Vec<f64>,
    ma_slope: Vec<f64>,
    side: Vec<f64>,
    dev: Vec<f64>,
    distance: Vec<f64>,
    trend: Vec<f64>,
    /// The direction of the last cross.
    direction: Vec<f64>,
    /// The bar of that cross.
    cross_at: Vec<u32>,
    /// The gradient's counter.
    ladder: Vec<Ladder>,
    gradient_part: Vec<f64>,
    score: Vec<f64>,
    bands: BandColumns,
}

#[derive(Clone, Debug, Default)]
struct LineColumns {
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    ma: Vec<f64>,
    /// The gradient's own line; empty where it is the moving average.
    gradient: Vec<f64>,
}

#[derive(Clone, Debug, Default)]
struct BandColumns {
    basis: Vec<f64>,
    /// The square of one deviation.
    variance: Vec<f64>,
    upper: Vec<f64>,
    lower: Vec<f64>,
    width: Vec<f64>,
    pos: Vec<f64>,
    side: Vec<f64>,
}

impl HamaColumns {
    /// For series on `interval`.
    pub fn new(preset: &Preset, interval: Interval) -> Self {
        Self::with_options(preset, interval, HamaOptions::default())
    }

    /// The same with other options than the usual ones.
    pub fn with_options(preset: &Preset, interval: Interval, options: HamaOptions) -> Self {
        Self {
            preset: preset.clone(),
            options,
            needs: Needs::with(preset, |line| inputs(line, options.ema_seed)),
            scoring: Scoring::of(interval),
            bars: 0,
            sources: Sources::default(),
            lines: LineColumns::default(),
            open_slope: Vec::new(),
            ma_slope: Vec::new(),
            side: Vec::new(),
            dev: Vec::new(),
            distance: Vec::new(),
            trend: Vec::new(),
            direction: Vec::new(),
            cross_at: Vec::new(),
            ladder: Vec::new(),
            gradient_part: Vec::new(),
            score: Vec::new(),
            bands: BandColumns::default(),
        }
    }

    /// Computes every figure of every bar; what was there before is gone.
    pub fn compute(&mut self, bars: &[Kline]) {
        self.resize(bars.len());
        self.candles(bars);
        self.averages();
        self.slopes_and_sides();
        self.bands();
        self.crosses();
        self.gradients();
        self.scores();
    }

    /// Bars of the series.
    pub fn len(&self) -> usize {
        self.bars
    }

    /// Whether the series has no bar.
    pub fn is_empty(&self) -> bool {
        self.bars == 0
    }

    /// All figures of the bar of that number, from 0; `None` where there is no such bar.
    pub fn point(&self, index: usize) -> Option<HamaPoint> {
        let bar = u32::try_from(index).ok().filter(|_| index < self.bars)?;
        Some(self.reading(index)?.point::<false>(&self.needs, bar))
    }

    fn reading(&self, i: usize) -> Option<Reading> {
        let (crossing, cross) = self.crossing(i);
        let ladder = self.ladder.get(i)?;
        Some(Reading {
            open: at(&self.lines.open, i),
            high: at(&self.lines.high, i),
            low: at(&self.lines.low, i),
            close: at(&self.lines.close, i),
            ma: at(&self.lines.ma, i),
            open_slope: sign_at(&self.open_slope, i),
            ma_slope: sign_at(&self.ma_slope, i),
            gradient: ladder.gradient(),
            dev: at(&self.dev, i),
            trend: sign_at(&self.trend, i),
            crossing,
            cross,
            parts: self.parts(i),
            score: at(&self.score, i),
            bands: self.bands_at(i),
        })
    }

    /// What the column of the last crosses says of a bar.
    fn crossing(&self, i: usize) -> (Crossing, Cross) {
        let (from, side) = (self.needs.trend(), sign_at(&self.side, i));
        let Some(at) = self.cross_at.get(i).filter(|_| i >= from as usize) else {
            return (Crossing::START, Cross::NONE);
        };
        let direction = sign_at(&self.direction, i);
        let inferred = *at == NO_CROSS && direction != Sign::Flat;
        let since = if *at == NO_CROSS { from } else { *at };
        let is_here = i > from as usize && usize::try_from(*at) == Ok(i);
        let cross = if is_here {
            Cross { dir: Some(side), flip: side != sign_at(&self.direction, i - 1) }
        } else {
            Cross::NONE
        };
        // Of [`NO_CROSS`] there is no time.
        let time = self.sources.close_times.get(*at as usize).copied();
        (Crossing { direction, inferred, since, time, side }, cross)
    }

    fn parts(&self, i: usize) -> Parts {
        Parts {
            trend: at(&self.trend, i),
            distance: at(&self.distance, i),
            gradient: at(&self.gradient_part, i),
            body: at(&self.open_slope, i),
        }
    }

    fn bands_at(&self, i: usize) -> Option<Bands> {
        self.needs.bands.filter(|from| i >= *from as usize)?;
        let b = &self.bands;
        let [basis, upper, lower, width, pos] =
            [&b.basis, &b.upper, &b.lower, &b.width, &b.pos].map(|column| at(column, i));
        Some(Band { basis, upper, lower, width, pos }.says(self.breakout(i)))
    }

    /// The side taken on this bar, where the bar before is known to have been on another.
    fn breakout(&self, i: usize) -> Option<Sign> {
        let from = self.needs.bands? as usize;
        let side = |i: usize| sign_at(&self.bands.side, i);
        Some(side(i)).filter(|s| *s != Sign::Flat && i > from && *s != side(i - 1))
    }

    fn resize(&mut self, bars: usize) {
        self.bars = bars;
        let l = &mut self.lines;
        let b = &mut self.bands;
        let lines = [&mut l.open, &mut l.high, &mut l.low, &mut l.close, &mut l.ma];
        let own = [&mut self.dev, &mut self.distance, &mut self.direction, &mut self.gradient_part];
        let own = own.into_iter().chain([&mut self.score, &mut self.trend, &mut self.side]);
        let own = own.chain([&mut self.open_slope, &mut self.ma_slope]);
        for column in lines.into_iter().chain(own) {
            column.resize(bars, 0.0);
        }
        let has_line = self.preset.gradient != GradientLine::Ma;
        l.gradient.resize(if has_line { bars } else { 0 }, 0.0);
        let banded = if self.preset.bands.is_some() { bars } else { 0 };
        for column in [&mut b.basis, &mut b.variance, &mut b.upper, &mut b.lower, &mut b.width, &mut b.pos] {
            column.resize(banded, 0.0);
        }
        b.side.resize(banded, 0.0);
        self.cross_at.resize(bars, NO_CROSS);
        self.ladder.resize(bars, Ladder::START);
    }

    /// The candles, and the averages of their opens, highs and lows.
    ///
    /// Waiting for candles that are not in the processor's cache takes longer than exponential
    /// averages do, so these are worked out meanwhile, from the bar on which all three are seeded.
    fn candles(&mut self, bars: &[Kline]) {
        let (p, seed, l) = (&self.preset, self.options.ema_seed, &mut self.lines);
        let lines = [p.open, p.high, p.low];
        let are_exponential = lines.iter().all(|line| line.kind == Average::Ema);
        let seeded = self.needs.open.max(self.needs.high).max(self.needs.low) as usize + 1;
        let head = if are_exponential { seeded.min(bars.len()) } else { bars.len() };
        self.sources.resize(bars, p.ma_source);
        self.sources.take(bars, head);
        let s = &self.sources.candle;
        averages::run([
            Job::new(p.open, seed, 1, &s.open[..head], &mut l.open[..head]),
            Job::new(p.high, seed, 0, &s.high[..head], &mut l.high[..head]),
            Job::new(p.low, seed, 0, &s.low[..head], &mut l.low[..head]),
        ]);
        if head == bars.len() {
            return;
        }
        let alpha = lines.map(averages::alpha);
        let beta = alpha.map(|alpha| 1.0 - alpha);
        let mut value = [&l.open, &l.high, &l.low].map(|line| at(line, head - 1));
        let places = l.open[head..].iter_mut().zip(&mut l.high[head..]).zip(&mut l.low[head..]);
        self.sources.take_into(bars, head..bars.len(), places, |((open, high), low), x| {
            value = std::array::from_fn(|n| alpha[n] * x[n] + beta[n] * value[n]);
            [*open, *high, *low] = value;
        });
    }

    /// The other averages, in the order in which they need one another.
    fn averages(&mut self) {
        let (p, s, l) = (&self.preset, &self.sources, &mut self.lines);
        let seed = self.options.ema_seed;
        let jobs = [Job::new(p.close, seed, 0, &s.close, &mut l.close)];
        if p.ma_source == MaSource::HamaClose {
            averages::run(jobs);
            averages::run([Job::new(p.ma, seed, self.needs.close as usize, &l.close, &mut l.ma)]);
        } else {
            let ma = Job::new(p.ma, seed, 0, s.ma(p.ma_source), &mut l.ma);
            averages::run(jobs.into_iter().chain([ma]));
        }
        if let GradientLine::OfClose(line) = p.gradient {
            averages::run([Job::new(line, seed, 0, &s.bar_close, &mut l.gradient)]);
        }
        let Some(bands) = p.bands else { return };
        let (basis, variance) = (&mut self.bands.basis, &mut self.bands.variance);
        match bands.form {
            BandForm::Simple => averages::spread(&s.bar_close, bands.length, basis, variance),
            BandForm::Exponential => averages::exponential(&s.bar_close, bands.length, basis, variance),
        }
    }
}

/// Stands for the bar of a cross that no bar shows.
const NO_CROSS: u32 = u32::MAX;

/// The line's bar, 0 where the preset has no such line.
fn at(column: &[f64], i: usize) -> f64 {
    column.get(i).copied().unwrap_or(0.0)
}

/// The sign that the line's bar stands for.
fn sign_at(column: &[f64], i: usize) -> Sign {
    sign_of(at(column, i))
}

/// The sign that a factor of −1, 0 or 1 stands for.
fn sign_of(factor: f64) -> Sign {
    Sign::of(factor > 0.0, factor < 0.0)
}
