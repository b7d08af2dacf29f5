//! The columns: how the fields look on a screen, and which of them the scanner shows.

use std::fmt;
use std::str::FromStr;

use crate::domain::interval::Interval;
use crate::domain::text::nearest;
use crate::market::snapshot::{DataState, Row};
use crate::rule::field::{FIELDS, Scope};

pub use crate::rule::field::Field;
pub use crate::rule::reading::{Reading, needed};

use super::value::Value;

/// Left or right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// Which way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Rising,
    /// Largest first.
    Falling,
}

/// How a field looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Which.
    pub field: Field,
    /// Its heading.
    pub title: &'static str,
    /// Where its text stands.
    pub align: Align,
    /// Its cells on screen.
    pub width: u16,
    /// The order it is first sorted in.
    pub first: Direction,
}

const fn look(field: Field, title: &'static str, (align, width): (Align, u16), first: Direction) -> Look {
    Look { field, title, align, width, first }
}

use Align::{Left, Right};
use Direction::{Falling, Rising};

/// How each field looks, in the order of the fields.
const LOOKS: &[Look] = &[
    look(Field::Sym, "SYMBOL", (Left, 13), Rising),
    look(Field::Base, "BASE", (Left, 9), Rising),
    look(Field::Quote, "QUOTE", (Left, 5), Rising),
    look(Field::Market, "MKT", (Left, 4), Rising),
    look(Field::Pool, "POOL", (Left, 9), Rising),
    look(Field::Mark, "MARK", (Left, 4), Falling),
    look(Field::Last, "LAST", (Right, 10), Falling),
    look(Field::Chg, "CHG24", (Right, 7), Falling),
    look(Field::Vol, "VOL24", (Right, 6), Falling),
    look(Field::Basis, "BASIS", (Right, 7), Falling),
    look(Field::Score, "SCORE", (Right, 6), Falling),
    look(Field::Raw, "RAW", (Right, 11), Falling),
    look(Field::Coverage, "COV", (Right, 4), Falling),
    look(Field::Coherence, "COH", (Right, 5), Falling),
    look(Field::State, "STATE", (Left, 8), Rising),
    look(Field::Live, "LIVE", (Left, 4), Falling),
    look(Field::Age, "AGE", (Right, 3), Rising),
    look(Field::Note, "NOTE", (Left, 12), Rising),
    look(Field::Trend, "TREND", (Right, 5), Falling),
    look(Field::Dist, "DIST", (Right, 7), Falling),
    look(Field::PriceSide, "C/MA~", (Left, 5), Falling),
    look(Field::Bands, "BOLL", (Left, 7), Rising),
    look(Field::Width, "WIDTH", (Right, 6), Falling),
    look(Field::Pos, "POSB", (Right, 5), Falling),
    look(Field::Cross, "CROSS", (Left, 7), Rising),
    look(Field::New, "NEW", (Left, 4), Falling),
    look(Field::Bars, "BARS", (Right, 5), Falling),
    look(Field::Missing, "MISSING", (Right, 7), Falling),
    look(Field::Gaps, "GAPS", (Right, 4), Falling),
    look(Field::Warm, "WARM", (Left, 4), Falling),
    look(Field::Stale, "STALE", (Left, 5), Falling),
    look(Field::Gradient, "GRAD", (Right, 6), Falling),
    look(Field::Hama, "HAMA", (Right, 10), Falling),
    look(Field::Ma, "MA", (Right, 10), Falling),
];

impl Field {
    /// How it looks.
    pub fn look(self) -> &'static Look {
        // The table is in the enum's order; a test holds that.
        &LOOKS[self as usize]
    }
}

/// A field, of the interval in view or of a named one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// The field.
    pub field: Field,
    /// The named interval.
    pub interval: Option<Interval>,
}

/// No such column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no column `{asked}`{guess} (columns: {known}; with an interval: 15m.dist)")]
pub struct UnknownColumn {
    asked: String,
    guess: String,
    known: String,
}

impl Column {
    /// A field of the row, or of the interval in view.
    pub const fn of(field: Field) -> Self {
        Self { field, interval: None }
    }

    /// A field of a named interval.
    pub const fn on(interval: Interval, field: Field) -> Self {
        Self { field, interval: Some(interval) }
    }

    /// What stands above it.
    pub fn title(self) -> String {
        match (self.interval, self.field) {
            (None, f) => f.look().title.to_owned(),
            (Some(i), Field::Trend) => i.to_string(),
            (Some(i), f) => format!("{i} {}", f.look().title),
        }
    }

    /// Its cells on screen.
    pub fn width(self) -> u16 {
        match (self.interval, self.field) {
            (Some(i), Field::Trend) => u16::try_from(i.as_str().len()).unwrap_or(3),
            (_, f) => f.look().width,
        }
    }

    /// What may be thought of its figure: the interval's state where it is of one, else the row's.
    pub fn state(self, row: &Row, at: &Reading) -> DataState {
        at.lane_of(self.field, self.interval, row).map_or(row.state, |l| l.state)
    }

