//! The columns: one table that the header, the order, the reports and (later) the filter read.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::interval::Interval;
use crate::domain::text::nearest;
use crate::domain::time::{Mono, UnixMs};
use crate::market::snapshot::{DataState, LaneView, Row, Snapshot};

use super::value::{NoteText, Pulse, Tone, Value};
use super::{behind, check};

/// What a column is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The symbol.
    Sym,
    /// The market.
    Market,
    /// Why the pair is here.
    Pool,
    /// The newest price.
    Last,
    /// 24 h change.
    Chg,
    /// 24 h quote volume.
    Vol,
    /// A perpetual against its spot pair.
    Basis,
    /// The score over the intervals.
    Score,
    /// The same, unrounded.
    Raw,
    /// Share of the intervals that take part in it.
    Coverage,
    /// How far they agree.
    Coherence,
    /// What may be thought of the row.
    State,
    /// Since the exchange last sent anything of it.
    Age,
    /// What is not as it should be.
    Note,
    /// The trend on an interval.
    Trend,
    /// HAMA close against the moving average.
    Dist,
    /// Live price against the moving average.
    PriceSide,
    /// The bands' state.
    Bands,
    /// Their width.
    Width,
    /// The close's place between them.
    Pos,
    /// The last cross.
    Cross,
    /// Closed bars at hand.
    Bars,
    /// Whether the bars suffice for the score.
    Warm,
    /// Whether it is behind.
    Stale,
    /// The gradient counter.
    Gradient,
    /// HAMA close.
    Hama,
    /// The moving average.
    Ma,
}

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

/// What a column's figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The pair.
    Row,
    /// One interval: the one named, or the one in view.
    Lane,
    /// The pair, or the interval that is named.
    Either,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Which.
    pub field: Field,
    /// Its name in options, files and filters.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it is, for lists.
    pub about: &'static str,
    /// Where its text stands.
    pub align: Align,
    /// Its cells on screen.
    pub width: u16,
    /// What its figures are of.
    pub scope: Scope,
    /// The order it is first sorted in.
    pub first: Direction,
}

const fn spec(
    (field, id, title): (Field, &'static str, &'static str),
    about: &'static str,
    (align, width): (Align, u16),
    scope: Scope,
    first: Direction,
) -> FieldSpec {
    FieldSpec { field, id, title, about, align, width, scope, first }
}

use Align::{Left, Right};
use Direction::{Falling, Rising};

/// Every field.
pub const FIELDS: &[FieldSpec] = &[
    spec((Field::Sym, "sym", "SYMBOL"), "symbol", (Left, 13), Scope::Row, Rising),
    spec((Field::Market, "market", "MKT"), "market", (Left, 4), Scope::Row, Rising),
    spec((Field::Pool, "pool", "POOL"), "why it is listed", (Left, 9), Scope::Row, Rising),
    spec((Field::Last, "last", "LAST"), "newest price", (Right, 10), Scope::Row, Falling),
    spec((Field::Chg, "chg", "CHG24"), "24 h change", (Right, 7), Scope::Row, Falling),
    spec((Field::Vol, "vol", "VOL24"), "24 h quote volume", (Right, 6), Scope::Row, Falling),
    spec((Field::Basis, "basis", "BASIS"), "perpetual against spot", (Right, 7), Scope::Row, Falling),
    spec((Field::Score, "score", "SCORE"), "score, by its size", (Right, 6), Scope::Row, Falling),
    spec((Field::Raw, "raw", "RAW"), "score, unrounded", (Right, 11), Scope::Either, Falling),
    spec((Field::Coverage, "coverage", "COV"), "share of intervals", (Right, 4), Scope::Row, Falling),
    spec((Field::Coherence, "coherence", "COH"), "agreement", (Right, 5), Scope::Row, Falling),
    spec((Field::State, "state", "STATE"), "state of the data", (Left, 8), Scope::Either, Rising),
    spec((Field::Age, "age", "AGE"), "age of what is shown", (Right, 3), Scope::Either, Rising),
    spec((Field::Note, "note", "NOTE"), "what is amiss", (Left, 12), Scope::Row, Rising),
    spec((Field::Trend, "trend", "TREND"), "trend", (Right, 5), Scope::Lane, Falling),
    spec((Field::Dist, "dist", "DIST"), "HAMA against MA", (Right, 7), Scope::Lane, Falling),
    spec((Field::PriceSide, "c/ma", "C/MA~"), "live price against MA", (Left, 5), Scope::Lane, Falling),
    spec((Field::Bands, "bb", "BOLL"), "bands", (Left, 7), Scope::Lane, Rising),
    spec((Field::Width, "width", "WIDTH"), "width of the bands", (Right, 6), Scope::Lane, Falling),
    spec((Field::Pos, "posb", "POSB"), "place in the bands", (Right, 5), Scope::Lane, Falling),
    spec((Field::Cross, "cross", "CROSS"), "last cross", (Left, 7), Scope::Lane, Rising),
    spec((Field::Bars, "bars", "BARS"), "closed bars", (Right, 5), Scope::Lane, Falling),
    spec((Field::Warm, "warm", "WARM"), "bars suffice for the score", (Left, 4), Scope::Either, Falling),
    spec((Field::Stale, "stale", "STALE"), "behind the exchange", (Left, 5), Scope::Either, Falling),
    spec((Field::Gradient, "gradient", "GRAD"), "gradient", (Right, 6), Scope::Lane, Falling),
    spec((Field::Hama, "hama", "HAMA"), "HAMA close", (Right, 10), Scope::Lane, Falling),
    spec((Field::Ma, "ma", "MA"), "moving average", (Right, 10), Scope::Lane, Falling),
];

