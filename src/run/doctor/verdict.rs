//! What the examination found, as one line a check: what is so, and what to do about it.
//!
//! Invariant: pure. All that was asked and measured comes in as facts.

use std::time::Duration;

use crate::domain::symbol::Market;
use crate::exchange::connect::probe::{Broken, Step, Way};
use crate::exchange::{BudgetReport, ErrorKind, ExchangeError};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Not in use, or not tried because of what failed before.
    Off,
    /// The program works, less well than it could.
    Warn,
    /// The main job, a table that is true, can't be done.
    Fail,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Check {
    Config,
    Files,
    Terminal,
    Proxy,
    Name,
    Connect,
    Tunnel,
    Tls,
    Rest,
    Weight,
    Clock,
    Stream,
    Redis,
    Scheduler,
}

impl Check {
    /// Its name in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Files => "files",
            Self::Terminal => "terminal",
            Self::Proxy => "proxy",
            Self::Name => "dns",
            Self::Connect => "connect",
            Self::Tunnel => "tunnel",
            Self::Tls => "tls",
            Self::Rest => "rest",
            Self::Weight => "weight",
            Self::Clock => "clock",
            Self::Stream => "stream",
            Self::Redis => "redis",
            Self::Scheduler => "scheduler",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of what.
    pub check: Check,
    /// Of which market, where it is about one.
    pub market: Option<Market>,
    /// How it ended.
    pub state: State,
    /// What is so.
    pub what: String,
    /// What to do, where there is something to do.
    pub cure: Option<String>,
}

impl Finding {
    /// A finding without a cure.
    pub fn new(check: Check, market: Option<Market>, state: State, what: impl Into<String>) -> Self {
        Self { check, market, state, what: what.into(), cure: None }
    }

    /// The same with what to do.
    pub fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }
}

/// What was found out about one market.
#[derive(Clone, Debug)]
pub struct MarketFacts {
    /// Which.
    pub market: Market,
    /// The way to its REST.
    pub rest_way: Way,
    /// The way to its streams.
    pub stream_way: Way,
    /// What REST said.
    pub rest: RestFacts,
    /// What the streams said.
    pub stream: StreamFacts,
    /// Whose clock it is.
    pub time: TimeKind,
}

/// How the exchange's time is to be compared with ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// It is the time of the world.
    Real,
    /// A replay's, or another one that runs at a rate of its own.
    Own,
    /// It stands still.
    Standing,
}

/// What REST said.
#[derive(Clone, Debug)]
pub struct RestFacts {
    /// Its time against our wall clock, where it answered.
    pub clock: Result<Offset, ExchangeError>,
    /// How many pairs trade.
    pub pairs: Result<usize, ExchangeError>,
    /// The weight used by this address.
    pub budget: Option<BudgetReport>,
}

/// The exchange's time less ours, and how well that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Milliseconds; positive where our clock is slow.
    pub ms: i64,
    /// The round trip.
    pub trip: Duration,
}

/// What the streams said.
#[derive(Clone, Debug)]
pub enum StreamFacts {
    /// Data came, so long after the connection was asked for.
    Data(Duration),
    /// All was acknowledged, and then nothing came for so long.
    Silent(Duration),
    /// The same, but for the 24 h figures: the candles of the busiest pair did not come.
    FiguresOnly(Duration),
    /// All was acknowledged; more is not to be expected of a clock that stands.
    Acknowledged,
    /// The connection came up, and the subscription was not acknowledged within this.
    NotAcknowledged(Duration),
    /// It did not come up, or went down.
    Down(ExchangeError),
}

/// Whether the main job can be done.
pub fn can_run(findings: &[Finding]) -> bool {
    findings.iter().all(|f| f.state != State::Fail)
}

/// The findings about one market.
pub fn market(facts: &MarketFacts) -> Vec<Finding> {
    let mut out = vec![proxy(facts)];
    out.extend(ways(facts));
    out.push(rest(facts));
    out.push(weight(facts));
    out.push(clock(facts));
    out.push(stream(facts));
    out
}

