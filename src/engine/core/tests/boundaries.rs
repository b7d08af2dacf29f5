//! What happens around the close of a candle.

use super::*;

/// A request answered before or after the close, and the stream's word before or after the answer:
/// each bar is there once, in the end the lane is live, and the forming row was never taken for a
/// closed one.
#[test]
fn item_12_every_alignment_of_rest_and_stream_at_a_close_gives_each_candle_once() {
    for rest_after_close in [false, true] {
        for stream_first in [false, true] {
            let mut rig = Rig::new(config());
            rig.until(N, 890_000);
            rig.start(&["BTCUSDT"]);
            let request = rig.one_request();
            rig.subscribed(&["BTCUSDT"]);
            // REST sees candle N forming, or closed a second ago and N+1 begun.
            let sent = if rest_after_close {
                rig.until(N + 1, 1_000);
                rig.now
            } else {
                rig.now
            };
            let rows = if rest_after_close {
                let mut rows = bars(N - HISTORY..N + 1);
                rows.push(bar_to(N + 1, 400.0, 3));
                rows
            } else {
                let mut rows = bars(N - HISTORY..N);
                rows.push(bar_to(N, 499.5, 60));
                rows
            };
            rig.until(N + 1, 1_200);
            if stream_first {
                rig.close("BTCUSDT", N);
                rig.answer_sent(&request, &rows, sent);
            } else {
                rig.answer_sent(&request, &rows, sent);
                assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N), "not proved, not closed");
                rig.close("BTCUSDT", N);
            }
            rig.form("BTCUSDT", N + 1);
            assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 1));
            assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
            assert_eq!(rig.requests(), [], "after={rest_after_close} first={stream_first}");
        }
    }
}

#[test]
fn a_row_is_closed_when_its_close_lies_two_seconds_before_the_request() {
    for (ms, closed) in [(1_000, false), (2_500, true)] {
        let mut rig = Rig::new(config());
        rig.start(&["BTCUSDT"]);
        let request = rig.one_request();
        rig.until(N + 1, ms);
        rig.answer(&request, &bars(N - HISTORY..N + 1));
        assert_eq!(rig.series("BTCUSDT").last() == Some(&bar(N)), closed, "{ms} ms after the close");
    }
}

/// The time can't be had for a while: what the rows of then would have proved later is no news.
#[test]
fn without_a_clock_nothing_is_loaded_and_the_warm_up_signals_nothing_whenever_it_comes() {
    let mut rig = Rig::new(config());
    rig.step(Input::Tick);
    rig.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Time(_))));
    rig.start(&["BTCUSDT", "ETHUSDT"]);
    rig.subscribed(&["BTCUSDT"]);
    rig.frame("BTCUSDT", bar_to(N, 499.5, 10), Finality::Forming);
    for _ in 0..5 {
        rig.now = rig.now + Duration::from_secs(1);
        rig.step(Input::Tick);
        rig.step(Input::Command(Command::Refresh(Scope::All)));
        assert_eq!(rig.requests(), [], "no row could be proved closed");
    }
    assert_eq!(rig.state("BTCUSDT").0, DataState::Warming);
    let answer = TimeAnswer { server: rig.server(), sent: rig.now, received: rig.now };
    rig.step(Input::Fetched(Fetched::Time { market: Market::UsdM, result: Ok(answer) }));
    let requests = rig.requests();
    assert_eq!(requests.len(), 2, "each once");
    // The newest closed bar flips, minutes ago.
    let mut rows = bars(N - HISTORY..N - 1);
    rows.extend([bar_to(N - 1, 900.0, 100), bar_to(N, 499.5, 10)]);
    for request in &requests {
        rig.answer(request, &rows);
    }
    assert_eq!(rig.series("BTCUSDT"), rows[..9]);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    nothing_was_news(&mut rig);
}

/// An answer that proved nothing closed was no warm-up: the first bars are, from whichever request.
#[test]
fn the_first_bars_signal_nothing_though_an_answer_without_any_came_before() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let request = rig.one_request();
    rig.answer(&request, &[]);
    rig.subscribed(&["BTCUSDT"]);
    rig.form("BTCUSDT", N);
    rig.until(N + 1, 30_000);
    let mut rows = bars(N - HISTORY..N);
    rows.extend([bar_to(N, 900.0, 100), bar_to(N + 1, 400.0, 10)]);
    rig.answer_all(&rows);
    assert_eq!(rig.series("BTCUSDT"), rows[..10]);
    nothing_was_news(&mut rig);
}

fn nothing_was_news(rig: &mut Rig) {
    let picture = rig.snapshot();
    assert_eq!(picture.signals, []);
    let upkeep = picture.stats.upkeep;
    assert_eq!((upkeep.closed_by_rest, upkeep.withheld), (0, 0));
}

#[test]
fn between_closes_nothing_is_asked() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    for n in N..N + 3 {
        for ms in (125_000..900_000).step_by(60_000) {
            rig.until(n, ms);
            rig.form("BTCUSDT", n);
        }
        rig.until(n + 1, 5);
        rig.close("BTCUSDT", n);
        rig.close("ETHUSDT", n);
        rig.until(n + 1, 100_000);
    }
    assert_eq!(rig.requests(), []);
    let asked = |o: &&Output| matches!(o, Output::Fetch(r) if !matches!(r, FetchRequest::Universe(_)));
    assert_eq!(rig.out.iter().filter(asked).count(), 0);
    assert_eq!(rig.state("ETHUSDT").0, DataState::Live);
}

