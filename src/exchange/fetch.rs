//! REST: takes requests, asks within the budget, retries, answers.
//!
//! Invariant: requests are always taken in, however slow the exchange is and whoever does not
//! listen to the answers; what waits is bounded by the number of series (see `queue`).

mod http;
mod pool;
mod queue;
mod streak;
#[cfg(test)]
pub(crate) mod waiting;

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::pool::{Done, Pool};
use super::binance::endpoint::Endpoint;
use super::connect::{Dialer, Proxies};
use super::{ErrorKind, ExchangeError, FetchRequest, Fetched};
use crate::domain::symbol::Market;
use crate::domain::time::Mono;
use crate::stopwatch::Stopwatch;

/// The fetcher's settings.
#[derive(Clone, Debug)]
pub struct FetchConfig {
    /// Where each market is asked.
    pub endpoints: Vec<Endpoint>,
    /// Which proxies are used.
    pub proxies: Proxies,
    /// How fast the exchange's clock runs against ours: its minutes are the budget's.
    pub clock_rate: f64,
    /// Requests under way at once, for each market: one that never answers costs the other nothing.
    pub concurrency: usize,
    /// How long an answer may take; instruments and figures may take twice as long.
    pub timeout: Duration,
    /// How often a request that failed for a passing reason is repeated.
    pub retries: u32,
    /// Our clock.
    pub stopwatch: Stopwatch,
}

impl FetchConfig {
    /// The defaults.
    pub fn new(endpoints: Vec<Endpoint>, stopwatch: Stopwatch) -> Self {
        Self {
            endpoints,
            proxies: Proxies::default(),
            clock_rate: 1.0,
            concurrency: 10,
            timeout: Duration::from_secs(15),
            retries: 3,
            stopwatch,
        }
    }
}

/// Serves `requests` until cancelled, or until there will be no more and all are answered.
pub async fn run(
    config: FetchConfig,
    requests: mpsc::Receiver<FetchRequest>,
    answers: mpsc::Sender<Fetched>,
    cancel: CancellationToken,
) {
    serve(Fetcher::new(&config), requests, answers, cancel).await;
}

async fn serve(
    mut fetcher: Fetcher,
    mut requests: mpsc::Receiver<FetchRequest>,
    answers: mpsc::Sender<Fetched>,
    cancel: CancellationToken,
) {
    let stopwatch = fetcher.stopwatch;
    let mut open = true;
    while open || !fetcher.idle() {
        fetcher.start_what_may();
        let wake = fetcher.next_wake();
        tokio::select! {
            () = cancel.cancelled() => break,
            request = requests.recv(), if open => match request {
                Some(request) => fetcher.take(request),
                None => open = false,
            },
            Some(done) = fetcher.under_way.join_next() => {
                if let Ok(done) = done {
                    fetcher.done(done);
                }
            }
            permit = answers.reserve(), if fetcher.has_answer() => match (permit, fetcher.next_answer()) {
                (Ok(permit), Some(answer)) => permit.send(answer),
                _ => break,
            },
            () = tokio::time::sleep_until(stopwatch.instant(wake.unwrap_or_default()).into()), if wake.is_some() => {}
        }
    }
    fetcher.under_way.shutdown().await;
}

struct Fetcher {
    pools: Vec<Pool>,
    under_way: JoinSet<Done>,
    stopwatch: Stopwatch,
    answers: VecDeque<Fetched>,
}

impl Fetcher {
    fn new(config: &FetchConfig) -> Self {
        let dialer = Dialer::new(config.proxies.clone());
        let client = dialer.http_client(config.timeout);
        let pools = config.endpoints.iter().map(|endpoint| {
            let needs_tls = endpoint.rest_base().starts_with("https:");
            let client = match dialer.tls_fault() {
                Some(fault) if needs_tls => Err(fault),
                _ => client.clone(),
            };
            Pool::new(endpoint.clone(), client, config)
        });
        Self {
            pools: pools.collect(),
            under_way: JoinSet::new(),
            stopwatch: config.stopwatch,
            answers: VecDeque::new(),
        }
    }

    fn take(&mut self, request: FetchRequest) {
        let market = match &request {
            FetchRequest::Time(market) | FetchRequest::Universe(market) => *market,
            FetchRequest::Klines(request) => request.key.pair.market,
        };
        match self.pools.iter_mut().find(|p| p.market() == market) {
            Some(pool) => pool.take(request, self.stopwatch.now(), &mut self.answers),
            None => self.answers.push_back(refused(request, no_such_market(market))),
        }
    }

    /// Starts as many requests of each market as may be under way.
    fn start_what_may(&mut self) {
        let now = self.stopwatch.now();
        for pool in &mut self.pools {
            while pool.start_one(now, &mut self.under_way) {}
        }
    }

    fn done(&mut self, done: Done) {
        let now = self.stopwatch.now();
        if let Some(pool) = self.pools.iter_mut().find(|p| p.market() == done.market) {
            pool.done(done, now, &mut self.answers);
        }
    }

    fn has_answer(&self) -> bool {
        !self.answers.is_empty() || self.pools.iter().any(Pool::has_report)
    }

    /// Answers first; of reports only the last of each market is kept.
    fn next_answer(&mut self) -> Option<Fetched> {
        let report = |pools: &mut Vec<Pool>| pools.iter_mut().find_map(Pool::report);
        self.answers.pop_front().or_else(|| report(&mut self.pools).map(Fetched::Budget))
    }

    fn next_wake(&self) -> Option<Mono> {
        self.pools.iter().filter_map(Pool::next_wake).min()
    }

    fn idle(&self) -> bool {
        self.under_way.is_empty() && !self.has_answer() && self.pools.iter().all(Pool::idle)
    }
}

/// The answer to a request that could not be served.
fn refused(request: FetchRequest, error: ExchangeError) -> Fetched {
    match request {
        FetchRequest::Time(market) => Fetched::Time { market, result: Err(error) },
        FetchRequest::Universe(market) => Fetched::Universe { market, result: Err(error) },
        FetchRequest::Klines(request) => Fetched::Klines { request, covers: Vec::new(), result: Err(error) },
    }
}

fn no_such_market(market: Market) -> ExchangeError {
    ExchangeError::new(ErrorKind::Bug, format!("the market {market} is not configured; name it in --market"))
}

#[cfg(test)]
mod tests;
