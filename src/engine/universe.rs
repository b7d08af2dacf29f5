//! Which pairs make the table, from one list of the exchange to the next.
//!
//! Invariant: pure, and no row flaps. A pair enters among the top N and leaves only when two lists
//! in a row have it beyond a fifth more than N; movers are chosen anew once an hour.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::domain::symbol::{Instrument, Pair, Symbol};
use crate::domain::text::distance;
use crate::domain::time::UnixMs;
use crate::exchange::{DayEvent, UniverseAnswer};
use crate::market::snapshot::Pool;

use super::UniverseSpec;

/// Names suggested for one that does not exist.
const MAX_NEAR: usize = 3;
/// Lists in a row that have a pair beyond the margin before it leaves the top.
const PATIENCE: u32 = 2;
/// How often movers are chosen.
const MOVERS_EVERY: Duration = Duration::from_secs(3_600);
/// A mover is traded at least for this share of the volume of the market's most traded pair: a
/// single trade moves a dead one by any per cent.
const MOVER_FLOOR: f64 = 1e-4;

/// A pair that was chosen, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) instrument: Instrument,
    pub(super) pool: Pool,
    pub(super) day: Option<DayEvent>,
}

/// A market's part of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selection {
    /// By quote volume, largest first; those without figures last.
    pub(super) chosen: Vec<Chosen>,
    /// Pairs asked for by name that do not trade now.
    pub(super) not_trading: Vec<(Pair, Pool)>,
    /// Asked for by name, and not on this market, with names that look alike.
    pub(super) absent: Vec<(Symbol, Vec<Symbol>)>,
}

/// What is remembered of a market's pairs from one list to the next.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// In the table for their volume, with the lists in a row that had them beyond the margin.
    top: HashMap<Symbol, u32>,
    /// In the table for their change.
    movers: HashSet<Symbol>,
    movers_of: Option<UnixMs>,
    /// The newest figures of each pair that trades: a list that lacks some moves nobody.
    figures: HashMap<Symbol, Figures>,
    /// Lists taken.
    pub(super) lists: u32,
    /// What the last list lacked, where it would have taken most rows away and was not believed by
    /// itself.
    pub(super) doubted: HashSet<Symbol>,
    /// Asked for by name and not here, by the last list.
    pub(super) absent: Vec<(Symbol, Vec<Symbol>)>,
    /// Asked for by name and not trading, by the last list.
    pub(super) not_trading: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct Figures {
    volume: f64,
    change: f64,
}

impl UniverseSpec {
    /// Why a pair is wanted for its name, if it is.
    pub(super) fn by_name(&self, name: &Symbol) -> Option<Pool> {
        if self.named.contains(name) {
            return Some(Pool::Named);
        }
        self.watched.contains(name).then_some(Pool::Watchlist)
    }

    /// Every pair asked for by name.
    pub(super) fn names(&self) -> impl Iterator<Item = &Symbol> {
        self.named.iter().chain(self.watched.iter().filter(|w| !self.named.contains(w)))
    }
}

impl Roster {
    /// Whether the top can be told: somebody has said a volume of any pair.
    pub(super) fn can_rank(&self, spec: &UniverseSpec, answer: &UniverseAnswer) -> bool {
        spec.top == 0 || !answer.day.is_empty() || !self.figures.is_empty()
    }

    /// Whether it is believed that these are `missing`: the list before said so of each.
    pub(super) fn believes(&self, missing: &HashSet<Symbol>) -> bool {
        missing.is_subset(&self.doubted)
    }

    /// The union of the top N, the movers, the watchlists and the named ones, by the list of
    /// `theirs`, the exchange's time where it is known.
    pub(super) fn select(
        &mut self,
        spec: &UniverseSpec,
        answer: &UniverseAnswer,
        theirs: Option<UnixMs>,
    ) -> Selection {
        self.take_figures(answer);
        let ranked = self.ranked(spec, &answer.trading);
        self.choose_top(spec.top as usize, &ranked);
        self.choose_movers(spec.movers as usize, &ranked, theirs);
        let pool = |i: &Instrument| {
            let name = &i.pair.symbol;
            let top = || self.top.contains_key(name).then_some(Pool::Top);
            let mover = || self.movers.contains(name).then_some(Pool::Mover);
            spec.by_name(name).or_else(top).or_else(mover)
        };
        let day: HashMap<&Pair, &DayEvent> = answer.day.iter().map(|d| (&d.pair, d)).collect();
        let mut seen = HashSet::new();
        let mut chosen: Vec<Chosen> = answer
            .trading
            .iter()
            .chain(&answer.others)
            .filter(|i| seen.insert(&i.pair))
            .filter_map(|i| {
                let day = day.get(&i.pair).map(|d| (*d).clone());
                Some(Chosen { pool: pool(i)?, instrument: i.clone(), day })
            })
            .collect();
        chosen.sort_by(|a, b| self.by_volume(&a.instrument, &b.instrument));
        let mut out = look_up_names(spec, answer);
        out.chosen = chosen;
        out
    }

