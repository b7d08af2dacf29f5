//! The jobs that come round: what is due at `now`, how far a run is, what came of the last ones.
//!
//! Invariant: pure, on our own clock, which is handed in. Never two runs of one job at once; what
//! was missed meanwhile, in a long run or in a sleep, is made up for by one run.

mod job;
mod run;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::{Mono, UnixMs};

pub use self::job::{JOBS, JobId, JobSpec, Timer};
pub use self::run::{Counts, Outcome, Progress, Run, Trigger};

/// Runs kept of each job; one more, and the oldest goes.
pub const KEPT: usize = 48;
/// An interval is not shorter, and not longer.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(24 * 3_600));

/// How it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether there is one at all.
    pub enabled: bool,
    /// Whether the first runs come by themselves, and at once.
    pub auto_start: bool,
    /// How often `refresh` runs.
    pub refresh: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, auto_start: true, refresh: JobId::Refresh.spec().every }
    }
}

/// What becomes of jobs that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// There are none: the program shows its table once.
    Off,
    /// They wait until it is started; a run under way goes on to its end.
    Stopped,
    /// They run.
    Running,
}

impl Mode {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Stopped => "stopped",
            Self::Running => "running",
        }
    }
}

/// What people and programs can ask of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleCommand {
    /// Let the jobs run.
    Start,
    /// Let none begin.
    Stop,
    /// Run one now, even where they are stopped.
    Run(JobId),
    /// Run one so often from now on.
    Every(JobId, Duration),
}

/// When a run begins, and how much there is to do.
#[derive(Clone, Copy, Debug)]
pub struct Begin {
    /// On our clock.
    pub now: Mono,
    /// On the exchange's, where it is known.
    pub at: Option<UnixMs>,
    /// Things to do.
    pub total: u32,
    /// Any figure that two programs don't share: it spreads their next runs.
    pub seed: i64,
}

/// All jobs.
#[derive(Clone, Debug)]
pub struct Schedule {
    mode: Mode,
    jobs: Vec<Job>,
}

#[derive(Clone, Debug)]
struct Job {
    id: JobId,
    every: Duration,
    /// When the next run is due; kept for the time when it is started, too.
    next: Mono,
    /// Somebody asked for a run.
    wanted: bool,
    running: Option<Running>,
    past: VecDeque<Run>,
    /// The same, newest first, for those who read.
    shown: Arc<[Run]>,
    begun: u32,
    good: u32,
    bad: u32,
}

#[derive(Clone, Debug)]
struct Running {
    run: Run,
    progress: Progress,
}

/// All there is to show of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleView {
    /// Whether jobs run.
    pub mode: Mode,
    /// In the order of [`JOBS`].
    pub jobs: Vec<JobView>,
}

/// One job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    /// Which.
    pub id: JobId,
    /// How often it runs.
    pub every: Duration,
    /// When it runs next, on our clock; `None` where nobody can say.
    pub next: Option<Mono>,
    /// The run under way, as far as it is.
    pub current: Option<(Run, Progress)>,
    /// Runs without a failure.
    pub good: u32,
    /// Runs with one.
    pub bad: u32,
    /// The runs of late, newest first.
    pub past: Arc<[Run]>,
}

impl Schedule {
    /// Nothing has run yet; the first runs are due at once.
    pub fn new(settings: &Settings) -> Self {
        let mode = match (settings.enabled, settings.auto_start) {
            (false, _) => Mode::Off,
            (true, false) => Mode::Stopped,
            (true, true) => Mode::Running,
        };
        let mut schedule = Self { mode, jobs: JOBS.iter().map(Job::new).collect() };
        schedule.set_every(JobId::Refresh, settings.refresh, Mono::default(), 0);
        for job in &mut schedule.jobs {
            job.next = Mono::default();
        }
        schedule
    }

    /// Whether jobs run.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Lets jobs run. What was due meanwhile is due now, once. Whether that is news.
    pub fn start(&mut self) -> bool {
        self.turn(Mode::Stopped, Mode::Running)
    }

    /// Lets none begin. Whether that is news.
    pub fn stop(&mut self) -> bool {
        self.turn(Mode::Running, Mode::Stopped)
    }

    fn turn(&mut self, from: Mode, to: Mode) -> bool {
        let is_news = self.mode == from;
        if is_news {
            self.mode = to;
        }
        is_news
    }

    /// Makes a job due at once. `false` where it runs already, or there are no jobs.
    pub fn want(&mut self, id: JobId) -> bool {
        let off = self.mode == Mode::Off;
        let job = self.job_mut(id);
        let may = job.running.is_none() && !off;
        job.wanted |= may;
        may
    }

