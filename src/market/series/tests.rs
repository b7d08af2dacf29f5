use proptest::prelude::*;

use super::*;
use crate::domain::kline::KlineFields;

const STEP: i64 = 900_000;
const DAY: i64 = 86_400_000;

fn bar(n: i64) -> Kline {
    with_volume(n, 10.0)
}

fn with_volume(n: i64, volume: f64) -> Kline {
    Kline::new(KlineFields {
        open_time: UnixMs(n * STEP),
        close_time: UnixMs((n + 1) * STEP - 1),
        open: 2.0,
        high: 3.0,
        low: 1.0,
        close: 2.5,
        volume,
        ..KlineFields::default()
    })
    .unwrap()
}

fn opens(series: &Series) -> Vec<i64> {
    series.closed().iter().map(|k| k.open_time().0 / STEP).collect()
}

fn rows(closed: &[Kline], from: Option<i64>) -> RestRows<'_> {
    RestRows { closed, next_open: None, unread: 0, from: from.map(|n| UnixMs(n * STEP)) }
}

#[test]
fn bars_are_appended_known_old_or_ahead() {
    let mut s = Series::new(3);
    assert_eq!(s.close(bar(5), Origin::Stream), Upsert::Appended);
    assert_eq!(s.close(bar(6), Origin::Stream), Upsert::Appended);
    assert_eq!(s.close(bar(6), Origin::Stream), Upsert::Duplicate);
    assert_eq!(s.close(bar(4), Origin::Stream), Upsert::Older);
    let gap = Upsert::Gap { from: UnixMs(7 * STEP), to: UnixMs(9 * STEP - 1) };
    assert_eq!(s.close(bar(9), Origin::Stream), gap);
    assert_eq!(opens(&s), [5, 6]);
}

#[test]
fn the_oldest_goes_before_the_newest_comes() {
    let mut s = Series::new(3);
    let allocated = s.heap_bytes();
    for n in 0..10 {
        s.close(bar(n), Origin::Stream);
    }
    assert_eq!(opens(&s), [7, 8, 9]);
    assert_eq!(s.heap_bytes(), allocated);
    assert_eq!(allocated, 3 * size_of::<Kline>());
}

#[test]
fn a_closed_bar_changes_only_for_a_source_that_saw_more_trade() {
    let mut s = Series::new(3);
    s.close(bar(1), Origin::Stream);
    assert_eq!(s.close(with_volume(1, 12.0), Origin::Stream), Upsert::Duplicate);
    assert_eq!(s.close(with_volume(1, 9.0), Origin::Rest), Upsert::Duplicate, "REST lags");
    assert_eq!(s.newest(), Some(&bar(1)));
    assert_eq!(s.close(with_volume(1, 12.0), Origin::Rest), Upsert::Amended);
    assert_eq!(s.newest(), Some(&with_volume(1, 12.0)));
    // Closed by REST, which may have lagged: the stream's own close is the better word.
    s.close(bar(2), Origin::Rest);
    assert_eq!(s.close(with_volume(2, 11.0), Origin::Stream), Upsert::Amended);
    assert_eq!(s.close(with_volume(2, 12.0), Origin::Stream), Upsert::Duplicate);
}

/// The stream tells a close when the next bar is closed already.
#[test]
fn the_streams_fuller_close_counts_for_any_bar_that_rest_alone_has_closed() {
    let mut s = Series::new(80);
    s.close(bar(1), Origin::Rest);
    s.close(bar(2), Origin::Stream);
    assert_eq!(s.merge(&rows(&[bar(4)], Some(3))).holes, 1);
    // One that turns up between shifts those before it.
    assert_eq!(s.close(bar(3), Origin::Rest), Upsert::Amended);
    assert_eq!(s.newest_by(), Origin::Rest);
    for (n, became) in
        [(1, Upsert::Amended), (2, Upsert::Duplicate), (3, Upsert::Amended), (4, Upsert::Amended)]
    {
        assert_eq!(s.close(with_volume(n, 11.0), Origin::Stream), became, "{n}");
        assert_eq!(s.close(with_volume(n, 12.0), Origin::Stream), Upsert::Duplicate, "{n}: said already");
    }
    assert_eq!(s.newest_by(), Origin::Stream);
    // One that knows less confirms, and is not taken.
    s.close(bar(5), Origin::Rest);
    s.close(bar(6), Origin::Rest);
    assert_eq!(s.close(with_volume(5, 9.0), Origin::Stream), Upsert::Duplicate);
    assert_eq!(s.close(bar(5), Origin::Stream), Upsert::Duplicate);
    assert_eq!((s.find(UnixMs(5 * STEP)), s.newest_by()), (Some(&bar(5)), Origin::Rest));
}

#[test]
fn a_late_close_fills_the_hole_at_the_end_and_the_hole_is_none() {
    let mut s = Series::new(10);
    s.close(bar(1), Origin::Stream);
    let lagging =
        RestRows { closed: &[], next_open: Some(UnixMs(3 * STEP)), unread: 0, from: Some(UnixMs(2 * STEP)) };
    assert_eq!((s.merge(&lagging).holes, s.holes().len()), (1, 1));
    assert_eq!(s.close(bar(2), Origin::Stream), Upsert::Appended);
    assert_eq!(s.holes(), []);
}

