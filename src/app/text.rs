//! Times as people read them.

use chrono::DateTime;

use crate::domain::time::UnixMs;

/// How much of a time is shown; always UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `14:02`
    Minute,
    /// `14:02:11`
    Second,
    /// `11-21 14:02`
    Day,
    /// `2026-11-21T14:02`
    Full,
}

/// When a bar ends, as people say it: a millisecond after the close time that it carries.
pub fn bar_end(close: UnixMs) -> UnixMs {
    UnixMs(close.0.saturating_add(1))
}

/// The time in UTC; `-` where it is out of the calendar.
pub fn utc(time: UnixMs, precision: Precision) -> String {
    let format = match precision {
        Precision::Minute => "%H:%M",
        Precision::Second => "%H:%M:%S",
        Precision::Day => "%m-%d %H:%M",
        Precision::Full => "%Y-%m-%dT%H:%M",
    };
    DateTime::from_timestamp_millis(time.0).map_or_else(|| "-".to_owned(), |t| t.format(format).to_string())
}
