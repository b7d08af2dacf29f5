use std::time::Duration;

use super::*;
use crate::domain::interval::Interval;
use crate::domain::preset::Preset;
use crate::domain::symbol::{Instrument, Market, Pair, SeriesKey, Tick};
use crate::domain::time::UnixMs;
use crate::engine::{EngineConfig, UniverseSpec, default_close_grace};
use crate::exchange::{ConnId, DayEvent, Discard, KlinesRequest, TimeAnswer, UniverseAnswer};
use crate::market::snapshot::Source;

/// Everything outside the engine, with channels as small as they can be.
struct Outside {
    feed: mpsc::Sender<FeedEvent>,
    fetched: mpsc::Sender<Fetched>,
    watched: mpsc::Receiver<FeedCommand>,
    asked: mpsc::Receiver<FetchRequest>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    _commands: mpsc::Sender<Command>,
}

fn pair(n: usize) -> Pair {
    Pair { market: Market::UsdM, symbol: format!("S{n}USDT").parse().unwrap() }
}

fn engine() -> Engine {
    let preset = Preset::builtin("quantdinger").unwrap();
    Engine::new(EngineConfig {
        source: Source::Live,
        bars: preset.depth,
        preset: Arc::new(preset),
        intervals: [Interval::M15].into(),
        markets: [Market::UsdM].into(),
        universe: UniverseSpec {
            quote: "USDT".parse().unwrap(),
            top: 100,
            movers: 0,
            watched: vec![],
            named: vec![],
        },
        clock_rate: 1.0,
        keep_klines: false,
        rest_only: false,
        close_grace: default_close_grace,
        rules: Vec::new(),
        names: Arc::default(),
    })
}

fn start() -> Outside {
    let mut engine = engine();
    let (feed, feed_events) = mpsc::channel(1);
    let (fetched, fetched_rx) = mpsc::channel(1);
    let (commands, commands_rx) = mpsc::channel(1);
    let (feed_commands, watched) = mpsc::channel(1);
    let (fetch_requests, asked) = mpsc::channel(1);
    let (sender, snapshots) = watch::channel(Arc::new(engine.snapshot(Mono::default())));
    let ports = EnginePorts {
        feed_events,
        fetched: fetched_rx,
        commands: commands_rx,
        feed_commands,
        fetch_requests,
        snapshots: sender,
    };
    let cancel = CancellationToken::new();
    let task = tokio::spawn(run(engine, ports, Stopwatch::start(), cancel.clone()));
    Outside { feed, fetched, watched, asked, snapshots, cancel, task, _commands: commands }
}

impl Outside {
    async fn time(&self) {
        let answer = TimeAnswer { server: UnixMs(1), sent: Mono::default(), received: Mono::default() };
        let time = Fetched::Time { market: Market::UsdM, result: Ok(answer) };
        self.fetched.send(time).await.unwrap();
    }

