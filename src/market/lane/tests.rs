use proptest::prelude::*;

use super::*;
use crate::domain::kline::KlineFields;
use crate::domain::preset::{Average, Line};
use crate::market::freshness::Stream;

const STEP: i64 = 900_000;

fn bar(n: i64) -> Kline {
    shaped(n, 100)
}

fn shaped(n: i64, trades: u32) -> Kline {
    let close = 100.0 + f64::from(u32::try_from((n * n * 7) % 23).unwrap());
    Kline::new(KlineFields {
        open_time: UnixMs(n * STEP),
        close_time: UnixMs((n + 1) * STEP - 1),
        open: 100.0,
        high: close.max(101.0),
        low: 99.0,
        close,
        volume: f64::from(trades),
        trades: Some(trades),
        ..KlineFields::default()
    })
    .unwrap()
}

/// Averages with an end, so that a result depends on the bars at hand alone.
fn preset() -> Preset {
    let line = |length| Line { kind: Average::Sma, length };
    let preset = Preset::builtin("nsdt").unwrap();
    Preset { open: line(9), high: line(5), low: line(5), close: line(4), ma: line(20), ..preset }
}

fn lane(capacity: usize) -> Lane {
    let preset = Arc::new(preset());
    Lane::new(Interval::M15, &preset, capacity, Freshness::new(Stream::Fed))
}

fn answer(rows: &[Kline], proved: usize, from: Option<i64>) -> Answer<'_> {
    let from = from.map(|n| UnixMs(n * STEP));
    Answer { rows, proved, unread: 0, from, asked: UnixMs(1), lag: Lag::Wait }
}

fn opens(lane: &Lane) -> Vec<i64> {
    lane.series().closed().iter().map(|k| k.open_time().0 / STEP).collect()
}

/// Loaded at once, heard one by one, or corrected: each bar comes with the score before it.
#[test]
fn a_closed_bar_knows_the_score_on_the_bar_before() {
    let rows: Vec<Kline> = (0..90).map(bar).collect();
    let mut l = lane(100);
    let mut out = vec![];
    l.rest(&answer(&rows[..80], 80, None), &mut out);
    for row in &rows[80..] {
        l.stream_closed(*row, &mut out);
    }
    let chained = |out: &[Closed]| out.windows(2).all(|w| w[1].score_before == w[0].point.score);
    assert!(chained(&out) && out[0].score_before.is_none() && out[89].score_before.is_some());
    let known = out[84].point.score;
    out.clear();
    l.rest(&answer(&[shaped(85, 200)], 1, Some(85)), &mut out);
    assert_eq!((out.len(), out[0].score_before), (5, known));
    assert!(chained(&out));
}

#[test]
fn the_last_row_is_forming_and_the_preview_changes_nothing() {
    let mut l = lane(100);
    let rows: Vec<Kline> = (0..81).map(bar).collect();
    let mut out = vec![];
    l.rest(&answer(&rows, 80, None), &mut out);
    assert_eq!((out.len(), opens(&l).last()), (80, Some(&79)));
    let point = *l.point();
    let preview = l.preview().unwrap();
    assert_eq!(preview.bar, bar(80));
    assert_eq!(*l.point(), point);
    out.clear();
    l.stream_closed(bar(80), &mut out);
    assert_eq!(out.first().unwrap().point, preview.point, "what was previewed is what came");
    assert_eq!(l.preview(), None);
}

#[test]
fn the_bar_before_and_new_extremes_move_on_with_each_close() {
    let priced = |n: i64, close: f64| {
        let k = bar(n);
        let fields = KlineFields {
            open_time: k.open_time(),
            close_time: k.close_time(),
            open: close,
            high: close + 1.0,
            low: close - 1.0,
            close,
            volume: 1.0,
            ..KlineFields::default()
        };
        Kline::new(fields).unwrap()
    };
    let mut l = lane(3);
    let mut out = vec![];
    assert_eq!((l.extremes(), *l.previous()), (None, HamaPoint::UNKNOWN));
    l.rest(&answer(&[priced(0, 100.0)], 1, None), &mut out);
    assert_eq!(l.extremes(), None, "there is nothing to compare with");
    let mut seen = Vec::new();
    for (n, close) in (1..).zip([105.0, 105.0, 99.0, 104.0, 104.0, 104.5]) {
        let before = *l.point();
        l.stream_closed(priced(n, close), &mut out);
        assert_eq!(*l.previous(), before);
        seen.push(l.extremes().map(|e| (e.high, e.low)).unwrap());
    }
    // The last one is a high since 105 has left the ring.
    let no = (false, false);
    assert_eq!(seen, [(true, false), no, (false, true), no, no, (true, false)]);
}

/// Whatever leaves the ring, the answer is that of reading it whole.
#[test]
fn new_extremes_are_those_of_the_whole_ring() {
    let mut l = lane(5);
    let mut out = vec![];
    let mut price = 100.0;
    let mut seed = 7_u32;
    for n in 0..400 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        price += f64::from(seed >> 29) - 3.0;
        let k = bar(n);
        let fields = KlineFields {
            open_time: k.open_time(),
            close_time: k.close_time(),
            open: price,
            high: price + f64::from(seed >> 30),
            low: price - f64::from(seed >> 31),
            close: price,
            volume: 1.0,
            ..KlineFields::default()
        };
        let k = Kline::new(fields).unwrap();
        if n == 0 {
            l.rest(&answer(&[k], 1, None), &mut out);
        } else {
            l.stream_closed(k, &mut out);
        }
        let ring = l.series().closed();
        let others = || ring.range(..ring.len() - 1);
        let want = (ring.len() > 1)
            .then(|| (others().all(|o| k.high() > o.high()), others().all(|o| k.low() < o.low())));
        assert_eq!(l.extremes().map(|e| (e.high, e.low)), want, "bar {n}");
    }
}

