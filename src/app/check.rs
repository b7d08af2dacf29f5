//! What a comparison with REST found, in words.

use std::fmt::{Result, Write};
use std::time::Duration;

use crate::domain::time::Mono;
use crate::engine::{Command, Scope};
use crate::market::snapshot::{Check, Compared, LaneView, Level, Row, Verdict};

use super::text::Precision;
use super::value::{Tone, write_span};
use super::zone::Zone;
use super::{App, Effect, View};

/// How long a row tells what a comparison found; the cache's view tells it for good.
const TOLD: Duration = Duration::from_secs(30);
/// Ages move in steps, of which this is the first.
const JUST: Duration = Duration::from_secs(5);

/// How the series of one row compare with REST, while that is news.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CheckNote<'a> {
    /// So many of so many are asked about.
    Asked(u32, u32),
    /// All answers are here.
    Told {
        /// Since when.
        age: Duration,
        /// The sum of what was found.
        sum: Compared,
        /// Where the first corrected bar is.
        interval: &'a str,
        /// Why one could not be asked about.
        failed: Option<&'a str>,
    },
}

/// Whether REST is being asked about a row.
pub fn is_asked(row: &Row) -> bool {
    row.lanes.iter().any(|l| l.check.as_ref().is_some_and(Check::is_asked))
}

/// What a row has to tell of comparisons at `now`.
pub fn note_of(row: &Row, now: Mono) -> Option<CheckNote<'_>> {
    let checks = || row.lanes.iter().filter_map(|l| Some((l, l.check.as_ref()?)));
    let asked = checks().filter(|(_, c)| c.is_asked()).count();
    if asked > 0 {
        let of = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        return Some(CheckNote::Asked(of(asked), of(row.lanes.len())));
    }
    let newest = checks().filter_map(|(_, c)| told(c)).map(|(at, _)| at).max()?;
    let age = now.since(newest);
    // Those of one key press end within moments of each other.
    let news: Vec<(&LaneView, &Verdict)> = checks()
        .filter_map(|(l, c)| told(c).map(|(at, verdict)| (l, at, verdict)))
        .filter(|(_, at, _)| now.since(*at) < TOLD)
        .map(|(l, _, verdict)| (l, verdict))
        .collect();
    if news.is_empty() {
        return None;
    }
    let mut note = (Compared::default(), "", None);
    for (lane, verdict) in news {
        match verdict {
            Verdict::Compared(c) => add(&mut note, c, lane.interval.as_str()),
            Verdict::Failed(why) => note.2 = note.2.or(Some(why.as_str())),
        }
    }
    let (sum, interval, failed) = note;
    Some(CheckNote::Told { age, sum, interval, failed })
}

fn told(check: &Check) -> Option<(Mono, &Verdict)> {
    match check {
        Check::Asked(_) => None,
        Check::Told { at, verdict } => Some((*at, verdict)),
    }
}

fn add<'a>(note: &mut (Compared, &'a str, Option<&str>), c: &Compared, interval: &'a str) {
    let sum = &mut note.0;
    sum.equal += c.equal;
    sum.corrected += c.corrected;
    sum.added += c.added;
    sum.lagging += c.lagging;
    if sum.first.is_none() && c.first.is_some() {
        (sum.first, note.1) = (c.first, interval);
    }
}

impl CheckNote<'_> {
    /// What it means: what could not be had, or was wrong, is not as it should be.
    pub fn tone(&self) -> Tone {
        match self {
            Self::Asked(..) => Tone::Dim,
            Self::Told { failed: Some(_), .. } => Tone::Bad,
            Self::Told { sum, .. } => tone(sum),
        }
    }

    /// `checking 2 of 3`, `297 bars equal, 10s ago`, `could not ask: banned 2m00s, 10s ago`. What
    /// was found comes first: the column is narrow.
    pub fn write(&self, zone: &Zone, out: &mut String) -> Result {
        match self {
            Self::Asked(asked, of) => write!(out, "checking {asked} of {of}"),
            Self::Told { age, sum, interval, failed } => {
                match failed {
                    Some(why) => write!(out, "could not ask: {why}")?,
                    None => write_found(sum, interval, zone, out)?,
                }
                write_ago(*age, out)
            }
        }
    }
}

fn tone(c: &Compared) -> Tone {
    if c.corrected + c.added + c.lagging > 0 { Tone::Warn } else { Tone::Dim }
}

fn write_ago(age: Duration, out: &mut String) -> Result {
    if age < JUST {
        return out.write_str(", just now");
    }
    out.push_str(", ");
    write_span(age, out)?;
    out.write_str(" ago")
}

/// `3 bars equal`, `1 bar corrected 15m 14:00`, `2 bars added`: what was wrong comes first.
fn write_found(c: &Compared, interval: &str, zone: &Zone, out: &mut String) -> Result {
    if c.is_empty() {
        return out.write_str("nothing to compare");
    }
    let first = c.first.map(|open| format!(" {interval} {}", zone.time(open, Precision::Minute)));
    let parts = [
        (c.corrected, "corrected", first.as_deref()),
        (c.added, "added", None),
        (c.lagging, "newer here", None),
    ];
    let mut told = false;
    for (n, what, where_) in parts.into_iter().filter(|(n, ..)| *n > 0) {
        let s = if n == 1 { "" } else { "s" };
        write!(out, "{}{n} bar{s} {what}{}", if told { ", " } else { "" }, where_.unwrap_or_default())?;
        told = true;
    }
    if !told {
        let s = if c.equal == 1 { "" } else { "s" };
        write!(out, "{} bar{s} equal", c.equal)?;
    }
    Ok(())
}

