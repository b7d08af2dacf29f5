//! hamatop: a terminal market scanner.

pub mod domain;
pub mod engine;
pub mod exchange;
pub mod market;
pub mod sim;
pub mod stopwatch;
