//! What has changed in a row since somebody last looked: for who comes back to the screen.

use std::cell::LazyCell;
use std::collections::HashMap;

use crate::domain::symbol::Pair;
use crate::market::snapshot::{LaneView, Row, Snapshot};

/// A score that moved by less, on the same side of zero, is no news: it moves with every close.
const MOVED: f64 = 10.0;

/// What a row is marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It was not there.
    New,
    /// A trend turned, HAMA crossed its average, or the score moved by a lot.
    Changed,
}

/// The news of each row of `now`, in its order.
pub(super) fn since(before: &Snapshot, now: &Snapshot) -> Vec<Option<News>> {
    let index: LazyCell<HashMap<&Pair, &Row>, _> =
        LazyCell::new(|| before.rows.iter().map(|r| (&r.pair, &**r)).collect());
    // While the first rows are being loaded, all of them are new, which tells nothing.
    let settled = before.warmup.is_over();
    let news = |(n, row): (usize, &std::sync::Arc<Row>)| {
        // The lists of two pictures are nearly always the same.
        let was = match before.rows.get(n).filter(|r| r.pair == row.pair) {
            Some(was) => Some(&**was),
            None => index.get(&row.pair).copied(),
        };
        match was {
            Some(was) if std::ptr::eq(was, &raw const **row) => None,
            Some(was) => has_changed(was, row).then_some(News::Changed),
            None => settled.then_some(News::New),
        }
    };
    now.rows.iter().enumerate().map(news).collect()
}

fn has_changed(was: &Row, row: &Row) -> bool {
    let score = was.score.zip(row.score).is_some_and(|(a, b)| {
        // One more interval that has bars for a score is no move of the market.
        a.coverage.to_bits() == b.coverage.to_bits()
            && ((a.raw - b.raw).abs() >= MOVED || a.score.signum() * b.score.signum() < 0)
    });
    score || was.lanes.iter().zip(&row.lanes).any(|(a, b)| a.interval == b.interval && has_turned(a, b))
}

/// What was not known before has not changed.
fn has_turned(was: &LaneView, lane: &LaneView) -> bool {
    let trend = was.point.trend.zip(lane.point.trend).is_some_and(|(a, b)| a != b);
    let crosses = was.point.last_cross.zip(lane.point.last_cross);
    trend || crosses.is_some_and(|(a, b)| !b.inferred && (a.dir != b.dir || a.time < b.time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hama::Sign;
    use crate::fixture::{row, snapshot};

    #[test]
    fn a_turn_a_cross_and_a_large_move_are_news_and_a_small_one_is_not() {
        let names = ["A", "B", "C", "D", "E", "F"];
        let before = snapshot(names[..5].iter().map(|n| row(n).score(60.0)).collect());
        let now = snapshot(vec![
            row("A").score(65.0),
            row("B").score(-1.0),
            row("C").score(49.0),
            row("D").score(60.0).trends([Sign::Up, Sign::Down, Sign::Up]),
            row("E").score(60.0).cross(Sign::Down, 0, false),
            row("F").score(60.0),
        ]);
        let (changed, new) = (Some(News::Changed), Some(News::New));
        assert_eq!(since(&before, &now), [None, changed, changed, changed, changed, new]);
    }

    #[test]
    fn what_is_being_loaded_is_no_news_and_another_order_neither() {
        let mut before = snapshot(vec![row("A").warming(3), row("B").score(60.0)]);
        let now = snapshot(vec![row("B").score(60.0), row("A").score(90.0)]);
        assert_eq!(since(&before, &now), [None, None]);
        before.warmup.done = 0;
        before.rows.clear();
        assert_eq!(since(&before, &now), [None, None]);
    }
}
