//! One market's requests: its queue, its budget, the exchange's clock.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::JoinSet;

use super::http::{self, Answer, Call, Parsed};
use super::queue::{Ask, Job, Queue};
use super::streak::Streak;
use super::{FetchConfig, refused};
use crate::domain::clock::Clock;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::symbol::Market;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::backoff::Backoff;
use crate::exchange::binance::endpoint::Endpoint;
use crate::exchange::budget::{Budget, Route, Wait};
use crate::exchange::{
    BudgetReport, ErrorKind, ExchangeError, FetchRequest, Fetched, KlinesAnswer, Priority, TimeAnswer,
    UniverseAnswer,
};
use crate::stopwatch::Stopwatch;

/// How old the time of the exchange may get before it is asked again.
const SYNC_EVERY: Duration = Duration::from_secs(600);

/// Who waits longer than this is told why instead.
const PATIENCE: Duration = Duration::from_secs(120);

/// How soon after a failed probe the next one goes when somebody waits for it.
const PROBE_SOON: Duration = Duration::from_secs(1);

/// A request that ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) market: Market,
    job: Job,
    /// What it was charged.
    weight: u32,
    answer: Answer,
}

/// No request gets through: one at a time finds out when that is over.
#[derive(Debug)]
struct Cut {
    backoff: Backoff,
    /// Probes that failed.
    failures: u32,
    /// When the last one did.
    failed: Mono,
    /// When the next one goes.
    next: Mono,
}

#[derive(Debug)]
pub(super) struct Pool {
    endpoint: Endpoint,
    client: Result<reqwest::Client, ExchangeError>,
    queue: Queue,
    budget: Budget,
    /// The exchange's clock; until it is known only the time is asked for.
    clock: Option<Clock>,
    synced: Mono,
    under_way: usize,
    concurrency: usize,
    syncing: bool,
    blocked_until: Option<Mono>,
    cut: Option<Cut>,
    /// Why the exchange wants a pause and until when, as long as nothing shows that it is over.
    hold: Option<(HoldKind, Mono)>,
    streak: Streak,
    /// Why all is refused for the time of a long ban.
    banned: Option<ExchangeError>,
    /// The place we ask from is refused, and since when: but for the time nothing is asked, and who
    /// gets that ends it.
    restricted: Option<(ExchangeError, Mono)>,
    requests: u64,
    failed: u64,
    reported: bool,
    rate: f64,
    timeout: Duration,
    retries: u32,
    stopwatch: Stopwatch,
}

type Answers = VecDeque<Fetched>;

impl Pool {
    pub(super) fn new(
        endpoint: Endpoint,
        client: Result<reqwest::Client, ExchangeError>,
        config: &FetchConfig,
    ) -> Self {
        Self {
            client,
            queue: Queue::default(),
            budget: Budget::new(endpoint.market()),
            endpoint,
            clock: None,
            synced: Mono::default(),
            under_way: 0,
            concurrency: config.concurrency.max(1),
            syncing: false,
            blocked_until: None,
            cut: None,
            hold: None,
            streak: Streak::default(),
            banned: None,
            restricted: None,
            requests: 0,
            failed: 0,
            reported: true,
            rate: config.clock_rate,
            timeout: config.timeout,
            retries: config.retries,
            stopwatch: config.stopwatch,
        }
    }

    pub(super) fn market(&self) -> Market {
        self.endpoint.market()
    }

    /// Takes a request in, or answers it where it is known that it can't be served.
    pub(super) fn take(&mut self, request: FetchRequest, now: Mono, answers: &mut Answers) {
        if self.budget.held_until(now).is_none() {
            self.banned = None;
        }
        if let Some(mut error) = self.known_refusal(&request).cloned() {
            error.kind = error.kind.with_pause(self.pause(now));
            answers.push_back(refused(request, error));
            return;
        }
        self.hurry(&request);
        match request {
            FetchRequest::Time(_) => self.queue.add_single(Ask::Time, Priority::User),
            FetchRequest::Universe(_) => self.queue.add_single(Ask::Universe(None), Priority::User),
            FetchRequest::Klines(request) if request.bars == 0 => {
                let answer = KlinesAnswer { rows: Vec::new(), skipped: 0, sent: now, received: now };
                answers.push_back(Fetched::Klines { request, covers: Vec::new(), result: Ok(answer) });
            }
            FetchRequest::Klines(request) => self.queue.add_klines(self.market(), request),
        }
    }

