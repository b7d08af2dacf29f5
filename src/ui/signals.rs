//! The log of what closed bars said.

use std::fmt::Write as _;
use std::time::Duration;

use crate::app::App;
use crate::app::column::Align;
use crate::app::layout::Tier;
use crate::app::signals::{Entry, pane};
use crate::app::text::{Precision, bar_end};
use crate::app::value::{Notation, Value};
use crate::domain::hama::Sign;
use crate::market::snapshot::SignalEvent;

use super::canvas::Canvas;
use super::header::lag_text;
use super::scanner::name;
use super::theme::Role;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Time,
    Pair,
    Interval,
    Event,
    Hama,
    Ma,
    Dist,
    Bands,
    Score,
    Lag,
}

/// Part, heading, where its text stands, its cells.
const PARTS: [(Part, &str, Align, u16); 10] = [
    (Part::Time, "CLOSE", Align::Left, 11),
    (Part::Pair, "SYMBOL", Align::Left, 13),
    (Part::Interval, "TF", Align::Left, 3),
    (Part::Event, "EVENT", Align::Left, 8),
    (Part::Hama, "HAMA", Align::Right, 10),
    (Part::Ma, "MA", Align::Right, 10),
    (Part::Dist, "DIST", Align::Right, 7),
    (Part::Bands, "BANDS", Align::Left, 9),
    (Part::Score, "TF SCORE", Align::Right, 9),
    (Part::Lag, "LAG", Align::Right, 5),
];

/// What goes first where width is short.
const DROPPED: [Part; 4] = [Part::Hama, Part::Ma, Part::Bands, Part::Score];

/// Cells before the first column: the cursor, the mark, a gap.
const MARGIN: u16 = 3;

type Columns = Vec<(Part, &'static str, Align, u16)>;

fn columns(app: &App) -> Columns {
    let mut columns: Columns = PARTS.to_vec();
    if app.snapshot().markets.len() > 1 {
        // The market stands beside the symbol.
        columns[1].3 += 5;
    }
    for part in DROPPED {
        let need: u16 = columns.iter().map(|c| c.3 + 1).sum();
        if MARGIN + need <= app.shape().cols + 1 {
            break;
        }
        columns.retain(|c| c.0 != part);
    }
    columns
}

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let pane = pane(app.shape());
    draw_title(app, canvas, pane.first - 2);
    let columns = columns(app);
    let mut x = MARGIN;
    for (part, title, align, wide) in &columns {
        let zoned = || app.config().zone.heading(title, app.exchange_now(), usize::from(*wide));
        let title = if *part == Part::Time { zoned() } else { (*title).to_owned() };
        canvas.field((x, pane.first - 1), *wide, *align, &title, Role::Heading);
        x += wide + 1;
    }
    if app.signal_count() == 0 {
        let text = "no cross since the program started; each one comes here when its bar closes";
        canvas.text(2, pane.first, canvas.cols().saturating_sub(2), text, Role::Dim);
        return;
    }
    let top = app.signal_top();
    for ((y, place), entry) in (pane.first..).zip(top..top + pane.rows).zip(app.signals_from(top)) {
        draw_entry(app, entry, &columns, y, canvas);
        if place == app.signal_place() {
            canvas.text(0, y, 1, ">", Role::Title);
            canvas.select(y, MARGIN + 12..MARGIN + 12 + columns[1].3);
        }
    }
    if app.shape().tier != Tier::Reduced {
        draw_selected(app, canvas);
    }
}

/// How many there are, how many are not seen yet, how many are newer than what is on screen.
fn draw_title(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    if app.shape().tier == Tier::Roomy {
        canvas.rule(y, "");
    }
    let count = app.signal_count();
    let spans = [
        (format!(" {count} signals of closed bars "), Role::Title),
        (
            match app.unread() {
                0 => String::new(),
                n => format!(" {n} unread "),
            },
            Role::Key,
        ),
        (
            match app.signal_top() {
                0 => String::new(),
                n => format!(" {n} newer above "),
            },
            Role::Warn,
        ),
        (
            match app.missed_signals() {
                0 => String::new(),
                n => format!(" {n} missed "),
            },
            Role::Bad,
        ),
    ];
    let spans = spans.each_ref().map(|(text, role)| (text.as_str(), *role));
    canvas.spans(1, y, canvas.cols(), &spans);
}

