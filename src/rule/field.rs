//! The fields: one table that filters, columns, the order and the documentation read. What is
//! about a screen (titles, widths) stands beside the columns.

use super::state::State;

/// What is asked of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The symbol.
    Sym,
    /// What is priced.
    Base,
    /// What it is priced in.
    Quote,
    /// The market.
    Market,
    /// Why the pair is here.
    Pool,
    /// Whether the user marked it.
    Mark,
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
    /// Whether it is kept true.
    Live,
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
    /// A new high or low among the bars at hand.
    New,
    /// Closed bars at hand.
    Bars,
    /// Closes that are not in.
    Missing,
    /// Places where bars are missing.
    Gaps,
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

/// What a field's figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The pair.
    Row,
    /// One interval: the one named, or the one in view.
    Lane,
    /// The pair, or the interval that is named.
    Either,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As text.
    Text,
    /// By its states alone.
    States,
    /// As a figure, and by its states where it has any.
    Number(Unit),
    /// It is so or not.
    Flag,
}

/// The unit of a field's figures, and with it the endings that a number may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// None: points, steps, signs.
    Plain,
    /// A price or an amount: `k`, `m`, `b`, `t`.
    Money,
    /// Per cent, with or without `%`.
    Percent,
    /// A share of 1, or `%`.
    Share,
    /// A span of time: `s`, `min`, `h`, `d`; `m` is minutes.
    Span,
    /// Bars: `b`, `bar`, `bars`.
    Bars,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Which.
    pub field: Field,
    /// Its name in options, files and filters.
    pub id: &'static str,
    /// What it is, for lists.
    pub about: &'static str,
    /// What its figures are of.
    pub scope: Scope,
    /// How it is compared.
    pub kind: Kind,
    /// The words it can be asked for with `:`.
    pub states: &'static [State],
}

