//! What the exchange's refusals and broken answers lead to, one by one.

use std::time::Instant;

use super::*;

/// When each klines request arrived, from the first one on.
type Arrivals = Arc<Mutex<Vec<Instant>>>;

/// Answers the first klines requests with `first`, and all else as the exchange does.
async fn refusing(first: Vec<Vec<u8>>) -> (Rest, Arrivals) {
    let arrivals = Arrivals::default();
    let seen = arrivals.clone();
    let server = Rest::start(move |path: &str| {
        if !path.contains("klines") {
            return exchange(path);
        }
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        first.get(seen.len() - 1).cloned().unwrap_or_else(|| exchange(path))
    })
    .await;
    (server, arrivals)
}

/// The pause between the first request and the next one, on the exchange's clock.
fn pause(arrivals: &Arrivals, rate: f64) -> f64 {
    let seen = arrivals.lock().unwrap();
    (seen[1] - seen[0]).as_secs_f64() * rate
}

const HTML: &str = "<html><head><title>Too much</title></head></html>";
const LIMIT: &str = r#"{"code":-1003,"msg":"Too many requests."}"#;
/// Ten minutes after what `TIME` says.
const BANNED: &str =
    r#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1760000470000. Please"}"#;

#[tokio::test]
async fn item_24_after_a_429_or_418_nothing_is_asked_until_its_time_whatever_the_body() {
    // The exchange's clock shows ten seconds into a minute, and a little more when the request leaves:
    // what lasts to a minute's end, or to a named time, lasts that much less.
    for (status, headers, body, seconds) in [
        (429, "Retry-After: 30\r\n", LIMIT, 30.0),
        (429, "", LIMIT, 35.0),
        (429, "", HTML, 35.0),
        (429, "", "", 35.0),
        (418, "Retry-After: 90\r\n", LIMIT, 90.0),
        (418, "", BANNED, 45.0),
        (418, "", HTML, 120.0),
        (418, "Retry-After: 45\r\n", "", 45.0),
    ] {
        let (server, arrivals) = refusing(vec![reply(status, headers, body)]).await;
        let mut client = Client::start(&server.url(), |c| {
            c.clock_rate = 240.0;
            c.concurrency = 1;
        });
        for id in 0..5 {
            client.ask(klines(id, &format!("S{id}"), None, 3)).await;
        }
        // Somebody who waits does not get around it either.
        client.ask(FetchRequest::Time(Market::UsdM)).await;
        for _ in 0..6 {
            match client.answer().await {
                Fetched::Klines { result, .. } => drop(result.unwrap()),
                Fetched::Time { result, .. } => drop(result.unwrap()),
                other => panic!("{other:?}"),
            }
        }
        // What passed of the round trip before the answer was here is the exchange's too.
        assert!(
            pause(&arrivals, 240.0) >= seconds - 1.0,
            "{status} {headers}{body}: {}",
            pause(&arrivals, 240.0)
        );
        assert_eq!(arrivals.lock().unwrap().len(), 6, "one was refused, five answered");
    }
}

#[tokio::test]
async fn fault_17_a_429_and_then_a_418_freeze_their_pool_and_no_other() {
    let first = vec![reply(429, "Retry-After: 20\r\n", LIMIT), reply(418, "Retry-After: 110\r\n", BANNED)];
    let (server, arrivals) = refusing(first).await;
    let spot_server = spot_exchange().await;
    let (rest, other) = (server.url(), spot_server.url());
    let mut client = Client::start(&rest, |c| {
        c.clock_rate = 120.0;
        c.concurrency = 2;
        c.endpoints.push(Endpoint::new(Market::Spot, Some(&other), None).unwrap());
    });
    client.ask(klines(1, "A", None, 3)).await;
    let held = soon(async {
        loop {
            if let Some(Fetched::Budget(report)) = client.answers.recv().await
                && let Some(hold) = report.held
            {
                return (report.market, hold.until);
            }
        }
    });
    let (market, until) = held.await;
    assert_eq!(market, Market::UsdM);
    assert!(until >= UnixMs(T0 + 29_000), "{until}: the countdown has a time to count to");
    for id in 10..20 {
        let FetchRequest::Klines(mut k) = klines(id, &format!("S{id}"), None, 3) else { panic!() };
        k.key.pair.market = Market::Spot;
        client.ask(FetchRequest::Klines(k)).await;
        let (request, result) = client.klines().await;
        assert_eq!((request.id, result.unwrap().rows.len()), (id, 3));
    }
    assert!(arrivals.lock().unwrap().len() <= 2);
    assert_eq!(client.klines().await.1.unwrap().rows.len(), 3);
    let seen = arrivals.lock().unwrap();
    let second = (seen[2] - seen[1]).as_secs_f64() * 120.0;
    assert!(seen.len() == 3 && second >= 108.0, "{second}");
}

