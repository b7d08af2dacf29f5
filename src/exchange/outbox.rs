//! What a socket has to tell while nobody listens.
//!
//! Policy for full: a socket never waits for the engine, since it has to answer pings. Closed
//! candles and changes of state are kept, in order; of forming candles and 24 h figures the last
//! of each is kept; of notices of skipped frames the first few. Closed candles past
//! [`Outbox::MOST_CLOSED`] are thrown away: [`Outbox::is_overrun`] says so, and the socket ends, so
//! that its series are known to miss something and REST repairs them.
//!
//! Invariant: pure. What is kept is bounded, however long nobody listens.

use std::collections::{HashMap, VecDeque};

use super::shard::Shards;
use super::{DayEvent, Discard, FeedEvent, KlineEvent};
use crate::domain::kline::Finality;
use crate::domain::symbol::{Pair, SeriesKey};

/// The queue of one socket.
#[derive(Debug, Default)]
pub struct Outbox {
    kept: VecDeque<FeedEvent>,
    notices: usize,
    closed: usize,
    overrun: bool,
    forming: HashMap<SeriesKey, KlineEvent>,
    /// The order of `forming`; has each of its keys once.
    order: VecDeque<SeriesKey>,
    day: HashMap<Pair, DayEvent>,
}

impl Outbox {
    /// Notices of skipped frames kept while nobody listens.
    pub const MOST_NOTICES: usize = 64;

    /// Closed candles kept while nobody listens: 25 of each stream of a socket of the usual size,
    /// some 2 MB.
    pub const MOST_CLOSED: usize = 25 * Shards::MOST;

    /// Whether a closed candle was thrown away.
    pub fn is_overrun(&self) -> bool {
        self.overrun
    }

