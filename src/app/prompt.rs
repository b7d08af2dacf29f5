//! The filter prompt.

use tui_input::{Input, InputRequest};

use crate::domain::text;
use crate::rule::filter::Filter;

use super::action::Action;
use super::keys::{Chord, Key};
use super::{App, Cursor};

/// The longest filter, in characters; a paste of a megabyte is no filter.
const MAX_CHARS: usize = 400;

/// The line being typed, and the filter and the row to go back to.
#[derive(Clone, Debug)]
pub struct Prompt {
    input: Input,
    before: String,
    cursor: Cursor,
}

impl Prompt {
    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Cells left of the cursor.
    pub fn cursor(&self) -> usize {
        self.input.visual_cursor()
    }
}

impl App {
    pub(super) fn open_prompt(&mut self) {
        let before = self.filter.source().to_owned();
        self.prompt = Some(Prompt { input: Input::new(before.clone()), before, cursor: self.cursor.clone() });
    }

    pub(super) fn key_in_prompt(&mut self, action: Option<Action>, chord: Chord) {
        match action {
            // A text that is no filter is not taken: the prompt stays until it is one, or is left.
            Some(Action::Accept) if self.filter_error.is_some() => {}
            Some(Action::Accept) => self.prompt = None,
            Some(Action::Escape) => {
                let Some(prompt) = self.prompt.take() else { return };
                self.cursor = prompt.cursor;
                self.set_filter(&prompt.before);
                self.settle_cursor();
            }
            _ => {
                if let Some(request) = request(chord) {
                    self.edit(request);
                    self.apply_prompt();
                }
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.prompt.is_none() {
            return;
        }
        for c in text.chars().take(MAX_CHARS) {
            let c = if c.is_whitespace() { ' ' } else { c };
            if !text::is_unsafe(c) {
                self.edit(InputRequest::InsertChar(c));
            }
        }
        self.apply_prompt();
    }

    fn edit(&mut self, request: InputRequest) {
        let Some(prompt) = &mut self.prompt else { return };
        let full = prompt.text().chars().count() >= MAX_CHARS;
        if !(full && matches!(request, InputRequest::InsertChar(_))) {
            prompt.input.handle(request);
        }
    }

    /// While the text is no filter, the one from before the prompt is in force: a half of what is
    /// typed is not what was meant.
    fn apply_prompt(&mut self) {
        let Some((text, before)) = self.prompt.as_ref().map(|p| (p.text().to_owned(), p.before.clone()))
        else {
            return;
        };
        self.set_filter(&text);
        if let Some(error) = self.filter_error.take() {
            self.set_filter(&before);
            self.filter_error = Some(error);
        }
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        let usable =
            Filter::parse(text).and_then(|f| f.check(&self.snapshot.intervals, &self.names).map(|()| f));
        match usable {
            Ok(filter) => {
                self.filter_error = None;
                if filter != self.filter {
                    self.filter = filter;
                    self.hold_until = None;
                    self.reorder();
                }
            }
            Err(error) => self.filter_error = Some(error),
        }
    }
}

fn request(chord: Chord) -> Option<InputRequest> {
    Some(match (chord.ctrl, chord.key) {
        (false, Key::Char(c)) if !text::is_unsafe(c) => InputRequest::InsertChar(c),
        (false, Key::Backspace) | (true, Key::Char('h')) => InputRequest::DeletePrevChar,
        (false, Key::Delete) => InputRequest::DeleteNextChar,
        (false, Key::Left) | (true, Key::Char('b')) => InputRequest::GoToPrevChar,
        (false, Key::Right) | (true, Key::Char('f')) => InputRequest::GoToNextChar,
        (false, Key::Home) | (true, Key::Char('a')) => InputRequest::GoToStart,
        (false, Key::End) | (true, Key::Char('e')) => InputRequest::GoToEnd,
        (true, Key::Char('w')) => InputRequest::DeletePrevWord,
        (true, Key::Char('u')) => InputRequest::DeleteLine,
        (true, Key::Char('k')) => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}
