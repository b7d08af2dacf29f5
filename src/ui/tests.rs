use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::shade;
use super::theme::{Role, Theme, ThemeFile};
use super::{Painted, Screen, draw};
use crate::app::keys::Chord;
use crate::app::value::Notation;
use crate::app::{App, AppConfig, Msg, Replay};
use crate::domain::hama::Sign;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::symbol::{Market, Tick};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::fixture::{MADE, NOW, as_demo, assorted, row, snapshot};
use crate::market::snapshot::{Level, LinkState, Notice, SignalEvent, Snapshot};

mod about;
mod alerts;
mod detail;
mod escapes;
mod jobs;
mod looks;
mod marks;
mod quiet;
mod readback;
mod signals;
mod windows;

const END: UnixMs = UnixMs(1_760_227_200_000);

fn app_of(picture: Snapshot, size: (u16, u16)) -> App {
    let demo = picture.source == crate::market::snapshot::Source::Demo;
    let replay = demo.then_some(Replay { speed: 60.0, end: END });
    let config = AppConfig { notation: Notation::Unicode, replay, ..AppConfig::default() };
    let mut app = App::new(config, Arc::new(picture));
    app.update(MADE, Msg::Resize(size.0, size.1));
    app
}

fn press(app: &mut App, keys: &str) {
    for chord in Chord::parse_macro(keys).unwrap() {
        app.update(app.now(), Msg::Key(chord));
    }
}

fn buffer(app: &App) -> Buffer {
    let shape = app.shape();
    let mut buffer = Buffer::empty(Rect::new(0, 0, shape.cols, shape.rows));
    draw(app, &Theme::dark(), &mut buffer);
    buffer
}

/// The colour of a role.
fn of(role: Role) -> Color {
    Theme::dark().style(role).fg.unwrap_or_default()
}

fn without_colors() -> Theme {
    let file = ThemeFile::parse(super::themes::BUILT_IN[0].text).unwrap();
    file.theme(crate::app::look::Palette::default(), shade::Level::Plain)
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width()).unwrap().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn shown(app: &App) -> String {
    text(&buffer(app))
}

/// The cell where `needle` begins in the line that contains `line`.
fn cell_of<'b>(buffer: &'b Buffer, line: &str, needle: &str) -> &'b ratatui::buffer::Cell {
    let text = text(buffer);
    let (y, found) = text.lines().enumerate().find(|(_, l)| l.contains(line)).expect(line);
    let at = found.find(needle).expect(needle);
    let x = found[..at].width();
    &buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())]
}

fn tick_of(picture: &Snapshot, symbol: &str) -> Tick {
    let row = picture.rows.iter().find(|r| r.pair.symbol.as_str() == symbol);
    row.map_or(Tick { decimals: 2 }, |r| r.tick)
}

fn with_signals(mut picture: Snapshot) -> Snapshot {
    let signal = |seq, symbol: &str, dir, close: f64| SignalEvent {
        seq,
        pair: row(symbol).build().pair,
        tick: tick_of(&picture, symbol),
        interval: crate::domain::interval::Interval::M15,
        dir,
        close_time: UnixMs(NOW.0 - 131_001),
        hama_close: close,
        ma: close * 0.999,
        dev_pct: 0.1,
        bands: Some(crate::domain::hama::BandState::Squeeze),
        score: (Some(12.4), Some(61.7)),
        lag: Duration::from_millis(340),
    };
    picture.signals =
        vec![signal(1, "BTCUSDT", Sign::Up, 97_400.0), signal(2, "币安人生USDT", Sign::Down, 0.382)];
    picture
}

#[test]
fn scanner_120x36() {
    insta::assert_snapshot!(shown(&app_of(with_signals(assorted()), (120, 36))));
}

#[test]
fn scanner_80x24() {
    let mut app = app_of(with_signals(assorted()), (80, 24));
    press(&mut app, "jj");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn scanner_60x16() {
    insta::assert_snapshot!(shown(&app_of(assorted(), (60, 16))));
}

#[test]
fn demo_120x36_warming_up() {
    let mut picture = as_demo(assorted(), UnixMs(1_760_127_245_000));
    picture.warmup.done = 12;
    picture.warmup.rate = Some(12.3);
    picture.warmup.eta = Some(Duration::from_secs(2));
    insta::assert_snapshot!(shown(&app_of(picture, (120, 36))));
}

#[test]
fn cache_120x36() {
    let mut picture = assorted();
    picture.links[1].state =
        LinkState::Down { why: CleanText::new("reset by peer"), retry: Some(Mono::from_millis(13_500)) };
    let mut app = app_of(picture, (120, 36));
    press(&mut app, "4");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn cache_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "4j");
    insta::assert_snapshot!(shown(&app));
}