    /// Nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.forming.is_empty() && self.day.is_empty()
    }

    /// Takes an event in.
    pub fn push(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Kline(candle) if candle.finality == Finality::Forming => self.push_forming(candle),
            FeedEvent::Kline(candle) if self.closed == Self::MOST_CLOSED => {
                self.overrun = true;
                self.push_notice(FeedEvent::Discarded { conn: candle.conn, why: Discard::Overrun });
            }
            FeedEvent::Kline(candle) => {
                // The close says all that its forming states would.
                let stale = self
                    .forming
                    .get(&candle.key)
                    .is_some_and(|f| f.kline.open_time() <= candle.kline.open_time());
                if stale {
                    self.forming.remove(&candle.key);
                    self.order.retain(|k| *k != candle.key);
                }
                self.closed += 1;
                self.kept.push_back(FeedEvent::Kline(candle));
            }
            FeedEvent::Day(rows) => self.day.extend(rows.into_iter().map(|row| (row.pair.clone(), row))),
            FeedEvent::Discarded { .. } => self.push_notice(event),
            FeedEvent::Connecting { .. }
            | FeedEvent::Subscribed { .. }
            | FeedEvent::Refused { .. }
            | FeedEvent::Replaced { .. }
            | FeedEvent::Down { .. } => {
                self.kept.push_back(event);
            }
        }
    }

    fn push_notice(&mut self, event: FeedEvent) {
        if self.notices < Self::MOST_NOTICES {
            self.notices += 1;
            self.kept.push_back(event);
        }
    }

    fn push_forming(&mut self, candle: KlineEvent) {
        match self.forming.get_mut(&candle.key) {
            // An older stamp can't replace a newer one, even from the same socket.
            Some(waiting) if candle.event_time < waiting.event_time => {}
            Some(waiting) => *waiting = candle,
            None => {
                self.order.push_back(candle.key.clone());
                self.forming.insert(candle.key.clone(), candle);
            }
        }
    }

    /// The next event to tell.
    pub fn pop(&mut self) -> Option<FeedEvent> {
        if let Some(event) = self.kept.pop_front() {
            self.notices -= usize::from(matches!(event, FeedEvent::Discarded { .. }));
            self.closed -= usize::from(matches!(event, FeedEvent::Kline(_)));
            return Some(event);
        }
        while let Some(key) = self.order.pop_front() {
            if let Some(candle) = self.forming.remove(&key) {
                return Some(FeedEvent::Kline(candle));
            }
        }
        if self.day.is_empty() {
            return None;
        }
        Some(FeedEvent::Day(std::mem::take(&mut self.day).into_values().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::Interval;
    use crate::domain::kline::{Kline, KlineFields};
    use crate::domain::symbol::Market;
    use crate::domain::time::{Mono, UnixMs};
    use crate::exchange::ConnId;

    const CONN: ConnId = ConnId { market: Market::UsdM, number: 0 };

    fn candle(symbol: &str, open: i64, finality: Finality, stamp: i64) -> FeedEvent {
        let pair = Pair { market: Market::UsdM, symbol: symbol.parse().unwrap() };
        let kline = Kline::new(KlineFields {
            open_time: UnixMs(open),
            close_time: UnixMs(open + 59_999),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            ..KlineFields::default()
        });
        FeedEvent::Kline(KlineEvent {
            conn: CONN,
            key: SeriesKey::new(pair, Interval::M1),
            kline: kline.unwrap(),
            finality,
            event_time: UnixMs(stamp),
            received: Mono::default(),
        })
    }

    fn drain(mut outbox: Outbox) -> Vec<(String, i64, bool)> {
        std::iter::from_fn(|| outbox.pop())
            .filter_map(|e| match e {
                FeedEvent::Kline(k) => {
                    Some((k.key.pair.symbol.to_string(), k.event_time.0, k.finality == Finality::Closed))
                }
                _ => None,
            })
            .collect()
    }

    #[test]
    fn of_forming_candles_the_last_is_kept_and_of_closed_ones_all() {
        let mut o = Outbox::default();
        for stamp in [1, 3, 2] {
            o.push(candle("A", 60_000, Finality::Forming, stamp));
            o.push(candle("B", 60_000, Finality::Forming, stamp));
        }
        o.push(candle("C", 60_000, Finality::Closed, 4));
        o.push(candle("C", 120_000, Finality::Closed, 5));
        let s = |n: &str, stamp, closed| (n.to_owned(), stamp, closed);
        assert_eq!(drain(o), [s("C", 4, true), s("C", 5, true), s("A", 3, false), s("B", 3, false)]);
    }

    #[test]
    fn a_close_replaces_its_own_forming_states_and_not_the_next_ones() {
        let mut o = Outbox::default();
        o.push(candle("A", 60_000, Finality::Forming, 1));
        o.push(candle("A", 60_000, Finality::Closed, 2));
        o.push(candle("A", 120_000, Finality::Forming, 3));
        o.push(candle("A", 60_000, Finality::Closed, 4));
        let s = |stamp, closed| ("A".to_owned(), stamp, closed);
        assert_eq!(drain(o), [s(2, true), s(4, true), s(3, false)]);
    }

    #[test]
    fn closed_candles_past_the_limit_are_told_as_lost_and_room_comes_back() {
        let mut o = Outbox::default();
        let most = i64::try_from(Outbox::MOST_CLOSED).unwrap();
        for n in 0..most {
            o.push(candle("A", n * 60_000, Finality::Closed, n));
        }
        assert!(!o.is_overrun());
        o.pop();
        o.push(candle("A", most * 60_000, Finality::Closed, most));
        assert!(!o.is_overrun(), "one was taken");
        o.push(candle("A", (most + 1) * 60_000, Finality::Closed, most + 1));
        assert!(o.is_overrun());
        let events: Vec<FeedEvent> = std::iter::from_fn(|| o.pop()).collect();
        assert_eq!(events.len(), Outbox::MOST_CLOSED + 1);
        assert!(matches!(events.last(), Some(FeedEvent::Discarded { why: Discard::Overrun, .. })));
    }

    #[test]
    fn a_hundred_thousand_frames_nobody_reads_take_little_room() {
        let mut o = Outbox::default();
        for n in 0..100_000 {
            o.push(candle(&format!("S{}", n % 10), 60_000, Finality::Forming, n));
            o.push(FeedEvent::Discarded { conn: CONN, why: Discard::NotJson });
            o.push(FeedEvent::Day(vec![DayEvent {
                pair: Pair { market: Market::UsdM, symbol: "A".parse().unwrap() },
                last: 1.0,
                change_pct: 0.0,
                quote_volume: 0.0,
                event_time: UnixMs(n),
            }]));
        }
        let events: Vec<FeedEvent> = std::iter::from_fn(|| o.pop()).collect();
        assert_eq!(events.len(), Outbox::MOST_NOTICES + 10 + 1);
        assert!(
            matches!(&events[events.len() - 1], FeedEvent::Day(rows) if rows[0].event_time == UnixMs(99_999))
        );
        assert!(o.is_empty());
        o.push(FeedEvent::Discarded { conn: CONN, why: Discard::NotJson });
        assert!(!o.is_empty());
    }
}
