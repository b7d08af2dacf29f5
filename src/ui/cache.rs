//! The cache: what is held, how it is fed, what REST may still be asked.

use crate::app::App;
use crate::app::behind;
use crate::app::column::{Column, Field};
use crate::app::layout::Tier;
use crate::app::text::{Precision, bar_end};
use crate::app::value::{Pulse, Value, state_tone, write_span};
use crate::app::zone::Zone;
use crate::domain::hold::{HoldKind, countdown};
use crate::domain::time::{Mono, UnixMs};
use crate::market::snapshot::{CacheStats, Link, LinkState, RestStatus, Row, UniverseCounts};
use std::fmt::Write as _;

use super::canvas::Canvas;
use super::scanner::empty_text;
use super::theme::Role;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let shape = app.shape();
    let reduced = shape.tier == Tier::Reduced;
    let end = shape.rows - if shape.tier == Tier::Roomy { 2 } else { 1 };
    let short = reduced || shape.rows < AT_LENGTH;
    let half = if short { shape.cols } else { shape.cols / 2 };
    let stats = &app.snapshot().stats;
    let mut y = if reduced { 2 } else { 3 };
    let capacity = or_dash(u64::from(stats.capacity));
    canvas.rule_between(0, half, y, &format!("memory: a ring of {capacity} bars a series"));
    let left = if short { short_memory_lines(stats) } else { memory_lines(stats) };
    lines(canvas, 1, y + 1, half - 1, &left);
    if !short {
        canvas.rule_between(half, shape.cols, y, "upserts");
        lines(canvas, half + 1, y + 1, shape.cols - half - 1, &upsert_lines(stats, &app.config().zone));
    }
    y += 1 + u16::try_from(left.len()).unwrap_or(0);
    if shape.rows >= WITH_UPKEEP {
        y = draw_upkeep(canvas, y, stats);
    }
    y = draw_feeds(app, canvas, y, end);
    draw_series(app, canvas, y, end);
}

