//! Roles and the styles that themes give them.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::app::value::Tone;

macro_rules! roles {
    ($($name:ident = $id:literal, $about:literal;)+) => {
        /// What a piece of the screen is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Role { $(#[doc = $about] $name,)+ }

        impl Role {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name in theme files.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }
        }
    };
}

roles! {
    Text = "text", "Figures and names.";
    Dim = "dim", "Beside the point, or not there.";
    Title = "title", "The program's name, a pair's.";
    Heading = "heading", "Above a column.";
    Rule = "rule", "Lines between parts.";
    Key = "key", "A key to press.";
    Tab = "tab", "The view that is open.";
    Selected = "selected", "Laid over the name under the cursor.";
    Cursor = "cursor", "Added to the rest of its row, whose colours and signs of state stay.";
    Up = "up", "Up.";
    UpStrong = "up-strong", "Up, by far.";
    Down = "down", "Down.";
    DownStrong = "down-strong", "Down, by far.";
    Flat = "flat", "Neither.";
    Warn = "warn", "Not as it should be.";
    Bad = "bad", "Wrong.";
    Stale = "stale", "A figure that is no longer kept true.";
    Preview = "preview", "May change before the bar closes.";
    Demo = "demo", "This is a replay.";
}

impl From<Tone> for Role {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Plain => Self::Text,
            Tone::Dim => Self::Dim,
            Tone::Up => Self::Up,
            Tone::UpStrong => Self::UpStrong,
            Tone::Down => Self::Down,
            Tone::DownStrong => Self::DownStrong,
            Tone::Flat => Self::Flat,
            Tone::Warn => Self::Warn,
            Tone::Bad => Self::Bad,
            Tone::Preview => Self::Preview,
        }
    }
}

/// A style for each role.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    styles: Vec<Style>,
}

/// The file is no theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Not TOML, or not of the right shape.
    #[error("the theme can't be read: {0}")]
    Format(String),
    /// A role without a style.
    #[error("the theme has no role `{0}`; add `{0} = {{}}` under [roles]")]
    Missing(&'static str),
    /// A style for a role that does not exist.
    #[error("the theme has a role `{0}` that does not exist; take it out")]
    Unknown(String),
    /// A colour or an attribute that does not exist.
    #[error("role `{role}`: `{word}` is neither a colour name, an index, #rrggbb nor an attribute")]
    Word {
        /// In which role.
        role: &'static str,
        /// The word.
        word: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    roles: BTreeMap<String, Entry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    add: Vec<String>,
}

impl Theme {
    /// Reads a theme file.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let file: File = toml::from_str(text).map_err(|e| ThemeError::Format(e.message().to_owned()))?;
        if let Some(name) = file.roles.keys().find(|k| Role::ALL.iter().all(|r| r.id() != k.as_str())) {
            return Err(ThemeError::Unknown(name.clone()));
        }
        let styles = Role::ALL.iter().map(|role| {
            let entry = file.roles.get(role.id()).ok_or(ThemeError::Missing(role.id()))?;
            style(entry).map_err(|word| ThemeError::Word { role: role.id(), word })
        });
        Ok(Self { styles: styles.collect::<Result<_, _>>()? })
    }

    /// The default theme, compiled in.
    pub fn dark() -> Self {
        // A test holds that the file parses.
        Self::parse(include_str!("../../themes/dark.toml")).unwrap_or_else(|_| Self::plain())
    }

    /// No style at all.
    pub fn plain() -> Self {
        Self { styles: vec![Style::new(); Role::ALL.len()] }
    }

    /// The same without colours; bold, italic and reversed stay. What had a background of its own
    /// is reversed, so that it still stands out.
    pub fn without_colors(mut self) -> Self {
        for style in &mut self.styles {
            if style.bg.is_some() {
                *style = style.add_modifier(Modifier::REVERSED);
            }
            (style.fg, style.bg) = (None, None);
        }
        self
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }
}

fn style(entry: &Entry) -> Result<Style, String> {
    let color = |word: &String| Color::from_str(word).map_err(|_| word.clone());
    let mut style = Style::new();
    style.fg = entry.fg.as_ref().map(color).transpose()?;
    style.bg = entry.bg.as_ref().map(color).transpose()?;
    for word in &entry.add {
        style = style.add_modifier(match word.as_str() {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            _ => return Err(word.clone()),
        });
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_theme_parses() {
        let theme = Theme::parse(include_str!("../../themes/dark.toml")).unwrap();
        assert_eq!(theme, Theme::dark());
        assert_eq!(theme.style(Role::Up).fg, Some(Color::Green));
        assert_eq!(theme.style(Role::Demo).bg, Some(Color::Yellow));
    }

    #[test]
    fn without_colors_no_colour_is_left() {
        let theme = Theme::dark().without_colors();
        for role in Role::ALL {
            assert_eq!((theme.style(*role).fg, theme.style(*role).bg), (None, None), "{role:?}");
        }
        assert!(theme.style(Role::Demo).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn a_broken_theme_is_refused_with_the_cure() {
        let good = include_str!("../../themes/dark.toml");
        let missing = good.replace("warn        =", "wern        =");
        assert_eq!(Theme::parse(&missing), Err(ThemeError::Unknown("wern".to_owned())));
        let word = good.replace("\"yellow\" }", "\"jellow\" }");
        assert!(matches!(Theme::parse(&word), Err(ThemeError::Word { role: "warn", .. })));
        assert!(matches!(Theme::parse("[roles]"), Err(ThemeError::Missing("text"))));
        assert!(matches!(Theme::parse("]"), Err(ThemeError::Format(_))));
    }
}
