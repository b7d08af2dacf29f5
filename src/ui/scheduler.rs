//! The jobs: what runs, what is due, what came of it.

use crate::app::App;

use super::canvas::Canvas;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let _ = (app, canvas);
}
