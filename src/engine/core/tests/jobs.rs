//! Jobs and keys: what a round asks for, what a check by hand finds and says.

use super::*;
use crate::market::snapshot::{Check, Compared, Verdict};
use crate::schedule::{JobId, JobView, Mode, Run, ScheduleCommand, Trigger};

const MINUTE: i64 = 60_000;

impl Rig {
    fn job(&mut self, id: JobId) -> JobView {
        self.snapshot().schedule.jobs.into_iter().find(|j| j.id == id).unwrap()
    }

    fn last_run(&mut self, id: JobId) -> Run {
        *self.job(id).last().unwrap()
    }

    fn ask(&mut self, command: ScheduleCommand) {
        self.step(Input::Command(Command::Schedule(command)));
    }

    /// Presses `r` on a pair; the request that makes.
    fn verify(&mut self, name: &str) -> KlinesRequest {
        self.step(Input::Command(Command::Refresh(Scope::One(pair(name)))));
        let request = self.one_request();
        assert_eq!(request.priority, Priority::User);
        request
    }

    fn verdict(&mut self, name: &str) -> Verdict {
        match self.lane(name).check {
            Some(Check::Told { at, verdict }) if at == self.now => verdict,
            other => panic!("{other:?}"),
        }
    }

    fn asks_for_a_list(&mut self) -> bool {
        let before = self.out.len();
        self.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Universe(_))));
        self.out.len() < before
    }
}

fn equal(bars: u32) -> Verdict {
    Verdict::Compared(Compared { equal: bars, ..Compared::default() })
}

#[test]
fn a_check_shows_that_it_is_under_way_and_then_what_it_found() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    assert_eq!(rig.lane("BTCUSDT").check, None);
    let request = rig.verify("BTCUSDT");
    assert_eq!(rig.lane("BTCUSDT").check, Some(Check::Asked(rig.now)));
    assert_eq!(rig.lane("ETHUSDT").check, None, "nobody asked about that one");
    rig.now = rig.now + Duration::from_secs(1);
    rig.answer(&request, &bars(N - 3..N));
    assert_eq!(rig.verdict("BTCUSDT"), equal(3), "three were compared, whatever is held");
}

#[test]
fn a_corrected_bar_is_named_and_taken_over() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let request = rig.verify("BTCUSDT");
    let mut rows = bars(N - 5..N);
    rows[2] = bar_to(N - 3, 480.0, 100);
    rig.answer(&request, &rows);
    let first = Some(UnixMs((N - 3) * STEP));
    let found = Compared { equal: 4, corrected: 1, first, ..Compared::default() };
    assert_eq!(rig.verdict("BTCUSDT"), Verdict::Compared(found));
    assert!(rig.series("BTCUSDT").contains(&rows[2]));
    assert_eq!(rig.snapshot().stats.upkeep.corrections, 1);
    // The next check finds it as it is.
    let request = rig.verify("BTCUSDT");
    rig.answer(&request, &rows);
    assert_eq!(rig.verdict("BTCUSDT"), equal(5));
}

#[test]
fn a_bar_rest_has_first_is_added_and_one_it_knows_less_of_is_kept() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    // Past the margin, before the stream's word is overdue.
    rig.until(N + 1, 4_000);
    let request = rig.verify("BTCUSDT");
    let mut rows = bars(N - 2..N + 1);
    rows[0] = bar_to(N - 2, 501.0, 99);
    rig.answer(&request, &rows);
    let found = Compared { equal: 1, added: 1, lagging: 1, ..Compared::default() };
    assert_eq!(rig.verdict("BTCUSDT"), Verdict::Compared(found));
    assert!(rig.series("BTCUSDT").contains(&bar(N - 2)), "as the stream told it");
}

