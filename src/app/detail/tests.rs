use super::*;
use crate::app::keys::Chord;
use crate::app::value::Notation;
use crate::app::{AppConfig, Msg};
use crate::fixture::{MADE, assorted, row, snapshot};
use crate::market::snapshot::Snapshot;
use crate::replayed::{self, UNTIL};

fn app_of(picture: Snapshot) -> App {
    let config = AppConfig { notation: Notation::Unicode, ..AppConfig::default() };
    let mut app = App::new(config, Arc::new(picture));
    app.update(MADE, Msg::Resize(120, 36));
    app
}

fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let chords = Chord::parse_macro(keys).unwrap().into_iter();
    chords.flat_map(|chord| app.update(app.now(), Msg::Key(chord))).collect()
}

/// What the engine is told of the bars that are wanted.
fn told(app: &mut App, now: Mono) -> Vec<Effect> {
    let is_focus = |e: &Effect| matches!(e, Effect::Send(Command::Focus(_)));
    app.update(now, Msg::Tick).into_iter().filter(is_focus).collect()
}

fn focus(symbol: &str) -> Effect {
    Effect::Send(Command::Focus(Some(row(symbol).build().pair)))
}

fn name(app: &App) -> &str {
    app.detail_pair().unwrap().symbol.as_str()
}

fn replay() -> App {
    let mut app = app_of(replayed::picture("BTCUSDT", UNTIL));
    press(&mut app, "<ret>");
    app
}

/// The open times of the first and the last column.
fn edges(app: &App) -> (UnixMs, UnixMs) {
    let chart = app.chart().unwrap();
    (chart.columns[0].open_time, chart.columns.last().unwrap().open_time)
}

#[test]
fn the_engine_is_told_what_is_looked_at_and_when_no_more() {
    let mut app = app_of(assorted());
    assert_eq!(press(&mut app, "<ret>"), [focus("BTCUSDT")]);
    assert_eq!(app.view(), View::Detail);
    assert_eq!(press(&mut app, "m"), [], "it knows");
    assert_eq!(press(&mut app, "n"), [focus("XRPUSDT")]);
    assert_eq!(press(&mut app, "q"), [Effect::Send(Command::Focus(None))]);
    assert_eq!(press(&mut app, "2"), [focus("XRPUSDT")]);
}

#[test]
fn an_engine_that_had_no_room_is_told_again() {
    let mut app = app_of(assorted());
    press(&mut app, "<ret>");
    let none = app.update(app.now(), Msg::Busy(Command::Focus(None)));
    assert_eq!(none, [], "what is done in answer to that is not carried out");
    assert!(app.toast().is_none(), "nobody asked for it by a key");
    let now = app.now();
    assert_eq!(told(&mut app, now), [focus("BTCUSDT")]);
    assert_eq!(told(&mut app, now + Duration::from_secs(1)), []);
    // The bars do not come: the engine may have lost the pair and found it again.
    assert_eq!(told(&mut app, now + ASK_AGAIN), [focus("BTCUSDT")]);
}

#[test]
fn pairs_follow_in_the_scanners_order_and_its_cursor_goes_along() {
    let mut app = app_of(assorted());
    let order: Vec<String> = app.rows_from(0).map(|r| r.pair.symbol.to_string()).collect();
    press(&mut app, "<ret>");
    for want in &order[1..4] {
        press(&mut app, "n");
        assert_eq!((name(&app), app.selected().unwrap().pair.symbol.as_str()), (&**want, &**want));
    }
    press(&mut app, "pk");
    assert_eq!(name(&app), order[1]);
    press(&mut app, "kkk");
    assert_eq!(name(&app), order[0], "there is none before the first");
    press(&mut app, &"n".repeat(40));
    assert_eq!(name(&app), order[order.len() - 1]);
}

#[test]
fn the_pair_stays_when_the_order_changes() {
    let mut app = app_of(snapshot(vec![row("AUSDT").score(90.0), row("BUSDT").score(80.0)]));
    press(&mut app, "<ret>");
    assert_eq!(name(&app), "AUSDT");
    let turned = snapshot(vec![row("AUSDT").score(70.0), row("BUSDT").score(95.0)]);
    app.update(app.now() + Duration::from_secs(9), Msg::Snapshot(Arc::new(turned)));
    assert_eq!((name(&app), app.detail_place()), ("AUSDT", Some(1)));
    app.update(app.now(), Msg::Snapshot(Arc::new(snapshot(vec![row("BUSDT")]))));
    assert!(app.detail_row().is_none() && app.chart().is_none(), "it is gone, and nothing is in its place");
    assert_eq!(name(&app), "AUSDT");
}

#[test]
fn a_view_from_elsewhere_keeps_its_pair_and_one_from_the_rows_has_theirs() {
    let mut app = app_of(assorted());
    press(&mut app, "jj<ret>");
    let third = name(&app).to_owned();
    press(&mut app, "32");
    assert_eq!(name(&app), third);
    press(&mut app, "1g2");
    assert_ne!(name(&app), third);
}

