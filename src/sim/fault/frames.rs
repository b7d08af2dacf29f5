//! What happens to data frames.

use serde::{Deserialize, Serialize};

use super::sockets::StreamClass;

/// What happens to a frame of data, or to all that tell of a candle's close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FrameFault {
    /// It is lost; pings and requests are answered.
    WsSilence {
        /// Only frames of streams of this class.
        #[serde(default)]
        class: Option<StreamClass>,
    },
    /// The closing frame of a candle never comes.
    DropClose {},
    /// The closing frame of a candle comes late.
    DelayClose {
        /// How late.
        by_ms: i64,
    },
    /// The closing frame of a candle comes after the first update of the next one.
    CloseAfterNext {},
    /// The closing frame of a candle lacks its last trades, which REST has.
    ShortClose {},
    /// The closing frame of a candle comes twice.
    RepeatClose {},
    /// After its closing frame a candle is told once more as if it were forming.
    UpdateAfterClose {},
    /// The closing frame of a candle comes only with the next trade.
    Illiquid {},
    /// It comes twice.
    Repeat {},
    /// It comes after the one that follows it on its socket.
    Reorder {},
    /// Its event time lies earlier than it should.
    OldEvent {
        /// By so much.
        by_ms: i64,
    },
    /// The exchange's sockets tell another time than its REST.
    ClockSkew {
        /// Ahead by so much; behind, where negative.
        by_ms: i64,
    },
    /// Its times are in microseconds.
    Microseconds {},
    /// A field is missing from it, or from its candle.
    MissingField {
        /// Which.
        #[serde(default = "ignored")]
        name: String,
    },
    /// It has a field more.
    ExtraField {
        /// Which.
        #[serde(default = "product")]
        name: String,
    },
    /// A number in it, or in its candle, is something else.
    BadValue {
        /// Which.
        #[serde(default = "close")]
        name: String,
        /// What stands there instead.
        #[serde(default = "nan")]
        value: String,
    },
    /// Before it comes an event of a type that nobody knows.
    UnknownEvent {},
    /// Before it comes a text that is no event.
    Garbage {
        /// Which.
        #[serde(default = "garbage")]
        text: String,
    },
    /// Before it comes a list nested that deep.
    Deep {
        /// How deep.
        #[serde(default = "deep")]
        levels: usize,
    },
    /// Before it comes a binary frame.
    Binary {},
    /// Before it comes a text without a character.
    Empty {},
    /// Before it comes a text that is no valid UTF-8, which breaks the protocol.
    InvalidUtf8 {},
    /// Before it comes a text of that size.
    Oversized {
        /// In bytes.
        #[serde(default = "oversized")]
        bytes: usize,
    },
    /// It comes in so many pieces.
    Fragmented {
        /// How many.
        #[serde(default = "pieces")]
        pieces: usize,
    },
}

fn ignored() -> String {
    "B".to_owned()
}

fn product() -> String {
    "st".to_owned()
}

fn close() -> String {
    "c".to_owned()
}

fn nan() -> String {
    "NaN".to_owned()
}

fn garbage() -> String {
    "<html>502 Bad Gateway".to_owned()
}

fn deep() -> usize {
    100_000
}

fn oversized() -> usize {
    16 << 20
}

fn pieces() -> usize {
    3
}

impl FrameFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &[
        "ws_silence",
        "drop_close",
        "delay_close",
        "close_after_next",
        "short_close",
        "repeat_close",
        "update_after_close",
        "illiquid",
        "repeat",
        "reorder",
        "old_event",
        "clock_skew",
        "microseconds",
        "missing_field",
        "extra_field",
        "bad_value",
        "unknown_event",
        "garbage",
        "deep",
        "binary",
        "empty",
        "invalid_utf8",
        "oversized",
        "fragmented",
    ];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WsSilence { .. } => "ws_silence",
            Self::DropClose {} => "drop_close",
            Self::DelayClose { .. } => "delay_close",
            Self::CloseAfterNext {} => "close_after_next",
            Self::ShortClose {} => "short_close",
            Self::RepeatClose {} => "repeat_close",
            Self::UpdateAfterClose {} => "update_after_close",
            Self::Illiquid {} => "illiquid",
            Self::Repeat {} => "repeat",
            Self::Reorder {} => "reorder",
            Self::OldEvent { .. } => "old_event",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Microseconds {} => "microseconds",
            Self::MissingField { .. } => "missing_field",
            Self::ExtraField { .. } => "extra_field",
            Self::BadValue { .. } => "bad_value",
            Self::UnknownEvent {} => "unknown_event",
            Self::Garbage { .. } => "garbage",
            Self::Deep { .. } => "deep",
            Self::Binary {} => "binary",
            Self::Empty {} => "empty",
            Self::InvalidUtf8 {} => "invalid_utf8",
            Self::Oversized { .. } => "oversized",
            Self::Fragmented { .. } => "fragmented",
        }
    }

    /// Whether it is about closing frames, candle by candle.
    pub(crate) fn of_closes(&self) -> bool {
        matches!(
            self,
            Self::DropClose {}
                | Self::DelayClose { .. }
                | Self::CloseAfterNext {}
                | Self::ShortClose {}
                | Self::RepeatClose {}
                | Self::UpdateAfterClose {}
                | Self::Illiquid {}
        )
    }

    pub(super) fn usual_count(&self) -> Option<u32> {
        match self {
            Self::WsSilence { .. } | Self::Illiquid {} | Self::ClockSkew { .. } | Self::Microseconds {} => {
                None
            }
            _ => Some(1),
        }
    }
}
