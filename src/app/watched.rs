//! Which rows are looked at, told to the engine: they go first where many series wait for REST.

use std::time::Duration;

use crate::domain::symbol::Pair;
use crate::domain::time::Mono;

/// Not told more often: who scrolls through a thousand rows looks at none of them.
const PAUSE: Duration = Duration::from_secs(1);

/// What the engine was told last.
#[derive(Debug, Default)]
pub(super) struct Watched {
    told: Vec<Pair>,
    due: Mono,
}

impl Watched {
    /// The rows in view, if that is news and the last word is long enough ago.
    pub(super) fn news<'a>(
        &mut self,
        now: Mono,
        view: impl Iterator<Item = &'a Pair> + Clone,
    ) -> Option<Vec<Pair>> {
        if now < self.due || view.clone().eq(&self.told) {
            return None;
        }
        self.due = now + PAUSE;
        self.told = view.cloned().collect();
        Some(self.told.clone())
    }

    /// The engine did not take it: it is to be told again.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }
}
