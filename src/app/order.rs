//! The order of the rows.

use std::cmp::{Ordering, Reverse};
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::score::Rank;
use crate::domain::symbol::Pair;
use crate::market::snapshot::Row;
use crate::rule::filter::Filter;

use super::column::{Column, Direction, Field, Reading, UnknownColumn};
use super::value::Value;

/// By which column, and which way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortBy {
    /// The column.
    pub column: Column,
    /// Against the column's own direction.
    pub inverted: bool,
}

impl Default for SortBy {
    /// The strongest scores first, whatever their sign.
    fn default() -> Self {
        Self { column: Column::of(Field::Score), inverted: false }
    }
}

impl SortBy {
    /// Which end is on top.
    pub fn direction(self) -> Direction {
        match (self.column.field.spec().first, self.inverted) {
            (Direction::Rising, false) | (Direction::Falling, true) => Direction::Rising,
            (Direction::Falling, false) | (Direction::Rising, true) => Direction::Falling,
        }
    }
}

impl FromStr for SortBy {
    type Err = UnknownColumn;

    /// `score` is the column's own direction (largest first for figures, A first for names, newest
    /// first for ages); `-score` turns it round.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (inverted, id) = s.strip_prefix('-').map_or((false, s), |id| (true, id));
        Ok(Self { column: id.parse()?, inverted })
    }
}

/// What is compared. A row without it goes last, whichever way round.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Key<'a> {
    Number(f64),
    Text(&'a str),
}

/// A cross that was inferred is older than the bars at hand, so it sorts behind those seen.
const OLDER_THAN_ALL: f64 = 1e9;

impl<'a> Value<'a> {
    fn key(&self) -> Option<Key<'a>> {
        let number = match *self {
            Self::Absent | Self::Blank | Self::Warming(..) => return None,
            Self::Text(text, _) => return Some(Key::Text(text)),
            Self::Note(note) => return Some(Key::Text(note.interval)),
            Self::Check(_) => return Some(Key::Text("checked")),
            Self::Price(v, _) | Self::Percent(v) | Self::Share(v) | Self::Amount(v) | Self::Number(v, _) => v,
            Self::Score { raw, .. } => raw.abs(),
            Self::Count(n) => f64::from(n),
            Self::Trend { now: sign, .. } | Self::Side(sign) => sign.as_f64(),
            Self::Cross(c) => f64::from(c.bars) + if c.inferred { OLDER_THAN_ALL } else { 0.0 },
            Self::Bands(state, _) => f64::from(state as u8),
            Self::Gradient(g) => g.dir.as_f64() * f64::from(g.steps),
            Self::Age { theirs, .. } => theirs.as_secs_f64(),
            Self::State(state) => f64::from(state as u8),
        };
        Some(Key::Number(number))
    }
}

struct Keyed<'a> {
    key: Option<Key<'a>>,
    rank: Rank<'a>,
    index: usize,
}

impl<'a> Keyed<'a> {
    fn new(index: usize, row: &'a Row, by: SortBy, at: &Reading) -> Self {
        let cross = row.lanes.first().and_then(|l| l.point.last_cross);
        let key = match by.column.field {
            // `1000PEPEUSDT` stands where people look for it, beside `PEPEUSDT` of spot.
            Field::Sym => Some(Key::Text(row.pair.symbol.without_count().0)),
            _ => by.column.value(row, at).key(),
        };
        Self { key, rank: Rank::new(row.score, cross, &row.pair), index }
    }

    fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        let by_key = match (&self.key, &other.key) {
            (Some(a), Some(b)) => {
                let rising = match (a, b) {
                    (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
                    (Key::Text(a), Key::Text(b)) => a.cmp(b),
                    (Key::Number(_), Key::Text(_)) => Ordering::Less,
                    (Key::Text(_), Key::Number(_)) => Ordering::Greater,
                };
                if direction == Direction::Rising { rising } else { rising.reverse() }
            }
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_key.then_with(|| self.rank.order(&other.rank))
    }
}

/// The wanted rows in order, as indices.
pub fn order(rows: &[Arc<Row>], filter: &Filter, by: SortBy, at: &Reading) -> Vec<usize> {
    let mut keyed: Vec<Keyed<'_>> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| filter.matches(row))
        .map(|(n, row)| Keyed::new(n, row, by, at))
        .collect();
    let direction = by.direction();
    keyed.sort_unstable_by(|a, b| a.compare(b, direction));
    keyed.into_iter().map(|k| k.index).collect()
}

/// The wanted rows in the order they had among `before`; new ones at the end, by name.
pub fn keep_order(rows: &[Arc<Row>], filter: &Filter, before: &[Pair]) -> Vec<usize> {
    let place: std::collections::HashMap<&Pair, usize> =
        before.iter().enumerate().map(|(n, p)| (p, n)).collect();
    let mut kept: Vec<usize> = (0..rows.len()).filter(|n| filter.matches(&rows[*n])).collect();
    kept.sort_by_key(|n| {
        let pair = &rows[*n].pair;
        let known = place.get(pair).copied();
        (Reverse(known.is_some()), known, pair.clone())
    });
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hama::Sign;
    use crate::fixture::{row, snapshot};

    fn sorted(by: &str) -> Vec<String> {
        let picture = snapshot(vec![
            row("BTCUSDT").score(10.0).change(9.0),
            row("ETHUSDT").score(-95.5).change(-1.0),
            row("SOLUSDT").score(95.5).coherence(80.0),
            row("ADAUSDT").score(95.5).coherence(100.0),
            row("NEWUSDT").warming(40),
        ]);
        let at = Reading::new(&picture, picture.made, 0);
        let order = order(&picture.rows, &Filter::default(), by.parse().unwrap(), &at);
        order.into_iter().map(|n| picture.rows[n].pair.symbol.to_string()).collect()
    }

    #[test]
    fn the_default_order_is_by_size_of_the_score_then_agreement_then_name() {
        assert_eq!(sorted("score"), ["ADAUSDT", "ETHUSDT", "SOLUSDT", "BTCUSDT", "NEWUSDT"]);
    }

    #[test]
    fn a_tie_goes_to_the_newer_cross_and_an_inferred_one_is_no_cross() {
        let picture = snapshot(vec![
            row("AUSDT").cross(Sign::Up, 1, true),
            row("BUSDT").cross(Sign::Up, 9, false),
            row("CUSDT").cross(Sign::Down, 2, false),
        ]);
        let at = Reading::new(&picture, picture.made, 0);
        for by in ["score", "chg", "-chg"] {
            let order = order(&picture.rows, &Filter::default(), by.parse().unwrap(), &at);
            let names: Vec<_> = order.iter().map(|n| picture.rows[*n].pair.symbol.as_str()).collect();
            assert_eq!(names, ["CUSDT", "BUSDT", "AUSDT"], "{by}");
        }
    }

    #[test]
    fn inverting_leaves_the_rows_without_a_figure_last() {
        assert_eq!(sorted("-score"), ["BTCUSDT", "ADAUSDT", "ETHUSDT", "SOLUSDT", "NEWUSDT"]);
        assert_eq!(sorted("raw"), ["ADAUSDT", "SOLUSDT", "BTCUSDT", "ETHUSDT", "NEWUSDT"]);
    }

    #[test]
    fn names_rise_and_figures_fall_unless_turned_round() {
        assert_eq!(sorted("sym"), ["ADAUSDT", "BTCUSDT", "ETHUSDT", "NEWUSDT", "SOLUSDT"]);
        assert_eq!(sorted("-sym")[0], "SOLUSDT");
        assert_eq!(sorted("chg")[0], "BTCUSDT");
        assert_eq!(sorted("-chg")[0], "ETHUSDT");
    }
}
