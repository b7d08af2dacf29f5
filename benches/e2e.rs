//! From the socket to the row, against a bare loop that reads and parses the same bytes from a
//! socket of its own in the same run; and the warm-up against what latency alone would take.
//!
//! `cargo bench --bench e2e [NAME]`. The subject is the product's own path: its socket tasks, its
//! channel, its engine's step up to the series, the indicator on the new bar included. The
//! reference connects to the same kind of server over the same loopback, parses with `serde_json`
//! into a typed frame, and keeps nothing. Both take turns; a round begins when the server is about
//! to write its first byte.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::struct_field_names
)]

#[path = "kernel/bare_serde.rs"]
#[allow(dead_code, reason = "pages are another bench's")]
mod bare_serde;
#[path = "measure/interleaved.rs"]
#[allow(dead_code, reason = "rounds are counted here")]
mod interleaved;
#[path = "../tests/support/streams.rs"]
mod streams;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hamatop::config::{Config, Sources};
use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::preset::Preset;
use hamatop::domain::symbol::{Instrument, Market, Pair, SeriesKey, Tick};
use hamatop::domain::time::{Mono, UnixMs};
use hamatop::engine::{Engine, EngineConfig, Input, Output, UniverseSpec, default_close_grace};
use hamatop::exchange::binance::endpoint::Endpoint;
use hamatop::exchange::binance::session::{Stall, Timing};
use hamatop::exchange::connect::Proxies;
use hamatop::exchange::feed::{self, FeedConfig};
use hamatop::exchange::{
    DayEvent, FeedCommand, FeedEvent, FetchRequest, Fetched, KlinesAnswer, TimeAnswer, UniverseAnswer,
};
use hamatop::market::snapshot::Source;
use hamatop::run::session::{Place, Purpose, Session};
use hamatop::sim::{self, SimConfig, SourceConfig};
use hamatop::stopwatch::Stopwatch;
use streams::{Salvo, Streams, frame};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

const PAIRS: usize = 375;
const BARS: i64 = 500;
/// 2026-01-05T00:00Z, the close of the last candle that is loaded.
const START: i64 = 1_767_571_200_000;
const MINUTE: i64 = 60_000;
const INTERVAL: Interval = Interval::M1;

fn main() {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let run = |name: &str| wanted.as_ref().is_none_or(|w| name.contains(w.as_str()));
    // As the program: the sockets have workers of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if run("e2e/close_burst") {
            let rounds = closes(PAIRS, 300).await;
            rounds.print("e2e/close_burst p50", 0.50, Some(2.0));
            rounds.print("e2e/close_burst p99", 0.99, None);
        }
        if run("e2e/close_one") {
            let rounds = closes(1, 3_000).await;
            rounds.print("e2e/close_one p50", 0.50, None);
            rounds.print("e2e/close_one p99", 0.99, Some(3.0));
        }
        if run("e2e/warmup") {
            warmup().await;
        }
    });
}

/// How long each round took.
#[derive(Default)]
struct Rounds {
    subject: Vec<Duration>,
    reference: Vec<Duration>,
}

impl Rounds {
    fn print(&self, name: &str, quantile: f64, goal: Option<f64>) {
        let at = |times: &[Duration]| {
            let mut sorted = times.to_vec();
            sorted.sort_unstable();
            sorted[((sorted.len() - 1) as f64 * quantile) as usize]
        };
        let pair = interleaved::Pair { subject: at(&self.subject), reference: at(&self.reference) };
        pair.print(name, "bare read and parse, same loopback", goal);
    }
}

fn key(n: usize) -> SeriesKey {
    let symbol = format!("P{n:03}USDT").parse().unwrap();
    SeriesKey::new(Pair { market: Market::UsdM, symbol }, INTERVAL)
}

/// The candle of a minute, counted from [`START`].
fn candle(minute: i64) -> Kline {
    let open = START + minute * MINUTE;
    let price = 100.0 + (minute.rem_euclid(97)) as f64 * 0.25;
    Kline::new(KlineFields {
        open_time: UnixMs(open),
        close_time: UnixMs(open + MINUTE - 1),
        open: price,
        high: price + 1.0,
        low: price - 1.0,
        close: price + 0.5,
        volume: 86.568,
        quote_volume: Some(7_193_689.137_5),
        trades: Some(2_723),
        taker_base: Some(55.41),
        taker_quote: Some(4_604_044.967_8),
    })
    .unwrap()
}

fn salvo(series: usize, minute: i64) -> Salvo {
    let one = |n| frame(&key(n), &candle(minute), START + (minute + 1) * MINUTE + 2, true);
    Salvo(Arc::new((0..series).map(one).collect::<HashMap<_, _>>()))
}

