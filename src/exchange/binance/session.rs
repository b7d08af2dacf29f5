//! The talk over one socket, without the socket.
//!
//! Invariant: pure; the time is handed in. The acknowledgement of a subscription proves nothing,
//! so besides the connection the data is watched.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::endpoint::{DAY_STREAM, stream_name};
use super::wire::{self, DayRow, Frame, KlineFrame};
use crate::domain::symbol::{Pair, SeriesKey};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::outbox::Outbox;
use crate::exchange::subscribe::{ControlFrame, Method, Pacer, frames};
use crate::exchange::{
    ConnId, DayEvent, Discard, ErrorKind, ExchangeError, FeedEvent, KlineEvent, Replacement,
};

mod lifetime;
mod liveness;

pub use lifetime::Lifetime;
pub use liveness::{Stall, Timing};

use liveness::{Kind, Liveness, Traffic};

/// What a socket is to carry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// These series.
    pub keys: Arc<[SeriesKey]>,
    /// The 24 h figures of these pairs, by the exchange's names. A table without any still asks
    /// for them, as a sign that the data flows; `None` = not at all.
    pub day: Option<Arc<HashMap<Box<str>, Pair>>>,
    /// How often it was said that a series is to be subscribed anew. A connection does so when it
    /// sees the figure grow.
    pub anew: BTreeMap<SeriesKey, u32>,
}

/// What a session has to tell about itself, to whoever decides on connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// All that it was asked for is answered, and this is acknowledged.
    Standing(Arc<BTreeSet<SeriesKey>>),
    /// After that, data came; candles, where many pairs are carried.
    Proven,
    /// It will end: another is to take over.
    Leaving(Replacement),
}

/// What is to be sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A request.
    Text(String),
    /// A ping.
    Ping,
}

/// A stream that is wanted.
#[derive(Clone, Debug, PartialEq)]
struct Route {
    topic: Topic,
    /// It was acknowledged.
    granted: bool,
    /// It brought data since it was last asked for.
    heard: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Topic {
    Series(SeriesKey),
    Day,
}

/// How far a session got.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Subscribing,
    Standing,
    Proven,
}

/// The state of the talk.
#[derive(Debug)]
pub struct Session {
    conn: ConnId,
    timing: Timing,
    routes: HashMap<String, Route>,
    day: Option<Arc<HashMap<Box<str>, Pair>>>,
    anew: BTreeMap<SeriesKey, u32>,
    control: VecDeque<ControlFrame>,
    awaited: HashMap<u64, (Mono, ControlFrame)>,
    acknowledged: Vec<SeriesKey>,
    refusals: u32,
    next_id: u64,
    pacer: Pacer,
    life: Liveness,
    /// What is to be expected of what is acknowledged; nothing of a socket that carries nothing.
    traffic: Option<Traffic>,
    lifetime: Lifetime,
    stage: Stage,
    leaving: Option<Replacement>,
    /// At most one of each kind.
    news: VecDeque<News>,
    /// What there is to tell.
    pub outbox: Outbox,
}

impl Session {
    /// So many refused requests before any was granted, and the address is taken to be wrong.
    const MOST_REFUSALS: u32 = 8;

    /// A connection that came up at `now`.
    pub fn new(conn: ConnId, timing: Timing, lifetime: Lifetime, now: Mono) -> Self {
        Self {
            conn,
            timing,
            routes: HashMap::new(),
            day: None,
            anew: BTreeMap::new(),
            control: VecDeque::new(),
            awaited: HashMap::new(),
            acknowledged: Vec::new(),
            refusals: 0,
            next_id: 0,
            pacer: Pacer::default(),
            life: Liveness::new(conn.market, timing, now),
            traffic: None,
            lifetime,
            stage: Stage::Subscribing,
            leaving: None,
            news: VecDeque::new(),
            outbox: Outbox::default(),
        }
    }

    /// Whether it brought what it is there for: candles, or of a few pairs any data.
    pub fn had_data(&self) -> bool {
        self.life.had_data(self.traffic)
    }

