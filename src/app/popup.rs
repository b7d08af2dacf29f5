//! What lies over the view: help, the sort picker, the column editor, the palette, the log.

use tui_input::{Input, InputRequest};

use crate::domain::text;

use super::action::{Action, Context};
use super::column::Column;
use super::columns::Edit;
use super::keys::Chord;
use super::layout::Frame;
use super::list::{List, Motion, Pane, Rows};
use super::look::Look;
use super::palette::Palette;
use super::{App, Effect, prompt};

/// The longest text to look for, in characters.
const MAX_CHARS: usize = 100;

/// What lies over the view.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// The keys and the legend.
    Help(Help),
    /// Choose the sort column.
    SortPicker(List<Column>),
    /// Choose, order and pin the columns.
    Columns(List<Column>),
    /// Find anything by typing.
    Palette(Palette),
    /// What the program has said, by the notices' numbers.
    Log(List<u64>),
    /// Choose theme and palette, tried out as they are chosen: what is gone back to.
    Look(Look),
}

/// The help: what is looked for in it, and how far it is scrolled.
#[derive(Clone, Debug, Default)]
pub struct Help {
    query: Query,
    at: usize,
}

impl Help {
    /// What is looked for.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Lines scrolled; the drawing stops at the last one.
    pub fn at(&self) -> usize {
        self.at
    }
}

/// A text to look for.
#[derive(Clone, Debug, Default)]
pub struct Query(Input);

impl Query {
    /// The text.
    pub fn text(&self) -> &str {
        self.0.value()
    }

    /// Cells left of the cursor.
    pub fn cursor(&self) -> usize {
        self.0.visual_cursor()
    }

    /// Takes a key. Says whether the text may be another one now.
    fn edit(&mut self, chord: Chord) -> bool {
        let Some(request) = prompt::request(chord) else { return false };
        if matches!(request, InputRequest::InsertChar(_)) && self.text().chars().count() >= MAX_CHARS {
            return false;
        }
        self.0.handle(request);
        true
    }

    fn paste(&mut self, pasted: &str) {
        for c in pasted.chars().take(MAX_CHARS).filter(|c| !text::is_unsafe(*c)) {
            self.edit(Chord::char(c));
        }
    }
}

impl Overlay {
    /// Where keys are pressed while it is open.
    pub(super) fn context(&self) -> Context {
        match self {
            Self::Help(_) | Self::Palette(_) => Context::Search,
            Self::Columns(_) => Context::Columns,
            Self::SortPicker(_) | Self::Log(_) | Self::Look(_) => Context::Popup,
        }
    }
}

impl App {
    /// Where the window over the view stands, and where its lines do.
    pub fn frame(&self) -> Option<(Frame, Pane)> {
        let frame = match self.overlay.as_ref()? {
            Overlay::Help(_) | Overlay::Log(_) | Overlay::Look(_) => Frame::whole(self.shape),
            Overlay::SortPicker(_) => Frame::centered(self.shape, 40, self.columns().len()),
            Overlay::Columns(_) => Frame::centered(self.shape, 54, usize::MAX),
            Overlay::Palette(_) => Frame::centered(self.shape, 72, usize::MAX),
        };
        let pane = match self.overlay {
            // The first line is typed into.
            Some(Overlay::Palette(_)) => {
                Pane { first: frame.y + 2, rows: frame.lines().saturating_sub(1).max(1) }
            }
            // The last lines are one notice at length.
            Some(Overlay::Log(_)) => {
                Pane { first: frame.y + 1, rows: frame.lines().saturating_sub(LOG_FOOT).max(1) }
            }
            _ => Pane { first: frame.y + 1, rows: frame.lines() },
        };
        Some((frame, pane))
    }

    pub(super) fn open_help(&mut self) {
        self.overlay = Some(Overlay::Help(Help::default()));
    }

    pub(super) fn open_sort_picker(&mut self) {
        let here = self.scanner.sort.column;
        self.open_list(Overlay::SortPicker, &self.columns().as_slice(), Some(&here));
    }

    pub(super) fn open_editor(&mut self) {
        self.open_list(Overlay::Columns, &self.editor_lines().as_slice(), None);
    }

    pub(super) fn open_log(&mut self) {
        let seqs = self.log_lines();
        self.toast = None;
        self.open_list(Overlay::Log, &seqs.as_slice(), seqs.last());
    }

    fn open_list<K: Clone + PartialEq>(
        &mut self,
        make: fn(List<K>) -> Overlay,
        rows: &impl Rows<Key = K>,
        at: Option<&K>,
    ) {
        self.overlay = Some(make(List::default()));
        let Some((_, pane)) = self.frame() else { return };
        let mut list = List::default();
        if let Some(at) = at {
            list.find(at, rows, pane);
        }
        self.overlay = Some(make(list));
    }

