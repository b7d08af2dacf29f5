//! What lies over the view: help, the sort picker.

use super::action::Action;
use super::list::Motion;
use super::{App, Overlay};

impl App {
    pub(super) fn open_sort_picker(&mut self) {
        let here = self.columns().iter().position(|c| *c == self.scanner.sort.column).unwrap_or(0);
        self.overlay = Some(Overlay::SortPicker(here));
    }

    pub(super) fn act_in_popup(&mut self, action: Action) {
        let lines = match self.overlay {
            Some(Overlay::SortPicker(_)) => self.columns().len(),
            // The drawing stops at the last line; this only bounds the figure.
            _ => 200,
        };
        let Some(Overlay::Help(at) | Overlay::SortPicker(at)) = &mut self.overlay else { return };
        match action {
            Action::Move(Motion::Up) => *at = at.saturating_sub(1),
            Action::Move(Motion::Down) => *at = (*at + 1).min(lines.saturating_sub(1)),
            Action::Move(Motion::PageUp) => *at = at.saturating_sub(10),
            Action::Move(Motion::PageDown) => *at = (*at + 10).min(lines.saturating_sub(1)),
            Action::Move(Motion::First) => *at = 0,
            Action::Move(Motion::Last) => *at = lines.saturating_sub(1),
            Action::Invert => self.invert(),
            Action::Accept => self.take_sort(),
            Action::Escape | Action::Back | Action::Help => self.overlay = None,
            _ => {}
        }
    }

    fn take_sort(&mut self) {
        let Some(Overlay::SortPicker(at)) = self.overlay.take() else { return };
        if let Some(column) = self.columns().get(at) {
            self.sort_by(*column);
        }
    }
}