    async fn universe(&mut self, pairs: usize) {
        self.fetched.send(universe(pairs)).await.unwrap();
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

fn universe(pairs: usize) -> Fetched {
    let trading = (0..pairs)
        .map(|n| Instrument {
            pair: pair(n),
            base: pair(n).symbol,
            quote: "USDT".parse().unwrap(),
            tick: Tick::default(),
        })
        .collect();
    let day =
        |n| DayEvent { pair: pair(n), last: 1.0, change_pct: 0.0, quote_volume: 1.0, event_time: UnixMs(1) };
    let day = (0..pairs).map(day).collect();
    let result = Ok(UniverseAnswer { trading, day, ..UniverseAnswer::default() });
    Fetched::Universe { market: Market::UsdM, result }
}

/// A deadlock is a failure, not a hang.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("nothing happened for 20 s")
}

#[tokio::test]
async fn it_starts_by_itself_answers_and_publishes() {
    let mut outside = start();
    let first = [soon(outside.asked.recv()).await.unwrap(), soon(outside.asked.recv()).await.unwrap()];
    assert_eq!(first, [FetchRequest::Time(Market::UsdM), FetchRequest::Universe(Market::UsdM)]);
    outside.time().await;
    outside.universe(3).await;
    let shown = soon(outside.snapshots.wait_for(|s| s.rows.len() == 3 && s.clock.is_some())).await;
    assert!(shown.is_ok());
    drop(shown);
    outside.stop().await;
}

#[tokio::test]
async fn a_fetcher_that_reads_nothing_stops_no_frame() {
    let mut outside = start();
    outside.time().await;
    outside.universe(100).await;
    let conn = ConnId { market: Market::UsdM, number: 0 };
    // The request channel is full from the second request on; the frames go in all the same.
    for _ in 0..2_000 {
        let event = FeedEvent::Discarded { conn, why: Discard::NotJson };
        soon(outside.feed.send(event)).await.unwrap();
    }
    soon(outside.snapshots.wait_for(|s| s.stats.discarded == 2_000)).await.unwrap();
    let Some(FeedCommand::Watch(keys)) = soon(outside.watched.recv()).await else { panic!("no streams") };
    assert_eq!(keys.len(), 100);
    // And no request is lost: the time, the universe, a hundred series.
    for _ in 0..102 {
        soon(outside.asked.recv()).await.unwrap();
    }
    outside.stop().await;
}

#[tokio::test]
async fn the_stream_task_may_be_gone() {
    let mut outside = start();
    drop(std::mem::replace(&mut outside.watched, mpsc::channel(1).1));
    outside.universe(1).await;
    soon(outside.snapshots.wait_for(|s| s.rows.len() == 1)).await.unwrap();
    outside.stop().await;
}

#[test]
fn what_somebody_waits_for_leaves_first() {
    let request = |id, priority| {
        let key = SeriesKey::new(pair(0), Interval::M15);
        Output::Fetch(FetchRequest::Klines(KlinesRequest { id, key, from: None, bars: 1, priority }))
    };
    let mut outbox = Outbox::default();
    let mut wanted = vec![
        request(1, Priority::Warmup),
        request(2, Priority::Gap),
        request(3, Priority::Warmup),
        request(4, Priority::User),
        Output::Fetch(FetchRequest::Time(Market::UsdM)),
    ];
    outbox.take(&mut wanted);
    let order: Vec<u64> = std::iter::from_fn(|| outbox.next_fetch())
        .map(|r| match r {
            FetchRequest::Klines(k) => k.id,
            _ => 0,
        })
        .collect();
    assert_eq!(order, [0, 4, 2, 1, 3]);
}

/// What a subscriber writes, for the test to read.
#[derive(Clone, Default)]
struct Written(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn notices_reach_the_log_once_by_their_level() {
    let written = Written::default();
    let sink = written.clone();
    let subscriber =
        tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || sink.clone()).finish();
    let mut engine = engine();
    tracing::subscriber::with_default(subscriber, || {
        let mut log = Log::default();
        engine.step(Input::Fetched(universe(1)), Mono::default(), &mut Vec::new());
        let (conn, keys) = (ConnId { market: Market::UsdM, number: 0 }, Arc::default());
        let error =
            crate::exchange::ExchangeError::new(crate::exchange::ErrorKind::Transient, "reset by peer");
        let down = FeedEvent::Down { conn, keys, error, retry: None };
        engine.step(Input::Feed(down), Mono::default(), &mut Vec::new());
        log.notices(&engine);
        log.notices(&engine);
        let back = FeedEvent::Subscribed { conn, keys: Arc::default() };
        engine.step(Input::Feed(back), Mono::default(), &mut Vec::new());
        log.notices(&engine);
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("socket 0 lost: reset by peer").count(), 1, "{text}");
    let lost = text.lines().find(|l| l.contains("lost")).unwrap();
    assert!(lost.trim_start().starts_with("WARN"), "{text}");
}

#[test]
fn what_is_thrown_away_is_told_in_a_line_a_kind_and_minute_at_the_default_level() {
    let written = Written::default();
    let sink = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .without_time()
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .finish();
    let mut engine = engine();
    let conn = ConnId { market: Market::UsdM, number: 0 };
    tracing::subscriber::with_default(subscriber, || {
        let mut log = Log::default();
        for second in 0..90 {
            let now = Mono::from_millis(second * 1_000);
            for why in [Discard::NotJson, Discard::UnknownShape, Discard::NotJson] {
                engine.step(Input::Feed(FeedEvent::Discarded { conn, why }), now, &mut Vec::new());
            }
            log.discards(&engine, now);
        }
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter_map(|l| Some(l.split_once("thrown away: ")?.1)).collect();
    let want = [
        "2 frames that are no JSON, 2 so far",
        "1 frames of an unknown shape, 1 so far",
        "120 frames that are no JSON, 122 so far",
        "60 frames of an unknown shape, 61 so far",
    ];
    assert_eq!(lines, want);
}
