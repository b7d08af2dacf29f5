//! What keeps a scan from being whole, and since when that is known.

use std::time::Duration;

use crate::domain::hold::{Hold, HoldKind, countdown};
use crate::domain::symbol::Market;
use crate::domain::time::Mono;
use crate::market::snapshot::{DataState, Snapshot};

/// Two times of an end that are this near are one, told twice.
const SAME: Duration = Duration::from_secs(5);

/// The pauses that the exchange wanted, each told once.
#[derive(Debug, Default)]
pub(super) struct Holds {
    told: Vec<(Market, Hold)>,
}

impl Holds {
    /// What is to be said now.
    pub(super) fn news(&mut self, s: &Snapshot, now: Mono) -> Vec<String> {
        let mut news = Vec::new();
        for (market, hold, left) in held(s, now) {
            let known =
                |(m, h): &(Market, Hold)| *m == market && h.kind >= hold.kind && hold.until <= h.until + SAME;
            if !self.told.iter().any(known) {
                self.told.push((market, hold));
                news.push(sentence(market, hold.kind, left));
            }
        }
        news
    }
}

/// The markets of which nothing may be asked, and for how long on the exchange's clock.
fn held(s: &Snapshot, now: Mono) -> impl Iterator<Item = (Market, Hold, Duration)> {
    let theirs = s.clock.map(|c| c.at(now));
    s.rest.iter().filter_map(move |r| r.held.and_then(|h| Some((r.market, h, h.left(theirs)?))))
}

fn sentence(market: Market, kind: HoldKind, left: Duration) -> String {
    let left = countdown(left);
    match kind {
        HoldKind::Ban => format!(
            "{market}: the exchange has banned this address for {left} (HTTP 418); stop other programs on this address"
        ),
        HoldKind::Pause => format!(
            "{market}: the exchange wants a pause of {left} (HTTP 429); other programs on this address may use its weight too"
        ),
        HoldKind::Firewall => {
            format!("{market}: a firewall refuses this address for {left} (HTTP 403)")
        }
    }
}

/// Whether all that is still to come lies behind a pause that lasts longer than `patience`.
pub(super) fn is_hopeless(s: &Snapshot, now: Mono, patience: Duration) -> bool {
    beyond(s, now, patience).next().is_some()
        && s.markets.iter().all(|m| {
            beyond(s, now, patience).any(|(held, ..)| held == *m) || (s.universe.pending == 0 && is_in(s, *m))
        })
}

fn beyond(s: &Snapshot, now: Mono, patience: Duration) -> impl Iterator<Item = (Market, Hold, Duration)> {
    let clock = s.clock;
    held(s, now).filter(move |(.., left)| clock.is_some_and(|c| c.ours(*left) > patience))
}

fn is_in(s: &Snapshot, market: Market) -> bool {
    let lanes = s.rows.iter().filter(|r| r.pair.market == market).flat_map(|r| &r.lanes);
    lanes.filter(|l| l.bars == 0).all(|l| l.state != DataState::Warming)
}

/// Why the table is not whole, where the scan ended before it was: nothing else is to be had.
pub(super) fn cut_short(s: &Snapshot, now: Mono, timeout: Duration) -> Option<String> {
    if is_loaded(s) {
        return None;
    }
    if let Some(pause) = pause(s, now) {
        return Some(pause);
    }
    if let Some((market, why)) = s.universe.failed.first() {
        return Some(format!("no pairs of {market}: {why}"));
    }
    Some(format!("not all was loaded within {timeout:?}"))
}

/// The worst pause there is now.
pub(super) fn pause(s: &Snapshot, now: Mono) -> Option<String> {
    let (market, hold, left) = held(s, now).max_by_key(|(_, h, _)| (h.kind, h.until))?;
    Some(sentence(market, hold.kind, left))
}

/// Why it is not whole although all was asked for.
pub(super) fn refused(s: &Snapshot) -> Option<String> {
    let mut lanes = s.rows.iter().flat_map(|r| r.lanes.iter().filter(|l| l.state == DataState::Failed));
    let first = lanes.next()?;
    let why = first.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    Some(format!("{} series could not be loaded{why}", lanes.count() + 1))
}

pub(super) fn is_loaded(s: &Snapshot) -> bool {
    s.universe.pending == 0 && s.universe.failed.is_empty() && s.warmup.is_over()
}

/// How many rows have their score, of all.
pub(super) fn scored(s: &Snapshot) -> (usize, usize) {
    (s.rows.iter().filter(|r| r.score.is_some()).count(), s.rows.len())
}
