//! hamatop: a terminal market scanner.

pub mod cli;
pub mod config;
#![forbid(unsafe_code)]

// Fixtures under `tests/support` are shared by unit tests, integration tests and benches, and name
// the crate as those do.
#[cfg(test)]
extern crate self as hamatop;

pub mod app;
pub mod domain;
pub mod engine;
pub mod exchange;
pub mod market;
pub mod report;
pub mod run;
pub mod sim;
pub mod stopwatch;
pub mod telemetry;
pub mod rule;
pub mod stopwatch;
pub mod ui;

#[cfg(test)]
#[path = "../tests/support/fixture.rs"]
mod fixture;
