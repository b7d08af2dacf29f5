//! The streams: spreads them over sockets, and replaces sockets that are lost.
//!
//! Invariant: each socket task lives for one connection and belongs to the supervisor's set. All
//! decisions about when to connect again are made here, where the attempts of a market are
//! counted together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backoff::{Attempts, Backoff};
use super::binance::endpoint::Endpoint;
use super::binance::session::{Over, Timing, Wanted};
use super::binance::socket::{self, Ended, SocketConfig};
use super::connect::{Dialer, Proxies};
use super::shard::Shards;
use super::{ConnId, ErrorKind, ExchangeError, FeedCommand, FeedEvent};
use crate::domain::symbol::{Market, Pair, SeriesKey};
use crate::domain::time::Mono;
use crate::stopwatch::Stopwatch;

/// The feed's settings.
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// Where each market's streams are.
    pub endpoints: Vec<Endpoint>,
    /// Which proxies are used.
    pub proxies: Proxies,
    /// Streams a socket carries at most.
    pub per_socket: usize,
    /// How long what may take.
    pub timing: Timing,
    /// Our clock.
    pub stopwatch: Stopwatch,
}

impl FeedConfig {
    /// The defaults.
    pub fn new(endpoints: Vec<Endpoint>, stopwatch: Stopwatch) -> Self {
        Self {
            endpoints,
            proxies: Proxies::default(),
            per_socket: Shards::MOST,
            timing: Timing::default(),
            stopwatch,
        }
    }
}

/// How long the sockets have to say farewell, all together.
const FAREWELL: Duration = Duration::from_millis(800);

