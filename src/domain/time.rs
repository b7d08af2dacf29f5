//! Two kinds of time that must not be mixed: the exchange's and our own.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the exchange's clock: milliseconds since 1970-01-01T00:00Z.
///
/// Candle times, ages of data, weight minutes and staleness are on this clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// Milliseconds from `earlier` to here; 0 where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for UnixMs {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for UnixMs {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// When a bar ends, as people say it: a millisecond after the close time that it carries.
pub fn bar_end(close: UnixMs) -> UnixMs {
    UnixMs(close.0.saturating_add(1))
}

/// A moment on our own monotonic clock: how long after the program's start.
///
/// Latencies, pings, backoff and time-outs are on this clock. Pure code is handed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mono(pub Duration);

impl Mono {
    /// The moment `ms` milliseconds after the start; for tests and tables.
    pub fn from_millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// How long after `earlier`; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}
