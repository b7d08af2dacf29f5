//! Candles in whole units, so that sums and comparisons are exact and print the same everywhere.

use std::fmt;

use crate::domain::time::UnixMs;

/// In how many steps a candle is played while it forms. A multiple of three, one leg of the path
/// each.
const STEPS: i64 = 90;

/// Digits behind the point of each kind of figure of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Scale {
    /// Of prices.
    pub price: u8,
    /// Of base volumes.
    pub volume: u8,
    /// Of quote volumes.
    pub quote: u8,
}

/// A candle in units of its instrument's [`Scale`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// When it opens.
    pub open_time: UnixMs,
    /// The last millisecond that belongs to it.
    pub close_time: UnixMs,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Base asset traded.
    pub volume: i64,
    /// Quote asset traded.
    pub quote: i64,
    /// Number of trades.
    pub trades: i64,
    /// Base asset bought by takers.
    pub taker_base: i64,
    /// Quote asset spent by takers who bought.
    pub taker_quote: i64,
}

impl Candle {
    /// What the candle shows at `now`, before its close: the price goes from the open over the two
    /// extremes (the nearer to the open's side first: low first in a rising candle) to the close,
    /// and the volumes grow with it. The last step shows the whole candle.
    pub fn at(&self, now: UnixMs) -> Self {
        let span = self.close_time.0 - self.open_time.0 + 1;
        let elapsed = (now.0 - self.open_time.0).clamp(0, span - 1);
        self.step(elapsed * STEPS / span + 1)
    }

    /// The candle without its last trades.
    pub fn unfinished(&self) -> Self {
        self.step(STEPS * 9 / 10)
    }

    /// The first moment after `now` at which [`Candle::at`] shows something else; the close
    /// where there is none.
    pub fn changes_after(&self, now: UnixMs) -> UnixMs {
        let span = self.close_time.0 - self.open_time.0 + 1;
        let elapsed = (now.0 - self.open_time.0).clamp(0, span - 1);
        let next = elapsed * STEPS / span + 1;
        UnixMs(self.open_time.0 + (next * span + STEPS - 1) / STEPS)
    }

    fn step(&self, step: i64) -> Self {
        if step >= STEPS {
            return *self;
        }
        let (first, second) =
            if self.close >= self.open { (self.low, self.high) } else { (self.high, self.low) };
        let way = [self.open, first, second, self.close];
        let leg = (step * 3 - 1) / STEPS;
        let done = step * 3 - leg * STEPS;
        let (from, to) = match leg {
            0 => (way[0], way[1]),
            1 => (way[1], way[2]),
            _ => (way[2], way[3]),
        };
        let price = from + (to - from) * done / STEPS;
        let seen = way.iter().take(usize::try_from(leg).unwrap_or(0) + 1);
        let share = |whole: i64| {
            i64::try_from(i128::from(whole) * i128::from(step) / i128::from(STEPS)).unwrap_or(whole)
        };
        Self {
            high: seen.clone().copied().fold(price, i64::max),
            low: seen.copied().fold(price, i64::min),
            close: price,
            volume: share(self.volume),
            quote: share(self.quote),
            // No volume without a trade: the first one opens the candle.
            trades: share(self.trades).max(self.trades.min(1)),
            taker_base: share(self.taker_base),
            taker_quote: share(self.taker_quote),
            ..*self
        }
    }

    /// Takes in the candle that follows within a longer one.
    pub fn absorb(&mut self, next: &Self) {
        self.close_time = next.close_time;
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
        self.volume = self.volume.saturating_add(next.volume);
        self.quote = self.quote.saturating_add(next.quote);
        self.trades = self.trades.saturating_add(next.trades);
        self.taker_base = self.taker_base.saturating_add(next.taker_base);
        self.taker_quote = self.taker_quote.saturating_add(next.taker_quote);
    }

    /// What is left from `from` on, after what it showed then: `before`. The extremes stay.
    pub(super) fn without(&self, before: &Self, from: UnixMs) -> Self {
        Self {
            open_time: from,
            open: before.close,
            volume: self.volume - before.volume,
            quote: self.quote - before.quote,
            trades: self.trades - before.trades,
            taker_base: self.taker_base - before.taker_base,
            taker_quote: self.taker_quote - before.taker_quote,
            ..*self
        }
    }

    /// One candle of many that follow each other, closing at `close_time`.
    pub fn join(parts: impl IntoIterator<Item = Self>, close_time: UnixMs) -> Option<Self> {
        let whole = parts.into_iter().reduce(|mut whole, next| {
            whole.absorb(&next);
            whole
        })?;
        Some(Self { close_time, ..whole })
    }
}

/// Prints whole units as the decimal number they stand for, with at least `pad` digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed {
    pub(crate) units: i64,
    pub(crate) decimals: u8,
    pub(crate) pad: u8,
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.saturating_pow(u32::from(self.decimals));
        let units = self.units.unsigned_abs();
        let sign = if self.units < 0 { "-" } else { "" };
        let (whole, part) = (units / one, units % one);
        let digits = usize::from(self.decimals);
        let zeros = usize::from(self.pad.saturating_sub(self.decimals));
        match (digits, zeros) {
            (0, 0) => write!(f, "{sign}{whole}"),
            (0, _) => write!(f, "{sign}{whole}.{:0<zeros$}", ""),
            _ => write!(f, "{sign}{whole}.{part:0>digits$}{:0<zeros$}", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle() -> Candle {
        Candle {
            open_time: UnixMs(300_000),
            close_time: UnixMs(599_999),
            open: 100,
            high: 120,
            low: 90,
            close: 95,
            volume: 1_000,
            quote: 100_000,
            trades: 7,
            taker_base: 500,
            taker_quote: 50_000,
        }
    }

    #[test]
    fn a_forming_candle_grows_into_the_closed_one_and_only_grows() {
        let whole = candle();
        let mut last = whole.at(whole.open_time);
        assert_eq!(last.open, 100);
        assert_eq!(last.trades, 1);
        for t in 300_000..600_000 {
            let now = whole.at(UnixMs(t));
            assert!(now.high >= last.high && now.low <= last.low, "{t}");
            assert!(now.volume >= last.volume && now.trades >= last.trades && now.quote >= last.quote);
            assert!(now.low <= now.close && now.close <= now.high && now.low <= now.open);
            assert!(now.high <= whole.high && now.low >= whole.low);
            last = now;
        }
        assert_eq!(last, whole);
    }

    #[test]
    fn the_next_change_is_where_the_shown_candle_changes() {
        let whole = candle();
        let mut t = whole.open_time;
        let mut changes = 0;
        while t <= whole.close_time {
            let next = whole.changes_after(t);
            assert_eq!(whole.at(t), whole.at(UnixMs(next.0 - 1)));
            t = next;
            changes += 1;
        }
        assert_eq!(changes, STEPS);
        assert_eq!(t, UnixMs(600_000));
    }

    #[test]
    fn units_print_as_decimals() {
        let p = |units, decimals, pad| Fixed { units, decimals, pad }.to_string();
        assert_eq!(p(1_134_462, 1, 0), "113446.2");
        assert_eq!(p(93_213, 7, 0), "0.0093213");
        assert_eq!(p(93_213, 7, 8), "0.00932130");
        assert_eq!(p(5, 0, 0), "5");
        assert_eq!(p(5, 0, 8), "5.00000000");
        assert_eq!(p(-12, 1, 0), "-1.2");
        assert_eq!(p(0, 3, 0), "0.000");
    }
}