    /// The notices by their numbers, oldest first.
    pub fn log_lines(&self) -> Vec<u64> {
        self.log().iter().map(|n| n.seq).collect()
    }

    /// A key while a window is open: an action, or text.
    pub(super) fn key_in_popup(&mut self, action: Option<Action>, chord: Chord, effects: &mut Vec<Effect>) {
        if let (Some(Overlay::Look(before)), Some(action)) = (&self.overlay, action) {
            return self.act_in_look(*before, action);
        }
        match action {
            Some(Action::Escape | Action::Back | Action::Help | Action::Log) => self.overlay = None,
            Some(Action::Move(motion)) => {
                self.move_in_popup(motion);
            }
            Some(Action::Accept) => self.accept(effects),
            Some(Action::Invert) => self.invert(),
            Some(Action::Edit(edit)) => self.edit_set(edit),
            Some(_) => {}
            None => self.type_in_popup(|query| query.edit(chord)),
        }
    }

    pub(super) fn paste_in_popup(&mut self, text: &str) {
        self.type_in_popup(|query| {
            query.paste(text);
            true
        });
    }

    fn type_in_popup(&mut self, edit: impl FnOnce(&mut Query) -> bool) {
        match self.overlay.take() {
            Some(Overlay::Help(mut help)) => {
                if edit(&mut help.query) {
                    help.at = 0;
                }
                self.overlay = Some(Overlay::Help(help));
            }
            Some(Overlay::Palette(mut palette)) => {
                if edit(&mut palette.query) {
                    palette.find(self);
                }
                self.overlay = Some(Overlay::Palette(palette));
            }
            other => self.overlay = other,
        }
    }

    pub(super) fn move_in_popup(&mut self, motion: Motion) -> bool {
        let Some((_, pane)) = self.frame() else { return false };
        let Some(mut overlay) = self.overlay.take() else { return false };
        let moved = match &mut overlay {
            Overlay::Help(help) => {
                help.at = match motion {
                    Motion::Up => help.at.saturating_sub(1),
                    Motion::Down => help.at + 1,
                    Motion::PageUp => help.at.saturating_sub(pane.rows),
                    Motion::PageDown => help.at + pane.rows,
                    Motion::Scroll(by) => help.at.saturating_add_signed(isize::from(by)),
                    _ => help.at,
                }
                .min(MAX_HELP);
                false
            }
            Overlay::SortPicker(list) => list.go(motion, &self.columns().as_slice(), pane),
            Overlay::Columns(list) => list.go(motion, &self.editor_lines().as_slice(), pane),
            Overlay::Palette(palette) => palette.go(motion, pane),
            Overlay::Log(list) => list.go(motion, &self.log_lines().as_slice(), pane),
            Overlay::Look(_) => false,
        };
        self.overlay = Some(overlay);
        moved
    }

    fn edit_set(&mut self, edit: Edit) {
        let Some((_, pane)) = self.frame() else { return };
        if let Some(Overlay::Columns(mut list)) = self.overlay.take() {
            self.edit_columns(edit, &mut list, pane);
            self.overlay = Some(Overlay::Columns(list));
        }
    }

    /// Takes what is chosen.
    pub(super) fn accept(&mut self, effects: &mut Vec<Effect>) {
        match self.overlay.take() {
            Some(Overlay::SortPicker(list)) => {
                if let Some(column) = self.columns().get(list.place()) {
                    self.sort_by(*column);
                }
            }
            Some(Overlay::Palette(palette)) => self.take_choice(&palette, effects),
            _ => {}
        }
    }

    /// A line was clicked: what a list is there to choose from is chosen, the others show it.
    pub(super) fn choose_clicked(&mut self, effects: &mut Vec<Effect>) {
        match self.overlay {
            Some(Overlay::SortPicker(_) | Overlay::Palette(_)) => self.accept(effects),
            Some(Overlay::Columns(_)) => self.edit_set(Edit::Toggle),
            Some(Overlay::Help(_) | Overlay::Log(_) | Overlay::Look(_)) | None => {}
        }
    }

    /// The rows of a list that is open may have changed.
    pub(super) fn settle_popup(&mut self) {
        let Some((_, pane)) = self.frame() else { return };
        let seqs = self.log_lines();
        if let Some(Overlay::Log(list)) = &mut self.overlay {
            // Who looks at the newest goes on to.
            let at_end = list.place() + 2 >= seqs.len();
            list.settle(&seqs.as_slice(), pane, super::list::Keep::Cursor);
            if at_end {
                list.go(Motion::Last, &seqs.as_slice(), pane);
            }
        }
    }
}

/// Lines below the log: a rule, and the chosen notice at length.
pub const LOG_FOOT: usize = 4;
/// The drawing stops at the last line; this only bounds the figure.
const MAX_HELP: usize = 500;
