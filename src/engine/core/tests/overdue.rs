//! Closes that do not come, and time that jumps: nothing is live that may be behind.

use super::*;

/// REST is slow (held by a 429, time-outs): a quiet lane's close is minutes overdue.
#[test]
fn a_close_overdue_for_minutes_is_not_live_while_the_question_is_open() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 6_500);
    rig.one_request(); // under way, not answered: 429 is waited out for up to two minutes, three times
    rig.until(N + 1, 300_000);
    assert_ne!(rig.state("BTCUSDT").0, DataState::Live, "five minutes after a close nobody confirmed");
}

/// A laptop sleeps an hour; REST takes its time.
#[test]
fn after_an_hour_of_sleep_nothing_is_live_until_it_is_repaired() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = rig.now + Duration::from_secs(3_600);
    rig.tick();
    rig.tick();
    assert_eq!(rig.requests().len(), 1);
    rig.now = rig.now + Duration::from_secs(20);
    rig.tick();
    assert_ne!(rig.state("BTCUSDT").0, DataState::Live, "four bars are missing");
}

/// The same with the time not to be had (no network after the sleep).
#[test]
fn after_an_hour_of_sleep_without_network_nothing_is_live() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = rig.now + Duration::from_secs(3_600);
    for _ in 0..30 {
        rig.now = rig.now + Duration::from_secs(1);
        rig.step(Input::Tick); // the time request is never answered
    }
    assert_ne!(rig.state("BTCUSDT").0, DataState::Live, "four bars are missing");
}

/// At sixty times the speed three seconds of theirs are a blink of ours.
#[test]
fn at_speed_sixty_a_close_is_in_doubt_after_two_seconds_of_ours() {
    let mut rig = Rig::new(EngineConfig { clock_rate: 60.0, ..config() });
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.subscribed(&["BTCUSDT"]);
    rig.form("BTCUSDT", N);
    rig.until(N + 1, 60_000);
    assert_eq!((rig.requests().len(), rig.state("BTCUSDT").0), (1, DataState::Live));
    rig.until(N + 1, 180_000);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale);
    rig.close("BTCUSDT", N);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
}

/// The reckoning ran ahead of an exchange that stands still: what was doubted is trusted again.
#[test]
fn a_clock_that_proves_to_be_behind_ends_the_doubt() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.stop = Some(N * STEP + 600_000);
    rig.now = rig.now + Duration::from_secs(3_600);
    rig.step(Input::Tick);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale, "nobody knows");
    rig.tick();
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    assert_eq!(rig.requests(), []);
}
