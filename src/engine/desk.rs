//! What the engine knows of one market's exchange: its clock, its list of pairs, its budget.

use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::hold::Hold;
use crate::domain::kline::Kline;
use crate::domain::symbol::{Market, Symbol};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{BudgetReport, ErrorKind, ExchangeError, TimeAnswer};
use crate::market::snapshot::RestStatus;

use super::sleep::Woke;
use super::stamps::Claim;
use super::turns::Turns;
use super::universe::Roster;

/// The least time a close must lie back, on the exchange's clock, before a row of REST counts as
/// closed: rows lag behind the stream.
const MARGIN: Duration = Duration::from_secs(2);
/// An uncertain clock widens the margin up to here.
const MAX_MARGIN: Duration = Duration::from_secs(10);
/// How long after the first answer a clock that is said to run fast is compared again.
const EARLY: Duration = Duration::from_secs(2);
/// How late something may be, on the exchange's clock and on ours, before that counts against it:
/// at sixty times the speed a few of their seconds are a blink of ours.
const LATE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(2));
/// How far ahead of the exchange's clock a frame may be, on its clock and on ours.
const AHEAD: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(2));
/// How often the clock is compared.
const SYNC_EVERY: Duration = Duration::from_secs(600);
/// How often one request finds out whether the place we ask from is still refused: somebody has to
/// change that, and it is no use to be a nuisance meanwhile.
pub(super) const PROBE: Duration = Duration::from_secs(1_800);

/// A question that is asked now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// To be asked at that time.
    Due(Mono),
    /// To be asked at that time of the exchange's.
    DueThere(UnixMs),
    /// Asked, not answered.
    Asked,
    /// Answered for good.
    Done,
}

/// Whether a moment of the exchange's time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// Not yet, or nobody knows.
    No,
    /// By our reckoning; the exchange has not shown that its clock got there.
    Unproven,
    /// The exchange itself has shown a later time.
    Yes,
}

/// What a time answer told about the pace of the exchange's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing new.
    Same,
    /// It stands still.
    Stopped,
    /// It runs again.
    Started,
    /// It is known again after a sleep; whether our reckoning `held`.
    Awake {
        /// It did: nothing was slept through.
        held: bool,
    },
}

/// What a report of the budget says that is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RestNews {
    /// Nothing.
    None,
    /// The exchange wants that nothing is asked.
    Held(Hold),
    /// REST answers again.
    Back,
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) market: Market,
    rate: f64,
    clock: Option<Clock>,
    last: Option<TimeAnswer>,
    /// The exchange's clock has shown at least this.
    proven: Option<UnixMs>,
    /// A time it has shown, and when we knew: the latest by our own pace.
    shown: Option<(UnixMs, Mono)>,
    pub(super) time: Call,
    pub(super) time_failures: u32,
    /// Since when the place we ask from is refused. But for the time nothing is to be had then.
    restricted: Option<Mono>,
    /// Since when the clock is in doubt, as after a sleep.
    pub(super) woke: Option<Woke>,
    /// What the last stamp said by which our reckoning is behind.
    claim: Option<Claim>,
    pub(super) universe: Call,
    pub(super) universe_failures: u32,
    pub(super) universe_error: Option<CleanText>,
    /// Its pairs, from list to list.
    pub(super) roster: Roster,
    /// Pairs and 24 h figures of the last list that could not be read.
    pub(super) unread: [u32; 2],
    pub(super) rest: RestStatus,
    pub(super) turns: Turns,
}

impl Desk {
    pub(super) fn new(market: Market, rate: f64) -> Self {
        Self {
            market,
            rate,
            clock: None,
            last: None,
            proven: None,
            shown: None,
            time: Call::Due(Mono::default()),
            time_failures: 0,
            restricted: None,
            woke: None,
            claim: None,
            universe: Call::Due(Mono::default()),
            universe_failures: 0,
            universe_error: None,
            roster: Roster::default(),
            unread: [0; 2],
            turns: Turns::default(),
            rest: RestStatus {
                market,
                used: 0,
                minute: UnixMs(0),
                limit: 0,
                held: None,
                failing: None,
                requests: 0,
                failed: 0,
                last_error: None,
            },
        }
    }

    pub(super) fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// The exchange's time; `None` before its first answer.
    pub(super) fn now(&self, now: Mono) -> Option<UnixMs> {
        self.clock.map(|c| c.at(now))
    }

