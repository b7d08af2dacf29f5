//! The jobs: what runs, what is due, what came of it.

use super::App;
use super::action::{Action, ActionSpec, Context, Group, c, line};
use super::list::Motion;
use super::{Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Run the job now.
    Run,
}

const HERE: &[Context] = &[Context::View(View::Scheduler)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] =
    &[line(Action::Scheduler(Act::Run), "run-job", ("run the job now", ""), (Group::Table, HERE), &[c('x')])];

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Scheduler {}

impl App {
    pub(super) fn move_in_scheduler(&mut self, motion: Motion) {
        let _ = (&self.scheduler, motion);
    }

    pub(super) fn act_in_scheduler(&mut self, act: Act, effects: &mut Vec<Effect>) {
        let _ = (&self.scheduler, effects);
        match act {
            Act::Run => {}
        }
    }
}
