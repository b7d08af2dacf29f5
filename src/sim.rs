//! An exchange on loopback: Binance's REST and WebSocket shapes for USD-M and spot.
//!
//! One ground [`truth`] is behind both, a virtual [`clock`] says how much of it has happened, and
//! [`fault`]s can be made to happen. The demo and the tests run against it; the client does not know
//! the difference.
//!
//! Invariant: nothing here is shared with the client but the vocabulary of `domain`. Above all the wire
//! names are this side's own, so that a mistake in one is not repeated in the other.

mod calendar;
pub mod candle;
pub mod churn;
pub mod clock;
pub mod command;
mod connection;
mod control;
pub mod fault;
mod feed;
mod figures;
pub mod folder;
mod heart;
pub mod listing;
mod mangle;
mod port;
mod recorded;
pub mod replay;
mod rest;
mod rows;
mod session;
mod socket;
pub mod stats;
mod synthetic;
pub mod truth;
mod weight;
mod wire;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::CompressionLayer;
use tower_http::compression::CompressionLevel;

use crate::domain::symbol::{BadSymbol, Market};
use crate::domain::time::UnixMs;
use crate::stopwatch::Stopwatch;
use churn::Timeline;
use clock::{BadClock, VirtualClock};
use fault::Scheduled;
use folder::BadFolder;
use listing::{Contract, Listing, Status};
use port::{Peer, Port};
use replay::BadReplay;
use rows::Recording;
use socket::Sockets;
use stats::Stats;
use synthetic::Synthetic;
use truth::Truth;
use world::World;

/// Where the candles come from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum SourceConfig {
    /// The bundled recording: 24 USD-M symbols, the fall of 10 October 2025. Spot is empty.
    #[default]
    Replay,
    /// A folder of files named `SYMBOL-INTERVAL.csv` or `.csv.gz`; both markets list the same symbols.
    Folder(PathBuf),
    /// Computed from a seed; both markets.
    Synthetic {
        /// How many symbols trade, besides a few that a scanner of perpetuals has to leave out.
        count: usize,
        /// Another seed is another market.
        seed: u64,
    },
}

/// What kind of exchange is wanted.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Where the candles come from.
    pub source: SourceConfig,
    /// What its clock shows at first. Not given: 2025-10-10T20:00Z for the bundled recording, the
    /// middle of the finest files of a folder, 2026-01-05T00:00Z for computed candles.
    pub start: Option<UnixMs>,
    /// Where its clock stands still. Not given: where recorded candles end; never, for computed ones.
    pub end: Option<UnixMs>,
    /// How many of its seconds pass in one of ours; 0 stands still.
    pub speed: f64,
    /// How long each answer of REST takes at least.
    pub latency: Duration,
    /// What goes wrong, and when.
    pub faults: Vec<Scheduled>,
    /// Whose streams the paths `/ws` and `/stream` are: spot's, which carry candles, or USD-M's old
    /// ones, which connect, acknowledge and carry none.
    pub unrouted: Market,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            source: SourceConfig::Replay,
            start: None,
            end: None,
            speed: 1.0,
            latency: Duration::ZERO,
            faults: Vec::new(),
            unrouted: Market::Spot,
        }
    }
}

