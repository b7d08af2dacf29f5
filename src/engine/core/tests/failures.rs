//! What REST refuses.

use super::*;
use crate::domain::hold::{Hold, HoldKind};
use crate::exchange::BudgetReport;

#[test]
fn a_series_that_keeps_failing_is_failed_says_why_and_is_tried_again_later() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let request = rig.one_request();
    rig.refuse(&request, ErrorKind::Transient, "connection refused");
    assert_eq!(rig.state("BTCUSDT"), (DataState::Warming, Some("connection refused".to_owned())));
    for _ in 0..3 {
        rig.now = rig.now + Duration::from_secs(61);
        rig.tick();
        let request = rig.one_request();
        rig.refuse(&request, ErrorKind::Transient, "connection refused");
    }
    assert_eq!(rig.state("BTCUSDT").0, DataState::Failed);
    let warmup = rig.snapshot().warmup;
    assert_eq!((warmup.total, warmup.failed, warmup.is_over()), (1, 1, true));
    assert!(rig.notices(Level::Error).first().unwrap().contains("connection refused"));
    rig.now = rig.now + Duration::from_secs(200);
    rig.tick();
    assert_eq!(rig.requests(), []);
    rig.now = rig.now + Duration::from_secs(101);
    rig.tick();
    let request = rig.one_request();
    let rows = bars(N - HISTORY..N);
    rig.answer(&request, &rows);
    rig.subscribed(&["BTCUSDT"]);
    rig.form("BTCUSDT", N);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
}

#[test]
fn what_is_refused_for_good_is_not_tried_four_times() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let request = rig.one_request();
    rig.refuse(&request, ErrorKind::Rejected, "Invalid symbol.");
    assert_eq!(rig.state("BTCUSDT"), (DataState::Failed, Some("Invalid symbol.".to_owned())));
}

#[test]
fn a_rate_limit_is_waited_out_and_is_no_failure() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    for _ in 0..6 {
        let request = rig.one_request();
        let wait = Duration::from_secs(30);
        rig.refuse(&request, ErrorKind::RateLimited { wait }, "banned for 30 s");
        rig.now = rig.now + Duration::from_secs(29);
        rig.tick();
        assert_eq!(rig.requests(), []);
        rig.now = rig.now + Duration::from_secs(2);
        rig.tick();
    }
    assert_eq!(rig.state("BTCUSDT").0, DataState::Warming);
}

#[test]
fn a_universe_that_cannot_be_had_is_asked_for_again() {
    let mut rig = Rig::new(config());
    rig.step(Input::Tick);
    rig.time();
    rig.out.clear();
    let error = ExchangeError { kind: ErrorKind::Transient, message: CleanText::new("no route to host") };
    rig.step(Input::Fetched(Fetched::Universe { market: Market::UsdM, result: Err(error) }));
    let report = rig.snapshot().universe;
    assert_eq!((report.pending, report.failed.len()), (1, 1));
    assert!(rig.notices(Level::Error).first().unwrap().contains("no route to host"));
    assert_eq!(rig.out, []);
    rig.now = rig.now + Duration::from_secs(2);
    rig.step(Input::Tick);
    assert!(rig.out.contains(&Output::Fetch(FetchRequest::Universe(Market::UsdM))));
}

#[test]
fn a_verification_that_fails_is_doubt_until_the_stream_or_rest_speaks() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.until(N + 1, 6_500);
    let request = rig.one_request();
    rig.refuse(&request, ErrorKind::Transient, "timed out");
    assert_eq!(rig.state("BTCUSDT"), (DataState::Stale, Some("timed out".to_owned())));
    rig.close("BTCUSDT", N);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
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

#[test]
fn a_check_without_a_connection_ends_with_one_notice() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    let requests = rig.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        rig.refuse(&request, ErrorKind::NoConnection, "can't connect to the exchange");
    }
    let all = [rig.notices(Level::Warn), rig.notices(Level::Error)].concat();
    assert_eq!(all, ["all series: not checked: no connection (can't connect to the exchange)"]);
    assert_eq!(rig.requests(), [], "nobody asks again by itself");
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live, "the stream brings data all the same");
}

#[test]
fn without_a_connection_a_series_is_asked_for_again_within_a_minute() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    for _ in 0..8 {
        let request = rig.one_request();
        rig.refuse(&request, ErrorKind::NoConnection, "can't connect to the exchange");
        let at = rig.now;
        while !rig.out.iter().any(|o| matches!(o, Output::Fetch(FetchRequest::Klines(_)))) {
            rig.now = rig.now + Duration::from_secs(1);
            rig.tick();
            assert!(rig.now.since(at) <= Duration::from_secs(61));
        }
    }
    assert_eq!(rig.state("BTCUSDT").0, DataState::Failed);
    assert_eq!(rig.notices(Level::Error).len(), 1);
}

/// A ban is named as one, with its market and what to do; a pause is not; the end is told.
#[test]
fn item_24_the_exchanges_pauses_are_told_by_their_kind_and_so_is_their_end() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let now = rig.engine.desk_of_market(Market::UsdM).unwrap().now(rig.now).unwrap();
    let mut report = BudgetReport {
        market: Market::UsdM,
        used: 0,
        minute: now,
        limit: 2_400,
        held: None,
        failing: None,
        requests: 9,
        failed: 0,
    };
    let mut hear = |rig: &mut Rig, held: Option<(HoldKind, u64)>, failing: Option<Mono>| {
        report.held = held.map(|(kind, secs)| Hold { kind, until: now + Duration::from_secs(secs) });
        report.failing = failing;
        rig.step(Input::Fetched(Fetched::Budget(report.clone())));
    };
    hear(&mut rig, Some((HoldKind::Pause, 52)), None);
    hear(&mut rig, Some((HoldKind::Pause, 52)), None);
    let all = rig.notices(Level::Warn);
    let paused: Vec<_> = all.iter().filter(|n| n.starts_with("usdm: REST pauses 53s (429)")).collect();
    assert_eq!(paused.len(), 1, "{all:?}");
    hear(&mut rig, Some((HoldKind::Ban, 14_000)), None);
    let banned = rig.notices(Level::Warn);
    let banned = banned.last().unwrap();
    assert!(banned.starts_with("usdm: BANNED for 3h53m (418); stop other programs"), "{banned}");
    assert!(banned.len() < 79, "it fits into a narrow window");
    rig.now = rig.now + Duration::from_secs(14_001);
    hear(&mut rig, Some((HoldKind::Ban, 14_000)), None);
    let is_back =
        |rig: &mut Rig| rig.notices(Level::Info).iter().filter(|n| *n == "usdm: REST is back").count();
    assert_eq!(is_back(&mut rig), 0, "its time is over, and nobody has asked yet");
    let now = rig.now;
    hear(&mut rig, None, Some(now));
    assert_eq!(is_back(&mut rig), 0, "it fails in another way");
    hear(&mut rig, None, None);
    hear(&mut rig, None, None);
    assert_eq!(is_back(&mut rig), 1);
}
