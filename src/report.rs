//! The read model and the indicator as text: tables, CSV, JSON.
//!
//! Invariant: writes to what it is given and reads what it is given; asks for nothing else.

pub mod hama;
