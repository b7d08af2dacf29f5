//! What requests cost, and what happens to who spends more.

use std::collections::BTreeMap;

use super::truth::Range;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

const MINUTE: i64 = 60_000;
/// Requests answered with 429 within a minute before the address is banned.
const PATIENCE: u32 = 3;
const FIRST_BAN_MS: i64 = 2 * MINUTE;

/// Weight allowed a minute.
pub(crate) fn limit(market: Market) -> u32 {
    match market {
        Market::UsdM => 2_400,
        Market::Spot => 6_000,
    }
}

/// The cost of a klines request with that `limit` parameter. The bands' upper edges belong to them.
pub(crate) fn klines(market: Market, limit: Option<usize>) -> u32 {
    match (market, limit) {
        (Market::Spot, _) => 2,
        (Market::UsdM, None) => 5,
        (Market::UsdM, Some(n)) => match n {
            0..=100 => 1,
            101..=500 => 2,
            501..=1_000 => 5,
            _ => 10,
        },
    }
}

/// What `limit` may be at most.
pub(crate) fn most_rows(market: Market) -> usize {
    match market {
        Market::UsdM => 1_500,
        Market::Spot => 1_000,
    }
}

/// The cost of a 24 h ticker request that names so many symbols (`None` = all).
pub(crate) fn ticker(market: Market, symbols: Option<usize>) -> u32 {
    match (market, symbols) {
        (Market::UsdM, Some(_)) => 1,
        (Market::Spot, Some(0..=20)) => 2,
        (Market::UsdM, None) | (Market::Spot, Some(21..=100)) => 40,
        (Market::Spot, _) => 80,
    }
}

/// The cost of a price request that names so many symbols (`None` = all).
pub(crate) fn price(market: Market, symbols: Option<usize>) -> u32 {
    match (market, symbols) {
        (Market::UsdM, Some(_)) => 1,
        (Market::UsdM, None) | (Market::Spot, Some(0..=1)) => 2,
        (Market::Spot, _) => 4,
    }
}

/// The rows asked for, as the exchange reads `limit`: `None` where it refuses.
pub(crate) fn rows_asked(market: Market, limit: Option<&str>, range: Range) -> Option<Range> {
    let asked = match limit {
        None => 500,
        Some(text) => text.parse::<usize>().ok().filter(|n| *n > 0)?,
    };
    let most = most_rows(market);
    match market {
        Market::UsdM if asked > most => None,
        _ => Some(Range { limit: asked.min(most), ..range }),
    }
}

/// Whether a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is; so much of the minute is used.
    Fine { used: u32 },
    /// 429: over the minute's weight. Seconds to wait are the exchange's, like its minutes. `again`: it was told so before.
    /// `own`: without what other programs used it would be over, too.
    TooMany { used: u32, retry_after: i64, again: bool, own: bool },
    /// 418: banned.
    Banned { until: UnixMs, retry_after: i64 },
}

/// The weight of one address on one market.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    minute: i64,
    used: u32,
    by_minute: BTreeMap<i64, u64>,
    refused: u32,
    bans: u32,
    banned_until: Option<UnixMs>,
}

impl Pool {
    /// Bans the address from `now` on; until when.
    pub(crate) fn ban(&mut self, seconds: i64, now: UnixMs) -> UnixMs {
        let until = UnixMs(now.0.saturating_add(seconds.saturating_mul(1_000)));
        self.bans += 1;
        self.banned_until = Some(until);
        until
    }

    /// Charges `weight` at `now`, when other programs on the address have used `foreign` of the minute.
    pub(crate) fn charge(&mut self, market: Market, weight: u32, foreign: u32, now: UnixMs) -> Verdict {
        let minute = now.0 - now.0.rem_euclid(MINUTE);
        if minute != self.minute {
            self.minute = minute;
            self.used = 0;
            self.refused = 0;
        }
        if let Some(until) = self.banned_until.filter(|until| now < *until) {
            return Verdict::Banned { until, retry_after: seconds(until.0 - now.0) };
        }
        self.used = self.used.saturating_add(weight);
        *self.by_minute.entry(minute).or_default() += u64::from(weight);
        let used = self.used.saturating_add(foreign);
        if used <= limit(market) {
            return Verdict::Fine { used };
        }
        self.refused += 1;
        if self.refused > PATIENCE {
            let until = UnixMs(now.0 + FIRST_BAN_MS * (1 << self.bans.min(11)));
            self.bans += 1;
            self.banned_until = Some(until);
            return Verdict::Banned { until, retry_after: seconds(until.0 - now.0) };
        }
        let retry_after = seconds(minute + MINUTE - now.0);
        Verdict::TooMany { used, retry_after, again: self.refused > 1, own: self.used > limit(market) }
    }

    /// Weight by the minute's first millisecond.
    pub(crate) fn by_minute(&self) -> &BTreeMap<i64, u64> {
        &self.by_minute
    }
}

fn seconds(ms: i64) -> i64 {
    (ms + 999) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_upper_edges_belong_to_them() {
        let um: Vec<u32> = [1, 99, 100, 101, 499, 500, 501, 1_000, 1_001, 1_500]
            .map(|n| klines(Market::UsdM, Some(n)))
            .into();
        assert_eq!(um, [1, 1, 1, 2, 2, 2, 5, 5, 10, 10]);
        assert_eq!(klines(Market::UsdM, None), 5);
        assert_eq!(klines(Market::Spot, Some(1_000)), 2);
    }

    #[test]
    fn too_much_in_a_minute_is_refused_then_banned_and_the_minute_forgives() {
        let mut pool = Pool::default();
        let at = |s: i64| UnixMs(6_000_000 + s * 1_000);
        assert_eq!(pool.charge(Market::UsdM, 2_400, 0, at(10)), Verdict::Fine { used: 2_400 });
        let refused = Verdict::TooMany { used: 2_401, retry_after: 49, again: false, own: true };
        assert_eq!(pool.charge(Market::UsdM, 1, 0, at(11)), refused);
        assert_eq!(pool.charge(Market::UsdM, 5, 0, at(60)), Verdict::Fine { used: 5 });
        for again in 0..PATIENCE {
            let verdict = pool.charge(Market::UsdM, 3_000, 0, at(61));
            assert!(matches!(verdict, Verdict::TooMany { again: a, .. } if a == (again > 0)));
        }
        let until = at(61 + 120);
        let banned = Verdict::Banned { until, retry_after: 120 };
        assert_eq!(pool.charge(Market::UsdM, 1, 0, at(61)), banned);
        assert!(matches!(pool.charge(Market::UsdM, 1, 0, at(180)), Verdict::Banned { .. }));
        assert_eq!(pool.charge(Market::UsdM, 1, 0, at(181)), Verdict::Fine { used: 1 });
    }
}
