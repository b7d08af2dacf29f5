//! Gaps, and sockets that come and go.

use super::*;
use crate::exchange::Discard;
use crate::market::snapshot::Discards;

#[test]
fn item_17_a_gap_makes_the_lane_stale_only_the_hole_is_fetched_and_only_then_signals_go_on() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = Mono::from_millis(u64::try_from(4 * STEP - 119_000).unwrap());
    rig.frame("BTCUSDT", bar_to(N + 3, 900.0, 100), Finality::Closed);
    let (state, why) = rig.state("BTCUSDT");
    assert_eq!((state, why.as_deref()), (DataState::Stale, Some("gap of 3 bars")));
    assert_eq!(rig.snapshot().signals, []);
    let request = rig.one_request();
    assert_eq!((request.from, request.priority), (Some(UnixMs(N * STEP)), Priority::Gap));
    assert_eq!(request.bars, 6, "four closed, one forming, one to spare");
    rig.form("BTCUSDT", N + 4);
    assert_eq!(rig.requests(), [], "one errand a lane");
    rig.answer(&request, &bars(N..N + 3));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    let mut want = bars(N - HISTORY..N + 3);
    want.push(bar_to(N + 3, 900.0, 100));
    assert_eq!(rig.series("BTCUSDT"), want);
    assert_eq!(rig.snapshot().signals.len(), 1, "the flip of the newest bar, from within an interval");
    let cache = rig.snapshot().stats;
    assert_eq!((cache.gaps, cache.repaired), (1, 1));
}

#[test]
fn a_flip_before_what_is_still_missing_is_signalled_once() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    // By our clock, a second behind theirs, the candle N+1 is about to close.
    rig.now = Mono::from_millis(u64::try_from(2 * STEP - 121_000).unwrap());
    rig.form("BTCUSDT", N + 2);
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N, 900.0, 100)]);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Stale, Some("gap of 1 bar".to_owned())));
    let close_times = |rig: &mut Rig| rig.snapshot().signals.iter().map(|s| s.close_time).collect::<Vec<_>>();
    assert_eq!(close_times(&mut rig), [UnixMs((N + 1) * STEP - 1)]);
    rig.now = rig.now + Duration::from_secs(10);
    rig.tick();
    rig.time();
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N + 1, 5_000.0, 100)]);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
    assert_eq!(close_times(&mut rig), [UnixMs((N + 1) * STEP - 1)], "once");
}

#[test]
fn flips_older_than_an_interval_are_not_signalled_after_a_repair() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = Mono::from_millis(u64::try_from(4 * STEP).unwrap());
    rig.close("BTCUSDT", N + 3);
    let request = rig.one_request();
    rig.answer(&request, &[bar_to(N, 900.0, 100), bar(N + 1), bar(N + 2)]);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
    assert_eq!(rig.snapshot().signals, []);
}

#[test]
fn item_17_a_gap_longer_than_the_ring_loads_that_series_anew_and_no_other() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    rig.now = Mono::from_millis(u64::try_from(50 * STEP).unwrap());
    rig.close("BTCUSDT", N + 49);
    let request = rig.one_request();
    assert_eq!((request.from, request.bars), (None, 20));
    rig.answer(&request, &bars(N + 31..N + 50));
    assert_eq!(rig.series("BTCUSDT"), bars(N + 31..N + 50));
    assert_eq!(rig.series("ETHUSDT"), bars(N - HISTORY..N));
}

