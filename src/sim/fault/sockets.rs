//! What happens to connections.

use serde::{Deserialize, Serialize};

/// What happens to a socket, from the request for it to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SocketFault {
    /// Open ones are torn, without a closing frame, and new ones refused as long as it lasts.
    WsCut {},
    /// Open ones are closed with this code; 1006 is no frame at all.
    WsClose {
        /// The code of the closing frame.
        code: u16,
        /// Its reason.
        #[serde(default)]
        reason: String,
    },
    /// Open ones are reset: RST instead of FIN.
    WsReset {},
    /// No byte is read or written any more, and the connection stays open.
    HalfOpen {},
    /// Nothing is read any more, so that no ping and no request is answered; data goes on.
    NoPong {},
    /// `serverShutdown` is announced, and the socket closed some time later.
    ServerShutdown {
        /// How much later; never, where not given.
        #[serde(default)]
        close_after_ms: Option<i64>,
    },
    /// A request for a socket is refused.
    Refuse {
        /// With this HTTP status.
        status: u16,
        /// Seconds that the refusal tells to wait.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// A request for a socket is answered late.
    SlowHandshake {
        /// By so many milliseconds of real time.
        by_ms: u64,
    },
    /// A socket is opened and dropped at once.
    AcceptThenDrop {},
    /// The paths `/ws` and `/stream` open sockets of USD-M that carry no candles.
    Unrouted {},
    /// Streams that are subscribed to while it lasts are acknowledged and never served.
    DeadSubscribe {
        /// Only those of this class.
        #[serde(default)]
        class: Option<StreamClass>,
    },
    /// The answer to a request is lost.
    AckLost {},
    /// The answer to a request comes late.
    AckLate {
        /// By so many milliseconds of real time.
        by_ms: u64,
    },
    /// The answer to a request comes twice.
    AckTwice {},
    /// A request is refused.
    AckError {
        /// With this code.
        #[serde(default = "invalid_request")]
        code: i32,
        /// In this shape.
        #[serde(default)]
        shape: ErrorShape,
    },
}

fn invalid_request() -> i32 {
    2
}

/// The two shapes that an error on a socket has been seen in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `{"error":{"code":2,"msg":"…"},"id":1}`
    #[default]
    Wrapped,
    /// `{"code":2,"msg":"…","id":1}`
    Flat,
}

/// A class of streams, as paths are split by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamClass {
    /// Candles.
    Kline,
    /// Everything else: tickers, mark prices, announcements.
    Other,
}

impl SocketFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &[
        "ws_cut",
        "ws_close",
        "ws_reset",
        "half_open",
        "no_pong",
        "server_shutdown",
        "refuse",
        "slow_handshake",
        "accept_then_drop",
        "unrouted",
        "dead_subscribe",
        "ack_lost",
        "ack_late",
        "ack_twice",
        "ack_error",
    ];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WsCut {} => "ws_cut",
            Self::WsClose { .. } => "ws_close",
            Self::WsReset {} => "ws_reset",
            Self::HalfOpen {} => "half_open",
            Self::NoPong {} => "no_pong",
            Self::ServerShutdown { .. } => "server_shutdown",
            Self::Refuse { .. } => "refuse",
            Self::SlowHandshake { .. } => "slow_handshake",
            Self::AcceptThenDrop {} => "accept_then_drop",
            Self::Unrouted {} => "unrouted",
            Self::DeadSubscribe { .. } => "dead_subscribe",
            Self::AckLost {} => "ack_lost",
            Self::AckLate { .. } => "ack_late",
            Self::AckTwice {} => "ack_twice",
            Self::AckError { .. } => "ack_error",
        }
    }

    pub(super) fn usual_count(&self) -> Option<u32> {
        match self {
            Self::Unrouted {} | Self::DeadSubscribe { .. } => None,
            _ if self.at_once() => None,
            _ => Some(1),
        }
    }

    /// Whether it is done to the sockets that are open when it begins, at once.
    pub(super) fn at_once(&self) -> bool {
        match self {
            Self::WsCut {}
            | Self::WsClose { .. }
            | Self::WsReset {}
            | Self::HalfOpen {}
            | Self::NoPong {}
            | Self::ServerShutdown { .. } => true,
            Self::Refuse { .. }
            | Self::SlowHandshake { .. }
            | Self::AcceptThenDrop {}
            | Self::Unrouted {}
            | Self::DeadSubscribe { .. }
            | Self::AckLost {}
            | Self::AckLate { .. }
            | Self::AckTwice {}
            | Self::AckError { .. } => false,
        }
    }
}
