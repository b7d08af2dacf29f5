//! The themes at hand: the compiled in ones, and the user's own, which win.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::app::look::{Look, Palette, ThemeName};
use crate::config::Config;
use crate::domain::text::{CleanText, nearest};
use crate::ui::theme::ThemeFile;
use crate::ui::themes::{BUILT_IN, Named};

use super::failure::Failure;

/// No theme is larger; what is, is no theme.
const MAX_BYTES: u64 = 64 * 1024;

/// The themes that can be chosen, and what is wrong with those that can't.
#[derive(Debug)]
pub(super) struct Themes {
    pub(super) all: Vec<Named>,
    /// A sentence each: file, role, cure.
    pub(super) broken: Vec<(String, String)>,
}

/// `$XDG_CONFIG_HOME/hamatop/themes`.
fn folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    Some(etcetera::base_strategy::Xdg::new().ok()?.config_dir().join("hamatop").join("themes"))
}

impl Themes {
    /// All there are.
    pub(super) fn gather() -> Self {
        Self::with(folder().as_deref())
    }

    fn with(folder: Option<&Path>) -> Self {
        let mut found = Self { all: Vec::new(), broken: Vec::new() };
        for b in BUILT_IN {
            match ThemeFile::parse(b.text) {
                Ok(file) => found.put(b.name, b.about.to_owned(), file),
                Err(e) => found.broken.push((b.name.to_owned(), format!("{}: {e}", b.name))),
            }
        }
        for (name, path) in own(folder) {
            let file = read(&path).and_then(|text| ThemeFile::parse(&text).map_err(|e| e.to_string()));
            match file {
                Ok(file) => found.put(&name, format!("yours: {}", path.display()), file),
                Err(why) => found.broken.push((name, format!("{}: {why}", path.display()))),
            }
        }
        found
    }

    fn put(&mut self, name: &str, about: String, file: ThemeFile) {
        let about = CleanText::new(&about).as_str().to_owned();
        let new = Named { name: ThemeName { name: name.to_owned(), about }, file };
        match self.all.iter_mut().find(|t| t.name.name == name) {
            Some(old) => *old = new,
            None => self.all.push(new),
        }
    }

    /// The look that the settings ask for. A broken file of the user's keeps nobody from the
    /// market: the compiled in theme of that name stands in, or the default, and the sentence says
    /// so. A name that is nowhere is refused.
    pub(super) fn look(&self, config: &Config) -> Result<(Look, Option<String>), Failure> {
        let palette = config.palette.parse::<Palette>().map_err(|e| Failure::Usage(e.to_string()))?;
        let at = self.all.iter().position(|t| t.name.name == config.theme);
        let broken = self.broken.iter().find(|(name, _)| *name == config.theme).map(|(_, why)| why);
        let theme = match (at, broken) {
            (Some(at), _) => at,
            (None, Some(_)) => 0,
            (None, None) => return Err(Failure::Usage(self.unknown(&config.theme))),
        };
        let stand_in = self.all.get(theme).map_or("plain", |t| &t.name.name);
        let sentence = broken.map(|why| format!("{why}; shown in the built-in `{stand_in}` instead"));
        Ok((Look { theme, palette }, sentence))
    }

    fn unknown(&self, asked: &str) -> String {
        let names = || self.all.iter().map(|t| t.name.name.as_str());
        let there = names().collect::<Vec<_>>().join(", ");
        let near = nearest(asked, names()).map_or_else(String::new, |n| format!("; `{n}` is the nearest"));
        format!("there is no theme `{asked}`{near}; there are {there}")
    }
}

/// The user's files by name, sorted.
fn own(folder: Option<&Path>) -> Vec<(String, PathBuf)> {
    let Some(entries) = folder.and_then(|f| fs::read_dir(f).ok()) else { return Vec::new() };
    let name = |path: &Path| {
        let name = path.file_stem()?.to_str()?;
        let is_theme = path.extension().is_some_and(|e| e == "toml") && CleanText::new(name).as_str() == name;
        is_theme.then(|| name.to_owned())
    };
    let paths = entries.filter_map(|e| Some(e.ok()?.path()));
    let mut found: Vec<_> = paths.filter_map(|p| Some((name(&p)?, p))).collect();
    found.sort();
    found
}

