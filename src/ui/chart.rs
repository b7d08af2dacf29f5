//! A chart's cells as signs: candles, lines, volume, axes.
//!
//! Up and down differ in shape, so that no colour is needed: a candle that goes up is wide, one
//! that goes down is narrow; in 7 bits they are `#` and `O`.

use crate::app::chart::{Cell, Chart, Ink, Layer, Layers, Line, Turn};
use crate::app::column::Align;
use crate::app::detail::area::{AXIS, Area};
use crate::app::text::Precision;
use crate::app::value::{Notation, Value};
use crate::app::zone::Zone;
use crate::domain::symbol::Tick;

use super::canvas::Canvas;
use super::theme::Role;

/// Columns that a time takes, and a gap.
const TIME_COLUMNS: usize = 14;

/// Volume from nothing to a whole cell.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const RAMP: [&str; 7] = [" ", "_", ".", "-", "=", "+", "#"];

/// Draws the chart with its axes.
pub(super) fn draw(
    chart: &Chart,
    area: Area,
    (tick, layers, zone): (Tick, Layers, &Zone),
    canvas: &mut Canvas<'_>,
) {
    let left = area.cols.saturating_sub(u16::try_from(chart.columns.len()).unwrap_or(u16::MAX));
    for (column, x) in (left..area.cols).enumerate() {
        for row in 0..chart.scale.rows() {
            let (sign, role) = sign(chart.cell(column, row), canvas.notation);
            if sign != " " {
                canvas.text(x, area.chart() + row, 1, sign, role);
            }
        }
    }
    draw_prices(chart, area, tick, canvas);
    if layers.has(Layer::Volume) {
        draw_volume(chart, area, left, canvas);
    }
    draw_times(chart, area, (left, zone), canvas);
}

fn draw_prices(chart: &Chart, area: Area, tick: Tick, canvas: &mut Canvas<'_>) {
    let mut label = String::new();
    for row in chart.price_rows() {
        label.clear();
        Value::Price(chart.scale.price(row), tick).write(canvas.notation, usize::from(AXIS - 2), &mut label);
        let at = (area.cols + 1, area.chart() + row);
        canvas.field(at, AXIS - 2, Align::Right, &label, Role::Dim);
    }
}

/// Marks the live price beside the scale, or where it is beyond it.
pub(super) fn draw_live(chart: &Chart, area: Area, price: f64, canvas: &mut Canvas<'_>) {
    let [here, above, below] =
        if canvas.notation == Notation::Ascii { ["<", "^", "v"] } else { ["◄", "▲", "▼"] };
    let (row, sign) = match chart.scale.row(price) {
        Some(row) => (row, here),
        None if price > chart.scale.price(0) => (0, above),
        None => (chart.scale.rows() - 1, below),
    };
    canvas.text(area.cols, area.chart() + row, 1, sign, Role::Preview);
}

fn draw_volume(chart: &Chart, area: Area, left: u16, canvas: &mut Canvas<'_>) {
    let levels: &[&str] = if canvas.notation == Notation::Ascii { &RAMP } else { &EIGHTHS };
    let whole = u16::try_from(levels.len() - 1).unwrap_or(1);
    let first = area.chart() + chart.scale.rows();
    for (column, x) in (left..area.cols).enumerate() {
        let height = chart.volume_steps(column, whole * area.volume);
        for line in 0..area.volume {
            let below = whole * (area.volume - 1 - line);
            let level = usize::from(height.saturating_sub(below).min(whole));
            if let Some(sign) = levels.get(level).filter(|s| **s != " ") {
                canvas.text(x, first + line, 1, sign, Role::Dim);
            }
        }
    }
    canvas.text(area.cols + 1, first + area.volume - 1, AXIS - 2, "vol", Role::Dim);
}

