//! The windows over the view, the mouse, the keys of one's own.

use super::*;
use crate::app::layout::{place, tabs};

fn overlay(app: &App) -> &Overlay {
    app.overlay().unwrap()
}

fn found(app: &App) -> Vec<&str> {
    let Overlay::Palette(palette) = overlay(app) else { panic!("no palette") };
    palette.found().iter().map(|e| e.text.as_str()).collect()
}

fn click(app: &mut App, x: u16, y: u16) -> Vec<Effect> {
    app.update(app.now() + Duration::from_millis(10), Msg::Mouse(Mouse::Click { x, y }))
}

#[test]
fn the_palette_finds_actions_pairs_columns_and_does_what_is_chosen() {
    let mut app = app_of(assorted());
    keys(&mut app, ":refresh all");
    assert_eq!(found(&app)[0], "refresh all");
    assert_eq!(keys(&mut app, "<ret>"), [Effect::Send(Command::Refresh(Scope::All))]);
    keys(&mut app, "<c-p>solus<ret>");
    assert_eq!((selected(&app), app.view()), ("SOLUSDT", View::Scanner));
    keys(&mut app, ":sort vol<ret>");
    assert_eq!(app.sort().column.to_string(), "vol");
    keys(&mut app, ":sort -sym<ret>");
    assert_eq!(app.sort().to_string(), "-sym");
    keys(&mut app, ":scheduler<ret>");
    assert_eq!(app.view(), View::Scheduler);
    assert!(keys(&mut app, ":stop; fg<ret>").contains(&Effect::Suspend));
    let effects = keys(&mut app, ":quit<down><up><ret>");
    assert!(matches!(effects.as_slice(), [Effect::Quit, Effect::Save(_)]), "{effects:?}");
}

#[test]
fn a_command_takes_its_word_and_a_chosen_one_waits_for_it() {
    let mut app = app_of(assorted());
    keys(&mut app, "/eth<ret>:goto pepe<ret>");
    assert_eq!(selected(&app), "1000PEPEUSDT", "the filter that hid it is gone");
    assert_eq!(app.matches(), 12);
    keys(&mut app, ":sort nonsense<ret>");
    assert!(app.toast().unwrap().text.contains("no column `nonsense`"));
    keys(&mut app, ":filter btc<ret>");
    assert_eq!(shown(&app), ["BTCUSDT"]);
    keys(&mut app, ":view save<ret>");
    let Overlay::Palette(palette) = overlay(&app) else { panic!("no palette") };
    assert_eq!(palette.query().text(), "view save ");
    keys(&mut app, "bitcoin<ret>\\:view bitcoin<ret>");
    assert_eq!(shown(&app), ["BTCUSDT"]);
    keys(&mut app, ":zzzzzz<ret>");
    assert!(app.toast().unwrap().text.contains("nothing here is called zzzzzz"));
}

#[test]
fn in_the_palette_letters_are_text_and_no_keys() {
    let mut app = app_of(assorted());
    assert!(keys(&mut app, ":qQjk?").is_empty());
    let Overlay::Palette(palette) = overlay(&app) else { panic!("no palette") };
    assert_eq!(palette.query().text(), "qQjk?");
    keys(&mut app, "<esc>");
    assert!(app.overlay().is_none());
}

#[test]
fn help_is_searched_by_typing_and_scrolled() {
    let mut app = app_of(assorted());
    keys(&mut app, "?fre<down><down>");
    let Overlay::Help(help) = overlay(&app) else { panic!("no help") };
    assert_eq!((help.query().text(), help.at()), ("fre", 2));
    keys(&mut app, "e");
    let Overlay::Help(help) = overlay(&app) else { panic!("no help") };
    assert_eq!(help.at(), 0, "other lines, from the first on");
}

fn notice(seq: u64, level: Level, text: &str) -> crate::market::snapshot::Notice {
    let text = CleanText::new(text);
    crate::market::snapshot::Notice { seq, at: Mono::from_millis(9_000), level, text }
}

#[test]
fn what_was_said_in_passing_stays_where_it_was_said() {
    for elsewhere in ["?", ":", "3", "<ret>"] {
        let mut app = app_of(assorted());
        keys(&mut app, "R");
        assert_eq!(app.toast().unwrap().level, Level::Info);
        keys(&mut app, "j");
        assert!(app.toast().is_some(), "the cursor alone moved");
        keys(&mut app, elsewhere);
        assert!(app.toast().is_none(), "{elsewhere}");
        let word = CleanText::new("no connection");
        app.update(later(&app, 1), Msg::Word(Level::Warn, word));
        keys(&mut app, "<esc>14");
        assert_eq!(app.toast().unwrap().text, "no connection", "a warning goes along");
    }
}