    /// What it has to tell about itself.
    pub fn pop_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Whether there is any.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Carries what is wanted from now on, no more and no less.
    pub fn want(&mut self, wanted: &Wanted) {
        let mut routes: HashMap<String, Route> = HashMap::with_capacity(wanted.keys.len() + 1);
        let mut added = Vec::new();
        let mut again = Vec::new();
        let day = wanted.day.is_some().then(|| (DAY_STREAM.to_owned(), Topic::Day));
        let series = wanted.keys.iter().map(|key| (stream_name(key), Topic::Series(key.clone())));
        for (name, topic) in series.chain(day) {
            let known = self.routes.get(&name);
            let renewed = match &topic {
                Topic::Series(key) => wanted.anew.get(key) > self.anew.get(key),
                Topic::Day => false,
            };
            match known {
                None => added.push(name.clone()),
                Some(_) if renewed && !self.is_asked(&name) => again.push(name.clone()),
                Some(_) => {}
            }
            let heard = known.is_some_and(|r| r.heard) && !renewed;
            let granted = known.is_some_and(|r| r.granted);
            routes.insert(name, Route { topic, granted, heard });
        }
        let mut removed: Vec<String> =
            self.routes.keys().filter(|n| !routes.contains_key(*n)).cloned().collect();
        removed.sort();
        removed.extend(again.iter().cloned());
        added.extend(again);
        self.control.extend(frames(Method::Unsubscribe, removed, &mut self.next_id));
        self.control.extend(frames(Method::Subscribe, added, &mut self.next_id));
        self.routes = routes;
        self.day.clone_from(&wanted.day);
        self.anew.clone_from(&wanted.anew);
        self.traffic = self.expected();
    }

    /// Whether a request for the stream is under way.
    fn is_asked(&self, name: &String) -> bool {
        let mut open = self.control.iter().chain(self.awaited.values().map(|(_, f)| f));
        open.any(|f| f.method == Method::Subscribe && f.names.contains(name))
    }

    /// What is to be sent now, if anything; counts as sent.
    pub fn next_outgoing(&mut self, now: Mono) -> Option<Outgoing> {
        if self.pacer.ready_at() > now {
            return None;
        }
        if now >= self.life.ping_at() {
            self.life.pinged(now);
            self.pacer.sent(now);
            return Some(Outgoing::Ping);
        }
        let frame = self.control.pop_front()?;
        self.pacer.sent(now);
        let text = frame.text.clone();
        self.awaited.insert(frame.id, (now, frame));
        Some(Outgoing::Text(text))
    }

    /// When to look again, if no frame comes before.
    pub fn deadline(&self) -> Mono {
        let ping = self.life.ping_at().max(self.pacer.ready_at());
        let control = self.control.front().map(|_| self.pacer.ready_at());
        let overdue = [Some(self.life.deadline(self.traffic)), self.oldest_ack(), self.lifetime.ends()];
        overdue.into_iter().flatten().chain(control).fold(ping, Mono::min)
    }

    /// What took too long, or was too much.
    pub fn overdue(&mut self, now: Mono) -> Option<ExchangeError> {
        if self.lifetime.is_over(now) {
            self.leave(Replacement::Age);
        }
        if self.outbox.is_overrun() {
            let text = "this program was too busy to take the candles; connecting anew, REST brings them";
            return Some(ExchangeError::new(ErrorKind::Transient, text));
        }
        if self.oldest_ack().is_some_and(|t| now >= t) {
            self.take_data_for_answers(now);
        }
        if self.oldest_ack().is_some_and(|t| now >= t) {
            let secs = self.timing.ack.as_secs_f64();
            return Some(ExchangeError::new(
                ErrorKind::Transient,
                format!("the exchange did not acknowledge a subscription within {secs} s; connecting anew"),
            ));
        }
        self.life.overdue(now, self.traffic)
    }

    fn leave(&mut self, why: Replacement) {
        if self.leaving.is_none() {
            self.leaving = Some(why);
            self.news.push_back(News::Leaving(why));
        }
    }

    /// Answers get lost. A stream that brings data needs none; that a stream is gone, none either.
    fn take_data_for_answers(&mut self, now: Mono) {
        let (ack, routes) = (self.timing.ack, &self.routes);
        let heard = |f: &ControlFrame| f.names.iter().any(|n| routes.get(n).is_none_or(|r| r.heard));
        let late = self.awaited.iter().filter(|(_, (sent, _))| now >= *sent + ack);
        let proved = late.filter(|(_, (_, f))| f.method == Method::Unsubscribe || heard(f));
        let proved: Vec<u64> = proved.map(|(id, _)| *id).collect();
        for id in proved {
            if let Some((_, frame)) = self.awaited.remove(&id) {
                self.granted(&frame, now);
            }
        }
    }

