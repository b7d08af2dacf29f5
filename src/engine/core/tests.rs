//! Scripts: inputs and hand-set clocks in, requests and pictures out.

mod alarms;
mod boundaries;
mod chaos;
mod failures;
mod jobs;
mod lifecycle;
mod links;
mod members;
mod outrun;
mod overdue;
mod queue;
mod standing;
mod streams;
mod truth;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::interval::Interval;
use crate::domain::kline::{Finality, Kline, KlineFields};
use crate::domain::preset::{Average, GradientLine, Line, MaSource, Preset};
use crate::domain::symbol::{Instrument, Market, Pair, SeriesKey, Symbol, Tick};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::engine::{Command, Engine, EngineConfig, Input, Output, Scope, UniverseSpec, default_close_grace};
use crate::exchange::fetch::waiting::{UnderWay, Waiting};
use crate::exchange::{
    ConnId, DayEvent, ErrorKind, ExchangeError, FeedCommand, FeedEvent, FetchRequest, Fetched, KlineEvent,
    KlinesAnswer, KlinesRequest, Priority, TimeAnswer, UniverseAnswer,
};
use crate::market::snapshot::{DataState, LaneView, Level, LinkState, Snapshot, Source};

const STEP: i64 = 900_000;
/// The candle that forms when a script begins, counted in quarter hours since 1970.
const N: i64 = 1_900_000;
/// Closed bars at the start.
const HISTORY: i64 = 9;

fn sym(s: &str) -> Symbol {
    s.parse().unwrap()
}

fn pair(s: &str) -> Pair {
    Pair { market: Market::UsdM, symbol: sym(s) }
}

fn key(s: &str) -> SeriesKey {
    SeriesKey::new(pair(s), Interval::M15)
}

const CONN: ConnId = ConnId { market: Market::UsdM, number: 0 };

