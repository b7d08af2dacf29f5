//! The faults that wait and those in force: who asks is told what strikes him, and it is counted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::frames::FrameFault;
use super::scope::Target;
use super::sockets::SocketFault;
use super::trigger::Begin;
use super::{Fault, Scheduled};
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;
use crate::sim::truth::Series;

/// Something that faults may wait for, besides a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connection,
    Subscribe,
    Request,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Until(UnixMs),
    /// So many events are still to come.
    Events(Event, u64),
    /// Until that socket, which nobody has opened yet.
    Socket(u64),
    Running {
        end: Option<UnixMs>,
    },
}

#[derive(Clone, Debug)]
struct Entry {
    id: u64,
    of: Scheduled,
    phase: Phase,
    left: Option<u32>,
    struck: u64,
    /// Candles it took already: each socket that carries the series loses the same ones.
    taken: BTreeSet<(Series, UnixMs)>,
}

impl Entry {
    fn in_force(&self, now: UnixMs, target: &Target<'_>) -> bool {
        let running = matches!(self.phase, Phase::Running { end } if end.is_none_or(|e| now < e));
        running && self.left != Some(0) && self.of.scope.fits(target)
    }

    fn over(&self, now: UnixMs) -> bool {
        let Phase::Running { end } = self.phase else { return false };
        // What struck often enough still takes the same candles from sockets that look later.
        let spent = self.left == Some(0) && self.taken.is_empty();
        spent || end.is_some_and(|e| now >= e)
    }
}

#[derive(Clone, Debug)]
struct Peer {
    market: Market,
    route: String,
}

/// Something to be done to a socket, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Do {
        fault: SocketFault,
        /// For as long as that, where it is something that lasts.
        until: Option<UnixMs>,
    },
    /// What lasts is over.
    Heal,
}

/// All faults of one exchange, and the sockets that they may strike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    entries: Vec<Entry>,
    injected: u64,
    opened: u64,
    peers: BTreeMap<u64, Peer>,
    orders: BTreeMap<u64, Vec<Order>>,
    struck: BTreeMap<&'static str, u64>,
}

impl Board {
    /// Takes a fault in, to begin at its time.
    pub(crate) fn inject(&mut self, of: Scheduled, now: UnixMs) {
        self.injected += 1;
        let phase = match of.schedule.begin {
            Begin::Connection(nth) => Phase::Events(Event::Connection, nth),
            Begin::Subscribe(nth) => Phase::Events(Event::Subscribe, nth),
            Begin::Request(nth) => Phase::Events(Event::Request, nth),
            _ => Phase::Until(of.schedule.time(now).unwrap_or(now)),
        };
        let (id, left) = (self.injected, of.schedule.count);
        self.entries.push(Entry { id, of, phase, left, struck: 0, taken: BTreeSet::new() });
    }