#[test]
fn item_18_a_hole_the_exchange_has_is_recorded_asked_for_once_and_absent_for_the_indicator() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = Mono::from_millis(u64::try_from(4 * STEP).unwrap());
    rig.form("BTCUSDT", N + 4);
    let request = rig.one_request();
    // Maintenance: candles N to N+3 do not exist.
    rig.answer(&request, &[bar_to(N + 4, 400.0, 10)]);
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    rig.form("BTCUSDT", N + 4);
    rig.until(N + 5, 5);
    rig.close("BTCUSDT", N + 4);
    rig.until(N + 5, 60_000);
    assert_eq!(rig.requests(), []);
    assert_eq!(rig.series("BTCUSDT").len(), usize::try_from(HISTORY).unwrap() + 1);
    // What REST is asked for another reason confirms it again, and that is no news.
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    let request = rig.one_request();
    let mut rows = bars(N - HISTORY..N);
    rows.push(bar(N + 4));
    rig.answer(&request, &rows);
    assert_eq!((rig.lane("BTCUSDT").holes, rig.snapshot().stats.upkeep.holes), (1, 1));
    // Its neighbours are consecutive bars, as on a chart.
    let mut hama = crate::domain::indicator::Hama::new(&Arc::new(preset()), Interval::M15);
    let point = rows.iter().map(|k| hama.push(k)).last().unwrap();
    assert_eq!(rig.lane("BTCUSDT").point, point);
}

#[test]
fn a_lost_socket_makes_its_lanes_stale_and_only_those_that_miss_something_are_repaired() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.down(&names);
    assert_eq!(rig.state("ETHUSDT"), (DataState::Stale, Some("socket lost: reset by peer".to_owned())));
    assert!(matches!(rig.snapshot().links.first().unwrap().state, LinkState::Down { .. }));
    rig.until(N, 400_000);
    rig.subscribed(&names);
    assert_eq!(rig.requests(), [], "no candle closed meanwhile");
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale, "an acknowledgement proves nothing");
    rig.form("BTCUSDT", N);
    assert_eq!(rig.state("BTCUSDT").0, DataState::Live);
    assert_eq!(rig.state("ETHUSDT").0, DataState::Live, "the socket brings data and nothing is missing");

    rig.until(N + 1, 3);
    rig.close("BTCUSDT", N);
    rig.close("ETHUSDT", N);
    rig.until(N + 1, 899_000);
    rig.down(&names);
    rig.until(N + 2, 15_000);
    assert_eq!(rig.requests(), [], "nothing is asked while it is gone for a moment");
    rig.subscribed(&names);
    let requests = rig.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!((request.from, request.bars), (Some(UnixMs((N + 1) * STEP)), 3), "missing + 2");
        let mut rows = bars(N..N + 2);
        rows.push(bar_to(N + 2, 400.0, 10));
        rig.answer(request, &rows);
    }
    rig.form("ETHUSDT", N + 2);
    for name in names {
        assert_eq!(rig.state(name), (DataState::Live, None));
        assert_eq!(rig.series(name), bars(N - HISTORY..N + 2));
    }
    assert_eq!(rig.requests(), []);
}

#[test]
fn a_bar_that_is_over_or_cut_off_is_no_preview() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let live = |rig: &mut Rig| {
        let lane = rig.lane("BTCUSDT");
        assert_eq!(lane.preview.is_some(), lane.price_side.is_some());
        lane.preview.is_some()
    };
    assert!(live(&mut rig));
    rig.down(&["BTCUSDT"]);
    assert!(!live(&mut rig), "the stream is gone");
    rig.subscribed(&["BTCUSDT"]);
    assert!(!live(&mut rig), "an acknowledgement proves nothing");
    rig.form("BTCUSDT", N);
    assert!(live(&mut rig));
    // Nobody says that it closed: within the grace it may still come.
    rig.until(N + 1, 2_000);
    assert!(live(&mut rig));
    rig.until(N + 1, 6_000);
    assert!(!live(&mut rig), "its time is over");
    let request = rig.one_request();
    rig.answer(&request, &bars(N..N + 1));
    rig.form("BTCUSDT", N + 1);
    assert!(live(&mut rig));
}

