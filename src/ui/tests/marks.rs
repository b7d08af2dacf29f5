//! What says how far a row may be trusted: is it there, and can it be told apart.

use crate::domain::hama::BandState;

use super::*;

#[test]
fn the_age_and_the_state_of_the_whole_are_on_screen_at_every_size() {
    let rows = vec![row("AUSDT").stale("behind", 7 * 60), row("BUSDT")];
    let mut picture = snapshot(rows);
    picture.markets = [Market::UsdM, Market::Spot].into();
    let long = format!("/{}", "x".repeat(250));
    for keys in ["", "j", "/AUSDT", "/AUSDT<ret>", "/a=b", long.as_str()] {
        let mut app = app_of(picture.clone(), (60, 16));
        press(&mut app, keys);
        for (cols, lines) in (60..=200).flat_map(|cols| [(cols, 16), (cols, 36)]) {
            app.update(MADE, Msg::Resize(cols, lines));
            let text = shown(&app);
            assert!(text.lines().take(3).any(|l| l.contains("1 STALE")), "{cols} {keys}\n{text}");
            let mut table = text.lines().filter(|l| l.contains("AUSDT "));
            // A filter that nothing matches leaves no row to have an age.
            let is_empty = keys == long && app.matches() == 0;
            assert!(is_empty || table.any(|l| l.contains(" 7m")), "{cols} {keys}\n{text}");
        }
    }
}

#[test]
fn colours_carry_what_signs_say_as_well() {
    let app = app_of(assorted(), (120, 36));
    let buffer = buffer(&app);
    let fg = |line, needle| cell_of(&buffer, line, needle).fg;
    assert_eq!(fg("ETHUSDT", "▲"), of(Role::Up));
    assert_eq!(fg("XRPUSDT", "▼"), of(Role::Down));
    assert_eq!(fg("ETHUSDT", "━"), of(Role::Flat));
    assert_eq!(fg("XRPUSDT", "-92"), of(Role::DownStrong));
    assert_eq!(fg("ETHUSDT", "+3.02%"), of(Role::Up));
    assert_eq!(fg("ADAUSDT", "15m bars stale"), of(Role::Warn));
    assert_eq!(fg("FOOUSDT", "failed"), of(Role::Bad));
    assert_eq!(fg("ETHUSDT", "above"), of(Role::Preview));
    assert!(cell_of(&buffer, "ETHUSDT", "above").modifier.contains(Modifier::ITALIC));
}

#[test]
fn what_is_not_live_does_not_look_live() {
    let rows = vec![row("AAAUSDT"), row("BBBUSDT").forming(Sign::Down).stale("gap of 3 bars", 2)];
    let app = app_of(snapshot(rows), (120, 36));
    let buffer = buffer(&app);
    let stale = Theme::dark().style(crate::ui::theme::Role::Stale);
    for figure in ["214.08", "+4.81%", "+94", "▲", "+1.83%"] {
        let cell = cell_of(&buffer, "BBBUSDT", figure);
        assert_eq!((Some(cell.fg), cell.modifier), (stale.fg, stale.add_modifier), "{figure}");
    }
    assert_eq!(cell_of(&buffer, "BBBUSDT", "<5s").fg, of(Role::Warn));
    let text = text(&buffer);
    let line = text.lines().find(|l| l.contains("BBBUSDT")).unwrap();
    assert!(line.starts_with(" !") && !line.contains('~') && !line.contains("above"), "{line}");
    assert!(!line.contains("now"), "{line}");
}

