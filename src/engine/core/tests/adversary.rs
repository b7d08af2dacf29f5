//! Proofs of an adversary: each of these fails where the engine can be misled.

use super::*;

/// The fetcher's queue replaces a waiting request by a later one for the same series: "the answer
/// bears the later id and covers both" (exchange/fetch/queue.rs). The engine must live with that.
#[test]
fn a_repair_replaced_in_the_queue_by_a_check_does_not_block_the_lane_for_ever() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 6_500);
    let verify = rig.one_request();
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    let check = rig.one_request();
    assert!(check.id > verify.id);
    // Only the later one is ever answered.
    let mut rows = bars(N - HISTORY..N + 1);
    rows.push(bar_to(N + 1, 400.0, 3));
    rig.answer(&check, &rows);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    // The next close is lost as well. Somebody has to ask.
    rig.until(N + 3, 120_000);
    assert_ne!(rig.requests(), [], "no request for a close that is 17 minutes overdue");
}

/// Two checks in a row: the first must end, too.
#[test]
fn a_check_replaced_in_the_queue_by_a_repair_ends() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 4_900);
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    rig.one_request();
    rig.until(N + 1, 6_500);
    let verify = rig.one_request();
    rig.answer(&verify, &bars(N..N + 1));
    assert!(rig.notices(Level::Info).iter().any(|n| n.contains("compared")), "the check never ends");
}

/// A row of an answer that could not be read is no proof that the exchange has no such bar.
#[test]
fn an_unreadable_row_is_not_a_confirmed_hole() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = Mono::from_millis(u64::try_from(4 * STEP - 110_000).unwrap());
    rig.form("BTCUSDT", N + 4);
    let request = rig.one_request();
    let rows = vec![bar(N), bar(N + 1), bar(N + 3), bar_to(N + 4, 400.0, 10)];
    let sent = rig.now;
    let answer = KlinesAnswer { rows, skipped: 1, sent, received: rig.now };
    rig.step(Input::Fetched(Fetched::Klines { request, covers: vec![], result: Ok(answer) }));
    let missing = !rig.series("BTCUSDT").contains(&bar(N + 2));
    assert!(
        !(missing && rig.state("BTCUSDT").0 == DataState::Live),
        "live without a bar that REST sent and nobody could read"
    );
}

/// The same in the warm-up.
#[test]
fn an_unreadable_row_of_the_warm_up_is_not_a_confirmed_hole() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let request = rig.one_request();
    let mut rows = bars(N - HISTORY..N);
    rows.remove(5);
    let sent = rig.now;
    let answer = KlinesAnswer { rows, skipped: 1, sent, received: rig.now };
    rig.step(Input::Fetched(Fetched::Klines { request, covers: vec![], result: Ok(answer) }));
    rig.subscribed(&["BTCUSDT"]);
    rig.form("BTCUSDT", N);
    assert_ne!(rig.state("BTCUSDT").0, DataState::Live, "live without a bar that REST sent");
}

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

/// The clock rate is wrong (60 told, 1 in truth): a forming row must not count as closed.
#[test]
fn a_wrong_clock_rate_closes_no_forming_bar() {
    let mut rig = Rig::new(EngineConfig { clock_rate: 60.0, ..config() });
    rig.rate = 1; // the exchange's real rate
    rig.start(&["BTCUSDT"]);
    let request = rig.one_request();
    rig.now = rig.now + Duration::from_secs(20);
    rig.tick();
    let mut rows = bars(N - HISTORY..N);
    rows.push(bar_to(N, 900.0, 5));
    rig.answer(&request, &rows);
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N), "candle N has 13 minutes to go");
}

/// REST lags a little longer than usual and then is right: the bar must end as the truth.
#[test]
fn a_bar_taken_from_the_stream_for_want_of_better_is_checked_later() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N, 899_000);
    rig.frame("BTCUSDT", bar_to(N, 498.0, 90), Finality::Forming);
    for s in 6..900 {
        rig.until(N + 1, s * 1_000);
        for request in rig.requests() {
            let lagging = s < 25;
            let row = if lagging { bar_to(N, 498.5, 80) } else { bar(N) };
            rig.answer(&request, &[row]);
        }
    }
    let right = rig.series("BTCUSDT").last() == Some(&bar(N));
    assert!(right || rig.state("BTCUSDT").0 != DataState::Live, "live with a bar no source calls closed");
}

/// Three empty answers, then one that lags: that is no third lag.
#[test]
fn empty_answers_do_not_count_as_lags() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N, 899_000);
    rig.frame("BTCUSDT", bar_to(N, 498.0, 90), Finality::Forming);
    let mut answers = 0;
    for s in 6..60 {
        rig.until(N + 1, s * 1_000);
        for request in rig.requests() {
            answers += 1;
            let rows = if answers <= 3 { vec![] } else { vec![bar_to(N, 498.5, 80)] };
            if answers <= 4 {
                rig.answer(&request, &rows);
            }
        }
    }
    assert_eq!(rig.series("BTCUSDT").last(), Some(&bar(N - 1)), "the first lagging answer was overruled");
}

