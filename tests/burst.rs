//! Three thousand closes at once, over real sockets, into the engine: none is lost, the sockets
//! answer pings meanwhile, and whoever asks the engine gets an answer.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "support/streams.rs"]
mod streams;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::preset::{Average, GradientLine, Line, MaSource, Preset};
use hamatop::domain::symbol::{Instrument, Market, Pair, SeriesKey, Tick};
use hamatop::domain::time::UnixMs;
use hamatop::engine::task::{self, EnginePorts};
use hamatop::engine::{Command, Engine, EngineConfig, UniverseSpec, default_close_grace};
use hamatop::exchange::binance::endpoint::Endpoint;
use hamatop::exchange::connect::Proxies;
use hamatop::exchange::feed::{self, FeedConfig};
use hamatop::exchange::{DayEvent, FetchRequest, Fetched, KlinesAnswer, TimeAnswer, UniverseAnswer};
use hamatop::market::snapshot::{DataState, LinkState, Snapshot, Source};
use hamatop::stopwatch::Stopwatch;
use streams::{Salvo, Streams, frame};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const PAIRS: usize = 1_000;
const INTERVALS: [Interval; 3] = [Interval::M1, Interval::M3, Interval::M5];
const BARS: i64 = 40;
/// 2026-01-05T00:00Z: candles of all lengths close here.
const CLOSE: i64 = 1_767_571_200_000;
const PATIENCE: Duration = Duration::from_secs(120);

fn pair(n: usize) -> Pair {
    Pair { market: Market::UsdM, symbol: format!("P{n:04}USDT").parse().unwrap() }
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn candle(interval: Interval, back: i64) -> Kline {
    let open = CLOSE - back * interval.millis();
    let price = 100.0 + ((open / 60_000) % 97) as f64;
    Kline::new(KlineFields {
        open_time: UnixMs(open),
        close_time: UnixMs(open + interval.millis() - 1),
        open: price,
        high: price + 1.0,
        low: price - 1.0,
        close: price + 0.5,
        volume: 10.0,
        quote_volume: Some(1_000.0),
        trades: Some(9),
        taker_base: Some(5.0),
        taker_quote: Some(500.0),
    })
    .unwrap()
}

/// Short lines: what is loaded before the burst is not what is tested.
fn preset() -> Preset {
    let line = |length| Line { kind: Average::Sma, length };
    Preset {
        name: "short".into(),
        open: line(3),
        high: line(3),
        low: line(3),
        close: line(3),
        ma: line(9),
        ma_source: MaSource::Close,
        gradient: GradientLine::Ma,
        bands: None,
        depth: 40,
    }
}

/// REST without a network: thirty seconds before the close, all candles but the last.
async fn rest(mut asked: mpsc::Receiver<FetchRequest>, answers: mpsc::Sender<Fetched>, stopwatch: Stopwatch) {
    while let Some(request) = asked.recv().await {
        let now = stopwatch.now();
        let fetched = match request {
            FetchRequest::Time(market) => {
                let server = UnixMs(CLOSE - 30_000) + now.0;
                Fetched::Time { market, result: Ok(TimeAnswer { server, sent: now, received: now }) }
            }
            FetchRequest::Universe(market) => {
                let instrument = |n| Instrument {
                    pair: pair(n),
                    base: "P".parse().unwrap(),
                    quote: "USDT".parse().unwrap(),
                    tick: Tick { decimals: 2 },
                };
                let figures = |n| DayEvent {
                    pair: pair(n),
                    last: 100.0,
                    change_pct: 1.0,
                    quote_volume: 1e6,
                    event_time: UnixMs(CLOSE - 30_000),
                };
                let trading = (0..PAIRS).map(instrument).collect();
                let day = (0..PAIRS).map(figures).collect();
                let list = UniverseAnswer { trading, day, ..UniverseAnswer::default() };
                Fetched::Universe { market, result: Ok(list) }
            }
            FetchRequest::Klines(request) => {
                let interval = request.key.interval;
                let rows = (2..BARS).rev().map(|back| candle(interval, back));
                let rows = rows.filter(|k| request.from.is_none_or(|f| k.open_time() >= f)).collect();
                let answer = KlinesAnswer { rows, skipped: 0, sent: now, received: now };
                Fetched::Klines { request, covers: vec![], result: Ok(answer) }
            }
        };
        if answers.send(fetched).await.is_err() {
            return;
        }
    }
}

struct Client {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::Sender<Command>,
    cancel: CancellationToken,
}

fn client(server: &Streams) -> Client {
    let stopwatch = Stopwatch::start();
    let cancel = CancellationToken::new();
    let mut engine = Engine::new(EngineConfig {
        source: Source::Live,
        preset: Arc::new(preset()),
        intervals: INTERVALS.into(),
        markets: [Market::UsdM].into(),
        universe: UniverseSpec {
            quote: "USDT".parse().unwrap(),
            top: u32::try_from(PAIRS).unwrap(),
            movers: 0,
            watched: vec![],
            named: vec![],
        },
        bars: u32::try_from(BARS).unwrap(),
        clock_rate: 1.0,
        keep_klines: false,
        rest_only: false,
        close_grace: default_close_grace,
        rules: Vec::new(),
        names: Arc::default(),
    });
    // The sizes that the program gives its channels.
    let (event_in, feed_events) = mpsc::channel(4_096);
    let (feed_commands, command_out) = mpsc::channel(64);
    let (fetch_requests, request_out) = mpsc::channel(512);
    let (answer_in, fetched) = mpsc::channel(256);
    let (commands, engine_commands) = mpsc::channel(64);
    let (picture_in, snapshots) = watch::channel(Arc::new(engine.snapshot(stopwatch.now())));
    let endpoint = Endpoint::new(Market::UsdM, None, Some(&server.url())).unwrap();
    let mut feeding = FeedConfig::new(vec![endpoint], stopwatch);
    feeding.proxies = Proxies::None;
    // What is measured is the burst: before it the server says nothing for as long as loading takes.
    feeding.timing.stall = hamatop::exchange::binance::session::Stall::After(PATIENCE);
    tokio::spawn(feed::run(feeding, command_out, event_in, cancel.clone()));
    tokio::spawn(rest(request_out, answer_in, stopwatch));
    let ports = EnginePorts {
        feed_events,
        fetched,
        commands: engine_commands,
        feed_commands,
        fetch_requests,
        snapshots: picture_in,
    };
    tokio::spawn(task::run(engine, ports, stopwatch, cancel.clone()));
    Client { snapshots, commands, cancel }
}

/// Resident bytes of this process.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * 4_096)
}

