//! The order of the rows.

use std::cmp::{Ordering, Reverse};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::score::Rank;
use crate::domain::symbol::Pair;
use crate::market::snapshot::Row;
use crate::rule::filter::Filter;
use crate::rule::truth::Truth;

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
        match (self.column.field.look().first, self.inverted) {
            (Direction::Rising, false) | (Direction::Falling, true) => Direction::Rising,
            (Direction::Falling, false) | (Direction::Rising, true) => Direction::Falling,
        }
    }
}

impl fmt::Display for SortBy {
    /// As it is read: `score`, `-score`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.inverted { "-" } else { "" }, self.column)
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

fn key<'a>(value: &Value<'a>) -> Option<Key<'a>> {
    let number = match *value {
        Value::Score { raw, .. } => raw.abs(),
        Value::Cross(c) if c.inferred => f64::from(c.bars) + OLDER_THAN_ALL,
        Value::Note(note) => return Some(Key::Text(note.interval)),
        Value::Text(text) | Value::Label(text) => return Some(Key::Text(text)),
        ref other => other.number()?,
    };
    Some(Key::Number(number))
}

/// Small, since sorting moves it about. What decides between equals is looked up when there are any.
struct Keyed<'a> {
    key: Option<Key<'a>>,
    index: usize,
}

impl<'a> Keyed<'a> {
    fn new(index: usize, row: &'a Row, by: SortBy, at: &Reading) -> Self {
        let key = match by.column.field {
            // `1000PEPEUSDT` stands where people look for it, beside `PEPEUSDT` of spot.
            Field::Sym => Some(Key::Text(row.pair.symbol.without_count().0)),
            _ => key(&by.column.value(row, at)),
        };
        Self { key, index }
    }

    fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        match (&self.key, &other.key) {
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
        }
    }
}

fn rank(row: &Row) -> Rank<'_> {
    Rank::new(row.score, row.lanes.first().and_then(|l| l.point.last_cross), &row.pair)
}

/// What a filter leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// The wanted rows, as indices.
    pub rows: Vec<usize>,
    /// How many are left out since it is not known whether they are wanted.
    pub unknown: usize,
}

/// The wanted rows in order.
pub fn order(rows: &[Arc<Row>], filter: &Filter, by: SortBy, at: &Reading) -> Ordered {
    let wanted = wanted(rows, filter, at);
    let mut keyed: Vec<Keyed<'_>> =
        wanted.rows.iter().filter_map(|n| Some(Keyed::new(*n, rows.get(*n)?, by, at))).collect();
    let direction = by.direction();
    let rank_of = |k: &Keyed<'_>| rows.get(k.index).map(|row| rank(row));
    let tie = |a: &Keyed<'_>, b: &Keyed<'_>| match (rank_of(a), rank_of(b)) {
        (Some(a), Some(b)) => a.order(&b),
        _ => Ordering::Equal,
    };
    keyed.sort_unstable_by(|a, b| a.compare(b, direction).then_with(|| tie(a, b)));
    Ordered { rows: keyed.into_iter().map(|k| k.index).collect(), ..wanted }
}

/// The wanted rows in the order they had among `before`; new ones at the end, by name.
pub fn keep_order(rows: &[Arc<Row>], filter: &Filter, before: &[Pair], at: &Reading) -> Ordered {
    let place: std::collections::HashMap<&Pair, usize> =
        before.iter().enumerate().map(|(n, p)| (p, n)).collect();
    let mut kept = wanted(rows, filter, at);
    kept.rows.sort_by_key(|n| {
        let pair = rows.get(*n).map(|row| &row.pair);
        let known = pair.and_then(|p| place.get(p)).copied();
        (Reverse(known.is_some()), known, pair)
    });
    kept
}

/// Asks the filter once for each row.
fn wanted(rows: &[Arc<Row>], filter: &Filter, at: &Reading) -> Ordered {
    let mut wanted = Ordered::default();
    for (n, row) in rows.iter().enumerate() {
        match filter.test(row, at) {
            Truth::True => wanted.rows.push(n),
            Truth::Unknown => wanted.unknown += 1,
            Truth::False => {}
        }
    }
    wanted
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
        order.rows.into_iter().map(|n| picture.rows[n].pair.symbol.to_string()).collect()
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
            let names: Vec<_> = order.rows.iter().map(|n| picture.rows[*n].pair.symbol.as_str()).collect();
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