/// Why the exchange can't be started.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The folder can't be served.
    #[error(transparent)]
    Folder(#[from] BadFolder),
    /// The bundled recording can't be read.
    #[error(transparent)]
    Replay(#[from] BadReplay),
    /// A symbol's name can't be one.
    #[error(transparent)]
    Symbol(#[from] BadSymbol),
    /// The clock can't be set so.
    #[error(transparent)]
    Clock(#[from] BadClock),
    /// The start lies outside of what was recorded.
    #[error("the start {start} lies outside of the recorded candles, {from} to {to} (Unix milliseconds)")]
    Start {
        /// The start given.
        start: UnixMs,
        /// First open.
        from: UnixMs,
        /// Last close.
        to: UnixMs,
    },
    /// The faults can't be read.
    #[error("{0}")]
    Faults(String),
    /// The address can't be listened on.
    #[error("{address}: {why}; choose another with --listen")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        why: std::io::Error,
    },
    /// Something of the system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Loading was torn down with the program.
    #[error("loading the candles was interrupted")]
    Interrupted,
}

/// 2026-01-05T00:00Z, a Monday: where computed markets start.
const SYNTHETIC_START: UnixMs = UnixMs(1_767_571_200_000);

/// A running exchange.
#[derive(Debug)]
pub struct SimHandle {
    world: Arc<World>,
    address: SocketAddr,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

/// Starts an exchange on `listener`; it runs until `cancel`.
pub async fn serve(
    listener: TcpListener,
    config: SimConfig,
    cancel: CancellationToken,
) -> Result<SimHandle, SimError> {
    let address = listener.local_addr()?;
    let SimConfig { source, start, end, speed, latency, faults, unrouted } = config;
    let load = tokio::task::spawn_blocking(move || load(source, start));
    let (truth, start) = load.await.map_err(|_| SimError::Interrupted)??;
    let end = end.or(truth.span().map(|(_, last)| UnixMs(last.0 + 1)));
    let stopwatch = Stopwatch::start();
    let clock = VirtualClock::new(stopwatch.now(), start, speed, end)?;
    let mut world = World::new(truth, clock, stopwatch, latency, unrouted);
    world.cancel = cancel.clone();
    let world = Arc::new(world);
    world.inject(faults);
    let tasks = TaskTracker::new();
    let app = routes(&world, &cancel).into_make_service_with_connect_info::<Peer>();
    let stop = cancel.clone();
    tasks.spawn(async move {
        // Fails only where the listener does: then nobody can reach the exchange anyway.
        let _ = axum::serve(Port(listener), app).with_graceful_shutdown(stop.cancelled_owned()).await;
    });
    tasks.spawn(start_faults(Arc::clone(&world), cancel.clone()));
    tasks.close();
    Ok(SimHandle { world, address, tasks, cancel })
}

fn routes(world: &Arc<World>, cancel: &CancellationToken) -> Router {
    let sockets = Sockets { world: Arc::clone(world), cancel: cancel.clone() };
    let streams =
        ["/ws", "/stream", "/ws/{*streams}", "/market/{*path}", "/public/{*path}", "/private/{*path}"]
            .into_iter()
            .fold(Router::new(), |router, path| router.route(path, any(socket::upgrade)))
            .with_state(sockets);
    let gzip = CompressionLayer::new().quality(CompressionLevel::Fastest);
    rest::routes()
        .merge(control::routes())
        .layer(gzip)
        .fallback(rest::unknown)
        .with_state(Arc::clone(world))
        .merge(streams)
}

/// Starts scheduled faults when their time has come.
async fn start_faults(world: Arc<World>, cancel: CancellationToken) {
    let mut changes = world.changes();
    loop {
        changes.borrow_and_update();
        let next = world.next_fault().and_then(|t| world.when(t)).map(|at| world.stopwatch.instant(at));
        let wait = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changes.changed() => {}
            () = wait => {}
        }
    }
}

fn load(source: SourceConfig, start: Option<UnixMs>) -> Result<(Truth, UnixMs), SimError> {
    let (truth, start) = match source {
        SourceConfig::Replay => {
            let truth = recorded_truth(replay::bundled()?, &[Market::UsdM])?;
            (truth, start.unwrap_or(replay::START))
        }
        SourceConfig::Folder(path) => {
            let truth = recorded_truth(folder::load(&path)?, &Market::ALL)?;
            let middle = truth.finest_span().map_or(0, |(from, to)| from.0 + (to.0 - from.0) / 2);
            (truth, start.unwrap_or(UnixMs(middle - middle.rem_euclid(3_600_000))))
        }
        SourceConfig::Synthetic { count, seed } => {
            let start = start.unwrap_or(SYNTHETIC_START);
            (Truth::synthetic(Synthetic::new(count, seed, start)?), start)
        }
    };
    match truth.span() {
        Some((from, to)) if start < from || start > to => Err(SimError::Start { start, from, to }),
        _ => Ok((truth, start)),
    }
}

fn recorded_truth(recordings: Vec<Recording>, markets: &[Market]) -> Result<Truth, BadSymbol> {
    let mut all = Vec::new();
    for recording in recordings {
        let (symbol, scale) = (recording.symbol.clone(), recording.scale);
        let recorded = recording.into_recorded();
        let onboard = recorded.span().map_or(UnixMs(0), |(from, _)| from);
        for market in markets {
            let (base, quote) = listing::split(&symbol)?;
            let contract = if *market == Market::Spot { Contract::Spot } else { Contract::Perpetual };
            let (market, symbol, status) = (*market, symbol.clone(), Status::Trading);
            let timeline = Timeline::default();
            let listing = Listing { market, symbol, base, quote, contract, status, scale, onboard, timeline };
            all.push((listing, recorded.clone()));
        }
    }
    Ok(Truth::recorded(all))
}

impl SimHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the client appends `/fapi/…` and `/api/…` to.
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the client appends `/market/stream` and `/stream` to.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The ground truth.
    pub fn truth(&self) -> &Truth {
        &self.world.truth
    }

    /// What its clock shows.
    pub fn now(&self) -> UnixMs {
        self.world.now()
    }

    /// Its clock.
    pub fn clock(&self) -> VirtualClock {
        self.world.clock()
    }

    /// Whether its clock stands at its end.
    pub fn ended(&self) -> bool {
        self.world.ended()
    }

    /// Lets its clock run at another speed.
    pub fn set_speed(&self, speed: f64) -> Result<(), BadClock> {
        self.world.set_speed(speed)
    }

    /// Lets its clock jump forward; every close on the way is delivered.
    pub fn jump(&self, to: UnixMs) -> Result<(), BadClock> {
        self.world.jump(to)
    }

    /// What it counted so far.
    pub fn stats(&self) -> Stats {
        self.world.stats()
    }

    /// Makes something go wrong, now or at its time.
    pub fn inject(&self, faults: Vec<Scheduled>) {
        self.world.inject(faults);
    }

    /// Ends all faults, those that wait too.
    pub fn heal(&self) {
        self.world.heal();
    }

    /// Stops it and waits until all its sockets are closed.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.stopped().await;
    }

    /// Waits until it was cancelled and all its sockets are closed.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
        self.world.sockets.close();
        self.world.sockets.wait().await;
    }
}