    fn take_figures(&mut self, answer: &UniverseAnswer) {
        for d in &answer.day {
            let figures = Figures { volume: d.quote_volume, change: d.change_pct };
            self.figures.insert(d.pair.symbol.clone(), figures);
        }
        let trading: HashSet<&Symbol> =
            answer.trading.iter().chain(&answer.others).map(|i| &i.pair.symbol).collect();
        // What can't be read is there all the same.
        self.figures.retain(|name, _| trading.contains(name) || answer.unread.contains(name));
        self.movers.retain(|name| trading.contains(name));
    }

    fn volume(&self, name: &Symbol) -> Option<f64> {
        self.figures.get(name).map(|f| f.volume)
    }

    fn by_volume(&self, a: &Instrument, b: &Instrument) -> std::cmp::Ordering {
        let volume = |i: &Instrument| self.volume(&i.pair.symbol).unwrap_or(-1.0);
        volume(b).total_cmp(&volume(a)).then_with(|| a.pair.cmp(&b.pair))
    }

    /// The pairs of the quote, by volume. What is of another kind takes no place among them.
    fn ranked<'a>(&self, spec: &UniverseSpec, trading: &'a [Instrument]) -> Vec<&'a Symbol> {
        let mut ranked: Vec<&Instrument> = trading.iter().filter(|i| i.quote == spec.quote).collect();
        ranked.sort_by(|a, b| self.by_volume(a, b));
        let mut names: Vec<&Symbol> = ranked.into_iter().map(|i| &i.pair.symbol).collect();
        names.dedup();
        names
    }

    fn choose_top(&mut self, most: usize, ranked: &[&Symbol]) {
        let margin = most + most.div_ceil(5);
        let mut top = HashMap::new();
        for (place, name) in ranked.iter().enumerate() {
            // Without a volume a place says nothing: those come last, by name.
            if place < most && self.volume(name).is_some() {
                top.insert((*name).clone(), 0);
                continue;
            }
            let Some(beyond) = self.top.get(*name) else { continue };
            let beyond = if place < margin || self.volume(name).is_none() { 0 } else { beyond + 1 };
            if beyond < PATIENCE {
                top.insert((*name).clone(), beyond);
            }
        }
        self.top = top;
    }

    fn choose_movers(&mut self, most: usize, ranked: &[&Symbol], theirs: Option<UnixMs>) {
        let due = match (self.movers_of, theirs) {
            (Some(of), Some(now)) => now >= of + MOVERS_EVERY,
            (None, _) => true,
            (Some(_), None) => false,
        };
        if most == 0 || !due {
            return;
        }
        let floor = ranked.first().and_then(|n| self.volume(n)).unwrap_or(0.0) * MOVER_FLOOR;
        let is_alive = |f: &&Figures| f.volume >= floor && f.volume > 0.0;
        let mut changes: Vec<(f64, &Symbol)> = ranked
            .iter()
            .filter_map(|n| Some((self.figures.get(*n).filter(is_alive)?.change.abs(), *n)))
            .collect();
        changes.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
        self.movers = changes.into_iter().take(most).map(|(_, n)| n.clone()).collect();
        self.movers_of = theirs;
    }
}

/// Which pairs asked for by name are not there to be chosen, and what was meant.
fn look_up_names(spec: &UniverseSpec, answer: &UniverseAnswer) -> Selection {
    let mut out = Selection::default();
    let names: Vec<Symbol> =
        answer.trading.iter().chain(&answer.others).map(|i| i.pair.symbol.clone()).collect();
    let known: HashSet<&Symbol> = names.iter().chain(&answer.unread).collect();
    for name in spec.names().filter(|n| !known.contains(n)) {
        match answer.not_trading.iter().find(|p| p.symbol == *name) {
            Some(pair) => {
                let pool = spec.by_name(name).unwrap_or(Pool::Named);
                out.not_trading.push((pair.clone(), pool));
            }
            None => out.absent.push((name.clone(), near(name, &names))),
        }
    }
    out
}

