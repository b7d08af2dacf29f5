//! The lines above the table and the last line: where the data comes from and whether it flows,
//! since old figures are the user's main risk.

use std::fmt::Write as _;
use std::time::Duration;

use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use crate::app::action::Action;
use crate::app::column::Direction;
use crate::app::columns::OVERVIEW;
use crate::app::layout::{Tier, tabs};
use crate::app::list::Keep;
use crate::app::text::Precision;
use crate::app::value::write_span;
use crate::app::{App, Shown, Toast, Troubled, View};
use crate::domain::hold::{HoldKind, countdown};
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;
use crate::market::snapshot::{Level, LinkState, RestStatus, Snapshot};

use super::about::about;
use super::canvas::Canvas;
use super::theme::Role;

type Spans = Vec<(String, Role)>;

fn borrow(spans: &Spans) -> Vec<(&str, Role)> {
    spans.iter().map(|(t, r)| (t.as_str(), *r)).collect()
}

/// The lines above the table. Says where the text cursor is, while a filter is typed.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) -> Option<Position> {
    let right = canvas.spans_right(0, &borrow(&feed(app)));
    canvas.spans(0, 0, right.saturating_sub(1), &borrow(&identity(app)));
    let cols = canvas.cols();
    let is_reduced = app.shape().tier == Tier::Reduced;
    if !is_reduced {
        draw_tabs(app, canvas);
    }
    let y = app.shape().filter_line();
    if let Some(about) = about(app) {
        let end = if is_reduced { canvas.spans_right(y, &borrow(&progress(app, cols / 2))) } else { cols };
        canvas.spans(0, y, end.saturating_sub(1), &borrow(&about));
        return None;
    }
    let is_filtering = !app.filter().is_empty() || app.prompt().is_some();
    if is_reduced {
        // There is no line for the state of the whole: it stands beside the filter.
        let spans = if is_filtering { filter_state(app, cols) } else { all(app, cols - NO_FILTER_WIDTH) };
        return draw_filter(app, canvas, y, &spans);
    }
    let count = filter_count(app);
    let left = if is_filtering { cols / 2 } else { NO_FILTER_WIDTH };
    let spans = order(app, &count, cols.saturating_sub(left));
    draw_filter(app, canvas, y, &spans)
}

/// The names of the views, and on their right the state of the whole.
fn draw_tabs(app: &App, canvas: &mut Canvas<'_>) {
    let cols = canvas.cols();
    let mut x = 1;
    for tab in tabs(app.shape(), app.keys(), app.unread()) {
        let role = if app.view() == tab.view { Role::Tab } else { Role::Text };
        x = canvas.text(tab.x, 1, cols.saturating_sub(tab.x), &tab.text, role) + 1;
    }
    canvas.spans_right(1, &borrow(&progress(app, cols.saturating_sub(x))));
}

/// Cells of how to get a filter, where there is none.
const NO_FILTER_WIDTH: u16 = 11;

fn wide(spans: &[(String, Role)]) -> u16 {
    let wide: usize = spans.iter().map(|(text, _)| text.width()).sum();
    u16::try_from(wide).unwrap_or(u16::MAX)
}

fn identity(app: &App) -> Spans {
    let snapshot = app.snapshot();
    let roomy = app.shape().tier == Tier::Roomy;
    let name = if roomy { concat!(" hamatop ", env!("CARGO_PKG_VERSION"), "  ") } else { " hamatop " };
    let mut spans = vec![(name.to_owned(), Role::Title)];
    if let Some(replay) = app.config().replay {
        let time = app.exchange_now().map_or_else(String::new, |t| {
            let t = UnixMs(t.0.min(replay.end.0));
            format!(" {}", app.config().zone.stamp(t, Precision::Full))
        });
        let end = if app.has_ended() { " ENDED" } else { "" };
        spans.push((format!(" DEMO {}x{time}{end} ", replay.speed), Role::Demo));
        spans.push((" ".to_owned(), Role::Text));
    } else if let Some(place) = &app.config().place {
        // Whoever reads figures that are not Binance's has to know it at every size.
        let name: String = place.as_str().chars().take(if roomy { 32 } else { 22 }).collect();
        spans.push((format!("{name} "), Role::Title));
    } else if roomy {
        spans.push(("BINANCE ".to_owned(), Role::Text));
    }
    let markets: Vec<&str> = snapshot.markets.iter().map(|m| market_name(*m)).collect();
    spans.push((markets.join("+"), Role::Text));
    let count = match snapshot.rows.len() {
        0 => "-".to_owned(),
        n => n.to_string(),
    };
    if app.shape().tier != Tier::Reduced {
        spans.push((format!(" {count}"), Role::Text));
    }
    if roomy {
        let intervals: Vec<&str> = snapshot.intervals.iter().map(|i| i.as_str()).collect();
        spans.push((format!(" sym x {}", intervals.join(" ")), Role::Text));
    }
    spans
}

