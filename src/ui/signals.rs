//! The log of what closed bars said.

use crate::app::App;

use super::canvas::Canvas;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let _ = (app, canvas);
}
