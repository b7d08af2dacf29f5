use super::column::Column;
use super::value::Notation;
use super::*;
use crate::fixture::{MADE, assorted, row, snapshot};

mod memory;
mod property;
mod rows;
mod windows;

fn app_of(picture: Snapshot) -> App {
    let config = AppConfig { notation: Notation::Unicode, ..AppConfig::default() };
    let mut app = App::new(config, Arc::new(picture));
    app.update(Mono::from_millis(10_000), Msg::Resize(120, 36));
    app
}

/// Types a macro, one key every 10 ms.
fn keys(app: &mut App, keys: &str) -> Vec<Effect> {
    let chords = Chord::parse_macro(keys).unwrap();
    let step = |c| app.update(app.now() + Duration::from_millis(10), Msg::Key(c));
    chords.into_iter().flat_map(step).collect()
}

fn shown(app: &App) -> Vec<&str> {
    app.rows_from(0).map(|r| r.pair.symbol.as_str()).collect()
}

fn selected(app: &App) -> &str {
    app.selected().unwrap().pair.symbol.as_str()
}

fn later(app: &App, seconds: u64) -> Mono {
    app.now() + Duration::from_secs(seconds)
}

#[test]
fn typing_a_filter_narrows_the_rows_at_once() {
    let mut app = app_of(assorted());
    keys(&mut app, "/us");
    assert_eq!(app.matches(), 12);
    keys(&mut app, "dt pepe");
    assert_eq!(shown(&app), ["1000PEPEUSDT"]);
    keys(&mut app, "<ret>");
    assert!(app.prompt().is_none());
    assert_eq!(app.filter().source(), "usdt pepe");
    keys(&mut app, "\\");
    assert_eq!(app.matches(), 12);
}

#[test]
fn escape_in_the_prompt_brings_the_filter_before_back() {
    let mut app = app_of(assorted());
    keys(&mut app, "/btc<ret>/<c-u>eth");
    assert_eq!(shown(&app), ["ETHUSDT"]);
    keys(&mut app, "<esc>");
    assert_eq!(shown(&app), ["BTCUSDT"]);
    keys(&mut app, "\\jjj");
    let row = selected(&app).to_owned();
    keys(&mut app, "/btc<esc>");
    assert_eq!(selected(&app), row);
    assert!(keys(&mut app, "<esc>").is_empty(), "Esc never quits");
    assert_eq!(app.matches(), 12);
}

#[test]
fn a_bad_filter_leaves_the_one_from_before_is_not_taken_and_says_where() {
    let mut app = app_of(assorted());
    keys(&mut app, "/eth<ret>/<c-u>btc x>3");
    for _ in 0..2 {
        assert_eq!(app.filter_error().unwrap().column, 5);
        assert_eq!((app.filter().source(), app.prompt().unwrap().text()), ("eth", "btc x>3"));
        assert_eq!(shown(&app), ["ETHUSDT"]);
        keys(&mut app, "<ret>");
    }
    keys(&mut app, "<backspace><backspace>");
    assert!(app.filter_error().is_none());
    assert_eq!(app.filter().source(), "btc x");
    keys(&mut app, ">3<esc>");
    assert!(app.filter_error().is_none() && app.prompt().is_none());
    assert_eq!(app.filter().source(), "eth");
}

#[test]
fn what_is_not_known_is_left_out_and_counted_and_an_interval_that_is_not_shown_is_refused() {
    let mut app = app_of(assorted());
    keys(&mut app, "/score<lt>60 1h:bull<ret>");
    assert!(app.filter_error().is_none());
    assert_eq!(shown(&app), ["ADAUSDT", "1000PEPEUSDT", "币安人生USDT", "LUNAUSDT"]);
    // One is warming up, one has nothing, one the exchange refused.
    assert_eq!(app.unknown(), 3);
    keys(&mut app, "j");
    app.update(app.now(), Msg::Snapshot(Arc::new(assorted())));
    assert_eq!((app.is_order_held(), app.unknown(), app.matches()), (true, 3, 4));
    keys(&mut app, "/<c-u>btc 1d:bull");
    assert_eq!(app.filter_error().unwrap().column, 5);
    assert!(app.filter_error().unwrap().message.contains("not among the intervals (15m, 1h, 4h)"));
}

