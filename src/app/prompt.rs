//! The line that is typed into: a filter.

use tui_input::{Input, InputRequest};

use crate::domain::symbol::Pair;
use crate::domain::text;
use crate::rule::filter::{Filter, FilterError};

use super::action::Action;
use super::keys::{Chord, Key};
use super::list::{List, Motion};
use super::{App, View};

/// The longest filter, in characters; a paste of a megabyte is no filter.
const MAX_CHARS: usize = 400;

/// The line being typed, and what to go back to.
#[derive(Clone, Debug)]
pub struct Prompt {
    input: Input,
    before: String,
    list: List<Pair>,
    error: Option<FilterError>,
    /// How far back in the history, and what was typed before that.
    back: usize,
    draft: String,
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

    /// The filter it began with.
    pub(super) fn before(&self) -> &str {
        &self.before
    }

    /// Why the text is no filter, where it is none.
    pub fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }
}

impl App {
    /// Whether the view follows the filter: the views of the pairs' rows share one.
    pub(super) fn is_filtered(&self) -> bool {
        matches!(self.view, View::Scanner | View::Cache)
    }

    /// The filter of a text that can be answered here: with these intervals and names.
    pub(super) fn usable(&self, text: &str) -> Result<Filter, FilterError> {
        let filter = Filter::parse(text)?;
        filter.check(&self.snapshot.intervals, &self.names)?;
        Ok(filter)
    }

    pub(super) fn open_prompt(&mut self) {
        let before = self.scanner.filter.source().to_owned();
        let list = self.scanner.list.clone();
        let input = Input::new(before.clone());
        self.prompt = Some(Prompt { input, before, list, error: None, back: 0, draft: String::new() });
    }

    pub(super) fn key_in_prompt(&mut self, action: Option<Action>, chord: Chord) {
        match action {
            // A text that is no filter is not taken: the prompt stays until it is one, or is left.
            Some(Action::Accept) if self.filter_error().is_some() => {}
            Some(Action::Accept) => {
                let typed = self.prompt.take().map(|p| p.text().trim().to_owned()).unwrap_or_default();
                self.memory.remember(&typed);
            }
            Some(Action::Move(Motion::Up)) => self.recall(1),
            Some(Action::Move(Motion::Down)) => self.recall(-1),
            Some(Action::Escape) => {
                let Some(prompt) = self.prompt.take() else { return };
                self.scanner.list = prompt.list;
                let before = self.usable(&prompt.before).unwrap_or_default();
                self.filter_scanner(before);
                self.reorder();
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
            return self.paste_in_popup(text);
        }
        for c in text.chars().take(MAX_CHARS) {
            let c = if c.is_whitespace() { ' ' } else { c };
            if !text::is_unsafe(c) {
                self.edit(InputRequest::InsertChar(c));
            }
        }
        self.apply_prompt();
    }

    /// A filter typed before: so many steps back, or forth again to what was being typed.
    fn recall(&mut self, steps: isize) {
        let Some(prompt) = &mut self.prompt else { return };
        let history = &self.memory.history;
        let back = prompt.back.saturating_add_signed(steps).min(history.len());
        if back == prompt.back {
            return;
        }
        if prompt.back == 0 {
            prompt.input.value().clone_into(&mut prompt.draft);
        }
        prompt.back = back;
        let text = if back == 0 { &prompt.draft } else { &history[history.len() - back] };
        prompt.input = Input::new(text.clone());
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
        let Some(prompt) = &self.prompt else { return };
        let (filter, error) = match self.usable(prompt.text()) {
            Ok(filter) => (filter, None),
            Err(error) => (self.usable(&prompt.before).unwrap_or_default(), Some(error)),
        };
        if let Some(prompt) = &mut self.prompt {
            prompt.error = error;
        }
        self.filter_scanner(filter);
    }

    pub(super) fn clear_filter(&mut self) {
        self.filter_scanner(Filter::default());
    }
}

pub(super) fn request(chord: Chord) -> Option<InputRequest> {
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
