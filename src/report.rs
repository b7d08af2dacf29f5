//! The read model and the indicator as text: tables, CSV, JSON.
//!
//! Invariant: writes to what it is given and reads what it is given; asks for nothing else.

pub mod hama;
//! The read model as text for people and programs.
//!
//! Invariant: reads a snapshot, writes bytes; the same columns as the screen.

mod json;
pub mod scan;
mod table;
