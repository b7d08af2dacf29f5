use super::*;
use Truth::{False, True, Unknown};

fn hits(filter: &str) -> Vec<&'static str> {
    let all = ["BTCUSDT", "BTCUSDC", "ETHBTC", "1000PEPEUSDT", "币安人生USDT"];
    all.into_iter().filter(|s| truth(filter, row(s)).is_true()).collect()
}

#[test]
fn all_words_must_match_and_case_counts_only_with_a_capital() {
    assert_eq!(hits("").len(), 5);
    assert_eq!(hits("  btc "), ["BTCUSDT", "BTCUSDC", "ETHBTC"]);
    assert_eq!(hits("btc usd"), ["BTCUSDT", "BTCUSDC"]);
    assert_eq!(hits("BTC"), ["BTCUSDT", "BTCUSDC", "ETHBTC"]);
    assert!(hits("Btc").is_empty());
    assert_eq!(hits("币安"), ["币安人生USDT"]);
    assert_eq!(hits("bianren"), ["币安人生USDT"], "an alias");
    assert_eq!(hits("sym:bianren"), ["币安人生USDT"]);
}

#[test]
fn words_are_excluded_quoted_and_joined() {
    assert_eq!(hits("btc -usdc !eth"), ["BTCUSDT"]);
    assert_eq!(hits("btc NOT usdc And not eth"), ["BTCUSDT"]);
    assert_eq!(hits("\"1000\""), ["1000PEPEUSDT"]);
    assert_eq!(hits("-\"usdt\""), ["BTCUSDC", "ETHBTC"]);
    assert_eq!(hits("usdc | pepe"), ["BTCUSDC", "1000PEPEUSDT"]);
    assert_eq!(hits("usdc or pepe OR eth"), ["BTCUSDC", "ETHBTC", "1000PEPEUSDT"]);
    // "And" binds tighter.
    assert_eq!(hits("btc usdc | pepe usdt"), ["BTCUSDC", "1000PEPEUSDT"]);
    assert_eq!(hits("btc (usdc | eth)"), ["BTCUSDC", "ETHBTC"]);
    assert_eq!(hits("-(btc | pepe)"), ["币安人生USDT"]);
    assert_eq!(hits("--btc & usdc"), ["BTCUSDC"]);
    assert_eq!(hits("@majors"), ["BTCUSDT"]);
    assert_eq!(hits("-@majors btc"), ["BTCUSDC", "ETHBTC"]);
}

#[test]
fn patterns_match_with_smart_case() {
    assert_eq!(hits("/^(btc|eth)/"), ["BTCUSDT", "BTCUSDC", "ETHBTC"]);
    assert_eq!(hits("/^Btc/"), Vec::<&str>::new());
    assert_eq!(hits("/^\\D+c$/"), ["BTCUSDC", "ETHBTC"], "the capital of a class is none");
    assert_eq!(hits("sym~^1000"), ["1000PEPEUSDT"]);
    assert_eq!(hits("sym~\"t|c$\" -sym~/usdt$/"), ["BTCUSDC", "ETHBTC"]);
    assert_eq!(hits("/bianren/"), ["币安人生USDT"]);
}

#[test]
fn text_fields_contain_equal_and_differ() {
    assert_eq!(hits("base=btc"), ["BTCUSDT", "BTCUSDC"]);
    assert_eq!(hits("quote:usd quote!=usdt"), ["BTCUSDC"]);
    assert_eq!(hits("sym=ethbtc"), ["ETHBTC"]);
    assert_eq!(hits("sym==ETHBTC"), ["ETHBTC"]);
    assert_eq!(hits("sym=Ethbtc"), Vec::<&str>::new());
    let failed = row("AUSDT").failed("the exchange refused: no such symbol");
    table(&failed, &[("note:refused", True), ("note~^the", True), ("note=x", False)]);
    table(&row("AUSDT"), &[("note:refused", False)]);
}

#[test]
fn figures_are_compared_in_the_units_of_their_field() {
    // 4.81 %, 4.41e9 USDT, price 214.08, score 94.2
    table(
        &row("AUSDT"),
        &[
            ("chg>4.8", True),
            ("chg>4.8%", True),
            ("chg>5%", False),
            ("chg>-5%", True),
            ("chg<-5% | chg>4%", True),
            ("vol>4b", True),
            ("vol>4.4B", True),
            ("vol>=4410m", True),
            ("vol<0.005t", True),
            ("vol>4_410_000k", False),
            ("last<0.3k", True),
            ("last=214.08", True),
            ("last!=214.08", False),
            ("last == 214.08", True),
            ("score>60", True),
            ("score = 94", True),
            ("raw=94.2", True),
            ("score:90..100", True),
            ("score:95..100", False),
            ("score!=90..100", False),
            ("chg=-5..5%", True),
            ("width<8%", True),
            ("width>0.07", True),
            ("width=5..10%", True),
            ("posb>80%", True),
            ("posb=0.83", True),
            ("coverage>=100%", True),
            ("coherence=100", True),
            ("cross<=6", True),
            ("cross<6bars", False),
            ("cross=3..6b", True),
            ("bars>400", True),
            ("gradient=5", True),
            ("trend=1", True),
            ("1h.raw>88", True),
            ("hama>213", True),
            ("ma<0.21k", True),
            ("gaps=0", True),
            ("missing=0", True),
        ],
    );
}

