//! The newest values of a line.

/// A ring of a fixed number of values, full from the start.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    values: Box<[f64]>,
    oldest: usize,
}

impl Window {
    /// `length` values (at least one), all of them 0.
    pub(super) fn new(length: u32) -> Self {
        Self { values: vec![0.0; length.max(1) as usize].into(), oldest: 0 }
    }

    /// Makes all values `x`.
    pub(super) fn fill(&mut self, x: f64) {
        self.values.fill(x);
    }

    /// The value that goes next.
    #[inline]
    pub(super) fn oldest(&self) -> f64 {
        self.values.get(self.oldest).copied().unwrap_or(0.0)
    }

    /// Puts `x` in for the oldest value, and gives that.
    #[inline]
    pub(super) fn replace(&mut self, x: f64) -> f64 {
        let Some(slot) = self.values.get_mut(self.oldest) else { return 0.0 };
        let old = std::mem::replace(slot, x);
        self.oldest = if self.oldest + 1 == self.values.len() { 0 } else { self.oldest + 1 };
        old
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
            w.replace(f64::from(x));
        }
        assert_eq!(w.iter().collect::<Vec<_>>(), [3.0, 4.0, 5.0]);
        assert_eq!((w.oldest(), w.replace(6.0), w.oldest()), (3.0, 3.0, 4.0));
        assert_eq!(w.heap_bytes(), 24);
    }
}
