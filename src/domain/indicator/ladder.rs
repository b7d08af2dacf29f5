//! The gradient counter.

use crate::domain::hama::{Gradient, Sign};

/// Steps from neutral to full colour.
const STEPS: u8 = 5;

/// Counts how long, and how firmly, a line has been on one side of its own short average.
///
/// It is the number of a [`Rung`], and what follows from each is worked out beforehand: a series
/// has hundreds of moves in a row, each of which waits for the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ladder(u8);

impl Ladder {
    pub(super) const START: Self = Rung { direction: Sign::Flat, steps: 0, side: None }.number();

    /// The next bar: the line's side of its average, and which way the line went.
    #[inline]
    pub(super) fn next(self, side: Sign, slope: Sign) -> Self {
        let index = |sign: Sign| usize::from((sign.as_i8() + 1).unsigned_abs());
        NEXT[usize::from(self.0)][index(side)][index(slope)]
    }

    #[inline]
    pub(super) fn gradient(self) -> Gradient {
        SAYS[usize::from(self.0)].0
    }

    /// The gradient's part of the score.
    #[inline]
    pub(super) fn part(self) -> f64 {
        SAYS[usize::from(self.0)].1
    }
}

/// Where a ladder can be.
#[derive(Clone, Copy)]
struct Rung {
    /// The side last taken.
    direction: Sign,
    /// 0 to [`STEPS`].
    steps: u8,
    /// The side on the last bar; `None` before the first.
    side: Option<Sign>,
}

impl Rung {
    const fn next(self, side: Sign, slope: Sign) -> Self {
        if matches!(side, Sign::Flat) {
            return Self { side: Some(side), ..self };
        }
        let crossed = matches!(self.side, Some(before) if before.as_i8() != side.as_i8());
        let steps = match (self.steps, side.as_i8() * slope.as_i8()) {
            _ if crossed => 1,
            (steps, 1) if steps < STEPS => steps + 1,
            (steps, -1) if steps > 1 => steps - 1,
            (_, -1) => 1,
            (steps, _) => steps,
        };
        Self { direction: side, steps, side: Some(side) }
    }

    const fn part(self) -> f64 {
        let share = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0][self.steps as usize];
        match self.direction {
            Sign::Down => -share,
            Sign::Flat => 0.0,
            Sign::Up => share,
        }
    }

    const fn number(self) -> Ladder {
        let side = match self.side {
            Some(side) => (side.as_i8() + 1).unsigned_abs(),
            None => 3,
        };
        Ladder(((self.direction.as_i8() + 1).unsigned_abs() * (STEPS + 1) + self.steps) * 4 + side)
    }

    /// The rung of that number; from 72 on they begin anew.
    const fn of(number: usize) -> Self {
        let side = number % 4;
        Self {
            direction: SIGNS[number / 24 % 3],
            steps: [0, 1, 2, 3, 4, STEPS][number / 4 % 6],
            side: if side == 3 { None } else { Some(SIGNS[side]) },
        }
    }
}

const SIGNS: [Sign; 3] = [Sign::Down, Sign::Flat, Sign::Up];

/// As many as a byte can tell apart, so that no number is out of range.
const NUMBERS: usize = 256;

/// The next rung, by side and slope.
static NEXT: [[[Ladder; 3]; 3]; NUMBERS] = {
    let mut next = [[[Ladder::START; 3]; 3]; NUMBERS];
    let mut n = 0;
    while n < NUMBERS * 9 {
        let (number, side, slope) = (n / 9, n / 3 % 3, n % 3);
        next[number][side][slope] = Rung::of(number).next(SIGNS[side], SIGNS[slope]).number();
        n += 1;
    }
    next
};

/// What a rung says: the gradient, and its part of the score.
static SAYS: [(Gradient, f64); NUMBERS] = {
    let mut says = [(Gradient { dir: Sign::Flat, steps: 0 }, 0.0); NUMBERS];
    let mut number = 0;
    while number < NUMBERS {
        let rung = Rung::of(number);
        says[number] = (Gradient { dir: rung.direction, steps: rung.steps }, rung.part());
        number += 1;
    }
    says
};

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(x: i8) -> Sign {
        Sign::of(x > 0, x < 0)
    }

    #[test]
    fn the_counter_climbs_falls_and_begins_anew_on_a_cross() {
        let mut ladder = Ladder::START;
        let mut go = |side, slope| {
            ladder = ladder.next(sign(side), sign(slope));
            let Gradient { dir, steps } = ladder.gradient();
            assert!((ladder.part() - dir.as_f64() * f64::from(steps) / 5.0).abs() < 1e-15);
            (dir.as_i8(), steps)
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
        let first = |side, slope| Ladder::START.next(sign(side), sign(slope)).gradient();
        assert_eq!(first(-1, -1), Gradient { dir: Sign::Down, steps: 1 });
        assert_eq!(first(1, 0).steps, 0);
        assert_eq!(first(1, -1).steps, 1);
        assert_ne!(Ladder::START.next(Sign::Flat, Sign::Flat), Ladder::START, "flat is a side to cross from");
    }

    #[test]
    fn every_rung_has_its_number() {
        for number in 0..72 {
            assert_eq!(Rung::of(number).number(), Ladder(u8::try_from(number).unwrap()));
        }
    }
}
