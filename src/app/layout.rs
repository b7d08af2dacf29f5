//! How much of what fits a terminal of a given size. Pure arithmetic, so that the state knows
//! how long a page is and the drawing need not tell it.

use super::column::{Column, Field};
use super::list::Pane;

/// How rich the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Cells before the first column: the cursor, the state, a gap.
pub const MARGIN: u16 = 3;

/// What goes first where width is short, trends last and from the longest interval on. What is not
/// named stays: the age above all, since without it an old figure looks like a new one.
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
pub fn place(mut columns: Vec<Column>, cols: u16) -> Vec<Placed> {
    let need = |columns: &[Column]| MARGIN + columns.iter().map(|c| c.width() + 1).sum::<u16>() - 1;
    for field in DROPPED {
        if need(&columns) <= cols {
            break;
        }
        columns.retain(|c| c.field != field);
    }
    while need(&columns) > cols {
        let Some(last) = columns.iter().rposition(|c| c.field == Field::Trend) else { break };
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

    fn fields(cols: u16) -> Vec<Field> {
        let intervals = [Interval::M15, Interval::H1, Interval::H4];
        let placed = place(scanner_columns(&intervals, false), cols);
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
    fn the_age_is_never_dropped() {
        let few = [Interval::M15, Interval::H1, Interval::H4];
        for intervals in [&few[..], Interval::ALL] {
            for (cols, several) in (MIN_COLS..=200).flat_map(|c| [(c, false), (c, true)]) {
                let placed = place(scanner_columns(intervals, several), cols);
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
            for p in place(scanner_columns(&intervals, true), cols) {
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