#[test]
fn a_loss_is_told_once_and_its_end_when_data_comes() {
    let names = ["BTCUSDT"];
    let mut rig = Rig::live(&names);
    let link = |rig: &mut Rig| rig.snapshot().links.first().unwrap().clone();
    let back = |rig: &mut Rig| rig.notices(Level::Info).iter().filter(|n| n.contains("is back")).count();
    assert!(link(&mut rig).lag.is_some());
    rig.until(N, 130_000);
    let lost = rig.now;
    for attempt in 1..4 {
        rig.down(&names);
        assert_eq!((link(&mut rig).lag, link(&mut rig).since), (None, lost));
        rig.until(N, 130_000 + attempt * 10_000);
        rig.step(Input::Feed(FeedEvent::Connecting { conn: CONN, streams: 1 }));
        assert_eq!(link(&mut rig).since, lost, "an attempt is no news");
    }
    assert_eq!(rig.notices(Level::Warn).len(), 1, "one loss for one reason");
    rig.subscribed(&names);
    assert_eq!((back(&mut rig), link(&mut rig).since), (0, lost), "an acknowledgement proves nothing");
    rig.form("BTCUSDT", N);
    let up = link(&mut rig);
    assert_eq!((up.state, up.since, up.drops), (LinkState::Up, rig.now, 1));
    assert!(up.lag.is_some());
    assert!(rig.snapshot().notices.last().unwrap().text.as_str().ends_with("is back"));
    rig.form("BTCUSDT", N);
    assert_eq!(back(&mut rig), 1);
    // The next loss is another story, though for the same reason.
    rig.down(&names);
    assert_eq!(rig.notices(Level::Warn).len(), 2);
}

/// Its pairs go while it reconnects, and it ends without a word.
#[test]
fn a_socket_that_nothing_is_left_for_is_not_shown_as_connecting() {
    let mut rig = Rig::live(&["AUSDT", "BUSDT", "CUSDT"]);
    let second = ConnId { number: 1, ..CONN };
    rig.step(Input::Feed(FeedEvent::Subscribed { conn: second, keys: Rig::keys(&["CUSDT"]) }));
    let shown = |rig: &mut Rig| rig.snapshot().links.iter().map(|l| l.conn).collect::<Vec<u32>>();
    let connecting = || Input::Feed(FeedEvent::Connecting { conn: second, streams: 1 });
    rig.step(connecting());
    assert_eq!(shown(&mut rig), [0, 1]);
    rig.relist(&["AUSDT", "BUSDT"], &["CUSDT"]);
    assert_eq!(shown(&mut rig), [0]);
    // What it had said before it was told.
    rig.step(connecting());
    let discarded = FeedEvent::Discarded { conn: second, why: Discard::NotJson };
    rig.step(Input::Feed(discarded));
    assert_eq!((shown(&mut rig), rig.snapshot().stats.discards.not_json), (vec![0], 1));
}

#[test]
fn a_halted_pair_is_not_asked_for_in_a_loop() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.down(&["BTCUSDT"]);
    rig.until(N + 2, 0);
    rig.subscribed(&["BTCUSDT"]);
    let mut asked = 0;
    for minute in 0..30 {
        rig.until(N + 2, minute * 60_000);
        for request in rig.requests() {
            asked += 1;
            rig.answer(&request, &[]);
        }
    }
    assert!(asked <= 14, "{asked} requests in half an hour");
    assert_eq!(rig.state("BTCUSDT").0, DataState::Stale);
}

#[test]
fn what_is_thrown_away_is_counted_by_reason() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    for (why, times) in [
        (Discard::NotJson, 1),
        (Discard::UnknownShape, 2),
        (Discard::BadValue, 3),
        (Discard::NotWatched, 4),
        (Discard::Overrun, 6),
    ] {
        (0..times).for_each(|_| rig.step(Input::Feed(FeedEvent::Discarded { conn: CONN, why })));
    }
    rig.form("OTHERUSDT", N);
    let stats = rig.snapshot().stats;
    let want = Discards { not_json: 1, unknown_shape: 2, bad_value: 3, not_watched: 5, overrun: 6, rows: 0 };
    assert_eq!((stats.discards, stats.discarded), (want, 17));
}

