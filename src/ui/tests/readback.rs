//! Charts of real candles, read back from the cells and held against the figures.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows of a screen, told in iterators"
)]

use std::collections::BTreeMap;

use super::*;
use crate::domain::hama::HamaPoint;
use crate::domain::indicator::HamaColumns;
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::replayed::{self, UNTIL};

/// What stands in a cell, by a table of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    /// The halves that have a body, upper and lower.
    Body(bool, bool),
    Wick(bool, bool),
    Ma,
    /// The moving average, and a candle under it.
    MaOverBody,
    MaOverWick,
    Band,
    Nothing,
}

fn sign(symbol: &str) -> Sign {
    match symbol {
        "█" | "▌" | "#" | "O" | "▒" | ":" => Sign::Body(true, true),
        "▀" | "▘" => Sign::Body(true, false),
        "▄" | "▖" => Sign::Body(false, true),
        "│" | "|" => Sign::Wick(true, true),
        "╵" => Sign::Wick(true, false),
        "╷" => Sign::Wick(false, true),
        "━" | "~" => Sign::Ma,
        "╋" | "╫" | "@" | "Q" => Sign::MaOverBody,
        "┿" | "+" => Sign::MaOverWick,
        "·" | "." => Sign::Band,
        " " => Sign::Nothing,
        other => panic!("`{other}` has no meaning in a chart"),
    }
}

/// The chart's place on screen: columns, first row, rows; as the wireframes have them.
struct Place {
    cols: u16,
    first: u16,
    rows: u16,
}

fn place_of((cols, rows): (u16, u16)) -> Place {
    match (cols, rows) {
        (120, 36) => Place { cols: 86, first: 4, rows: 18 },
        (200, 60) => Place { cols: 166, first: 4, rows: 42 },
        (80, 24) => Place { cols: 68, first: 5, rows: 11 },
        (60, 16) => Place { cols: 48, first: 3, rows: 7 },
        other => panic!("{other:?}"),
    }
}

/// The scale as a reader of the axis finds it.
#[derive(Debug)]
struct Axis {
    /// The price in the middle of row 0, and what a row stands for.
    top: f64,
    row: f64,
    /// Rows by which the labels' digits may mislead.
    blur: f64,
}

impl Axis {
    fn row_of(&self, price: f64) -> f64 {
        (self.top - price) / self.row
    }
}

fn read_axis(buffer: &Buffer, place: &Place, decimals: u8) -> Axis {
    let label = |row: u16| {
        let cells = (place.cols + 1..place.cols + 11).map(|x| buffer[(x, place.first + row)].symbol());
        cells.collect::<String>().trim().parse::<f64>().ok().map(|price| (f64::from(row), price))
    };
    let labels: Vec<(f64, f64)> = (0..place.rows).filter_map(label).collect();
    assert!(labels.len() >= 3, "{labels:?}");
    let ((first, high), (last, low)) = (labels[0], labels[labels.len() - 1]);
    let row = (high - low) / (last - first);
    let axis = Axis { top: high + first * row, row, blur: 10_f64.powi(-i32::from(decimals)) / row };
    for (at, price) in &labels {
        assert!((axis.row_of(*price) - at).abs() <= axis.blur, "{axis:?} {labels:?}");
    }
    assert!(axis.row > 0.0, "prices rise upwards: {labels:?}");
    axis
}

/// What should be drawn in a column.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    open: Option<f64>,
    high: Option<f64>,
    low: Option<f64>,
    close: Option<f64>,
    ma: Option<f64>,
    bands: Option<[f64; 2]>,
    open_time: UnixMs,
}

fn wanted(bars: &[Kline], points: &[HamaPoint], interval: Interval, zoom: i64, hama: bool) -> Vec<Wanted> {
    let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (n, bar) in bars.iter().enumerate() {
        groups.entry(bar.open_time().0 / (interval.millis() * zoom)).or_default().push(n);
    }
    let most = |of: Vec<Option<f64>>, f: fn(f64, f64) -> f64| of.into_iter().flatten().reduce(f);
    let column = |group: &Vec<usize>| {
        let (first, last) = (group[0], group[group.len() - 1]);
        let each = |f: &dyn Fn(usize) -> Option<f64>| group.iter().map(|n| f(*n)).collect::<Vec<_>>();
        let (open, close) = if hama {
            (points[first].open, points[last].close)
        } else {
            (Some(bars[first].open()), Some(bars[last].close()))
        };
        let high = each(&|n| if hama { points[n].high } else { Some(bars[n].high()) });
        let low = each(&|n| if hama { points[n].low } else { Some(bars[n].low()) });
        Wanted {
            open,
            high: most(high, f64::max),
            low: most(low, f64::min),
            close,
            ma: points[last].ma,
            bands: points[last].bands.map(|b| [b.upper, b.lower]),
            open_time: bars[first].open_time(),
        }
    };
    groups.values().map(column).collect()
}

