//! Streams that are silent or gone: what is found out, by when, and what a series lives on
//! meanwhile. Times that our clock does not count.

use super::*;
use crate::market::snapshot::Upkeep;

mod refused;

const BOTH: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

impl Rig {
    fn resubscribed(&mut self) -> Vec<SeriesKey> {
        let mut taken = vec![];
        self.out.retain(|o| match o {
            Output::Feed(FeedCommand::Resubscribe(keys)) => {
                taken.extend(keys.iter().cloned());
                false
            }
            _ => true,
        });
        taken
    }

    fn upkeep(&mut self) -> Upkeep {
        self.snapshot().stats.upkeep
    }

    /// One candle in which only the first pair's stream speaks; REST is served, and later than
    /// that what was asked is said.
    fn half_silent(&mut self, n: i64) -> usize {
        self.until(n + 1, 3);
        self.close("BTCUSDT", n);
        self.until(n + 1, 400);
        self.form("BTCUSDT", n + 1);
        self.until(n + 1, 6_000);
        let asked = self.serve(n);
        self.until(n + 1, 9_900);
        asked
    }

    fn serve(&mut self, n: i64) -> usize {
        let requests = self.requests();
        for request in &requests {
            let mut rows = bars(N - HISTORY..n + 1);
            rows.push(bar_to(n + 1, 400.0, 10));
            self.answer(request, &rows);
        }
        requests.len()
    }
}

#[test]
fn fault_06_one_silent_stream_is_found_subscribed_anew_once_named_and_kept_true_by_rest() {
    let mut rig = Rig::live(&BOTH);
    rig.form("ETHUSDT", N);
    assert_eq!(rig.half_silent(N), 1, "found by the close and ten seconds");
    assert_eq!(rig.resubscribed(), [key("ETHUSDT")], "it alone");
    let silent = (DataState::Stale, Some("stream silent; kept true by REST".to_owned()));
    assert_eq!(rig.state("ETHUSDT"), silent);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    assert_eq!(rig.series("ETHUSDT"), bars(N - HISTORY..N + 1));
    assert_eq!(rig.lane("ETHUSDT").preview, None, "what forms is not known");
    let named = |rig: &mut Rig| {
        rig.notices(Level::Warn).iter().filter(|t| t.starts_with("usdm:ETHUSDT@15m: the stream")).count()
    };
    assert_eq!(named(&mut rig), 1);
    // The new subscription is acknowledged, and nothing comes of it either.
    rig.step(Input::Feed(FeedEvent::Subscribed { conn: CONN, keys: Rig::keys(&["ETHUSDT"]) }));
    assert_eq!(rig.state("ETHUSDT"), silent, "an acknowledgement proves nothing");
    for n in N + 1..N + 4 {
        assert_eq!(rig.half_silent(n), 1, "asked at each close, once");
        assert_eq!(rig.resubscribed(), [], "no loop");
        assert_eq!(rig.state("ETHUSDT"), silent);
        assert_eq!(rig.series("ETHUSDT"), bars(N - HISTORY..n + 1));
    }
    assert_eq!(named(&mut rig), 2);
    let done = rig.upkeep();
    assert_eq!((done.silent, done.resubscribed, done.polls, done.verifications), (1, 1, 3, 1));
    assert_eq!(rig.snapshot().links.first().unwrap().drops, 0, "the socket is not touched");
    rig.form("ETHUSDT", N + 4);
    assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None), "its own frame ends it");
    assert!(rig.notices(Level::Info).last().unwrap().contains("speaks again"));
}

#[test]
fn a_quiet_pair_is_not_a_silent_stream() {
    let mut rig = Rig::live(&BOTH);
    // A candle without a trade: the exchange has it, and its stream had nothing to say.
    rig.until(N + 1, 3);
    rig.close("BTCUSDT", N);
    rig.until(N + 1, 400);
    rig.form("BTCUSDT", N + 1);
    rig.until(N + 1, 6_000);
    let request = rig.one_request();
    assert_eq!(request.key, key("ETHUSDT"));
    rig.answer(&request, &[bar_to(N, 499.5, 5)]);
    rig.until(N + 1, 9_900);
    assert_eq!((rig.resubscribed(), rig.upkeep().silent), (vec![], 0));
    assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None));
}

