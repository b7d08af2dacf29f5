//! The alert rules: looked at here, so that a terminal that stalls keeps none from firing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::market::snapshot::{Alert, AlertsView, DataState, Edge, LaneView, Level, Row, RuleView, Snapshot};
use crate::rule::alert::{Look, Rule, Watch};
use crate::rule::names::Names;
use crate::rule::reading::Reading;
use crate::rule::truth::Truth;

use super::core::Engine;

/// Alerts remembered.
const KEPT: usize = 200;

/// Rules are looked at no more often: nobody reads faster, and prices tick many times a second.
const EVERY: Duration = Duration::from_millis(500);

/// And no more seldom, though nothing may have happened: ages grow by themselves.
const AT_LEAST: Duration = Duration::from_secs(5);

/// The most rules that are taken: each is a pass over all rows, twice a second.
pub const MAX_RULES: usize = 32;

/// What can be asked of the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleCommand {
    /// Take another rule. One of the same name is replaced.
    Add(Rule),
    /// Drop the rule of that name.
    Remove(CleanText),
    /// Put the rule of that name in force, or out of it.
    Enable(CleanText, bool),
}

#[derive(Debug)]
struct Alarm {
    rule: Rule,
    when: CleanText,
    watch: Watch,
    look: Option<Look>,
    fired: u64,
    quiet: u64,
    last: Option<UnixMs>,
}

impl Alarm {
    fn new(rule: Rule) -> Self {
        let (watch, when) = (Watch::new(rule.timing), CleanText::new(rule.when.source()));
        Self { rule, when, watch, look: None, fired: 0, quiet: 0, last: None }
    }

    fn view(&self) -> RuleView {
        RuleView {
            name: self.rule.name.clone(),
            when: self.when.clone(),
            timing: self.rule.timing,
            enabled: self.rule.enabled,
            matching: self.look.as_ref().map(|l| l.matching),
            unknown: self.look.as_ref().map_or(0, |l| l.unknown),
            waiting: self.look.as_ref().map_or(0, |l| l.waiting),
            refused: self.rule.refused.clone(),
            fired: self.fired,
            quiet: self.quiet,
            last: self.last,
        }
    }
}

/// The rules and what they told.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    all: Vec<Alarm>,
    names: Arc<Names>,
    told: VecDeque<Alert>,
    shown: Arc<[Alert]>,
    seq: u64,
    round: u64,
    due: Mono,
}

impl Alarms {
    pub(super) fn new(rules: &[Rule], names: &Arc<Names>) -> Self {
        let all = rules.iter().take(MAX_RULES).cloned().map(Alarm::new).collect();
        Self { all, names: Arc::clone(names), ..Self::default() }
    }

    /// Whether a look is due though nothing else may have changed: something has to last, or ages
    /// have grown.
    pub(super) fn is_due(&self, now: Mono) -> bool {
        let mut enabled = self.all.iter().filter(|a| a.rule.enabled).peekable();
        let is_late = enabled.peek().is_some() && now >= self.due + AT_LEAST;
        now >= self.due && (is_late || enabled.any(|a| a.watch.is_waiting()))
    }

    /// Looks at the rows of a picture, and puts the rules into it. Says what is to be noticed.
    fn look(&mut self, picture: &mut Snapshot, now: Mono) -> Vec<String> {
        let mut sentences = Vec::new();
        let reading = Reading::new(picture, now, 0).with_names(&self.names);
        // Without the exchange's time no age is known.
        if let Some(theirs) = reading.clock.filter(|_| now >= self.due) {
            self.due = now + EVERY;
            self.round += 1;
            for alarm in self.all.iter_mut().filter(|a| a.rule.enabled) {
                let rows = picture.rows.iter().map(|row| (&row.pair, matches(&alarm.rule, row, &reading)));
                let look = alarm.watch.look(theirs, rows, self.round);
                alarm.quiet += u64::from(look.quiet);
                let changes =
                    look.fired.iter().filter_map(|(at, edge)| Some((picture.rows.get(*at)?, *edge)));
                let changes: Vec<(&Arc<Row>, Edge)> = changes.collect();
                if let Some((first, edge)) = changes.first() {
                    alarm.fired += changes.len() as u64;
                    alarm.last = Some(theirs);
                    sentences.push(sentence(&alarm.rule.name, (first, *edge), changes.len()));
                }
                for (row, edge) in changes {
                    self.seq += 1;
                    if self.told.len() == KEPT {
                        self.told.pop_front();
                    }
                    self.told.push_back(Alert {
                        seq: self.seq,
                        rule: alarm.rule.name.clone(),
                        pair: row.pair.clone(),
                        edge,
                        at: Some(theirs),
                        told: now,
                        last: row.last,
                        tick: row.tick,
                        score: row.score.as_ref().map(|s| s.score),
                    });
                }
                alarm.look = Some(look);
            }
            if !sentences.is_empty() {
                self.shown = self.told.iter().cloned().collect();
            }
        }
        let rules = self.all.iter().map(Alarm::view).collect();
        picture.alerts = AlertsView { rules, told: Arc::clone(&self.shown) };
        sentences
    }

    /// `Err` is a sentence with the cure.
    fn order(&mut self, command: RuleCommand) -> Result<(), String> {
        match command {
            RuleCommand::Add(rule) => {
                if let Some(why) = &rule.refused {
                    return Err(format!("no rule is made of this filter: {why}"));
                }
                self.all.retain(|a| a.rule.name != rule.name);
                if self.all.len() >= MAX_RULES {
                    return Err(format!("there are {MAX_RULES} rules already; remove one first"));
                }
                self.all.push(Alarm::new(rule));
            }
            RuleCommand::Remove(name) => self.all.retain(|a| a.rule.name != name),
            RuleCommand::Enable(name, enabled) => {
                for alarm in self.all.iter_mut().filter(|a| a.rule.name == name) {
                    if let Some(why) = alarm.rule.refused.as_ref().filter(|_| enabled) {
                        return Err(format!("rule {name} can't be in force: {why}"));
                    }
                    if alarm.rule.enabled != enabled {
                        // What was so before it was off is not known any more.
                        alarm.watch = Watch::new(alarm.rule.timing);
                        (alarm.rule.enabled, alarm.look) = (enabled, None);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a row matches; `None` where that can't be said. Of a row that is still being loaded it
/// can't: its score changes with each interval that comes, and no market has moved.
fn matches(rule: &Rule, row: &Row, reading: &Reading) -> Option<bool> {
    let is_loading = |l: &LaneView| l.newest.is_none() && l.state != DataState::Delisted;
    if row.lanes.iter().any(is_loading) {
        return None;
    }
    match rule.when.test(row, reading) {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}

/// `alert aligned: SOLUSDT entered, and 4 more`
fn sentence(name: &CleanText, (row, edge): (&Row, Edge), count: usize) -> String {
    let more = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
    format!("alert {name}: {} {}{more}", row.pair.symbol, edge.as_str())
}

impl Engine {
    pub(super) fn watch_rules(&mut self, picture: &mut Snapshot, now: Mono) {
        for sentence in self.alarms.look(picture, now) {
            self.rings.notice(now, Level::Info, &sentence);
        }
        picture.notices = self.rings.notices();
    }

    pub(super) fn on_rule(&mut self, command: RuleCommand, now: Mono) {
        match self.alarms.order(command) {
            Ok(()) => self.dirty = true,
            Err(sentence) => self.notice(now, Level::Warn, &sentence),
        }
    }
}
