//! Rows that stay put, marks, columns.

use super::*;
use crate::app::changed::News;
use crate::app::list::Keep;

/// Thirty pairs, scored downwards from `first` in the order of `names`.
fn ranked(names: &[&str]) -> Arc<Snapshot> {
    let score = |n: usize| 90.0 - f64::from(u16::try_from(n).unwrap());
    Arc::new(snapshot(names.iter().enumerate().map(|(n, name)| row(name).score(score(n))).collect()))
}

fn thirty() -> Vec<String> {
    (0..30).map(|n| format!("S{n:02}USDT")).collect()
}

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The same pairs with the third one last.
fn third_falls() -> (App, Arc<Snapshot>) {
    let names = thirty();
    let mut app = app_of((*ranked(&refs(&names))).clone());
    keys(&mut app, "jj");
    assert_eq!(selected(&app), "S02USDT");
    let mut after = names.clone();
    let third = after.remove(2);
    after.push(third);
    (app, ranked(&refs(&after)))
}

#[test]
fn without_following_the_screen_stays_and_the_cursor_on_its_pair() {
    let (mut app, after) = third_falls();
    app.update(later(&app, 5), Msg::Snapshot(after));
    assert_eq!((selected(&app), app.place(), app.top()), ("S02USDT", 29, 0));
    keys(&mut app, "k");
    assert_eq!((selected(&app), app.top()), ("S29USDT", 7), "the next motion goes after it");
}

#[test]
fn following_the_screen_goes_where_the_pair_goes() {
    let (mut app, after) = third_falls();
    keys(&mut app, "F");
    assert_eq!(app.keeps(), Keep::Cursor);
    app.update(later(&app, 5), Msg::Snapshot(after));
    assert_eq!((selected(&app), app.place(), app.top()), ("S02USDT", 29, 8));
    let (mut app, after) = third_falls();
    app.update(later(&app, 5), Msg::Snapshot(after));
    keys(&mut app, "F");
    assert_eq!(app.top(), 8, "who follows sees what he follows");
    keys(&mut app, "F");
    assert_eq!(app.keeps(), Keep::Screen);
}

#[test]
fn a_frozen_order_stays_until_it_is_let_go_or_another_is_asked_for() {
    let (mut app, after) = third_falls();
    keys(&mut app, "Z");
    assert!(app.is_frozen());
    for seconds in [5, 60, 3600] {
        app.update(later(&app, seconds), Msg::Snapshot(Arc::clone(&after)));
        app.update(later(&app, 5), Msg::Tick);
        assert_eq!((shown(&app)[2], shown(&app)[29]), ("S02USDT", "S29USDT"));
    }
    keys(&mut app, "/s1<ret>");
    assert_eq!(shown(&app)[0], "S10USDT");
    keys(&mut app, "\\");
    assert_eq!(shown(&app)[2], "S02USDT", "a filter that comes and goes leaves the order");
    keys(&mut app, "I");
    assert!(app.is_frozen());
    assert_eq!(shown(&app)[0], "S02USDT", "who sorts wants the order of now");
    app.update(later(&app, 60), Msg::Snapshot(ranked(&refs(&thirty()))));
    assert_eq!(shown(&app)[0], "S02USDT");
    keys(&mut app, "Z");
    assert!(!app.is_frozen());
    assert_eq!(shown(&app)[0], "S29USDT");
}

#[test]
fn ranks_change_at_most_once_a_second() {
    let (a, b) = (ranked(&["AUSDT", "BUSDT"]), ranked(&["BUSDT", "AUSDT"]));
    let mut app = app_of((*a).clone());
    let start = later(&app, 10);
    app.update(start, Msg::Snapshot(Arc::clone(&b)));
    assert_eq!(shown(&app), ["BUSDT", "AUSDT"]);
    app.update(start + Duration::from_millis(250), Msg::Snapshot(Arc::clone(&a)));
    assert_eq!(shown(&app), ["BUSDT", "AUSDT"], "not yet");
    let due = app.deadline().unwrap();
    assert_eq!(due, start + Duration::from_secs(1));
    app.update(due, Msg::Tick);
    assert_eq!((shown(&app), app.deadline()), (vec!["AUSDT", "BUSDT"], None));
}

