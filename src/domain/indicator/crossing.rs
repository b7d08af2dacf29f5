//! Crosses of the HAMA close and the moving average, and the last one.

use super::options::InitialSide;

/// The state after a bar on which the side is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    /// −1, 0 or 1: the last cross, 0 where none is known.
    pub(super) direction: i8,
    /// That direction follows from the first known side, not from a cross that was seen.
    pub(super) inferred: bool,
    /// Bars since the last cross, or since the direction was inferred, or since the side was known.
    pub(super) bars: u32,
    /// A cross on this bar: −1, 0 or 1.
    pub(super) cross: i8,
    /// That cross went another way than the last.
    pub(super) flip: bool,
    pub(super) side: i8,
}

impl Crossing {
    /// Before the first bar.
    pub(super) const START: Self =
        Self { direction: 0, inferred: false, bars: 0, cross: 0, flip: false, side: 0 };

    /// The first bar on which the side is known: there is nothing to cross from.
    #[inline]
    pub(super) fn first(side: i8, initial: InitialSide) -> Self {
        Self { side, ..Self::START }.inferring(initial)
    }

    /// The next bar.
    #[inline]
    pub(super) fn next(self, side: i8) -> Self {
        let crossed = side != 0 && side != self.side;
        Self {
            direction: if crossed { side } else { self.direction },
            inferred: self.inferred && !crossed,
            bars: if crossed { 0 } else { self.bars.saturating_add(1) },
            cross: if crossed { side } else { 0 },
            flip: crossed && side != self.direction,
            side,
        }
    }

    fn inferring(self, initial: InitialSide) -> Self {
        match initial {
            InitialSide::Infer if self.side != 0 => Self { direction: self.side, inferred: true, ..self },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sides: &[i8], initial: InitialSide) -> Vec<Crossing> {
        let mut all = vec![Crossing::first(sides[0], initial)];
        for side in &sides[1..] {
            all.push(all[all.len() - 1].next(*side));
        }
        all
    }

    #[test]
    fn a_touch_and_a_bounce_is_a_cross_and_no_flip() {
        let r = run(&[1, 1, 0, 1, -1, -1, 1], InitialSide::Infer);
        let seen: Vec<_> = r.iter().map(|c| (c.direction, c.inferred, c.bars, c.cross, c.flip)).collect();
        assert_eq!(
            seen,
            [
                (1, true, 0, 0, false),
                (1, true, 1, 0, false),
                (1, true, 2, 0, false),
                (1, false, 0, 1, false),
                (-1, false, 0, -1, true),
                (-1, false, 1, 0, false),
                (1, false, 0, 1, true),
            ]
        );
    }

    #[test]
    fn nothing_is_inferred_where_that_is_not_wanted_or_the_market_stands() {
        assert_eq!(run(&[1, 1], InitialSide::None)[1].direction, 0);
        let still = run(&[0, 0, 0, 1], InitialSide::Infer);
        assert_eq!((still[2].direction, still[2].inferred, still[2].flip), (0, false, false));
        assert_eq!((still[3].cross, still[3].flip), (1, true));
    }
}
