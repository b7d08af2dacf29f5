//! One frame, one write; a frame like the one before, none.

use std::io::{self, Write};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::encode::{self, Letters};

/// Terminals that know it show what stands between the two at once; the others ignore it.
const BEGIN_SYNC: &[u8] = b"\x1b[?2026h";
const END_SYNC: &[u8] = b"\x1b[?2026l";
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";
const HIDE_CURSOR: &[u8] = b"\x1b[?25l";
/// A full screen of 200x60 with colours is about 16 KB.
const CAPACITY: usize = 64 * 1024;

/// What a frame came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Painted {
    /// Nothing had changed, nothing was written.
    Nothing,
    /// So many bytes, in one write.
    Bytes(usize),
}

/// What the terminal shows, and the way there.
#[derive(Debug)]
pub struct Screen<W> {
    writer: W,
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    stale: bool,
    out: Vec<u8>,
    letters: Letters,
}

impl<W: Write> Screen<W> {
    /// On a terminal of that size whose content is not known and whose cursor is hidden.
    pub fn new(writer: W, cols: u16, rows: u16) -> Self {
        let area = Rect::new(0, 0, cols, rows);
        Self {
            writer,
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            cursor: None,
            stale: true,
            out: Vec::with_capacity(CAPACITY),
            letters: Letters::All,
        }
    }

    /// The same on a terminal that shows these letters.
    pub fn with_letters(self, letters: Letters) -> Self {
        Self { letters, ..self }
    }

    /// The terminal has another size now. Where it is the one we knew, it had another in between,
    /// and may have cut off or moved what we wrote.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let area = Rect::new(0, 0, cols, rows);
        if area != self.shown.area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        self.stale = true;
    }

    /// The next frame is painted in full.
    pub fn forget(&mut self) {
        self.stale = true;
    }

    /// Writes something that is no part of the picture. Frames are written whole, so that it never
    /// comes to stand in one.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.writer.write_all(bytes)?;
        self.writer.flush()
    }

    /// Draws a frame and writes what differs.
    pub fn paint(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<Painted> {
        self.next.reset();
        let cursor = draw(&mut self.next);
        if self.stale {
            self.shown.reset();
        }
        self.out.clear();
        self.out.extend_from_slice(BEGIN_SYNC);
        if self.stale {
            self.out.extend_from_slice(CLEAR);
        }
        let empty = self.out.len();
        let mut changes = self.shown.diff_iter(&self.next).peekable();
        let differs = changes.peek().is_some();
        if differs {
            encode::cells(&mut self.out, changes, self.letters)?;
        }
        debug_assert!(differs || self.out.len() == empty, "nothing is encoded for no change");
        if !differs && !self.stale && cursor == self.cursor {
            return Ok(Painted::Nothing);
        }
        self.place_cursor(cursor)?;
        self.out.extend_from_slice(END_SYNC);
        self.writer.write_all(&self.out)?;
        self.writer.flush()?;
        std::mem::swap(&mut self.shown, &mut self.next);
        self.stale = false;
        Ok(Painted::Bytes(self.out.len()))
    }

    fn place_cursor(&mut self, cursor: Option<Position>) -> io::Result<()> {
        if let Some(Position { x, y }) = cursor {
            // The cells just drawn have moved it.
            write!(self.out, "\x1b[{};{}H", y + 1, x + 1)?;
        }
        // Whoever had the terminal in between may have left it either way.
        if self.stale || self.cursor.is_some() != cursor.is_some() {
            self.out.extend_from_slice(if cursor.is_some() { SHOW_CURSOR } else { HIDE_CURSOR });
        }
        self.cursor = cursor;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    /// Counts writes, keeps bytes.
    #[derive(Default)]
    struct Counter {
        writes: usize,
        bytes: Vec<u8>,
    }

    impl Write for &mut Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            self.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn draw(text: &'static str) -> impl FnOnce(&mut Buffer) -> Option<Position> {
        move |buffer| {
            buffer.set_string(0, 0, text, Style::new());
            None
        }
    }

    #[test]
    fn a_frame_is_one_synchronized_write_and_a_frame_like_it_none() {
        let mut counter = Counter::default();
        let mut screen = Screen::new(&mut counter, 120, 36);
        assert!(matches!(screen.paint(draw("one")).unwrap(), Painted::Bytes(_)));
        assert_eq!(screen.paint(draw("one")).unwrap(), Painted::Nothing);
        let Painted::Bytes(n) = screen.paint(draw("two")).unwrap() else { panic!("it changed") };
        assert!(n < 60, "{n}");
        drop(screen);
        assert_eq!(counter.writes, 2);
        assert!(counter.bytes.starts_with(BEGIN_SYNC) && counter.bytes.ends_with(END_SYNC));
    }

    #[test]
    fn the_cursor_is_shown_moved_and_hidden() {
        let mut counter = Counter::default();
        let mut screen = Screen::new(&mut counter, 20, 3);
        screen.paint(draw("x")).unwrap();
        let at = |x| move |b: &mut Buffer| draw("x")(b).or(Some(Position::new(x, 1)));
        screen.paint(at(3)).unwrap();
        assert_eq!(screen.paint(at(3)).unwrap(), Painted::Nothing);
        screen.paint(at(4)).unwrap();
        screen.paint(draw("x")).unwrap();
        drop(screen);
        let text = String::from_utf8(counter.bytes).unwrap();
        assert_eq!(text.matches("\x1b[?25h").count(), 1);
        assert!(text.contains("\x1b[2;4H") && text.contains("\x1b[2;5H"));
        assert!(text.ends_with("\x1b[?25l\x1b[?2026l"));
    }

    #[test]
    fn after_a_stop_the_cursor_is_shown_again() {
        let mut counter = Counter::default();
        let mut screen = Screen::new(&mut counter, 20, 3);
        let prompt = |b: &mut Buffer| draw("x")(b).or(Some(Position::new(3, 1)));
        screen.paint(prompt).unwrap();
        // The terminal was taken again meanwhile, with the cursor hidden.
        screen.resize(20, 3);
        screen.paint(prompt).unwrap();
        drop(screen);
        assert!(String::from_utf8(counter.bytes).unwrap().ends_with("\x1b[?25h\x1b[?2026l"));
    }

    #[test]
    fn a_resize_and_a_redraw_paint_in_full() {
        let mut counter = Counter::default();
        let mut screen = Screen::new(&mut counter, 20, 3);
        screen.paint(draw("x")).unwrap();
        screen.resize(20, 3);
        assert!(matches!(screen.paint(draw("x")).unwrap(), Painted::Bytes(_)));
        assert_eq!(screen.paint(draw("x")).unwrap(), Painted::Nothing);
        screen.resize(30, 4);
        assert!(matches!(screen.paint(draw("x")).unwrap(), Painted::Bytes(_)));
        screen.forget();
        assert!(matches!(screen.paint(draw("x")).unwrap(), Painted::Bytes(_)));
    }
}
