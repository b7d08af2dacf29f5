//! The scanner: the table, the selected pair, the last signals.

use crate::app::action::Action;
use crate::app::behind;
use crate::app::changed::News;
use crate::app::check;
use crate::app::column::{Align, Direction, Field, Reading, needed};
use crate::app::layout::{MARGIN, Placed, Tier, place};
use crate::app::text::{Precision, bar_end};
use crate::app::value::{Notation, Value, state_tone};
use crate::app::{App, Shown};
use crate::domain::hama::{HamaPoint, Sign};
use crate::domain::symbol::{Pair, Tick};
use crate::domain::time::UnixMs;
use crate::market::snapshot::{DataState, LaneView, LinkState, Row, SignalEvent};
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use super::signals;
use super::theme::Role;

/// Draws the table and what stands below it.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let shape = app.shape();
    let placed = place(&app.column_set(), shape.cols);
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
        draw_row(canvas, &placed, row, y, &reading, &mut scratch);
        draw_check(app, canvas, &placed, row, y);
        draw_margin(app, canvas, row, y, at);
        if at == app.place() {
            let named = placed.iter().filter(|p| matches!(p.column.field, Field::Sym | Field::Market));
            canvas.select(y, MARGIN..named.map(|p| p.x + p.width).max().unwrap_or(MARGIN));
        }
    }
    if app.matches() == 0 {
        draw_empty(app, canvas, first + 1, page - 1);
    }
    let below = shape.rows - shape.below();
    match shape.tier {
        Tier::Roomy => {
            draw_selected(app, canvas, below);
            draw_signals(app, canvas, below + 3, 3);
        }
        Tier::Full => {
            strip(app, canvas, below, &short_strip(app));
            signal_lines(app, canvas, below + 1, 2);
        }
        // No room for a rule: a mark in the corner.
        Tier::Reduced if app.matches() > app.top() + page => {
            canvas.text(shape.cols - 1, below - 1, 1, "v", Role::Key);
        }
        Tier::Reduced | Tier::TooSmall => {}
    }
}

/// What to do about an empty table.
pub(super) fn empty_text(app: &App) -> String {
    let total = app.snapshot().rows.len();
    let unknown = match app.unknown() {
        0 => String::new(),
        n => format!(", of {n} it is not known"),
    };
    if total > 0 && app.prompt().is_some() {
        // There the key would be typed.
        format!("0 of {total} match{unknown}")
    } else if total > 0 && app.shown() == Shown::Marked {
        format!("no marked pair matches; {} shows the others", app.key_of(Action::OnlyMarked))
    } else if total > 0 {
        format!("0 of {total} match{unknown}; {} clears the filter", app.key_of(Action::ClearFilter))
    } else {
        "waiting for the exchange's list of pairs".to_owned()
    }
}

/// Lasting words in place of the rows: what is waited for, and what stands in its way.
fn draw_empty(app: &App, canvas: &mut Canvas<'_>, first: u16, lines: usize) {
    let width = canvas.cols().saturating_sub(4);
    let wrapped = empty_lines(app)
        .into_iter()
        .flat_map(|(text, role)| wrap(&text, usize::from(width)).into_iter().map(move |line| (line, role)));
    for (y, (line, role)) in (first..).zip(wrapped.take(lines)) {
        canvas.text(2, y, width, &line, role);
    }
}

fn empty_lines(app: &App) -> Vec<(String, Role)> {
    let snapshot = app.snapshot();
    let mut lines = vec![(empty_text(app), Role::Text)];
    if !snapshot.rows.is_empty() {
        return lines;
    }
    let universe = &snapshot.universe;
    for (market, why) in &universe.failed {
        lines.push((format!("{market} list of pairs: {why}"), Role::Bad));
    }
    for rest in &snapshot.rest {
        let Some((error, _)) = &rest.last_error else { continue };
        if universe.failed.iter().all(|(_, why)| why != error) {
            lines.push((format!("{} REST: {error}", rest.market), Role::Bad));
        }
    }
    for link in &snapshot.links {
        if let LinkState::Down { why, retry } = &link.state {
            let next = retry.map_or_else(
                || "not tried again".to_owned(),
                |t| format!("tried again in {}s", t.since(app.now()).as_secs() + 1),
            );
            lines.push((format!("{} socket {}: {why}; {next}", link.market, link.conn), Role::Bad));
        }
    }
    for unknown in &universe.unknown {
        lines.push((format!("no market here has the pair {}", unknown.name), Role::Warn));
    }
    for pair in &universe.not_trading {
        lines.push((format!("{} {} is not traded now", pair.symbol, pair.market), Role::Warn));
    }
    if !universe.failed.is_empty() {
        lines.push(("the list is asked for again by itself; R asks at once, q leaves".to_owned(), Role::Dim));
    }
    lines
}