#[test]
fn day_figures_and_the_price_go_by_stamp() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let at = rig.server();
    let day = |last, stamp| {
        Input::Feed(FeedEvent::Day(vec![DayEvent {
            pair: pair("BTCUSDT"),
            last,
            change_pct: -2.0,
            quote_volume: 5.0,
            event_time: stamp,
        }]))
    };
    rig.step(day(444.0, at + Duration::from_secs(1)));
    rig.step(day(333.0, at));
    let row = Arc::clone(rig.snapshot().rows.first().unwrap());
    assert_eq!((row.last, row.day.unwrap().change_pct), (Some(444.0), -2.0));
    rig.until(N, 125_000);
    rig.form("BTCUSDT", N);
    assert_eq!(rig.snapshot().rows.first().unwrap().last, Some(400.0));
}

#[test]
fn a_price_never_gives_way_to_an_older_one() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let last = |rig: &mut Rig| {
        let row = Arc::clone(rig.snapshot().rows.first().unwrap());
        (row.last.unwrap(), row.last_at.unwrap())
    };
    rig.until(N + 1, 100);
    let ticker = DayEvent {
        pair: pair("BTCUSDT"),
        last: 444.0,
        change_pct: -2.0,
        quote_volume: 5.0,
        event_time: rig.server(),
    };
    let newest = (444.0, rig.server());
    rig.step(Input::Feed(FeedEvent::Day(vec![ticker])));
    // The close is told later than the ticker, and its price is older.
    rig.until(N + 1, 300);
    rig.close("BTCUSDT", N);
    assert_eq!(last(&mut rig), newest);
    // REST's rows lag: one asked for a second after the ticker may show less than that did.
    rig.until(N + 1, 1_000);
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    let request = rig.one_request();
    let mut rows = bars(N - HISTORY..N + 1);
    rows.push(bar_to(N + 1, 480.0, 5));
    rig.answer(&request, &rows);
    assert_eq!(last(&mut rig), newest);
    rig.until(N + 1, 60_000);
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    let request = rig.one_request();
    rig.answer(&request, &rows);
    assert_eq!(last(&mut rig), (480.0, UnixMs((N + 1) * STEP + 58_000)));
}

#[test]
fn subscriptions_may_come_in_parts_and_after_data() {
    let names = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];
    let mut rig = Rig::new(config());
    rig.start(&names);
    rig.answer_all(&bars(N - HISTORY..N));
    rig.step(Input::Feed(FeedEvent::Connecting { conn: CONN, streams: 3 }));
    rig.subscribed(&["BTCUSDT", "ETHUSDT"]);
    rig.form("BTCUSDT", N);
    assert_eq!(rig.state("ETHUSDT").0, DataState::Live);
    assert_eq!(rig.state("XRPUSDT").0, DataState::Warming);
    rig.subscribed(&["XRPUSDT"]);
    assert_eq!(rig.state("XRPUSDT").0, DataState::Live);
    let link = rig.snapshot().links.first().unwrap().clone();
    assert_eq!((link.streams, link.state), (3, LinkState::Up));
    rig.down(&names);
    for name in names {
        assert_eq!(rig.state(name).0, DataState::Stale);
    }
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

/// One frame with an open time far ahead must not end the lane.
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

impl Rig {
    pub(super) fn no_time(&mut self) {
        self.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Time(_))));
        let error = ExchangeError { kind: ErrorKind::Transient, message: CleanText::new("timed out") };
        self.step(Input::Fetched(Fetched::Time { market: Market::UsdM, result: Err(error) }));
    }

    fn slip(&mut self, name: &str, finality: Finality) {
        let event = KlineEvent {
            conn: CONN,
            key: key(name),
            kline: bar_to(N + 100, 400.0, 10),
            finality,
            event_time: UnixMs((N + 100) * STEP + 5_000),
            received: self.now,
        };
        self.step(Input::Feed(FeedEvent::Kline(event)));
    }
}

