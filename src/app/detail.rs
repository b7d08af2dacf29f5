//! One pair on one interval, as a chart and as figures.

pub mod area;
pub mod study;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::kline::Kline;
use crate::domain::symbol::Pair;
use crate::domain::time::{Mono, UnixMs};
use crate::engine::Command;
use crate::market::snapshot::{LaneView, Row};

use self::area::Area;
use self::study::Study;
use super::action::{Action, ActionSpec, Context, Group, c, k, line};
use super::chart::{self, Candles, Chart, Column, Layer, Layers};
use super::keys::{Chord, Key};
use super::list::Motion;
use super::{App, Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// HAMA candles, or those of the market.
    Candles,
    /// The moving average, or not.
    Ma,
    /// The bands, or not.
    Bands,
    /// The volume, or not.
    Volume,
    /// Fewer bars a column.
    ZoomIn,
    /// More bars a column.
    ZoomOut,
    /// Towards older bars.
    Older,
    /// Towards newer bars.
    Newer,
    /// To the newest bar.
    Newest,
    /// The pair before, in the scanner's order.
    PairPrev,
    /// The pair after.
    PairNext,
    /// The first interval.
    IntervalFirst,
    /// The last interval.
    IntervalLast,
}

impl Act {
    /// The other way round, with which it shares a hint.
    pub(super) fn twin(self) -> Option<Self> {
        match self {
            Self::PairPrev => Some(Self::PairNext),
            Self::Older => Some(Self::Newer),
            Self::ZoomIn => Some(Self::ZoomOut),
            _ => None,
        }
    }
}

const HERE: &[Context] = &[Context::View(View::Detail)];

const fn own(
    act: Act,
    id: &'static str,
    texts: (&'static str, &'static str),
    group: Group,
    chords: &'static [Chord],
) -> ActionSpec {
    line(Action::Detail(act), id, texts, (group, HERE), chords)
}

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[
    own(Act::PairPrev, "pair-prev", ("pair before", "pair"), Group::Move, &[c('p')]),
    own(Act::PairNext, "pair-next", ("pair after", ""), Group::Move, &[c('n')]),
    own(Act::IntervalFirst, "interval-first", ("first interval", ""), Group::Table, &[c('{')]),
    own(Act::IntervalLast, "interval-last", ("last interval", ""), Group::Table, &[c('}')]),
    own(Act::Older, "older", ("older bars", "pan"), Group::Move, &[c('h'), k(Key::Left)]),
    own(Act::Newer, "newer", ("newer bars", ""), Group::Move, &[c('l'), k(Key::Right)]),
    own(Act::ZoomIn, "zoom-in", ("fewer bars", "zoom"), Group::Table, &[c('+'), c('=')]),
    own(Act::ZoomOut, "zoom-out", ("more bars", ""), Group::Table, &[c('-')]),
    own(Act::Newest, "newest", ("newest bar", "newest"), Group::Move, &[c('0')]),
    own(Act::Candles, "candles", ("HAMA or market", "HAMA/market"), Group::Table, &[c('t')]),
    own(Act::Ma, "show-ma", ("moving average", "MA"), Group::Table, &[c('m')]),
    own(Act::Bands, "show-bands", ("bands", "bands"), Group::Table, &[c('b')]),
    own(Act::Volume, "show-volume", ("volume", "vol"), Group::Table, &[c('v')]),
];

/// Bars a column, from the widest to the densest.
const ZOOMS: [u32; 8] = [1, 2, 3, 4, 6, 8, 12, 24];
/// Keys move the chart by this share of its width.
const PAN: usize = 8;
/// The engine is told again which pair's bars are wanted, where they do not come.
const ASK_AGAIN: Duration = Duration::from_secs(3);

/// What the engine was last told to put into the pictures.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    /// It did not take it, or may have forgotten it.
    Nothing,
    /// The bars of this pair, or of none.
    Focus(Option<Pair>),
}

/// What this view remembers.
#[derive(Debug)]
pub(super) struct Detail {
    pair: Option<Pair>,
    told: Told,
    told_at: Mono,
    zoom: usize,
    /// The open time of the last bar on screen; `None`: the newest, whichever it is.
    until: Option<UnixMs>,
    candles: Candles,
    layers: Layers,
    /// Of which pair and which of the intervals, and what.
    study: Option<(Pair, usize, Study)>,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            pair: None,
            told: Told::Focus(None),
            told_at: Mono::default(),
            zoom: 0,
            until: None,
            candles: Candles::Hama,
            layers: Layers::ALL,
            study: None,
        }
    }
}

