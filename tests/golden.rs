//! `hamatop hama` against figures that another program computed.

#![allow(clippy::unwrap_used, reason = "a test stops where it should")]

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use hamatop::app::column::Reading;
use hamatop::domain::interval::Interval;
use hamatop::domain::kline::Kline;
use hamatop::domain::kline_rows::{parse_csv, series};
use hamatop::domain::preset::Preset;
use hamatop::domain::time::UnixMs;
use hamatop::market::freshness::{Freshness, Stream};
use hamatop::market::lane::{Answer, Lag, Lane};
use hamatop::report::hama::{HamaArgs, HamaFormat, InputFile, run};
use hamatop::rule::filter::Filter;

#[path = "support/fixture.rs"]
mod fixture;

/// Fields that are averages: equal within 1e-12. Other figures: within 1e-9. All else: the same.
const AVERAGES: [&str; 5] = ["hama_open", "hama_high", "hama_low", "hama_close", "ma"];
const FIGURES: [&str; 7] = ["dev_pct", "bb_basis", "bb_upper", "bb_lower", "bb_width", "bb_pos", "score"];

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn close(a: &str, b: &str, relative: f64, absolute: f64) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= absolute.max(relative * a.abs().max(b.abs())),
        _ => a == b,
    }
}

/// Every row of `expected` is in `got`, with the same figures. Gives the number of rows.
fn assert_agrees(name: &str, got: &str, expected: &str) -> usize {
    let header: Vec<_> = expected.lines().next().unwrap().split(',').collect();
    assert_eq!(got.lines().next().unwrap().split(',').collect::<Vec<_>>(), header);
    let got: HashMap<_, _> = got.lines().map(|l| (l.split(',').next().unwrap(), l)).collect();
    let rows = expected.lines().skip(1);
    rows.map(|row| {
        let time = row.split(',').next().unwrap();
        let fields = got[time].split(',').zip(row.split(','));
        for ((got, want), field) in fields.zip(&header) {
            let same = if AVERAGES.contains(field) {
                close(got, want, 1e-12, 0.0)
            } else if FIGURES.contains(field) {
                close(got, want, 1e-9, 1e-9)
            } else {
                got == want
            };
            assert!(same, "{name} {time} {field}: {got} instead of {want}");
        }
    })
    .count()
}

/// The result for the first 900 candles of a file.
fn computed(klines: &str, preset: &str) -> String {
    let folder = tempfile();
    let file = folder.join("klines.csv");
    let first: Vec<_> = klines.lines().take(901).collect();
    std::fs::write(&file, first.join("\n")).unwrap();
    let args = HamaArgs {
        file: InputFile::Path(file),
        preset: Preset::builtin(preset).unwrap(),
        interval: None,
        format: HamaFormat::Csv,
        tail: None,
        keep_last: true,
        now: UnixMs(0),
    };
    let mut out = Vec::new();
    run(&args, &mut out).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    String::from_utf8(out).unwrap()
}

/// A folder of our own.
fn tempfile() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("hamatop-golden-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn the_fixtures_are_reproduced() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    let mut rows = 0;
    for series in ["spot_BTCUSDT-1h", "um_1000PEPEUSDT-1h"] {
        let klines = unpacked(&folder.join(format!("{series}.csv.gz")));
        for preset in Preset::BUILTIN_NAMES {
            let name = format!("{series}.{preset}.csv.gz");
            rows += assert_agrees(&name, &computed(&klines, preset), &unpacked(&folder.join(&name)));
        }
    }
    assert!(rows > 1_000, "{rows}");
}