    /// Ends all of them, those that wait too.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.orders = self.peers.keys().map(|number| (*number, vec![Order::Heal])).collect();
    }

    /// Begins what is due at `now`, and forgets what is over. Whether sockets have orders by it.
    pub(crate) fn advance(&mut self, now: UnixMs) -> bool {
        let due: Vec<(usize, UnixMs)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(n, e)| match e.phase {
                // From its own time on, not from when we look: at a high speed that is a difference.
                Phase::Until(t) if t <= now => Some((n, t)),
                Phase::Socket(number) if number <= self.opened => Some((n, now)),
                _ => None,
            })
            .collect();
        let ordered = due.into_iter().filter(|(n, at)| self.begin(*n, *at)).count() > 0;
        self.entries.retain(|e| !e.over(now));
        ordered
    }

    /// When the next one begins that waits for a time.
    pub(crate) fn next_due(&self) -> Option<UnixMs> {
        let times = self.entries.iter().filter_map(|e| match e.phase {
            Phase::Until(t) => Some(t),
            _ => None,
        });
        times.min()
    }

    /// Begins one; whether sockets have orders by it.
    fn begin(&mut self, number: usize, at: UnixMs) -> bool {
        let Some(entry) = self.entries.get_mut(number) else { return false };
        let end = entry.of.schedule.for_ms.map(|span| UnixMs(at.0.saturating_add(span)));
        let once = match &entry.of.fault {
            Fault::Socket(fault) if fault.at_once() => fault.clone(),
            _ => {
                entry.phase = Phase::Running { end };
                return false;
            }
        };
        if let Some(future) = entry.of.scope.connection.filter(|c| *c > self.opened) {
            entry.phase = Phase::Socket(future);
            return false;
        }
        // What is done at once and has no span is over with that.
        entry.phase = Phase::Running { end: end.or(Some(at)) };
        let mut ordered = false;
        for (number, peer) in &self.peers {
            let target = peer.target(*number);
            if entry.left == Some(0) || !entry.of.scope.fits(&target) {
                continue;
            }
            entry.left = entry.left.map(|n| n - 1);
            entry.struck += 1;
            *self.struck.entry(entry.of.fault.kind()).or_default() += 1;
            self.orders.entry(*number).or_default().push(Order::Do { fault: once.clone(), until: end });
            ordered = true;
        }
        ordered
    }

    /// Tells of an event that faults may wait for; whether sockets have orders by it.
    pub(crate) fn event(&mut self, event: Event, target: &Target<'_>, now: UnixMs) -> bool {
        let mut due = Vec::new();
        for (n, entry) in self.entries.iter_mut().enumerate() {
            let Phase::Events(awaited, left) = &mut entry.phase else { continue };
            if *awaited != event || !entry.of.scope.fits(target) {
                continue;
            }
            *left = left.saturating_sub(1);
            if *left == 0 {
                due.push((n, entry.of.schedule.after_ms));
            }
        }
        let mut ordered = false;
        for (n, after) in due {
            if after > 0 {
                if let Some(entry) = self.entries.get_mut(n) {
                    entry.phase = Phase::Until(UnixMs(now.0 + after));
                }
            } else {
                ordered |= self.begin(n, now);
            }
        }
        ordered
    }

    /// Takes a socket in and says its number.
    pub(crate) fn open(&mut self, market: Market, route: &str) -> u64 {
        self.opened += 1;
        self.peers.insert(self.opened, Peer { market, route: route.to_owned() });
        self.opened
    }

    pub(crate) fn closed(&mut self, number: u64) {
        self.peers.remove(&number);
        self.orders.remove(&number);
    }

    /// What is to be done to a socket.
    pub(crate) fn orders(&mut self, number: u64) -> Vec<Order> {
        self.orders.remove(&number).unwrap_or_default()
    }

    /// What strikes `target`: of the faults in force the first that `pick` takes.
    pub(crate) fn strike<T>(
        &mut self,
        now: UnixMs,
        target: &Target<'_>,
        pick: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        self.struck_by(now, target, pick).next()
    }

    /// All that strikes `target`.
    pub(crate) fn strikes<T>(
        &mut self,
        now: UnixMs,
        target: &Target<'_>,
        pick: impl Fn(&Fault) -> Option<T>,
    ) -> Vec<T> {
        self.struck_by(now, target, pick).collect()
    }

    fn struck_by<'a, T: 'a>(
        &'a mut self,
        now: UnixMs,
        target: &'a Target<'a>,
        pick: impl Fn(&Fault) -> Option<T> + 'a,
    ) -> impl Iterator<Item = T> + 'a {
        let struck = &mut self.struck;
        self.entries.iter_mut().filter(move |e| e.in_force(now, target)).filter_map(move |e| {
            let found = pick(&e.of.fault)?;
            e.left = e.left.map(|n| n.saturating_sub(1));
            e.struck += 1;
            *struck.entry(e.of.fault.kind()).or_default() += 1;
            Some(found)
        })
    }

    /// What happens to the closing frame of a candle: the same on all sockets within the scope.
    pub(crate) fn close(
        &mut self,
        series: Series,
        open: UnixMs,
        now: UnixMs,
        target: &Target<'_>,
    ) -> Option<FrameFault> {
        for entry in &mut self.entries {
            let Fault::Frame(fault) = &entry.of.fault else { continue };
            if !fault.of_closes() {
                continue;
            }
            let known = entry.taken.contains(&(series, open)) && entry.of.scope.fits(target);
            if !known && !entry.in_force(now, target) {
                continue;
            }
            if !known {
                entry.left = entry.left.map(|n| n.saturating_sub(1));
                entry.taken.insert((series, open));
                entry.struck += 1;
                *self.struck.entry(fault.kind()).or_default() += 1;
            }
            return Some(fault.clone());
        }
        None
    }

    /// Counts what struck so often when it was injected.
    pub(crate) fn count(&mut self, kind: &'static str, times: u64) {
        *self.struck.entry(kind).or_default() += times;
    }

    /// How often each kind struck.
    pub(crate) fn struck(&self) -> BTreeMap<&'static str, u64> {
        self.struck.clone()
    }

    /// Those that wait and those in force, as they were given, with what became of them.
    pub(crate) fn list(&self, now: UnixMs) -> Value {
        let rows = self.entries.iter().filter(|e| e.left != Some(0) && !e.over(now)).map(|e| {
            let (state, time) = match e.phase {
                Phase::Until(t) => ("waiting", Some(t.0)),
                Phase::Events(..) | Phase::Socket(_) => ("waiting", None),
                Phase::Running { end } => ("in_force", end.map(|t| t.0)),
            };
            let from_or_until = if state == "waiting" { "begins" } else { "ends" };
            json!({"id": e.id, "fault": e.of.source, "state": state, from_or_until: time, "left": e.left, "struck": e.struck})
        });
        Value::Array(rows.collect())
    }
}

