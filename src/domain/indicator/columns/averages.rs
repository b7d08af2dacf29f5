//! The averages of whole columns, with the additions in the same order as the incremental ones.

use std::ops::Range;

use crate::domain::indicator::mean::inputs;
use crate::domain::indicator::options::EmaSeed;
use crate::domain::indicator::spread::Distances;
use crate::domain::indicator::window::period;
use crate::domain::indicator::window_mean::{Sums, weighted_scale};
use crate::domain::preset::{Average, Line};

/// One average of one column.
pub(super) struct Job<'a> {
    line: Line,
    /// Inputs an exponential average is seeded with.
    seed: usize,
    /// The input, from its first known bar on, and the place for the average of the same bars.
    x: &'a [f64],
    out: &'a mut [f64],
}

impl<'a> Job<'a> {
    /// `from`: the first bar on which the input is known.
    pub(super) fn new(line: Line, seed: EmaSeed, from: usize, x: &'a [f64], out: &'a mut [f64]) -> Self {
        let from = from.min(x.len());
        Self { line, seed: inputs(line, seed) as usize, x: &x[from..], out: &mut out[from..] }
    }
}

/// Computes them. Averages of one kind go side by side, as far as they can: each is a chain of
/// steps that wait for one another, and several chains take no longer than one.
pub(super) fn run<'a>(jobs: impl IntoIterator<Item = Job<'a>>) {
    let mut chains: [Option<Chain<'a>>; 3] = [const { None }; 3];
    let mut slots = chains.iter_mut();
    let mut waiting: Option<Weighted<'a>> = None;
    for job in jobs {
        match job.line.kind {
            Average::Sma => sma(job.x, job.line.length, job.out),
            Average::Wma => match (waiting.take(), Weighted::new(job)) {
                (Some(other), this) => weighted_pair([other, this]),
                (None, this) => waiting = Some(this),
            },
            Average::Ema => match (Chain::seeded(job), slots.next()) {
                (Some(chain), Some(slot)) => *slot = Some(chain),
                (Some(mut chain), None) => chain.finish(),
                (None, _) => {}
            },
        }
    }
    if let Some(mut alone) = waiting {
        alone.advance(alone.x.len());
    }
    match chains {
        [Some(a), Some(b), Some(c)] => together([a, b, c]),
        [Some(a), Some(b), None] => together([a, b]),
        rest => rest.into_iter().flatten().for_each(|mut chain| chain.finish()),
    }
}

/// The weight of an exponential average's newest input.
pub(super) fn alpha(line: Line) -> f64 {
    2.0 / (f64::from(line.length) + 1.0)
}

/// An exponential average behind its seed: what is left to be done.
struct Chain<'a> {
    alpha: f64,
    beta: f64,
    value: f64,
    x: &'a [f64],
    out: &'a mut [f64],
}

impl<'a> Chain<'a> {
    /// Does the seed; `None` where there are not enough bars for it.
    fn seeded(job: Job<'a>) -> Option<Self> {
        let Job { line, seed: inputs, x, out } = job;
        let (seed, rest) = x.split_at_checked(inputs)?;
        let (head, out) = out.split_at_mut_checked(inputs)?;
        #[expect(clippy::cast_precision_loss, reason = "a length is far below 2^52")]
        let value = seed.iter().fold(0.0, |sum, x| sum + x) / inputs as f64;
        *head.last_mut()? = value;
        let alpha = alpha(line);
        Some(Self { alpha, beta: 1.0 - alpha, value, x: rest, out })
    }

    fn finish(&mut self) {
        self.advance(self.x.len());
    }

    /// Does the next `bars`.
    fn advance(&mut self, bars: usize) {
        let (x, rest) = self.x.split_at(bars);
        let (out, rest_out) = std::mem::take(&mut self.out).split_at_mut(bars);
        for (out, x) in out.iter_mut().zip(x) {
            self.value = self.alpha * x + self.beta * self.value;
            *out = self.value;
        }
        (self.x, self.out) = (rest, rest_out);
    }
}