/// Breaks a sentence between words, and words that are longer than a line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |l| l.width());
        if used > 0 && used + 1 + word.width() > width {
            lines.push("  ".to_owned());
        } else if used > 0 {
            lines.last_mut().into_iter().for_each(|l| l.push(' '));
        }
        for c in word.chars() {
            if lines.last().is_some_and(|l| l.width() >= width) {
                lines.push("  ".to_owned());
            }
            lines.last_mut().into_iter().for_each(|l| l.push(c));
        }
    }
    lines
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
        if sorted && p.column.field == Field::Score {
            // Sorted on its size: the bars say so, in the gaps beside the column.
            let title = if arrow == '^' { "|SCORE|^" } else { "|SCORE|" };
            canvas.text(p.x - 1, y, 8, title, role);
            continue;
        }
        canvas.field((p.x, y), p.width, p.column.field.look().align, &title, role);
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    placed: &[Placed],
    row: &Row,
    y: u16,
    reading: &Reading,
    scratch: &mut String,
) {
    let old = row.state == DataState::Delisted || row.state == DataState::Failed;
    for p in placed {
        let value = p.column.value(row, reading);
        scratch.clear();
        value.write(canvas.notation, usize::from(p.width), scratch);
        let role = match value.tone().into() {
            // What it was keeps its sign, not its colour: it may have changed since.
            _ if is_figure(&value) && p.column.state(row, reading) != DataState::Live => Role::Stale,
            Role::Text if old => Role::Dim,
            role => role,
        };
        let align = match value {
            Value::Absent if p.column.field.look().align == Align::Right => Align::Right,
            _ => p.column.field.look().align,
        };
        canvas.field((p.x, y), p.width, align, scratch, role);
    }
}

/// How the row compares with REST, while that is news: in the place of the note.
fn draw_check(app: &App, canvas: &mut Canvas<'_>, placed: &[Placed], row: &Row, y: u16) {
    let note = placed.iter().find(|p| p.column.field == Field::Note);
    let Some((p, check)) = note.zip(check::note_of(row, app.now())) else { return };
    let mut text = String::new();
    let _ = check.write(&app.config().zone, &mut text);
    canvas.text(p.x, y, p.width, &" ".repeat(usize::from(p.width)), Role::Text);
    canvas.text(p.x, y, p.width, &text, check.tone().into());
}

/// Before the name: the cursor or what is new, the state of the data, the user's mark.
fn draw_margin(app: &App, canvas: &mut Canvas<'_>, row: &Row, y: u16, at: usize) {
    let (sign, role) = match (at == app.place(), app.news(at)) {
        (true, None) => (">", Role::Title),
        (true, Some(_)) => (canvas.notation.changed_cursor(), Role::Title),
        (false, Some(News::New)) => ("n", Role::Key),
        (false, Some(News::Changed)) => (canvas.notation.changed(), Role::Key),
        (false, None) => (" ", Role::Text),
    };
    canvas.text(0, y, 1, sign, role);
    let (mark, role) = if check::is_asked(row) { CHECKING } else { state_mark(row.state) };
    canvas.text(1, y, 1, mark, role);
    if app.marks().contains(&row.pair) {
        canvas.text(2, y, 1, "*", Role::Key);
    }
}

/// Whether a value is a figure of the market, which ages, and not a word about the row.
pub(super) fn is_figure(value: &Value<'_>) -> bool {
    use Value::{Age, Note, State, Text, Warming};
    !matches!(value, Text(..) | Note(_) | Age { .. } | State(_) | Warming(..))
}

