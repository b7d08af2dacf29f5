//! The engine: owns all market data, decides what to fetch, repair and show.
//!
//! Invariant: `Engine::step` is pure: inputs and the time in, outputs out. The shell
//! around it never awaits a send, since engine and sockets form a cycle.

mod alarms;
mod answers;
mod basis;
mod checks;
mod core;
mod desk;
mod feed;
pub mod happenings;
mod hearing;
mod jobs;
mod members;
mod names;
mod publish;
mod repair;
mod rings;
mod signals;
mod sleep;
mod stamps;
pub mod task;
mod turns;
mod universe;
mod warmup;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::interval::Interval;
use crate::domain::preset::Preset;
use crate::domain::symbol::{Market, Pair, SeriesKey, Symbol};
use crate::exchange::{FeedCommand, FeedEvent, FetchRequest, Fetched};
use crate::market::snapshot::Source;
use crate::rule::alert::Rule;
use crate::rule::names::Names;
use crate::schedule::ScheduleCommand;

pub use self::alarms::{MAX_RULES, RuleCommand};
pub use self::core::Engine;

/// What the engine is told.
#[derive(Debug)]
pub enum Input {
    /// By the streams.
    Feed(FeedEvent),
    /// By REST.
    Fetched(Fetched),
    /// By somebody at the keys, or a program.
    Command(Command),
    /// That time has passed; at least once a second.
    Tick,
    /// That the wall clock ran ahead of ours: the machine slept, and our reckoning of the exchange's
    /// time is behind by so much, or somebody set it.
    Slept(Duration),
    /// That the wall clock fell behind ours by so much: somebody set it.
    SetBack(Duration),
}

/// What people and programs can ask of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Check series against REST now, and repair them.
    Refresh(Scope),
    /// Put this pair's closed bars into the snapshots (one at a time); `None` = no more.
    Focus(Option<Pair>),
    /// These rows are looked at: they go first where many series wait for REST.
    Visible(Vec<Pair>),
    /// About the alert rules.
    Rule(RuleCommand),
    /// Something about the jobs.
    Schedule(ScheduleCommand),
}

/// What a command is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// All intervals of one pair.
    One(Pair),
    /// One interval of one pair.
    Series(SeriesKey),
    /// Everything.
    All,
}

/// What the engine wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// By the streams.
    Feed(FeedCommand),
    /// By REST.
    Fetch(FetchRequest),
}

/// The engine's settings.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Live or demo.
    pub source: Source,
    /// The indicator.
    pub preset: Arc<Preset>,
    /// The intervals, primary first; not empty.
    pub intervals: Arc<[Interval]>,
    /// The markets; not empty.
    pub markets: Arc<[Market]>,
    /// Which pairs.
    pub universe: UniverseSpec,
    /// Bars each ring holds.
    pub bars: u32,
    /// How fast the exchange's clock runs against ours; 0: it stands still.
    pub clock_rate: f64,
    /// Put all closed bars of all pairs into the snapshots (`scan --klines`).
    pub keep_klines: bool,
    /// Open no streams: load, compute, show once (`scan`).
    pub rest_only: bool,
    /// How long after a candle's close to wait for the stream's word before REST is asked, on the
    /// exchange's clock; by market.
    pub close_grace: fn(Market) -> Duration,
    /// The alert rules.
    pub rules: Vec<Rule>,
    /// The lists and aliases that their filters name.
    pub names: Arc<Names>,
}

/// Which pairs are in the table: the union of all of these. Where several reasons hold, the first
/// of named, watchlist, top, mover is the one that is told.
#[derive(Clone, Debug, PartialEq)]
pub struct UniverseSpec {
    /// Quote asset, `USDT`.
    pub quote: Symbol,
    /// How many by 24 h quote volume.
    pub top: u32,
    /// How many by the size of their 24 h change.
    pub movers: u32,
    /// Pairs of the user's lists, on every configured market that has them.
    pub watched: Vec<Symbol>,
    /// Pairs the user named, on every configured market that has them.
    pub named: Vec<Symbol>,
}

/// The default grace: 5 s on USD-M, 7 s on spot.
pub fn default_close_grace(market: Market) -> Duration {
    match market {
        Market::UsdM => Duration::from_secs(5),
        Market::Spot => Duration::from_secs(7),
    }
}