#[test]
fn the_selected_row_keeps_its_marks_of_state() {
    let stale = row("AAAUSDT").stale("behind", 240).trends([Sign::Up, Sign::Down, Sign::Flat]);
    for theme in [Theme::dark(), without_colors()] {
        let draw_with = |rows: Vec<_>, cursor: &str, size| {
            let mut app = app_of(snapshot(rows), size);
            press(&mut app, cursor);
            let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            draw(&app, &theme, &mut buffer);
            let text = text(&buffer);
            let y = text.lines().position(|l| l.contains(" AAAUSDT  ")).unwrap();
            let y = u16::try_from(y).unwrap();
            (0..size.0).map(|x| buffer[(x, y)].clone()).collect::<Vec<_>>()
        };
        for size in [(60, 16), (80, 24), (120, 36)] {
            // Live rows come first where their score is greater.
            let two = vec![stale.clone(), row("BBBUSDT").score(100.0)];
            let selected = draw_with(two.clone(), "j", size);
            let plain = draw_with(two, "", size);
            assert_eq!((selected[0].symbol(), plain[0].symbol()), (">", " "));
            let name = 3..16;
            for (x, (cell, other)) in selected.iter().zip(&plain).enumerate().skip(1) {
                if name.contains(&x) {
                    let bar = theme.style(crate::ui::theme::Role::Selected);
                    assert_eq!(Some(cell.bg), bar.bg.or(Some(Color::Reset)));
                    assert!(cell.modifier.contains(bar.add_modifier));
                    continue;
                }
                let modifier = cell.modifier - Modifier::UNDERLINED;
                assert_eq!((cell.fg, cell.bg, modifier), (other.fg, other.bg, other.modifier), "{x}");
                assert!(cell.modifier.contains(Modifier::UNDERLINED), "{x}");
            }
        }
    }
}

#[test]
fn every_figure_of_a_stale_row_is_dim_without_colours_too() {
    let inferred =
        row("AAAUSDT").stale("behind", 240).bands(BandState::Normal, None).cross(Sign::Down, 44, true);
    let app = app_of(snapshot(vec![inferred]), (120, 36));
    let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 36));
    draw(&app, &without_colors(), &mut buffer);
    for figure in ["normal", "dn >44", "+94", "+1.83%"] {
        let cell = cell_of(&buffer, " AAAUSDT  ", figure);
        assert!(cell.modifier.contains(Modifier::DIM), "{figure}");
        assert!(!cell.modifier.contains(Modifier::REVERSED), "{figure}");
    }
}

#[test]
fn a_perfect_start_has_no_bad_hit_rate() {
    for size in [(80, 24), (120, 36)] {
        for (hits, misses, said) in
            [(0, 0, "nothing was read yet"), (0, 72, "no hit yet, 72 reads before"), (3, 1, "75.00% (3 hits")]
        {
            let mut picture = assorted();
            (picture.stats.hits, picture.stats.misses) = (hits, misses);
            let mut app = app_of(picture, size);
            press(&mut app, "4");
            let text = shown(&app);
            assert!(text.contains(said), "{text}");
            assert!(!text.contains("0.00%"), "{text}");
        }
    }
}

#[test]
fn a_held_order_is_named_as_such_wherever_a_row_can_be_moved_to() {
    for size in [(60, 16), (80, 24), (100, 30), (120, 36)] {
        let mut app = app_of(assorted(), size);
        press(&mut app, "j");
        assert!(shown(&app).contains(" order held"), "{}", shown(&app));
        app.update(MADE + crate::app::HOLD, Msg::Tick);
        let text = shown(&app);
        assert!(!text.contains("held") && text.contains(" sort"), "{text}");
        assert!(text.contains(" figures"), "{text}");
    }
}

#[test]
fn a_popup_keeps_the_table_at_a_distance() {
    for size in [(60, 16), (80, 24), (100, 30), (120, 36)] {
        let mut app = app_of(assorted(), size);
        press(&mut app, "s");
        let buffer = buffer(&app);
        let left = (size.0 - 40) / 2;
        for y in 3..8 {
            let at = |x: u16| buffer[(x, y)].symbol();
            assert_eq!(
                (at(left - 1), at(left), at(left + 39), at(left + 40)),
                (" ", "│", "│", " "),
                "{size:?}"
            );
            // A letter of two cells must not reach in from beside it.
            assert!(at(left - 2).width() < 2, "{size:?}");
        }
    }
}
