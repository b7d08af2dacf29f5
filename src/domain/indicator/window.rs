//! The newest values of a line.

/// Values from one fresh sum of a short window to the next, or somewhat fewer. The weighted sum's
/// error grows with the square of this and shrinks with the length, so the shortest windows, which
/// cost little to sum, have fewer.
const BETWEEN_SUMS: u32 = 256;
const BETWEEN_SHORT_SUMS: u32 = 64;

/// How often a window of `length` is gone through from one fresh sum to the next.
fn laps(length: u32) -> u32 {
    let bars = if length < 16 { BETWEEN_SHORT_SUMS } else { BETWEEN_SUMS };
    (bars / length.max(1)).max(1)
}

/// Values from one fresh sum over a window of `length` to the next.
pub(super) fn period(length: u32) -> u32 {
    laps(length) * length.max(1)
}

/// A ring of a fixed number of values, full from the start.
///
/// It says when running sums over it have to be made afresh: at the end of a lap, where it has to
/// turn anyway, so that no other counter is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    values: Box<[f64]>,
    /// In range: it turns where the values end.
    oldest: usize,
    laps_left: u32,
    laps: u32,
}

impl Window {
    /// `length` values (at least one), all of them 0.
    pub(super) fn new(length: u32) -> Self {
        let laps = laps(length);
        Self { values: vec![0.0; length.max(1) as usize].into(), oldest: 0, laps_left: laps, laps }
    }

    /// Makes all values `x`.
    pub(super) fn fill(&mut self, x: f64) {
        self.values.fill(x);
    }

    /// The value that goes next.
    #[inline]
    pub(super) fn oldest(&self) -> f64 {
        self.values[self.oldest]
    }

    /// Puts `x` in for the oldest value. Whether sums over the window are to be made afresh now.
    #[inline]
    #[must_use]
    pub(super) fn replace(&mut self, x: f64) -> bool {
        self.values[self.oldest] = x;
        self.oldest += 1;
        self.oldest == self.values.len() && self.end_lap()
    }

    #[cold]
    #[inline(never)]
    fn end_lap(&mut self) -> bool {
        self.oldest = 0;
        self.laps_left -= 1;
        let is_due = self.laps_left == 0;
        if is_due {
            self.laps_left = self.laps;
        }
        is_due
    }

    /// The values, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        let (newer, older) = self.values.split_at(self.oldest);
        older.iter().chain(newer).copied()
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_leave_in_the_order_they_came() {
        let mut w = Window::new(3);
        for x in 1..=5 {
            assert!(!w.replace(f64::from(x)));
        }
        assert_eq!(w.iter().collect::<Vec<_>>(), [3.0, 4.0, 5.0]);
        assert_eq!((w.oldest(), w.replace(6.0), w.oldest()), (3.0, false, 4.0));
        assert_eq!(w.heap_bytes(), 24);
    }

    #[test]
    fn sums_are_due_at_the_end_of_a_lap_and_once_a_period() {
        for length in [0, 1, 3, 15, 16, 40, 100, 256, 400] {
            let (mut w, period) = (Window::new(length), period(length));
            assert!(period <= 256.max(length) && period.is_multiple_of(length.max(1)), "{length}: {period}");
            let due: Vec<u32> = (1..=3 * period).filter(|n| w.replace(f64::from(*n))).collect();
            assert_eq!(due, [period, 2 * period, 3 * period], "{length}");
        }
    }
}