/// Counters with a figure each that no other has, all of them: a new one does not compile here.
fn all_counters(stats: &mut crate::market::snapshot::CacheStats) -> Vec<String> {
    let mut next = 700_u64;
    let mut mark = |counters: &mut [&mut u64]| {
        for counter in counters {
            next += 7;
            **counter = next;
        }
    };
    let crate::market::snapshot::Upkeep {
        verifications,
        closed_by_rest,
        late_closes,
        corrections,
        holes,
        silent,
        resubscribed,
        refused,
        polls,
        spread,
        withheld,
        revised,
        lost,
        stalls,
        replaced,
    } = &mut stats.upkeep;
    mark(&mut [verifications, closed_by_rest, late_closes, corrections, holes, silent, resubscribed]);
    mark(&mut [refused, polls, spread, withheld, revised, lost, stalls, replaced]);
    let crate::market::snapshot::Discards { not_json, unknown_shape, bad_value, not_watched, overrun, rows } =
        &mut stats.discards;
    mark(&mut [not_json, unknown_shape, bad_value, not_watched, overrun, rows]);
    mark(&mut [&mut stats.gaps, &mut stats.repaired]);
    (707..=next).step_by(7).map(|n| format!(" {n} ")).collect()
}

#[test]
fn item_37_every_counter_is_in_the_cache_view() {
    for size in [(80, 24), (120, 36), (200, 50)] {
        let mut picture = assorted();
        let figures = all_counters(&mut picture.stats);
        assert_eq!(figures.len(), 23);
        let mut app = app_of(picture, size);
        press(&mut app, "4");
        let shown = shown(&app);
        for figure in figures {
            assert!(shown.contains(&figure), "{size:?} lacks {figure}:\n{shown}");
        }
    }
}

#[test]
fn help_120x36() {
    let mut app = app_of(assorted(), (120, 36));
    press(&mut app, "?");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn help_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "?");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn sort_picker_80x24() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "s");
    insta::assert_snapshot!(shown(&app));
}

#[test]
fn below_the_smallest_size_one_line_says_what_is_needed() {
    assert!(shown(&app_of(assorted(), (59, 40))).starts_with("needs 60x16, has 59x40"));
    // 10x3 has no room for the whole sentence, and no panic.
    assert!(shown(&app_of(assorted(), (10, 3))).starts_with("60x16"));
}

#[test]
fn no_size_and_no_state_panics() {
    for keys in [
        "", "2", "3", "3j", "4", "5", "6", "?", "?x", "s", "/btc x", "/a=b", "G", ":", ":go", "C", "CG", "`",
        "GZF ", "W",
    ] {
        let mut app = app_of(with_signals(assorted()), (120, 36));
        press(&mut app, keys);
        for cols in (0..130).step_by(13).chain([59, 60, 80, 300]) {
            for rows in (0..40).step_by(7).chain([16, 24, 70]) {
                app.update(MADE, Msg::Resize(cols, rows));
                buffer(&app);
            }
        }
        app.update(MADE, Msg::Snapshot(Arc::new(snapshot(Vec::new()))));
        app.update(MADE, Msg::Resize(80, 24));
        buffer(&app);
    }
}

#[test]
fn the_demo_says_so_at_every_size_and_in_every_view() {
    for (cols, rows) in [(60, 16), (80, 24), (120, 36), (200, 60)] {
        for (now, word) in [(UnixMs(1_760_127_245_000), "Z "), (END, "ENDED")] {
            for keys in ["", "2", "3", "4", "/x"] {
                let mut app = app_of(as_demo(assorted(), now), (cols, rows));
                press(&mut app, keys);
                let text = shown(&app);
                let header = text.lines().next().unwrap();
                assert!(header.contains("DEMO 60x 2025-10-1") && header.contains(word), "{header}");
            }
        }
    }
    assert!(!shown(&app_of(assorted(), (120, 36))).contains("DEMO"));
}

