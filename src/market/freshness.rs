//! What may be thought of a series: the facts, and the state that follows from them.
//!
//! Facts are set by what happens; the state is computed, so that it can't contradict them.

use crate::domain::text::CleanText;
use crate::domain::time::UnixMs;

use super::snapshot::DataState;

/// How far the loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// REST has not answered yet.
    Loading,
    /// REST rows are in.
    Loaded,
    /// The pair is not traded: nothing is loaded, nothing is expected.
    Delisted,
}

/// What the stream does for a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Stream {
    /// There is none and there will be none.
    Unneeded,
    /// Asked for; no data yet.
    Waiting,
    /// Brings data.
    Fed,
    /// Lost, and why.
    Lost(CleanText),
    /// Subscribed again after a loss; no data yet.
    Resumed,
    /// It was fed until the machine slept; no data of after that yet.
    Slept,
    /// Acknowledged, and it brings nothing while REST shows that there was trade.
    Silent,
    /// It brings nothing while the 24 h figures show that the price moves.
    Outrun,
    /// The exchange refused to carry it, and what it said.
    Refused(CleanText),
}

/// What is wrong with the newest end of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// So many bars are missing.
    Gap {
        /// Bars, by the nominal length.
        missing: u32,
    },
    /// A candle's time is over and nobody has said that it is closed.
    Unconfirmed {
        /// Its close time.
        close: UnixMs,
    },
}

/// The facts of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Freshness {
    /// Loading.
    pub stage: Stage,
    /// The stream.
    pub stream: Stream,
    /// The newest end.
    pub doubt: Option<Doubt>,
    /// What REST last refused us, while that is so.
    pub refused: Option<Refusal>,
    /// There is no stream, and REST has brought each bar that closed since. The closed bars are
    /// true, hence signals go on; the forming one is unknown, hence the series is not live.
    pub by_rest: bool,
}

/// A failure of REST, as far as this series goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Tried again soon.
    Retrying(CleanText),
    /// Given up for the time being.
    GivenUp(CleanText),
}

impl Freshness {
    /// A series that is about to be loaded.
    pub fn new(stream: Stream) -> Self {
        Self { stage: Stage::Loading, stream, doubt: None, refused: None, by_rest: false }
    }

    /// A series that is not traded.
    pub fn delisted() -> Self {
        Self { stage: Stage::Delisted, ..Self::new(Stream::Unneeded) }
    }

    /// Whether what is known is true now: everything but the number of bars.
    pub fn is_current(&self) -> bool {
        self.stage == Stage::Loaded
            && self.doubt.is_none()
            && matches!(self.stream, Stream::Fed | Stream::Unneeded)
            && !matches!(self.refused, Some(Refusal::GivenUp(_)))
    }

    /// The state, given the closed bars at hand and those the score needs.
    pub fn state(&self, bars: usize, need: u32) -> DataState {
        match (self.stage, &self.refused) {
            (Stage::Delisted, _) => DataState::Delisted,
            (_, Some(Refusal::GivenUp(_))) => DataState::Failed,
            (Stage::Loading, _) => DataState::Warming,
            (Stage::Loaded, _) if self.doubt.is_some() => DataState::Stale,
            (Stage::Loaded, _) => match self.stream {
                Stream::Lost(_)
                | Stream::Resumed
                | Stream::Slept
                | Stream::Silent
                | Stream::Outrun
                | Stream::Refused(_) => DataState::Stale,
                Stream::Waiting => DataState::Warming,
                Stream::Fed | Stream::Unneeded if bars < need as usize => DataState::Warming,
                Stream::Fed | Stream::Unneeded => DataState::Live,
            },
        }
    }

    /// Why it is not live, as a sentence; `None` where nothing but the count of bars is in the way.
    pub fn why(&self) -> Option<CleanText> {
        match (self.stage, &self.refused) {
            (Stage::Delisted, _) => return Some(CleanText::new("not traded now")),
            (_, Some(Refusal::GivenUp(why) | Refusal::Retrying(why))) => return Some(why.clone()),
            _ => {}
        }
        if self.stage == Stage::Loading {
            return match &self.stream {
                Stream::Lost(why) => Some(lost(why, false)),
                _ => None,
            };
        }
        match self.doubt {
            Some(Doubt::Gap { missing: 1 }) => return Some(CleanText::new("gap of 1 bar")),
            Some(Doubt::Gap { missing }) => {
                return Some(CleanText::new(&format!("gap of {missing} bars")));
            }
            Some(Doubt::Unconfirmed { .. }) => {
                return Some(CleanText::new("not confirmed by REST yet"));
            }
            None => {}
        }
        match &self.stream {
            Stream::Unneeded | Stream::Fed => None,
            Stream::Waiting => Some(CleanText::new("waiting for the stream's first data")),
            Stream::Resumed => Some(CleanText::new("reconnected; waiting for data")),
            Stream::Slept => Some(CleanText::new("the machine slept; waiting for data")),
            Stream::Lost(why) => Some(lost(why, self.by_rest)),
            Stream::Silent if self.by_rest => Some(CleanText::new("stream silent; kept true by REST")),
            Stream::Silent => Some(CleanText::new("stream silent")),
            Stream::Outrun => Some(CleanText::new("the price moves, its candles don't")),
            Stream::Refused(why) => {
                let by_rest = if self.by_rest { "; kept true by REST" } else { "" };
                Some(CleanText::new(&format!("no stream: the exchange refuses it ({why}){by_rest}")))
            }
        }
    }
}

fn lost(why: &CleanText, by_rest: bool) -> CleanText {
    CleanText::new(&format!("socket lost: {why}{}", if by_rest { "; closed bars by REST" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Freshness {
        Freshness { stage: Stage::Loaded, ..Freshness::new(Stream::Fed) }
    }

    #[test]
    fn the_worse_fact_decides_and_says_why() {
        let lost = Stream::Lost(CleanText::new("reset by peer"));
        let gone = Some(Refusal::GivenUp(CleanText::new("no such symbol")));
        for (facts, state, why) in [
            (fresh(), DataState::Live, None),
            (Freshness::new(Stream::Fed), DataState::Warming, None),
            (
                Freshness { stream: Stream::Waiting, ..fresh() },
                DataState::Warming,
                Some("waiting for the stream's first data"),
            ),
            (
                Freshness { stream: lost.clone(), ..fresh() },
                DataState::Stale,
                Some("socket lost: reset by peer"),
            ),
            (
                Freshness { doubt: Some(Doubt::Gap { missing: 3 }), stream: lost, ..fresh() },
                DataState::Stale,
                Some("gap of 3 bars"),
            ),
            (Freshness { refused: gone, ..fresh() }, DataState::Failed, Some("no such symbol")),
            (Freshness::delisted(), DataState::Delisted, Some("not traded now")),
        ] {
            assert_eq!(facts.state(200, 102), state, "{facts:?}");
            assert_eq!(facts.why().as_ref().map(CleanText::as_str), why, "{facts:?}");
        }
        let silent = Freshness { stream: Stream::Silent, by_rest: true, ..fresh() };
        assert_eq!(silent.state(200, 102), DataState::Stale);
        assert_eq!(silent.why().unwrap().as_str(), "stream silent; kept true by REST");
        let refused = Freshness { stream: Stream::Refused(CleanText::new("no such stream")), ..silent };
        assert_eq!(refused.state(200, 102), DataState::Stale);
        let why = "no stream: the exchange refuses it (no such stream); kept true by REST";
        assert_eq!(refused.why().unwrap().as_str(), why);
        assert_eq!(fresh().state(101, 102), DataState::Warming, "a young listing");
    }
}