#[test]
fn lists_and_aliases_are_found_by_their_names() {
    let mut app = app_of(assorted());
    let mut names = Names::new();
    names.set_list("mine", ["ETHUSDT".parse().unwrap()]);
    names.add_alias("币安人生USDT".parse().unwrap(), "bianrensheng");
    app.set_names(Arc::new(names));
    keys(&mut app, "/@mine | bianren<ret>");
    assert_eq!(shown(&app), ["ETHUSDT", "币安人生USDT"]);
    keys(&mut app, "/<c-u>@mien");
    assert!(app.filter_error().unwrap().message.contains("did you mean `@mine`?"));
}

#[test]
fn the_sort_picker_and_the_arrows_choose_the_column() {
    let mut app = app_of(assorted());
    keys(&mut app, "s<down><ret>");
    assert_eq!(app.sort().column.to_string(), "15m.trend");
    keys(&mut app, "<lt><lt>");
    assert_eq!(app.sort().column.to_string(), "vol");
    assert_eq!(shown(&app)[0], "BTCUSDT");
    keys(&mut app, "I");
    assert_eq!(shown(&app)[0], "币安人生USDT");
    keys(&mut app, "s<esc>");
    assert_eq!((app.sort().column.to_string().as_str(), app.sort().inverted), ("vol", true));
}

#[test]
fn the_cursor_stays_on_its_pair_through_new_orders() {
    let mut app = app_of(assorted());
    keys(&mut app, "jj");
    let pair = selected(&app).to_owned();
    keys(&mut app, "I");
    assert_eq!(selected(&app), pair);
    let mut picture = assorted();
    picture.rows.retain(|r| r.pair.symbol.as_str() != "BTCUSDT");
    app.update(later(&app, 5), Msg::Snapshot(Arc::new(picture)));
    assert_eq!(selected(&app), pair);
}

#[test]
fn when_its_pair_goes_the_cursor_stays_where_it_was() {
    let mut app = app_of(assorted());
    keys(&mut app, "jj");
    let (place, pair) = (app.place(), selected(&app).to_owned());
    let next = shown(&app)[place + 1].to_owned();
    let mut picture = assorted();
    picture.rows.retain(|r| r.pair.symbol.as_str() != pair);
    app.update(later(&app, 5), Msg::Snapshot(Arc::new(picture)));
    assert_eq!((app.place(), selected(&app)), (place, next.as_str()));
    app.update(later(&app, 5), Msg::Snapshot(Arc::new(snapshot(Vec::new()))));
    assert!(app.selected().is_none());
}

#[test]
fn a_cursor_nobody_moved_stays_on_top() {
    let mut app = app_of(snapshot(vec![row("AAAUSDT").score(50.0)]));
    let picture = snapshot(vec![row("AAAUSDT").score(50.0), row("BBBUSDT").score(90.0)]);
    app.update(later(&app, 5), Msg::Snapshot(Arc::new(picture)));
    assert_eq!((app.place(), selected(&app)), (0, "BBBUSDT"));
}

#[test]
fn the_order_holds_for_two_seconds_after_the_cursor_moved() {
    let before = || snapshot(vec![row("AAAUSDT").score(90.0), row("BBBUSDT").score(80.0)]);
    let after = || {
        let rows = vec![row("AAAUSDT").score(70.0), row("BBBUSDT").score(80.0), row("CCCUSDT").score(99.0)];
        Arc::new(snapshot(rows))
    };
    let mut app = app_of(before());
    keys(&mut app, "j");
    app.update(later(&app, 1), Msg::Snapshot(after()));
    assert_eq!(shown(&app), ["AAAUSDT", "BBBUSDT", "CCCUSDT"]);
    assert!(app.is_order_held());
    let due = app.deadline().unwrap();
    app.update(due, Msg::Tick);
    assert_eq!(shown(&app), ["CCCUSDT", "BBBUSDT", "AAAUSDT"]);
    assert_eq!((selected(&app), app.deadline()), ("BBBUSDT", None));
}

