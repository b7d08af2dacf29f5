//! The exchange's pings on one socket, and its age: both on the exchange's clock.
//!
//! At a high speed a period passes faster than a client can answer: pings keep a distance of ours,
//! and a deadline is over only when a while of ours is too.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};

/// The least time between pings, in real time.
const LEAST: Duration = Duration::from_secs(2);
/// The least time until a ping counts as unanswered: a loaded machine is slow, not deaf.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);
/// How old a socket gets.
const LIFE_MS: i64 = 86_400_000;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) ours: Mono,
    pub(crate) theirs: UnixMs,
}

#[derive(Clone, Debug)]
struct Sent {
    at: Moment,
    payload: Vec<u8>,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    Ping(Vec<u8>),
    /// A ping was not answered in time.
    Deaf,
    /// It is a day old.
    Old,
}

/// The pings of one socket.
#[derive(Debug)]
pub(crate) struct Heart {
    period_ms: i64,
    patience_ms: i64,
    born: UnixMs,
    last: Moment,
    unanswered: VecDeque<Sent>,
}

impl Heart {
    pub(crate) fn new(market: Market, now: Moment) -> Self {
        let (period_ms, patience_ms) = match market {
            Market::UsdM => (180_000, 600_000),
            Market::Spot => (20_000, 60_000),
        };
        Self { period_ms, patience_ms, born: now.theirs, last: now, unanswered: VecDeque::new() }
    }

    /// What is due at `now`, if anything.
    pub(crate) fn beat(&mut self, now: Moment) -> Option<Beat> {
        let due = |since: Moment, span: i64, least: Duration| {
            now.theirs.0 >= since.theirs.0 + span && now.ours.since(since.ours) >= least
        };
        if self.unanswered.front().is_some_and(|sent| due(sent.at, self.patience_ms, LEAST_PATIENCE)) {
            return Some(Beat::Deaf);
        }
        if now.theirs.0 >= self.born.0 + LIFE_MS {
            return Some(Beat::Old);
        }
        if !due(self.last, self.period_ms, LEAST) {
            return None;
        }
        self.last = now;
        let payload = now.theirs.to_string().into_bytes();
        self.unanswered.push_back(Sent { at: now, payload: payload.clone() });
        Some(Beat::Ping(payload))
    }

    /// When something is due next, if the clocks run on as `when` says.
    pub(crate) fn next(&self, when: impl Fn(UnixMs) -> Option<Mono>) -> Option<Mono> {
        let after = |since: Moment, span: i64, least: Duration| {
            when(UnixMs(since.theirs.0 + span)).map(|at| at.max(since.ours + least))
        };
        let deaf = self.unanswered.front().and_then(|sent| after(sent.at, self.patience_ms, LEAST_PATIENCE));
        let ping = after(self.last, self.period_ms, LEAST);
        let old = when(UnixMs(self.born.0 + LIFE_MS));
        [deaf, ping, old].into_iter().flatten().min()
    }

    /// Takes a pong: how long it took, or `None` for one that answers no ping.
    pub(crate) fn pong(&mut self, payload: &[u8], now: Mono) -> Option<Duration> {
        let which = self.unanswered.iter().position(|sent| sent.payload == payload)?;
        // The answer to a later ping answers the ones before.
        let answered = self.unanswered.drain(..=which).next_back()?;
        Some(now.since(answered.at.ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let theirs = UnixMs(i64::try_from(seconds).unwrap() * 1_000);
        Moment { ours: Mono::from_millis(seconds * 1_000), theirs }
    }

    #[test]
    fn pings_keep_the_products_period_and_only_their_own_payload_answers() {
        for (market, period, patience) in [(Market::Spot, 20, 60), (Market::UsdM, 180, 600)] {
            let mut heart = Heart::new(market, at(0));
            assert_eq!(heart.beat(at(period - 1)), None);
            let Some(Beat::Ping(payload)) = heart.beat(at(period)) else { panic!("no ping") };
            assert_eq!(payload, (period * 1_000).to_string().into_bytes());
            assert_eq!(heart.pong(b"unsolicited", Mono::from_millis(1)), None);
            assert_eq!(heart.pong(&payload, at(period + 1).ours), Some(Duration::from_secs(1)));
            assert_eq!(heart.pong(&payload, at(period + 2).ours), None);
            let Some(Beat::Ping(_)) = heart.beat(at(2 * period)) else { panic!("no ping") };
            assert!(matches!(heart.beat(at(3 * period)), Some(Beat::Ping(_))));
            heart.pong(b"", at(3 * period).ours);
            assert_eq!(heart.beat(at(2 * period + patience)), Some(Beat::Deaf));
        }
    }

    #[test]
    fn a_fast_clock_leaves_time_to_answer() {
        let mut heart = Heart::new(Market::Spot, at(0));
        let fast = |ms: u64| Moment {
            ours: Mono::from_millis(ms),
            theirs: UnixMs(i64::try_from(ms * 3_600).unwrap()),
        };
        assert_eq!(heart.beat(fast(1_999)), None);
        assert!(matches!(heart.beat(fast(2_000)), Some(Beat::Ping(_))));
        assert_eq!(heart.beat(fast(3_999)), None);
        assert!(matches!(heart.beat(fast(4_000)), Some(Beat::Ping(_))));
        assert!(matches!(heart.beat(fast(6_999)), Some(Beat::Ping(_))));
        assert_eq!(heart.beat(fast(7_000)), Some(Beat::Deaf));
    }

    #[test]
    fn a_socket_lives_a_day() {
        let mut heart = Heart::new(Market::UsdM, at(0));
        heart.last = at(86_399);
        assert_eq!(heart.beat(at(86_399)), None);
        assert_eq!(heart.beat(at(86_400)), Some(Beat::Old));
        let when = |t: UnixMs| Some(Mono::from_millis(t.0.unsigned_abs()));
        assert_eq!(heart.next(when), Some(at(86_400).ours));
    }
}