type Line = (&'static str, String, Role);

fn lines(canvas: &mut Canvas<'_>, x: u16, y: u16, width: u16, lines: &[Line]) {
    for (line, (label, text, role)) in (y..).zip(lines) {
        canvas.text(x, line, width.min(11), label, Role::Dim);
        canvas.text(x + 11, line, width.saturating_sub(11), text, *role);
    }
}

fn memory_lines(s: &CacheStats) -> Vec<Line> {
    let rate = match s.hit_rate() {
        None => "- (nothing was read yet)".to_owned(),
        // At a start every series is read once before its bars are there: that is no bad rate.
        Some(_) if s.hits == 0 => format!("- (no hit yet, {} reads before their bars came)", group(s.misses)),
        Some(r) => format!("{:.2}% ({} hits, {} misses)", r * 100.0, group(s.hits), group(s.misses)),
    };
    let stale = if s.stale > 0 { Role::Warn } else { Role::Text };
    vec![
        ("symbols", group(u64::from(s.symbols)), Role::Text),
        ("series", format!("{}, {} warm", group(u64::from(s.series)), group(u64::from(s.warm))), Role::Text),
        ("klines", group(s.klines), Role::Text),
        ("hit rate", rate, Role::Text),
        ("memory", bytes(s.bytes), Role::Text),
        ("stale", group(u64::from(s.stale)), stale),
    ]
}

fn upsert_lines(s: &CacheStats, zone: &Zone) -> Vec<Line> {
    let o = s.outcomes;
    let time = |t: Option<UnixMs>| t.map_or_else(|| "-".to_owned(), |t| zone.stamp(t, Precision::Day));
    vec![
        ("updates", group(s.updates), Role::Text),
        ("new", format!("{} bars, {} amended", group(o.appended), group(o.amended)), Role::Text),
        ("ignored", format!("{} the same, {} too old", group(o.duplicate), group(o.older)), Role::Text),
        ("early", format!("{} closes, ahead of bars still missing", group(o.gap)), Role::Text),
        ("discarded", format!("{} frames and rows", group(s.discarded)), Role::Text),
        ("bars", format!("{} to {}", time(s.oldest), time(s.newest.map(bar_end))), Role::Text),
    ]
}

/// The same in as few lines as a small window has, with what the upserts' lines say.
fn short_memory_lines(s: &CacheStats) -> Vec<Line> {
    let all = memory_lines(s);
    let o = s.outcomes;
    let (series, symbols) = (group(u64::from(s.series)), group(u64::from(s.symbols)));
    let held = format!("{series} of {symbols} symbols, {} warm, {} stale", s.warm, s.stale);
    let role = if s.stale > 0 { Role::Warn } else { Role::Text };
    let klines = format!("{} in {}", group(s.klines), bytes(s.bytes));
    let updates = format!(
        "{} new, {} amended, {} the same, {} old",
        group(o.appended),
        group(o.amended),
        group(o.duplicate),
        group(o.older)
    );
    let mut short = vec![("series", held, role), ("klines", klines, Role::Text)];
    short.extend(all.into_iter().filter(|(label, ..)| *label == "hit rate"));
    short.push(("updates", updates, Role::Text));
    short
}

/// What was done to keep the series true, in two columns where two fit.
fn draw_upkeep(canvas: &mut Canvas<'_>, y: u16, stats: &CacheStats) -> u16 {
    canvas.rule(y, "kept true");
    let all = upkeep_lines(stats);
    let cols = canvas.cols();
    let rows = |n: usize| u16::try_from(n).unwrap_or(0);
    if cols < TWO_COLUMNS {
        lines(canvas, 1, y + 1, cols - 1, &all);
        return y + 1 + rows(all.len());
    }
    let (narrow, wide) = all.split_at(all.len() - 1);
    let (left, right) = narrow.split_at(narrow.len().div_ceil(2));
    lines(canvas, 1, y + 1, cols / 2 - 1, left);
    lines(canvas, cols / 2 + 1, y + 1, cols - cols / 2 - 1, right);
    let below = y + 1 + rows(left.len());
    lines(canvas, 1, below, cols - 1, wide);
    below + rows(wide.len())
}

/// Columns from which two of figures fit beside each other.
const TWO_COLUMNS: u16 = 80;
/// Rows from which the memory is told at length.
const AT_LENGTH: u16 = 30;
/// Rows from which there is room for more than memory, sockets and series.
const WITH_UPKEEP: u16 = 24;

fn upkeep_lines(s: &CacheStats) -> Vec<Line> {
    let (u, d) = (s.upkeep, s.discards);
    let warn = |n: u64| if n > 0 { Role::Warn } else { Role::Text };
    let n = group;
    let closes =
        format!("{} asked, {} REST, {} late", n(u.verifications), n(u.closed_by_rest), n(u.late_closes));
    let streams = format!("{} silent, {} anew, {} polled", n(u.silent), n(u.resubscribed), n(u.polls));
    let gaps = format!("{} found, {} repaired", n(s.gaps), n(s.repaired));
    let bars = format!("{} corrected, {} holes", n(u.corrections), n(u.holes));
    let sockets = format!("{} lost, {} stalled, {} anew", n(u.lost), n(u.stalls), n(u.replaced));
    let signals = format!("{} withheld, {} revised", n(u.withheld), n(u.revised));
    let discards = format!(
        "{} not JSON, {} unknown, {} bad, {} not ours, {} overrun, {} rows",
        n(d.not_json),
        n(d.unknown_shape),
        n(d.bad_value),
        n(d.not_watched),
        n(d.overrun),
        n(d.rows)
    );
    vec![
        ("closes", closes, Role::Text),
        ("streams", streams, Role::Text),
        ("refused", format!("{} streams, by name", n(u.refused)), warn(u.refused)),
        ("gaps", gaps, warn(s.gaps.saturating_sub(s.repaired))),
        ("repairs", format!("{} had to queue", n(u.spread)), Role::Text),
        ("bars", bars, Role::Text),
        ("sockets", sockets, Role::Text),
        ("signals", signals, warn(u.revised)),
        ("discards", discards, Role::Text),
    ]
}

/// Links on the left, REST on the right; says where it ends.
fn draw_feeds(app: &App, canvas: &mut Canvas<'_>, y: u16, end: u16) -> u16 {
    let snapshot = app.snapshot();
    let cols = canvas.cols();
    canvas.rule(y, "streams and REST");
    canvas.text(cols.saturating_sub(32), y, 30, " redis: off   history: off ", Role::Dim);
    let room = usize::from(end.saturating_sub(y + 1)) / 2;
    let mut y = y + 1;
    for link in snapshot.links.iter().take(room.max(1)) {
        let (text, role) = link_text(link, app.now());
        canvas.text(1, y, cols - 1, &text, role);
        y += 1;
    }
    if snapshot.links.is_empty() {
        canvas.text(1, y, cols - 1, "no stream is open", Role::Dim);
        y += 1;
    }
    for rest in snapshot.rest.iter().take(2) {
        let (text, role) = rest_text(rest, app);
        canvas.text(1, y, cols - 1, &text, role);
        y += 1;
    }
    if app.shape().rows >= WITH_UPKEEP {
        canvas.text(1, y, cols - 1, &pairs_text(&snapshot.universe.counts), Role::Text);
        y += 1;
    }
    y
}

/// What the lists of pairs did to the table.
fn pairs_text(c: &UniverseCounts) -> String {
    let n = group;
    format!(
        "pairs: {} in, {} out, {} delisted, {} back; lists: {}, {} refused; {} unread, {} odd",
        n(c.entered),
        n(c.left),
        n(c.delisted),
        n(c.returned),
        n(c.lists),
        n(c.refused),
        n(c.unread),
        n(c.unknown)
    )
}

fn link_text(link: &Link, now: Mono) -> (String, Role) {
    let lag = link.lag.map_or_else(|| "-".to_owned(), super::header::lag_text);
    let mut since = String::new();
    let _ = crate::app::value::write_span(now.since(link.since), &mut since);
    let (state, role) = match &link.state {
        LinkState::Connecting => ("connecting".to_owned(), Role::Warn),
        LinkState::Subscribing => ("subscribed, no data yet".to_owned(), Role::Warn),
        LinkState::Up => ("up".to_owned(), Role::Text),
        LinkState::Down { why, retry } => {
            let retry = retry.map_or_else(
                || "not tried again".to_owned(),
                |t| format!("tried again in {}s", t.since(now).as_secs() + 1),
            );
            (format!("down: {why}; {retry}"), Role::Bad)
        }
    };
    let name = format!("{} #{}", link.market, link.conn);
    let figures = format!(
        "{:>5} streams {:>10} frames  lag {lag:>6}  lost {:>2}x",
        link.streams,
        group(link.frames),
        link.drops
    );
    (format!("{name:<8}{figures}  {since:>4}  {state}"), role)
}

fn rest_text(rest: &RestStatus, app: &App) -> (String, Role) {
    let now = app.exchange_now();
    let span = |out: &mut String, since: Mono| {
        let _ = write_span(app.now().since(since), out);
    };
    let mut out = format!("{:<4} REST ", rest.market);
    let mut role = Role::Text;
    // What is wrong comes first: a narrow window cuts the end.
    if let Some((hold, left)) = rest.held.and_then(|hold| Some((hold, hold.left(now)?))) {
        let word = match hold.kind {
            HoldKind::Ban => "BANNED (418)",
            HoldKind::Pause => "held (429)",
            HoldKind::Firewall => "held (403)",
        };
        let _ = write!(out, "{word} for {}  ", countdown(left));
        role = Role::Bad;
    } else if let Some(since) = rest.failing {
        out.push_str("failing for ");
        span(&mut out, since);
        out.push_str("  ");
        role = Role::Warn;
    }
    let weight =
        if rest.limit == 0 { "-".to_owned() } else { format!("{}/{}", rest.used_at(now), rest.limit) };
    let (requests, failed) = (group(rest.requests), group(rest.failed));
    let _ = write!(out, "weight {weight} this minute  {requests} requests, {failed} failed");
    if let Some((error, at)) = &rest.last_error {
        out.push_str("  last ");
        span(&mut out, *at);
        let _ = write!(out, " ago: {error}");
    }
    (out, role)
}

const HEAD: [(&str, u16); 6] =
    [("SYMBOL", 3), ("TF", 18), ("BARS", 23), ("LAST CLOSE", 33), ("AGE", 46), ("STATE", 51)];

/// The series of the rows from the cursor on, each with its age.
fn draw_series(app: &App, canvas: &mut Canvas<'_>, y: u16, end: u16) {
    if y + 2 > end {
        return;
    }
    canvas.rule(y, "series, from the cursor on (the filter applies)");
    for (title, x) in HEAD {
        canvas.text(x, y + 1, 12, title, Role::Heading);
    }
    let mut y = y + 2;
    for (n, row) in app.rows_from(app.place()).enumerate() {
        for lane in 0..row.lanes.len() {
            if y >= end {
                return;
            }
            draw_lane(app, canvas, (y, n == 0), row, lane);
            y += 1;
        }
    }
    if app.matches() == 0 {
        canvas.text(2, y, canvas.cols() - 2, &empty_text(app), Role::Dim);
    }
}

fn draw_lane(app: &App, canvas: &mut Canvas<'_>, (y, selected): (u16, bool), row: &Row, at: usize) {
    let lane = &row.lanes[at];
    let mut text = String::new();
    canvas.text(HEAD[0].1, y, 14, row.pair.symbol.as_str(), Role::Text);
    canvas.text(HEAD[1].1, y, 4, lane.interval.as_str(), Role::Text);
    let _ = write!(text, "{}/{}", lane.bars, lane.need);
    canvas.text(HEAD[2].1, y, 10, &text, Role::Text);
    let close = lane.newest.map_or_else(
        || canvas.notation.absent().to_owned(),
        |(_, close)| app.config().zone.time(bar_end(close), Precision::Day),
    );
    canvas.text(HEAD[3].1, y, 12, &close, Role::Text);
    text.clear();
    let age = Column::on(lane.interval, Field::Age).value(row, &app.reading());
    age.write(canvas.notation, 5, &mut text);
    let age_role = match age {
        Value::Age { pulse: Pulse::Live | Pulse::Standing, .. } => Role::Text,
        other => other.tone().into(),
    };
    canvas.text(HEAD[4].1, y, 5, &text, age_role);
    text.clear();
    text.push_str(lane.state.as_str());
    let missing = behind::missing(lane, app.exchange_now());
    if missing > 0 {
        text.push_str(", ");
        let _ = behind::write_missing(missing, &mut text);
    }
    if let Some(why) = &lane.why {
        let _ = write!(text, ": {why}");
    }
    if lane.holes > 0 {
        let _ = write!(text, " ({} holes of the exchange)", lane.holes);
    }
    let width = canvas.cols().saturating_sub(HEAD[5].1);
    canvas.text(HEAD[5].1, y, width, &text, state_tone(lane.state).into());
    if selected && at == 0 {
        canvas.text(0, y, 1, ">", Role::Title);
        canvas.select(y, HEAD[0].1..HEAD[1].1 - 1);
    }
}

/// What can't be 0 is not known while it is.
fn or_dash(n: u64) -> String {
    if n == 0 { "-".to_owned() } else { group(n) }
}

/// Thousands apart: `1,204,118`.
fn group(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bytes(n: u64) -> String {
    if n < 1_000_000 { format!("{:.1} KB", n as f64 / 1e3) } else { format!("{:.1} MB", n as f64 / 1e6) }
}
