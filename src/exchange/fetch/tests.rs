mod discipline;

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::interval::Interval;
use crate::domain::symbol::{Pair, SeriesKey};
use crate::domain::time::UnixMs;
use crate::exchange::testing::{Proxy, Rest, ok, reply, soon};
use crate::exchange::{KlinesRequest, Priority};

const T0: i64 = 1_760_000_400_000;
const STEP: i64 = 900_000;
const TIME: &str = r#"{"serverTime":1760000410000}"#;

struct Client {
    requests: mpsc::Sender<FetchRequest>,
    answers: mpsc::Receiver<Fetched>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Client {
    fn start(rest: &str, change: impl FnOnce(&mut FetchConfig)) -> Self {
        let endpoint = Endpoint::new(Market::UsdM, Some(rest), None).unwrap();
        let mut config = FetchConfig::new(vec![endpoint], Stopwatch::start());
        config.proxies = Proxies::None;
        config.clock_rate = 60.0;
        config.retries = 2;
        change(&mut config);
        let (requests, taken) = mpsc::channel(4);
        let (given, answers) = mpsc::channel(4);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(run(config, taken, given, cancel.clone()));
        Self { requests, answers, cancel, task }
    }

    async fn ask(&self, request: FetchRequest) {
        soon(self.requests.send(request)).await.unwrap();
    }

    /// The next answer that is no report.
    async fn answer(&mut self) -> Fetched {
        loop {
            match soon(self.answers.recv()).await.unwrap() {
                Fetched::Budget(_) => {}
                answer => return answer,
            }
        }
    }

    async fn klines(&mut self) -> (KlinesRequest, Result<crate::exchange::KlinesAnswer, ExchangeError>) {
        match self.answer().await {
            Fetched::Klines { request, result, .. } => (request, result),
            other => panic!("{other:?}"),
        }
    }
}

fn klines(id: u64, symbol: &str, from: Option<i64>, bars: u32) -> FetchRequest {
    let pair = Pair { market: Market::UsdM, symbol: symbol.parse().unwrap() };
    let key = SeriesKey::new(pair, Interval::M15);
    FetchRequest::Klines(KlinesRequest { id, key, from: from.map(UnixMs), bars, priority: Priority::Warmup })
}

fn query(path: &str, name: &str) -> Option<i64> {
    let rest = path.split(['?', '&']).find_map(|p| p.strip_prefix(name)?.strip_prefix('='))?;
    rest.parse().ok()
}

/// Bars that open from 0 to `T0`, as the exchange would give them.
fn rows(path: &str) -> String {
    let limit = query(path, "limit").unwrap();
    let newest = query(path, "endTime").unwrap_or(T0) / STEP;
    let first = query(path, "startTime").map_or(newest - limit + 1, |s| s.div_ceil_positive(STEP));
    let row =
        |n: i64| format!(r#"[{},"1","1","1","1","0",{},"0",0,"0","0","0"]"#, n * STEP, (n + 1) * STEP - 1);
    let rows: Vec<String> = (first..=newest.min(first + limit - 1)).map(row).collect();
    format!("[{}]", rows.join(","))
}

trait DivCeil {
    fn div_ceil_positive(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_positive(self, by: i64) -> i64 {
        (self + by - 1) / by
    }
}

const INFO: &str = r#"{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1200}],"symbols":[{"symbol":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.1"}]},{"symbol":"OLDUSDT","contractType":"PERPETUAL","status":"SETTLING","baseAsset":"OLD","quoteAsset":"USDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.1"}]}]}"#;
const DAY: &str = r#"[{"symbol":"BTCUSDT","lastPrice":"110","openPrice":"100","quoteVolume":"5","closeTime":1760000400000}]"#;

fn exchange(path: &str) -> Vec<u8> {
    let route = path.split('?').next().unwrap();
    match route {
        "/fapi/v1/time" => ok(TIME),
        "/fapi/v1/exchangeInfo" => ok(INFO),
        "/fapi/v1/ticker/24hr" => reply(200, "X-MBX-USED-WEIGHT-1M: 77\r\n", DAY),
        "/fapi/v1/klines" => ok(&rows(path)),
        _ => reply(404, "", "<html>"),
    }
}

#[tokio::test]
async fn universe_time_and_candles_come_as_asked() {
    let server = Rest::start(exchange).await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(FetchRequest::Universe(Market::UsdM)).await;
    let Fetched::Universe { result: Ok(universe), .. } = client.answer().await else { panic!() };
    assert_eq!((universe.trading.len(), universe.not_trading.len(), universe.skipped), (1, 1, 0));
    assert!((universe.day[0].change_pct - 10.0).abs() < 1e-9);
    client.ask(FetchRequest::Time(Market::UsdM)).await;
    let Fetched::Time { result: Ok(time), .. } = client.answer().await else { panic!() };
    assert_eq!(time.server, UnixMs(T0 + 10_000));
    assert!(time.sent <= time.received);
    // The newest 600 in two pages, and five from a time on.
    client.ask(klines(1, "BTCUSDT", None, 600)).await;
    let (_, result) = client.klines().await;
    let answer = result.unwrap();
    let opens: Vec<i64> = answer.rows.iter().map(|k| k.open_time().0).collect();
    let newest = T0 / STEP;
    assert_eq!(opens, (newest - 599..=newest).map(|n| n * STEP).collect::<Vec<_>>());
    client.ask(klines(2, "BTCUSDT", Some(10 * STEP), 5)).await;
    let (request, result) = client.klines().await;
    assert_eq!((request.id, result.unwrap().rows[0].open_time()), (2, UnixMs(10 * STEP)));
    let log = server.log();
    assert!(
        log.iter().any(|p| p.ends_with("symbol=BTCUSDT&interval=15m&limit=101&endTime=1759552199999")),
        "{log:?}"
    );
    assert!(log.iter().any(|p| p.ends_with("&limit=5&startTime=9000000")), "{log:?}");
    assert_eq!(log[0], "/fapi/v1/time");
    client.ask(klines(3, "BTCUSDT", None, 0)).await;
    assert_eq!(client.klines().await.1.unwrap().rows.len(), 0);
}

#[tokio::test]
async fn reports_tell_use_limit_and_failures() {
    let server = Rest::start(exchange).await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(FetchRequest::Universe(Market::UsdM)).await;
    let report = soon(async {
        loop {
            if let Some(Fetched::Budget(report)) = client.answers.recv().await
                && report.requests == 3
                && report.limit == 1_200
                && report.used == 77
            {
                return report;
            }
        }
    });
    assert_eq!(report.await.failed, 0);
}

#[tokio::test]
async fn a_request_limit_holds_all_and_then_goes_on() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let server = Rest::start(move |path: &str| {
        if path.contains("klines") && count.fetch_add(1, Ordering::SeqCst) == 0 {
            return reply(429, "Retry-After: 12\r\n", "");
        }
        exchange(path)
    })
    .await;
    let mut client = Client::start(&server.url(), |c| c.concurrency = 1);
    let start = std::time::Instant::now();
    client.ask(klines(1, "A", None, 3)).await;
    client.ask(klines(2, "B", None, 3)).await;
    for _ in 0..2 {
        client.klines().await.1.unwrap();
    }
    // Twelve seconds of the exchange's are a fifth of ours.
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_long_ban_is_told_to_all_and_nothing_more_is_asked() {
    let server = Rest::start(|path: &str| {
        if path.contains("klines") { reply(418, "Retry-After: 259200\r\n", "") } else { exchange(path) }
    })
    .await;
    let mut client = Client::start(&server.url(), |c| c.concurrency = 1);
    for id in 0..3 {
        client.ask(klines(id, &format!("S{id}"), None, 3)).await;
    }
    for _ in 0..3 {
        let error = client.klines().await.1.unwrap_err();
        assert!(
            matches!(error.kind, ErrorKind::Banned { wait } if wait > Duration::from_secs(4_000)),
            "{error:?}"
        );
    }
    client.ask(klines(9, "LATE", None, 3)).await;
    assert!(client.klines().await.1.is_err());
    assert_eq!(server.log().iter().filter(|p| p.contains("klines")).count(), 1);
}

#[tokio::test]
async fn a_refused_place_is_asked_once() {
    let server = Rest::start(|_: &str| reply(451, "", r#"{"code":0,"msg":"restricted location"}"#)).await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(FetchRequest::Universe(Market::UsdM)).await;
    let Fetched::Universe { result: Err(error), .. } = client.answer().await else { panic!() };
    assert_eq!(error.kind, ErrorKind::Restricted);
    assert!(error.message.as_str().contains("data-api.binance.vision"));
    assert_eq!(server.log().len(), 1);
}

#[tokio::test]
async fn item_27_one_bad_symbol_fails_alone_and_says_so() {
    let server = Rest::start(|path: &str| {
        if path.contains("symbol=BAD") {
            reply(400, "", r#"{"code":-1121,"msg":"Invalid symbol."}"#)
        } else {
            exchange(path)
        }
    })
    .await;
    let mut client = Client::start(&server.url(), |_| ());
    for (id, symbol) in [(1, "A"), (2, "BAD"), (3, "C")] {
        client.ask(klines(id, symbol, None, 3)).await;
    }
    for _ in 0..3 {
        let (request, result) = client.klines().await;
        match result {
            Ok(answer) => assert_eq!(answer.rows.len(), 3),
            Err(e) => assert_eq!((request.id, e.kind), (2, ErrorKind::Rejected)),
        }
    }
}

#[tokio::test]
async fn torn_answers_are_asked_for_again() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let server = Rest::start(move |path: &str| {
        if !path.contains("klines") {
            return exchange(path);
        }
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(rows(path).as_bytes()).unwrap();
        let gz = gz.finish().unwrap();
        let whole = count.fetch_add(1, Ordering::SeqCst) > 0;
        let body = if whole { &gz[..] } else { &gz[..gz.len() / 2] };
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n";
        let mut bytes = format!("{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        bytes
    })
    .await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(klines(1, "A", None, 90)).await;
    assert_eq!(client.klines().await.1.unwrap().rows.len(), 90);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_no_exchange_is_told_with_the_cure() {
    // A port that was free a moment ago, and that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let page = Rest::start(|_: &str| ok("<!doctype html><title>log in</title>")).await;
    let missing = Rest::start(|_: &str| reply(404, "", "nothing here")).await;
    let silent = Rest::start(|_: &str| Vec::new()).await;
    let other = Rest::start(|_: &str| ok("[]")).await;
    for (url, kind, words) in [
        (format!("http://{nobody}"), ErrorKind::NoConnection, ["can't connect", "--rest-url"]),
        (page.url(), ErrorKind::Rejected, ["web page", "--rest-url"]),
        (missing.url(), ErrorKind::Rejected, ["404", "--rest-url"]),
        (silent.url(), ErrorKind::Transient, ["did not answer", "HTTPS_PROXY"]),
        (other.url(), ErrorKind::Transient, ["something else", "[]"]),
    ] {
        let mut client = Client::start(&url, |c| {
            c.retries = 0;
            c.timeout = Duration::from_millis(300);
        });
        client.ask(FetchRequest::Universe(Market::UsdM)).await;
        let Fetched::Universe { result: Err(error), .. } = client.answer().await else { panic!() };
        assert_eq!(error.kind, kind, "{error}");
        assert!(words.iter().all(|w| error.message.as_str().contains(w)), "{error}");
    }
}

/// An exchange that is down, and comes back at the same address.
#[tokio::test]
async fn a_cut_is_probed_one_at_a_time_costs_no_weight_and_is_told_to_all() {
    let server = Rest::start(exchange).await;
    let address = server.address;
    server.stop().await;
    let mut client = Client::start(&format!("http://{address}"), |c| c.retries = 1);
    let mut last = None;
    // A first round that knows nothing, and a second one by somebody who waits.
    for round in 0..2 {
        for id in 0..100 {
            let FetchRequest::Klines(k) = klines(id, &format!("S{id}"), None, 400) else { panic!() };
            client.ask(FetchRequest::Klines(KlinesRequest { priority: Priority::User, ..k })).await;
        }
        let mut told = 0;
        while told < 100 {
            match soon(client.answers.recv()).await.unwrap() {
                Fetched::Klines { result, .. } => {
                    let error = result.unwrap_err();
                    assert_eq!(error.kind, ErrorKind::NoConnection, "{error}");
                    told += 1;
                }
                Fetched::Budget(report) => last = Some(report),
                other => panic!("{other:?}"),
            }
        }
        let report = last.clone().unwrap();
        assert_eq!(report.used, 0, "round {round}: what never got there costs nothing");
        assert!(report.requests <= 2 + 2 * round, "round {round}: {report:?}");
    }
    let _server = Rest::start_at(address, exchange).await;
    client.ask(klines(7, "A", None, 3)).await;
    client.ask(FetchRequest::Time(Market::UsdM)).await;
    for _ in 0..2 {
        match client.answer().await {
            Fetched::Klines { result, .. } => assert_eq!(result.unwrap().rows.len(), 3),
            Fetched::Time { result, .. } => assert_eq!(result.unwrap().server, UnixMs(T0 + 10_000)),
            other => panic!("{other:?}"),
        }
    }
}

/// Ten are under way when the way is cut: they count as one failure.
#[tokio::test]
async fn a_cut_in_the_middle_is_no_failure_of_each_series() {
    let server = Rest::start(exchange).await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(klines(1, "A", None, 3)).await;
    client.klines().await.1.unwrap();
    server.stop().await;
    for id in 0..100 {
        client.ask(klines(id, &format!("S{id}"), None, 3)).await;
    }
    let mut requests = 0;
    let mut told = 0;
    while told < 100 {
        match soon(client.answers.recv()).await.unwrap() {
            Fetched::Klines { result, .. } => {
                assert_eq!(result.unwrap_err().kind, ErrorKind::NoConnection);
                told += 1;
            }
            Fetched::Budget(report) => requests = report.requests,
            other => panic!("{other:?}"),
        }
    }
    assert!(requests <= 2 + 10 + 3, "{requests}");
}

#[tokio::test]
async fn a_missing_market_is_refused_and_https_without_its_server_fails_cleanly() {
    let server = Rest::start(exchange).await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(FetchRequest::Time(Market::Spot)).await;
    let Fetched::Time { result: Err(error), .. } = client.answer().await else { panic!() };
    assert!(error.message.as_str().contains("--market"));
    // A plain server where TLS is expected.
    let mut client = Client::start(&server.url().replace("http:", "https:"), |c| c.retries = 0);
    client.ask(FetchRequest::Time(Market::UsdM)).await;
    let Fetched::Time { result, .. } = client.answer().await else { panic!() };
    assert!(result.is_err());
}

#[tokio::test]
async fn item_23_no_minute_of_the_exchange_gets_more_than_nine_tenths() {
    const RATE: u128 = 240; // a minute in a quarter of a second
    let start = std::time::Instant::now();
    let by_minute = Arc::new(Mutex::new(std::collections::BTreeMap::<u128, u32>::new()));
    let count = by_minute.clone();
    let server = Rest::start(move |path: &str| {
        let now = start.elapsed().as_millis() * RATE;
        let weight = if path.contains("klines") { 2 } else { 1 };
        *count.lock().unwrap().entry(now / 60_000).or_default() += weight;
        if path.contains("time") {
            return ok(&format!(r#"{{"serverTime":{}}}"#, 1_760_000_040_000 + now));
        }
        if path.contains("exchangeInfo") {
            return ok(&INFO.replace("1200", "100"));
        }
        exchange(path)
    })
    .await;
    let mut client = Client::start(&server.url(), |c| c.clock_rate = 240.0);
    client.ask(FetchRequest::Universe(Market::UsdM)).await;
    client.answer().await;
    for id in 0..120 {
        client.ask(klines(id, &format!("S{id}"), None, 100)).await;
    }
    for _ in 0..120 {
        client.klines().await.1.unwrap();
    }
    let used = by_minute.lock().unwrap().clone();
    assert!(used.values().all(|w| *w <= 90), "{used:?}");
    assert!(used.len() >= 3, "{used:?}");
}

#[tokio::test]
async fn requests_are_taken_in_though_nobody_reads_the_answers() {
    let server = Rest::start(exchange).await;
    let client = Client::start(&server.url(), |_| ());
    for id in 0..500 {
        client.ask(klines(id, &format!("S{id}"), None, 3)).await;
    }
}

#[tokio::test]
async fn it_ends_at_once_when_cancelled_and_by_itself_when_done() {
    let silent = Rest::start(|_: &str| Vec::new()).await;
    let client = Client::start(&silent.url(), |_| ());
    client.ask(FetchRequest::Time(Market::UsdM)).await;
    client.cancel.cancel();
    tokio::time::timeout(Duration::from_secs(1), client.task).await.unwrap().unwrap();

    let server = Rest::start(exchange).await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(klines(1, "A", None, 3)).await;
    let Client { requests, .. } = &mut client;
    drop(std::mem::replace(requests, mpsc::channel(1).0));
    client.klines().await.1.unwrap();
    while soon(client.answers.recv()).await.is_some() {}
    soon(client.task).await.unwrap();
}

#[tokio::test]
async fn both_kinds_of_proxies_are_used() {
    let server = Rest::start(exchange).await;
    let proxy = Proxy::start().await;
    for (scheme, word) in [("http", "GET http://"), ("socks5h", "SOCKS5"), ("socks5", "SOCKS5")] {
        let before = proxy.log().len();
        let through = Proxies::Through(format!("{scheme}://{}", proxy.address));
        let mut client = Client::start(&server.url(), |c| c.proxies = through);
        client.ask(klines(1, "A", None, 3)).await;
        client.klines().await.1.unwrap();
        let log = proxy.log()[before..].to_vec();
        assert!(log.len() >= 2 && log.iter().all(|l| l.starts_with(word)), "{log:?}");
    }
}