    /// Why a request need not be sent.
    fn known_refusal(&self, request: &FetchRequest) -> Option<&ExchangeError> {
        let is_probe = matches!(request, FetchRequest::Time(_));
        let restricted = self.restricted.as_ref().filter(|_| !is_probe).map(|(error, _)| error);
        self.client.as_ref().err().or(self.banned.as_ref()).or(restricted)
    }

    /// For how long nothing is sent.
    fn pause(&self, now: Mono) -> Duration {
        self.budget.held_until(now).map_or(Duration::ZERO, |until| until.since(now))
    }

    /// Somebody who waits is not kept waiting for the end of a long pause between probes.
    fn hurry(&mut self, request: &FetchRequest) {
        let waits = !matches!(request, FetchRequest::Klines(k) if k.priority != Priority::User);
        if let Some(cut) = self.cut.as_mut().filter(|_| waits) {
            cut.next = cut.next.min(cut.failed + PROBE_SOON);
            self.blocked_until = None;
        }
    }

    /// Starts the next request, if there is one and the budget has room.
    pub(super) fn start_one(&mut self, now: Mono, tasks: &mut JoinSet<Done>) -> bool {
        self.queue.wake(now);
        let Ok(client) = self.client.clone() else { return false };
        if self.under_way >= self.concurrency {
            return false;
        }
        if self.blocked_until.is_some_and(|t| t > now) || self.queue.is_empty() {
            return false;
        }
        self.blocked_until = None;
        if let Some(cut) = &self.cut {
            if self.under_way > 0 {
                return false;
            }
            if cut.next > now {
                self.blocked_until = Some(cut.next);
                return false;
            }
        }
        if self.syncing {
            // Without the exchange's clock there is no minute to charge.
            if self.clock.is_none() && !matches!(self.queue.first(), Some(Job { ask: Ask::Sync, .. })) {
                return false;
            }
        } else if self.clock.is_none() || (self.restricted.is_none() && now.since(self.synced) > SYNC_EVERY) {
            self.syncing = true;
            self.queue.add_single(Ask::Sync, Priority::User);
        }
        let Some(weight) = self.queue.first().map(|job| self.weight(job)) else { return false };
        let theirs = self.theirs(now).unwrap_or_default();
        if let Err(wait) = self.budget.charge(weight, theirs, now) {
            self.blocked_until = Some(match wait {
                Wait::Held(until) => until,
                // A millisecond more, since the way back from their clock may round down.
                Wait::Minute(at) => self.clock.map_or(now, |c| c.when(at)) + Duration::from_millis(1),
            });
            self.reported = false;
            return false;
        }
        let Some(job) = self.queue.pop() else { return false };
        self.requests += 1;
        self.under_way += 1;
        let call = self.call(client, &job, now);
        tasks.spawn(async move {
            let answer = http::call_guarded(&call, &job.ask).await;
            Done { market: call.market, job, weight, answer }
        });
        true
    }

    fn theirs(&self, now: Mono) -> Option<UnixMs> {
        self.clock.map(|c| c.at(now))
    }

    fn weight(&self, job: &Job) -> u32 {
        match &job.ask {
            Ask::Sync | Ask::Time => Route::Time.weight(self.market()),
            Ask::Universe(None) => Route::ExchangeInfo.weight(self.market()),
            Ask::Universe(Some(_)) => Route::Day.weight(self.market()),
            Ask::Klines(series) => series.pager.next_page().map_or(0, |page| page.weight),
        }
    }

    fn call(&self, client: reqwest::Client, job: &Job, now: Mono) -> Call {
        let url = match &job.ask {
            Ask::Sync | Ask::Time => self.endpoint.time_url(),
            Ask::Universe(None) => self.endpoint.exchange_info_url(),
            Ask::Universe(Some(_)) => self.endpoint.day_url(),
            Ask::Klines(series) => match series.pager.next_page() {
                Some(page) => self.endpoint.klines_url(&series.request.key, page),
                // Does not occur: a job whose pages are all here is answered, not queued.
                None => self.endpoint.time_url(),
            },
        };
        let long = matches!(job.ask, Ask::Universe(_));
        Call {
            client,
            stopwatch: self.stopwatch,
            market: self.market(),
            url,
            asked: self.endpoint.rest_base().to_owned(),
            timeout: self.timeout * if long { 2 } else { 1 },
            now: self.theirs(now),
        }
    }