/// How much was found and compared.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    closes: usize,
    mas: usize,
    bands: usize,
    times: usize,
}

impl Axis {
    /// Whether a price is where it is drawn, but for `slack` rows and what the labels leave open.
    fn is_near(&self, rows: f64, price: f64, slack: f64) -> bool {
        (self.row_of(price) - rows).abs() <= slack + self.blur + 1e-6
    }
}

fn is_body(sign: Sign) -> bool {
    matches!(sign, Sign::Body(..) | Sign::MaOverBody)
}

/// Where the figure that ends a body in this cell may be, and how far off: half a cell is as near
/// as it gets, and under a line only the cell is seen.
fn end_of(sign: Sign, row: usize) -> (f64, f64) {
    match sign {
        Sign::Body(true, false) => (row as f64 - 0.25, 0.25),
        Sign::Body(false, true) => (row as f64 + 0.25, 0.25),
        _ => (row as f64, 0.5),
    }
}

fn compare_candle(signs: &[Sign], w: &Wanted, axis: &Axis, found: &mut Compared) -> Result<(), String> {
    let ends = signs.iter().position(|s| is_body(*s)).zip(signs.iter().rposition(|s| is_body(*s)));
    match (w.open.zip(w.close), ends) {
        (Some((open, close)), Some((top, bottom))) => {
            let (upper, lower) = (end_of(signs[top], top), end_of(signs[bottom], bottom));
            let (of_close, of_open) = if close >= open { (upper, lower) } else { (lower, upper) };
            let is_right =
                axis.is_near(of_close.0, close, of_close.1) && axis.is_near(of_open.0, open, of_open.1);
            if !is_right || !signs[top..=bottom].iter().all(|s| is_body(*s)) {
                return Err(format!("body in rows {upper:?}..{lower:?}"));
            }
            found.closes += 1;
        }
        (None, None) => {}
        (known, drawn) => return Err(format!("open and close {known:?}, body {drawn:?}")),
    }
    let is_wick = |s: &Sign| matches!(s, Sign::Wick(..) | Sign::MaOverWick);
    let ends = signs.iter().position(is_wick).zip(signs.iter().rposition(is_wick));
    let Some((top, bottom)) = ends else { return Ok(()) };
    let (high, low) = w.high.zip(w.low).ok_or("a wick of nothing")?;
    let is_within = axis.row_of(high) <= top as f64 + 0.5 + axis.blur
        && axis.row_of(low) >= bottom as f64 - 0.5 - axis.blur;
    if is_within { Ok(()) } else { Err(format!("a wick in rows {top}..{bottom}")) }
}

fn compare_lines(signs: &[Sign], w: &Wanted, axis: &Axis, found: &mut Compared) -> Result<(), String> {
    let is_ma = |s: &Sign| matches!(s, Sign::Ma | Sign::MaOverBody | Sign::MaOverWick);
    let mas: Vec<usize> = (0..signs.len()).filter(|n| is_ma(&signs[*n])).collect();
    match (w.ma, &mas[..]) {
        (Some(ma), [row]) if axis.is_near(*row as f64, ma, 0.5) => found.mas += 1,
        (None, []) => {}
        (ma, rows) => return Err(format!("average {ma:?} in rows {rows:?}")),
    }
    let bands = || w.bands.into_iter().flatten();
    for (row, _) in signs.iter().enumerate().filter(|(_, s)| **s == Sign::Band) {
        if !bands().any(|price| axis.is_near(row as f64, price, 0.5)) {
            return Err(format!("a band in row {row}"));
        }
    }
    for price in bands() {
        let at = axis.row_of(price);
        let last = signs.len() as f64 - 0.5 - axis.blur;
        if at < -0.5 + axis.blur || at > last {
            continue;
        }
        // A candle or the average goes before a band.
        let rows = [at - axis.blur, at + axis.blur].map(|r| r.round().max(0.0) as usize);
        if rows.iter().all(|row| signs.get(*row).is_none_or(|s| *s == Sign::Nothing)) {
            return Err(format!("no band in row {at}"));
        }
        found.bands += 1;
    }
    Ok(())
}

