//! Help: made of the key map, so that it can't be wrong about it.

use std::fmt::Write as _;

use crate::app::action::Action;
use crate::app::keymap::Keymap;
use crate::app::keys::{Chord, Key};
use crate::app::layout::Frame;
use crate::app::popup::Help;
use crate::app::value::Notation;
use crate::app::{App, HOLD};
use crate::domain::hama::Sign::{Down, Flat, Up};
use crate::rule::field::{FIELDS, FieldSpec};

use super::canvas::Canvas;
use super::chart::legend as chart_legend;
use super::popup;
use super::theme::Role;
use ratatui::layout::Position;

const KEYS_WIDTH: u16 = 9;

/// Lines of the legend: what signs and words mean.
fn legend(notation: Notation) -> [String; 19] {
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
        format!(
            " * marked  {} changed since your last key ({} under the cursor)  n new",
            notation.changed(),
            notation.changed_cursor()
        ),
        " changed: a trend turned, HAMA crossed its average, the score moved by 10 or more".to_owned(),
        " +81*  a score of some of the intervals; its share is in the note".to_owned(),
        " age: since the last word; not live: of the oldest figures; end: it stands".to_owned(),
        " ages are rounded down to 5 10 20 40 s, whole minutes, hours, days".to_owned(),
        " SCORE -100..100 over all intervals; DIST HAMA against its average".to_owned(),
        " |SCORE|  the order is by size, the sign left out: -88 above +83".to_owned(),
        format!(" order held: for {} s after a move no row changes its place", HOLD.as_secs()),
        " C/MA~ live price against the average, a preview".to_owned(),
        format!(" BOLL squ nor exp {}  on the last bar the close left its bands", sign(Up)),
        chart_legend(notation).0,
        chart_legend(notation).1,
        " filter: btc -usdc | @list score>60 15m.dist<1% 1h:bull all:up -stale".to_owned(),
        " 47/500 3?  match / all; of 3 it is not known, and they are not shown".to_owned(),
        " The score ranks; it is not advice.".to_owned(),
    ]
}

/// Draws the help, or the lines of it that have what is looked for.
pub(super) fn draw(app: &App, help: &Help, frame: Frame, canvas: &mut Canvas<'_>) -> Option<Position> {
    let cols = canvas.cols();
    let query = help.query();
    let rows = if query.text().is_empty() { whole(app, cols) } else { found(app, query.text()) };
    let inside = frame.lines();
    let at = help.at().min(rows.len().saturating_sub(inside));
    let mut title = format!("help   type to search  {} closes", app.key_of(Action::Escape));
    if rows.len() > inside {
        let _ = write!(title, "  {} {} scroll", Chord::plain(Key::Down), Chord::plain(Key::Up));
    }
    let (x, y) = canvas.window(frame.x, frame.y, (frame.width, frame.height), &title);
    for (line, row) in (y..).zip(rows.iter().skip(at).take(inside)) {
        for (shift, text, role) in row {
            canvas.text(x + shift, line, cols.saturating_sub(x + shift), text, *role);
        }
    }
    if query.text().is_empty() {
        return None;
    }
    Some(popup::draw_query(query, (x + 1, frame.y + frame.height - 1, 30), "/", canvas))
}

fn whole(app: &App, cols: u16) -> Vec<Vec<Piece>> {
    let mut rows = columns_of_actions(app.keys(), cols);
    rows.push(Vec::new());
    rows.extend(legend(app.config().notation).map(|line| vec![(1, line, Role::Text)]));
    rows.push(Vec::new());
    rows.push(vec![(1, "fields of filters".to_owned(), Role::Heading)]);
    rows.extend(FIELDS.iter().map(field_row));
    rows
}

/// `bb  bands  squeeze, normal, expand`: a field and the states it has.
fn field_row(spec: &FieldSpec) -> Vec<Piece> {
    let states: Vec<&str> = spec.states.iter().map(|s| s.as_str()).collect();
    vec![
        (1, spec.id.to_owned(), Role::Key),
        (1 + KEYS_WIDTH + 2, spec.about.to_owned(), Role::Text),
        (1 + KEYS_WIDTH + 32, states.join(", "), Role::Dim),
    ]
}

/// Actions, signs and fields with that text in them, with the actions' names in files.
fn found(app: &App, text: &str) -> Vec<Vec<Piece>> {
    let text = text.to_lowercase();
    let has = |line: &str| line.to_lowercase().contains(&text);
    let mut rows = Vec::new();
    for line in app.keys().lines() {
        let (keys, spec) = (line.keys(), line.spec);
        if has(&keys) || has(spec.id) || has(spec.help) {
            rows.push(vec![
                (1, keys, Role::Key),
                (1 + 2 * KEYS_WIDTH, spec.help.to_owned(), Role::Text),
                (1 + 2 * KEYS_WIDTH + 20, spec.id.to_owned(), Role::Dim),
            ]);
        }
    }
    let legend = legend(app.config().notation).into_iter().filter(|l| has(l));
    rows.extend(legend.map(|line| vec![(1, line, Role::Text)]));
    let names = |f: &FieldSpec| has(f.id) || has(f.about) || f.field.aliases().any(has);
    rows.extend(FIELDS.iter().filter(|f| names(f)).map(field_row));
    if rows.is_empty() {
        rows.push(vec![(1, "nothing here has that in it".to_owned(), Role::Dim)]);
    }
    rows
}

type Piece = (u16, String, Role);

/// The sections side by side where there is room, each below the shortest so far; one below the
/// other where there is none.
fn columns_of_actions(keys: &Keymap, cols: u16) -> Vec<Vec<Piece>> {
    let width = cols / 3;
    let count = if width >= KEYS_WIDTH + 16 { 3 } else { 1 };
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    let mut ends = vec![0; count];
    for (title, lines) in keys.sections() {
        let Some((n, start)) = (0_u16..).zip(ends.iter().copied()).min_by_key(|(_, end)| *end) else { break };
        let shift = n * width + 1;
        let heading = vec![(shift, title.to_owned(), Role::Heading)];
        let lines = lines.into_iter().map(|line| {
            let help = line.spec.help.to_owned();
            vec![(shift, line.keys(), Role::Key), (shift + KEYS_WIDTH, help, Role::Text)]
        });
        let start = if start > 0 { start + 1 } else { 0 };
        let mut at = start;
        for pieces in std::iter::once(heading).chain(lines) {
            if rows.len() <= at {
                rows.resize_with(at + 1, Vec::new);
            }
            rows[at].extend(pieces);
            at += 1;
        }
        ends[usize::from(n)] = at;
    }
    rows
}
