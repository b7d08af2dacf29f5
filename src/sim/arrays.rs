//! The streams that tell of more than one candle: 24 h figures, mark prices, contracts.

use std::collections::HashMap;

use super::candle::Candle;
use super::feed::Kind;
use super::listing::{Contract, Listing};
use super::truth::{Day, ListingId};
use super::wire;
use super::world::World;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

/// What such a stream tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Board {
    MiniTickers,
    Tickers,
    MarkPrices,
    Contracts,
}

impl Board {
    /// What the stream of all instruments is called; spot has no mark prices, and its
    /// `!ticker@arr` is gone.
    pub(crate) fn of_all(market: Market, name: &str) -> Option<Self> {
        match (market, name) {
            (_, "!miniTicker@arr") => Some(Self::MiniTickers),
            (Market::UsdM, "!ticker@arr") => Some(Self::Tickers),
            (Market::UsdM, "!markPrice@arr" | "!markPrice@arr@1s") => Some(Self::MarkPrices),
            (Market::UsdM, "!contractInfo") => Some(Self::Contracts),
            _ => None,
        }
    }

    /// What the stream of one instrument is called, without its symbol.
    pub(crate) fn of_one(market: Market, name: &str) -> Option<Self> {
        match (market, name) {
            (_, "miniTicker") => Some(Self::MiniTickers),
            (_, "ticker") => Some(Self::Tickers),
            (Market::UsdM, "markPrice" | "markPrice@1s") => Some(Self::MarkPrices),
            _ => None,
        }
    }
}

/// One such stream.
#[derive(Debug)]
pub(crate) struct Array {
    board: Board,
    /// Of which instrument; all where not given.
    only: Option<ListingId>,
    figures: HashMap<ListingId, Candle>,
    statuses: HashMap<ListingId, &'static str>,
}

impl Array {
    pub(crate) fn new(board: Board, only: Option<ListingId>) -> Self {
        Self { board, only, figures: HashMap::new(), statuses: HashMap::new() }
    }

    /// What the stream says now: the data of each frame.
    pub(crate) fn frames(&mut self, market: Market, world: &World) -> Vec<(String, Kind)> {
        let now = world.now();
        let rows = match self.board {
            Board::Contracts => self.changed_contracts(market, world, now),
            Board::MiniTickers | Board::Tickers => self.changed_days(market, world, now),
            Board::MarkPrices => self.days(market, world, now, wire::mark_price),
        };
        if rows.is_empty() {
            return Vec::new();
        }
        let list = |rows: &[String]| (format!("[{}]", rows.join(",")), Kind::Other);
        match (self.board, self.only) {
            // One event, one frame: these come without a list.
            (Board::Contracts, _) | (_, Some(_)) => rows.into_iter().map(|r| (r, Kind::Other)).collect(),
            // Mark prices of all come in two frames, the first with three quarters of the rows.
            (Board::MarkPrices, None) => {
                let (most, rest) = rows.split_at(rows.len().div_ceil(4) * 3 - usize::from(rows.len() < 4));
                [most, rest].into_iter().filter(|r| !r.is_empty()).map(list).collect()
            }
            (Board::MiniTickers | Board::Tickers, None) => vec![list(&rows)],
        }
    }

    fn listings<'a>(
        &self,
        market: Market,
        world: &'a World,
    ) -> impl Iterator<Item = (ListingId, &'a Listing)> + use<'a> {
        let only = self.only;
        world.truth.listings(market).filter(move |(id, _)| only.is_none_or(|o| o == *id))
    }

    /// 24 h figures that changed since the last frame.
    fn changed_days(&mut self, market: Market, world: &World, now: UnixMs) -> Vec<String> {
        let row = if self.board == Board::Tickers { wire::day_ticker } else { wire::mini_ticker };
        let mut rows = Vec::new();
        for (id, listing) in self.listings(market, world) {
            let Some(day) = world.truth.day(id, now) else { continue };
            // That the window moves on is no change of the figures.
            let figures = Candle { open_time: UnixMs(0), ..day.whole };
            if self.figures.insert(id, figures) != Some(figures) {
                rows.push(row(listing, &day, now));
                rows.extend(self.coin_margined(listing, |coin| row(coin, &day, now)));
            }
        }
        rows
    }

    fn days(
        &self,
        market: Market,
        world: &World,
        now: UnixMs,
        row: fn(&Listing, &Day, UnixMs) -> String,
    ) -> Vec<String> {
        let all = self.listings(market, world).filter_map(|(id, l)| Some((l, world.truth.day(id, now)?)));
        let of = |(l, day): (&Listing, Day)| {
            std::iter::once(row(l, &day, now))
                .chain(self.coin_margined(l, |coin| row(coin, &day, now)))
                .collect::<Vec<_>>()
        };
        all.flat_map(of).collect()
    }

    /// The row of the coin-margined perpetual beside the one of BTC or ETH: since the two products
    /// share their streams, arrays of one carry rows of the other.
    fn coin_margined(&self, listing: &Listing, row: impl FnOnce(&Listing) -> String) -> Option<String> {
        let known = matches!(listing.symbol.as_str(), "BTCUSDT" | "ETHUSDT");
        if self.only.is_some() || listing.contract != Contract::Perpetual || !known {
            return None;
        }
        let symbol = format!("{}USD_PERP", listing.base).parse().ok()?;
        let quote = "USD".parse().ok()?;
        Some(row(&Listing { symbol, quote, ..listing.clone() }))
    }

    /// Contracts whose status is another one than a moment ago.
    fn changed_contracts(&mut self, market: Market, world: &World, now: UnixMs) -> Vec<String> {
        let mut rows = Vec::new();
        let first = self.statuses.is_empty();
        for (id, listing) in self.listings(market, world) {
            let status = wire::status(listing, now);
            if self.statuses.insert(id, status) != Some(status) && !first {
                rows.push(wire::contract_info(listing, now));
            }
        }
        rows
    }
}
