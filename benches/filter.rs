//! `filter/sort_900`: 900 rows of three intervals through a filter of four terms and into order,
//! against a bare sort of the figures of the rows that match. `filter/test_900`: the filter alone.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints its result")]

use std::hint::black_box;

use hamatop::app::column::Reading;
use hamatop::app::order::{SortBy, order};
use hamatop::domain::hama::Sign;
use hamatop::market::snapshot::Snapshot;
use hamatop::rule::filter::Filter;

#[path = "kernel/bare_sort.rs"]
#[allow(unreachable_pub, reason = "a kernel stands alone")]
mod bare_sort;
#[path = "../tests/support/fixture.rs"]
mod fixture;
#[path = "measure/interleaved.rs"]
#[allow(unreachable_pub, reason = "shared by the benches")]
mod interleaved;

use interleaved::interleaved;

const ROWS: u32 = 900;
const ROUNDS: usize = 2_000;
const FILTERS: [&str; 2] =
    ["usdt -stale vol>10m 1h:bull", "(chg>5% | chg<-5%) any.cross<=9 15m.dist>-2% -prev.bb:expand"];
/// A frame of 30 a second has time for this thirty times over.
const GOAL_US: f64 = 1_000.0;

fn main() {
    let picture = picture();
    let at = Reading::new(&picture, picture.made, 0);
    let by = SortBy::default();
    for text in FILTERS {
        let Ok(filter) = Filter::parse(text) else { unreachable!("a filter") };
        let ours = order(&picture.rows, &filter, by, &at).rows;
        let mut figures: Vec<(f64, usize)> =
            ours.iter().map(|n| (picture.rows[*n].score.map_or(0.0, |s| s.raw.abs()), *n)).collect();
        // As they come: by name.
        figures.sort_by_key(|(_, place)| *place);
        assert_eq!(ours, bare_sort::largest_first(&figures), "{text}");
        assert!(ours.len() > 100, "{text}: {}", ours.len());

        let sorted = interleaved(
            ROUNDS,
            || order(black_box(&picture.rows), &filter, by, &at),
            || bare_sort::largest_first(black_box(&figures)),
        );
        sorted.print("filter/sort_900", &format!("a bare sort of {}", ours.len()), None);
        let alone = interleaved(
            ROUNDS,
            || black_box(&picture.rows).iter().filter(|row| filter.test(row, &at).is_true()).count(),
            || bare_sort::largest_first(black_box(&figures)),
        );
        alone.print("filter/test_900", "the same", None);
        let us = sorted.subject.as_secs_f64() * 1e6;
        let verdict = if us <= GOAL_US { "ok" } else { "OVER" };
        println!("    {us:.0} us for `{text}` (goal <= {GOAL_US:.0}) {verdict}");
    }
}

fn picture() -> Snapshot {
    let rows = (0..ROWS).map(|n| {
        // Scores that are all different, in no order.
        let shuffled = f64::from(n.wrapping_mul(7_919) % ROWS);
        let trends = if n % 3 == 0 { [Sign::Up, Sign::Down, Sign::Up] } else { [Sign::Up; 3] };
        fixture::row(&format!("S{n:03}USDT"))
            .score(shuffled / 9.0 - 0.05 * f64::from(n % 2))
            .change(shuffled / 40.0 - 11.0)
            .volume(shuffled * 1e6)
            .trends(trends)
            .cross(Sign::Up, n % 40, n % 7 == 0)
    });
    fixture::snapshot(rows.collect())
}
