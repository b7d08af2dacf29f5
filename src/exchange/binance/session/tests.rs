use std::time::Duration;

use super::*;
use crate::domain::interval::Interval;
use crate::domain::kline::Finality;
use crate::domain::symbol::Market;

mod figures;

fn s(secs: u64) -> Mono {
    Mono(Duration::from_secs(secs))
}

fn session(timing: Timing) -> Session {
    of(Market::UsdM, timing)
}

fn of(market: Market, timing: Timing) -> Session {
    let lifetime = Lifetime::new(s(0), 1.0, 0.5);
    Session::new(ConnId { market, number: 0 }, timing, lifetime, s(0))
}

fn key(n: usize) -> SeriesKey {
    SeriesKey::new(Pair { market: Market::UsdM, symbol: format!("S{n}USDT").parse().unwrap() }, Interval::M1)
}

fn wanted(n: usize) -> Wanted {
    let pairs = (0..n).map(|n| (format!("S{n}USDT").into(), key(n).pair)).collect();
    Wanted { keys: (0..n).map(key).collect(), day: Some(Arc::new(pairs)), anew: BTreeMap::new() }
}

fn standing(n: usize) -> News {
    News::Standing(Arc::new((0..n).map(key).collect()))
}

/// Sends all there is, acknowledges it, and returns what was sent.
fn settle(session: &mut Session, mut now: Mono) -> Vec<String> {
    let mut sent = Vec::new();
    while !session.control.is_empty() {
        if let Some(Outgoing::Text(text)) = session.next_outgoing(now) {
            let id = session.next_id - session.control.len() as u64;
            session.on_text(&format!("{{\"result\":null,\"id\":{id}}}"), now).unwrap();
            sent.push(text);
        }
        now = now + Duration::from_millis(50);
    }
    sent
}

fn events(session: &mut Session) -> Vec<FeedEvent> {
    std::iter::from_fn(|| session.outbox.pop()).collect()
}

/// The 24 h figures of a pair that nobody watches.
const FIGURES: &str = r#"{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker","E":1760000399999,"s":"OTHER","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"}]}"#;

fn frame(symbol: &str, stream: &str, closed: bool) -> String {
    format!(
        r#"{{"stream":"{stream}","data":{{"e":"kline","E":1760000399999,"s":"{symbol}","k":{{"t":1760000340000,"T":1760000399999,"s":"{symbol}","i":"1m","o":"1","c":"1","h":"1","l":"1","v":"0","n":0,"x":{closed},"q":"0","V":"0","Q":"0"}}}}}}"#
    )
}

#[test]
fn subscribed_is_told_once_after_the_last_acknowledgement() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(400));
    let sent = settle(&mut session, s(0));
    assert_eq!(sent.len(), 3);
    assert!(sent[2].contains("!miniTicker@arr"));
    let told = events(&mut session);
    assert!(matches!(&told[..], [FeedEvent::Subscribed { keys, .. }] if keys.len() == 400), "{told:?}");
    // What is added later is told by itself, and what is gone is unsubscribed.
    let mut next = wanted(401);
    next.keys = next.keys[1..].into();
    session.want(&next);
    session.want(&next);
    let sent = settle(&mut session, s(5));
    assert!(sent[0].contains("UNSUBSCRIBE") && sent[0].contains("\"s0usdt@kline_1m\""), "{sent:?}");
    assert!(sent[1].contains("\"s400usdt@kline_1m\"") && sent.len() == 2);
    let told = events(&mut session);
    assert!(matches!(&told[..], [FeedEvent::Subscribed { keys, .. }] if **keys == [key(400)]), "{told:?}");
}

#[test]
fn a_program_that_takes_no_candles_loses_the_connection_and_not_the_memory() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(1));
    settle(&mut session, s(0));
    let text = frame("S0USDT", "s0usdt@kline_1m", true);
    for _ in 0..=Outbox::MOST_CLOSED {
        assert!(session.overdue(s(1)).is_none());
        session.on_text(&text, s(1)).unwrap();
    }
    assert!(session.overdue(s(1)).unwrap().message.as_str().contains("too busy"));
}

