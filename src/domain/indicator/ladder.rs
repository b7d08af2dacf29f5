//! The gradient counter.

/// Steps from neutral to full colour.
pub(super) const STEPS: u8 = 5;

/// Counts how long, and how firmly, a line has been on one side of its own short average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ladder {
    /// −1, 0 or 1: the side last taken.
    pub(super) direction: i8,
    /// 0 to [`STEPS`].
    pub(super) steps: u8,
    /// The side on the last bar; [`NO_BAR`] before the first.
    side: i8,
}

/// The side before the first bar: none that a bar can have.
const NO_BAR: i8 = 2;

impl Ladder {
    pub(super) const START: Self = Self { direction: 0, steps: 0, side: NO_BAR };

    /// The ladder as one number.
    pub(super) fn state(self) -> u8 {
        ((self.direction + 1).unsigned_abs() * (STEPS + 1) + self.steps) * 4 + (self.side + 1).unsigned_abs()
    }

    /// The next bar: the line's side of its average, and which way the line went.
    ///
    /// Written as choices between values, not as branches: which way a market goes is what a
    /// processor predicts worst.
    #[inline]
    pub(super) fn next(self, side: i8, slope: i8) -> Self {
        let crossed = self.side != NO_BAR && self.side != side;
        let with_it = slope * side;
        let climbed = if with_it > 0 { (self.steps + 1).min(STEPS) } else { self.steps };
        let moved = if with_it < 0 { self.steps.max(2) - 1 } else { climbed };
        let steps = if crossed { 1 } else { moved };
        let beside = side != 0;
        Self {
            direction: if beside { side } else { self.direction },
            steps: if beside { steps } else { self.steps },
            side,
        }
    }
}

/// States a ladder can be in: three directions, six steps and four sides.
const STATES: usize = 3 * (STEPS as usize + 1) * 4;

/// The moves of every ladder, worked out beforehand: a series has hundreds in a row, each of which
/// waits for the one before.
#[derive(Clone, Debug)]
pub(super) struct Moves {
    /// By side and slope, then by state.
    next: [[u8; STATES]; 9],
    ladders: [Ladder; STATES],
}

impl Moves {
    pub(super) fn new() -> Self {
        let mut all = Self { next: [[0; STATES]; 9], ladders: [Ladder::START; STATES] };
        for direction in -1..=1 {
            for steps in 0..=STEPS {
                for side in -1..=NO_BAR {
                    let ladder = Ladder { direction, steps, side };
                    let state = usize::from(ladder.state());
                    all.ladders[state] = ladder;
                    for (side, slope) in (0..9).map(|n| (n / 3 - 1, n % 3 - 1)) {
                        all.next[Self::way(side, slope)][state] = ladder.next(side, slope).state();
                    }
                }
            }
        }
        all
    }

    /// The state after `state`.
    #[inline]
    pub(super) fn next(&self, state: u8, side: i8, slope: i8) -> u8 {
        self.next[Self::way(side, slope)][usize::from(state)]
    }

    pub(super) fn ladder(&self, state: u8) -> Ladder {
        self.ladders[usize::from(state)]
    }

    /// Each state's ladder, made into something else.
    pub(super) fn map<T>(&self, f: impl FnMut(Ladder) -> T) -> [T; STATES] {
        self.ladders.map(f)
    }

    #[inline]
    fn way(side: i8, slope: i8) -> usize {
        usize::from((side * 3 + slope + 4).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_climbs_falls_and_begins_anew_on_a_cross() {
        let mut ladder = Ladder::START;
        let mut go = |side, slope| {
            ladder = ladder.next(side, slope);
            (ladder.direction, ladder.steps)
        };
        assert_eq!(go(0, 0), (0, 0));
        assert_eq!(go(1, 1), (1, 1));
        for steps in [2, 3, 4, 5, 5] {
            assert_eq!(go(1, 1), (1, steps));
        }
        assert_eq!(go(1, -1), (1, 4));
        assert_eq!(go(1, 0), (1, 4));
        assert_eq!(go(0, -1), (1, 4), "on its average it keeps what it had");
        assert_eq!(go(1, 1), (1, 1), "and what leaves the average has crossed it");
        assert_eq!(go(1, -1), (1, 1));
        assert_eq!(go(-1, -1), (-1, 1));
        assert_eq!(go(-1, -1), (-1, 2));
    }

    #[test]
    fn the_first_bar_is_no_cross() {
        assert_eq!(Ladder::START.next(-1, -1), Ladder { direction: -1, steps: 1, side: -1 });
        assert_eq!(Ladder::START.next(1, 0).steps, 0);
        assert_eq!(Ladder::START.next(1, -1).steps, 1);
    }
}
