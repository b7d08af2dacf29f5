//! The exponential average.

/// Seeded with the mean of its first inputs, then carried forward.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ema {
    pub(super) alpha: f64,
    pub(super) beta: f64,
    /// The sum of the inputs so far while it is being seeded, then the average.
    value: f64,
    /// Inputs that the seed still lacks.
    lacking: u32,
    seed_inputs: f64,
}

impl Ema {
    /// Of `length` bars, seeded with the mean of the first `seed_inputs` (at least one).
    pub(super) fn new(length: u32, seed_inputs: u32) -> Self {
        let alpha = 2.0 / (f64::from(length) + 1.0);
        let lacking = seed_inputs.max(1);
        Self { alpha, beta: 1.0 - alpha, value: 0.0, lacking, seed_inputs: f64::from(lacking) }
    }

    /// The average if `x` came next; meaningless while the seed lacks more than `x`.
    /// `WARM`: the seed is known to be complete.
    #[inline]
    pub(super) fn peek<const WARM: bool>(&self, x: f64) -> f64 {
        if WARM || self.lacking == 0 {
            self.alpha * x + self.beta * self.value
        } else {
            (self.value + x) / self.seed_inputs
        }
    }

    /// Takes `x` and gives the average; meaningless while the seed lacks inputs.
    #[inline]
    pub(super) fn push<const WARM: bool>(&mut self, x: f64) -> f64 {
        let next = self.peek::<WARM>(x);
        if WARM {
            self.value = next;
        } else if self.lacking > 1 {
            self.value += x;
            self.lacking -= 1;
        } else {
            self.value = next;
            self.lacking = 0;
        }
        next
    }
}
