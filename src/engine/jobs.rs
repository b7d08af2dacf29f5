//! The jobs, as far as they are the engine's: what a round of `refresh` looks at and waits for, and
//! when the next list of pairs is due.
//!
//! A round is cheap: a series that has every closed bar is counted and nothing is asked, whether its
//! stream tells them or REST does. What is under way for one that lacks some is waited for; only
//! where nobody asks already does the round itself.

use std::collections::HashMap;

use crate::domain::clock::Clock;
use crate::domain::time::Mono;
use crate::exchange::Priority;
use crate::market::freshness::{Refusal, Stage, Stream};
use crate::market::lane::Lane;
use crate::market::snapshot::Level;
use crate::market::store::LaneId;
use crate::schedule::{Begin, JobId, Mode, Outcome, Run, ScheduleCommand, ScheduleView, Trigger};

use super::Output;
use super::core::Engine;
use super::desk::{Call, Desk};
use super::repair::{Errand, Need, Purpose};

/// What a round of `refresh` waits for: series, each with its revision when the round began; `None`
/// of one that was not loaded yet.
#[derive(Debug, Default)]
pub(super) struct Round {
    open: HashMap<LaneId, Option<u64>>,
}

/// How a series stands when a round comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Not traded, or not there: no part of it.
    Out,
    /// Every bar that has closed is there, whoever told it.
    Fresh,
    /// Somebody is asking.
    UnderWay,
    /// It can't be asked about, or it is left alone after a failure.
    Failed,
    /// Nobody is asking.
    Open,
}

impl Engine {
    pub(super) fn on_schedule(&mut self, command: ScheduleCommand, now: Mono, out: &mut Vec<Output>) {
        self.dirty = true;
        match command {
            ScheduleCommand::Start => {
                self.schedule.start();
            }
            ScheduleCommand::Stop => {
                self.schedule.stop();
            }
            ScheduleCommand::Run(job) => {
                if !self.schedule.want(job) {
                    let why = match self.schedule.mode() {
                        Mode::Off => "there is no scheduler here",
                        Mode::Stopped | Mode::Running => "a run is under way",
                    };
                    return self.notice(now, Level::Info, &format!("{}: {why}", job.spec().name));
                }
                if job == JobId::Universe {
                    self.relist(now);
                }
            }
            ScheduleCommand::Every(job, every) => {
                let seed = self.seed(now);
                let every = self.schedule.set_every(job, every, now, seed);
                if job == JobId::Universe {
                    for desk in self.desks.iter_mut().filter(|d| matches!(d.universe, Call::DueThere(_))) {
                        desk.list_in(every, now);
                    }
                }
            }
        }
        self.run_jobs(now, out);
    }

    /// Begins what is due, and ends what waits for nothing any more.
    pub(super) fn run_jobs(&mut self, now: Mono, out: &mut Vec<Output>) {
        let open: Vec<LaneId> = self.round.open.keys().copied().collect();
        for lane in open {
            self.settle_round(lane, now);
        }
        // Before there are pairs there is nothing to look at.
        let listed = |d: &Desk| d.roster.lists > 0 || d.universe_failures > 0 || d.is_restricted();
        let ready = self.store.ids().next().is_some() && self.desks.iter().all(listed);
        if ready && self.schedule.due(JobId::Refresh, now).is_some() {
            self.begin_refresh(now, out);
        }
    }

    pub(super) fn begin(&mut self, job: JobId, total: u32, now: Mono) {
        let begin = Begin { now, at: self.clock().map(|c| c.at(now)), total, seed: self.seed(now) };
        self.schedule.begin(job, begin);
        self.dirty = true;
    }

    /// A figure that two programs don't share.
    fn seed(&self, now: Mono) -> i64 {
        let ours = || i64::try_from(now.0.as_millis()).unwrap_or(0);
        self.clock().map_or_else(ours, |c| c.at(now).0)
    }

    /// Looks at every series, those in view first.
    fn begin_refresh(&mut self, now: Mono, out: &mut Vec<Output>) {
        let lanes = self.by_rank(self.store.ids());
        let standing = lanes.into_iter().map(|lane| (lane, self.standing(lane, now)));
        let taken: Vec<(LaneId, Standing)> = standing.filter(|(_, s)| *s != Standing::Out).collect();
        let total = |of: Standing| u32::try_from(taken.iter().filter(|(_, s)| *s == of).count()).unwrap_or(0);
        self.begin(JobId::Refresh, u32::try_from(taken.len()).unwrap_or(u32::MAX), now);
        self.round.open = taken
            .iter()
            .filter(|(_, s)| matches!(s, Standing::UnderWay | Standing::Open))
            .map(|(lane, _)| (*lane, self.revision(*lane)))
            .collect();
        self.count_round(Outcome::Failed, total(Standing::Failed), now);
        self.count_round(Outcome::Fresh, total(Standing::Fresh), now);
        let open: Vec<LaneId> =
            taken.into_iter().filter(|(_, s)| *s == Standing::Open).map(|(lane, _)| lane).collect();
        self.check(&open, (None, Priority::Background), now, out);
    }