#[test]
fn of_two_forming_states_the_later_wins_and_a_closed_one_beats_both() {
    let mut s = Series::new(3);
    s.close(bar(1), Origin::Stream);
    assert_eq!(s.form(with_volume(2, 3.0), UnixMs(300)), Upsert::Appended);
    assert_eq!(s.form(with_volume(2, 2.0), UnixMs(200)), Upsert::Older);
    assert_eq!(s.form(with_volume(2, 2.5), UnixMs(300)), Upsert::Older, "same stamp, less trade");
    assert_eq!(s.form(with_volume(2, 3.0), UnixMs(400)), Upsert::Duplicate);
    assert_eq!(
        s.form(with_volume(2, 4.0), UnixMs(350)),
        Upsert::Older,
        "the repeated state is as new as 400"
    );
    assert_eq!(s.forming().unwrap().kline, with_volume(2, 3.0));
    assert_eq!(s.close(with_volume(2, 5.0), Origin::Stream), Upsert::Appended);
    assert_eq!(s.forming(), None);
    assert_eq!(s.form(with_volume(2, 9.0), UnixMs(900)), Upsert::Older, "update after close");
}

#[test]
fn a_hole_that_rest_confirms_is_as_on_a_chart_and_stays_known() {
    let mut s = Series::new(10);
    s.close(bar(1), Origin::Stream);
    let done = s.merge(&rows(&[bar(5), bar(6)], Some(2)));
    assert_eq!((done.appended, done.holes, done.gap), (2, 1, false));
    assert_eq!(opens(&s), [1, 5, 6]);
    assert_eq!(s.holes(), [Hole { from: UnixMs(2 * STEP), to: UnixMs(5 * STEP - 1) }]);
    // Only the forming row tells that the exchange has nothing between.
    let next_open = Some(UnixMs(9 * STEP));
    let done = s.merge(&RestRows { closed: &[], next_open, unread: 0, from: Some(UnixMs(7 * STEP)) });
    assert_eq!(done.holes, 1);
    assert!(s.follows(UnixMs(9 * STEP)));
    assert_eq!(s.close(bar(9), Origin::Stream), Upsert::Appended);
    // A row turns up after all.
    assert_eq!(s.close(bar(3), Origin::Rest), Upsert::Amended);
    assert_eq!(opens(&s), [1, 3, 5, 6, 9]);
}

#[test]
fn an_answer_that_begins_too_late_proves_no_hole() {
    let mut s = Series::new(10);
    s.close(bar(1), Origin::Stream);
    let done = s.merge(&rows(&[bar(5)], Some(4)));
    assert!(done.gap);
    assert_eq!(opens(&s), [1]);
    // The newest rows, and none of them touches the ring: the ring is too old to keep.
    let done = s.merge(&rows(&[bar(50), bar(51)], None));
    assert!(done.replaced && done.holes == 0);
    assert_eq!(opens(&s), [50, 51]);
}

#[test]
fn a_bar_that_closes_early_is_followed_once_rest_confirms_it() {
    let mut s = Series::new(10);
    let early = Kline::new(KlineFields {
        open_time: UnixMs(0),
        close_time: UnixMs(STEP - 200_000),
        open: 1.0,
        high: 1.0,
        low: 1.0,
        close: 1.0,
        ..KlineFields::default()
    })
    .unwrap();
    s.close(early, Origin::Stream);
    assert!(matches!(s.close(bar(1), Origin::Stream), Upsert::Gap { .. }));
    let done =
        s.merge(&RestRows { closed: &[bar(1)], next_open: None, unread: 0, from: Some(after(&early)) });
    assert_eq!((done.appended, done.holes), (1, 1));
}

#[test]
fn months_follow_by_their_own_close() {
    let month = |open: i64, close: i64| {
        Kline::new(KlineFields {
            open_time: UnixMs(open),
            close_time: UnixMs(close - 1),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            ..KlineFields::default()
        })
        .unwrap()
    };
    let mut s = Series::new(10);
    for (from, to) in [(0, 31), (31, 59), (59, 90)] {
        assert_eq!(s.close(month(from * DAY, to * DAY), Origin::Stream), Upsert::Appended);
    }
}

proptest! {
    /// Whatever order a stream's closed bars come in, however often: with every gap repaired, the
    /// ring holds the newest of them, in order, and was never grown.
    #[test]
    fn any_order_ends_in_the_same_series(
        (len, order) in (1..60i64).prop_flat_map(|len| (Just(len), proptest::collection::vec(0..len, 0..120))),
        capacity in 1..20usize,
        missing in proptest::collection::btree_set(1..60i64, 0..10),
    ) {
        let exists = |n: &i64| !missing.contains(n);
        let truth: Vec<Kline> = (0..len).filter(exists).map(bar).collect();
        let mut s = Series::new(capacity);
        let allocated = s.heap_bytes();
        s.merge(&rows(truth.get(..1).unwrap(), None));
        let mut newest = 0;
        for n in order.into_iter().filter(exists) {
            newest = newest.max(n);
            if let Upsert::Gap { from, .. } = s.close(bar(n), Origin::Stream) {
                let answer: Vec<Kline> = truth
                    .iter()
                    .filter(|k| k.open_time() >= from && k.open_time().0 <= n * STEP)
                    .copied()
                    .collect();
                s.merge(&RestRows { closed: &answer, next_open: None, unread: 0, from: Some(from) });
            }
            prop_assert!(s.closed().len() <= capacity);
        }
        let want: Vec<i64> = (0..=newest).filter(exists).collect();
        let tail = want.get(want.len().saturating_sub(capacity)..).unwrap();
        prop_assert_eq!(opens(&s), tail);
        prop_assert_eq!(s.heap_bytes() - s.holes.capacity() * size_of::<Hole>(), allocated);
    }
}
