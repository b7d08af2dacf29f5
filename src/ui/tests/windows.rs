//! The windows over the view, and the signs before rows.

use super::*;
use crate::app::Setup;

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (120, 36)];

fn with_notices() -> Snapshot {
    let mut picture = assorted();
    let long = "usdm: the exchange refused 3 streams by their names (BTCUSDT@kline_15m, ETHUSDT@kline_15m, \
                SOLUSDT@kline_15m); they are kept true by REST until a new socket is granted them";
    let notice = |seq, level, text| Notice {
        seq,
        at: Mono(MADE.0.saturating_sub(Duration::from_secs(9 - seq))),
        level,
        text: CleanText::new(text),
    };
    picture.notices = vec![
        notice(1, Level::Info, "24 pairs of usdm are loaded"),
        notice(2, Level::Error, "usdm: REST is banned for 2 minutes (418)"),
        notice(3, Level::Warn, long),
    ];
    picture
}

macro_rules! at_both_sizes {
    ($($name:ident: $picture:expr, $keys:literal;)+) => {$(
        #[test]
        fn $name() {
            for size in [(80, 24), (120, 36)] {
                let mut app = app_of($picture, size);
                press(&mut app, $keys);
                let name = format!("{}_{}x{}", stringify!($name), size.0, size.1);
                insta::assert_snapshot!(name, shown(&app));
            }
        }
    )+};
}

at_both_sizes! {
    palette: assorted(), ":sol";
    column_editor: assorted(), "Cjj<space>jj!";
    log: with_notices(), "`";
    help_searched: assorted(), "?column";
    prompt_with_history: assorted(), "/btc<ret>/<c-u><up>";
}

#[test]
fn every_window_says_how_it_is_closed_and_fits_the_smallest_screen() {
    for keys in ["?", "s", "C", ":", "`"] {
        for size in SIZES {
            let mut app = app_of(with_notices(), size);
            press(&mut app, keys);
            let text = shown(&app);
            assert!(text.contains("Esc close") || text.contains("Esc closes"), "{size:?} {keys}\n{text}");
        }
    }
}

#[test]
fn rows_say_that_they_are_marked_changed_or_new_and_where_the_cursor_is() {
    for size in SIZES {
        let names = ["AUSDT", "BUSDT", "CUSDT"];
        let mut app = app_of(snapshot(names.iter().map(|n| row(n).score(60.0)).collect()), size);
        press(&mut app, "<space>");
        let rows = [("AUSDT", 60.0), ("BUSDT", 80.0), ("CUSDT", 75.0), ("DUSDT", 1.0)];
        let later = Arc::new(snapshot(rows.iter().map(|(n, s)| row(n).score(*s)).collect()));
        app.update(MADE + Duration::from_secs(9), Msg::Snapshot(later));
        let text = shown(&app);
        for line in ["  *AUSDT", "»  BUSDT", "•  CUSDT", "n  DUSDT"] {
            assert!(text.lines().any(|l| l.starts_with(line)), "{line}\n{text}");
        }
        assert!(text.contains("3 changed"), "{text}");
        press(&mut app, "Z");
        app.update(app.now() + Duration::from_secs(20), Msg::Tick);
        let text = shown(&app);
        assert!(text.contains("FROZEN") && text.contains(">  BUSDT") && !text.contains("changed"), "{text}");
    }
}

#[test]
fn a_selected_row_that_left_the_screen_is_named_with_its_side() {
    let score = |n: u16| 90.0 - f64::from(n);
    let rows = |last: f64| {
        let rows =
            (0..60_u16).map(|n| row(&format!("S{n:02}USDT")).score(if n == 1 { last } else { score(n) }));
        Arc::new(snapshot(rows.collect()))
    };
    for size in [(80, 24), (120, 36)] {
        let mut app = app_of((*rows(89.0)).clone(), size);
        press(&mut app, "j");
        app.update(MADE + Duration::from_secs(9), Msg::Snapshot(rows(1.0)));
        assert!(shown(&app).contains("S01USDT (below)"), "{}", shown(&app));
    }
}

#[test]
fn who_is_new_is_told_how_to_get_help() {
    for size in SIZES {
        let mut app = app_of(assorted(), size);
        let bottom = |app: &App| shown(app).lines().last().unwrap().to_owned();
        assert!(bottom(&app).contains("Welcome. ? every key"), "{}", bottom(&app));
        press(&mut app, "j");
        assert!(bottom(&app).contains("j k move") && bottom(&app).contains("? help"), "{}", bottom(&app));
    }
}

#[test]
fn more_than_one_notice_is_counted_beside_the_worst() {
    for size in SIZES {
        let mut app = app_of(assorted(), size);
        app.update(MADE, Msg::Snapshot(Arc::new(with_notices())));
        let text = shown(&app);
        let bottom = text.lines().last().unwrap();
        assert!(bottom.contains("REST is banned") && bottom.ends_with("+2 more: `"), "{bottom}");
    }
}

#[test]
fn whatever_is_drawn_is_drawn_where_clicks_look_for_it() {
    for size in [(80, 24), (120, 36)] {
        let app = app_of(assorted(), size);
        let buffer = buffer(&app);
        let at = |x: u16, y: u16, width: usize| -> String {
            (x..).take(width).map(|x| buffer[(x, y)].symbol()).collect()
        };
        for tab in crate::app::layout::tabs(app.shape(), app.keys(), app.unread()) {
            assert_eq!(at(tab.x, 1, tab.text.len()), tab.text);
        }
        for p in crate::app::layout::place(&app.column_set(), size.0) {
            let heading = at(p.x, app.shape().above() - 1, usize::from(p.width));
            assert!(heading.contains(&p.column.title()), "{heading:?} {}", p.column);
        }
    }
}

#[test]
fn keys_of_ones_own_are_the_ones_that_are_shown() {
    let own = [("help".to_owned(), vec!["f9".to_owned()])];
    let keys = crate::app::keymap::Keymap::with(&own).unwrap();
    let mut app = app_of(assorted(), (80, 24));
    app.set_up(Setup { keys, ..Setup::default() });
    assert!(shown(&app).contains("Welcome. F9 every key"), "{}", shown(&app));
    press(&mut app, "j");
    assert!(shown(&app).contains("F9 help"));
}

#[test]
fn the_help_finds_the_fields_of_filters() {
    for size in SIZES {
        let mut app = app_of(assorted(), size);
        press(&mut app, "?boll");
        let text = shown(&app);
        assert!(text.contains("bb ") && text.contains("squeeze"), "{text}");
    }
}
