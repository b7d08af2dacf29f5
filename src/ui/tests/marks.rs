//! What says how far a row may be trusted: is it there, and can it be told apart.

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
    assert_eq!(fg("ETHUSDT", "▲"), Color::Green);
    assert_eq!(fg("XRPUSDT", "▼"), Color::Red);
    assert_eq!(fg("ETHUSDT", "━"), Color::Gray);
    assert_eq!(fg("XRPUSDT", "-92"), Color::LightRed);
    assert_eq!(fg("ETHUSDT", "+3.02%"), Color::Green);
    assert_eq!(fg("ADAUSDT", "15m stale"), Color::Yellow);
    assert_eq!(fg("FOOUSDT", "failed"), Color::LightRed);
    assert_eq!(fg("ETHUSDT", "above"), Color::DarkGray);
    assert!(cell_of(&buffer, "ETHUSDT", "above").modifier.contains(Modifier::ITALIC));
    // The cursor's row is of one colour, its cells' own would fight with it.
    let row: Vec<_> = (0..120).map(|x| buffer[(x, 5)].bg).collect();
    assert!(row.iter().all(|bg| *bg == Color::Cyan) && buffer[(0, 5)].symbol() == ">");
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
    assert_eq!(cell_of(&buffer, "BBBUSDT", "<5s").fg, Color::Yellow);
    let text = text(&buffer);
    let line = text.lines().find(|l| l.contains("BBBUSDT")).unwrap();
    assert!(line.starts_with(" !") && !line.contains('~') && !line.contains("above"), "{line}");
    assert!(!line.contains("now"), "{line}");
}
