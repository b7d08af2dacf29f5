//! Mean and population standard deviation of a window.
//!
//! Sums of distances from an anchor, a value of the window itself, not of raw squares: those lose
//! every digit of a small deviation at a large price. The anchor and the sums are made afresh every
//! so many bars, and at once when cancellation has eaten more than four digits (the price has
//! moved far from the anchor, or an outlier has left the window).

use super::window::Window;

/// Below this share of the largest sum since the last anchor, the sums are made afresh. An anchor
/// out of a window of up to 5000 values leaves a share above it, so this can't happen on every bar.
const WORN: f64 = 1e-4;

/// The running sums of a window's distances from an anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Distances {
    anchor: f64,
    sum: f64,
    squares: f64,
    /// The largest `squares` since the anchor was set.
    largest: f64,
}

/// What the sums say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    /// Sum of squared distances from the mean; over the length it is the variance.
    pub(super) squares: f64,
}

impl Distances {
    /// A window full of `x`.
    #[inline]
    pub(super) fn standing_at(x: f64) -> Self {
        Self { anchor: x, sum: 0.0, squares: 0.0, largest: 0.0 }
    }

    /// Of these values, anchored at the newest.
    pub(super) fn of(values: impl Iterator<Item = f64>, newest: f64) -> Self {
        let (sum, squares) = values.fold((0.0, 0.0), |(sum, squares), x| {
            let d = x - newest;
            (sum + d, squares + d * d)
        });
        Self { anchor: newest, sum, squares, largest: squares }
    }

    /// Once `new` has come in and `old` gone.
    #[inline]
    pub(super) fn next(self, new: f64, old: f64) -> Self {
        let (new, old) = (new - self.anchor, old - self.anchor);
        let change = new - old;
        let squares = self.squares + change * (new + old);
        let largest = if squares > self.largest { squares } else { self.largest };
        Self { anchor: self.anchor, sum: self.sum + change, squares, largest }
    }

    /// The same while the window still is full of the anchor: nothing is lost of the sums then, so
    /// the last is the largest.
    #[inline]
    pub(super) fn filling(self, new: f64) -> Self {
        let new = new - self.anchor;
        let squares = self.squares + new * new;
        Self { anchor: self.anchor, sum: self.sum + new, squares, largest: squares }
    }

    /// Mean and deviations, `scale` being one over the length.
    #[inline]
    pub(super) fn moments(self, scale: f64) -> Moments {
        let shift = self.sum * scale;
        Moments { mean: self.anchor + shift, squares: self.squares - self.sum * shift }
    }

    /// Whether too many digits are lost.
    #[inline]
    pub(super) fn is_worn(self, moments: Moments) -> bool {
        moments.squares < WORN * self.largest
    }
}

/// One deviation from its square, which rounding may have left a little below 0.
#[inline]
pub(super) fn root(variance: f64) -> f64 {
    (if variance > 0.0 { variance } else { 0.0 }).sqrt()
}

/// The incremental form.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread {
    distances: Distances,
    scale: f64,
    /// Values the window still lacks.
    lacking: u32,
    length: u32,
    window: Window,
}

impl Spread {
    pub(super) fn new(length: u32) -> Self {
        Self {
            distances: Distances::standing_at(0.0),
            scale: 1.0 / f64::from(length.max(1)),
            lacking: length.max(1),
            length: length.max(1),
            window: Window::new(length),
        }
    }

    /// Mean and σ if `x` came next; meaningless before the window is full, which `WARM` says it is.
    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the average")]
    #[inline(always)]
    pub(super) fn peek<const WARM: bool>(&self, x: f64) -> (f64, f64) {
        let next = self.next::<WARM>(x);
        let mut moments = next.moments(self.scale);
        if (WARM || self.lacking <= 1) && next.is_worn(moments) {
            moments = self.fresh(x).moments(self.scale);
        }
        (moments.mean, root(moments.squares * self.scale))
    }

    /// Takes `x` and gives mean and σ; meaningless before the window is full.
    #[expect(clippy::inline_always, reason = "measured: a call costs as much as the average")]
    #[inline(always)]
    pub(super) fn push<const WARM: bool>(&mut self, x: f64) -> (f64, f64) {
        if !WARM && self.lacking > 0 {
            if self.lacking == self.length {
                self.window.fill(x);
                self.distances = Distances::standing_at(x);
            }
            self.lacking -= 1;
        }
        let next = self.distances.next(x, self.window.oldest());
        let mut moments = next.moments(self.scale);
        self.distances = next;
        if self.window.replace(x) {
            self.freshen(x);
        }
        if (WARM || self.lacking == 0) && next.is_worn(moments) {
            self.freshen(x);
            moments = self.distances.moments(self.scale);
        }
        (moments.mean, root(moments.squares * self.scale))
    }

    #[inline]
    fn next<const WARM: bool>(&self, x: f64) -> Distances {
        if !WARM && self.lacking == self.length {
            Distances::standing_at(x)
        } else {
            self.distances.next(x, self.window.oldest())
        }
    }

    /// The sums made afresh from the window with `x` in for its oldest value.
    #[cold]
    #[inline(never)]
    fn fresh(&self, x: f64) -> Distances {
        Distances::of(self.window.iter().skip(1).chain([x]), x)
    }

    /// Sums the window afresh, whose newest value is `x`.
    #[cold]
    #[inline(never)]
    fn freshen(&mut self, x: f64) {
        self.distances = Distances::of(self.window.iter(), x);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.window.heap_bytes()
    }
}
