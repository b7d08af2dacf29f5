//! The cache: what is held, how it is fed, what REST may still be asked.

mod feeds;
mod series;

use crate::app::App;
use crate::app::cache::TWO_COLUMNS;
use crate::app::text::{Precision, bar_end};
use crate::app::zone::Zone;
use crate::domain::time::UnixMs;
use crate::market::snapshot::CacheStats;

use super::canvas::Canvas;
use super::theme::Role;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let (shape, plan) = (app.shape(), app.cache_plan());
    let stats = &app.snapshot().stats;
    if let Some(y) = plan.memory {
        draw_memory(app, canvas, y, plan.short);
    }
    if let Some(y) = plan.upkeep {
        draw_upkeep(canvas, y, stats);
    }
    if let Some(y) = plan.feeds {
        feeds::draw(app, canvas, &plan, y);
    }
    if let Some(y) = plan.stores {
        feeds::draw_stores(canvas, y);
    }
    if plan.series + 2 < plan.end {
        series::draw(app, canvas, &plan, shape.cols);
    }
}

fn draw_memory(app: &App, canvas: &mut Canvas<'_>, y: u16, short: bool) {
    let stats = &app.snapshot().stats;
    let cols = canvas.cols();
    let half = if short { cols } else { cols / 2 };
    let capacity = or_dash(u64::from(stats.capacity));
    canvas.rule_between(0, half, y, &format!("memory: a ring of {capacity} bars a series"));
    let left = if short { short_memory_lines(stats) } else { memory_lines(stats) };
    lines(canvas, 1, y + 1, half - 1, &left);
    if !short {
        canvas.rule_between(half, cols, y, "upserts");
        lines(canvas, half + 1, y + 1, cols - half - 1, &upsert_lines(stats, &app.config().zone));
    }
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
fn draw_upkeep(canvas: &mut Canvas<'_>, y: u16, stats: &CacheStats) {
    canvas.rule(y, "kept true");
    let all = upkeep_lines(stats);
    let cols = canvas.cols();
    let rows = |n: usize| u16::try_from(n).unwrap_or(0);
    if cols < TWO_COLUMNS {
        return lines(canvas, 1, y + 1, cols - 1, &all);
    }
    let (narrow, wide) = all.split_at(all.len() - 1);
    let (left, right) = narrow.split_at(narrow.len().div_ceil(2));
    lines(canvas, 1, y + 1, cols / 2 - 1, left);
    lines(canvas, cols / 2 + 1, y + 1, cols - cols / 2 - 1, right);
    let below = y + 1 + rows(left.len());
    lines(canvas, 1, below, cols - 1, wide);
}

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
