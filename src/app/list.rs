//! A list with a cursor: which row it is on, and which part of the list is on screen.
//!
//! The cursor is on a row by what the row is, never by its number, so that nothing slips away from
//! under it: [`List::settle`] finds the row again after the rows have changed. A view keeps a `List`
//! in its state, hands every [`Motion`] to [`List::go`], and calls `settle` when its rows change.

use std::ops::Range;

/// Which way the cursor, or the part on screen, is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Motion {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first row, whichever that is from now on.
    First,
    /// To the last row.
    Last,
    /// The part on screen goes so many rows down, and takes the cursor along where it must.
    Scroll(i16),
    /// To the row that is drawn on that line of the terminal; nowhere where none is.
    Line(u16),
}

/// Where a list is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pane {
    /// The line of the terminal with its first row.
    pub first: u16,
    /// Rows it has room for; at least 1.
    pub rows: usize,
}

/// The rows of a list: how many, and what each of them is.
pub trait Rows {
    /// What makes a row the one it is.
    type Key: Clone + PartialEq;
    /// How many.
    fn count(&self) -> usize;
    /// What the row at `place` is; `place` is less than the count.
    fn key(&self, place: usize) -> Self::Key;
    /// Where it is now.
    fn find(&self, key: &Self::Key) -> Option<usize> {
        (0..self.count()).find(|place| self.key(*place) == *key)
    }
}

impl<K: Clone + PartialEq> Rows for &[K] {
    type Key = K;

    fn count(&self) -> usize {
        self.len()
    }

    fn key(&self, place: usize) -> K {
        self[place].clone()
    }
}

/// Rows that are nothing but their number.
#[derive(Clone, Copy, Debug)]
pub struct Lines(pub usize);

impl Rows for Lines {
    type Key = usize;

    fn count(&self) -> usize {
        self.0
    }

    fn key(&self, place: usize) -> usize {
        place
    }

    fn find(&self, key: &usize) -> Option<usize> {
        (*key < self.0).then_some(*key)
    }
}

/// What stays where it is when rows change their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The part on screen. The row under the cursor may leave it; the next motion goes after it.
    #[default]
    Screen,
    /// The line under the cursor: the rest moves around it.
    Cursor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cursor<K> {
    /// On whatever comes first.
    Top,
    /// On a row. The place it had is where the cursor stays when the row goes.
    On(K, usize),
}

/// The cursor and the part on screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<K> {
    cursor: Cursor<K>,
    top: usize,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self { cursor: Cursor::Top, top: 0 }
    }
}

impl<K: Clone + PartialEq> List<K> {
    /// The cursor's place among the rows.
    pub fn place(&self) -> usize {
        match self.cursor {
            Cursor::Top => 0,
            Cursor::On(_, place) => place,
        }
    }

    /// The first row on screen.
    pub fn top(&self) -> usize {
        self.top
    }

    /// The places on screen, where there are rows for them.
    pub fn visible(&self, pane: Pane) -> Range<usize> {
        self.top..self.top + pane.rows
    }

    /// Moves. Says whether the motion leads to a row.
    pub fn go(&mut self, motion: Motion, rows: &impl Rows<Key = K>, pane: Pane) -> bool {
        let (here, length) = (self.place(), pane.rows);
        let to = match motion {
            Motion::Up => here.saturating_sub(1),
            Motion::Down => here + 1,
            Motion::HalfUp => here.saturating_sub(length / 2),
            Motion::HalfDown => here + length / 2,
            Motion::PageUp => here.saturating_sub(length),
            Motion::PageDown => here + length,
            Motion::Last => usize::MAX,
            Motion::First => {
                self.cursor = Cursor::Top;
                self.top = 0;
                return rows.count() > 0;
            }
            Motion::Scroll(by) => return self.scroll(by, rows, length),
            Motion::Line(y) => {
                let line = usize::from(y.wrapping_sub(pane.first));
                if y < pane.first || line >= length || self.top + line >= rows.count() {
                    return false;
                }
                self.top + line
            }
        };
        self.select(to, rows, length)
    }

    /// Puts the cursor on the row that is `key`, if there is one, and shows it.
    pub fn find(&mut self, key: &K, rows: &impl Rows<Key = K>, pane: Pane) -> bool {
        rows.find(key).is_some_and(|place| self.select(place, rows, pane.rows))
    }

    fn select(&mut self, place: usize, rows: &impl Rows<Key = K>, length: usize) -> bool {
        let Some(last) = rows.count().checked_sub(1) else { return false };
        let place = place.min(last);
        self.cursor = Cursor::On(rows.key(place), place);
        self.show(length, last + 1);
        true
    }