#[test]
fn ages_have_units_and_m_is_a_minute_there() {
    let old = row("AUSDT").stale("behind", 150);
    table(
        &old,
        &[
            ("age>2min", True),
            ("age>2m", True),
            ("age>3min", False),
            ("age<1h", True),
            ("age=140..160s", True),
            ("age=2..3min", True),
            ("age<0.5d", True),
            ("age>2min | gaps>0", True),
        ],
    );
}

#[test]
fn states_are_words_of_their_field() {
    let up =
        row("AUSDT").trends([Sign::Up, Sign::Down, Sign::Flat]).bands(BandState::Expansion, Some(Sign::Up));
    table(
        &up,
        &[
            ("trend:up", True),
            ("trend:bull", True),
            ("TREND:Bull", True),
            ("trend=up", True),
            ("trend!=up", False),
            ("trend:bear", False),
            ("1h.trend:down", True),
            ("1h:bear", True),
            ("1H:dn", True),
            ("4h:flat", True),
            ("any:bear", True),
            ("all:bull", False),
            ("any.trend:flat", True),
            ("cross:up", True),
            ("1h.cross:dn", True),
            ("bb:expand", True),
            ("bb:expansion", True),
            ("bb:break-up", True),
            ("bb:break-down", False),
            ("bb:upper", True),
            ("bb:mid", False),
            ("bb:lower", False),
            ("all:expand", True),
            ("1h:squeeze", False),
            ("c/ma:above", True),
            ("1h:above", True),
            ("4h:live", True),
            ("gradient:up", True),
            ("score:strong", True),
            ("@strong", True),
            ("state:live", True),
            ("new:high", True),
            ("new:low", False),
            ("1h:high", True),
            ("pool:top", True),
            ("market=usdm", True),
            ("market!=spot", True),
        ],
    );
    table(&row("AUSDT").pool(Pool::Mover), &[("pool:mover", True), ("pool:named", False)]);
}

#[test]
fn flags_stand_alone() {
    let stale = row("AUSDT").stale("behind", 240);
    table(
        &stale,
        &[
            ("stale", True),
            ("Stale", True),
            ("-stale", False),
            ("stale:no", False),
            ("stale=yes", True),
            ("15m.stale", True),
            ("1h.stale", False),
            ("any.stale", True),
            ("all.stale", False),
            ("live", False),
            ("4h.live", True),
            ("warm", True),
            ("mark", False),
        ],
    );
    table(&row("STALEUSDT"), &[("\"stale\"", True), ("stale", False)]);
}

#[test]
fn marks_come_from_outside() {
    let picture = snapshot(vec![row("AUSDT"), row("BUSDT")]);
    let mut names = names();
    names.set_mark(&picture.rows[1].pair, true);
    let at = Reading::new(&picture, picture.made, 0).with_names(&Arc::new(names));
    let of = |n: usize, text| read(text).test(&picture.rows[n], &at);
    assert_eq!((of(0, "mark"), of(1, "mark"), of(1, "-mark")), (False, True, False));
}

#[test]
fn a_field_without_an_interval_is_of_the_one_in_view() {
    let picture = snapshot(vec![row("AUSDT").trends([Sign::Up, Sign::Down, Sign::Flat])]);
    let of = |lane| read("trend:down").test(&picture.rows[0], &Reading::new(&picture, picture.made, lane));
    assert_eq!([of(0), of(1), of(2)], [False, True, False]);
}

