//! The alert rules on the engine's own pictures.

use super::*;
use crate::domain::text::CleanText;
use crate::engine::{Command, RuleCommand};
use crate::market::snapshot::{Edge, FireOn, Snapshot, Timing};
use crate::rule::alert::Rule;
use crate::rule::filter::Filter;

fn rule(when: &str, debounce: u64) -> Rule {
    Rule {
        name: CleanText::new("mine"),
        when: Filter::parse(when).unwrap(),
        timing: Timing {
            on: FireOn::Both,
            debounce: Duration::from_secs(debounce),
            cooldown: Duration::ZERO,
        },
        enabled: true,
        refused: None,
    }
}

impl Rig {
    fn tick_on(&mut self) {
        self.now = self.now + Duration::from_secs(1);
        self.tick();
    }

    /// A picture a second later.
    fn picture(&mut self) -> Snapshot {
        self.tick_on();
        self.engine.snapshot(self.now)
    }

    fn rule(&mut self, command: RuleCommand) {
        self.step(Input::Command(Command::Rule(command)));
    }

    /// The price goes there.
    fn price(&mut self, price: f64) {
        let at = u32::try_from(self.now.0.as_secs()).unwrap();
        self.frame("AUSDT", bar_to(N, price, 200 + at), Finality::Forming);
    }
}

fn edges(picture: &Snapshot) -> Vec<Edge> {
    picture.alerts.told.iter().map(|a| a.edge).collect()
}

#[test]
fn a_rule_tells_of_changes_once_each_and_of_nothing_that_was_so_before() {
    let mut rig = Rig::live(&["AUSDT", "BUSDT"]);
    rig.rule(RuleCommand::Add(rule("last>400", 0)));
    let first = rig.picture();
    let seen = &first.alerts.rules[0];
    assert_eq!((seen.matching, seen.fired, edges(&first)), (Some(2), 0, vec![]), "it was so before");
    rig.price(300.0);
    assert_eq!(edges(&rig.picture()), [Edge::Left]);
    assert_eq!(edges(&rig.picture()), [Edge::Left], "told once");
    rig.price(500.0);
    let last = rig.picture();
    assert_eq!(edges(&last), [Edge::Left, Edge::Entered]);
    let told = last.alerts.told.last().unwrap();
    assert_eq!((told.pair.symbol.as_str(), told.last, told.at.is_some()), ("AUSDT", Some(500.0), true));
    assert!(
        last.notices.iter().any(|n| n.text.as_str() == "alert mine: AUSDT entered"),
        "{:?}",
        last.notices
    );
    assert_eq!((last.alerts.rules[0].fired, last.alerts.rules[0].last), (2, told.at));
}

#[test]
fn what_has_to_last_is_looked_at_again_though_nothing_else_happens() {
    let mut rig = Rig::live(&["AUSDT"]);
    rig.rule(RuleCommand::Add(rule("last>400", 3)));
    rig.picture();
    rig.price(300.0);
    assert_eq!(edges(&rig.picture()), []);
    for _ in 0..3 {
        rig.tick_on();
        assert!(rig.engine.is_dirty(), "a picture is wanted");
        rig.engine.snapshot(rig.now);
    }
    assert_eq!(edges(&rig.picture()), [Edge::Left]);
    rig.tick_on();
    assert!(!rig.engine.is_dirty(), "nothing is waited for any more");
}

#[test]
fn a_rule_that_is_off_tells_nothing_and_starts_afresh_when_it_is_on_again() {
    let mut rig = Rig::live(&["AUSDT"]);
    rig.rule(RuleCommand::Add(rule("last>400", 0)));
    rig.picture();
    rig.rule(RuleCommand::Enable(CleanText::new("mine"), false));
    rig.price(300.0);
    let off = rig.picture();
    assert_eq!((edges(&off), off.alerts.rules[0].matching), (vec![], None));
    rig.rule(RuleCommand::Enable(CleanText::new("mine"), true));
    assert_eq!(edges(&rig.picture()), []);
    rig.price(500.0);
    assert_eq!(edges(&rig.picture()), [Edge::Entered]);
    rig.rule(RuleCommand::Remove(CleanText::new("mine")));
    assert_eq!(rig.picture().alerts.rules, []);
}

#[test]
fn there_is_a_most_of_rules_and_one_of_the_same_name_is_replaced() {
    let mut rig = Rig::live(&["AUSDT"]);
    for n in 0..crate::engine::MAX_RULES + 3 {
        let name = CleanText::new(&format!("rule-{n}"));
        rig.rule(RuleCommand::Add(Rule { name, ..rule("last>400", 0) }));
    }
    let full = rig.picture();
    assert_eq!(full.alerts.rules.len(), crate::engine::MAX_RULES);
    assert!(full.notices.last().unwrap().text.as_str().contains("remove one first"));
    let name = CleanText::new("rule-0");
    rig.rule(RuleCommand::Add(Rule { name, ..rule("last<400", 0) }));
    let rules = rig.picture().alerts.rules;
    assert_eq!((rules.len(), rules.last().unwrap().when.as_str()), (crate::engine::MAX_RULES, "last<400"));
}

/// The score of a pair is known with its first interval, and changes with each that is loaded.
#[test]
fn what_is_loaded_is_no_change() {
    let mut rig = Rig::new(EngineConfig { intervals: [Interval::M15, Interval::H1].into(), ..config() });
    rig.rule(RuleCommand::Add(rule("coverage<100%", 0)));
    rig.start(&["AUSDT"]);
    let early = rig.picture();
    assert_eq!((early.alerts.rules[0].matching, early.alerts.rules[0].unknown), (Some(0), 1));
}

#[test]
fn a_rule_that_can_not_be_tested_is_shown_with_the_reason_and_stays_off() {
    let refused = rule("4h:bull", 0).checked(&[Interval::M15], &crate::rule::names::Names::new());
    assert!(refused.refused.as_ref().unwrap().as_str().contains("`4h` is not among"));
    let mut rig = Rig::new(EngineConfig { rules: vec![refused], ..config() });
    rig.start(&["AUSDT"]);
    rig.rule(RuleCommand::Enable(CleanText::new("mine"), true));
    let picture = rig.picture();
    assert!(!picture.alerts.rules[0].enabled && picture.alerts.rules[0].matching.is_none());
    assert!(picture.notices.iter().any(|n| n.text.as_str().contains("can't be in force")));
}
