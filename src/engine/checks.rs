//! Checks somebody asked for: series compared with REST, and what came of it.

use std::time::Duration;

use crate::domain::hold::countdown;
use crate::domain::interval::Interval;
use crate::domain::symbol::Pair;
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{ErrorKind, ExchangeError, Priority};
use crate::market::freshness::Stage;
use crate::market::series::Merge;
use crate::market::snapshot::{self, Compared, Level, Verdict};
use crate::market::store::LaneId;

use super::core::Engine;
use super::desk::Desk;
use super::repair::{Errand, Purpose, Settled};
use super::{Output, Scope};

/// A check under way.
#[derive(Debug)]
pub(super) struct Check {
    id: u32,
    /// What is checked, as the notice names it; `None` where a job asked, which tells by itself.
    what: Option<String>,
    left: u32,
    compared: u32,
    /// The most of one series: no more than its newest are asked for.
    most: u32,
    added: u32,
    corrected: u32,
    /// The first corrected bar.
    first: Option<(Interval, UnixMs)>,
    /// Bars of which REST knows less than is held.
    lagging: u32,
    failed: u32,
    error: Option<ExchangeError>,
}

impl Engine {
    pub(super) fn on_refresh(&mut self, scope: &Scope, now: Mono, out: &mut Vec<Output>) {
        let Some((lanes, what)) = self.in_scope(scope, now) else { return };
        // Whether the place is still refused is asked once, not for each series.
        let restricted = |lane: &LaneId| self.desk_of(*lane).is_some_and(Desk::is_restricted);
        let (refused, lanes): (Vec<_>, Vec<_>) = lanes.into_iter().partition(restricted);
        for lane in &refused {
            self.tell_verdict(*lane, Verdict::Failed(CleanText::new("not served here")), now);
        }
        let open = lanes.iter().any(|lane| self.is_being_checked(*lane));
        let sent = self.check(&lanes, (Some(&what), Priority::User), now, out);
        if sent == 0 {
            let why = match (refused.is_empty(), open) {
                (false, _) => "the exchange does not serve this place; it is asked once more",
                (true, true) => "a check is under way",
                (true, false) => "nothing to check yet",
            };
            self.notice(now, Level::Info, &format!("{what}: {why}"));
        }
    }

    /// The series that somebody means, those in view first, and how a sentence names them.
    fn in_scope(&mut self, scope: &Scope, now: Mono) -> Option<(Vec<LaneId>, String)> {
        let (pair, series) = match scope {
            Scope::All => return Some((self.by_rank(self.store.ids()), "all series".to_owned())),
            Scope::One(pair) => (pair, None),
            Scope::Series(key) => (&key.pair, Some(key)),
        };
        let Some(id) = self.store.find_pair(pair) else {
            self.notice(now, Level::Warn, &format!("{pair} is not in the table"));
            return None;
        };
        if let Some(desk) = self.desk(pair.market) {
            desk.probe(now);
        }
        Some(match series {
            None => (self.store.lanes_of(id).collect(), pair.symbol.to_string()),
            Some(key) => {
                (self.store.find(key).into_iter().collect(), format!("{} {}", pair.symbol, key.interval))
            }
        })
    }

    /// Asks REST to compare these series, and to load those that nobody loads; how many are
    /// compared. One check of a series at a time: a second would compare the same rows.
    pub(super) fn check(
        &mut self,
        lanes: &[LaneId],
        (what, priority): (Option<&str>, Priority),
        now: Mono,
        out: &mut Vec<Output>,
    ) -> u32 {
        let id = self.checks.last().map_or(0, |c| c.id.wrapping_add(1));
        let mut sent = 0;
        for lane in lanes.iter().copied() {
            let Some(stage) = self.store.lane(lane).map(|l| l.freshness.stage) else { continue };
            let asked = self.care.get(lane.index()).is_some_and(|c| matches!(c.errand, Errand::Asked(_)));
            match stage {
                Stage::Delisted => {}
                Stage::Loaded if self.is_being_checked(lane) => {}
                Stage::Loading if asked => {}
                Stage::Loading => self.send(lane, Purpose::Warmup, priority, now, out),
                Stage::Loaded => {
                    self.send(lane, Purpose::Check(id), priority, now, out);
                    self.verdicts.insert(lane, snapshot::Check::Asked(now));
                    self.touch(self.store.pair_of(lane));
                    sent += 1;
                }
            }
        }
        if sent > 0 {
            self.checks.push(Check {
                id,
                what: what.map(str::to_owned),
                left: sent,
                compared: 0,
                most: 0,
                added: 0,
                corrected: 0,
                first: None,
                lagging: 0,
                failed: 0,
                error: None,
            });
        }
        sent
    }

    /// Whether REST is being asked how a series compares.
    pub(super) fn is_being_checked(&self, lane: LaneId) -> bool {
        self.verdicts.get(&lane).is_some_and(snapshot::Check::is_asked)
    }

    fn tell_verdict(&mut self, lane: LaneId, verdict: Verdict, now: Mono) {
        self.verdicts.insert(lane, snapshot::Check::Told { at: now, verdict });
        self.touch(self.store.pair_of(lane));
    }