#[test]
fn what_changed_is_marked_until_the_next_key() {
    let before = || snapshot(vec![row("AUSDT").score(60.0), row("BUSDT").score(50.0)]);
    let mut app = app_of(before());
    keys(&mut app, "j");
    let after = vec![row("AUSDT").score(60.0), row("BUSDT").score(75.0), row("CUSDT").score(10.0)];
    app.update(later(&app, 5), Msg::Snapshot(Arc::new(snapshot(after))));
    let news: Vec<_> = (0..3).map(|n| app.news(n)).collect();
    assert_eq!(shown(&app), ["BUSDT", "AUSDT", "CUSDT"]);
    assert_eq!(news, [Some(News::Changed), None, Some(News::New)]);
    assert_eq!(app.news_count(), 2);
    app.update(later(&app, 60), Msg::Tick);
    assert_eq!(app.news_count(), 2, "time alone is nobody who looks");
    keys(&mut app, "k");
    assert_eq!((app.news_count(), app.news(0)), (0, None));
}

#[test]
fn marks_are_put_taken_off_and_shown_alone() {
    let mut app = app_of(assorted());
    keys(&mut app, "W");
    assert!(app.toast().unwrap().text.contains("Space marks one"));
    keys(&mut app, "<space>j<space>");
    let marked: Vec<_> = app.marks().iter().map(|p| p.symbol.to_string()).collect();
    assert_eq!(marked, ["BTCUSDT", "ETHUSDT"]);
    keys(&mut app, "W");
    assert_eq!((shown(&app), app.shown()), (vec!["BTCUSDT", "ETHUSDT"], Shown::Marked));
    keys(&mut app, "\\/mark<ret>");
    assert_eq!(app.matches(), 2, "filters know marks");
    keys(&mut app, "\\g<space><space>");
    assert_eq!((app.marks().len(), app.shown(), app.matches()), (0, Shown::Matching, 12));
    keys(&mut app, "<space>U");
    assert!(app.marks().is_empty());
    keys(&mut app, "/mark<ret>");
    assert_eq!(app.matches(), 0, "and that they are gone");
}

#[test]
fn sets_of_columns_come_round_and_are_edited() {
    let mut app = app_of(assorted());
    let mine = ColumnSet::parse("mine", &["sym".to_owned(), "15m.dist".to_owned()]).unwrap();
    app.set_up(Setup { columns: vec![mine], ..Setup::default() });
    let ids = |app: &App| app.columns().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let overview = ids(&app);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(app.column_set().name);
        keys(&mut app, "w");
    }
    assert_eq!(seen, ["overview", "bands", "figures", "scores", "feed", "mine"]);
    assert_eq!(ids(&app), overview, "round");
    keys(&mut app, ":columns mine<ret>");
    // Hidden, shown again (at the end), moved left, pinned.
    keys(&mut app, "Cj<space>");
    assert_eq!(ids(&app), "sym");
    keys(&mut app, "<space>j<space>HL!");
    assert!(ids(&app).starts_with("sym 15m.dist ") && app.column_set().pinned.len() == 1);
    let last = ids(&app);
    keys(&mut app, "g<space>!");
    assert!(ids(&app) == last, "the name stays");
    keys(&mut app, "0<esc>");
    assert_eq!(ids(&app), "sym 15m.dist");
}

#[test]
fn names_and_rows_are_copied() {
    let mut app = app_of(assorted());
    assert_eq!(keys(&mut app, "y"), [Effect::Copy("BTCUSDT".to_owned())]);
    let effects = keys(&mut app, "Y");
    let [Effect::Copy(text)] = effects.as_slice() else { panic!("{effects:?}") };
    let cells: Vec<_> = text.split('\t').collect();
    assert_eq!(cells.len(), app.columns().len());
    assert!(cells[0] == "BTCUSDT" && cells[1].parse::<f64>().is_ok() && text.is_ascii(), "{text}");
}