#[test]
fn fault_05_acknowledged_and_never_served_is_no_green_light_and_rest_keeps_it_true() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.step(Input::Feed(FeedEvent::Connecting { conn: CONN, streams: 1 }));
    rig.subscribed(&["BTCUSDT"]);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Warming, "an acknowledgement proves nothing");
    rig.until(N + 1, 9_900);
    assert_eq!(rig.serve(N), 1, "by the close and ten seconds");
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 1));
    // Whoever watches the sockets replaces it, and says why; that helps as little.
    for n in N + 1..N + 5 {
        rig.until(n, 100_000);
        let message = CleanText::new("endpoint silent: acknowledged, and no data after 15 s");
        let error = ExchangeError { kind: ErrorKind::Silent, message };
        let down = FeedEvent::Down { conn: CONN, keys: Rig::keys(&["BTCUSDT"]), error, retry: None };
        rig.step(Input::Feed(down));
        rig.until(n + 1, 9_900);
        assert_eq!(rig.serve(n), 1, "one request a close");
        rig.until(n + 1, 15_000);
        let why = "socket lost: endpoint silent: acknowledged, and no data after 15 s; closed bars by REST";
        assert_eq!(rig.state("BTCUSDT"), (DataState::Stale, Some(why.to_owned())));
        assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..n + 1));
        rig.until(n + 1, 60_000);
        rig.subscribed(&["BTCUSDT"]);
        assert_ne!(rig.state("BTCUSDT").0, DataState::Live);
    }
    assert_eq!(rig.resubscribed(), [], "the socket is the matter, not the stream");
    rig.down(&["BTCUSDT"]);
    assert_eq!((rig.upkeep().stalls, rig.upkeep().lost), (4, 5), "a reset is no stall");
}

/// Signals of a series that lives on REST alone are the oracle's.
#[test]
fn a_series_without_a_stream_signals_once_when_rest_has_proved_the_close() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.down(&["BTCUSDT"]);
    rig.until(N + 1, 6_000);
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N, 900.0, 100)]);
    rig.until(N + 2, 6_000);
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N, 900.0, 100), bar(N + 1)]);
    let told: Vec<_> = rig.snapshot().signals.iter().map(|s| s.close_time).collect();
    assert_eq!(told.first(), Some(&UnixMs((N + 1) * STEP - 1)));
    assert_eq!(told.iter().collect::<std::collections::HashSet<_>>().len(), told.len(), "each once");
    assert_eq!(rig.upkeep().polls, 2);
}

#[test]
fn fault_12_after_a_partition_of_everything_the_rows_in_view_are_repaired_first_and_all_in_half_a_minute() {
    let names: Vec<String> = (0..400).map(|n| format!("A{n:03}USDT")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let universe = UniverseSpec { quote: sym("USDT"), top: 400, movers: 0, watched: vec![], named: vec![] };
    let mut rig = Rig::new(EngineConfig { universe, ..config() });
    rig.start(&names);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.subscribed(&names);
    rig.form(names.first().unwrap(), N);
    let view: Vec<Pair> = names.iter().skip(350).take(30).map(|n| pair(n)).collect();
    rig.step(Input::Command(Command::Visible(view.clone())));
    rig.down(&names);
    // Two hours; nobody is reached by REST either.
    let mut failed = 0;
    for n in N..N + 8 {
        for second in 0..40 {
            rig.until(n + 1, second * 1_000);
            for request in rig.requests() {
                failed += 1;
                rig.refuse(&request, ErrorKind::NoConnection, "no route to host");
            }
        }
    }
    assert!(failed > 0);
    for name in ["A000USDT", "A399USDT"] {
        assert_eq!(
            rig.state(name),
            (DataState::Stale, Some("socket lost: reset by peer".to_owned())),
            "stale, and no claim beyond that"
        );
    }
    let end = N + 8;
    rig.subscribed(&names);
    let healed = rig.now;
    let mut times: Vec<(SeriesKey, Duration)> = vec![];
    while rig.now.since(healed) < Duration::from_secs(30) {
        for request in rig.requests() {
            assert_eq!(request.from, Some(UnixMs(N * STEP)), "the hole only");
            times.push((request.key.clone(), rig.now.since(healed)));
            rig.answer(&request, &bars(N..end));
        }
        rig.form(names.first().unwrap(), end);
        if rig.now == healed {
            let held = bars(N - HISTORY..end);
            let open: Vec<_> = names.iter().filter(|n| rig.series(n) != held).collect();
            assert!(open.len() > 300, "most wait for their turn");
            let early: Vec<_> = open.iter().filter(|n| rig.state(n).0 == DataState::Live).collect();
            assert!(early.is_empty(), "live before it is repaired: {early:?}");
        }
        rig.now = rig.now + Duration::from_millis(500);
        rig.tick();
    }
    let shown = |k: &SeriesKey| view.contains(&k.pair);
    assert!(times.iter().take(30).all(|(k, _)| shown(k)), "what is in view goes first");
    let worst = times.iter().filter(|(k, _)| shown(k)).map(|(_, t)| *t).max().unwrap();
    assert!(worst <= Duration::from_secs(5), "{worst:?}");
    assert_eq!(times.len(), 400, "each once");
    let burst = times.iter().filter(|(_, t)| t.is_zero()).count();
    assert!(burst <= 100, "{burst} at once");
    for name in &names {
        assert_eq!(rig.series(name), bars(N - HISTORY..end), "{name}");
        assert_eq!(rig.state(name).0, DataState::Live, "{name}");
    }
}

/// The machine sleeps, and its monotonic clock with it: by our reckoning no time has passed.
#[test]
fn item_35_fault_31_a_sleep_that_our_clock_did_not_count_is_found_by_the_wall_clock() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = rig.now + Duration::from_secs(2);
    rig.zero += 4 * STEP;
    rig.step(Input::Tick);
    assert_eq!(rig.requests(), [], "nobody knows yet");
    rig.step(Input::Slept(Duration::from_secs(3_600)));
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale, "nobody knows");
    rig.tick();
    rig.tick();
    assert_eq!(rig.requests().len(), 1, "the clock was compared at once, and the bars are asked for");
}

