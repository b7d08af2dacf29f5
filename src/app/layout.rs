//! How much of what fits a terminal of a given size. Pure arithmetic, so that the state knows
//! how long a page is and the drawing need not tell it.

use super::View;
use super::action::Action;
use super::column::{Column, Field};
use super::columns::ColumnSet;
use super::keymap::Keymap;
use super::list::Pane;

/// How rich the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Less than [`MIN_COLS`] by [`MIN_ROWS`]: only a line that says so.
    TooSmall,
    /// The table and one line on each side.
    Reduced,
    /// Everything, in short.
    Full,
    /// Everything, at length.
    Roomy,
}

/// The smallest size with a table.
pub const MIN_COLS: u16 = 60;
/// The smallest size with a table.
pub const MIN_ROWS: u16 = 16;

/// A terminal's size and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Cells a line.
    pub cols: u16,
    /// Lines.
    pub rows: u16,
    /// How rich the screen is.
    pub tier: Tier,
}

impl Shape {
    /// Of a size.
    pub fn of(cols: u16, rows: u16) -> Self {
        let tier = if cols < MIN_COLS || rows < MIN_ROWS {
            Tier::TooSmall
        } else if cols < 80 || rows < 24 {
            Tier::Reduced
        } else if cols < 110 || rows < 32 {
            Tier::Full
        } else {
            Tier::Roomy
        };
        Self { cols, rows, tier }
    }

    /// Lines above the table's first row, its heading included.
    pub fn above(self) -> u16 {
        match self.tier {
            Tier::TooSmall => 0,
            Tier::Reduced => 3,
            Tier::Full => 4,
            Tier::Roomy => 5,
        }
    }

    /// The line of the filter.
    pub fn filter_line(self) -> u16 {
        if self.tier == Tier::Reduced { 1 } else { 2 }
    }

    /// Lines below the scanner's last row.
    pub fn below(self) -> u16 {
        match self.tier {
            Tier::TooSmall => 0,
            Tier::Reduced => 1,
            Tier::Full => 4,
            Tier::Roomy => 9,
        }
    }

    /// Where the scanner's rows stand.
    pub fn pane(self) -> Pane {
        Pane { first: self.above(), rows: self.page() }
    }

    /// Rows of the scanner on screen.
    pub fn page(self) -> usize {
        match self.tier {
            Tier::TooSmall => 1,
            _ => usize::from(self.rows.saturating_sub(self.above() + self.below()).max(1)),
        }
    }
}

/// A window over the view, its frame included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// From the left edge.
    pub x: u16,
    /// From the top.
    pub y: u16,
    /// Cells.
    pub width: u16,
    /// Lines.
    pub height: u16,
}

impl Frame {
    /// All of the screen but its last line.
    pub fn whole(shape: Shape) -> Self {
        Self { x: 0, y: 0, width: shape.cols, height: shape.rows.saturating_sub(1) }
    }

    /// In the middle, with room for so many lines where there is.
    pub fn centered(shape: Shape, width: u16, lines: usize) -> Self {
        let lines = u16::try_from(lines).unwrap_or(u16::MAX).min(shape.rows.saturating_sub(5));
        let width = width.min(shape.cols);
        Self { x: (shape.cols - width) / 2, y: 2, width, height: lines + 2 }
    }

    /// Lines inside.
    pub fn lines(self) -> usize {
        usize::from(self.height.saturating_sub(2)).max(1)
    }

    /// Whether a cell is part of it.
    pub fn contains(self, x: u16, y: u16) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }
}

/// The name of a view on the second line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Which view.
    pub view: View,
    /// From the left edge.
    pub x: u16,
    /// Its key and its name.
    pub text: String,
}

/// The views' names and where they stand; none where there is no line for them.
pub fn tabs(shape: Shape, keys: &Keymap) -> Vec<Tab> {
    if shape.tier <= Tier::Reduced {
        return Vec::new();
    }
    let mut x = 1;
    let tab = |view: View| {
        let (long, short) = view.titles();
        let key = keys.key_of(Action::Show(view));
        let text =
            if shape.tier == Tier::Roomy { format!(" {key} {long} ") } else { format!("{key}{short}") };
        let tab = Tab { view, x, text };
        x += u16::try_from(tab.text.chars().count()).unwrap_or(u16::MAX).saturating_add(1);
        tab
    };
    View::ALL.into_iter().map(tab).collect()
}

/// Cells before the first column: the cursor or what has changed, the state, the mark.
pub const MARGIN: u16 = 3;

/// What goes first where width is short; then what is of no list, from the right; then the trends,
/// from the longest interval on. What a set pins stays, and so do the name, the price, the score and
/// the age: without an age an old figure looks like a new one.
const DROPPED: [Field; 8] = [
    Field::Vol,
    Field::Basis,
    Field::Note,
    Field::PriceSide,
    Field::Bands,
    Field::Chg,
    Field::Cross,
    Field::Dist,
];
const STAY: [Field; 5] = [Field::Sym, Field::Market, Field::Last, Field::Score, Field::Age];