/// Carries the streams asked for until cancelled, or until nobody is left to ask or to listen.
pub async fn run(
    config: FeedConfig,
    mut commands: mpsc::Receiver<FeedCommand>,
    events: mpsc::Sender<FeedEvent>,
    cancel: CancellationToken,
) {
    let mut feed = Feed::new(&config, events, cancel.child_token());
    loop {
        feed.connect_what_is_due();
        let wake = feed.next_wake();
        let told = tokio::select! {
            () = cancel.cancelled() => break,
            command = commands.recv() => match command {
                Some(command) => { feed.obey(&command); true }
                None => break,
            },
            Some(ended) = feed.sockets.join_next() => match ended {
                Ok(ended) => tokio::select! {
                    () = cancel.cancelled() => break,
                    told = feed.ended(ended) => told,
                },
                Err(_) => true,
            },
            () = tokio::time::sleep_until(config.stopwatch.instant(wake.unwrap_or_default()).into()), if wake.is_some() => true,
        };
        if !told {
            break;
        }
    }
    feed.stop.cancel();
    let farewell = async { while feed.sockets.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    feed.sockets.abort_all();
}

struct Feed {
    fleets: Vec<Fleet>,
    sockets: JoinSet<Ended>,
    events: mpsc::Sender<FeedEvent>,
    dialer: Dialer,
    timing: Timing,
    stopwatch: Stopwatch,
    stop: CancellationToken,
    /// Connections tried so far.
    made: u64,
}

/// One market's sockets.
struct Fleet {
    endpoint: Endpoint,
    shards: Shards,
    slots: BTreeMap<u32, Slot>,
    attempts: Attempts,
}

struct Slot {
    wanted: watch::Sender<Wanted>,
    stop: CancellationToken,
    backoff: Backoff,
    state: State,
    /// Which connection is meant: the end of an earlier one is none of ours.
    attempt: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// A task has it.
    Running,
    /// To be connected then.
    Due(Mono),
    /// Not tried again until something else is asked for: the place we are in is refused.
    Refused,
}

impl Feed {
    fn new(config: &FeedConfig, events: mpsc::Sender<FeedEvent>, stop: CancellationToken) -> Self {
        let fleet = |endpoint: &Endpoint| Fleet {
            endpoint: endpoint.clone(),
            shards: Shards::new(config.per_socket),
            slots: BTreeMap::new(),
            attempts: Attempts::default(),
        };
        Self {
            fleets: config.endpoints.iter().map(fleet).collect(),
            sockets: JoinSet::new(),
            events,
            dialer: Dialer::new(config.proxies.clone()),
            timing: config.timing,
            stopwatch: config.stopwatch,
            stop,
            made: 0,
        }
    }

    fn obey(&mut self, command: &FeedCommand) {
        let now = self.stopwatch.now();
        for fleet in &mut self.fleets {
            let market = fleet.endpoint.market();
            match command {
                FeedCommand::Watch(keys) => {
                    fleet.shards.add(keys.iter().filter(|k| k.pair.market == market).cloned());
                }
                FeedCommand::Unwatch(keys) => {
                    fleet.shards.remove(keys.iter().filter(|k| k.pair.market == market));
                }
                FeedCommand::Resubscribe(_) => {}
            }
            fleet.settle(now, &self.stop);
        }
    }

    fn connect_what_is_due(&mut self) {
        let now = self.stopwatch.now();
        for fleet in &mut self.fleets {
            for (number, slot) in &mut fleet.slots {
                let State::Due(at) = slot.state else { continue };
                if at > now {
                    continue;
                }
                let allowed = fleet.attempts.earliest(now);
                if allowed > now {
                    slot.state = State::Due(allowed);
                    continue;
                }
                fleet.attempts.made(now);
                slot.state = State::Running;
                self.made += 1;
                slot.attempt = self.made;
                let config = SocketConfig {
                    attempt: self.made,
                    conn: ConnId { market: fleet.endpoint.market(), number: *number },
                    url: fleet.endpoint.stream_url().to_owned(),
                    dialer: self.dialer.clone(),
                    timing: self.timing,
                    stopwatch: self.stopwatch,
                };
                let (wanted, stop) = (slot.wanted.subscribe(), slot.stop.clone());
                self.sockets.spawn(socket::run(config, wanted, self.events.clone(), stop));
            }
        }
    }

    fn next_wake(&self) -> Option<Mono> {
        let slots = self.fleets.iter().flat_map(|f| f.slots.values());
        slots.filter_map(|s| if let State::Due(at) = s.state { Some(at) } else { None }).min()
    }

    /// Takes the end of a socket; `false` when nobody listens any more.
    async fn ended(&mut self, ended: Ended) -> bool {
        let now = self.stopwatch.now();
        let conn = ended.conn;
        let fleet = self.fleets.iter_mut().find(|f| f.endpoint.market() == conn.market);
        let Some(Fleet { slots, attempts, .. }) = fleet else { return true };
        let slot = slots.get_mut(&conn.number).filter(|slot| slot.attempt == ended.attempt);
        let Some(slot) = slot else { return true };
        if let Some(connected) = ended.connected {
            slot.backoff.connected(connected);
        }
        if ended.had_data {
            slot.backoff.data();
        }
        let (error, wait) = match ended.why {
            Some(Over::Failed(error)) => {
                let wait = slot.backoff.failed(now, fastrand::f64());
                (error.clone(), wait_after(&error, wait))
            }
            Some(Over::Announced) => (announced(), Some(Duration::ZERO)),
            None => return !self.events.is_closed(),
        };
        let retry = wait.map(|wait| attempts.earliest(now + wait));
        slot.state = retry.map_or(State::Refused, State::Due);
        let keys = slot.wanted.borrow().keys.clone();
        self.events.send(FeedEvent::Down { conn, keys, error, retry }).await.is_ok()
    }
}

/// How long to wait after `error`, when the backoff says `wait`; `None` = for good.
fn wait_after(error: &ExchangeError, wait: Duration) -> Option<Duration> {
    match error.kind {
        ErrorKind::Transient | ErrorKind::NoConnection => Some(wait),
        ErrorKind::RateLimited { wait: asked } => Some(asked.max(wait)),
        // A wrong address does not get right by asking often, yet a host may be repaired.
        ErrorKind::Rejected | ErrorKind::Bug => Some(Backoff::CEILING),
        ErrorKind::Restricted => None,
    }
}

fn announced() -> ExchangeError {
    let text = "the exchange announced that this server goes down; connecting to another";
    ExchangeError::new(ErrorKind::Transient, text)
}

impl Fleet {
    /// Makes the slots carry what the shards say.
    fn settle(&mut self, now: Mono, stop: &CancellationToken) {
        let market = self.endpoint.market();
        let numbers: BTreeSet<u32> = self.shards.numbers().collect();
        self.slots.retain(|number, slot| {
            let stays = numbers.contains(number);
            if !stays {
                slot.stop.cancel();
            }
            stays
        });
        let day = Arc::new(self.pairs_by_name(market));
        let first = self.shards.first();
        for number in numbers {
            let keys: Arc<[SeriesKey]> = self.shards.carried_by(number).cloned().collect();
            let wanted = Wanted { keys, day: (first == Some(number)).then(|| day.clone()) };
            if let Some(slot) = self.slots.get_mut(&number) {
                slot.change(wanted, now);
            } else {
                let slot = Slot {
                    wanted: watch::Sender::new(wanted),
                    stop: stop.child_token(),
                    backoff: Backoff::default(),
                    state: State::Due(now),
                    attempt: 0,
                };
                self.slots.insert(number, slot);
            }
        }
    }

    fn pairs_by_name(&self, market: Market) -> HashMap<Box<str>, Pair> {
        let pairs = self.shards.pairs().into_iter().filter(|p| p.market == market);
        pairs.map(|p| (p.symbol.as_str().into(), p.clone())).collect()
    }
}

impl Slot {
    fn change(&mut self, wanted: Wanted, now: Mono) {
        let changed = self.wanted.send_if_modified(|old| {
            let changed = *old != wanted;
            if changed {
                *old = wanted;
            }
            changed
        });
        if changed && self.state == State::Refused {
            self.state = State::Due(now);
        }
    }
}

#[cfg(test)]
mod tests;
