//! From the start to a full table, and what people ask for.

use super::*;
use crate::domain::preset::{BandForm, BandsSpec};

#[test]
fn it_asks_for_the_time_and_the_pairs_then_opens_streams_then_loads_primaries_first() {
    let mut rig = Rig::new(EngineConfig { intervals: [Interval::M15, Interval::H1].into(), ..config() });
    rig.step(Input::Tick);
    let time = Output::Fetch(FetchRequest::Time(Market::UsdM));
    let universe = Output::Fetch(FetchRequest::Universe(Market::UsdM));
    assert_eq!(rig.out, [time, universe]);
    rig.time();
    rig.out.clear();
    rig.start(&["ETHUSDT", "BTCUSDT"]);
    let Some(Output::Feed(FeedCommand::Watch(keys))) = rig.out.first() else { panic!("{:?}", rig.out) };
    assert_eq!(keys.len(), 4);
    let order: Vec<String> = rig.requests().iter().map(|r| r.key.to_string()).collect();
    let want = ["usdm:ETHUSDT@15m", "usdm:BTCUSDT@15m", "usdm:ETHUSDT@1h", "usdm:BTCUSDT@1h"];
    assert_eq!(order, want, "by volume");
    let rows: Vec<String> = rig.snapshot().rows.iter().map(|r| r.pair.to_string()).collect();
    assert_eq!(rows, ["usdm:BTCUSDT", "usdm:ETHUSDT"], "by pair");
}

#[test]
fn the_cheap_page_is_asked_for_where_the_ring_holds_five_hundred() {
    for (bars, asked) in [(500, 499), (640, 640), (100, 100)] {
        let mut rig = Rig::new(EngineConfig { bars, ..config() });
        rig.start(&["BTCUSDT"]);
        let request = rig.one_request();
        assert_eq!((request.bars, request.from, request.priority), (asked, None, Priority::Warmup));
    }
}

#[test]
fn without_streams_none_is_opened_and_rest_alone_is_live() {
    let mut rig = Rig::new(EngineConfig { rest_only: true, keep_klines: true, ..config() });
    rig.start(&["BTCUSDT"]);
    assert!(rig.out.iter().all(|o| !matches!(o, Output::Feed(_))));
    rig.answer_all(&bars(N - HISTORY..N + 1));
    let lane = rig.lane("BTCUSDT");
    assert_eq!(lane.state, DataState::Live);
    assert_eq!(lane.klines.as_deref(), Some(bars(N - HISTORY..N).as_slice()));
    assert!(rig.snapshot().warmup.is_over());
    let stats = rig.snapshot().stats;
    assert_eq!((stats.hits, stats.misses), (1, 1), "the load found nothing, the scan all");
}

#[test]
fn item_28_a_young_listing_warms_and_says_how_far_it_is() {
    let mut rig = Rig::new(config());
    rig.start(&["NEWUSDT"]);
    rig.answer_all(&bars(N - 2..N + 1));
    rig.subscribed(&["NEWUSDT"]);
    rig.form("NEWUSDT", N);
    let lane = rig.lane("NEWUSDT");
    assert_eq!((lane.state, lane.bars), (DataState::Warming, 2));
    assert!(lane.need_score > 2);
    assert_eq!(lane.point.score, None);
    assert_eq!(rig.snapshot().rows.first().unwrap().score, None);
    assert!(rig.snapshot().warmup.is_over(), "there is nothing more to load");
}

