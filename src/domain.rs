//! The vocabulary: symbols, intervals, klines, the indicator, the score.
//!
//! Invariant: nothing here does IO, reads a clock, or knows serde, tokio or a terminal. The same
//! input gives the same output, on any machine, at any time.

pub mod clock;
pub mod hama;
pub mod hold;
pub mod indicator;
pub mod interval;
pub mod kline;
pub mod kline_rows;
pub mod preset;
pub mod score;
pub mod symbol;
pub mod text;
pub mod time;
