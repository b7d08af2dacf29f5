//! Trying out themes.

use super::*;
use crate::app::look::{Look, Palette, ThemeName};
use crate::app::zone::Zone;
use crate::ui::themes::{BUILT_IN, Wardrobe};

fn app(size: (u16, u16)) -> App {
    let name = |b: &crate::ui::themes::BuiltIn| ThemeName { name: b.name.into(), about: b.about.into() };
    let themes = BUILT_IN.iter().map(name).collect();
    let config = AppConfig { notation: Notation::Unicode, themes, ..AppConfig::default() };
    let mut app = App::new(config, Arc::new(assorted()));
    app.update(MADE, Msg::Resize(size.0, size.1));
    app
}

#[test]
fn moving_shows_a_look_enter_keeps_it_and_escape_goes_back() {
    let mut app = app((80, 24));
    press(&mut app, "Tj<tab>");
    let tried = Look { theme: 1, palette: Palette::RedUp };
    assert_eq!(app.look(), tried);
    assert_eq!(app.chosen_look(), None, "what is tried is not chosen");
    press(&mut app, "<esc>");
    assert_eq!(app.look(), Look::default());
    assert!(app.overlay().is_none());
    press(&mut app, "TG<tab><tab><ret>");
    assert_eq!(app.chosen_look(), Some(("gruvbox", Palette::BlueOrange)));
    press(&mut app, "Tkkkkkkkk<tab><ret>");
    assert_eq!(app.look(), Look::default());
}

#[test]
fn the_window_names_every_theme_and_palette_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut app = app(size);
        press(&mut app, "T");
        let mut seen = String::new();
        for _ in BUILT_IN {
            let text = shown(&app);
            assert!(text.contains("Tab palette") && text.contains("Esc as before"), "{text}");
            assert!(Palette::ALL.iter().all(|p| text.contains(p.id())), "{text}");
            let chosen = BUILT_IN[app.look().theme].name;
            assert!(text.contains(&format!("> {chosen}")), "{text}");
            seen += &text;
            press(&mut app, "j");
        }
        assert!(BUILT_IN.iter().all(|b| seen.contains(b.name)), "{seen}");
    }
}

#[test]
fn a_theme_with_a_background_leaves_no_cell_out() {
    let mut app = app((80, 24));
    let mut wardrobe = Wardrobe::built_in(shade::Level::Indexed);
    for keys in ["", "s", "<esc>?", "<esc>T", "<esc>4"] {
        press(&mut app, keys);
        let theme = wardrobe.wear(Look { theme: 1, ..Look::default() });
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        draw(&app, theme, &mut buffer);
        // What a letter of two cells covers is never drawn.
        let covered = |n: usize| n > 0 && buffer.content[n - 1].symbol().width() > 1;
        let is_bare = |c: &ratatui::buffer::Cell| c.bg == Color::Reset || c.fg == Color::Reset;
        let bare = buffer.content.iter().enumerate().filter(|(n, c)| is_bare(c) && !covered(*n)).count();
        assert_eq!(bare, 0, "{keys:?}");
    }
}

#[test]
fn times_are_in_the_zone_and_the_clock_says_which() {
    let zone = Zone::new(vec![(UnixMs(0), 19_800)]);
    for size in [(80, 24), (120, 36)] {
        let config = AppConfig { zone: zone.clone(), ..AppConfig::default() };
        let mut app = App::new(config, Arc::new(with_signals(assorted())));
        app.update(MADE, Msg::Resize(size.0, size.1));
        let text = shown(&app);
        let clock = text.lines().next().unwrap().trim_end();
        assert!(clock.ends_with("+05:30"), "{text}");
        assert!(!text.contains('Z') || !text.contains(":30Z"), "{text}");
        press(&mut app, "3");
        assert!(shown(&app).contains(" CLOSE+05:30 "), "{}", shown(&app));
    }
}