    /// Takes a request's end.
    pub(super) fn done(&mut self, done: Done, now: Mono, answers: &mut Answers) {
        let Done { job, weight, answer, .. } = done;
        self.under_way -= 1;
        self.reported = false;
        match &answer.result {
            Err(e) if e.kind == ErrorKind::NoConnection => {
                self.budget.give_back(weight);
            }
            _ => {
                self.cut = None;
                self.budget.ended(weight, self.theirs(answer.received).unwrap_or_default());
            }
        }
        let (used_weight, sent, received) = (answer.used_weight, answer.sent, answer.received);
        self.answered(job, answer, now, answers);
        if let Some((error, _)) = &self.restricted {
            // Pages and tries that would have followed.
            let error = error.clone();
            for job in self.queue.drain_but_time() {
                self.refuse(job, error.clone(), answers);
            }
        }
        // After the answer, since the first one brings the clock by which the figure is read.
        if let (Some(used), Some(clock)) = (used_weight, self.clock) {
            self.budget.heard(used, clock.at(sent), clock.at(received));
        }
    }

    fn answered(&mut self, job: Job, answer: Answer, now: Mono, answers: &mut Answers) {
        match answer.result {
            Ok(parsed) => {
                self.streak.answered(&job.ask);
                self.hold.take_if(|(_, until)| answer.sent >= *until);
                self.progress(job, parsed, (answer.sent, answer.received), answers);
            }
            Err(error) => {
                self.failed += 1;
                self.streak.failed(&job.ask, error.kind, now);
                self.failure(job, error, now, answers);
            }
        }
    }

    fn progress(
        &mut self,
        mut job: Job,
        parsed: Parsed,
        (sent, received): (Mono, Mono),
        answers: &mut Answers,
    ) {
        let market = self.market();
        match (job.ask, parsed) {
            (ask @ (Ask::Sync | Ask::Time), Parsed::Time(server)) => {
                self.sync(sent, received, server);
                // One that left before was served before.
                self.restricted.take_if(|(_, since)| sent >= *since);
                if matches!(ask, Ask::Sync) {
                    self.syncing = false;
                } else {
                    let result = Ok(TimeAnswer { server, sent, received });
                    answers.push_back(Fetched::Time { market, result });
                }
            }
            (Ask::Universe(_), Parsed::Info(info)) => {
                if let Some(limit) = info.weight_limit {
                    self.budget.set_limit(limit);
                }
                job.ask = Ask::Universe(Some(info));
                self.queue.put_back(job);
            }
            (Ask::Universe(Some(info)), Parsed::Day(day, skipped)) => {
                let result = Ok(UniverseAnswer {
                    trading: info.trading,
                    others: info.others,
                    not_trading: info.not_trading,
                    day,
                    skipped: info.skipped,
                    unread: info.unread,
                    unknown: info.unknown,
                    skipped_day: skipped,
                });
                answers.push_back(Fetched::Universe { market, result });
            }
            (Ask::Klines(mut series), Parsed::Rows(page)) => {
                series.take(page, sent);
                if series.pager.next_page().is_some() {
                    job.ask = Ask::Klines(series);
                    self.queue.put_back(job);
                } else {
                    answers.push_back(series.answer(sent, received));
                }
            }
            // `http::read` pairs them; the pairs above are all there are.
            (_, _) => {}
        }
    }

    fn sync(&mut self, sent: Mono, received: Mono, server: UnixMs) {
        let fresh = || Clock::new(received, server, self.rate);
        let mut clock = self.clock.filter(|c| now_agrees(*c, received, server)).unwrap_or_else(fresh);
        clock.sync(sent, received, server);
        self.clock = Some(clock);
        let trip = clock.uncertainty().unwrap_or(Duration::MAX).as_secs_f64() * clock.rate();
        self.budget.set_edge(Duration::try_from_secs_f64(trip).unwrap_or(Duration::MAX));
        self.synced = received;
    }

