//! What goes onto the clipboard.

use super::value::Notation;
use super::{App, Effect};
use crate::market::snapshot::Level;

impl App {
    pub(super) fn copy_name(&mut self, effects: &mut Vec<Effect>) {
        let Some(name) = self.picked().map(|r| r.pair.symbol.to_string()) else { return };
        self.say(Level::Info, &format!("copied {name}"));
        effects.push(Effect::Copy(name));
    }

    /// The row as programs read it: the columns shown, with tabs between them.
    pub(super) fn copy_row(&mut self, effects: &mut Vec<Effect>) {
        let Some(row) = self.picked() else { return };
        let reading = self.reading();
        let mut line = String::new();
        for column in self.columns() {
            if !line.is_empty() {
                line.push('\t');
            }
            column.value(row, &reading).write(Notation::Machine, usize::from(column.width()), &mut line);
        }
        self.say(Level::Info, "copied the row, with tabs between its columns");
        effects.push(Effect::Copy(line));
    }
}
