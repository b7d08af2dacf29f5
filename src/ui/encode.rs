//! Cells as a terminal is told them: where, how, what, and no byte more.
//!
//! ratatui's own encoder writes the sixteen colours as indices of 256, which terminals of sixteen
//! colours need not know, and resets three things after every frame.

use std::io::{self, Write};

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::domain::text::is_unsafe;

use super::shade::place_of;

/// Which letters a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Letters {
    /// All.
    #[default]
    All,
    /// Those of 7 bits: a `?` stands for each cell of the others.
    SevenBit,
}

/// What the terminal writes with now.
#[derive(Clone, Copy, PartialEq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

const MODIFIERS: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// Writes cells, each to its place. The terminal's pen is plain before and after.
pub(super) fn cells<'a>(
    out: &mut Vec<u8>,
    cells: impl Iterator<Item = (u16, u16, &'a Cell)>,
    letters: Letters,
) -> io::Result<()> {
    let mut pen = PLAIN;
    // The line of the text cursor, and its column where that is certain.
    let mut at: Option<(u16, Option<u16>)> = None;
    for (x, y, cell) in cells {
        match at {
            Some((line, Some(column))) if (line, column) == (y, x) => {}
            Some((line, _)) if line == y => write!(out, "\x1b[{}G", x + 1)?,
            _ => write!(out, "\x1b[{};{}H", y + 1, x + 1)?,
        }
        let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        change(out, pen, wanted)?;
        pen = wanted;
        let symbol = cell.symbol();
        let wide = symbol.width();
        // Everything drawn is clean; this is the last place where one slip could be seen.
        let is_shown = !symbol.contains(is_unsafe) && (letters == Letters::All || symbol.is_ascii());
        if is_shown {
            out.extend_from_slice(symbol.as_bytes());
        } else {
            out.extend(std::iter::repeat_n(b'?', wide.max(1)));
        }
        // Terminals are of one mind about where a letter of one cell ends, not about all others.
        at = Some((y, (is_shown && wide == 1).then_some(x + 1)));
    }
    if pen != PLAIN {
        out.extend_from_slice(b"\x1b[0m");
    }
    Ok(())
}

/// From one pen to another, in one sequence.
fn change(out: &mut Vec<u8>, from: Pen, to: Pen) -> io::Result<()> {
    if from == to {
        return Ok(());
    }
    out.extend_from_slice(b"\x1b[");
    let begin = out.len();
    // What is on can only be put out with everything else.
    let from = if from.modifier.difference(to.modifier).is_empty() && to != PLAIN {
        from
    } else {
        out.push(b'0');
        PLAIN
    };
    let separate = |out: &mut Vec<u8>| {
        if out.len() > begin {
            out.push(b';');
        }
    };
    for (modifier, code) in MODIFIERS {
        if to.modifier.contains(modifier) && !from.modifier.contains(modifier) {
            separate(out);
            write!(out, "{code}")?;
        }
    }
    for (from, to, base) in [(from.fg, to.fg, 30), (from.bg, to.bg, 40)] {
        if from != to {
            separate(out);
            write_color(out, to, base)?;
        }
    }
    out.push(b'm');
    Ok(())
}

fn write_color(out: &mut Vec<u8>, color: Color, base: u8) -> io::Result<()> {
    match (color, place_of(color)) {
        (Color::Reset, _) => write!(out, "{}", base + 9),
        (_, Some(n @ 0..=7)) => write!(out, "{}", base + n),
        (_, Some(n)) => write!(out, "{}", base + 60 + n - 8),
        (Color::Rgb(r, g, b), _) => write!(out, "{};2;{r};{g};{b}", base + 8),
        (Color::Indexed(n), _) => write!(out, "{};5;{n}", base + 8),
        // All others are among the sixteen.
        _ => write!(out, "{}", base + 9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn cell(symbol: &str, style: Style) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_style(style);
        cell
    }

    fn encoded(list: &[(u16, u16, Cell)]) -> String {
        let mut out = Vec::new();
        cells(&mut out, list.iter().map(|(x, y, c)| (*x, *y, c)), Letters::All).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn places_are_told_only_where_they_are_not_known() {
        let c = |s| cell(s, Style::new());
        let got = encoded(&[(0, 0, c("a")), (1, 0, c("b")), (5, 0, c("币")), (7, 0, c("c")), (0, 1, c("d"))]);
        assert_eq!(got, "\x1b[1;1Hab\x1b[6G币\x1b[8Gc\x1b[2;1Hd");
    }

    #[test]
    fn a_pen_changes_by_what_differs_and_is_put_down() {
        let bold_red = Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD);
        let on_blue = bold_red.bg(Color::Indexed(75));
        let green = Style::new().fg(Color::Green);
        let rgb = Style::new().fg(Color::Rgb(1, 2, 3));
        let got = encoded(&[
            (0, 0, cell("a", bold_red)),
            (1, 0, cell("b", on_blue)),
            (2, 0, cell("c", green)),
            (3, 0, cell("d", rgb)),
            (4, 0, cell("e", Style::new())),
            (5, 0, cell("f", Style::new().bg(Color::Indexed(11)))),
        ]);
        let want = "\x1b[1;1H\x1b[1;91ma\x1b[48;5;75mb\x1b[0;32mc\x1b[38;2;1;2;3md\x1b[0me\x1b[103mf\x1b[0m";
        assert_eq!(got, want);
    }

    #[test]
    fn what_is_not_clean_is_not_written() {
        for symbol in ["\x1b", "\u{9b}", "\n", "\u{202e}"] {
            let got = encoded(&[(0, 0, cell(symbol, Style::new())), (1, 0, cell("b", Style::new()))]);
            assert_eq!(got, "\x1b[1;1H?\x1b[2Gb");
        }
        let long = encoded(&[(0, 0, cell("a\x1b[2J", Style::new()))]);
        assert!(long.starts_with("\x1b[1;1H?") && !long.contains("2J"), "{long:?}");
    }

    #[test]
    fn in_seven_bits_a_mark_stands_for_each_cell_of_what_can_not_be_shown() {
        let list = [(0, 0, cell("币", Style::new())), (2, 0, cell("a", Style::new()))];
        let mut out = Vec::new();
        cells(&mut out, list.iter().map(|(x, y, c)| (*x, *y, c)), Letters::SevenBit).unwrap();
        assert_eq!(out, b"\x1b[1;1H??\x1b[3Ga");
    }
}
