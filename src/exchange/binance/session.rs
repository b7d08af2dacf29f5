//! The talk over one socket, without the socket.
//!
//! Invariant: pure; the time is handed in. The acknowledgement of a subscription proves nothing,
//! so besides the connection the data is watched.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::{DAY_STREAM, stream_name};
use super::wire::{self, DayRow, Frame, KlineFrame};
use crate::domain::symbol::{Market, Pair, SeriesKey};
use crate::domain::time::Mono;
use crate::exchange::outbox::Outbox;
use crate::exchange::subscribe::{ControlFrame, Method, Pacer, frames};
use crate::exchange::{ConnId, DayEvent, Discard, ErrorKind, ExchangeError, FeedEvent, KlineEvent};

/// What a socket is to carry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// These series.
    pub keys: Arc<[SeriesKey]>,
    /// The 24 h figures of these pairs, by the exchange's names; `None` = another socket does.
    pub day: Option<Arc<HashMap<Box<str>, Pair>>>,
}

/// How long what may take, on our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Opening a connection, all hops and handshakes.
    pub connect: Duration,
    /// From one ping of ours to the next.
    pub ping: Duration,
    /// Without any frame the connection is dead after this.
    pub dead: Duration,
    /// A subscription is acknowledged within this.
    pub ack: Duration,
    /// Data comes at least this often.
    pub stall: Stall,
    /// A write is through within this.
    pub write: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            ping: Duration::from_secs(20),
            dead: Duration::from_secs(30),
            ack: Duration::from_secs(10),
            stall: Stall::ByMarket,
            write: Duration::from_secs(5),
        }
    }
}

/// After how long a silence of the data a connection that answers pings is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// 15 s on USD-M, which sends four times a second, 30 s on spot; five minutes where only a few
    /// pairs' candles come.
    ByMarket,
    /// This.
    After(Duration),
    /// Never: an exchange whose clock stands still sends nothing.
    Never,
}

impl Stall {
    /// A short silence of fewer streams of candles can be the market's.
    const FEWEST_STREAMS: usize = 20;
    /// What their silence may last.
    const FEW: Duration = Duration::from_secs(300);

    fn limit(self, market: Market, traffic: Traffic) -> Option<Duration> {
        match (self, market, traffic) {
            (Self::ByMarket, _, Traffic::Sparse) => Some(Self::FEW),
            (Self::ByMarket, Market::UsdM, Traffic::Steady) => Some(Duration::from_secs(15)),
            (Self::ByMarket, Market::Spot, Traffic::Steady) => Some(Duration::from_secs(30)),
            (Self::After(limit), ..) => Some(limit),
            (Self::Never, ..) => None,
        }
    }
}

/// What is to be expected of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Traffic {
    /// Something every few seconds.
    Steady,
    /// Candles of a few pairs, which may not be traded for minutes.
    Sparse,
}

/// Why a session is over.
#[derive(Clone, Debug)]
pub enum Over {
    /// The server announced that it goes down.
    Announced,
    /// Something is wrong.
    Failed(ExchangeError),
}

/// What is to be sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A request.
    Text(String),
    /// A ping.
    Ping,
}

#[derive(Clone, Debug, PartialEq)]
enum Route {
    Series(SeriesKey),
    Day,
}

/// The state of the talk.
#[derive(Debug)]
pub struct Session {
    conn: ConnId,
    timing: Timing,
    routes: HashMap<String, Route>,
    day: Option<Arc<HashMap<Box<str>, Pair>>>,
    control: VecDeque<ControlFrame>,
    awaited: HashMap<u64, (Mono, ControlFrame)>,
    acknowledged: Vec<SeriesKey>,
    next_id: u64,
    pacer: Pacer,
    last_frame: Mono,
    last_ping: Mono,
    /// The last data, or the last acknowledgement, from which data is expected.
    last_sign: Option<Mono>,
    had_data: bool,
    /// What there is to tell.
    pub outbox: Outbox,
}

impl Session {
    /// A connection that came up at `now`.
    pub fn new(conn: ConnId, timing: Timing, now: Mono) -> Self {
        Self {
            conn,
            timing,
            routes: HashMap::new(),
            day: None,
            control: VecDeque::new(),
            awaited: HashMap::new(),
            acknowledged: Vec::new(),
            next_id: 0,
            pacer: Pacer::default(),
            last_frame: now,
            last_ping: now,
            last_sign: None,
            had_data: false,
            outbox: Outbox::default(),
        }
    }

