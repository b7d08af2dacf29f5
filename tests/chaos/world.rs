//! One run: the client's pure core, the exchange behind it and the machine below it, on one clock
//! that only this loop moves. The same seed and schedule give the same run.
//!
//! Times are milliseconds of the exchange since [`START`]; ours follow from them, at a rate, less
//! the time that the machine slept.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use hamatop::domain::preset::Preset;
use hamatop::domain::symbol::Market;
use hamatop::domain::time::{Mono, UnixMs};
use hamatop::engine::{
    Command, Engine, EngineConfig, Input, Output, Scope, UniverseSpec, default_close_grace,
};
use hamatop::exchange::{FeedCommand, FeedEvent, FetchRequest, Fetched};
use hamatop::market::snapshot::{SignalEvent, Source};

use super::fault::{Fault, Kind, QUIET};
use super::feed::Sockets;
use super::market::{INTERVALS, MINUTE, SERIES, START, SYMBOLS, Truth, key};
use super::rest::Rest;

/// From the end of the last fault to the audit: the longest pause the client makes after a refusal,
/// and a little more.
pub const SETTLE: i64 = 11 * MINUTE;
/// A run goes on for so long at least.
const LEAST: i64 = 45 * MINUTE;

/// How the client and its clock are set up in a run.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub seed: u64,
    /// How fast the exchange's clock runs against ours.
    pub rate: i64,
    /// The product's own preset with 500 bars; else a short one with 200.
    pub full: bool,
}

impl Setup {
    pub fn of(seed: u64) -> Self {
        Self { seed, rate: if seed % 5 == 3 { 6 } else { 1 }, full: seed % 10 == 7 }
    }

    fn bars(self) -> u32 {
        if self.full { 500 } else { 200 }
    }

    pub fn preset(self) -> Preset {
        use hamatop::domain::preset::{Average, GradientLine, Line, MaSource};
        if self.full {
            return Preset::default();
        }
        let line = |kind, length| Line { kind, length };
        Preset {
            name: "short".into(),
            open: line(Average::Sma, 5),
            high: line(Average::Sma, 3),
            low: line(Average::Sma, 3),
            close: line(Average::Wma, 4),
            ma: line(Average::Sma, 14),
            ma_source: MaSource::Close,
            gradient: GradientLine::Ma,
            bands: None,
            depth: 60,
        }
    }
}

/// What can happen next.
pub enum Event {
    /// The client looks at the time.
    Tick,
    /// A series shows a state of its forming candle.
    Emit(usize),
    /// A candle of a series, which opened then, closes.
    Close(usize, i64),
    /// A closing frame that was held back leaves the exchange.
    SendClose(usize, i64),
    /// Something of a socket arrives; of which of its lives.
    Arrive(u32, u64, Box<FeedEvent>),
    /// A socket changes.
    Socket(u32, Step),
    /// REST takes up the next request.
    Serve,
    /// REST's answer arrives.
    Answer(Box<Fetched>),
}

/// What becomes of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is opened.
    Open,
    /// Its subscriptions are acknowledged.
    Acknowledged,
    /// It is lost.
    Lost(&'static str),
    /// The client notices that it is silent, if it has been since then.
    Silent(i64),
    /// A replacement has taken over.
    Replaced,
}

/// The time, and what waits for it.
pub struct Agenda {
    pub now: i64,
    pub rate: i64,
    /// How long the machine slept so far.
    slept: i64,
    heap: BinaryHeap<Reverse<(i64, u64)>>,
    events: BTreeMap<u64, Event>,
    count: u64,
}

impl Agenda {
    pub fn at(&mut self, time: i64, event: Event) {
        self.count += 1;
        self.heap.push(Reverse((time.max(self.now), self.count)));
        self.events.insert(self.count, event);
    }

    /// Our clock.
    pub fn ours(&self) -> Mono {
        let ms = u64::try_from((self.now - self.slept) * 1_000 / self.rate).unwrap();
        Mono(Duration::from_micros(ms))
    }

    /// So many of our milliseconds, on the exchange's clock.
    pub fn span(&self, ours_ms: i64) -> i64 {
        ours_ms * self.rate
    }

    pub fn exchange(&self) -> UnixMs {
        UnixMs(START + self.now)
    }

    fn pop(&mut self) -> Option<Event> {
        let Reverse((time, id)) = self.heap.pop()?;
        self.now = self.now.max(time);
        self.events.remove(&id)
    }
}

pub struct World {
    pub setup: Setup,
    pub truth: Truth,
    pub faults: Vec<Fault>,
    pub agenda: Agenda,
    pub engine: Engine,
    pub sockets: Sockets,
    pub rest: Rest,
    pub rng: Rng,
    pub end: i64,
    pub heal: i64,
    pub signals: Vec<SignalEvent>,
    pub last_signal: u64,
    /// Which faults took effect.
    pub felt: BTreeMap<Kind, u64>,
    /// Lanes called live although a close was missing for long, once for each.
    pub lies: BTreeSet<(usize, i64)>,
    /// When all was equal to the truth again.
    pub healed: Option<i64>,
    pub closes: u64,
    out: Vec<Output>,
}

