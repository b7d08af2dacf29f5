//! The HAMA indicator: from candles to what [`HamaPoint`](super::hama::HamaPoint) says.
//!
//! Two ways to the same figures: [`Hama`] takes one candle after the other, [`HamaColumns`] a whole
//! series at once, column by column. They share the rules ([`tie`], `ladder`, `crossing`,
//! `figures`) and the order of every addition, so their results are equal to the last bit.

mod candle;
mod columns;
mod crossing;
mod ema;
mod figures;
mod ladder;
mod machine;
mod mean;
mod options;
mod reading;
mod spread;
pub mod tie;
mod window;
mod window_mean;

#[cfg(test)]
mod tests;

pub use columns::HamaColumns;
pub use machine::Hama;
pub use options::{EmaSeed, HamaOptions, InitialSide};
