//! The floor of any ordered table: figures that are at hand already, sorted, and nothing else.

/// The places of the figures, largest first.
#[must_use]
pub fn largest_first(figures: &[(f64, usize)]) -> Vec<usize> {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    sorted.into_iter().map(|(_, place)| place).collect()
}
