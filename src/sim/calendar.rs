//! Where the candles of each interval open, this exchange's rules.

use chrono::{DateTime, Datelike, Months, NaiveDate};

use crate::domain::interval::Interval;
use crate::domain::time::UnixMs;

const DAY: i64 = 86_400_000;
/// The first Monday after the epoch, a Thursday.
const FIRST_MONDAY: i64 = 4 * DAY;

/// The open of the candle that `t` falls in.
pub(crate) fn open_at(interval: Interval, t: UnixMs) -> UnixMs {
    match interval {
        Interval::W1 => UnixMs(t.0 - (t.0 - FIRST_MONDAY).rem_euclid(7 * DAY)),
        Interval::Mo1 => month_start(t),
        _ => UnixMs(t.0 - t.0.rem_euclid(interval.millis())),
    }
}

/// The open after the candle that opens at `open`.
pub(crate) fn next_open(interval: Interval, open: UnixMs) -> UnixMs {
    match interval {
        Interval::Mo1 => month(open)
            .and_then(|m| m.checked_add_months(Months::new(1)))
            .and_then(midnight)
            .unwrap_or(UnixMs(open.0 + interval.millis())),
        _ => UnixMs(open.0 + interval.millis()),
    }
}

fn month(t: UnixMs) -> Option<NaiveDate> {
    DateTime::from_timestamp_millis(t.0)?.date_naive().with_day(1)
}

fn midnight(day: NaiveDate) -> Option<UnixMs> {
    Some(UnixMs(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
}

fn month_start(t: UnixMs) -> UnixMs {
    month(t).and_then(midnight).unwrap_or(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_open_on_mondays_and_months_on_the_first() {
        let t = UnixMs(1_760_130_123_456); // Friday 2025-10-10
        assert_eq!(open_at(Interval::W1, t), UnixMs(1_759_708_800_000)); // Monday 2025-10-06
        let month = open_at(Interval::Mo1, t);
        assert_eq!(month, UnixMs(1_759_276_800_000)); // 2025-10-01
        assert_eq!(next_open(Interval::Mo1, month), UnixMs(1_761_955_200_000)); // 2025-11-01
        assert_eq!(open_at(Interval::M15, t), UnixMs(1_760_130_000_000));
    }
}
