//! The exchange's port: what can be asked of it and what it tells, as closed enums.
//!
//! Invariant: wire names (`k.t`, `X-MBX-…`) stop inside `binance`; nobody outside sees a socket,
//! a URL or a JSON value.

pub mod backoff;
pub mod binance;
pub mod budget;
pub mod connect;
pub mod feed;
pub mod fetch;
pub mod outbox;
pub mod pages;
pub mod shard;
pub mod subscribe;
#[cfg(test)]
mod testing;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::hold::{Hold, HoldKind};
use crate::domain::kline::{Finality, Kline};
use crate::domain::symbol::{Instrument, Market, Pair, SeriesKey, Symbol};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};

/// What the engine asks of the streams.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedCommand {
    /// Carry these series from now on, and the market's 24 h figures.
    Watch(Vec<SeriesKey>),
    /// Carry these no more.
    Unwatch(Vec<SeriesKey>),
    /// Subscribe these anew on the sockets that carry them: they are acknowledged and silent while
    /// their neighbours speak. Nothing else of the socket is touched.
    Resubscribe(Vec<SeriesKey>),
}

/// Which socket: the market and a number from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Whose streams.
    pub market: Market,
    /// Which of the market's sockets.
    pub number: u32,
}

/// What the streams tell.
#[derive(Clone, Debug)]
pub enum FeedEvent {
    /// A socket is being opened for so many streams.
    Connecting {
        /// Which.
        conn: ConnId,
        /// Streams it is to carry.
        streams: u32,
    },
    /// All subscriptions of the socket were acknowledged. That proves nothing yet: only data does.
    Subscribed {
        /// Which.
        conn: ConnId,
        /// What was acknowledged now: all that the socket carries when it is new, only what was
        /// added when it lives. From here on each series has to be checked for what was missed.
        keys: Arc<[SeriesKey]>,
    },
    /// The exchange refused one stream by its name: it is without one, until it is subscribed anew.
    Refused {
        /// On which socket.
        conn: ConnId,
        /// Whose.
        key: SeriesKey,
        /// What the exchange said.
        why: CleanText,
    },
    /// A socket was lost, with all its streams.
    Down {
        /// Which.
        conn: ConnId,
        /// What it carried.
        keys: Arc<[SeriesKey]>,
        /// Why.
        error: ExchangeError,
        /// When it is tried again; `None` where it will not be.
        retry: Option<Mono>,
    },
    /// A socket that was going to end has handed its streams over to a new one, which brings data:
    /// nothing was missed.
    Replaced {
        /// Which.
        conn: ConnId,
        /// Why.
        why: Replacement,
    },
    /// A candle.
    Kline(KlineEvent),
    /// 24 h figures of pairs that changed; those not named keep theirs.
    Day(Vec<DayEvent>),
    /// A frame that was skipped.
    Discarded {
        /// From where.
        conn: ConnId,
        /// Why.
        why: Discard,
    },
}

/// Why a healthy socket was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// The exchange ends each connection after a day.
    Age,
    /// The server announced that it goes down.
    Shutdown,
}

/// A candle from a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct KlineEvent {
    /// From which socket.
    pub conn: ConnId,
    /// Whose.
    pub key: SeriesKey,
    /// The candle.
    pub kline: Kline,
    /// Whether the exchange said that it is closed.
    pub finality: Finality,
    /// The exchange's stamp on the frame: among forming states of one candle the later wins.
    pub event_time: UnixMs,
    /// When the frame was read from the socket.
    pub received: Mono,
}

/// 24 h figures of one pair.
#[derive(Clone, Debug, PartialEq)]
pub struct DayEvent {
    /// Whose.
    pub pair: Pair,
    /// The last price.
    pub last: f64,
    /// Change over 24 h in per cent.
    pub change_pct: f64,
    /// Quote asset traded in 24 h.
    pub quote_volume: f64,
    /// The exchange's stamp.
    pub event_time: UnixMs,
}

/// Why a frame was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Discard {
    /// Not JSON, or not text.
    NotJson,
    /// JSON of a shape we do not know.
    UnknownShape,
    /// A candle or figure that can't be one.
    BadValue,
    /// A stream nobody asked for.
    NotWatched,
    /// A closed candle for which there was no room, since nobody listened. The socket goes down
    /// with it, so that REST brings it.
    Overrun,
}

/// What the engine asks of REST.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchRequest {
    /// The exchange's time.
    Time(Market),
    /// Instruments and 24 h figures.
    Universe(Market),
    /// Candles of one series.
    Klines(KlinesRequest),
}

/// A request for candles.
#[derive(Clone, Debug, PartialEq)]
pub struct KlinesRequest {
    /// Given back with the answer.
    pub id: u64,
    /// Whose candles.
    pub key: SeriesKey,
    /// Oldest open time asked for; `None` = the newest `bars`.
    pub from: Option<UnixMs>,
    /// How many candles at most, of any number: the fetcher splits it into pages that cost least.
    pub bars: u32,
    /// What goes first.
    pub priority: Priority,
}

/// What goes first when REST has a queue. Greater goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Audits.
    Background,
    /// The warm-up.
    Warmup,
    /// A gap in a series that was live.
    Gap,
    /// Somebody waits for it.
    User,
}

