//! Crosses of the HAMA close and the moving average, and the last one.

use crate::domain::hama::Sign;
use crate::domain::time::UnixMs;

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
    /// Close time of the last cross that was seen.
    pub(super) time: Option<UnixMs>,
    pub(super) side: Sign,
}

/// What a bar shows of crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cross {
    /// Where the cross on it went; `None` where there is none.
    pub(super) dir: Option<Sign>,
    /// That is another way than the last.
    pub(super) flip: bool,
}

impl Cross {
    pub(super) const NONE: Self = Self { dir: None, flip: false };
}

impl Crossing {
    /// Before the side is known.
    pub(super) const START: Self =
        Self { direction: Sign::Flat, inferred: false, since: 0, time: None, side: Sign::Flat };

    /// The first bar on which the side is known: there is nothing to cross from.
    #[inline]
    pub(super) fn first(side: Sign, bar: u32, initial: InitialSide) -> Self {
        match initial {
            InitialSide::Infer if side != Sign::Flat => {
                Self { direction: side, inferred: true, since: bar, time: None, side }
            }
            _ => Self { since: bar, side, ..Self::START },
        }
    }

    /// The next bar, which closes at `time`, and the cross on it.
    #[inline]
    pub(super) fn next(self, side: Sign, bar: u32, time: impl FnOnce() -> UnixMs) -> (Self, Cross) {
        if side == Sign::Flat || side == self.side {
            return (Self { side, ..self }, Cross::NONE);
        }
        let next = Self { direction: side, inferred: false, since: bar, time: Some(time()), side };
        (next, Cross { dir: Some(side), flip: side != self.direction })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sides: &[i8], initial: InitialSide) -> Vec<(Crossing, Cross)> {
        let mut sides = (0..).zip(sides.iter().map(|side| Sign::of(*side > 0, *side < 0)));
        let (bar, side) = sides.next().unwrap();
        let mut all = vec![(Crossing::first(side, bar, initial), Cross::NONE)];
        for (bar, side) in sides {
            all.push(all[all.len() - 1].0.next(side, bar, || UnixMs(bar.into())));
        }
        all
    }

    #[test]
    fn a_touch_and_a_bounce_is_a_cross_and_no_flip() {
        let r = run(&[1, 1, 0, 1, -1, -1, 1], InitialSide::Infer);
        let seen: Vec<_> = r
            .iter()
            .map(|(c, cross)| {
                assert_eq!(c.time, (!c.inferred).then_some(UnixMs(c.since.into())));
                (c.direction.as_i8(), c.inferred, c.since, cross.dir.map(|dir| (dir.as_i8(), cross.flip)))
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
        assert_eq!((still[2].0.direction, still[2].0.inferred, still[2].1), (Sign::Flat, false, Cross::NONE));
        assert_eq!(still[3].1, Cross { dir: Some(Sign::Up), flip: true });
    }
}
