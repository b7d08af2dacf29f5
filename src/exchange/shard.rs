//! Which stream goes over which socket.
//!
//! Invariant: pure; a stream that has a socket keeps it until it is unwatched, so that a change of
//! the universe costs no stream but the changed ones a moment of silence.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::symbol::{Pair, SeriesKey};

/// The streams of one market, spread over numbered sockets.
#[derive(Clone, Debug)]
pub struct Shards {
    most: usize,
    sockets: BTreeMap<u32, BTreeSet<SeriesKey>>,
    home: HashMap<SeriesKey, u32>,
}

impl Shards {
    /// Streams a socket carries unless configured: far below the exchange's 1024, as a socket
    /// that breaks takes all of its streams with it.
    pub const MOST: usize = 400;
    /// What the exchange closes a socket for exceeding.
    pub const HARD_MOST: usize = 1_024;

    /// No streams yet; at most `most` on a socket.
    pub fn new(most: usize) -> Self {
        // One stream is left for the 24 h figures.
        Self { most: most.clamp(1, Self::HARD_MOST - 1), sockets: BTreeMap::new(), home: HashMap::new() }
    }

    /// Adds streams, those of a pair to one socket where they fit. Known ones stay where they are.
    /// Returns the numbers of the sockets that changed.
    pub fn add(&mut self, keys: impl IntoIterator<Item = SeriesKey>) -> BTreeSet<u32> {
        let mut by_pair = BTreeMap::<Pair, Vec<SeriesKey>>::new();
        for key in keys {
            if !self.home.contains_key(&key) {
                by_pair.entry(key.pair.clone()).or_default().push(key);
            }
        }
        let mut changed = BTreeSet::new();
        for (pair, mut keys) in by_pair {
            keys.sort();
            keys.dedup();
            let mut rest = keys.into_iter().peekable();
            while rest.peek().is_some() {
                let number = self.room_for(&pair, rest.len());
                let socket = self.sockets.entry(number).or_default();
                let free = self.most - socket.len();
                for key in rest.by_ref().take(free) {
                    self.home.insert(key.clone(), number);
                    socket.insert(key);
                }
                changed.insert(number);
            }
        }
        changed
    }

    /// Takes streams out; a socket without any is gone. Returns the numbers of the sockets that
    /// changed.
    pub fn remove<'a>(&mut self, keys: impl IntoIterator<Item = &'a SeriesKey>) -> BTreeSet<u32> {
        let mut changed = BTreeSet::new();
        for key in keys {
            if let Some(number) = self.home.remove(key) {
                changed.insert(number);
                if let Some(socket) = self.sockets.get_mut(&number) {
                    socket.remove(key);
                }
            }
        }
        self.sockets.retain(|_, keys| !keys.is_empty());
        changed
    }

    /// What socket `number` carries, in order; nothing where there is no such socket.
    pub fn carried_by(&self, number: u32) -> impl Iterator<Item = &SeriesKey> {
        self.sockets.get(&number).into_iter().flatten()
    }

    /// Whether a socket carries `key`.
    pub fn carries(&self, key: &SeriesKey) -> bool {
        self.home.contains_key(key)
    }

    /// The sockets there are to be.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.sockets.keys().copied()
    }

    /// The socket that carries the 24 h figures too.
    pub fn first(&self) -> Option<u32> {
        self.sockets.keys().next().copied()
    }

    /// All pairs with a stream.
    pub fn pairs(&self) -> BTreeSet<&Pair> {
        self.home.keys().map(|k| &k.pair).collect()
    }

    /// The socket for `count` more streams of `pair`: the one that has its others, else the
    /// emptiest that takes all, else a new one.
    fn room_for(&self, pair: &Pair, count: usize) -> u32 {
        let free = |keys: &BTreeSet<SeriesKey>| self.most - keys.len();
        let own =
            self.sockets.iter().find(|(_, keys)| free(keys) > 0 && keys.iter().any(|k| k.pair == *pair));
        let emptiest = self.sockets.iter().max_by_key(|(n, keys)| (free(keys), u32::MAX - **n));
        let emptiest = emptiest.filter(|(_, keys)| free(keys) >= count.min(self.most));
        let unused = || (0..=u32::MAX).find(|n| !self.sockets.contains_key(n)).unwrap_or(0);
        own.or(emptiest).map_or_else(unused, |(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::interval::Interval;
    use crate::domain::symbol::Market;

    fn key(n: u32, interval: Interval) -> SeriesKey {
        SeriesKey::new(Pair { market: Market::UsdM, symbol: format!("S{n}USDT").parse().unwrap() }, interval)
    }

    fn keys(pairs: std::ops::Range<u32>) -> Vec<SeriesKey> {
        pairs.flat_map(|n| [Interval::M15, Interval::H1, Interval::H4].map(|i| key(n, i))).collect()
    }

    #[test]
    fn the_default_universe_needs_one_socket_and_nine_hundred_pairs_seven() {
        let mut s = Shards::new(Shards::MOST);
        s.add(keys(0..125));
        assert_eq!(s.numbers().count(), 1);
        s.add(keys(0..900));
        assert_eq!(s.numbers().count(), 7);
        assert!(s.numbers().all(|n| s.carried_by(n).count() <= Shards::MOST));
    }

    #[test]
    fn a_pair_stays_together_and_nothing_moves() {
        let mut s = Shards::new(9);
        s.add(keys(0..5));
        let before = s.home.clone();
        let changed = s.add(keys(5..6));
        assert_eq!(changed.len(), 1);
        assert!(before.iter().all(|(k, n)| s.home[k] == *n));
        for n in 0..6 {
            assert_eq!(s.home[&key(n, Interval::M15)], s.home[&key(n, Interval::H4)]);
        }
        assert_eq!(s.remove(&keys(0..5)).len(), 2);
        assert_eq!(s.numbers().count(), 1);
        assert_eq!(s.pairs().len(), 1);
    }

    #[test]
    fn a_pair_with_more_streams_than_a_socket_takes_is_split() {
        let mut s = Shards::new(2);
        s.add(keys(0..1));
        assert_eq!(s.numbers().map(|n| s.carried_by(n).count()).collect::<Vec<_>>(), [2, 1]);
    }

    proptest! {
        #[test]
        fn each_stream_has_one_socket_and_none_is_over_full(
            most in 1usize..12, steps in prop::collection::vec((any::<bool>(), 0u32..12), 1..60)
        ) {
            let mut s = Shards::new(most);
            let mut want = BTreeSet::new();
            for (add, n) in steps {
                let some = keys(n..n + 1);
                if add {
                    s.add(some.clone());
                    want.extend(some);
                } else {
                    s.remove(&some);
                    for k in &some { want.remove(k); }
                }
                let carried: Vec<&SeriesKey> = s.numbers().flat_map(|n| s.carried_by(n)).collect();
                prop_assert_eq!(carried.len(), want.len());
                prop_assert_eq!(carried.into_iter().collect::<BTreeSet<_>>(), want.iter().collect());
                prop_assert!(s.numbers().all(|n| (1..=most).contains(&s.carried_by(n).count())));
            }
        }
    }
}