impl Detail {
    /// The engine did not take what it was told: it is told again.
    pub(super) fn forget_told(&mut self) {
        self.told = Told::Nothing;
    }
}

/// How the chart is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartView {
    /// Bars a column.
    pub bars: u32,
    /// What the candles are of.
    pub candles: Candles,
    /// What lies over and under them.
    pub layers: Layers,
    /// Whether the newest bar is on screen whenever it comes.
    pub follows: bool,
}

impl App {
    pub(super) fn act_in_detail(&mut self, act: Act) {
        match act {
            Act::Candles => {
                self.detail.candles = match self.detail.candles {
                    Candles::Hama => Candles::Market,
                    Candles::Market => Candles::Hama,
                }
            }
            Act::Ma => self.detail.layers.toggle(Layer::Ma),
            Act::Bands => self.detail.layers.toggle(Layer::Bands),
            Act::Volume => self.detail.layers.toggle(Layer::Volume),
            Act::ZoomIn => self.detail.zoom = self.detail.zoom.saturating_sub(1),
            Act::ZoomOut => self.detail.zoom = (self.detail.zoom + 1).min(ZOOMS.len() - 1),
            Act::Older => self.pan(-self.pan_step()),
            Act::Newer => self.pan(self.pan_step()),
            Act::Newest => self.detail.until = None,
            Act::PairPrev => self.step_pair(-1),
            Act::PairNext => self.step_pair(1),
            Act::IntervalFirst => self.shift_lane(0),
            Act::IntervalLast => self.shift_lane(usize::MAX),
        }
    }

    /// Along the pairs, and along the bars.
    pub(super) fn move_in_detail(&mut self, motion: Motion) {
        let page = isize::try_from(self.area().cols).unwrap_or(isize::MAX);
        match motion {
            Motion::Up => self.step_pair(-1),
            Motion::Down => self.step_pair(1),
            Motion::HalfUp => self.pan(-page / 2),
            Motion::HalfDown => self.pan(page / 2),
            Motion::PageUp => self.pan(-page),
            Motion::PageDown => self.pan(page),
            Motion::First => self.pan(isize::MIN),
            Motion::Last => self.detail.until = None,
            Motion::Scroll(by) => self.pan(isize::from(by)),
            Motion::Line(_) => {}
        }
    }

    /// The view comes up: on the pair under the cursor, where there was a cursor to move.
    pub(super) fn enter_detail(&mut self, from: View, picked: Option<Pair>) {
        let is_table = matches!(from, View::Scanner | View::Cache);
        if is_table || self.detail.pair.is_none() {
            self.set_detail_pair(picked);
        }
    }

    pub(super) fn set_detail_pair(&mut self, pair: Option<Pair>) {
        if pair != self.detail.pair {
            self.detail.pair = pair;
            self.detail.until = None;
        }
    }

    /// To a neighbour in the scanner's order; the scanner's cursor goes along.
    fn step_pair(&mut self, by: isize) {
        let here = self.detail_place();
        let place = here.map_or_else(|| self.place(), |p| p.saturating_add_signed(by));
        let Some(pair) = self.rows_from(place).next().map(|row| row.pair.clone()) else { return };
        self.go_to_pair(&pair);
        self.set_detail_pair(Some(pair));
    }

    fn area(&self) -> Area {
        Area::of(self.shape)
    }

    fn pan_step(&self) -> isize {
        isize::try_from((usize::from(self.area().cols) / PAN).max(1)).unwrap_or(1)
    }

    /// Moves the right edge by so many columns; never so far that the chart would not be full.
    fn pan(&mut self, by: isize) {
        let Some((groups, end)) = self.groups() else { return };
        let least = usize::from(self.area().cols).min(groups.len());
        let end = end.saturating_add_signed(by).clamp(least, groups.len());
        let edge = groups.get(end - 1).filter(|_| end < groups.len());
        let edge = edge.and_then(|group| self.study()?.klines.get(group.end - 1));
        self.detail.until = edge.map(Kline::open_time);
    }