impl Peer {
    fn target(&self, number: u64) -> Target<'_> {
        let (market, route) = (Some(self.market), Some(self.route.as_str()));
        Target { market, route, connection: Some(number), ..Target::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::fault::parse;
    use crate::sim::fault::rest::RestFault;

    fn board(faults: &str, now: i64) -> Board {
        let mut board = Board::default();
        for fault in parse(faults).unwrap() {
            board.inject(fault, UnixMs(now));
        }
        board.advance(UnixMs(now));
        board
    }

    fn request(path: &str) -> Target<'_> {
        Target { market: Some(Market::UsdM), route: Some(path), ..Target::default() }
    }

    fn status(board: &mut Board, now: i64, path: &str) -> Option<u16> {
        board.advance(UnixMs(now));
        board.strike(UnixMs(now), &request(path), |f| match f {
            Fault::Rest(RestFault::RestError { status, .. }) => Some(*status),
            _ => None,
        })
    }

    #[test]
    fn it_strikes_as_often_as_was_said_and_is_counted() {
        let mut board = board(r#"{"kind":"rest_error","status":500,"count":2,"route":"/fapi/v1/klines"}"#, 0);
        assert_eq!(status(&mut board, 1, "/fapi/v1/time"), None);
        let answers: Vec<_> = (0..3).map(|_| status(&mut board, 1, "/fapi/v1/klines")).collect();
        assert_eq!(answers, [Some(500), Some(500), None]);
        assert_eq!(board.struck(), BTreeMap::from([("rest_error", 2)]));
    }

    #[test]
    fn spans_begin_at_their_time_and_end_on_the_exchanges_clock() {
        let mut board = board(r#"{"kind":"rest_error","status":503,"at":1000,"for_ms":100}"#, 0);
        assert_eq!(board.next_due(), Some(UnixMs(1_000)));
        let at = [999, 1_000, 1_099, 1_100].map(|t| status(&mut board, t, "/x"));
        assert_eq!(at, [None, Some(503), Some(503), None]);
        assert_eq!(board.list(UnixMs(1_100)), json!([]));
    }

    #[test]
    fn an_event_begins_what_waits_for_it() {
        let mut board =
            board(r#"{"kind":"rest_error","status":502,"on":"request","nth":2,"route":"/fapi"}"#, 0);
        let mut ask = |path: &str| {
            board.event(Event::Request, &request(path), UnixMs(5));
            status(&mut board, 5, path)
        };
        let answers = ["/fapi/a", "/api/a", "/fapi/b", "/fapi/c"].map(&mut ask);
        assert_eq!(answers, [None, None, Some(502), None]);
    }

    #[test]
    fn what_is_done_at_once_reaches_the_sockets_within_its_scope() {
        let mut board = Board::default();
        let (a, b) = (board.open(Market::UsdM, "/market/ws"), board.open(Market::Spot, "/ws"));
        let inject = |text: &str, board: &mut Board| {
            board.inject(parse(text).unwrap().remove(0), UnixMs(0));
            board.advance(UnixMs(0))
        };
        assert!(inject(r#"{"kind":"ws_cut","market":"spot","for_ms":10}"#, &mut board));
        assert!(board.orders(a).is_empty());
        let order = Order::Do { fault: SocketFault::WsCut {}, until: Some(UnixMs(10)) };
        assert_eq!(board.orders(b), [order]);
        // A socket that is yet to come is waited for.
        assert!(!inject(r#"{"kind":"ws_cut","connection":3}"#, &mut board));
        let c = board.open(Market::UsdM, "/market/ws");
        assert!(board.advance(UnixMs(1)) && board.orders(c).len() == 1);
    }
}