#[test]
fn a_check_that_could_not_be_made_says_why_and_never_that_all_is_well() {
    let wait = Duration::from_secs(120);
    for (kind, why) in [
        (ErrorKind::Banned { wait }, "banned 2m00s"),
        (ErrorKind::RateLimited { wait }, "REST pauses 2m00s"),
        (ErrorKind::NoConnection, "no connection"),
        (ErrorKind::Restricted, "not served here"),
        (ErrorKind::Transient, "timed out"),
    ] {
        let mut rig = Rig::live(&["BTCUSDT"]);
        rig.down(&["BTCUSDT"]);
        let request = rig.verify("BTCUSDT");
        rig.refuse(&request, kind, "timed out");
        assert_eq!(rig.verdict("BTCUSDT"), Verdict::Failed(CleanText::new(why)));
        assert_eq!(rig.state("BTCUSDT").0, DataState::Stale);
        if kind == ErrorKind::Restricted {
            // The place is asked once, and no series is.
            rig.step(Input::Command(Command::Refresh(Scope::All)));
            assert_eq!(rig.requests(), []);
            assert_eq!(rig.verdict("BTCUSDT"), Verdict::Failed(CleanText::new(why)));
        }
    }
}

#[test]
fn what_is_looked_at_is_checked_first_and_one_series_can_be_asked_about_alone() {
    let names = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"];
    let mut rig = Rig::live(&names);
    rig.step(Input::Command(Command::Visible(vec![pair("SOLUSDT")])));
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    let asked: Vec<String> = rig.requests().iter().map(|r| r.key.pair.symbol.to_string()).collect();
    assert_eq!(asked, ["SOLUSDT", "BTCUSDT", "ETHUSDT", "XRPUSDT"]);

    let mut rig = Rig::live(&names);
    rig.step(Input::Command(Command::Refresh(Scope::Series(key("XRPUSDT")))));
    assert_eq!(rig.one_request().key, key("XRPUSDT"));
    let elsewhere = SeriesKey::new(pair("XRPUSDT"), Interval::D1);
    rig.step(Input::Command(Command::Refresh(Scope::Series(elsewhere))));
    assert_eq!(rig.requests(), [], "it is not held");
}

#[test]
fn a_pair_that_comes_back_has_no_verdict_of_before() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    let request = rig.verify("ETHUSDT");
    rig.relist_without_eth();
    assert_eq!(rig.lane("ETHUSDT").check, None);
    rig.answer(&request, &bars(N - 3..N));
    assert_eq!(rig.lane("ETHUSDT").check, None, "the answer was to nothing that is asked now");
}

impl Rig {
    fn relist_without_eth(&mut self) {
        let answer = UniverseAnswer {
            trading: vec![Instrument {
                pair: pair("BTCUSDT"),
                base: sym("BTCUSDT"),
                quote: sym("USDT"),
                tick: Tick { decimals: 2 },
            }],
            day: vec![DayEvent {
                pair: pair("BTCUSDT"),
                last: 499.0,
                change_pct: 1.0,
                quote_volume: 1e9,
                event_time: self.server(),
            }],
            not_trading: vec![pair("ETHUSDT")],
            ..UniverseAnswer::default()
        };
        self.step(Input::Fetched(Fetched::Universe { market: Market::UsdM, result: Ok(answer) }));
    }
}

#[test]
fn the_first_round_begins_with_the_pairs_and_waits_for_the_warm_up_without_a_request_of_its_own() {
    let names = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
    let mut rig = Rig::new(config());
    assert_eq!(rig.job(JobId::Refresh).current, None, "there is nothing to look at");
    rig.start(&names);
    rig.tick();
    let (run, progress) = rig.job(JobId::Refresh).current.unwrap();
    assert_eq!((run.trigger, progress.done, progress.total), (Trigger::Start, 0, 3));
    let requests = rig.requests();
    assert_eq!(requests.len(), 3, "the warm-up's");
    rig.now = rig.now + Duration::from_secs(2);
    rig.answer(&requests[0], &bars(N - HISTORY..N));
    rig.answer(&requests[1], &bars(N - HISTORY..N));
    let (_, progress) = rig.job(JobId::Refresh).current.unwrap();
    assert_eq!((progress.done, progress.rate()), (2, Some(1.0)));
    rig.refuse(&requests[2], ErrorKind::Rejected, "no such symbol");
    let run = rig.last_run(JobId::Refresh);
    let c = run.counts;
    assert_eq!((c.ok, c.loaded, c.repaired, c.failed, c.fresh), (2, 2, 0, 1, 0), "nothing was broken");
    assert_eq!((run.took, rig.job(JobId::Refresh).bad), (Duration::from_secs(2), 1));
    assert_eq!(rig.requests(), []);
}

