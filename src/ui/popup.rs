//! The windows over the view: the sort picker, the column editor, the palette, the log.

use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use crate::app::action::Action;
use crate::app::column::Column;
use crate::app::layout::{Frame, place};
use crate::app::list::{List, Pane};
use crate::app::popup::Query;
use crate::app::value::write_span;
use crate::app::{App, LOG_FOOT, Overlay, Palette};
use crate::market::snapshot::{Level, Notice};

use super::canvas::Canvas;
use super::help;
use super::theme::Role;

/// Draws what is open. Says where the text cursor is, where there is one.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    let (frame, pane) = app.frame()?;
    match app.overlay()? {
        Overlay::Help(state) => help::draw(app, state, frame, canvas),
        Overlay::SortPicker(list) => {
            draw_sort_picker(app, list, (frame, pane), canvas);
            None
        }
        Overlay::Columns(list) => {
            draw_editor(app, list, (frame, pane), canvas);
            None
        }
        Overlay::Look(_) => {
            super::look::draw(app, canvas);
            None
        }
        Overlay::Palette(palette) => Some(draw_palette(app, palette, (frame, pane), canvas)),
        Overlay::Log(list) => {
            draw_log(app, list, (frame, pane), canvas);
            None
        }
    }
}

fn window(canvas: &mut Canvas<'_>, frame: Frame, title: &str) -> (u16, u16) {
    let (x, _) = canvas.window(frame.x, frame.y, (frame.width, frame.height), title);
    (x, frame.width.saturating_sub(2))
}

/// The lines of a list that are on screen: their line of the terminal, and their place.
fn lines<K: Clone + PartialEq>(
    list: &List<K>,
    pane: Pane,
    count: usize,
) -> impl Iterator<Item = (u16, usize)> + use<K> {
    (pane.first..).zip(list.visible(pane)).filter(move |(_, place)| *place < count)
}

/// The list of columns to sort by.
fn draw_sort_picker(app: &App, list: &List<Column>, (frame, pane): (Frame, Pane), canvas: &mut Canvas<'_>) {
    let columns = app.columns();
    let (take, invert) = (app.key_of(Action::Accept), app.key_of(Action::Invert));
    let (x, width) = window(canvas, frame, &format!("sort by  ({take} takes, {invert} inverts)"));
    for (y, place) in lines(list, pane, columns.len()) {
        let here = if columns[place] == app.sort().column { '*' } else { ' ' };
        let text = format!("{}{here} {} ", sign(list, place), described(columns[place]));
        canvas.text(x, y, width, &text, chosen(list, place));
    }
}

fn chosen<K: Clone + PartialEq>(list: &List<K>, place: usize) -> Role {
    if place == list.place() { Role::Tab } else { Role::Text }
}

/// A shape for what the colour says.
fn sign<K: Clone + PartialEq>(list: &List<K>, place: usize) -> &'static str {
    if place == list.place() { ">" } else { " " }
}

fn described(column: Column) -> String {
    let about = match column.interval {
        Some(i) => format!("{} on {i}", column.field.spec().about),
        None => column.field.spec().about.to_owned(),
    };
    format!("{:<11} {about:<22}", column.title())
}

/// The columns that are shown, in order, and those that could be.
fn draw_editor(app: &App, list: &List<Column>, (frame, pane): (Frame, Pane), canvas: &mut Canvas<'_>) {
    let set = app.column_set();
    let placed = place(&set, app.shape().cols);
    let title = format!("columns: {}  ({} closes)", set.name, app.key_of(Action::Escape));
    let (x, width) = window(canvas, frame, &title);
    let columns = app.editor_lines();
    for (y, place) in lines(list, pane, columns.len()) {
        let column = columns[place];
        let is_shown = set.columns.contains(&column);
        let note = match () {
            () if set.pinned.contains(&column) => "pinned",
            () if is_shown && placed.iter().all(|p| p.column != column) => "no room",
            () => "",
        };
        let mark = if is_shown { 'x' } else { ' ' };
        let text = format!("{}[{mark}] {}  {note:<8}", sign(list, place), described(column));
        canvas.text(x, y, width, &text, chosen(list, place));
    }
}