const fn spec(
    (field, id): (Field, &'static str),
    about: &'static str,
    scope: Scope,
    kind: Kind,
    states: &'static [State],
) -> FieldSpec {
    FieldSpec { field, id, about, scope, kind, states }
}

use Kind::{Flag, Number, States, Text};
use Scope::{Either, Lane, Row};

const DIRECTIONS: &[State] = &[State::Up, State::Down, State::Flat];
const DATA: &[State] = &[State::Live, State::Warming, State::Stale, State::Failed, State::Delisted];
const YES_NO: &[State] = &[State::Yes, State::No];
const SIZES: &[State] = &[State::Neutral, State::Weak, State::Normal, State::Strong];
const BANDS: &[State] = &[
    State::Squeeze,
    State::Normal,
    State::Expand,
    State::Upper,
    State::Mid,
    State::Lower,
    State::BreakUp,
    State::BreakDown,
];

/// Every field.
pub const FIELDS: &[FieldSpec] = &[
    spec((Field::Sym, "sym"), "symbol", Row, Text, &[]),
    spec((Field::Base, "base"), "what is priced: BTC of BTCUSDT", Row, Text, &[]),
    spec((Field::Quote, "quote"), "what it is priced in", Row, Text, &[]),
    spec((Field::Market, "market"), "market", Row, States, &[State::UsdM, State::Spot]),
    spec(
        (Field::Pool, "pool"),
        "why it is listed",
        Row,
        States,
        &[State::Named, State::Watchlist, State::Top, State::Mover],
    ),
    spec((Field::Mark, "mark"), "marked by you", Row, Flag, YES_NO),
    spec((Field::Last, "last"), "newest price", Row, Number(Unit::Money), &[]),
    spec((Field::Chg, "chg"), "24 h change", Row, Number(Unit::Percent), &[]),
    spec((Field::Vol, "vol"), "24 h quote volume", Row, Number(Unit::Money), &[]),
    spec((Field::Basis, "basis"), "perpetual against spot", Row, Number(Unit::Percent), &[]),
    spec((Field::Score, "score"), "score, by its size", Row, Number(Unit::Plain), SIZES),
    spec((Field::Raw, "raw"), "score, unrounded", Either, Number(Unit::Plain), &[]),
    spec((Field::Coverage, "coverage"), "share of intervals", Row, Number(Unit::Share), &[]),
    spec((Field::Coherence, "coherence"), "agreement", Row, Number(Unit::Percent), &[]),
    spec((Field::State, "state"), "state of the data", Either, States, DATA),
    spec((Field::Live, "live"), "kept true", Either, Flag, YES_NO),
    spec((Field::Age, "age"), "age of what is shown", Either, Number(Unit::Span), &[]),
    spec((Field::Note, "note"), "what is amiss", Row, Text, &[]),
    spec((Field::Trend, "trend"), "trend", Lane, Number(Unit::Plain), DIRECTIONS),
    spec((Field::Dist, "dist"), "HAMA against MA", Lane, Number(Unit::Percent), &[]),
    spec(
        (Field::PriceSide, "c/ma"),
        "live price against MA",
        Lane,
        States,
        &[State::Above, State::Touch, State::Below],
    ),
    spec((Field::Bands, "bb"), "bands", Lane, States, BANDS),
    spec((Field::Width, "width"), "width of the bands", Lane, Number(Unit::Share), &[]),
    spec((Field::Pos, "posb"), "place in the bands", Lane, Number(Unit::Share), &[]),
    spec((Field::Cross, "cross"), "last cross", Lane, Number(Unit::Bars), &[State::Up, State::Down]),
    spec((Field::New, "new"), "new high or low of the bars", Lane, States, &[State::High, State::Low]),
    spec((Field::Bars, "bars"), "closed bars", Lane, Number(Unit::Bars), &[]),
    spec((Field::Missing, "missing"), "closes that are not in", Either, Number(Unit::Bars), &[]),
    spec((Field::Gaps, "gaps"), "places where bars are missing", Either, Number(Unit::Plain), &[]),
    spec((Field::Warm, "warm"), "bars suffice for the score", Either, Flag, YES_NO),
    spec((Field::Stale, "stale"), "behind the exchange", Either, Flag, YES_NO),
    spec((Field::Gradient, "gradient"), "gradient", Lane, Number(Unit::Plain), DIRECTIONS),
    spec((Field::Hama, "hama"), "HAMA close", Lane, Number(Unit::Money), &[]),
    spec((Field::Ma, "ma"), "moving average", Lane, Number(Unit::Money), &[]),
];

/// Other names of fields: those that head their columns, where they are not the field's own.
const ALIASES: &[(&str, Field)] = &[
    ("symbol", Field::Sym),
    ("mkt", Field::Market),
    ("chg24", Field::Chg),
    ("vol24", Field::Vol),
    ("cov", Field::Coverage),
    ("coh", Field::Coherence),
    ("c/ma~", Field::PriceSide),
    ("boll", Field::Bands),
    ("grad", Field::Gradient),
];

impl Field {
    /// Its line in the table.
    pub fn spec(self) -> &'static FieldSpec {
        // The table is in the enum's order; a test holds that.
        &FIELDS[self as usize]
    }

    /// The field of that name, or of the column headed so, whatever its case.
    pub fn find(name: &str) -> Option<Self> {
        let own = FIELDS.iter().find(|f| f.id.eq_ignore_ascii_case(name)).map(|f| f.field);
        own.or_else(|| ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, f)| *f))
    }

    /// The other names it is found by.
    pub fn aliases(self) -> impl Iterator<Item = &'static str> {
        ALIASES.iter().filter(move |(_, field)| *field == self).map(|(alias, _)| *alias)
    }

    /// Whether it can be asked of the bar before: the indicator's own figures can, what is live or
    /// about the data can't.
    pub fn has_before(self) -> bool {
        matches!(
            self,
            Self::Raw
                | Self::Trend
                | Self::Dist
                | Self::Bands
                | Self::Width
                | Self::Pos
                | Self::Cross
                | Self::Gradient
                | Self::Hama
                | Self::Ma
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_enums_order_and_ids_are_unique() {
        for (n, spec) in FIELDS.iter().enumerate() {
            assert_eq!(spec.field as usize, n, "{}", spec.id);
            assert!(FIELDS[n + 1..].iter().all(|f| f.id != spec.id), "{}", spec.id);
            assert_eq!(Field::find(&spec.id.to_uppercase()), Some(spec.field));
            assert!(ALIASES.iter().all(|(alias, _)| *alias != spec.id), "{}", spec.id);
        }
    }

    #[test]
    fn what_has_no_figure_has_states() {
        for spec in FIELDS {
            match spec.kind {
                Kind::Text => assert!(spec.states.is_empty(), "{}", spec.id),
                Kind::States => assert!(spec.states.len() > 1, "{}", spec.id),
                Kind::Flag => assert_eq!(spec.states, YES_NO, "{}", spec.id),
                Kind::Number(_) => {}
            }
            assert!(!spec.field.has_before() || spec.scope != Scope::Row, "{}", spec.id);
        }
    }

    #[test]
    fn the_readme_has_each_field_and_each_state() {
        let readme = include_str!("../../README.md");
        let section = readme.split("\n## ").find(|s| s.starts_with("Filter\n")).unwrap();
        let lines: Vec<&str> = section.lines().collect();
        for spec in FIELDS {
            let start = format!("| `{}` |", spec.id);
            let line = lines.iter().find(|l| l.starts_with(&start));
            let line = line.unwrap_or_else(|| panic!("README has no line `{start}`"));
            if spec.kind != Kind::Flag {
                for state in spec.states {
                    assert!(line.contains(&format!("`{}`", state.as_str())), "{start} lacks {state:?}");
                }
            }
        }
    }
}