fn gzip(body: &[u8], sent: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(body).unwrap();
    let gz = gz.finish().unwrap();
    let part = &gz[..sent(gz.len())];
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        part.len()
    )
    .into_bytes();
    bytes.extend_from_slice(part);
    bytes
}

#[tokio::test]
async fn item_25_fault_16_each_broken_answer_has_its_class_and_a_restricted_place_is_asked_once() {
    let restricted = r#"{"code":0,"msg":"Service unavailable from a restricted location"}"#;
    // Sixty-four MiB of blanks are sixty-four KiB of gzip.
    let bomb = gzip(&vec![b' '; 64 << 20], |n| n);
    assert!(bomb.len() < 1 << 20);
    let transient = ErrorKind::Transient;
    let cases = [
        (reply(500, "", ""), transient, "HTTP 500", 2),
        (reply(502, "Content-Type: text/html\r\n", HTML), transient, "HTTP 502", 2),
        (reply(503, "", r#"{"code":-1008,"msg":"busy"}"#), transient, "HTTP 503", 2),
        (reply(408, "", ""), transient, "HTTP 408", 2),
        (Vec::new(), transient, "did not answer in time", 2),
        (ok(""), transient, "empty answer", 2),
        (gzip(b"[]", |n| n / 2), transient, "torn", 2),
        (gzip(&[b'['; 3_000], |n| n), transient, "something else", 2),
        (ok(r#"{"msg":"hello"}"#), transient, "something else", 2),
        (bomb, ErrorKind::Rejected, "more than 8 MiB", 1),
        (reply(200, "Content-Type: text/html\r\n", HTML), ErrorKind::Rejected, "web page", 1),
        (reply(451, "", restricted), ErrorKind::Restricted, "HTTP 451", 1),
        (reply(404, "", HTML), ErrorKind::Rejected, "HTTP 404", 1),
    ];
    let each = cases.map(async |(answer, kind, word, asked)| {
        let (server, arrivals) = refusing(vec![answer; 3]).await;
        let mut client = Client::start(&server.url(), |c| {
            c.retries = 1;
            c.timeout = Duration::from_millis(400);
        });
        client.ask(klines(1, "A", None, 90)).await;
        let error = client.klines().await.1.unwrap_err();
        assert_eq!(error.kind, kind, "{word}: {error}");
        assert!(error.message.as_str().contains(word), "{word}: {error}");
        assert_eq!(arrivals.lock().unwrap().len(), asked, "{word}");
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test]
async fn item_25_a_page_of_the_firewall_holds_the_pool_for_a_minute() {
    let (server, arrivals) = refusing(vec![reply(403, "Content-Type: text/html\r\n", HTML)]).await;
    let mut client = Client::start(&server.url(), |c| {
        c.clock_rate = 240.0;
        c.concurrency = 1;
    });
    client.ask(klines(1, "A", None, 3)).await;
    assert_eq!(client.klines().await.1.unwrap().rows.len(), 3);
    assert!(pause(&arrivals, 240.0) >= 59.0, "{}", pause(&arrivals, 240.0));
}

#[tokio::test]
async fn item_25_a_redirect_to_another_host_is_not_followed() {
    let other = Rest::start(exchange).await;
    let place = format!("Location: {}/fapi/v1/klines?limit=3\r\n", other.url());
    for status in [301, 302, 307, 308] {
        let (server, _) = refusing(vec![reply(status, &place, "")]).await;
        let mut client = Client::start(&server.url(), |_| ());
        client.ask(klines(1, "A", None, 3)).await;
        let error = client.klines().await.1.unwrap_err();
        assert!(error.kind == ErrorKind::Rejected && error.message.as_str().contains("elsewhere"), "{error}");
    }
    assert!(other.log().is_empty(), "{:?}", other.log());
}

#[tokio::test]
async fn fault_16_pages_and_rows_that_came_are_kept_when_others_are_torn() {
    let failed = Arc::new(AtomicU32::new(0));
    let count = failed.clone();
    let server = Rest::start(move |path: &str| {
        // The second page fails twice; the first has a row that is none.
        if !path.contains("klines") {
            return exchange(path);
        }
        if path.contains("endTime") && count.fetch_add(1, Ordering::SeqCst) < 2 {
            return reply(502, "", HTML);
        }
        ok(&rows(path).replacen("\"1\"", "\"NaN\"", usize::from(!path.contains("endTime"))))
    })
    .await;
    let mut client = Client::start(&server.url(), |_| ());
    client.ask(klines(1, "A", None, 600)).await;
    let answer = client.klines().await.1.unwrap();
    assert_eq!((answer.rows.len(), answer.skipped), (599, 1));
    let pages = server.log().iter().filter(|p| p.contains("klines") && !p.contains("endTime")).count();
    assert_eq!(pages, 1, "the first page is not asked for again");
}

#[tokio::test]
async fn item_23_what_other_programs_use_slows_us_at_once() {
    const RATE: f64 = 120.0;
    let start = Instant::now();
    // From the fourth second of each minute on, others have used all but ten of our share.
    let seen = Arc::new(Mutex::new(std::collections::BTreeMap::<u64, u32>::new()));
    let count = seen.clone();
    let server = Rest::start(move |path: &str| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test's clock")]
        let now = (start.elapsed().as_secs_f64() * RATE * 1_000.0) as u64;
        if path.contains("time") {
            return ok(&format!(r#"{{"serverTime":{}}}"#, T0.cast_unsigned() + now));
        }
        if !path.contains("klines") {
            return exchange(path);
        }
        let mut seen = seen.lock().unwrap();
        let ours = seen.entry(now / 60_000).or_default();
        *ours += 2;
        let header = format!("X-MBX-USED-WEIGHT-1M: {}\r\n", 2_150 + *ours);
        reply(200, &header, &rows(path))
    })
    .await;
    let mut client = Client::start(&server.url(), |c| {
        c.clock_rate = RATE;
        c.concurrency = 4;
    });
    for id in 0..60 {
        client.ask(klines(id, &format!("S{id}"), None, 400)).await;
    }
    for _ in 0..60 {
        client.klines().await.1.unwrap();
    }
    let used = count.lock().unwrap().clone();
    // Five a minute fit; what was under way before the first figure was heard comes on top, once in
    // a minute's first seconds and once after them.
    assert!(used.values().all(|w| *w <= 10 + 2 * 8), "{used:?}");
    assert!(used.len() >= 4, "{used:?}");
}

fn spot(id: u64, symbol: &str) -> FetchRequest {
    let FetchRequest::Klines(mut request) = klines(id, symbol, None, 3) else { panic!() };
    request.key.pair.market = Market::Spot;
    FetchRequest::Klines(request)
}

/// The exchange of the tests, with spot's routes.
async fn spot_exchange() -> Rest {
    Rest::start(|path: &str| exchange(&path.replace("/api/v3", "/fapi/v1"))).await
}

#[tokio::test]
async fn item_25_a_market_that_takes_requests_and_never_answers_keeps_nothing_from_the_other() {
    let (silent, other) = (Rest::start(|_: &str| Vec::new()).await, spot_exchange().await);
    // With and without its clock, which is all that is asked for as long as it is not known.
    let halfway = Rest::start(|path: &str| if path.contains("time") { ok(TIME) } else { Vec::new() }).await;
    for (first, asked) in [(silent, 1), (halfway, 3)] {
        let url = other.url();
        let mut client = Client::start(&first.url(), |c| {
            c.concurrency = 2;
            c.timeout = Duration::from_secs(3_600);
            c.endpoints.push(Endpoint::new(Market::Spot, Some(&url), None).unwrap());
        });
        for id in 0..40 {
            client.ask(klines(id, &format!("S{id}"), None, 3)).await;
        }
        soon(async {
            while first.log().len() < asked {
                tokio::task::yield_now().await;
            }
        })
        .await;
        client.ask(FetchRequest::Time(Market::Spot)).await;
        assert!(matches!(client.answer().await, Fetched::Time { market: Market::Spot, result: Ok(_) }));
        client.ask(FetchRequest::Universe(Market::Spot)).await;
        assert!(matches!(client.answer().await, Fetched::Universe { market: Market::Spot, result: Ok(_) }));
        for id in 100..110 {
            client.ask(spot(id, &format!("S{id}"))).await;
        }
        for _ in 0..10 {
            let (request, result) = client.klines().await;
            assert_eq!((request.key.pair.market, result.unwrap().rows.len()), (Market::Spot, 3));
        }
        assert_eq!(first.log().len(), asked, "no more than its own slots");
    }
}

/// However much waits behind a ban: all of the other market's requests are answered while it lasts.
#[tokio::test]
async fn fault_17_while_one_pool_is_frozen_the_others_requests_go_on_and_are_answered() {
    // A hundred seconds of ours: short enough to be waited for, longer than this test.
    let (server, arrivals) = refusing(vec![reply(418, "Retry-After: 12000\r\n", LIMIT); 2]).await;
    let other = spot_exchange().await;
    let url = other.url();
    let mut client = Client::start(&server.url(), |c| {
        c.clock_rate = 120.0;
        c.concurrency = 2;
        c.endpoints.push(Endpoint::new(Market::Spot, Some(&url), None).unwrap());
    });
    for id in 0..50 {
        client.ask(klines(id, &format!("S{id}"), None, 3)).await;
    }
    soon(async {
        loop {
            if let Some(Fetched::Budget(report)) = client.answers.recv().await
                && report.held.is_some()
            {
                return assert_eq!(report.market, Market::UsdM);
            }
        }
    })
    .await;
    client.ask(FetchRequest::Time(Market::Spot)).await;
    client.ask(FetchRequest::Universe(Market::Spot)).await;
    for id in 100..120 {
        client.ask(spot(id, &format!("S{id}"))).await;
    }
    let mut candles = 0;
    for _ in 0..22 {
        match client.answer().await {
            Fetched::Time { market: Market::Spot, result } => drop(result.unwrap()),
            Fetched::Universe { market: Market::Spot, result } => drop(result.unwrap()),
            Fetched::Klines { request, result, .. } => {
                assert_eq!((request.key.pair.market, result.unwrap().rows.len()), (Market::Spot, 3));
                candles += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(candles, 20);
    assert!(arrivals.lock().unwrap().len() <= 2, "and nothing of the frozen one");
}

/// Names are looked up within a request; the first look-up is a fault of ours.
struct Faulty(std::sync::atomic::AtomicBool, std::net::SocketAddr);

impl reqwest::dns::Resolve for Faulty {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        assert!(self.0.swap(true, Ordering::SeqCst), "the fault that this test is about");
        let found: reqwest::dns::Addrs = Box::new(std::iter::once(self.1));
        Box::pin(std::future::ready(Ok(found)))
    }
}

#[tokio::test]
async fn a_request_that_panics_is_answered_as_our_fault_and_gives_its_slot_back() {
    let server = Rest::start(exchange).await;
    let resolver = Arc::new(Faulty(false.into(), server.address));
    // Once a process; a second time is refused and changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().no_proxy().dns_resolver(resolver).build().unwrap();
    let url = format!("http://exchange.test:{}", server.address.port());
    let endpoint = Endpoint::new(Market::UsdM, Some(&url), None).unwrap();
    let mut config = FetchConfig::new(vec![endpoint.clone()], Stopwatch::start());
    config.concurrency = 1;
    let mut fetcher = Fetcher::new(&config);
    fetcher.pools = vec![Pool::new(endpoint, Ok(http), &config)];
    let (requests, taken) = mpsc::channel(4);
    let (given, answers) = mpsc::channel(4);
    let cancel = CancellationToken::new();
    let task = tokio::spawn(serve(fetcher, taken, given, cancel.clone()));
    let mut client = Client { requests, answers, cancel, task };
    client.ask(klines(1, "A", None, 3)).await;
    let (request, result) = client.klines().await;
    assert_eq!((request.id, result.unwrap_err().kind), (1, ErrorKind::Bug));
    client.ask(klines(2, "A", None, 3)).await;
    assert_eq!(client.klines().await.1.unwrap().rows.len(), 3);
}
