//! The score of a symbol over its intervals.

/// What a symbol's intervals add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SymbolScore {
    /// Weighted mean of the ready intervals' scores; what rows are sorted on.
    pub raw: f64,
    /// `raw` rounded half away from zero; what is shown.
    pub score: i32,
    /// Share of the weights that the ready intervals have, 0 to 1.
    pub coverage: f64,
    /// How far the intervals agree in sign, 0 to 100.
    pub coherence: f64,
}
