//! What people ask of the rows: fields, their values, and the filter over them.
//!
//! Invariant: pure, and left of the engine, so that a stalled terminal stops no rule.

pub mod field;
pub mod filter;
pub mod names;
pub mod reading;
pub mod state;
pub mod truth;
pub mod value;
