//! A series compared with REST: under way, or what came of it.

use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};

/// The newest comparison of a series with REST.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Under way, since then.
    Asked(Mono),
    /// Over.
    Told {
        /// Since when, on our clock.
        at: Mono,
        /// What it found.
        verdict: Verdict,
    },
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// REST answered.
    Compared(Compared),
    /// It did not, and why.
    Failed(CleanText),
}

/// Closed bars against REST's rows of the same times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The same on both sides.
    pub equal: u32,
    /// Others on REST's side, which were taken over.
    pub corrected: u32,
    /// Open time of the first of these.
    pub first: Option<UnixMs>,
    /// Known to REST alone, and added.
    pub added: u32,
    /// Of which REST knows less, and which were kept.
    pub lagging: u32,
}

impl Compared {
    /// Whether REST's answer held any row that could be compared.
    pub fn is_empty(&self) -> bool {
        self.equal + self.corrected + self.added + self.lagging == 0
    }
}

impl Check {
    /// Whether it is under way.
    pub fn is_asked(&self) -> bool {
        matches!(self, Self::Asked(_))
    }
}
