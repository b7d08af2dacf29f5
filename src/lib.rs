//! hamatop: a terminal market scanner.

#![forbid(unsafe_code)]

pub mod domain;
pub mod engine;
pub mod exchange;
pub mod market;
pub mod report;
pub mod stopwatch;