/// What REST answered.
#[derive(Debug)]
pub enum Fetched {
    /// The exchange's time.
    Time {
        /// Which market.
        market: Market,
        /// The answer.
        result: Result<TimeAnswer, ExchangeError>,
    },
    /// Instruments that trade, and 24 h figures.
    Universe {
        /// Which market.
        market: Market,
        /// The answer.
        result: Result<UniverseAnswer, ExchangeError>,
    },
    /// Candles, ascending. The last one may still be forming; none is proved closed by its place.
    Klines {
        /// What was asked.
        request: KlinesRequest,
        /// Ids of earlier requests for the series that this one took in while they waited. They
        /// are answered by this, and by nothing else.
        covers: Vec<u64>,
        /// The answer.
        result: Result<KlinesAnswer, ExchangeError>,
    },
    /// How much of the budget is used, after a request or a refusal.
    Budget(BudgetReport),
}

/// The exchange's time, and when we asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeAnswer {
    /// Its time.
    pub server: UnixMs,
    /// When the request left.
    pub sent: Mono,
    /// When the answer was here.
    pub received: Mono,
}

/// Instruments that trade, and 24 h figures.
#[derive(Clone, Debug, Default)]
pub struct UniverseAnswer {
    /// Pairs that trade, of the kind a scanner wants (perpetuals on USD-M).
    pub trading: Vec<Instrument>,
    /// Pairs that trade and are of another kind (quarterlies, perpetuals on shares, kinds nobody
    /// has told us of): wanted only where they are named.
    pub others: Vec<Instrument>,
    /// Pairs of any kind that exist and do not trade now (suspended, settling, delisted).
    pub not_trading: Vec<Pair>,
    /// 24 h figures.
    pub day: Vec<DayEvent>,
    /// Pairs that could not be read.
    pub skipped: u32,
    /// Their names, as far as those could be: they exist, so they are not gone.
    pub unread: Vec<Symbol>,
    /// Pairs that were read and have a status, a kind or a filter that we do not know.
    pub unknown: u32,
    /// 24 h figures that could not be read.
    pub skipped_day: u32,
}

/// Candles of one series.
#[derive(Clone, Debug)]
pub struct KlinesAnswer {
    /// Ascending by open time, without doubles.
    pub rows: Vec<Kline>,
    /// Rows that could not be read.
    pub skipped: u32,
    /// When the request for the newest page left, on our clock: a row is proved closed only if
    /// its close had passed by then, plus a margin.
    pub sent: Mono,
    /// When the last page was here.
    pub received: Mono,
}

/// How much of the REST budget is used.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetReport {
    /// Which market's pool.
    pub market: Market,
    /// Weight used in `minute`.
    pub used: u32,
    /// When the minute of the last request began, on the exchange's clock.
    pub minute: UnixMs,
    /// Weight allowed a minute.
    pub limit: u32,
    /// The exchange wants, or wanted, that nothing is asked; `None` as soon as something that left
    /// after its end was answered.
    pub held: Option<Hold>,
    /// Since when requests fail in a row, on our clock.
    pub failing: Option<Mono>,
    /// Requests sent so far.
    pub requests: u64,
    /// Requests failed so far.
    pub failed: u64,
}

/// A failure of the exchange or of the way to it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ExchangeError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// A sentence for people, with the cure where there is one.
    pub message: CleanText,
}

impl ExchangeError {
    /// A failure, told in a sentence.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: CleanText::new(message.as_ref()) }
    }
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again after a while: 5xx, a time-out, a torn answer.
    Transient,
    /// It never got there: no route, no name, nobody listens. Whatever else is asked fares no
    /// better until something gets through.
    NoConnection,
    /// Ask nothing for so long: 429.
    RateLimited {
        /// How long from now on our clock.
        wait: Duration,
    },
    /// This address is banned: ask nothing for so long (418).
    Banned {
        /// How long from now on our clock.
        wait: Duration,
    },
    /// A firewall refuses us (403), which may pass: ask nothing for so long.
    Forbidden {
        /// How long from now on our clock.
        wait: Duration,
    },
    /// A connection answers and brings no data: the wrong route, or a stall.
    Silent,
    /// Asking again is no use: no such symbol, wrong URL.
    Rejected,
    /// The place we ask from is refused (HTTP 451): permanent.
    Restricted,
    /// We did something that should not be possible.
    Bug,
}

impl ErrorKind {
    /// How long nothing is to be asked, where the exchange wants a pause.
    pub fn pause(self) -> Option<Duration> {
        self.hold().map(|(_, wait)| wait)
    }

    /// The same with its reason.
    pub fn hold(self) -> Option<(HoldKind, Duration)> {
        match self {
            Self::RateLimited { wait } => Some((HoldKind::Pause, wait)),
            Self::Forbidden { wait } => Some((HoldKind::Firewall, wait)),
            Self::Banned { wait } => Some((HoldKind::Ban, wait)),
            _ => None,
        }
    }

    /// The same with another pause, where it has one.
    #[must_use]
    pub fn with_pause(self, wait: Duration) -> Self {
        match self {
            Self::RateLimited { .. } => Self::RateLimited { wait },
            Self::Forbidden { .. } => Self::Forbidden { wait },
            Self::Banned { .. } => Self::Banned { wait },
            other => other,
        }
    }
}
