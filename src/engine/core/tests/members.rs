//! Lists of pairs that change while the program runs.

use std::collections::BTreeSet;

use super::*;
use crate::market::snapshot::{Pool, Row};

const HOUR: i64 = 3_600_000;

/// A list of these pairs, by volume.
fn list(market: Market, names: &[&str], at: UnixMs) -> UniverseAnswer {
    let mut answer = UniverseAnswer::default();
    for (rank, name) in names.iter().enumerate() {
        let pair = Pair { market, symbol: sym(name) };
        answer.day.push(DayEvent {
            pair: pair.clone(),
            last: 499.0,
            change_pct: 1.0,
            quote_volume: 1e9 - f64::from(u32::try_from(rank).unwrap()),
            event_time: at,
        });
        let (base, quote) = (sym(name), sym("USDT"));
        answer.trading.push(Instrument { pair, base, quote, tick: Tick { decimals: 2 } });
    }
    answer
}

impl Rig {
    /// Lets time pass until the list of USD-M is asked for again: how long that took, in minutes.
    fn until_asked(&mut self) -> u64 {
        let asked = Output::Fetch(FetchRequest::Universe(Market::UsdM));
        let began = self.now;
        while !self.out.contains(&asked) {
            self.now = self.now + Duration::from_secs(1);
            self.tick();
            assert!(self.now.since(began) < Duration::from_secs(4_000), "nobody asks for the list again");
        }
        self.out.clear();
        self.now.since(began).as_secs() / 60
    }

    fn listed(&mut self, answer: UniverseAnswer) {
        let market = answer.trading.first().map_or(Market::UsdM, |i| i.pair.market);
        self.step(Input::Fetched(Fetched::Universe { market, result: Ok(answer) }));
    }

    /// The next list of USD-M has these pairs, and these that are not traded.
    pub(super) fn relist(&mut self, names: &[&str], not_trading: &[&str]) {
        self.until_asked();
        let mut answer = list(Market::UsdM, names, self.server());
        answer.not_trading = not_trading.iter().map(|n| pair(n)).collect();
        self.listed(answer);
    }

    /// Streams asked for and given up since `out` was emptied, in order.
    fn streams(&self) -> Vec<(bool, Vec<String>)> {
        let names = |keys: &[SeriesKey]| keys.iter().map(|k| k.pair.symbol.to_string()).collect();
        let one = |o: &Output| match o {
            Output::Feed(FeedCommand::Watch(keys)) => Some((true, names(keys))),
            Output::Feed(FeedCommand::Unwatch(keys)) => Some((false, names(keys))),
            _ => None,
        };
        self.out.iter().filter_map(one).collect()
    }

    fn row(&mut self, name: &str) -> Option<Arc<Row>> {
        self.snapshot().rows.iter().find(|r| r.pair == pair(name)).cloned()
    }

    fn rows(&mut self) -> Vec<String> {
        self.snapshot().rows.iter().map(|r| r.pair.symbol.to_string()).collect()
    }
}

fn watch(name: &str) -> (bool, Vec<String>) {
    (true, vec![name.to_owned()])
}

fn unwatch(name: &str) -> (bool, Vec<String>) {
    (false, vec![name.to_owned()])
}

#[test]
fn the_list_is_asked_for_every_ten_to_fifteen_minutes_of_the_exchanges_clock() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    let mut waits = BTreeSet::new();
    for _ in 0..8 {
        let minutes = rig.until_asked();
        assert!((10..=15).contains(&minutes), "{minutes}");
        waits.insert(minutes);
        let answer = list(Market::UsdM, &["BTCUSDT"], rig.server());
        rig.listed(answer);
    }
    assert!(waits.len() > 1, "programs started together would go on asking together: {waits:?}");
    assert_eq!(rig.snapshot().universe.pending, 0);

    let mut fast = Rig::new(EngineConfig { clock_rate: 60.0, ..config() });
    fast.start(&["BTCUSDT"]);
    let began = fast.now;
    fast.until_asked();
    assert!(fast.now.since(began) <= Duration::from_secs(16), "sixty times as often");

    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.out.clear();
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    assert!(rig.out.contains(&Output::Fetch(FetchRequest::Universe(Market::UsdM))), "asked for by hand");
}