    fn failure(&mut self, mut job: Job, mut error: ExchangeError, now: Mono, answers: &mut Answers) {
        job.tries += 1;
        let again = job.tries <= self.retries;
        if let Some((kind, wait)) = error.kind.hold() {
            self.held(kind, now + self.clock.map_or(wait, |c| c.ours(wait)), now);
        }
        match error.kind {
            ErrorKind::RateLimited { .. } | ErrorKind::Forbidden { .. } | ErrorKind::Banned { .. } => {
                // What an earlier one wants may last longer.
                let pause = self.pause(now);
                error.kind = error.kind.with_pause(pause);
                if again && pause <= PATIENCE {
                    self.queue.put_back(job);
                } else {
                    if pause > PATIENCE {
                        self.banned.get_or_insert_with(|| error.clone());
                    }
                    self.refuse_all(job, &error, answers);
                }
            }
            ErrorKind::NoConnection => self.unreached(job, &error, now, answers),
            ErrorKind::Transient if again => {
                let wait = job.backoff.failed(now, fastrand::f64());
                self.queue.put_off(job, now + wait);
            }
            // No place: no other request fares better.
            ErrorKind::Restricted => {
                self.restricted = Some((error.clone(), now));
                self.refuse_all(job, &error, answers);
            }
            _ if matches!(job.ask, Ask::Sync) && self.clock.is_none() => {
                self.refuse_all(job, &error, answers);
            }
            _ => self.refuse(job, error, answers),
        }
    }

    /// A pause within a ban is a ban still.
    fn held(&mut self, kind: HoldKind, until: Mono, now: Mono) {
        let worst = self.hold.filter(|(_, until)| *until > now).map_or(kind, |(before, _)| before.max(kind));
        self.budget.hold(until);
        self.hold = self.budget.held_until(now).map(|until| (worst, until));
    }

    /// The way to the exchange is cut. Nothing of that is the request's fault: it waits, until
    /// enough probes have failed to tell all that wait.
    fn unreached(&mut self, job: Job, error: &ExchangeError, now: Mono, answers: &mut Answers) {
        let cut = self.cut.get_or_insert_with(|| Cut {
            backoff: Backoff::default(),
            failures: 0,
            failed: now,
            next: now,
        });
        // Those that were under way together failed for one cause.
        if self.under_way == 0 {
            cut.failures += 1;
            cut.failed = now;
            cut.next = now + cut.backoff.failed(now, fastrand::f64());
        }
        if cut.failures > self.retries {
            self.refuse_all(job, error, answers);
        } else {
            self.queue.put_back(job);
        }
    }

    fn refuse_all(&mut self, job: Job, error: &ExchangeError, answers: &mut Answers) {
        self.refuse(job, error.clone(), answers);
        for waiting in self.queue.drain() {
            self.refuse(waiting, error.clone(), answers);
        }
    }

    fn refuse(&mut self, job: Job, error: ExchangeError, answers: &mut Answers) {
        let market = self.market();
        answers.push_back(match job.ask {
            Ask::Sync => {
                self.syncing = false;
                // An old clock is better than none; it is not asked again at once.
                self.synced = self.stopwatch.now();
                return;
            }
            Ask::Time => Fetched::Time { market, result: Err(error) },
            Ask::Universe(_) => Fetched::Universe { market, result: Err(error) },
            Ask::Klines(series) => series.ended(Err(error)),
        });
    }

    pub(super) fn has_report(&self) -> bool {
        !self.reported
    }

    pub(super) fn report(&mut self) -> Option<BudgetReport> {
        if self.reported {
            return None;
        }
        self.reported = true;
        let known = self.hold.zip(self.clock);
        let held = known.map(|((kind, until), clock)| Hold { kind, until: clock.at(until) });
        Some(BudgetReport {
            market: self.market(),
            used: self.budget.used(),
            minute: self.budget.minute(),
            limit: self.budget.limit(),
            held,
            failing: self.streak.since(),
            requests: self.requests,
            failed: self.failed,
        })
    }

    /// When something may start without an answer coming first.
    pub(super) fn next_wake(&self) -> Option<Mono> {
        if self.under_way >= self.concurrency {
            return None;
        }
        let blocked = self.blocked_until.filter(|_| !self.queue.is_empty());
        blocked.or_else(|| self.queue.next_wake())
    }

    pub(super) fn idle(&self) -> bool {
        self.queue.is_empty() && self.under_way == 0
    }
}

/// Whether a clock is still about right. One that is not (the machine slept, the other side is
/// another one now) is replaced at once, however good the answer is.
fn now_agrees(clock: Clock, now: Mono, server: UnixMs) -> bool {
    let off = clock.at(now).0.abs_diff(server.0);
    off < 5_000 || clock.ours(Duration::from_millis(off)) < Duration::from_secs(5)
}

#[cfg(test)]
mod tests;