/// Times below the columns they are of, and a mark where bars are missing.
fn draw_times(chart: &Chart, area: Area, (left, zone): (u16, &Zone), canvas: &mut Canvas<'_>) {
    let y = area.times();
    for (column, time) in chart.times(TIME_COLUMNS) {
        let x = left + u16::try_from(column).unwrap_or(u16::MAX);
        let tick = if canvas.notation == Notation::Ascii { "|" } else { "╵" };
        let text = format!("{tick}{}", zone.time(time, Precision::Day));
        let room = area.cols.saturating_sub(x);
        if usize::from(room) >= TIME_COLUMNS - 2 {
            canvas.text(x, y, room, &text, Role::Dim);
        }
    }
    for (column, x) in (left..area.cols).enumerate() {
        if chart.columns.get(column).is_some_and(|c| c.has_hole) {
            canvas.text(x, y, 1, HOLE, Role::Warn);
        }
    }
}

/// Marks bars that the exchange does not have.
const HOLE: &str = "!";

/// The signs of a chart in words.
pub(super) fn legend(notation: Notation) -> (String, String) {
    let body = |turn, line| {
        let cell = Cell { turn, upper: Ink::Body, lower: Ink::Body, line };
        sign(cell, notation).0
    };
    let (ma, band) = line_signs(notation);
    let lines = format!(
        " chart: {} up  {} down  {ma} average  {} {} average inside a body  {band} bands",
        body(Turn::Up, None),
        body(Turn::Down, None),
        body(Turn::Up, Some(Line::Ma)),
        body(Turn::Down, Some(Line::Ma)),
    );
    let live = if notation == Notation::Ascii { "<" } else { "◄" };
    (lines, format!(" chart: {live} live price  {HOLE} bars are missing that the exchange does not have"))
}

/// What the title says of the signs.
pub(super) fn line_signs(notation: Notation) -> (&'static str, &'static str) {
    if notation == Notation::Ascii { ("~", ".") } else { ("━", "·") }
}

/// A cell's sign. Where the moving average crosses a candle, both are seen; a band goes behind.
fn sign(cell: Cell, notation: Notation) -> (&'static str, Role) {
    let (ma, band) = line_signs(notation);
    let ink = cell.ink();
    match (cell.line, ink) {
        (Some(Line::Ma), Ink::Blank) => return (ma, Role::Key),
        (Some(Line::Ma), ink) => return (crossed(cell.turn, ink, notation), Role::Key),
        (Some(Line::Band), Ink::Blank) => return (band, Role::Dim),
        (_, Ink::Blank) => return (" ", Role::Text),
        _ => {}
    }
    let role = match cell.turn {
        Turn::Up => Role::Up,
        Turn::Down => Role::Down,
        Turn::Unknown => Role::Flat,
    };
    if notation == Notation::Ascii {
        let sign = match (ink, cell.turn) {
            (Ink::Wick, _) => "|",
            (_, Turn::Up) => "#",
            (_, Turn::Down) => "O",
            (_, Turn::Unknown) => ":",
        };
        return (sign, role);
    }
    let sign = match (cell.upper, cell.lower, cell.turn) {
        (Ink::Body, _, Turn::Unknown) | (_, Ink::Body, Turn::Unknown) => "▒",
        (Ink::Body, Ink::Body, Turn::Up) => "█",
        (Ink::Body, _, Turn::Up) => "▀",
        (_, Ink::Body, Turn::Up) => "▄",
        (Ink::Body, Ink::Body, Turn::Down) => "▌",
        (Ink::Body, _, Turn::Down) => "▘",
        (_, Ink::Body, Turn::Down) => "▖",
        (Ink::Wick, Ink::Wick, _) => "│",
        (Ink::Wick, _, _) => "╵",
        (_, Ink::Wick, _) => "╷",
        (Ink::Blank, Ink::Blank, _) => " ",
    };
    (sign, role)
}

/// A candle with the moving average across it.
fn crossed(turn: Turn, ink: Ink, notation: Notation) -> &'static str {
    match (notation, ink, turn) {
        (Notation::Ascii, Ink::Body, Turn::Down) => "Q",
        (Notation::Ascii, Ink::Body, _) => "@",
        (Notation::Ascii, _, _) => "+",
        (_, Ink::Body, Turn::Down) => "╫",
        (_, Ink::Body, _) => "╋",
        (_, _, _) => "┿",
    }
}
