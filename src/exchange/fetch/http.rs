//! One request over HTTP, and its answer in our terms.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::queue::Ask;
use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::binance::bodies::{self, ExchangeInfo, KlineRows, WrongShape};
use crate::exchange::binance::refusal::{Refusal, classify, plain};
use crate::exchange::connect::sentence;
use crate::exchange::{DayEvent, ErrorKind, ExchangeError};
use crate::stopwatch::Stopwatch;

/// The longest body taken, unpacked; `exchangeInfo` of spot has some five million bytes. A small
/// answer that unpacks to more is given up on the way.
const MOST_BYTES: usize = 8 << 20;

/// What is needed for a request.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) client: reqwest::Client,
    pub(super) stopwatch: Stopwatch,
    pub(super) market: Market,
    pub(super) url: String,
    /// The base, for messages.
    pub(super) asked: String,
    pub(super) timeout: Duration,
    /// The exchange's time, where known.
    pub(super) now: Option<UnixMs>,
}

/// The answer, and what came with it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) sent: Mono,
    pub(super) received: Mono,
    pub(super) used_weight: Option<u32>,
    pub(super) result: Result<Parsed, ExchangeError>,
}

/// The body, read.
#[derive(Debug)]
pub(super) enum Parsed {
    Time(UnixMs),
    Info(Box<ExchangeInfo>),
    Day(Vec<DayEvent>, u32),
    Rows(KlineRows),
}

/// The same where asking or reading panics: a fault of ours costs one request its answer, and not
/// its slot, nor those who wait for it.
pub(super) async fn call_guarded(to: &Call, ask: &Ask) -> Answer {
    let sent = to.stopwatch.now();
    let answer = AssertUnwindSafe(call(to, ask)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        let message = "a fault of this program while asking the exchange; the log may tell more";
        let result = Err(ExchangeError::new(ErrorKind::Bug, message));
        Answer { sent, received: to.stopwatch.now(), used_weight: None, result }
    })
}

/// Asks, waits, reads.
async fn call(call: &Call, ask: &Ask) -> Answer {
    let sent = call.stopwatch.now();
    let mut used_weight = None;
    let result = match get(call, &mut used_weight).await {
        Ok(body) => read(call, ask, &body),
        Err(e) => Err(e),
    };
    Answer { sent, received: call.stopwatch.now(), used_weight, result }
}

async fn get(call: &Call, used_weight: &mut Option<u32>) -> Result<String, ExchangeError> {
    let request = call.client.get(&call.url).timeout(call.timeout);
    let response = request.send().await.map_err(|e| network(call, &e))?;
    let status = response.status().as_u16();
    *used_weight = number(response.headers(), "x-mbx-used-weight-1m")
        .or_else(|| number(response.headers(), "x-mbx-used-weight"))
        .and_then(|n| u32::try_from(n).ok());
    let retry_after = number(response.headers(), RETRY_AFTER.as_str());
    let body = body(call, response).await;
    if status == 200 {
        return body;
    }
    // A refusal counts even where its body can't be read.
    let body = body.unwrap_or_default();
    Err(classify(Refusal { status, retry_after, body: &body, asked: &call.asked }, call.now))
}

async fn body(call: &Call, mut response: reqwest::Response) -> Result<String, ExchangeError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| network(call, &e))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            let message =
                format!("{} sends more than {} MiB: is the URL the right one?", call.asked, MOST_BYTES >> 20);
            return Err(ExchangeError::new(ErrorKind::Rejected, &message));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| {
        ExchangeError::new(
            ErrorKind::Transient,
            format!("{} sent text that is no UTF-8; trying again", call.asked),
        )
    })
}

fn read(call: &Call, ask: &Ask, body: &str) -> Result<Parsed, ExchangeError> {
    let parsed = match ask {
        Ask::Sync | Ask::Time => bodies::time(body).map(Parsed::Time),
        Ask::Universe(None) => {
            bodies::exchange_info(body, call.market).map(|info| Parsed::Info(Box::new(info)))
        }
        Ask::Universe(Some(info)) => {
            let trading = info.trading.iter().chain(&info.others).map(|i| i.pair.symbol.as_str());
            let known: HashSet<&str> =
                trading.chain(info.not_trading.iter().map(|p| p.symbol.as_str())).collect();
            bodies::day_figures(body, call.market, &known).map(|(day, skipped)| Parsed::Day(day, skipped))
        }
        Ask::Klines(_) => bodies::klines(body).map(Parsed::Rows),
    };
    parsed.map_err(|WrongShape| wrong_shape(call, body))
}

fn wrong_shape(call: &Call, body: &str) -> ExchangeError {
    if body.trim_start().starts_with('<') {
        let message = format!(
            "{} answers with a web page: is --rest-url that of a host that speaks Binance's protocol, or does a network log-in stand before it?",
            call.asked
        );
        return ExchangeError::new(ErrorKind::Rejected, &message);
    }
    let what = match head(body) {
        head if head.trim().is_empty() => "sends an empty answer; trying again".to_owned(),
        head => format!("answers with something else than was asked for: {head}"),
    };
    ExchangeError::new(ErrorKind::Transient, format!("{} {what}", call.asked))
}

fn head(body: &str) -> String {
    let some: String = body.chars().take(400).collect();
    plain(&some).chars().take(80).collect()
}

fn network(call: &Call, e: &reqwest::Error) -> ExchangeError {
    // First, since a connection that takes too long is a time-out too, and one that sent nothing.
    let (kind, what) = if e.is_connect() {
        // The URL is in reqwest's own sentence too; it says nothing new.
        (ErrorKind::NoConnection, format!("can't connect to {} ({})", call.asked, cause(e)))
    } else if e.is_timeout() {
        let secs = call.timeout.as_secs();
        (ErrorKind::Transient, format!("{} did not answer in time ({secs} s)", call.asked))
    } else {
        (ErrorKind::Transient, format!("the answer of {} is torn ({})", call.asked, cause(e)))
    };
    let cure = "check the network, the proxy (HTTPS_PROXY, ALL_PROXY) and --rest-url";
    ExchangeError::new(kind, format!("{what}; {cure}"))
}

fn cause(e: &reqwest::Error) -> String {
    std::error::Error::source(e).map_or_else(|| e.to_string(), sentence)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
