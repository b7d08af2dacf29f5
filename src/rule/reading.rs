//! Reading a field of a row: the one place where a field's value is made.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::hama::HamaPoint;
use crate::domain::interval::Interval;
use crate::domain::score::SymbolScore;
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::market::behind;
use crate::market::snapshot::{DataState, LaneView, Row, Snapshot};

use super::field::{Field, Scope};
use super::names::Names;
use super::value::{NoteText, Pulse, Value};

/// When and how rows are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The exchange's time now, where it is known.
    pub clock: Option<UnixMs>,
    /// How fast its clock runs.
    pub rate: f64,
    /// The interval in view.
    pub lane: usize,
    /// Whether that clock stands: a replay that is over.
    pub standing: bool,
    /// Lists, marks, aliases; none of them where nobody gave any.
    pub names: Option<Arc<Names>>,
}

/// Of which closed bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bar {
    /// The newest.
    Newest,
    /// The one before.
    Before,
}

impl Reading {
    /// Of a snapshot, now.
    pub fn new(snapshot: &Snapshot, now: Mono, lane: usize) -> Self {
        let rate = snapshot.clock.as_ref().map_or(1.0, Clock::rate);
        let standing = snapshot.clock.as_ref().is_some_and(Clock::is_standing);
        Self { clock: snapshot.clock.map(|c| c.at(now)), rate, lane, standing, names: None }
    }

    /// The same with these names.
    #[must_use]
    pub fn with_names(self, names: &Arc<Names>) -> Self {
        Self { names: Some(Arc::clone(names)), ..self }
    }