/// A bar of a market that falls by one a bar; `close` sets another end.
fn bar_to(n: i64, close: f64, trades: u32) -> Kline {
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let open = 500.0 - (n - N) as f64;
    Kline::new(KlineFields {
        open_time: UnixMs(n * STEP),
        close_time: UnixMs((n + 1) * STEP - 1),
        open,
        high: open.max(close),
        low: open.min(close),
        close,
        volume: f64::from(trades),
        trades: Some(trades),
        ..KlineFields::default()
    })
    .unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn bar(n: i64) -> Kline {
    bar_to(n, 499.0 - (n - N) as f64, 100)
}

fn bars(range: std::ops::Range<i64>) -> Vec<Kline> {
    range.map(bar).collect()
}

fn preset() -> Preset {
    let line = |length| Line { kind: Average::Sma, length };
    Preset {
        name: "short".into(),
        open: line(1),
        high: line(1),
        low: line(1),
        close: line(1),
        ma: line(3),
        ma_source: MaSource::Close,
        gradient: GradientLine::Ma,
        bands: None,
        depth: 20,
    }
}

fn config() -> EngineConfig {
    EngineConfig {
        source: Source::Live,
        preset: Arc::new(preset()),
        intervals: [Interval::M15].into(),
        markets: [Market::UsdM].into(),
        universe: UniverseSpec { quote: sym("USDT"), top: 10, movers: 0, watched: vec![], named: vec![] },
        bars: 20,
        clock_rate: 1.0,
        keep_klines: false,
        rest_only: false,
        close_grace: default_close_grace,
        rules: Vec::new(),
        names: Arc::default(),
    }
}

struct Rig {
    engine: Engine,
    now: Mono,
    /// The exchange's time when ours was 0, and its rate; a standing one has a stop.
    zero: i64,
    rate: i64,
    stop: Option<i64>,
    out: Vec<Output>,
}

impl Rig {
    /// Two minutes into candle `N`.
    fn new(cfg: EngineConfig) -> Self {
        let rate = if cfg.clock_rate > 1.0 { 60 } else { 1 };
        Self {
            engine: Engine::new(cfg),
            now: Mono::default(),
            zero: N * STEP + 120_000,
            rate,
            stop: None,
            out: vec![],
        }
    }

    /// Loaded, subscribed, fed: `names` are live, nothing is under way.
    fn live(names: &[&str]) -> Self {
        let mut rig = Self::new(config());
        rig.start(names);
        let mut rows = bars(N - HISTORY..N);
        rows.push(bar_to(N, 499.5, 5));
        rig.answer_all(&rows);
        rig.subscribed(names);
        rig.frame(names.first().unwrap(), bar_to(N, 499.5, 10), Finality::Forming);
        assert_eq!(rig.requests(), []);
        rig
    }

    fn start(&mut self, names: &[&str]) {
        self.step(Input::Tick);
        self.time();
        let mut answer = UniverseAnswer::default();
        for (rank, name) in names.iter().enumerate() {
            answer.trading.push(Instrument {
                pair: pair(name),
                base: sym(name),
                quote: sym("USDT"),
                tick: Tick { decimals: 2 },
            });
            answer.day.push(DayEvent {
                pair: pair(name),
                last: 499.0,
                change_pct: 1.0,
                quote_volume: 1e9 - f64::from(u32::try_from(rank).unwrap()),
                event_time: self.server(),
            });
        }
        self.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Universe(_))));
        self.step(Input::Fetched(Fetched::Universe { market: Market::UsdM, result: Ok(answer) }));
    }

    fn server(&self) -> UnixMs {
        let t = self.zero + i64::try_from(self.now.0.as_millis()).unwrap() * self.rate;
        UnixMs(self.stop.map_or(t, |s| t.min(s)))
    }

    fn step(&mut self, input: Input) {
        self.engine.step(input, self.now, &mut self.out);
    }

    /// Lets time pass, with ticks, until the exchange's time is `ms` after the open of candle `n`.
    fn until(&mut self, n: i64, ms: i64) {
        let target = n * STEP + ms;
        let left = (target - self.zero) / self.rate;
        let target = Mono::from_millis(u64::try_from(left).unwrap());
        let stride = Duration::from_millis(if self.rate > 1 { 100 } else { 1_000 });
        while self.now + stride < target {
            self.now = self.now + stride;
            self.tick();
        }
        self.now = target;
        self.tick();
    }

    /// A tick, and an answer where that asks for the time.
    fn tick(&mut self) {
        self.step(Input::Tick);
        self.time();
    }

    fn time(&mut self) {
        let asked = Output::Fetch(FetchRequest::Time(Market::UsdM));
        while let Some(at) = self.out.iter().position(|o| *o == asked) {
            self.out.remove(at);
            let answer = TimeAnswer { server: self.server(), sent: self.now, received: self.now };
            self.step(Input::Fetched(Fetched::Time { market: Market::UsdM, result: Ok(answer) }));
        }
    }

    /// Takes the klines requests that were made since the last call.
    fn requests(&mut self) -> Vec<KlinesRequest> {
        let mut taken = vec![];
        self.out.retain(|o| match o {
            Output::Fetch(FetchRequest::Klines(k)) => {
                taken.push(k.clone());
                false
            }
            _ => true,
        });
        taken
    }

    fn one_request(&mut self) -> KlinesRequest {
        let mut all = self.requests();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// An answer to a request that left at `sent`.
    fn answer_sent(&mut self, request: &KlinesRequest, rows: &[Kline], sent: Mono) {
        let from = request.from.unwrap_or_default();
        let rows: Vec<Kline> = rows.iter().filter(|k| k.open_time() >= from).copied().collect();
        let answer = KlinesAnswer { rows, skipped: 0, sent, received: self.now };
        let fetched = Fetched::Klines { request: request.clone(), covers: vec![], result: Ok(answer) };
        self.step(Input::Fetched(fetched));
    }

    /// An answer to a request that went through the fetcher's queue.
    fn answer_queued(&mut self, request: UnderWay, rows: &[Kline], sent: Mono) {
        let from = request.request().from.unwrap_or_default();
        let rows: Vec<Kline> = rows.iter().filter(|k| k.open_time() >= from).copied().collect();
        let answer = KlinesAnswer { rows, skipped: 0, sent, received: self.now };
        self.step(Input::Fetched(request.ended(Ok(answer))));
    }

    fn answer(&mut self, request: &KlinesRequest, rows: &[Kline]) {
        self.answer_sent(request, rows, self.now);
    }

    fn answer_all(&mut self, rows: &[Kline]) {
        for request in self.requests() {
            self.answer(&request, rows);
        }
    }

    fn refuse(&mut self, request: &KlinesRequest, kind: ErrorKind, text: &str) {
        let error = ExchangeError { kind, message: CleanText::new(text) };
        let fetched = Fetched::Klines { request: request.clone(), covers: vec![], result: Err(error) };
        self.step(Input::Fetched(fetched));
    }

    fn keys(names: &[&str]) -> Arc<[SeriesKey]> {
        names.iter().map(|n| key(n)).collect()
    }

    fn subscribed(&mut self, names: &[&str]) {
        self.step(Input::Feed(FeedEvent::Subscribed { conn: CONN, keys: Self::keys(names) }));
    }

    fn down(&mut self, names: &[&str]) {
        let error = ExchangeError { kind: ErrorKind::Transient, message: CleanText::new("reset by peer") };
        self.step(Input::Feed(FeedEvent::Down { conn: CONN, keys: Self::keys(names), error, retry: None }));
    }

    fn frame(&mut self, name: &str, kline: Kline, finality: Finality) {
        let event = KlineEvent {
            conn: CONN,
            key: key(name),
            kline,
            finality,
            event_time: self.server(),
            received: self.now,
        };
        self.step(Input::Feed(FeedEvent::Kline(event)));
    }

    fn close(&mut self, name: &str, n: i64) {
        self.frame(name, bar(n), Finality::Closed);
    }

    fn form(&mut self, name: &str, n: i64) {
        self.frame(name, bar_to(n, 400.0, 10), Finality::Forming);
    }

    fn snapshot(&mut self) -> Snapshot {
        self.engine.snapshot(self.now)
    }

    fn lane(&mut self, name: &str) -> LaneView {
        let snapshot = self.snapshot();
        snapshot.rows.iter().find(|r| r.pair == pair(name)).unwrap().lanes.first().unwrap().clone()
    }

    fn state(&mut self, name: &str) -> (DataState, Option<String>) {
        let lane = self.lane(name);
        (lane.state, lane.why.map(|w| w.to_string()))
    }

    /// The closed bars in memory.
    fn series(&self, name: &str) -> Vec<Kline> {
        let store = self.engine.store();
        store.lane(store.find(&key(name)).unwrap()).unwrap().series().closed().iter().copied().collect()
    }

    fn notices(&mut self, level: Level) -> Vec<String> {
        let all = self.snapshot().notices;
        all.into_iter().filter(|n| n.level == level).map(|n| n.text.to_string()).collect()
    }
}
