//! What the terminal library reads, as messages.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use crate::app::keys::{Chord, Key};
use crate::app::{Mouse, Msg};

/// What an event means; `None` where it means nothing to us.
pub(super) fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => chord(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(cols, rows) => {
            let (cols, rows) = sane((cols, rows));
            Some(Msg::Resize(cols, rows))
        }
        Event::Mouse(event) => mouse(event).map(Msg::Mouse),
        Event::FocusGained => Some(Msg::Focus(true)),
        Event::FocusLost => Some(Msg::Focus(false)),
    }
}

fn mouse(event: MouseEvent) -> Option<Mouse> {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click { x: event.column, y: event.row }),
        MouseEventKind::ScrollUp => Some(Mouse::Wheel(-1)),
        MouseEventKind::ScrollDown => Some(Mouse::Wheel(1)),
        _ => None,
    }
}

fn chord(event: KeyEvent) -> Option<Chord> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let key = match event.code {
        KeyCode::Char(c) if ctrl => Key::Char(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Tab => Key::Tab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::F(n) => Key::F(n),
        _ => return None,
    };
    Some(Chord { key, ctrl })
}

/// A size that can be drawn: no screen is larger, and a terminal that claims 65535 rows would cost
/// half a gigabyte.
pub(super) fn sane((cols, rows): (u16, u16)) -> (u16, u16) {
    (cols.min(1_000), rows.min(500))
}
