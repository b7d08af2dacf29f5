//! Where candles come from, the command, the control routes.

use std::time::Duration;

use hamatop::domain::time::UnixMs;
use hamatop::sim::command::{self, ExchangeArgs};
use hamatop::sim::{SimConfig, SourceConfig, replay, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::client::*;

#[tokio::test]
async fn the_control_routes_have_the_contracts_shapes() {
    let sim = start(standing()).await;
    get(&sim, "/fapi/v1/time").await;
    let stats = get(&sim, "/sim/stats").await.2;
    assert_eq!(stats["requests"], json!({"/fapi/v1/time": 1}));
    assert_eq!(stats["weight_total"], 1);
    assert_eq!(stats["weight_by_minute"], json!({"um": {replay::START.0.to_string(): 1}, "spot": {}}));
    assert_eq!(stats["connections"], json!({"open": 0, "opened": 0}));
    assert_eq!((&stats["streams"], &stats["violations"]), (&json!(0), &json!({})));
    let clock = get(&sim, "/sim/clock").await.2;
    assert_eq!((&clock["now"], &clock["speed"]), (&json!(replay::START.0), &json!(0.0)));
    let truth = get(&sim, "/sim/truth?market=usdm&symbol=BTCUSDT&interval=15m&limit=640").await.2;
    assert_eq!(truth.as_array().unwrap().len(), 640);
    assert_eq!(truth[639][6], replay::START.0 - 1);
    assert_eq!(get(&sim, "/sim/truth?symbol=NOPE&interval=15m").await.0, 400);
    sim.stop().await;
}

fn quarters(count: i64, zeros: &str) -> String {
    let row = |n: i64| {
        let (open, close) = (100 + n, 101 + n);
        format!("{},{open}.5{zeros},{close}.75,{open}.25,{close}.5,10.125,,,,,\n", n * 900_000)
    };
    let head = "open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_base,taker_quote\n";
    std::iter::once(head.to_owned()).chain((0..count).map(row)).collect()
}

#[tokio::test]
async fn a_folder_of_kline_files_is_served_on_both_markets() {
    let folder = Folder::new("served", &[("币安人生USDT-15m.csv", &quarters(16, "0")), ("notes.txt", "x")]);
    let source = SourceConfig::Folder(folder.0.clone());
    let sim = start(SimConfig { source, speed: 0.0, ..SimConfig::default() }).await;
    // The middle of four hours, and the last row has just opened.
    assert_eq!((sim.now(), sim.clock().end()), (UnixMs(7_200_000 - 3_600_000), Some(UnixMs(14_400_000))));
    let symbol = "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT";
    let um = get(&sim, &format!("/fapi/v1/klines?symbol={symbol}&interval=15m")).await.2;
    assert_eq!(um.as_array().unwrap().len(), 5);
    assert_eq!((&um[0][1], &um[0][5], &um[0][6]), (&json!("100.50"), &json!("10.125"), &json!(899_999)));
    // Derived: the volume times the mean of the four prices.
    assert_eq!(um[0][7], "1022.62");
    let spot = get(&sim, &format!("/api/v3/klines?symbol={symbol}&interval=1h")).await.2;
    assert_eq!(
        (&spot[0][1], &spot[0][4], &spot[0][5]),
        (&json!("100.50000000"), &json!("104.50000000"), &json!("40.50000000"))
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_served_is_refused_with_file_and_line() {
    let bad = quarters(3, "").replace("102.5,103.75", "102.5,x");
    for (name, files, words) in [
        ("bad", vec![("AUSDT-15m.csv", bad.as_str())], vec!["AUSDT-15m.csv", "line 4", "high"]),
        ("name", vec![("prices.csv", "")], vec!["prices.csv", "SYMBOL-INTERVAL"]),
        ("empty", vec![], vec!["no kline files"]),
    ] {
        let folder = Folder::new(name, &files);
        let source = SourceConfig::Folder(folder.0.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = SimConfig { source, ..SimConfig::default() };
        let error = serve(listener, config, CancellationToken::new()).await.unwrap_err().to_string();
        assert!(words.iter().all(|w| error.contains(w)), "{error}");
    }
}

#[tokio::test]
async fn the_command_says_where_it_listens_and_stops_when_told() {
    let cancel = CancellationToken::new();
    let (out, written) = std::io::pipe().unwrap();
    let args =
        ExchangeArgs { source: SourceConfig::Synthetic { count: 2, seed: 1 }, ..ExchangeArgs::default() };
    let exchange = tokio::spawn(command::run(args, written, cancel.clone()));
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        line
    });
    let ready: Value = serde_json::from_str(&line.await.unwrap()).unwrap();
    let rest = ready["rest"].as_str().unwrap();
    assert!(ready["ws"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    assert_eq!(http().get(format!("{rest}/fapi/v1/ping")).send().await.unwrap().status(), 200);
    cancel.cancel();
    timeout(Duration::from_secs(10), exchange).await.expect("an end in time").unwrap().unwrap();

    let faults = Folder::new("faults", &[("f.json", r#"[{"kind":"flood"}]"#)]);
    let args = ExchangeArgs { faults: Some(faults.0.join("f.json")), ..ExchangeArgs::default() };
    let error = command::run(args, std::io::sink(), CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("f.json") && error.contains("fault 1"), "{error}");
}

#[test]
fn the_bundled_recording_is_small() {
    let size = std::fs::metadata("src/sim/replay/um-2025-10.gz").unwrap().len();
    assert!(size <= 3 * 1024 * 1024, "{size} bytes");
}
