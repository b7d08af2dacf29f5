//! The rules that watch the market, and what they told.

use std::fmt::Write as _;
use std::time::Duration;

use crate::app::action::Action;
use crate::app::alerts::Act;
use crate::app::column::Align;
use crate::app::layout::Tier;
use crate::app::text::Precision;
use crate::app::value::Value;
use crate::app::zone::Zone;
use crate::app::{App, View};
use crate::market::snapshot::{Alert, Edge, RuleView};

use super::canvas::Canvas;
use super::theme::Role;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let pane = app.rules_pane();
    if app.snapshot().alerts.rules.is_empty() {
        draw_empty(app, canvas, pane.first);
        return;
    }
    heading(canvas, pane.first - 1, RULES);
    let x = draw_spans(canvas, pane.first - 1, SPANS.0, Role::Heading);
    canvas.text(x, pane.first - 1, 8, "FILTER", Role::Heading);
    for (y, (rule, is_selected)) in (pane.first..).zip(app.rules_shown()) {
        draw_rule(canvas, y, rule, &app.config().zone);
        if is_selected {
            canvas.select(y, 1..1 + RULES[0].2);
        }
    }
    let below = pane.first + u16::try_from(pane.rows).unwrap_or(u16::MAX);
    draw_told(app, canvas, below);
}