/// How one series compared, whenever that was: `checking`, `99 bars equal 5m ago`.
pub fn lane_text(lane: &LaneView, now: Mono, zone: &Zone) -> Option<(String, Tone)> {
    let mut out = String::new();
    let tone = match lane.check.as_ref()? {
        Check::Asked(_) => {
            out.push_str("checking");
            Tone::Plain
        }
        Check::Told { at, verdict } => {
            let tone = match verdict {
                Verdict::Failed(why) => {
                    let _ = write!(out, "could not ask: {why}");
                    Tone::Bad
                }
                Verdict::Compared(c) => {
                    let _ = write_found(c, lane.interval.as_str(), zone, &mut out);
                    tone(c)
                }
            };
            let _ = write_ago(now.since(*at), &mut out);
            tone
        }
    };
    Some((out, tone))
}

/// Whether what a series has to tell of its comparison comes before what else is the matter.
pub fn is_news(lane: &LaneView, now: Mono) -> bool {
    match &lane.check {
        None => false,
        Some(Check::Asked(_)) => true,
        Some(Check::Told { at, .. }) => now.since(*at) < TOLD,
    }
}

impl App {
    /// Asks REST about the pair that the view is about.
    pub(super) fn refresh_one(&mut self, effects: &mut Vec<Effect>) {
        if self.view == View::Cache {
            return self.refresh_series(effects);
        }
        let Some(pair) = self.subject().map(|r| r.pair.clone()) else {
            return self.say(Level::Info, "no pair is selected; R checks all");
        };
        self.say(Level::Info, &format!("checking {}", pair.symbol));
        effects.push(Effect::Send(Command::Refresh(Scope::One(pair))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::CleanText;
    use crate::domain::time::UnixMs;
    use crate::fixture::{NOW, row};

    fn at(secs: u64) -> Mono {
        Mono(Duration::from_secs(secs))
    }

    fn compared(sum: Compared) -> Check {
        Check::Told { at: at(100), verdict: Verdict::Compared(sum) }
    }

    fn equal(bars: u32) -> Compared {
        Compared { equal: bars, ..Compared::default() }
    }

    fn said(checks: [Option<Check>; 3], secs: u64) -> Option<(String, Tone)> {
        let mut row = row("BTCUSDT").build();
        for (lane, check) in row.lanes.iter_mut().zip(checks) {
            lane.check = check;
        }
        let note = note_of(&row, at(secs))?;
        let mut out = String::new();
        note.write(&Zone::default(), &mut out).unwrap();
        Some((out, note.tone()))
    }

    #[test]
    fn a_row_says_that_it_is_checked_then_what_was_found_and_then_nothing() {
        let all = || [99, 99, 1].map(|n| Some(compared(equal(n))));
        assert_eq!(said([None, None, None], 100), None);
        let mut half = all();
        half[1] = Some(Check::Asked(at(99)));
        assert_eq!(said(half, 100).unwrap().0, "checking 1 of 3");
        assert_eq!(said(all(), 101).unwrap(), ("199 bars equal, just now".to_owned(), Tone::Dim));
        assert_eq!(said(all(), 112).unwrap().0, "199 bars equal, 10s ago");
        assert_eq!(said(all(), 130), None, "no longer news");
    }

    #[test]
    fn what_was_wrong_is_said_before_what_was_right() {
        let first = Some(UnixMs(NOW.0 - 131_000));
        let found = Compared { corrected: 1, first, ..equal(98) };
        let (text, tone) = said([Some(compared(found)), Some(compared(equal(99))), None], 112).unwrap();
        assert_eq!((text.as_str(), tone), ("1 bar corrected 15m 14:00, 10s ago", Tone::Warn));
        let found = Compared { added: 2, lagging: 1, ..equal(97) };
        let (text, _) = said([None, None, Some(compared(found))], 100).unwrap();
        assert_eq!(text, "2 bars added, 1 bar newer here, just now");
        let nothing = said([Some(compared(Compared::default())), None, None], 100).unwrap().0;
        assert_eq!(nothing, "nothing to compare, just now");
    }

    #[test]
    fn a_check_that_failed_is_never_said_to_be_well() {
        let failed = Check::Told { at: at(100), verdict: Verdict::Failed(CleanText::new("banned 2m00s")) };
        let (text, tone) = said([Some(compared(equal(99))), Some(failed.clone()), None], 100).unwrap();
        assert_eq!((text.as_str(), tone), ("could not ask: banned 2m00s, just now", Tone::Bad));
        let mut lane = row("BTCUSDT").build().lanes[0].clone();
        lane.check = Some(failed);
        let want = ("could not ask: banned 2m00s, 5m ago".to_owned(), Tone::Bad);
        assert_eq!(lane_text(&lane, at(400), &Zone::default()), Some(want));
        assert!(is_news(&lane, at(129)) && !is_news(&lane, at(130)));
    }
}