#[test]
fn another_host_than_binance_is_named_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let place = Some(crate::app::text::host("http://127.0.0.1:9100/x"));
        let config = AppConfig { notation: Notation::Unicode, place, ..AppConfig::default() };
        let mut app = App::new(config, Arc::new(assorted()));
        app.update(MADE, Msg::Resize(size.0, size.1));
        let text = shown(&app);
        let header = text.lines().next().unwrap();
        assert!(header.contains(" 127.0.0.1:9100 USDT-M") && !header.contains("BINANCE"), "{header}");
    }
    assert!(shown(&app_of(assorted(), (120, 36))).contains("BINANCE USDT-M"));
}

#[test]
fn item_24_a_ban_of_rest_counts_down_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut picture = assorted();
        picture.rest[0].held = Some(Hold { kind: HoldKind::Ban, until: NOW + Duration::from_secs(14_099) });
        let mut app = app_of(picture.clone(), size);
        let header = |app: &App| shown(app).lines().next().unwrap().to_owned();
        assert!(header(&app).contains("usdm REST BANNED 3h55m"), "{}", header(&app));
        app.update(MADE + Duration::from_secs(100), Msg::Tick);
        assert!(header(&app).contains("usdm REST BANNED 3h53m"), "{}", header(&app));
        press(&mut app, "4");
        assert!(shown(&app).contains("BANNED (418) for 3h53m"), "{}", shown(&app));
        picture.rest[0].held = Some(Hold { kind: HoldKind::Pause, until: NOW + Duration::from_secs(51) });
        let mut app = app_of(picture, size);
        assert!(header(&app).contains("usdm REST held 52s"), "{}", header(&app));
        app.update(MADE + Duration::from_secs(52), Msg::Tick);
        assert!(!header(&app).contains("held"), "{}", header(&app));
    }
    let open = app_of(assorted(), (80, 24));
    assert!(!shown(&open).contains("held"));
}

#[test]
fn of_two_markets_the_one_that_is_held_is_named_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut picture = assorted();
        picture.markets = [Market::UsdM, Market::Spot].into();
        let until = NOW + Duration::from_secs(14_099);
        picture.rest.push(picture.rest[0].clone());
        picture.rest[1].market = Market::Spot;
        picture.rest[1].held = Some(Hold { kind: HoldKind::Ban, until });
        let header = |p: &Snapshot| shown(&app_of(p.clone(), size)).lines().next().unwrap().to_owned();
        assert!(header(&picture).contains("spot REST BANNED 3h55m"), "{}", header(&picture));
        assert!(!header(&picture).contains("usdm"), "{}", header(&picture));
        picture.rest[0].held = Some(Hold { kind: HoldKind::Pause, until });
        let both = header(&picture);
        let short = both.contains("usdm held 3h55m") && both.contains("spot BANNED 3h55m");
        let long = both.contains("usdm REST held 3h55m") && both.contains("spot REST BANNED 3h55m");
        assert!(if size.0 < 120 { short } else { long }, "{both}");
        assert!(size.0 < 80 || both.starts_with(" hamatop"), "{both}");
    }
}

#[test]
fn rest_that_keeps_failing_is_told_at_every_size_with_its_age() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut picture = assorted();
        picture.rest[0].failing = Some(MADE);
        let at = MADE + Duration::from_secs(660);
        picture.rest[0].last_error = Some((CleanText::new("it answers with a web page"), at));
        let mut app = app_of(picture, size);
        app.update(MADE + Duration::from_secs(725), Msg::Tick);
        let header = shown(&app).lines().next().unwrap().to_owned();
        assert!(header.contains("usdm REST failing 12m"), "{header}");
        assert_eq!(cell_of(&buffer(&app), "REST failing", "failing").fg, of(Role::Warn));
        press(&mut app, "4");
        if size.0 >= 120 {
            assert!(shown(&app).contains("last 1m ago: it answers with a web page"), "{}", shown(&app));
        }
    }
}

#[test]
fn nothing_is_now_when_the_replay_is_over() {
    for (now, word) in [(UnixMs(1_760_127_245_000), "now"), (END, "end")] {
        let mut picture = as_demo(snapshot(vec![row("AAAUSDT")]), now);
        let seen = Arc::make_mut(&mut picture.rows[0]);
        seen.seen = Some(now);
        let text = shown(&app_of(picture, (60, 16)));
        assert!(text.lines().any(|l| l.contains("AAAUSDT") && l.ends_with(word)), "{text}");
    }
}