impl World {
    pub fn new(setup: Setup, faults: &[Fault]) -> Self {
        let heal = faults.iter().map(|f| f.to).max().unwrap_or(QUIET);
        let end = (heal + SETTLE * setup.rate).max(LEAST);
        let mut truth = Truth::new(setup.seed, i64::from(setup.bars()) + 4, end / MINUTE + 20);
        for f in faults.iter().filter(|f| f.kind == Kind::Maintenance) {
            let super::fault::Target::Symbol(symbol) = f.target else { continue };
            truth.holes.push(super::market::Maintenance { symbol, from: START + f.from, to: START + f.to });
        }
        let engine = Engine::new(EngineConfig {
            source: Source::Live,
            preset: Arc::new(setup.preset()),
            intervals: INTERVALS.into(),
            markets: [Market::UsdM].into(),
            universe: UniverseSpec {
                quote: "USDT".parse().unwrap(),
                top: u32::try_from(SYMBOLS).unwrap(),
                movers: 0,
                watched: vec![],
                named: vec![],
            },
            bars: setup.bars(),
            #[expect(clippy::cast_precision_loss, reason = "small")]
            clock_rate: setup.rate as f64,
            keep_klines: false,
            rest_only: false,
            close_grace: default_close_grace,
            rules: Vec::new(),
            names: Arc::default(),
        });
        let agenda = Agenda {
            now: 20_000,
            rate: setup.rate,
            slept: 20_000,
            heap: BinaryHeap::new(),
            events: BTreeMap::new(),
            count: 0,
        };
        Self {
            setup,
            truth,
            faults: faults.to_vec(),
            agenda,
            engine,
            sockets: Sockets::default(),
            rest: Rest::default(),
            rng: Rng::with_seed(setup.seed ^ 0xC4A05),
            end,
            heal,
            signals: Vec::new(),
            last_signal: 0,
            felt: BTreeMap::new(),
            lies: BTreeSet::new(),
            healed: None,
            closes: 0,
            out: Vec::new(),
        }
    }

    /// Runs to the end.
    pub fn run(&mut self) {
        self.agenda.at(0, Event::Tick);
        for series in 0..SERIES {
            let first = self.agenda.now + self.rng.i64(0..5_000);
            self.agenda.at(first, Event::Emit(series));
            let open = Truth::open_at(series, START + self.agenda.now);
            let close = open + super::market::millis(series) - START;
            self.agenda.at(close, Event::Close(series, open));
        }
        self.plan_sockets();
        let mut next_look = 0;
        let mut asked = false;
        while let Some(event) = self.agenda.pop() {
            if self.agenda.now >= self.end {
                break;
            }
            self.happen(event);
            if self.agenda.now >= next_look && self.sleeping().is_none() {
                next_look = self.agenda.now + 1_000;
                self.look();
            }
            if !asked && self.agenda.now > self.heal + self.agenda.span(45_000) {
                asked = true;
                // What a short close left behind nothing but a comparison finds.
                if self.faults.iter().any(|f| f.kind == Kind::ShortCloses) {
                    self.step(Input::Command(Command::Refresh(Scope::All)));
                }
            }
        }
        self.take_signals();
    }

    /// The fault that keeps the program from running now.
    pub fn sleeping(&self) -> Option<Fault> {
        let now = self.agenda.now;
        let stops = |f: &&Fault| matches!(f.kind, Kind::Suspend | Kind::Freeze);
        self.faults
            .iter()
            .filter(stops)
            .filter(|f| (f.from..f.to).contains(&now))
            .max_by_key(|f| f.to)
            .copied()
    }

    fn happen(&mut self, event: Event) {
        if let Some(fault) = self.sleeping()
            && !matches!(event, Event::Emit(_) | Event::Close(..) | Event::SendClose(..) | Event::Serve)
        {
            self.feel(fault.kind);
            // The kernel keeps what arrives for a while; then the other side gives up.
            self.agenda.at(fault.to, event);
            return;
        }
        match event {
            Event::Tick => {
                self.note_sleep();
                self.step(Input::Tick);
                let now = self.agenda.ours();
                let wait = self.engine.next_deadline(now).since(now).as_micros() as i64;
                let at = self.agenda.now + (wait * self.agenda.rate / 1_000).max(1);
                self.agenda.at(at, Event::Tick);
            }
            Event::Emit(series) => self.emit(series),
            Event::Close(series, open) => self.close(series, open),
            Event::SendClose(series, open) => self.send_close(series, open),
            Event::Arrive(socket, life, event) => {
                self.note_sleep();
                if self.sockets.life(socket) == life {
                    self.arrive(*event);
                }
            }
            Event::Socket(socket, step) => self.turn(socket, step),
            Event::Serve => self.serve(),
            Event::Answer(fetched) => {
                self.note_sleep();
                self.served();
                self.step(Input::Fetched(*fetched));
            }
        }
    }

