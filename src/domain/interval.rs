//! How long a candle is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::time::UnixMs;

macro_rules! intervals {
    ($($name:ident = $text:literal, $minutes:literal;)+) => {
        /// Binance's candle intervals. Case matters: `1m` is a minute, `1M` a month.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Interval { $(#[doc = $text] $name,)+ }

        impl Interval {
            /// Every interval, shortest first.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The exchange's name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Nominal length in minutes; a month counts 30 days. For weights and ages only:
            /// where a month really ends is the exchange's to say.
            pub fn minutes(self) -> u32 {
                match self { $(Self::$name => $minutes,)+ }
            }
        }
    };
}

intervals! {
    M1 = "1m", 1;
    M3 = "3m", 3;
    M5 = "5m", 5;
    M15 = "15m", 15;
    M30 = "30m", 30;
    H1 = "1h", 60;
    H2 = "2h", 120;
    H4 = "4h", 240;
    H6 = "6h", 360;
    H8 = "8h", 480;
    H12 = "12h", 720;
    D1 = "1d", 1_440;
    D3 = "3d", 4_320;
    W1 = "1w", 10_080;
    Mo1 = "1M", 43_200;
}

impl Interval {
    /// Nominal length; see [`Interval::minutes`].
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.minutes()) * 60)
    }

    /// Nominal length in milliseconds.
    pub fn millis(self) -> i64 {
        i64::from(self.minutes()) * 60_000
    }

    /// When the candle that opens at `open` closes, by the calendar. The exchange's own word goes
    /// before it where there is one.
    pub fn close_of(self, open: UnixMs) -> UnixMs {
        let next = match self {
            Self::Mo1 => next_month(open),
            _ => open.0 + self.millis(),
        };
        UnixMs(next - 1)
    }

    /// Candles that open at `from` or later and have closed by `until`.
    pub fn closed_between(self, from: UnixMs, until: UnixMs) -> u32 {
        if self != Self::Mo1 {
            return u32::try_from((until.0 - from.0).max(0) / self.millis()).unwrap_or(u32::MAX);
        }
        let opens = std::iter::successors(Some(from), |open| Some(UnixMs(self.close_of(*open).0 + 1)));
        let closed = opens.skip(1).take_while(|next| *next <= until).take(MANY_MONTHS);
        u32::try_from(closed.count()).unwrap_or(u32::MAX)
    }

    /// Whether candles open on multiples of the length since the epoch. Days and shorter do; for
    /// `3d`, `1w` and `1M` only the exchange knows the opens.
    pub fn is_epoch_aligned(self) -> bool {
        self.minutes() <= 1_440
    }

    /// The open of the candle that `t` falls in, where that can be computed.
    pub fn open_at(self, t: UnixMs) -> Option<UnixMs> {
        self.is_epoch_aligned().then(|| UnixMs(t.0 - t.0.rem_euclid(self.millis())))
    }
}

/// More than any ring holds.
const MANY_MONTHS: usize = 100_000;
const DAY: i64 = 86_400_000;

/// The first millisecond of the month after the one that `t` falls in.
fn next_month(t: UnixMs) -> i64 {
    // The 28th lies in the same month, four days later is the next one, in every month.
    let day = t.0.div_euclid(DAY);
    let late = day - day_of_month(day) + 27;
    let next = late + 4;
    (next - day_of_month(next)) * DAY
}

/// From 0, of a day counted from 1970: years are taken to begin in March, so that the leap day is
/// their last one, and each five months then have 153 days.
fn day_of_month(day: i64) -> i64 {
    let of_era = (day + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    of_year - (153 * month + 2) / 5
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Interval {
    type Err = UnknownInterval;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|i| i.as_str() == s).ok_or(UnknownInterval)
    }
}

/// Binance has no such candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Binance has 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M (case matters: 1m is a minute, 1M a month)"
)]
pub struct UnknownInterval;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_case_matters() {
        for &i in Interval::ALL {
            assert_eq!(i.as_str().parse(), Ok(i));
        }
        assert_ne!("1m".parse::<Interval>(), "1M".parse());
        for bad in ["", "15M", "2m", "1H", "60m", " 1h"] {
            assert_eq!(bad.parse::<Interval>(), Err(UnknownInterval), "{bad}");
        }
    }

    #[test]
    fn months_end_where_the_calendar_says() {
        let day = |n: i64| UnixMs(n * DAY);
        // 2024: a leap year; 1 January is day 19 723.
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28];
        let mut open = 19_723;
        for length in lengths {
            assert_eq!(Interval::Mo1.close_of(day(open)), UnixMs((open + length) * DAY - 1), "{open}");
            assert_eq!(
                Interval::Mo1.close_of(UnixMs((open + length) * DAY - 1)).0,
                (open + length) * DAY - 1
            );
            open += length;
        }
        let year = |until: i64| Interval::Mo1.closed_between(day(19_723), UnixMs(until));
        assert_eq!((year(0), year(20_089 * DAY - 1), year(20_089 * DAY)), (0, 11, 12));
        assert_eq!(Interval::D3.closed_between(day(1), day(8)), 2);
        assert_eq!(Interval::W1.close_of(day(4)), UnixMs(11 * DAY - 1));
    }

    #[test]
    fn opens_are_computed_only_where_they_can_be() {
        let t = UnixMs(1_760_130_123_456);
        assert_eq!(Interval::M15.open_at(t), Some(UnixMs(1_760_130_000_000)));
        assert_eq!(Interval::H4.open_at(t), Some(UnixMs(1_760_126_400_000)));
        assert_eq!(Interval::W1.open_at(t), None);
        assert_eq!(Interval::M15.open_at(UnixMs(-1)), Some(UnixMs(-900_000)));
    }
}