#[test]
fn frames_go_to_their_series_and_others_are_counted() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(2));
    settle(&mut session, s(0));
    events(&mut session);
    for text in [
        frame("S1USDT", "s1usdt@kline_1m", true),
        frame("S0USDT", "s1usdt@kline_1m", true),
        frame("BTCUSD_PERP", "btcusd_perp@kline_1m", true),
        "nonsense".to_owned(),
    ] {
        session.on_text(&text, s(1)).unwrap();
    }
    session.on_binary(s(1));
    let told = events(&mut session);
    let why: Vec<Discard> = told
        .iter()
        .filter_map(|e| match e {
            FeedEvent::Discarded { why, .. } => Some(*why),
            _ => None,
        })
        .collect();
    assert_eq!(why, [Discard::BadValue, Discard::NotWatched, Discard::NotJson, Discard::NotJson]);
    assert!(
        matches!(&told[0], FeedEvent::Kline(k) if k.key == key(1) && k.finality == Finality::Closed && k.received == s(1))
    );
}

#[test]
fn day_figures_are_of_watched_pairs_only() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(2));
    let row = |symbol: &str| {
        format!(
            r#"{{"e":"24hrMiniTicker","E":1760000399999,"s":"{symbol}","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"}}"#
        )
    };
    let text = format!(r#"{{"stream":"!miniTicker@arr","data":[{},{}]}}"#, row("S1USDT"), row("OTHER"));
    session.on_text(&text, s(1)).unwrap();
    let told = events(&mut session);
    assert!(matches!(&told[..], [FeedEvent::Day(rows)] if rows.len() == 1 && rows[0].pair == key(1).pair));
}

fn says(session: &mut Session, at: u64) -> String {
    session.overdue(s(at)).map(|e| e.message.to_string()).unwrap_or_default()
}

#[test]
fn silence_is_told_apart() {
    let silent = |streams: usize, acknowledge: bool, data: bool| {
        let mut session = session(Timing::default());
        session.want(&wanted(streams));
        if acknowledge {
            settle(&mut session, s(0));
        } else {
            session.next_outgoing(s(0));
        }
        if data {
            session.on_text(&frame("S1USDT", "s1usdt@kline_1m", false), s(3)).unwrap();
        }
        session
    };

    let mut unacknowledged = silent(5, false, false);
    assert_eq!((unacknowledged.deadline(), says(&mut unacknowledged, 9)), (s(10), String::new()));
    assert!(says(&mut unacknowledged, 10).contains("acknowledge"));

    let mut stalled = silent(30, true, true);
    stalled.on_sign_of_life(s(17));
    assert_eq!((stalled.deadline(), says(&mut stalled, 17)), (s(18), String::new()));
    assert!(says(&mut stalled, 18).starts_with("stall: the data stopped"));

    let mut mute = silent(5, true, true);
    assert_eq!(mute.next_outgoing(s(20)), Some(Outgoing::Ping));
    assert!(says(&mut mute, 33).starts_with("dead"));
}

/// Counted from the connection, however few streams there are, and told as what it is.
#[test]
fn item_01_an_address_off_the_market_route_is_known_within_15_s() {
    for (market, word) in [(Market::UsdM, "/market"), (Market::Spot, "/stream")] {
        for streams in [1, 5, 1_000] {
            let mut session = of(market, Timing::default());
            session.want(&wanted(streams));
            settle(&mut session, s(0));
            let mut at = 0;
            let error = loop {
                session.on_sign_of_life(s(at));
                match session.overdue(s(at)) {
                    Some(error) => break error,
                    None => at += 1,
                }
            };
            assert!(at <= 15 && at > 5, "{market} {streams}: {at} s");
            assert_eq!(error.kind, ErrorKind::Silent);
            let text = error.message.as_str();
            assert!(text.starts_with("acknowledged but silent") && text.contains(word), "{text}");
        }
    }
}

#[test]
fn a_socket_that_carries_nothing_stalls_never() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(1));
    settle(&mut session, s(0));
    session.want(&Wanted::default());
    settle(&mut session, s(1));
    session.on_sign_of_life(s(999));
    assert!(session.overdue(s(1_000)).is_none());
}

