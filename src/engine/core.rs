//! The pure core: what is known, and the one way in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::kline::Kline;
use crate::domain::symbol::{Market, SeriesKey, Tick};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{ConnId, ErrorKind, ExchangeError, FetchRequest, Fetched};
use crate::market::freshness::{Freshness, Stream};
use crate::market::lane::Closed;
use crate::market::snapshot::{DayFigures, Level, Notice, Pool, Row, UniverseReport};
use crate::market::store::{LaneId, PairId, Store};

use super::checks::Check;
use super::desk::{Call, Desk, Pace, backoff};
use super::feed::Wire;
use super::happenings::Lines;
use super::repair::{Care, Task};
use super::rings::Rings;
use super::turns::Visible;
use super::universe::Selection;
use super::{Command, EngineConfig, Input, Output};

/// The engine: owns all market data. See the module's invariant.
#[derive(Debug)]
pub struct Engine {
    pub(super) cfg: EngineConfig,
    pub(super) store: Store,
    pub(super) desks: Vec<Desk>,
    /// By lane.
    pub(super) care: Vec<Care>,
    /// By pair.
    pub(super) rows: Vec<RowSlot>,
    /// The rows' places in the order of their pairs.
    pub(super) order: Vec<PairId>,
    pub(super) wires: BTreeMap<ConnId, Wire>,
    pub(super) tasks: HashMap<u64, Task>,
    pub(super) next_id: u64,
    pub(super) checks: Vec<Check>,
    pub(super) rings: Rings,
    pub(super) lines: Lines,
    pub(super) report: UniverseReport,
    /// The last refusal that was noticed: one sentence for a hundred series is enough.
    pub(super) noticed: Option<CleanText>,
    pub(super) focus: Option<PairId>,
    pub(super) visible: Visible,
    /// Silent streams that are to be subscribed anew.
    pub(super) mute: Vec<SeriesKey>,
    /// Closed bars as handed out, with the revision they are of.
    pub(super) handed: HashMap<LaneId, (u64, Arc<[Kline]>)>,
    pub(super) loads: super::warmup::Loads,
    /// Whether the reading of a scan was counted.
    pub(super) scanned: bool,
    pub(super) seq: u64,
    pub(super) dirty: bool,
    /// Reused, so that a frame costs no allocation.
    pub(super) closed: Vec<Closed>,
}

/// What a row shows beside its lanes.
#[derive(Debug)]
pub(super) struct RowSlot {
    pub(super) pool: Pool,
    pub(super) tick: Tick,
    pub(super) day: Option<DayFigures>,
    /// The newest price and its stamp.
    pub(super) last: Option<(f64, UnixMs)>,
    /// As last shown; `None` = it has to be built anew.
    pub(super) shown: Option<Arc<Row>>,
}

impl Engine {
    /// An engine that has seen nothing. The first [`Engine::step`], whatever its input, makes it
    /// ask for what it needs.
    pub fn new(cfg: EngineConfig) -> Self {
        let bars = usize::try_from(cfg.bars).unwrap_or(usize::MAX).clamp(1, 100_000);
        let desks: Vec<Desk> = cfg.markets.iter().map(|m| Desk::new(*m, cfg.clock_rate)).collect();
        let report = UniverseReport {
            pending: u32::try_from(desks.len()).unwrap_or(u32::MAX),
            ..UniverseReport::default()
        };
        Self {
            store: Store::new(Arc::clone(&cfg.preset), Arc::clone(&cfg.intervals), bars),
            cfg,
            desks,
            care: Vec::new(),
            rows: Vec::new(),
            order: Vec::new(),
            wires: BTreeMap::new(),
            tasks: HashMap::new(),
            next_id: 0,
            checks: Vec::new(),
            rings: Rings::default(),
            lines: Lines::default(),
            report,
            noticed: None,
            focus: None,
            visible: Visible::default(),
            mute: Vec::new(),
            handed: HashMap::new(),
            loads: super::warmup::Loads::default(),
            scanned: false,
            seq: 0,
            dirty: true,
            closed: Vec::new(),
        }
    }

