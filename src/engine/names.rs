//! Pairs asked for by name that are not traded, or that no market has.

use std::collections::HashSet;

use crate::domain::symbol::{Market, Symbol};
use crate::domain::time::Mono;
use crate::market::snapshot::{Level, Pool, UnknownName};

use super::core::Engine;
use super::universe::Selection;

impl Engine {
    /// Notes the pairs asked for by name that a market lacks, or does not trade. Only when all
    /// markets have answered is a name unknown.
    pub(super) fn note_names(&mut self, market: Market, selection: Selection, now: Mono) {
        if let Some(desk) = self.desk(market) {
            desk.roster.absent = selection.absent;
            desk.roster.not_trading = selection.not_trading.into_iter().map(|(pair, _)| pair).collect();
        }
        self.report.not_trading =
            self.desks.iter().flat_map(|d| d.roster.not_trading.iter().cloned()).collect();
        self.sum_up_universe();
        if self.report.pending == 0 {
            self.note_unknown(now);
        }
    }

    fn note_unknown(&mut self, now: Mono) {
        let spec = self.cfg.universe.clone();
        let before = std::mem::take(&mut self.report.unknown);
        for name in spec.names() {
            let mut near = Vec::new();
            let lacking = self.desks.iter().filter_map(|d| d.roster.absent.iter().find(|(n, _)| n == name));
            let lacking = lacking.map(|(_, n)| near.extend(n.iter().cloned())).count();
            if lacking < self.desks.len() {
                continue;
            }
            let mut seen = HashSet::new();
            near.retain(|name| seen.insert(name.clone()));
            near.truncate(3);
            let pool = spec.by_name(name).unwrap_or(Pool::Named);
            let unknown = UnknownName { name: name.clone(), pool, near };
            if before.iter().all(|u| u.name != *name) {
                self.tell_unknown(&unknown, now);
            }
            self.report.unknown.push(unknown);
        }
    }

    fn tell_unknown(&mut self, UnknownName { name, pool, near }: &UnknownName, now: Mono) {
        let hint: Vec<&str> = near.iter().map(Symbol::as_str).collect();
        let hint = if hint.is_empty() { String::new() } else { format!("; near: {}", hint.join(", ")) };
        let (level, of) = match pool {
            // A list outlives some of its pairs.
            Pool::Watchlist => (Level::Warn, " of the watchlist"),
            _ => (Level::Error, ""),
        };
        self.notice(now, level, &format!("no market has a pair {name}{of}{hint}"));
    }
}
