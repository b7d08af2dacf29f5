//! The score of a symbol over its intervals.

use std::cmp::Ordering;

use super::hama::{LastCross, Sign};
use super::interval::Interval;
use super::symbol::Pair;

/// What a symbol's intervals add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SymbolScore {
    /// Weighted mean of the ready intervals' scores; what rows are sorted on.
    pub raw: f64,
    /// `raw` rounded half away from zero; what is shown.
    pub score: i32,
    /// Share of the weights that the ready intervals have, 0 to 1.
    pub coverage: f64,
    /// How far the intervals agree in sign, 0 to 100.
    pub coherence: f64,
}

/// The score of a symbol from its intervals' own scores, all configured intervals in their order,
/// the primary first. `None` while the primary one has no score.
pub fn symbol_score(intervals: &[(Interval, Option<f64>)]) -> Option<SymbolScore> {
    intervals.first()?.1?;
    let by_habit = has_default_weights(intervals);
    let (mut all, mut ready, mut sum, mut signs) = (0.0, 0.0, 0.0, 0.0);
    for (interval, score) in intervals {
        let weight = weight(*interval, by_habit);
        all += weight;
        if let Some(score) = score {
            ready += weight;
            sum += weight * score;
            signs += weight * sign(*score);
        }
    }
    let raw = sum / ready;
    // `round` is half away from zero, and scores are within ±100.
    #[expect(clippy::cast_possible_truncation, reason = "a score is within ±100")]
    let score = raw.round() as i32;
    Some(SymbolScore { raw, score, coverage: ready / all, coherence: signs.abs() / ready * 100.0 })
}

/// Whether these are the intervals that have weights of their own: 15m, 1h and 4h.
fn has_default_weights(intervals: &[(Interval, Option<f64>)]) -> bool {
    let has = |wanted| intervals.iter().any(|(i, _)| *i == wanted);
    intervals.len() == 3 && [Interval::M15, Interval::H1, Interval::H4].into_iter().all(has)
}

/// How much an interval counts.
fn weight(interval: Interval, by_habit: bool) -> f64 {
    match interval {
        Interval::M15 if by_habit => 0.5,
        Interval::H1 if by_habit => 0.3,
        Interval::H4 if by_habit => 0.2,
        _ => 1.0 / f64::from(interval.minutes()).sqrt(),
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// A score in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScoreWord {
    /// |score| below 15.
    Neutral,
    /// Below 40.
    Weak,
    /// Below 70.
    Normal,
    /// 70 and more.
    Strong,
}

impl ScoreWord {
    /// The word for a score, whatever its sign.
    pub fn of(raw: f64) -> Self {
        match raw.abs() {
            size if size < 15.0 => Self::Neutral,
            size if size < 40.0 => Self::Weak,
            size if size < 70.0 => Self::Normal,
            _ => Self::Strong,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Weak => "weak",
            Self::Normal => "normal",
            Self::Strong => "strong",
        }
    }
}

/// What rows are ranked by, and what settles a tie of any other order.
#[derive(Clone, Copy, Debug)]
pub struct Rank<'a> {
    score: Option<SymbolScore>,
    bars_since_cross: Option<u32>,
    pair: &'a Pair,
}

impl<'a> Rank<'a> {
    /// Of a pair; `last_cross` is that of its primary interval.
    ///
    /// The last cross stands for the last flip, which is not carried: they differ only after a
    /// touch and bounce. An inferred cross is older than the bars at hand, and counts as none.
    pub fn new(score: Option<SymbolScore>, last_cross: Option<LastCross>, pair: &'a Pair) -> Self {
        let seen = last_cross.filter(|c| !c.inferred && c.dir != Sign::Flat);
        Self { score, bars_since_cross: seen.map(|c| c.bars), pair }
    }

