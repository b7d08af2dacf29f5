//! The detail view as it looks, with real candles and in every state.

use super::*;
use crate::replayed::{self, UNTIL};

fn replay(size: (u16, u16), notation: Notation) -> App {
    let config =
        AppConfig { notation, replay: Some(Replay { speed: 60.0, end: END }), ..AppConfig::default() };
    let mut app = App::new(config, Arc::new(replayed::picture("BTCUSDT", UNTIL)));
    app.update(MADE, Msg::Resize(size.0, size.1));
    press(&mut app, "<ret>");
    app
}

#[test]
fn detail_of_real_candles_120x36() {
    insta::assert_snapshot!(shown(&replay((120, 36), Notation::Unicode)));
}

#[test]
fn detail_of_real_candles_80x24() {
    insta::assert_snapshot!(shown(&replay((80, 24), Notation::Unicode)));
}

#[test]
fn detail_of_real_candles_60x16() {
    insta::assert_snapshot!(shown(&replay((60, 16), Notation::Unicode)));
}

#[test]
fn detail_of_the_market_zoomed_out_and_panned_120x36_ascii() {
    let mut app = replay((120, 36), Notation::Ascii);
    press(&mut app, "t--hhh");
    let text = shown(&app);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn detail_without_candles_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "<ret>");
    insta::assert_snapshot!(shown(&app));
}

/// The mark beside the scale is in the live price's row, and on its edge where it is beyond.
#[test]
fn the_live_price_is_marked_only_while_it_is_live_and_in_view() {
    let mark = |app: &App| {
        let buffer = buffer(app);
        let rows = (4..22).filter(|y| buffer[(86, *y)].symbol() != " ");
        rows.map(|y| (y - 4, buffer[(86, y)].symbol().to_owned())).collect::<Vec<_>>()
    };
    for price in [112_000.0, 119_000.0, 1.0, 1e6] {
        let mut picture = replayed::picture("BTCUSDT", UNTIL);
        Arc::make_mut(&mut picture.rows[0]).last = Some(price);
        let mut app = app_of(picture.clone(), (120, 36));
        press(&mut app, "<ret>");
        let scale = app.chart().unwrap().scale;
        let want = match scale.row(price) {
            Some(row) => (row, "◄"),
            None if price > 1e5 => (0, "▲"),
            None => (17, "▼"),
        };
        assert_eq!(mark(&app), [(want.0, want.1.to_owned())], "{price}");
        press(&mut app, "h");
        assert_eq!(mark(&app), [], "it is not the price of what is shown");
        press(&mut app, "0");
        Arc::make_mut(&mut picture.rows[0]).lanes[0].state = crate::market::snapshot::DataState::Stale;
        app.update(MADE, Msg::Snapshot(Arc::new(picture)));
        assert_eq!(mark(&app), []);
    }
}

#[test]
fn the_state_is_on_screen_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 36), (200, 60)] {
        let said = |row: crate::fixture::RowBuilder| {
            let mut app = app_of(snapshot(vec![row]), size);
            press(&mut app, "<ret>");
            shown(&app)
        };
        let live = said(row("AUSDT").klines(300));
        assert!(live.lines().nth(if size.0 > 60 { 3 } else { 2 }).unwrap().contains(" LIVE"), "{live}");
        assert!(said(row("AUSDT").warming(40)).contains("WARMING 40/102"));
        assert!(said(row("AUSDT").failed("refused")).contains("FAILED"));
        assert!(said(row("AUSDT").delisted()).contains("DELISTED"));
        let mut picture = snapshot(vec![row("AUSDT").klines(300).stale("socket lost", 0)]);
        let late = &mut Arc::make_mut(&mut picture.rows[0]).lanes[0];
        late.newest =
            late.newest.map(|(o, c)| (o - Duration::from_secs(8_100), c - Duration::from_secs(8_100)));
        let mut app = app_of(picture, size);
        press(&mut app, "<ret>");
        let text = shown(&app);
        assert!(text.contains("STALE 9 closes missing") && !text.contains("forming~"), "{text}");
    }
}

#[test]
fn a_pair_that_is_gone_and_an_empty_table_say_so() {
    let mut app = app_of(snapshot(vec![row("AUSDT")]), (80, 24));
    press(&mut app, "<ret>");
    app.update(MADE, Msg::Snapshot(Arc::new(snapshot(vec![row("BUSDT")]))));
    let text = shown(&app);
    assert!(text.contains("AUSDT is not among the rows any more; 1 shows the rows"), "{text}");
    assert!(text.contains("no data") && !text.contains("209.92"), "{text}");
    let mut app = app_of(snapshot(Vec::new()), (80, 24));
    press(&mut app, "2");
    assert!(shown(&app).contains("waiting for the exchange's list of pairs"));
}

/// A market that stands still: no range, no volume.
#[test]
fn a_market_that_stands_still_is_a_line() {
    for notation in [Notation::Unicode, Notation::Ascii] {
        let config = AppConfig { notation, ..AppConfig::default() };
        let mut app = App::new(config, Arc::new(snapshot(vec![row("AUSDT").klines(499)])));
        app.update(MADE, Msg::Resize(80, 24));
        press(&mut app, "<ret>");
        assert!(app.chart().unwrap().columns.len() == 68);
        shown(&app);
    }
}

#[test]
fn up_and_down_differ_without_colour() {
    for (notation, up, down) in [(Notation::Unicode, '█', '▌'), (Notation::Ascii, '#', 'O')] {
        let mut app = replay((120, 36), notation);
        press(&mut app, "tb");
        let text = shown(&app);
        assert!(text.contains(up) && text.contains(down), "{text}");
    }
}

/// At every width a line's last item is whole or not there.
#[test]
fn no_figure_is_cut_where_there_is_no_room_for_it() {
    for cols in 60..=119 {
        let text = shown(&replay((cols, 24), Notation::Unicode));
        let lines: Vec<&str> =
            text.lines().filter(|l| l.contains(" held ") || l.contains("HAMA 1")).collect();
        assert!(lines.len() >= 2, "{text}");
        assert!(lines.iter().all(|l| !l.contains('…')), "{cols}\n{text}");
        assert!(lines.iter().all(|l| !l.contains("best") || l.contains("worst -")), "{cols}\n{text}");
        assert!(lines.iter().all(|l| !l.contains("BB") || l.matches('/').count() == 2), "{cols}\n{text}");
    }
}
