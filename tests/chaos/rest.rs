//! REST: a queue as the client's own fetcher has it, the product's budget in front, and an exchange
//! that counts for itself what it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use hamatop::domain::symbol::{Instrument, Market, Tick};
use hamatop::domain::time::UnixMs;
use hamatop::exchange::budget::{Budget, Wait, klines_weight};
use hamatop::exchange::{
    DayEvent, ErrorKind, ExchangeError, FetchRequest, Fetched, KlinesAnswer, KlinesRequest, Priority,
    TimeAnswer, UniverseAnswer,
};

use super::fault::Kind;
use super::market::{MINUTE, START, SYMBOLS, pair, series_of};
use super::world::{Event, World};

/// Requests under way at once.
const AT_ONCE: usize = 10;
/// What the exchange allows a minute, and what the client is to allow itself.
const CAP: u32 = 2_160;

/// Requests, of which those for one series that still wait become one.
pub struct Rest {
    waiting: Vec<(FetchRequest, Vec<u64>)>,
    under_way: usize,
    budget: Budget,
    pub by_minute: BTreeMap<i64, u32>,
    /// Requests sent although the exchange had asked for silence.
    pub ignored: u64,
    /// The refusal that was told last.
    told_until: i64,
    pub requests: u64,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            under_way: 0,
            budget: Budget::new(Market::UsdM),
            by_minute: BTreeMap::new(),
            ignored: 0,
            told_until: 0,
            requests: 0,
        }
    }
}

impl Rest {
    pub fn queue(&mut self, request: FetchRequest) {
        let FetchRequest::Klines(new) = request else { return self.waiting.push((request, Vec::new())) };
        let same = |r: &FetchRequest| matches!(r, FetchRequest::Klines(old) if old.key == new.key);
        let Some(at) = self.waiting.iter().position(|(r, _)| same(r)) else {
            return self.waiting.push((FetchRequest::Klines(new), Vec::new()));
        };
        if let (FetchRequest::Klines(old), covers) = &mut self.waiting[at] {
            covers.push(old.id);
            *old = merged(old, new);
        }
    }

    fn next(&mut self) -> Option<(FetchRequest, Vec<u64>)> {
        let rank = |r: &FetchRequest| match r {
            FetchRequest::Klines(k) => Some(k.priority),
            _ => None,
        };
        let first = |r: &FetchRequest| rank(r).map_or(0, |p| 1 + (Priority::User as u8 - p as u8));
        let at = (0..self.waiting.len()).min_by_key(|at| first(&self.waiting[*at].0))?;
        Some(self.waiting.remove(at))
    }

    /// The heaviest minute.
    pub fn peak(&self) -> u32 {
        self.by_minute.values().copied().max().unwrap_or(0)
    }

    pub fn over_cap(&self) -> usize {
        self.by_minute.values().filter(|w| **w > CAP).count()
    }
}

fn merged(old: &KlinesRequest, new: KlinesRequest) -> KlinesRequest {
    let priority = old.priority.max(new.priority);
    let step = new.key.interval.millis();
    let end = |r: &KlinesRequest, from: UnixMs| from.0 + i64::from(r.bars) * step;
    let (from, bars) = match (old.from, new.from) {
        (Some(a), Some(b)) => {
            let from = a.min(b);
            (Some(from), u32::try_from((end(old, a).max(end(&new, b)) - from.0) / step).unwrap())
        }
        _ => (None, old.bars.max(new.bars)),
    };
    KlinesRequest { from, bars, priority, ..new }
}

impl World {
    fn rest_struck(&mut self, kind: Kind) -> bool {
        self.struck(kind, 0)
    }

    /// An answer is here.
    pub fn served(&mut self) {
        self.rest.under_way -= 1;
        self.agenda.at(self.agenda.now, Event::Serve);
    }

    /// Sends what may be sent.
    pub fn serve(&mut self) {
        if self.sleeping().is_some() {
            let later = self.sleeping().map_or(0, |f| f.to);
            return self.agenda.at(later, Event::Serve);
        }
        while self.rest.under_way < AT_ONCE && !self.rest.waiting.is_empty() {
            let Some((request, covers)) = self.rest.next() else { return };
            let weight = match &request {
                FetchRequest::Time(_) => 1,
                FetchRequest::Universe(_) => 41,
                FetchRequest::Klines(k) => klines_weight(Market::UsdM, k.bars),
            };
            let (theirs, ours) = (self.agenda.exchange(), self.agenda.ours());
            let wait = match self.rest.budget.charge(weight, theirs, ours) {
                Ok(()) => {
                    self.leave(request, covers, weight);
                    continue;
                }
                Err(Wait::Minute(at)) => at.0 - theirs.0,
                Err(Wait::Held(at)) => {
                    let left = at.since(ours);
                    self.refuse(request, covers, left);
                    continue;
                }
            };
            self.rest.waiting.insert(0, (request, covers));
            return self.agenda.at(self.agenda.now + wait + 1, Event::Serve);
        }
    }

