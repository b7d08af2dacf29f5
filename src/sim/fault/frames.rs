//! What happens to data frames.

use serde::{Deserialize, Serialize};

/// What happens to a frame of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FrameFault {
    /// It is lost; pings and requests are answered.
    WsSilence {},
    /// The closing frame of a candle never comes.
    DropClose {},
    /// The closing frame of a candle comes late.
    DelayClose {
        /// How late.
        by_ms: i64,
    },
}

impl FrameFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &["ws_silence", "drop_close", "delay_close"];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WsSilence {} => "ws_silence",
            Self::DropClose {} => "drop_close",
            Self::DelayClose { .. } => "delay_close",
        }
    }

    /// Whether it is about closing frames, candle by candle.
    pub(super) fn of_closes(&self) -> bool {
        !matches!(self, Self::WsSilence {})
    }

    pub(super) fn usual_count(&self) -> Option<u32> {
        match self {
            Self::WsSilence {} => None,
            _ => Some(1),
        }
    }
}