/// REST is being asked how the row compares.
pub(super) const CHECKING: (&str, Role) = ("?", Role::Key);

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
        strip(app, canvas, y, "no pair selected");
        return;
    };
    let pool = row.pool.as_str();
    let (name, trends) = (name(app, &row.pair), trends_text(row, app, canvas.notation));
    let rank = format!(
        "{name}{}  rank {} of {}  pool {pool}  {trends}",
        off_screen(app),
        app.place() + 1,
        app.matches()
    );
    strip(app, canvas, y, &rank);
    let Some(lane) = row.lanes.get(app.lane()) else { return };
    let cols = canvas.cols();
    let head = format!(" {:<4}", lane.interval);
    let closed = closed_text(&lane.point, row.tick).unwrap_or_else(|| missing_text(lane));
    let x = canvas.spans(0, y + 1, cols, &[(&head, Role::Title), (&closed, Role::Text)]);
    if let Some(time) = lane.point.last_cross.and_then(|c| c.time) {
        let text = format!("  crossed {}", app.config().zone.stamp(bar_end(time), Precision::Day));
        canvas.text(x, y + 1, cols.saturating_sub(x), &text, Role::Dim);
    }
    let amiss = amiss_text(row, app.exchange_now());
    let mut x = if row.state == DataState::Live { 5 } else { 1 };
    if row.state != DataState::Live {
        // The sentence in full comes first where it matters most.
        let role = state_tone(row.state).into();
        x = canvas.spans(x, y + 2, cols, &[(&amiss, role), ("  ", Role::Text)]);
    }
    let score = lane.point.score.map(|s| format!("{} score {s:+.0}", lane.interval)).unwrap_or_default();
    match preview_texts(lane, row.tick) {
        Some((forming, would)) => {
            let spans = [(forming.as_str(), Role::Preview), (&score, Role::Text), (&would, Role::Preview)];
            x = canvas.spans(x, y + 2, cols, &spans);
        }
        None => x = canvas.spans(x, y + 2, cols, &[(&score, Role::Text)]),
    }
    if row.state == DataState::Live {
        canvas.spans(x, y + 2, cols, &[("  ", Role::Text), (&amiss, Role::Dim)]);
    }
}

/// The rule below the table, with how much of the table is not on screen.
fn strip(app: &App, canvas: &mut Canvas<'_>, y: u16, title: &str) {
    let cols = canvas.cols();
    let fold = fold_text(app);
    let end = cols.saturating_sub(u16::try_from(fold.len()).unwrap_or(0));
    canvas.rule_between(0, end, y, title);
    canvas.text(end, y, cols - end, &fold, Role::Key);
}

fn fold_text(app: &App) -> String {
    let (page, matches) = (app.shape().page(), app.matches());
    if matches <= page {
        return String::new();
    }
    format!(" rows {}-{} of {matches} ", app.top() + 1, (app.top() + page).min(matches))
}

/// Where the selected row is when the screen has not gone after it.
fn off_screen(app: &App) -> &'static str {
    match app.place() {
        place if place < app.top() => " (above)",
        place if place >= app.top() + app.shape().page() => " (below)",
        _ => "",
    }
}

/// The symbol, and the market where there are several.
pub(super) fn name(app: &App, pair: &Pair) -> String {
    if app.snapshot().markets.len() > 1 {
        format!("{} {}", pair.symbol, pair.market)
    } else {
        pair.symbol.to_string()
    }
}

/// `trend 15m ▲ 1h ▲ 4h ▲  cross 15m up 3b, 1h up 3b, 4h up >398`
fn trends_text(row: &Row, app: &App, notation: Notation) -> String {
    let mut trends = "trend".to_owned();
    let mut crosses = String::new();
    for lane in &row.lanes {
        let trend = lane.point.trend.map_or(notation.absent(), |t| notation.trend(t));
        let _ = write!(trends, " {} {trend}", lane.interval);
        if let Some(cross) = lane.point.last_cross
            && behind::missing(lane, app.exchange_now()) == 0
        {
            let start = if crosses.is_empty() { "  cross" } else { "," };
            let _ = write!(crosses, "{start} {} ", lane.interval);
            Value::Cross(cross).write(notation, 8, &mut crosses);
        }
    }
    trends + &crosses
}

/// Everything that is amiss, in whole sentences: intervals with the same trouble together.
fn amiss_text(row: &Row, now: Option<UnixMs>) -> String {
    let mut parts: Vec<(String, String)> = Vec::new();
    // Where bars are all that is missing, their count says so.
    let told_by_bars = |l: &LaneView| l.state == DataState::Warming && l.why.is_none() && l.bars < l.need;
    for lane in row.lanes.iter().filter(|l| l.state != DataState::Live && !told_by_bars(l)) {
        let why = lane.why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
        let bars = if lane.state == DataState::Stale { "bars " } else { "" };
        let text = format!("{bars}{}{why}", lane.state.as_str());
        match parts.iter_mut().find(|(_, known)| *known == text) {
            Some((intervals, _)) => {
                let _ = write!(intervals, " {}", lane.interval);
            }
            None => parts.push((lane.interval.to_string(), text)),
        }
    }
    for lane in row.lanes.iter().filter(|l| l.bars < l.need) {
        parts.push((lane.interval.to_string(), format!("{}/{} bars", lane.bars, needed(lane))));
    }
    let mut out = missing_closes(row, now);
    if !out.is_empty() && !parts.is_empty() {
        out.push_str("; ");
    }
    out += &parts.iter().map(|(i, text)| format!("{i} {text}")).collect::<Vec<_>>().join("; ");
    if let Some(score) = row.score.filter(|s| s.coverage < 1.0) {
        let _ = write!(out, "; * score of {:.0}%", score.coverage * 100.0);
    }
    out
}

