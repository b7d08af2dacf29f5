//! What a field says of a row, apart from how it is written and coloured.
//!
//! Columns show these values, the order sorts on them and filters compare them, so that none of
//! the three can differ from the others.

use std::time::Duration;

use crate::domain::hama::{Bands, Gradient, LastCross, Sign};
use crate::domain::symbol::Tick;
use crate::market::snapshot::DataState;

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No data.
    Absent,
    /// Nothing to say, and nothing missing.
    Blank,
    /// Not enough bars yet: how many there are, how many it takes.
    Warming(u32, u32),
    /// A name.
    Text(&'a str),
    /// A word of a closed list, beside the point.
    Label(&'a str),
    /// Yes or no.
    Flag(bool),
    /// What is amiss.
    Note(NoteText<'a>),
    /// A price with the pair's digits.
    Price(f64, Tick),
    /// A signed change in per cent.
    Percent(f64),
    /// A share of 1.
    Share(f64),
    /// An amount of the quote asset.
    Amount(f64),
    /// The score as it is shown; sorted on `raw` without its sign.
    Score {
        /// Rounded.
        shown: i32,
        /// Unrounded.
        raw: f64,
        /// Some intervals take no part in it.
        partial: bool,
    },
    /// A number with so many digits behind the point.
    Number(f64, u8),
    /// A count.
    Count(u32),
    /// A trend: of the last closed bar, and what the forming bar would make of it.
    Trend {
        /// Of the last closed bar.
        now: Sign,
        /// What the forming bar would make of it.
        forming: Option<Sign>,
    },
    /// The live price above or below the line.
    Side(Sign),
    /// The last cross.
    Cross(LastCross),
    /// The bands.
    Bands(Bands),
    /// The gradient counter.
    Gradient(Gradient),
    /// How old, on the exchange's clock and on ours.
    Age {
        /// On the exchange's clock.
        theirs: Duration,
        /// The same span on ours.
        ours: Duration,
        /// Whether it is kept young.
        pulse: Pulse,
    },
    /// What may be thought of it.
    State(DataState),
}

/// Whether an age is of something that is kept true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// It is.
    Live,
    /// It is not, and this is why: its age is never `now`.
    Off(DataState),
    /// The clock stands: nothing grows older, and nothing is new.
    Standing,
}

/// A note on what is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoteText<'a> {
    /// Of which interval.
    pub interval: &'a str,
    /// What is the matter.
    pub state: DataState,
    /// Closes it lacks.
    pub missing: u32,
    /// Why, if known.
    pub why: Option<&'a str>,
    /// Bars at hand and needed, where that is the matter.
    pub bars: Option<(u32, u32)>,
    /// Whether it is the matter with every interval.
    pub everywhere: bool,
    /// Another interval that lacks bars: which, at hand, needed.
    pub young: Option<(&'a str, u32, u32)>,
    /// Share of the weights that the score is made of, where that is not all.
    pub coverage: Option<f64>,
}

impl<'a> Value<'a> {
    /// The figure: what is shown, in its base unit (per cent as such, shares of 1, seconds, bars).
    /// Of an inferred cross it is the least that it can be.
    pub fn number(&self) -> Option<f64> {
        Some(match *self {
            Self::Absent
            | Self::Blank
            | Self::Warming(..)
            | Self::Text(_)
            | Self::Label(_)
            | Self::Note(_) => return None,
            Self::Price(v, _) | Self::Percent(v) | Self::Share(v) | Self::Amount(v) | Self::Number(v, _) => v,
            Self::Flag(is_so) => f64::from(u8::from(is_so)),
            Self::Score { shown, .. } => f64::from(shown),
            Self::Count(n) => f64::from(n),
            Self::Trend { now: sign, .. } | Self::Side(sign) => sign.as_f64(),
            Self::Cross(c) => f64::from(c.bars),
            Self::Bands(b) => f64::from(b.state as u8),
            Self::Gradient(g) => g.dir.as_f64() * f64::from(g.steps),
            Self::Age { theirs, .. } => theirs.as_secs_f64(),
            Self::State(state) => f64::from(state as u8),
        })
    }

    /// The name or the word. Of a note: the reason, which is empty where nothing is amiss.
    pub fn text(&self) -> Option<&'a str> {
        match *self {
            Self::Text(text) | Self::Label(text) => Some(text),
            Self::Note(note) => Some(note.why.unwrap_or_default()),
            Self::Blank => Some(""),
            _ => None,
        }
    }
}