fn draw_entry(app: &App, entry: &Entry, columns: &Columns, y: u16, canvas: &mut Canvas<'_>) {
    if entry.is_unread {
        canvas.text(1, y, 1, "*", Role::Key);
    }
    let mut x = MARGIN;
    for (part, _, align, wide) in columns {
        let (text, role) = part_text(*part, app, entry, canvas.notation);
        canvas.field((x, y), *wide, *align, &text, role);
        x += wide + 1;
    }
}

fn part_text(part: Part, app: &App, entry: &Entry, notation: Notation) -> (String, Role) {
    let event = &entry.event;
    let absent = || (notation.absent().to_owned(), Role::Dim);
    let value = |value: Value<'_>| {
        let mut out = String::new();
        value.write(notation, 10, &mut out);
        (out, Role::from(value.tone()))
    };
    match part {
        Part::Time => (app.config().zone.time(bar_end(event.close_time), Precision::Day), Role::Dim),
        Part::Pair => (name(app, &event.pair), Role::Text),
        Part::Interval => (event.interval.to_string(), Role::Text),
        Part::Event => {
            let (word, role) = cross_word(event.dir);
            (word.to_owned(), role)
        }
        Part::Hama => value(Value::Price(event.hama_close, event.tick)),
        Part::Ma => value(Value::Price(event.ma, event.tick)),
        Part::Dist => value(Value::Percent(event.dev_pct)),
        Part::Bands => event.bands.map_or_else(absent, |b| (b.as_str().to_owned(), Role::Text)),
        Part::Score => score_text(event, notation).map_or_else(absent, |text| (text, Role::Text)),
        Part::Lag => entry.shown_after.map_or_else(absent, |lag| (lag_text(lag), Role::Dim)),
    }
}

/// The interval's score, before and after.
fn score_text(event: &SignalEvent, notation: Notation) -> Option<String> {
    let (before, after) = event.score;
    let arrow = if notation == Notation::Ascii { ">" } else { "→" };
    let before = before.map_or_else(String::new, |s| format!("{s:+.0}{arrow}"));
    after.map(|after| format!("{before}{after:+.0}"))
}

/// A cross in words.
pub(super) fn cross_word(dir: Sign) -> (&'static str, Role) {
    match dir {
        Sign::Up => ("cross up", Role::Up),
        Sign::Down => ("cross dn", Role::Down),
        Sign::Flat => ("cross", Role::Flat),
    }
}

/// The signal under the cursor, with where its time went.
fn draw_selected(app: &App, canvas: &mut Canvas<'_>) {
    let Some(entry) = app.signals_from(app.signal_place()).next() else { return };
    let (event, notation) = (&entry.event, canvas.notation);
    let y = canvas.lines() - if app.shape().tier == Tier::Roomy { 4 } else { 3 };
    canvas.rule(y, &format!("{} {}", name(app, &event.pair), event.interval));
    let tick = event.tick;
    let (word, _) = cross_word(event.dir);
    let mut text = format!("{word}  HAMA {} / MA {}", tick.format(event.hama_close), tick.format(event.ma));
    if let Some(score) = score_text(event, notation) {
        let _ = write!(text, "  {} score {score}", event.interval);
    }
    let end = canvas.text(1, y + 1, canvas.cols() - 1, &text, Role::Text);
    let lag = format!("   {}", lag_words(entry.told_after, entry.shown_after));
    canvas.text(end, y + 1, canvas.cols().saturating_sub(end), &lag, Role::Dim);
}

/// `340ms after the close, 120ms later on screen`
fn lag_words(lag: Duration, shown_after: Option<Duration>) -> String {
    let mut out = format!("{} after the close", lag_text(lag));
    if let Some(shown) = shown_after {
        let _ = write!(out, ", {} later on screen", lag_text(shown.saturating_sub(lag)));
    }
    out
}