    /// What it says of a row.
    pub fn value<'a>(self, row: &'a Row, at: &Reading) -> Value<'a> {
        at.value(self.field, self.interval, row)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(i) = self.interval {
            write!(f, "{i}.")?;
        }
        f.write_str(self.field.spec().id)
    }
}

impl FromStr for Column {
    type Err = UnknownColumn;

    /// `sym`, `dist`, `15m.dist`; `15m` alone is `15m.trend`.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if let Ok(interval) = s.parse() {
            return Ok(Self::on(interval, Field::Trend));
        }
        let (interval, id) = match s.split_once('.') {
            Some((i, id)) => (i.parse().ok(), if i.parse::<Interval>().is_ok() { id } else { s }),
            None => (None, s),
        };
        let found = FIELDS.iter().find(|f| f.id == id);
        match found {
            Some(f) if interval.is_none() || f.scope != Scope::Row => Ok(Self { field: f.field, interval }),
            _ => Err(unknown(s, id)),
        }
    }
}

fn unknown(asked: &str, id: &str) -> UnknownColumn {
    let known = || FIELDS.iter().map(|f| f.id);
    let nearest = nearest(id, known());
    let guess = nearest.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
    UnknownColumn { asked: asked.to_owned(), guess, known: known().collect::<Vec<_>>().join(" ") }
}

/// The columns of the scanner for these intervals, in order, all of them.
pub fn scanner_columns(intervals: &[Interval], several_markets: bool) -> Vec<Column> {
    let of = Column::of;
    let mut columns = vec![of(Field::Sym)];
    if several_markets {
        columns.push(of(Field::Market));
    }
    columns.extend([of(Field::Last), of(Field::Chg), of(Field::Vol)]);
    if several_markets {
        columns.push(of(Field::Basis));
    }
    columns.push(of(Field::Score));
    columns.extend(intervals.iter().map(|i| Column::on(*i, Field::Trend)));
    let rest = [Field::Dist, Field::PriceSide, Field::Bands, Field::Cross, Field::Age, Field::Note];
    columns.extend(rest.map(of));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::value::Notation;
    use crate::market::snapshot::Snapshot;
    use std::time::Duration;

    #[test]
    fn each_field_has_its_look() {
        assert_eq!(LOOKS.len(), FIELDS.len());
        for (spec, look) in FIELDS.iter().zip(LOOKS) {
            assert_eq!(spec.field, look.field);
            assert!(look.title.len() <= usize::from(look.width), "{}", spec.id);
        }
    }

    #[test]
    fn what_is_stale_has_its_age_on_the_exchanges_clock_at_any_speed() {
        use crate::fixture::{NOW, as_demo, row, snapshot};
        let rows = vec![row("AUSDT").stale("behind", 240), row("BUSDT")];
        let picture = as_demo(snapshot(rows), NOW);
        let at = Reading::new(&picture, picture.made + Duration::from_secs(1), 0);
        let age = |picture: &Snapshot, n: usize| {
            let mut out = String::new();
            Column::of(Field::Age).value(&picture.rows[n], &at).write(Notation::Ascii, 5, &mut out);
            out
        };
        assert_eq!((age(&picture, 0), age(&picture, 1)), ("5m".to_owned(), "now".to_owned()));
    }

    #[test]
    fn warm_and_stale_are_of_the_pair_or_of_an_interval() {
        use crate::fixture::{row, snapshot};
        let rows = vec![row("AUSDT").stale("behind", 240), row("BUSDT").young(50), row("CUSDT").warming(0)];
        let picture = snapshot(rows);
        let at = Reading::new(&picture, picture.made, 0);
        let said = |id: &str| {
            let column: Column = id.parse().unwrap();
            let mut out = String::new();
            for row in &picture.rows {
                column.value(row, &at).write(Notation::Machine, 5, &mut out);
                out.push(' ');
            }
            out
        };
        assert_eq!((said("warm"), said("15m.warm")), ("yes no no ".to_owned(), "yes yes no ".to_owned()));
        assert_eq!((said("stale"), said("4h.stale")), ("yes no no ".to_owned(), "no no no ".to_owned()));
    }

    #[test]
    fn a_field_is_found_by_what_heads_its_column() {
        for look in LOOKS {
            assert_eq!(Field::find(&look.title.to_lowercase()), Some(look.field), "{}", look.title);
        }
    }

    #[test]
    fn ids_round_trip() {
        for id in ["sym", "15m.dist", "c/ma", "4h.trend", "1h.raw", "raw", "1M.bb"] {
            assert_eq!(id.parse::<Column>().unwrap().to_string(), id);
        }
        assert_eq!("1h".parse(), Ok(Column::on(Interval::H1, Field::Trend)));
    }

    #[test]
    fn an_unknown_column_is_answered_with_the_nearest() {
        let said = |asked: &str| asked.parse::<Column>().unwrap_err().to_string();
        assert!(said("scor").contains("no column `scor`; did you mean `score`?"), "{}", said("scor"));
        assert!(said("15m.dits").contains("mean `dist`"));
        // Nothing is near, so nothing is guessed.
        assert!(said("zzzzzz").starts_with("there is no column `zzzzzz` (columns: sym "));
        // A figure of the pair has no interval.
        assert!("15m.last".parse::<Column>().is_err());
    }
}
