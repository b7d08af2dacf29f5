//! Keys as the program speaks of them, whatever terminal library reads them.

use std::fmt;
use std::str::FromStr;

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
            "ret" | "enter" => Key::Enter,
            "esc" => Key::Esc,
            "backspace" | "bksp" => Key::Backspace,
            "del" | "delete" => Key::Delete,
            "tab" => Key::Tab,
            "up" => Key::Up,
            "down" | "dn" => Key::Down,
            "left" => Key::Left,
            "right" => Key::Right,
            "pageup" | "pgup" => Key::PageUp,
            "pagedown" | "pgdn" => Key::PageDown,
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

/// No such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key is one character, or space, enter, tab, backspace, delete, up, down, left, right, pageup, pagedown, home, end, f1 to f12, or ctrl-x"
)]
pub struct UnknownKey;

impl FromStr for Chord {
    type Err = UnknownKey;

    /// `r`, `R`, `ctrl-r`, `f5`, `pagedown`; as help writes it, too: `^r`, `PgDn`.
    fn from_str(s: &str) -> Result<Self, UnknownKey> {
        let mut chars = s.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return if crate::domain::text::is_unsafe(c) { Err(UnknownKey) } else { Ok(Self::char(c)) };
        }
        let name = s.to_lowercase();
        let control = name.strip_prefix("ctrl-").or_else(|| name.strip_prefix('^'));
        let name = control.map_or_else(|| name.clone(), |c| format!("c-{c}"));
        Self::parse_name(&name).ok_or(UnknownKey)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_write_them_and_as_help_shows_them() {
        for (text, chord) in [
            ("r", Chord::char('r')),
            ("R", Chord::char('R')),
            ("ctrl-r", Chord::ctrl('r')),
            ("Ctrl-R", Chord::ctrl('r')),
            ("space", Chord::char(' ')),
            ("F5", Chord::plain(Key::F(5))),
            ("PgDn", Chord::plain(Key::PageDown)),
            ("^", Chord::char('^')),
        ] {
            assert_eq!(text.parse(), Ok(chord), "{text}");
            assert_eq!(chord.to_string().parse(), Ok(chord), "{chord}");
        }
        for bad in ["", "f13", "ctrl-", "ctrl-ab", "hyper-x", "\u{1b}", "jj"] {
            assert_eq!(bad.parse::<Chord>(), Err(UnknownKey), "{bad:?}");
        }
    }
}
