//! The read model and the indicator as text, for people and programs.
//!
//! Invariant: reads what it is given and writes to what it is given; the columns are the screen's.

pub mod hama;
mod json;
pub mod scan;
mod table;
