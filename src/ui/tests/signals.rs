//! The log of signals as it looks.

use super::*;

fn many() -> Snapshot {
    let mut picture = with_signals(assorted());
    let first = picture.signals[0].clone();
    let [pepe, sol] = ["1000PEPEUSDT", "SOLUSDT"].map(|name| (name, tick_of(&picture, name)));
    picture.signals.extend((3..40).map(|seq| {
        let back = Duration::from_secs(900 * (40 - seq));
        let close_time = first.close_time - back;
        let (symbol, tick) = if seq % 2 == 0 { pepe } else { sol };
        let dir = if seq % 3 == 0 { Sign::Down } else { Sign::Up };
        let score = if seq % 5 == 0 { (None, None) } else { first.score };
        SignalEvent { seq, pair: row(symbol).build().pair, tick, close_time, dir, score, ..first.clone() }
    }));
    for (event, seq) in picture.signals.iter_mut().zip(1..=2) {
        event.close_time = first.close_time - Duration::from_secs(900 * (40 - seq));
    }
    picture
}

fn log(size: (u16, u16), keys: &str) -> App {
    let mut app = app_of(many(), size);
    press(&mut app, keys);
    app
}

#[test]
fn signals_120x36() {
    let mut app = log((120, 36), "3jjm");
    let mut more = many();
    let next = SignalEvent { seq: 41, close_time: UnixMs(NOW.0 - 131_001), ..more.signals[0].clone() };
    more.signals.push(next);
    app.update(MADE, Msg::Snapshot(Arc::new(more)));
    let text = shown(&app);
    assert!(
        text.contains("3 Signals(39)") && text.contains("1 newer above") && text.contains("1 missed"),
        "{text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn signals_80x24() {
    insta::assert_snapshot!(shown(&log((80, 24), "3")));
}

#[test]
fn signals_60x16() {
    insta::assert_snapshot!(shown(&log((60, 16), "3G")));
}

#[test]
fn an_empty_log_says_what_will_come() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut app = app_of(assorted(), size);
        press(&mut app, "3");
        assert!(shown(&app).contains("no cross since the program started"));
    }
}

#[test]
fn a_pair_that_has_left_the_table_keeps_its_price_step() {
    let mut picture = with_signals(assorted());
    let gone = row("GONEUSDT").build().pair;
    let (hama_close, ma, tick) = (0.000_012_3, 0.000_012_2, Tick { decimals: 7 });
    let event = SignalEvent { seq: 3, pair: gone, tick, hama_close, ma, ..picture.signals[0].clone() };
    picture.signals.push(event);
    for keys in ["", "3"] {
        let mut app = app_of(picture.clone(), (120, 36));
        press(&mut app, keys);
        let text = shown(&app);
        let line = text.lines().find(|l| l.contains("GONEUSDT")).unwrap();
        assert!(line.contains("0.0000123") && line.contains("0.0000122"), "{text}");
    }
}
