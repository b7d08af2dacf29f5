//! The scanner: the table, the selected pair, the last signals.

use crate::app::App;
use crate::app::column::{Align, Column, Direction, Reading};
use crate::app::layout::{Placed, Tier, place};
use crate::app::text::{Precision, utc};
use crate::app::value::Value;
use crate::domain::hama::{HamaPoint, Sign};
use crate::domain::symbol::Tick;
use crate::market::snapshot::{DataState, LaneView, Row, SignalEvent};
use std::fmt::Write as _;

use super::canvas::Canvas;
use super::theme::Role;

/// Draws the table and what stands below it.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let shape = app.shape();
    let placed = place(app.columns(), shape.cols);
    let first = shape.above();
    if shape.tier == Tier::Roomy {
        canvas.rule(first - 2, "");
    }
    draw_heading(app, canvas, &placed, first - 1);
    let page = shape.page();
    let reading = app.reading();
    let mut scratch = String::with_capacity(64);
    let visible = app.top()..app.top() + page;
    for (y, (at, row)) in (first..).zip(visible.zip(app.rows_from(app.top()))) {
        draw_row(canvas, &placed, row, (y, at == app.place()), &reading, &mut scratch);
    }
    if app.matches() == 0 {
        canvas.text(2, first + 1, shape.cols - 2, &empty_text(app), Role::Dim);
    }
    let below = shape.rows - shape.below();
    match shape.tier {
        Tier::Roomy => {
            draw_selected(app, canvas, below);
            draw_signals(app, canvas, below + 3, 3);
        }
        Tier::Full => {
            canvas.rule(below, &short_strip(app));
            signal_lines(app, canvas, below + 1, 2);
        }
        Tier::Reduced | Tier::TooSmall => {}
    }
}

/// What to do about an empty table.
pub(super) fn empty_text(app: &App) -> String {
    let total = app.snapshot().rows.len();
    if total > 0 {
        format!("0 of {total} match; \\ clears the filter")
    } else {
        "waiting for the exchange's list of pairs".to_owned()
    }
}