#[test]
fn item_28_a_new_listing_is_subscribed_loaded_and_warms_up() {
    let mut rig = Rig::live(&["BTCUSDT"]);
    rig.relist(&["BTCUSDT", "NEWUSDT"], &[]);
    assert_eq!(rig.streams(), [watch("NEWUSDT")]);
    let requests = rig.requests();
    let load = requests.iter().find(|r| r.key == key("NEWUSDT")).unwrap().clone();
    assert_eq!((load.from, load.priority), (None, Priority::Warmup));
    assert!(rig.row("NEWUSDT").unwrap().day.is_some(), "figures at once");
    assert!(rig.notices(Level::Info).contains(&"usdm: new in the table: NEWUSDT".to_owned()));

    // It was listed in the candle before.
    let n = rig.server().0 / STEP;
    rig.answer(&load, &[bar(n - 1), bar_to(n, 400.0, 5)]);
    rig.subscribed(&["NEWUSDT"]);
    rig.form("NEWUSDT", n);
    let need = rig.lane("NEWUSDT").need_score;
    for closed in 1..=need + 1 {
        let lane = rig.lane("NEWUSDT");
        let state = if closed < need { DataState::Warming } else { DataState::Live };
        assert_eq!((lane.bars, lane.state), (closed, state), "warming {closed}/{need}");
        assert_eq!(lane.point.score.is_some(), closed >= need);
        let n = n + i64::from(closed) - 1;
        rig.until(n + 1, 5);
        rig.close("NEWUSDT", n);
        rig.form("NEWUSDT", n + 1);
    }
    // Its own figures come by the stream from now on.
    let mut day = list(Market::UsdM, &["NEWUSDT"], rig.server()).day;
    day[0].change_pct = -7.0;
    rig.step(Input::Feed(FeedEvent::Day(day)));
    assert!((rig.row("NEWUSDT").unwrap().day.unwrap().change_pct + 7.0).abs() < 1e-9);
}

#[test]
fn item_29_a_delisted_pair_is_greyed_unsubscribed_and_left_in_peace() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    let held = rig.series("ETHUSDT");
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("ETHUSDT")))));
    let late = rig.one_request();
    rig.relist(&["BTCUSDT", "SOLUSDT"], &["ETHUSDT"]);
    assert_eq!(rig.streams(), [unwatch("ETHUSDT")]);
    assert_eq!(rig.state("ETHUSDT"), (DataState::Delisted, Some("not traded now".to_owned())));
    assert!(rig.notices(Level::Warn).contains(&"usdm: no longer traded: ETHUSDT".to_owned()));
    assert_eq!(rig.snapshot().universe.counts.delisted, 1);

    // Only closes come, then nothing, for hours; an answer that was under way is late.
    let before = rig.engine.store().counters.discards.not_watched;
    rig.close("ETHUSDT", N);
    rig.answer(&late, &bars(N - 2..N + 3));
    assert_eq!(rig.series("ETHUSDT"), held, "it stays as it was");
    assert_eq!(rig.engine.store().counters.discards.not_watched, before + 1);
    rig.down(&["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    rig.subscribed(&["BTCUSDT", "SOLUSDT"]);
    rig.requests();
    rig.until(N + 2, 300_000);
    assert!(rig.requests().iter().all(|r| r.key != key("ETHUSDT")), "nothing is asked of it");
    assert_eq!(rig.state("ETHUSDT").0, DataState::Delisted);
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("ETHUSDT")))));
    assert!(rig.requests().iter().all(|r| r.key != key("ETHUSDT")));

    let gone = rig.server();
    while rig.row("ETHUSDT").is_some() {
        rig.relist(&["BTCUSDT", "SOLUSDT"], &["ETHUSDT"]);
        assert_eq!(rig.streams(), []);
    }
    let stayed = rig.server().0 - gone.0;
    assert!((HOUR - 40 * 60_000..HOUR + 16 * 60_000).contains(&stayed), "{stayed} ms");
    assert_eq!(rig.snapshot().stats.symbols, 2);
}

