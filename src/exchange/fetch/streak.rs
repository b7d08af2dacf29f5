//! REST that keeps failing.

use super::queue::Ask;
use crate::domain::time::Mono;
use crate::exchange::ErrorKind;

/// From how many failures in a row on it is said: one is an accident.
const MANY: u32 = 3;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Time,
    Universe,
    Klines,
}

impl Topic {
    fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Sync | Ask::Time => Self::Time,
            Ask::Universe(_) => Self::Universe,
            Ask::Klines(_) => Self::Klines,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    since: Mono,
    failures: u32,
    /// What was asked for when the exchange last answered and it was no answer.
    topic: Option<Topic>,
}

/// Failures of a market since something was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Streak {
    begun: Option<Begun>,
}

impl Streak {
    pub(super) fn failed(&mut self, ask: &Ask, kind: ErrorKind, at: Mono) {
        // A pause is no failure: it has its own word.
        if kind.pause().is_some() {
            return;
        }
        let begun = self.begun.get_or_insert(Begun { since: at, failures: 0, topic: None });
        begun.failures += 1;
        if kind != ErrorKind::NoConnection {
            begun.topic = Some(Topic::of(ask));
        }
    }

    /// Candles that can't be read don't become readable because the time is.
    pub(super) fn answered(&mut self, ask: &Ask) {
        let topic = Topic::of(ask);
        self.begun = self.begun.filter(|b| b.topic.is_some_and(|t| t != topic));
    }

    /// Since when all fails.
    pub(super) fn since(&self) -> Option<Mono> {
        self.begun.filter(|b| b.failures >= MANY).map(|b| b.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_are_told_until_the_same_question_is_answered() {
        let at = Mono::from_millis;
        let (time, list) = (Ask::Time, Ask::Universe(None));
        let mut streak = Streak::default();
        for n in 1..=2 {
            streak.failed(&list, ErrorKind::Transient, at(n));
        }
        let wait = std::time::Duration::from_secs(60);
        streak.failed(&list, ErrorKind::RateLimited { wait }, at(3));
        assert_eq!(streak.since(), None);
        streak.failed(&list, ErrorKind::NoConnection, at(4));
        assert_eq!(streak.since(), Some(at(1)));
        streak.answered(&time);
        assert_eq!(streak.since(), Some(at(1)), "the list is still not readable");
        streak.answered(&list);
        assert_eq!(streak.since(), None);
        for n in 5..8 {
            streak.failed(&list, ErrorKind::NoConnection, at(n));
        }
        assert_eq!(streak.since(), Some(at(5)));
        streak.answered(&time);
        assert_eq!(streak.since(), None, "it is there again");
    }
}