    /// Whether it carried any data.
    pub fn had_data(&self) -> bool {
        self.had_data
    }

    /// Carries what is wanted from now on, no more and no less.
    pub fn want(&mut self, wanted: &Wanted) {
        let mut routes: HashMap<String, Route> = HashMap::with_capacity(wanted.keys.len() + 1);
        let mut added = Vec::new();
        let day = wanted.day.is_some().then(|| (DAY_STREAM.to_owned(), Route::Day));
        let series = wanted.keys.iter().map(|key| (stream_name(key), Route::Series(key.clone())));
        for (name, route) in series.chain(day) {
            if !self.routes.contains_key(&name) {
                added.push(name.clone());
            }
            routes.insert(name, route);
        }
        let mut removed: Vec<String> =
            self.routes.keys().filter(|n| !routes.contains_key(*n)).cloned().collect();
        removed.sort();
        self.control.extend(frames(Method::Unsubscribe, removed, &mut self.next_id));
        self.control.extend(frames(Method::Subscribe, added, &mut self.next_id));
        self.routes = routes;
        self.day.clone_from(&wanted.day);
    }

    /// What is to be sent now, if anything; counts as sent.
    pub fn next_outgoing(&mut self, now: Mono) -> Option<Outgoing> {
        if self.pacer.ready_at() > now {
            return None;
        }
        if now >= self.last_ping + self.timing.ping {
            self.last_ping = now;
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
        let ping = (self.last_ping + self.timing.ping).max(self.pacer.ready_at());
        let control = self.control.front().map(|_| self.pacer.ready_at());
        let overdue = [Some(self.last_frame + self.timing.dead), self.oldest_ack(), self.stall_at()];
        overdue.into_iter().flatten().chain(control).fold(ping, Mono::min)
    }

    /// What took too long, or was too much.
    pub fn overdue(&self, now: Mono) -> Option<ExchangeError> {
        let secs = |d: Duration| d.as_secs_f64();
        let Timing { dead, ack, .. } = self.timing;
        if self.outbox.is_overrun() {
            let text = "this program was too busy to take the candles; connecting anew, REST brings them";
            return Some(ExchangeError::new(ErrorKind::Transient, text));
        }
        if now >= self.last_frame + dead {
            return Some(ExchangeError::new(
                ErrorKind::Transient,
                format!(
                    "dead: no frame for {} s, not even an answer to our ping; connecting anew",
                    secs(dead)
                ),
            ));
        }
        if self.oldest_ack().is_some_and(|t| now >= t) {
            return Some(ExchangeError::new(
                ErrorKind::Transient,
                format!(
                    "the exchange did not acknowledge a subscription within {} s; connecting anew",
                    secs(ack)
                ),
            ));
        }
        if self.stall_at().is_some_and(|t| now >= t) {
            let what = if self.had_data { "the data stopped" } else { "no data after the acknowledgement" };
            return Some(ExchangeError::new(
                ErrorKind::Transient,
                format!(
                    "stall: {what}, though the connection answers; connecting anew. If it stays so, check that --ws-url leads to Binance's route /market"
                ),
            ));
        }
        None
    }

    fn oldest_ack(&self) -> Option<Mono> {
        let subscriptions = self.awaited.values().filter(|(_, f)| f.method == Method::Subscribe);
        subscriptions.map(|(sent, _)| *sent + self.timing.ack).min()
    }

    fn stall_at(&self) -> Option<Mono> {
        if self.routes.is_empty() {
            return None;
        }
        let limit = self.timing.stall.limit(self.conn.market, self.traffic())?;
        self.last_sign.map(|t| t + limit)
    }

    /// The 24 h figures are of the whole market and come every second, however few pairs are
    /// watched.
    fn traffic(&self) -> Traffic {
        let steady = self.day.is_some() || self.routes.len() >= Stall::FEWEST_STREAMS;
        if steady { Traffic::Steady } else { Traffic::Sparse }
    }

    /// A ping came; the answer to it goes out by itself.
    pub fn on_ping(&mut self, now: Mono) {
        self.last_frame = now;
        self.pacer.sent(now);
    }

    /// Something came that says no more than that the connection lives.
    pub fn on_sign_of_life(&mut self, now: Mono) {
        self.last_frame = now;
    }

    /// A frame came that is no text.
    pub fn on_binary(&mut self, now: Mono) {
        self.last_frame = now;
        self.discard(Discard::NotJson);
    }

    /// A text frame came.
    pub fn on_text(&mut self, text: &str, now: Mono) -> Result<(), Over> {
        self.last_frame = now;
        match wire::parse(text) {
            Ok(Frame::Kline(frame)) => match self.route(&frame) {
                Ok(key) => {
                    self.data(now);
                    let KlineFrame { kline, finality, event_time, .. } = frame;
                    let event =
                        KlineEvent { conn: self.conn, key, kline, finality, event_time, received: now };
                    self.outbox.push(FeedEvent::Kline(event));
                }
                Err(why) => self.discard(why),
            },
            Ok(Frame::Day { rows, skipped }) => self.on_day(&rows, skipped, now),
            Ok(Frame::Reply { id, refusal }) => self.on_reply(id, refusal, now)?,
            Ok(Frame::Shutdown) => return Err(Over::Announced),
            Err(why) => self.discard(why),
        }
        Ok(())
    }

    fn route(&self, frame: &KlineFrame<'_>) -> Result<SeriesKey, Discard> {
        let route = match &frame.stream {
            Some(name) => self.routes.get(&**name),
            None => {
                self.routes.get(&format!("{}@kline_{}", frame.symbol.to_ascii_lowercase(), frame.interval))
            }
        };
        match route {
            Some(Route::Series(key))
                if key.pair.symbol.as_str() == frame.symbol && key.interval.as_str() == frame.interval =>
            {
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
        self.data(now);
        if !events.is_empty() {
            self.outbox.push(FeedEvent::Day(events));
        }
    }

    fn on_reply(&mut self, id: Option<u64>, refusal: Option<String>, now: Mono) -> Result<(), Over> {
        let asked = id.and_then(|id| self.awaited.remove(&id));
        if let Some(why) = refusal {
            let names = asked.as_ref().and_then(|(_, f)| f.names.first()).map_or("?", String::as_str);
            let message = format!("the exchange refuses a subscription ({names} …): {why}; connecting anew");
            return Err(Over::Failed(ExchangeError::new(ErrorKind::Rejected, message)));
        }
        // A second answer to the same request, or one to nobody's, says nothing.
        let Some((_, ControlFrame { method: Method::Subscribe, names, .. })) = asked else { return Ok(()) };
        let keys = names.iter().filter_map(|name| match self.routes.get(name) {
            Some(Route::Series(key)) => Some(key.clone()),
            _ => None,
        });
        self.acknowledged.extend(keys);
        let subscription = |f: &ControlFrame| f.method == Method::Subscribe;
        let more =
            self.control.iter().any(subscription) || self.awaited.values().any(|(_, f)| subscription(f));
        if !more {
            self.last_sign = Some(self.last_sign.map_or(now, |t| t.max(now)));
            let keys: Arc<[SeriesKey]> = std::mem::take(&mut self.acknowledged).into();
            if !keys.is_empty() {
                self.outbox.push(FeedEvent::Subscribed { conn: self.conn, keys });
            }
        }
        Ok(())
    }

    fn data(&mut self, now: Mono) {
        self.had_data = true;
        self.last_sign = Some(now);
    }

    fn discard(&mut self, why: Discard) {
        self.outbox.push(FeedEvent::Discarded { conn: self.conn, why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::Interval;
    use crate::domain::kline::Finality;

    const CONN: ConnId = ConnId { market: Market::UsdM, number: 0 };

    fn s(secs: u64) -> Mono {
        Mono(Duration::from_secs(secs))
    }

    fn key(n: usize) -> SeriesKey {
        SeriesKey::new(
            Pair { market: Market::UsdM, symbol: format!("S{n}USDT").parse().unwrap() },
            Interval::M1,
        )
    }

    fn wanted(n: usize) -> Wanted {
        let pairs = (0..n).map(|n| (format!("S{n}USDT").into(), key(n).pair)).collect();
        Wanted { keys: (0..n).map(key).collect(), day: Some(Arc::new(pairs)) }
    }

    /// Sends all there is, acknowledges it, and returns what was sent.
    fn settle(session: &mut Session, mut now: Mono) -> Vec<String> {
        let mut sent = Vec::new();
        while !session.control.is_empty() {
            if let Some(Outgoing::Text(text)) = session.next_outgoing(now) {
                let id = session.next_id - session.control.len() as u64;
                session.on_text(&format!("{{\"result\":null,\"id\":{id}}}"), now).unwrap();
                sent.push(text);
            }
            now = now + Duration::from_millis(50);
        }
        sent
    }

    fn events(session: &mut Session) -> Vec<FeedEvent> {
        std::iter::from_fn(|| session.outbox.pop()).collect()
    }

    fn frame(symbol: &str, stream: &str, closed: bool) -> String {
        format!(
            r#"{{"stream":"{stream}","data":{{"e":"kline","E":1760000399999,"s":"{symbol}","k":{{"t":1760000340000,"T":1760000399999,"s":"{symbol}","i":"1m","o":"1","c":"1","h":"1","l":"1","v":"0","n":0,"x":{closed},"q":"0","V":"0","Q":"0"}}}}}}"#
        )
    }

    #[test]
    fn subscribed_is_told_once_after_the_last_acknowledgement() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(400));
        let sent = settle(&mut session, s(0));
        assert_eq!(sent.len(), 3);
        assert!(sent[2].contains("!miniTicker@arr"));
        let told = events(&mut session);
        assert!(matches!(&told[..], [FeedEvent::Subscribed { keys, .. }] if keys.len() == 400), "{told:?}");
        // What is added later is told by itself, and what is gone is unsubscribed.
        let mut next = wanted(401);
        next.keys = next.keys[1..].into();
        session.want(&next);
        session.want(&next);
        let sent = settle(&mut session, s(5));
        assert!(sent[0].contains("UNSUBSCRIBE") && sent[0].contains("\"s0usdt@kline_1m\""), "{sent:?}");
        assert!(sent[1].contains("\"s400usdt@kline_1m\"") && sent.len() == 2);
        let told = events(&mut session);
        assert!(
            matches!(&told[..], [FeedEvent::Subscribed { keys, .. }] if **keys == [key(400)]),
            "{told:?}"
        );
    }

    #[test]
    fn a_program_that_takes_no_candles_loses_the_connection_and_not_the_memory() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(1));
        settle(&mut session, s(0));
        let text = frame("S0USDT", "s0usdt@kline_1m", true);
        for _ in 0..=Outbox::MOST_CLOSED {
            assert!(session.overdue(s(1)).is_none());
            session.on_text(&text, s(1)).unwrap();
        }
        assert!(session.overdue(s(1)).unwrap().message.as_str().contains("too busy"));
    }

    #[test]
    fn frames_go_to_their_series_and_others_are_counted() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(2));
        settle(&mut session, s(0));
        events(&mut session);
        for text in [
            frame("S1USDT", "s1usdt@kline_1m", true),
            frame("S0USDT", "s1usdt@kline_1m", true),
            frame("BTCUSD_PERP", "btcusd_perp@kline_1m", true),
            "nonsense".to_owned(),
        ] {
            session.on_text(&text, s(1)).unwrap();
        }
        session.on_binary(s(1));
        let told = events(&mut session);
        let why: Vec<Discard> = told
            .iter()
            .filter_map(|e| match e {
                FeedEvent::Discarded { why, .. } => Some(*why),
                _ => None,
            })
            .collect();
        assert_eq!(why, [Discard::BadValue, Discard::NotWatched, Discard::NotJson, Discard::NotJson]);
        assert!(
            matches!(&told[0], FeedEvent::Kline(k) if k.key == key(1) && k.finality == Finality::Closed && k.received == s(1))
        );
    }