    /// The columns there could be, and how many of them lie left of the right edge.
    fn groups(&self) -> Option<(Vec<chart::Group>, usize)> {
        let (study, interval) = (self.study()?, *self.snapshot.intervals.get(self.lane())?);
        let groups = chart::groups(&study.klines, interval, ZOOMS[self.detail.zoom]);
        let until = self.detail.until;
        let is_left = |g: &chart::Group| {
            let first = study.klines.get(g.start);
            first.is_some_and(|k| until.is_none_or(|until| k.open_time() <= until))
        };
        let least = usize::from(self.area().cols).min(groups.len());
        let end = groups.partition_point(is_left).clamp(least, groups.len());
        (!groups.is_empty()).then_some((groups, end))
    }

    /// Keeps the view true to the picture, and the engine informed of what is looked at.
    pub(super) fn settle_detail(&mut self, effects: &mut Vec<Effect>) {
        let is_open = self.view == View::Detail;
        if is_open && self.detail.pair.is_none() {
            // The view was there before the rows were.
            self.detail.pair = self.selected().map(|row| row.pair.clone());
        }
        let wanted = self.detail.pair.clone().filter(|_| is_open);
        self.study_bars(is_open);
        let lacks = wanted.is_some() && self.detail.study.is_none();
        let is_due = self.now.since(self.detail.told_at) >= ASK_AGAIN;
        let told = Told::Focus(wanted.clone());
        if self.detail.told != told || (lacks && is_due) {
            (self.detail.told, self.detail.told_at) = (told, self.now);
            effects.push(Effect::Send(Command::Focus(wanted)));
        }
    }

    /// Computes the indicator over the bars in view, where they are others than before.
    fn study_bars(&mut self, is_open: bool) {
        let lane = self.lane();
        let bars = self.detail_row().and_then(|row| Some((row.pair.clone(), row.lanes.get(lane)?)));
        let Some((pair, klines, interval)) =
            bars.filter(|_| is_open).and_then(|(p, l)| Some((p, l.klines.clone()?, l.interval)))
        else {
            self.detail.study = None;
            return;
        };
        let is_same =
            |(p, l, s): &(Pair, usize, Study)| *p == pair && *l == lane && Arc::ptr_eq(&s.klines, &klines);
        if !self.detail.study.as_ref().is_some_and(is_same) {
            let study = Study::of(klines, &self.snapshot.preset, interval);
            self.detail.study = Some((pair, lane, study));
        }
    }

    /// The pair that the detail view is of.
    pub fn detail_pair(&self) -> Option<&Pair> {
        self.detail.pair.as_ref()
    }

    /// What is known of it; `None` where it is no longer among the rows.
    pub fn detail_row(&self) -> Option<&Row> {
        let pair = self.detail.pair.as_ref()?;
        self.snapshot.rows.iter().find(|row| row.pair == *pair).map(|row| &**row)
    }

    /// The same on the interval in view.
    pub fn detail_lane(&self) -> Option<&LaneView> {
        self.detail_row()?.lanes.get(self.lane())
    }

    /// Its place in the scanner's order, where the filter lets it through.
    pub fn detail_place(&self) -> Option<usize> {
        let pair = self.detail.pair.as_ref()?;
        self.rows_from(0).position(|row| row.pair == *pair)
    }

    /// The indicator over its bars, once they are here.
    pub fn study(&self) -> Option<&Study> {
        self.detail.study.as_ref().map(|(_, _, study)| study)
    }

    /// How the chart is shown.
    pub fn chart_view(&self) -> ChartView {
        let d = &self.detail;
        let follows = d.until.is_none();
        ChartView { bars: ZOOMS[d.zoom], candles: d.candles, layers: d.layers, follows }
    }

    /// The chart as it fits the terminal; `None` where there is nothing to draw.
    pub fn chart(&self) -> Option<Chart> {
        let (study, (groups, end)) = (self.study()?, self.groups()?);
        let area = self.area();
        let first = end.saturating_sub(usize::from(area.cols));
        let of = |group| Column::of(group, &study.klines, &study.points, self.detail.candles);
        let columns = groups.get(first..end)?.iter().filter_map(of).collect();
        let volume = if self.detail.layers.has(Layer::Volume) { 0 } else { area.volume };
        let tick = self.detail_row()?.tick;
        let price_step = 0.1_f64.powi(i32::from(tick.decimals));
        Chart::lay(columns, self.detail.layers, area.rows + volume, price_step)
    }
}

#[cfg(test)]
mod tests;