    /// The default order: |raw| and coherence descending, bars since the cross, then symbol and
    /// market ascending. Rows without a score, or without a cross, come behind those with one.
    pub fn order(&self, other: &Self) -> Ordering {
        let figures = |r: &Self| r.score.map(|s| (s.raw.abs(), s.coherence));
        let by_score = match (figures(self), figures(other)) {
            (Some(a), Some(b)) => b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let bars = |r: &Self| r.bars_since_cross.unwrap_or(u32::MAX);
        by_score
            .then_with(|| bars(self).cmp(&bars(other)))
            .then_with(|| self.pair.symbol.cmp(&other.pair.symbol))
            .then_with(|| self.pair.market.cmp(&other.pair.market))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symbol::Market;

    const DEFAULT: [Interval; 3] = [Interval::M15, Interval::H1, Interval::H4];

    fn score(of: [Option<f64>; 3]) -> Option<SymbolScore> {
        symbol_score(&[(DEFAULT[0], of[0]), (DEFAULT[1], of[1]), (DEFAULT[2], of[2])])
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn the_usual_intervals_weigh_half_three_and_two_tenths() {
        let s = score([Some(80.0), Some(-10.0), Some(0.0)]).unwrap();
        assert!(near(s.raw, 37.0) && near(s.coverage, 1.0) && near(s.coherence, 20.0), "{s:?}");
        assert_eq!(s.score, 37);
    }

    #[test]
    fn what_is_not_ready_does_not_count_and_without_the_primary_there_is_none() {
        let s = score([Some(80.0), None, Some(-60.0)]).unwrap();
        assert!(near(s.raw, 40.0) && near(s.coverage, 0.7), "{s:?}");
        assert!(near(s.coherence, 30.0 / 70.0 * 100.0), "{s:?}");
        assert_eq!(score([None, Some(80.0), Some(80.0)]), None);
        assert_eq!(symbol_score(&[]), None);
    }

    #[test]
    fn other_intervals_weigh_by_the_root_of_their_length() {
        let s = symbol_score(&[(Interval::H1, Some(30.0)), (Interval::H4, Some(-30.0))]).unwrap();
        assert!(near(s.raw, 10.0), "{s:?}");
        let swapped = [(Interval::H4, Some(0.0)), (Interval::H1, Some(0.0)), (Interval::M15, Some(10.0))];
        assert!(near(symbol_score(&swapped).unwrap().raw, 5.0));
    }

    #[test]
    fn halves_round_away_from_zero() {
        let rounded = |x| symbol_score(&[(Interval::H1, Some(x))]).unwrap().score;
        assert_eq!([0.5, -0.5, 1.5, -2.5, 2.4].map(rounded), [1, -1, 2, -3, 2]);
    }

    #[test]
    fn words_have_their_lower_bounds() {
        let words = [0.0, -14.9, 15.0, 39.9, -40.0, 69.9, 70.0, -100.0].map(|x| ScoreWord::of(x).as_str());
        assert_eq!(words, ["neutral", "neutral", "weak", "weak", "normal", "normal", "strong", "strong"]);
    }

    #[test]
    fn ties_are_broken_in_order() {
        let pair = |symbol: &str| Pair { market: Market::UsdM, symbol: symbol.parse().unwrap() };
        let (a, b) = (pair("AUSDT"), pair("BUSDT"));
        let figures = |raw, coherence| Some(SymbolScore { raw, score: 0, coverage: 1.0, coherence });
        let cross = |bars, inferred| LastCross { dir: Sign::Up, inferred, bars, time: None };
        let rank = |score, bars: Option<u32>, pair| Rank::new(score, bars.map(|b| cross(b, false)), pair);
        let order = |x: Rank<'_>, y: Rank<'_>| {
            assert_eq!(x.order(&y), Ordering::Less);
            assert_eq!(y.order(&x), Ordering::Greater);
        };
        order(rank(figures(-90.0, 0.0), None, &b), rank(figures(80.0, 100.0), Some(0), &a));
        order(rank(figures(80.0, 100.0), None, &b), rank(figures(-80.0, 50.0), Some(0), &a));
        order(rank(figures(80.0, 50.0), Some(3), &b), rank(figures(80.0, 50.0), Some(4), &a));
        order(rank(figures(80.0, 50.0), Some(3), &b), rank(figures(80.0, 50.0), None, &a));
        order(rank(figures(80.0, 50.0), Some(3), &a), rank(figures(80.0, 50.0), Some(3), &b));
        order(rank(figures(0.0, 0.0), None, &b), rank(None, None, &a));
        assert_eq!(rank(None, None, &a).order(&rank(None, None, &a)), Ordering::Equal);
        // An inferred cross is older than any that was seen, however few bars are at hand.
        let inferred = Rank::new(figures(80.0, 50.0), Some(cross(2, true)), &a);
        order(rank(figures(80.0, 50.0), Some(400), &b), inferred);
    }
}
