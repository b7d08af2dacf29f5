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
    },
    /// Its answer takes longer.
    Latency {
        /// By so many milliseconds of real time.
        ms: u64,
    },
}

impl RestFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &["rest_error", "latency"];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RestError { .. } => "rest_error",
            Self::Latency { .. } => "latency",
        }
    }

    pub(super) fn usual_count(&self) -> Option<u32> {
        match self {
            Self::RestError { .. } => Some(1),
            Self::Latency { .. } => None,
        }
    }
}
