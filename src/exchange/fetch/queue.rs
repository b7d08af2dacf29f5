//! What is still to be asked of one market, greatest priority first.
//!
//! Policy for full: every request is taken in at once. A later one for a series that still waits
//! takes the earlier in: the answer bears the later id, names the earlier ones and covers all. So
//! there are never more jobs than three a series (waiting, under way, to be retried).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::domain::symbol::{Market, SeriesKey};
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::backoff::Backoff;
use crate::exchange::binance::bodies::{ExchangeInfo, KlineRows};
use crate::exchange::pages::Pager;
use crate::exchange::{ExchangeError, Fetched, KlinesAnswer, KlinesRequest, Priority};

/// One thing to be had, and how far it got.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ask: Ask,
    place: Place,
    pub(super) tries: u32,
    pub(super) backoff: Backoff,
}

/// What is to be had.
#[derive(Debug)]
pub(super) enum Ask {
    /// The exchange's time, for our own use.
    Sync,
    /// The exchange's time.
    Time,
    /// Instruments, then figures.
    Universe(Option<Box<ExchangeInfo>>),
    /// Candles, page by page.
    Klines(Box<Series>),
}

/// A klines request under way.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) request: KlinesRequest,
    /// Ids of those that waited and were taken in.
    pub(super) covers: Vec<u64>,
    pub(super) pager: Pager,
    pub(super) skipped: u32,
    pub(super) sent: Option<Mono>,
}

impl Series {
    /// Takes a page of a request that left at `sent`.
    pub(super) fn take(&mut self, page: KlineRows, sent: Mono) {
        let Some(asked) = self.pager.next_page() else { return };
        self.skipped += page.skipped;
        let given = page.given();
        self.pager.took(asked, given, page.rows);
        if self.sent.is_none() || !self.pager.newest_first() {
            self.sent = Some(sent);
        }
    }

    /// The answer, when all pages are here.
    pub(super) fn answer(self, sent: Mono, received: Mono) -> Fetched {
        let answer = KlinesAnswer {
            rows: self.pager.into_rows(),
            skipped: self.skipped,
            sent: self.sent.unwrap_or(sent),
            received,
        };
        Fetched::Klines { request: self.request, covers: self.covers, result: Ok(answer) }
    }

    /// The answer, with all that it is one to.
    pub(super) fn ended(self, result: Result<KlinesAnswer, ExchangeError>) -> Fetched {
        Fetched::Klines { request: self.request, covers: self.covers, result }
    }
}

type Place = (Reverse<Priority>, u64);

/// The queue of one market.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: BTreeMap<Place, Job>,
    /// Places of klines jobs of which nothing was asked yet.
    fresh: HashMap<SeriesKey, Place>,
    later: Vec<(Mono, Job)>,
    counter: u64,
}

impl Queue {
    pub(super) fn add_klines(&mut self, market: Market, mut request: KlinesRequest) {
        let mut covers = Vec::new();
        if let Some(place) = self.fresh.get(&request.key)
            && let Some(Job { ask: Ask::Klines(waiting), .. }) = self.ready.remove(place)
        {
            covers = waiting.covers;
            covers.push(waiting.request.id);
            request = merged(&waiting.request, request);
        }
        let pager = Pager::new(market, request.from, request.bars);
        let (key, priority) = (request.key.clone(), request.priority);
        let series = Series { request, covers, pager, skipped: 0, sent: None };
        let place = self.add(Ask::Klines(Box::new(series)), priority);
        self.fresh.insert(key, place);
    }

    /// Adds a request of which one at a time is enough.
    pub(super) fn add_single(&mut self, ask: Ask, priority: Priority) {
        let kind = std::mem::discriminant(&ask);
        let same = |job: &Job| std::mem::discriminant(&job.ask) == kind;
        if !self.ready.values().any(same) && !self.later.iter().any(|(_, job)| same(job)) {
            self.add(ask, priority);
        }
    }

    fn add(&mut self, ask: Ask, priority: Priority) -> Place {
        self.counter += 1;
        // Nothing can go before the clock is known, whatever came first.
        let turn = if matches!(ask, Ask::Sync) { 0 } else { self.counter };
        let place = (Reverse(priority), turn);
        self.ready.insert(place, Job { ask, place, tries: 0, backoff: Backoff::default() });
        place
    }

    /// What goes next.
    pub(super) fn first(&self) -> Option<&Job> {
        self.ready.values().next()
    }

    pub(super) fn pop(&mut self) -> Option<Job> {
        let (place, job) = self.ready.pop_first()?;
        if let Ask::Klines(series) = &job.ask
            && self.fresh.get(&series.request.key) == Some(&place)
        {
            self.fresh.remove(&series.request.key);
        }
        Some(job)
    }

    /// Puts a job back that is not done yet, at its old place.
    pub(super) fn put_back(&mut self, job: Job) {
        self.ready.insert(job.place, job);
    }

    /// Puts a job back that is to be tried again at `at`.
    pub(super) fn put_off(&mut self, job: Job, at: Mono) {
        self.later.push((at, job));
    }

    /// Brings back those whose time has come.
    pub(super) fn wake(&mut self, now: Mono) {
        for (_, job) in self.later.extract_if(.., |(at, _)| *at <= now) {
            self.ready.insert(job.place, job);
        }
    }

