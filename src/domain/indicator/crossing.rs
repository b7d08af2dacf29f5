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
    /// The bar of the last cross, or on which the direction was inferred, or the side known.
    pub(super) since: u32,
    pub(super) side: Sign,
}

/// A cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cross {
    pub(super) dir: Sign,
    /// It went another way than the last.
    pub(super) flip: bool,
}

impl Crossing {
    /// Before the side is known.
    pub(super) const START: Self =
        Self { direction: Sign::Flat, inferred: false, since: 0, side: Sign::Flat };

    /// The first bar on which the side is known: there is nothing to cross from.
    #[inline]
    pub(super) fn first(side: Sign, bar: u32, initial: InitialSide) -> Self {
        match initial {
            InitialSide::Infer if side != Sign::Flat => {
                Self { direction: side, inferred: true, since: bar, side }
            }
            _ => Self { since: bar, side, ..Self::START },
        }
    }

    /// The next bar, and the cross on it.
    #[inline]
    pub(super) fn next(self, side: Sign, bar: u32) -> (Self, Option<Cross>) {
        if side == Sign::Flat || side == self.side {
            return (Self { side, ..self }, None);
        }
        let next = Self { direction: side, inferred: false, since: bar, side };
        (next, Some(Cross { dir: side, flip: side != self.direction }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sides: &[i8], initial: InitialSide) -> Vec<(Crossing, Option<Cross>)> {
        let mut sides = (0..).zip(sides.iter().map(|side| Sign::of(*side > 0, *side < 0)));
        let (bar, side) = sides.next().unwrap();
        let mut all = vec![(Crossing::first(side, bar, initial), None)];
        for (bar, side) in sides {
            all.push(all[all.len() - 1].0.next(side, bar));
        }
        all
    }

    #[test]
    fn a_touch_and_a_bounce_is_a_cross_and_no_flip() {
        let r = run(&[1, 1, 0, 1, -1, -1, 1], InitialSide::Infer);
        let seen: Vec<_> = r
            .iter()
            .map(|(c, cross)| {
                (c.direction.as_i8(), c.inferred, c.since, cross.map(|x| (x.dir.as_i8(), x.flip)))
            })
            .collect();
        assert_eq!(
            seen,
            [
                (1, true, 0, None),
                (1, true, 0, None),
                (1, true, 0, None),
                (1, false, 3, Some((1, false))),
                (-1, false, 4, Some((-1, true))),
                (-1, false, 4, None),
                (1, false, 6, Some((1, true))),
            ]
        );
    }

    #[test]
    fn nothing_is_inferred_where_that_is_not_wanted_or_the_market_stands() {
        assert_eq!(run(&[1, 1], InitialSide::None)[1].0.direction, Sign::Flat);
        let still = run(&[0, 0, 0, 1], InitialSide::Infer);
        assert_eq!((still[2].0.direction, still[2].0.inferred, still[2].1), (Sign::Flat, false, None));
        assert_eq!(still[3].1, Some(Cross { dir: Sign::Up, flip: true }));
    }
}