    /// Takes one input at `now`; what is wanted done is added to `out`.
    pub fn step(&mut self, input: Input, now: Mono, out: &mut Vec<Output>) {
        match input {
            Input::Feed(event) => self.on_feed(event, now, out),
            Input::Fetched(fetched) => self.on_fetched(fetched, now, out),
            Input::Command(Command::Refresh(scope)) => self.on_refresh(&scope, now, out),
            Input::Command(Command::Focus(pair)) => self.on_focus(pair.as_ref()),
            Input::Command(Command::Visible(pairs)) => self.on_visible(&pairs),
            Input::Slept(by) => self.on_slept(by, now),
            Input::Tick => {
                self.attend_all(now, out);
                self.resubscribe(out);
            }
        }
        self.call(now, out);
    }

    /// Whether a snapshot would show something new.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Notices later than number `seq`, as far as they are still in the ring.
    pub fn notices_after(&self, seq: u64) -> impl Iterator<Item = &Notice> {
        self.rings.notices_after(seq)
    }

    /// The series in memory.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// When the engine wants to be told that time has passed: once a second, more often where the
    /// exchange's clock is faster than ours.
    pub fn next_deadline(&self, now: Mono) -> Mono {
        let rate = self.desks.iter().filter_map(Desk::clock).map(Clock::rate).fold(1.0, f64::max);
        now + Duration::from_secs(1).div_f64(rate).max(Duration::from_millis(50))
    }

    pub(super) fn desk(&mut self, market: Market) -> Option<&mut Desk> {
        self.desks.iter_mut().find(|d| d.market == market)
    }

    pub(super) fn desk_of(&self, lane: LaneId) -> Option<&Desk> {
        let market = self.store.pair(self.store.pair_of(lane))?.market;
        self.desk_of_market(market)
    }

    pub(super) fn desk_of_market(&self, market: Market) -> Option<&Desk> {
        self.desks.iter().find(|d| d.market == market)
    }

    pub(super) fn touch(&mut self, pair: PairId) {
        if let Some(row) = self.rows.get_mut(pair.index()) {
            row.shown = None;
        }
        self.dirty = true;
    }

    pub(super) fn notice(&mut self, now: Mono, level: Level, text: &str) {
        self.rings.notice(now, level, text);
        self.dirty = true;
    }

    /// Asks for the time and the universe where that is due.
    fn call(&mut self, now: Mono, out: &mut Vec<Output>) {
        let is_due = |call: Call| matches!(call, Call::Due(at) if at <= now);
        for desk in &mut self.desks {
            if is_due(desk.time) {
                desk.time = Call::Asked;
                out.push(Output::Fetch(FetchRequest::Time(desk.market)));
            }
            if is_due(desk.universe) {
                desk.universe = Call::Asked;
                out.push(Output::Fetch(FetchRequest::Universe(desk.market)));
            }
        }
    }

    fn on_fetched(&mut self, fetched: Fetched, now: Mono, out: &mut Vec<Output>) {
        self.dirty = true;
        match fetched {
            Fetched::Time { market, result } => {
                let Some(desk) = self.desk(market) else { return };
                let pace = match result {
                    Ok(answer) => desk.time_answered(answer),
                    Err(error) => {
                        desk.note_error(&error);
                        desk.time_failed(now);
                        Pace::Same
                    }
                };
                self.on_pace(market, pace, now);
                self.attend_all(now, out);
            }
            Fetched::Universe { market, result: Ok(answer) } if answer.trading.is_empty() => {
                let message = CleanText::new("the exchange lists no pair that trades; asking again");
                let error = ExchangeError { kind: ErrorKind::Transient, message };
                self.universe_refused(market, &error, now);
            }
            Fetched::Universe { market, result: Ok(answer) } => {
                let skipped = [(answer.skipped, "pairs"), (answer.skipped_day, "24 h figures")];
                let selection = super::universe::select(&self.cfg.universe, answer);
                self.on_universe(market, selection, now, out);
                let rows = skipped.iter().map(|(count, _)| u64::from(*count)).sum::<u64>();
                self.store.counters.discards.rows += rows;
                for (count, what) in skipped.into_iter().filter(|(count, _)| *count > 0) {
                    let text = format!("{market}: {count} {what} could not be read");
                    self.notice(now, Level::Warn, &text);
                }
            }
            Fetched::Universe { market, result: Err(error) } => self.universe_refused(market, &error, now),
            Fetched::Klines { request, covers, result } => {
                if let Some(settled) = self.settle(request.id, &covers) {
                    self.on_klines(&settled, &request, result, now, out);
                    self.count_scan();
                }
            }
            Fetched::Budget(report) => {
                let held = self.desk(report.market).is_some_and(|desk| desk.budget(&report));
                if held {
                    let text = format!("{}: the exchange wants a pause; REST waits", report.market);
                    self.notice(now, Level::Warn, &text);
                }
            }
        }
    }

