//! The exponential average.

/// Exponential averages side by side, each seeded with the mean of its first inputs, then carried
/// forward.
///
/// Figures of one kind lie together, so that two averages are worked out by one instruction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Emas<const N: usize> {
    alpha: [f64; N],
    beta: [f64; N],
    /// The sum of the inputs so far while it is being seeded, then the average.
    value: [f64; N],
    /// Inputs that the seed still lacks.
    lacking: [u32; N],
    seed_inputs: [u32; N],
}

/// One alone.
pub(super) type Ema = Emas<1>;

impl<const N: usize> Emas<N> {
    /// Each of as many bars as its length says, seeded with the mean of the first `seed_inputs` (at
    /// least one).
    pub(super) fn side_by_side(lengths: [u32; N], seed_inputs: [u32; N]) -> Self {
        let alpha = lengths.map(|length| 2.0 / (f64::from(length) + 1.0));
        let seed_inputs = seed_inputs.map(|inputs| inputs.max(1));
        Self { alpha, beta: alpha.map(|a| 1.0 - a), value: [0.0; N], lacking: seed_inputs, seed_inputs }
    }

    /// The average of that number if `x` came next; meaningless while the seed lacks more than `x`.
    /// `WARM`: the seed is known to be complete.
    #[inline]
    pub(super) fn peek_one<const WARM: bool>(&self, n: usize, x: f64) -> f64 {
        if WARM || self.lacking[n] == 0 {
            self.alpha[n] * x + self.beta[n] * self.value[n]
        } else {
            (self.value[n] + x) / f64::from(self.seed_inputs[n])
        }
    }

    /// Takes `x` for that average and gives it; meaningless while the seed lacks inputs.
    #[inline]
    pub(super) fn push_one<const WARM: bool>(&mut self, n: usize, x: f64) -> f64 {
        let next = self.peek_one::<WARM>(n, x);
        if WARM {
            self.value[n] = next;
        } else if self.lacking[n] > 1 {
            self.value[n] += x;
            self.lacking[n] -= 1;
        } else {
            self.value[n] = next;
            self.lacking[n] = 0;
        }
        next
    }

    /// Each average once its seed is complete, if its `x` came next.
    #[inline]
    pub(super) fn peek_warm(&self, x: [f64; N]) -> [f64; N] {
        let mut next = self.value;
        for n in 0..N {
            next[n] = self.alpha[n] * x[n] + self.beta[n] * next[n];
        }
        next
    }

    /// Takes an `x` for each, all seeds being complete.
    #[inline]
    pub(super) fn push_warm(&mut self, x: [f64; N]) -> [f64; N] {
        let next = self.peek_warm(x);
        self.value = next;
        next
    }
}

impl Ema {
    /// Of `length` bars, seeded with the mean of the first `seed_inputs` (at least one).
    pub(super) fn new(length: u32, seed_inputs: u32) -> Self {
        Self::side_by_side([length], [seed_inputs])
    }

    /// The average if `x` came next.
    #[inline]
    pub(super) fn peek<const WARM: bool>(&self, x: f64) -> f64 {
        self.peek_one::<WARM>(0, x)
    }

    /// Takes `x` and gives the average.
    #[inline]
    pub(super) fn push<const WARM: bool>(&mut self, x: f64) -> f64 {
        self.push_one::<WARM>(0, x)
    }
}
