//! What happens to instruments while the exchange runs: halts, holes, volume, names of things.

use super::candle::Candle;
use crate::domain::time::UnixMs;

const MINUTE: i64 = 60_000;

/// Words that `exchangeInfo` says instead of the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Instead of `TRADING`.
    pub status: Option<String>,
    /// Instead of `PERPETUAL`.
    pub contract_type: Option<String>,
    /// Instead of `COIN`.
    pub underlying_type: Option<String>,
    /// A filter of that type, beside the others.
    pub filter: Option<String>,
}

/// A change of how an instrument trades. Minutes are whole: candles that were seen never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nobody trades; the candles have no volume.
    Halt {
        /// First minute.
        from: UnixMs,
        /// First minute after it.
        to: UnixMs,
    },
    /// The exchange has no candles, nor will it ever: maintenance.
    Hole {
        /// First minute.
        from: UnixMs,
        /// First minute after it.
        to: UnixMs,
    },
    /// So much is traded from then on, in thousandths of the usual; the last one counts.
    Volume {
        /// First minute.
        from: UnixMs,
        /// 1,000 is the usual.
        per_mille: u32,
    },
    /// Other words.
    Relabel {
        /// From when.
        from: UnixMs,
        /// Until when.
        to: UnixMs,
        /// Which.
        labels: Labels,
    },
}

/// What happened to one instrument, in the order of telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    turns: Vec<Turn>,
}

impl Timeline {
    /// Adds a turn.
    pub(crate) fn push(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    /// How many turns there were: another number is another past or future.
    pub(crate) fn turns(&self) -> usize {
        self.turns.len()
    }

    /// Whether nobody trades in the minute that `t` lies in.
    pub(crate) fn halted(&self, t: UnixMs) -> bool {
        self.turns.iter().any(|turn| matches!(turn, Turn::Halt { from, to } if (*from..*to).contains(&t)))
    }

    /// Whether the exchange has nothing of the minute that `t` lies in.
    pub(crate) fn missing(&self, t: UnixMs) -> bool {
        self.hole(t).is_some()
    }

    fn hole(&self, t: UnixMs) -> Option<UnixMs> {
        self.turns.iter().find_map(|turn| match turn {
            Turn::Hole { from, to } if (*from..*to).contains(&t) => Some(*to),
            _ => None,
        })
    }

    /// Whether the exchange has nothing of `[from, to)`.
    pub(crate) fn missing_all(&self, from: UnixMs, to: UnixMs) -> bool {
        let mut at = from;
        while at < to {
            match self.hole(at) {
                Some(end) => at = end,
                None => return false,
            }
        }
        true
    }

    /// What is traded in the minute that `t` lies in, in thousandths of the usual.
    pub(crate) fn per_mille(&self, t: UnixMs) -> u32 {
        let given = self.turns.iter().rev().find_map(|turn| match turn {
            Turn::Volume { from, per_mille } if *from <= t => Some(*per_mille),
            _ => None,
        });
        given.unwrap_or(1_000)
    }

    /// A word that is said instead of the usual one.
    pub(crate) fn label(&self, now: UnixMs, of: impl Fn(&Labels) -> Option<&str>) -> Option<&str> {
        self.turns.iter().rev().find_map(|turn| match turn {
            Turn::Relabel { from, to, labels } if (*from..*to).contains(&now) => of(labels),
            _ => None,
        })
    }

    /// Whether anything changes within `[from, to)`, so that a candle is part one thing, part another.
    pub(crate) fn splits(&self, from: UnixMs, to: UnixMs) -> bool {
        let within = |t: &UnixMs| from < *t && *t < to;
        self.turns.iter().any(|turn| match turn {
            Turn::Halt { from, to } | Turn::Hole { from, to } => within(from) || within(to),
            Turn::Volume { from, .. } => within(from),
            Turn::Relabel { .. } => false,
        })
    }

    /// A candle within which nothing changes, as it is after all turns.
    pub(crate) fn turned(&self, c: Candle) -> Option<Candle> {
        if self.missing_all(c.open_time, UnixMs(c.close_time.0 + 1)) {
            return None;
        }
        if self.halted(c.open_time) {
            return Some(still(c));
        }
        Some(scaled(c, self.per_mille(c.open_time)))
    }
}

/// The candle without trades that opens where this one does.
fn still(c: Candle) -> Candle {
    Candle {
        high: c.open,
        low: c.open,
        close: c.open,
        volume: 0,
        quote: 0,
        trades: 0,
        taker_base: 0,
        taker_quote: 0,
        ..c
    }
}

/// The candle with that many thousandths of its volume.
pub(crate) fn scaled(c: Candle, per_mille: u32) -> Candle {
    if per_mille == 1_000 {
        return c;
    }
    let part = |v: i64| i64::try_from(i128::from(v) * i128::from(per_mille) / 1_000).unwrap_or(v);
    Candle {
        volume: part(c.volume).max(c.volume.min(1)),
        quote: part(c.quote),
        trades: part(c.trades).max(c.trades.min(1)),
        taker_base: part(c.taker_base),
        taker_quote: part(c.taker_quote),
        ..c
    }
}

/// The first full minute at or after `t`.
pub(crate) fn minute_after(t: UnixMs) -> UnixMs {
    UnixMs(t.0 + (-t.0).rem_euclid(MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_join_and_the_last_volume_counts() {
        let mut line = Timeline::default();
        line.push(Turn::Hole { from: UnixMs(60_000), to: UnixMs(120_000) });
        line.push(Turn::Hole { from: UnixMs(120_000), to: UnixMs(240_000) });
        assert!(line.missing_all(UnixMs(60_000), UnixMs(240_000)));
        assert!(!line.missing_all(UnixMs(60_000), UnixMs(240_001)) && !line.missing(UnixMs(59_999)));
        line.push(Turn::Volume { from: UnixMs(0), per_mille: 10 });
        line.push(Turn::Volume { from: UnixMs(300_000), per_mille: 5_000 });
        assert_eq!([0, 299_999, 300_000].map(|t| line.per_mille(UnixMs(t))), [10, 10, 5_000]);
        assert_eq!([59_999, 60_000, 60_001].map(|t| minute_after(UnixMs(t)).0), [60_000, 60_000, 120_000]);
    }
}