/// A column and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The column.
    pub column: Column,
    /// From the left edge.
    pub x: u16,
    /// Cells.
    pub width: u16,
}

/// The columns that fit, and where; the note takes what is left.
pub fn place(set: &ColumnSet, cols: u16) -> Vec<Placed> {
    let mut columns = set.columns.clone();
    let need = |columns: &[Column]| MARGIN + columns.iter().map(|c| c.width() + 1).sum::<u16>() - 1;
    let listed = DROPPED.into_iter().map(Some);
    for drop in listed.chain([None]) {
        while need(&columns) > cols {
            let goes = |c: &Column| match drop {
                Some(field) => c.field == field,
                None => c.field != Field::Trend && !STAY.contains(&c.field),
            };
            let Some(n) = columns.iter().rposition(|c| goes(c) && !set.pinned.contains(c)) else { break };
            columns.remove(n);
        }
    }
    while need(&columns) > cols {
        let goes = |c: &Column| c.field == Field::Trend && !set.pinned.contains(c);
        let Some(last) = columns.iter().rposition(goes) else { break };
        columns.remove(last);
    }
    let spare = cols.saturating_sub(need(&columns));
    let mut x = MARGIN;
    let mut placed = Vec::with_capacity(columns.len());
    for column in columns {
        let stretch = if column.field == Field::Note { spare } else { 0 };
        let width = (column.width() + stretch).min(cols.saturating_sub(x));
        if width == 0 {
            break;
        }
        placed.push(Placed { column, x, width });
        x += width + 1;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::column::scanner_columns;
    use crate::domain::interval::Interval;

    fn overview(intervals: &[Interval], several: bool) -> ColumnSet {
        let columns = scanner_columns(intervals, several);
        ColumnSet { name: String::new(), columns, pinned: Vec::new() }
    }

    fn fields(cols: u16) -> Vec<Field> {
        let intervals = [Interval::M15, Interval::H1, Interval::H4];
        let placed = place(&overview(&intervals, false), cols);
        let last = placed.last().unwrap();
        assert!(last.x + last.width <= cols);
        placed.iter().map(|p| p.column.field).filter(|f| *f != Field::Trend).collect()
    }

    #[test]
    fn columns_go_in_the_stated_order() {
        assert!(fields(120).contains(&Field::Note) && fields(120).contains(&Field::Vol));
        let at_80 = fields(80);
        for kept in [Field::Chg, Field::Dist, Field::Bands, Field::Cross, Field::Age] {
            assert!(at_80.contains(&kept), "{kept:?}");
        }
        assert!(!at_80.contains(&Field::Vol) && !at_80.contains(&Field::PriceSide));
        let at_60 = fields(60);
        for kept in [Field::Sym, Field::Last, Field::Score] {
            assert!(at_60.contains(&kept), "{kept:?}");
        }
    }

    #[test]
    fn what_is_pinned_stays_where_its_neighbours_go() {
        let mut set = overview(&[Interval::M15, Interval::H1, Interval::H4], false);
        set.pinned = vec![Column::of(Field::Vol)];
        for cols in MIN_COLS..=120 {
            assert!(place(&set, cols).iter().any(|p| p.column.field == Field::Vol), "{cols}");
        }
        set.columns = crate::rule::field::FIELDS.iter().map(|f| Column::of(f.field)).collect();
        let placed = place(&set, MIN_COLS);
        assert!(placed.iter().any(|p| p.column.field == Field::Age), "of a set that is far too wide");
    }

    #[test]
    fn the_age_is_never_dropped() {
        let few = [Interval::M15, Interval::H1, Interval::H4];
        for intervals in [&few[..], Interval::ALL] {
            for (cols, several) in (MIN_COLS..=200).flat_map(|c| [(c, false), (c, true)]) {
                let placed = place(&overview(intervals, several), cols);
                let age = placed.iter().find(|p| p.column.field == Field::Age);
                let whole = age.is_some_and(|p| p.width >= p.column.width());
                assert!(whole, "{cols} columns, {} intervals", intervals.len());
            }
        }
    }

    #[test]
    fn no_size_is_too_small_to_place() {
        let intervals = [Interval::M15, Interval::H1, Interval::H4];
        for cols in 0..200 {
            for p in place(&overview(&intervals, true), cols) {
                assert!(p.x + p.width <= cols);
            }
        }
    }

    #[test]
    fn pages_follow_the_wireframes() {
        assert_eq!((Shape::of(120, 36).page(), Shape::of(80, 24).page()), (22, 16));
        assert_eq!((Shape::of(60, 16).page(), Shape::of(10, 3).page()), (12, 1));
    }
}
