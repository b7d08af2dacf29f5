//! The rules that watch the market.

use super::App;
use super::action::{Action, ActionSpec, Context, Group, c, line};
use super::list::Motion;
use super::{Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Switch a rule on or off.
    Toggle,
}

const HERE: &[Context] = &[Context::View(View::Alerts)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[line(
    Action::Alerts(Act::Toggle),
    "toggle-rule",
    ("rule on, off", ""),
    (Group::Table, HERE),
    &[c('e')],
)];

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Alerts {}

impl App {
    pub(super) fn move_in_alerts(&mut self, motion: Motion) {
        let _ = (&self.alerts, motion);
    }

    pub(super) fn act_in_alerts(&mut self, act: Act, effects: &mut Vec<Effect>) {
        let _ = (&self.alerts, effects);
        match act {
            Act::Toggle => {}
        }
    }
}