impl Field {
    /// Its line in the table.
    pub fn spec(self) -> &'static FieldSpec {
        // The table is in the enum's order; a test holds that.
        &FIELDS[self as usize]
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
            (None, f) => f.spec().title.to_owned(),
            (Some(i), Field::Trend) => i.to_string(),
            (Some(i), f) => format!("{i} {}", f.spec().title),
        }
    }

    /// Its cells on screen.
    pub fn width(self) -> u16 {
        match (self.interval, self.field) {
            (Some(i), Field::Trend) => u16::try_from(i.as_str().len()).unwrap_or(3),
            (_, f) => f.spec().width,
        }
    }

    /// What may be thought of its figure: the interval's state where it is of one, else the row's.
    pub fn state(self, row: &Row, at: &Reading) -> DataState {
        let lane = match (self.field.spec().scope, self.interval) {
            (Scope::Row, _) | (Scope::Either, None) => None,
            (_, Some(i)) => row.lanes.iter().find(|l| l.interval == i),
            (Scope::Lane, None) => row.lanes.get(at.lane),
        };
        lane.map_or(row.state, |l| l.state)
    }

    /// What it says of a row.
    pub fn value<'a>(self, row: &'a Row, at: &Reading) -> Value<'a> {
        match self.field.spec().scope {
            Scope::Row => row_value(self.field, row, at),
            Scope::Either if self.interval.is_none() => row_value(self.field, row, at),
            Scope::Either | Scope::Lane => {
                let lane = match self.interval {
                    Some(i) => row.lanes.iter().find(|l| l.interval == i),
                    None => row.lanes.get(at.lane),
                };
                lane.map_or(Value::Absent, |lane| lane_value(self.field, row, lane, at))
            }
        }
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

/// When and how a row is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The exchange's time now, where it is known.
    pub clock: Option<UnixMs>,
    /// Our time now.
    pub now: Mono,
    /// How fast its clock runs.
    pub rate: f64,
    /// The interval in view.
    pub lane: usize,
    /// Whether that clock stands: a replay that is over.
    pub standing: bool,
}

impl Reading {
    /// Of a snapshot, now.
    pub fn new(snapshot: &Snapshot, now: Mono, lane: usize) -> Self {
        let rate = snapshot.clock.as_ref().map_or(1.0, Clock::rate);
        let standing = snapshot.clock.as_ref().is_some_and(Clock::is_standing);
        Self { clock: snapshot.clock.map(|c| c.at(now)), now, rate, lane, standing }
    }

    fn age<'a>(&self, seen: Option<UnixMs>, state: DataState) -> Value<'a> {
        let (Some(now), Some(seen)) = (self.clock, seen) else { return Value::Absent };
        let theirs: Duration = now.since(seen);
        // A clock that stands has a rate of next to nothing.
        let ours = Duration::try_from_secs_f64(theirs.as_secs_f64() / self.rate).unwrap_or(Duration::MAX);
        let pulse = match state {
            DataState::Live if self.standing => Pulse::Standing,
            DataState::Live => Pulse::Live,
            state => Pulse::Off(state),
        };
        Value::Age { theirs, ours, pulse }
    }
}

fn row_value<'a>(field: Field, row: &'a Row, at: &Reading) -> Value<'a> {
    let score = |f: fn(&crate::domain::score::SymbolScore) -> Value<'a>| row.score.as_ref().map(f);
    let value = match field {
        Field::Sym => Some(Value::Text(row.pair.symbol.as_str(), Tone::Plain)),
        Field::Market => Some(Value::Text(row.pair.market.as_str(), Tone::Dim)),
        Field::Pool => Some(Value::Text(row.pool.as_str(), Tone::Dim)),
        Field::Last => row.last.map(|p| Value::Price(p, row.tick)),
        Field::Chg => row.day.map(|d| Value::Percent(d.change_pct)),
        Field::Vol => row.day.map(|d| Value::Amount(d.quote_volume)),
        Field::Basis => row.basis.map(Value::Percent),
        Field::Score => score(|s| Value::Score { shown: s.score, raw: s.raw, partial: s.coverage < 1.0 })
            .or_else(|| row.lanes.first().map(warming)),
        Field::Raw => score(|s| Value::Number(s.raw, 6)),
        Field::Coverage => score(|s| Value::Share(s.coverage)),
        Field::Coherence => score(|s| Value::Number(s.coherence, 1)),
        Field::State => Some(Value::State(row.state)),
        Field::Age => Some(at.age(behind::row_since(row, at.clock), row.state)),
        Field::Warm => Some(yes_no(row.lanes.iter().all(is_warm))),
        Field::Stale => Some(yes_no(row.state == DataState::Stale)),
        Field::Note => {
            let check = check::note_of(row, at.now).map(Value::Check);
            Some(check.or_else(|| note(row, at)).unwrap_or(Value::Blank))
        }
        _ => None,
    };
    value.unwrap_or(Value::Absent)
}