/// The opens at which a filter begins to want the series, bar by bar as it closes.
fn events(klines: &[Kline], filter: &str) -> Vec<i64> {
    let filter = Filter::parse(filter).unwrap();
    let preset = Arc::new(Preset::builtin("quantdinger").unwrap());
    let mut lane = Lane::new(Interval::H1, &preset, 1_000, Freshness::new(Stream::Fed));
    let mut closed = Vec::new();
    let empty = Answer { rows: &[], proved: 0, unread: 0, from: None, asked: UnixMs(0), lag: Lag::Wait };
    lane.rest(&empty, &mut closed);
    let mut picture = fixture::snapshot(vec![fixture::row("BTCUSDT")]);
    let at = Reading::new(&picture, picture.made, 1);
    let mut found = Vec::new();
    let mut before = *lane.point();
    for kline in klines {
        lane.stream_closed(*kline, &mut closed);
        assert_eq!(*lane.previous(), before);
        before = *lane.point();
        let view = &mut Arc::make_mut(&mut picture.rows[0]).lanes[1];
        (view.point, view.previous) = (*lane.point(), *lane.previous());
        if filter.test(&picture.rows[0], &at).is_true() {
            found.push(kline.open_time().0);
        }
    }
    found
}

/// The same by the other program's figures. Its rows have every change of a discrete field, so that
/// what stands in the row before one still held on the bar before.
fn expected_events(golden: &str, column: &str, began: &str, was: impl Fn(&str) -> bool) -> Vec<i64> {
    let at = golden.lines().next().unwrap().split(',').position(|c| c == column).unwrap();
    let rows: Vec<(i64, &str)> = golden
        .lines()
        .skip(1)
        .map(|l| (l.split(',').next().unwrap().parse().unwrap(), l.split(',').nth(at).unwrap()))
        .collect();
    let changes = rows.windows(2).filter(|w| w[1].1 == began && !w[0].1.is_empty() && was(w[0].1));
    changes.map(|w| w[1].0).collect()
}

#[test]
fn the_bar_before_is_the_bar_before_on_recorded_candles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    let mut found = 0;
    for name in ["spot_BTCUSDT-1h", "um_1000PEPEUSDT-1h"] {
        let rows = parse_csv(&unpacked(&folder.join(format!("{name}.csv.gz")))).unwrap();
        let klines = series(&rows, Some(Interval::H1)).unwrap().klines;
        let golden = unpacked(&folder.join(format!("{name}.quantdinger.csv.gz")));
        for (filter, column, began, before) in [
            ("trend:up -prev.trend:up", "trend", "1", ["0", "-1"]),
            ("1h:bear prev.trend:flat", "trend", "-1", ["0", "0"]),
            ("bb:expand prev.bb:normal", "bb_state", "expansion", ["normal", "normal"]),
            ("1h:normal -1h.prev.bb:normal", "bb_state", "normal", ["squeeze", "expansion"]),
            ("1h.cross:up 1h.prev.cross:dn", "last_cross_dir", "1", ["-1", "-1"]),
        ] {
            let want = expected_events(&golden, column, began, |was| before.contains(&was));
            assert_eq!(events(&klines, filter), want, "{name}: {filter}");
            found += want.len();
        }
    }
    assert!(found > 30, "{found}");
}

#[test]
fn the_full_set_is_reproduced_where_it_is_at_hand() {
    let shared = std::env::var_os("HAMATOP_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let Ok(files) = std::fs::read_dir(shared.join("golden")) else {
        println!("skipped: no golden files under {} (set HAMATOP_SHARED)", shared.display());
        return;
    };
    let names = files.map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut checked = 0;
    for name in names.filter(|n| n.ends_with(".csv.gz")) {
        let (series, preset) = name.trim_end_matches(".csv.gz").rsplit_once('.').unwrap();
        let (market, series) = series.split_once('_').unwrap();
        let klines = unpacked(&shared.join("data").join(market).join(format!("{series}.csv.gz")));
        let expected = unpacked(&shared.join("golden").join(&name));
        assert_eq!(assert_agrees(&name, &computed(&klines, preset), &expected), 900);
        checked += 1;
    }
    assert_eq!(checked, 20);
}
