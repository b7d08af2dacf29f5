//! How a wish for candles becomes requests, the fewest that cost least.
//!
//! Invariant: pure. Ends after finitely many pages, whatever the other side answers.

use crate::domain::kline::Kline;
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

use super::budget::{klines_bands, klines_weight};

/// One request for candles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Oldest open time.
    pub start: Option<UnixMs>,
    /// Newest open time.
    pub end: Option<UnixMs>,
    /// Rows.
    pub limit: u32,
    /// What it costs.
    pub weight: u32,
}

/// Walks through the pages of one wish: backward from the newest candle, or forward from a time.
#[derive(Clone, Debug)]
pub struct Pager {
    market: Market,
    from: Option<UnixMs>,
    left: u32,
    edge: Option<UnixMs>,
    done: bool,
    rows: Vec<Kline>,
}

impl Pager {
    /// `bars` candles: from `from` on, or the newest.
    pub fn new(market: Market, from: Option<UnixMs>, bars: u32) -> Self {
        Self { market, from, left: bars, edge: None, done: bars == 0, rows: Vec::new() }
    }

    /// The next request; `None` when all is here.
    pub fn next_page(&self) -> Option<Page> {
        if self.done {
            return None;
        }
        let limit = page_limit(self.market, self.left);
        let (start, end) = match self.from {
            Some(from) => (self.edge.or(Some(from)), None),
            None => (None, self.edge),
        };
        Some(Page { start, end, limit, weight: klines_weight(self.market, limit) })
    }

    /// Takes the answer to `page`: `given` rows, of which `rows` could be read.
    pub fn took(&mut self, page: Page, given: usize, mut rows: Vec<Kline>) {
        // The exchange sends them in order; one that does not is not trusted with ours.
        if !rows.is_sorted_by_key(Kline::open_time) {
            rows.sort_by_key(Kline::open_time);
        }
        rows.dedup_by_key(|k| k.open_time());
        rows.retain(|k| {
            page.start.is_none_or(|s| k.open_time() >= s) && page.end.is_none_or(|e| k.open_time() <= e)
        });
        self.left = self.left.saturating_sub(page.limit);
        let whole = given >= page.limit as usize;
        let edge = if self.from.is_some() {
            rows.last().map(|k| UnixMs(k.close_time().0 + 1))
        } else {
            rows.first().map(|k| UnixMs(k.open_time().0 - 1))
        };
        // A page that is not full is the end of the exchange's history; one without any row of
        // its range moves nothing, and would be asked for ever.
        self.done = self.left == 0 || !whole || edge.is_none();
        self.edge = edge.or(self.edge);
        if self.from.is_some() {
            self.rows.append(&mut rows);
        } else {
            rows.append(&mut self.rows);
            self.rows = rows;
        }
    }

    /// Whether the newest row comes with the first page; else with the last.
    pub fn newest_first(&self) -> bool {
        self.from.is_none()
    }

    /// All rows, ascending and without doubles.
    pub fn into_rows(self) -> Vec<Kline> {
        self.rows
    }
}

