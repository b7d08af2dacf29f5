//! The last line's words to the user, and the log of them.

use std::collections::VecDeque;
use std::time::Duration;

use super::App;
use crate::domain::text::CleanText;
use crate::domain::time::Mono;
use crate::market::snapshot::{Level, Notice, Snapshot};

/// Words of the program's own that are remembered.
const MAX_WORDS: usize = 100;
/// Their numbers begin where the engine's never come to.
const OWN: u64 = 1 << 63;

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

/// What the program itself had to say, the newest last.
#[derive(Debug, Default)]
pub(super) struct Words {
    kept: VecDeque<Notice>,
    said: u64,
}

impl Words {
    fn push(&mut self, at: Mono, level: Level, text: CleanText) {
        if self.kept.len() == MAX_WORDS {
            self.kept.pop_front();
        }
        self.kept.push_back(Notice { seq: OWN | self.said, at, level, text });
        self.said += 1;
    }
}

impl App {
    /// What was said, by the engine and by the program, oldest first.
    pub fn log(&self) -> Vec<&Notice> {
        let mut all: Vec<_> = self.snapshot.notices.iter().chain(&self.words.kept).collect();
        all.sort_by_key(|n| n.at);
        all
    }

    /// Takes a word from outside of the market. An answer is read at once; what went wrong stays
    /// until it was seen.
    pub(super) fn hear_word(&mut self, level: Level, text: CleanText) {
        if level == Level::Info {
            self.say(level, text.as_str());
        } else {
            self.raise(level, text.as_str(), 0);
        }
        self.words.push(self.now, level, text);
        self.settle_popup();
    }

    /// Says the worst of what is new; what is said already stays where it is worse. The rest is
    /// counted, and in the log.
    pub(super) fn hear(&mut self, snapshot: &Snapshot) {
        let is_new = |seq: u64| self.notices_seen.is_none_or(|seen| seq > seen);
        let new: Vec<_> = snapshot.notices.iter().filter(|n| is_new(n.seq)).collect();
        let Some(worst) = new.iter().max_by_key(|n| (n.level, n.seq)) else { return };
        self.notices_seen = new.iter().map(|n| n.seq).max();
        self.raise(worst.level, worst.text.as_str(), new.len() - 1);
    }

    /// Says it, with so many others that came along, where nothing worse is being said.
    fn raise(&mut self, level: Level, text: &str, others: usize) {
        if let Some(said) = self.toast.as_mut().filter(|t| t.level > level) {
            said.more += others + 1;
            return;
        }
        // What was about to be read and is not any more counts, too.
        let unread = self.toast.as_ref().filter(|t| t.level > Level::Info).map_or(0, |t| t.more + 1);
        self.say(level, text);
        if let Some(toast) = &mut self.toast {
            toast.more = others + unread;
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
