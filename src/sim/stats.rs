//! What the exchange counts: the record that tests and people ask `/sim/stats` for.

use std::collections::BTreeMap;

/// Something a well-behaved client does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Violation {
    /// A request over the minute's weight (answered 429).
    OverWeight,
    /// Another request after a 429, within the same minute.
    Ignored429,
    /// A request while banned (answered 418).
    Ignored418,
    /// A request that the exchange refuses: unknown symbol, interval, limit.
    BadRequest,
    /// A route it does not have.
    UnknownRoute,
    /// A text frame over the size that the exchange reads.
    FrameTooLong,
    /// More control messages a second than allowed.
    MessageRate,
    /// More streams on a socket than allowed.
    TooManyStreams,
    /// A frame that is no request.
    BadFrame,
    /// A subscription that never delivers: unknown name, wrong case, wrong path.
    DeadStream,
    /// A ping of ours that was not answered in time.
    NoPong,
    /// A client that does not read what it asked for.
    SlowReader,
}

impl Violation {
    /// Its name in the statistics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OverWeight => "over_weight",
            Self::Ignored429 => "ignored_429",
            Self::Ignored418 => "ignored_418",
            Self::BadRequest => "bad_request",
            Self::UnknownRoute => "unknown_route",
            Self::FrameTooLong => "frame_too_long",
            Self::MessageRate => "message_rate",
            Self::TooManyStreams => "too_many_streams",
            Self::BadFrame => "bad_frame",
            Self::DeadStream => "dead_stream",
            Self::NoPong => "no_pong",
            Self::SlowReader => "slow_reader",
        }
    }
}

/// The counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests by route.
    pub requests: BTreeMap<String, u64>,
    /// Weight charged in all.
    pub weight_total: u64,
    /// Weight of USD-M by the minute's first millisecond.
    pub weight_um: BTreeMap<i64, u64>,
    /// Weight of spot, likewise.
    pub weight_spot: BTreeMap<i64, u64>,
    /// Sockets open now.
    pub open: u64,
    /// Sockets opened so far.
    pub opened: u64,
    /// Streams subscribed now.
    pub streams: u64,
    /// Forming candles sent.
    pub updates: u64,
    /// Closed candles sent.
    pub closes: u64,
    /// Frames that a silence swallowed.
    pub lost: u64,
    /// What a client should not have done.
    pub violations: BTreeMap<Violation, u64>,
    /// How often faults struck, by kind.
    pub faults: BTreeMap<&'static str, u64>,
}
