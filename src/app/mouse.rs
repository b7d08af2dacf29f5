//! What a click means, by where it is: the same places that the drawing uses.

use super::layout::{place, tabs};
use super::list::Motion;
use super::{App, Effect, Mouse, View};

/// Rows that a notch of the wheel scrolls.
const WHEEL: i16 = 3;

impl App {
    pub(super) fn mouse(&mut self, mouse: Mouse, effects: &mut Vec<Effect>) {
        match mouse {
            Mouse::Wheel(by) if self.overlay.is_some() => {
                self.move_in_popup(Motion::Scroll(by.saturating_mul(WHEEL)));
            }
            Mouse::Wheel(by) if self.prompt.is_none() => self.go(Motion::Scroll(by.saturating_mul(WHEEL))),
            Mouse::Wheel(_) => {}
            Mouse::Click { x, y } if self.overlay.is_some() => self.click_in_popup(x, y, effects),
            Mouse::Click { x, y } => self.click(x, y),
        }
    }

    /// On a line it is chosen, beside the window that is closed.
    fn click_in_popup(&mut self, x: u16, y: u16, effects: &mut Vec<Effect>) {
        if self.frame().is_some_and(|(frame, _)| !frame.contains(x, y)) {
            self.overlay = None;
        } else if self.move_in_popup(Motion::Line(y)) {
            self.choose_clicked(effects);
        }
    }

    fn click(&mut self, x: u16, y: u16) {
        let hit = |t: &super::layout::Tab| (t.x..t.x + cells(&t.text)).contains(&x);
        if let Some(tab) = tabs(self.shape, &self.keys, self.unread()).into_iter().find(|t| y == 1 && hit(t))
        {
            self.prompt = None;
            return self.show(tab.view);
        }
        if y == self.shape.filter_line() && self.is_filtered() {
            if self.prompt.is_none() {
                self.open_prompt();
            }
            return;
        }
        if self.view == View::Scanner && y + 1 == self.shape.above() {
            return self.click_heading(x);
        }
        self.go(Motion::Line(y));
    }

    /// Sorts by the column, and turns the order round where it is sorted so already.
    fn click_heading(&mut self, x: u16) {
        let placed = place(&self.column_set(), self.shape.cols);
        let Some(hit) = placed.into_iter().find(|p| (p.x..p.x + p.width).contains(&x)) else { return };
        if hit.column == self.scanner.sort.column {
            self.invert();
        } else {
            self.sort_by(hit.column);
        }
    }
}

fn cells(text: &str) -> u16 {
    u16::try_from(text.chars().count()).unwrap_or(u16::MAX)
}