fn proxy(f: &MarketFacts) -> Finding {
    let finding = |what: String| Finding::new(Check::Proxy, Some(f.market), State::Ok, what);
    match (&f.rest_way.proxy, &f.stream_way.proxy) {
        (None, None) => finding("none (HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed)".into()),
        (Some(a), Some(b)) if a == b => finding(format!("{a}, for REST and the streams")),
        (a, b) => {
            let name = |p: &Option<String>| p.clone().unwrap_or_else(|| "none".into());
            let what = format!("REST: {}; streams: {}", name(a), name(b));
            Finding { state: State::Warn, ..finding(what) }
                .cure("if that is not meant, set HTTPS_PROXY or ALL_PROXY for both, and look at NO_PROXY")
        }
    }
}

/// Names, TCP and TLS of both hosts: a line for each, and one line for both where they agree.
fn ways(f: &MarketFacts) -> Vec<Finding> {
    let mut out = Vec::new();
    for (check, step) in [
        (Check::Name, Step::Name),
        (Check::Connect, Step::Connect),
        (Check::Tunnel, Step::Tunnel),
        (Check::Tls, Step::Tls),
    ] {
        let broken: Vec<_> = [(&f.rest_way, "--rest-url"), (&f.stream_way, "--ws-url")]
            .into_iter()
            .filter(|(way, _)| way.step == step && way.broken.is_some())
            .collect();
        let before = |way: &Way| way.step < step && way.broken.is_some();
        match broken.as_slice() {
            // Not on every way; a line only where one ends there.
            [] if check == Check::Tunnel => {}
            [] if before(&f.rest_way) || before(&f.stream_way) => {
                out.push(Finding::new(check, Some(f.market), State::Off, "not tried everywhere: see above"));
            }
            [] => out.push(Finding::new(check, Some(f.market), State::Ok, way_is_open(check, f))),
            // One host for both is told once.
            [(a, option), (b, _)] if a == b => out.push(way_broken(check, f.market, a, option)),
            several => {
                out.extend(several.iter().map(|(way, option)| way_broken(check, f.market, way, option)));
            }
        }
    }
    out
}

fn way_is_open(check: Check, f: &MarketFacts) -> String {
    let (rest, stream) = (&f.rest_way, &f.stream_way);
    match check {
        Check::Name if rest.proxy.is_some() => {
            "the proxy has an address; the hosts' names are its business".into()
        }
        Check::Name if rest.to == stream.to => format!("{} has an address", rest.to),
        Check::Name => format!("{} and {} have addresses", rest.to, stream.to),
        Check::Connect if rest.proxy.is_some() => "the proxy answers".into(),
        Check::Tls if !rest.tls && !stream.tls => "not used by these addresses".into(),
        Check::Tls => "the certificates are good".into(),
        _ => "both hosts answer".into(),
    }
}

fn way_broken(check: Check, market: Market, way: &Way, option: &str) -> Finding {
    if let (Check::Tunnel, Some(proxy)) = (check, &way.proxy) {
        return tunnel_broken(market, way, proxy);
    }
    let hop = match &way.proxy {
        Some(proxy) if way.step < Step::Tunnel => format!("the proxy {proxy}"),
        _ => way.to.clone(),
    };
    let (what, cure) = match way.broken.as_ref().unwrap_or(&Broken::Silent) {
        Broken::NoSuchName => (
            format!("no DNS: the name of {hop} has no address"),
            format!("check the network, /etc/resolv.conf and the spelling of {option}; where names are resolved by a proxy only, set ALL_PROXY=socks5h://host:port"),
        ),
        Broken::Refused => (
            format!("{hop} refuses the connection: nobody listens there"),
            format!("check the port in {option}, the proxy variables, and that the server runs"),
        ),
        Broken::NoRoute => {
            (format!("no route to {hop}"), "check that the network is up, and the firewall".to_owned())
        }
        Broken::Silent => (
            format!("{hop} does not answer"),
            "a firewall drops what we send, or the host is down; where only a proxy leads out, set HTTPS_PROXY".to_owned(),
        ),
        Broken::Untrusted => (
            format!("the certificate of {hop} is signed by nobody this machine trusts (self-signed?)"),
            "somebody may read along; if it is your company's proxy, point SSL_CERT_FILE at a file with its root certificate".to_owned(),
        ),
        Broken::OtherName => (
            format!("the certificate of {hop} is another host's"),
            format!("check the name in {option}, and whether a network log-in stands before the exchange"),
        ),
        Broken::OutOfDate => (
            format!("the certificate of {hop} has expired, or is not valid yet"),
            "check this machine's date; if that is right, the server has to renew it".to_owned(),
        ),
        Broken::NotTls => (
            format!("{hop} does not speak TLS"),
            format!("check scheme and port of {option}: http:// and ws:// are without TLS"),
        ),
        Broken::Other(why) => (format!("{hop}: {why}"), format!("check {option} and the proxy variables")),
    };
    Finding::new(check, Some(market), State::Fail, what).cure(cure)
}

