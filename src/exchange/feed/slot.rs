//! One numbered place for a socket: who holds it, and who is to hold it next.
//!
//! Invariant: at most two connections hold a place, the carrier and the successor of one that is
//! going to end. The carrier is given up when the successor has brought data, not before.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::symbol::SeriesKey;
use crate::domain::time::Mono;
use crate::exchange::backoff::Backoff;
use crate::exchange::binance::session::{News, Wanted};
use crate::exchange::binance::socket::{Ended, Role};
use crate::exchange::{ConnId, ErrorKind, ExchangeError, FeedEvent, Replacement};

/// A place for a socket.
pub(super) struct Slot {
    conn: ConnId,
    pub(super) wanted: watch::Sender<Wanted>,
    /// Ends all that hold it.
    pub(super) stop: CancellationToken,
    backoff: Backoff,
    carrier: State,
    successor: Option<Successor>,
}

#[derive(Debug)]
enum State {
    /// A task has it.
    Running(Line),
    /// To be connected then.
    Due(Mono),
    /// Not tried again until something else is asked for: the place we are in is refused.
    Refused,
}

#[derive(Debug)]
struct Successor {
    why: Replacement,
    state: State,
}

/// A connection, or an attempt at one.
#[derive(Debug)]
pub(super) struct Line {
    /// Which connection is meant: the end of an earlier one is none of ours.
    pub(super) attempt: u64,
    pub(super) task: tokio::task::Id,
    pub(super) retire: CancellationToken,
    pub(super) since: Mono,
    pub(super) origin: Origin,
}

/// What a connection was opened for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    Carrier,
    /// What it said of its subscriptions may have been told before the loss of the carrier: they
    /// are to be told again, once they stand: which of them were acknowledged.
    Successor {
        standing: Option<Arc<BTreeSet<SeriesKey>>>,
        leaving: Option<Replacement>,
    },
}

impl Slot {
    /// To be connected at once.
    pub(super) fn new(conn: ConnId, wanted: Wanted, stop: CancellationToken, now: Mono) -> Self {
        Self {
            conn,
            wanted: watch::Sender::new(wanted),
            stop,
            backoff: Backoff::default(),
            carrier: State::Due(now),
            successor: None,
        }
    }

    /// Carries something else from now on.
    pub(super) fn change(&mut self, wanted: Wanted, now: Mono) {
        let changed = self.wanted.send_if_modified(|old| {
            let changed = *old != wanted;
            if changed {
                *old = wanted;
            }
            changed
        });
        if changed && matches!(self.carrier, State::Refused) {
            self.carrier = State::Due(now);
        }
    }

    /// When a connection is to be opened, and what for.
    pub(super) fn due(&self) -> Option<(Mono, Role)> {
        match (&self.carrier, &self.successor) {
            (State::Due(at), _) => Some((*at, Role::Carrier)),
            (_, Some(Successor { state: State::Due(at), .. })) => Some((*at, Role::Successor)),
            _ => None,
        }
    }

    /// It may not be opened before `at`.
    pub(super) fn postpone(&mut self, role: Role, at: Mono) {
        self.put(role, State::Due(at));
    }

    /// It is being opened.
    pub(super) fn launched(&mut self, role: Role, line: Line) {
        self.put(role, State::Running(line));
    }

    fn put(&mut self, role: Role, state: State) {
        match (role, &mut self.successor) {
            (Role::Carrier, _) => self.carrier = state,
            (Role::Successor, Some(successor)) => successor.state = state,
            (Role::Successor, None) => {}
        }
    }

    fn lines(&self) -> impl Iterator<Item = (Role, &Line)> {
        let successor = self.successor.as_ref().map(|s| (Role::Successor, &s.state));
        [(Role::Carrier, &self.carrier)].into_iter().chain(successor).filter_map(
            |(role, state)| match state {
                State::Running(line) => Some((role, line)),
                State::Due(_) | State::Refused => None,
            },
        )
    }

    /// The attempt that `task` runs.
    pub(super) fn attempt_of(&self, task: tokio::task::Id) -> Option<u64> {
        self.lines().find(|(_, line)| line.task == task).map(|(_, line)| line.attempt)
    }

    fn role_of(&self, attempt: u64) -> Option<Role> {
        self.lines().find(|(_, line)| line.attempt == attempt).map(|(role, _)| role)
    }

    /// Takes what a connection says about itself; returns what is to be told.
    pub(super) fn heard(&mut self, attempt: u64, news: News, now: Mono, dice: f64) -> Option<FeedEvent> {
        match (self.role_of(attempt)?, news) {
            (Role::Carrier, News::Leaving(why)) => self.leave(why, now, dice),
            (Role::Successor, News::Proven) => return self.take_over(now, dice),
            (Role::Successor, News::Leaving(why)) => {
                if let Some(Origin::Successor { leaving, .. }) = self.origin_mut(Role::Successor) {
                    *leaving = Some(why);
                }
            }
            (role, News::Standing(keys)) => {
                if let Some(Origin::Successor { standing, .. }) = self.origin_mut(role)
                    && standing.replace(keys).is_none()
                    && role == Role::Carrier
                {
                    return self.subscribed();
                }
            }
            (Role::Carrier, News::Proven) => {}
        }
        None
    }