#[test]
fn a_row_is_live_when_all_its_intervals_are() {
    for (count, want) in [(2, DataState::Warming), (9, DataState::Live)] {
        let bands = Some(BandsSpec { form: BandForm::Simple, length: 15, mult: 2.0 });
        let mut rig = Rig::new(EngineConfig {
            preset: Arc::new(Preset { bands, ..preset() }),
            intervals: [Interval::M15, Interval::H1].into(),
            rest_only: true,
            ..config()
        });
        rig.start(&["NEWUSDT"]);
        let requests = rig.requests();
        rig.answer(requests.first().unwrap(), &bars(N - HISTORY..N));
        assert_eq!(rig.lane("NEWUSDT").state, DataState::Live);
        let row = Arc::clone(rig.snapshot().rows.first().unwrap());
        assert_eq!(row.state, DataState::Warming, "the other has nothing yet");
        rig.answer(requests.get(1).unwrap(), &hours(count));
        let row = Arc::clone(rig.snapshot().rows.first().unwrap());
        let lane = row.lanes.get(1).unwrap();
        assert!(lane.bars < lane.need, "bands need more");
        assert_eq!((lane.bars >= lane.need_score, row.state), (want == DataState::Live, want));
    }
}

/// The last `count` hours before candle `N`.
fn hours(count: i64) -> Vec<Kline> {
    let hour = 4 * STEP;
    let one = |back: i64| {
        Kline::new(KlineFields {
            open_time: UnixMs(N * STEP - back * hour),
            close_time: UnixMs(N * STEP - (back - 1) * hour - 1),
            open: 500.0,
            high: 500.0,
            low: 499.0,
            close: 499.0,
            ..KlineFields::default()
        })
        .unwrap()
    };
    (1..=count).rev().map(one).collect()
}

#[test]
fn frames_before_the_rows_are_kept() {
    let mut rig = Rig::new(config());
    rig.until(N, 890_000);
    rig.start(&["BTCUSDT"]);
    let request = rig.one_request();
    rig.subscribed(&["BTCUSDT"]);
    let sent = rig.now;
    rig.until(N + 1, 5);
    rig.close("BTCUSDT", N);
    rig.until(N + 2, 5);
    rig.close("BTCUSDT", N + 1);
    rig.form("BTCUSDT", N + 2);
    rig.answer_sent(&request, &bars(N - HISTORY..N + 1), sent);
    assert_eq!(rig.series("BTCUSDT"), bars(N - HISTORY..N + 2));
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    assert_eq!(rig.requests(), []);
}

#[test]
fn names_that_no_market_has_are_said_with_what_was_meant() {
    let named = vec![sym("BTC"), sym("OLDUSDT")];
    let universe = UniverseSpec { quote: sym("USDT"), top: 0, movers: 0, watched: vec![], named };
    let mut rig = Rig::new(EngineConfig { universe, ..config() });
    rig.step(Input::Tick);
    let mut answer = UniverseAnswer { not_trading: vec![pair("OLDUSDT")], ..UniverseAnswer::default() };
    answer.trading.push(Instrument {
        pair: pair("BTCUSDT"),
        base: sym("BTC"),
        quote: sym("USDT"),
        tick: Tick::default(),
    });
    rig.step(Input::Fetched(Fetched::Universe { market: Market::UsdM, result: Ok(answer) }));
    let snapshot = rig.snapshot();
    assert_eq!(snapshot.universe.pending, 0);
    let unknown = snapshot.universe.unknown.first().unwrap();
    assert_eq!((unknown.name.as_str(), unknown.near.as_slice()), ("BTC", [sym("BTCUSDT")].as_slice()));
    assert_eq!(rig.notices(Level::Error), ["no market has a pair BTC; near: BTCUSDT"]);
    assert_eq!(snapshot.rows.len(), 1);
    assert_eq!(snapshot.rows.first().unwrap().state, DataState::Delisted);
    assert_eq!(rig.requests(), [], "nothing is asked of what is not traded");
    assert_eq!(snapshot.warmup.total, 0);
}

