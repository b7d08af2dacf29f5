//! Engine and the fetcher's queue together: what one lets the other take in is settled on both sides.

use super::*;

fn refresh(rig: &mut Rig, waiting: &mut Waiting) {
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    queue(rig, waiting);
}

fn queue(rig: &mut Rig, waiting: &mut Waiting) {
    rig.requests().into_iter().for_each(|request| waiting.add(request));
}

/// Answers all that waits; how many requests that were.
fn serve(rig: &mut Rig, waiting: &mut Waiting, rows: &[Kline]) -> usize {
    let mut served = 0;
    while let Some(request) = waiting.start() {
        served += 1;
        rig.answer_queued(request, rows, rig.now);
        queue(rig, waiting);
    }
    served
}

#[test]
fn a_repair_that_waits_survives_a_check_of_its_series() {
    for repair_first in [true, false] {
        let (mut rig, mut waiting) = (Rig::live(&["BTCUSDT"]), Waiting::default());
        rig.now = Mono::from_millis(u64::try_from(4 * STEP - 119_000).unwrap());
        if repair_first {
            rig.close("BTCUSDT", N + 3);
            queue(&mut rig, &mut waiting);
            refresh(&mut rig, &mut waiting);
        } else {
            refresh(&mut rig, &mut waiting);
            rig.close("BTCUSDT", N + 3);
            queue(&mut rig, &mut waiting);
        }
        // REST knows but one of the three yet: the gap stays, and is asked for again.
        assert_eq!(serve(&mut rig, &mut waiting, &bars(N - HISTORY..N + 1)), 1, "one covers both");
        assert_eq!(rig.state("BTCUSDT"), (DataState::Stale, Some("gap of 2 bars".to_owned())));
        let said = rig.notices(Level::Info);
        assert_eq!(said.last().unwrap(), "all series: 1 added (9 bars, at most the last 9 of a series)");
        rig.now = rig.now + Duration::from_secs(10);
        rig.tick();
        queue(&mut rig, &mut waiting);
        assert_eq!(serve(&mut rig, &mut waiting, &bars(N - HISTORY..N + 3)), 1);
        assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 4));
        assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
        assert_eq!((rig.engine.tasks.len(), rig.engine.checks.len()), (0, 0));
    }
}

#[test]
fn a_refusal_settles_the_repair_and_the_check_it_stands_for() {
    let (mut rig, mut waiting) = (Rig::live(&["BTCUSDT"]), Waiting::default());
    rig.now = Mono::from_millis(u64::try_from(4 * STEP - 119_000).unwrap());
    rig.close("BTCUSDT", N + 3);
    queue(&mut rig, &mut waiting);
    refresh(&mut rig, &mut waiting);
    let error = ExchangeError { kind: ErrorKind::Transient, message: CleanText::new("timed out") };
    let refused = waiting.start().unwrap().ended(Err(error));
    rig.step(Input::Fetched(refused));
    assert!(rig.notices(Level::Warn).last().unwrap().contains("not checked: timed out"));
    rig.now = rig.now + Duration::from_secs(2);
    rig.tick();
    queue(&mut rig, &mut waiting);
    assert_eq!(serve(&mut rig, &mut waiting, &bars(N - HISTORY..N + 3)), 1, "the repair is tried again");
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
}

#[test]
fn a_key_pressed_three_times_is_one_check_and_it_ends() {
    let (mut rig, mut waiting) = (Rig::live(&["BTCUSDT", "ETHUSDT"]), Waiting::default());
    refresh(&mut rig, &mut waiting);
    refresh(&mut rig, &mut waiting);
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    queue(&mut rig, &mut waiting);
    let said = rig.notices(Level::Info);
    let under_way: Vec<&str> = said.iter().filter_map(|n| n.strip_suffix(": a check is under way")).collect();
    assert_eq!(under_way, ["all series", "BTCUSDT"]);
    assert_eq!(serve(&mut rig, &mut waiting, &bars(N - HISTORY..N)), 2);
    assert_eq!(
        rig.notices(Level::Info).last().unwrap(),
        "all series: all equal (18 bars, at most the last 9 of a series)"
    );
    assert_eq!((rig.engine.tasks.len(), rig.engine.checks.len()), (0, 0));
    refresh(&mut rig, &mut waiting);
    assert_eq!(serve(&mut rig, &mut waiting, &bars(N - HISTORY..N)), 2, "and it can be asked for again");
}