    fn scroll(&mut self, by: i16, rows: &impl Rows<Key = K>, length: usize) -> bool {
        let count = rows.count();
        let top = self.top.saturating_add_signed(isize::from(by)).min(count.saturating_sub(length));
        let moved = top != self.top;
        self.top = top;
        let place = self.place().clamp(top, (top + length).saturating_sub(1));
        if moved && place != self.place() && place < count {
            self.cursor = Cursor::On(rows.key(place), place);
        }
        moved
    }

    /// Finds the cursor's row again after the rows have changed; where it has gone, its place is
    /// kept.
    pub fn settle(&mut self, rows: &impl Rows<Key = K>, pane: Pane, keep: Keep) {
        let (before, count) = (self.place(), rows.count());
        let was_shown = self.visible(pane).contains(&before);
        if let Cursor::On(key, place) = &self.cursor {
            let place = rows.find(key).unwrap_or((*place).min(count.saturating_sub(1)));
            let key = if place < count { rows.key(place) } else { key.clone() };
            self.cursor = Cursor::On(key, if place < count { place } else { 0 });
        }
        if keep == Keep::Cursor && was_shown {
            self.top = self.place().saturating_sub(before - self.top);
        }
        if keep == Keep::Cursor || self.cursor == Cursor::Top {
            self.show(pane.rows, count);
        }
        self.top = self.top.min(count.saturating_sub(pane.rows));
    }

    /// Brings the cursor's row on screen: the pane has changed its size.
    pub fn reveal(&mut self, rows: &impl Rows<Key = K>, pane: Pane) {
        self.show(pane.rows, rows.count());
    }

    fn show(&mut self, length: usize, count: usize) {
        let place = self.place();
        self.top =
            self.top.clamp((place + 1).saturating_sub(length), place).min(count.saturating_sub(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANE: Pane = Pane { first: 4, rows: 3 };

    fn on<'a>(list: &List<&'a str>, rows: &[&'a str]) -> &'a str {
        rows[list.place()]
    }

    #[test]
    fn motions_end_at_the_ends() {
        let mut list = List::default();
        let rows = &["a", "b", "c", "d", "e"][..];
        for (motion, want, top) in [
            (Motion::Up, "a", 0),
            (Motion::Down, "b", 0),
            (Motion::PageDown, "e", 2),
            (Motion::Down, "e", 2),
            (Motion::HalfUp, "d", 2),
            (Motion::PageUp, "a", 0),
            (Motion::Last, "e", 2),
            (Motion::Scroll(-1), "d", 1),
            (Motion::Scroll(-9), "c", 0),
            (Motion::Line(4), "a", 0),
            (Motion::Line(6), "c", 0),
        ] {
            list.go(motion, &rows, PANE);
            assert_eq!((on(&list, rows), list.top()), (want, top), "{motion:?}");
        }
        for outside in [3, 7, 200] {
            assert!(!list.go(Motion::Line(outside), &rows, PANE), "{outside}");
        }
        assert!(!list.go(Motion::Down, &(&[][..]), PANE), "nothing to go to");
    }

    #[test]
    fn the_cursor_stays_on_its_row_and_the_screen_where_it_is() {
        let mut list = List::default();
        list.go(Motion::Line(5), &(&["a", "b", "c", "d", "e"][..]), PANE);
        let moved = &["c", "d", "e", "a", "b"][..];
        list.settle(&moved, PANE, Keep::Screen);
        assert_eq!((on(&list, moved), list.top()), ("b", 0), "it is off the screen");
        list.go(Motion::Up, &moved, PANE);
        assert_eq!((on(&list, moved), list.top()), ("a", 1), "and found again");
    }

    #[test]
    fn where_the_cursor_is_followed_it_keeps_its_line() {
        let mut list = List::default();
        list.go(Motion::Line(5), &(&["a", "b", "c", "d", "e"][..]), PANE);
        let moved = &["c", "d", "e", "b", "a"][..];
        list.settle(&moved, PANE, Keep::Cursor);
        assert_eq!((on(&list, moved), list.top()), ("b", 2));
        list.settle(&(&["b", "c"][..]), PANE, Keep::Cursor);
        assert_eq!((list.place(), list.top()), (0, 0));
    }

    #[test]
    fn a_cursor_nobody_moved_stays_on_top_and_one_whose_row_went_in_its_place() {
        let mut list = List::default();
        list.settle(&(&["b", "a"][..]), PANE, Keep::Cursor);
        assert_eq!(list.place(), 0);
        list.go(Motion::Down, &(&["b", "a", "c"][..]), PANE);
        let left = &["b", "c"][..];
        list.settle(&left, PANE, Keep::Screen);
        assert_eq!(on(&list, left), "c");
        list.settle(&(&[][..]), PANE, Keep::Screen);
        assert_eq!((list.place(), list.top()), (0, 0));
    }
}
