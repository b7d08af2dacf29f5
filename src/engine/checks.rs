//! Checks somebody asked for: series compared with REST, and what came of it.

use std::collections::HashSet;

use crate::domain::symbol::Pair;
use crate::domain::time::Mono;
use crate::exchange::{ErrorKind, ExchangeError, Priority};
use crate::market::freshness::Stage;
use crate::market::series::Merge;
use crate::market::snapshot::Level;
use crate::market::store::LaneId;

use super::core::Engine;
use super::desk::Desk;
use super::repair::{Errand, Purpose, Task};
use super::{Output, Scope};

/// A check under way.
#[derive(Debug)]
pub(super) struct Check {
    id: u32,
    /// What is checked, as the notice names it.
    what: String,
    left: u32,
    compared: u32,
    /// The most of one series: no more than its newest are asked for.
    most: u32,
    added: u32,
    corrected: u32,
    /// Bars of which REST knows less than is held.
    lagging: u32,
    failed: u32,
    error: Option<ExchangeError>,
}

impl Engine {
    pub(super) fn on_refresh(&mut self, scope: &Scope, now: Mono, out: &mut Vec<Output>) {
        let (lanes, what): (Vec<LaneId>, String) = match scope {
            Scope::All => (self.store.ids().collect(), "all series".to_owned()),
            Scope::One(pair) => match self.store.find_pair(pair) {
                Some(id) => {
                    if let Some(desk) = self.desk(pair.market) {
                        desk.probe(now);
                    }
                    (self.store.lanes_of(id).collect(), pair.symbol.to_string())
                }
                None => return self.notice(now, Level::Warn, &format!("{pair} is not in the table")),
            },
        };
        // Whether the place is still refused is asked once, not for each series.
        let restricted = |lane: &LaneId| self.desk_of(*lane).is_some_and(Desk::is_restricted);
        let (refused, lanes): (Vec<_>, Vec<_>) = lanes.into_iter().partition(restricted);
        // One check of a series at a time: a second would compare the same rows.
        let checked: HashSet<LaneId> = self.tasks.values().filter_map(Task::checked_lane).collect();
        let open = lanes.iter().any(|lane| checked.contains(lane));
        let id = self.checks.last().map_or(0, |c| c.id.wrapping_add(1));
        let mut sent = 0;
        for lane in lanes {
            let Some(stage) = self.store.lane(lane).map(|l| l.freshness.stage) else { continue };
            let asked = self.care.get(lane.index()).is_some_and(|c| matches!(c.errand, Errand::Asked(_)));
            match stage {
                Stage::Delisted => {}
                Stage::Loaded if checked.contains(&lane) => {}
                Stage::Loading if asked => {}
                Stage::Loading => self.send(lane, Purpose::Warmup, Priority::User, now, out),
                Stage::Loaded => {
                    self.send(lane, Purpose::Check(id), Priority::User, now, out);
                    sent += 1;
                }
            }
        }
        if sent == 0 {
            let why = match (refused.is_empty(), open) {
                (false, _) => "the exchange does not serve this place; it is asked once more",
                (true, true) => "a check is under way",
                (true, false) => "nothing to check yet",
            };
            return self.notice(now, Level::Info, &format!("{what}: {why}"));
        }
        self.checks.push(Check {
            id,
            what,
            left: sent,
            compared: 0,
            most: 0,
            added: 0,
            corrected: 0,
            lagging: 0,
            failed: 0,
            error: None,
        });
    }

    /// One series of a check is through.
    pub(super) fn checked(&mut self, id: u32, result: Result<&Merge, &ExchangeError>, now: Mono) {
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
        self.notice(now, level, &check.sentence());
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
    fn sentence(&self) -> String {
        let Self { what, compared, most, added, corrected, lagging, failed, .. } = self;
        if let Some(error) = self.error.as_ref().filter(|_| *compared + *added == 0) {
            let why =
                if error.kind == ErrorKind::NoConnection { "no connection" } else { "nothing compared" };
            return format!("refresh of {what}: {why}: {error}");
        }
        if (*compared, *added, *lagging) == (0, 0, 0) {
            return format!("{what}: nothing compared with REST");
        }
        let mut text =
            format!("{what}: {compared} bars compared with REST, at most the last {most} of a series");
        if (*corrected, *added, *lagging) == (0, 0, 0) {
            text.push_str(", all equal");
        } else {
            text.extend([format!(", {corrected} corrected, {added} added")]);
        }
        if *lagging > 0 {
            text.extend([format!("; REST knows less of {lagging}, which were kept")]);
        }
        if let Some(error) = &self.error {
            text.extend([format!("; {failed} series could not be checked: {error}")]);
        }
        text
    }
}