#[test]
fn a_pair_that_is_traded_again_comes_back_and_is_loaded_anew() {
    for gone in [&["ETHUSDT"][..], &[]] {
        let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
        rig.relist(&["BTCUSDT", "SOLUSDT"], gone);
        assert_eq!(rig.state("ETHUSDT").0, DataState::Delisted, "in the list or not");
        rig.relist(&["BTCUSDT", "ETHUSDT", "SOLUSDT"], &[]);
        assert_eq!(rig.streams(), [watch("ETHUSDT")]);
        assert!(rig.requests().iter().any(|r| r.key == key("ETHUSDT") && r.from.is_none()));
        assert_eq!(rig.state("ETHUSDT").0, DataState::Warming);
        assert_eq!(rig.snapshot().universe.counts.returned, 1);
    }
}

#[test]
fn no_answer_empties_the_table() {
    let names = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
    let mut rig = Rig::live(&names);
    rig.until_asked();
    rig.listed(UniverseAnswer::default());
    rig.until_asked();
    let error = ExchangeError::new(ErrorKind::Transient, "torn");
    rig.step(Input::Fetched(Fetched::Universe { market: Market::UsdM, result: Err(error) }));
    assert_eq!(rig.snapshot().universe.pending, 0, "a list is there");
    rig.until_asked();
    // Entries that can't be read are there, whatever they are.
    let mut unread = list(Market::UsdM, &["BTCUSDT"], rig.server());
    (unread.unread, unread.skipped) = (vec![sym("ETHUSDT"), sym("SOLUSDT")], 2);
    rig.listed(unread);
    // One without any figure of a volume.
    rig.until_asked();
    let mut bare = list(Market::UsdM, &names, rig.server());
    bare.day.clear();
    rig.listed(bare);
    assert_eq!(rig.rows(), names);
    assert!(names.iter().all(|n| rig.row(n).unwrap().state != DataState::Delisted));
    assert_eq!(rig.streams(), []);
    let counts = rig.snapshot().universe.counts;
    assert_eq!((counts.refused, counts.lists, counts.delisted, counts.unread), (2, 3, 0, 2));
}

/// The first list comes without volumes: by name `0GUSDT` would be the top.
#[test]
fn a_first_list_without_any_volume_is_asked_for_again() {
    let names = ["0GUSDT", "BTCUSDT"];
    let mut rig =
        Rig::new(EngineConfig { universe: UniverseSpec { top: 1, ..config().universe }, ..config() });
    rig.step(Input::Tick);
    rig.time();
    let mut bare = list(Market::UsdM, &names, rig.server());
    bare.day.clear();
    rig.listed(bare);
    assert_eq!(rig.rows(), Vec::<String>::new());
    assert!(rig.notices(Level::Error).iter().any(|n| n.contains("no volume of any pair")));
    assert_eq!(rig.snapshot().universe.counts.refused, 1);
    rig.out.clear();
    assert!(rig.until_asked() <= 1, "soon");
    let mut whole = list(Market::UsdM, &names, rig.server());
    whole.day[1].quote_volume = 1e12;
    rig.listed(whole);
    assert_eq!(rig.rows(), ["BTCUSDT"]);
}

#[test]
fn a_second_list_that_lacks_others_bears_nothing_out() {
    let names = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"];
    let mut rig = Rig::live(&names);
    rig.relist(&["AUSDT"], &[]);
    rig.until_asked();
    let other = list(Market::UsdM, &["BUSDT"], rig.server());
    rig.listed(other);
    assert_eq!(rig.streams(), [], "the first lacked B, C and D, this one A, C and D");
    rig.until_asked();
    let third = list(Market::UsdM, &["BUSDT"], rig.server());
    rig.listed(third);
    assert_eq!(rig.streams(), [(false, ["AUSDT", "CUSDT", "DUSDT"].map(String::from).into())]);
}