    /// Another interval, from `now` on; what it became, since it has bounds.
    pub fn set_every(&mut self, id: JobId, every: Duration, now: Mono, seed: i64) -> Duration {
        let job = self.job_mut(id);
        job.every = every.clamp(BOUNDS.0, BOUNDS.1);
        job.next = now + id.wait(job.every, seed);
        job.every
    }

    /// How often a job runs.
    pub fn every(&self, id: JobId) -> Duration {
        self.job(id).every
    }

    /// Whether a run should begin now, and why.
    pub fn due(&self, id: JobId, now: Mono) -> Option<Trigger> {
        let job = self.job(id);
        if job.running.is_some() {
            return None;
        }
        if job.wanted {
            return Some(Trigger::Key);
        }
        (self.mode == Mode::Running && job.next <= now).then(|| job.by_itself())
    }

    /// Begins a run. `false` where one is under way: then what is to be done is added to that one.
    pub fn begin(&mut self, id: JobId, begin: Begin) -> bool {
        let job = self.job_mut(id);
        if let Some(running) = &mut job.running {
            running.progress.total += begin.total;
            return false;
        }
        let trigger = if job.wanted { Trigger::Key } else { job.by_itself() };
        job.wanted = false;
        job.begun += 1;
        job.next = begin.now + id.wait(job.every, begin.seed);
        let run = Run {
            number: job.begun,
            trigger,
            start: begin.now,
            at: begin.at,
            took: Duration::ZERO,
            counts: Counts::default(),
        };
        job.running = Some(Running { run, progress: Progress::new(begin.total, begin.now) });
        job.end_if_done(begin.now);
        true
    }

    /// So many things of the run under way are done. The run, where that ended it.
    pub fn count(&mut self, id: JobId, outcome: Outcome, n: u32, now: Mono) -> Option<Run> {
        let job = self.job_mut(id);
        let running = job.running.as_mut()?;
        running.run.counts.add(outcome, n);
        running.progress.advance(n, now);
        job.end_if_done(now)
    }

    /// So many things of the run under way are no longer to be done. The run, where that ended it.
    pub fn drop_some(&mut self, id: JobId, n: u32, now: Mono) -> Option<Run> {
        let job = self.job_mut(id);
        let progress = &mut job.running.as_mut()?.progress;
        progress.total = progress.total.saturating_sub(n).max(progress.done);
        job.end_if_done(now)
    }

    /// All there is to show. `next` of a job whose time somebody else keeps is left to that one.
    pub fn view(&self) -> ScheduleView {
        ScheduleView { mode: self.mode, jobs: self.jobs.iter().map(|j| j.view(self.mode)).collect() }
    }

    fn job(&self, id: JobId) -> &Job {
        // The table is in the enum's order; a test holds that.
        &self.jobs[id as usize]
    }

    fn job_mut(&mut self, id: JobId) -> &mut Job {
        &mut self.jobs[id as usize]
    }
}

impl Job {
    fn new(spec: &JobSpec) -> Self {
        Self {
            id: spec.id,
            every: spec.every,
            next: Mono::default(),
            wanted: false,
            running: None,
            past: VecDeque::new(),
            shown: [].into(),
            begun: 0,
            good: 0,
            bad: 0,
        }
    }

    /// Why it runs where nobody asked for it.
    fn by_itself(&self) -> Trigger {
        if self.begun == 0 { Trigger::Start } else { Trigger::Timer }
    }

    fn end_if_done(&mut self, now: Mono) -> Option<Run> {
        let done = self.running.take_if(|r| r.progress.done >= r.progress.total)?;
        let mut run = done.run;
        run.took = now.since(run.start);
        *if run.counts.failed > 0 { &mut self.bad } else { &mut self.good } += 1;
        if self.past.len() == KEPT {
            self.past.pop_front();
        }
        self.past.push_back(run);
        self.shown = self.past.iter().rev().copied().collect();
        Some(run)
    }

    fn view(&self, mode: Mode) -> JobView {
        let by_us = self.id.spec().timer == Timer::Ours;
        JobView {
            id: self.id,
            every: self.every,
            next: (mode == Mode::Running && by_us).then_some(self.next),
            current: self.running.as_ref().map(|r| (r.run, r.progress)),
            good: self.good,
            bad: self.bad,
            past: Arc::clone(&self.shown),
        }
    }
}

impl JobView {
    /// The newest run that is over.
    pub fn last(&self) -> Option<&Run> {
        self.past.first()
    }
}