    pub(super) fn is_standing(&self) -> bool {
        self.clock.is_some_and(|c| c.is_standing())
    }

    /// How long a close must lie back to count as one.
    pub(super) fn margin(&self) -> Duration {
        let Some(clock) = self.clock.filter(|c| !c.is_standing()) else { return Duration::ZERO };
        let doubt = clock.uncertainty().unwrap_or(MAX_MARGIN).min(MAX_MARGIN).mul_f64(clock.rate());
        // The reckoning may be off by half a round trip, whatever that is on a fast clock.
        (MARGIN + doubt).min(MAX_MARGIN).max(MARGIN + doubt / 2)
    }

    /// What the exchange's clock has reached for certain: what it has shown, and from there on no
    /// more than our own pace, since the rate is but what somebody said.
    fn surely(&self, at: Mono) -> Option<UnixMs> {
        let (shown, known) = self.shown?;
        let pace = self.rate.clamp(0.0, 1.0);
        Some(if at >= known {
            shown + at.since(known).mul_f64(pace)
        } else {
            shown - known.since(at).mul_f64(pace)
        })
    }

    /// Takes a time the exchange has shown by `now`.
    fn show(&mut self, t: UnixMs, now: Mono) {
        if self.surely(now).is_none_or(|s| s < t) {
            self.shown = Some((t, now));
        }
    }

    /// Whether `t` lies so far back that what should have happened then is overdue. On a clock that
    /// stands still nothing is.
    pub(super) fn overdue(&self, t: UnixMs, now: Mono) -> bool {
        let Some(clock) = self.clock.filter(|c| !c.is_standing()) else { return false };
        clock.at(now).0 > t.0 && clock.ours(clock.at(now).since(t)) >= clock.ours(LATE.0).max(LATE.1)
    }

    /// What lies after this can't be yet, by the exchange's clock.
    pub(super) fn horizon(&self, now: Mono) -> Option<UnixMs> {
        Some(self.now(now)? + AHEAD.0.max(AHEAD.1.mul_f64(self.rate.max(1.0))))
    }

    /// Whether a frame's time can't be: too far ahead of the exchange's clock.
    pub(super) fn is_ahead(&self, t: UnixMs, now: Mono) -> bool {
        self.horizon(now).is_some_and(|horizon| t > horizon)
    }

    /// How many of `rows`, from the first, had closed when they were asked for at `sent`. Where
    /// the exchange's clock stands still no margin would ever pass, and none is needed.
    pub(super) fn proved(&self, rows: &[Kline], sent: Mono) -> usize {
        let Some(mut asked) = self.now(sent) else { return 0 };
        if !self.is_standing() {
            asked = self.surely(sent).map_or(asked, |s| asked.min(s));
        }
        let limit = asked - self.margin();
        rows.partition_point(|k| k.close_time() < limit)
    }

    /// Whether the exchange's clock is past `t`.
    pub(super) fn passed(&self, t: UnixMs, now: Mono) -> Passed {
        match self.now(now) {
            Some(theirs) if theirs >= t => {
                if self.proven.is_some_and(|p| p >= t) {
                    Passed::Yes
                } else {
                    Passed::Unproven
                }
            }
            _ => Passed::No,
        }
    }

    /// Whether a stamp shows that our reckoning is behind.
    pub(super) fn is_behind(&self, stamp: UnixMs, now: Mono) -> bool {
        self.now(now).is_some_and(|theirs| stamp > theirs + MARGIN + self.margin())
    }

    /// A frame's stamp proves that the exchange's clock got there; one from the future proves
    /// that our reckoning is off, and the clock is compared at once. Where it can't be, stamps set
    /// it that bear each other out.
    pub(super) fn witness(&mut self, stamp: UnixMs, by: &Symbol, now: Mono) {
        let Some(theirs) = self.now(now) else { return };
        self.proven = self.proven.max(Some(stamp.min(theirs)));
        self.show(stamp.min(theirs), now);
        if self.is_behind(stamp, now) {
            self.want_time(now);
            if self.time_failures > 0 && !self.is_standing() {
                // The machine slept, and nobody says the time: by the old reckoning no close would
                // be missed for as long as it slept.
                self.claim = Claim::borne_out(self.claim.take(), Claim::new(by, stamp, now), self.rate);
                if self.claim.is_none() {
                    self.clock = Some(Clock::new(now, stamp, self.rate));
                    self.proven = Some(stamp);
                    self.show(stamp, now);
                    self.woke = None;
                }
            }
        }
    }

