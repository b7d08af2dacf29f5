//! From prices to rows, and back.

/// A linear scale over rows of two halves each. The highest price is in the middle of the first
/// half, the lowest in the middle of the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The price in the middle of the first half.
    top: f64,
    /// Half a row.
    step: f64,
    rows: u16,
}

impl Scale {
    /// Over the prices from `low` to `high`. A row stands for no less than `price_step`: what
    /// does not differ in price is not drawn as if it did.
    pub fn over((low, high): (f64, f64), rows: u16, price_step: f64) -> Self {
        let rows = rows.max(1);
        let gaps = f64::from(2 * rows - 1);
        let step = ((high - low) / gaps).max(price_step / 2.0);
        let middle = low + (high - low) / 2.0;
        Self { top: middle + step * gaps / 2.0, step, rows }
    }

    /// Rows there are.
    pub fn rows(&self) -> u16 {
        self.rows
    }

    /// The half of a row, counted from the top, that is nearest to a price; the first or the last
    /// where the price is beyond the scale.
    pub fn half(&self, price: f64) -> u16 {
        let halves = ((self.top - price) / self.step).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the rows")]
        let half = halves.clamp(0.0, f64::from(2 * self.rows - 1)) as u16;
        half
    }

    /// The row that a price stands in; `None` where it is beyond the scale.
    pub fn row(&self, price: f64) -> Option<u16> {
        let halves = ((self.top - price) / self.step).round();
        let is_on = (0.0..f64::from(2 * self.rows)).contains(&halves);
        is_on.then(|| self.half(price) / 2)
    }

    /// The price in the middle of a row.
    pub fn price(&self, row: u16) -> f64 {
        self.top - (f64::from(2 * row) + 0.5) * self.step
    }

    /// What half a row stands for.
    pub fn half_row(&self) -> f64 {
        self.step
    }
}
