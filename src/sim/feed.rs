//! When each stream of one socket has something to say: by next due time, never by looking at all.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use super::candle::Candle;
use super::fault::Fault;
use super::fault::frames::FrameFault;
use super::fault::scope::Target;
use super::figures::Figures;
use super::session::Topic;
use super::truth::Series;
use super::wire::{self, Form, Stamp};
use super::world::World;
use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};

/// How far apart updates of one stream are at least, in real time.
fn pace(market: Market) -> Duration {
    match market {
        Market::UsdM => Duration::from_millis(250),
        Market::Spot => Duration::from_secs(2),
    }
}

const TICKERS: Duration = Duration::from_secs(1);
/// Closing frames carry a stamp so long after the last millisecond of their candle.
const CLOSE_STAMP_MS: i64 = 2;

/// What a frame is, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Update,
    Close,
    Tickers,
}

/// A frame that is due: its stream and its data.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) stream: String,
    pub(crate) data: String,
    pub(crate) kind: Kind,
    /// Whose candle it tells of.
    series: Option<Series>,
}

#[derive(Debug)]
enum State {
    Kline(KlineStream),
    Figures(Figures),
}

#[derive(Debug)]
struct KlineStream {
    series: Series,
    form: Form,
    /// Open of the last candle that is done with.
    done: UnixMs,
    shown: Option<Candle>,
    /// The earliest time for the next update.
    ready: Mono,
    /// Closes that are held back, and until when.
    held: Vec<(UnixMs, Candle)>,
}

#[derive(Debug)]
struct Stream {
    due: Mono,
    state: State,
}

/// The socket that the streams go to.
#[derive(Debug)]
struct Whose {
    market: Market,
    connection: u64,
    route: String,
}

impl Whose {
    fn target<'a>(&'a self, stream: &'a str) -> Target<'a> {
        Target {
            market: Some(self.market),
            connection: Some(self.connection),
            route: Some(&self.route),
            stream: Some(stream),
            ..Target::default()
        }
    }
}

/// The streams of one socket.
#[derive(Debug)]
pub(crate) struct Feed {
    whose: Whose,
    streams: HashMap<String, Stream>,
    /// May name streams that are gone or due at another time by now: the stream's own `due` counts.
    queue: BinaryHeap<Reverse<(Mono, String)>>,
}

impl Feed {
    pub(crate) fn new(market: Market, connection: u64, route: &str) -> Self {
        let whose = Whose { market, connection, route: route.to_owned() };
        Self { whose, streams: HashMap::new(), queue: BinaryHeap::new() }
    }

    /// Starts a stream. Candles that are closed by now are not told.
    pub(crate) fn add(&mut self, name: String, topic: Topic, world: &World) {
        let now = world.stopwatch.now();
        let state = match topic {
            Topic::Nothing => return,
            Topic::Figures(about) => State::Figures(Figures::new(about)),
            Topic::Kline(series, form) => {
                let shown = world.now();
                let last = world.truth.last_open(series, shown);
                let closed =
                    last.and_then(|o| world.truth.candle(series, o)).filter(|c| c.close_time < shown);
                let done = match (closed, last) {
                    (Some(c), _) => c.open_time,
                    (None, Some(open)) => UnixMs(open.0 - 1),
                    (None, None) => UnixMs(-1),
                };
                State::Kline(KlineStream { series, form, done, shown: None, ready: now, held: Vec::new() })
            }
        };
        self.streams.insert(name.clone(), Stream { due: now, state });
        self.queue.push(Reverse((now, name)));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.streams.remove(name);
    }

    /// Looks at all streams anew: the clock was changed.
    pub(crate) fn reset(&mut self, now: Mono) {
        self.queue.clear();
        for (name, stream) in &mut self.streams {
            stream.due = now;
            self.queue.push(Reverse((now, name.clone())));
        }
    }