    /// The checks that an answer about a series settles.
    pub(super) fn on_checked(
        &mut self,
        settled: &Settled,
        result: Result<&Merge, &ExchangeError>,
        now: Mono,
    ) {
        if settled.checks.is_empty() {
            return;
        }
        let verdict = match result {
            Ok(merge) => Verdict::Compared(Compared {
                equal: merge.duplicate.saturating_sub(merge.lagging),
                corrected: merge.amended,
                first: merge.first_amended,
                added: merge.appended,
                lagging: merge.lagging,
            }),
            Err(error) => Verdict::Failed(in_short(error)),
        };
        self.tell_verdict(settled.lane, verdict, now);
        let interval = self.store.key(settled.lane).map(|key| key.interval);
        for check in &settled.checks {
            self.checked(*check, interval, result, now);
        }
    }

    /// One series of a check is through, on `interval` where it is still there.
    pub(super) fn checked(
        &mut self,
        id: u32,
        interval: Option<Interval>,
        result: Result<&Merge, &ExchangeError>,
        now: Mono,
    ) {
        let Some(at) = self.checks.iter().position(|c| c.id == id) else { return };
        let Some(check) = self.checks.get_mut(at) else { return };
        check.left = check.left.saturating_sub(1);
        match result {
            Ok(merge) => {
                let compared = merge.duplicate + merge.amended;
                check.compared += compared;
                check.most = check.most.max(compared);
                check.added += merge.appended;
                check.corrected += merge.amended;
                check.first = check.first.or(interval.zip(merge.first_amended));
                check.lagging += merge.lagging;
            }
            Err(error) => {
                check.failed += 1;
                check.error = Some(error.clone());
            }
        }
        if check.left > 0 {
            return;
        }
        let check = self.checks.remove(at);
        let level = if check.failed > 0 { Level::Warn } else { Level::Info };
        if let Some(what) = &check.what {
            self.notice(now, level, &check.sentence(what));
        }
    }

    pub(super) fn on_focus(&mut self, pair: Option<&Pair>) {
        let new = pair.and_then(|p| self.store.find_pair(p));
        if new == self.focus {
            return;
        }
        for id in [self.focus, new].into_iter().flatten() {
            self.touch(id);
        }
        if !self.cfg.keep_klines {
            self.handed.clear();
        }
        self.focus = new;
    }
}

impl Check {
    /// `BTCUSDT: all equal (294 bars, at most the last 99 of a series)`: what was found comes first,
    /// since a narrow screen shows no more than the beginning.
    fn sentence(&self, what: &str) -> String {
        let Self { compared, most, added, corrected, lagging, failed, .. } = self;
        let unasked = self.error.as_ref().map(why_not);
        if let Some(why) = unasked.as_ref().filter(|_| *compared + *added == 0) {
            return format!("{what}: not checked: {why}");
        }
        if (*compared, *added, *lagging) == (0, 0, 0) {
            return format!("{what}: nothing compared with REST");
        }
        let first = self.first.map_or_else(String::new, |(i, open)| format!(": {i} {}", clock_text(open)));
        let found =
            [(*corrected, "corrected", first.as_str()), (*added, "added", ""), (*lagging, "newer here", "")]
                .iter()
                .filter(|(n, ..)| *n > 0)
                .map(|(n, word, more)| format!("{n} {word}{more}"))
                .collect::<Vec<_>>()
                .join(", ");
        let found = if found.is_empty() { "all equal" } else { &found };
        let extent = format!("{compared} bars, at most the last {most} of a series");
        match unasked {
            None => format!("{what}: {found} ({extent})"),
            Some(why) => {
                format!("{what}: {failed} series not checked; the others: {found} ({extent}): {why}")
            }
        }
    }
}

/// A bar's beginning, in UTC as its mark says.
fn clock_text(open: UnixMs) -> String {
    let minutes = open.0.div_euclid(60_000).rem_euclid(1_440);
    format!("{:02}:{:02}Z", minutes / 60, minutes % 60)
}

/// The same, with what the error itself says where that is more.
fn why_not(error: &ExchangeError) -> String {
    let (short, said) = (in_short(error), &error.message);
    let is_told = said.as_str().is_empty() || short == *said;
    if is_told { short.as_str().to_owned() } else { format!("{} ({said})", short.as_str()) }
}

/// Why REST could not be asked, in a few cells.
fn in_short(error: &ExchangeError) -> CleanText {
    let pause = |why: &str, wait: Duration| {
        // A countdown's last second is one.
        format!("{why} {}", countdown(wait.saturating_sub(Duration::from_secs(1))))
    };
    match error.kind {
        ErrorKind::Banned { wait } => CleanText::new(&pause("banned", wait)),
        ErrorKind::RateLimited { wait } => CleanText::new(&pause("REST pauses", wait)),
        ErrorKind::Forbidden { wait } => CleanText::new(&pause("refused by a firewall", wait)),
        ErrorKind::NoConnection => CleanText::new("no connection"),
        ErrorKind::Restricted => CleanText::new("not served here"),
        _ => error.message.clone(),
    }
}
