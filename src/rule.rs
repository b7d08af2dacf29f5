//! What people ask of the rows: the filter.
//!
//! Invariant: pure, and left of the engine, so that a stalled terminal stops no rule.

pub mod alert;
pub mod filter;
