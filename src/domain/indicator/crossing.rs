//! Crosses of the HAMA close and the moving average, and the last one.

use crate::domain::hama::Sign;

use super::options::InitialSide;

/// The state after a bar on which the side is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    /// The last cross, flat where none is known.
    pub(super) direction: Sign,
    /// That direction follows from the first known side, not from a cross that was seen.
    pub(super) inferred: bool,
    /// Bars since the last cross, or since the direction was inferred, or since the side was known.
    pub(super) bars: u32,
    /// This bar's side is a cross.
    pub(super) crossed: bool,
    /// That cross went another way than the last.
    pub(super) flip: bool,
    pub(super) side: Sign,
}

impl Crossing {
    /// Before the first bar.
    pub(super) const START: Self = Self {
        direction: Sign::Flat,
        inferred: false,
        bars: 0,
        crossed: false,
        flip: false,
        side: Sign::Flat,
    };

    /// The first bar on which the side is known: there is nothing to cross from.
    #[inline]
    pub(super) fn first(side: Sign, initial: InitialSide) -> Self {
        Self { side, ..Self::START }.inferring(initial)
    }

    /// The next bar.
    #[inline]
    pub(super) fn next(self, side: Sign) -> Self {
        let crossed = side != Sign::Flat && side != self.side;
        Self {
            direction: if crossed { side } else { self.direction },
            inferred: self.inferred && !crossed,
            bars: if crossed { 0 } else { self.bars.saturating_add(1) },
            crossed,
            flip: crossed && side != self.direction,
            side,
        }
    }

    /// A cross on this bar.
    #[inline]
    pub(super) fn cross(self) -> Option<Sign> {
        self.crossed.then_some(self.side)
    }

    fn inferring(self, initial: InitialSide) -> Self {
        match initial {
            InitialSide::Infer if self.side != Sign::Flat => {
                Self { direction: self.side, inferred: true, ..self }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sides: &[i8], initial: InitialSide) -> Vec<Crossing> {
        let sides: Vec<_> = sides.iter().map(|side| Sign::of(*side > 0, *side < 0)).collect();
        let mut all = vec![Crossing::first(sides[0], initial)];
        for side in &sides[1..] {
            all.push(all[all.len() - 1].next(*side));
        }
        all
    }

    #[test]
    fn a_touch_and_a_bounce_is_a_cross_and_no_flip() {
        let r = run(&[1, 1, 0, 1, -1, -1, 1], InitialSide::Infer);
        let seen: Vec<_> = r
            .iter()
            .map(|c| (c.direction.as_i8(), c.inferred, c.bars, c.cross().map_or(0, Sign::as_i8), c.flip))
            .collect();
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
        assert_eq!(run(&[1, 1], InitialSide::None)[1].direction, Sign::Flat);
        let still = run(&[0, 0, 0, 1], InitialSide::Infer);
        assert_eq!((still[2].direction, still[2].inferred, still[2].flip), (Sign::Flat, false, false));
        assert_eq!((still[3].cross(), still[3].flip), (Some(Sign::Up), true));
    }
}
