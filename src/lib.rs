//! hamatop: a terminal market scanner.

pub mod cli;
pub mod config;
#![forbid(unsafe_code)]

pub mod domain;
pub mod engine;
pub mod exchange;
pub mod market;
pub mod report;
pub mod run;
pub mod sim;
pub mod stopwatch;
pub mod telemetry;