/// Compares every column on screen; `newest` says whether the last one is the newest, else the
/// first one is the oldest.
fn compare(app: &App, size: (u16, u16), (zoom, hama, newest): (i64, bool, bool), found: &mut Compared) {
    let (place, buffer) = (place_of(size), buffer(app));
    let lane = &app.snapshot().rows[0].lanes[app.lane()];
    let bars = lane.klines.as_ref().unwrap();
    let mut columns = HamaColumns::new(&app.snapshot().preset, lane.interval);
    columns.compute(bars);
    let points: Vec<HamaPoint> = (0..bars.len()).map(|n| columns.point(n).unwrap()).collect();
    let all = wanted(bars, &points, lane.interval, zoom, hama);
    let shown = usize::from(place.cols).min(all.len());
    let on_screen = if newest { &all[all.len() - shown..] } else { &all[..shown] };
    let axis = read_axis(&buffer, &place, app.snapshot().rows[0].tick.decimals);
    let left = place.cols - u16::try_from(shown).unwrap();
    for (x, w) in (left..place.cols).zip(on_screen) {
        let signs: Vec<Sign> =
            (0..place.rows).map(|row| sign(buffer[(x, place.first + row)].symbol())).collect();
        let compared = compare_candle(&signs, w, &axis, found);
        if let Err(why) = compared.and_then(|()| compare_lines(&signs, w, &axis, found)) {
            panic!("column {x}: {why}\n{w:?}\n{axis:?}\n{signs:?}\n{}", text(&buffer));
        }
    }
    for x in 0..left {
        assert!((0..place.rows).all(|row| buffer[(x, place.first + row)].symbol() == " "), "column {x}");
    }
    found.times += compare_times(&buffer, &place, left, on_screen);
}

/// Every time on the axis is that of the column above its mark.
fn compare_times(buffer: &Buffer, place: &Place, left: u16, on_screen: &[Wanted]) -> usize {
    let volume = if place.rows > 11 { 2 } else { 1 };
    let y = place.first + place.rows + volume;
    let marks = (left..place.cols).filter(|x| ["╵", "|"].contains(&buffer[(*x, y)].symbol()));
    let mut count = 0;
    for x in marks {
        let said: String = (x + 1..x + 12).map(|x| buffer[(x, y)].symbol()).collect();
        let open = on_screen[usize::from(x - left)].open_time;
        assert_eq!(
            said,
            crate::app::zone::Zone::default().time(open, crate::app::text::Precision::Day),
            "{}",
            text(buffer)
        );
        count += 1;
    }
    count
}

#[test]
fn every_column_of_a_chart_says_what_the_figures_say() {
    let mut found = Compared::default();
    for (symbol, notation) in [("BTCUSDT", Notation::Unicode), ("1000PEPEUSDT", Notation::Ascii)] {
        let picture = Arc::new(replayed::picture(symbol, UNTIL));
        for size in [(120, 36), (80, 24), (60, 16), (200, 60)] {
            let config = AppConfig { notation, ..AppConfig::default() };
            let mut app = App::new(config, Arc::clone(&picture));
            app.update(MADE, Msg::Resize(size.0, size.1));
            press(&mut app, "<ret>");
            for (zoom, keys) in [(1, ""), (2, "-"), (4, "--"), (12, "---")] {
                press(&mut app, keys);
                for keys in ["", "t", "]", "]g", "t0", "[["] {
                    press(&mut app, keys);
                    let view = app.chart_view();
                    let hama = view.candles == crate::app::chart::Candles::Hama;
                    compare(&app, size, (zoom, hama, view.follows), &mut found);
                }
            }
        }
    }
    assert!(found.closes > 10_000 && found.mas > 10_000 && found.bands > 4_000, "{found:?}");
    assert!(found.times > 400, "{found:?}");
}