#[test]
fn refreshing_asks_the_engine_and_a_full_channel_is_said() {
    let mut app = app_of(assorted());
    let effects = keys(&mut app, "r");
    let pair = app.selected().unwrap().pair.clone();
    assert_eq!(effects, [Effect::Send(Command::Refresh(Scope::One(pair)))]);
    assert_eq!(keys(&mut app, "R"), [Effect::Send(Command::Refresh(Scope::All))]);
    app.update(app.now(), Msg::Busy(Command::Refresh(Scope::All)));
    assert!(app.toast().unwrap().text.starts_with("busy"));
    app.update(later(&app, 10), Msg::Tick);
    assert!(app.toast().is_none());
}

#[test]
fn the_engine_is_told_which_rows_are_in_view_once_and_again_when_they_change() {
    let names: Vec<String> = (0..100).map(|n| format!("S{n:02}USDT")).collect();
    let mut app = app_of(snapshot(names.iter().map(|n| row(n)).collect()));
    let told = |app: &mut App, at: Mono| match app.update(at, Msg::Tick).as_slice() {
        [] => None,
        [Effect::Send(Command::Visible(pairs))] => Some(pairs.clone()),
        other => panic!("{other:?}"),
    };
    let at = later(&app, 2);
    let first = told(&mut app, at).unwrap();
    assert!((20..36).contains(&first.len()), "{}", first.len());
    assert_eq!(first[0], app.selected().unwrap().pair);
    let at = later(&app, 2);
    assert_eq!(told(&mut app, at), None, "it knows");
    keys(&mut app, "G");
    let at = later(&app, 2);
    let last = told(&mut app, at).unwrap();
    assert!(last.contains(&app.selected().unwrap().pair) && last != first);
    keys(&mut app, "g");
    assert_eq!(told(&mut app, at), None, "not as fast as somebody scrolls");
    let at = later(&app, 2);
    assert_eq!(told(&mut app, at).as_ref(), Some(&first));
    app.update(at, Msg::Busy(Command::Visible(first.clone())));
    assert!(app.toast().is_none(), "nobody asked for it");
    let at = later(&app, 2);
    assert_eq!(told(&mut app, at), Some(first), "it was not taken");
}

#[test]
fn q_goes_back_first_and_then_quits() {
    let mut app = app_of(assorted());
    assert!(keys(&mut app, "4").is_empty());
    assert_eq!(app.view(), View::Cache);
    assert!(keys(&mut app, "?<esc>q").is_empty());
    assert_eq!(app.view(), View::Scanner);
    assert_eq!(keys(&mut app, "q"), [Effect::Quit]);
    assert_eq!(keys(&mut app, "Q"), [Effect::Quit]);
    assert_eq!(keys(&mut app, "/q<c-c>"), [Effect::Quit]);
}

#[test]
fn moving_scrolls_by_pages_and_never_leaves_the_rows() {
    let names: Vec<String> = (0..100).map(|n| format!("S{n:03}USDT")).collect();
    let mut app = app_of(snapshot(names.iter().map(|n| row(n)).collect()));
    keys(&mut app, "<pagedown>");
    assert_eq!((app.place(), app.top()), (22, 1));
    keys(&mut app, "G");
    assert_eq!((app.place(), app.top()), (99, 78));
    keys(&mut app, "j<c-d><c-u>");
    assert_eq!((app.place(), app.top()), (88, 78));
    keys(&mut app, "g<up>");
    assert_eq!((app.place(), app.top()), (0, 0));
    keys(&mut app, "G");
    app.update(app.now(), Msg::Resize(10, 3));
    app.update(app.now(), Msg::Resize(120, 60));
    assert!(app.top() + app.shape().page() >= 100);
}

#[test]
fn pasted_text_goes_into_the_prompt_and_nowhere_else() {
    let mut app = app_of(assorted());
    app.update(app.now(), Msg::Paste("Q\u{1b}q".to_owned()));
    assert_eq!(app.matches(), 12);
    keys(&mut app, "/");
    app.update(app.now(), Msg::Paste("币安\u{1b}\n".to_owned()));
    assert_eq!(shown(&app), ["币安人生USDT"]);
}