    fn oldest_ack(&self) -> Option<Mono> {
        self.awaited.values().map(|(sent, _)| *sent + self.timing.ack).min()
    }

    fn expected(&self) -> Option<Traffic> {
        let mut granted = self.routes.values().filter(|r| r.granted).map(|r| &r.topic).peekable();
        granted.peek()?;
        let (mut figures, mut pairs) = (false, HashSet::new());
        for topic in granted {
            match topic {
                Topic::Series(key) => _ = pairs.insert(&key.pair),
                Topic::Day => figures = true,
            }
        }
        Some(Traffic { busy: pairs.len() >= Stall::FEWEST_PAIRS, figures })
    }

    /// A ping came; the answer to it goes out by itself.
    pub fn on_ping(&mut self, now: Mono) {
        self.life.frame(now);
        self.pacer.sent(now);
    }

    /// Something came that says no more than that the connection lives.
    pub fn on_sign_of_life(&mut self, now: Mono) {
        self.life.frame(now);
    }

    /// A frame came that is no text.
    pub fn on_binary(&mut self, now: Mono) {
        self.life.frame(now);
        self.discard(Discard::NotJson);
    }

    /// A text frame came.
    pub fn on_text(&mut self, text: &str, now: Mono) -> Result<(), ExchangeError> {
        self.life.frame(now);
        match wire::parse(text) {
            Ok(Frame::Kline(frame)) => match self.route(&frame) {
                Ok(key) => {
                    let KlineFrame { kline, finality, event_time, .. } = frame;
                    self.data(Kind::Candle, event_time, now);
                    let event =
                        KlineEvent { conn: self.conn, key, kline, finality, event_time, received: now };
                    self.outbox.push(FeedEvent::Kline(event));
                }
                Err(why) => self.discard(why),
            },
            Ok(Frame::Day { rows, skipped }) => self.on_day(&rows, skipped, now),
            Ok(Frame::Reply { id, refusal }) => self.on_reply(id, refusal, now)?,
            Ok(Frame::Shutdown) => self.leave(Replacement::Shutdown),
            Err(why) => self.discard(why),
        }
        Ok(())
    }

    fn route(&mut self, frame: &KlineFrame<'_>) -> Result<SeriesKey, Discard> {
        let route = match &frame.stream {
            Some(name) => self.routes.get_mut(&**name),
            None => self.routes.get_mut(&format!(
                "{}@kline_{}",
                frame.symbol.to_ascii_lowercase(),
                frame.interval
            )),
        };
        match route {
            Some(Route { topic: Topic::Series(key), heard, .. })
                if key.pair.symbol.as_str() == frame.symbol && key.interval.as_str() == frame.interval =>
            {
                *heard = true;
                Ok(key.clone())
            }
            // The name of the stream and what it carries contradict each other.
            Some(_) => Err(Discard::BadValue),
            None => Err(Discard::NotWatched),
        }
    }

