//! When two figures count as equal.
//!
//! A market that stands still has averages which differ in their last bits. Every order comparison
//! of the indicator goes through here, so that such a market has no side, slope or signal.

use crate::domain::hama::Sign;

/// Two figures are equal when they differ by no more than this share of the greater one.
pub const TIE: f64 = 1e-12;

/// What is left of a figure less the share by which it may differ from an equal one.
const REST: f64 = 1.0 - TIE;

/// Whether `a` is above `b`, and whether it is below.
///
/// `a − b > TIE · a`, put so that it takes two multiplications and two comparisons. The greater of
/// the two stands for the greater magnitude: at most one of any two figures is negative (a lower
/// band; prices and their averages never are), and then it is the lesser one by either measure.
#[inline]
fn order(a: f64, b: f64) -> (bool, bool) {
    (a * REST > b, b * REST > a)
}

/// Down where `a` is below `b`, flat where they are equal, up where it is above.
#[inline]
pub fn sign(a: f64, b: f64) -> Sign {
    let (above, below) = order(a, b);
    Sign::of(above, below)
}

/// The same as a factor: in a column as wide as the figures it is made of, several bars are
/// compared at once.
#[inline]
pub(super) fn factor(a: f64, b: f64) -> f64 {
    let (above, below) = order(a, b);
    factor_of(above, below)
}

/// 1 for above, −1 for below, 0 for neither.
#[inline]
pub(super) fn factor_of(above: bool, below: bool) -> f64 {
    (if above { 1.0 } else { 0.0 }) - if below { 1.0 } else { 0.0 }
}

/// `a > b`
#[inline]
pub fn above(a: f64, b: f64) -> bool {
    order(a, b).0
}

/// `a < b`
#[inline]
pub fn below(a: f64, b: f64) -> bool {
    order(a, b).1
}

/// A limit that figures of 0 and more are held against.
///
/// The same rule, worked out beforehand: what counts as equal to the limit lies between two bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    lower: f64,
    upper: f64,
}

impl Limit {
    /// The limit `at`, above 0.
    pub const fn new(at: f64) -> Self {
        Self { lower: at * (1.0 - TIE), upper: at * (1.0 + TIE) }
    }

    /// Whether `x` is above it.
    #[inline]
    pub fn is_passed_by(self, x: f64) -> bool {
        x > self.upper
    }

    /// Whether `x` is at or above it.
    #[inline]
    pub fn is_reached_by(self, x: f64) -> bool {
        x >= self.lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bits_do_not_count() {
        for scale in [1e-8, 1.0, 6e4] {
            let a = 0.1 * scale;
            assert_eq!(sign(a, a), Sign::Flat);
            assert_eq!(sign(a * (1.0 + 5e-13), a), Sign::Flat);
            assert_eq!(sign(a * (1.0 + 5e-12), a), Sign::Up);
            assert_eq!(sign(a, a * (1.0 + 5e-12)), Sign::Down);
            assert_eq!(sign(-a, a), Sign::Down);
        }
        assert_eq!(sign(0.0, 0.0), Sign::Flat);
        let limit = Limit::new(0.1);
        let near = [0.1 * (1.0 - 5e-12), 0.1 * (1.0 - 5e-13), 0.1, 0.1 * (1.0 + 5e-13), 0.1 * (1.0 + 5e-12)];
        assert_eq!(near.map(|x| limit.is_reached_by(x)), [false, true, true, true, true]);
        assert_eq!(near.map(|x| limit.is_passed_by(x)), [false, false, false, false, true]);
        assert!(above(2.0, 1.0) && !above(1.0, 1.0) && below(1.0, 2.0) && !below(1.0, 1.0));
    }
}
