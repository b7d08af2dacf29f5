//! A running scanner without a face: engine, streams and REST, wired together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::symbol::Market;
use crate::engine::task::EnginePorts;
use crate::engine::{Command, Engine, EngineConfig, UniverseSpec, default_close_grace, task};
use crate::exchange::binance::endpoint::Endpoint;
use crate::exchange::binance::session::Timing;
use crate::exchange::connect::Proxies;
use crate::exchange::feed::FeedConfig;
use crate::exchange::fetch::FetchConfig;
use crate::exchange::{feed, fetch};
use crate::market::snapshot::{Snapshot, Source};
use crate::stopwatch::Stopwatch;

use super::failure::Failure;
use super::names::names;
use super::tasks::{TaskDied, Tasks};
use crate::rule::alert::Rule;
use crate::rule::names::Names;

/// Which exchange a session talks to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The exchange or the replay.
    pub source: Source,
    /// Its REST, where that is not Binance.
    pub rest_url: Option<String>,
    /// Its streams, where they are not Binance's.
    pub ws_url: Option<String>,
    /// Its clock's rate against ours.
    pub clock_rate: f64,
    /// The way to it.
    pub proxies: Proxies,
    /// How long what may take on its sockets.
    pub timing: Timing,
}

impl Place {
    /// What the settings name.
    pub fn of(config: &Config) -> Self {
        Self {
            source: Source::Live,
            rest_url: config.rest_url.clone(),
            ws_url: config.ws_url.clone(),
            clock_rate: config.clock_rate,
            proxies: Proxies::FromEnvironment,
            timing: Timing::default(),
        }
    }
}

/// What a session is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// Load and compute once; open no streams.
    pub rest_only: bool,
    /// Carry all closed bars in the pictures.
    pub keep_klines: bool,
    /// How long after a close the stream's word is waited for.
    pub close_grace: fn(Market) -> Duration,
}

impl Purpose {
    /// The live table.
    pub const LIVE: Self = Self { rest_only: false, keep_klines: false, close_grace: default_close_grace };
    /// The table once.
    pub const ONCE: Self = Self { rest_only: true, ..Self::LIVE };
}

/// The running tasks, and what goes in and out.
#[derive(Debug)]
pub struct Session {
    /// The newest picture.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// To the engine.
    pub commands: mpsc::Sender<Command>,
    /// Our clock.
    pub stopwatch: Stopwatch,
    tasks: Tasks,
}

// Full queues: sockets keep the newest forming state of each stream and wait with closed candles;
// REST waits with its answers; the engine keeps an outbox and never waits; a command that finds no
// room is refused to the user's face.
const FEED_EVENTS: usize = 4_096;
const FEED_COMMANDS: usize = 64;
const FETCH_REQUESTS: usize = 512;
const FETCH_ANSWERS: usize = 256;
const COMMANDS: usize = 64;

/// The alert rules, each as far as it can be in force here: a rule on an interval that is not shown
/// keeps nobody from seeing the others.
fn rules(config: &Config, purpose: Purpose, names: &Names) -> Vec<Rule> {
    if purpose.rest_only {
        return Vec::new();
    }
    config.alerts.iter().map(|rule| rule.clone().checked(&config.intervals, names)).collect()
}

impl Session {
    /// Starts everything; it runs until `cancel`.
    pub fn start(
        config: &Config,
        place: &Place,
        purpose: Purpose,
        cancel: CancellationToken,
    ) -> Result<Self, Failure> {
        let stopwatch = Stopwatch::start();
        let endpoints: Result<Vec<_>, _> = config
            .markets
            .iter()
            .map(|m| Endpoint::new(*m, place.rest_url.as_deref(), place.ws_url.as_deref()))
            .collect();
        let endpoints = endpoints.map_err(|e| Failure::Usage(e.to_string()))?;
        let names = names(config);
        let mut engine = Engine::new(EngineConfig {
            source: place.source,
            preset: Arc::clone(&config.preset),
            intervals: config.intervals.clone().into(),
            markets: config.markets.clone().into(),
            universe: UniverseSpec {
                quote: config.quote.clone(),
                top: config.top,
                movers: config.movers,
                watched: config.watched.clone(),
                named: config.symbols.clone(),
            },
            bars: config.bars,
            clock_rate: place.clock_rate,
            keep_klines: purpose.keep_klines,
            rest_only: purpose.rest_only,
            close_grace: purpose.close_grace,
            rules: rules(config, purpose, &names),
            names: Arc::clone(&names),
        });

        let (event_in, feed_events) = mpsc::channel(FEED_EVENTS);
        let (feed_commands, command_out) = mpsc::channel(FEED_COMMANDS);
        let (fetch_requests, request_out) = mpsc::channel(FETCH_REQUESTS);
        let (answer_in, fetched) = mpsc::channel(FETCH_ANSWERS);
        let (commands, engine_commands) = mpsc::channel(COMMANDS);
        let (picture_in, snapshots) = watch::channel(Arc::new(engine.snapshot(stopwatch.now())));

        let mut tasks = Tasks::new(cancel.clone());
        let mut fetching = FetchConfig::new(endpoints.clone(), stopwatch);
        fetching.proxies = place.proxies.clone();
        fetching.clock_rate = place.clock_rate;
        tasks.spawn("REST", fetch::run(fetching, request_out, answer_in, cancel.clone()));
        let mut feeding = FeedConfig::new(endpoints, stopwatch);
        feeding.proxies = place.proxies.clone();
        feeding.timing = place.timing;
        feeding.clock_rate = place.clock_rate;
        tasks.spawn("stream", feed::run(feeding, command_out, event_in, cancel.clone()));
        let ports = EnginePorts {
            feed_events,
            fetched,
            commands: engine_commands,
            feed_commands,
            fetch_requests,
            snapshots: picture_in,
        };
        tasks.spawn("engine", task::run(engine, ports, stopwatch, cancel));
        Ok(Self { snapshots, commands, stopwatch, tasks })
    }

    /// Waits until a task ends that should not have. Cancel-safe.
    pub async fn died(&mut self) -> TaskDied {
        self.tasks.died().await
    }

    /// Waits for a picture that fulfils `condition`.
    pub async fn wait_for(
        &mut self,
        condition: impl FnMut(&Arc<Snapshot>) -> bool,
    ) -> Result<Arc<Snapshot>, TaskDied> {
        let mut snapshots = self.snapshots.clone();
        tokio::select! {
            found = snapshots.wait_for(condition) => found.map(|s| Arc::clone(&s)).map_err(|_| TaskDied("engine")),
            died = self.tasks.died() => Err(died),
        }
    }

    /// Ends everything in order.
    pub async fn end(self) {
        self.tasks.drain().await;
    }
}