/// The same without the wall clock's word: the first frame tells.
#[test]
fn fault_31_a_sleep_is_found_by_the_first_frame_too() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = rig.now + Duration::from_secs(2);
    rig.zero += 4 * STEP;
    rig.form("BTCUSDT", N + 4);
    rig.tick();
    rig.form("BTCUSDT", N + 4);
    let request = rig.one_request();
    let mut rows = bars(N..N + 4);
    rows.push(bar_to(N + 4, 400.0, 10));
    rig.answer(&request, &rows);
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 4));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
}

/// Our reckoning of the exchange's time is off by five seconds either way, as a lopsided answer of
/// ten seconds may make it.
#[test]
fn item_35_a_clock_off_by_five_seconds_closes_nothing_that_forms() {
    for off in [-5_000_i64, 5_000] {
        let mut rig = Rig::new(config());
        rig.until(N, 800_000);
        // The answer to the first question took ten seconds, all of them on one way.
        rig.out.clear();
        let read = rig.server();
        let (sent, received) = if off > 0 {
            // Read when it was sent: by the middle five seconds have passed.
            (rig.now, rig.now + Duration::from_secs(10))
        } else {
            (Mono::from_millis(u64::try_from(rig.now.0.as_millis()).unwrap() - 10_000), rig.now)
        };
        rig.engine = Engine::new(config());
        rig.step(Input::Tick);
        rig.out.clear();
        rig.now = received;
        let answer = TimeAnswer { server: read, sent, received };
        rig.step(Input::Fetched(Fetched::Time { market: Market::UsdM, result: Ok(answer) }));
        rig.start(&["BTCUSDT"]);
        rig.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Time(_))));
        let request = rig.one_request();
        // Truly two seconds before the close; by a clock ahead three seconds after it.
        let left = u64::try_from((N + 1) * STEP - 2_000 - rig.server().0).unwrap();
        rig.now = rig.now + Duration::from_millis(left);
        let mut rows = bars(N - HISTORY..N);
        rows.push(bar_to(N, 900.0, 99));
        rig.answer(&request, &rows);
        rig.subscribed(&["BTCUSDT"]);
        for _ in 0..40 {
            rig.now = rig.now + Duration::from_millis(100);
            rig.step(Input::Tick);
            rig.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Time(_))));
            for request in rig.requests() {
                if rig.server().0 < (N + 1) * STEP {
                    rig.answer(&request, &rows);
                }
            }
        }
        assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N), "off by {off}");
        assert_eq!(rig.snapshot().signals, []);
    }
}

/// A bar as long as the exchange says, whatever the nominal length.
fn long(open: i64, close: i64) -> Kline {
    Kline::new(KlineFields {
        open_time: UnixMs(open),
        close_time: UnixMs(close),
        open: 500.0,
        high: 500.0,
        low: 499.0,
        close: 499.0,
        volume: 5.0,
        trades: Some(9),
        ..KlineFields::default()
    })
    .unwrap()
}

