//! What happens to requests of REST.

use serde::{Deserialize, Serialize};

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RestFault {
    /// It fails.
    RestError {
        /// With this HTTP status.
        status: u16,
        /// What the body is; the usual one of the status, where not given.
        #[serde(default)]
        body: Option<BodyForm>,
        /// The exchange's own code, such as -1003 or -1008.
        #[serde(default)]
        code: Option<i32>,
        /// The exchange's own words.
        #[serde(default)]
        message: Option<String>,
        /// `Retry-After`; 1 for 429 and 418, none for others, where not given. 0 leaves it away.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// The address is banned for so long, from that request on.
    Ban {
        /// How long.
        seconds: i64,
    },
    /// Other programs on the address have used so much of every minute's weight.
    ForeignLoad {
        /// How much.
        weight: u32,
    },
    /// Its answer takes longer.
    Latency {
        /// By so many milliseconds of real time.
        ms: u64,
    },
    /// It is never answered.
    NoAnswer {},
    /// The connection breaks half way through the body.
    Truncated {},
    /// The body is whole as HTTP counts, and half of it as JSON.
    CutJson {},
    /// The body is zipped and ends half way.
    TruncatedGzip {},
    /// The body is small, and huge when unzipped.
    GzipBomb {
        /// How huge.
        mebibytes: u32,
    },
    /// The body is empty.
    EmptyBody {},
    /// Something else answers, with a page: a portal that wants a login.
    WrongType {},
    /// Rows of candles that closed less than that ago lack their last trades.
    RowLag {
        /// In milliseconds of the exchange's time.
        by_ms: i64,
    },
    /// The exchange's REST tells another time than its streams.
    TimeSkew {
        /// Ahead by so much; behind, where negative.
        by_ms: i64,
    },
    /// Times are in microseconds, without having been asked for.
    RestMicroseconds {},
}

/// What an error's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// `{"code":…,"msg":…}`.
    Json,
    /// A page, as what stands in front of the exchange sends it.
    Html,
    /// Nothing.
    Empty,
}

impl RestFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &[
        "rest_error",
        "ban",
        "foreign_load",
        "latency",
        "no_answer",
        "truncated",
        "cut_json",
        "truncated_gzip",
        "gzip_bomb",
        "empty_body",
        "wrong_type",
        "row_lag",
        "time_skew",
        "rest_microseconds",
    ];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RestError { .. } => "rest_error",
            Self::Ban { .. } => "ban",
            Self::ForeignLoad { .. } => "foreign_load",
            Self::Latency { .. } => "latency",
            Self::NoAnswer {} => "no_answer",
            Self::Truncated {} => "truncated",
            Self::CutJson {} => "cut_json",
            Self::TruncatedGzip {} => "truncated_gzip",
            Self::GzipBomb { .. } => "gzip_bomb",
            Self::EmptyBody {} => "empty_body",
            Self::WrongType {} => "wrong_type",
            Self::RowLag { .. } => "row_lag",
            Self::TimeSkew { .. } => "time_skew",
            Self::RestMicroseconds {} => "rest_microseconds",
        }
    }

    /// Whether it means something to a route.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        let klines = path.ends_with("lines");
        match self {
            Self::RowLag { .. } => klines,
            Self::TimeSkew { .. } => path.ends_with("/time") || path.ends_with("/exchangeInfo"),
            Self::RestMicroseconds {} => klines || path.ends_with("/time"),
            _ => true,
        }
    }

    /// Whether it goes on until it ends, and not just once.
    pub(super) fn usual_count(&self) -> Option<u32> {
        match self {
            Self::ForeignLoad { .. }
            | Self::Latency { .. }
            | Self::RowLag { .. }
            | Self::TimeSkew { .. }
            | Self::RestMicroseconds {} => None,
            _ => Some(1),
        }
    }
}
