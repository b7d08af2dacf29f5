use super::*;

fn at(secs: u64) -> Mono {
    Mono(Duration::from_secs(secs))
}

fn begin(schedule: &mut Schedule, total: u32, secs: u64) -> bool {
    schedule.begin(JobId::Refresh, Begin { now: at(secs), at: None, total, seed: 0 })
}

fn due(schedule: &Schedule, secs: u64) -> Option<Trigger> {
    schedule.due(JobId::Refresh, at(secs))
}

/// Begins a run of one thing and ends it at once.
fn run(schedule: &mut Schedule, secs: u64) -> Run {
    assert!(begin(schedule, 1, secs));
    schedule.count(JobId::Refresh, Outcome::Same, 1, at(secs)).unwrap()
}

fn fresh() -> Schedule {
    Schedule::new(&Settings::default())
}

#[test]
fn the_table_is_in_the_order_of_the_enum() {
    for (n, spec) in JOBS.iter().enumerate() {
        assert_eq!((spec.id as usize, spec.id.spec().name), (n, spec.name));
        assert!(!spec.about.is_empty());
    }
}

#[test]
fn the_first_run_is_due_at_once_and_the_next_an_interval_after_its_start() {
    let mut schedule = fresh();
    assert_eq!(due(&schedule, 0), Some(Trigger::Start));
    assert!(begin(&mut schedule, 2, 10));
    schedule.count(JobId::Refresh, Outcome::Fresh, 2, at(40));
    assert_eq!((due(&schedule, 309), due(&schedule, 310)), (None, Some(Trigger::Timer)));
    assert_eq!(schedule.view().jobs[0].next, Some(at(310)));
}

#[test]
fn jitter_comes_from_outside_and_is_small() {
    let mut late = 0;
    for seed in [1_795_269_731_000, 7, -5, i64::MAX] {
        for job in JOBS {
            let wait = job.id.wait(job.every, seed);
            let most = job.every + job.every / job.spread;
            assert!((job.every..most).contains(&wait), "{} {wait:?}", job.name);
            late += usize::from(wait > job.every);
        }
    }
    assert!(late >= 6, "{late}");
}

#[test]
fn there_are_never_two_runs_of_one_job() {
    let mut schedule = fresh();
    assert!(begin(&mut schedule, 3, 0));
    assert_eq!(due(&schedule, 1_000), None, "due long since, and under way");
    assert!(!schedule.want(JobId::Refresh), "a key doesn't help either");
    assert!(!begin(&mut schedule, 2, 5), "more to do is added to the run");
    let (run, progress) = schedule.view().jobs[0].current.unwrap();
    assert_eq!((run.number, progress.total), (1, 5));
    assert_eq!(schedule.due(JobId::Universe, at(0)), Some(Trigger::Start), "others are not held up");
}

#[test]
fn what_was_missed_is_made_up_for_by_one_run() {
    let mut schedule = fresh();
    assert!(begin(&mut schedule, 1, 0));
    // Five intervals later.
    schedule.count(JobId::Refresh, Outcome::Repaired, 1, at(1_600));
    assert_eq!(due(&schedule, 1_600), Some(Trigger::Timer));
    run(&mut schedule, 1_600);
    assert_eq!((due(&schedule, 1_600), due(&schedule, 1_899)), (None, None));
    assert!(due(&schedule, 1_900).is_some());
}

#[test]
fn a_stopped_one_begins_nothing_but_what_somebody_asks_for() {
    let mut schedule = fresh();
    run(&mut schedule, 0);
    assert!(schedule.stop());
    assert!(!schedule.stop(), "it is");
    assert_eq!((due(&schedule, 9_000), schedule.view().jobs[0].next), (None, None));
    assert!(schedule.want(JobId::Refresh));
    assert_eq!(due(&schedule, 100), Some(Trigger::Key));
    assert_eq!(run(&mut schedule, 100).trigger, Trigger::Key);
    assert_eq!(due(&schedule, 100), None, "once");
    assert!(schedule.start());
    assert_eq!((due(&schedule, 399), due(&schedule, 9_000)), (None, Some(Trigger::Timer)));
}