async fn until(
    what: &str,
    snapshots: &watch::Receiver<Arc<Snapshot>>,
    condition: impl Fn(&Snapshot) -> bool,
) -> Arc<Snapshot> {
    let mut watched = snapshots.clone();
    let found = tokio::time::timeout(PATIENCE, watched.wait_for(|s| condition(s))).await;
    if let Ok(found) = found {
        return found.unwrap().clone();
    }
    let last = snapshots.borrow().clone();
    panic!("never: {what}; {:?} {:?} {:?}", last.stats, last.warmup, last.links)
}

fn salvo() -> Salvo {
    let keys = (0..PAIRS).flat_map(|n| INTERVALS.map(|i| SeriesKey::new(pair(n), i)));
    Salvo(Arc::new(keys.map(|key| frame(&key, &candle(key.interval, 1), CLOSE + 2, true)).collect()))
}

fn has_all_closes(s: &Snapshot) -> bool {
    let last =
        |l: &hamatop::market::snapshot::LaneView| l.newest.is_some_and(|(_, close)| close.0 == CLOSE - 1);
    s.rows.len() == PAIRS && s.rows.iter().all(|r| r.lanes.iter().all(last))
}

async fn burst(busy: usize) {
    let server = Streams::start_apart();
    let client = client(&server);
    until("all loaded", &client.snapshots, |s| s.warmup.is_over()).await;
    let subscribed = async {
        while server.subscribed() < PAIRS * INTERVALS.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, subscribed).await.expect("all subscribed");
    let before = client.snapshots.borrow().stats;
    let memory = resident();
    let salvo = salvo();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let hogs: Vec<_> = (0..busy)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut n = 0_u64;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    n = std::hint::black_box(n.wrapping_mul(31).wrapping_add(7));
                }
            })
        })
        .collect();
    let start = Instant::now();
    server.fire(salvo);
    client.commands.send(Command::Focus(Some(pair(7)))).await.unwrap();
    let has_klines =
        |s: &Snapshot| s.rows.iter().any(|r| r.pair == pair(7) && r.lanes.iter().all(|l| l.klines.is_some()));
    until("an answer to a command", &client.snapshots, has_klines).await;
    let answered = start.elapsed();
    let after = until("every close", &client.snapshots, has_all_closes).await;
    let done = start.elapsed();
    let pongs = async {
        while server.pongs().1 > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, pongs).await.expect("all pings answered");
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for hog in hogs {
        hog.join().unwrap();
    }
    let slowest = server.pongs().0.into_iter().max().unwrap();
    let grown = resident().zip(memory).map(|(now, then)| now.saturating_sub(then) >> 20);
    eprintln!(
        "{busy} busy threads: all closes in {done:?}, a command in {answered:?}, slowest of {} pongs {slowest:?}, memory grew by {grown:?} MiB",
        server.pongs().0.len()
    );

    assert_eq!(server.sent(), PAIRS * INTERVALS.len());
    let appended = after.stats.outcomes.appended - before.outcomes.appended;
    assert_eq!(appended, 3_000, "each close once: {:?}", after.stats.outcomes);
    assert_eq!((after.stats.gaps, after.stats.discarded), (0, 0), "nothing thrown away: {:?}", after.stats);
    assert_eq!(server.sockets().1, 0, "no socket was lost");
    assert!(after.links.iter().all(|l| l.state == LinkState::Up && l.drops == 0), "{:?}", after.links);
    assert!(after.rows.iter().all(|r| r.state == DataState::Live));
    // Unoptimized, and with other tests beside it, everything takes several times as long.
    let seconds = match (busy, cfg!(debug_assertions)) {
        (0, false) => 1,
        (0, true) => 4,
        // The exchange gives up after a minute and more.
        _ => 20,
    };
    let bound = Duration::from_secs(seconds);
    assert!(slowest < bound, "a pong took {slowest:?}");
    assert!(grown.is_none_or(|m| m < 64), "memory grew by {grown:?} MiB");
    client.cancel.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_05_item_34_fault_14_burst_of_3000_closes_loses_none_and_keeps_the_pongs() {
    burst(0).await;
}

/// The same with more threads that want the processor than there are processors: late, and complete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_36_without_processor_time_it_is_late_and_complete() {
    burst(2 * std::thread::available_parallelism().map_or(2, usize::from)).await;
}