#[test]
fn the_examples_of_the_documentation_hold() {
    let bull = || row("BTCUSDT").cross(Sign::Up, 2, false);
    let mut was = bull().bands(BandState::Expansion, None);
    was = was.before(|point| {
        if let Some(bands) = &mut point.bands {
            bands.state = BandState::Squeeze;
        }
    });
    for (filter, row, want) in [
        ("btc trend:up score>60 vol>10m 1h:bull", bull(), True),
        ("btc trend:up score>60 vol>10m 1h:bull", bull().score(60.0), False),
        ("all:bull -stale vol>50m", bull(), True),
        ("all:bull -stale vol>50m", bull().stale("behind", 9), False),
        ("15m.cross:up cross<=2 1h:bull 4h:bull", bull(), True),
        ("15m.cross:up cross<=2 1h:bull 4h:bull", bull().cross(Sign::Up, 3, false), False),
        ("bb:expand prev.bb:squeeze", was, True),
        ("bb:expand prev.bb:squeeze", bull().bands(BandState::Expansion, None), True),
        ("bb:squeeze prev.bb:expand", bull(), False),
        ("(chg>5% | chg<-5%) @majors", bull().change(-6.0), True),
        ("(chg>5% | chg<-5%) @majors", bull().change(4.9), False),
        ("age>2min | gaps>0", bull(), False),
    ] {
        assert_eq!(truth(filter, row), want, "{filter}");
    }
}

#[test]
fn what_is_not_known_is_neither_so_nor_not() {
    let nothing = row("AUSDT").unknown();
    table(
        &nothing,
        &[
            ("score>60", Unknown),
            ("score<=60", Unknown),
            ("last>1", Unknown),
            ("chg>1 | chg<1", Unknown),
            ("trend:up", Unknown),
            ("all:bull", Unknown),
            ("any:bull", Unknown),
            ("bb:squeeze", Unknown),
            ("cross<=2", Unknown),
            ("age>1s", Unknown),
            ("missing=0", Unknown),
            ("prev.trend:up", Unknown),
            // What decides is known all the same.
            ("ausdt", True),
            ("score>60 busdt", False),
            ("score>60 | ausdt", True),
            ("warm", False),
            ("state:warming", True),
        ],
    );
    let one_down = row("AUSDT").trends([Sign::Up, Sign::Up, Sign::Down]).young(50);
    table(&one_down, &[("all:squeeze", Unknown), ("any:squeeze", True), ("all:bull", False)]);
    table(&row("AUSDT"), &[("@nobody", Unknown)]);
}

#[test]
fn a_cross_that_was_inferred_is_at_least_so_old() {
    let old = row("AUSDT").cross(Sign::Up, 40, true);
    table(
        &old,
        &[
            ("cross:up", True),
            ("cross<=2", False),
            ("cross<=40", Unknown),
            ("cross<=99", Unknown),
            ("cross>=40", True),
            ("cross>40", Unknown),
            ("cross=10..39", False),
            ("cross=10..50", Unknown),
        ],
    );
    table(&row("AUSDT").cross(Sign::Flat, 40, false), &[("cross:up", Unknown), ("cross:down", Unknown)]);
}

/// What a row shows, dimmed and with its age, a filter compares; what only makes sense live it
/// does not.
#[test]
fn old_figures_are_compared_as_they_stand_and_live_ones_are_unknown() {
    let stale = row("AUSDT").stale("behind", 240);
    table(
        &stale,
        &[
            ("score>60", True),
            ("trend:up", True),
            ("c/ma:above", Unknown),
            ("1h.c/ma:above", True),
            ("live", False),
        ],
    );
}

#[test]
fn saved_filters_are_looked_up_and_end() {
    let mut names = Names::new();
    names.set_filter("mine", read("score>60 @other"));
    names.set_filter("other", read("btc"));
    names.set_filter("loop", read("-@loop"));
    let picture = snapshot(vec![row("BTCUSDT"), row("ETHUSDT")]);
    let at = Reading::new(&picture, picture.made, 0).with_names(&Arc::new(names));
    let of = |n: usize, text| read(text).test(&picture.rows[n], &at);
    assert_eq!((of(0, "@mine"), of(1, "@mine"), of(0, "@loop")), (True, False, Unknown));
}

#[test]
fn equal_meanings_are_written_alike() {
    for (text, want) in [
        ("BTC  trend:BULL", "BTC trend:up"),
        ("not stale AND all:bull", "-stale all.trend:up"),
        ("PREV.15m.bb:expansion", "15m.prev.bb:expand"),
        ("a|b c", "a | (b c)"),
        ("vol > 10M", "vol>10m"),
        ("age=5..10min", "age=5min..10min"),
        ("score!=1", "-score=1"),
        ("\"warm\" @\"my list\"", "\"warm\" @\"my list\""),
    ] {
        let filter = read(text);
        assert_eq!(filter.to_string(), want);
        assert_eq!(read(want).expr, filter.expr, "{text}");
    }
}

#[test]
fn a_columns_heading_is_taken_for_its_field() {
    for (typed, means) in [
        ("4h.boll:squeeze", "4h.bb:squeeze"),
        ("CHG24>5", "chg>5"),
        ("vol24>1m", "vol>1m"),
        ("mkt:spot", "market:spot"),
    ] {
        assert_eq!(read(typed).to_string(), read(means).to_string());
    }
}