#[test]
fn the_newest_notice_is_said_once() {
    let mut picture = assorted();
    picture.notices.push(crate::market::snapshot::Notice {
        seq: 7,
        at: picture.made,
        level: Level::Warn,
        text: crate::domain::text::CleanText::new("the clock is 3 s off"),
    });
    let mut app = app_of(assorted());
    app.update(later(&app, 1), Msg::Snapshot(Arc::new(picture.clone())));
    assert_eq!(app.toast().unwrap().text, "the clock is 3 s off");
    app.update(later(&app, 20), Msg::Snapshot(Arc::new(picture)));
    assert!(app.toast().is_none());
}

#[test]
fn item_36_names_are_found_by_typing_and_stand_where_one_looks_for_them() {
    let names = ["BTCUSDT", "1000PEPEUSDT", "PENDLEUSDT", "ZECUSDT", "1INCHUSDT", "我踏马来了USDT"];
    let mut app = app_of(snapshot(names.map(row).into()));
    for (typed, found) in [("踏马", "我踏马来了USDT"), ("pepe", "1000PEPEUSDT"), ("1000", "1000PEPEUSDT")]
    {
        app.update(app.now(), Msg::Key(Chord::parse_macro("/").unwrap()[0]));
        app.update(app.now(), Msg::Paste(typed.to_owned()));
        assert_eq!(shown(&app), [found], "{typed}");
        keys(&mut app, "<ret>\\");
    }
    app.sort_by(Column::of(column::Field::Sym));
    let sorted = ["1INCHUSDT", "BTCUSDT", "PENDLEUSDT", "1000PEPEUSDT", "ZECUSDT", "我踏马来了USDT"];
    assert_eq!(shown(&app), sorted);
}

#[test]
fn the_cursor_is_on_a_market_and_a_name() {
    use crate::domain::symbol::Market;
    let rows = || vec![row("BTCUSDT").score(90.0), row("BTCUSDT").market(Market::Spot).score(80.0)];
    let mut app = app_of(snapshot(rows()));
    keys(&mut app, "j");
    assert_eq!(app.selected().unwrap().pair.market, Market::Spot);
    let later = later(&app, 5);
    let mut rows = rows();
    rows[1] = rows[1].clone().score(99.0);
    app.update(later, Msg::Snapshot(Arc::new(snapshot(rows))));
    assert_eq!(
        (app.place(), app.selected().unwrap().pair.market),
        (0, Market::Spot),
        "it goes where its row goes"
    );
}

#[test]
fn item_22_prices_compare_as_numbers_and_tiny_and_large_ones_are_written_unrounded() {
    use super::column::Field;
    use crate::domain::kline_rows::{parse_csv, series};
    use crate::domain::symbol::Tick;
    use crate::market::series::{Origin, Series, Upsert};

    // Spot writes eight digits behind the point, USD-M those of the step.
    let bar = |price: &str| {
        let text =
            format!("1760130000000,{price},{price},{price},{price},1.50000000,1760130899999,0,3,0,0,0");
        series(&parse_csv(&text).unwrap(), None).unwrap().klines[0]
    };
    let mut held = Series::new(4);
    for (a, b) in [("97412.50000000", "97412.5"), ("0.00000001", "1e-8"), ("123456.70", "123456.7")] {
        held.clear();
        held.close(bar(a), Origin::Rest);
        assert_eq!(held.close(bar(b), Origin::Rest), Upsert::Duplicate, "{a} and {b} are one price");
    }
    for (price, step, want) in [
        (0.000_000_01, "0.00000001", "0.00000001"),
        (0.000_012_34, "0.00000001", "0.00001234"),
        (123_456.78, "0.01000000", "123456.78"),
        (999_999.9, "0.10", "999999.9"),
        (123_456.0, "1", "123456"),
    ] {
        let mut picture = assorted();
        let mut first = (*picture.rows[0]).clone();
        (first.last, first.tick) = (Some(price), Tick::parse(step).unwrap());
        picture.rows[0] = Arc::new(first);
        let app = app_of(picture);
        let column = Column::of(Field::Last);
        let mut text = String::new();
        column.value(&app.snapshot().rows[0], &app.reading()).write(
            Notation::Unicode,
            usize::from(column.width()),
            &mut text,
        );
        assert_eq!(text, want);
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), price.to_bits(), "nothing was rounded away");
    }
}

mod alerts {
    use super::*;
    use crate::domain::symbol::{Market, Pair};
    use crate::engine::RuleCommand;
    use crate::market::snapshot::{Alert, Edge};