#[test]
fn a_list_that_takes_most_rows_away_is_believed_when_a_second_one_says_the_same() {
    let names = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"];
    let mut rig = Rig::live(&names);
    rig.relist(&["AUSDT"], &["BUSDT"]);
    assert_eq!(rig.streams(), []);
    assert!(rig.notices(Level::Warn).iter().any(|n| n.contains("lacks most of the table")));
    assert_eq!(rig.until_asked(), 1, "asked again soon");
    let whole = list(Market::UsdM, &names, rig.server());
    rig.listed(whole);
    assert_eq!(rig.streams(), []);

    rig.relist(&["AUSDT"], &["BUSDT"]);
    rig.until_asked();
    let mut same = list(Market::UsdM, &["AUSDT"], rig.server());
    same.not_trading.push(pair("BUSDT"));
    rig.listed(same);
    let gone: Vec<String> = ["BUSDT", "CUSDT", "DUSDT"].map(String::from).into();
    assert_eq!(rig.streams(), [(false, gone)]);
}

#[test]
fn a_row_that_falls_in_rank_leaves_with_all_that_was_its_own() {
    let universe = UniverseSpec { top: 2, ..config().universe };
    let mut rig = Rig::new(EngineConfig { universe, ..config() });
    rig.start(&["AUSDT", "BUSDT", "CUSDT", "DUSDT", "EUSDT"]);
    rig.answer_all(&bars(N - HISTORY..N + 1));
    rig.subscribed(&["AUSDT", "BUSDT"]);
    assert_eq!(rig.rows(), ["AUSDT", "BUSDT"]);
    rig.step(Input::Command(Command::Focus(Some(pair("BUSDT")))));
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BUSDT")))));
    let late = rig.one_request();
    rig.relist(&["AUSDT", "CUSDT", "DUSDT", "EUSDT", "BUSDT"], &[]);
    assert_eq!(rig.rows(), ["AUSDT", "BUSDT", "CUSDT"], "once is no proof");
    rig.relist(&["AUSDT", "CUSDT", "DUSDT", "EUSDT", "BUSDT"], &[]);
    assert_eq!(rig.streams(), [unwatch("BUSDT")]);
    assert_eq!(rig.rows(), ["AUSDT", "CUSDT"]);
    assert!(rig.notices(Level::Info).contains(&"BUSDT: nothing compared with REST".to_owned()));

    // Its place is another's now, and an answer that was under way is nobody's.
    rig.relist(&["DUSDT", "AUSDT", "CUSDT"], &[]);
    assert_eq!(rig.engine.store().places(), 3, "no place was added");
    rig.answer(&late, &bars(N - 5..N));
    assert_eq!(rig.series("DUSDT"), []);
    assert_eq!(rig.lane("DUSDT").klines, None, "and the focus was not on it");
}

/// Fifty pairs come and go, and some under another name, again and again.
#[test]
fn fault_37_fifty_pairs_come_and_go_and_the_memory_comes_back() {
    let stay: Vec<String> = (0..30).map(|n| format!("STAY{n}USDT")).collect();
    let one: Vec<String> = (0..25).map(|n| format!("OLD{n}USDT")).collect();
    let other: Vec<String> = (0..25).map(|n| format!("NEW{n}USDT")).collect();
    let names = |list: &[&[String]]| list.concat();
    let texts = |list: &[String]| list.to_vec();
    let (first, second) = (names(&[&stay, &one]), names(&[&stay, &other]));
    let universe = UniverseSpec { top: 100, ..config().universe };
    let mut rig = Rig::new(EngineConfig { universe, bars: 500, ..config() });
    rig.start(&first.iter().map(String::as_str).collect::<Vec<_>>());
    let mut carried: BTreeSet<String> = texts(&first).into_iter().collect();
    assert_eq!(rig.streams().len(), 1);
    rig.answer_all(&bars(N - HISTORY..N + 1));

    let mut held = Vec::new();
    for round in 0..24 {
        // Half are taken off the list, half stop being traded; all come back under other names.
        let (now, gone) = if round % 2 == 0 { (&second, &one) } else { (&first, &other) };
        let listed: Vec<&str> = now.iter().map(String::as_str).collect();
        let halted: Vec<&str> = gone.iter().take(12).map(String::as_str).collect();
        rig.relist(&listed, &halted);
        for (on, keys) in rig.streams() {
            for name in keys {
                let changed = if on { carried.insert(name) } else { carried.remove(&name) };
                assert!(changed, "asked for twice, or given up twice");
            }
        }
        let traded: BTreeSet<String> = now.iter().cloned().collect();
        assert_eq!(carried, traded, "round {round}");
        for request in rig.requests() {
            rig.answer(&request, &bars(N - HISTORY..N + 1));
        }
        held.push((rig.snapshot().stats.bytes, rig.engine.store().places()));
    }
    // From the first round on there are the rows that are traded and the grey ones.
    let most = held.iter().take(2).max().unwrap();
    assert!(held.iter().all(|h| h.0 <= most.0 && h.1 <= most.1), "{held:?}");

    let only: Vec<&str> = stay.iter().map(String::as_str).collect();
    for _ in 0..8 {
        rig.relist(&only, &[]);
        rig.answer_all(&bars(N - HISTORY..N + 1));
    }
    let stats = rig.snapshot().stats;
    assert_eq!((stats.symbols, stats.series), (30, 30));
    assert!(stats.bytes < most.0 / 2, "{} of {}: 30 of 80 rows are left", stats.bytes, most.0);
    let store = rig.engine.store();
    let there = |task: &crate::engine::repair::Task| store.lane(task.lane).is_some();
    assert!(rig.engine.tasks.values().all(there), "nothing is under way for anyone who is gone");
}

