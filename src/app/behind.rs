//! How far what is shown is behind the exchange. Computed by the reader, since it grows by itself.

use std::fmt::Write;

use crate::domain::time::UnixMs;
use crate::market::snapshot::{DataState, LaneView, Row};

use super::text::bar_end;

/// Closes that a series lacks at `now` of the exchange's time; none while it is kept true, and none
/// where nothing is expected of it.
pub fn missing(lane: &LaneView, now: Option<UnixMs>) -> u32 {
    let behind = matches!(lane.state, DataState::Stale | DataState::Failed);
    match now.zip(lane.newest) {
        Some((now, (_, close))) if behind => lane.interval.closed_between(bar_end(close), now),
        _ => 0,
    }
}

/// How old the figures of a series are: as its newest bar, where closes after it are missing, else
/// as the exchange's last word on it.
pub fn lane_since(lane: &LaneView, now: Option<UnixMs>) -> Option<UnixMs> {
    let behind = missing(lane, now) > 0;
    lane.newest.filter(|_| behind).map(|(_, close)| bar_end(close)).or(lane.seen)
}

/// The same of a pair: of the series furthest behind, where one is; a pair that is live is as old
/// as the exchange's last word on any of it.
pub fn row_since(row: &Row, now: Option<UnixMs>) -> Option<UnixMs> {
    let off = |l: &&LaneView| matches!(l.state, DataState::Stale | DataState::Failed);
    let oldest = row.lanes.iter().filter(off).filter_map(|l| lane_since(l, now)).min();
    oldest.or(row.seen)
}

/// `9 closes missing`
pub fn write_missing(missing: u32, out: &mut String) -> std::fmt::Result {
    write!(out, "{missing} {} missing", if missing == 1 { "close" } else { "closes" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::column::{Column, Field, Reading};
    use crate::app::value::Notation;
    use crate::fixture::{NOW, row, snapshot};
    use std::sync::Arc;
    use std::time::Duration;

    /// Frames of the 1h and 4h go on, and its own of the forming candle; ten closes are missing.
    #[test]
    fn a_row_that_is_behind_is_as_old_as_its_oldest_figures_and_its_cross_counts_no_bars() {
        let mut picture = snapshot(vec![row("AUSDT").stale("socket lost", 0)]);
        let late = Arc::make_mut(&mut picture.rows[0]);
        let (open, close) = late.lanes[0].newest.unwrap();
        let back = Duration::from_secs(10 * 900);
        late.lanes[0].newest = Some((open - back, close - back));
        assert_eq!(late.seen, Some(NOW));
        let at = Reading::new(&picture, picture.made, 0);
        let said = |column: Column| {
            let mut out = String::new();
            column.value(&picture.rows[0], &at).write(Notation::Ascii, 60, &mut out);
            out
        };
        assert_eq!(said(Column::of(Field::Age)), "2h");
        assert_eq!(said(Column::on(crate::domain::interval::Interval::M15, Field::Age)), "2h");
        assert_eq!(said(Column::on(crate::domain::interval::Interval::H1, Field::Age)), "now");
        assert_eq!(said(Column::of(Field::Note)), "15m: 10 closes missing: socket lost");
        assert_eq!(said(Column::of(Field::Cross)), "-");
        assert_ne!(said(Column::on(crate::domain::interval::Interval::H1, Field::Cross)), "-");
    }

    #[test]
    fn a_series_that_misses_no_close_is_as_old_as_its_last_word() {
        let mut picture = snapshot(vec![row("AUSDT").stale("socket lost", 90), row("BUSDT")]);
        let lost = Arc::make_mut(&mut picture.rows[0]);
        assert_eq!(missing(&lost.lanes[0], Some(NOW)), 0);
        lost.seen = Some(NOW);
        assert_eq!(row_since(lost, Some(NOW)), Some(NOW - Duration::from_secs(90)));
        let later = Some(NOW + Duration::from_secs(86_400));
        assert_eq!(missing(&picture.rows[1].lanes[0], later), 0, "a close that is not in yet");
        assert_eq!(row_since(&picture.rows[1], later), Some(NOW));
    }
}
