//! The rules that watch the market.

use crate::app::App;

use super::canvas::Canvas;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let _ = (app, canvas);
}
