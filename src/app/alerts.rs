//! The rules that watch the market.

use std::fmt::Write as _;

use crate::domain::text::CleanText;
use crate::engine::{Command, MAX_RULES, RuleCommand};
use crate::market::snapshot::{Alert, AlertsView, Level, RuleView};
use crate::rule::alert::Rule;

use super::App;
use super::action::{Action, ActionSpec, Context, Group, c, line};
use super::list::{List, Motion, Pane};
use super::{Effect, View};

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Watch the scanner's filter.
    FromFilter,
    /// Switch a rule on or off.
    Toggle,
    /// Drop a rule.
    Remove,
}

const HERE: &[Context] = &[Context::View(View::Alerts)];
const WITH_FILTER: &[Context] = &[Context::View(View::Scanner), Context::View(View::Alerts)];

/// The keys of this view.
pub(super) const ACTIONS: &[ActionSpec] = &[
    line(
        Action::Alerts(Act::FromFilter),
        "new-rule",
        ("rule from filter", "rule"),
        (Group::Table, WITH_FILTER),
        &[c('a')],
    ),
    line(
        Action::Alerts(Act::Toggle),
        "toggle-rule",
        ("rule on, off", "on/off"),
        (Group::Table, HERE),
        &[c('e')],
    ),
    line(
        Action::Alerts(Act::Remove),
        "remove-rule",
        ("remove the rule", "remove"),
        (Group::Table, HERE),
        &[c('D')],
    ),
];

/// Alerts told in one notification; of more only the number is told.
const AT_ONCE: usize = 3;

/// What this view remembers.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    rules: List<CleanText>,
    /// The newest alert the user was notified of.
    seen: Option<u64>,
}

fn names(view: &AlertsView) -> Vec<CleanText> {
    view.rules.iter().map(|r| r.name.clone()).collect()
}

impl App {
    /// Where the rules are drawn: the upper half, or as many lines as they need.
    pub fn rules_pane(&self) -> Pane {
        let first = self.shape.above();
        let free = usize::from(self.shape.rows.saturating_sub(first + 1));
        let rows = self.snapshot.alerts.rules.len().clamp(1, (free / 2).max(1));
        Pane { first, rows }
    }

    /// The rules on screen, each with whether the cursor is on it.
    pub fn rules_shown(&self) -> impl Iterator<Item = (&RuleView, bool)> {
        let list = &self.alerts.rules;
        let visible = list.visible(self.rules_pane());
        let rules = self.snapshot.alerts.rules.iter().enumerate().skip(visible.start).take(visible.len());
        rules.map(|(place, rule)| (rule, place == list.place()))
    }

    /// What the rules told, newest first.
    pub fn told(&self) -> impl Iterator<Item = &Alert> {
        self.snapshot.alerts.told.iter().rev()
    }

    fn rule(&self) -> Option<&RuleView> {
        self.snapshot.alerts.rules.get(self.alerts.rules.place())
    }

    pub(super) fn move_in_alerts(&mut self, motion: Motion) {
        let (rows, pane) = (names(&self.snapshot.alerts), self.rules_pane());
        self.alerts.rules.go(motion, &rows.as_slice(), pane);
    }

    pub(super) fn act_in_alerts(&mut self, act: Act, effects: &mut Vec<Effect>) {
        let send = |command| Effect::Send(Command::Rule(command));
        match act {
            Act::FromFilter => self.watch_filter(effects),
            Act::Toggle => match self.rule() {
                Some(r) => effects.push(send(RuleCommand::Enable(r.name.clone(), !r.enabled))),
                None => self.say(Level::Info, "there is no rule yet"),
            },
            Act::Remove => match self.rule().map(|r| r.name.clone()) {
                Some(name) => {
                    let text =
                        format!("rule {name} is removed; those of the config file come back at a start");
                    self.say(Level::Info, &text);
                    effects.push(send(RuleCommand::Remove(name)));
                }
                None => self.say(Level::Info, "there is no rule yet"),
            },
        }
    }

    fn watch_filter(&mut self, effects: &mut Vec<Effect>) {
        let filter = self.filter().clone();
        let rules = &self.snapshot.alerts.rules;
        if filter.is_empty() {
            let key = self.key_of(Action::EditFilter);
            return self.say(Level::Warn, &format!("a rule watches a filter; type one first with {key}"));
        }
        if rules.len() >= MAX_RULES {
            return self.say(Level::Warn, &format!("there are {MAX_RULES} rules already; remove one first"));
        }
        let Some(interval) = self.snapshot.intervals.get(self.lane()).copied() else { return };
        let filter = filter.on(interval);
        if filter.asks_marks() {
            let text = "a rule can't watch marks, which only this screen knows; take `mark` out";
            return self.say(Level::Warn, text);
        }
        if let Some(same) = rules.iter().find(|r| r.when.as_str() == filter.source()) {
            let text = format!("rule {} watches this filter already", same.name);
            return self.say(Level::Info, &text);
        }
        let free = (1..).map(|n| CleanText::new(&format!("rule-{n}")));
        let mut free = free.filter(|name| rules.iter().all(|r| r.name != *name));
        let Some(name) = free.next() else { return };
        let key = self.key_of(Action::Show(View::Alerts));
        self.say(Level::Info, &format!("{name} watches {} until you quit; {key} shows it", filter.source()));
        let rule = Rule::new(name, &filter, interval);
        effects.push(Effect::Send(Command::Rule(RuleCommand::Add(rule))));
    }

    /// The rows have changed, and there may be new alerts.
    pub(super) fn take_alerts(&mut self, effects: &mut Vec<Effect>) {
        let (rows, pane) = (names(&self.snapshot.alerts), self.rules_pane());
        self.alerts.rules.settle(&rows.as_slice(), pane, super::list::Keep::Cursor);
        let told = &self.snapshot.alerts.told;
        let newest = told.last().map(|a| a.seq);
        // What was told before this screen was there is in its table.
        let Some(seen) = self.alerts.seen else {
            self.alerts.seen = Some(newest.unwrap_or(0));
            return;
        };
        let new: Vec<&Alert> = told.iter().filter(|a| a.seq > seen).collect();
        if new.is_empty() {
            return;
        }
        let mut text = String::new();
        for alert in new.iter().take(AT_ONCE) {
            let comma = if text.is_empty() { "" } else { "; " };
            let _ = write!(text, "{comma}{}: {} {}", alert.rule, alert.pair.symbol, alert.edge.as_str());
        }
        if new.len() > AT_ONCE {
            let _ = write!(text, "; {} more", new.len() - AT_ONCE);
        }
        effects.push(Effect::Notify(text));
        self.alerts.seen = newest;
    }
}