#[test]
fn a_close_that_does_not_come_is_verified_once_after_the_grace() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 4_500);
    assert_eq!(rig.requests(), []);
    rig.until(N + 1, 6_500);
    let request = rig.one_request();
    assert_eq!((request.from, request.priority), (Some(UnixMs(N * STEP)), Priority::Gap));
    assert!(request.bars <= 3, "{request:?}");
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live, "asked first, doubted after");
    let mut rows = bars(N..N + 1);
    rows.push(bar_to(N + 1, 400.0, 3));
    rig.answer(&request, &rows);
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 1));
    rig.until(N + 1, 60_000);
    assert_eq!(rig.requests(), []);

    let mut healthy = Rig::live(&["BTCUSDT"]);
    healthy.until(N + 1, 5);
    healthy.close("BTCUSDT", N);
    assert_eq!(rig.lane("BTCUSDT").point, healthy.lane("BTCUSDT").point);
}

#[test]
fn the_next_candle_without_the_close_makes_it_urgent_and_says_so() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 300);
    rig.form("BTCUSDT", N + 1);
    let (state, why) = rig.state("BTCUSDT");
    assert_eq!(state, DataState::Stale);
    assert!(why.unwrap().contains("not confirmed"));
    assert_eq!(rig.requests(), [], "REST could not prove it yet");
    rig.until(N + 1, 3_500);
    rig.form("BTCUSDT", N + 1);
    let request = rig.one_request();
    rig.answer(&request, &bars(N..N + 1));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 1));
    assert!(rig.lane("BTCUSDT").preview.is_some(), "the next candle goes on forming");
}

#[test]
fn late_double_and_superfluous_words_change_nothing() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 300);
    rig.form("BTCUSDT", N + 1);
    rig.until(N + 1, 1_500);
    rig.close("BTCUSDT", N);
    rig.close("BTCUSDT", N);
    rig.frame("BTCUSDT", bar_to(N, 700.0, 50), Finality::Forming);
    rig.frame("BTCUSDT", bar_to(N, 700.0, 500), Finality::Closed);
    rig.until(N + 1, 30_000);
    assert_eq!(rig.requests(), []);
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 1));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    let outcomes = rig.snapshot().stats.outcomes;
    assert_eq!((outcomes.duplicate, outcomes.older), (2, 1));
}

#[test]
fn rest_that_knows_less_than_the_stream_showed_closes_nothing() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N, 899_000);
    rig.frame("BTCUSDT", bar_to(N, 498.0, 90), Finality::Forming);
    rig.until(N + 1, 6_500);
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N, 498.5, 80)]);
    assert_eq!(rig.series("BTCUSDT").last(), Some(&bar(N - 1)));
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale);
    rig.until(N + 1, 12_000);
    let request = rig.one_request();
    rig.answer(&request, &bars(N..N + 1));
    assert_eq!(rig.series("BTCUSDT").last(), Some(&bar(N)));
    rig.form("BTCUSDT", N + 1);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
    // A stale answer after that does not undo it; a better one does, and counts.
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N, 498.5, 80)]);
    assert_eq!(rig.series("BTCUSDT").last(), Some(&bar(N)));
}

#[test]
fn a_flip_is_a_signal_once_and_only_on_a_closed_bar() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.frame("BTCUSDT", bar_to(N, 900.0, 60), Finality::Forming);
    let lane = rig.lane("BTCUSDT");
    assert!(lane.preview.unwrap().point.flip, "the preview shows it");
    assert!(!lane.point.flip);
    assert_eq!(rig.snapshot().signals, []);
    rig.until(N + 1, 40);
    for _ in 0..2 {
        rig.frame("BTCUSDT", bar_to(N, 900.0, 100), Finality::Closed);
    }
    let signals = rig.snapshot().signals;
    assert_eq!(signals.len(), 1);
    let signal = signals.first().unwrap();
    assert_eq!(signal.tick, rig.snapshot().rows[0].tick);
    assert_eq!((signal.seq, signal.close_time), (1, UnixMs((N + 1) * STEP - 1)));
    assert_eq!(signal.dir, crate::domain::hama::Sign::Up);
    assert_eq!(signal.lag, Duration::from_millis(41));
}

#[test]
fn bars_of_the_warm_up_give_no_signal() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let mut rows = bars(N - HISTORY..N - 1);
    rows.push(bar_to(N - 1, 900.0, 100));
    rig.answer_all(&rows);
    rig.subscribed(&["BTCUSDT"]);
    assert!(rig.lane("BTCUSDT").point.flip);
    assert_eq!(rig.snapshot().signals, []);
}

#[test]
fn a_market_that_stands_still_gives_no_signal() {
    let flat = |n: i64| {
        Kline::new(KlineFields {
            open_time: UnixMs(n * STEP),
            close_time: UnixMs((n + 1) * STEP - 1),
            open: 7.0,
            high: 7.0,
            low: 7.0,
            close: 7.0,
            trades: Some(0),
            ..KlineFields::default()
        })
        .unwrap()
    };
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&(N - HISTORY..N).map(flat).collect::<Vec<_>>());
    rig.subscribed(&["BTCUSDT"]);
    for n in N..N + 10 {
        rig.until(n + 1, 5);
        rig.frame("BTCUSDT", flat(n), Finality::Closed);
    }
    let lane = rig.lane("BTCUSDT");
    assert_eq!(lane.bars, 19);
    assert_eq!(lane.state, DataState::Live);
    assert_eq!(rig.snapshot().signals, []);
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

/// REST lags a little longer than usual and then is right.
#[test]
fn no_bar_is_live_that_no_source_calls_closed() {
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
    assert_eq!(rig.series("BTCUSDT").last(), Some(&bar(N)));
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

/// The margin at a fast exchange's clock.
#[test]
fn at_rate_six_hundred_a_lopsided_round_trip_closes_nothing_early() {
    let mut desk = crate::engine::desk::Desk::new(Market::UsdM, 600.0);
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
