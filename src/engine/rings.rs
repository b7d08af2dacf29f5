//! Notices and signals: bounded rings inside the snapshot, since a watch channel drops what nobody
//! asked for in time.

use std::collections::VecDeque;

use crate::domain::text::CleanText;
use crate::domain::time::Mono;
use crate::market::snapshot::{Level, Notice, SignalEvent};

/// Entries kept of each kind.
const KEPT: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Rings {
    notices: VecDeque<Notice>,
    notice_seq: u64,
    signals: VecDeque<SignalEvent>,
    signal_seq: u64,
}

impl Rings {
    pub(super) fn notice(&mut self, at: Mono, level: Level, text: &str) {
        self.notice_seq += 1;
        if self.notices.len() == KEPT {
            self.notices.pop_front();
        }
        self.notices.push_back(Notice { seq: self.notice_seq, at, level, text: CleanText::new(text) });
    }

    /// Adds a signal; its number is given here.
    pub(super) fn signal(&mut self, mut event: SignalEvent) {
        self.signal_seq += 1;
        event.seq = self.signal_seq;
        if self.signals.len() == KEPT {
            self.signals.pop_front();
        }
        self.signals.push_back(event);
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        self.notices.iter().cloned().collect()
    }

    /// Notices later than number `seq`, as far as they are still here.
    pub(super) fn notices_after(&self, seq: u64) -> impl Iterator<Item = &Notice> {
        let new = usize::try_from(self.notice_seq.saturating_sub(seq)).unwrap_or(usize::MAX);
        self.notices.iter().skip(self.notices.len().saturating_sub(new))
    }

    pub(super) fn signals(&self) -> Vec<SignalEvent> {
        self.signals.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_newest_and_its_numbers_go_on() {
        let mut rings = Rings::default();
        for n in 0..KEPT + 5 {
            rings.notice(Mono::default(), Level::Info, &format!("n{n}"));
        }
        let later: Vec<u64> = rings.notices_after(203).map(|n| n.seq).collect();
        assert_eq!((later, rings.notices_after(1).count()), (vec![204, 205], KEPT));
        let kept = rings.notices();
        assert_eq!((kept.len(), kept.first().unwrap().seq, kept.last().unwrap().seq), (KEPT, 6, 205));
    }
}