#[test]
fn item_31_figures_stay_until_newer_ones_come_and_an_array_may_come_in_two() {
    let names = ["AUSDT", "BUSDT", "CUSDT"];
    let mut rig = Rig::live(&names);
    let change = |rig: &mut Rig, name: &str| format!("{}", rig.row(name).unwrap().day.unwrap().change_pct);
    let day = |rig: &Rig, name: &str, pct: f64| {
        let mut day = list(Market::UsdM, &[name], rig.server()).day;
        day[0].change_pct = pct;
        FeedEvent::Day(day)
    };
    rig.until(N, 300_000);
    let first = day(&rig, "AUSDT", 5.0);
    let second = day(&rig, "BUSDT", 6.0);
    let at = rig.server();
    rig.step(Input::Feed(first));
    rig.step(Input::Feed(second));
    rig.until(N, 400_000);
    let third = day(&rig, "BUSDT", 7.0);
    rig.step(Input::Feed(third));
    assert_eq!(names.map(|n| change(&mut rig, n)), ["5", "7", "1"], "absence is not zero");
    assert_eq!(rig.row("AUSDT").unwrap().day.unwrap().at, at, "and its age is known");
    // A frame that was overtaken, and one of a pair of another market with such a name.
    let mut old = list(Market::UsdM, &["BUSDT"], at).day;
    old.extend(list(Market::UsdM, &["BTCUSD_PERP"], rig.server()).day);
    rig.step(Input::Feed(FeedEvent::Day(old)));
    assert_eq!(change(&mut rig, "BUSDT"), "7");
    assert_eq!(rig.rows(), names);
}

fn both() -> Rig {
    let markets = [Market::UsdM, Market::Spot].into();
    let mut rig = Rig::new(EngineConfig { markets, ..config() });
    rig.step(Input::Tick);
    rig.time();
    let answer = TimeAnswer { server: rig.server(), sent: rig.now, received: rig.now };
    rig.step(Input::Fetched(Fetched::Time { market: Market::Spot, result: Ok(answer) }));
    for (market, names) in [
        (Market::UsdM, ["BTCUSDT", "1000PEPEUSDT", "PERPUSDT"]),
        (Market::Spot, ["BTCUSDT", "PEPEUSDT", "SPOTUSDT"]),
    ] {
        let answer = list(market, &names, rig.server());
        rig.listed(answer);
    }
    rig
}

fn price(rig: &mut Rig, market: Market, name: &str, last: f64) {
    let mut day = list(market, &[name], rig.server()).day;
    day[0].last = last;
    rig.step(Input::Feed(FeedEvent::Day(day)));
}

fn basis(rig: &mut Rig, market: Market, name: &str) -> Option<f64> {
    let rows = rig.snapshot().rows;
    rows.iter().find(|r| (r.pair.market, r.pair.symbol.as_str()) == (market, name)).unwrap().basis
}

