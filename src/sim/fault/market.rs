//! What happens to the market itself: part of the truth, and so of all views of it.

use serde::{Deserialize, Serialize};

use super::Scheduled;
use super::scope::Scope;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;
use crate::sim::churn::{Labels, Turn, minute_after};
use crate::sim::listing::{Contract, Listing, Status};
use crate::sim::truth::{ListingId, Truth};

/// Closes without trades that a delisted contract still sends, where not given: a quarter of an hour.
const CLOSES_MS: i64 = 900_000;

/// What happens to instruments. Takes a time and no event, since the truth is known ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum MarketFault {
    /// The scope's symbol is listed; in computed markets only.
    List {
        /// Whether it is a perpetual on a share.
        #[serde(default)]
        tradfi: bool,
    },
    /// It leaves trading: closes without trades for a while, then silence.
    Delist {
        /// For how long a while.
        #[serde(default = "closes")]
        closes_ms: i64,
    },
    /// It is suspended for the fault's span.
    Halt {},
    /// The exchange has no candles of the fault's span, nor will it ever.
    Hole {},
    /// So much is traded from then on, in thousandths of the usual.
    Volume {
        /// 1,000 is the usual.
        per_mille: u32,
    },
    /// It goes on under another name; in computed markets only.
    Rename {
        /// Which.
        to: String,
    },
    /// `exchangeInfo` says other words of it, for the fault's span.
    Relabel {
        /// Instead of `TRADING`.
        #[serde(default)]
        status: Option<String>,
        /// Instead of `PERPETUAL`.
        #[serde(default)]
        contract_type: Option<String>,
        /// Instead of `COIN`.
        #[serde(default)]
        underlying_type: Option<String>,
        /// A filter of that type, beside the others.
        #[serde(default)]
        filter: Option<String>,
    },
}

fn closes() -> i64 {
    CLOSES_MS
}

impl MarketFault {
    /// The names of all kinds.
    pub const KINDS: &[&str] = &["list", "delist", "halt", "hole", "volume", "rename", "relabel"];

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Delist { .. } => "delist",
            Self::Halt {} => "halt",
            Self::Hole {} => "hole",
            Self::Volume { .. } => "volume",
            Self::Rename { .. } => "rename",
            Self::Relabel { .. } => "relabel",
        }
    }
}

/// Writes a fault into the truth, from its time on; how many instruments it strikes.
pub(crate) fn apply(fault: &MarketFault, of: &Scheduled, truth: &Truth, now: UnixMs) -> u64 {
    // What was seen stays: a fault for now begins with the first minute that nobody has seen of.
    let at = of.schedule.time(now).filter(|at| *at > now).unwrap_or(UnixMs(now.0 + 1));
    let from = minute_after(at);
    let to = of.schedule.for_ms.map_or(UnixMs(i64::MAX), |span| UnixMs(from.0.saturating_add(span)));
    if let MarketFault::List { tradfi } = fault {
        let contract = if *tradfi { Contract::TradFi } else { Contract::Perpetual };
        let markets = Market::ALL.into_iter().filter(|m| of.scope.market.is_none_or(|s| s == *m));
        let name = of.scope.symbol.as_deref().unwrap_or("FRESHUSDT");
        return markets.map(|m| u64::from(list(truth, (m, name), contract, from, None))).sum();
    }
    let found: Vec<(ListingId, Market)> =
        within(truth, &of.scope).map(|(id, listing)| (id, listing.market)).collect();
    for (id, market) in &found {
        truth.turn(*id, |listing| turn(fault, listing, from, to));
        if let MarketFault::Rename { to } = fault {
            list(truth, (*market, to), Contract::Perpetual, from, Some(*id));
        }
    }
    found.len() as u64
}

fn list(truth: &Truth, name: (Market, &str), kind: Contract, from: UnixMs, like: Option<ListingId>) -> bool {
    let kind = if name.0 == Market::Spot { Contract::Spot } else { kind };
    truth.list(name, kind, from, like).unwrap_or(false)
}

fn within<'a>(
    truth: &Truth,
    scope: &'a Scope,
) -> impl Iterator<Item = (ListingId, std::sync::Arc<Listing>)> + use<'a> {
    let all: Vec<_> = Market::ALL.into_iter().flat_map(|m| truth.listings(m)).collect();
    all.into_iter().filter(|(_, l)| {
        scope.market.is_none_or(|m| m == l.market)
            && scope.symbol.as_deref().is_none_or(|s| s == l.symbol.as_str())
    })
}

fn turn(fault: &MarketFault, listing: &mut Listing, from: UnixMs, to: UnixMs) {
    let mut word = |word: &str, to| {
        let labels = Labels { status: Some(word.to_owned()), ..Labels::default() };
        listing.timeline.push(Turn::Relabel { from, to, labels });
    };
    match fault {
        MarketFault::List { .. } => {}
        MarketFault::Delist { closes_ms } => {
            let end = UnixMs(from.0.saturating_add((*closes_ms).max(0)));
            word(if listing.market == Market::Spot { "BREAK" } else { "SETTLING" }, end);
            listing.timeline.push(Turn::Halt { from, to: end });
            listing.status = Status::Gone { since: end };
        }
        MarketFault::Rename { .. } => listing.status = Status::Gone { since: from },
        MarketFault::Halt {} => {
            word(if listing.market == Market::Spot { "BREAK" } else { "TRADING_HALT" }, to);
            listing.timeline.push(Turn::Halt { from, to });
        }
        MarketFault::Hole {} => listing.timeline.push(Turn::Hole { from, to }),
        MarketFault::Volume { per_mille } => {
            listing.timeline.push(Turn::Volume { from, per_mille: *per_mille });
        }
        MarketFault::Relabel { status, contract_type, underlying_type, filter } => {
            let labels = Labels {
                status: status.clone(),
                contract_type: contract_type.clone(),
                underlying_type: underlying_type.clone(),
                filter: filter.clone(),
            };
            listing.timeline.push(Turn::Relabel { from, to, labels });
        }
    }
}