    fn arrive(&mut self, event: FeedEvent) {
        let event = match event {
            FeedEvent::Kline(mut k) => {
                k.received = self.agenda.ours();
                FeedEvent::Kline(k)
            }
            other => other,
        };
        self.step(Input::Feed(event));
    }

    /// After a sleep our clock is behind by its length.
    fn note_sleep(&mut self) {
        let now = self.agenda.now;
        let mut slept = 20_000;
        // Sleeps may overlap; each moment counts once.
        let mut upto = 0;
        let mut naps: Vec<(i64, i64)> = self
            .faults
            .iter()
            .filter(|f| f.kind == Kind::Suspend && f.to <= now)
            .map(|f| (f.from, f.to))
            .collect();
        naps.sort_unstable();
        for (from, to) in naps {
            slept += (to - from.max(upto)).max(0);
            upto = upto.max(to);
        }
        self.agenda.slept = self.agenda.slept.max(slept);
    }

    pub fn feel(&mut self, kind: Kind) {
        *self.felt.entry(kind).or_default() += 1;
    }

    /// A fault of that kind that befalls the series now.
    pub fn struck(&mut self, kind: Kind, series: usize) -> bool {
        let now = self.agenda.now;
        let hit = self
            .faults
            .iter()
            .any(|f| f.kind == kind && (f.from..f.to).contains(&now) && f.target.covers(series));
        if hit {
            self.feel(kind);
        }
        hit
    }

    pub fn step(&mut self, input: Input) {
        let now = self.agenda.ours();
        self.engine.step(input, now, &mut self.out);
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Feed(FeedCommand::Watch(keys)) => self.watch(&keys),
                Output::Feed(FeedCommand::Resubscribe(keys)) => self.resubscribe(&keys),
                Output::Feed(FeedCommand::Unwatch(_)) => {}
                Output::Fetch(request) => self.ask(request),
            }
        }
    }

    fn ask(&mut self, request: FetchRequest) {
        self.rest.queue(request);
        self.agenda.at(self.agenda.now, Event::Serve);
    }

    /// What an observer sees once a second.
    fn look(&mut self) {
        if self.agenda.now / 1_000 % 10 == 0 {
            self.take_signals();
        }
        // A close is missed after the grace and three seconds; a clock that slow answers have made
        // uncertain takes longer, and one that slept while REST said nothing is as late as the
        // newest stamp, which a backlog delays by 20 s.
        let has = |kind| self.faults.iter().any(|f| f.kind == kind);
        let slept = has(Kind::Suspend) && self.faults.iter().any(|f| f.kind.is_rest());
        let patience = match self.agenda.rate {
            1 if slept => 36_000,
            1 if has(Kind::RestSlow) => 16_000,
            1 => 12_000,
            // Three seconds of ours.
            _ => 30_000,
        };
        let mut equal = true;
        for series in 0..SERIES {
            let Some(lane) =
                self.engine.store().find(&key(series)).and_then(|id| self.engine.store().lane(id))
            else {
                return;
            };
            let missing = self.missing(series, lane.series().newest().map(|k| k.open_time().0));
            let is_live = lane.freshness.is_current();
            equal &= is_live && missing.is_none_or(|close| self.agenda.now - close < 1_000);
            let Some(close) = missing.filter(|c| is_live && self.agenda.now - c > patience) else { continue };
            // Right after a sleep nobody can know yet.
            let woke = self.faults.iter().any(|f| {
                matches!(f.kind, Kind::Suspend | Kind::Freeze)
                    && f.to <= self.agenda.now
                    && self.agenda.now < f.to + patience
            });
            if !woke && self.agenda.now > QUIET {
                self.lies.insert((series, close));
            }
        }
        if equal && self.agenda.now >= self.heal && self.healed.is_none() {
            self.healed = Some(self.agenda.now);
        }
    }

    /// When the oldest candle closed that is missing after the one that opened at `newest`.
    fn missing(&self, series: usize, newest: Option<i64>) -> Option<i64> {
        let step = super::market::millis(series);
        let mut open = newest? + step;
        while open + step <= START + self.agenda.now {
            if !self.truth.is_shut(series / INTERVALS.len(), open) {
                return Some(open + step - START);
            }
            open += step;
        }
        None
    }

    fn take_signals(&mut self) {
        let now = self.agenda.ours();
        for signal in self.engine.snapshot(now).signals {
            if signal.seq > self.last_signal {
                assert_eq!(signal.seq, self.last_signal + 1, "the observer was too slow for the ring");
                self.last_signal = signal.seq;
                self.signals.push(signal);
            }
        }
    }
}
