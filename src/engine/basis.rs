//! Perpetuals against their spot pairs, where both are in the table.

use std::time::Duration;

use crate::domain::symbol::{Market, Pair};
use crate::domain::time::UnixMs;
use crate::market::freshness::{Stage, Stream};
use crate::market::store::PairId;

use super::core::Engine;
use super::members::own;

/// The two prices of a basis are of about the same time.
const APART: Duration = Duration::from_secs(300);

/// A perpetual's spot pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    id: PairId,
    /// Its coins in one of the perpetual's: a thousand for `1000PEPEUSDT`.
    coins: f64,
}

impl Engine {
    /// Finds the spot pair of each perpetual: the one of its name, or of its name without the
    /// count of coins that a contract is of.
    pub(super) fn pair_up(&mut self) {
        let perpetuals: Vec<(PairId, Pair)> = self.members(Market::UsdM).map(own).collect();
        for row in &mut self.rows {
            (row.spot, row.perpetual, row.shown) = (None, None, None);
        }
        for (perpetual, Pair { symbol, .. }) in perpetuals {
            let (coin, coins) = symbol.without_count();
            let spot = |symbol| self.store.find_pair(&Pair { market: Market::Spot, symbol });
            let same = spot(symbol.clone()).map(|id| (id, 1.0));
            let Some((id, coins)) = same.or_else(|| coin.parse().ok().and_then(spot).map(|id| (id, coins)))
            else {
                continue;
            };
            if let Some(row) = self.rows.get_mut(perpetual.index()) {
                row.spot = Some(Spot { id, coins });
            }
            if let Some(row) = self.rows.get_mut(id.index()) {
                row.perpetual = Some(perpetual);
            }
        }
    }

    /// How far a perpetual is above its spot pair, in per cent.
    pub(super) fn basis(&self, id: PairId) -> Option<f64> {
        let Spot { id: spot, coins } = self.rows.get(id.index())?.spot?;
        let (perpetual, of) = self.current_price(id)?;
        let (price, at) = self.current_price(spot)?;
        let apart = of.since(at).max(at.since(of));
        let spot = price * coins;
        (apart <= APART && spot > 0.0).then(|| (perpetual - spot) / spot * 100.0)
    }

    /// The last price, unless it may be another by now.
    fn current_price(&self, id: PairId) -> Option<(f64, UnixMs)> {
        let mut lanes = self.store.lanes_of(id).filter_map(|l| self.store.lane(l));
        let known = lanes.all(|l| {
            let f = &l.freshness;
            f.stage != Stage::Delisted
                && f.doubt.is_none()
                && matches!(f.stream, Stream::Fed | Stream::Unneeded | Stream::Waiting)
        });
        self.rows.get(id.index())?.last.filter(|_| known)
    }
}
