use super::*;
use crate::fixture::{MADE, NOW, assorted, row, snapshot};

fn written(picture: &Snapshot, options: ScanOptions) -> String {
    let mut out = Vec::new();
    let options = ScanOptions { now: MADE, elapsed: Duration::from_secs(2), ..options };
    write(picture, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn in_format(format: Format) -> String {
    written(&assorted(), ScanOptions { format, ..ScanOptions::default() })
}

#[test]
fn table() {
    insta::assert_snapshot!(in_format(Format::Table));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(in_format(Format::Md));
}

#[test]
fn csv() {
    insta::assert_snapshot!(in_format(Format::Csv));
}

#[test]
fn json_of_a_full_row_and_of_one_without_data() {
    let picture = snapshot(vec![row("BTCUSDT").klines(1), row("NEWUSDT").unknown()]);
    let text = written(&picture, ScanOptions { format: Format::Json, ..ScanOptions::default() });
    // Split where one reads: an object a line, in the order of the contract.
    insta::assert_snapshot!(text.replace(",\"", ",\n\""));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (full, empty) = (&value["rows"][0], &value["rows"][1]);
    assert_eq!(full["intervals"]["15m"]["klines"][0].as_array().unwrap().len(), 12);
    assert_eq!(value["generated_at"], NOW.0);
    for field in ["last", "change_pct_24h", "quote_volume_24h", "score", "raw", "age_ms"] {
        assert!(empty[field].is_null(), "{field}");
    }
    for field in ["open_time", "trend", "dev_pct", "gradient", "cross", "bands", "raw", "parts"] {
        assert!(empty["intervals"]["1h"][field].is_null(), "{field}");
        assert!(!full["intervals"]["1h"][field].is_null(), "{field}");
    }
}

#[test]
fn json_counts_no_bars_since_a_cross_while_closes_are_missing() {
    use std::sync::Arc;
    let said = |back: u64| {
        let mut picture = snapshot(vec![row("AUSDT").stale("socket lost", 0)]);
        let lane = &mut Arc::make_mut(&mut picture.rows[0]).lanes[0];
        let back = std::time::Duration::from_secs(back * 900);
        lane.newest = lane.newest.map(|(open, close)| (open - back, close - back));
        let options = ScanOptions { format: Format::Json, ..ScanOptions::default() };
        let json: serde_json::Value = serde_json::from_str(&written(&picture, options)).unwrap();
        let row = &json["rows"][0];
        (row["intervals"]["15m"]["cross"]["bars"].as_u64(), row["age_ms"].as_u64().unwrap() >= 9_000_000)
    };
    assert_eq!((said(0), said(10)), ((Some(6), false), (None, true)));
}

#[test]
fn the_cache_is_told_as_its_own_route_tells_it() {
    use crate::domain::symbol::Market;
    let spot = || row("ETHUSDT").market(Market::Spot);
    let mut picture =
        snapshot(vec![row("BTCUSDT"), spot(), row("NEWUSDT").warming(3), row("XUSDT").unknown()]);
    let options = || ScanOptions {
        format: Format::Json,
        filter: Filter::parse("btc").unwrap(),
        ..ScanOptions::default()
    };
    let cache = |picture: &Snapshot| {
        let document: serde_json::Value = serde_json::from_str(&written(picture, options())).unwrap();
        document["summary"]["cache_stats"].clone()
    };
    let told = cache(&picture);
    // What the cache holds does not depend on the filter.
    let mut symbols: Vec<_> =
        told["symbols"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    symbols.sort_unstable();
    assert_eq!(symbols, ["BTCUSDT", "NEWUSDT", "spot:ETHUSDT"]);
    assert_eq!((&told["cached_symbols"], &told["cache_type"]), (&3.into(), &"memory".into()));
    assert_eq!(
        (&told["memory_cache_fallback"], &told["klines"]["total_klines"]),
        (&false.into(), &5_988.into())
    );
    assert!(told["cache_duration_minutes"].is_null());
    assert_eq!(told["oldest_cache"], "2026-08-30T06:02:11.000Z");
    assert!(told["newest_cache"].as_str().unwrap().starts_with("2026-11-21T"));
    (picture.stats.oldest, picture.stats.newest) = (None, None);
    assert!(cache(&picture)["oldest_cache"].is_null());
}

#[test]
fn ndjson_is_the_same_rows_one_a_line() {
    let json: serde_json::Value = serde_json::from_str(&in_format(Format::Json)).unwrap();
    let lines = in_format(Format::Ndjson);
    let mut rows: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    // What the document says of all, each line says by itself.
    assert!(rows.iter_mut().all(|r| r.as_object_mut().unwrap().remove("complete") == Some(true.into())));
    assert_eq!(json["rows"].as_array().unwrap(), &rows);
    assert_eq!(json["summary"]["total_symbols"], 12);
    assert_eq!(json["summary"]["symbols_per_second"], 6.0);
}

#[test]
fn rows_are_filtered_sorted_and_limited() {
    let options = |filter: &str, sort: &str| ScanOptions {
        format: Format::Csv,
        filter: Filter::parse(filter).unwrap(),
        sort: sort.parse().unwrap(),
        columns: parse_columns("sym, 15m.dist,1h").unwrap(),
        ..ScanOptions::default()
    };
    let all = assorted();
    assert_eq!(written(&all, options("btc", "score")), "sym,15m.dist,1h.trend\nBTCUSDT,1.834,1\n");
    let limited = ScanOptions { limit: Some(2), ..options("", "-sym") };
    assert_eq!(written(&all, limited), "sym,15m.dist,1h.trend\n币安人生USDT,1.834,1\nXRPUSDT,-0.62,-1\n");
    let mut out = Vec::new();
    let strong = ScanOptions { min_score: Some(78), limit: Some(1), now: MADE, ..options("", "score") };
    let written = write(&all, &strong, &mut out).unwrap();
    assert_eq!(written, Written { matched: 4, rows: 1, unknown: 0 });
}

#[test]
fn no_rows_are_titles_or_an_empty_list() {
    let none = snapshot(Vec::new());
    let of = |format| written(&none, ScanOptions { format, ..ScanOptions::default() });
    assert_eq!(of(Format::Table).lines().count(), 1);
    assert_eq!(of(Format::Csv).lines().count(), 1);
    assert_eq!(of(Format::Ndjson), "");
    assert!(of(Format::Json).ends_with("\"rows\":[]}\n"));
}

#[test]
fn an_unknown_column_or_format_is_refused() {
    let error = parse_columns("sym,scor").unwrap_err().to_string();
    assert!(error.contains("`scor`") && error.contains("mean `score`"), "{error}");
    assert!("xml".parse::<Format>().is_err());
}

#[test]
fn a_name_is_no_formula_in_a_spreadsheet() {
    let picture = snapshot(vec![row("=1+1USDT")]);
    let options = ScanOptions {
        format: Format::Csv,
        columns: parse_columns("sym,chg").unwrap(),
        ..ScanOptions::default()
    };
    assert_eq!(written(&picture, options), "sym,chg\n'=1+1USDT,4.81\n");
}

#[test]
fn item_36_names_of_any_width_stand_in_aligned_columns() {
    let options = ScanOptions { columns: parse_columns("sym,pool,last").unwrap(), ..ScanOptions::default() };
    let names = ["BTCUSDT", "币安人生USDT", "1000PEPEUSDT", "我踏马来了USDT"];
    let text = written(&snapshot(names.map(row).into()), options);
    let column = |line: &str| line.find("top").map(|at| unicode_width::UnicodeWidthStr::width(&line[..at]));
    let found: Vec<_> = text.lines().skip(1).map(column).collect();
    assert_eq!(found, [Some("我踏马来了USDT".chars().count() + 5 + 2); 4], "{text}");
}

#[test]
fn both_markets_are_told_apart_and_the_basis_stands_beside_the_perpetual() {
    use crate::domain::symbol::Market;
    use crate::market::snapshot::Pool;
    let rows = vec![
        row("BTCUSDT").basis(0.25).pool(Pool::Watchlist).score(50.0),
        row("BTCUSDT").market(Market::Spot).score(50.0),
    ];
    let mut picture = snapshot(rows);
    picture.markets = Market::ALL.into();
    let csv = |columns: &str, sort: &str| {
        let columns = parse_columns(columns).unwrap();
        let sort = sort.parse().unwrap();
        written(&picture, ScanOptions { format: Format::Csv, columns, sort, ..ScanOptions::default() })
    };
    let want = "market,sym,pool,basis\nusdm,BTCUSDT,watchlist,0.25\nspot,BTCUSDT,top,\n";
    for sort in ["score", "sym", "basis", "-basis"] {
        assert_eq!(csv("market,sym,pool,basis", sort), want, "a tie goes to the market that comes first");
    }
    assert!(csv("", "score").starts_with("sym,market,last,chg,vol,basis,score"), "{}", csv("", "score"));
    let text = written(&picture, ScanOptions { format: Format::Json, ..ScanOptions::default() });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["rows"][0]["market"], &value["rows"][0]["basis"]), (&"usdm".into(), &0.25.into()));
    assert_eq!((&value["rows"][1]["market"], &value["rows"][1]["basis"]), (&"spot".into(), &().into()));
    assert!(value["summary"]["universe"]["delisted"].is_u64());
}
