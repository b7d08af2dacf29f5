//! The embedded exchange over real sockets on loopback.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_imports,
    reason = "tests, whose rooms share one client"
)]

mod client;
mod faults;
mod rest;
mod socket;
mod source;
mod streams;