#[test]
fn the_page_of_the_pair_is_opened_from_the_table_and_from_the_detail() {
    let mut app = app_of(assorted());
    let page = |name: &str| vec![Effect::Link(format!("https://www.binance.com/en/futures/{name}"))];
    assert_eq!(keys(&mut app, "o"), page("BTCUSDT"));
    keys(&mut app, "j<ret>");
    assert_eq!(keys(&mut app, "o"), page("XRPUSDT"));
}

#[test]
fn enter_opens_the_detail_and_backspace_goes_back() {
    let mut app = app_of(assorted());
    keys(&mut app, "j<ret>");
    assert_eq!((app.view(), selected(&app)), (View::Detail, "XRPUSDT"));
    keys(&mut app, "<backspace>");
    assert_eq!(app.view(), View::Scanner);
}

#[test]
fn escape_clears_the_filter_only_where_it_is_followed() {
    let mut app = app_of(assorted());
    keys(&mut app, "/btc<ret>");
    for view in ["2", "3", "5", "6"] {
        keys(&mut app, view);
        keys(&mut app, "<esc>");
        assert_eq!(app.filter().source(), "btc", "{view}");
    }
    keys(&mut app, "4<esc>");
    assert!(app.filter().is_empty());
}

#[test]
fn the_caches_list_has_its_own_order_and_no_keys_for_another() {
    let mut app = app_of(assorted());
    let before = app.sort();
    keys(&mut app, "4<lt>>Is<f6>");
    assert_eq!((app.sort(), app.overlay().is_none()), (before, true));
    keys(&mut app, "1I");
    assert!(app.sort().inverted);
}

#[test]
fn series_change_their_places_with_their_ages_once_a_second_and_not_at_each_key() {
    let mut picture = snapshot(vec![row("AUSDT"), row("BUSDT")]);
    let back = Duration::from_millis(59_500);
    for lane in &mut Arc::make_mut(&mut picture.rows[1]).lanes {
        lane.seen = lane.seen.map(|t| t - back);
    }
    picture.made = Mono::from_millis(10_000);
    let mut app = app_of(picture);
    let first = |app: &App| app.series_shown().next().unwrap().row.pair.symbol.to_string();
    keys(&mut app, "4");
    assert_eq!(first(&app), "AUSDT");
    // The last word on the other is a minute old by now.
    app.update(app.now() + Duration::from_millis(700), Msg::Tick);
    assert_eq!(first(&app), "AUSDT");
    app.update(app.now() + Duration::from_millis(300), Msg::Tick);
    assert_eq!(first(&app), "BUSDT");
    keys(&mut app, "/ausdt<ret>");
    assert_eq!((first(&app).as_str(), app.series_count().0), ("AUSDT", 3), "a filter counts at once");
    keys(&mut app, "1\\4");
    assert_eq!((first(&app).as_str(), app.series_count().0), ("BUSDT", 6));
    app.update(app.now(), Msg::Snapshot(Arc::new(snapshot(vec![row("CUSDT")]))));
    assert_eq!((first(&app).as_str(), app.series_count().0), ("CUSDT", 3), "and a picture");
}

#[test]
fn an_order_on_an_interval_that_is_not_shown_is_refused() {
    let mut app = app_of(assorted());
    keys(&mut app, ":sort -1h.dist<ret>");
    assert_eq!(app.sort().to_string(), "-1h.dist");
    keys(&mut app, ":sort 5m.dist<ret>");
    let said = app.toast().unwrap().text.as_str();
    assert!(said.contains("`5m` is not among the intervals (15m, 1h, 4h)"), "{said}");
    assert_eq!(app.sort().to_string(), "-1h.dist");
    keys(&mut app, ":sort 1h.dist<ret>");
    assert_eq!(app.sort().to_string(), "1h.dist", "turned round alone");
}
