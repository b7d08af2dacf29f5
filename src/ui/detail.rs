//! One pair on one interval, as a chart and as figures.

use crate::app::App;

use super::canvas::Canvas;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let _ = (app, canvas);
}
