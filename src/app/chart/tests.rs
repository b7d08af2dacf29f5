use super::*;
use crate::domain::hama::HamaPoint;
use crate::domain::interval::Interval;
use crate::domain::kline::{Kline, KlineFields};

const STEP: i64 = 900_000;

fn bar(n: i64, open: f64, close: f64) -> Kline {
    Kline::new(KlineFields {
        open_time: UnixMs(n * STEP),
        close_time: UnixMs((n + 1) * STEP - 1),
        open,
        high: open.max(close) + 1.0,
        low: open.min(close) - 2.0,
        close,
        volume: close,
        ..KlineFields::default()
    })
    .unwrap()
}

fn columns(bars: &[Kline], size: u32) -> Vec<Column> {
    let points = vec![HamaPoint::UNKNOWN; bars.len()];
    let groups = groups(bars, Interval::M15, size);
    groups.iter().map(|g| Column::of(g, bars, &points, Candles::Market).unwrap()).collect()
}

fn rising(bars: u32) -> Vec<Kline> {
    let at = |n: u32| 100.0 + f64::from(n);
    (0..bars).map(|n| bar(i64::from(n), at(n), at(n + 1))).collect()
}

#[test]
fn a_price_and_its_row_lead_to_each_other() {
    for rows in [1, 2, 7, 18, 60] {
        for (low, high) in [(1.0, 2.0), (97_000.0, 97_100.0), (0.001_2, 0.001_3)] {
            let scale = Scale::over((low, high), rows, 0.0);
            assert_eq!((scale.row(high), scale.row(low)), (Some(0), Some(rows - 1)));
            for row in 0..rows {
                assert_eq!(scale.row(scale.price(row)), Some(row), "{rows} rows");
            }
            for n in 0..=100 {
                let price = low + (high - low) * f64::from(n) / 100.0;
                let off = (scale.price(scale.row(price).unwrap()) - price).abs();
                assert!(off <= scale.half_row() * 1.000_001, "{price} is off by {off}");
            }
            let room = scale.half_row();
            assert_eq!((scale.row(high + room), scale.row(low - room)), (None, None), "it is beyond");
        }
    }
}

#[test]
fn a_row_stands_for_a_price_step_at_least() {
    let still = Scale::over((100.0, 100.0), 9, 0.5);
    assert_eq!(still.row(100.0), Some(4));
    assert!((still.price(0) - still.price(1) - 0.5).abs() < 1e-9);
}

#[test]
fn groups_stay_as_they_are_when_a_bar_comes() {
    let bars = rising(50);
    for size in [1, 2, 3, 8, 24] {
        let (all, before) = (groups(&bars, Interval::M15, size), groups(&bars[..49], Interval::M15, size));
        let kept = before.len() - 1;
        assert_eq!(all[..kept], before[..kept], "{size} bars a column");
        assert_eq!(all.iter().map(ExactSizeIterator::len).sum::<usize>(), 50);
        assert!(all.iter().all(|g| g.len() <= size as usize));
    }
}

#[test]
fn a_column_of_several_bars_is_their_candle() {
    let bars = [bar(0, 10.0, 14.0), bar(1, 14.0, 9.0), bar(2, 9.0, 11.0)];
    let columns = columns(&bars, 3);
    let candle = columns[0].candle.unwrap();
    assert_eq!((candle.open, candle.close, candle.wick), (10.0, 11.0, Some((15.0, 7.0))));
    assert_eq!((candle.turn, columns[0].volume), (Turn::Up, 34.0));
    assert_eq!((columns.len(), columns[0].open_time, columns[0].has_hole), (1, UnixMs(0), false));
}

#[test]
fn missing_bars_are_told_by_the_column_that_follows_or_holds_them() {
    let bars = [bar(0, 11.0, 12.0), bar(1, 12.0, 13.0), bar(3, 13.0, 14.0), bar(4, 14.0, 15.0)];
    let told = |size| columns(&bars, size).iter().map(|c| c.has_hole).collect::<Vec<_>>();
    assert_eq!(told(1), [false, false, true, false]);
    assert_eq!(told(2), [false, true, false]);
}

#[test]
fn wide_bands_leave_the_candles_their_room() {
    let mut columns = columns(&rising(10), 1);
    let chart = Chart::lay(columns.clone(), Layers::ALL, 20, 0.01).unwrap();
    let (top, bottom) = (chart.scale.price(0), chart.scale.price(19));
    for column in &mut columns {
        column.bands = Some([10_000.0, 1.0]);
    }
    let wide = Chart::lay(columns.clone(), Layers::ALL, 20, 0.01).unwrap();
    assert!(wide.is_beyond() && !chart.is_beyond());
    let grown = (wide.scale.price(0) - wide.scale.price(19)) / (top - bottom);
    assert!((grown - 2.0).abs() < 0.1, "{grown}");
    assert!((0..20).all(|row| wide.cell(0, row).line.is_none()));
    let mut layers = Layers::ALL;
    layers.toggle(Layer::Bands);
    assert_eq!(Chart::lay(columns, layers, 20, 0.01).unwrap().scale, chart.scale);
}

#[test]
fn what_is_not_known_is_nowhere_and_nothing_at_all_is_no_chart() {
    let bars = rising(4);
    let points = vec![HamaPoint::UNKNOWN; 4];
    let of = |g: &Group| Column::of(g, &bars, &points, Candles::Hama).unwrap();
    let columns: Vec<Column> = groups(&bars, Interval::M15, 1).iter().map(of).collect();
    assert!(Chart::lay(columns.clone(), Layers::ALL, 10, 0.01).is_none());
    let mut columns = columns;
    columns[3].ma = Some(5.0);
    let chart = Chart::lay(columns, Layers::ALL, 10, 0.01).unwrap();
    let drawn = |x| (0..10).filter(|row| chart.cell(x, *row) != Cell::EMPTY).count();
    assert_eq!([0, 1, 2, 3].map(drawn), [0, 0, 0, 1]);
}

#[test]
fn volume_that_is_some_is_seen_and_none_is_not() {
    let mut columns = columns(&rising(3), 1);
    for (column, volume) in columns.iter_mut().zip([0.0, 0.001, 1_000.0]) {
        column.volume = volume;
    }
    let chart = Chart::lay(columns, Layers::ALL, 10, 0.01).unwrap();
    assert_eq!([0, 1, 2].map(|x| chart.volume_steps(x, 16)), [0, 1, 16]);
}

#[test]
fn times_are_those_of_their_columns_and_keep_apart() {
    let bars = rising(300);
    let chart = Chart::lay(columns(&bars, 1), Layers::ALL, 10, 0.01).unwrap();
    let times = chart.times(14);
    assert!(times.len() > 10);
    for (column, time) in &times {
        assert_eq!(*time, bars[*column].open_time());
        assert_eq!(time.0 % (4 * 3_600_000) % 10_800_000 % 3_600_000, 0, "a round hour");
    }
    assert!(times.windows(2).all(|w| w[1].0 - w[0].0 >= 14));
}
