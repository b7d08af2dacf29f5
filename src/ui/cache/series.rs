//! Every series of the rows that match, a line each.

use std::fmt::Write as _;

use crate::app::action::Action;
use crate::app::cache::{Act, Plan, SeriesRow};
use crate::app::column::{Column, Field};
use crate::app::text::{Precision, bar_end};
use crate::app::value::{Pulse, Value, state_tone};
use crate::app::{App, behind, check};
use crate::domain::time::UnixMs;
use crate::market::snapshot::LaneView;
use crate::ui::canvas::Canvas;
use crate::ui::scanner::empty_text;
use crate::ui::theme::Role;

/// What a column tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Symbol,
    Interval,
    Bars,
    First,
    LastClose,
    Age,
    Holes,
    State,
    Check,
}

/// The columns with their cells, from the left; a gap of one stands between two.
const CELLS: [(Cell, &str, u16); 9] = [
    (Cell::Symbol, "SYMBOL", 14),
    (Cell::Interval, "TF", 3),
    (Cell::Bars, "BARS", 7),
    (Cell::First, "FIRST", 11),
    (Cell::LastClose, "LAST CLOSE", 11),
    (Cell::Age, "AGE", 4),
    (Cell::Holes, "HOLES", 5),
    (Cell::State, "STATE", 8),
    (Cell::Check, "CHECK, OR WHY NOT LIVE", 20),
];

/// Where the first column begins: the cursor and a sign stand before it.
const LEFT: u16 = 3;

/// What goes first where width is short.
const DROPPED: [Cell; 3] = [Cell::First, Cell::Holes, Cell::LastClose];

/// The columns that fit, and where; the last takes what is left.
fn place(cols: u16) -> Vec<(Cell, &'static str, u16, u16)> {
    let mut cells = CELLS.to_vec();
    let need = |cells: &[(Cell, &str, u16)]| LEFT + cells.iter().map(|c| c.2 + 1).sum::<u16>() - 1;
    for cell in DROPPED {
        if need(&cells) > cols {
            cells.retain(|c| c.0 != cell);
        }
    }
    let mut x = LEFT;
    let mut placed = Vec::with_capacity(cells.len());
    for (cell, title, width) in cells {
        let width = if cell == Cell::Check { cols.saturating_sub(x) } else { width };
        placed.push((cell, title, x, width));
        x += width + 1;
    }
    placed
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, plan: &Plan, cols: u16) {
    let (count, at) = app.series_count();
    let which = if count == 0 { String::new() } else { format!("  {} of {count}", at + 1) };
    let key = app.key_of(Action::Cache(Act::Zoom));
    let zoom = if plan.memory.is_some() { "alone" } else { "with the rest" };
    canvas.rule(plan.series, &format!("series{which}  worst first, then AGE v  {key}: {zoom}"));
    let placed = place(cols);
    for (_, title, x, width) in &placed {
        canvas.text(*x, plan.series + 1, *width, title, Role::Heading);
    }
    let first = plan.pane().first;
    for (y, series) in (first..plan.end).zip(app.series_shown()) {
        for (cell, _, x, width) in &placed {
            let (text, role) = cell_text(app, canvas, *cell, &series);
            canvas.text(*x, y, *width, &text, role);
        }
        if series.lane.check.as_ref().is_some_and(crate::market::snapshot::Check::is_asked) {
            let (sign, role) = crate::ui::scanner::CHECKING;
            canvas.text(1, y, 1, sign, role);
        }
        if series.place == at {
            canvas.text(0, y, 1, ">", Role::Title);
            canvas.select(y, LEFT..LEFT + CELLS[0].2 + 1 + CELLS[1].2);
        }
    }
    if count == 0 {
        canvas.text(2, first, cols - 2, &empty_text(app), Role::Dim);
    }
}

fn cell_text(app: &App, canvas: &Canvas<'_>, cell: Cell, series: &SeriesRow<'_>) -> (String, Role) {
    let lane = series.lane;
    let time = |t: Option<UnixMs>| {
        t.map_or_else(|| canvas.notation.absent().to_owned(), |t| app.config().zone.time(t, Precision::Day))
    };
    let text = match cell {
        Cell::Symbol => series.row.pair.symbol.to_string(),
        Cell::Interval => lane.interval.to_string(),
        Cell::Bars => format!("{}/{}", lane.bars, lane.need),
        Cell::First => time(lane.oldest),
        Cell::LastClose => time(lane.newest.map(|(_, close)| bar_end(close))),
        Cell::Age => return age(app, canvas, series),
        Cell::Holes => lane.holes.to_string(),
        Cell::State => return (lane.state.as_str().to_owned(), state_tone(lane.state).into()),
        Cell::Check => return check_text(app, lane),
    };
    (text, Role::Text)
}

fn age(app: &App, canvas: &Canvas<'_>, series: &SeriesRow<'_>) -> (String, Role) {
    let mut text = String::new();
    let age = Column::on(series.lane.interval, Field::Age).value(series.row, &app.reading());
    age.write(canvas.notation, 4, &mut text);
    let role = match age {
        Value::Age { pulse: Pulse::Live | Pulse::Standing, .. } => Role::Text,
        other => other.tone().into(),
    };
    (text, role)
}

/// What a comparison found while that is news; then what else is the matter; then what it found.
fn check_text(app: &App, lane: &LaneView) -> (String, Role) {
    let told = check::lane_text(lane, app.now(), &app.config().zone).map(|(text, tone)| (text, tone.into()));
    let why = || why_text(app, lane).map(|text| (text, state_tone(lane.state).into()));
    let found = if check::is_news(lane, app.now()) { told } else { why().or(told) };
    found.unwrap_or((String::new(), Role::Text))
}

fn why_text(app: &App, lane: &LaneView) -> Option<String> {
    let mut text = String::new();
    let missing = behind::missing(lane, app.exchange_now());
    if missing > 0 {
        let _ = behind::write_missing(missing, &mut text);
    }
    if let Some(why) = &lane.why {
        let _ = write!(text, "{}{why}", if text.is_empty() { "" } else { ": " });
    }
    (!text.is_empty()).then_some(text)
}
