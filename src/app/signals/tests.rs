use std::sync::Arc;

use super::*;
use crate::app::keys::Chord;
use crate::app::value::Notation;
use crate::app::{AppConfig, Msg};
use crate::domain::hama::Sign;
use crate::domain::interval::Interval;
use crate::domain::time::{Mono, UnixMs};
use crate::fixture::{MADE, NOW, row, snapshot};

fn signal(seq: u64) -> SignalEvent {
    let symbol = ["AUSDT", "BUSDT", "CUSDT"][usize::try_from(seq % 3).unwrap()];
    SignalEvent {
        seq,
        pair: row(symbol).build().pair,
        tick: row(symbol).build().tick,
        interval: Interval::H1,
        dir: Sign::Up,
        close_time: UnixMs(NOW.0 - 1 - 700),
        hama_close: 101.0,
        ma: 100.0,
        dev_pct: 1.0,
        bands: None,
        score: (None, Some(60.0)),
        lag: Duration::from_millis(300),
    }
}

/// A picture whose ring holds signals `from` to `to`.
fn with(from: u64, to: u64) -> Arc<Snapshot> {
    let mut picture = snapshot(vec![row("AUSDT"), row("BUSDT"), row("CUSDT")]);
    picture.signals = (from..=to).map(signal).collect();
    Arc::new(picture)
}

fn app_of(picture: Arc<Snapshot>) -> App {
    let config = AppConfig { notation: Notation::Unicode, ..AppConfig::default() };
    let mut app = App::new(config, picture);
    app.update(MADE, Msg::Resize(120, 36));
    press(&mut app, "3");
    app
}

fn press(app: &mut App, keys: &str) {
    for chord in Chord::parse_macro(keys).unwrap() {
        app.update(app.now(), Msg::Key(chord));
    }
}

fn take(app: &mut App, picture: Arc<Snapshot>) {
    app.update(app.now(), Msg::Snapshot(picture));
}

fn log(app: &App) -> Vec<u64> {
    app.signals_from(0).map(|e| e.event.seq).collect()
}

fn under_cursor(app: &App) -> u64 {
    app.signals_from(app.signal_place()).next().unwrap().event.seq
}

#[test]
fn each_signal_is_taken_once_and_what_the_ring_lost_is_counted() {
    let mut app = app_of(with(1, 3));
    assert_eq!((log(&app), app.unread()), (vec![3, 2, 1], 3));
    take(&mut app, with(1, 3));
    take(&mut app, with(2, 5));
    assert_eq!((log(&app), app.missed_signals()), (vec![5, 4, 3, 2, 1], 0));
    take(&mut app, with(9, 10));
    assert_eq!((log(&app), app.missed_signals()), (vec![10, 9, 5, 4, 3, 2, 1], 3));
    take(&mut app, with(9, 10));
    assert_eq!(app.missed_signals(), 3);
}

#[test]
fn the_log_has_an_end_and_its_count_of_the_unread_with_it() {
    let mut app = app_of(with(1, 1));
    for n in 1..=12 {
        take(&mut app, with(n * 200 - 198, n * 200));
    }
    assert_eq!((app.signal_count(), app.unread()), (KEPT, KEPT));
    assert_eq!(app.signals_from(0).next().unwrap().event.seq, 2_400);
    press(&mut app, "M");
    assert_eq!(app.unread(), 0);
}

#[test]
fn reading_marks_the_one_under_the_cursor() {
    let mut app = app_of(with(1, 4));
    press(&mut app, "jm");
    let unread =
        |app: &App| app.signals_from(0).filter(|e| e.is_unread).map(|e| e.event.seq).collect::<Vec<_>>();
    assert_eq!((unread(&app), app.unread()), (vec![4, 2, 1], 3));
    press(&mut app, "m");
    assert_eq!(app.unread(), 3);
    press(&mut app, "M");
    take(&mut app, with(1, 6));
    assert_eq!((unread(&app), app.unread()), (vec![6, 5], 2));
}

#[test]
fn new_signals_do_not_move_the_one_under_the_cursor() {
    let mut app = app_of(with(1, 60));
    take(&mut app, with(1, 62));
    assert_eq!((under_cursor(&app), app.signal_top()), (62, 0), "nobody moved: the newest is on top");
    press(&mut app, "jj");
    take(&mut app, with(3, 65));
    assert_eq!((under_cursor(&app), app.signal_top()), (60, 3), "three are newer, out of sight");
    assert_eq!(app.signal_place() - app.signal_top(), 2, "its line is the same");
    press(&mut app, "g");
    take(&mut app, with(4, 66));
    assert_eq!((under_cursor(&app), app.signal_top()), (66, 0));
}

#[test]
fn a_signal_opens_its_pair_on_its_interval_and_is_read() {
    let mut app = app_of(with(1, 4));
    press(&mut app, "j<ret>");
    assert_eq!(app.view(), View::Detail);
    assert_eq!(app.detail_pair().unwrap().symbol.as_str(), "AUSDT");
    assert_eq!(app.detail_lane().unwrap().interval, Interval::H1);
    assert_eq!(app.unread(), 3);
    press(&mut app, "<backspace>");
    assert_eq!((app.view(), under_cursor(&app)), (View::Signals, 3));
}

#[test]
fn the_lag_to_the_screen_is_from_the_close_to_the_picture() {
    let app = app_of(with(1, 1));
    assert_eq!(app.signals_from(0).next().unwrap().shown_after, Some(Duration::from_millis(700)));
    let mut app = app_of(with(1, 1));
    let late = Mono(MADE.0 + Duration::from_millis(250));
    app.update(late, Msg::Snapshot(with(1, 2)));
    assert_eq!(app.signals_from(0).next().unwrap().shown_after, Some(Duration::from_millis(950)));
    // In a replay sixty times as fast, a second of the exchange's is a sixtieth of ours.
    let demo = crate::fixture::as_demo(Snapshot::clone(&with(1, 1)), NOW + Duration::from_secs(30));
    let demo = app_of(Arc::new(demo)).signals_from(0).next().unwrap().shown_after.unwrap();
    assert_eq!(demo.as_millis(), (300 + 30_400) / 60, "all of it by our clock");
    let mut unknown = Snapshot::clone(&with(1, 1));
    unknown.clock = None;
    assert_eq!(app_of(Arc::new(unknown)).signals_from(0).next().unwrap().shown_after, None);
}

#[test]
fn an_empty_log_has_nothing_to_open() {
    let mut app = app_of(with(1, 0));
    press(&mut app, "jkGg<pagedown>mM<ret>");
    assert_eq!((app.view(), app.unread(), app.signal_place()), (View::Signals, 0, 0));
}
