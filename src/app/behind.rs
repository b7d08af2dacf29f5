//! How far what is shown is behind the exchange, in words.

use std::fmt::Write;

pub use crate::market::behind::{lane_since, missing, row_since};

/// `9 closes missing`
pub fn write_missing(missing: u32, out: &mut String) -> std::fmt::Result {
    write!(out, "{missing} {} missing", if missing == 1 { "close" } else { "closes" })
}

#[cfg(test)]
mod tests {
    use crate::app::column::{Column, Field, Reading};
    use crate::app::value::Notation;
    use crate::fixture::{NOW, row, snapshot};
    use std::sync::Arc;
    use std::time::Duration;

    /// Frames of the 1h and 4h go on, and its own of the forming candle; ten closes are missing.
    #[test]
    fn a_row_that_is_behind_is_as_old_as_its_oldest_figures_and_its_cross_counts_no_bars() {
        let mut picture = snapshot(vec![row("AUSDT").stale("socket lost", 0)]);
        let late = Arc::make_mut(&mut picture.rows[0]);
        let (open, close) = late.lanes[0].newest.unwrap();
        let back = Duration::from_secs(10 * 900);
        late.lanes[0].newest = Some((open - back, close - back));
        assert_eq!(late.seen, Some(NOW));
        let at = Reading::new(&picture, picture.made, 0);
        let said = |column: Column| {
            let mut out = String::new();
            column.value(&picture.rows[0], &at).write(Notation::Ascii, 60, &mut out);
            out
        };
        assert_eq!(said(Column::of(Field::Age)), "2h");
        assert_eq!(said(Column::on(crate::domain::interval::Interval::M15, Field::Age)), "2h");
        assert_eq!(said(Column::on(crate::domain::interval::Interval::H1, Field::Age)), "now");
        assert_eq!(said(Column::of(Field::Note)), "15m: 10 closes missing: socket lost");
        assert_eq!(said(Column::of(Field::Cross)), "-");
        assert_ne!(said(Column::on(crate::domain::interval::Interval::H1, Field::Cross)), "-");
    }
}
