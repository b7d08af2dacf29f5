//! Which pairs make the table.

use std::collections::HashMap;

use crate::domain::symbol::{Instrument, Pair, Symbol};
use crate::domain::text::distance;
use crate::exchange::{DayEvent, UniverseAnswer};
use crate::market::snapshot::Pool;

use super::UniverseSpec;

/// Names suggested for one that does not exist.
const MAX_NEAR: usize = 3;

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
    /// Named pairs that do not trade now.
    pub(super) not_trading: Vec<Pair>,
    /// Named, and not on this market, with names that look alike.
    pub(super) absent: Vec<(Symbol, Vec<Symbol>)>,
}

/// The union of the top N and the named ones.
pub(super) fn select(spec: &UniverseSpec, answer: UniverseAnswer) -> Selection {
    let mut out = Selection::default();
    let names: Vec<Symbol> = answer.trading.iter().map(|i| i.pair.symbol.clone()).collect();
    for name in &spec.named {
        if names.contains(name) {
            continue;
        }
        match answer.not_trading.iter().find(|p| p.symbol == *name) {
            Some(pair) if !out.not_trading.contains(pair) => out.not_trading.push(pair.clone()),
            Some(_) => {}
            None => out.absent.push((name.clone(), near(name, &names))),
        }
    }
    let mut day: HashMap<Pair, DayEvent> = answer.day.into_iter().map(|d| (d.pair.clone(), d)).collect();
    let mut all: Vec<Chosen> = answer
        .trading
        .into_iter()
        .map(|instrument| Chosen {
            day: day.remove(&instrument.pair),
            pool: if spec.named.contains(&instrument.pair.symbol) { Pool::Named } else { Pool::Top },
            instrument,
        })
        .collect();
    all.sort_by(|a, b| {
        let volume = |c: &Chosen| c.day.as_ref().map_or(-1.0, |d| d.quote_volume);
        volume(b).total_cmp(&volume(a)).then_with(|| a.instrument.pair.cmp(&b.instrument.pair))
    });
    all.dedup_by(|a, b| a.instrument.pair == b.instrument.pair);
    let mut left = spec.top;
    all.retain(|c| {
        let ranked = c.instrument.quote == spec.quote && left > 0;
        left -= u32::from(ranked);
        ranked || c.pool == Pool::Named
    });
    out.chosen = all;
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
    use crate::domain::time::UnixMs;

    fn sym(s: &str) -> Symbol {
        s.parse().unwrap()
    }

    fn pair(s: &str) -> Pair {
        Pair { market: Market::UsdM, symbol: sym(s) }
    }

    fn answer(list: &[(&str, &str, Option<f64>)]) -> UniverseAnswer {
        let mut out = UniverseAnswer::default();
        for (name, quote, volume) in list {
            out.trading.push(Instrument {
                pair: pair(name),
                base: sym(name),
                quote: sym(quote),
                tick: Tick::default(),
            });
            if let Some(quote_volume) = *volume {
                out.day.push(DayEvent {
                    pair: pair(name),
                    last: 1.0,
                    change_pct: 0.0,
                    quote_volume,
                    event_time: UnixMs(0),
                });
            }
        }
        out
    }

    fn spec(top: u32, named: &[&str]) -> UniverseSpec {
        UniverseSpec { quote: sym("USDT"), top, named: named.iter().map(|n| sym(n)).collect() }
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
        let got = select(&spec(2, &["C", "D", "OLD", "BB"]), a);
        let names: Vec<(String, Pool)> =
            got.chosen.iter().map(|c| (c.instrument.pair.symbol.to_string(), c.pool)).collect();
        let want = [("C", Pool::Named), ("B", Pool::Top), ("E", Pool::Top), ("D", Pool::Named)];
        assert_eq!(names, want.map(|(n, p)| (n.to_owned(), p)));
        assert_eq!(got.not_trading, [pair("OLD")]);
        assert_eq!(got.absent.len(), 1);
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