    /// When the next stream is due.
    pub(crate) fn next_due(&self) -> Option<Mono> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }

    /// The frames that are due, of at most `most` streams.
    pub(crate) fn frames(&mut self, world: &World, most: usize) -> Vec<Frame> {
        let now = world.stopwatch.now();
        let mut frames = Vec::new();
        for _ in 0..most {
            let Some(Reverse((due, name))) =
                self.queue.peek().filter(|Reverse((due, _))| *due <= now).cloned()
            else {
                break;
            };
            self.queue.pop();
            let Some(stream) = self.streams.get_mut(&name).filter(|s| s.due == due) else { continue };
            let next = match &mut stream.state {
                State::Kline(kline) => kline.run(&self.whose, &name, world, &mut frames),
                State::Figures(figures) => {
                    let due = figures.due(self.whose.market, world).into_iter().map(|data| Frame {
                        stream: name.clone(),
                        data,
                        kind: Kind::Tickers,
                        series: None,
                    });
                    frames.extend(due);
                    Some(now + TICKERS)
                }
            };
            if let Some(next) = next {
                stream.due = next;
                self.queue.push(Reverse((next, name)));
            }
        }
        let before = frames.len();
        frames.retain(|frame| !self.silent(frame, world));
        let lost = (before - frames.len()) as u64;
        if lost > 0 {
            world.count(|s| s.lost += lost);
        }
        frames
    }
}

impl Feed {
    fn silent(&self, frame: &Frame, world: &World) -> bool {
        let of = frame.series.and_then(|s| Some((world.truth.listing(s.listing)?, s.interval)));
        let target = Target {
            symbol: of.as_ref().map(|(l, _)| l.symbol.as_str()),
            interval: of.as_ref().map(|(_, i)| *i),
            ..self.whose.target(&frame.stream)
        };
        let silent = |f: &Fault| matches!(f, Fault::Frame(FrameFault::WsSilence {})).then_some(());
        world.strike(&target, silent).is_some()
    }
}

impl KlineStream {
    /// Adds what is due to `frames`; when to look again (never, where the clock will show no change).
    fn run(&mut self, whose: &Whose, name: &str, world: &World, frames: &mut Vec<Frame>) -> Option<Mono> {
        let now = world.now();
        let listing = world.truth.listing(self.series.listing)?;
        let (series, interval) = (Some(self.series), Some(self.series.interval));
        let target = Target { symbol: Some(listing.symbol.as_str()), interval, ..whose.target(name) };
        let mut push = |candle: &Candle, stamp: Stamp, kind: Kind| {
            let data = wire::kline_event(&listing, (self.series.interval, self.form), candle, stamp);
            frames.push(Frame { stream: name.to_owned(), data, kind, series });
        };
        let late = self.held.iter().take_while(|(until, _)| *until <= now).count();
        for (_, candle) in self.held.drain(..late) {
            push(&candle, Stamp { event: now, closed: true }, Kind::Close);
        }
        let mut next = world.truth.next_open(self.series, self.done);
        while let Some(candle) = next.and_then(|o| world.truth.candle(self.series, o)) {
            if candle.close_time >= now {
                break;
            }
            let event = UnixMs(candle.close_time.0 + CLOSE_STAMP_MS);
            match world.close(self.series, candle.open_time, &target) {
                Some(FrameFault::DropClose {}) => {}
                Some(FrameFault::ShortClose {}) => {
                    push(&candle.unfinished(), Stamp { event, closed: true }, Kind::Close);
                }
                Some(FrameFault::DelayClose { by_ms }) => {
                    self.held.push((UnixMs(candle.close_time.0 + by_ms), candle));
                }
                _ => push(&candle, Stamp { event, closed: true }, Kind::Close),
            }
            self.done = candle.open_time;
            self.shown = None;
            next = world.truth.next_open(self.series, self.done);
        }
        let held = self.held.iter().map(|(until, _)| *until).min();
        let Some(open) = next else { return held.and_then(|t| world.when(t)) };
        let ours = world.stopwatch.now();
        if ours >= self.ready
            && let Some(candle) = world.truth.candle_at(self.series, open, now)
        {
            // Without a trade there is nothing to tell until the close.
            if candle.trades > 0 && self.shown != Some(candle) {
                push(&candle, Stamp { event: now, closed: false }, Kind::Update);
                self.shown = Some(candle);
                self.ready = ours + pace(whose.market);
            }
        }
        let close = world.truth.candle(self.series, open)?.close_time;
        let change = world.truth.changes_after(self.series, open, now)?;
        let must = held.map_or(UnixMs(close.0 + 1), |h| h.min(UnixMs(close.0 + 1)));
        let close_due = world.when(must);
        let change_due = world.when(change).map(|t| t.max(self.ready));
        close_due.into_iter().chain(change_due).min()
    }
}