fn market_name(market: Market) -> &'static str {
    match market {
        Market::UsdM => "USDT-M",
        Market::Spot => "SPOT",
    }
}

/// Links, lag, REST weight, clock.
fn feed(app: &App) -> Spans {
    let snapshot = app.snapshot();
    let tier = app.shape().tier;
    let up = snapshot.links.iter().filter(|l| l.state == LinkState::Up);
    let count = up.clone().count();
    let mut spans = vec![match snapshot.links.len() {
        // How many there will be is not known before the list of pairs.
        0 => ("WS -".to_owned(), Role::Warn),
        all if count < all => (format!("WS {count}/{all}"), Role::Warn),
        all => (format!("WS {count}/{all}"), Role::Text),
    }];
    if let Some(lag) = up.filter_map(|l| l.lag).max().filter(|_| tier != Tier::Reduced) {
        let label = if tier == Tier::Roomy { "  lag " } else { " " };
        spans.push((format!("{label}{}", lag_text(lag)), Role::Text));
    }
    // That nothing may be asked, or nothing is answered, has to be seen at every size.
    let troubles: Vec<_> = snapshot.rest.iter().map(|r| trouble(r, app)).collect();
    let crowded = tier != Tier::Roomy && troubles.iter().flatten().count() > 1;
    for (rest, trouble) in snapshot.rest.iter().zip(troubles) {
        if let Some((word, role)) = trouble {
            let what = if crowded { "" } else { "REST " };
            spans.push((format!("  {} {what}{word}", rest.market), role));
        } else if tier != Tier::Reduced {
            spans.push(weight(rest, app.exchange_now()));
        }
    }
    if app.config().replay.is_none() {
        spans.push((format!("  {}", clock(app)), Role::Text));
    }
    spans.push((" ".to_owned(), Role::Text));
    spans
}

/// The exchange's clock, as wide in a quiet market as in a busy one: nothing beside it moves.
fn clock(app: &App) -> String {
    let roomy = app.shape().tier == Tier::Roomy;
    let precision = if roomy && !app.is_quiet() { Precision::Second } else { Precision::Minute };
    let stamp = |t| app.config().zone.stamp(t, precision);
    let clock = app.exchange_now().map_or_else(|| "--:--Z".to_owned(), stamp);
    if roomy { format!("{clock:<9}") } else { clock }
}

/// A lag in three figures.
pub(super) fn lag_text(lag: Duration) -> String {
    if lag < Duration::from_secs(1) {
        format!("{}ms", lag.as_millis())
    } else if lag < Duration::from_secs(60) {
        format!("{:.1}s", lag.as_secs_f64())
    } else {
        let mut out = String::new();
        let _ = write_span(lag, &mut out);
        out
    }
}

/// What keeps REST from its work.
fn trouble(rest: &RestStatus, app: &App) -> Option<(String, Role)> {
    if let Some((hold, left)) = rest.held.and_then(|hold| Some((hold, hold.left(app.exchange_now())?))) {
        let word = if hold.kind == HoldKind::Ban { "BANNED" } else { "held" };
        return Some((format!("{word} {}", countdown(left)), Role::Bad));
    }
    let mut text = "failing ".to_owned();
    let _ = write_span(app.now().since(rest.failing?), &mut text);
    Some((text, Role::Warn))
}

