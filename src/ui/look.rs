//! The choice of theme and palette. What lies beneath already shows what is chosen.

use unicode_width::UnicodeWidthStr;

use crate::app::App;
use crate::app::action::Action;
use crate::app::list::Motion;
use crate::app::look::Palette;

use super::canvas::Canvas;
use super::theme::Role;

/// Cells of a name and of what it is.
const NAME: u16 = 16;
const WIDTH: u16 = 58;

/// Draws the window over the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let themes = &app.config().themes;
    let look = app.look();
    let width = WIDTH.min(canvas.cols());
    // Two rules, a line of keys and the palettes.
    let around = 4 + Palette::ALL.len();
    let room = usize::from(canvas.lines().saturating_sub(2)).saturating_sub(around);
    let shown = themes.len().min(room.max(1));
    let from = (look.theme + 1).saturating_sub(shown);
    let height = u16::try_from(shown + around).unwrap_or(u16::MAX).min(canvas.lines());
    let left = (canvas.cols() - width) / 2;
    let (x, mut y) = canvas.window(left, canvas.lines().saturating_sub(height + 1), (width, height), "theme");
    let mut line = |is_chosen: bool, name: &str, about: &str| {
        let (mark, role) = if is_chosen { (">", Role::Selected) } else { (" ", Role::Text) };
        canvas.text(x, y, 2, mark, Role::Key);
        canvas.text(x + 2, y, NAME.min(u16::try_from(name.width()).unwrap_or(NAME)), name, role);
        canvas.text(x + 2 + NAME, y, width - NAME - 4, about, Role::Dim);
        y += 1;
    };
    for (n, theme) in themes.iter().enumerate().skip(from).take(shown) {
        line(n == look.theme, &theme.name, &theme.about);
    }
    line(false, "", "");
    for palette in Palette::ALL {
        line(*palette == look.palette, palette.id(), palette.about());
    }
    let keys = [
        (Action::Move(Motion::Down), "theme"),
        (Action::NextPalette, "palette"),
        (Action::Accept, "keep"),
        (Action::Escape, "as before"),
    ];
    let mut at = x;
    for (action, what) in keys {
        let key = app.key_of(action);
        at = canvas.spans(at, y, left + width - 1, &[(&key, Role::Key), (" ", Role::Dim), (what, Role::Dim)])
            + 2;
    }
}