/// The same with the time not to be had: it moves no clock either.
#[test]
fn a_frame_from_the_future_moves_no_clock_that_cannot_be_compared() {
    for finality in [Finality::Forming, Finality::Closed] {
        let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
        rig.no_time();
        rig.slip("BTCUSDT", finality);
        rig.no_time();
        let (now, server) = (rig.now, rig.server());
        assert_eq!(rig.snapshot().clock.map(|c| c.at(now)), Some(server));
        assert_eq!(rig.requests(), []);
        rig.frame("ETHUSDT", bar_to(N, 499.5, 11), Finality::Forming);
        for name in ["BTCUSDT", "ETHUSDT"] {
            assert_eq!(rig.state(name), (DataState::Live, None), "{finality:?}");
        }
        assert_eq!(rig.snapshot().stats.discards.bad_value, 1);
    }
}

/// Before the first answer nobody can tell a slip from the time: the answer does.
#[test]
fn what_came_from_the_future_before_the_time_was_known_goes_with_the_first_answer() {
    for finality in [Finality::Forming, Finality::Closed] {
        let mut rig = Rig::new(config());
        rig.step(Input::Tick);
        rig.out.retain(|o| !matches!(o, Output::Fetch(FetchRequest::Time(_))));
        rig.start(&["BTCUSDT"]);
        rig.subscribed(&["BTCUSDT"]);
        rig.slip("BTCUSDT", finality);
        let day = DayEvent {
            pair: pair("BTCUSDT"),
            last: 777.0,
            change_pct: 0.0,
            quote_volume: 1.0,
            event_time: rig.server() + Duration::from_secs(86_400),
        };
        rig.step(Input::Feed(FeedEvent::Day(vec![day])));
        let answer = TimeAnswer { server: rig.server(), sent: rig.now, received: rig.now };
        rig.step(Input::Fetched(Fetched::Time { market: Market::UsdM, result: Ok(answer) }));
        assert_eq!(rig.snapshot().rows.first().unwrap().last, None);
        let mut rows = bars(N - HISTORY..N);
        rows.push(bar_to(N, 499.5, 5));
        rig.answer_all(&rows);
        rig.form("BTCUSDT", N);
        assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None), "{finality:?}");
        assert_eq!(rig.snapshot().rows.first().unwrap().last, Some(400.0));
        assert_eq!(rig.lane("BTCUSDT").seen, Some(rig.server()));
        rig.until(N + 1, 3);
        rig.close("BTCUSDT", N);
        rig.form("BTCUSDT", N + 1);
        assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None), "{finality:?}");
        assert_eq!(rig.requests(), []);
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

#[test]
fn rows_that_stay_unreadable_make_the_series_failed_and_it_is_asked_for_again_later() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.now = Mono::from_millis(u64::try_from(4 * STEP - 110_000).unwrap());
    rig.form("BTCUSDT", N + 4);
    let mut asked = 0;
    for _ in 0..1_200 {
        for request in rig.requests() {
            asked += 1;
            let rows = vec![bar(N), bar(N + 1), bar(N + 3)];
            let rows = rows.into_iter().filter(|k| Some(k.open_time()) >= request.from).collect();
            let answer = KlinesAnswer { rows, skipped: 1, sent: rig.now, received: rig.now };
            rig.step(Input::Fetched(Fetched::Klines { request, covers: vec![], result: Ok(answer) }));
        }
        rig.now = rig.now + Duration::from_secs(1);
        rig.tick();
    }
    assert!((6..=14).contains(&asked), "{asked} requests in twenty minutes");
    let (state, why) = rig.state("BTCUSDT");
    assert_eq!(
        (state, why.as_deref()),
        (DataState::Failed, Some("1 rows of REST's answer could not be read"))
    );
    rig.until(N + 6, 0);
    let request = rig.one_request();
    rig.answer(&request, &bars(N..N + 6));
    assert_ne!(rig.state("BTCUSDT").0, DataState::Failed);
    assert_eq!(rig.series("BTCUSDT").get(9..13), Some(bars(N..N + 4).as_slice()));
}
