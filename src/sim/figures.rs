//! The streams that tell of instruments as a whole: 24 h figures of one or of all, and contracts.

use std::collections::HashMap;

use super::candle::Candle;
use super::listing::Listing;
use super::truth::ListingId;
use super::wire;
use super::world::World;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

/// What a stream tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The short figures of all that changed, in one array.
    AllMini,
    /// The long ones, likewise.
    AllFull,
    /// The short figures of one.
    Mini(ListingId),
    /// The long ones.
    Full(ListingId),
    /// Mark prices of all, in two arrays.
    AllMarks,
    /// The mark price of one.
    Mark(ListingId),
    /// Listings, delistings and changes of status.
    Contracts,
}

/// A stream of figures and what it told last.
#[derive(Debug)]
pub(crate) struct Figures {
    about: About,
    told: HashMap<ListingId, Candle>,
    /// Words for status and contract, `None` before the first look.
    words: Option<HashMap<ListingId, String>>,
}

impl Figures {
    pub(crate) fn new(about: About) -> Self {
        Self { about, told: HashMap::new(), words: None }
    }

    /// What there is to tell now, one text a frame.
    pub(crate) fn due(&mut self, market: Market, world: &World) -> Vec<String> {
        let now = world.now();
        let all = |entries: Vec<String>| -> Vec<String> {
            let frame = (!entries.is_empty()).then(|| format!("[{}]", entries.join(",")));
            frame.into_iter().collect()
        };
        match self.about {
            About::AllMini => all(self.changed(market, world, now, wire::mini_ticker)),
            About::AllFull => all(self.changed(market, world, now, wire::ticker_event)),
            About::Mini(id) => self.one(id, world, now, wire::mini_ticker).into_iter().collect(),
            About::Full(id) => self.one(id, world, now, wire::ticker_event).into_iter().collect(),
            About::AllMarks => {
                let mut most: Vec<_> =
                    world.truth.listings(market).filter_map(|(id, _)| Self::mark(id, world, now)).collect();
                // The first frame has about three quarters of the rows, as it was seen to.
                let rest = most.split_off(most.len() - most.len() / 4);
                [most, rest].into_iter().flat_map(all).collect()
            }
            About::Mark(id) => Self::mark(id, world, now).into_iter().collect(),
            About::Contracts => self.contracts(market, world, now),
        }
    }

    fn changed(
        &mut self,
        market: Market,
        world: &World,
        now: UnixMs,
        write: fn(&Listing, &super::truth::Day, UnixMs) -> String,
    ) -> Vec<String> {
        let ids: Vec<_> = world.truth.listings(market).map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| self.one(id, world, now, write)).collect()
    }

    fn one(
        &mut self,
        id: ListingId,
        world: &World,
        now: UnixMs,
        write: fn(&Listing, &super::truth::Day, UnixMs) -> String,
    ) -> Option<String> {
        let day = world.truth.day(id, now)?;
        // That the window moves on is no change of the figures.
        let figures = Candle { open_time: UnixMs(0), ..day.whole };
        if self.told.insert(id, figures) == Some(figures) {
            return None;
        }
        Some(write(&*world.truth.listing(id)?, &day, now))
    }

    fn mark(id: ListingId, world: &World, now: UnixMs) -> Option<String> {
        Some(wire::mark_price(&*world.truth.listing(id)?, &world.truth.day(id, now)?, now))
    }

    fn contracts(&mut self, market: Market, world: &World, now: UnixMs) -> Vec<String> {
        let first = self.words.is_none();
        let words = self.words.get_or_insert_default();
        let mut frames = Vec::new();
        for (id, listing) in world.truth.listings(market) {
            let said = format!("{} {}", wire::status(&listing, now), wire::contract_type(&listing, now));
            if words.insert(id, said.clone()) != Some(said) && !first {
                frames.push(wire::contract_info(&listing, now));
            }
        }
        frames
    }
}