#[test]
fn a_clock_that_stands_still_is_no_stall() {
    let timing = Timing { stall: Stall::Never, ..Timing::default() };
    let mut session = self::session(timing);
    session.want(&wanted(30));
    settle(&mut session, s(0));
    session.on_sign_of_life(s(999));
    assert!(session.overdue(s(1_000)).is_none());
}

fn grant(session: &mut Session, id: u64, at: u64) {
    session.on_text(&format!("{{\"result\":null,\"id\":{id}}}"), s(at)).unwrap();
}

fn subscribed(session: &mut Session) -> Vec<usize> {
    let told = events(session).into_iter().filter_map(|e| match e {
        FeedEvent::Subscribed { keys, .. } => Some(keys.len()),
        _ => None,
    });
    told.collect()
}

#[test]
fn item_06_replies_are_matched_by_id_after_data_never_or_twice() {
    let mut session = session(Timing::default());
    session.want(&wanted(200));
    session.next_outgoing(s(0));
    session.next_outgoing(s(1));
    grant(&mut session, 99, 1);
    assert!(subscribed(&mut session).is_empty(), "an answer to nobody's request");
    // Data before the answer; the second request's answer first, and twice.
    session.on_text(&frame("S1USDT", "s1usdt@kline_1m", false), s(1)).unwrap();
    grant(&mut session, 2, 1);
    grant(&mut session, 2, 1);
    assert!(subscribed(&mut session).is_empty() && !session.has_news());
    grant(&mut session, 1, 2);
    assert_eq!(subscribed(&mut session), [200]);
    assert_eq!(session.pop_news(), Some(standing(200)));

    // Never: streams that bring data need no answer, and others do.
    for heard in [true, false] {
        let mut session = self::session(Timing::default());
        session.want(&wanted(3));
        session.next_outgoing(s(0));
        if heard {
            session.on_text(&frame("S1USDT", "s1usdt@kline_1m", false), s(9)).unwrap();
        }
        assert_eq!(says(&mut session, 10).contains("acknowledge"), !heard);
        assert_eq!(subscribed(&mut session), if heard { vec![3] } else { vec![] });
        // Late: taken for what it is, an answer that is not waited for any more.
        grant(&mut session, 1, 11);
        assert!(subscribed(&mut session).is_empty() || !heard);
    }
}

/// An exchange that refuses requests with a bad name in them; returns the names it granted.
fn bargain(session: &mut Session, bad: &str, error: fn(u64) -> String) -> Result<Vec<String>, ExchangeError> {
    let mut granted = Vec::new();
    for second in 0..60 {
        let Some(Outgoing::Text(text)) = session.next_outgoing(s(second)) else { continue };
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let id = json["id"].as_u64().unwrap();
        if text.contains(bad) {
            session.on_text(&error(id), s(second))?;
        } else {
            grant(session, id, second);
            granted.extend(json["params"].as_array().unwrap().iter().map(ToString::to_string));
        }
    }
    Ok(granted)
}

