//! Streams refused by name, and sockets without any candle.

use super::*;

#[test]
fn item_06_a_stream_the_exchange_refuses_says_why_is_counted_and_kept_true_by_rest() {
    let mut rig = Rig::new(config());
    rig.start(&BOTH);
    rig.answer_all(&bars(N - HISTORY..N));
    let why = CleanText::new("Invalid request: invalid stream");
    let refuse = |rig: &mut Rig| {
        let why = why.clone();
        rig.step(Input::Feed(FeedEvent::Refused { conn: CONN, key: key("ETHUSDT"), why }));
    };
    refuse(&mut rig);
    rig.subscribed(&BOTH[..1]);
    rig.form("BTCUSDT", N);
    let text = "no stream: the exchange refuses it (Invalid request: invalid stream)";
    assert_eq!(rig.state("ETHUSDT"), (DataState::Stale, Some(text.to_owned())));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    let by_rest = (DataState::Stale, Some(format!("{text}; kept true by REST")));
    for n in N..N + 3 {
        assert_eq!(rig.half_silent(n), 1, "asked at each close, once");
        assert_eq!(rig.series("ETHUSDT"), bars(N - HISTORY..n + 1));
        assert_eq!(rig.state("ETHUSDT"), by_rest);
        // A new socket, to which it is refused again.
        rig.down(&BOTH);
        refuse(&mut rig);
        rig.subscribed(&BOTH[..1]);
        rig.form("BTCUSDT", n + 1);
        assert!(rig.state("ETHUSDT").1.unwrap().starts_with(text), "not the loss of the socket");
    }
    let named = rig.notices(Level::Warn);
    assert_eq!(named.iter().filter(|t| t.contains("ETHUSDT@15m: the exchange refuses")).count(), 1);
    let done = rig.upkeep();
    assert_eq!((done.refused, done.silent, done.polls, done.verifications), (1, 0, 3, 0));
    assert_eq!(rig.resubscribed(), []);
    // Once it is granted it is a stream like others.
    rig.subscribed(&BOTH[1..]);
    rig.form("ETHUSDT", N + 3);
    assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None));
}

/// The 24 h figures go on and all candles of a large socket are gone. Whoever watches the sockets
/// is to see that; where nobody does, it is not left at that for ever.
#[test]
fn item_32_fault_04_a_whole_socket_without_candles_is_named_and_subscribed_anew_at_the_second_close() {
    let names: Vec<String> = (0..25).map(|n| format!("A{n:03}USDT")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let universe = UniverseSpec { quote: sym("USDT"), top: 25, movers: 0, watched: vec![], named: vec![] };
    let mut rig = Rig::new(EngineConfig { universe, ..config() });
    rig.start(&names);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.subscribed(&names);
    let figures = |rig: &mut Rig| {
        let of = |name: &&str| DayEvent {
            pair: pair(name),
            last: 400.0,
            change_pct: 1.0,
            quote_volume: 1e9,
            event_time: rig.server(),
        };
        let events = names.iter().map(of).collect();
        rig.step(Input::Feed(FeedEvent::Day(events)));
    };
    figures(&mut rig);
    let state = |rig: &mut Rig| rig.snapshot().links.first().unwrap().state.clone();
    assert_eq!(state(&mut rig), LinkState::Subscribing, "figures alone are no candles");
    for name in &names {
        rig.form(name, N);
    }
    assert_eq!(state(&mut rig), LinkState::Up);
    let mut anew = vec![];
    for n in N..N + 4 {
        rig.until(n + 1, 3);
        figures(&mut rig);
        rig.until(n + 1, 9_900);
        assert_eq!(rig.serve(n), 25, "kept true by REST");
        rig.until(n + 1, 20_000);
        rig.serve(n);
        anew.push(rig.resubscribed().len());
        let silent = (DataState::Stale, Some("stream silent; kept true by REST".to_owned()));
        assert_eq!(rig.state("A024USDT"), silent);
    }
    assert_eq!(anew, [0, 25, 0, 0], "once, and not at once");
    let told = rig.notices(Level::Warn);
    let one = told.iter().filter(|t| t.contains("is silent; subscribed anew")).count();
    assert_eq!((one, told.iter().filter(|t| t.contains("more streams")).count()), (8, 1), "{told:?}");
    assert_eq!((rig.upkeep().silent, rig.upkeep().resubscribed), (25, 25), "each once");
    // A new socket, and it brings candles.
    rig.down(&names);
    rig.subscribed(&names);
    for name in &names {
        rig.form(name, N + 4);
        assert_eq!(rig.state(name), (DataState::Live, None));
    }
}

/// A new socket begins anew: what the one before was suspected of is not held against its streams.
#[test]
fn a_socket_that_was_replaced_for_its_silence_is_live_with_its_first_candle() {
    let names: Vec<String> = (0..25).map(|n| format!("A{n:03}USDT")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let universe = UniverseSpec { quote: sym("USDT"), top: 25, movers: 0, watched: vec![], named: vec![] };
    let mut rig = Rig::new(EngineConfig { universe, ..config() });
    rig.start(&names);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.subscribed(&names);
    rig.form("A000USDT", N);
    rig.until(N + 1, 9_900);
    assert_eq!(rig.serve(N), 25);
    assert_eq!((rig.upkeep().silent, rig.resubscribed()), (25, vec![]), "left to who watches the sockets");
    rig.down(&names);
    rig.until(N + 1, 12_000);
    rig.subscribed(&names);
    rig.form("A000USDT", N + 1);
    assert_eq!(rig.state("A024USDT"), (DataState::Live, None), "quiet pairs too");
}

/// Many streams of few pairs: nobody tears their socket for a silence, so that each stream is seen to.
#[test]
fn a_silent_socket_of_few_pairs_and_many_intervals_is_subscribed_anew_at_once() {
    let intervals = [Interval::M15, Interval::M5, Interval::M3, Interval::M1];
    let names = ["AUSDT", "BUSDT", "CUSDT", "DUSDT", "EUSDT", "FUSDT"];
    let mut rig = Rig::new(EngineConfig { intervals: intervals.into(), ..config() });
    rig.start(&names);
    for request in rig.requests() {
        let rows = if request.key.interval == Interval::M15 { bars(N - HISTORY..N) } else { vec![] };
        rig.answer(&request, &rows);
    }
    let keys = names.iter().flat_map(|n| intervals.map(|i| SeriesKey::new(pair(n), i)));
    rig.step(Input::Feed(FeedEvent::Subscribed { conn: CONN, keys: keys.collect() }));
    rig.form("AUSDT", N);
    rig.until(N + 1, 9_900);
    for request in rig.requests() {
        if request.key.interval == Interval::M15 {
            rig.answer(&request, &bars(N - HISTORY..N + 1));
        }
    }
    rig.tick();
    assert_eq!(rig.resubscribed().len(), names.len());
}