/// Finishes the chains side by side. They end on the same bar; those that began earlier first
/// catch up.
fn together<const N: usize>(mut chains: [Chain<'_>; N]) {
    let common = chains.iter().map(|c| c.x.len()).min().unwrap_or(0);
    for chain in &mut chains {
        chain.advance(chain.x.len() - common);
    }
    let alpha = std::array::from_fn::<_, N, _>(|n| chains[n].alpha);
    let beta = std::array::from_fn::<_, N, _>(|n| chains[n].beta);
    let mut value = std::array::from_fn::<_, N, _>(|n| chains[n].value);
    let x = std::array::from_fn::<_, N, _>(|n| &chains[n].x[..common]);
    let out = chains.map(|c| &mut c.out[..common]);
    for t in 0..common {
        for n in 0..N {
            value[n] = alpha[n] * x[n][t] + beta[n] * value[n];
            out[n][t] = value[n];
        }
    }
}

/// The stretches of a column between fresh sums.
fn stretches(bars: usize, length: u32) -> impl Iterator<Item = Range<usize>> {
    let period = period(length) as usize;
    (0..bars).step_by(period).map(move |start| start..(start + period).min(bars))
}

/// Calls `step` for each bar of a stretch with its input, the one that leaves the window of
/// `length` (`before` where that is not full yet) and the place for the result.
#[inline]
fn windowed(
    (x, out): (&[f64], &mut [f64]),
    length: usize,
    stretch: Range<usize>,
    before: f64,
    mut step: impl FnMut(f64, f64, &mut f64),
) {
    let full = length.clamp(stretch.start, stretch.end);
    for (x, out) in x[stretch.start..full].iter().zip(&mut out[stretch.start..full]) {
        step(*x, before, out);
    }
    let new = &x[full..stretch.end];
    let old = &x[full.saturating_sub(length)..][..new.len()];
    for ((x, old), out) in new.iter().zip(old).zip(&mut out[full..stretch.end]) {
        step(*x, *old, out);
    }
}

/// A weighted average on its way through a column.
struct Weighted<'a> {
    weight: f64,
    scale: f64,
    length: usize,
    period: usize,
    sums: Sums,
    /// Bars done.
    done: usize,
    x: &'a [f64],
    out: &'a mut [f64],
}

impl<'a> Weighted<'a> {
    fn new(job: Job<'a>) -> Self {
        let Job { line, x, out, .. } = job;
        let length = line.length;
        Self {
            weight: f64::from(length),
            scale: weighted_scale(length),
            length: length as usize,
            period: period(length) as usize,
            sums: Sums::ZERO,
            done: 0,
            x,
            out,
        }
    }

    /// Up to the bar `to`.
    fn advance(&mut self, to: usize) {
        while self.done < to {
            let stop = self.next_stop(to);
            let (weight, scale) = (self.weight, self.scale);
            let mut sums = self.sums;
            windowed((self.x, self.out), self.length, self.done..stop, 0.0, |new, old, out| {
                let weighted = sums.next_weighted(new, weight);
                sums = Sums { plain: sums.next_plain(new, old), weighted };
                *out = weighted * scale;
            });
            self.arrive(stop, sums);
        }
    }

    /// Where the sums have to be made afresh, or `to` if that comes first.
    fn next_stop(&self, to: usize) -> usize {
        (self.done + self.period - self.done % self.period).min(to)
    }

    fn arrive(&mut self, at: usize, sums: Sums) {
        self.done = at;
        let worn = at.is_multiple_of(self.period);
        self.sums = if worn { Sums::of(self.x[at - self.length..at].iter().copied()) } else { sums };
    }
}