/// What stands above, where it begins, how wide it is.
struct Heading(&'static str, u16, u16, Align);

impl Heading {
    fn text(&self, canvas: &mut Canvas<'_>, y: u16, text: &str, role: Role) {
        // Half a figure is none.
        if self.1 + self.2 <= canvas.cols() {
            canvas.field((self.1, y), self.2, self.3, text, role);
        }
    }
}

const RULES: &[Heading] = &[
    Heading("RULE", 1, 12, Align::Left),
    Heading("ON", 14, 3, Align::Left),
    Heading("AT", 18, 5, Align::Left),
    Heading("MATCH", 24, 5, Align::Right),
    Heading("?", 30, 3, Align::Right),
    Heading("WAIT", 34, 4, Align::Right),
    Heading("FIRED", 39, 5, Align::Right),
    Heading("TOLD", 45, 5, Align::Right),
];

/// How long a change has to last and how long the rule is quiet after it: left out where the filter
/// would have no room.
const SPANS: Heading = Heading("FOR/QUIET", 51, 9, Align::Left);
const FILTER: u16 = 61;
const WITH_SPANS: u16 = 100;

const TOLD: &[Heading] = &[
    Heading("TIME", 1, 8, Align::Left),
    Heading("RULE", 10, 12, Align::Left),
    Heading("SYMBOL", 23, 14, Align::Left),
    Heading("CHANGE", 38, 9, Align::Left),
    Heading("SCORE", 48, 6, Align::Right),
    Heading("PRICE", 55, 12, Align::Right),
];

fn heading(canvas: &mut Canvas<'_>, y: u16, columns: &[Heading]) {
    for heading in columns {
        heading.text(canvas, y, heading.0, Role::Heading);
    }
}

fn draw_rule(canvas: &mut Canvas<'_>, y: u16, rule: &RuleView, zone: &Zone) {
    let shade = if rule.enabled { Role::Text } else { Role::Dim };
    let absent = canvas.notation.absent();
    let figure = |n: Option<u32>| n.map_or_else(|| absent.to_string(), |n| n.to_string());
    let open = rule.matching.map(|_| rule.unknown);
    let last = rule.last.map_or_else(|| absent.to_string(), |at| zone.time(at, Precision::Minute));
    let texts = [
        rule.name.as_str().to_owned(),
        if rule.enabled { "on" } else { "off" }.to_owned(),
        rule.timing.on.as_str().to_owned(),
        figure(rule.matching),
        figure(open),
        figure(rule.matching.map(|_| rule.waiting)),
        rule.fired.to_string(),
        last,
    ];
    for (heading, text) in RULES.iter().zip(&texts) {
        heading.text(canvas, y, text, shade);
    }
    let spans = format!("{}/{}", span(rule.timing.debounce), span(rule.timing.cooldown));
    let x = draw_spans(canvas, y, &spans, shade);
    let (filter, shade) = match &rule.refused {
        Some(why) => (format!("{}: {why}", rule.when), Role::Warn),
        None => (rule.when.as_str().to_owned(), shade),
    };
    canvas.text(x, y, canvas.cols().saturating_sub(x), &filter, shade);
}

/// Says where the filter begins.
fn draw_spans(canvas: &mut Canvas<'_>, y: u16, text: &str, role: Role) -> u16 {
    if canvas.cols() < WITH_SPANS {
        return SPANS.1;
    }
    SPANS.text(canvas, y, text, role);
    FILTER
}

fn span(time: Duration) -> String {
    let mut out = String::new();
    let _ = match time.as_secs() {
        0 => write!(out, "0"),
        s if s % 3_600 == 0 => write!(out, "{}h", s / 3_600),
        s if s % 60 == 0 => write!(out, "{}m", s / 60),
        s => write!(out, "{s}s"),
    };
    out
}

fn draw_told(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let end = canvas.lines().saturating_sub(if app.shape().tier == Tier::Roomy { 2 } else { 1 });
    if y + 3 > end {
        return;
    }
    canvas.rule(y, "told, newest first");
    heading(canvas, y + 1, TOLD);
    let mut told = app.told().peekable();
    if told.peek().is_none() {
        canvas.text(1, y + 2, canvas.cols() - 1, "nothing yet", Role::Dim);
    }
    for (y, alert) in (y + 2..end).zip(told) {
        draw_alert(canvas, y, alert, &app.config().zone);
    }
}

fn draw_alert(canvas: &mut Canvas<'_>, y: u16, alert: &Alert, zone: &Zone) {
    let absent = canvas.notation.absent().to_string();
    // No colour of up or down: a pair may enter a rule about falling.
    let (sign, role) = match alert.edge {
        Edge::Entered => ("+ ", Role::Title),
        Edge::Left => ("- ", Role::Text),
    };
    let cell = |value: Option<Value<'_>>, wide: u16| {
        let mut out = String::new();
        value.unwrap_or(Value::Absent).write(canvas.notation, usize::from(wide), &mut out);
        out
    };
    let score = alert.score.map(|n| Value::Score { shown: n, raw: f64::from(n), partial: false });
    let texts = [
        (alert.at.map_or(absent, |at| zone.time(at, Precision::Second)), Role::Text),
        (alert.rule.as_str().to_owned(), Role::Text),
        (alert.pair.symbol.to_string(), Role::Text),
        (format!("{sign}{}", alert.edge.as_str()), role),
        (cell(score, 6), Role::Text),
        (cell(alert.last.map(|p| Value::Price(p, alert.tick)), 12), Role::Text),
    ];
    for (heading, (text, role)) in TOLD.iter().zip(&texts) {
        heading.text(canvas, y, text, *role);
    }
}

/// What to do about an empty table.
fn draw_empty(app: &App, canvas: &mut Canvas<'_>, y: u16) {
    let scanner = app.key_of(Action::Show(View::Scanner));
    let (filter, rule) = (app.key_of(Action::EditFilter), app.key_of(Action::Alerts(Act::FromFilter)));
    let lines = [
        "no rules yet".to_owned(),
        format!(
            "{scanner} {filter} type a filter, Enter, then {rule}: the filter becomes a rule until you quit"
        ),
        "rules that stay: [alerts.NAME] in the config file (hamatop config example)".to_owned(),
    ];
    for (y, (line, role)) in (y..).zip(lines.iter().zip([Role::Text, Role::Dim, Role::Dim])) {
        canvas.text(2, y, canvas.cols().saturating_sub(2), line, role);
    }
}
