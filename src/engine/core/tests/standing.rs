//! A replay that is over: the exchange's clock stands still while ours runs on.

use super::*;

fn fast() -> Rig {
    let mut rig = Rig::new(EngineConfig { clock_rate: 60.0, ..config() });
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N + 1));
    rig.subscribed(&["BTCUSDT"]);
    rig.form("BTCUSDT", N);
    rig
}

#[test]
fn at_the_end_nothing_is_asked_and_nothing_becomes_stale() {
    let mut rig = fast();
    rig.stop = Some((N + 1) * STEP);
    rig.until(N + 1, 0);
    rig.close("BTCUSDT", N);
    let mut times = 0;
    for _ in 0..600 {
        rig.now = rig.now + Duration::from_millis(100);
        rig.step(Input::Tick);
        times += rig.out.iter().filter(|o| matches!(o, Output::Fetch(FetchRequest::Time(_)))).count();
        rig.time();
    }
    assert_eq!(rig.requests(), []);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    assert!(times <= 4, "{times} time requests in a minute");
    let clock = rig.snapshot().clock.unwrap();
    assert!(clock.is_standing());
    assert_eq!(clock.at(rig.now), UnixMs((N + 1) * STEP));
}

#[test]
fn a_last_candle_nobody_closed_is_taken_from_rest() {
    let mut rig = fast();
    rig.stop = Some((N + 1) * STEP);
    rig.until(N + 1, 60_000);
    let request = rig.one_request();
    rig.answer(&request, &bars(N..N + 1));
    assert_eq!(rig.series("BTCUSDT").last(), Some(&bar(N)));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
}

#[test]
fn a_clock_said_to_stand_needs_no_margin() {
    let mut rig = Rig::new(EngineConfig { clock_rate: 0.0, rest_only: true, ..config() });
    rig.zero = N * STEP;
    rig.stop = Some(N * STEP);
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N));
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N));
    rig.now = Mono::from_millis(3_600_000);
    rig.tick();
    assert_eq!(rig.requests(), []);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
}

#[test]
fn at_speed_sixty_closes_cost_no_request() {
    let mut rig = fast();
    for n in N..N + 8 {
        rig.until(n + 1, 3);
        rig.close("BTCUSDT", n);
        rig.until(n + 1, 60_000);
        rig.form("BTCUSDT", n + 1);
    }
    assert_eq!(rig.requests(), []);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
}

#[test]
fn a_socket_cut_for_its_silence_at_the_end_makes_nothing_stale() {
    let mut rig = fast();
    rig.stop = Some((N + 1) * STEP);
    rig.until(N + 1, 0);
    rig.close("BTCUSDT", N);
    for _ in 0..3 {
        for _ in 0..150 {
            rig.now = rig.now + Duration::from_millis(100);
            rig.tick();
        }
        rig.down(&["BTCUSDT"]);
        for _ in 0..15 {
            rig.now = rig.now + Duration::from_millis(100);
            rig.tick();
        }
        assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
        rig.subscribed(&["BTCUSDT"]);
        assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    }
    assert_eq!(rig.requests(), []);
    // It goes on, and the socket is gone.
    rig.down(&["BTCUSDT"]);
    rig.stop = None;
    rig.zero = (N + 1) * STEP - i64::try_from(rig.now.0.as_millis()).unwrap() * 60 + 60_000;
    rig.now = rig.now + Duration::from_secs(601);
    rig.tick();
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale);
}

/// A socket lost and back while the exchange's clock stood, and then it runs on.
#[test]
fn a_socket_that_connects_when_the_clock_starts_again_is_caught_up() {
    let mut rig = Rig::new(EngineConfig { clock_rate: 60.0, ..config() });
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N + 1));
    rig.subscribed(&["BTCUSDT"]);
    rig.form("BTCUSDT", N);
    rig.stop = Some((N + 1) * STEP);
    rig.until(N + 1, 0);
    rig.close("BTCUSDT", N);
    for _ in 0..150 {
        rig.now = rig.now + Duration::from_millis(100);
        rig.tick();
    }
    rig.down(&["BTCUSDT"]);
    rig.step(Input::Feed(FeedEvent::Connecting { conn: CONN, streams: 1 }));
    // It runs again, and stays without streams.
    rig.stop = None;
    rig.zero = (N + 1) * STEP - i64::try_from(rig.now.0.as_millis()).unwrap() * 60 + 60_000;
    rig.now = rig.now + Duration::from_secs(601);
    rig.tick();
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale, "no stream, and time passes");
}
