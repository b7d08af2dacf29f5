//! What was done to keep the series true: counted, and told to the log in one line each.
//!
//! One mechanism for both, so that nothing that befalls a series is counted and not told. Sockets
//! are counted with their notices, and what is thrown away, of which there may be any number, is
//! summed up. The core only keeps the lines; the shell around it writes them.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::domain::hama::Sign;
use crate::domain::symbol::SeriesKey;
use crate::domain::time::UnixMs;
use crate::market::store::LaneId;

use super::core::Engine;

/// Lines kept for the shell, which takes them many times a second. Full: the oldest goes, counted.
const KEPT: usize = 2_048;

/// Something that happened to a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// Which series.
    pub key: SeriesKey,
    /// What.
    pub what: What,
}

/// What can happen to a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// Bars are missing.
    Gap,
    /// They are there.
    Repaired,
    /// REST is asked whether a candle closed, since the stream has not said so in time.
    Verification,
    /// The same where there is no stream that could have said so.
    Poll,
    /// REST closed so many bars.
    ClosedByRest(u32),
    /// The stream told a close so long after it.
    LateClose(Duration),
    /// So many closed bars changed; the first opened then.
    Corrected(UnixMs, u32),
    /// The exchange itself lacks candles.
    Holes(u32),
    /// A repair among many was put off.
    Spread(Duration),
    /// The stream is silent while its neighbours speak.
    Silent,
    /// It is subscribed anew.
    Resubscribed,
    /// The exchange refuses to carry it.
    Refused,
    /// It speaks again.
    Heard,
    /// A signal of a bar that closed then came to light too late to be given.
    Withheld(UnixMs),
    /// What was said of the bar that closed then is no longer so; what is.
    Revised(UnixMs, Option<Sign>),
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        match self.what {
            What::Gap => f.write_str("bars are missing"),
            What::Repaired => f.write_str("the missing bars are there"),
            What::Verification => f.write_str("no close in time; asking REST"),
            What::Poll => f.write_str("no stream; asking REST for the close"),
            What::ClosedByRest(bars) => write!(f, "{bars} closed by REST"),
            What::LateClose(late) => write!(f, "the stream told a close {} ms late", late.as_millis()),
            What::Corrected(open, bars) => write!(f, "correction of {bars} from {} on", open.0),
            What::Holes(holes) => write!(f, "the exchange itself has {holes} holes here"),
            What::Spread(wait) => write!(f, "one of many to repair; in {} ms", wait.as_millis()),
            What::Silent => f.write_str("the stream is silent while others speak"),
            What::Resubscribed => f.write_str("subscribed anew"),
            What::Refused => f.write_str("the exchange refuses the stream"),
            What::Heard => f.write_str("the stream speaks again"),
            What::Withheld(close) => write!(f, "signal of {} withheld: too old", close.0),
            What::Revised(close, dir) => write!(f, "signal of {} revised: {}", close.0, dir_text(dir)),
        }
    }
}

/// What a bar is said to have been, for people.
pub(super) fn dir_text(dir: Option<Sign>) -> &'static str {
    match dir {
        Some(Sign::Up) => "up",
        Some(Sign::Down) => "down",
        Some(Sign::Flat) | None => "none",
    }
}

/// Lines for the log that the shell has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: VecDeque<Happening>,
    dropped: u64,
}

impl Engine {
    /// Counts what happened and keeps a line of it for the log.
    pub(super) fn happened(&mut self, id: LaneId, what: What) {
        let counters = &mut self.store.counters;
        let upkeep = &mut counters.upkeep;
        match what {
            What::Gap => counters.gaps += 1,
            What::Repaired => counters.repaired += 1,
            What::Verification => upkeep.verifications += 1,
            What::Poll => upkeep.polls += 1,
            What::ClosedByRest(bars) => upkeep.closed_by_rest += u64::from(bars),
            What::LateClose(_) => upkeep.late_closes += 1,
            What::Corrected(_, bars) => upkeep.corrections += u64::from(bars),
            What::Holes(holes) => upkeep.holes += u64::from(holes),
            What::Spread(_) => upkeep.spread += 1,
            What::Silent => upkeep.silent += 1,
            What::Resubscribed => upkeep.resubscribed += 1,
            What::Refused => upkeep.refused += 1,
            What::Heard => {}
            What::Withheld(_) => upkeep.withheld += 1,
            What::Revised(..) => upkeep.revised += 1,
        }
        let Some(key) = self.store.key(id) else { return };
        if self.lines.lines.len() == KEPT {
            self.lines.lines.pop_front();
            self.lines.dropped += 1;
        }
        self.lines.lines.push_back(Happening { key, what });
    }

    /// Takes the lines for the log, oldest first, and how many there was no room for.
    pub fn take_happenings(&mut self) -> (impl Iterator<Item = Happening>, u64) {
        let taken = std::mem::take(&mut self.lines);
        (taken.lines.into_iter(), taken.dropped)
    }
}
