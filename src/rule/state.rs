//! The words that a field can be asked for: `trend:up`, `bb:squeeze`, `state:stale`.

use crate::domain::hama::{BandState, Sign};
use crate::domain::score::ScoreWord;
use crate::market::snapshot::DataState;

use super::truth::Truth;
use super::value::Value;

/// A state of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are their own description")]
pub enum State {
    Up,
    Down,
    Flat,
    Above,
    Touch,
    Below,
    Squeeze,
    Normal,
    Expand,
    Upper,
    Mid,
    Lower,
    BreakUp,
    BreakDown,
    Neutral,
    Weak,
    Strong,
    Live,
    Warming,
    Stale,
    Failed,
    Delisted,
    UsdM,
    Spot,
    Named,
    Watchlist,
    Top,
    Mover,
    Yes,
    No,
}

impl State {
    /// What it is called, the usual word first.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Up => &["up", "bull"],
            Self::Down => &["down", "bear", "dn"],
            Self::Flat => &["flat"],
            Self::Above => &["above"],
            Self::Touch => &["touch"],
            Self::Below => &["below"],
            Self::Squeeze => &["squeeze"],
            Self::Normal => &["normal"],
            Self::Expand => &["expand", "expansion"],
            Self::Upper => &["upper"],
            Self::Mid => &["mid"],
            Self::Lower => &["lower"],
            Self::BreakUp => &["break-up"],
            Self::BreakDown => &["break-down"],
            Self::Neutral => &["neutral"],
            Self::Weak => &["weak"],
            Self::Strong => &["strong"],
            Self::Live => &["live"],
            Self::Warming => &["warming"],
            Self::Stale => &["stale"],
            Self::Failed => &["failed"],
            Self::Delisted => &["delisted"],
            Self::UsdM => &["usdm"],
            Self::Spot => &["spot"],
            Self::Named => &["named"],
            Self::Watchlist => &["watchlist"],
            Self::Top => &["top"],
            Self::Mover => &["mover"],
            Self::Yes => &["yes"],
            Self::No => &["no"],
        }
    }

    /// The usual word.
    pub fn as_str(self) -> &'static str {
        self.words().first().copied().unwrap_or_default()
    }

    /// The one of `states` with that word, whatever its case.
    pub fn find(states: &[Self], word: &str) -> Option<Self> {
        states.iter().copied().find(|s| s.words().iter().any(|w| w.eq_ignore_ascii_case(word)))
    }

    /// Whether a value is in this state; unknown where the value is.
    pub fn holds(self, value: &Value<'_>) -> Truth {
        match value {
            Value::Trend { now: sign, .. } | Value::Side(sign) => Truth::of(self.sign() == Some(*sign)),
            Value::Gradient(g) => Truth::of(self.sign() == Some(g.dir)),
            // No cross among the bars at hand, and no side that would say how the last one went.
            Value::Cross(c) if c.dir == Sign::Flat => Truth::Unknown,
            Value::Cross(c) => Truth::of(self.sign() == Some(c.dir)),
            Value::Bands(b) => match (self, b.pos) {
                (Self::Squeeze, _) => Truth::of(b.state == BandState::Squeeze),
                (Self::Normal, _) => Truth::of(b.state == BandState::Normal),
                (Self::Expand, _) => Truth::of(b.state == BandState::Expansion),
                (Self::BreakUp, _) => Truth::of(b.breakout == Some(Sign::Up)),
                (Self::BreakDown, _) => Truth::of(b.breakout == Some(Sign::Down)),
                (Self::Upper, Some(pos)) => Truth::of(pos > THIRDS.1),
                (Self::Mid, Some(pos)) => Truth::of((THIRDS.0..=THIRDS.1).contains(&pos)),
                (Self::Lower, Some(pos)) => Truth::of(pos < THIRDS.0),
                _ => Truth::Unknown,
            },
            Value::Score { raw, .. } => Truth::of(self.size() == Some(ScoreWord::of(*raw))),
            Value::State(state) => Truth::of(self.data() == Some(*state)),
            Value::Label(word) => Truth::of(self.as_str() == *word),
            Value::Flag(is_so) => Truth::of((self == Self::Yes) == *is_so),
            _ => Truth::Unknown,
        }
    }

    fn sign(self) -> Option<Sign> {
        match self {
            Self::Up | Self::Above => Some(Sign::Up),
            Self::Flat | Self::Touch => Some(Sign::Flat),
            Self::Down | Self::Below => Some(Sign::Down),
            _ => None,
        }
    }

    fn size(self) -> Option<ScoreWord> {
        match self {
            Self::Neutral => Some(ScoreWord::Neutral),
            Self::Weak => Some(ScoreWord::Weak),
            Self::Normal => Some(ScoreWord::Normal),
            Self::Strong => Some(ScoreWord::Strong),
            _ => None,
        }
    }

    fn data(self) -> Option<DataState> {
        match self {
            Self::Live => Some(DataState::Live),
            Self::Warming => Some(DataState::Warming),
            Self::Stale => Some(DataState::Stale),
            Self::Failed => Some(DataState::Failed),
            Self::Delisted => Some(DataState::Delisted),
            _ => None,
        }
    }
}

/// Where the bands' space is parted into lower, middle and upper.
const THIRDS: (f64, f64) = (1.0 / 3.0, 2.0 / 3.0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symbol::Market;
    use crate::market::snapshot::Pool;

    #[test]
    fn labels_are_the_words_that_exports_have() {
        for (state, word) in [
            (State::UsdM, Market::UsdM.as_str()),
            (State::Spot, Market::Spot.as_str()),
            (State::Named, Pool::Named.as_str()),
            (State::Watchlist, Pool::Watchlist.as_str()),
            (State::Top, Pool::Top.as_str()),
            (State::Mover, Pool::Mover.as_str()),
        ] {
            assert_eq!(state.as_str(), word);
            assert_eq!(state.holds(&Value::Label(word)), Truth::True);
        }
        for state in [State::Live, State::Warming, State::Stale, State::Failed, State::Delisted] {
            let data = state.data().unwrap();
            assert_eq!((state.as_str(), state.holds(&Value::State(data))), (data.as_str(), Truth::True));
        }
    }

    #[test]
    fn what_is_not_known_is_in_no_state_and_not_out_of_one() {
        for value in [Value::Absent, Value::Blank, Value::Warming(3, 9)] {
            assert_eq!(State::Up.holds(&value), Truth::Unknown);
            assert_eq!(State::Stale.holds(&value), Truth::Unknown);
        }
    }
}