    fn rules(effects: &[Effect]) -> Vec<RuleCommand> {
        let command = |e: &Effect| match e {
            Effect::Send(Command::Rule(command)) => Some(command.clone()),
            _ => None,
        };
        effects.iter().filter_map(command).collect()
    }

    /// The engine does as it is told, in the next picture.
    fn obey(app: &mut App, commands: &[RuleCommand]) {
        let mut picture = app.snapshot().clone();
        for command in commands {
            if let RuleCommand::Add(rule) = command {
                picture.alerts.rules.push(crate::market::snapshot::RuleView {
                    name: rule.name.clone(),
                    when: CleanText::new(rule.when.source()),
                    timing: rule.timing,
                    enabled: rule.enabled,
                    matching: None,
                    unknown: 0,
                    fired: 0,
                    quiet: 0,
                    waiting: 0,
                    refused: None,
                    last: None,
                });
            }
        }
        app.update(app.now(), Msg::Snapshot(Arc::new(picture)));
    }

    #[test]
    fn the_filter_becomes_a_rule_once_and_an_empty_one_does_not() {
        let mut app = app_of(assorted());
        assert!(rules(&keys(&mut app, "a")).is_empty());
        assert!(app.toast().unwrap().text.contains("a rule watches a filter"));
        let first = rules(&keys(&mut app, "/btc<ret>a"));
        let [RuleCommand::Add(rule)] = first.as_slice() else { panic!("{first:?}") };
        assert_eq!((rule.name.as_str(), rule.when.source(), rule.enabled), ("rule-1", "btc", true));
        obey(&mut app, &first);
        assert!(rules(&keys(&mut app, "a")).is_empty(), "it is watched already");
        let second = rules(&keys(&mut app, "\\/eth<ret>a"));
        assert!(matches!(&second[..], [RuleCommand::Add(r)] if r.name.as_str() == "rule-2"));
        obey(&mut app, &second);
        let off = rules(&keys(&mut app, "6je"));
        assert_eq!(off, [RuleCommand::Enable(CleanText::new("rule-2"), false)]);
        assert_eq!(rules(&keys(&mut app, "kD")), [RuleCommand::Remove(CleanText::new("rule-1"))]);
    }

    /// What was on screen when the key was pressed is what is watched, whatever is on screen later.
    #[test]
    fn a_rule_watches_the_interval_that_was_in_view_and_no_marks() {
        let mut app = app_of(assorted());
        let made = rules(&keys(&mut app, "]/dist>1% 15m:bear<ret>a"));
        let [RuleCommand::Add(rule)] = made.as_slice() else { panic!("{made:?}") };
        assert_eq!(rule.when.source(), "1h.dist>1% 15m.trend:down");
        assert!(rules(&keys(&mut app, "\\/mark<ret>a")).is_empty());
        assert!(app.toast().unwrap().text.contains("can't watch marks"));
    }

    #[test]
    fn the_user_is_notified_of_new_alerts_once_and_of_none_from_before() {
        let alert = |seq| Alert {
            seq,
            rule: CleanText::new("mine"),
            pair: Pair { market: Market::UsdM, symbol: "BTCUSDT".parse().unwrap() },
            edge: Edge::Entered,
            at: None,
            told: MADE,
            last: None,
            tick: crate::domain::symbol::Tick { decimals: 2 },
            score: None,
        };
        let mut picture = assorted();
        picture.alerts.told = [alert(1)].into();
        let mut app = app_of(picture.clone());
        let mut notified = |told: Vec<Alert>| {
            picture.alerts.told = told.into();
            let effects = app.update(app.now(), Msg::Snapshot(Arc::new(picture.clone())));
            let texts = effects.into_iter().filter_map(|e| match e {
                Effect::Notify(text) => Some(text),
                _ => None,
            });
            texts.collect::<Vec<_>>()
        };
        assert!(notified(vec![alert(1)]).is_empty());
        assert_eq!(notified(vec![alert(1), alert(2)]), ["mine: BTCUSDT entered"]);
        assert!(notified(vec![alert(1), alert(2)]).is_empty());
        let many = notified((1..=7).map(alert).collect());
        assert_eq!(many.len(), 1);
        assert!(many[0].ends_with("; 2 more"), "{many:?}");
    }
}