    /// The interval that a field is read on: the one named, or the one in view. `None` where it is
    /// read of the pair, or there is no such interval.
    pub fn lane_of<'a>(
        &self,
        field: Field,
        interval: Option<Interval>,
        row: &'a Row,
    ) -> Option<&'a LaneView> {
        match (field.spec().scope, interval) {
            (Scope::Row, _) | (Scope::Either, None) => None,
            (_, Some(i)) => row.lanes.iter().find(|l| l.interval == i),
            (Scope::Lane, None) => row.lanes.get(self.lane),
        }
    }

    /// What a field says of a row, on an interval where it has one.
    pub fn value<'a>(&self, field: Field, interval: Option<Interval>, row: &'a Row) -> Value<'a> {
        match (field.spec().scope, interval) {
            (Scope::Row, _) | (Scope::Either, None) => self.of_row(field, row),
            _ => {
                let lane = self.lane_of(field, interval, row);
                lane.map_or(Value::Absent, |lane| self.of_lane(field, row, lane, Bar::Newest))
            }
        }
    }

    /// What a field says of the pair.
    pub fn of_row<'a>(&self, field: Field, row: &'a Row) -> Value<'a> {
        let score = |f: fn(&SymbolScore) -> Value<'a>| row.score.as_ref().map(f);
        let value = match field {
            Field::Sym => Some(Value::Text(row.pair.symbol.as_str())),
            Field::Base => row.assets.as_ref().map(|a| Value::Text(a.base.as_str())),
            Field::Quote => row.assets.as_ref().map(|a| Value::Text(a.quote.as_str())),
            Field::Market => Some(Value::Label(row.pair.market.as_str())),
            Field::Pool => Some(Value::Label(row.pool.as_str())),
            Field::Mark => Some(Value::Flag(self.names.as_ref().is_some_and(|n| n.is_marked(&row.pair)))),
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
            Field::Live => Some(Value::Flag(row.state == DataState::Live)),
            Field::Age => Some(self.age(behind::row_since(row, self.clock), row.state)),
            Field::Missing => total(row, |l| self.missing(l), u32::max),
            Field::Gaps => total(row, |l| self.gaps(l), u32::saturating_add),
            Field::Warm => Some(Value::Flag(row.lanes.iter().all(is_warm))),
            Field::Stale => Some(Value::Flag(row.state == DataState::Stale)),
            Field::Note => Some(note(row, self).unwrap_or(Value::Blank)),
            _ => None,
        };
        value.unwrap_or(Value::Absent)
    }

    /// What a field says of one interval.
    pub fn of_lane<'a>(&self, field: Field, row: &'a Row, lane: &LaneView, bar: Bar) -> Value<'a> {
        let value = match bar {
            Bar::Before if !field.has_before() => None,
            Bar::Before => self.of_point(field, row, lane, &lane.previous),
            Bar::Newest => self.of_data(field, lane).or_else(|| self.of_point(field, row, lane, &lane.point)),
        };
        // A preview of something that has stopped is none.
        let forming = lane.preview.as_ref().filter(|_| lane.state == DataState::Live && bar == Bar::Newest);
        match (value, forming) {
            (Some(Value::Trend { now, .. }), Some(p)) => Value::Trend { now, forming: p.point.trend },
            (value, _) => value.unwrap_or(Value::Absent),
        }
    }

    /// What is about the bars and about the live price.
    fn of_data<'a>(&self, field: Field, lane: &LaneView) -> Option<Value<'a>> {
        match field {
            Field::PriceSide => lane.price_side.filter(|_| lane.state == DataState::Live).map(Value::Side),
            Field::Bars => Some(Value::Count(lane.bars)),
            Field::Missing => self.missing(lane).map(Value::Count),
            Field::Gaps => self.gaps(lane).map(Value::Count),
            Field::Warm => Some(Value::Flag(is_warm(lane))),
            Field::Stale => Some(Value::Flag(lane.state == DataState::Stale)),
            Field::Live => Some(Value::Flag(lane.state == DataState::Live)),
            Field::State => Some(Value::State(lane.state)),
            Field::Age => Some(self.age(behind::lane_since(lane, self.clock), lane.state)),
            _ => None,
        }
    }

    /// What the indicator says of a closed bar.
    fn of_point<'a>(&self, field: Field, row: &Row, lane: &LaneView, point: &HamaPoint) -> Option<Value<'a>> {
        match field {
            Field::Trend => point.trend.map(|now| Value::Trend { now, forming: None }),
            Field::Dist => point.dev_pct.map(Value::Percent),
            // Bands of no width hold nothing and say nothing.
            Field::Bands => point.bands.filter(|b| b.pos.is_some()).map(Value::Bands),
            Field::Width => point.bands.map(|b| Value::Share(b.width)),
            Field::Pos => point.bands.and_then(|b| b.pos).map(|p| Value::Number(p, 2)),
            // Bars since are not known while bars are missing, nor is a cross on one of them.
            Field::Cross => {
                point.last_cross.filter(|_| behind::missing(lane, self.clock) == 0).map(Value::Cross)
            }
            Field::Gradient => point.gradient.map(Value::Gradient),
            Field::Hama => point.close.map(|p| Value::Price(p, row.tick)),
            Field::Ma => point.ma.map(|p| Value::Price(p, row.tick)),
            Field::Raw => point.score.map(|s| Value::Number(s, 6)),
            _ => None,
        }
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

    /// Closes that are not in; not known before the first bar, or while the exchange's time is not.
    fn missing(&self, lane: &LaneView) -> Option<u32> {
        match lane.state {
            DataState::Live => Some(0),
            DataState::Delisted => None,
            _ => lane.newest.and(self.clock).map(|_| behind::missing(lane, self.clock)),
        }
    }

    /// Holes that the exchange itself has, and the one at the end where closes are missing.
    fn gaps(&self, lane: &LaneView) -> Option<u32> {
        lane.newest?;
        Some(lane.holes.saturating_add(self.missing(lane)?.min(1)))
    }
}

/// A count over all intervals; none where one of them has none.
fn total<'a>(
    row: &Row,
    count: impl Fn(&LaneView) -> Option<u32>,
    add: fn(u32, u32) -> u32,
) -> Option<Value<'a>> {
    row.lanes.iter().try_fold(0, |sum, l| Some(add(sum, count(l)?))).map(Value::Count)
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

fn is_warm(lane: &LaneView) -> bool {
    lane.bars >= lane.need_score
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
        why: lane.why.as_ref().map(CleanText::as_str),
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
