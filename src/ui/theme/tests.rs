use super::*;
use crate::ui::shade::difference;
use crate::ui::themes::BUILT_IN;

const LEVELS: [Level; 3] = [Level::Sixteen, Level::Indexed, Level::True];

fn all() -> impl Iterator<Item = (&'static str, ThemeFile, Palette, Level)> {
    BUILT_IN.iter().flat_map(|b| {
        let file = ThemeFile::parse(b.text).unwrap_or_else(|e| panic!("{}: {e}", b.name));
        Palette::ALL.iter().flat_map(move |p| LEVELS.map(|level| (b.name, file.clone(), *p, level)))
    })
}

/// Foreground and background as they are seen.
fn seen(file: &ThemeFile, style: Style, level: Level) -> (Color, Color) {
    let (fg, bg) = file.ground(level);
    let (fg, bg) = (style.fg.unwrap_or(fg), style.bg.unwrap_or(bg));
    if style.add_modifier.contains(Modifier::REVERSED) { (bg, fg) } else { (fg, bg) }
}

#[test]
fn every_text_of_every_theme_can_be_read() {
    for (name, file, palette, level) in all() {
        let theme = file.theme(palette, level);
        for role in Role::ALL {
            let style = theme.style(*role);
            let (fg, bg) = seen(&file, style, level);
            let need = match (*role, name) {
                // Lines between parts are no text.
                (Role::Rule, _) => 3.0,
                (_, "high-contrast") if level > Level::Sixteen => 7.0,
                _ => LEGIBLE,
            };
            let got = contrast(fg, bg).unwrap();
            assert!(got >= need, "{name} {palette:?} {level:?} {role:?}: {got:.2} of {fg:?} on {bg:?}");
            // Bold ones of the first eight may be shown as their brighter twins.
            let plain = style.fg.or(theme.ground().fg).and_then(place_of).filter(|n| *n < 8);
            if let Some(n) = plain.filter(|_| style.add_modifier.contains(Modifier::BOLD)) {
                let under = style.bg.unwrap_or(file.ground(level).1);
                let got = contrast(Color::Indexed(n + 8), under).unwrap();
                assert!(got >= LEGIBLE, "{name} {palette:?} {level:?} {role:?}: bold, {got:.2}");
            }
            // How much fainter it gets is each terminal's own choice.
            assert!(!style.add_modifier.contains(Modifier::DIM), "{name} {role:?}");
        }
    }
}

#[test]
fn up_and_down_are_told_apart_with_any_number_of_colours() {
    for (name, file, palette, level) in all() {
        let theme = file.theme(palette, level);
        let fg = |role| seen(&file, theme.style(role), level).0;
        for (one, other) in [
            (Role::Up, Role::Down),
            (Role::UpStrong, Role::DownStrong),
            (Role::Up, Role::Flat),
            (Role::Down, Role::Flat),
        ] {
            let apart = difference(fg(one), fg(other)).unwrap();
            assert!(apart >= 0.1, "{name} {palette:?} {level:?} {one:?} {other:?}: {apart:.3}");
        }
    }
}

#[test]
fn palettes_turn_directions_and_nothing_else() {
    for built_in in BUILT_IN {
        let file = ThemeFile::parse(built_in.text).unwrap();
        let [green, red, blue] =
            [Palette::GreenUp, Palette::RedUp, Palette::BlueOrange].map(|p| file.theme(p, Level::Indexed));
        for role in Role::ALL {
            let swapped = DIRECTIONS.iter().find(|(r, _)| r == role).map_or(*role, |(_, s)| *s);
            assert_eq!(red.style(*role), green.style(swapped), "{} {role:?}", built_in.name);
            if swapped == *role {
                assert_eq!(blue.style(*role), green.style(*role), "{} {role:?}", built_in.name);
            }
        }
    }
}

#[test]
fn with_sixteen_colours_only_the_sixteen_are_used_and_without_any_none() {
    for (name, file, palette, _) in all() {
        let few = file.theme(palette, Level::Sixteen);
        let none = file.theme(palette, Level::Plain);
        assert_eq!(none.ground(), Style::new());
        for role in Role::ALL {
            let style = few.style(*role);
            for color in [style.fg, style.bg].into_iter().flatten() {
                assert!(place_of(color).is_some(), "{name} {role:?} {color:?}");
            }
            let style = none.style(*role);
            assert_eq!((style.fg, style.bg), (None, None), "{name} {role:?}");
            if few.style(*role).bg.is_some() {
                assert!(style.add_modifier.contains(Modifier::REVERSED), "{name} {role:?}");
            }
        }
    }
}

#[test]
fn the_default_is_the_first() {
    let file = ThemeFile::parse(BUILT_IN[0].text).unwrap();
    assert_eq!(file.theme(Palette::GreenUp, Level::Indexed), Theme::dark());
    assert_eq!(BUILT_IN[0].name, "dark");
}

#[test]
fn a_broken_theme_is_refused_with_the_cure() {
    let good = BUILT_IN[0].text;
    let said = |text: &str| ThemeFile::parse(text).unwrap_err().to_string();
    let unknown = said(&good.replace("warn        =", "wern        ="));
    assert_eq!(unknown, "there is no role `wern`; `warn` is the nearest; take it out");
    let word = said(&good.replace("fg = \"221\", ansi", "fg = \"jellow\", ansi"));
    assert_eq!(word, "role `warn`: `jellow` is neither a colour name, an index, #rrggbb nor an attribute");
    assert!(said("[roles]").contains("no role `text`; add `text = {}`"));
    assert!(said("[roles]\n]").starts_with("line 2: "));
    assert!(said(&format!("{good}[palettes.pink]\n")).contains("no palette `pink`"));
    let direction = said(&format!("{good}[palettes.red-up]\nwarn = {{}}\n"));
    assert!(direction.contains("a palette has up, up-strong, down and down-strong"), "{direction}");
    assert!(said(&good.replace("paint", "pants").replace("background = ", "ground = ")).contains("line"));
}
