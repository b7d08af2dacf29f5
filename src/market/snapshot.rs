//! The read model: one immutable picture of everything that is shown, exported or served.
//!
//! The engine builds it, a watch channel carries it as an `Arc`, and the screens, the reports and
//! (later) HTTP read it. Nothing in it can change; ages are computed by the reader from
//! [`Snapshot::clock`], so that a picture does not have to be made anew for each second.

mod alerts;
mod check;
mod universe;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::hama::{BandState, HamaPoint, Sign};
use crate::domain::hold::Hold;
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::Preset;
use crate::domain::score::SymbolScore;
use crate::domain::symbol::{Market, Pair, Symbol, Tick};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::schedule::ScheduleView;

pub use self::alerts::{Alert, AlertsView, Edge, FireOn, RuleView, Timing};
pub use self::check::{Check, Compared, Verdict};
pub use self::universe::{Pool, UniverseCounts, UniverseReport, UnknownName};

/// Where the figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The exchange.
    Live,
    /// The embedded exchange's replay: real candles of the past, nothing to trade on.
    Demo,
}

impl Source {
    /// The word, as exports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Demo => "demo",
        }
    }
}

/// What may be thought of a figure. Every shown figure has one. From the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataState {
    /// Kept true by the stream, with the bars that a score needs.
    Live,
    /// Not enough bars yet, or none.
    Warming,
    /// Was live; the stream or the repair is behind. Old, and marked so.
    Stale,
    /// The exchange refused, or keeps failing. What is known of why stands beside it.
    Failed,
    /// No longer traded.
    Delisted,
}

impl DataState {
    /// The word, as exports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warming => "warming",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Delisted => "delisted",
        }
    }
}

/// Everything there is to show.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts up by one with each picture.
    pub seq: u64,
    /// When it was made, on our clock.
    pub made: Mono,
    /// The exchange's clock; `None` until its first answer.
    pub clock: Option<Clock>,
    /// Live or demo.
    pub source: Source,
    /// The preset of all rows.
    pub preset: Arc<Preset>,
    /// The intervals of all rows, primary first.
    pub intervals: Arc<[Interval]>,
    /// The markets shown.
    pub markets: Arc<[Market]>,
    /// The rows, by pair; the order on screen is the reader's business.
    pub rows: Vec<Arc<Row>>,
    /// What is known of the pairs that were asked for.
    pub universe: UniverseReport,
    /// How the warm-up goes.
    pub warmup: Warmup,
    /// The streams, one entry a socket.
    pub links: Vec<Link>,
    /// REST, one entry a market.
    pub rest: Vec<RestStatus>,
    /// What the cache holds and did.
    pub stats: CacheStats,
    /// The newest notices, oldest first; a bounded ring. `Notice::seq` tells which are new.
    pub notices: Vec<Notice>,
    /// The newest signals, oldest first; a bounded ring.
    pub signals: Vec<SignalEvent>,
    /// The alert rules.
    pub alerts: AlertsView,
    /// The jobs.
    pub schedule: ScheduleView,
}

/// One pair over all intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub pair: Pair,
    /// Which asset is priced in which; `None` where the exchange does not list the pair.
    pub assets: Option<Assets>,
    /// Why it is here.
    pub pool: Pool,
    /// The price step.
    pub tick: Tick,
    /// The newest price, of any stream of the pair.
    pub last: Option<f64>,
    /// When that price was the newest: the stamp of its event, or its candle's close.
    pub last_at: Option<UnixMs>,
    /// 24 h figures. They come by a stream of their own: as old as their `at` says, whatever
    /// `seen` is.
    pub day: Option<DayFigures>,
    /// Of a perpetual: how far its last price is above that of its spot pair, in per cent. Where
    /// one of the two is unknown or old there is none.
    pub basis: Option<f64>,
    /// The score over the intervals; `None` while the primary interval has none.
    pub score: Option<SymbolScore>,
    /// The worst state of its intervals: live only where all of them are. An interval that has the
    /// bars for a score but not for its bands counts as live.
    pub state: DataState,
    /// When the exchange last sent anything of the pair.
    pub seen: Option<UnixMs>,
    /// One entry per configured interval, in that order.
    pub lanes: Vec<LaneView>,
}

/// The two assets of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// `BTC` of `BTCUSDT`.
    pub base: Symbol,
    /// `USDT` of `BTCUSDT`.
    pub quote: Symbol,
}

/// The exchange's 24 h figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayFigures {
    /// Change of the price in per cent.
    pub change_pct: f64,
    /// Quote asset traded.
    pub quote_volume: f64,
    /// When the exchange said so.
    pub at: UnixMs,
}

