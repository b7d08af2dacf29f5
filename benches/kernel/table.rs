//! The reference of `ui/draw_900`: ratatui's own Table, with only the visible rows built.
//!
//! It draws the same figures at the same places as the scanner's table, by the plainest means the
//! library offers. It is in a file of its own, so that no change to the product changes it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table, Widget};

/// One cell's text, colour, and whether it stands right.
pub(crate) type Plain = (String, Color, bool);

/// Draws the rows as a Table at `area`.
pub(crate) fn draw(
    rows: &[Vec<Plain>],
    widths: &[u16],
    selected: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let built = rows.iter().enumerate().map(|(n, cells)| {
        let row = Row::new(cells.iter().map(|(text, color, right)| {
            let line = Line::raw(text.as_str());
            let line = if *right { line.right_aligned() } else { line };
            Cell::from(Text::from(line)).style(Style::new().fg(*color))
        }));
        if selected == Some(n) { row.style(Style::new().add_modifier(Modifier::REVERSED)) } else { row }
    });
    let constraints = widths.iter().map(|w| Constraint::Length(*w));
    Table::new(built, constraints).column_spacing(1).render(area, buffer);
}