#[test]
fn item_06_errors_of_both_shapes_cost_only_the_bad_name() {
    let bare = |id| format!(r#"{{"code":2,"msg":"Invalid request: invalid stream","id":{id}}}"#);
    let wrapped =
        |id| format!(r#"{{"error":{{"code":2,"msg":"Invalid request: invalid stream"}},"id":{id}}}"#);
    for error in [bare as fn(u64) -> String, wrapped] {
        let mut session = session(Timing::default());
        session.want(&wanted(40));
        let granted = bargain(&mut session, "\"s7usdt@kline_1m\"", error).unwrap();
        assert_eq!(granted.len(), 40, "39 series and the 24 h figures");
        let told = events(&mut session);
        let [FeedEvent::Refused { key: refused, why, .. }, FeedEvent::Subscribed { keys, .. }] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((refused, why.as_str()), (&key(7), "Invalid request: invalid stream (code 2)"));
        assert!(keys.len() == 39 && !keys.contains(refused), "only what was acknowledged");
        let keys = (0..40).filter(|n| *n != 7).map(key).collect();
        assert_eq!(session.pop_news(), Some(News::Standing(Arc::new(keys))));
        // Where everything is refused, the address is wrong.
        let mut session = self::session(Timing::default());
        session.want(&wanted(40));
        let error = bargain(&mut session, "SUBSCRIBE", error).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
        assert!(error.message.as_str().contains("invalid stream"), "{error}");
    }
    // A refusal that names no request can be of any.
    let mut session = session(Timing::default());
    session.want(&wanted(2));
    assert!(session.on_text(r#"{"error":{"code":3,"msg":"Invalid JSON"}}"#, s(0)).is_err());
}

#[test]
fn item_08_a_shutdown_is_announced_once_raw_or_wrapped_and_the_talk_goes_on() {
    for text in [
        r#"{"e":"serverShutdown","E":1760000399999}"#,
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1760000399999}}"#,
    ] {
        let mut session = session(Timing::default());
        session.want(&wanted(2));
        settle(&mut session, s(0));
        session.on_text(text, s(1)).unwrap();
        session.on_text(text, s(1)).unwrap();
        session.on_text(&frame("S1USDT", "s1usdt@kline_1m", true), s(1)).unwrap();
        let news: Vec<News> = std::iter::from_fn(|| session.pop_news()).collect();
        assert_eq!(news, [standing(2), News::Leaving(Replacement::Shutdown), News::Proven]);
        assert!(events(&mut session).iter().any(|e| matches!(e, FeedEvent::Kline(_))));
    }
}

#[test]
fn item_09_a_connection_ages_on_the_exchanges_clock_and_says_so_once() {
    let lifetime = Lifetime::new(s(0), 60.0, 0.5);
    let mut session =
        Session::new(ConnId { market: Market::UsdM, number: 0 }, Timing::default(), lifetime, s(0));
    session.want(&wanted(1));
    settle(&mut session, s(0));
    let mut aged = Vec::new();
    for second in 1..1_440 {
        session.on_text(&frame("S0USDT", "s0usdt@kline_1m", false), s(second)).unwrap();
        assert_eq!(says(&mut session, second), "");
        let news = std::iter::from_fn(|| session.pop_news());
        aged.extend(news.filter(|n| *n == News::Leaving(Replacement::Age)).map(|_| second));
    }
    assert!(matches!(aged[..], [at] if (1_360..=1_401).contains(&at)), "{aged:?}");
}

#[test]
fn item_10_what_is_no_news_is_counted_and_skipped() {
    let mut session = session(Timing::default());
    session.want(&wanted(2));
    settle(&mut session, s(0));
    events(&mut session);
    let good = frame("S1USDT", "s1usdt@kline_1m", true);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for bad in ["", " ", "nonsense", "{", "null", "1", &deep, "[[]]", r#"{"e":"neverHeardOf","E":1}"#, "{}"] {
        session.on_text(bad, s(1)).unwrap();
        let told = events(&mut session);
        let counted =
            matches!(&told[..], [FeedEvent::Discarded { why: Discard::NotJson | Discard::UnknownShape, .. }]);
        assert!(counted, "{bad:.40}: {told:?}");
    }
    session.on_binary(s(1));
    assert_eq!(events(&mut session).len(), 1);
    // More fields than we know, and fewer than there might be.
    let more = good.replace("\"n\":0", "\"n\":0,\"B\":\"0\",\"f\":-1,\"L\":-1,\"zz\":{\"a\":[1]}");
    let more = more.replace("\"e\":\"kline\"", "\"e\":\"kline\",\"st\":1");
    let fewer = good.replace("\"n\":0,", "").replace(",\"V\":\"0\",\"Q\":\"0\"", "");
    for fine in [&more, &fewer] {
        session.on_text(fine, s(1)).unwrap();
        assert!(matches!(&events(&mut session)[..], [FeedEvent::Kline(_)]), "{fine}");
    }
    // Prices that are none.
    for price in ["NaN", "inf", "-1", "0", "1e999", "", "x"] {
        session.on_text(&good.replace("\"o\":\"1\"", &format!("\"o\":\"{price}\"")), s(1)).unwrap();
        let told = events(&mut session);
        assert!(
            matches!(&told[..], [FeedEvent::Discarded { why: Discard::BadValue, .. }]),
            "{price}: {told:?}"
        );
    }
}

#[test]
fn item_11_times_in_microseconds_are_not_taken_for_milliseconds() {
    let mut session = session(Timing::default());
    session.want(&wanted(2));
    settle(&mut session, s(0));
    events(&mut session);
    let good = frame("S1USDT", "s1usdt@kline_1m", true);
    let micros = |text: &str, field: &str, from: &str| {
        text.replace(&format!("\"{field}\":{from}"), &format!("\"{field}\":{from}000"))
    };
    let (open, close) = ("1760000340000", "1760000399999");
    let stamp = micros(&good, "E", close);
    let times = micros(&micros(&good, "t", open), "T", close);
    let all = micros(&times, "E", close);
    for text in [stamp, times, all, micros(&good, "t", open), micros(&good, "T", close)] {
        assert_ne!(text, good);
        session.on_text(&text, s(1)).unwrap();
        let told = events(&mut session);
        assert!(
            matches!(&told[..], [FeedEvent::Discarded { why: Discard::BadValue, .. }]),
            "{text}: {told:?}"
        );
    }
    let row = r#"{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker","E":1760000399999000,"s":"S1USDT","c":"3","o":"2","h":"3","l":"1","v":"1","q":"9"}]}"#;
    session.on_text(row, s(1)).unwrap();
    assert!(matches!(&events(&mut session)[..], [FeedEvent::Discarded { why: Discard::BadValue, .. }]));
}

#[test]
fn a_series_is_subscribed_anew_and_its_neighbours_are_let_be() {
    let mut session = session(Timing::default());
    let mut next = wanted(30);
    next.anew = [(key(3), 4)].into();
    session.want(&next);
    let sent = settle(&mut session, s(0));
    assert!(sent.len() == 1 && sent[0].contains("SUBSCRIBE"), "a new connection does so anyway: {sent:?}");
    events(&mut session);
    next.anew = [(key(3), 5), (key(9), 1)].into();
    session.want(&next);
    session.want(&next);
    let sent = settle(&mut session, s(5));
    let params = r#""params":["s3usdt@kline_1m","s9usdt@kline_1m"]"#;
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].contains(r#""UNSUBSCRIBE""#) && sent[0].contains(params), "{sent:?}");
    assert!(sent[1].contains(r#""SUBSCRIBE""#) && sent[1].contains(params), "{sent:?}");
    assert_eq!(subscribed(&mut session), [2]);
}

/// All that leaves the socket is counted: requests, our pings, and answers to the exchange's.
#[test]
fn item_03_no_second_has_more_than_four_messages_even_while_subscribing_anew() {
    for market in [Market::UsdM, Market::Spot] {
        let timing = Timing { ping: Duration::from_secs(2), ..Timing::default() };
        let mut session = of(market, timing);
        let mut next = wanted(900);
        session.want(&next);
        let mut sent: Vec<u64> = Vec::new();
        for ms in (0..120_000_u64).step_by(10) {
            let now = Mono::from_millis(ms);
            if ms % 20_000 == 500 {
                session.on_ping(now);
                sent.push(ms);
            }
            if ms % 30_000 == 10_000 {
                for n in 0..900 {
                    *next.anew.entry(key(n)).or_default() += 1;
                }
                session.want(&next);
            }
            session.on_sign_of_life(now);
            if let Some(outgoing) = session.next_outgoing(now) {
                sent.push(ms);
                if let Outgoing::Text(text) = outgoing {
                    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                    session.on_text(&format!("{{\"result\":null,\"id\":{}}}", json["id"]), now).unwrap();
                }
            }
        }
        assert!(sent.len() > 100, "{}", sent.len());
        for w in sent.windows(5) {
            assert!(w[4] - w[0] >= 1_000, "{w:?}");
        }
    }
}

#[test]
fn pings_and_pongs_count_as_messages() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(900));
    for _ in 0..3 {
        session.on_ping(s(1));
    }
    assert_eq!(session.next_outgoing(s(1)), None);
    assert_eq!(session.next_outgoing(s(2)), None);
    assert!(session.next_outgoing(Mono::from_millis(2_100)).is_some());
}
