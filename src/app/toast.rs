//! The last line's words to the user.

use std::time::Duration;

use super::App;
use crate::domain::time::Mono;
use crate::market::snapshot::{Level, Snapshot};

/// A word to the user that goes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// The word.
    pub text: String,
    /// How bad.
    pub level: Level,
    /// So much more was said since, and is in the log.
    pub more: usize,
    pub(super) until: Mono,
}

impl App {
    /// Says the worst of what is new; what is said already stays where it is worse. The rest is
    /// counted, and in the log.
    pub(super) fn hear(&mut self, snapshot: &Snapshot) {
        let is_new = |seq: u64| self.notices_seen.is_none_or(|seen| seq > seen);
        let new: Vec<_> = snapshot.notices.iter().filter(|n| is_new(n.seq)).collect();
        let Some(worst) = new.iter().max_by_key(|n| (n.level, n.seq)) else { return };
        self.notices_seen = new.iter().map(|n| n.seq).max();
        if let Some(said) = self.toast.as_mut().filter(|t| t.level > worst.level) {
            said.more += new.len();
            return;
        }
        // What was about to be read and is not any more counts, too.
        let unread = self.toast.as_ref().filter(|t| t.level > Level::Info).map_or(0, |t| t.more + 1);
        self.say(worst.level, worst.text.as_str());
        if let Some(toast) = &mut self.toast {
            toast.more = new.len() - 1 + unread;
        }
    }

    /// What was `said` before the user went elsewhere was about where they came from: there it would
    /// only hide what the keys do. Warnings stay.
    pub(super) fn leave_toast(&mut self, said: Option<&Toast>) {
        if said.is_some() && self.toast.as_ref() == said {
            self.toast = self.toast.take().filter(|t| t.level > Level::Info);
        }
    }

    pub(super) fn say(&mut self, level: Level, text: &str) {
        let seconds = if level == Level::Info { 4 } else { 8 };
        let until = self.now + Duration::from_secs(seconds);
        self.toast = Some(Toast { text: text.to_owned(), level, more: 0, until });
    }
}