    /// Asks for the time soon, unless that is under way or was done just now.
    pub(super) fn want_time(&mut self, now: Mono) {
        // An exchange that runs n times as fast is asked n times as often.
        let pause = Duration::from_secs(1).div_f64(self.rate.max(1.0));
        if let Call::Due(at) = self.time {
            let earliest = self.last.map_or(now, |l| l.received + pause).max(now);
            if self.time_failures == 0 && self.restricted.is_none() {
                self.time = Call::Due(at.min(earliest));
            }
        }
    }

    /// Takes the exchange's time.
    pub(super) fn time_answered(&mut self, answer: TimeAnswer) -> Pace {
        if self.woke.is_some_and(|woke| answer.sent < woke.at) {
            self.time = Call::Due(answer.received);
            return Pace::Same;
        }
        let woke = self.woke.take().is_some();
        self.claim = None;
        let was_standing = self.is_standing();
        let middle = answer.sent + answer.received.since(answer.sent) / 2;
        let stands = match self.last {
            Some(last) if answer.server <= last.server => {
                answer.sent.since(last.received).mul_f64(self.rate.max(1.0)) >= Duration::from_secs(1)
                    || was_standing
            }
            Some(_) => false,
            None => self.rate <= 0.0,
        };
        let is_fast = self.last.is_none() && self.rate > 1.0;
        self.last = Some(answer);
        self.time = Call::Due(answer.received + if is_fast { EARLY } else { SYNC_EVERY });
        self.time_failures = 0;
        // One that left before was served before.
        self.restricted = self.restricted.filter(|since| answer.sent < *since);
        if self.restricted.is_some() {
            self.time = Call::Due(answer.received + PROBE);
        }
        if stands {
            self.clock = Some(Clock::standing(middle, answer.server));
            self.proven = Some(answer.server);
            self.shown = Some((answer.server, answer.received));
            return if was_standing { Pace::Same } else { Pace::Stopped };
        }
        let fits = |c: &Clock| {
            let trips = answer.received.since(answer.sent) + c.uncertainty().unwrap_or_default();
            let slack = trips.mul_f64(c.rate()) + Duration::from_secs(1);
            c.at(middle) <= answer.server + slack && answer.server <= c.at(middle) + slack
        };
        if self.clock.is_some_and(|c| !fits(&c) && c.at(middle) > answer.server) {
            // It fell behind: does it stand?
            self.time = Call::Due(answer.received + Duration::from_secs(1));
        }
        if was_standing || self.clock.is_none_or(|c| !fits(&c)) {
            self.shown = None;
        }
        self.show(answer.server, answer.received);
        let held = self.clock.is_some_and(|c| fits(&c));
        // A clock that is plainly wrong is replaced, whatever the answer's round trip.
        let mut clock = self
            .clock
            .filter(|c| !was_standing && fits(c))
            .unwrap_or_else(|| Clock::new(middle, answer.server, self.rate));
        clock.sync(answer.sent, answer.received, answer.server);
        self.clock = Some(clock);
        self.proven = self.proven.filter(|p| *p <= answer.server).max(Some(answer.server));
        match (was_standing, woke) {
            (true, _) => Pace::Started,
            (false, true) => Pace::Awake { held },
            (false, false) => Pace::Same,
        }
    }

    /// The time could not be had: our reckoning has to do until it can.
    pub(super) fn time_failed(&mut self, kind: ErrorKind, now: Mono) {
        self.time_failures += 1;
        let wait = match kind {
            ErrorKind::Restricted => {
                self.restrict(now);
                PROBE
            }
            // A pause that lasts no time at all is none.
            kind => kind.pause().unwrap_or_default().max(backoff(self.time_failures)),
        };
        self.time = Call::Due(now + wait);
        self.proven = self.now(now).or(self.proven);
    }

    /// The place we ask from is refused, whatever was asked for.
    pub(super) fn restrict(&mut self, now: Mono) {
        if self.restricted.is_none() {
            self.restricted = Some(now);
            if let Call::Due(_) = self.time {
                self.time = Call::Due(now + PROBE);
            }
        }
    }

