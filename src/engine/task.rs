//! The shell around the core: channels in, channels out, timers. It decides nothing.
//!
//! What the core wants sent waits in an outbox, never in a send: engine and sockets form a cycle,
//! and a cycle of waits is a deadlock. The outbox is bounded by what the core asks: one errand a
//! series.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::time::Mono;
use crate::exchange::{FeedCommand, FeedEvent, FetchRequest, Fetched, Priority};
use crate::market::snapshot::{Discards, Level, Notice, Snapshot};
use crate::stopwatch::{Jump, SleepWatch, Stopwatch};

use super::{Command, Engine, Input, Output};

/// The least time between two pictures.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// Frames taken in a row before anything else gets its turn.
const BURST: usize = 256;

/// The engine's channels. All are bounded. Full inward: the sender waits. Full outward: the outbox
/// keeps it. The watch channel keeps the newest picture only.
#[derive(Debug)]
pub struct EnginePorts {
    /// What the streams tell.
    pub feed_events: mpsc::Receiver<FeedEvent>,
    /// What REST answers.
    pub fetched: mpsc::Receiver<Fetched>,
    /// What people ask.
    pub commands: mpsc::Receiver<Command>,
    /// What the streams are asked.
    pub feed_commands: mpsc::Sender<FeedCommand>,
    /// What REST is asked.
    pub fetch_requests: mpsc::Sender<FetchRequest>,
    /// The pictures.
    pub snapshots: watch::Sender<Arc<Snapshot>>,
}

/// Runs the engine until `cancel`. A port whose other end is gone is simply silent.
pub async fn run(
    mut engine: Engine,
    mut ports: EnginePorts,
    stopwatch: Stopwatch,
    cancel: CancellationToken,
) {
    let mut outbox = Outbox::default();
    let mut log = Log::default();
    let mut sleep = SleepWatch::start(stopwatch.now());
    let mut wanted = Vec::new();
    let mut next_tick = Mono::default();
    let mut next_publish = Mono::default();
    loop {
        let now = stopwatch.now();
        // Before anything that was waiting in a socket meanwhile is taken for new.
        if let Some(jump) = sleep.jump(now) {
            let jumped = match jump {
                Jump::Ahead(by) => Input::Slept(by),
                Jump::Back(by) => Input::SetBack(by),
            };
            engine.step(jumped, now, &mut wanted);
        }
        if now >= next_tick {
            engine.step(Input::Tick, now, &mut wanted);
            next_tick = engine.next_deadline(now);
        }
        if engine.is_dirty() && now >= next_publish {
            // Kept for those who subscribe later, hence not `send`, which fails without readers.
            ports.snapshots.send_replace(Arc::new(engine.snapshot(now)));
            log.discards(&engine, now);
            next_publish = now + PUBLISH_EVERY;
        }
        log.notices(&engine);
        Log::happenings(&mut engine);
        outbox.take(&mut wanted);
        let wake = if engine.is_dirty() { next_tick.min(next_publish) } else { next_tick };
        let mut step = |input| engine.step(input, stopwatch.now(), &mut wanted);
        tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            permit = ports.feed_commands.reserve(), if !outbox.feed.is_empty() => match permit {
                Ok(permit) => {
                    if let Some(command) = outbox.feed.pop_front() {
                        permit.send(command);
                    }
                }
                Err(_) => outbox.feed.clear(),
            },
            permit = ports.fetch_requests.reserve(), if outbox.has_fetch() => match permit {
                Ok(permit) => {
                    if let Some(request) = outbox.next_fetch() {
                        permit.send(request);
                    }
                }
                Err(_) => outbox.drop_fetches(),
            },
            Some(command) = ports.commands.recv() => step(Input::Command(command)),
            Some(fetched) = ports.fetched.recv() => step(Input::Fetched(fetched)),
            Some(event) = ports.feed_events.recv() => {
                step(Input::Feed(event));
                for _ in 1..BURST {
                    let Ok(event) = ports.feed_events.try_recv() else { break };
                    step(Input::Feed(event));
                }
            }
            () = tokio::time::sleep_until(stopwatch.instant(wake).into()) => {}
        }
    }
}

/// Between two lines about the same kind of frames thrown away.
const DISCARDS_EVERY: Duration = Duration::from_secs(60);

/// What went to the log so far. Notices and happenings go there once each; what was thrown away, of
/// which there may be any number, as a line a kind and minute.
#[derive(Debug, Default)]
struct Log {
    notice: u64,
    told: Discards,
    next: Mono,
}

impl Log {
    fn notices(&mut self, engine: &Engine) {
        for Notice { seq, level, text, .. } in engine.notices_after(self.notice) {
            self.notice = *seq;
            match level {
                Level::Info => tracing::info!("{text}"),
                Level::Warn => tracing::warn!("{text}"),
                Level::Error => tracing::error!("{text}"),
            }
        }
    }

    fn happenings(engine: &mut Engine) {
        let (lines, dropped) = engine.take_happenings();
        lines.for_each(|line| tracing::info!("{line}"));
        if dropped > 0 {
            tracing::warn!("{dropped} lines more than the log has room for at once");
        }
    }

    fn discards(&mut self, engine: &Engine, now: Mono) {
        let new = engine.store().counters.discards;
        if new == self.told || now < self.next {
            return;
        }
        self.next = now + DISCARDS_EVERY;
        let old = std::mem::replace(&mut self.told, new);
        for (what, before, count) in [
            ("frames that are no JSON", old.not_json, new.not_json),
            ("frames of an unknown shape", old.unknown_shape, new.unknown_shape),
            ("values that can't be", old.bad_value, new.bad_value),
            ("frames of streams nobody asked for", old.not_watched, new.not_watched),
            ("closes nobody had time for", old.overrun, new.overrun),
            ("rows of REST that can't be read", old.rows, new.rows),
        ] {
            if count > before {
                tracing::info!("thrown away: {} {what}, {count} so far", count - before);
            }
        }
    }
}

/// What the core wants sent and the channels have no room for yet.
#[derive(Debug, Default)]
struct Outbox {
    feed: VecDeque<FeedCommand>,
    /// Time and universe, then by priority, greatest first.
    fetch: [VecDeque<FetchRequest>; 5],
}

impl Outbox {
    fn take(&mut self, wanted: &mut Vec<Output>) {
        for output in wanted.drain(..) {
            match output {
                Output::Feed(command) => self.feed.push_back(command),
                Output::Fetch(request) => {
                    let rank = match &request {
                        FetchRequest::Time(_) | FetchRequest::Universe(_) => 0,
                        FetchRequest::Klines(k) => match k.priority {
                            Priority::User => 1,
                            Priority::Gap => 2,
                            Priority::Warmup => 3,
                            Priority::Background => 4,
                        },
                    };
                    if let Some(queue) = self.fetch.get_mut(rank) {
                        queue.push_back(request);
                    }
                }
            }
        }
    }

    fn has_fetch(&self) -> bool {
        self.fetch.iter().any(|q| !q.is_empty())
    }

    fn next_fetch(&mut self) -> Option<FetchRequest> {
        self.fetch.iter_mut().find_map(VecDeque::pop_front)
    }

    fn drop_fetches(&mut self) {
        self.fetch.iter_mut().for_each(VecDeque::clear);
    }
}

#[cfg(test)]
mod tests;
