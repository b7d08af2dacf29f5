//! `hamatop doctor`: tries what the program needs, and says what to do about what does not work.
//!
//! The same fetcher and the same feed as in a session are asked; only the way to the hosts is walked
//! step by step besides, since from an error's end nobody sees where it began.

mod machine;
pub mod page;
pub mod verdict;

use std::io::{self, Write};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::interval::Interval;
use crate::domain::symbol::{Market, Pair, SeriesKey, Symbol};
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::binance::endpoint::Endpoint;
use crate::exchange::binance::session::{Stall, Timing};
use crate::exchange::connect::Dialer;
use crate::exchange::feed::{self, FeedConfig};
use crate::exchange::fetch::{self, FetchConfig};
use crate::exchange::{
    BudgetReport, ErrorKind, ExchangeError, FeedCommand, FeedEvent, FetchRequest, Fetched, TimeAnswer,
    UniverseAnswer,
};
use crate::market::snapshot::Source;
use crate::stopwatch::{Stopwatch, wall_clock};

use self::page::DoctorFormat;
use self::verdict::{
    Check, Finding, MarketFacts, Offset, RestFacts, State, StreamFacts, TimeKind, can_run, is_used_up,
};
use super::failure::Failure;
use super::session::Place;
use super::{DemoRun, demo};

/// How long what may take: all together less than half a minute.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A step of the way: a name, a connection, a handshake.
    pub step: Duration,
    /// All answers of REST.
    pub rest: Duration,
    /// REST's word on which pair is busy; after that one is guessed.
    pub name: Duration,
    /// A stream's connection, and then its acknowledgement.
    pub stream: Duration,
    /// First data after the acknowledgement.
    pub data: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(5),
            rest: Duration::from_secs(12),
            name: Duration::from_secs(3),
            stream: Duration::from_secs(4),
            data: Duration::from_secs(15),
        }
    }
}

pub(super) async fn run(
    config: &Config,
    replay: Option<DemoRun>,
    format: DoctorFormat,
    cancel: CancellationToken,
) -> Result<(), Failure> {
    let place = match replay {
        None => Place::of(config),
        Some(run) => demo::start(run.start, run.speed, cancel.clone()).await?.1,
    };
    let examination = examine(config, &place, Patience::default());
    let findings = tokio::select! {
        findings = examination => findings?,
        () = cancel.cancelled() => return Err(Failure::NoData("interrupted".into())),
    };
    let mut out = io::stdout().lock();
    let text = page::write(&findings, format);
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::of_output)?;
    if can_run(&findings) { Ok(()) } else { Err(Failure::Unfit) }
}

/// Tries everything.
pub async fn examine(config: &Config, place: &Place, patience: Patience) -> Result<Vec<Finding>, Failure> {
    let mut findings = machine::examine(config);
    let all = config.markets.iter().map(|market| market_facts(*market, place, patience));
    for facts in join_all(all).await {
        let facts = facts.map_err(|e| Failure::Usage(e.to_string()))?;
        findings.extend(verdict::market(&facts));
    }
    let later = "not in use; candles are kept in memory";
    findings.push(Finding::new(Check::Redis, None, State::Off, later));
    findings.push(Finding::new(
        Check::Scheduler,
        None,
        State::Ok,
        "part of the terminal program: view 5 has its jobs",
    ));
    Ok(findings)
}

async fn market_facts(
    market: Market,
    place: &Place,
    patience: Patience,
) -> Result<MarketFacts, ExchangeError> {
    let endpoint = Endpoint::new(market, place.rest_url.as_deref(), place.ws_url.as_deref())?;
    let dialer = Dialer::new(place.proxies.clone());
    let (told, busiest) = oneshot::channel();
    let (rest_way, stream_way, rest, stream) = tokio::join!(
        dialer.probe(endpoint.rest_base(), patience.step),
        dialer.probe(endpoint.stream_url(), patience.step),
        rest(place, &endpoint, patience, told),
        stream(place, &endpoint, patience, busiest),
    );
    let time = if place.clock_rate <= 0.0 {
        TimeKind::Standing
    } else if place.source == Source::Demo || (place.clock_rate - 1.0).abs() > f64::EPSILON {
        TimeKind::Own
    } else {
        TimeKind::Real
    };
    Ok(MarketFacts { market, rest_way: rest_way?, stream_way: stream_way?, rest, stream, time })
}

/// Asks REST what a session asks first, and tells which pair is busy.
async fn rest(
    place: &Place,
    endpoint: &Endpoint,
    patience: Patience,
    busiest: oneshot::Sender<Symbol>,
) -> RestFacts {
    let stopwatch = Stopwatch::start();
    let mut config = FetchConfig::new(vec![endpoint.clone()], stopwatch);
    config.proxies = place.proxies.clone();
    config.clock_rate = place.clock_rate;
    config.timeout = patience.rest;
    config.retries = 0;
    let cancel = CancellationToken::new();
    let (requests, taken) = mpsc::channel(2);
    let (given, mut answers) = mpsc::channel(16);
    let asking = async {
        let mut heard = Heard::default();
        for request in [FetchRequest::Time(endpoint.market()), FetchRequest::Universe(endpoint.market())] {
            // Closed only when the fetcher is gone, and then there is no answer either.
            let _ = requests.send(request).await;
        }
        let _ = timeout(patience.rest, heard.listen(&mut answers, stopwatch)).await;
        if let Some(symbol) = heard.busiest() {
            // Who went on without it needs it no more.
            let _ = busiest.send(symbol);
        }
        // What the last answer said of the weight comes right behind it.
        if let Ok(Some(Fetched::Budget(report))) = timeout(BEHIND, answers.recv()).await {
            heard.budget = Some(report);
        }
        cancel.cancel();
        heard
    };
    let ((), heard) = tokio::join!(fetch::run(config, taken, given, cancel.clone()), asking);
    heard.facts(endpoint, patience)
}