#[test]
fn item_21_months_weeks_and_three_days_go_by_the_exchanges_own_times() {
    const DAY: i64 = 86_400_000;
    let now = N * STEP + 120_000;
    for interval in [Interval::D3, Interval::W1, Interval::Mo1] {
        // A grid of their own: weeks begin on Mondays, three days anywhere, months on the first.
        let first = match interval {
            Interval::Mo1 => 19_358, // 1 January 2023
            Interval::W1 => 19_725,  // a Monday
            _ => 19_760,
        };
        let next = |o: &i64| Some(interval.close_of(UnixMs(*o)).0 + 1);
        let mut opens: Vec<i64> =
            std::iter::successors(Some(first * DAY), next).take_while(|o| *o <= now).collect();
        let forming = opens.pop().unwrap();
        let row = |o: &i64| long(*o, interval.close_of(UnixMs(*o)).0);
        let rows: Vec<Kline> = opens.iter().map(row).collect();
        let mut rig = Rig::new(EngineConfig { intervals: [interval].into(), bars: 100, ..config() });
        rig.start(&["BTCUSDT"]);
        let request = rig.one_request();
        let mut answer = rows.clone();
        answer.push(row(&forming));
        rig.answer(&request, &answer);
        let key = SeriesKey::new(pair("BTCUSDT"), interval);
        let keys: Arc<[SeriesKey]> = [key.clone()].into();
        rig.step(Input::Feed(FeedEvent::Subscribed { conn: CONN, keys: Arc::clone(&keys) }));
        let frame = |rig: &mut Rig, kline: Kline, finality| {
            let event_time = rig.server();
            let event =
                KlineEvent { conn: CONN, key: key.clone(), kline, finality, event_time, received: rig.now };
            rig.step(Input::Feed(FeedEvent::Kline(event)));
        };
        frame(&mut rig, row(&forming), Finality::Forming);
        assert_eq!(rig.state("BTCUSDT").0, DataState::Live, "{interval}");
        // To its very end nothing is missing, a socket lost and back included.
        let close = interval.close_of(UnixMs(forming)).0;
        rig.now = Mono::from_millis(u64::try_from(close - 1_000 - rig.zero).unwrap());
        rig.tick();
        rig.step(Input::Feed(FeedEvent::Subscribed { conn: CONN, keys }));
        assert_eq!((rig.requests(), rig.state("BTCUSDT").0), (vec![], DataState::Live), "{interval}");
        rig.now = rig.now + Duration::from_millis(1_010);
        frame(&mut rig, row(&forming), Finality::Closed);
        frame(&mut rig, row(&(close + 1)), Finality::Forming);
        assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None), "{interval}: the next follows");
        assert_eq!(rig.lane("BTCUSDT").bars as usize, opens.len() + 1);
        let after = interval.close_of(UnixMs(close + 1)).0 + 1;
        rig.now = Mono::from_millis(u64::try_from(after + 10 - rig.zero).unwrap());
        frame(&mut rig, row(&after), Finality::Forming);
        assert_ne!(rig.state("BTCUSDT").0, DataState::Live, "{interval}: one is missing");
    }
}

#[test]
fn item_16_ten_candles_without_a_trade_are_neighbours_and_give_no_figure_that_is_none() {
    let flat = |n: i64| {
        Kline::new(KlineFields {
            open_time: UnixMs(n * STEP),
            close_time: UnixMs((n + 1) * STEP - 1),
            open: 1e-8,
            high: 1e-8,
            low: 1e-8,
            close: 1e-8,
            trades: Some(0),
            ..KlineFields::default()
        })
        .unwrap()
    };
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    rig.answer_all(&(N - HISTORY..N).map(flat).collect::<Vec<_>>());
    rig.subscribed(&["BTCUSDT"]);
    rig.frame("BTCUSDT", flat(N), Finality::Forming);
    for n in N..N + 10 {
        rig.until(n + 1, 5);
        rig.frame("BTCUSDT", flat(n), Finality::Closed);
        let (lane, row) = (rig.lane("BTCUSDT"), Arc::clone(rig.snapshot().rows.first().unwrap()));
        let p = lane.point;
        let figures = [p.open, p.high, p.low, p.close, p.ma, p.dev_pct, p.score];
        assert!(figures.into_iter().flatten().all(f64::is_finite), "{p:?}");
        assert!(row.score.is_none_or(|s| s.raw.is_finite()));
        assert_eq!((lane.state, p.flip), (DataState::Live, false));
    }
    assert_eq!(rig.requests(), [], "nothing is missing");
    let times: Vec<i64> = rig.series("BTCUSDT").iter().map(|k| k.open_time().0 / STEP).collect();
    assert_eq!(times, (N - HISTORY..N + 10).collect::<Vec<_>>());
}
