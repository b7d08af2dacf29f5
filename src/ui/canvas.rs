//! Writing text into cells, by width and role.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::app::column::Align;
use crate::app::value::Notation;

use super::theme::{Role, Theme};

/// The cells of one frame.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    pub(super) notation: Notation,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme, notation: Notation) -> Self {
        let mut new = Self { buffer, theme, notation };
        new.lay_ground();
        new
    }

    /// A theme with a background of its own has it under everything.
    fn lay_ground(&mut self) {
        let ground = self.theme.ground();
        if ground.bg.is_some() {
            self.buffer.set_style(self.buffer.area, ground);
        }
    }

    pub(super) fn cols(&self) -> u16 {
        self.buffer.area.width
    }

    pub(super) fn lines(&self) -> u16 {
        self.buffer.area.height
    }

    pub(super) fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Writes `text` from `x` in at most `width` cells; says where it ends. What is cut ends in a
    /// mark.
    pub(super) fn text(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) -> u16 {
        if y >= self.lines() || x >= self.cols() {
            return x;
        }
        let width = usize::from(width.min(self.cols() - x));
        // What lies beneath must not shine through: a role without a colour has the terminal's.
        let style = self.theme.over(role);
        if text.len() <= width || text.width() <= width {
            return self.buffer.set_stringn(x, y, text, width, style).0;
        }
        let cut = cut(text, width.saturating_sub(1));
        let (end, _) = self.buffer.set_stringn(x, y, cut, width, style);
        let mark = if self.notation == Notation::Ascii { ">" } else { "…" };
        self.buffer.set_stringn(end, y, mark, width, style).0
    }

    /// Writes `text` in a field.
    pub(super) fn field(&mut self, at: (u16, u16), width: u16, align: Align, text: &str, role: Role) {
        let wide = u16::try_from(text.width()).unwrap_or(u16::MAX);
        let shift = if align == Align::Right { width.saturating_sub(wide) } else { 0 };
        self.text(at.0 + shift, at.1, width - shift, text, role);
    }

    /// Writes pieces one after the other; says where they end.
    pub(super) fn spans(&mut self, mut x: u16, y: u16, limit: u16, spans: &[(&str, Role)]) -> u16 {
        for (text, role) in spans {
            x = self.text(x, y, limit.saturating_sub(x), text, *role);
        }
        x
    }

    /// Writes the items that fit, each whole: half a number is another number. Only the first is
    /// cut where it has to be.
    pub(super) fn items(&mut self, mut x: u16, y: u16, items: &[Vec<(String, Role)>]) {
        for (n, item) in items.iter().enumerate() {
            let wide: usize = item.iter().map(|(text, _)| text.width()).sum();
            if n > 0 && usize::from(self.cols().saturating_sub(x)) < wide {
                continue;
            }
            for (text, role) in item {
                x = self.text(x, y, self.cols().saturating_sub(x), text, *role);
            }
        }
    }

    /// Writes pieces against the right edge; says where they begin.
    pub(super) fn spans_right(&mut self, y: u16, spans: &[(&str, Role)]) -> u16 {
        let wide: usize = spans.iter().map(|(t, _)| t.width()).sum();
        let x = self.cols().saturating_sub(u16::try_from(wide).unwrap_or(u16::MAX));
        self.spans(x, y, self.cols(), spans);
        x
    }

    /// A line across, with a word in it.
    pub(super) fn rule(&mut self, y: u16, title: &str) {
        self.rule_between(0, self.cols(), y, title);
    }

    /// A line from `x` to `end`, with a word in it.
    pub(super) fn rule_between(&mut self, x: u16, end: u16, y: u16, title: &str) {
        let dash = if self.notation == Notation::Ascii { "-" } else { "─" };
        let line = dash.repeat(usize::from(end.saturating_sub(x)));
        self.text(x, y, end.saturating_sub(x), &line, Role::Rule);
        if !title.is_empty() {
            let title = format!(" {title} ");
            self.text(x + 2, y, end.saturating_sub(x + 2), &title, Role::Title);
        }
    }

    /// Marks the line under the cursor: a bar over the name alone. Over the figures it would hide
    /// which of them are stale, and turn dim ones into boxes.
    pub(super) fn select(&mut self, y: u16, name: Range<u16>) {
        self.wash(y, 0..name.start, Role::Cursor);
        self.wash(y, name.end..self.cols(), Role::Cursor);
        self.wash(y, name, Role::Selected);
    }

    /// Lays a role's style over cells, blanks included.
    fn wash(&mut self, y: u16, cells: Range<u16>, role: Role) {
        let style = self.style(role);
        for x in cells {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.set_style(style);
            }
        }
    }

    /// Empties a window and frames it; says where its inside begins.
    pub(super) fn window(&mut self, x: u16, y: u16, size: (u16, u16), title: &str) -> (u16, u16) {
        let blank = " ".repeat(usize::from(size.0));
        for line in y..y.saturating_add(size.1).min(self.lines()) {
            for cell in x..x.saturating_add(size.0).min(self.cols()) {
                if let Some(cell) = self.buffer.cell_mut((cell, line)) {
                    cell.reset();
                }
            }
            self.text(x, line, size.0, &blank, Role::Text);
        }
        if size.0 < self.cols() {
            self.draw_sides(x, y, size);
        }
        self.rule_between(x, x + size.0, y, title);
        self.rule_between(x, x + size.0, y + size.1 - 1, "");
        (x + 1, y + 1)
    }

    /// The sides of a window, and a blank on either: what lies beside it must not run into it.
    fn draw_sides(&mut self, x: u16, y: u16, (width, height): (u16, u16)) {
        let bar = if self.notation == Notation::Ascii { "|" } else { "│" };
        for line in y..y.saturating_add(height).min(self.lines()) {
            if let Some(before) = x.checked_sub(1) {
                self.blank(before, line);
            }
            self.text(x, line, 1, bar, Role::Rule);
            self.text(x + width - 1, line, 1, bar, Role::Rule);
            self.blank(x + width, line);
        }
    }

    /// Empties a cell, and all of a letter of two cells that reaches into it.
    fn blank(&mut self, x: u16, y: u16) {
        let is_wide = |cell: &ratatui::buffer::Cell| cell.symbol().width() > 1;
        let left = x.checked_sub(1).filter(|l| self.buffer.cell((*l, y)).is_some_and(is_wide));
        let right = self.buffer.cell((x, y)).is_some_and(is_wide).then_some(x + 1);
        for x in [left, Some(x), right].into_iter().flatten() {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(self.theme.ground());
            }
        }
    }
}

/// The part of a text that fits.
fn cut(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..at];
        }
    }
    text
}