fn weight(rest: &RestStatus, now: Option<UnixMs>) -> (String, Role) {
    // Nothing was asked yet, so nothing is known.
    if rest.limit == 0 {
        return ("  REST -".to_owned(), Role::Text);
    }
    let used = rest.used_at(now);
    let busy = u64::from(used) * 10 >= u64::from(rest.limit) * 8;
    (format!("  REST {used}/{}", rest.limit), if busy { Role::Warn } else { Role::Text })
}

/// How far the loading is, then what may be thought of the whole; and what is unusual about the
/// rows, as much as there is room for.
fn progress(app: &App, room: u16) -> Spans {
    let mut spans: Spans = vec![state(app), (" ".to_owned(), Role::Text)];
    for (word, role) in modes(app) {
        let more = [(format!(" {word}"), role)];
        if wide(&spans) + wide(&more) > room {
            break;
        }
        spans.splice(spans.len() - 1..spans.len() - 1, [(" ".to_owned(), Role::Text), more[0].clone()]);
    }
    spans
}

/// What is not as it is at the start, the most important first.
fn modes(app: &App) -> Vec<(String, Role)> {
    let mut words = Vec::new();
    if app.is_frozen() {
        words.push(("FROZEN".to_owned(), Role::Warn));
    } else if app.is_order_held() {
        words.push(("order held".to_owned(), Role::Dim));
    }
    if app.shown() == Shown::Marked {
        words.push(("MARKED ONLY".to_owned(), Role::Warn));
    }
    match app.news_count() {
        0 => {}
        n => words.push((format!("{n} changed"), Role::Key)),
    }
    if app.keeps() == Keep::Cursor {
        words.push(("follow".to_owned(), Role::Dim));
    }
    words
}