/// One pair on one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneView {
    /// Which interval.
    pub interval: Interval,
    /// What may be thought of it.
    pub state: DataState,
    /// Why it is not live, where something is known.
    pub why: Option<CleanText>,
    /// Closed bars at hand.
    pub bars: u32,
    /// Bars that every field of the preset needs.
    pub need: u32,
    /// Bars that the score needs.
    pub need_score: u32,
    /// Open time of the oldest closed bar.
    pub oldest: Option<UnixMs>,
    /// Open and close time of the newest closed bar.
    pub newest: Option<(UnixMs, UnixMs)>,
    /// The indicator on the newest closed bar.
    pub point: HamaPoint,
    /// The indicator on the closed bar before that one.
    pub previous: HamaPoint,
    /// Whether the newest closed bar goes beyond all others at hand.
    pub extremes: Option<Extremes>,
    /// The indicator if the forming bar closed now. A preview: never sorted on, never a signal.
    pub preview: Option<Preview>,
    /// Live price against the moving average of the last closed bar.
    pub price_side: Option<Sign>,
    /// When the exchange last sent anything of this series.
    pub seen: Option<UnixMs>,
    /// Holes among the bars that the exchange itself has: nothing to repair.
    pub holes: u32,
    /// How it last compared with REST, where somebody or a job asked.
    pub check: Option<Check>,
    /// All closed bars, where the reader asked for them (`scan --klines`, the detail view).
    pub klines: Option<Arc<[Kline]>>,
}

/// How far a bar goes beyond all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extremes {
    /// A new high.
    pub high: bool,
    /// A new low.
    pub low: bool,
}

/// The forming bar and what the indicator would say if it closed now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preview {
    /// The bar so far.
    pub bar: Kline,
    /// The indicator on it.
    pub point: HamaPoint,
}

/// Progress of the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Warmup {
    /// Series to load.
    pub total: u32,
    /// Series loaded.
    pub done: u32,
    /// Series that could not be loaded.
    pub failed: u32,
    /// Series a second over the last while; `None` before that can be said.
    pub rate: Option<f64>,
    /// Time left at that rate.
    pub eta: Option<Duration>,
}

impl Warmup {
    /// Whether nothing is left to load.
    pub fn is_over(&self) -> bool {
        self.total > 0 && self.done + self.failed >= self.total
    }
}

/// One socket.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Whose streams.
    pub market: Market,
    /// Which of the market's sockets, from 0.
    pub conn: u32,
    /// How it is.
    pub state: LinkState,
    /// Streams it carries.
    pub streams: u32,
    /// Frames so far.
    pub frames: u64,
    /// Time from the exchange's event stamp to us, smoothed; `None` while no data comes.
    pub lag: Option<Duration>,
    /// Since when data comes, or none does: attempts in between don't count.
    pub since: Mono,
    /// Times it was lost.
    pub drops: u32,
    /// Times it handed over to a new one before its end, without a loss.
    pub replaced: u32,
}

/// How a socket is.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkState {
    /// Not up yet.
    Connecting,
    /// Up, subscribed, no data yet.
    Subscribing,
    /// Data comes.
    Up,
    /// Lost; tried again at that time.
    Down {
        /// Why.
        why: CleanText,
        /// When it is tried again; `None` where it will not be.
        retry: Option<Mono>,
    },
}

/// REST of one market.
#[derive(Clone, Debug, PartialEq)]
pub struct RestStatus {
    /// Which.
    pub market: Market,
    /// Weight used in `minute`, by all programs on our address as far as we heard.
    pub used: u32,
    /// When the minute of the last request began, on the exchange's clock.
    pub minute: UnixMs,
    /// Weight the exchange allows a minute.
    pub limit: u32,
    /// The exchange wants, or wanted, that nothing is asked; `None` as soon as something that left
    /// after its end was answered.
    pub held: Option<Hold>,
    /// Since when requests fail in a row, on our clock.
    pub failing: Option<Mono>,
    /// Requests sent.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// The last failure, and when it was on our clock.
    pub last_error: Option<(CleanText, Mono)>,
}

impl RestStatus {
    /// Weight used in the exchange's minute that `now` is in: what was used in an earlier one has
    /// been forgotten there.
    pub fn used_at(&self, now: Option<UnixMs>) -> u32 {
        let over = now.is_some_and(|now| now >= self.minute + Duration::from_secs(60));
        if over { 0 } else { self.used }
    }
}

