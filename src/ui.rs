//! The terminal: drawing the state, painting frames, reading keys.
//!
//! Invariant: `draw` reads `&App` and writes cells, nothing else. One frame is one write, and a
//! frame like the one before is none.

mod about;
mod alerts;
mod cache;
mod canvas;
mod chart;
mod detail;
mod encode;
pub mod event_loop;
mod hangup;
mod header;
mod help;
mod input;
mod jobs;
mod keyboard;
mod look;
pub mod outside;
mod popup;
mod scanner;
mod scheduler;
mod screen;
pub mod shade;
mod signals;
pub mod terminal;
pub mod theme;
pub mod themes;

#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use crate::app::layout::{MIN_COLS, MIN_ROWS, Tier};
use crate::app::{App, View};

use self::canvas::Canvas;
pub use self::encode::Letters;
pub use self::screen::{Painted, Screen};
use self::theme::{Role, Theme};

/// Where the filter's text begins.
const FILTER_X: u16 = 3;

/// Points at what is wrong with the filter, on the line below it.
fn draw_caret(app: &App, cursor: Position, canvas: &mut Canvas<'_>) {
    let (Some(error), Some(prompt)) = (app.filter_error(), app.prompt()) else { return };
    let left_of = |cells: usize| u16::try_from(cells).unwrap_or(u16::MAX);
    let before: String = prompt.text().chars().take(error.column.saturating_sub(1)).collect();
    // The text may be scrolled; the text cursor tells by how much.
    let place = (cursor.x + left_of(before.width())).checked_sub(left_of(prompt.cursor()));
    let Some(x) = place.filter(|x| (FILTER_X..canvas.cols()).contains(x)) else { return };
    let y = cursor.y + 1;
    let blank = " ".repeat(usize::from(canvas.cols()));
    canvas.text(0, y, canvas.cols(), &blank, Role::Text);
    canvas.text(x, y, 1, "^", Role::Bad);
    let room = canvas.cols().saturating_sub(x + 2);
    if usize::from(room) >= error.message.width() {
        canvas.text(x + 2, y, room, &error.message, Role::Bad);
    }
}

/// Draws the state. Says where the text cursor is, where there is one.
pub fn draw(app: &App, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let mut canvas = Canvas::new(buffer, theme, app.config().notation);
    let shape = app.shape();
    if shape.tier == Tier::TooSmall {
        let size = format!("{MIN_COLS}x{MIN_ROWS}");
        let need = format!("needs {size}, has {}x{}", shape.cols, shape.rows);
        // Where even the sentence is too long, the size is the part that helps.
        let need = if need.len() > usize::from(shape.cols) { size } else { need };
        canvas.text(0, 0, shape.cols, &need, Role::Warn);
        return None;
    }
    let prompt = header::draw(app, &mut canvas);
    match app.view() {
        View::Scanner => scanner::draw(app, &mut canvas),
        View::Detail => detail::draw(app, &mut canvas),
        View::Signals => signals::draw(app, &mut canvas),
        View::Cache => cache::draw(app, &mut canvas),
        View::Scheduler => scheduler::draw(app, &mut canvas),
        View::Alerts => alerts::draw(app, &mut canvas),
    }
    header::draw_bottom(app, &mut canvas);
    if let Some(cursor) = prompt {
        draw_caret(app, cursor, &mut canvas);
    }
    if app.overlay().is_some() {
        return popup::draw(app, &mut canvas);
    }
    prompt
}
