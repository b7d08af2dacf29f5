//! The time zone of the times on the screen. Files and other programs get UTC.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};

use crate::domain::time::UnixMs;

use super::text::Precision;

/// How far local time is ahead of UTC, from when on. The rules of the world's zones are looked up
/// once, outside; here is only what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// By time; what is earlier than the first has the first's.
    steps: Arc<[(UnixMs, i32)]>,
}

impl Zone {
    /// Seconds ahead of UTC, from each time on; none is UTC itself.
    pub fn new(mut steps: Vec<(UnixMs, i32)>) -> Self {
        steps.sort_by_key(|(from, _)| *from);
        Self { steps: steps.into() }
    }

    /// Seconds ahead of UTC at that time; `None` in UTC.
    fn ahead(&self, time: UnixMs) -> Option<i32> {
        let after = self.steps.partition_point(|(from, _)| *from <= time);
        self.steps.get(after.saturating_sub(1)).map(|(_, ahead)| *ahead)
    }

    /// What tells the zone behind a time: `Z`, `+08`, `-03:30`.
    pub fn mark(&self, time: UnixMs) -> String {
        let Some(ahead) = self.ahead(time) else { return "Z".to_owned() };
        let (sign, minutes) = (if ahead < 0 { '-' } else { '+' }, ahead.unsigned_abs() / 60);
        match (minutes / 60, minutes % 60) {
            (hours, 0) => format!("{sign}{hours:02}"),
            (hours, minutes) => format!("{sign}{hours:02}:{minutes:02}"),
        }
    }

    /// A heading of times with what tells their zone, in at most `width` cells where that can be.
    /// UTC goes without saying.
    pub fn heading(&self, title: &str, now: Option<UnixMs>, width: usize) -> String {
        let Some(now) = now.filter(|_| !self.steps.is_empty()) else { return title.to_owned() };
        let mark = self.mark(now);
        let gap = if title.chars().count() + mark.len() < width { " " } else { "" };
        format!("{title}{gap}{mark}")
    }

    /// The time on this zone's clocks; `-` where it is out of the calendar.
    pub fn time(&self, time: UnixMs, precision: Precision) -> String {
        let offset = FixedOffset::east_opt(self.ahead(time).unwrap_or(0));
        let here = DateTime::from_timestamp_millis(time.0)
            .zip(offset)
            .and_then(|(t, o)| t.naive_utc().checked_add_offset(o));
        here.map_or_else(|| "-".to_owned(), |t| t.format(precision.format()).to_string())
    }

    /// The same with the zone behind it.
    pub fn stamp(&self, time: UnixMs, precision: Precision) -> String {
        self.time(time, precision) + &self.mark(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMs = UnixMs(1_760_097_600_000); // 2025-10-10T12:00Z

    #[test]
    fn a_time_is_shown_on_the_zones_clock_with_its_mark() {
        for (ahead, want) in [
            (8 * 3600, "10-10 20:00+08"),
            (-12_600, "10-10 08:30-03:30"),
            (13 * 3600, "10-11 01:00+13"),
            (0, "10-10 12:00+00"),
        ] {
            let zone = Zone::new(vec![(UnixMs(0), ahead)]);
            assert_eq!(zone.stamp(NOON, Precision::Day), want);
        }
        assert_eq!(Zone::default().stamp(NOON, Precision::Second), "12:00:00Z");
    }

    #[test]
    fn a_heading_names_the_zone_unless_it_is_utc() {
        let zone = |ahead| Zone::new(vec![(UnixMs(0), ahead)]);
        assert_eq!(zone(8 * 3600).heading("CLOSE", Some(NOON), 11), "CLOSE +08");
        assert_eq!(zone(-12_600).heading("CLOSE", Some(NOON), 11), "CLOSE-03:30");
        assert_eq!(Zone::default().heading("CLOSE", Some(NOON), 11), "CLOSE");
        assert_eq!(zone(0).heading("CLOSE", None, 11), "CLOSE", "the time is not known yet");
    }

    #[test]
    fn summer_time_ends_when_it_ends() {
        let zone = Zone::new(vec![(UnixMs(NOON.0 + 1_000), 3600), (UnixMs(0), 7200)]);
        assert_eq!(zone.stamp(NOON, Precision::Minute), "14:00+02");
        assert_eq!(zone.stamp(UnixMs(NOON.0 + 1_000), Precision::Second), "13:00:01+01");
        assert_eq!(zone.stamp(UnixMs(-1), Precision::Second), "01:59:59+02");
    }

    #[test]
    fn out_of_the_calendar_there_is_no_time() {
        for time in [UnixMs(i64::MAX), UnixMs(i64::MIN)] {
            assert_eq!(Zone::new(vec![(UnixMs(0), 3600)]).time(time, Precision::Full), "-");
        }
    }
}