/// Fires `rounds` salvos of `series` closes at each.
async fn closes(series: usize, rounds: i64) -> Rounds {
    let mut subject = Subject::start(series).await;
    let mut reference = Reference::start(series).await;
    let mut out = Rounds::default();
    let settle = rounds / 10;
    for minute in 0..settle + rounds {
        let salvo = salvo(series, minute);
        let ours = subject.round(&salvo, series, minute).await;
        let theirs = reference.round(&salvo, series, minute).await;
        if minute >= settle {
            out.subject.push(ours);
            out.reference.push(theirs);
        }
    }
    subject.assert_holds(series, settle + rounds);
    out
}

/// The product: socket tasks, channel, engine.
struct Subject {
    server: Streams,
    engine: Engine,
    events: mpsc::Receiver<FeedEvent>,
    _commands: mpsc::Sender<FeedCommand>,
    stopwatch: Stopwatch,
    out: Vec<Output>,
    appended: u64,
}

impl Subject {
    async fn start(series: usize) -> Self {
        let server = Streams::start_apart();
        let stopwatch = Stopwatch::start();
        let endpoint = Endpoint::new(Market::UsdM, None, Some(&server.url())).unwrap();
        let mut config = FeedConfig::new(vec![endpoint], stopwatch);
        config.proxies = Proxies::None;
        config.timing.stall = Stall::Never;
        let (commands, taken) = mpsc::channel(64);
        let (given, events) = mpsc::channel(4_096);
        tokio::spawn(feed::run(config, taken, given, CancellationToken::new()));
        let engine = Engine::new(EngineConfig {
            source: Source::Live,
            preset: Arc::new(Preset::default()),
            intervals: [INTERVAL].into(),
            markets: [Market::UsdM].into(),
            universe: UniverseSpec {
                quote: "USDT".parse().unwrap(),
                top: series as u32,
                movers: 0,
                watched: vec![],
                named: vec![],
            },
            bars: BARS as u32,
            clock_rate: 1.0,
            keep_klines: false,
            rest_only: false,
            close_grace: default_close_grace,
            rules: Vec::new(),
            names: Arc::default(),
        });
        let out = Vec::new();
        let mut this =
            Self { server, engine, events, _commands: commands.clone(), stopwatch, out, appended: 0 };
        this.engine.step(Input::Tick, stopwatch.now(), &mut this.out);
        while let Some(output) = this.out.pop() {
            match output {
                Output::Feed(command) => commands.send(command).await.unwrap(),
                Output::Fetch(request) => {
                    let answer = answer(request, stopwatch.now());
                    this.engine.step(Input::Fetched(answer), stopwatch.now(), &mut this.out);
                }
            }
        }
        while this.server.subscribed() < series {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while let Ok(event) = this.events.try_recv() {
            this.step(event, 0);
        }
        this.appended = this.engine.store().counters.outcomes.appended;
        this
    }

    /// Each round is a minute later for the engine, whatever it took.
    fn step(&mut self, event: FeedEvent, minute: i64) {
        let now = self.stopwatch.now() + Duration::from_millis((minute * MINUTE) as u64);
        self.engine.step(Input::Feed(event), now, &mut self.out);
        for output in std::mem::take(&mut self.out) {
            // The clock is compared and the list read now and then; nothing else may be asked for.
            let Output::Fetch(request @ (FetchRequest::Time(_) | FetchRequest::Universe(_))) = output else {
                panic!("{output:?}")
            };
            self.engine.step(Input::Fetched(answer(request, now)), now, &mut self.out);
        }
    }

    async fn round(&mut self, salvo: &Salvo, series: usize, minute: i64) -> Duration {
        self.server.fire(salvo.clone());
        self.appended += series as u64;
        while self.engine.store().counters.outcomes.appended < self.appended {
            let event = self.events.recv().await.unwrap();
            self.step(event, minute);
            // As the engine's task does.
            while let Ok(event) = self.events.try_recv() {
                self.step(event, minute);
            }
        }
        let done = Instant::now();
        done - self.server.began().unwrap()
    }

    fn assert_holds(&self, series: usize, minutes: i64) {
        let store = self.engine.store();
        for n in 0..series {
            let held = store.lane(store.find(&key(n)).unwrap()).unwrap().series().closed();
            assert_eq!(held.len() as i64, BARS);
            assert!(held.iter().rev().zip((0..minutes).rev()).all(|(k, minute)| *k == candle(minute)));
        }
    }
}

fn answer(request: FetchRequest, now: Mono) -> Fetched {
    match request {
        FetchRequest::Time(market) => {
            let server = UnixMs(START + 5_000) + now.0;
            Fetched::Time { market, result: Ok(TimeAnswer { server, sent: now, received: now }) }
        }
        FetchRequest::Universe(market) => {
            let instrument = |n| Instrument {
                pair: key(n).pair,
                base: "P".parse().unwrap(),
                quote: "USDT".parse().unwrap(),
                tick: Tick { decimals: 2 },
            };
            let figures = |n| DayEvent {
                pair: key(n).pair,
                last: 100.0,
                change_pct: 1.0,
                quote_volume: 1e6,
                event_time: UnixMs(START),
            };
            let trading = (0..PAIRS).map(instrument).collect();
            let day = (0..PAIRS).map(figures).collect();
            let list = UniverseAnswer { trading, day, ..UniverseAnswer::default() };
            Fetched::Universe { market, result: Ok(list) }
        }
        FetchRequest::Klines(request) => {
            let rows = (-BARS..0).map(candle).collect();
            let answer = KlinesAnswer { rows, skipped: 0, sent: now, received: now };
            Fetched::Klines { request, covers: vec![], result: Ok(answer) }
        }
    }
}

/// A socket, read and parsed.
struct Reference {
    server: Streams,
    socket: WebSocketStream<TcpStream>,
}

impl Reference {
    async fn start(series: usize) -> Self {
        let server = Streams::start_apart();
        let (mut socket, _) = tokio_tungstenite::client_async(
            format!("{}/market/stream", server.url()),
            TcpStream::connect(server.address).await.unwrap(),
        )
        .await
        .unwrap();
        let names: Vec<String> = (0..series).map(|n| format!("\"p{n:03}usdt@kline_1m\"")).collect();
        let text = format!(r#"{{"method":"SUBSCRIBE","params":[{}],"id":1}}"#, names.join(","));
        socket.send(Message::text(text)).await.unwrap();
        while server.subscribed() < series {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { server, socket }
    }

    async fn round(&mut self, salvo: &Salvo, series: usize, minute: i64) -> Duration {
        self.server.fire(salvo.clone());
        let mut left = series;
        let mut last = None;
        while left > 0 {
            let message = self.socket.next().await.unwrap().unwrap();
            if let Message::Text(text) = message
                && text.starts_with("{\"stream\"")
            {
                last = Some(bare_serde::frame(&text).3);
                left -= 1;
            }
        }
        let done = Instant::now();
        let bar = last.unwrap();
        assert_eq!((bar.times[0], bar.closed), (START + minute * MINUTE, true));
        done - self.server.began().unwrap()
    }
}

/// Has the exchange work out its candles before anybody waits for them: that is no work of ours, and
/// costs no weight.
async fn invent(url: &str) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let list = http.get(format!("{url}/fapi/v1/exchangeInfo")).send().await.unwrap().text().await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    for pair in list["symbols"].as_array().unwrap() {
        for interval in ["15m", "1h", "4h"] {
            let symbol = pair["symbol"].as_str().unwrap();
            let query = format!("market=usdm&symbol={symbol}&interval={interval}&limit=499");
            let truth = http.get(format!("{url}/sim/truth?{query}")).send().await.unwrap();
            assert!(truth.status().is_success(), "{truth:?}");
            truth.bytes().await.unwrap();
        }
    }
}

/// 125 pairs on three intervals, each answer of REST 150 ms away.
///
/// What must come one after the other: the list of pairs, the figures that rank them, and then the
/// series, ten requests at a time.
async fn warmup() {
    const LATENCY: Duration = Duration::from_millis(150);
    const AT_ONCE: u32 = 10;
    let mut times = Vec::new();
    for _ in 0..3 {
        // One of its own: what one round uses of a minute's weight, the next would have to leave.
        let cancel = CancellationToken::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let source = SourceConfig::Synthetic { count: 125, seed: 7 };
        let config = SimConfig { source, latency: LATENCY, ..SimConfig::default() };
        let exchange = sim::serve(listener, config, cancel.clone()).await.unwrap();
        invent(&exchange.rest_url()).await;
        let flags = [("top", "125".to_owned())].into();
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let place = Place {
            source: Source::Demo,
            rest_url: Some(exchange.rest_url()),
            ws_url: Some(exchange.ws_url()),
            clock_rate: 1.0,
            proxies: Proxies::None,
            timing: Timing::default(),
        };
        let started = Instant::now();
        let mut session = Session::start(&config, &place, Purpose::LIVE, cancel.child_token()).unwrap();
        let listed = session.wait_for(|s| s.warmup.total > 0).await.unwrap();
        let preamble = started.elapsed();
        assert_eq!(listed.warmup.total, 375);
        let over = session.wait_for(|s| s.warmup.is_over()).await.unwrap();
        times.push((started.elapsed(), preamble));
        assert_eq!((over.warmup.done, over.warmup.failed), (375, 0));
        session.end().await;
        cancel.cancel();
    }
    times.sort_unstable();
    let (all, preamble) = times[times.len() / 2];
    let bound = LATENCY * 375_u32.div_ceil(AT_ONCE);
    interleaved::Pair { subject: all.saturating_sub(preamble), reference: bound }.print(
        "e2e/warmup",
        "ceil(375 / 10) x 150 ms, from the list on",
        1.15,
    );
    let whole = bound + LATENCY * 2;
    interleaved::Pair { subject: all, reference: whole }.print(
        "e2e/warmup from start",
        "the same, and list and figures before it",
        1.15,
    );
}
