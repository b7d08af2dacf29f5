use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use super::{Painted, Screen, draw};
use crate::app::keys::Chord;
use crate::app::value::Notation;
use crate::app::{App, AppConfig, Msg, Replay};
use crate::domain::hama::Sign;
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::fixture::{MADE, NOW, as_demo, assorted, row, snapshot};
use crate::market::snapshot::{Level, LinkState, Notice, SignalEvent, Snapshot};

const END: UnixMs = UnixMs(1_760_227_200_000);

fn app_of(picture: Snapshot, size: (u16, u16)) -> App {
    let demo = picture.source == crate::market::snapshot::Source::Demo;
    let replay = demo.then_some(Replay { speed: 60.0, end: END });
    let config = AppConfig { notation: Notation::Unicode, replay };
    let mut app = App::new(config, Arc::new(picture));
    app.update(MADE, Msg::Resize(size.0, size.1));
    app
}

fn press(app: &mut App, keys: &str) {
    for chord in Chord::parse_macro(keys).unwrap() {
        app.update(app.now(), Msg::Key(chord));
    }
}

fn buffer(app: &App) -> Buffer {
    let shape = app.shape();
    let mut buffer = Buffer::empty(Rect::new(0, 0, shape.cols, shape.rows));
    draw(app, &Theme::dark(), &mut buffer);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width()).unwrap().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn shown(app: &App) -> String {
    text(&buffer(app))
}

/// The cell where `needle` begins in the line that contains `line`.
fn cell_of<'b>(buffer: &'b Buffer, line: &str, needle: &str) -> &'b ratatui::buffer::Cell {
    let text = text(buffer);
    let (y, found) = text.lines().enumerate().find(|(_, l)| l.contains(line)).expect(line);
    let at = found.find(needle).expect(needle);
    let x = found[..at].width();
    &buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())]
}

fn with_signals(mut picture: Snapshot) -> Snapshot {
    let signal = |seq, symbol: &str, dir, close: f64| SignalEvent {
        seq,
        pair: row(symbol).build().pair,
        interval: crate::domain::interval::Interval::M15,
        dir,
        close_time: UnixMs(NOW.0 - 131_001),
        hama_close: close,
        ma: close * 0.999,
        lag: Duration::from_millis(340),
    };
    picture.signals =
        vec![signal(1, "BTCUSDT", Sign::Up, 97_400.0), signal(2, "币安人生USDT", Sign::Down, 0.382)];
    picture
}

#[test]
fn scanner_120x36() {
    insta::assert_snapshot!(shown(&app_of(with_signals(assorted()), (120, 36))));
}

#[test]
fn scanner_80x24() {
    let mut app = app_of(with_signals(assorted()), (80, 24));
    press(&mut app, "jj");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn scanner_60x16() {
    insta::assert_snapshot!(shown(&app_of(assorted(), (60, 16))));
}

#[test]
fn demo_120x36_warming_up() {
    let mut picture = as_demo(assorted(), UnixMs(1_760_127_245_000));
    picture.warmup.done = 12;
    picture.warmup.rate = Some(12.3);
    picture.warmup.eta = Some(Duration::from_secs(2));
    insta::assert_snapshot!(shown(&app_of(picture, (120, 36))));
}

#[test]
fn cache_120x36() {
    let mut picture = assorted();
    picture.links[1].state =
        LinkState::Down { why: CleanText::new("reset by peer"), retry: Some(Mono::from_millis(13_500)) };
    let mut app = app_of(picture, (120, 36));
    press(&mut app, "4");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn cache_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "4j");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn help_120x36() {
    let mut app = app_of(assorted(), (120, 36));
    press(&mut app, "?");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn help_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "?");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn sort_picker_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "s");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn below_the_smallest_size_one_line_says_what_is_needed() {
    assert!(shown(&app_of(assorted(), (59, 40))).starts_with("needs 60x16, has 59x40"));
    // 10x3 has no room for the whole sentence, and no panic.
    assert!(shown(&app_of(assorted(), (10, 3))).starts_with("60x16"));
}

#[test]
fn no_size_and_no_state_panics() {
    for keys in ["", "4", "?", "s", "/btc x", "/a=b", "G"] {
        let mut app = app_of(with_signals(assorted()), (120, 36));
        press(&mut app, keys);
        for cols in (0..130).step_by(13).chain([59, 60, 80, 300]) {
            for rows in (0..40).step_by(7).chain([16, 24, 70]) {
                app.update(MADE, Msg::Resize(cols, rows));
                buffer(&app);
            }
        }
        app.update(MADE, Msg::Snapshot(Arc::new(snapshot(Vec::new()))));
        app.update(MADE, Msg::Resize(80, 24));
        buffer(&app);
    }
}

