//! The streams: spreads them over sockets, and replaces sockets that are lost or going to be.
//!
//! Invariant: each socket task lives for one connection and belongs to the supervisor's set. All
//! decisions about when to connect again are made here, where the attempts of all markets are
//! counted together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::backoff::Attempts;
use super::binance::endpoint::Endpoint;
use super::binance::session::{Stall, Timing, Wanted};
use super::binance::socket::{self, Ended, Ports, Report, Role, SocketConfig};
use super::connect::{Dialer, Proxies};
use super::shard::Shards;
use super::{ConnId, ErrorKind, ExchangeError, FeedCommand, FeedEvent};
use crate::domain::symbol::{Market, Pair, SeriesKey};
use crate::domain::time::Mono;
use crate::stopwatch::Stopwatch;

mod slot;

use slot::{Line, Origin, Slot};

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
    /// How fast the exchange's clock runs against ours: it ends connections after a day of its own.
    pub clock_rate: f64,
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
            clock_rate: 1.0,
            stopwatch,
        }
    }
}

/// How long the sockets have to say farewell, all together.
const FAREWELL: Duration = Duration::from_millis(800);
/// Reports of sockets that wait. Full: each socket keeps its own, one of each kind.
const REPORTS: usize = 64;

/// Carries the streams asked for until cancelled, or until nobody is left to ask or to listen.
pub async fn run(
    config: FeedConfig,
    commands: mpsc::Receiver<FeedCommand>,
    events: mpsc::Sender<FeedEvent>,
    cancel: CancellationToken,
) {
    let dialer = Dialer::new(config.proxies.clone());
    run_through(dialer, config, commands, events, cancel).await;
}

