//! What the exchange counts: the record that tests and people ask `/sim/stats` for.

use std::collections::BTreeMap;

use crate::domain::symbol::Market;

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
    /// More attempts to open sockets than an address may make.
    ConnectionRate,
    /// A URL over the length that is served.
    UrlTooLong,
    /// A client that does not read what it asked for.
    SlowReader,
}

impl Violation {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::OverWeight,
        Self::Ignored429,
        Self::Ignored418,
        Self::BadRequest,
        Self::UnknownRoute,
        Self::FrameTooLong,
        Self::MessageRate,
        Self::TooManyStreams,
        Self::BadFrame,
        Self::DeadStream,
        Self::NoPong,
        Self::ConnectionRate,
        Self::UrlTooLong,
        Self::SlowReader,
    ];

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
            Self::ConnectionRate => "connection_rate",
            Self::UrlTooLong => "url_too_long",
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
    /// The sockets by number, the newest of them.
    pub sockets: BTreeMap<u64, SocketStats>,
}

/// So many sockets are remembered.
const KEPT: usize = 1_000;

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketEnd {
    /// By a closing frame of ours with that code.
    Closed(u16),
    /// By the client, or torn.
    Torn,
}

/// What is known of one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketStats {
    /// Whose data it carries.
    pub market: Market,
    /// The path it was opened with.
    pub path: String,
    /// Streams subscribed.
    pub streams: u64,
    /// Pings sent.
    pub pings: u64,
    /// Pongs that answered one of them.
    pub pongs: u64,
    /// Pongs that answered none.
    pub unsolicited_pongs: u64,
    /// The longest that a pong took, in milliseconds of real time.
    pub max_pong_ms: u64,
    /// The most frames from the client within a second of real time.
    pub max_messages_a_second: usize,
    /// How it ended; `None` while it is open.
    pub end: Option<SocketEnd>,
}

impl SocketStats {
    pub(crate) fn new(market: Market, path: &str) -> Self {
        Self {
            market,
            path: path.to_owned(),
            streams: 0,
            pings: 0,
            pongs: 0,
            unsolicited_pongs: 0,
            max_pong_ms: 0,
            max_messages_a_second: 0,
            end: None,
        }
    }
}

impl Stats {
    pub(crate) fn socket_opened(&mut self, number: u64, socket: SocketStats) {
        self.open += 1;
        self.opened += 1;
        self.sockets.insert(number, socket);
        while self.sockets.len() > KEPT {
            self.sockets.pop_first();
        }
    }

    pub(crate) fn socket_ended(&mut self, number: u64, streams: u64, end: SocketEnd) {
        self.open -= 1;
        self.streams -= streams;
        if let Some(socket) = self.sockets.get_mut(&number) {
            socket.end = Some(end);
        }
    }
}