/// How long after an answer its report may come.
const BEHIND: Duration = Duration::from_millis(100);

/// What came back from REST.
#[derive(Debug, Default)]
struct Heard {
    clock: Option<Result<Offset, ExchangeError>>,
    universe: Option<Result<UniverseAnswer, ExchangeError>>,
    budget: Option<BudgetReport>,
}

impl Heard {
    async fn listen(&mut self, answers: &mut mpsc::Receiver<Fetched>, stopwatch: Stopwatch) {
        while self.clock.is_none() || self.universe.is_none() {
            match answers.recv().await {
                Some(Fetched::Time { result, .. }) => {
                    self.clock = Some(result.map(|answer| offset(&answer, wall(), stopwatch.now())));
                }
                Some(Fetched::Universe { result, .. }) => self.universe = Some(result),
                Some(Fetched::Budget(report)) => {
                    // The next request waits for a minute that is not ours to wait for.
                    let used_up = self.clock.is_some() && is_used_up(&report);
                    self.budget = Some(report);
                    if used_up {
                        break;
                    }
                }
                Some(Fetched::Klines { .. }) => {}
                None => break,
            }
        }
    }

    fn busiest(&self) -> Option<Symbol> {
        let universe = self.universe.as_ref()?.as_ref().ok()?;
        let trading = |pair: &Pair| universe.trading.iter().any(|i| i.pair == *pair);
        let candidates = universe.day.iter().filter(|d| trading(&d.pair));
        let busiest = candidates.max_by(|a, b| a.quote_volume.total_cmp(&b.quote_volume))?;
        Some(busiest.pair.symbol.clone())
    }

    fn facts(self, endpoint: &Endpoint, patience: Patience) -> RestFacts {
        let late = || {
            let text = format!(
                "{} did not answer in time ({} s)",
                endpoint.rest_base(),
                patience.rest.as_secs_f64()
            );
            ExchangeError::new(ErrorKind::Transient, text)
        };
        RestFacts {
            clock: self.clock.unwrap_or_else(|| Err(late())),
            pairs: self.universe.map_or_else(|| Err(late()), |u| u.map(|u| u.trading.len())),
            budget: self.budget,
        }
    }
}

/// The exchange's figure is taken to be of the middle of the round trip.
fn offset(answer: &TimeAnswer, wall: UnixMs, now: Mono) -> Offset {
    let trip = answer.received.since(answer.sent);
    let middle = now.since(answer.sent + trip / 2);
    let ours = wall.0 - i64::try_from(middle.as_millis()).unwrap_or(0);
    Offset { ms: answer.server.0 - ours, trip }
}

/// What this machine takes the time to be: the one thing that is to be compared here.
fn wall() -> UnixMs {
    let since = wall_clock();
    UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Subscribes to the busiest pair and the figures of all, and waits for data.
async fn stream(
    place: &Place,
    endpoint: &Endpoint,
    patience: Patience,
    busiest: oneshot::Receiver<Symbol>,
) -> StreamFacts {
    let named = timeout(patience.name, busiest).await.ok().and_then(Result::ok);
    let symbol = named.or_else(|| "BTCUSDT".parse().ok());
    let market = endpoint.market();
    let key = |symbol| SeriesKey::new(Pair { market, symbol }, Interval::M1);
    let stopwatch = Stopwatch::start();
    let mut config = FeedConfig::new(vec![endpoint.clone()], stopwatch);
    config.proxies = place.proxies.clone();
    // How long data may take is measured here.
    let (connect, ack) = (patience.stream, patience.stream);
    config.timing = Timing { connect, ack, stall: Stall::Never, ..place.timing };
    let cancel = CancellationToken::new();
    let (commands, taken) = mpsc::channel(1);
    let (given, mut events) = mpsc::channel(256);
    let standing = place.clock_rate <= 0.0;
    let listening = async {
        let _ = commands.send(FeedCommand::Watch(symbol.map(key).into_iter().collect())).await;
        let facts = listen(&mut events, patience, standing, stopwatch).await;
        cancel.cancel();
        facts
    };
    let ((), facts) = tokio::join!(feed::run(config, taken, given, cancel.clone()), listening);
    facts
}

async fn listen(
    events: &mut mpsc::Receiver<FeedEvent>,
    patience: Patience,
    standing: bool,
    stopwatch: Stopwatch,
) -> StreamFacts {
    let mut deadline = Instant::now() + patience.stream * 2;
    let (mut acknowledged, mut figures) = (false, false);
    loop {
        match timeout_at(deadline, events.recv()).await {
            // The figures of the whole market are no sign that candles come.
            Ok(Some(FeedEvent::Day(_))) => figures = true,
            Ok(Some(FeedEvent::Kline(_))) => {
                return StreamFacts::Data(stopwatch.now().0);
            }
            Ok(Some(FeedEvent::Subscribed { .. })) if standing => return StreamFacts::Acknowledged,
            Ok(Some(FeedEvent::Subscribed { .. })) => {
                acknowledged = true;
                deadline = Instant::now() + patience.data;
            }
            Ok(Some(FeedEvent::Down { error, .. })) => return StreamFacts::Down(error),
            Ok(Some(_)) => {}
            Err(_) if acknowledged && figures => return StreamFacts::FiguresOnly(patience.data),
            Err(_) if acknowledged => return StreamFacts::Silent(patience.data),
            Err(_) | Ok(None) => return StreamFacts::NotAcknowledged(patience.stream * 2),
        }
    }
}

#[cfg(test)]
mod tests;
