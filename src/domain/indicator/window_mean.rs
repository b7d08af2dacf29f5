//! The simple and the linearly weighted average, from running sums.
//!
//! Running sums gather rounding errors, so they are summed afresh from the window every so many
//! bars: often enough that the error stays far below the twelfth digit, seldom enough to cost less
//! than the step itself.

use super::window::Window;

/// The running sums of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    /// Σ x
    pub(super) plain: f64,
    /// Σ k·x, k = 1 for the oldest
    pub(super) weighted: f64,
}

impl Sums {
    /// Of nothing.
    pub(super) const ZERO: Self = Self { plain: 0.0, weighted: 0.0 };

    /// Of these values, oldest first.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut weight = 0.0;
        values.fold(Self::ZERO, |sums, x| {
            weight += 1.0;
            Self { plain: sums.plain + x, weighted: sums.weighted + weight * x }
        })
    }

    /// The weighted sum once `new` has come into a window of `length`.
    #[inline]
    pub(super) fn next_weighted(self, new: f64, length: f64) -> f64 {
        self.weighted + (length * new - self.plain)
    }

    /// The plain sum once `new` has come in and `old` gone.
    #[inline]
    pub(super) fn next_plain(self, new: f64, old: f64) -> f64 {
        self.plain + (new - old)
    }
}

/// The linearly weighted average.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wma {
    sums: Sums,
    length: f64,
    scale: f64,
    window: Window,
}

impl Wma {
    pub(super) fn new(length: u32) -> Self {
        Self {
            sums: Sums::ZERO,
            length: f64::from(length),
            scale: weighted_scale(length),
            window: Window::new(length),
        }
    }

    /// The average if `x` came next.
    #[inline]
    pub(super) fn peek(&self, x: f64) -> f64 {
        self.sums.next_weighted(x, self.length) * self.scale
    }

    /// Takes `x` and gives the average.
    #[inline]
    pub(super) fn push(&mut self, x: f64) -> f64 {
        let weighted = self.sums.next_weighted(x, self.length);
        self.sums = Sums { plain: self.sums.next_plain(x, self.window.oldest()), weighted };
        if self.window.replace(x) {
            self.freshen();
        }
        weighted * self.scale
    }

    /// Sums the window afresh.
    #[cold]
    #[inline(never)]
    fn freshen(&mut self) {
        self.sums = Sums::of(self.window.iter());
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.window.heap_bytes()
    }
}

/// The simple average.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sma {
    sum: f64,
    scale: f64,
    window: Window,
}

impl Sma {
    pub(super) fn new(length: u32) -> Self {
        Self { sum: 0.0, scale: 1.0 / f64::from(length.max(1)), window: Window::new(length) }
    }

    /// The average if `x` came next.
    #[inline]
    pub(super) fn peek(&self, x: f64) -> f64 {
        (self.sum + (x - self.window.oldest())) * self.scale
    }

    /// Takes `x` and gives the average.
    #[inline]
    pub(super) fn push(&mut self, x: f64) -> f64 {
        let sum = self.sum + (x - self.window.oldest());
        self.sum = sum;
        if self.window.replace(x) {
            self.freshen();
        }
        sum * self.scale
    }

    /// Sums the window afresh.
    #[cold]
    #[inline(never)]
    fn freshen(&mut self) {
        self.sum = Sums::of(self.window.iter()).plain;
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.window.heap_bytes()
    }
}

/// One over the sum of the weights.
pub(super) fn weighted_scale(length: u32) -> f64 {
    let length = f64::from(length.max(1));
    2.0 / (length * (length + 1.0))
}
