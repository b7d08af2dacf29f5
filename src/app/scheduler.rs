//! The jobs: what runs, what is due, what came of it.

use std::fmt::Write;
use std::time::Duration;

use crate::engine::Command;
use crate::market::snapshot::Level;
use crate::schedule::{JOBS, JobId, JobView, Mode, ScheduleCommand};

use super::action::{Action, ActionSpec, Context, Group, c, line};
use super::layout::Tier;
use super::list::{List, Motion, Pane};
use super::{App, Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Run the job now.
    Run,
    /// Let the jobs run by themselves, or let none begin.
    Turn,
    /// Run the job less often.
    Longer,
    /// Run the job more often.
    Shorter,
}

const HERE: &[Context] = &[Context::View(View::Scheduler)];

const fn act(act: Act) -> Action {
    Action::Scheduler(act)
}

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[
    line(act(Act::Run), "run-job", ("run the job now", "run now"), (Group::Table, HERE), &[c('r')]),
    line(act(Act::Turn), "turn-jobs", ("start, stop jobs", "start/stop"), (Group::Table, HERE), &[c('s')]),
    line(act(Act::Longer), "job-longer", ("run less often", "interval"), (Group::Table, HERE), &[c('+')]),
    line(act(Act::Shorter), "job-shorter", ("run more often", ""), (Group::Table, HERE), &[c('-')]),
];

/// The intervals that the keys step through, in minutes.
const STEPS: [u64; 7] = [1, 2, 5, 10, 15, 30, 60];

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    list: List<JobId>,
    /// The interval asked for last, as long as no picture shows it: keys are faster than pictures.
    asked: Option<(JobId, Duration)>,
}

impl Scheduler {
    /// The engine had no room for it: if that was an interval, nobody took it.
    pub(super) fn forget_asked(&mut self, command: &Command) {
        if matches!(command, Command::Schedule(ScheduleCommand::Every(..))) {
            self.asked = None;
        }
    }
}

fn ids() -> [JobId; JOBS.len()] {
    JOBS.map(|job| job.id)
}

impl App {
    /// The line of the first job, and how many there are.
    pub fn job_pane(&self) -> Pane {
        let first = if self.shape.tier == Tier::Reduced { 7 } else { 9 };
        Pane { first, rows: JOBS.len() }
    }

    /// The job under the cursor.
    pub fn job(&self) -> Option<&JobView> {
        self.snapshot.schedule.jobs.get(self.scheduler.list.place())
    }

    pub(super) fn move_in_scheduler(&mut self, motion: Motion) {
        let pane = self.job_pane();
        self.scheduler.list.go(motion, &ids().as_slice(), pane);
    }

    pub(super) fn act_in_scheduler(&mut self, act: Act, effects: &mut Vec<Effect>) {
        let mode = self.snapshot.schedule.mode;
        let Some(job) = self.job().filter(|_| mode != Mode::Off) else {
            return self.say(Level::Warn, "there is no scheduler here");
        };
        let (id, every) = (job.id, job.every);
        let name = id.spec().name;
        let (command, word) = match act {
            Act::Run if job.current.is_some() => return self.say(Level::Info, &format!("{name} is running")),
            Act::Run => (ScheduleCommand::Run(id), format!("{name} runs now")),
            Act::Turn if mode == Mode::Running => {
                (ScheduleCommand::Stop, "stopped: no job begins by itself until it is started".to_owned())
            }
            Act::Turn => (ScheduleCommand::Start, "started: jobs run by themselves".to_owned()),
            Act::Longer | Act::Shorter => {
                let asked = self.scheduler.asked.filter(|(of, to)| *of == id && *to != every);
                let next = step(asked.map_or(every, |(_, to)| to), act == Act::Longer);
                let Some(next) = next else {
                    let end = if act == Act::Longer { "seldom" } else { "often" };
                    return self.say(Level::Info, &format!("{name} runs as {end} as it may"));
                };
                self.scheduler.asked = Some((id, next));
                let word = format!("{name} runs every {} from now on", every_text(next));
                (ScheduleCommand::Every(id, next), word)
            }
        };
        self.say(Level::Info, &word);
        effects.push(Effect::Send(Command::Schedule(command)));
    }
}

/// The next longer or shorter interval of the steps.
fn step(every: Duration, longer: bool) -> Option<Duration> {
    let mut steps = STEPS.map(|minutes| Duration::from_secs(minutes * 60)).into_iter();
    if longer { steps.find(|s| *s > every) } else { steps.rfind(|s| *s < every) }
}

/// An interval: `5m`, `90s`, `1h`.
pub fn every_text(every: Duration) -> String {
    let s = every.as_secs();
    let mut out = String::new();
    let _ = match s {
        s if s > 0 && s.is_multiple_of(3_600) => write!(out, "{}h", s / 3_600),
        s if s > 0 && s.is_multiple_of(60) => write!(out, "{}m", s / 60),
        s => write!(out, "{s}s"),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_step_up_and_down_and_end() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        assert_eq!(step(minutes(5), true), Some(minutes(10)));
        assert_eq!(step(minutes(5), false), Some(minutes(2)));
        assert_eq!(step(minutes(7), false), Some(minutes(5)), "from between the steps");
        assert_eq!((step(minutes(60), true), step(minutes(1), false)), (None, None));
        assert_eq!(every_text(minutes(60)), "1h");
        assert_eq!(
            (every_text(minutes(5)), every_text(Duration::from_secs(90))),
            ("5m".into(), "90s".into())
        );
    }
}