    /// When the next one's time comes.
    pub(super) fn next_wake(&self) -> Option<Mono> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.later.is_empty()
    }

    /// Takes all out but what asks for the time.
    pub(super) fn drain_but_time(&mut self) -> Vec<Job> {
        let is_time = |job: &Job| matches!(job.ask, Ask::Sync | Ask::Time);
        self.fresh.clear();
        let (kept, out): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.ready).into_iter().partition(|(_, job)| is_time(job));
        self.ready = kept;
        let later = self.later.extract_if(.., |(_, job)| !is_time(job)).map(|(_, job)| job);
        out.into_values().chain(later).collect()
    }

    /// Takes all out.
    pub(super) fn drain(&mut self) -> Vec<Job> {
        self.fresh.clear();
        let ready = std::mem::take(&mut self.ready).into_values();
        ready.chain(self.later.drain(..).map(|(_, job)| job)).collect()
    }
}

/// A request that covers `old` and `new`, with the id of `new`.
fn merged(old: &KlinesRequest, new: KlinesRequest) -> KlinesRequest {
    let priority = old.priority.max(new.priority);
    let step = new.key.interval.millis();
    let end = |r: &KlinesRequest, from: UnixMs| from.0.saturating_add(i64::from(r.bars).saturating_mul(step));
    let (from, bars) = match (old.from, new.from) {
        (Some(a), Some(b)) => {
            let from = a.min(b);
            let span = end(old, a).max(end(&new, b)).saturating_sub(from.0);
            // Where the exchange's opens are not ours to compute, a bar may start in between.
            (Some(from), u32::try_from(span / step).unwrap_or(u32::MAX).max(old.bars).max(new.bars))
        }
        _ => (None, old.bars.max(new.bars)),
    };
    KlinesRequest { from, bars, priority, ..new }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::Interval;
    use crate::domain::symbol::Pair;

    fn ask(id: u64, symbol: &str, from: Option<i64>, bars: u32, priority: Priority) -> KlinesRequest {
        let pair = Pair { market: Market::UsdM, symbol: symbol.parse().unwrap() };
        KlinesRequest { id, key: SeriesKey::new(pair, Interval::M15), from: from.map(UnixMs), bars, priority }
    }

    fn pop(q: &mut Queue) -> Option<KlinesRequest> {
        match q.pop()?.ask {
            Ask::Klines(series) => Some(series.request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_greater_priority_goes_first_and_else_the_earlier() {
        let mut q = Queue::default();
        for (id, symbol, p) in [
            (1, "A", Priority::Warmup),
            (2, "B", Priority::Background),
            (3, "C", Priority::User),
            (4, "D", Priority::Warmup),
        ] {
            q.add_klines(Market::UsdM, ask(id, symbol, None, 10, p));
        }
        let order: Vec<u64> = std::iter::from_fn(|| pop(&mut q)).map(|r| r.id).collect();
        assert_eq!(order, [3, 1, 4, 2]);
    }

    #[test]
    fn a_later_request_for_the_series_replaces_the_waiting_one_and_covers_both() {
        let m15 = 900_000;
        for (a, b, want) in [
            (ask(1, "A", None, 400, Priority::Warmup), ask(2, "A", None, 3, Priority::User), (None, 400)),
            (
                ask(1, "A", Some(10 * m15), 3, Priority::User),
                ask(2, "A", None, 30, Priority::Gap),
                (None, 30),
            ),
            (
                ask(1, "A", Some(10 * m15), 3, Priority::Gap),
                ask(2, "A", Some(20 * m15), 5, Priority::User),
                (Some(10 * m15), 15),
            ),
        ] {
            let mut q = Queue::default();
            q.add_klines(Market::UsdM, a);
            q.add_klines(Market::UsdM, b);
            let Some(Job { ask: Ask::Klines(series), .. }) = q.pop() else { panic!("nothing waits") };
            assert_eq!(series.covers, [1]);
            let r = series.request;
            assert_eq!((r.id, r.priority, r.from.map(|t| t.0), r.bars), (2, Priority::User, want.0, want.1));
            assert!(q.is_empty());
        }
    }

    #[test]
    fn one_under_way_is_not_replaced() {
        let mut q = Queue::default();
        q.add_klines(Market::UsdM, ask(1, "A", None, 10, Priority::Warmup));
        let job = q.pop().unwrap();
        q.add_klines(Market::UsdM, ask(2, "A", None, 10, Priority::Warmup));
        q.put_back(job);
        assert_eq!((pop(&mut q).unwrap().id, pop(&mut q).unwrap().id), (1, 2));
    }

    #[test]
    fn what_is_put_off_comes_back_in_time() {
        let mut q = Queue::default();
        q.add_single(Ask::Time, Priority::User);
        q.add_single(Ask::Time, Priority::User);
        let job = q.pop().unwrap();
        assert!(q.is_empty());
        q.put_off(job, Mono::from_millis(10));
        q.add_single(Ask::Time, Priority::User);
        q.wake(Mono::from_millis(9));
        assert!(q.first().is_none() && q.next_wake() == Some(Mono::from_millis(10)));
        q.wake(Mono::from_millis(10));
        assert!(q.first().is_some());
        assert_eq!(q.drain().len(), 1);
    }
}