#[test]
fn a_score_of_a_part_is_marked_and_explained_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut picture = snapshot(vec![row("AAAUSDT").score(83.0).young(36)]);
        let part = Arc::make_mut(&mut picture.rows[0]);
        part.score.as_mut().unwrap().coverage = 0.8;
        part.lanes[2].state = crate::market::snapshot::DataState::Warming;
        let text = shown(&app_of(picture, size));
        assert!(text.contains("+83*"), "{text}");
        if size.0 >= 120 {
            assert!(text.contains("4h 36/102; score of 80%"), "{text}");
            assert!(text.contains("4h 36/102 bars; * score of 80%"), "{text}");
        }
    }
}

#[test]
fn the_detail_says_why_in_full_and_previews_only_what_is_live() {
    let why = "socket lost: ws://127.0.0.1:4000/stream: reset by peer; connecting anew";
    let text = shown(&app_of(snapshot(vec![row("AAAUSDT").stale(why, 90)]), (120, 36)));
    assert!(text.contains(&format!("15m bars stale: {why}  15m score +89")), "{text}");
    assert!(text.contains("15m bars stale: socket lost") && !text.contains("forming"), "{text}");
    let text = shown(&app_of(snapshot(vec![row("AAAUSDT")]), (120, 36)));
    assert!(text.contains("forming~ bar close") && text.contains("15m score +89, forming +89~"), "{text}");
}

#[test]
fn with_two_markets_the_detail_and_the_signals_name_theirs() {
    let mut picture = with_signals(snapshot(vec![row("BTCUSDT")]));
    picture.markets = [Market::UsdM, Market::Spot].into();
    for size in [(80, 24), (120, 36)] {
        let text = shown(&app_of(picture.clone(), size));
        assert!(text.contains("── BTCUSDT usdm") && text.contains("Z BTCUSDT usdm"), "{text}");
    }
}

#[test]
fn an_empty_table_says_what_is_waited_for_until_it_is_there() {
    let mut picture = snapshot(Vec::new());
    let why = "can't connect to 127.0.0.1:1 (connection refused); check the network and --rest-url";
    picture.universe.failed = vec![(Market::UsdM, CleanText::new(why))];
    let down =
        LinkState::Down { why: CleanText::new("reset by peer"), retry: Some(Mono::from_millis(13_500)) };
    picture.links[1].state = down;
    let mut app = app_of(picture, (60, 16));
    app.update(MADE, Msg::Tick);
    let text = shown(&app).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(why) && text.contains("reset by peer; tried again in 4s"), "{text}");
    press(&mut app, "r");
    assert!(shown(&app).contains("no pair is selected"));
}

#[test]
fn rows_below_the_fold_are_counted() {
    let rows: Vec<_> = (0..24).map(|n| row(&format!("S{n:02}USDT"))).collect();
    let picture = snapshot(rows);
    let mut app = app_of(picture.clone(), (120, 36));
    assert!(shown(&app).contains("rows 1-22 of 24"));
    press(&mut app, "G");
    assert!(shown(&app).contains("rows 3-24 of 24"));
    assert!(shown(&app_of(picture.clone(), (80, 24))).contains("rows 1-16 of 24"));
    assert!(shown(&app_of(picture, (60, 16))).lines().any(|l| l.ends_with('v')));
}

#[test]
fn without_signs_the_screen_is_seven_bit() {
    let config = AppConfig { notation: Notation::Ascii, ..AppConfig::default() };
    let rows = vec![
        row("BTCUSDT").klines(300),
        row("ETHUSDT").trends([Sign::Down, Sign::Flat, Sign::Up]),
        row("X").unknown(),
    ];
    for keys in [
        "",
        "2",
        "2t",
        "3",
        "5",
        "6",
        ":",
        "C",
        "`",
        "F ",
        "4",
        "?",
        "s",
        "/averyveryveryveryveryveryveryverylongfilterthatcanneverfitintotheline",
    ] {
        for size in [(60, 16), (80, 24), (120, 36)] {
            let mut app = App::new(config.clone(), Arc::new(with_ascii_signals(snapshot(rows.clone()))));
            app.update(MADE, Msg::Resize(size.0, size.1));
            press(&mut app, keys);
            let text = shown(&app);
            assert!(text.is_ascii(), "{text}");
        }
    }
}

fn with_ascii_signals(picture: Snapshot) -> Snapshot {
    let mut picture = with_signals(picture);
    picture.signals.truncate(1);
    picture
}