/// `15m: 9 closes missing, 1h: 2, 4h: 1`
fn missing_closes(row: &Row, now: Option<UnixMs>) -> String {
    let mut out = String::new();
    for lane in &row.lanes {
        match behind::missing(lane, now) {
            0 => {}
            n if out.is_empty() => {
                let _ = write!(out, "{}: ", lane.interval);
                let _ = behind::write_missing(n, &mut out);
            }
            n => {
                let _ = write!(out, ", {}: {n}", lane.interval);
            }
        }
    }
    out
}

fn closed_text(point: &HamaPoint, tick: Tick) -> Option<String> {
    let (close, ma, dev) = (point.close?, point.ma?, point.dev_pct?);
    let sign = side_sign(point.side?);
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

fn side_sign(side: Sign) -> char {
    match side {
        Sign::Up => '>',
        Sign::Flat => '=',
        Sign::Down => '<',
    }
}

fn missing_text(lane: &LaneView) -> String {
    let state = lane.state.as_str();
    let why = lane.why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
    format!("{state}{why}  {}/{} bars for the score, {} for all", lane.bars, lane.need_score, lane.need)
}

/// What the forming bar would make of it, before and after the closed score; every figure of it is
/// marked. Nothing where it isn't kept true.
fn preview_texts(lane: &LaneView, tick: Tick) -> Option<(String, String)> {
    let preview = lane.preview.as_ref().filter(|_| lane.state == DataState::Live)?;
    let mut out = format!("forming~ bar close {}", tick.format(preview.bar.close()));
    if let (Some(close), Some(dev)) = (preview.point.close, preview.point.dev_pct) {
        let _ = write!(out, " HAMA {} ({dev:+.2}%)", tick.format(close));
    }
    out.push_str("  ");
    let would = preview.point.score.map(|score| format!(", forming {score:+.0}~")).unwrap_or_default();
    Some((out, would))
}

/// The selected pair in one line.
fn short_strip(app: &App) -> String {
    let Some(row) = app.selected() else { return "no pair selected".to_owned() };
    let Some(lane) = row.lanes.get(app.lane()) else { return row.pair.symbol.to_string() };
    let point = &lane.point;
    let text = match (point.close, point.ma, point.dev_pct) {
        (Some(close), Some(ma), Some(dev)) => {
            let sign = point.side.map_or('?', side_sign);
            format!("HAMA {} {sign} MA {} {dev:+.1}%", row.tick.format(close), row.tick.format(ma))
        }
        _ => missing_text(lane),
    };
    let pos = point.bands.and_then(|b| b.pos).map(|p| format!("  BB pos {p:.2}")).unwrap_or_default();
    let name = name(app, &row.pair) + off_screen(app);
    if row.state != DataState::Live {
        return format!("{name}: {}", amiss_text(row, app.exchange_now()));
    }
    format!("{name} {}: {text}{pos}", lane.interval)
}

fn draw_signals(app: &App, canvas: &mut Canvas<'_>, y: u16, lines: u16) {
    let title = app.config().zone.heading("last signals, of closed bars", app.exchange_now(), usize::MAX);
    canvas.rule(y, &title);
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
    let tick = signal.tick;
    let (word, role) = signals::cross_word(signal.dir);
    let cols = canvas.cols();
    let (zone, closed) = (&app.config().zone, bar_end(signal.close_time));
    let stamp = zone.stamp(closed, Precision::Minute);
    // Where the zone's mark is too long for the field, the clock in the header has it.
    let time = if stamp.len() > 6 { zone.time(closed, Precision::Minute) } else { stamp };
    canvas.text(1, y, 6, &time, Role::Dim);
    canvas.text(8, y, 18, &name(app, &signal.pair), Role::Text);
    canvas.text(27, y, 3, signal.interval.as_str(), Role::Text);
    canvas.text(32, y, 8, word, role);
    let figures = format!("HAMA {} / MA {}", tick.format(signal.hama_close), tick.format(signal.ma));
    let end = canvas.text(42, y, cols.saturating_sub(42), &figures, Role::Text);
    let lag = format!("   {} after the close", super::header::lag_text(signal.lag));
    if usize::from(cols.saturating_sub(end)) > lag.len() {
        canvas.text(end, y, cols - end, &lag, Role::Dim);
    }
}
