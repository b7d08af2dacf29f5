//! What happens to connections.

use serde::{Deserialize, Serialize};

/// What happens to a socket, from the request for it to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SocketFault {
    /// Open ones are torn, without a closing frame, and new ones refused as long as it lasts.
    WsCut {},
}

impl SocketFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &["ws_cut"];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WsCut {} => "ws_cut",
        }
    }

    pub(super) fn usual_count(&self) -> Option<u32> {
        None
    }

    /// Whether it is done to the sockets that are open when it begins, at once.
    pub(super) fn at_once(&self) -> bool {
        match self {
            Self::WsCut {} => true,
        }
    }
}
