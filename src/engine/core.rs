//! The pure core: what is known, and the one way in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::hold::{HoldKind, countdown};
use crate::domain::kline::Kline;
use crate::domain::symbol::{Market, SeriesKey};
use crate::domain::text::CleanText;
use crate::domain::time::Mono;
use crate::exchange::{ConnId, FetchRequest, Fetched};
use crate::market::lane::Closed;
use crate::market::snapshot::{self, DayFigures, Level, Notice, UniverseReport};
use crate::market::store::{LaneId, PairId, Store};
use crate::schedule::{JobId, Mode, Outcome, Schedule, Settings};

use super::alarms::Alarms;
use super::checks::Check;
use super::desk::{Call, Desk, Pace, RestNews};
use super::feed::Wire;
use super::happenings::Lines;
use super::jobs::Round;
use super::members::RowSlot;
use super::repair::{Care, Task};
use super::rings::Rings;
use super::turns::Visible;
use super::{Command, EngineConfig, Input, Output, Scope};

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
    /// How each series last compared with REST.
    pub(super) verdicts: HashMap<LaneId, snapshot::Check>,
    pub(super) schedule: Schedule,
    pub(super) round: Round,
    pub(super) rings: Rings,
    pub(super) alarms: Alarms,
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
            schedule: Schedule::new(&Settings { enabled: !cfg.rest_only, ..Settings::default() }),
            desks,
            care: Vec::new(),
            rows: Vec::new(),
            order: Vec::new(),
            wires: BTreeMap::new(),
            tasks: HashMap::new(),
            next_id: 0,
            checks: Vec::new(),
            verdicts: HashMap::new(),
            round: Round::default(),
            rings: Rings::default(),
            alarms: Alarms::new(&cfg.rules, &cfg.names),
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
            cfg,
        }
    }

    /// The same with other settings of the jobs, before the first step. A table that is shown once
    /// has none.
    pub fn with_schedule(mut self, settings: &Settings) -> Self {
        let enabled = settings.enabled && !self.cfg.rest_only;
        self.schedule = Schedule::new(&Settings { enabled, ..*settings });
        self
    }

    /// Takes one input at `now`; what is wanted done is added to `out`.
    pub fn step(&mut self, input: Input, now: Mono, out: &mut Vec<Output>) {
        match input {
            Input::Feed(event) => self.on_feed(event, now, out),
            Input::Fetched(fetched) => self.on_fetched(fetched, now, out),
            Input::Command(Command::Refresh(scope)) => {
                if scope == Scope::All {
                    self.relist(now);
                }
                self.on_refresh(&scope, now, out);
            }
            Input::Command(Command::Focus(pair)) => self.on_focus(pair.as_ref()),
            Input::Command(Command::Visible(pairs)) => self.on_visible(&pairs),
            Input::Command(Command::Rule(command)) => self.on_rule(command, now),
            Input::Command(Command::Schedule(command)) => self.on_schedule(command, now, out),
            Input::Slept(by) => self.on_slept(by, now),
            Input::SetBack(by) => self.on_set_back(by, now),
            Input::Tick => {
                self.attend_all(now, out);
                self.run_jobs(now, out);
                self.resubscribe(out);
                self.dirty |= self.alarms.is_due(now);
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
        let row = self.rows.get_mut(pair.index());
        let perpetual = row.and_then(|row| {
            row.shown = None;
            row.perpetual
        });
        // Its row shows how far it is from this one.
        if let Some(row) = perpetual.and_then(|id| self.rows.get_mut(id.index())) {
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
        let stopped = self.schedule.mode() == Mode::Stopped;
        let mut lists = 0;
        for desk in &mut self.desks {
            let theirs = desk.now(now);
            let is_due = |call: Call| match call {
                Call::Due(at) => at <= now,
                Call::DueThere(at) => theirs.is_some_and(|theirs| theirs >= at),
                Call::Asked | Call::Done => false,
            };
            if is_due(desk.time) {
                desk.time = Call::Asked;
                out.push(Output::Fetch(FetchRequest::Time(desk.market)));
            }
            // Of the lists, those that come round by themselves are a job.
            let waits = stopped && matches!(desk.universe, Call::DueThere(_));
            if is_due(desk.universe) && !desk.is_restricted() && !waits {
                desk.universe = Call::Asked;
                lists += 1;
                out.push(Output::Fetch(FetchRequest::Universe(desk.market)));
            }
        }
        if lists > 0 {
            self.begin(JobId::Universe, lists, now);
        }
    }

    fn on_fetched(&mut self, fetched: Fetched, now: Mono, out: &mut Vec<Output>) {
        self.dirty = true;
        match fetched {
            Fetched::Time { market, result } => {
                let Some(desk) = self.desk(market) else { return };
                let was_restricted = desk.is_restricted();
                let pace = match result {
                    Ok(answer) => desk.time_answered(answer),
                    Err(error) => {
                        desk.note_error(&error, now);
                        desk.time_failed(error.kind, now);
                        Pace::Same
                    }
                };
                let horizon = desk.horizon(now);
                if was_restricted && !desk.is_restricted() {
                    self.on_served(market, now);
                }
                if let Some(horizon) = horizon {
                    self.drop_what_is_ahead(market, horizon);
                }
                self.on_pace(market, pace, now, out);
                self.attend_all(now, out);
            }
            Fetched::Universe { market, result } => {
                let taken = self.report.counts.lists;
                match result {
                    Ok(answer) => self.on_universe(market, &answer, now, out),
                    Err(error) => self.universe_refused(market, &error, now),
                }
                let is_taken = self.report.counts.lists > taken;
                let outcome = if is_taken { Outcome::Same } else { Outcome::Failed };
                self.schedule.count(JobId::Universe, outcome, 1, now);
                // The first round begins with the first pairs.
                self.run_jobs(now, out);
            }
            Fetched::Klines { request, covers, result } => {
                if let Some(settled) = self.settle(request.id, &covers) {
                    self.on_klines(&settled, &request, result, now, out);
                    self.count_scan();
                }
            }
            Fetched::Budget(report) => {
                let Some(desk) = self.desk(report.market) else { return };
                let news = desk.budget(&report, now);
                self.on_rest(report.market, news, now);
            }
        }
    }

    fn on_rest(&mut self, market: Market, news: RestNews, now: Mono) {
        match news {
            RestNews::None => {}
            RestNews::Back => self.notice(now, Level::Info, &format!("{market}: REST is back")),
            RestNews::Held(hold) => {
                let theirs = self.desk_of_market(market).and_then(|desk| desk.now(now));
                let left = countdown(hold.left(theirs).unwrap_or_default());
                // What to do comes early: a narrow window cuts the end.
                let text = match hold.kind {
                    HoldKind::Ban => {
                        format!("{market}: BANNED for {left} (418); stop other programs on this address")
                    }
                    HoldKind::Pause => {
                        format!("{market}: REST pauses {left} (429); other programs on this address?")
                    }
                    HoldKind::Firewall => {
                        format!("{market}: REST pauses {left} (403); a firewall refuses this address")
                    }
                };
                self.notice(now, Level::Warn, &text);
            }
        }
    }

    fn on_pace(&mut self, market: Market, pace: Pace, now: Mono, out: &mut Vec<Output>) {
        match pace {
            Pace::Same => {}
            Pace::Awake { held } => self.rouse(market, held, now, out),
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
}

pub(super) fn day_figures(d: &crate::exchange::DayEvent) -> DayFigures {
    DayFigures { change_pct: d.change_pct, quote_volume: d.quote_volume, at: d.event_time }
}

#[cfg(test)]
mod tests;