/// What the cache holds and did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CacheStats {
    /// Pairs with at least one series.
    pub symbols: u32,
    /// Series.
    pub series: u32,
    /// Series with enough bars for a score.
    pub warm: u32,
    /// Closed bars held.
    pub klines: u64,
    /// Bars each ring holds at most.
    pub capacity: u32,
    /// Upserts that changed something.
    pub updates: u64,
    /// Upserts by outcome.
    pub outcomes: Outcomes,
    /// Reads that found their series warm (recompute, scan, export; drawing does not count).
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Bytes of the rings and the indicator's state, exactly.
    pub bytes: u64,
    /// Open time of the oldest bar held.
    pub oldest: Option<UnixMs>,
    /// Close time of the newest closed bar held.
    pub newest: Option<UnixMs>,
    /// Series that are stale now.
    pub stale: u32,
    /// Gaps found.
    pub gaps: u64,
    /// Gaps repaired.
    pub repaired: u64,
    /// Frames and rows thrown away, whatever the reason.
    pub discarded: u64,
    /// The same by reason.
    pub discards: Discards,
    /// What was done to keep the series true.
    pub upkeep: Upkeep,
}

impl CacheStats {
    /// Hits over reads, 0 to 1; `None` before the first read.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
    pub fn hit_rate(&self) -> Option<f64> {
        let reads = self.hits + self.misses;
        (reads > 0).then(|| self.hits as f64 / reads as f64)
    }
}

/// Upserts by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// A new bar at the end.
    pub appended: u64,
    /// A known bar changed.
    pub amended: u64,
    /// A known bar, the same again.
    pub duplicate: u64,
    /// Older than the ring.
    pub older: u64,
    /// Bars are missing before it.
    pub gap: u64,
}

/// What was thrown away, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discards {
    /// Frames that are not JSON, or not text.
    pub not_json: u64,
    /// Frames of a shape we do not know.
    pub unknown_shape: u64,
    /// Candles and figures of a stream that can't be any.
    pub bad_value: u64,
    /// Frames of streams nobody asked for.
    pub not_watched: u64,
    /// Closed candles nobody had time for: each cost a connection and was fetched by REST.
    pub overrun: u64,
    /// Rows of REST that could not be read.
    pub rows: u64,
}

impl Discards {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.not_json + self.unknown_shape + self.bad_value + self.not_watched + self.overrun + self.rows
    }
}

/// What was done to keep the series true, and what it was done about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Closes the stream had not told in time, which REST was asked about.
    pub verifications: u64,
    /// Bars that REST closed, since the stream did not.
    pub closed_by_rest: u64,
    /// Closes the stream told after the grace, or after REST.
    pub late_closes: u64,
    /// Closed bars that changed afterwards.
    pub corrections: u64,
    /// Holes that the exchange itself has.
    pub holes: u64,
    /// Streams found silent while their neighbours spoke.
    pub silent: u64,
    /// Streams subscribed anew for that.
    pub resubscribed: u64,
    /// Streams the exchange refused by their names.
    pub refused: u64,
    /// Closes REST was asked about since there was no stream to tell them.
    pub polls: u64,
    /// Repairs put off, so that many at once come one after the other.
    pub spread: u64,
    /// Signals not given: they came to light more than an interval after their bar.
    pub withheld: u64,
    /// Signals that a correction took back or turned round.
    pub revised: u64,
    /// Sockets lost.
    pub lost: u64,
    /// Those of them given up because they answered pings and brought no data.
    pub stalls: u64,
    /// Sockets replaced before their end, without a loss.
    pub replaced: u64,
}

/// Something people should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Counts up by one with each notice.
    pub seq: u64,
    /// When.
    pub at: Mono,
    /// How bad.
    pub level: Level,
    /// What, as a sentence.
    pub text: CleanText,
}

/// How bad a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is worse than it should be.
    Warn,
    /// Something does not work.
    Error,
}

/// The indicator flipped on a closed bar.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalEvent {
    /// Counts up by one with each signal.
    pub seq: u64,
    /// Whose.
    pub pair: Pair,
    /// Its price step: the pair may leave the table before its signal does.
    pub tick: Tick,
    /// On which interval.
    pub interval: Interval,
    /// Up or down.
    pub dir: Sign,
    /// Close time of the bar.
    pub close_time: UnixMs,
    /// HAMA close on it.
    pub hama_close: f64,
    /// Moving average on it.
    pub ma: f64,
    /// The one against the other, in per cent.
    pub dev_pct: f64,
    /// The bands' state on it; `None` where the bars do not suffice for bands.
    pub bands: Option<BandState>,
    /// The interval's score on the bar before and on it.
    pub score: (Option<f64>, Option<f64>),
    /// From the bar's close to here, on the exchange's clock.
    pub lag: Duration,
}
