//! The alert rules: looked at here, so that a terminal that stalls keeps none from firing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::market::snapshot::{Alert, AlertsView, Edge, Level, RuleView, Snapshot};
use crate::rule::alert::{Look, Rule, Watch};
use crate::rule::names::Names;
use crate::rule::reading::Reading;
use crate::rule::truth::Truth;

use super::core::Engine;

/// Alerts remembered.
const KEPT: usize = 200;

/// Rules are looked at no more often: nobody reads faster, and prices tick many times a second.
const EVERY: Duration = Duration::from_millis(500);

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
    watch: Watch,
    look: Option<Look>,
    fired: u64,
    quiet: u64,
    last: Option<UnixMs>,
}

impl Alarm {
    fn new(rule: Rule) -> Self {
        let watch = Watch::new(rule.timing);
        Self { rule, watch, look: None, fired: 0, quiet: 0, last: None }
    }

    fn view(&self) -> RuleView {
        RuleView {
            name: self.rule.name.clone(),
            when: CleanText::new(self.rule.when.source()),
            timing: self.rule.timing,
            enabled: self.rule.enabled,
            matching: self.look.as_ref().map(|l| l.matching),
            unknown: self.look.as_ref().map_or(0, |l| l.unknown),
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
    seq: u64,
    round: u64,
    due: Mono,
}

impl Alarms {
    pub(super) fn new(rules: &[Rule], names: &Arc<Names>) -> Self {
        let all = rules.iter().take(MAX_RULES).cloned().map(Alarm::new).collect();
        Self { all, names: Arc::clone(names), ..Self::default() }
    }

    /// Whether a look is due though nothing else may have changed: something has to last.
    pub(super) fn is_waiting(&self, now: Mono) -> bool {
        now >= self.due && self.all.iter().any(|a| a.rule.enabled && a.watch.is_waiting())
    }

    /// Looks at the rows of a picture, and puts the rules into it. Says what is to be noticed.
    fn look(&mut self, picture: &mut Snapshot, now: Mono) -> Vec<String> {
        let mut sentences = Vec::new();
        // Without the exchange's time no age is known, and what is loaded now is no change.
        let reading = Reading::new(picture, now, 0).with_names(&self.names);
        if let Some(theirs) = reading.clock.filter(|_| now >= self.due) {
            self.due = now + EVERY;
            self.round += 1;
            for alarm in self.all.iter_mut().filter(|a| a.rule.enabled) {
                let rows = picture.rows.iter().map(|row| {
                    let matches = match alarm.rule.when.test(row, &reading) {
                        Truth::True => Some(true),
                        Truth::False => Some(false),
                        Truth::Unknown => None,
                    };
                    (&row.pair, matches)
                });
                let look = alarm.watch.look(theirs, rows, self.round);
                alarm.quiet += u64::from(look.quiet);
                if !look.fired.is_empty() {
                    alarm.fired += look.fired.len() as u64;
                    alarm.last = reading.clock;
                    sentences.push(sentence(&alarm.rule.name, &look));
                }
                for (pair, edge) in &look.fired {
                    self.seq += 1;
                    let row = picture.rows.iter().find(|r| r.pair == *pair);
                    if self.told.len() == KEPT {
                        self.told.pop_front();
                    }
                    self.told.push_back(Alert {
                        seq: self.seq,
                        rule: alarm.rule.name.clone(),
                        pair: pair.clone(),
                        edge: *edge,
                        at: reading.clock,
                        told: now,
                        last: row.and_then(|r| r.last),
                        score: row.and_then(|r| r.score.as_ref()).map(|s| s.raw),
                    });
                }
                alarm.look = Some(look);
            }
        }
        picture.alerts = AlertsView {
            rules: self.all.iter().map(Alarm::view).collect(),
            told: self.told.iter().cloned().collect(),
        };
        sentences
    }

    /// `Err` is a sentence with the cure.
    fn order(&mut self, command: RuleCommand) -> Result<(), String> {
        match command {
            RuleCommand::Add(rule) => {
                self.all.retain(|a| a.rule.name != rule.name);
                if self.all.len() >= MAX_RULES {
                    return Err(format!("there are {MAX_RULES} rules already; remove one first"));
                }
                self.all.push(Alarm::new(rule));
            }
            RuleCommand::Remove(name) => self.all.retain(|a| a.rule.name != name),
            RuleCommand::Enable(name, enabled) => {
                for alarm in self.all.iter_mut().filter(|a| a.rule.name == name) {
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

/// `htf-align: SOLUSDT entered`, `squeeze: SOLUSDT entered, 4 more`
fn sentence(name: &CleanText, look: &Look) -> String {
    let Some((pair, edge)) = look.fired.first() else { return name.as_str().to_owned() };
    let word = match edge {
        Edge::Entered => "entered",
        Edge::Left => "left",
    };
    match look.fired.len() - 1 {
        0 => format!("alert {name}: {} {word}", pair.symbol),
        more => format!("alert {name}: {} {word}, and {more} more changes", pair.symbol),
    }
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