#[test]
fn two_markets_are_kept_apart_and_the_perpetual_is_measured_against_its_spot_pair() {
    let mut rig = both();
    assert_eq!(rig.snapshot().rows.len(), 6, "one row a market and name");
    price(&mut rig, Market::UsdM, "BTCUSDT", 101.0);
    price(&mut rig, Market::Spot, "BTCUSDT", 100.0);
    let is = |got: Option<f64>, want: f64| got.is_some_and(|g| (g - want).abs() < 1e-9);
    assert!(is(basis(&mut rig, Market::UsdM, "BTCUSDT"), 1.0));
    assert_eq!(basis(&mut rig, Market::Spot, "BTCUSDT"), None, "it is the perpetual's figure");
    price(&mut rig, Market::Spot, "BTCUSDT", 102.0);
    assert!(is(basis(&mut rig, Market::UsdM, "BTCUSDT"), -100.0 / 102.0), "follows spot");
    // A contract of a thousand coins.
    price(&mut rig, Market::UsdM, "1000PEPEUSDT", 0.0202);
    price(&mut rig, Market::Spot, "PEPEUSDT", 0.00002);
    assert!(is(basis(&mut rig, Market::UsdM, "1000PEPEUSDT"), 1.0));
    assert_eq!(basis(&mut rig, Market::UsdM, "PERPUSDT"), None);
}

#[test]
fn a_basis_of_prices_that_are_old_or_far_apart_is_none() {
    let mut rig = both();
    assert!(basis(&mut rig, Market::UsdM, "BTCUSDT").is_some());
    rig.until(N, 120_000 + 301_000);
    price(&mut rig, Market::UsdM, "BTCUSDT", 101.0);
    assert_eq!(basis(&mut rig, Market::UsdM, "BTCUSDT"), None, "five minutes apart");
    price(&mut rig, Market::Spot, "BTCUSDT", 100.0);
    assert!(basis(&mut rig, Market::UsdM, "BTCUSDT").is_some());
    // The spot socket is lost.
    let conn = ConnId { market: Market::Spot, number: 0 };
    let keys: Arc<[SeriesKey]> =
        [SeriesKey::new(Pair { market: Market::Spot, symbol: sym("BTCUSDT") }, Interval::M15)].into();
    rig.step(Input::Feed(FeedEvent::Subscribed { conn, keys: Arc::clone(&keys) }));
    let error = ExchangeError::new(ErrorKind::Transient, "reset by peer");
    rig.step(Input::Feed(FeedEvent::Down { conn, keys, error, retry: None }));
    assert_eq!(basis(&mut rig, Market::UsdM, "BTCUSDT"), None);
    // After a sleep no price is known to be today's.
    assert!(basis(&mut rig, Market::UsdM, "1000PEPEUSDT").is_some());
    rig.step(Input::Slept(Duration::from_secs(3_600)));
    assert_eq!(basis(&mut rig, Market::UsdM, "1000PEPEUSDT"), None);
}

#[test]
fn a_name_that_is_listed_later_comes_and_one_asked_for_stays_when_it_goes() {
    let universe = UniverseSpec {
        top: 0,
        named: vec![sym("SOONUSDT")],
        watched: vec![sym("AUSDT")],
        ..config().universe
    };
    let mut rig = Rig::new(EngineConfig { universe, ..config() });
    rig.start(&["AUSDT", "BUSDT"]);
    assert_eq!(rig.snapshot().universe.unknown.len(), 1);
    assert_eq!(rig.row("AUSDT").unwrap().pool, Pool::Watchlist);
    rig.relist(&["AUSDT", "BUSDT", "SOONUSDT"], &[]);
    assert_eq!(rig.snapshot().universe.unknown, []);
    assert_eq!(rig.row("SOONUSDT").unwrap().pool, Pool::Named);
    for _ in 0..9 {
        rig.relist(&["BUSDT", "SOONUSDT"], &["AUSDT"]);
        assert_eq!(rig.state("AUSDT").0, DataState::Delisted);
    }
    assert_eq!(rig.lane("AUSDT").bars, 0, "without its candles");
    assert_eq!(rig.snapshot().universe.not_trading, [pair("AUSDT")]);
}
