//! The read model as text for people and programs.
//!
//! Invariant: reads a snapshot, writes bytes; the same columns as the screen.

mod json;
pub mod scan;
mod table;
