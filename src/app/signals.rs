//! The log of what closed bars said.

use super::App;
use super::action::{Action, ActionSpec, Context, Group, c, line};
use super::list::Motion;
use super::{Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Everything so far has been seen.
    ReadAll,
}

const HERE: &[Context] = &[Context::View(View::Signals)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[line(
    Action::Signals(Act::ReadAll),
    "read-all",
    ("mark all as read", ""),
    (Group::Table, HERE),
    &[c('M')],
)];

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Signals {}

impl App {
    pub(super) fn move_in_signals(&mut self, motion: Motion) {
        let _ = (&self.signals, motion);
    }

    pub(super) fn act_in_signals(&mut self, act: Act, effects: &mut Vec<Effect>) {
        let _ = (&self.signals, effects);
        match act {
            Act::ReadAll => {}
        }
    }
}