/// What is typed, and what is found.
fn draw_palette(
    app: &App,
    palette: &Palette,
    (frame, pane): (Frame, Pane),
    canvas: &mut Canvas<'_>,
) -> Position {
    let (take, close) = (app.key_of(Action::Accept), app.key_of(Action::Escape));
    let (x, width) = window(canvas, frame, &format!("find  ({take} takes, {close} closes)"));
    let cursor = draw_query(palette.query(), (x, frame.y + 1, width), ":", canvas);
    let found = palette.found();
    if found.is_empty() {
        canvas.text(x + 1, pane.first, width, "nothing is called so", Role::Dim);
    }
    for (y, place) in lines(palette.list(), pane, found.len()) {
        let role = chosen(palette.list(), place);
        let blank = " ".repeat(usize::from(width));
        canvas.text(x, y, width, &blank, role);
        canvas.text(x, y, 1, sign(palette.list(), place), role);
        let keys = &found[place].keys;
        let keys_width = u16::try_from(keys.width()).unwrap_or(0).min(width);
        canvas.text(x + 1, y, width.saturating_sub(keys_width + 2), &found[place].text, role);
        let keys_role = if role == Role::Tab { role } else { Role::Key };
        canvas.text(x + width - keys_width, y, keys_width, keys, keys_role);
    }
    cursor
}

/// A text being typed behind `sign`; says where its cursor is.
pub(super) fn draw_query(
    query: &Query,
    (x, y, width): (u16, u16, u16),
    sign: &str,
    canvas: &mut Canvas<'_>,
) -> Position {
    let start = canvas.text(x, y, width, sign, Role::Key) + 1;
    let end = (x + width).saturating_sub(1);
    canvas.text(start, y, end.saturating_sub(start), query.text(), Role::Title);
    let cursor = start.saturating_add(u16::try_from(query.cursor()).unwrap_or(u16::MAX));
    Position::new(cursor.min(end), y)
}

/// What the program has said, the newest last; the chosen one at length.
fn draw_log(app: &App, list: &List<u64>, (frame, pane): (Frame, Pane), canvas: &mut Canvas<'_>) {
    let notices = app.log();
    let title = format!("log: {} notices  ({} closes)", notices.len(), app.key_of(Action::Escape));
    let (x, width) = window(canvas, frame, &title);
    if notices.is_empty() {
        canvas.text(x, pane.first, width, "nothing was said so far", Role::Dim);
        return;
    }
    for (y, place) in lines(list, pane, notices.len()) {
        let notice = notices[place];
        let (word, role) = level(notice.level);
        let role = if place == list.place() { Role::Tab } else { role };
        let text = format!("{}{:>4} {word} {}", sign(list, place), ago(app, notice), notice.text);
        canvas.text(x, y, width, &text, role);
    }
    let Some(notice) = notices.get(list.place()) else { return };
    let y = pane.first + u16::try_from(pane.rows).unwrap_or(0);
    canvas.rule_between(frame.x, frame.x + frame.width, y, &format!("{} ago", ago(app, notice)));
    let text = super::scanner::wrap(notice.text.as_str(), usize::from(width));
    for (y, line) in (y + 1..).zip(text.into_iter().take(LOG_FOOT - 1)) {
        canvas.text(x, y, width, &line, Role::Text);
    }
}

fn ago(app: &App, notice: &Notice) -> String {
    let mut out = String::new();
    let _ = write_span(app.now().since(notice.at), &mut out);
    out
}

fn level(level: Level) -> (&'static str, Role) {
    match level {
        Level::Info => ("info ", Role::Text),
        Level::Warn => ("warn ", Role::Warn),
        Level::Error => ("ERROR", Role::Bad),
    }
}
