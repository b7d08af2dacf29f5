//! The themes that can be chosen, and the one that is worn.

use crate::app::look::{Look, ThemeName};

use super::shade::Level;
use super::theme::{Theme, ThemeFile};

/// A theme that is compiled in.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($name:literal, $about:literal;)+) => {
        /// Every theme that is compiled in; the first is the default.
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn {
            name: $name,
            about: $about,
            text: include_str!(concat!("../../themes/", $name, ".toml")),
        },)+];
    };
}

built_in! {
    "dark", "on the terminal's dark background";
    "light", "dark on white, which it paints";
    "ansi", "the terminal's own sixteen colours";
    "high-contrast", "7:1 or more, on black";
    "color-blind", "up is blue, down is orange, on dark";
    "gruvbox", "warm, on its own dark background";
}

/// A theme and its name.
#[derive(Clone, Debug)]
pub struct Named {
    /// How it is called.
    pub name: ThemeName,
    /// What it is made of.
    pub file: ThemeFile,
}

/// The themes that can be chosen, on a terminal of so many colours.
#[derive(Clone, Debug)]
pub struct Wardrobe {
    themes: Vec<Named>,
    level: Level,
    worn: (Look, Theme),
}

impl Wardrobe {
    /// All of `themes`; the first is worn.
    pub fn new(themes: Vec<Named>, level: Level) -> Self {
        let mut new = Self { themes, level, worn: (Look::default(), Theme::plain()) };
        new.worn = (Look::default(), new.make(Look::default()));
        new
    }

    /// The compiled in ones.
    pub fn built_in(level: Level) -> Self {
        let named = |b: &BuiltIn| {
            let name = ThemeName { name: b.name.to_owned(), about: b.about.to_owned() };
            // A test holds that they all parse.
            Some(Named { name, file: ThemeFile::parse(b.text).ok()? })
        };
        Self::new(BUILT_IN.iter().filter_map(named).collect(), level)
    }

    /// The styles of a look.
    pub fn wear(&mut self, look: Look) -> &Theme {
        if self.worn.0 != look {
            self.worn = (look, self.make(look));
        }
        &self.worn.1
    }

    fn make(&self, look: Look) -> Theme {
        let file = self.themes.get(look.theme).or(self.themes.first()).map(|t| &t.file);
        file.map_or_else(Theme::plain, |f| f.theme(look.palette, self.level))
    }
}
