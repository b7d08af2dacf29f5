//! How the screen looks, as far as the user chooses it: which theme, which palette. What they are
//! made of is the drawing's business.

use std::str::FromStr;

use super::action::Action;
use super::list::Motion;
use super::{App, Overlay};

macro_rules! palettes {
    ($($name:ident = $id:literal, $about:literal;)+) => {
        /// Which colours mean up and down.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Palette { #[default] $(#[doc = $about] $name,)+ }

        impl Palette {
            /// Every palette.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name in options and files.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// What it is, in a few words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)+ }
            }
        }
    };
}

palettes! {
    GreenUp = "green-up", "As the theme has them.";
    RedUp = "red-up", "Up and down swapped: red is up.";
    BlueOrange = "blue-orange", "Blue is up, orange is down.";
}

/// The palette's name is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a palette is green-up, red-up or blue-orange")]
pub struct UnknownPalette;

impl FromStr for Palette {
    type Err = UnknownPalette;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|p| p.id() == s).ok_or(UnknownPalette)
    }
}

/// A theme that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeName {
    /// Its name in options and files.
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
}

/// What is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Which of [`AppConfig::themes`](super::AppConfig::themes).
    pub theme: usize,
    /// The palette.
    pub palette: Palette,
}

/// Which look is put on at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wears {
    /// The one that was chosen once, where one was.
    #[default]
    Chosen,
    /// The one of the settings, this time; what was chosen stays so.
    Asked,
}

impl App {
    /// How the screen is to look now; while looks are tried out, the one that is tried.
    pub fn look(&self) -> Look {
        self.look
    }

    /// The chosen theme's name, for a file: neither one that is only tried out, nor one that the
    /// settings ask for.
    pub fn chosen_look(&self) -> Option<(&str, Palette)> {
        let look = self.memory.look?;
        Some((self.config.themes.get(look.theme)?.name.as_str(), look.palette))
    }

    /// Puts on what was chosen before, where there still is such a theme.
    pub(super) fn restore_look(&mut self, theme: &str, palette: Palette) {
        if let Some(theme) = self.config.themes.iter().position(|t| t.name == theme) {
            self.look = Look { theme, palette };
            self.memory.look = Some(self.look);
        }
    }

    pub(super) fn open_look(&mut self) {
        self.overlay = Some(Overlay::Look(self.look));
    }

    /// Moving shows at once what it would look like.
    pub(super) fn act_in_look(&mut self, before: Look, action: Action) {
        let last = self.config.themes.len().saturating_sub(1);
        let theme = self.look.theme;
        match action {
            Action::Move(Motion::Up) => self.look.theme = theme.saturating_sub(1),
            Action::Move(Motion::Down) => self.look.theme = (theme + 1).min(last),
            Action::Move(Motion::First | Motion::PageUp) => self.look.theme = 0,
            Action::Move(Motion::Last | Motion::PageDown) => self.look.theme = last,
            Action::NextPalette => {
                let at = Palette::ALL.iter().position(|p| *p == self.look.palette).unwrap_or(0);
                self.look.palette = Palette::ALL[(at + 1) % Palette::ALL.len()];
            }
            Action::Accept => {
                self.memory.look = Some(self.look);
                self.overlay = None;
            }
            Action::Escape | Action::Back | Action::PickLook => {
                self.look = before;
                self.overlay = None;
            }
            _ => {}
        }
    }
}