fn tunnel_broken(market: Market, way: &Way, proxy: &str) -> Finding {
    let why = match &way.broken {
        Some(Broken::Other(why)) => why.to_string(),
        _ => "it does not answer in time".to_owned(),
    };
    let what = format!("the proxy {proxy} opens no way to {}: {why}", way.to);
    let host = way.to.rsplit_once(':').map_or(way.to.as_str(), |(host, _)| host);
    let cure = format!("have it allow CONNECT to {}, or name {host} in NO_PROXY", way.to);
    Finding::new(Check::Tunnel, Some(market), State::Fail, what).cure(cure)
}

fn is_cut(way: &Way) -> bool {
    way.broken.is_some() && way.step != Step::Tunnel
}

fn rest(f: &MarketFacts) -> Finding {
    let finding = |state, what: String| Finding::new(Check::Rest, Some(f.market), state, what);
    let error = match (&f.rest.clock, &f.rest.pairs) {
        (Ok(_), Ok(pairs)) => {
            let what = format!("{} answers, {pairs} pairs trade", f.rest_way.to);
            return if *pairs > 0 {
                finding(State::Ok, what)
            } else {
                finding(State::Fail, what).cure("check --market and --rest-url")
            };
        }
        (Err(e), _) | (_, Err(e)) => e,
    };
    if is_cut(&f.rest_way) {
        return finding(State::Off, "not reached: see above".into());
    }
    if f.rest.clock.is_ok() && f.rest.budget.as_ref().is_some_and(is_used_up) {
        return finding(State::Off, format!("{} answers; the rest waits: see `weight`", f.rest_way.to));
    }
    let finding = finding(State::Fail, error.message.to_string());
    match (error.kind, f.market) {
        (ErrorKind::RateLimited { .. } | ErrorKind::Banned { .. }, _) => finding.cure("see `weight`"),
        (ErrorKind::Restricted | ErrorKind::Forbidden { .. }, Market::Spot) => finding.cure(
            "the public data of spot is served elsewhere: --market spot --rest-url https://data-api.binance.vision --ws-url wss://data-stream.binance.vision",
        ),
        (ErrorKind::Restricted | ErrorKind::Forbidden { .. }, Market::UsdM) => finding.cure(
            "there is no public host for USD-M; spot has one: --market spot --rest-url https://data-api.binance.vision --ws-url wss://data-stream.binance.vision",
        ),
        _ => finding,
    }
}

fn weight(f: &MarketFacts) -> Finding {
    let finding = |state, what: String| Finding::new(Check::Weight, Some(f.market), state, what);
    let mut refused = [f.rest.clock.as_ref().err(), f.rest.pairs.as_ref().err()].into_iter().flatten();
    let waits = refused.find_map(|e| match e.kind {
        ErrorKind::RateLimited { wait } | ErrorKind::Banned { wait } => Some(wait),
        _ => None,
    });
    let others =
        "stop other programs that ask Binance from this address, or give this one an address of its own";
    if let Some(wait) = waits {
        let what = format!(
            "used up by other programs on this address: the exchange answers again in {} s",
            wait.as_secs() + 1
        );
        return finding(State::Fail, what).cure(others);
    }
    let Some(budget) = f.rest.budget.as_ref().filter(|b| b.limit > 0 && f.rest.clock.is_ok()) else {
        return finding(State::Off, "not known".into());
    };
    let (used, limit) = (budget.used, budget.limit);
    let cap = limit / 10 * 9;
    let what = format!(
        "{used} of {limit} used in this minute, {} left of what we allow ourselves",
        cap.saturating_sub(used)
    );
    if is_used_up(budget) {
        finding(State::Fail, format!("used up by other programs on this address: {what}")).cure(others)
    } else if used > limit / 2 {
        finding(State::Warn, format!("other programs on this address use much of it: {what}")).cure(others)
    } else {
        finding(State::Ok, what)
    }
}