    fn on_day(&mut self, rows: &[DayRow<'_>], skipped: u32, now: Mono) {
        for _ in 0..skipped {
            self.discard(Discard::BadValue);
        }
        let Some(pairs) = &self.day else {
            return self.discard(Discard::NotWatched);
        };
        let events: Vec<DayEvent> = rows
            .iter()
            .filter_map(|row| {
                Some(DayEvent {
                    pair: pairs.get(&*row.symbol)?.clone(),
                    last: row.last,
                    change_pct: row.change_pct,
                    quote_volume: row.quote_volume,
                    event_time: row.event_time,
                })
            })
            .collect();
        if let Some(route) = self.routes.get_mut(DAY_STREAM) {
            route.heard = true;
        }
        if let Some(newest) = rows.iter().map(|r| r.event_time).max() {
            self.data(Kind::Figures, newest, now);
        }
        if !events.is_empty() {
            self.outbox.push(FeedEvent::Day(events));
        }
    }

    fn on_reply(&mut self, id: Option<u64>, refusal: Option<String>, now: Mono) -> Result<(), ExchangeError> {
        // A second answer to the same request, or one to nobody's, says nothing.
        let asked = id.and_then(|id| self.awaited.remove(&id));
        match (asked, refusal) {
            (Some((_, frame)), None) => self.granted(&frame, now),
            (Some((_, frame)), Some(why)) => return self.refused(&frame, &why, now),
            (None, Some(why)) if id.is_none() => {
                return Err(rejected(&format!("the exchange can't read a request of ours: {why}")));
            }
            (None, _) => {}
        }
        Ok(())
    }

    fn granted(&mut self, frame: &ControlFrame, now: Mono) {
        if frame.method == Method::Unsubscribe {
            return;
        }
        for name in &frame.names {
            let Some(route) = self.routes.get_mut(name) else { continue };
            route.granted = true;
            if let Topic::Series(key) = &route.topic {
                self.acknowledged.push(key.clone());
            }
        }
        self.refusals = 0;
        self.stand(now);
    }

    /// One bad name spoils a whole request: the halves are asked for by themselves, until only the
    /// bad name is left, which is told and let be. Its series is without a stream, and it shows.
    fn refused(&mut self, frame: &ControlFrame, why: &str, now: Mono) -> Result<(), ExchangeError> {
        if frame.method == Method::Unsubscribe {
            return Ok(());
        }
        let name = frame.names.first().map_or("?", String::as_str);
        self.refusals += 1;
        if self.stage == Stage::Subscribing && self.refusals >= Self::MOST_REFUSALS && !self.had_data() {
            return Err(rejected(&format!("the exchange refuses all subscriptions ({name} …): {why}")));
        }
        if frame.names.len() > 1 {
            let (one, other) = frame.names.split_at(frame.names.len() / 2);
            for part in [one, other] {
                self.control.extend(frames(Method::Subscribe, part.iter().cloned(), &mut self.next_id));
            }
        } else {
            let conn = self.conn;
            tracing::warn!("{} socket {}: {name} is refused: {why}", conn.market, conn.number);
            if let Some(Route { topic: Topic::Series(key), granted, .. }) = self.routes.get_mut(name) {
                *granted = false;
                let (key, why) = (key.clone(), CleanText::new(why));
                self.outbox.push(FeedEvent::Refused { conn, key, why });
            }
        }
        self.stand(now);
        Ok(())
    }

    /// Looks whether all requests are answered, and says so.
    fn stand(&mut self, now: Mono) {
        let subscription = |f: &ControlFrame| f.method == Method::Subscribe;
        let more =
            self.control.iter().any(subscription) || self.awaited.values().any(|(_, f)| subscription(f));
        if more {
            return;
        }
        // What was due before stays due: a subscription among others is no data.
        let expected = self.expected();
        if self.traffic != expected {
            self.traffic = expected;
            self.life.promised(now);
        }
        let keys: Arc<[SeriesKey]> = std::mem::take(&mut self.acknowledged).into();
        if self.stage == Stage::Subscribing || !keys.is_empty() {
            self.news.retain(|n| !matches!(n, News::Standing(_)));
            self.news.push_back(News::Standing(Arc::new(self.granted_series())));
        }
        if !keys.is_empty() {
            self.outbox.push(FeedEvent::Subscribed { conn: self.conn, keys });
        }
        if self.stage == Stage::Subscribing {
            self.stage = Stage::Standing;
        }
    }

    fn granted_series(&self) -> BTreeSet<SeriesKey> {
        let granted = self.routes.values().filter(|r| r.granted);
        let series = granted.filter_map(|r| match &r.topic {
            Topic::Series(key) => Some(key.clone()),
            Topic::Day => None,
        });
        series.collect()
    }

    fn data(&mut self, kind: Kind, shown: UnixMs, now: Mono) {
        self.life.data(kind, now);
        self.lifetime.stamp(shown, now);
        let proves = kind == Kind::Candle || self.traffic.is_none_or(|t| !t.busy);
        if self.stage == Stage::Standing && proves {
            self.stage = Stage::Proven;
            self.news.push_back(News::Proven);
        }
    }

    fn discard(&mut self, why: Discard) {
        self.outbox.push(FeedEvent::Discarded { conn: self.conn, why });
    }
}

fn rejected(what: &str) -> ExchangeError {
    ExchangeError::new(ErrorKind::Rejected, format!("{what}; connecting anew"))
}

#[cfg(test)]
mod tests;
