//! The program as scripts see it: what it prints, and the exit code.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The program with a bare environment and a home of its own.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hamatop"));
    let home = std::env::temp_dir().join(format!("hamatop-cli-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    command.args(args).env_clear().env("HOME", &home).current_dir(&home).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    program(args).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Fails with that code, says a sentence with `part` in it, prints nothing else.
fn assert_refused(args: &[&str], expected: i32, part: &str) {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), expected, "{args:?}: {said}");
    assert!(said.contains(part), "{args:?} says: {said}");
    assert!(!said.contains("panicked"), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?} prints: {}", stdout(&output));
}

fn file(name: &str, content: &[u8]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hamatop-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// `hamatop exchange` as a process of its own.
struct Exchange {
    child: Child,
    rest: String,
    ws: String,
}

impl Exchange {
    fn start(args: &[&str]) -> Self {
        let mut command = program(&[&["exchange"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self { rest: url("rest"), ws: url("ws"), child }
    }

    fn scan(&self, args: &[&str]) -> Output {
        run(&[&["scan", "--rest-url", &self.rest, "--ws-url", &self.ws], args].concat())
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_demo_scan_prints_24_rows_each_with_a_score() {
    let output = run(&["scan", "--demo", "--format", "json"]);
    assert_eq!(code(&output), 0);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 24);
    assert!(rows.iter().all(|r| r["score"].is_i64() && r["raw"].is_f64()));
    assert_eq!(document["source"], "demo");
    assert_eq!(document["summary"]["complete"], true);
    let short: Vec<_> = rows.iter().filter(|r| r["intervals"]["4h"]["bands"].is_null()).collect();
    let mut names: Vec<_> = short.iter().map(|r| r["symbol"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["0GUSDT", "ASTERUSDT"], "young listings have too few 4h bars for bands");
    for row in short {
        let lane = &row["intervals"]["4h"];
        assert!(lane["bars"].as_u64().unwrap() < lane["need"].as_u64().unwrap());
    }
}

#[test]
fn rows_in_the_json_of_a_scan_are_as_the_contract_has_them() {
    let output = run(&["scan", "--demo", "--format", "json", "--filter", "btc", "--klines", "3"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let row = &document["rows"][0];
    for field in ["market", "symbol", "pool", "last", "change_pct_24h", "quote_volume_24h", "score", "raw"] {
        assert!(!row[field].is_null(), "{field}");
    }
    for field in ["coverage", "coherence", "state", "age_ms"] {
        assert!(!row[field].is_null(), "{field}");
    }
    let lane = &row["intervals"]["15m"];
    for path in [
        "/state",
        "/bars",
        "/need",
        "/open_time",
        "/close_time",
        "/hama/open",
        "/hama/high",
        "/hama/low",
        "/hama/close",
        "/hama/ma",
        "/color",
        "/gradient/dir",
        "/gradient/steps",
        "/trend",
        "/strength",
        "/dev_pct",
        "/cross/dir",
        "/cross/bars",
        "/cross/inferred",
        "/bands/basis",
        "/bands/upper",
        "/bands/lower",
        "/bands/width",
        "/bands/pos",
        "/bands/state",
        "/raw",
        "/parts/S",
        "/parts/D",
        "/parts/G",
        "/parts/B",
    ] {
        assert!(lane.pointer(path).is_some_and(|v| !v.is_null()), "{path}");
    }
    let klines = lane["klines"].as_array().unwrap();
    assert_eq!(klines.len(), 3);
    assert!(klines.iter().all(|k| k.as_array().unwrap().len() == 12));
    assert_eq!(klines[2][0], lane["open_time"]);
    let stats = &document["summary"]["cache_stats"];
    for field in ["total_symbols", "total_klines", "cache_hits", "cache_misses", "memory_bytes"] {
        assert!(stats["klines"][field].is_u64(), "{field}");
    }
    assert_eq!((&stats["cache_type"], &stats["cached_symbols"]), (&"memory".into(), &24.into()));
    assert_eq!(stats["symbols"].as_array().unwrap().len(), 24);
    for field in ["oldest_cache", "newest_cache"] {
        let time = stats[field].as_str().unwrap();
        assert!(time.starts_with("2025-") && time.ends_with('Z'), "{time}");
    }
}

#[test]
fn a_filter_decides_on_rows_and_exit_code() {
    let one = run(&["scan", "--demo", "--filter", "btc", "--format", "ndjson"]);
    assert_eq!((code(&one), stdout(&one).lines().count()), (0, 1));
    let none = run(&["scan", "--demo", "--filter", "nosuchpair", "--format", "ndjson"]);
    assert_eq!((code(&none), stdout(&none).as_str()), (1, ""));
}

#[test]
fn every_format_prints_the_rows_it_was_asked_for() {
    for (format, extra) in [("table", 1), ("csv", 1), ("ndjson", 0), ("md", 2)] {
        let output = run(&["scan", "--demo", "--format", format, "--limit", "5"]);
        assert_eq!(stdout(&output).lines().count(), 5 + extra, "{format}");
    }
    let sorted =
        run(&["scan", "--demo", "--sort", "sym", "--columns", "sym,score,15m.dist", "--format", "csv"]);
    let text = stdout(&sorted);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("sym,score,15m.dist"));
    // A thousand of something stands where the something does.
    let names: Vec<_> = lines.map(|l| l.split(',').next().unwrap().trim_start_matches("1000")).collect();
    assert!(names.is_sorted() && names.len() == 24, "{names:?}");
}

#[test]
fn without_a_terminal_the_bare_program_prints_the_table_once() {
    let output = run(&["demo"]);
    assert_eq!(code(&output), 0);
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 25);
    assert!(!text.contains('\x1b'), "no escape codes");
}

#[test]
fn a_closed_stdout_ends_quietly() {
    let mut child = program(&["scan", "--demo", "--format", "json", "--klines", "400"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_cannot_be_used_is_refused_with_the_cure() {
    let config = file("broken.toml", b"top = 5\nintervall = '1h'\n");
    let config = config.to_str().unwrap();
    assert_refused(&["scan", "--config", config], 2, "broken.toml:2: unknown key `intervall`");
    assert_refused(&["scan", "--config", "/nowhere/x.toml"], 2, "/nowhere/x.toml");
    assert_refused(&["scan", "--intervals", "7m"], 2, "15m");
    assert_refused(&["scan", "--preset", "nstd"], 2, "did you mean `nsdt`");
    assert_refused(&["scan", "--rest-url", "ftp://x"], 2, "http://");
    assert_refused(&["scan", "--columns", "scoer"], 2, "score");
    assert_refused(&["scan", "--filter", "btc scor>6"], 2, "column 5: there is no field `scor`");
    assert_refused(&["scan", "--filter", "1d:bull"], 2, "`1d` is not among the intervals");
    assert_refused(&["scan", "--filter", "@majors"], 2, "there is no list `@majors`");
    assert_refused(&["scan", "--nonsense"], 2, "--nonsense");
    assert_refused(&["scan", "--demo", "--symbols", "BTCUDST"], 2, "BTCUSDT");
    assert_refused(&["scan", "--demo", "--start", "2020-01-01T00:00Z"], 2, "outside");
    assert_refused(&["exchange", "--data", "/nowhere"], 2, "/nowhere");
    assert_refused(&["exchange", "--listen", "256.0.0.1:1"], 2, "--listen");
}

#[test]
fn an_interval_the_source_lacks_is_named_and_not_drawn() {
    let output = run(&["scan", "--demo", "--intervals", "1m", "--timeout", "20s"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), 3, "{said}");
    assert!(said.contains("interval"), "{said}");
}

#[test]
fn an_exchange_that_is_not_there_or_refuses_is_named() {
    // Nothing listens on the discard port of loopback.
    assert_refused(&["scan", "--rest-url", "http://127.0.0.1:9", "--timeout", "20s"], 3, "127.0.0.1:9");
    let exchange = Exchange::start(&[]);
    let wrong = format!("{}/wrong", exchange.rest);
    assert_refused(&["scan", "--rest-url", &wrong, "--timeout", "20s"], 3, "--rest-url");
    let faults = file("451.json", br#"[{"kind":"rest_error","status":451,"count":100}]"#);
    let refusing = Exchange::start(&["--faults", faults.to_str().unwrap()]);
    let output = refusing.scan(&["--timeout", "20s"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), 3, "{said}");
    assert!(said.contains("451") || said.contains("restricted"), "{said}");
}

/// Banned after the list of pairs, in the middle of the candles, for longer than a scan may last.
#[test]
fn a_scan_that_is_banned_says_so_at_once_and_marks_what_it_prints_as_partial() {
    let faults = br#"[{"kind":"ban","seconds":3600,"on":"request","route":"/fapi/v1/klines","nth":9}]"#;
    let faults = file("ban.json", faults);
    let start = ["--synthetic", "8", "--start", "2026-01-05T00:05Z", "--faults", faults.to_str().unwrap()];
    for format in ["json", "ndjson"] {
        let exchange = Exchange::start(&start);
        let started = std::time::Instant::now();
        let output = exchange.scan(&["--top", "8", "--format", format, "--timeout", "300s"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(started.elapsed().as_secs() < 100, "it waited for what can't come: {said}");
        assert_eq!(code(&output), 3, "{said}");
        let (first, last) = (said.lines().next().unwrap(), said.lines().last().unwrap());
        assert!(first.contains("usdm: the exchange has banned this address for "), "{said}");
        assert!(last.contains("NOT complete") && last.contains("HTTP 418"), "{said}");
        let text = stdout(&output);
        if format == "ndjson" {
            let rows: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            assert!(rows.len() == 8 && rows.iter().all(|r| r["complete"] == false), "{text}");
            continue;
        }
        let document: Value = serde_json::from_str(&text).unwrap();
        let summary = &document["summary"];
        assert_eq!((&summary["complete"], &summary["held"][0]["kind"]), (&false.into(), &"ban".into()));
        assert!(summary["incomplete"].as_str().unwrap().contains("banned"), "{summary}");
        let rows = document["rows"].as_array().unwrap();
        let lanes = || rows.iter().flat_map(|r| r["intervals"].as_object().unwrap().values());
        assert!(lanes().any(|l| l["bars"].as_u64() > Some(0)) && lanes().any(|l| l["bars"] == 0), "{text}");
        // Some may have been under way when the ban came, and have heard of nothing.
        assert!(lanes().all(|l| l.get("why").is_some()), "{text}");
    }
}

#[test]
fn a_scan_of_another_process_equals_its_truth() {
    // Five minutes into a candle: right at a close, REST alone proves nothing yet.
    let exchange = Exchange::start(&["--synthetic", "8", "--speed", "0", "--start", "2026-01-05T00:05Z"]);
    let output = exchange.scan(&["--top", "8", "--format", "json", "--klines", "100", "--clock-rate", "1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), 0, "{said}");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Once a process; a second time is refused and changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for row in rows {
        for interval in ["15m", "1h", "4h"] {
            let held = row["intervals"][interval]["klines"].as_array().unwrap();
            let symbol = row["symbol"].as_str().unwrap();
            // The client percent-encodes names that are not ASCII.
            let query = format!("market=usdm&symbol={symbol}&interval={interval}&limit={}", held.len());
            let asked = http.get(format!("{}/sim/truth?{query}", exchange.rest));
            let answer = runtime.block_on(async { asked.send().await.unwrap().text().await.unwrap() });
            let truth: Value = serde_json::from_str(&answer).unwrap();
            let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
            for (ours, theirs) in held.iter().zip(truth.as_array().unwrap()) {
                for i in 0..11 {
                    assert_eq!(
                        number(&ours[i]),
                        number(&theirs[i]),
                        "{symbol} {interval} field {i}: {ours} {theirs}"
                    );
                }
            }
            assert_eq!(held.len(), truth.as_array().unwrap().len(), "{symbol} {interval}");
        }
    }
}

#[test]
fn the_indicator_over_a_file_refuses_bad_rows_by_line() {
    let header =
        "open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_base,taker_quote\n";
    let row = |t: i64| format!("{},1,2,0.5,1.5,10,{},,,,\n", t * 900_000, t * 900_000 + 899_999);
    let good = header.to_owned() + &row(1) + &row(2) + &row(3);
    for (name, text, line) in [
        ("doubled.csv", header.to_owned() + &row(1) + &row(2) + &row(2), "4"),
        ("descending.csv", header.to_owned() + &row(2) + &row(1), "3"),
        ("torn.csv", good.clone() + "3600000,1,2", "5"),
        ("word.csv", good.clone() + &row(4).replace("1.5", "x"), "5"),
        ("order.csv", good.clone() + &row(4).replace("0.5", "9"), "5"),
    ] {
        let path = file(name, text.as_bytes());
        assert_refused(&["hama", path.to_str().unwrap()], 2, line);
    }
    assert_refused(&["hama", "/nowhere/x.csv"], 2, "/nowhere/x.csv");
    let garbage = file("garbage.csv.gz", b"\x1f\x8b\x08\x00garbage");
    assert_refused(&["hama", garbage.to_str().unwrap()], 2, "garbage.csv.gz");
    let path = file("good.csv", good.as_bytes());
    let output = run(&["hama", path.to_str().unwrap()]);
    assert_eq!((code(&output), stdout(&output).lines().count()), (0, 4));
}

#[test]
fn the_indicator_reads_stdin() {
    let mut child = program(&["hama", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let rows = br#"[[900000,"1","2","0.5","1.5","10",1799999,"15",3,"5","7","0"]]"#;
    child.stdin.take().unwrap().write_all(rows).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document[0]["open_time"], 900_000);
    assert!(document[0]["ma"].is_null());
}

#[test]
fn settings_are_shown_checked_and_sampled() {
    let example = stdout(&run(&["config", "example"]));
    let path = file("example.toml", example.as_bytes());
    let output = run(&["config", "check", "--config", path.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let shown = stdout(&run(&["config", "show", "--top", "7"]));
    let top = shown.lines().find(|l| l.starts_with("top ")).unwrap();
    assert!(top.contains('7') && top.contains("flag"), "{top}");
    assert!(stdout(&run(&["config", "path"])).trim_end().ends_with("hamatop/config.toml"));
    assert!(stdout(&run(&["keys"])).contains("filter"));
}

#[test]
fn keys_and_columns_of_the_config_are_checked_with_it() {
    for (text, part) in [
        ("[keys]\nrefresh = ['F']\n", "[keys] F is `follow` and `refresh` in the scanner"),
        ("[keys]\nrefersh = ['F']\n", "did you mean `refresh`?"),
        (
            "[columns]\nmine = ['sym', 'scor']\n",
            "[columns] `mine`: there is no column `scor`; did you mean `score`?",
        ),
    ] {
        let path = file("own.toml", text.as_bytes());
        let path = path.to_str().unwrap();
        for args in [["config", "check", "--config", path], ["keys", "--config", path, "--ascii"]] {
            assert_refused(&args, 2, part);
        }
    }
    let path = file("own.toml", b"[keys]\nrefresh = ['f9']\n");
    let keys = stdout(&run(&["keys", "--config", path.to_str().unwrap()]));
    assert!(keys.lines().any(|l| l.starts_with("F9 ") && l.contains(" refresh ")), "{keys}");
    assert!(stdout(&run(&["man"])).contains(".SH KEYS"));
    assert!(stdout(&run(&["completions", "zsh"])).starts_with("#compdef hamatop"));
}