    fn origin_mut(&mut self, role: Role) -> Option<&mut Origin> {
        let state = match role {
            Role::Carrier => Some(&mut self.carrier),
            Role::Successor => self.successor.as_mut().map(|s| &mut s.state),
        };
        match state {
            Some(State::Running(line)) => Some(&mut line.origin),
            _ => None,
        }
    }

    /// The carrier is going to end: one successor is looked for, however often that is said. One
    /// that says so as soon as it is there is not believed at once: that would be a storm.
    fn leave(&mut self, why: Replacement, now: Mono, dice: f64) {
        let State::Running(line) = &self.carrier else { return };
        if self.successor.is_none() {
            let young = now.since(line.since) < Backoff::HEALTHY;
            let wait = if young { self.backoff.failed(now, dice) } else { Duration::ZERO };
            self.successor = Some(Successor { why, state: State::Due(now + wait) });
        }
    }

    /// The successor brings data: the carrier may go.
    fn take_over(&mut self, now: Mono, dice: f64) -> Option<FeedEvent> {
        let Successor { why, state } = self.successor.take()?;
        let old = std::mem::replace(&mut self.carrier, state);
        if let State::Running(old) = old {
            old.retire.cancel();
        }
        let (conn, cause) = (self.conn, reason(why));
        tracing::info!("{} socket {} handed over to a new one: {cause}", conn.market, conn.number);
        self.go_on_leaving(now, dice);
        Some(FeedEvent::Replaced { conn, why })
    }

    fn go_on_leaving(&mut self, now: Mono, dice: f64) {
        if let Some(Origin::Successor { leaving: Some(why), .. }) = self.origin_mut(Role::Carrier) {
            let why = *why;
            self.leave(why, now, dice);
        }
    }

    /// Takes the end of a connection; returns what is to be told. `allowed` says when an attempt
    /// may be made at the earliest.
    pub(super) fn ended(
        &mut self,
        ended: &Ended,
        now: Mono,
        dice: f64,
        allowed: impl Fn(Mono) -> Mono,
    ) -> Vec<FeedEvent> {
        let (Some(role), Some(error)) = (self.role_of(ended.attempt), &ended.why) else { return Vec::new() };
        if let Some(connected) = ended.connected {
            self.backoff.connected(connected);
        }
        if ended.had_data {
            self.backoff.data();
        }
        let wait = wait_after(error, self.backoff.failed(now, dice));
        let conn = self.conn;
        let name = format!("{} socket {}", conn.market, conn.number);
        if role == Role::Successor {
            let at = allowed(now + wait.unwrap_or(Backoff::CEILING));
            let secs = at.since(now).as_secs_f64();
            tracing::info!("{name}: no new one yet, the old one goes on: {error}; again in {secs:.1} s");
            self.put(role, State::Due(at));
            return Vec::new();
        }
        let retry = self.succeed(wait.map(|wait| allowed(now + wait)), now);
        let again = retry.map_or("not tried again".to_owned(), |t| {
            format!("again in {:.1} s", t.since(now).as_secs_f64())
        });
        tracing::info!("{name} is lost: {error}; {again}");
        let keys = self.wanted.borrow().keys.clone();
        let mut told = vec![FeedEvent::Down { conn, keys, error: error.clone(), retry }];
        told.extend(self.subscribed());
        self.go_on_leaving(now, dice);
        told
    }

    /// The carrier is gone: whoever was to succeed it does so now, ready or not. Returns when the
    /// streams are tried again.
    fn succeed(&mut self, retry: Option<Mono>, now: Mono) -> Option<Mono> {
        let (state, retry) = match (self.successor.take().map(|s| s.state), retry) {
            (Some(running @ State::Running(_)), _) => (running, Some(now)),
            // Its own attempts have shown how long to wait.
            (Some(State::Due(at)), Some(retry)) => (State::Due(at.max(retry)), Some(at.max(retry))),
            (_, Some(retry)) => (State::Due(retry), Some(retry)),
            (_, None) => (State::Refused, None),
        };
        self.carrier = state;
        retry
    }

    /// What a carrier that was a successor has acknowledged. A stream that it was refused is none.
    fn subscribed(&self) -> Option<FeedEvent> {
        let State::Running(Line { origin: Origin::Successor { standing: Some(standing), .. }, .. }) =
            &self.carrier
        else {
            return None;
        };
        let wanted = self.wanted.borrow().keys.clone();
        let keys = wanted.iter().filter(|k| standing.contains(*k)).cloned().collect();
        Some(FeedEvent::Subscribed { conn: self.conn, keys })
    }
}

fn reason(why: Replacement) -> &'static str {
    match why {
        Replacement::Age => "the exchange ends each after a day",
        Replacement::Shutdown => "the server announced that it goes down",
    }
}

/// How long to wait after `error`, when the backoff says `wait`; `None` = for good.
fn wait_after(error: &ExchangeError, wait: Duration) -> Option<Duration> {
    match error.kind {
        ErrorKind::Transient | ErrorKind::NoConnection | ErrorKind::Silent => Some(wait),
        // The backoff on top: those held together are not to come back together.
        ErrorKind::RateLimited { wait: asked }
        | ErrorKind::Forbidden { wait: asked }
        | ErrorKind::Banned { wait: asked } => Some(asked + wait),
        // A wrong address does not get right by asking often, yet a host may be repaired.
        ErrorKind::Rejected | ErrorKind::Bug => Some(Backoff::CEILING),
        ErrorKind::Restricted => None,
    }
}
