//! How far what is shown is behind the exchange. Computed by the reader, since it grows by itself.

use crate::domain::time::{UnixMs, bar_end};

use super::snapshot::{DataState, LaneView, Row};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{NOW, row, snapshot};
    use std::sync::Arc;
    use std::time::Duration;

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
