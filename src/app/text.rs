//! Times as people read them.

use chrono::{DateTime, SecondsFormat};

use crate::domain::text::CleanText;
use crate::domain::time::UnixMs;

pub use crate::domain::time::bar_end;

/// How much of a time is shown.
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

impl Precision {
    pub(super) fn format(self) -> &'static str {
        match self {
            Self::Minute => "%H:%M",
            Self::Second => "%H:%M:%S",
            Self::Day => "%m-%d %H:%M",
            Self::Full => "%Y-%m-%dT%H:%M",
        }
    }
}

/// The time as RFC 3339 has it, in UTC; `None` where it is out of the calendar.
pub fn rfc3339(time: UnixMs) -> Option<String> {
    let time = DateTime::from_timestamp_millis(time.0)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Host and port of a URL, for people.
pub fn host(url: &str) -> CleanText {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    CleanText::new(rest.split(['/', '?', '#']).next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_to_the_millisecond() {
        assert_eq!(rfc3339(UnixMs(1_760_127_245_001)).unwrap(), "2025-10-10T20:14:05.001Z");
        assert_eq!(rfc3339(UnixMs(i64::MAX)), None);
    }

    #[test]
    fn a_host_is_what_stands_between_scheme_and_path() {
        for (url, want) in [
            ("http://127.0.0.1:9100/", "127.0.0.1:9100"),
            ("https://api.example.org/base/x", "api.example.org"),
            ("wss://[::1]:80", "[::1]:80"),
            ("http://a\x1b[31mb", "a\u{fffd}[31mb"),
        ] {
            assert_eq!(host(url).as_str(), want);
        }
    }
}
