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
    fn opens_are_computed_only_where_they_can_be() {
        let t = UnixMs(1_760_130_123_456);
        assert_eq!(Interval::M15.open_at(t), Some(UnixMs(1_760_130_000_000)));
        assert_eq!(Interval::H4.open_at(t), Some(UnixMs(1_760_126_400_000)));
        assert_eq!(Interval::W1.open_at(t), None);
        assert_eq!(Interval::M15.open_at(UnixMs(-1)), Some(UnixMs(-900_000)));
    }
}
