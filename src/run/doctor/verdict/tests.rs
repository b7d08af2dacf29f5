use super::*;
use crate::domain::time::UnixMs;

fn way(step: Step, broken: Option<Broken>) -> Way {
    Way { to: "fapi.example:443".into(), proxy: None, tls: true, step, broken }
}

/// All is well but for what `change` does.
fn findings(change: impl FnOnce(&mut MarketFacts)) -> Vec<Finding> {
    let budget = BudgetReport {
        market: Market::UsdM,
        used: 43,
        minute: UnixMs(0),
        limit: 2_400,
        held: None,
        failing: None,
        requests: 3,
        failed: 0,
    };
    let mut facts = MarketFacts {
        market: Market::UsdM,
        rest_way: way(Step::Tls, None),
        stream_way: way(Step::Tls, None),
        rest: RestFacts {
            clock: Ok(Offset { ms: 20, trip: Duration::from_millis(80) }),
            pairs: Ok(500),
            budget: Some(budget),
        },
        stream: StreamFacts::Data(Duration::from_millis(300)),
        time: TimeKind::Real,
    };
    change(&mut facts);
    market(&facts)
}

fn failure(kind: ErrorKind, text: &str) -> ExchangeError {
    ExchangeError::new(kind, text)
}

#[test]
fn a_way_that_ends_is_told_once_with_where_and_what_to_do() {
    for (step, broken, what) in [
        (Step::Name, Broken::NoSuchName, "no DNS"),
        (Step::Connect, Broken::NoRoute, "no route"),
        (Step::Connect, Broken::Refused, "refuses"),
        (Step::Connect, Broken::Silent, "does not answer"),
        (Step::Tls, Broken::Untrusted, "self-signed"),
        (Step::Tls, Broken::OtherName, "another host"),
        (Step::Tls, Broken::OutOfDate, "expired"),
        (Step::Tls, Broken::NotTls, "does not speak TLS"),
    ] {
        let found = findings(|f| {
            f.rest_way = way(step, Some(broken.clone()));
            f.stream_way = f.rest_way.clone();
            let error = failure(ErrorKind::NoConnection, "can't connect");
            f.rest.clock = Err(error.clone());
            f.rest.pairs = Err(error.clone());
            f.stream = StreamFacts::Down(error);
        });
        let failed: Vec<_> = found.iter().filter(|f| f.state == State::Fail).collect();
        assert_eq!(failed.len(), 1, "{found:#?}");
        assert!(failed[0].what.contains(what) && failed[0].cure.is_some(), "{failed:#?}");
        assert!(!can_run(&found));
    }
}

#[test]
fn a_clock_is_called_off_only_where_the_round_trip_can_not_explain_it() {
    for (ms, trip, state) in [
        (900, 10, State::Ok),
        (-1_400, 1_000, State::Ok),
        (-1_600, 1_000, State::Warn),
        (5_000, 80, State::Warn),
    ] {
        let trip = Duration::from_millis(trip);
        let found = findings(|f| f.rest.clock = Ok(Offset { ms, trip }));
        let clock = found.iter().find(|f| f.check == Check::Clock).unwrap();
        assert_eq!(clock.state, state, "{clock:?}");
        assert!(can_run(&found), "the program goes by the exchange's clock");
    }
}

#[test]
fn what_others_use_of_the_weight_is_warned_of_and_then_fails() {
    for (used, state) in
        [(1_200, State::Ok), (1_201, State::Warn), (2_159, State::Warn), (2_160, State::Fail)]
    {
        let found = findings(|f| f.rest.budget.as_mut().unwrap().used = used);
        assert_eq!(found.iter().find(|f| f.check == Check::Weight).unwrap().state, state, "{used}");
    }
    let wait = Duration::from_secs(100);
    let found = findings(|f| {
        f.rest.clock = Err(failure(ErrorKind::RateLimited { wait }, "banned (HTTP 418)"));
        f.rest.pairs = f.rest.clock.clone().map(|_| 0);
    });
    let weight = found.iter().find(|f| f.check == Check::Weight).unwrap();
    assert!(weight.state == State::Fail && weight.what.contains("101 s"), "{weight:?}");
}

#[test]
fn a_stream_that_fails_behind_a_proxy_is_the_proxys_only_when_rest_works() {
    let broken = |rest_works: bool| {
        findings(|f| {
            for way in [&mut f.rest_way, &mut f.stream_way] {
                way.proxy = Some("http://proxy:3128".into());
            }
            f.stream_way.step = Step::Tunnel;
            f.stream_way.broken = Some(Broken::Other(crate::domain::text::CleanText::new("403")));
            f.stream = StreamFacts::Down(failure(ErrorKind::Transient, "can't connect"));
            if !rest_works {
                f.rest.clock = Err(failure(ErrorKind::Transient, "torn"));
            }
        })
    };
    let cure = |found: &[Finding]| found.iter().find(|f| f.check == Check::Stream).unwrap().cure.clone();
    assert!(cure(&broken(true)).unwrap().contains("http://proxy:3128 serves REST and not the stream"));
    assert_eq!(cure(&broken(false)), None);
}

#[test]
fn a_tunnel_that_does_not_open_has_a_line_of_its_own() {
    let name = |f: &Finding| (f.check, f.state);
    for (broken, why) in [
        (Broken::Other(crate::domain::text::CleanText::new("HTTP 403")), "HTTP 403"),
        (Broken::Silent, "does not answer in time"),
    ] {
        let found = findings(|f| {
            f.stream_way.proxy = Some("http://proxy:3128".into());
            f.stream_way.step = Step::Tunnel;
            f.stream_way.broken = Some(broken);
        });
        let at = found.iter().position(|f| f.check == Check::Tunnel).unwrap();
        let tunnel = &found[at];
        assert!(tunnel.state == State::Fail && tunnel.what.contains(why), "{tunnel:?}");
        assert!(tunnel.what.contains("http://proxy:3128 opens no way to fapi.example:443"), "{tunnel:?}");
        assert!(tunnel.cure.as_ref().unwrap().contains("NO_PROXY"), "{tunnel:?}");
        // What is said to stand above does so.
        assert_eq!(name(&found[at + 1]), (Check::Tls, State::Off));
        assert_eq!(found[at + 1].what, "not tried everywhere: see above");
    }
    assert!(findings(|_| ()).iter().all(|f| f.check != Check::Tunnel), "only where one ends there");
}

#[test]
fn a_firewalls_refusal_is_no_used_up_weight() {
    let wait = Duration::from_secs(60);
    let found = findings(|f| {
        // By its kind, whatever the sentence says.
        f.rest.clock = Err(failure(ErrorKind::Forbidden { wait }, "refused"));
        f.rest.pairs = f.rest.clock.clone().map(|_| 0);
    });
    let of = |check| found.iter().find(|f| f.check == check).unwrap();
    assert_eq!(of(Check::Weight).state, State::Off);
    assert!(of(Check::Rest).cure.as_ref().unwrap().contains("data-api.binance.vision"));
}

#[test]
fn figures_without_candles_are_warned_of_with_the_cause_and_the_cure() {
    let found = findings(|f| f.stream = StreamFacts::FiguresOnly(Duration::from_secs(15)));
    let stream = found.iter().find(|f| f.check == Check::Stream).unwrap();
    assert_eq!(stream.state, State::Warn);
    assert!(stream.what.contains("no candle") && stream.cure.as_ref().unwrap().contains("/market"));
    assert!(can_run(&found), "REST keeps the closed bars true");
}