    fn revision(&self, lane: LaneId) -> Option<u64> {
        self.store.lane(lane).filter(|l| l.is_loaded()).map(Lane::revision)
    }

    fn standing(&self, id: LaneId, now: Mono) -> Standing {
        let (Some(lane), Some(care)) = (self.store.lane(id), self.care.get(id.index())) else {
            return Standing::Out;
        };
        if lane.freshness.stage == Stage::Delisted {
            return Standing::Out;
        }
        let given_up = matches!(lane.freshness.refused, Some(Refusal::GivenUp(_)));
        let lacks = match self.need(id, lane.tail(), now) {
            // A loss so short that nobody has asked yet.
            Need::Nothing => matches!(lane.freshness.stream, Stream::Lost(_)) && self.behind(id, now) > 0,
            Need::Time => return Standing::UnderWay,
            Need::Klines(_) => true,
        };
        if lane.is_loaded() && lane.freshness.doubt.is_none() && !lacks && !given_up {
            return Standing::Fresh;
        }
        if self.is_being_checked(id) {
            return Standing::UnderWay;
        }
        match care.errand {
            Errand::Asked(_) | Errand::Turn(..) => Standing::UnderWay,
            // Put off until the exchange's clock is known: that is no failure.
            Errand::Again(_, Purpose::Warmup) if care.failures == 0 => Standing::UnderWay,
            _ if self.desk_of(id).is_none_or(Desk::is_restricted) => Standing::Failed,
            Errand::Again(..) => Standing::Failed,
            Errand::None => Standing::Open,
        }
    }

    /// A series that a round waits for may have become what it should be, or have failed.
    pub(super) fn settle_round(&mut self, id: LaneId, now: Mono) {
        let Some(before) = self.round.open.get(&id).copied() else { return };
        let outcome = match self.standing(id, now) {
            Standing::UnderWay => return,
            Standing::Out => return self.leave_round(&[id], now),
            // Asked about, and it still lacks something.
            Standing::Failed | Standing::Open => Outcome::Failed,
            Standing::Fresh if before.is_none() => Outcome::Loaded,
            Standing::Fresh if self.revision(id) != before => Outcome::Repaired,
            Standing::Fresh => Outcome::Same,
        };
        self.round.open.remove(&id);
        self.count_round(outcome, 1, now);
    }

    /// These series are no longer there.
    pub(super) fn leave_round(&mut self, lanes: &[LaneId], now: Mono) {
        for lane in lanes {
            if self.round.open.remove(lane).is_some() {
                let ended = self.schedule.drop_some(JobId::Refresh, 1, now);
                self.tell_round(ended, now);
            }
        }
    }

    fn count_round(&mut self, outcome: Outcome, n: u32, now: Mono) {
        let ended = self.schedule.count(JobId::Refresh, outcome, n, now);
        self.tell_round(ended, now);
        self.dirty = true;
    }

    /// What somebody asked for is answered; what comes round by itself is seen where jobs are.
    fn tell_round(&mut self, ended: Option<Run>, now: Mono) {
        let Some(run) = ended.filter(|run| run.trigger == Trigger::Key) else { return };
        let c = run.counts;
        let level = if c.failed > 0 { Level::Warn } else { Level::Info };
        let loaded = if c.loaded > 0 { format!("{} loaded, ", c.loaded) } else { String::new() };
        let (fresh, repaired) = (c.fresh, c.repaired);
        let text =
            format!("refresh: {} ok ({fresh} fresh, {loaded}{repaired} repaired), {} failed", c.ok, c.failed);
        self.notice(now, level, &text);
    }

    /// The jobs; for the lists of pairs the soonest of all markets.
    pub(super) fn schedule_view(&self) -> ScheduleView {
        let mut view = self.schedule.view();
        let stopped = view.mode == Mode::Stopped;
        let next = |desk: &Desk| match desk.universe {
            Call::Due(at) => Some(at),
            Call::DueThere(_) if stopped => None,
            Call::DueThere(at) => desk.clock().filter(|c| !c.is_standing()).map(|c: &Clock| c.when(at)),
            Call::Asked | Call::Done => None,
        };
        for job in view.jobs.iter_mut().filter(|j| j.id == JobId::Universe) {
            job.next = self.desks.iter().filter_map(next).min();
        }
        view
    }
}
