//! How the cache is fed: sockets, REST, the lists of pairs; and where else it could be kept.

use std::fmt::Write as _;

use crate::app::App;
use crate::app::cache::Plan;
use crate::app::value::write_span;
use crate::domain::hold::{HoldKind, countdown};
use crate::domain::time::Mono;
use crate::market::snapshot::{Link, LinkState, RestStatus, UniverseCounts};
use crate::ui::canvas::Canvas;
use crate::ui::theme::Role;

use super::group;

/// Sockets, then REST, then what became of the lists of pairs.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, plan: &Plan, y: u16) {
    let snapshot = app.snapshot();
    let cols = canvas.cols();
    canvas.rule(y, "streams and REST");
    if plan.stores.is_none() {
        canvas.text(cols.saturating_sub(32), y, 30, " redis: off   history: off ", Role::Dim);
    }
    let mut y = y + 1;
    for link in snapshot.links.iter().take(plan.links) {
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
    if plan.upkeep.is_some() {
        canvas.text(1, y, cols - 1, &pairs_text(&snapshot.universe.counts), Role::Text);
    }
}

/// What this program could keep elsewhere, and does not.
pub(super) fn draw_stores(canvas: &mut Canvas<'_>, y: u16) {
    canvas.rule(y, "redis and history");
    let cols = canvas.cols();
    for (line, (label, text)) in (y + 1..).zip(STORES) {
        canvas.text(1, line, 11, label, Role::Dim);
        canvas.text(12, line, cols.saturating_sub(12), text, Role::Text);
    }
}

const STORES: [(&str, &str); 2] =
    [("redis", "off: not configured"), ("history", "off: closed bars are kept in memory only")];

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
    let lag = link.lag.map_or_else(|| "-".to_owned(), crate::ui::header::lag_text);
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
