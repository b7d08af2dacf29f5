//! hamatop: a terminal market scanner. This page is its architecture.
//!
//! # Bird's eye
//!
//! ```text
//!        REST pages, kline frames                  keys, sizes
//!                  │                                    │
//!  exchange ───────▼──────── engine ── snapshot ──► app ▼ ── ui ──► terminal
//!  (sockets, budget)   (owns all candles)   │       (view state)
//!          ▲                 │              └────► report ──► stdout
//!          └── commands ─────┘
//! ```
//!
//! Candles come in over REST and WebSocket, are merged by open time into a ring per series, and each
//! closed one moves the indicator on by a bar. The engine's picture of all that, an immutable
//! [`Snapshot`](market::snapshot::Snapshot), is what screens and reports read. [`sim`] is an exchange
//! on loopback; the demo and the tests talk to it over the same sockets as to the real one.
//!
//! # Code map
//!
//! Each layer imports only what stands left of it (`tests/tidy.rs` holds that):
//!
//! ```text
//! domain ← schedule ← market, rule ← exchange ← engine ← app ← ui, report ← run, cli, main   (sim: domain only)
//! ```
//!
//! | where | what |
//! |---|---|
//! | [`domain`] | symbols, intervals, klines, the averages, HAMA batch and bar by bar, the score |
//! | [`market`] | the ring of one series, the lane (ring, indicator, freshness), the store, the read model |
//! | [`schedule`] | the jobs that come round: what is due, how far a run is, what came of the last ones |
//! | [`rule`] | the fields of a row, their values, and the filter language over them, the alert rules |
//! | [`exchange`] | Binance's REST and streams behind closed enums of requests and events |
//! | [`engine`] | what to load, merge, prove closed, repair and show, jobs and alert rules: a pure core in an async shell |
//! | [`app`] | view state: keys, order, selection, filter; pure |
//! | [`ui`] | draws the app, and the terminal's manners |
//! | [`report`] | the same columns as text, CSV, JSON, and the indicator over a file |
//! | [`sim`] | the embedded exchange: one truth behind REST and WebSocket, a virtual clock, faults |
//! | [`config`], [`cli`] | settings from one table, the command line |
//! | [`run`] | the composition root: channels, tasks, signals |
//!
//! # Invariants
//!
//! - **Pure cores.** `domain`, `schedule`, `market`, `rule`, `app` and the engine's core do no IO and read no clock: time comes in.
//! - **One owner for each state.** Candles are the engine's, view state the app's, a socket its task's. There is no
//!   lock and no global.
//! - **The terminal may stall, the market may not.** The screen is the root future of a multi-threaded runtime; a
//!   frozen terminal blocks it and nothing else.
//! - **Bounded queues, each with a rule for "full".** The engine never awaits a send, since engine and sockets form a
//!   cycle.
//! - **Closed candles make signals.** The forming one is a preview on a copy, and marked.
//! - **Nothing is silently old, nothing is invented.** Every figure has a state and an age; what is not known is
//!   `None`, and shown as nothing.
//! - **Two times.** [`UnixMs`](domain::time::UnixMs) is the exchange's, [`Mono`](domain::time::Mono) is ours; only
//!   [`Clock`](domain::clock::Clock) leads from one to the other. The product reads the machine's clock in [`stopwatch`]
//!   alone; timers are tokio's.
//! - **Remote text is hostile** until it is a [`CleanText`](domain::text::CleanText) or a
//!   [`Symbol`](domain::symbol::Symbol).

#![forbid(unsafe_code)]

// Fixtures under `tests/support` are shared by unit tests, integration tests and benches, and name
// the crate as those do.
#[cfg(test)]
extern crate self as hamatop;

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod exchange;
pub mod market;
pub mod report;
pub mod rule;
pub mod run;
pub mod schedule;
pub mod sim;
pub mod stopwatch;
pub mod telemetry;
pub mod ui;

#[cfg(test)]
#[path = "../tests/support/fixture.rs"]
mod fixture;

#[cfg(test)]
#[path = "../tests/support/replayed.rs"]
mod replayed;