    pub(super) fn is_restricted(&self) -> bool {
        self.restricted.is_some()
    }

    /// Somebody wants to know at once whether the place is still refused.
    pub(super) fn probe(&mut self, now: Mono) {
        if let (true, Call::Due(_)) = (self.is_restricted(), self.time) {
            self.time = Call::Due(now);
        }
    }

    /// Notes the budget.
    pub(super) fn budget(&mut self, report: &BudgetReport, now: Mono) -> RestNews {
        let news = self.news(report, now);
        if let (RestNews::Held(hold), Some(clock), Call::Due(at)) = (news, self.clock, self.time) {
            // Somebody has to find out that it is over.
            self.time = Call::Due(at.min(clock.when(hold.until).max(now) + Duration::from_secs(1)));
        }
        self.rest.used = report.used;
        self.rest.minute = report.minute;
        self.rest.limit = report.limit;
        self.rest.held = report.held;
        self.rest.failing = report.failing;
        self.rest.requests = report.requests;
        self.rest.failed = report.failed;
        news
    }

    fn news(&self, report: &BudgetReport, now: Mono) -> RestNews {
        let theirs = self.now(now);
        let is_on = |hold: &Hold| theirs.is_none_or(|t| hold.until > t);
        let before = self.rest.held.filter(is_on).map(|hold| hold.kind);
        match report.held.filter(is_on) {
            Some(hold) if Some(hold.kind) > before => return RestNews::Held(hold),
            _ if report.held.is_some() || report.failing.is_some() => return RestNews::None,
            _ => {}
        }
        if self.rest.held.is_some() || self.rest.failing.is_some() { RestNews::Back } else { RestNews::None }
    }

    pub(super) fn note_error(&mut self, error: &ExchangeError, now: Mono) {
        self.rest.last_error = Some((error.message.clone(), now));
    }
}

