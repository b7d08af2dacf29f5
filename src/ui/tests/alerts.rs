//! The rules and what they told.

use std::time::Duration;

use super::*;
use crate::domain::symbol::Pair;
use crate::market::snapshot::{Alert, AlertsView, Edge, FireOn, RuleView, Timing};

fn rule(name: &str, when: &str, matching: Option<u32>) -> RuleView {
    RuleView {
        name: CleanText::new(name),
        when: CleanText::new(when),
        timing: Timing::default(),
        enabled: matching.is_some(),
        matching,
        unknown: 2,
        fired: 31,
        quiet: 4,
        waiting: 1,
        refused: None,
        last: Some(NOW - Duration::from_secs(90)),
    }
}

fn alert(seq: u64, name: &str, edge: Edge) -> Alert {
    Alert {
        seq,
        rule: CleanText::new("aligned"),
        pair: Pair { market: Market::UsdM, symbol: name.parse().unwrap() },
        edge,
        at: Some(NOW - Duration::from_secs(90)),
        told: MADE,
        last: Some(214.08),
        tick: crate::domain::symbol::Tick { decimals: 4 },
        score: Some(94),
    }
}

fn with_alerts() -> Snapshot {
    let mut picture = assorted();
    let squeeze = RuleView {
        timing: Timing { on: FireOn::Both, debounce: Duration::ZERO, cooldown: Duration::from_secs(1_800) },
        last: None,
        fired: 0,
        ..rule("squeeze-out", "bb:expand prev.bb:squeeze vol>10m (chg>5% | chg<-5%) 4h.dist>1%", Some(0))
    };
    let why = "filter, column 1: `5m` is not among the intervals (15m, 1h, 4h)";
    let resting = RuleView { refused: Some(CleanText::new(why)), ..rule("resting", "5m:bull", None) };
    picture.alerts = AlertsView {
        rules: vec![rule("aligned", "all:bull cross<=2", Some(3)), squeeze, resting],
        told: [alert(1, "SOLUSDT", Edge::Entered), alert(2, "币安人生USDT", Edge::Left)].into(),
    };
    picture
}

#[test]
fn alerts_at_three_sizes() {
    for (name, size) in [("120x36", (120, 36)), ("80x24", (80, 24)), ("60x16", (60, 16))] {
        let mut app = app_of(with_alerts(), size);
        press(&mut app, "6j");
        insta::assert_snapshot!(format!("alerts_{name}"), text(&buffer(&app)));
    }
}

#[test]
fn without_rules_it_says_how_to_get_one() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "6");
    let text = text(&buffer(&app));
    assert!(text.contains("no rules yet") && text.contains("[alerts.NAME]"), "{text}");
    assert!(!text.contains("told"), "{text}");
}