async fn run_through(
    dialer: Dialer,
    config: FeedConfig,
    mut commands: mpsc::Receiver<FeedCommand>,
    events: mpsc::Sender<FeedEvent>,
    cancel: CancellationToken,
) {
    let (reports, mut heard) = mpsc::channel(REPORTS);
    let mut feed = Feed::new(config, dialer, Outlets { events, reports }, cancel.child_token());
    loop {
        feed.connect_what_is_due();
        let wake = feed.next_wake();
        let told = tokio::select! {
            // What a socket said is heard before its end: it may have been replaced in time.
            biased;
            () = cancel.cancelled() => break,
            Some(report) = heard.recv() => feed.hear(report),
            Some(ended) = feed.sockets.join_next_with_id() => feed.bury(ended),
            command = commands.recv() => match command {
                Some(command) => { feed.obey(&command); Vec::new() }
                None => break,
            },
            () = tokio::time::sleep_until(feed.stopwatch.instant(wake.unwrap_or_default()).into()), if wake.is_some() => Vec::new(),
        };
        let listened = tokio::select! {
            () = cancel.cancelled() => break,
            listened = feed.tell(told) => listened,
        };
        if !listened {
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
    attempts: Attempts,
    outlets: Outlets,
    dialer: Dialer,
    timing: Timing,
    clock_rate: f64,
    stopwatch: Stopwatch,
    stop: CancellationToken,
    /// Connections tried so far.
    made: u64,
    /// Where among their neighbours the sockets begin to age.
    phase: f64,
}

/// Where sockets tell.
struct Outlets {
    events: mpsc::Sender<FeedEvent>,
    reports: mpsc::Sender<Report>,
}

/// One market's sockets.
struct Fleet {
    endpoint: Endpoint,
    shards: Shards,
    slots: BTreeMap<u32, Slot>,
    /// How often a series was to be subscribed anew.
    anew: BTreeMap<SeriesKey, u32>,
    /// The exchange wants no connection before.
    held: Mono,
}

impl Feed {
    fn new(config: FeedConfig, dialer: Dialer, outlets: Outlets, stop: CancellationToken) -> Self {
        let fleet = |endpoint: Endpoint| Fleet {
            endpoint,
            shards: Shards::new(config.per_socket),
            slots: BTreeMap::new(),
            anew: BTreeMap::new(),
            held: Mono::default(),
        };
        Self {
            fleets: config.endpoints.into_iter().map(fleet).collect(),
            sockets: JoinSet::new(),
            attempts: Attempts::default(),
            outlets,
            dialer,
            timing: config.timing,
            clock_rate: config.clock_rate,
            stopwatch: config.stopwatch,
            stop,
            made: 0,
            phase: fastrand::f64(),
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
                    fleet.anew.retain(|k, _| !keys.contains(k));
                }
                FeedCommand::Resubscribe(keys) => {
                    for key in keys.iter().filter(|k| fleet.shards.carries(k)) {
                        *fleet.anew.entry(key.clone()).or_default() += 1;
                    }
                }
            }
            fleet.settle(now, &self.stop);
        }
    }

    fn connect_what_is_due(&mut self) {
        let now = self.stopwatch.now();
        for fleet in &mut self.fleets {
            for (number, slot) in &mut fleet.slots {
                let Some((_, role)) = slot.due().filter(|(at, _)| *at <= now) else { continue };
                let allowed = self.attempts.earliest(now).max(fleet.held);
                if allowed > now {
                    slot.postpone(role, allowed);
                    continue;
                }
                self.attempts.made(now);
                self.made += 1;
                let conn = ConnId { market: fleet.endpoint.market(), number: *number };
                let config = SocketConfig {
                    conn,
                    attempt: self.made,
                    role,
                    url: fleet.endpoint.stream_url().to_owned(),
                    dialer: self.dialer.clone(),
                    timing: self.timing,
                    clock_rate: self.clock_rate,
                    stagger: stagger(self.phase, conn),
                    stopwatch: self.stopwatch,
                };
                let retire = CancellationToken::new();
                let ports = Ports {
                    wanted: slot.wanted.subscribe(),
                    events: self.outlets.events.clone(),
                    reports: self.outlets.reports.clone(),
                    retire: retire.clone(),
                };
                let task = self.sockets.spawn(socket::run(config, ports, slot.stop.clone())).id();
                let origin = match role {
                    Role::Carrier => Origin::Carrier,
                    Role::Successor => Origin::Successor { standing: None, leaving: None },
                };
                slot.launched(role, Line { attempt: self.made, task, retire, since: now, origin });
            }
        }
    }

    fn next_wake(&self) -> Option<Mono> {
        let slots = self.fleets.iter().flat_map(|f| f.slots.values());
        slots.filter_map(Slot::due).map(|(at, _)| at).min()
    }

    fn fleet(&mut self, market: Market) -> Option<&mut Fleet> {
        self.fleets.iter_mut().find(|f| f.endpoint.market() == market)
    }

    /// Takes what a socket says about itself; returns what is to be told.
    fn hear(&mut self, report: Report) -> Vec<FeedEvent> {
        let now = self.stopwatch.now();
        let Report { conn, attempt, news } = report;
        let slot = self.fleet(conn.market).and_then(|f| f.slots.get_mut(&conn.number));
        slot.and_then(|s| s.heard(attempt, news, now, fastrand::f64())).into_iter().collect()
    }

    /// Takes the end of a socket; returns what is to be told.
    fn bury(&mut self, ended: Result<(Id, Ended), JoinError>) -> Vec<FeedEvent> {
        let now = self.stopwatch.now();
        let ended = match ended {
            Ok((_, ended)) => Some(ended),
            Err(broken) => self.broken(&broken),
        };
        let Some(ended) = ended else { return Vec::new() };
        let attempts = &self.attempts;
        let fleet = self.fleets.iter_mut().find(|f| f.endpoint.market() == ended.conn.market);
        let Some(Fleet { slots, held, .. }) = fleet else { return Vec::new() };
        if let Some(wait) = ended.why.as_ref().and_then(|e| e.kind.pause()) {
            *held = (*held).max(now + wait);
        }
        let allowed = |wish: Mono| attempts.earliest(wish.max(*held));
        let slot = slots.get_mut(&ended.conn.number);
        slot.map(|s| s.ended(&ended, now, fastrand::f64(), allowed)).unwrap_or_default()
    }

    /// A task that died of a fault of ours is a lost socket like others.
    fn broken(&self, broken: &JoinError) -> Option<Ended> {
        let slots = self.fleets.iter().flat_map(|f| {
            let market = f.endpoint.market();
            f.slots.iter().map(move |(number, slot)| (ConnId { market, number: *number }, slot))
        });
        let mut found = slots.filter_map(|(conn, s)| Some((conn, s.attempt_of(broken.id())?)));
        let (conn, attempt) = found.next()?;
        let why = Some(ExchangeError::new(ErrorKind::Bug, "a fault of this program; connecting anew"));
        Some(Ended { conn, attempt, why, connected: None, had_data: false })
    }

    /// `false` when nobody listens any more.
    async fn tell(&self, events: Vec<FeedEvent>) -> bool {
        for event in events {
            if self.outlets.events.send(event).await.is_err() {
                return false;
            }
        }
        !self.outlets.events.is_closed()
    }
}

/// Spreads sockets evenly over the unit, however many there are.
fn stagger(phase: f64, conn: ConnId) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let market = if conn.market == Market::Spot { 0.5 } else { 0.0 };
    (phase + market + f64::from(conn.number) * GOLDEN).fract()
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
            // Candles of a few pairs may be silent for minutes: there the 24 h figures show that
            // data flows.
            let pairs = keys.iter().map(|k| &k.pair).collect::<BTreeSet<_>>().len();
            let pulse = (pairs < Stall::FEWEST_PAIRS).then(Arc::default);
            let day = if first == Some(number) { Some(day.clone()) } else { pulse };
            let anew = keys.iter().filter_map(|k| Some((k.clone(), *self.anew.get(k)?))).collect();
            let wanted = Wanted { keys, day, anew };
            if let Some(slot) = self.slots.get_mut(&number) {
                slot.change(wanted, now);
            } else {
                let slot = Slot::new(ConnId { market, number }, wanted, stop.child_token(), now);
                self.slots.insert(number, slot);
            }
        }
    }

    fn pairs_by_name(&self, market: Market) -> HashMap<Box<str>, Pair> {
        let pairs = self.shards.pairs().into_iter().filter(|p| p.market == market);
        pairs.map(|p| (p.symbol.as_str().into(), p.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