#[test]
fn wide_names_leave_the_columns_in_line() {
    let app = app_of(assorted(), (120, 36));
    let text = shown(&app);
    let column = |name: &str| {
        let line = text.lines().find(|l| l.contains(name)).unwrap();
        line[..line.find('%').unwrap()].width()
    };
    assert_eq!(column("币安人生USDT"), column("BTCUSDT"));
}

#[test]
fn an_empty_screen_says_what_to_do() {
    let mut app = app_of(assorted(), (80, 24));
    press(&mut app, "/nothing<ret>");
    assert!(shown(&app).contains("0 of 12 match; \\ clears the filter"));
    let app = app_of(snapshot(Vec::new()), (80, 24));
    assert!(shown(&app).contains("waiting for the exchange's list of pairs"));
}

#[test]
fn before_the_first_answer_nothing_unknown_is_drawn_as_zero() {
    let mut picture = snapshot(Vec::new());
    (picture.clock, picture.links) = (None, Vec::new());
    picture.warmup = crate::market::snapshot::Warmup::default();
    picture.stats = crate::market::snapshot::CacheStats::default();
    let rest = &mut picture.rest[0];
    (rest.used, rest.limit, rest.minute) = (0, 0, UnixMs::default());
    for (size, keys) in [((120, 36), ""), ((80, 24), ""), ((60, 16), ""), ((120, 36), "4"), ((80, 24), "4")] {
        let mut app = app_of(picture.clone(), size);
        press(&mut app, keys);
        let text = shown(&app);
        assert!(text.contains("WS -") && text.contains("warm-up -"), "{text}");
        assert!(!text.contains("0/0") && !text.contains("of 0 bars") && !text.contains("USDT-M 0"), "{text}");
        if size.0 >= 80 {
            assert!(text.contains("REST -"), "{text}");
            assert_eq!(cell_of(&buffer(&app), "REST -", "REST").fg, Color::Reset);
        }
        assert_eq!(keys == "4", text.contains("weight - this minute"), "{text}");
    }
}

#[test]
fn a_filter_error_stands_beside_the_prompt_with_its_column() {
    let mut app = app_of(assorted(), (120, 36));
    press(&mut app, "/btc x=1");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 36));
    let cursor = draw(&app, &Theme::dark(), &mut buffer).unwrap();
    assert_eq!((cursor.x, cursor.y), (10, 2));
    let text = text(&buffer);
    assert!(text.contains("column 5: there is no field `x`"), "{text}");
    assert_eq!(text.lines().nth(3).unwrap().find('^'), Some(3 + 4), "{text}");
    assert!(text.contains("column 5 still: "), "the table goes by what was a filter\n{text}");
}

#[test]
fn rows_of_which_nothing_is_known_are_counted_beside_the_filter() {
    for (size, count) in
        [((120, 36), "4 of 12 match, 3 unknown"), ((80, 24), "4/12  3?"), ((60, 16), "4/12  3?")]
    {
        let mut app = app_of(assorted(), size);
        press(&mut app, "/score<lt>60 1h:bull");
        assert!(shown(&app).contains(count), "{}", shown(&app));
    }
}

#[test]
fn notices_are_shown_without_their_escapes() {
    let mut picture = assorted();
    let text = CleanText::new("bad \x1b[31mword");
    picture.notices = vec![Notice { seq: 1, at: MADE, level: Level::Error, text }];
    let mut app = app_of(assorted(), (80, 24));
    app.update(MADE, Msg::Snapshot(Arc::new(picture)));
    let text = shown(&app);
    assert!(text.contains("bad \u{fffd}[31mword") && !text.contains('\x1b'));
}

#[test]
fn a_quiet_second_costs_a_few_bytes_and_a_frame_like_the_last_none() {
    let mut app = app_of(assorted(), (120, 36));
    let mut screen = Screen::new(std::io::sink(), 120, 36);
    let theme = Theme::dark();
    assert!(matches!(screen.paint(|b| draw(&app, &theme, b)).unwrap(), Painted::Bytes(n) if n < 12_000));
    assert_eq!(screen.paint(|b| draw(&app, &theme, b)).unwrap(), Painted::Nothing);
    app.update(MADE + Duration::from_secs(1), Msg::Tick);
    let second = screen.paint(|b| draw(&app, &theme, b)).unwrap();
    assert!(matches!(second, Painted::Bytes(n) if n < 60), "{second:?}");
}