/// Rows of the next page when `left` are wanted: full pages of the band with the most rows a
/// weight, then what is left over.
fn page_limit(market: Market, left: u32) -> u32 {
    let dense = klines_bands(market).iter().copied().max_by_key(|(rows, weight)| rows / weight);
    dense.map_or(left, |(rows, _)| left.min(rows))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::kline::KlineFields;

    const STEP: i64 = 900_000;

    fn bar(n: i64) -> Kline {
        Kline::new(KlineFields {
            open_time: UnixMs(n * STEP),
            close_time: UnixMs((n + 1) * STEP - 1),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            ..KlineFields::default()
        })
        .unwrap()
    }

    /// An exchange with bars `oldest..newest`; answers as the documents say.
    fn answer(page: Page, oldest: i64, newest: i64) -> Vec<Kline> {
        let inside =
            |n: &i64| page.start.is_none_or(|s| n * STEP >= s.0) && page.end.is_none_or(|e| n * STEP <= e.0);
        let all: Vec<i64> = (oldest..newest).filter(inside).collect();
        let limit = page.limit as usize;
        let cut = if page.start.is_some() {
            &all[..all.len().min(limit)]
        } else {
            &all[all.len().saturating_sub(limit)..]
        };
        cut.iter().copied().map(bar).collect()
    }

    fn walk(mut pager: Pager, oldest: i64, newest: i64) -> (Vec<Page>, Vec<Kline>) {
        let mut asked = Vec::new();
        while let Some(page) = pager.next_page() {
            asked.push(page);
            let rows = answer(page, oldest, newest);
            pager.took(page, rows.len(), rows);
            assert!(asked.len() < 100);
        }
        (asked, pager.into_rows())
    }

    #[test]
    fn pages_cost_least() {
        for (market, bars, limits, weight) in [
            (Market::UsdM, 3, vec![3], 1),
            (Market::UsdM, 99, vec![99], 1),
            (Market::UsdM, 100, vec![100], 2),
            (Market::UsdM, 499, vec![499], 2),
            (Market::UsdM, 500, vec![499, 1], 3),
            (Market::UsdM, 1_500, vec![499, 499, 499, 3], 7),
            (Market::Spot, 1_001, vec![1_000, 1], 4),
        ] {
            let (pages, rows) = walk(Pager::new(market, None, bars), 1, 5_000);
            assert_eq!(pages.iter().map(|p| p.limit).collect::<Vec<_>>(), limits, "{bars}");
            assert_eq!(pages.iter().map(|p| p.weight).sum::<u32>(), weight, "{bars}");
            assert_eq!(rows.len(), bars as usize);
            assert_eq!(rows.last().unwrap().open_time(), UnixMs(4_999 * STEP));
        }
    }

    #[test]
    fn a_young_listing_ends_the_walk() {
        let (pages, rows) = walk(Pager::new(Market::UsdM, None, 2_000), 4_400, 5_000);
        assert_eq!((pages.len(), rows.len()), (2, 600));
        let (pages, rows) = walk(Pager::new(Market::UsdM, None, 0), 1, 9);
        assert_eq!((pages.len(), rows.len()), (0, 0));
    }

    #[test]
    fn a_server_that_ignores_the_bounds_does_not_hold_us() {
        let mut pager = Pager::new(Market::Spot, None, 100_000);
        let mut asked = 0;
        while let Some(page) = pager.next_page() {
            asked += 1;
            let rows: Vec<Kline> = (1..=1_000).map(bar).collect();
            pager.took(page, rows.len(), rows);
        }
        assert_eq!(asked, 2);
        assert_eq!(pager.into_rows().len(), 1_000);
    }

    #[test]
    fn unsorted_and_doubled_rows_are_put_right() {
        let mut pager = Pager::new(Market::Spot, None, 10);
        let page = pager.next_page().unwrap();
        pager.took(page, 4, vec![bar(3), bar(1), bar(3), bar(2)]);
        assert_eq!(pager.into_rows(), [bar(1), bar(2), bar(3)]);
    }

    proptest! {
        /// Paged in either direction, the rows are those that one unlimited request would give.
        #[test]
        fn pages_together_are_the_whole(
            oldest in 1i64..300, count in 0i64..2_500, bars in 0u32..2_500, from in prop::option::of(0i64..2_500)
        ) {
            let newest = oldest + count;
            let (_, rows) = walk(Pager::new(Market::UsdM, from.map(|n| UnixMs(n * STEP)), bars), oldest, newest);
            let all: Vec<Kline> = (oldest..newest).filter(|n| from.is_none_or(|f| *n >= f)).map(bar).collect();
            let n = (bars as usize).min(all.len());
            let want = if from.is_some() { &all[..n] } else { &all[all.len() - n..] };
            prop_assert_eq!(&rows[..], want);
        }
    }
}
