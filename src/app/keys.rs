//! Keys as the program speaks of them, whatever terminal library reads them.

use std::fmt;

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character; capitals carry their Shift.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Tab.
    Tab,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// F1 to F12.
    F(u8),
}

/// A key with Control or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// With Control held.
    pub ctrl: bool,
}

impl Chord {
    /// A key alone.
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false }
    }

    /// A character alone.
    pub const fn char(c: char) -> Self {
        Self::plain(Key::Char(c))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> Self {
        Self { key: Key::Char(c), ctrl: true }
    }

    /// Reads a macro: characters stand for themselves, `<ret>`, `<esc>`, `<down>`, `<c-d>`, `<lt>`
    /// for the rest. `None` where a name is not known.
    pub fn parse_macro(text: &str) -> Option<Vec<Self>> {
        let mut chords = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '<' {
                let (name, after) = rest[1..].split_once('>')?;
                chords.push(Self::parse_name(name)?);
                rest = after;
            } else {
                chords.push(Self::char(c));
                rest = &rest[c.len_utf8()..];
            }
        }
        Some(chords)
    }

    fn parse_name(name: &str) -> Option<Self> {
        if let Some(c) = name.strip_prefix("c-") {
            let mut chars = c.chars();
            let c = chars.next().filter(|_| chars.clone().next().is_none())?;
            return Some(Self::ctrl(c));
        }
        let key = match name {
            "ret" => Key::Enter,
            "esc" => Key::Esc,
            "backspace" => Key::Backspace,
            "del" => Key::Delete,
            "tab" => Key::Tab,
            "up" => Key::Up,
            "down" => Key::Down,
            "left" => Key::Left,
            "right" => Key::Right,
            "pageup" => Key::PageUp,
            "pagedown" => Key::PageDown,
            "home" => Key::Home,
            "end" => Key::End,
            "space" => Key::Char(' '),
            "lt" => Key::Char('<'),
            "gt" => Key::Char('>'),
            f => Key::F(f.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n))?),
        };
        Some(Self::plain(key))
    }
}

impl fmt::Display for Chord {
    /// As help and hints show it: `j`, `^d`, `Enter`, `PgDn`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("^")?;
        }
        match self.key {
            Key::Char(' ') => f.write_str("Space"),
            Key::Char(c) => write!(f, "{c}"),
            Key::Enter => f.write_str("Enter"),
            Key::Esc => f.write_str("Esc"),
            Key::Backspace => f.write_str("Bksp"),
            Key::Delete => f.write_str("Del"),
            Key::Tab => f.write_str("Tab"),
            Key::Up => f.write_str("Up"),
            Key::Down => f.write_str("Dn"),
            Key::Left => f.write_str("Left"),
            Key::Right => f.write_str("Right"),
            Key::PageUp => f.write_str("PgUp"),
            Key::PageDown => f.write_str("PgDn"),
            Key::Home => f.write_str("Home"),
            Key::End => f.write_str("End"),
            Key::F(n) => write!(f, "F{n}"),
        }
    }
}
