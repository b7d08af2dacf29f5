//! What a market without news costs, and that nothing old looks new in it.

use super::*;
use crate::app::QUIET;
use crate::app::text::Precision;
use crate::app::zone::Zone;

/// A picture with as many rows as a page and more.
fn full() -> Snapshot {
    snapshot((0..60).map(|n| row(&format!("S{n:02}USDT"))).collect())
}

fn wait(app: &mut App, by: Duration) {
    app.update(app.now() + by, Msg::Tick);
}

#[test]
fn five_minutes_without_news_cost_less_than_60_bytes_a_second() {
    for size in [(80, 24), (120, 36)] {
        let mut app = app_of(full(), size);
        let mut screen = Screen::new(std::io::sink(), size.0, size.1);
        let theme = Theme::dark();
        screen.paint(|b| draw(&app, &theme, b)).unwrap();
        let (mut bytes, mut frames) = (0, 0);
        for _ in 0..300 {
            wait(&mut app, Duration::from_secs(1));
            if let Painted::Bytes(n) = screen.paint(|b| draw(&app, &theme, b)).unwrap() {
                (bytes, frames) = (bytes + n, frames + 1);
            }
        }
        // Ages: 5 steps in the first minute and 4 after it. The clock: 5, and the way to minutes.
        assert!(frames <= 9 + 6 + 2, "{frames} frames at {size:?}");
        assert!(bytes < 300 * 60, "{bytes} bytes at {size:?}");
    }
}

#[test]
fn the_clock_shows_seconds_only_while_they_are_true() {
    let mut app = app_of(full(), (120, 36));
    let line = |app: &App| shown(app).lines().next().unwrap().to_owned();
    let busy = line(&app);
    assert!(busy.ends_with(&format!("{}Z", Zone::default().time(NOW, Precision::Second))), "{busy}");
    wait(&mut app, QUIET);
    let quiet = line(&app);
    let minute = format!("  {}Z", Zone::default().time(app.exchange_now().unwrap(), Precision::Minute));
    assert!(quiet.ends_with(&minute), "{quiet}");
    assert_eq!(busy.find('Z'), quiet.find('Z').map(|x| x + 3), "nothing beside it moves");
    let later = app.now();
    let mut news = full();
    news.made = later;
    app.update(later, Msg::Snapshot(Arc::new(news)));
    assert!(
        line(&app)
            .ends_with(&format!("{}Z", Zone::default().time(app.exchange_now().unwrap(), Precision::Second)))
    );
}

/// A pair below the last row in view trades on, as one always does.
#[test]
fn news_of_rows_out_of_view_do_not_make_the_clock_tick() {
    let mut app = app_of(full(), (120, 36));
    wait(&mut app, QUIET);
    let last = app.rows_from(0).last().unwrap().pair.clone();
    let mut picture = app.snapshot().clone();
    for row in picture.rows.iter_mut().filter(|row| row.pair == last) {
        Arc::make_mut(row).last = Some(7.0);
    }
    app.update(app.now(), Msg::Snapshot(Arc::new(picture.clone())));
    assert!(app.is_quiet());
    let first = app.rows_from(0).next().unwrap().pair.clone();
    for row in picture.rows.iter_mut().filter(|row| row.pair == first) {
        Arc::make_mut(row).last = Some(7.0);
    }
    app.update(app.now(), Msg::Snapshot(Arc::new(picture)));
    assert!(!app.is_quiet());
}