#[test]
fn a_run_under_way_goes_on_while_stopped_and_ends() {
    let mut schedule = fresh();
    begin(&mut schedule, 2, 0);
    schedule.stop();
    schedule.count(JobId::Refresh, Outcome::Same, 1, at(1));
    let run = schedule.count(JobId::Refresh, Outcome::Failed, 1, at(3)).unwrap();
    assert_eq!((run.took, run.counts.ok, run.counts.failed), (Duration::from_secs(3), 1, 1));
    let view = &schedule.view().jobs[0];
    assert_eq!((view.good, view.bad, view.current), (0, 1, None));
}

#[test]
fn idle_until_started_and_off_for_good() {
    let mut idle = Schedule::new(&Settings { auto_start: false, ..Settings::default() });
    assert_eq!(due(&idle, 0), None);
    assert!(idle.start());
    assert_eq!(due(&idle, 77), Some(Trigger::Start));
    let mut off = Schedule::new(&Settings { enabled: false, ..Settings::default() });
    assert!(!off.start() && !off.stop() && !off.want(JobId::Refresh));
    assert_eq!((due(&off, 9_000), off.mode()), (None, Mode::Off));
}

#[test]
fn another_interval_counts_from_now_on_and_has_bounds() {
    let mut schedule = fresh();
    run(&mut schedule, 0);
    schedule.set_every(JobId::Refresh, Duration::from_secs(60), at(200), 0);
    assert_eq!((due(&schedule, 259), due(&schedule, 260)), (None, Some(Trigger::Timer)));
    let most = schedule.set_every(JobId::Refresh, Duration::MAX, at(200), 0);
    assert_eq!(most, Duration::from_secs(86_400));
    let least = schedule.set_every(JobId::Refresh, Duration::ZERO, at(200), 0);
    assert_eq!((least, schedule.every(JobId::Refresh)), (Duration::from_secs(60), least));
}

#[test]
fn the_history_is_bounded_and_newest_first() {
    let mut schedule = fresh();
    for n in 0..KEPT as u64 + 5 {
        run(&mut schedule, n * 300);
    }
    let view = &schedule.view().jobs[0];
    let numbers: Vec<u32> = view.past.iter().map(|r| r.number).collect();
    assert_eq!((numbers.len(), numbers[0], *numbers.last().unwrap()), (KEPT, 53, 6));
    assert_eq!((view.last().unwrap().number, view.good), (53, 53));
}

#[test]
fn progress_tells_the_rate_of_what_takes_time() {
    let mut schedule = fresh();
    begin(&mut schedule, 110, 0);
    schedule.count(JobId::Refresh, Outcome::Fresh, 100, at(0));
    let progress = |s: &Schedule| s.view().jobs[0].current.unwrap().1;
    assert_eq!((progress(&schedule).rate(), progress(&schedule).eta()), (None, None));
    schedule.count(JobId::Refresh, Outcome::Repaired, 4, at(2));
    let half = progress(&schedule);
    assert_eq!((half.done, half.total, half.rate()), (104, 110, Some(2.0)));
    assert_eq!((half.eta(), half.elapsed(at(5))), (Some(Duration::from_secs(3)), Duration::from_secs(5)));
    // What goes away is not waited for.
    schedule.drop_some(JobId::Refresh, 1, at(3));
    assert_eq!(progress(&schedule).total, 109);
    let run = schedule.drop_some(JobId::Refresh, 5, at(4)).unwrap();
    assert_eq!((run.counts.ok, run.counts.fresh, run.counts.repaired), (104, 100, 4));
}

#[test]
fn a_run_with_nothing_to_do_is_over_at_once() {
    let mut schedule = fresh();
    assert!(begin(&mut schedule, 0, 5));
    let view = &schedule.view().jobs[0];
    assert_eq!((view.current, view.last().map(|r| r.took)), (None, Some(Duration::ZERO)));
}
