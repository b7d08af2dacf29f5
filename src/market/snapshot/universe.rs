//! Why pairs are in the table, and what became of the exchange's lists of them.

use crate::domain::symbol::{Market, Pair, Symbol};
use crate::domain::text::CleanText;

/// Why a pair is in the table: the strongest reason, which comes first here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// Named by the user.
    Named,
    /// On a list of the user's.
    Watchlist,
    /// Among the top N by 24 h quote volume.
    Top,
    /// Among those that changed most in 24 h.
    Mover,
}

impl Pool {
    /// The word, as exports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Watchlist => "watchlist",
            Self::Top => "top",
            Self::Mover => "mover",
        }
    }
}

/// What is known of the pairs that were asked for: enough for a program that shows the table once
/// to say why a row is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UniverseReport {
    /// Markets whose list of pairs is not here yet.
    pub pending: u32,
    /// Why a market's list can't be had, while that is so.
    pub failed: Vec<(Market, CleanText)>,
    /// Names no market has.
    pub unknown: Vec<UnknownName>,
    /// Named pairs that exist and are not traded now.
    pub not_trading: Vec<Pair>,
    /// What became of the lists so far.
    pub counts: UniverseCounts,
}

/// What became of the lists of pairs so far, over all markets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniverseCounts {
    /// Lists taken.
    pub lists: u64,
    /// Lists that could not be had, were empty, or not believed by themselves.
    pub refused: u64,
    /// Pairs that came into the table after the start, for whatever reason.
    pub entered: u64,
    /// Pairs that left it since their rank did.
    pub left: u64,
    /// Pairs of the table that were no longer traded.
    pub delisted: u64,
    /// Pairs of the table that were traded again.
    pub returned: u64,
    /// Entries of the lists that could not be read.
    pub unread: u64,
    /// Entries with a status, kind or filter that this program does not know.
    pub unknown: u64,
}

/// A name no market has, and what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// As it was given.
    pub name: Symbol,
    /// How it was asked for: by itself, or on a list.
    pub pool: Pool,
    /// Up to three names that look like it, the likeliest first.
    pub near: Vec<Symbol>,
}