fn draw_heading(app: &App, canvas: &mut Canvas<'_>, placed: &[Placed], y: u16) {
    let sort = app.sort();
    for p in placed {
        let sorted = p.column == sort.column;
        let mut title = p.column.title();
        let arrow = if sort.direction() == Direction::Falling { 'v' } else { '^' };
        if sorted && title.len() < usize::from(p.width) {
            title.push(arrow);
        }
        let role = if sorted { Role::Key } else { Role::Heading };
        canvas.field((p.x, y), p.width, p.column.field.spec().align, &title, role);
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    placed: &[Placed],
    row: &Row,
    (y, selected): (u16, bool),
    reading: &Reading,
    scratch: &mut String,
) {
    let old = row.state == DataState::Delisted || row.state == DataState::Failed;
    for p in placed {
        let value = p.column.value(row, reading);
        scratch.clear();
        value.write(canvas.notation, usize::from(p.width), scratch);
        let role = match value.tone().into() {
            Role::Text if old => Role::Dim,
            role if is_figure(&value) && p.column.state(row, reading) != DataState::Live => match role {
                Role::Dim => Role::Dim,
                // What it was keeps its sign, not its colour: it may have changed since.
                _ => Role::Stale,
            },
            role => role,
        };
        let align = match value {
            Value::Absent if p.column.field.spec().align == Align::Right => Align::Right,
            _ => p.column.field.spec().align,
        };
        canvas.field((p.x, y), p.width, align, scratch, role);
    }
    let (mark, role) = state_mark(row.state);
    canvas.text(1, y, 1, mark, role);
    if selected {
        canvas.text(0, y, 1, ">", Role::Title);
        canvas.wash(y, Role::Selected);
    }
}

/// Whether a value is a figure of the market, which ages, and not a word about the row.
fn is_figure(value: &Value<'_>) -> bool {
    !matches!(value, Value::Text(..) | Value::Note(_) | Value::Age { .. } | Value::State(_))
}

/// One sign before the name, also where the note has no room.
pub(super) fn state_mark(state: DataState) -> (&'static str, Role) {
    match state {
        DataState::Live => (" ", Role::Text),
        DataState::Warming => ("+", Role::Dim),
        DataState::Stale => ("!", Role::Warn),
        DataState::Failed => ("x", Role::Bad),
        DataState::Delisted => ("-", Role::Dim),
    }
}

/// The selected pair at length: three lines.
fn draw_selected(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let Some(row) = app.selected() else {
        canvas.rule(y, "no pair selected");
        return;
    };
    let pool = crate::app::column::pool_word(row.pool);
    let rank = format!("{}  rank {} of {}  pool {pool}", row.pair.symbol, app.place() + 1, app.matches());
    canvas.rule(y, &rank);
    let Some(lane) = row.lanes.get(app.lane()) else { return };
    let cols = canvas.cols();
    let head = format!(" {:<4}", lane.interval);
    let closed = closed_text(&lane.point, row.tick).unwrap_or_else(|| missing_text(lane));
    let x = canvas.spans(0, y + 1, cols, &[(&head, Role::Title), (&closed, Role::Text)]);
    if let Some(time) = lane.point.last_cross.and_then(|c| c.time) {
        let text = format!("  crossed {}Z", utc(time, Precision::Day));
        canvas.text(x, y + 1, cols.saturating_sub(x), &text, Role::Dim);
    }
    let forming = preview_text(lane, row.tick);
    let x = canvas.spans(0, y + 2, cols, &[("     ", Role::Text), (&forming, Role::Preview)]);
    let mut others = String::new();
    for lane in &row.lanes {
        let trend = lane.point.trend.map_or(canvas.notation.absent(), |t| canvas.notation.trend(t));
        let _ = write!(others, "   {} {trend}", lane.interval);
        if let Some(c) = lane.point.last_cross {
            let sign = if c.inferred { ">" } else { "" };
            let _ = write!(others, " {sign}{}b", c.bars);
        }
    }
    canvas.text(x, y + 2, cols.saturating_sub(x), &others, Role::Text);
}

fn closed_text(point: &HamaPoint, tick: Tick) -> Option<String> {
    let (close, ma, dev) = (point.close?, point.ma?, point.dev_pct?);
    let sign = match point.side? {
        Sign::Up => '>',
        Sign::Flat => '=',
        Sign::Down => '<',
    };
    let price = |v: f64| tick.format(v);
    let mut out = format!("HAMA {} {sign} MA {} ({dev:+.2}%)", price(close), price(ma));
    match &point.bands {
        Some(b) => {
            let bands = format!("  BB {} / {} / {}", price(b.lower), price(b.basis), price(b.upper));
            out.push_str(&bands);
            let _ = write!(out, " width {:.1}%", b.width * 100.0);
            if let Some(pos) = b.pos {
                let _ = write!(out, " pos {pos:.2}");
            }
        }
        None => out.push_str("  BB not yet"),
    }
    Some(out)
}

fn missing_text(lane: &LaneView) -> String {
    let state = crate::app::value::state_word(lane.state);
    let why = lane.why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
    format!("{state}{why}  {}/{} bars for the score, {} for all", lane.bars, lane.need_score, lane.need)
}

/// What the forming bar would make of it; every figure of it carries the mark.
fn preview_text(lane: &LaneView, tick: Tick) -> String {
    let Some(preview) = &lane.preview else { return "no forming bar".to_owned() };
    let mut out = format!("forming~ close {}", tick.format(preview.bar.close()));
    if let (Some(close), Some(dev)) = (preview.point.close, preview.point.dev_pct) {
        let _ = write!(out, " HAMA {} ({dev:+.2}%)", tick.format(close));
    }
    if let Some(score) = preview.point.score {
        let _ = write!(out, " score {score:+.0}");
    }
    out.push('~');
    out
}

/// The selected pair in one line.
fn short_strip(app: &App) -> String {
    let Some(row) = app.selected() else { return "no pair selected".to_owned() };
    let Some(lane) = row.lanes.get(app.lane()) else { return row.pair.symbol.to_string() };
    let point = &lane.point;
    let text = match (point.close, point.ma, point.dev_pct) {
        (Some(close), Some(ma), Some(dev)) => {
            let sign = if dev < 0.0 { '<' } else { '>' };
            format!("HAMA {} {sign} MA {} {dev:+.1}%", row.tick.format(close), row.tick.format(ma))
        }
        _ => missing_text(lane),
    };
    let pos = point.bands.and_then(|b| b.pos).map(|p| format!("  BB pos {p:.2}")).unwrap_or_default();
    format!("{} {}: {text}{pos}", row.pair.symbol, lane.interval)
}

fn draw_signals(app: &App, canvas: &mut Canvas<'_>, y: u16, lines: u16) {
    canvas.rule(y, "last signals, of closed bars");
    signal_lines(app, canvas, y + 1, lines);
}

fn signal_lines(app: &App, canvas: &mut Canvas<'_>, y: u16, lines: u16) {
    let signals = &app.snapshot().signals;
    if signals.is_empty() {
        canvas.text(1, y, canvas.cols() - 1, "no cross since the program started", Role::Dim);
        return;
    }
    for (n, signal) in (0..lines).zip(signals.iter().rev()) {
        signal_line(app, signal, canvas, y + n);
    }
}

fn signal_line(app: &App, signal: &SignalEvent, canvas: &mut Canvas<'_>, y: u16) {
    let row = app.snapshot().rows.iter().find(|r| r.pair == signal.pair);
    let tick = row.map_or(Tick { decimals: 4 }, |r| r.tick);
    let (word, role) = match signal.dir {
        Sign::Up => ("cross up", Role::Up),
        Sign::Down => ("cross dn", Role::Down),
        Sign::Flat => ("cross", Role::Flat),
    };
    let cols = canvas.cols();
    let time = format!("{}Z", utc(signal.close_time, Precision::Second));
    canvas.text(1, y, 9, &time, Role::Dim);
    canvas.text(12, y, 14, signal.pair.symbol.as_str(), Role::Text);
    canvas.text(27, y, 3, signal.interval.as_str(), Role::Text);
    canvas.text(32, y, 8, word, role);
    let figures = format!("HAMA {} / MA {}", tick.format(signal.hama_close), tick.format(signal.ma));
    let end = canvas.text(42, y, cols.saturating_sub(42), &figures, Role::Text);
    let lag = format!("   {} after the close", super::header::lag_text(signal.lag));
    if usize::from(cols.saturating_sub(end)) > lag.len() {
        canvas.text(end, y, cols - end, &lag, Role::Dim);
    }
}

/// The list of columns to sort by.
pub(super) fn draw_sort_picker(app: &App, at: usize, canvas: &mut Canvas<'_>) {
    let columns = app.columns();
    let height = u16::try_from(columns.len()).unwrap_or(u16::MAX).min(canvas.lines().saturating_sub(4));
    let width = 40.min(canvas.cols());
    let left = canvas.cols().saturating_sub(width) / 2;
    let (x, y) = canvas.window(left, 2, (width, height + 2), "sort by  (Enter takes, I inverts)");
    let skip = (at + 1).saturating_sub(usize::from(height));
    for (n, column) in columns.iter().enumerate().skip(skip).take(usize::from(height)) {
        let line = y + u16::try_from(n - skip).unwrap_or(0);
        let role = if n == at { Role::Tab } else { Role::Text };
        canvas.text(x, line, width - 2, &picker_line(*column, app), role);
    }
}

fn picker_line(column: Column, app: &App) -> String {
    let here = if column == app.sort().column { '*' } else { ' ' };
    let about = match column.interval {
        Some(i) => format!("{} on {i}", column.field.spec().about),
        None => column.field.spec().about.to_owned(),
    };
    format!(" {here} {:<10} {about:<22} ", column.title())
}
