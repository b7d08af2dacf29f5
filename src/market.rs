//! The market in memory: the candle rings, what the indicator says of them, and the immutable
//! picture of it that screens and exports read.
//!
//! Invariant: pure. No IO, no ambient clock, no async; time comes in as a parameter.

pub mod behind;
pub mod freshness;
pub mod lane;
pub mod series;
pub mod snapshot;
mod stats;
pub mod store;