#[test]
fn what_two_markets_suggest_and_what_they_could_not_read_is_said_once_each() {
    let universe =
        UniverseSpec { quote: sym("USDT"), top: 0, movers: 0, watched: vec![], named: vec![sym("BTC")] };
    let markets = [Market::UsdM, Market::Spot];
    let mut rig = Rig::new(EngineConfig { universe, markets: markets.into(), ..config() });
    rig.step(Input::Tick);
    for market in markets {
        let trading = ["BTCUSDT", "BTCUSDC"].map(|name| Instrument {
            pair: Pair { market, symbol: sym(name) },
            base: sym("BTC"),
            quote: sym("USDT"),
            tick: Tick::default(),
        });
        let answer = UniverseAnswer {
            trading: trading.into(),
            skipped: 2,
            skipped_day: 3,
            ..UniverseAnswer::default()
        };
        rig.step(Input::Fetched(Fetched::Universe { market, result: Ok(answer) }));
    }
    assert_eq!(rig.notices(Level::Error), ["no market has a pair BTC; near: BTCUSDC, BTCUSDT"]);
    let said = rig.notices(Level::Warn);
    let want = ["usdm: 2 pairs could not be read", "usdm: 3 24 h figures could not be read"];
    assert_eq!(said.get(..2).unwrap(), want);
}

#[test]
fn a_check_compares_corrects_and_reports() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    let before = rig.lane("BTCUSDT").point;
    rig.step(Input::Command(Command::Refresh(Scope::All)));
    let requests = rig.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|r| r.priority == Priority::User));
    let good = bars(N - HISTORY..N);
    let mut other = good.clone();
    *other.get_mut(7).unwrap() = bar_to(N - 2, 480.0, 101);
    rig.answer(requests.first().unwrap(), &other);
    rig.answer(requests.get(1).unwrap(), &good);
    assert_eq!(rig.series("BTCUSDT"), other);
    assert_ne!(rig.lane("BTCUSDT").point, before, "computed anew");
    let said = rig.notices(Level::Info);
    assert_eq!(
        said.last().unwrap(),
        "all series: 1 corrected: 15m 15:30Z (18 bars, at most the last 9 of a series)"
    );
}

#[test]
fn a_correction_gives_what_an_undisturbed_run_gives() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let mut wrong = bars(N - HISTORY..N);
    *wrong.get_mut(4).unwrap() = bar_to(N - 5, 480.0, 50);
    rig.answer_all(&wrong);
    rig.subscribed(&["BTCUSDT"]);
    rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    rig.answer_all(&bars(N - HISTORY..N));
    let mut clean = Rig::live(&["BTCUSDT"]);
    assert_eq!(rig.lane("BTCUSDT").point, clean.lane("BTCUSDT").point);
}

#[test]
fn the_focused_pair_brings_its_bars_and_only_it() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    assert_eq!(rig.lane("BTCUSDT").klines, None);
    rig.step(Input::Command(Command::Focus(Some(pair("BTCUSDT")))));
    let reads = |rig: &mut Rig| (rig.snapshot().stats.hits, rig.snapshot().stats.misses);
    let before = reads(&mut rig);
    let first = rig.lane("BTCUSDT").klines.unwrap();
    assert_eq!(reads(&mut rig), before, "drawing is no read");
    assert_eq!(first.len(), usize::try_from(HISTORY).unwrap());
    assert_eq!(rig.lane("ETHUSDT").klines, None);
    rig.form("BTCUSDT", N);
    assert!(Arc::ptr_eq(&first, &rig.lane("BTCUSDT").klines.unwrap()), "not copied for a forming bar");
    rig.until(N + 1, 5);
    rig.close("BTCUSDT", N);
    assert_eq!(rig.lane("BTCUSDT").klines.unwrap().last(), Some(&bar(N)));
    rig.step(Input::Command(Command::Focus(None)));
    assert_eq!(rig.lane("BTCUSDT").klines, None);
}

#[test]
fn only_rows_that_changed_are_built_anew() {
    let mut rig = Rig::live(&["BTCUSDT", "ETHUSDT"]);
    let before = rig.snapshot();
    assert!(!rig.engine.is_dirty());
    rig.form("BTCUSDT", N);
    assert!(rig.engine.is_dirty());
    let after = rig.snapshot();
    assert_eq!(after.seq, before.seq + 1);
    let same = |i: usize| Arc::ptr_eq(before.rows.get(i).unwrap(), after.rows.get(i).unwrap());
    assert!(!same(0) && same(1));
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
