//! When each stream of one socket has something to say: by next due time, never by looking at all.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::candle::Candle;
use super::fault::frames::FrameFault;
use super::fault::scope::Target;
use super::figures::Figures;
use super::listing::Listing;
use super::session::Topic;
use super::truth::Series;
use super::wire::{self, Form, Stamp};
use super::world::World;
use crate::domain::interval::Interval;
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
    /// Anything that is no candle.
    Other,
}

/// A frame that is due: its stream and its data.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) stream: String,
    pub(crate) data: String,
    pub(crate) kind: Kind,
    /// Whose candle it tells of.
    of: Option<(Arc<Listing>, Interval)>,
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
    /// Closes that wait for something else.
    awaiting: Vec<(Awaits, Candle)>,
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
                let (held, awaiting) = (Vec::new(), Vec::new());
                State::Kline(KlineStream { series, form, done, shown: None, ready: now, held, awaiting })
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
                    let said = figures.due(self.whose.market, world);
                    let kind = Kind::Other;
                    let frame = |data| Frame { stream: name.clone(), data, kind, of: None };
                    frames.extend(said.into_iter().map(frame));
                    Some(now + TICKERS)
                }
            };
            if let Some(next) = next {
                stream.due = next;
                self.queue.push(Reverse((next, name)));
            }
        }
        frames
    }
}

impl Feed {
    /// What faults may strike in a frame.
    pub(crate) fn target<'a>(&'a self, frame: &'a Frame) -> Target<'a> {
        Target {
            symbol: frame.of.as_ref().map(|(l, _)| l.symbol.as_str()),
            interval: frame.of.as_ref().map(|(_, i)| *i),
            ..self.whose.target(&frame.stream)
        }
    }
}

/// Why the closing frame of a candle waits for more than a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// The next trade: then it comes first.
    Trade,
    /// The first frame that tells of that trade: it comes after it.
    Update,
}

/// Where the frames of one stream go.
struct Out<'a> {
    listing: &'a Arc<Listing>,
    interval: Interval,
    form: Form,
    name: &'a str,
    frames: &'a mut Vec<Frame>,
}

impl Out<'_> {
    fn push(&mut self, candle: &Candle, event: UnixMs, closed: bool) {
        let data =
            wire::kline_event(self.listing, (self.interval, self.form), candle, Stamp { event, closed });
        let kind = if closed { Kind::Close } else { Kind::Update };
        let of = Some((Arc::clone(self.listing), self.interval));
        self.frames.push(Frame { stream: self.name.to_owned(), data, kind, of });
    }
}

impl KlineStream {
    /// Adds what is due to `frames`; when to look again (never, where the clock will show no change).
    fn run(&mut self, whose: &Whose, name: &str, world: &World, frames: &mut Vec<Frame>) -> Option<Mono> {
        let now = world.now();
        let listing = world.truth.listing(self.series.listing)?;
        let mut out =
            Out { listing: &listing, interval: self.series.interval, form: self.form, name, frames };
        let late = self.held.iter().take_while(|(until, _)| *until <= now).count();
        for (_, candle) in self.held.drain(..late) {
            out.push(&candle, now, true);
        }
        let next = self.closes(whose, world, now, &mut out);
        let held = self.held.iter().map(|(until, _)| *until).min();
        let Some(open) = next else { return held.and_then(|t| world.when(t)) };
        let ours = world.stopwatch.now();
        let shows = world.truth.candle_at(self.series, open, now);
        // Without a trade there is nothing to tell until the close.
        let news = shows.filter(|c| c.trades > 0 && self.shown != Some(*c));
        let told = news.filter(|_| ours >= self.ready);
        if let Some(candle) = told {
            self.release(Awaits::Trade, now, &mut out);
            out.push(&candle, now, false);
            self.release(Awaits::Update, now, &mut out);
            self.shown = Some(candle);
            self.ready = ours + pace(whose.market);
        }
        let close = world.truth.candle(self.series, open)?.close_time;
        let must = held.map_or(UnixMs(close.0 + 1), |h| h.min(UnixMs(close.0 + 1)));
        let close_due = world.when(must);
        let change_due = if news.is_some() && told.is_none() {
            Some(self.ready)
        } else {
            let change = world.truth.changes_after(self.series, open, now)?;
            world.when(change).map(|t| t.max(self.ready))
        };
        close_due.into_iter().chain(change_due).min()
    }

    /// Tells of the candles that closed since the last look; the open of the one after them.
    fn closes(&mut self, whose: &Whose, world: &World, now: UnixMs, out: &mut Out<'_>) -> Option<UnixMs> {
        let symbol = Some(out.listing.symbol.as_str());
        let target = Target { symbol, interval: Some(self.series.interval), ..whose.target(out.name) };
        let mut next = world.truth.next_open(self.series, self.done);
        while let Some(candle) = next.and_then(|o| world.truth.candle(self.series, o)) {
            if candle.close_time >= now {
                break;
            }
            if candle.trades > 0 {
                self.release(Awaits::Trade, now, out);
                self.release(Awaits::Update, now, out);
            }
            let event = UnixMs(candle.close_time.0 + CLOSE_STAMP_MS);
            match world.close(self.series, candle.open_time, &target) {
                Some(FrameFault::DropClose {}) => {}
                Some(FrameFault::ShortClose {}) => out.push(&candle.unfinished(), event, true),
                Some(FrameFault::DelayClose { by_ms }) => {
                    self.held.push((UnixMs(candle.close_time.0 + by_ms), candle));
                    self.held.sort_by_key(|(until, _)| *until);
                }
                Some(FrameFault::CloseAfterNext {}) => self.awaiting.push((Awaits::Update, candle)),
                Some(FrameFault::Illiquid {}) => self.awaiting.push((Awaits::Trade, candle)),
                other => {
                    out.push(&candle, event, true);
                    match other {
                        Some(FrameFault::RepeatClose {}) => out.push(&candle, event, true),
                        Some(FrameFault::UpdateAfterClose {}) => {
                            out.push(&candle, UnixMs(event.0 + 1), false);
                        }
                        _ => {}
                    }
                }
            }
            self.done = candle.open_time;
            self.shown = None;
            next = world.truth.next_open(self.series, self.done);
        }
        next
    }

    /// Tells of the closes that waited for what has happened now.
    fn release(&mut self, what: Awaits, now: UnixMs, out: &mut Out<'_>) {
        for (_, candle) in self.awaiting.extract_if(.., |(awaits, _)| *awaits == what) {
            out.push(&candle, now, true);
        }
    }
}