/// What stands before the sort column, the interval of the figures, the set of columns.
type Labels = Option<[&'static str; 3]>;

/// From the roomiest to none, with nothing that would take a label.
const LABELS: [Labels; 4] = [
    Some(["sort: ", "figures: ", "columns: "]),
    Some(["sort ", "figures ", "columns "]),
    Some(["by ", "of ", "set "]),
    None,
];

/// What the table shows, behind `first`, in as many words as there is room for.
fn order(app: &App, first: &Spans, room: u16) -> Spans {
    let said = LABELS.map(|labels| order_with(app, first.clone(), labels));
    let fits = said.iter().position(|spans| wide(spans) <= room);
    said.into_iter().nth(fits.unwrap_or(LABELS.len() - 1)).unwrap_or_default()
}

fn order_with(app: &App, mut spans: Spans, labels: Labels) -> Spans {
    let Some([by, of, columns]) = labels else { return spans };
    // The cache's list has an order and columns of its own.
    let is_scanner = app.view() == View::Scanner;
    if is_scanner {
        let sort = app.sort();
        let arrow = if sort.direction() == Direction::Falling { "v" } else { "^" };
        let gap = if spans.is_empty() { "" } else { " " };
        spans.push((format!("{gap}{by}{} {arrow}", sort.column.title()), Role::Text));
    }
    let interval = app.snapshot().intervals.get(app.lane());
    spans.extend(interval.map(|i| (format!("  {of}{i}"), Role::Text)));
    let set = app.column_set();
    if is_scanner && set.name != OVERVIEW {
        spans.push((format!("  {columns}{}", set.name), Role::Text));
    }
    spans.push((" ".to_owned(), Role::Text));
    spans
}

/// Both in one line.
fn all(app: &App, room: u16) -> Spans {
    let mut spans = progress(app, room);
    let left = room.saturating_sub(wide(&spans));
    let order = order(app, &Spans::new(), left.saturating_sub(1));
    if !order.is_empty() {
        spans.push((" ".to_owned(), Role::Text));
        spans.extend(order);
    }
    spans
}

fn state(app: &App) -> (String, Role) {
    let snapshot = app.snapshot();
    if !snapshot.warmup.is_over() {
        (warmup_text(snapshot), Role::Warn)
    } else if app.has_ended() {
        ("ENDED".to_owned(), Role::Warn)
    } else {
        overall(app.troubled())
    }
}

fn warmup_text(snapshot: &Snapshot) -> String {
    let w = snapshot.warmup;
    if w.total == 0 {
        return "warm-up -".to_owned();
    }
    let mut out = format!("warm-up {}/{}", w.done, w.total);
    if let Some(rate) = w.rate {
        let _ = write!(out, " {rate:.1}/s");
    }
    if let Some(eta) = w.eta {
        let _ = write!(out, " ETA {}s", eta.as_secs() + 1);
    }
    if w.failed > 0 {
        let _ = write!(out, " {} failed", w.failed);
    }
    out
}

fn overall(troubled: Troubled) -> (String, Role) {
    match (troubled.failed, troubled.stale) {
        (0, 0) => ("LIVE".to_owned(), Role::Good),
        (0, stale) => (format!("{stale} STALE"), Role::Warn),
        (failed, 0) => (format!("{failed} FAILED"), Role::Bad),
        (failed, stale) => (format!("{failed} FAILED {stale} STALE"), Role::Bad),
    }
}

/// How many rows match, or where the filter is wrong: what that is stands on the last line, where
/// there is room.
fn filter_count(app: &App) -> Spans {
    let total = app.snapshot().rows.len();
    match app.filter_error() {
        Some(e) => {
            let column = (format!("column {} ", e.column), Role::Bad);
            std::iter::once(column).chain(in_force(app)).collect()
        }
        None if app.filter().is_empty() && app.prompt().is_none() => Spans::new(),
        None => vec![(match_count(app, total), Role::Dim)],
    }
}

/// Rows of which it is not known whether they match are not shown, so that they have to be counted.
fn match_count(app: &App, total: usize) -> String {
    let matches = app.matches();
    match app.unknown() {
        0 => format!("{matches} of {total} match "),
        unknown if app.shape().tier == Tier::Roomy => {
            format!("{matches} of {total} match, {unknown} unknown ")
        }
        unknown => format!("{matches}/{total}  {unknown}? "),
    }
}

/// The same before the state of the whole. Where both leave the filter too little, the count goes.
fn filter_state(app: &App, cols: u16) -> Spans {
    let state = [(" ".to_owned(), Role::Text), state(app), (" ".to_owned(), Role::Text)];
    let mut spans = filter_count(app);
    if app.filter_error().is_none() && wide(&spans) + wide(&state) > cols - MIN_FILTER_WIDTH {
        spans.clear();
    }
    spans.extend(state);
    spans
}

/// Which filter the table goes by while the one that is typed is none, where there is room.
fn in_force(app: &App) -> Option<(String, Role)> {
    let prompt = app.prompt()?;
    let text = match app.filter().source() {
        "" => "still: all rows ".to_owned(),
        source => format!("still: {source} "),
    };
    // The column before it, the state of the whole behind it where that has no line of its own.
    let others = if app.shape().tier == Tier::Reduced { 32 } else { 18 };
    let need = text.width() + prompt.text().width().max(usize::from(MIN_FILTER_WIDTH)) + others;
    (need <= usize::from(app.shape().cols)).then_some((text, Role::Dim))
}

/// Cells that a filter gets before its count does.
const MIN_FILTER_WIDTH: u16 = 24;

/// The filter: being typed, applied, or how to get one. What stands on its right comes first.
fn draw_filter(app: &App, canvas: &mut Canvas<'_>, y: u16, right: &Spans) -> Option<Position> {
    let end = canvas.spans_right(y, &borrow(right)).saturating_sub(1);
    let key = format!(" {} ", app.key_of(Action::EditFilter));
    let Some(prompt) = app.prompt() else {
        let source = app.filter().source();
        if source.is_empty() {
            canvas.spans(0, y, end, &[(&key, Role::Key), ("filter", Role::Dim)]);
        } else {
            canvas.spans(0, y, end, &[(&key, Role::Key), (source, Role::Title)]);
        }
        return None;
    };
    let x = canvas.spans(0, y, end, &[(&key, Role::Key)]);
    let cursor = u16::try_from(prompt.cursor()).unwrap_or(u16::MAX);
    let room = end.saturating_sub(x + 1);
    // Past the room, the text's tail is shown, where the cursor nearly always is.
    let skip = cursor.saturating_sub(room);
    let shown = skip_cells(prompt.text(), skip);
    canvas.text(x, y, room.saturating_add(1), shown, Role::Title);
    Some(Position::new((x + cursor - skip).min(end), y))
}

fn skip_cells(text: &str, cells: u16) -> &str {
    use unicode_width::UnicodeWidthChar;
    let mut left = usize::from(cells);
    for (at, c) in text.char_indices() {
        if left == 0 {
            return &text[at..];
        }
        left = left.saturating_sub(c.width().unwrap_or(0));
    }
    ""
}

/// The last line: a word that goes by itself, or what the keys do.
pub(super) fn draw_bottom(app: &App, canvas: &mut Canvas<'_>) {
    let y = canvas.lines().saturating_sub(1);
    if app.shape().tier == Tier::Roomy {
        canvas.rule(y - 1, "");
    }
    if let Some(error) = app.filter_error() {
        let text = format!(" column {}: {}", error.column, error.message);
        canvas.text(0, y, canvas.cols(), &text, Role::Bad);
        return;
    }
    if let Some(toast) = app.toast() {
        return draw_toast(app, toast, canvas, y);
    }
    if app.greets() {
        return draw_welcome(app, canvas, y);
    }
    draw_hints(app, canvas, y);
}

/// What the keys do here, as much as there is room for; how to find more in any case.
fn draw_hints(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let more = [app.key_of(Action::Palette), app.key_of(Action::Help)];
    let wide =
        |(keys, what): &(String, &str)| u16::try_from(keys.width() + what.width() + 3).unwrap_or(u16::MAX);
    let (more, hints): (Vec<_>, Vec<_>) =
        app.keys().hints(app.context()).into_iter().partition(|(keys, _)| more.contains(keys));
    let mut room = (canvas.cols() + 1).saturating_sub(more.iter().map(wide).sum());
    let mut fits = |hint: &(String, &'static str)| {
        let fits = wide(hint) <= room;
        room = if fits { room - wide(hint) } else { 0 };
        fits
    };
    let shown: Vec<_> = hints.into_iter().filter(|h| fits(h)).collect();
    let mut x = 1;
    for (keys, what) in shown.into_iter().chain(more) {
        x = canvas.spans(x, y, canvas.cols(), &[(&keys, Role::Key), (" ", Role::Dim), (what, Role::Dim)]) + 2;
    }
}

fn draw_toast(app: &App, toast: &Toast, canvas: &mut Canvas<'_>, y: u16) {
    let role = match toast.level {
        Level::Info => Role::Text,
        Level::Warn => Role::Warn,
        Level::Error => Role::Bad,
    };
    let more = match toast.more {
        0 => String::new(),
        n => format!("  +{n} more: {} ", app.key_of(Action::Log)),
    };
    let end = canvas.cols().saturating_sub(u16::try_from(more.width()).unwrap_or(0));
    let x = canvas.spans(0, y, end, &[(" ", role), (toast.text.as_str(), role)]);
    canvas.text(x, y, canvas.cols().saturating_sub(x), &more, Role::Key);
}

/// For who sees this for the first time, until the first key.
fn draw_welcome(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let key = |action| app.key_of(action);
    let (help, find, filter) = (key(Action::Help), key(Action::Palette), key(Action::EditFilter));
    let (open, quit) = (key(Action::Open), key(Action::Back));
    let cols = canvas.cols();
    let mut x = canvas.text(1, y, cols - 1, "Welcome. ", Role::Title);
    for (key, what) in [
        (help, "every key and sign"),
        (find, "find anything"),
        (filter, "filter"),
        (open, "open a pair"),
        (quit, "leave"),
    ] {
        let wide = u16::try_from(key.width() + what.len() + 3).unwrap_or(u16::MAX);
        if x + wide > cols + 2 {
            break;
        }
        x = canvas.spans(x, y, cols, &[(&key, Role::Key), (" ", Role::Dim), (what, Role::Text)]) + 2;
    }
}