#[test]
fn no_notice_is_lost_behind_another() {
    let mut picture = assorted();
    let mut app = app_of(picture.clone());
    picture.notices = vec![notice(1, Level::Error, "banned"), notice(2, Level::Info, "all is well")];
    app.update(later(&app, 1), Msg::Snapshot(Arc::new(picture.clone())));
    let said = |app: &App| app.toast().map(|t| (t.text.clone(), t.more)).unwrap();
    assert_eq!(said(&app), ("banned".to_owned(), 1));
    picture.notices.push(notice(3, Level::Warn, "late"));
    app.update(later(&app, 1), Msg::Snapshot(Arc::new(picture.clone())));
    assert_eq!(said(&app), ("banned".to_owned(), 2));
    picture.notices.push(notice(4, Level::Error, "down"));
    app.update(later(&app, 1), Msg::Snapshot(Arc::new(picture.clone())));
    assert_eq!(said(&app), ("down".to_owned(), 3));
    keys(&mut app, "`");
    assert!(app.toast().is_none(), "it is read now");
    let Overlay::Log(list) = overlay(&app) else { panic!("no log") };
    assert_eq!((app.log_lines(), list.place()), (vec![1, 2, 3, 4], 3));
    picture.notices.push(notice(5, Level::Info, "up"));
    app.update(later(&app, 1), Msg::Snapshot(Arc::new(picture.clone())));
    let Overlay::Log(list) = overlay(&app) else { panic!("no log") };
    assert_eq!(list.place(), 4, "who looks at the newest goes on to");
    keys(&mut app, "gj");
    picture.notices.remove(0);
    app.update(later(&app, 1), Msg::Snapshot(Arc::new(picture)));
    let Overlay::Log(list) = overlay(&app) else { panic!("no log") };
    assert_eq!(app.log_lines()[list.place()], 2, "who reads an old one stays on it");
}

#[test]
fn a_click_means_what_is_drawn_there() {
    for (cols, rows) in [(80, 24), (120, 36)] {
        let mut app = app_of(assorted());
        app.update(app.now(), Msg::Resize(cols, rows));
        let placed = place(&app.column_set(), cols);
        let heading = app.shape().above() - 1;
        let chg = placed.iter().find(|p| p.column.to_string() == "chg").unwrap();
        click(&mut app, chg.x + 1, heading);
        assert_eq!(app.sort().to_string(), "chg");
        click(&mut app, chg.x + chg.width - 1, heading);
        assert_eq!(app.sort().to_string(), "-chg", "again turns it round");
        let third = shown(&app)[2].to_owned();
        click(&mut app, 5, heading + 3);
        assert_eq!(selected(&app), third);
        click(&mut app, 5, heading + 13);
        assert_eq!(selected(&app), third, "below the last row there is none");
        for tab in tabs(app.shape(), app.keys(), 0) {
            click(&mut app, tab.x, 1);
            assert_eq!(app.view(), tab.view);
        }
        keys(&mut app, "1");
        let line = app.shape().filter_line();
        click(&mut app, 4, line);
        assert!(app.prompt().is_some());
    }
}

#[test]
fn in_a_window_a_click_chooses_and_beside_it_closes() {
    let mut app = app_of(assorted());
    keys(&mut app, "s");
    let (frame, pane) = app.frame().unwrap();
    click(&mut app, frame.x + 3, pane.first + 1);
    assert_eq!((app.sort().column.to_string().as_str(), app.overlay().is_none()), ("last", true));
    keys(&mut app, "s");
    click(&mut app, 0, 10);
    assert!(app.overlay().is_none());
    keys(&mut app, ":refresh all");
    let (frame, pane) = app.frame().unwrap();
    let effects = click(&mut app, frame.x + 3, pane.first);
    assert_eq!(effects, [Effect::Send(Command::Refresh(Scope::All))]);
}

#[test]
fn the_wheel_scrolls_and_takes_the_cursor_along_only_where_it_must() {
    let names: Vec<String> = (0..100).map(|n| format!("S{n:03}USDT")).collect();
    let mut app = app_of(snapshot(names.iter().map(|n| row(n)).collect()));
    keys(&mut app, "jjjj");
    let wheel = |app: &mut App, by| app.update(app.now(), Msg::Mouse(Mouse::Wheel(by)));
    wheel(&mut app, 1);
    assert_eq!((app.top(), selected(&app)), (3, "S004USDT"));
    wheel(&mut app, 1);
    assert_eq!((app.top(), selected(&app)), (6, "S006USDT"));
    wheel(&mut app, -100);
    assert_eq!((app.top(), app.place()), (0, 6));
    wheel(&mut app, i16::MAX);
    assert_eq!((app.top(), app.place()), (78, 78));
}

#[test]
fn the_users_keys_are_obeyed_and_named() {
    let mut app = app_of(assorted());
    let own = [("help".to_owned(), vec!["K".to_owned()]), ("follow".to_owned(), vec!["ctrl-f".to_owned()])];
    app.set_up(Setup { keys: Keymap::with(&own).unwrap(), ..Setup::default() });
    keys(&mut app, "?");
    assert!(app.overlay().is_none());
    keys(&mut app, "K");
    assert!(matches!(overlay(&app), Overlay::Help(_)));
    assert_eq!(app.key_of(Action::Help), "K");
    assert!(app.keys().hints(app.context()).iter().all(|(keys, _)| keys != "?"));
}

#[test]
fn what_went_wrong_at_the_start_is_counted_and_in_the_log() {
    let mut picture = assorted();
    picture.notices = vec![notice(1, Level::Info, "all is well")];
    let mut app = app_of(picture);
    let problems = ["one", "two", "three"].map(CleanText::new).to_vec();
    app.set_up(Setup { problems, ..Setup::default() });
    let toast = app.toast().unwrap();
    assert_eq!((toast.text.as_str(), toast.more), ("three", 2));
    let said = |app: &App| app.log().iter().map(|n| n.text.to_string()).collect::<Vec<_>>();
    assert_eq!(said(&app), ["all is well", "one", "two", "three"]);
    app.update(later(&app, 1), Msg::Word(Level::Info, CleanText::new("an answer")));
    assert_eq!(app.toast().unwrap().text, "an answer");
    for n in 0..200 {
        app.update(later(&app, 1), Msg::Word(Level::Warn, CleanText::new(&n.to_string())));
    }
    assert_eq!((app.log().len(), said(&app)[100].as_str()), (101, "199"), "the newest hundred");
}
