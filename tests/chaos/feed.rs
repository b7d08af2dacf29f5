//! The streams: two sockets, what they carry, and how they fail.

use hamatop::domain::kline::{Finality, Kline, KlineFields};
use hamatop::domain::symbol::{Market, SeriesKey};
use hamatop::domain::time::UnixMs;
use hamatop::exchange::{ConnId, Discard, ErrorKind, ExchangeError, FeedEvent, KlineEvent, Replacement};

use super::fault::{Kind, Target, socket_of};
use super::market::{INTERVALS, SERIES, START, Truth, key, millis, series_of};
use super::world::{Event, Step, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum State {
    #[default]
    Gone,
    Opening,
    Up,
}

#[derive(Default)]
struct Socket {
    state: State,
    /// Counts up with each loss: what was under way then never arrives.
    life: u64,
    /// Frames of one connection arrive in the order they were sent.
    last_arrival: i64,
    keys: Vec<SeriesKey>,
    /// Subscribed once more for good: silent series speak again.
    renewed: Vec<usize>,
}

#[derive(Default)]
pub struct Sockets([Socket; 2]);

impl Sockets {
    pub fn life(&self, socket: u32) -> u64 {
        self.0[socket as usize].life
    }
}

fn conn(number: u32) -> ConnId {
    ConnId { market: Market::UsdM, number }
}

/// As the client's own limit for a socket without data.
const STALL_MS: i64 = 30_000;

impl World {
    pub fn watch(&mut self, keys: &[SeriesKey]) {
        for key in keys {
            self.sockets.0[socket_of(series_of(key)) as usize].keys.push(key.clone());
        }
        for socket in 0..2 {
            self.agenda.at(self.agenda.now, Event::Socket(socket, Step::Open));
        }
    }

    /// The faults that befall whole sockets, as steps in time.
    pub fn plan_sockets(&mut self) {
        for f in self.faults.clone() {
            for socket in 0..2 {
                let ours = match f.target {
                    Target::All => true,
                    Target::Socket(n) => n == socket,
                    _ => false,
                };
                match f.kind {
                    Kind::Cut if ours => {
                        self.agenda.at(f.from, Event::Socket(socket, Step::Lost("reset by peer")));
                    }
                    Kind::Stall if ours => {
                        let noticed = f.from + self.agenda.span(STALL_MS);
                        self.agenda.at(noticed, Event::Socket(socket, Step::Silent(f.from)));
                    }
                    Kind::Overlap if ours => self.agenda.at(f.to, Event::Socket(socket, Step::Replaced)),
                    Kind::Suspend | Kind::Freeze => {
                        // It answered no pings: the other side has given up, as it turns out.
                        let found = f.to + self.agenda.span(1_000);
                        self.agenda.at(found, Event::Socket(socket, Step::Lost("closed by the exchange")));
                    }
                    _ => {}
                }
            }
        }
    }

    fn socket_struck(&self, kind: Kind, socket: u32) -> bool {
        let now = self.agenda.now;
        let covers = |t: Target| t == Target::All || t == Target::Socket(socket);
        self.faults.iter().any(|f| f.kind == kind && (f.from..f.to).contains(&now) && covers(f.target))
    }

    pub fn turn(&mut self, number: u32, step: Step) {
        let retry = self.agenda.span(1_500);
        let at = self.agenda.now;
        let state = self.sockets.0[number as usize].state;
        match step {
            Step::Open if state == State::Gone => {
                if self.socket_struck(Kind::Cut, number) {
                    self.feel(Kind::Cut);
                    return self.agenda.at(at + retry, Event::Socket(number, Step::Open));
                }
                let socket = &mut self.sockets.0[number as usize];
                socket.state = State::Opening;
                socket.renewed.clear();
                let streams = u32::try_from(socket.keys.len()).unwrap();
                self.step_feed(FeedEvent::Connecting { conn: conn(number), streams });
                let acknowledged = at + self.agenda.span(300);
                self.agenda.at(acknowledged, Event::Socket(number, Step::Acknowledged));
            }
            Step::Acknowledged if state == State::Opening => {
                let socket = &mut self.sockets.0[number as usize];
                socket.state = State::Up;
                socket.last_arrival = at;
                let keys = socket.keys.clone().into();
                self.step_feed(FeedEvent::Subscribed { conn: conn(number), keys });
                if self.socket_struck(Kind::Stall, number) {
                    let noticed = at + self.agenda.span(STALL_MS);
                    self.agenda.at(noticed, Event::Socket(number, Step::Silent(at)));
                }
            }
            Step::Lost(why) if state != State::Gone => self.lose(number, why),
            Step::Silent(since)
                if state == State::Up && self.sockets.0[number as usize].last_arrival <= since =>
            {
                self.feel(Kind::Stall);
                self.lose(number, "no data for 30 s");
            }
            Step::Replaced if state == State::Up => {
                self.feel(Kind::Overlap);
                let why = Replacement::Age;
                self.step_feed(FeedEvent::Replaced { conn: conn(number), why });
            }
            _ => {}
        }
    }

    fn lose(&mut self, number: u32, why: &str) {
        let wait = self.agenda.span(1_500);
        let socket = &mut self.sockets.0[number as usize];
        socket.state = State::Gone;
        socket.life += 1;
        let keys = socket.keys.clone().into();
        let error = ExchangeError::new(ErrorKind::Transient, why);
        let retry = Some(self.agenda.ours() + std::time::Duration::from_millis(1_500));
        self.step_feed(FeedEvent::Down { conn: conn(number), keys, error, retry });
        self.agenda.at(self.agenda.now + wait, Event::Socket(number, Step::Open));
    }

    fn step_feed(&mut self, event: FeedEvent) {
        self.step(hamatop::engine::Input::Feed(event));
    }

    /// Subscribed anew: a silent series speaks from then on.
    pub fn resubscribe(&mut self, keys: &[SeriesKey]) {
        for key in keys {
            let series = series_of(key);
            let number = socket_of(series);
            let socket = &mut self.sockets.0[number as usize];
            if socket.state == State::Up {
                socket.renewed.push(series);
                let event = FeedEvent::Subscribed { conn: conn(number), keys: [key.clone()].into() };
                self.send(number, event, 200);
            }
        }
    }

    /// A state of the forming candle, and when the next one comes.
    pub fn emit(&mut self, series: usize) {
        let next = self.agenda.now + self.rng.i64(6_000..20_000);
        self.agenda.at(next, Event::Emit(series));
        let now = START + self.agenda.now;
        let open = Truth::open_at(series, now);
        if !self.truth.is_shut(series / INTERVALS.len(), open) {
            let candle = self.truth.candle(series, open, now);
            self.frame(series, candle, Finality::Forming, self.agenda.now);
        } else if self.struck(Kind::Maintenance, series) {
            // Nothing trades, nothing is told.
        }
        if self.struck(Kind::Garbage, series) {
            let number = socket_of(series);
            let all = [Discard::NotJson, Discard::UnknownShape, Discard::BadValue, Discard::NotWatched];
            let why = all[self.rng.usize(..all.len())];
            self.send(number, FeedEvent::Discarded { conn: conn(number), why }, 5);
        }
    }

    /// A candle closes; its frame is sent, or what a fault makes of that.
    pub fn close(&mut self, series: usize, open: i64) {
        let (step, now) = (millis(series), self.agenda.now);
        self.agenda.at(open + 2 * step - START, Event::Close(series, open + step));
        if self.truth.is_shut(series / INTERVALS.len(), open) {
            return;
        }
        self.closes += 1;
        if self.struck(Kind::DropCloses, series) {
            return;
        }
        let mut wait = 2 + self.rng.i64(0..60);
        if self.struck(Kind::LateCloses, series) {
            wait += self.rng.i64(5_000..45_000);
        }
        if self.struck(Kind::CloseAfterOpen, series) {
            wait += 3_000;
            let later = START + now + 1_000;
            let next = Truth::open_at(series, later);
            if !self.truth.is_shut(series / INTERVALS.len(), next) {
                let candle = self.truth.candle(series, next, later);
                self.frame(series, candle, Finality::Forming, now + 1_000);
            }
        }
        self.agenda.at(now + wait, Event::SendClose(series, open));
    }

    pub fn send_close(&mut self, series: usize, open: i64) {
        let full = self.truth.candle(series, open, i64::MAX);
        let mut closing = full;
        if full.trades().is_some_and(|n| n > 1) && self.struck(Kind::ShortCloses, series) {
            closing = short(&full);
        }
        self.frame(series, closing, Finality::Closed, self.agenda.now);
        if self.struck(Kind::DoubleCloses, series) {
            self.frame(series, closing, Finality::Forming, self.agenda.now + 1);
            self.frame(series, closing, Finality::Closed, self.agenda.now + 2);
            self.frame(series, closing, Finality::Forming, self.agenda.now + 3);
        }
    }

    /// Sends a candle over the socket of its series, unless a fault swallows it.
    fn frame(&mut self, series: usize, kline: Kline, finality: Finality, stamp: i64) {
        let number = socket_of(series);
        if self.struck(Kind::Stall, series) {
            return;
        }
        let renewed = self.sockets.0[number as usize].renewed.contains(&series);
        if !renewed && self.struck(Kind::Silent, series) {
            return;
        }
        let event = KlineEvent {
            conn: conn(number),
            key: key(series),
            kline,
            finality,
            event_time: UnixMs(START + stamp),
            received: self.agenda.ours(),
        };
        if let Some(nap) = self.sleeping() {
            // What arrives after the first minute finds nobody, and the sender gives up.
            if self.agenda.now > nap.from + 60_000 {
                return;
            }
        }
        let again = self.struck(Kind::Reorder, series);
        if again {
            // Off the order of the socket, and once more later.
            for late in [self.rng.i64(0..8_000), self.rng.i64(0..20_000)] {
                self.deliver(number, FeedEvent::Kline(event.clone()), late);
            }
            return;
        }
        if self.struck(Kind::Overlap, series) {
            let late = self.rng.i64(0..3_000);
            self.deliver(number, FeedEvent::Kline(event.clone()), late);
        }
        self.send(number, FeedEvent::Kline(event), 60);
    }

    /// In the order of the socket.
    fn send(&mut self, number: u32, event: FeedEvent, latency_ms: i64) {
        let mut wait = self.agenda.span(self.rng.i64(1..=latency_ms.min(60)) / 4 + 1);
        if self.socket_struck(Kind::Backlog, number) {
            self.feel(Kind::Backlog);
            wait += 10_000 + self.rng.i64(0..10_000);
        }
        let arrival = (self.agenda.now + wait).max(self.sockets.0[number as usize].last_arrival);
        if self.sockets.0[number as usize].state == State::Up {
            self.sockets.0[number as usize].last_arrival = arrival;
            let life = self.sockets.life(number);
            self.agenda.at(arrival, Event::Arrive(number, life, Box::new(event)));
        }
    }

    /// In no order.
    fn deliver(&mut self, number: u32, event: FeedEvent, wait: i64) {
        if self.sockets.0[number as usize].state == State::Up {
            let life = self.sockets.life(number);
            self.agenda.at(self.agenda.now + wait, Event::Arrive(number, life, Box::new(event)));
        }
    }
}

/// The candle without what its last trade added to the volume: prices alike, so that signals are.
fn short(full: &Kline) -> Kline {
    Kline::new(KlineFields {
        open_time: full.open_time(),
        close_time: full.close_time(),
        open: full.open(),
        high: full.high(),
        low: full.low(),
        close: full.close(),
        volume: full.volume() * 0.9,
        quote_volume: full.quote_volume().map(|v| v * 0.9),
        trades: full.trades().map(|n| n - 1),
        taker_base: full.taker_base(),
        taker_quote: full.taker_quote(),
    })
    .unwrap()
}

const _: () = assert!(SERIES == 80, "the faults draw from these");
