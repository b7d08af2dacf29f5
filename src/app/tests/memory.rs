//! What outlives the program, and what is remembered while it runs.

use super::*;
use crate::app::saved::Saved;

fn restored(saved: Option<Saved>) -> App {
    let mut app = app_of(assorted());
    app.set_up(Setup { saved, ..Setup::default() });
    app
}

fn prompt(app: &App) -> &str {
    app.prompt().unwrap().text()
}

#[test]
fn filters_typed_before_are_had_again() {
    let mut app = app_of(assorted());
    keys(&mut app, "/ada<ret>/<c-u>btc<ret>/<c-u>eth<ret>/<c-u>btc<ret>/<c-u>so");
    keys(&mut app, "<up>");
    assert_eq!((prompt(&app), shown(&app)), ("btc", vec!["BTCUSDT"]));
    keys(&mut app, "<up><up><up>");
    assert_eq!(prompt(&app), "ada", "each once, and no further than the first");
    keys(&mut app, "<down><down><down>");
    assert_eq!((prompt(&app), shown(&app)), ("so", vec!["SOLUSDT"]), "back to what was typed");
    keys(&mut app, "<down><esc>");
    for n in 0..60 {
        keys(&mut app, &format!("/<c-u>a{n}<ret>"));
    }
    let history = app.saved().history;
    assert_eq!((history.len(), history[49].as_str()), (50, "a59"));
}

#[test]
fn what_was_changed_is_saved_after_a_while_and_at_the_end() {
    let mut app = restored(None);
    assert_eq!(app.deadline(), None);
    keys(&mut app, "jjk");
    let at = later(&app, 3);
    assert!(app.update(at, Msg::Tick).iter().all(|e| !matches!(e, Effect::Save(_))), "nothing to keep");
    keys(&mut app, "w<space>");
    assert!(app.update(app.now(), Msg::Tick).is_empty(), "not at once");
    let due = app.now() + Duration::from_secs(1);
    assert!(app.deadline().is_some_and(|t| t <= due));
    let effects = app.update(due, Msg::Tick);
    let kept: Vec<_> = effects.iter().filter(|e| matches!(e, Effect::Save(_))).collect();
    let [Effect::Save(saved)] = kept.as_slice() else { panic!("{effects:?}") };
    assert_eq!((saved.table.columns.as_str(), saved.marks.len()), ("bands", 1));
    keys(&mut app, "I");
    let effects = keys(&mut app, "Q");
    assert!(
        matches!(effects.as_slice(), [Effect::Quit, Effect::Save(s)] if s.table.sort.inverted),
        "{effects:?}"
    );
}

#[test]
fn the_program_goes_on_where_it_was_left() {
    let mut app = restored(None);
    keys(&mut app, "/usdt -btc<ret>s<down><ret>Iwj<space>F]:view save one<ret>C!<esc>3");
    let saved = app.saved();
    let mut again = restored(Some(saved.clone()));
    assert_eq!(again.saved(), saved);
    assert_eq!((again.view(), again.filter().source()), (View::Signals, "usdt -btc"));
    assert_eq!(again.column_set(), app.column_set());
    assert_eq!((shown(&again), again.lane()), (shown(&app), 1));
    assert!(again.toast().is_none() && !again.greets());
    assert!(keys(&mut again, "Q") == [Effect::Quit], "nothing was changed");
}

#[test]
fn a_saved_filter_that_is_none_any_more_is_told() {
    let mut saved = restored(None).saved();
    saved.table.filter = "@gone".to_owned();
    let app = restored(Some(saved));
    assert!(app.toast().unwrap().text.contains("the saved filter can't be used"), "{:?}", app.toast());
    assert_eq!(app.matches(), 12);
}

#[test]
fn a_view_is_kept_by_name_brought_back_and_forgotten() {
    let mut app = app_of(assorted());
    keys(&mut app, "/eth<ret>Iw:view save one<ret>\\Iw:view one<ret>");
    assert_eq!((app.filter().source(), app.sort().inverted), ("eth", true));
    assert_eq!(app.column_set().name, "bands");
    keys(&mut app, ":view delete one<ret>:view one<ret>");
    assert!(app.toast().unwrap().text.contains("no view is kept as one"));
    assert!(app.saved().views.is_empty());
}

#[test]
fn a_filter_that_is_typed_only_half_is_not_saved() {
    let mut app = restored(None);
    keys(&mut app, "/eth<ret>/ usd");
    assert_eq!(app.saved().table.filter, "eth");
}

#[test]
fn who_is_new_is_greeted_until_the_first_key() {
    let mut app = restored(None);
    assert!(app.greets());
    app.update(later(&app, 60), Msg::Tick);
    assert!(app.greets());
    keys(&mut app, "j");
    assert!(!app.greets());
}

#[test]
fn a_saved_order_that_is_none_any_more_is_told() {
    let mut saved = restored(None).saved();
    saved.table.sort = "5m.dist".parse().unwrap();
    let app = restored(Some(saved));
    let said = app.toast().unwrap().text.as_str();
    assert!(said.contains("the saved order can't be used: `5m` is not among"), "{said}");
    assert_eq!(app.sort().to_string(), "score");
}

#[test]
fn a_file_edited_by_hand_brings_no_more_than_could_have_been_kept() {
    use crate::app::saved::SavedView;
    let pair = |n| crate::domain::symbol::Pair {
        market: crate::domain::symbol::Market::UsdM,
        symbol: format!("A{n}USDT").parse().unwrap(),
    };
    let view = |n| SavedView { name: format!("{n:040}"), table: restored(None).saved().table };
    let app = restored(Some(Saved {
        marks: (0..2_100).map(pair).collect(),
        views: (0..60).map(view).collect(),
        history: (0..60).map(|n| format!("a{n}")).collect(),
        ..restored(None).saved()
    }));
    let kept = app.saved();
    assert_eq!((kept.marks.len(), kept.views.len(), kept.history.len()), (2_000, 50, 50));
    assert_eq!((kept.views[0].name.len(), kept.history[49].as_str()), (32, "a59"));
}

#[test]
fn a_look_that_is_asked_for_is_worn_and_the_chosen_one_stays_chosen() {
    use crate::app::look::{Look, Palette, ThemeName, Wears};
    let themes = ["dark", "light"].map(|n| ThemeName { name: n.into(), about: String::new() });
    let asked = Look { theme: 1, palette: Palette::GreenUp };
    let start = |saved, wears| {
        let config = AppConfig { themes: Arc::new(themes.clone()), look: asked, ..AppConfig::default() };
        let mut app = App::new(config, Arc::new(assorted()));
        app.set_up(Setup { saved, wears, ..Setup::default() });
        app
    };
    let mut app = start(None, Wears::Asked);
    assert_eq!((app.look(), app.saved().theme), (asked, None), "nobody chose it");
    keys(&mut app, "Tk<tab><ret>");
    let chosen = Some(("dark".to_owned(), Palette::RedUp));
    assert_eq!(app.saved().theme, chosen);
    let again = start(Some(app.saved()), Wears::Asked);
    assert_eq!((again.look(), again.saved().theme), (asked, chosen));
    assert_eq!(start(Some(app.saved()), Wears::Chosen).look(), app.look());
}