/// Names that look like `name`: those that hold it first, then those a slip or two away.
pub(super) fn near(name: &Symbol, names: &[Symbol]) -> Vec<Symbol> {
    let wanted = name.as_str().to_uppercase();
    if let Some(same) = names.iter().find(|s| s.as_str().to_uppercase() == wanted) {
        return vec![same.clone()];
    }
    let mut scored: Vec<(usize, &Symbol)> = names
        .iter()
        .filter_map(|s| {
            let other = s.as_str().to_uppercase();
            let score = if other.starts_with(&wanted) {
                1 + other.len() - wanted.len()
            } else if wanted.chars().count() >= 3 && other.contains(&wanted) {
                20 + other.len() - wanted.len()
            } else {
                let slips = distance(&wanted, &other);
                (slips <= 2 && slips * 3 <= wanted.chars().count()).then_some(10 + slips)?
            };
            Some((score, s))
        })
        .collect();
    scored.sort();
    scored.into_iter().take(MAX_NEAR).map(|(_, s)| s.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symbol::{Market, Tick};

    fn sym(s: &str) -> Symbol {
        s.parse().unwrap()
    }

    fn pair(s: &str) -> Pair {
        Pair { market: Market::UsdM, symbol: sym(s) }
    }

    fn instrument(name: &str, quote: &str) -> Instrument {
        Instrument { pair: pair(name), base: sym(name), quote: sym(quote), tick: Tick::default() }
    }

    fn figures(name: &str, quote_volume: f64, change_pct: f64) -> DayEvent {
        DayEvent { pair: pair(name), last: 1.0, change_pct, quote_volume, event_time: UnixMs(0) }
    }

    fn answer(list: &[(&str, &str, Option<f64>)]) -> UniverseAnswer {
        let mut out = UniverseAnswer::default();
        for (name, quote, volume) in list {
            out.trading.push(instrument(name, quote));
            out.day.extend(volume.map(|v| figures(name, v, 0.0)));
        }
        out
    }

    fn spec(top: u32, named: &[&str]) -> UniverseSpec {
        UniverseSpec {
            quote: sym("USDT"),
            top,
            movers: 0,
            watched: vec![],
            named: named.iter().map(|n| sym(n)).collect(),
        }
    }

    fn names(selection: &Selection) -> Vec<(String, Pool)> {
        selection.chosen.iter().map(|c| (c.instrument.pair.symbol.to_string(), c.pool)).collect()
    }

    #[test]
    fn the_top_of_the_quote_and_the_named_of_any() {
        let mut a = answer(&[
            ("A", "USDT", Some(1.0)),
            ("B", "USDT", Some(5.0)),
            ("C", "USDC", Some(9.0)),
            ("D", "USDT", None),
            ("E", "USDT", Some(3.0)),
        ]);
        a.not_trading.push(pair("OLD"));
        let got = Roster::default().select(&spec(2, &["C", "D", "OLD", "BB"]), &a, None);
        let want = [("C", Pool::Named), ("B", Pool::Top), ("E", Pool::Top), ("D", Pool::Named)];
        assert_eq!(names(&got), want.map(|(n, p)| (n.to_owned(), p)));
        assert_eq!(got.not_trading, [(pair("OLD"), Pool::Named)]);
        assert_eq!(got.absent.len(), 1);
    }

    #[test]
    fn a_pair_without_a_volume_is_never_among_the_top() {
        let a = answer(&[("A", "USDT", None), ("B", "USDT", Some(5.0)), ("C", "USDC", Some(9.0))]);
        let mut roster = Roster::default();
        assert!(roster.can_rank(&spec(3, &[]), &a));
        assert_eq!(names(&roster.select(&spec(3, &[]), &a, None)), [("B".to_owned(), Pool::Top)]);
        let bare = answer(&[("A", "USDT", None), ("B", "USDT", None)]);
        assert!(roster.can_rank(&spec(3, &[]), &bare), "B's was told before");
        assert_eq!(names(&roster.select(&spec(3, &[]), &bare, None)), [("B".to_owned(), Pool::Top)]);
        assert!(!Roster::default().can_rank(&spec(3, &[]), &bare));
        assert!(Roster::default().can_rank(&spec(0, &["A"]), &bare), "none is needed");
    }

    #[test]
    fn the_strongest_reason_is_said_and_other_kinds_come_only_by_name() {
        let mut a = answer(&[
            ("A", "USDT", Some(9.0)),
            ("B", "USDT", Some(8.0)),
            ("C", "USDT", Some(7.0)),
            ("D", "USDT", Some(1.0)),
            ("E", "USDT", Some(1e-5)),
        ]);
        for (n, d) in a.day.iter_mut().enumerate() {
            d.change_pct = [1.0, 2.0, 3.0, -40.0, 99.0][n];
        }
        a.others = vec![instrument("Q_261225", "USDT"), instrument("TSLA", "USDT")];
        a.day.push(figures("TSLA", 1e9, 80.0));
        let wanted =
            UniverseSpec { movers: 1, watched: vec![sym("B"), sym("A"), sym("Q_261225")], ..spec(3, &["A"]) };
        let got = Roster::default().select(&wanted, &a, None);
        let want = [
            ("A", Pool::Named),
            ("B", Pool::Watchlist),
            ("C", Pool::Top),
            ("D", Pool::Mover),
            ("Q_261225", Pool::Watchlist),
        ];
        assert_eq!(names(&got), want.map(|(n, p)| (n.to_owned(), p)), "E is traded too little to move");
    }

    /// Ten pairs, P0 the largest; then the volumes given, by name.
    fn ten(changed: &[(&str, f64)]) -> UniverseAnswer {
        let list: Vec<(String, f64)> = (0..10).map(|n| (format!("P{n}"), 100.0 - f64::from(n))).collect();
        let mut a = UniverseAnswer::default();
        for (name, volume) in &list {
            let volume = changed.iter().find(|(n, _)| n == name).map_or(*volume, |(_, v)| *v);
            a.trading.push(instrument(name, "USDT"));
            a.day.push(figures(name, volume, 0.0));
        }
        a
    }

    #[test]
    fn a_row_enters_at_its_rank_and_leaves_only_when_two_lists_have_it_well_beyond() {
        let mut roster = Roster::default();
        let wanted = spec(5, &[]);
        let mut has = |a: &UniverseAnswer, name: &str| {
            let got = roster.select(&wanted, a, None);
            let rows: Vec<String> = names(&got).into_iter().map(|(n, _)| n).collect();
            (rows.len(), rows.contains(&name.to_owned()))
        };
        assert_eq!(has(&ten(&[]), "P5"), (5, false));
        // P5 passes P4: both are in, however often they change places.
        for volume in [96.5, 95.0, 96.5, 95.0] {
            assert_eq!(has(&ten(&[("P5", volume)]), "P4"), (6, true));
            assert_eq!(has(&ten(&[("P5", volume)]), "P5"), (6, true));
        }
        // One list far below is not enough, and one within the margin begins the count anew.
        assert_eq!(has(&ten(&[("P5", 1.0)]), "P5"), (6, true));
        assert_eq!(has(&ten(&[]), "P5"), (6, true));
        assert_eq!(has(&ten(&[("P5", 1.0)]), "P5"), (6, true));
        // A list without figures says nothing new about volumes.
        let mut torn = ten(&[]);
        torn.day.clear();
        assert_eq!(has(&torn, "P5"), (5, false), "the last known figure counts: the second list");
        assert_eq!(has(&torn, "P4"), (5, true));
    }

    #[test]
    fn movers_are_chosen_once_an_hour() {
        let mut roster = Roster::default();
        let wanted = UniverseSpec { movers: 1, ..spec(0, &[]) };
        let mut mover = |name: &str, at: i64| {
            let mut a = ten(&[]);
            for d in a.day.iter_mut().filter(|d| d.pair.symbol.as_str() == name) {
                d.change_pct = -9.0;
            }
            names(&roster.select(&wanted, &a, Some(UnixMs(at))))
                .into_iter()
                .map(|(n, _)| n)
                .collect::<String>()
        };
        assert_eq!(mover("P3", 0), "P3");
        assert_eq!(mover("P7", 3_599_999), "P3");
        assert_eq!(mover("P7", 3_600_000), "P7");
    }

    #[test]
    fn what_may_have_been_meant() {
        let names = ["BTCUSDT", "BTCDOMUSDT", "ETHUSDT", "1000PEPEUSDT", "WBTCUSDT"].map(sym);
        assert_eq!(near(&sym("BTC"), &names), ["BTCUSDT", "BTCDOMUSDT", "WBTCUSDT"].map(sym));
        assert_eq!(near(&sym("ETHUSTD"), &names), [sym("ETHUSDT")]);
        assert_eq!(near(&sym("PEPEUSDT"), &names), [sym("1000PEPEUSDT")]);
        assert_eq!(near(&sym("ethusdt"), &names), [sym("ETHUSDT")]);
        assert_eq!(near(&sym("ZZZ"), &names), []);
    }
}
