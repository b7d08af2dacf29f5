//! The scheduler's and the cache's views.

use super::*;
use crate::app::Effect;
use crate::domain::interval::Interval;
use crate::engine::{Command, Scope};
use crate::market::snapshot::{Check, Compared, Verdict};
use crate::schedule::{Begin, JobId, Outcome, Schedule, ScheduleCommand, Settings, Trigger};

const SECOND: Duration = Duration::from_secs(1);

/// Two rounds are over, a third is under way and somebody asked for a list of pairs that failed.
fn worked() -> Schedule {
    let mut schedule = Schedule::new(&Settings::default());
    let begin = |schedule: &mut Schedule, job, secs: u64, total| {
        let back = i64::try_from(MADE.0.as_secs()).unwrap() - i64::try_from(secs).unwrap();
        let at = Some(UnixMs(NOW.0 - back * 1_000));
        schedule.begin(job, Begin { now: Mono(SECOND * u32::try_from(secs).unwrap()), at, total, seed: 0 });
    };
    begin(&mut schedule, JobId::Universe, 0, 1);
    schedule.count(JobId::Universe, Outcome::Same, 1, Mono::from_millis(310));
    begin(&mut schedule, JobId::Refresh, 1, 36);
    schedule.count(JobId::Refresh, Outcome::Loaded, 33, Mono::from_millis(2_840));
    schedule.count(JobId::Refresh, Outcome::Failed, 3, Mono::from_millis(3_840));
    schedule.want(JobId::Universe);
    begin(&mut schedule, JobId::Universe, 5, 1);
    schedule.count(JobId::Universe, Outcome::Failed, 1, Mono::from_millis(5_900));
    schedule.want(JobId::Refresh);
    begin(&mut schedule, JobId::Refresh, 6, 36);
    schedule.count(JobId::Refresh, Outcome::Fresh, 36, Mono(SECOND * 6));
    schedule.want(JobId::Refresh);
    begin(&mut schedule, JobId::Refresh, 7, 36);
    schedule.count(JobId::Refresh, Outcome::Fresh, 20, Mono(SECOND * 7));
    schedule.count(JobId::Refresh, Outcome::Repaired, 4, Mono(SECOND * 9));
    schedule
}

fn with_jobs() -> Snapshot {
    let mut picture = assorted();
    picture.schedule = worked().view();
    picture
}

fn scheduler(size: (u16, u16)) -> App {
    let mut app = app_of(with_jobs(), size);
    press(&mut app, "5");
    app
}

fn sent(app: &mut App, keys: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    for chord in Chord::parse_macro(keys).unwrap() {
        commands.extend(app.update(app.now(), Msg::Key(chord)).into_iter().filter_map(|e| match e {
            Effect::Send(command) => Some(command),
            _ => None,
        }));
    }
    commands
}

#[test]
fn scheduler_120x36() {
    insta::assert_snapshot!(shown(&scheduler((120, 36))));
}

