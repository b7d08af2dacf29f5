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

impl Rig {
    /// The machine sleeps, and its monotonic clock with it. Only the wall clock tells.
    fn sleep(&mut self, by: i64) {
        self.zero += by * 1_000;
        self.step(Input::Slept(Duration::from_secs(by.unsigned_abs())));
    }

    fn is_asleep(&mut self, name: &str) {
        let lane = self.lane(name);
        let why = lane.why.map(|w| w.to_string());
        assert_eq!(
            (lane.state, why.as_deref()),
            (DataState::Stale, Some("the machine slept; waiting for data"))
        );
        assert_eq!((lane.preview, lane.price_side), (None, None), "what forms now is not known");
    }
}

/// A laptop sleeps an hour, and nobody answers yet: by our reckoning no time has passed.
#[test]
fn after_a_sleep_that_our_clock_did_not_count_nothing_is_live_before_anybody_answers() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.now = rig.now + Duration::from_secs(10);
    let before = rig.server();
    assert!(rig.lane("BTCUSDT").preview.is_some());
    rig.sleep(3_600);
    for second in 0..40 {
        for name in names {
            rig.is_asleep(name);
        }
        let picture = rig.snapshot();
        assert_eq!(picture.clock, None, "no age is told by a clock that missed an hour");
        assert_ne!(picture.links.first().unwrap().state, LinkState::Up);
        if second == 20 {
            // What waited in the socket since before the sleep proves nothing.
            let (kline, finality) = (bar_to(N, 498.0, 12), Finality::Forming);
            let (key, received) = (key("BTCUSDT"), rig.now);
            let event = KlineEvent { conn: CONN, key, kline, finality, event_time: before, received };
            rig.step(Input::Feed(FeedEvent::Kline(event)));
        }
        rig.now = rig.now + Duration::from_secs(1);
        rig.step(Input::Tick); // the time request is never answered
    }
    rig.time();
    assert_ne!(rig.state("ETHUSDT").0, DataState::Live);
    // The first frame of after is the socket's word, for quiet pairs too; what closed is fetched.
    rig.form("BTCUSDT", N + 4);
    assert_eq!(rig.snapshot().links.first().unwrap().state, LinkState::Up);
    let mut rows = bars(N - HISTORY..N + 4);
    rows.push(bar_to(N + 4, 400.0, 10));
    rig.until(rig.server().0 / STEP, rig.server().0 % STEP + 5_000);
    rig.answer_all(&rows);
    rig.form("BTCUSDT", N + 4);
    for name in names {
        assert_eq!(rig.state(name), (DataState::Live, None), "{name}");
        assert_eq!(rig.series(name), bars(N - HISTORY..N + 4));
    }
    assert!(rig.snapshot().clock.is_some());
}

/// An answer that was under way when the machine fell asleep tells the time of then.
#[test]
fn an_answer_of_before_the_sleep_is_not_the_time_of_after() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N, 840_000);
    let (asked, server) = (rig.now, rig.server());
    rig.now = rig.now + Duration::from_millis(50);
    rig.sleep(3_600);
    let answer = TimeAnswer { server, sent: asked, received: rig.now };
    rig.step(Input::Fetched(Fetched::Time { market: Market::UsdM, result: Ok(answer) }));
    rig.is_asleep("BTCUSDT");
    rig.tick();
    assert_eq!(rig.snapshot().clock.map(|c| c.at(rig.now)), Some(rig.server()), "asked again at once");
}

/// Somebody set the wall clock: the exchange says that no time is missing.
#[test]
fn a_wall_clock_that_was_set_costs_no_more_than_a_question() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    rig.now = rig.now + Duration::from_secs(2);
    rig.step(Input::Slept(Duration::from_secs(86_400)));
    rig.is_asleep("ETHUSDT");
    rig.tick();
    assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None), "before any frame");
    assert_eq!(rig.requests(), []);
    rig.step(Input::SetBack(Duration::from_secs(86_400)));
    assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None));
}

/// After the sleep the time can't be had: two pairs that agree tell it, one frame does not.
#[test]
fn after_a_sleep_without_the_time_two_streams_that_agree_tell_it() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.now = rig.now + Duration::from_secs(10);
    rig.sleep(3_600);
    rig.step(Input::Tick);
    rig.no_time();
    for name in names {
        rig.is_asleep(name);
    }
    rig.form("BTCUSDT", N + 4);
    for name in names {
        rig.is_asleep(name);
    }
    rig.form("ETHUSDT", N + 4);
    rig.step(Input::Tick);
    let requests = rig.requests();
    assert_eq!(requests.len(), 2, "four bars are missing in each");
    let mut rows = bars(N..N + 4);
    rows.push(bar_to(N + 4, 400.0, 10));
    for request in &requests {
        rig.answer(request, &rows);
    }
    for name in names {
        rig.form(name, N + 4);
        assert_eq!(rig.state(name), (DataState::Live, None), "{name}");
    }
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
