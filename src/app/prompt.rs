//! The line that is typed into: a filter.

use tui_input::{Input, InputRequest};

use crate::domain::symbol::Pair;
use crate::domain::text;
use crate::rule::filter::{Filter, FilterError};

use super::action::Action;
use super::keys::{Chord, Key};
use super::list::List;
use super::{App, View};

/// The longest filter, in characters; a paste of a megabyte is no filter.
const MAX_CHARS: usize = 400;

/// The line being typed, and what to go back to.
#[derive(Clone, Debug)]
pub struct Prompt {
    input: Input,
    /// Whose filter.
    of: View,
    before: String,
    list: List<Pair>,
    error: Option<FilterError>,
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

    /// The view whose filter it is.
    pub fn view(&self) -> View {
        self.of
    }

    /// Why the text is no filter, where it is none.
    pub fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }
}

impl App {
    /// The view whose filter is typed from here: views of the same rows share one.
    fn filtered_view(&self) -> View {
        match self.view {
            View::Signals => View::Signals,
            _ => View::Scanner,
        }
    }

    /// The filter of a view, as text.
    fn filter_source(&self, of: View) -> &str {
        match of {
            View::Signals => "",
            _ => self.scanner.filter.source(),
        }
    }

    /// The one place that says whose filter it is.
    fn apply_filter(&mut self, of: View, filter: Filter) {
        match of {
            View::Signals => {}
            _ => self.filter_scanner(filter),
        }
    }

    pub(super) fn open_prompt(&mut self) {
        let of = self.filtered_view();
        let before = self.filter_source(of).to_owned();
        let list = self.scanner.list.clone();
        self.prompt = Some(Prompt { input: Input::new(before.clone()), of, before, list, error: None });
    }

    pub(super) fn key_in_prompt(&mut self, action: Option<Action>, chord: Chord) {
        match action {
            // A text that is no filter is not taken: the prompt stays until it is one, or is left.
            Some(Action::Accept) if self.filter_error().is_some() => {}
            Some(Action::Accept) => self.prompt = None,
            Some(Action::Escape) => {
                let Some(prompt) = self.prompt.take() else { return };
                self.scanner.list = prompt.list;
                self.apply_filter(prompt.of, Filter::parse(&prompt.before).unwrap_or_default());
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
        let Some(prompt) = &mut self.prompt else { return };
        let (of, filter) = (prompt.of, Filter::parse(prompt.input.value()));
        let filter = match filter {
            Ok(filter) => {
                prompt.error = None;
                filter
            }
            Err(error) => {
                prompt.error = Some(error);
                Filter::parse(&prompt.before).unwrap_or_default()
            }
        };
        self.apply_filter(of, filter);
    }

    pub(super) fn clear_filter(&mut self) {
        self.apply_filter(self.filtered_view(), Filter::default());
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