#[test]
fn the_demo_says_so_at_every_size_and_in_every_view() {
    for (cols, rows) in [(60, 16), (80, 24), (120, 36), (200, 60)] {
        for (now, word) in [(UnixMs(1_760_127_245_000), "Z "), (END, "ENDED")] {
            for keys in ["", "4", "/x"] {
                let mut app = app_of(as_demo(assorted(), now), (cols, rows));
                press(&mut app, keys);
                let text = shown(&app);
                let header = text.lines().next().unwrap();
                assert!(header.contains("DEMO 60x 2025-10-1") && header.contains(word), "{header}");
            }
        }
    }
    assert!(!shown(&app_of(assorted(), (120, 36))).contains("DEMO"));
}

#[test]
fn colours_carry_what_signs_say_as_well() {
    let app = app_of(assorted(), (120, 36));
    let buffer = buffer(&app);
    let fg = |line, needle| cell_of(&buffer, line, needle).fg;
    assert_eq!(fg("ETHUSDT", "▲"), Color::LightGreen);
    assert_eq!(fg("XRPUSDT", "▼"), Color::Red);
    assert_eq!(fg("ETHUSDT", "━"), Color::Gray);
    assert_eq!(fg("XRPUSDT", "-92"), Color::LightRed);
    assert_eq!(fg("ETHUSDT", "+3.02%"), Color::Green);
    assert_eq!(fg("ADAUSDT", "15m stale"), Color::Yellow);
    assert_eq!(fg("FOOUSDT", "15m failed"), Color::LightRed);
    assert_eq!(fg("ETHUSDT", "above"), Color::DarkGray);
    assert!(cell_of(&buffer, "ETHUSDT", "above").modifier.contains(Modifier::ITALIC));
    // The cursor's row is of one colour, its cells' own would fight with it.
    let row: Vec<_> = (0..120).map(|x| buffer[(x, 5)].bg).collect();
    assert!(row.iter().all(|bg| *bg == Color::Cyan) && buffer[(0, 5)].symbol() == ">");
}

#[test]
fn without_signs_the_screen_is_seven_bit() {
    let config = AppConfig { notation: Notation::Ascii, replay: None };
    let rows =
        vec![row("BTCUSDT"), row("ETHUSDT").trends([Sign::Down, Sign::Flat, Sign::Up]), row("X").unknown()];
    for keys in ["", "4", "?", "s", "/averyveryveryveryveryveryveryverylongfilterthatcanneverfitintotheline"]
    {
        for size in [(60, 16), (80, 24), (120, 36)] {
            let mut app = App::new(config, Arc::new(with_ascii_signals(snapshot(rows.clone()))));
            app.update(MADE, Msg::Resize(size.0, size.1));
            press(&mut app, keys);
            let text = shown(&app);
            assert!(text.is_ascii(), "{text}");
        }
    }
}

fn with_ascii_signals(picture: Snapshot) -> Snapshot {
    let mut picture = with_signals(picture);
    picture.signals.truncate(1);
    picture
}

#[test]
fn wide_names_leave_the_columns_in_line() {
    let app = app_of(assorted(), (120, 36));
    let text = shown(&app);
    let column = |name: &str| {
        let line = text.lines().find(|l| l.contains(name)).unwrap();
        line[..line.find('%').unwrap()].width()
    };
    assert_eq!(column("币安人生USDT"), column("BTCUSDT"));
}

#[test]
fn an_empty_screen_says_what_to_do() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "/nothing<ret>");
    assert!(shown(&app).contains("0 of 12 match; \\ clears the filter"));
    let app = app_of(snapshot(Vec::new()), (80, 24));
    assert!(shown(&app).contains("waiting for the exchange's list of pairs"));
}

#[test]
fn a_filter_error_stands_beside_the_prompt_with_its_column() {
    let mut app = app_of(assorted(), (120, 36));
    press(&mut app, "/btc x=1");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 36));
    let cursor = draw(&app, &Theme::dark(), &mut buffer).unwrap();
    assert_eq!((cursor.x, cursor.y), (10, 2));
    assert!(text(&buffer).contains("column 6: `=`"));
}

#[test]
fn notices_are_shown_without_their_escapes() {
    let mut picture = assorted();
    let text = CleanText::new("bad \x1b[31mword");
    picture.notices = vec![Notice { seq: 1, at: MADE, level: Level::Error, text }];
    let mut app = app_of(assorted(), (80, 24));
    app.update(MADE, Msg::Snapshot(Arc::new(picture)));
    let text = shown(&app);
    assert!(text.contains("bad \u{fffd}[31mword") && !text.contains('\x1b'));
}

#[test]
fn a_quiet_second_costs_a_few_bytes_and_a_frame_like_the_last_none() {
    let mut app = app_of(assorted(), (120, 36));
    let mut screen = Screen::new(std::io::sink(), 120, 36);
    let theme = Theme::dark();
    assert!(matches!(screen.paint(|b| draw(&app, &theme, b)).unwrap(), Painted::Bytes(n) if n < 12_000));
    assert_eq!(screen.paint(|b| draw(&app, &theme, b)).unwrap(), Painted::Nothing);
    app.update(MADE + Duration::from_secs(1), Msg::Tick);
    let second = screen.paint(|b| draw(&app, &theme, b)).unwrap();
    assert!(matches!(second, Painted::Bytes(n) if n < 60), "{second:?}");
}
