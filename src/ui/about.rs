//! What stands in place of the filter in the views that do not follow it: what they have of it, with
//! no key that means nothing there.

use crate::app::action::Action;
use crate::app::alerts::Act;
use crate::app::{App, View};

use super::theme::Role;

type Spans = Vec<(String, Role)>;

/// `None` in the views that follow the filter.
pub(super) fn about(app: &App) -> Option<Spans> {
    match app.view() {
        View::Scanner | View::Cache => None,
        View::Detail => Some(neighbours(app)),
        View::Signals | View::Scheduler => Some(Spans::new()),
        View::Alerts => Some(next_rule(app)),
    }
}

/// Where the pair stands among those that match, and of which interval its figures are.
fn neighbours(app: &App) -> Spans {
    let (matches, source) = (app.matches(), app.filter().source());
    let mut spans = match app.detail_place() {
        Some(place) => vec![(format!(" {} of {matches}", place + 1), Role::Text)],
        None => vec![(format!(" none of {matches}"), Role::Text)],
    };
    let interval = app.snapshot().intervals.get(app.lane());
    spans.extend(interval.map(|i| (format!("  figures: {i}"), Role::Text)));
    if !source.is_empty() {
        spans.push(("  filter: ".to_owned(), Role::Dim));
        spans.push((source.to_owned(), Role::Title));
    }
    spans
}

/// The rule that a key would make, or how to get one.
fn next_rule(app: &App) -> Spans {
    let source = app.filter().source();
    let key = |action| (app.key_of(action), Role::Key);
    let word = |text: &str| (text.to_owned(), Role::Dim);
    if source.is_empty() {
        let scanner = key(Action::Show(View::Scanner));
        return vec![
            word(" a rule watches a filter: "),
            scanner,
            word(" "),
            key(Action::EditFilter),
            word(" to type one"),
        ];
    }
    let rule = (source.to_owned(), Role::Title);
    vec![word(" "), key(Action::Alerts(Act::FromFilter)), word(" makes a rule of: "), rule]
}
