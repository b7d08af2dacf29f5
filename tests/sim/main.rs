//! The embedded exchange over real sockets on loopback.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_imports,
    reason = "tests, whose rooms share one client"
)]

mod churn;
mod client;
mod faults;
mod frame_faults;
mod limits;
mod rest;
mod rest_faults;
mod socket;
mod socket_faults;
mod source;
mod streams;
