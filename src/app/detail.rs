//! One pair on one interval, as a chart and as figures.

use super::App;
use super::action::{Action, ActionSpec, Context, Group, c, line};
use super::list::Motion;
use super::{Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// HAMA candles, or those of the market.
    Candles,
}

const HERE: &[Context] = &[Context::View(View::Detail)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] =
    &[line(Action::Detail(Act::Candles), "candles", ("HAMA or market", ""), (Group::Table, HERE), &[c('t')])];

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Detail {}

impl App {
    pub(super) fn move_in_detail(&mut self, motion: Motion) {
        let _ = (&self.detail, motion);
    }

    pub(super) fn act_in_detail(&mut self, act: Act, effects: &mut Vec<Effect>) {
        let _ = (&self.detail, effects);
        match act {
            Act::Candles => {}
        }
    }
}