/// Bars at hand and needed while that is what is missing; otherwise nothing is known.
fn warming<'a>(lane: &LaneView) -> Value<'a> {
    match lane.state {
        DataState::Warming | DataState::Live if lane.bars < lane.need_score => {
            Value::Warming(lane.bars, lane.need_score)
        }
        _ => Value::Absent,
    }
}

fn lane_value<'a>(field: Field, row: &'a Row, lane: &'a LaneView, at: &Reading) -> Value<'a> {
    let point = &lane.point;
    let bands = point.bands.as_ref();
    // A preview of something that has stopped is none.
    let is_live = lane.state == DataState::Live;
    let value = match field {
        Field::Trend => point.trend.map(|now| Value::Trend {
            now,
            forming: lane.preview.as_ref().filter(|_| is_live).and_then(|p| p.point.trend),
        }),
        Field::Dist => point.dev_pct.map(Value::Percent),
        Field::PriceSide => lane.price_side.filter(|_| is_live).map(Value::Side),
        // Bands of no width hold nothing and say nothing.
        Field::Bands => bands.filter(|b| b.pos.is_some()).map(|b| Value::Bands(b.state, b.breakout)),
        Field::Width => bands.map(|b| Value::Share(b.width)),
        Field::Pos => bands.and_then(|b| b.pos).map(|p| Value::Number(p, 2)),
        // Bars since are not known while bars are missing, nor is a cross on one of them.
        Field::Cross => point.last_cross.filter(|_| behind::missing(lane, at.clock) == 0).map(Value::Cross),
        Field::Bars => Some(Value::Count(lane.bars)),
        Field::Warm => Some(yes_no(is_warm(lane))),
        Field::Stale => Some(yes_no(lane.state == DataState::Stale)),
        Field::Gradient => point.gradient.map(Value::Gradient),
        Field::Hama => point.close.map(|p| Value::Price(p, row.tick)),
        Field::Ma => point.ma.map(|p| Value::Price(p, row.tick)),
        Field::Raw => point.score.map(|s| Value::Number(s, 6)),
        Field::State => Some(Value::State(lane.state)),
        Field::Age => Some(at.age(behind::lane_since(lane, at.clock), lane.state)),
        _ => None,
    };
    value.unwrap_or(Value::Absent)
}

fn is_warm(lane: &LaneView) -> bool {
    lane.bars >= lane.need_score
}

fn yes_no<'a>(is_so: bool) -> Value<'a> {
    Value::Text(if is_so { "yes" } else { "no" }, Tone::Plain)
}

/// What is amiss: the first of the worst intervals, or the first one that lacks bars for some field.
fn note<'a>(row: &'a Row, at: &Reading) -> Option<Value<'a>> {
    let behind = |l: &LaneView| behind::missing(l, at.clock);
    let amiss = row.lanes.iter().rev().filter(|l| l.state != DataState::Live);
    let worst = amiss.max_by_key(|l| (l.state, behind(l) > 0));
    let lane = worst.or_else(|| row.lanes.iter().find(|l| l.bars < l.need))?;
    let bars = match lane.state {
        DataState::Warming if lane.bars < lane.need_score => Some((lane.bars, lane.need_score)),
        DataState::Warming | DataState::Live if lane.bars < lane.need => Some((lane.bars, lane.need)),
        _ => None,
    };
    let is_young = |l: &&LaneView| bars.is_none() && l.bars > 0 && l.bars < l.need;
    Some(Value::Note(NoteText {
        interval: lane.interval.as_str(),
        state: lane.state,
        missing: behind(lane),
        why: lane.why.as_ref().map(crate::domain::text::CleanText::as_str),
        bars,
        everywhere: row.lanes.iter().all(|l| l.state == lane.state),
        young: row.lanes.iter().rev().find(is_young).map(|l| (l.interval.as_str(), l.bars, needed(l))),
        coverage: row.score.map(|s| s.coverage).filter(|c| *c < 1.0),
    }))
}

/// Bars that the next thing it lacks takes.
pub fn needed(lane: &LaneView) -> u32 {
    if lane.bars < lane.need_score { lane.need_score } else { lane.need }
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

    #[test]
    fn the_table_is_in_the_enums_order_and_ids_are_unique() {
        for (n, spec) in FIELDS.iter().enumerate() {
            assert_eq!(spec.field as usize, n, "{}", spec.id);
            assert!(FIELDS[n + 1..].iter().all(|f| f.id != spec.id), "{}", spec.id);
            assert!(spec.title.len() <= usize::from(spec.width), "{}", spec.id);
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