/// Two weighted averages side by side. They end on the same bar.
fn weighted_pair(mut pair: [Weighted<'_>; 2]) {
    // The line of the HAMA close has fewer inputs than the others.
    let ends = [pair[0].x.len(), pair[1].x.len()];
    if ends[0] != ends[1] {
        for one in &mut pair {
            one.advance(one.x.len());
        }
        return;
    }
    let end = ends[0];
    let full = pair[0].length.max(pair[1].length).min(end);
    for one in &mut pair {
        one.advance(full);
    }
    while pair[0].done < end {
        let (from, to) = (pair[0].done, pair[0].next_stop(pair[1].next_stop(end)));
        let [a, b] = &mut pair;
        let (weights, scales) = ([a.weight, b.weight], [a.scale, b.scale]);
        let (mut plain, mut weighted) = ([a.sums.plain, b.sums.plain], [a.sums.weighted, b.sums.weighted]);
        let new = a.x[from..to].iter().zip(&b.x[from..to]);
        let old = a.x[from - a.length..to - a.length].iter().zip(&b.x[from - b.length..to - b.length]);
        let out = a.out[from..to].iter_mut().zip(&mut b.out[from..to]);
        for (((new_a, new_b), (old_a, old_b)), (out_a, out_b)) in new.zip(old).zip(out) {
            let (new, old) = ([*new_a, *new_b], [*old_a, *old_b]);
            for n in 0..2 {
                let sums = Sums { plain: plain[n], weighted: weighted[n] };
                weighted[n] = sums.next_weighted(new[n], weights[n]);
                plain[n] = sums.next_plain(new[n], old[n]);
            }
            (*out_a, *out_b) = (weighted[0] * scales[0], weighted[1] * scales[1]);
        }
        for (n, one) in pair.iter_mut().enumerate() {
            one.arrive(to, Sums { plain: plain[n], weighted: weighted[n] });
        }
    }
}

fn sma(x: &[f64], length: u32, out: &mut [f64]) {
    let (scale, window) = (1.0 / f64::from(length.max(1)), length as usize);
    let mut sum = 0.0;
    for stretch in stretches(x.len(), length) {
        let end = stretch.end;
        windowed((x, out), window, stretch, 0.0, |new, old, out| {
            sum += new - old;
            *out = sum * scale;
        });
        if end < x.len() {
            sum = Sums::of(x[end - window..end].iter().copied()).plain;
        }
    }
}

/// Mean and variance of the window that ends with each bar on which it is full.
pub(super) fn spread(x: &[f64], length: u32, mean: &mut [f64], variance: &mut [f64]) {
    let Some(first) = x.first() else { return };
    let (scale, window) = (1.0 / f64::from(length.max(1)), length as usize);
    let mut distances = Distances::standing_at(*first);
    for x in &x[..x.len().min(window - 1)] {
        distances = distances.filling(*x);
    }
    for stretch in stretches(x.len(), length) {
        let end = stretch.end;
        for t in stretch.start.max(window - 1)..end {
            let old = if t < window { *first } else { x[t - window] };
            distances = distances.next(x[t], old);
            let mut moments = distances.moments(scale);
            if distances.is_worn(moments) {
                distances = Distances::of(x[t + 1 - window..=t].iter().copied(), x[t]);
                moments = distances.moments(scale);
            }
            mean[t] = moments.mean;
            variance[t] = moments.squares * scale;
        }
        if end < x.len() {
            distances = Distances::of(x[end - window..end].iter().copied(), x[end - 1]);
        }
    }
}

/// The exponential mean, and that of the squared distances from it.
pub(super) fn exponential(x: &[f64], length: u32, mean: &mut [f64], variance: &mut [f64]) {
    let line = Line { kind: Average::Ema, length };
    run([Job::new(line, EmaSeed::Mean, 0, x, mean)]);
    let from = (length.max(1) as usize - 1).min(x.len());
    let squares: Vec<f64> = x[from..].iter().zip(&mean[from..]).map(|(x, m)| (x - m) * (x - m)).collect();
    run([Job::new(line, EmaSeed::Mean, 0, &squares, &mut variance[from..])]);
}
