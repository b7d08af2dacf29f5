//! The embedded exchange over real sockets on loopback.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_imports,
    reason = "tests, whose rooms share one client"
)]

mod churn;
mod client;
mod faults;
mod rest;
mod rest_faults;
mod socket;
mod source;
mod streams;