/// Whether there is no room left in this minute for what a session asks first.
pub fn is_used_up(budget: &BudgetReport) -> bool {
    budget.used >= budget.limit / 10 * 9
}

/// A clock that is off by less is none of our business: the program goes by the exchange's.
const MOST_OFF_MS: i64 = 1_000;

fn clock(f: &MarketFacts) -> Finding {
    let finding = |state, what: String| Finding::new(Check::Clock, Some(f.market), state, what);
    match (f.time, &f.rest.clock) {
        (TimeKind::Own, _) => finding(State::Off, "that exchange's clock is its own".into()),
        (TimeKind::Standing, _) => finding(State::Off, "that exchange's clock stands still".into()),
        (TimeKind::Real, Err(_)) => finding(State::Off, "not known: REST did not answer".into()),
        (TimeKind::Real, Ok(offset)) => {
            let trip = i64::try_from(offset.trip.as_millis()).unwrap_or(i64::MAX);
            let what = format!("{} ms from the exchange's, round trip {trip} ms", offset.ms);
            let sure = offset.ms.saturating_abs() - trip / 2;
            if sure <= MOST_OFF_MS {
                return finding(State::Ok, what);
            }
            #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
            let seconds = offset.ms as f64 / 1_000.0;
            let (seconds, word) = (seconds.abs(), if offset.ms > 0 { "slow" } else { "fast" });
            finding(State::Warn, format!("this machine's clock is {seconds:.1} s {word}: {what}"))
                .cure("candles go by the exchange's clock and stay right; log and file dates do not: timedatectl set-ntp true")
        }
    }
}

fn stream(f: &MarketFacts) -> Finding {
    let finding = |state, what: String| Finding::new(Check::Stream, Some(f.market), state, what);
    let way = &f.stream_way;
    let rest_works = f.rest.clock.is_ok();
    let behind_proxy = || match &way.proxy {
        Some(proxy) if rest_works => Some(format!(
            "the proxy {proxy} serves REST and not the stream: have it allow CONNECT to {} and leave WebSocket alone, or name {} in NO_PROXY",
            way.to,
            way.to.rsplit_once(':').map_or(way.to.as_str(), |(host, _)| host),
        )),
        _ => None,
    };
    let route = match f.market {
        Market::UsdM => "/market/stream",
        Market::Spot => "/stream",
    };
    match &f.stream {
        StreamFacts::Data(after) => finding(State::Ok, format!("data after {} ms", after.as_millis())),
        StreamFacts::Acknowledged => {
            finding(State::Ok, "subscriptions are acknowledged; a clock that stands sends no data".into())
        }
        StreamFacts::Silent(waited) => finding(
            State::Fail,
            format!(
                "wrong path: subscriptions are acknowledged, and then nothing comes for {} s",
                waited.as_secs_f64()
            ),
        )
        .cure(format!(
            "the exchange acknowledges on any path and sends candles on {route} only: check that --ws-url, a gateway or a proxy leads there"
        )),
        StreamFacts::FiguresOnly(waited) => finding(
            State::Warn,
            format!(
                "no candles: the 24 h figures come, and in {} s no candle of the busiest pair did",
                waited.as_secs_f64()
            ),
        )
        .cure(format!(
            "try again in some minutes; if it stays so, check that what carries {route} (--ws-url, a gateway, a proxy) lets candles through. Meanwhile REST keeps the closed bars true"
        )),
        StreamFacts::NotAcknowledged(waited) => finding(
            State::Fail,
            format!("a subscription is not acknowledged within {} s", waited.as_secs_f64()),
        )
        .cure(behind_proxy().unwrap_or_else(|| "check that --ws-url is that of a host that speaks Binance's protocol".into())),
        StreamFacts::Down(_) if is_cut(way) => finding(State::Off, "not reached: see above".into()),
        StreamFacts::Down(error) => {
            let finding = finding(State::Fail, error.message.to_string());
            match behind_proxy() {
                Some(cure) => finding.cure(cure),
                None => finding,
            }
        }
    }
}

#[cfg(test)]
mod tests;
