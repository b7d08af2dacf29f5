//! How the detail view is parted. Pure arithmetic, so that the state knows how long a page is.

use crate::app::layout::{Shape, Tier};

/// Cells of the price axis: a blank, ten of a price, one of the rule beside it.
pub const AXIS: u16 = 12;

/// The parts of the view, in cells and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// The line of the title.
    pub top: u16,
    /// Lines between the title and the chart.
    pub head: u16,
    /// Columns of the chart.
    pub cols: u16,
    /// Rows of the chart.
    pub rows: u16,
    /// Lines of the volume.
    pub volume: u16,
    /// Cells of the figures on the right; 0 where they stand below.
    pub side: u16,
    /// Lines of crosses.
    pub crosses: u16,
}

impl Area {
    /// Of a terminal's size. What is below the chart is as high as it has to be; the chart has the rest.
    pub fn of(shape: Shape) -> Self {
        let (top, head, volume, side, crosses, below) = match shape.tier {
            // The time axis, two rules, a heading, crosses, two lines of the feed, the rule, the keys.
            Tier::Roomy => (3, 0, 2, 22, 4, 12),
            // The time axis, the figures, the score, two crosses, the feed, the keys.
            Tier::Full => (3, 1, 1, 0, 2, 7),
            // The time axis, the figures, a cross, the feed, the keys.
            Tier::Reduced | Tier::TooSmall => (2, 0, 1, 0, 1, 5),
        };
        Self {
            top,
            head,
            cols: shape.cols.saturating_sub(AXIS + side).max(1),
            rows: shape.rows.saturating_sub(top + 1 + head + volume + below).max(1),
            volume,
            side,
            crosses,
        }
    }

    /// The first row of the chart.
    pub fn chart(self) -> u16 {
        self.top + 1 + self.head
    }

    /// The line of the time axis.
    pub fn times(self) -> u16 {
        self.chart() + self.rows + self.volume
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_every_size() {
        for cols in 60..220 {
            for rows in 16..70 {
                let shape = Shape::of(cols, rows);
                let area = Area::of(shape);
                assert!(area.rows >= 6 && area.cols >= 40, "{cols}x{rows}: {area:?}");
                assert!(area.cols + AXIS + area.side == cols && area.times() + 4 < rows, "{cols}x{rows}");
            }
        }
        let area = Area::of(Shape::of(120, 36));
        assert_eq!((area.cols, area.rows, area.times()), (86, 18, 24));
        let area = Area::of(Shape::of(80, 24));
        assert_eq!((area.cols, area.rows, area.times()), (68, 11, 17));
    }
}