#[test]
fn the_chart_pans_to_both_ends_and_no_further() {
    let mut app = replay();
    let newest = edges(&app);
    press(&mut app, "l");
    assert_eq!(edges(&app), newest);
    press(&mut app, "hh");
    let back = edges(&app);
    assert!(back.0 < newest.0 && back.1 < newest.1 && !app.chart_view().follows);
    press(&mut app, "l<right>");
    assert_eq!(edges(&app), newest);
    assert!(app.chart_view().follows);
    press(&mut app, "g");
    let oldest = app.study().unwrap().klines[0].open_time();
    assert_eq!(edges(&app).0, oldest);
    press(&mut app, "hhh<pageup>");
    assert_eq!(edges(&app).0, oldest);
    for key in ["0", "G", "<end>"] {
        press(&mut app, "g");
        press(&mut app, key);
        assert_eq!(edges(&app), newest, "{key}");
    }
}

#[test]
fn new_bars_move_a_chart_that_shows_the_newest_and_no_other() {
    let later = replayed::picture("BTCUSDT", UNTIL + Duration::from_secs(3_600));
    for (keys, moves) in [("", true), ("hhh", false), ("-hh", false)] {
        let mut app = replay();
        press(&mut app, keys);
        let before = edges(&app);
        app.update(app.now(), Msg::Snapshot(Arc::new(later.clone())));
        let after = edges(&app);
        assert_eq!(after.1 != before.1, moves, "{keys}");
        assert_eq!(app.chart_view().follows, moves);
    }
}

#[test]
fn zoom_shows_more_bars_in_as_many_columns_and_ends_at_the_ends() {
    let mut app = replay();
    let bars = |app: &App| app.chart_view().bars;
    let newest = |app: &App| app.study().unwrap().klines.last().unwrap().open_time();
    press(&mut app, "+");
    assert_eq!(bars(&app), 1);
    let mut seen = vec![];
    for _ in 0..9 {
        press(&mut app, "-");
        seen.push(bars(&app));
        let last = edges(&app).1;
        assert!(
            newest(&app).since(last) < Duration::from_secs(900) * bars(&app),
            "the newest bar is in the last column"
        );
    }
    assert_eq!(seen, [2, 3, 4, 6, 8, 12, 24, 24, 24]);
    press(&mut app, "++++++++");
    assert_eq!(bars(&app), 1);
}

#[test]
fn intervals_are_changed_and_their_ends_reached() {
    let mut app = replay();
    let interval = |app: &App| app.detail_lane().unwrap().interval.as_str();
    for (key, want) in [("]", "1h"), ("}", "4h"), ("[", "1h"), ("{", "15m"), ("[", "15m")] {
        press(&mut app, key);
        assert_eq!(interval(&app), want, "{key}");
        let klines = app.detail_lane().unwrap().klines.clone().unwrap();
        assert!(Arc::ptr_eq(&klines, &app.study().unwrap().klines), "the bars are of it");
    }
}

#[test]
fn the_indicator_is_computed_once_for_the_same_bars() {
    let mut app = replay();
    let place = |app: &App| app.study().unwrap().points.as_ptr();
    let first = place(&app);
    let mut same = app.snapshot().clone();
    same.seq += 1;
    app.update(app.now(), Msg::Snapshot(Arc::new(same)));
    app.update(app.now() + Duration::from_secs(5), Msg::Tick);
    assert_eq!(place(&app), first);
    press(&mut app, "1");
    assert!(app.study().is_none(), "nothing is kept for a view that is not open");
}

#[test]
fn without_bars_there_is_no_chart() {
    for row in [row("AUSDT"), row("AUSDT").unknown(), row("AUSDT").failed("refused")] {
        let mut app = app_of(snapshot(vec![row]));
        press(&mut app, "<ret>-+hlg0tmbv");
        assert!(app.chart().is_none() && app.study().is_none());
    }
    let mut app = app_of(snapshot(Vec::new()));
    assert_eq!(press(&mut app, "2np"), []);
    assert!(app.detail_pair().is_none());
}

/// Too few bars for HAMA are enough for the market's candles.
#[test]
fn few_bars_draw_what_they_can() {
    let mut app = app_of(snapshot(vec![row("AUSDT").klines(20)]));
    press(&mut app, "<ret>");
    assert!(app.study().is_some() && app.chart().is_none());
    press(&mut app, "t");
    assert_eq!(app.chart().unwrap().columns.len(), 20);
}

#[test]
fn escape_leaves_the_filter_alone_here() {
    let mut app = app_of(assorted());
    press(&mut app, "/usdt<ret><ret><esc>");
    assert_eq!((app.view(), app.filter().source()), (View::Detail, "usdt"));
}

#[test]
fn from_the_cache_the_pair_of_the_series_under_the_cursor_is_opened() {
    let mut app = app_of(assorted());
    press(&mut app, "4j");
    let series = app.series_selected().unwrap().row.pair.clone();
    assert_ne!(series, app.selected().unwrap().pair);
    press(&mut app, "2");
    assert_eq!(app.detail_pair(), Some(&series));
}

#[test]
fn a_pair_gone_to_by_name_is_shown_at_once() {
    let mut app = app_of(assorted());
    press(&mut app, "<ret>:goto eth<ret>");
    assert_eq!((app.view(), name(&app)), (View::Detail, "ETHUSDT"));
    assert_eq!(app.selected().unwrap().pair.symbol.as_str(), "ETHUSDT", "and the cursor goes along");
}