    fn on_pace(&mut self, market: Market, pace: Pace, now: Mono) {
        match pace {
            Pace::Same => {}
            Pace::Stopped => {
                self.on_stopped(market);
                self.notice(now, Level::Info, &format!("{market}: the exchange's clock stands still"));
            }
            Pace::Started => {
                self.on_started(market, now);
                self.notice(now, Level::Info, &format!("{market}: the exchange's clock runs again"));
            }
        }
    }

    fn universe_refused(&mut self, market: Market, error: &ExchangeError, now: Mono) {
        let Some(desk) = self.desk(market) else { return };
        desk.note_error(error);
        desk.universe_failures += 1;
        let wait = match error.kind {
            ErrorKind::RateLimited { wait } => wait,
            ErrorKind::Transient | ErrorKind::Silent | ErrorKind::NoConnection => {
                backoff(desk.universe_failures)
            }
            // Refused where we are: somebody has to change that first.
            ErrorKind::Restricted => Duration::from_secs(1_800),
            ErrorKind::Rejected | ErrorKind::Bug => Duration::from_secs(60),
        };
        desk.universe = Call::Due(now + wait);
        let known = desk.universe_error.replace(error.message.clone());
        if known.as_ref() != Some(&error.message) {
            self.notice(now, Level::Error, &format!("{market}: the list of pairs can't be had: {error}"));
        }
        self.sum_up_universe();
    }

    /// Makes the rows and lanes of a market; opens their streams and loads them.
    fn on_universe(&mut self, market: Market, chosen: Selection, now: Mono, out: &mut Vec<Output>) {
        let Some(desk) = self.desk(market).filter(|d| d.universe != Call::Done) else { return };
        desk.universe = Call::Done;
        desk.universe_error = None;
        let stream = if self.cfg.rest_only { Stream::Unneeded } else { Stream::Waiting };
        self.store.reserve(chosen.chosen.len() + chosen.not_trading.len());
        let mut pairs = Vec::with_capacity(chosen.chosen.len());
        for c in &chosen.chosen {
            let id = self.store.add(&c.instrument.pair, &Freshness::new(stream.clone()));
            pairs.push(id);
            self.add_row(
                id,
                RowSlot {
                    pool: c.pool,
                    tick: c.instrument.tick,
                    day: c.day.as_ref().map(day_figures),
                    last: c.day.as_ref().map(|d| (d.last, d.event_time)),
                    shown: None,
                },
            );
        }
        for pair in &chosen.not_trading {
            let id = self.store.add(pair, &Freshness::delisted());
            self.add_row(
                id,
                RowSlot { pool: Pool::Named, tick: Tick::default(), day: None, last: None, shown: None },
            );
            self.notice(now, Level::Warn, &format!("{pair} is not traded now"));
        }
        self.care.resize_with(self.store.ids().count(), Care::default);
        let mut order: Vec<_> = self.store.pairs().map(|(id, pair)| (pair.clone(), id)).collect();
        order.sort();
        self.order = order.into_iter().map(|(_, id)| id).collect();
        self.report.not_trading.extend(chosen.not_trading);
        self.note_absent(chosen.absent, now);
        self.notice(now, Level::Info, &format!("{market}: {} pairs", pairs.len()));
        self.load(&pairs, now, out);
    }

    /// Rows have the places their pairs have in the store.
    fn add_row(&mut self, id: PairId, row: RowSlot) {
        if id.index() == self.rows.len() {
            self.rows.push(row);
        }
    }
}

pub(super) fn day_figures(d: &crate::exchange::DayEvent) -> DayFigures {
    DayFigures { change_pct: d.change_pct, quote_volume: d.quote_volume, at: d.event_time }
}

#[cfg(test)]
mod tests;