/// One frame with an open time far ahead (an enemy's text) must not end the lane.
#[test]
fn a_frame_from_the_future_does_not_block_a_lane() {
    for finality in [Finality::Forming, Finality::Closed] {
        let mut rig = Rig::live(&["BTCUSDT"]);
        rig.frame("BTCUSDT", bar_to(N + 100, 400.0, 10), finality);
        let mut asked = 0;
        for n in N..N + 4 {
            rig.until(n + 1, 5);
            rig.close("BTCUSDT", n);
            rig.until(n + 1, 60_000);
            rig.form("BTCUSDT", n + 1);
            for request in rig.requests() {
                asked += 1;
                let mut rows = bars(N - HISTORY..n + 1);
                rows.push(bar_to(n + 1, 400.0, 10));
                rig.answer(&request, &rows);
            }
        }
        let state = rig.state("BTCUSDT");
        assert_eq!(state, (DataState::Live, None), "{finality:?}, {asked} requests in an hour");
    }
}

/// One stamp far ahead must not freeze the price.
#[test]
fn a_stamp_from_the_future_does_not_freeze_the_price() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let day = Input::Feed(FeedEvent::Day(vec![DayEvent {
        pair: pair("BTCUSDT"),
        last: 777.0,
        change_pct: 0.0,
        quote_volume: 1.0,
        event_time: rig.server() + Duration::from_secs(86_400),
    }]));
    rig.step(day);
    rig.until(N, 600_000);
    rig.form("BTCUSDT", N);
    assert_eq!(rig.snapshot().rows.first().unwrap().last, Some(400.0));
}

/// An empty list of pairs is an incident, not a market.
#[test]
fn an_empty_universe_is_asked_for_again() {
    let mut rig = Rig::new(config());
    rig.start(&[]);
    rig.out.clear();
    for _ in 0..3_600 {
        rig.now = rig.now + Duration::from_secs(1);
        rig.tick();
    }
    assert!(rig.out.contains(&Output::Fetch(FetchRequest::Universe(Market::UsdM))), "never again");
}

/// Given up for ten minutes by a rejection; the stream heals it, and then a close is lost.
#[test]
fn a_pause_after_a_refusal_does_not_cover_the_next_lost_close() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 6_500);
    let request = rig.one_request();
    rig.refuse(&request, ErrorKind::Restricted, "451");
    rig.until(N + 1, 20_000);
    rig.close("BTCUSDT", N); // late; heals
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
    rig.until(N + 2, 300_000); // the next close is lost, the pair is quiet
    let asked = rig.requests().len();
    assert!(asked > 0 || rig.state("BTCUSDT").0 != DataState::Live, "live, and nobody asks");
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

/// A check that comes while REST is refused for long: its success ends the refusal's pause.
#[test]
fn a_successful_check_ends_the_pause_of_a_refusal() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 2, 300);
    rig.form("BTCUSDT", N + 2);
    let request = rig.one_request();
    rig.refuse(&request, ErrorKind::Rejected, "no");
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    let check = rig.one_request();
    let mut rows = bars(N - HISTORY..N + 1);
    rows.push(bar(N + 1)); // not proved yet: 300 ms after its close
    rig.answer(&check, &rows);
    rig.until(N + 2, 60_000);
    assert_ne!(rig.requests(), [], "a minute later nobody has asked for the close of N+1");
}

/// A duplicate of a closed bar with other figures and the same number of trades.
#[test]
fn a_check_corrects_a_bar_that_differs_at_equal_trades() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    let request = rig.one_request();
    let mut other = bars(N - HISTORY..N);
    *other.get_mut(7).unwrap() = bar_to(N - 2, 480.0, 100);
    rig.answer(&request, &other);
    let said = rig.notices(Level::Info).last().unwrap().clone();
    assert!(!said.contains("all equal"), "a bar differs, and it says: {said}");
}

/// The margin at a fast exchange's clock.
#[test]
fn at_rate_six_hundred_a_lopsided_round_trip_closes_nothing_early() {
    let mut desk = super::super::super::desk::Desk::new(Market::UsdM, 600.0);
    // Asked at 0 s, read by the exchange at 200 ms, answer back at once.
    let answer = |sent: u64, read: u64| TimeAnswer {
        server: UnixMs(N * STEP + i64::try_from(read).unwrap() * 600),
        sent: Mono::from_millis(sent),
        received: Mono::from_millis(read),
    };
    desk.time_answered(answer(0, 200));
    // At 1430 ms a klines request leaves and is read at once: the exchange says 858 s after N.
    let proved = desk.proved(&[bar(N)], Mono::from_millis(1_430));
    assert_eq!(proved, 0, "candle N has 42 s to go");
}