fn read(path: &Path) -> Result<String, String> {
    if fs::metadata(path).map_err(|e| e.to_string())?.len() > MAX_BYTES {
        return Err("is too large for a theme".to_owned());
    }
    fs::read_to_string(path).map_err(|e| format!("can't be read: {e}"))
}

/// `hamatop themes`: all of them, or the file of one.
pub fn show(name: Option<&str>) -> Result<String, Failure> {
    let themes = Themes::gather();
    if let Some(name) = name {
        let mine = own(folder().as_deref()).into_iter().find(|(n, _)| n == name);
        if let Some((_, path)) = mine {
            return read(&path).map_err(|why| Failure::Usage(format!("{}: {why}", path.display())));
        }
        let built_in = BUILT_IN.iter().find(|b| b.name == name).map(|b| b.text.to_owned());
        return built_in.ok_or_else(|| Failure::Usage(themes.unknown(name)));
    }
    let mut out = String::new();
    // Writing to a string cannot fail.
    for theme in &themes.all {
        let _ = writeln!(out, "{:<14} {}", theme.name.name, theme.name.about);
    }
    for (name, why) in &themes.broken {
        let _ = writeln!(out, "{name:<14} broken: {why}");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn config(theme: &str) -> Config {
        let flags = vec![("theme", theme.to_owned())];
        Config::load(&Sources { flags, ..Sources::default() }).unwrap()
    }

    #[test]
    fn the_users_own_win_and_broken_ones_are_named_and_replaced() {
        let folder = std::env::temp_dir().join(format!("hamatop-themes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let text = BUILT_IN[0].text;
        fs::write(folder.join("mine.toml"), text).unwrap();
        fs::write(folder.join("ansi.toml"), text).unwrap();
        fs::write(folder.join("light.toml"), text.replace("\nwarn ", "\nwern ")).unwrap();
        fs::write(folder.join("other.toml"), "x").unwrap();
        fs::write(folder.join("notes.txt"), "x").unwrap();
        let themes = Themes::with(Some(&folder));
        fs::remove_dir_all(&folder).unwrap();

        let about = |name: &str| &themes.all.iter().find(|t| t.name.name == name).unwrap().name.about;
        assert!(about("mine").starts_with("yours: ") && about("ansi").starts_with("yours: "));
        assert_eq!(themes.all.len(), BUILT_IN.len() + 1);
        let (look, said) = themes.look(&config("mine")).unwrap();
        assert_eq!((themes.all[look.theme].name.name.as_str(), said), ("mine", None));
        let (look, said) = themes.look(&config("light")).unwrap();
        assert_eq!(themes.all[look.theme].name.name, "light");
        let said = said.unwrap();
        assert!(said.contains("light.toml: there is no role `wern`; `warn` is the nearest"), "{said}");
        assert!(said.ends_with("shown in the built-in `light` instead"), "{said}");
        let (look, said) = themes.look(&config("other")).unwrap();
        assert_eq!(look.theme, 0);
        assert!(said.unwrap().contains("other.toml: line 1"));
        let refused = themes.look(&config("darc")).unwrap_err().to_string();
        assert!(refused.contains("no theme `darc`; `dark` is the nearest"), "{refused}");
    }

    #[test]
    fn the_words_of_the_setting_are_the_palettes() {
        for palette in Palette::ALL {
            let flags = vec![("palette", palette.id().to_owned())];
            let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
            assert_eq!(Themes::with(None).look(&config).unwrap().0.palette, *palette);
        }
    }

    #[test]
    fn the_list_names_every_theme() {
        let list = show(None).unwrap();
        assert!(BUILT_IN.iter().all(|b| list.contains(b.name) && list.contains(b.about)), "{list}");
        assert!(show(Some("nonsense")).is_err());
    }
}