/// 1, 2, 4 … 60 s.
pub(super) fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sym(s: &str) -> Symbol {
        s.parse().unwrap()
    }

    fn answer(sent: u64, server: i64) -> TimeAnswer {
        TimeAnswer {
            server: UnixMs(server),
            sent: Mono::from_millis(sent),
            received: Mono::from_millis(sent + 10),
        }
    }

    #[test]
    fn a_moment_has_passed_when_the_exchange_has_shown_so() {
        let mut desk = Desk::new(Market::UsdM, 60.0);
        assert_eq!(desk.passed(UnixMs(0), Mono::from_millis(5)), Passed::No, "no clock yet");
        desk.time_answered(answer(0, 1_000_000));
        let later = Mono::from_millis(1_005);
        assert_eq!(desk.now(later), Some(UnixMs(1_060_000)));
        assert_eq!(desk.passed(UnixMs(1_000_000), later), Passed::Yes);
        assert_eq!(desk.passed(UnixMs(1_050_000), later), Passed::Unproven);
        desk.witness(UnixMs(1_055_000), &sym("A"), later);
        assert_eq!(desk.passed(UnixMs(1_050_000), later), Passed::Yes);
        assert_eq!(desk.passed(UnixMs(1_070_000), later), Passed::No);
    }

    #[test]
    fn a_clock_that_stopped_is_found_out_and_one_that_goes_on_too() {
        let mut desk = Desk::new(Market::UsdM, 60.0);
        assert_eq!(desk.time_answered(answer(0, 1_000_000)), Pace::Same);
        // It stood still at 1 030 000; the first answer only shows that we were ahead.
        assert_eq!(desk.time_answered(answer(2_000, 1_030_000)), Pace::Same);
        assert_eq!(desk.now(Mono::from_millis(2_005)), Some(UnixMs(1_030_000)));
        assert_eq!(desk.time_answered(answer(2_100, 1_030_000)), Pace::Stopped);
        assert_eq!(desk.now(Mono::from_millis(900_000)), Some(UnixMs(1_030_000)));
        assert_eq!(desk.margin(), Duration::ZERO);
        assert_eq!(desk.time_answered(answer(700_000, 1_090_000)), Pace::Started);
        assert!(!desk.is_standing());
    }

    #[test]
    fn stamps_set_a_clock_that_slept_while_nobody_says_the_time() {
        let mut desk = Desk::new(Market::UsdM, 1.0);
        desk.time_answered(answer(0, 1_000_000));
        let woke = Mono::from_millis(10_000);
        desk.witness(UnixMs(1_310_000), &sym("A"), woke);
        desk.witness(UnixMs(1_310_000), &sym("B"), woke);
        let slow = Some(UnixMs(1_009_995));
        assert_eq!(desk.now(woke), slow, "it can be asked");
        desk.time_failed(ErrorKind::Transient, woke);
        desk.witness(UnixMs(1_310_000), &sym("A"), woke);
        desk.witness(UnixMs(9_310_000), &sym("B"), woke);
        desk.witness(UnixMs(1_310_000), &sym("A"), woke);
        assert_eq!(desk.now(woke), slow, "they contradict each other");
        desk.witness(UnixMs(1_310_000), &sym("B"), woke);
        assert_eq!(desk.now(woke), Some(UnixMs(1_310_000)));
        desk.time_answered(answer(11_000, 1_311_500));
        assert_eq!(desk.now(Mono::from_millis(11_005)), Some(UnixMs(1_311_500)));
    }

    #[test]
    fn a_time_that_failed_is_asked_for_again_when_its_failure_says_so() {
        let now = Mono::from_millis(5_000);
        let wait = Duration::from_secs(300);
        for (kind, pause) in [
            (ErrorKind::Transient, Duration::from_secs(1)),
            (ErrorKind::RateLimited { wait }, wait),
            (ErrorKind::Forbidden { wait }, wait),
            (ErrorKind::RateLimited { wait: Duration::ZERO }, Duration::from_secs(1)),
            (ErrorKind::Restricted, PROBE),
        ] {
            let mut desk = Desk::new(Market::UsdM, 1.0);
            desk.time = Call::Asked;
            desk.time_failed(kind, now);
            assert_eq!(desk.time, Call::Due(now + pause), "{kind:?}");
            desk.want_time(now);
            assert_eq!(desk.time, Call::Due(now + pause), "{kind:?}: nobody hurries it");
            desk.probe(now);
            let probed = if kind == ErrorKind::Restricted { now } else { now + pause };
            assert_eq!(desk.time, Call::Due(probed), "{kind:?}: but who wants to know of a refused place");
        }
    }

    /// The time came before the refusal of something else, or was under way then.
    #[test]
    fn a_time_that_left_before_a_refusal_does_not_end_it() {
        let mut desk = Desk::new(Market::UsdM, 1.0);
        desk.time = Call::Asked;
        desk.restrict(Mono::from_millis(5));
        desk.time_answered(answer(0, 1_000_000));
        assert_eq!((desk.is_restricted(), desk.time), (true, Call::Due(Mono::from_millis(10) + PROBE)));
        desk.time_answered(answer(1_000, 1_001_000));
        assert!(!desk.is_restricted());
    }

    #[test]
    fn a_pair_alone_sets_the_clock_when_it_says_the_same_for_a_while() {
        let mut desk = Desk::new(Market::UsdM, 1.0);
        desk.time_answered(answer(0, 1_000_000));
        desk.time_failed(ErrorKind::Transient, Mono::from_millis(10_000));
        let at = |ms: u64| Mono::from_millis(10_000 + ms);
        for ms in [0, 300, 900, 4_900] {
            desk.witness(UnixMs(2_000_000 + i64::try_from(ms).unwrap()), &sym("A"), at(ms));
        }
        assert_eq!(desk.now(at(4_900)), Some(UnixMs(1_014_895)));
        desk.witness(UnixMs(2_005_100), &sym("A"), at(5_100));
        assert_eq!(desk.now(at(5_100)), Some(UnixMs(2_005_100)));
        // A stamp that stands still is none.
        for ms in (6_000..60_000).step_by(1_000) {
            desk.witness(UnixMs(9_000_000), &sym("A"), at(ms));
        }
        assert_eq!(desk.now(at(60_000)), Some(UnixMs(2_060_000)));
    }

    #[test]
    fn a_clock_said_to_stand_stands_from_the_first_answer() {
        let mut desk = Desk::new(Market::UsdM, 0.0);
        assert_eq!(desk.time_answered(answer(0, 1_000_000)), Pace::Stopped);
        assert_eq!(desk.time_answered(answer(600_000, 1_000_000)), Pace::Same);
    }
}