    #[test]
    fn day_figures_are_of_watched_pairs_only() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(2));
        let row = |symbol: &str| {
            format!(
                r#"{{"e":"24hrMiniTicker","E":1760000399999,"s":"{symbol}","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"}}"#
            )
        };
        let text = format!(r#"{{"stream":"!miniTicker@arr","data":[{},{}]}}"#, row("S1USDT"), row("OTHER"));
        session.on_text(&text, s(1)).unwrap();
        let told = events(&mut session);
        assert!(
            matches!(&told[..], [FeedEvent::Day(rows)] if rows.len() == 1 && rows[0].pair == key(1).pair)
        );
    }

    #[test]
    fn silence_is_told_apart() {
        let silent = |streams: usize, acknowledge: bool, data: bool| {
            let mut session = Session::new(CONN, Timing::default(), s(0));
            session.want(&wanted(streams));
            if acknowledge {
                settle(&mut session, s(0));
            } else {
                session.next_outgoing(s(0));
            }
            if data {
                session.on_text(&frame("S1USDT", "s1usdt@kline_1m", false), s(3)).unwrap();
            }
            session
        };
        let says = |session: &Session, at: u64| {
            session.overdue(s(at)).map(|e| e.message.to_string()).unwrap_or_default()
        };

        let unacknowledged = silent(5, false, false);
        assert_eq!((unacknowledged.deadline(), says(&unacknowledged, 9)), (s(10), String::new()));
        assert!(says(&unacknowledged, 10).contains("acknowledge"));

        let mut stalled = silent(30, true, true);
        stalled.on_sign_of_life(s(17));
        assert_eq!((stalled.deadline(), says(&stalled, 17)), (s(18), String::new()));
        assert!(says(&stalled, 18).starts_with("stall: the data stopped"));
        assert!(says(&silent(30, true, false), 16).starts_with("stall: no data after the ack"));

        let mut mute = silent(5, true, true);
        assert_eq!(mute.next_outgoing(s(20)), Some(Outgoing::Ping));
        assert!(says(&mute, 33).starts_with("dead"));
    }

    #[test]
    fn a_few_pairs_are_judged_by_what_their_socket_carries() {
        let row = r#"{"e":"24hrMiniTicker","E":1760000399999,"s":"OTHER","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"}"#;
        let day = format!(r#"{{"stream":"!miniTicker@arr","data":[{row}]}}"#);
        for (market, limit) in [(Market::UsdM, 15), (Market::Spot, 30)] {
            let stalls = |carries_day: bool, at: u64| {
                let mut session = Session::new(ConnId { market, number: 0 }, Timing::default(), s(0));
                let few = wanted(1);
                session.want(&if carries_day { few } else { Wanted { day: None, ..few } });
                settle(&mut session, s(0));
                // Figures of other pairs are signs of the stream too.
                session.on_text(if carries_day { &day } else { "nonsense" }, s(4)).unwrap();
                session.on_sign_of_life(s(at));
                let (error, deadline) = (session.overdue(s(at)), session.stall_at());
                (error.is_some_and(|e| e.message.as_str().starts_with("stall")), deadline)
            };
            assert_eq!(stalls(true, 3 + limit), (false, Some(s(4 + limit))));
            assert!(stalls(true, 4 + limit).0);
            assert!(!stalls(false, 299).0);
            assert!(stalls(false, 300).0);
        }
    }

    #[test]
    fn a_socket_that_carries_nothing_stalls_never() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(1));
        settle(&mut session, s(0));
        session.want(&Wanted::default());
        settle(&mut session, s(1));
        session.on_sign_of_life(s(999));
        assert!(session.overdue(s(1_000)).is_none());
    }

    #[test]
    fn a_clock_that_stands_still_is_no_stall() {
        let timing = Timing { stall: Stall::Never, ..Timing::default() };
        let mut session = Session::new(CONN, timing, s(0));
        session.want(&wanted(30));
        settle(&mut session, s(0));
        session.on_sign_of_life(s(999));
        assert!(session.overdue(s(1_000)).is_none());
    }

    #[test]
    fn refusals_and_shutdowns_end_it_and_stray_replies_do_not() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(2));
        session.next_outgoing(s(0));
        for stray in [r#"{"result":null,"id":99}"#, r#"{"result":null,"id":1}"#, r#"{"result":null,"id":1}"#]
        {
            session.on_text(stray, s(0)).unwrap();
        }
        assert_eq!(events(&mut session).len(), 1);
        let refused = session.on_text(r#"{"error":{"code":4,"msg":"Too many subscriptions"},"id":1}"#, s(0));
        assert!(matches!(refused, Err(Over::Failed(e)) if e.message.as_str().contains("Too many")));
        assert!(matches!(session.on_text(r#"{"e":"serverShutdown","E":1}"#, s(0)), Err(Over::Announced)));
    }

    #[test]
    fn pings_and_pongs_count_as_messages() {
        let mut session = Session::new(CONN, Timing::default(), s(0));
        session.want(&wanted(900));
        for _ in 0..3 {
            session.on_ping(s(1));
        }
        assert_eq!(session.next_outgoing(s(1)), None);
        assert_eq!(session.next_outgoing(s(2)), None);
        assert!(session.next_outgoing(Mono::from_millis(2_100)).is_some());
    }
}