#[test]
fn a_round_over_fresh_series_asks_nothing_and_takes_no_time() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.tick();
    let first = rig.last_run(JobId::Refresh);
    assert_eq!(first.trigger, Trigger::Start);
    rig.until(N, 8 * MINUTE);
    assert_eq!(rig.requests(), []);
    let run = rig.last_run(JobId::Refresh);
    assert_eq!((run.number, run.trigger, run.took), (first.number + 1, Trigger::Timer, Duration::ZERO));
    assert_eq!((run.counts.ok, run.counts.fresh, run.counts.failed), (2, 2, 0));
    assert_eq!(run.at, Some(UnixMs(run.at.unwrap().0)), "told in the exchange's time");
    assert!(rig.snapshot().rows.iter().all(|r| r.lanes[0].check.is_none()), "nothing was compared");
}

#[test]
fn a_round_asks_about_exactly_what_lacks_a_bar_and_counts_what_became_of_it() {
    let mut rig = behind(&["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    rig.ask(ScheduleCommand::Run(JobId::Refresh));
    let requests = rig.requests();
    let asked: Vec<_> = requests.iter().map(|r| (r.key.clone(), r.priority)).collect();
    let wanted = ["ETHUSDT", "SOLUSDT"].map(|n| (key(n), Priority::Background));
    assert_eq!(asked, wanted, "after whatever else waits");
    let (_, progress) = rig.job(JobId::Refresh).current.unwrap();
    assert_eq!((progress.done, progress.total), (1, 3));

    let mut rows = bars(N - 4..N + 1);
    rows[1] = bar_to(N - 3, 480.0, 200);
    rig.answer(&requests[0], &rows);
    let found = rig.verdict("ETHUSDT");
    assert!(
        matches!(found, Verdict::Compared(c) if (c.equal, c.corrected, c.added) == (3, 1, 1)),
        "{found:?}"
    );
    rig.refuse(&requests[1], ErrorKind::NoConnection, "no route");
    assert_eq!(rig.verdict("SOLUSDT"), Verdict::Failed(CleanText::new("no connection")));
    let run = rig.last_run(JobId::Refresh);
    assert_eq!(run.trigger, Trigger::Key);
    let c = run.counts;
    assert_eq!((c.ok, c.fresh, c.loaded, c.repaired, c.failed), (2, 1, 0, 1, 1));
    let said = rig.notices(Level::Warn);
    assert_eq!(said.last().unwrap(), "refresh: 2 ok (1 fresh, 1 repaired), 1 failed");
    assert_eq!((rig.engine.tasks.len(), rig.engine.checks.len()), (0, 0));
}

/// The first is live; the others lost their stream just before a close, which is past.
fn behind(names: &[&str]) -> Rig {
    let mut rig = Rig::live(names);
    rig.until(N, STEP - 10_000);
    rig.down(&names[1..]);
    rig.until(N + 1, 100);
    rig.close(names[0], N);
    rig.form(names[0], N + 1);
    rig.until(N + 1, 3_500);
    assert_eq!(rig.requests(), [], "a short loss is made up for at its end");
    rig
}

#[test]
fn a_run_asked_for_twice_is_one_run() {
    let mut rig = behind(&["BTCUSDT", "ETHUSDT"]);
    let before = rig.last_run(JobId::Refresh).number;
    rig.ask(ScheduleCommand::Run(JobId::Refresh));
    rig.ask(ScheduleCommand::Run(JobId::Refresh));
    let request = rig.one_request();
    assert!(rig.notices(Level::Info).contains(&"refresh: a run is under way".to_owned()));
    rig.answer(&request, &bars(N - 3..N + 1));
    let job = rig.job(JobId::Refresh);
    assert_eq!((job.current, job.last().unwrap().number), (None, before + 1));
    assert_eq!(rig.requests(), []);
}

#[test]
fn a_run_does_not_wait_for_a_series_that_has_gone() {
    let mut rig = behind(&["BTCUSDT", "ETHUSDT"]);
    rig.ask(ScheduleCommand::Run(JobId::Refresh));
    assert_eq!(rig.one_request().key, key("ETHUSDT"));
    assert!(rig.job(JobId::Refresh).current.is_some());
    rig.relist_without_eth();
    let run = rig.last_run(JobId::Refresh);
    assert_eq!((run.trigger, run.counts.ok, run.counts.failed), (Trigger::Key, 1, 0));
}

#[test]
fn a_stopped_schedule_begins_nothing_until_it_is_started() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.tick();
    rig.out.clear();
    rig.ask(ScheduleCommand::Stop);
    assert_eq!(rig.snapshot().schedule.mode, Mode::Stopped);
    let before = rig.last_run(JobId::Refresh).number;
    for minutes in 3..14 {
        rig.until(N, minutes * MINUTE);
    }
    rig.close("BTCUSDT", N);
    rig.until(N + 1, 5 * MINUTE);
    let (refresh, universe) = (rig.job(JobId::Refresh), rig.job(JobId::Universe));
    assert_eq!((refresh.last().unwrap().number, refresh.next, universe.next), (before, None, None));
    assert!(!rig.asks_for_a_list(), "eighteen minutes without a list");
    rig.ask(ScheduleCommand::Start);
    assert!(rig.asks_for_a_list(), "that was due, and so was a round");
    assert_eq!(rig.last_run(JobId::Refresh).number, before + 1);
    rig.ask(ScheduleCommand::Start);
    assert_eq!(rig.last_run(JobId::Refresh).number, before + 1);
}

#[test]
fn lists_of_pairs_are_a_job_with_an_interval_and_runs() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let first = rig.last_run(JobId::Universe);
    assert_eq!((first.trigger, first.counts.ok), (Trigger::Start, 1));
    let job = rig.job(JobId::Universe);
    let next = job.next.unwrap().since(rig.now);
    assert_eq!(job.every, Duration::from_secs(600));
    assert!((590..900).contains(&next.as_secs()), "{next:?}");
    let quarter = Duration::from_secs(120);
    rig.ask(ScheduleCommand::Every(JobId::Universe, quarter));
    let next = rig.job(JobId::Universe).next.unwrap().since(rig.now);
    assert!((quarter..quarter * 3 / 2).contains(&next), "{next:?}");
    rig.out.clear();
    rig.ask(ScheduleCommand::Run(JobId::Universe));
    assert!(rig.asks_for_a_list());
    assert!(rig.job(JobId::Universe).current.is_some());
    let error = ExchangeError { kind: ErrorKind::Transient, message: CleanText::new("timed out") };
    rig.step(Input::Fetched(Fetched::Universe { market: Market::UsdM, result: Err(error) }));
    let run = rig.last_run(JobId::Universe);
    assert_eq!((run.trigger, run.counts.ok, run.counts.failed), (Trigger::Key, 0, 1));
    assert_eq!(rig.job(JobId::Universe).bad, 1);
}

#[test]
fn a_shorter_interval_counts_at_once() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.tick();
    let before = rig.last_run(JobId::Refresh).number;
    rig.ask(ScheduleCommand::Every(JobId::Refresh, Duration::from_secs(60)));
    rig.until(N, 5 * MINUTE + 10_000);
    let run = rig.last_run(JobId::Refresh);
    assert_eq!((run.number, rig.requests()), (before + 3, vec![]), "three in three minutes");
}

#[test]
fn a_table_that_is_shown_once_has_no_jobs() {
    let mut rig = Rig::new(EngineConfig { rest_only: true, ..config() });
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.until(N, 14 * MINUTE);
    assert_eq!((rig.snapshot().schedule.mode, rig.job(JobId::Refresh).last()), (Mode::Off, None));
    rig.ask(ScheduleCommand::Run(JobId::Refresh));
    assert_eq!(rig.requests(), []);
    assert!(rig.notices(Level::Info).contains(&"refresh: there is no scheduler here".to_owned()));
}
