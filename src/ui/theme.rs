//! Roles and the styles that themes give them.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::app::look::Palette;
use crate::app::value::Tone;

use crate::domain::text::nearest as nearest_name;

use super::shade::{LEGIBLE, Level, On, contrast, nearest, place_of};

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
    Good = "good", "As it should be; not a direction, and no palette changes it.";
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

/// A style for each role, as one terminal shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    styles: Vec<Style>,
    /// What every cell begins with; without colours where the terminal's own stay.
    ground: Style,
}

/// A theme as its file has it, for every palette and any number of colours.
#[derive(Clone, Debug, PartialEq)]
pub struct ThemeFile {
    ground: Ground,
    roles: Vec<Paint>,
    palettes: Vec<(Palette, Vec<(Role, Paint)>)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Ground {
    fg: Color,
    bg: Color,
    paint: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Paint {
    fg: Option<Color>,
    bg: Option<Color>,
    ansi: Option<Color>,
    add: Modifier,
}

/// The file is no theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Not TOML, or not of the right shape.
    #[error("line {line}: {why}; `hamatop themes dark` prints one that is right")]
    Format {
        /// Counted from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// A role without a style.
    #[error("the theme has no role `{0}`; add `{0} = {{}}` under [roles]")]
    Missing(&'static str),
    /// A style for a role that does not exist.
    #[error("there is no role `{0}`{near}; take it out", near = near(.0, Role::ALL.iter().map(|r| r.id())))]
    Unknown(String),
    /// A palette that does not exist.
    #[error("there is no palette `{0}`; there are green-up, red-up and blue-orange")]
    Palette(String),
    /// A palette may change what is up and what is down, and nothing else.
    #[error("palette `{0}` has the role `{1}`; a palette has up, up-strong, down and down-strong")]
    Direction(&'static str, String),
    /// A colour or an attribute that does not exist.
    #[error("role `{role}`: `{word}` is neither a colour name, an index, #rrggbb nor an attribute")]
    Word {
        /// In which role.
        role: &'static str,
        /// The word.
        word: String,
    },
}

fn near<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest_name(asked, known).map_or_else(String::new, |name| format!("; `{name}` is the nearest"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<Head>,
    roles: BTreeMap<String, Entry>,
    #[serde(default)]
    palettes: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Head {
    foreground: Option<String>,
    background: Option<String>,
    paint: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    ansi: Option<String>,
    add: Vec<String>,
}

/// The roles that a palette is about, and what each becomes where up and down are swapped.
const DIRECTIONS: [(Role, Role); 4] = [
    (Role::Up, Role::Down),
    (Role::UpStrong, Role::DownStrong),
    (Role::Down, Role::Up),
    (Role::DownStrong, Role::UpStrong),
];

impl ThemeFile {
    /// Reads a theme file.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let file: File = toml::from_str(text).map_err(|e| ThemeError::Format {
            line: e.span().and_then(|s| text.get(..s.start)).map_or(1, |t| t.matches('\n').count() + 1),
            why: e.message().to_owned(),
        })?;
        let role = |name: &str| Role::ALL.iter().copied().find(|r| r.id() == name);
        if let Some(name) = file.roles.keys().find(|k| role(k).is_none()) {
            return Err(ThemeError::Unknown(name.clone()));
        }
        let roles = Role::ALL
            .iter()
            .map(|role| paint(*role, file.roles.get(role.id()).ok_or(ThemeError::Missing(role.id()))?));
        let roles = roles.collect::<Result<_, _>>()?;
        let mut palettes = Vec::new();
        for (name, entries) in &file.palettes {
            let palette: Palette = name.parse().map_err(|_| ThemeError::Palette(name.clone()))?;
            let paints = entries.iter().map(|(name, entry)| {
                let is_direction = |r: &Role| DIRECTIONS.iter().any(|(d, _)| d == r);
                let role = role(name).filter(is_direction);
                let role = role.ok_or_else(|| ThemeError::Direction(palette.id(), name.clone()))?;
                Ok((role, paint(role, entry)?))
            });
            palettes.push((palette, paints.collect::<Result<_, _>>()?));
        }
        Ok(Self { ground: ground(file.theme.unwrap_or_default())?, roles, palettes })
    }

    /// The styles for a palette on a terminal of so many colours.
    pub fn theme(&self, palette: Palette, level: Level) -> Theme {
        let on = self.on(level);
        let mut ground = Style::new();
        if self.ground.paint && level > Level::Plain {
            ground = ground.fg(nearest(self.ground.fg, level, Some(on))).bg(on.shown);
        }
        let style = |role: &Role| calm(self.paint(*role, palette).style(level, on), ground, on.shown);
        let styles = Role::ALL.iter().map(style).collect();
        Theme { styles, ground }
    }

    /// What a terminal shows that leaves the colours to this theme: foreground and background.
    pub fn ground(&self, level: Level) -> (Color, Color) {
        let on = self.on(level);
        (nearest(self.ground.fg, level, Some(on)), on.shown)
    }

    fn on(&self, level: Level) -> On {
        On { meant: self.ground.bg, shown: nearest(self.ground.bg, level, None) }
    }

    fn paint(&self, role: Role, palette: Palette) -> Paint {
        let own = |role: Role| self.roles.get(role as usize).copied().unwrap_or_default();
        let Some((_, swapped)) = DIRECTIONS.iter().find(|(r, _)| *r == role) else { return own(role) };
        let given = self.palettes.iter().find(|(p, _)| *p == palette).map(|(_, paints)| paints);
        if let Some((_, paint)) = given.and_then(|paints| paints.iter().find(|(r, _)| *r == role)) {
            return *paint;
        }
        match palette {
            Palette::GreenUp => own(role),
            Palette::RedUp => own(*swapped),
            Palette::BlueOrange => blue_or_orange(role),
        }
    }
}

/// Many terminals show the first eight colours brighter where they are bold. Where that could not be
/// read any more, they are not bold.
fn calm(style: Style, ground: Style, on: Color) -> Style {
    let (fg, bg) = (style.fg.or(ground.fg), style.bg.unwrap_or(on));
    let reads = |n| contrast(Color::Indexed(n + 8), bg).is_none_or(|r| r >= LEGIBLE);
    match fg.and_then(place_of) {
        Some(n @ 0..=7) if !reads(n) => style.remove_modifier(Modifier::BOLD),
        _ => style,
    }
}

/// For themes on dark that say nothing of it themselves.
fn blue_or_orange(role: Role) -> Paint {
    let paint = |fg, ansi, add| Paint { fg: Some(Color::Indexed(fg)), ansi: Some(ansi), add, bg: None };
    match role {
        Role::Up => paint(75, Color::Cyan, Modifier::empty()),
        Role::UpStrong => paint(117, Color::LightCyan, Modifier::BOLD),
        Role::Down => paint(208, Color::Yellow, Modifier::empty()),
        _ => paint(214, Color::LightYellow, Modifier::BOLD),
    }
}

impl Paint {
    /// What is left of it where there are fewer colours: it can be read wherever it could before.
    /// Without any, what had a background of its own is reversed, so that it still stands out.
    fn style(self, level: Level, ground: On) -> Style {
        let mut style = Style::new().add_modifier(self.add);
        if level == Level::Plain {
            return if self.bg.is_some() { style.add_modifier(Modifier::REVERSED) } else { style };
        }
        // How much fainter it gets, and whether it can still be read, each terminal decides for itself.
        style.add_modifier -= Modifier::DIM;
        let own = self.bg.map(|bg| On { meant: bg, shown: nearest(bg, level, None) });
        style.bg = own.map(|on| on.shown);
        let fg = if level == Level::Sixteen { self.ansi.or(self.fg) } else { self.fg };
        style.fg = fg.map(|fg| nearest(fg, level, Some(own.unwrap_or(ground))));
        style
    }
}

impl Theme {
    /// The default theme with 256 colours.
    pub fn dark() -> Self {
        // A test holds that the file parses.
        let file = ThemeFile::parse(include_str!("../../themes/dark.toml"));
        file.map_or_else(|_| Self::plain(), |f| f.theme(Palette::default(), Level::Indexed))
    }

    /// No style at all.
    pub fn plain() -> Self {
        Self { styles: vec![Style::new(); Role::ALL.len()], ground: Style::new() }
    }

    /// The style of a role: what it adds to what is there.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The style of a role and nothing of what was there before.
    pub fn over(&self, role: Role) -> Style {
        Style::reset().patch(self.ground).patch(self.style(role))
    }

    /// What every cell begins with.
    pub fn ground(&self) -> Style {
        self.ground
    }
}

fn color(word: &str, role: &'static str) -> Result<Color, ThemeError> {
    Color::from_str(word).map_err(|_| ThemeError::Word { role, word: word.to_owned() })
}

fn ground(head: Head) -> Result<Ground, ThemeError> {
    let read = |word: Option<String>, name, default| word.map_or(Ok(default), |w| color(&w, name));
    Ok(Ground {
        fg: read(head.foreground, "foreground", Color::Gray)?,
        bg: read(head.background, "background", Color::Black)?,
        paint: head.paint,
    })
}

fn paint(role: Role, entry: &Entry) -> Result<Paint, ThemeError> {
    let read = |word: &Option<String>| word.as_deref().map(|w| color(w, role.id())).transpose();
    let mut add = Modifier::empty();
    for word in &entry.add {
        add |= match word.as_str() {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            _ => return Err(ThemeError::Word { role: role.id(), word: word.clone() }),
        };
    }
    Ok(Paint { fg: read(&entry.fg)?, bg: read(&entry.bg)?, ansi: read(&entry.ansi)?, add })
}

#[cfg(test)]
mod tests;