#[test]
fn a_row_and_the_one_before_it_may_both_be_open() {
    let mut l = lane(10);
    let rows: Vec<Kline> = (0..5).map(bar).collect();
    let mut out = vec![];
    l.rest(&answer(&rows, 3, None), &mut out);
    assert_eq!(l.tail(), Tail::Unclosed { close: UnixMs(4 * STEP - 1) });
    assert_eq!(l.next_close(), Some(UnixMs(4 * STEP - 1)));
    assert_eq!(l.preview(), None, "something is missing before it");
    l.stream_closed(bar(3), &mut out);
    assert_eq!(l.tail(), Tail::Whole);
    assert_eq!(l.preview().unwrap().bar, bar(4));
}

#[test]
fn where_rest_keeps_knowing_less_its_word_is_taken_in_the_end() {
    let mut l = lane(10);
    let mut out = vec![];
    l.rest(&answer(&[bar(0)], 1, None), &mut out);
    l.stream_forming(shaped(1, 90), UnixMs(5));
    let done = l.rest(&answer(&[shaped(1, 80)], 1, Some(1)), &mut out);
    assert_eq!((opens(&l), done.lagging), (vec![0], 1));
    let done = l.rest(&Answer { lag: Lag::TakeRest, ..answer(&[shaped(1, 80)], 1, Some(1)) }, &mut out);
    assert_eq!((l.series().newest(), done.lagging), (Some(&shaped(1, 80)), 0));
}

#[test]
fn kept_bars_are_few_and_the_newest() {
    let mut l = lane(30);
    let mut out = vec![];
    for n in 5..25 {
        assert_eq!(l.stream_closed(bar(n), &mut out), None);
    }
    let rows: Vec<Kline> = (0..17).map(bar).collect();
    l.rest(&answer(&rows, 17, None), &mut out);
    assert_eq!(opens(&l), (0..25).collect::<Vec<_>>());
    assert_eq!(l.freshness.doubt, None);
}

#[test]
fn candles_behind_are_counted_by_the_clock() {
    let mut l = lane(10);
    let mut out = vec![];
    assert_eq!(l.behind(UnixMs(90 * STEP)), 0, "nothing is known");
    l.rest(&answer(&[bar(0)], 1, None), &mut out);
    for (ms, behind) in [(STEP, 0), (2 * STEP - 1, 0), (2 * STEP, 1), (5 * STEP + 3, 4)] {
        assert_eq!(l.behind(UnixMs(ms)), behind, "{ms}");
    }
}

proptest! {
    /// Gaps, repairs, corrections and evictions: in the end the indicator says what it says of
    /// the same bars given in order.
    #[test]
    fn a_disturbed_lane_ends_where_an_undisturbed_one_does(
        jumps in proptest::collection::vec((1..4i64, any::<bool>()), 1..40),
        capacity in 60..90usize,
    ) {
        let mut l = lane(capacity);
        let mut out = vec![];
        let rows: Vec<Kline> = (0..60).map(|n| shaped(n, if n == 30 { 50 } else { 100 })).collect();
        l.rest(&answer(&rows, 60, None), &mut out);
        let mut newest = 59;
        for (step, check) in jumps {
            let next = newest + step;
            if let Some(Upsert::Gap { from, .. }) = l.stream_closed(bar(next), &mut out) {
                prop_assert_eq!(l.freshness.doubt, Some(Doubt::Gap { missing: u32::try_from(step - 1).unwrap() }));
                let rows: Vec<Kline> = (newest + 1..=next).map(bar).collect();
                l.rest(&Answer { from: Some(from), ..answer(&rows, rows.len(), None) }, &mut out);
            }
            newest = next;
            if check {
                let rows: Vec<Kline> = (newest - 40..=newest).map(bar).collect();
                l.rest(&answer(&rows, rows.len(), None), &mut out);
            }
            prop_assert_eq!(l.freshness.doubt, None);
        }
        let rows: Vec<Kline> = (0..=newest).map(bar).collect();
        l.rest(&answer(&rows, rows.len(), None), &mut out);
        let kept: Vec<i64> = (0..=newest).collect();
        prop_assert_eq!(opens(&l), kept.get(kept.len().saturating_sub(capacity)..).unwrap());
        let mut clean = lane(capacity);
        let rows: Vec<Kline> = l.series().closed().iter().copied().collect();
        clean.rest(&answer(&rows, rows.len(), None), &mut out);
        let (a, b) = (l.point(), clean.point());
        prop_assert_eq!((a.side, a.open_slope), (b.side, b.open_slope));
        let near = |x: Option<f64>, y: Option<f64>| match (x, y) {
            (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * y.abs(),
            (x, y) => x == y,
        };
        prop_assert!(near(a.close, b.close) && near(a.ma, b.ma), "{:?} {:?}", a, b);
    }
}