    /// Told to wait, without having been sent.
    fn refuse(&mut self, request: FetchRequest, covers: Vec<u64>, wait: Duration) {
        let kind = ErrorKind::RateLimited { wait };
        self.rest.under_way += 1;
        let fetched = failed(request, covers, &ExchangeError::new(kind, "the exchange wants a pause"));
        self.agenda.at(self.agenda.now + 1, Event::Answer(Box::new(fetched)));
    }

    fn leave(&mut self, request: FetchRequest, covers: Vec<u64>, weight: u32) {
        self.rest.under_way += 1;
        self.rest.requests += 1;
        let now = self.agenda.now;
        *self.rest.by_minute.entry((START + now).div_euclid(MINUTE)).or_default() += weight;
        if now < self.rest.told_until {
            self.rest.ignored += 1;
        }
        let mut trip = self.agenda.span(self.rng.i64(80..220));
        if self.rest_struck(Kind::RestSlow) {
            trip = self.agenda.span(self.rng.i64(3_000..25_000));
        }
        let refused = self.refused_until();
        let fetched = if let Some(until) = refused {
            self.rest.told_until = until;
            let ours = Duration::from_millis(u64::try_from((until - now) / self.agenda.rate).unwrap());
            self.rest.budget.hold(self.agenda.ours() + ours + Duration::from_millis(1));
            let kind = ErrorKind::RateLimited { wait: ours };
            trip = self.agenda.span(20);
            failed(request, covers, &ExchangeError::new(kind, "too many requests (429)"))
        } else if self.rest_struck(Kind::RestErrors) && self.rng.u8(..10) < 8 {
            failed(request, covers, &ExchangeError::new(ErrorKind::Transient, "bad gateway (502)"))
        } else {
            self.answer(request, covers, trip)
        };
        self.agenda.at(now + trip, Event::Answer(Box::new(fetched)));
    }

    fn refused_until(&mut self) -> Option<i64> {
        let now = self.agenda.now;
        let active = self.faults.iter().filter(|f| f.kind == Kind::RestRefuses);
        let until = active.filter(|f| (f.from..f.to).contains(&now)).map(|f| f.to).max();
        if until.is_some() {
            self.feel(Kind::RestRefuses);
        }
        until
    }

    /// What the exchange says, as of the middle of the trip.
    fn answer(&mut self, request: FetchRequest, covers: Vec<u64>, trip: i64) -> Fetched {
        let sent = self.agenda.ours();
        let received = sent + Duration::from_micros(u64::try_from(trip * 1_000 / self.agenda.rate).unwrap());
        let mut there = START + self.agenda.now + trip / 2;
        match request {
            FetchRequest::Time(market) => {
                if self.rest_struck(Kind::TimeSkew) {
                    there += self.rng.i64(-700..=700);
                }
                let answer = TimeAnswer { server: UnixMs(there), sent, received };
                Fetched::Time { market, result: Ok(answer) }
            }
            FetchRequest::Universe(market) => Fetched::Universe { market, result: Ok(universe(there)) },
            FetchRequest::Klines(request) => {
                if self.rest_struck(Kind::RestLags) {
                    there -= self.rng.i64(0..1_200);
                }
                let answer = self.rows(&request, there);
                let answer = KlinesAnswer { sent, received, ..answer };
                Fetched::Klines { request, covers, result: Ok(answer) }
            }
        }
    }

    fn rows(&mut self, request: &KlinesRequest, until: i64) -> KlinesAnswer {
        let series = series_of(&request.key);
        let (bars, step) = (i64::from(request.bars), request.key.interval.millis());
        let from = request.from.map_or(until - (bars + 40) * step, |f| f.0);
        let mut rows = self.truth.candles(series, from, i64::MAX, until);
        let bars = usize::try_from(bars).unwrap();
        match request.from {
            Some(_) => rows.truncate(bars),
            None => drop(rows.drain(..rows.len().saturating_sub(bars))),
        }
        let mut skipped = 0;
        if self.rest_struck(Kind::RestTorn) {
            if self.rng.bool() {
                rows.clear();
            } else if !rows.is_empty() {
                rows.remove(self.rng.usize(..rows.len()));
                skipped = 1;
            }
        }
        let none = hamatop::domain::time::Mono::default();
        KlinesAnswer { rows, skipped, sent: none, received: none }
    }
}

fn failed(request: FetchRequest, covers: Vec<u64>, error: &ExchangeError) -> Fetched {
    match request {
        FetchRequest::Time(market) => Fetched::Time { market, result: Err(error.clone()) },
        FetchRequest::Universe(market) => Fetched::Universe { market, result: Err(error.clone()) },
        FetchRequest::Klines(request) => Fetched::Klines { request, covers, result: Err(error.clone()) },
    }
}

fn universe(now: i64) -> UniverseAnswer {
    let mut answer = UniverseAnswer::default();
    for symbol in 0..SYMBOLS {
        let pair = pair(symbol);
        answer.day.push(DayEvent {
            pair: pair.clone(),
            last: 10.0,
            change_pct: 0.0,
            quote_volume: 1e9 - f64::from(u32::try_from(symbol).unwrap()),
            event_time: UnixMs(now),
        });
        let (base, quote) = (pair.symbol.clone(), "USDT".parse().unwrap());
        answer.trading.push(Instrument { pair, base, quote, tick: Tick { decimals: 4 } });
    }
    answer
}
