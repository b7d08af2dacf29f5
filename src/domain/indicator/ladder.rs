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
    /// The side on the last bar; `None` before the first.
    side: Option<i8>,
}

impl Ladder {
    pub(super) const START: Self = Self { direction: 0, steps: 0, side: None };

    /// The next bar: the line's side of its average, and which way the line went.
    #[inline]
    pub(super) fn next(self, side: i8, slope: i8) -> Self {
        if side == 0 {
            return Self { side: Some(side), ..self };
        }
        let crossed = self.side.is_some_and(|before| before * side <= 0);
        let steps = if crossed {
            1
        } else {
            match slope * side {
                1 => (self.steps + 1).min(STEPS),
                -1 => self.steps.max(2) - 1,
                _ => self.steps,
            }
        };
        Self { direction: side, steps, side: Some(side) }
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
        assert_eq!(Ladder::START.next(-1, -1), Ladder { direction: -1, steps: 1, side: Some(-1) });
        assert_eq!(Ladder::START.next(1, 0).steps, 0);
        assert_eq!(Ladder::START.next(1, -1).steps, 1);
    }
}