#[test]
fn scheduler_80x24() {
    let mut app = scheduler((80, 24));
    press(&mut app, "j");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn scheduler_60x16() {
    insta::assert_snapshot!(shown(&scheduler((60, 16))));
}

#[test]
fn a_stopped_scheduler_and_one_that_is_off_say_so() {
    let mut picture = assorted();
    let mut app = app_of(picture.clone(), (80, 24));
    press(&mut app, "5");
    let text = shown(&app);
    for word in ["RUNNING", "refresh has not run yet", "none is over yet", "no run is under way"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    let mut stopped = worked();
    stopped.stop();
    picture.schedule = stopped.view();
    app.update(MADE, Msg::Snapshot(Arc::new(picture.clone())));
    let text = shown(&app);
    assert!(text.contains("STOPPED  no job begins") && text.contains(" stopped "), "{text}");
    assert!(text.contains("running"), "the run under way goes on\n{text}");
    picture.schedule = Schedule::new(&Settings { enabled: false, ..Settings::default() }).view();
    app.update(MADE, Msg::Snapshot(Arc::new(picture)));
    assert!(shown(&app).contains("there is no scheduler here"));
    assert_eq!(sent(&mut app, "rs+-"), []);
}

#[test]
fn keys_run_stop_and_set_the_interval_of_the_job_under_the_cursor() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let schedule = |c| Command::Schedule(c);
    let mut app = scheduler((80, 24));
    assert_eq!(sent(&mut app, "r"), [], "it is running");
    assert!(app.toast().unwrap().text.contains("refresh is running"));
    assert_eq!(sent(&mut app, "s"), [schedule(ScheduleCommand::Stop)]);
    // Keys are faster than pictures.
    let every = |n| schedule(ScheduleCommand::Every(JobId::Refresh, minutes(n)));
    assert_eq!(sent(&mut app, "++-"), [every(10), every(15), every(10)]);
    assert!(app.toast().unwrap().text.contains("refresh runs every 10m"));
    assert_eq!(sent(&mut app, "jr"), [schedule(ScheduleCommand::Run(JobId::Universe))]);
    assert_eq!(sent(&mut app, "-"), [schedule(ScheduleCommand::Every(JobId::Universe, minutes(5)))]);
    let mut stopped = worked();
    stopped.stop();
    let mut picture = assorted();
    picture.schedule = stopped.view();
    app.update(MADE, Msg::Snapshot(Arc::new(picture)));
    assert_eq!(sent(&mut app, "s"), [schedule(ScheduleCommand::Start)]);
    assert_eq!(worked().view().jobs[0].last().unwrap().trigger, Trigger::Key);
}

/// Some rows are being checked, some have been.
fn with_checks() -> Snapshot {
    let mut picture = assorted();
    let found = |c| Some(Check::Told { at: MADE, verdict: Verdict::Compared(c) });
    let equal = Compared { equal: 99, ..Compared::default() };
    let first = Some(UnixMs(NOW.0 - 131_000));
    for row in &mut picture.rows {
        let row = Arc::make_mut(row);
        let checks = match row.pair.symbol.as_str() {
            "BTCUSDT" => [found(equal), found(equal), found(equal)],
            "ETHUSDT" => [Some(Check::Asked(MADE)), found(equal), Some(Check::Asked(MADE))],
            "SOLUSDT" => [found(Compared { equal: 98, corrected: 1, first, ..equal }), None, None],
            "ADAUSDT" => {
                let verdict = Verdict::Failed(CleanText::new("banned 2m00s"));
                [Some(Check::Told { at: MADE, verdict }), None, None]
            }
            _ => continue,
        };
        for (lane, check) in row.lanes.iter_mut().zip(checks) {
            lane.check = check;
        }
    }
    picture
}

#[test]
fn a_check_is_marked_while_it_runs_and_its_finding_stands_in_the_note() {
    let app = app_of(with_checks(), (140, 36));
    let text = shown(&app);
    let line = |name: &str| text.lines().find(|l| l.contains(name)).unwrap_or_else(|| panic!("{text}"));
    assert!(line("ETHUSDT").starts_with(" ?") && line("ETHUSDT").contains("checking 2 of 3"), "{text}");
    assert!(line("BTCUSDT").contains("297 bars equal, just now"), "{text}");
    assert!(line("SOLUSDT").contains("1 bar corrected 15m 14:00, just now"), "{text}");
    assert!(line("ADAUSDT").contains("could not ask: banned 2m00s"), "{text}");
    assert!(line("ADAUSDT").starts_with(" !"), "stale as it was\n{text}");
    // Where there is no room for notes, the sign is there.
    let text = shown(&app_of(with_checks(), (60, 16)));
    assert!(text.lines().any(|l| l.starts_with(" ?") && l.contains("ETHUSDT")), "{text}");
}

#[test]
fn cache_series_120x36() {
    let mut app = app_of(with_checks(), (120, 36));
    press(&mut app, "4<tab>");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn cache_series_80x24() {
    let mut app = app_of(with_checks(), (80, 24));
    press(&mut app, "4<tab>jj");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn cache_60x16() {
    let mut app = app_of(with_checks(), (60, 16));
    press(&mut app, "4");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn the_series_that_are_worst_off_come_first_and_the_key_checks_the_one_under_the_cursor() {
    let mut app = app_of(assorted(), (120, 36));
    press(&mut app, "4");
    let text = shown(&app);
    let first: Vec<&str> = text.lines().skip_while(|l| !l.contains("LAST CLOSE")).skip(1).take(4).collect();
    assert!(first[0].contains("FOOUSDT") && first[0].contains("failed"), "{text}");
    assert!(first[3].contains("ADAUSDT") && first[3].contains("stale"), "{text}");
    let pair = row("FOOUSDT").build().pair;
    let key = |interval| crate::domain::symbol::SeriesKey::new(pair.clone(), interval);
    assert_eq!(sent(&mut app, "r"), [Command::Refresh(Scope::Series(key(Interval::M15)))]);
    assert_eq!(sent(&mut app, "jr"), [Command::Refresh(Scope::Series(key(Interval::H1)))]);
    // The filter applies, and where nothing matches nothing is asked.
    press(&mut app, "/btc<ret>g");
    assert!(shown(&app).contains("series  1 of 3"), "{}", shown(&app));
    press(&mut app, "/zzz<ret>");
    assert_eq!(sent(&mut app, "r"), []);
    assert!(shown(&app).contains("0 of 12 match"));
}

#[test]
fn an_interval_that_nobody_took_is_not_stepped_from() {
    let every =
        |n: u64| Command::Schedule(ScheduleCommand::Every(JobId::Refresh, Duration::from_secs(n * 60)));
    let mut app = scheduler((80, 24));
    assert_eq!(sent(&mut app, "+"), [every(10)]);
    app.update(MADE, Msg::Busy(every(10)));
    assert!(app.toast().unwrap().text.contains("busy"));
    assert_eq!(sent(&mut app, "+"), [every(10)]);
    app.update(MADE, Msg::Busy(Command::Schedule(ScheduleCommand::Stop)));
    assert_eq!(sent(&mut app, "+"), [every(15)], "that one was taken");
}

#[test]
fn a_jobs_times_are_on_one_clock_and_its_delay_is_said() {
    let mut picture = with_jobs();
    picture.schedule.jobs.iter_mut().for_each(|j| j.next = Some(Mono(MADE.0 + SECOND * 840)));
    let line = |picture: Snapshot| {
        let mut app = app_of(picture, (80, 24));
        press(&mut app, "5");
        let text = shown(&app);
        text.lines().find(|l| l.contains("   universe ")).unwrap().to_owned()
    };
    let market = line(picture.clone());
    assert!(
        market.contains(" 10m +0-5m ") && market.contains(" in 14m ") && market.contains("5s ago"),
        "{market}"
    );
    // Ten minutes of a replay that is sixty times as fast.
    let demo = line(crate::fixture::as_demo(picture, NOW));
    assert!(demo.contains(" 10s +0-5s "), "{demo}");
}
