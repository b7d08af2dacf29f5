//! Help: made of the key map, so that it can't be wrong about it.

use std::fmt::Write as _;

use crate::app::action::{Action, Group, actions, key_of};
use crate::app::value::Notation;
use crate::app::{App, HOLD};
use crate::domain::hama::Sign::{Down, Flat, Up};

use super::canvas::Canvas;
use super::theme::Role;

const KEYS_WIDTH: u16 = 9;

/// Lines of the legend: what signs and words mean.
fn legend(notation: Notation) -> [String; 14] {
    let sign = |s| notation.trend(s);
    [
        format!(
            " {} up   {} down   {} flat   {} not known",
            sign(Up),
            sign(Down),
            sign(Flat),
            notation.absent()
        ),
        format!(" {}~  the forming bar would turn it; not in any figure", sign(Up)),
        " 40/102  bars at hand / needed        up >398  older than the bars".to_owned(),
        " + warming  ! stale  x failed  - no longer traded; dim: not live".to_owned(),
        " +81*  a score of some of the intervals; its share is in the note".to_owned(),
        " age: since the last word; not live: of the oldest figures; end: it stands".to_owned(),
        " ages are rounded down to 5 10 20 40 s, whole minutes, hours, days".to_owned(),
        " SCORE -100..100 over all intervals; DIST HAMA against its average".to_owned(),
        " |SCORE|  the order is by size, the sign left out: -88 above +83".to_owned(),
        format!(" order held: for {} s after a move no row changes its place", HOLD.as_secs()),
        " C/MA~ live price against the average, a preview".to_owned(),
        format!(" BOLL squ nor exp {}  on the last bar the close left its bands", sign(Up)),
        " filter: btc -usdc \"1000\"  all words, not, quoted".to_owned(),
        " The score ranks; it is not advice.".to_owned(),
    ]
}

/// Draws the help from line `at` on.
pub(super) fn draw(app: &App, at: usize, canvas: &mut Canvas<'_>) {
    let (cols, lines) = (canvas.cols(), canvas.lines());
    let mut rows = columns_of_actions(cols);
    rows.push(Vec::new());
    rows.extend(legend(app.config().notation).map(|line| vec![(1, line, Role::Text)]));
    let inside = usize::from(lines.saturating_sub(3));
    let at = at.min(rows.len().saturating_sub(inside));
    let mut title = format!("help   {} closes", key_of(Action::Escape));
    if rows.len() > inside {
        let _ = write!(title, "  {} {} scroll", key_of(Action::Down), key_of(Action::Up));
    }
    let (x, y) = canvas.window(0, 0, (cols, lines - 1), &title);
    for (line, row) in (y..).zip(rows.iter().skip(at).take(inside)) {
        for (shift, text, role) in row {
            canvas.text(x + shift, line, cols.saturating_sub(x + shift), text, *role);
        }
    }
}

type Piece = (u16, String, Role);

/// The groups side by side where there is room, one below the other where there is not.
fn columns_of_actions(cols: u16) -> Vec<Vec<Piece>> {
    let width = cols / 3;
    let side_by_side = width >= KEYS_WIDTH + 16;
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for (n, group) in (0..).zip(Group::ALL) {
        let shift = if side_by_side { n * width } else { 0 };
        let start = if side_by_side { 0 } else { rows.len() };
        let mut put = |line: usize, pieces: Vec<Piece>| {
            while rows.len() <= line {
                rows.push(Vec::new());
            }
            rows[line].extend(pieces);
        };
        put(start, vec![(shift + 1, group.title().to_owned(), Role::Heading)]);
        for (line, action) in (start + 1..).zip(actions().filter(|a| a.group == group)) {
            let help = action.help.to_owned();
            put(
                line,
                vec![(shift + 1, action.keys(), Role::Key), (shift + 1 + KEYS_WIDTH, help, Role::Text)],
            );
        }
    }
    rows
}
