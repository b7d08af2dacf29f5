//! `hamatop doctor` on loopback: each thing that can keep the program from its job is made to happen,
//! and has to be named with its cure.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/gateway.rs"]
mod gateway;

use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gateway::{Gateway, Refuses};
use hamatop::config::{Config, Sources};
use hamatop::domain::symbol::Market;
use hamatop::domain::time::UnixMs;
use hamatop::exchange::binance::session::Timing;
use hamatop::exchange::connect::Proxies;
use hamatop::market::snapshot::Source;
use hamatop::run::doctor::verdict::{Check, Finding, State, can_run};
use hamatop::run::doctor::{Patience, examine};
use hamatop::run::session::Place;
use hamatop::sim::{self, SimConfig, SimHandle, SourceConfig};
use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

const SHORT: Patience = Patience {
    step: Duration::from_secs(5),
    rest: Duration::from_secs(8),
    name: Duration::from_secs(3),
    stream: Duration::from_secs(4),
    data: Duration::from_millis(1_500),
};

async fn exchange(change: impl FnOnce(&mut SimConfig)) -> SimHandle {
    drop(rustls::crypto::ring::default_provider().install_default());
    let source = SourceConfig::Synthetic { count: 4, seed: 3 };
    let mut config = SimConfig { source, ..SimConfig::default() };
    change(&mut config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    sim::serve(listener, config, CancellationToken::new()).await.unwrap()
}

async fn post(sim: &SimHandle, fault: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/sim/faults", sim.rest_url());
    let answer =
        http.post(url).header("content-type", "application/json").body(fault.to_owned()).send().await;
    assert!(answer.unwrap().status().is_success());
}

fn place(rest: &str, ws: &str) -> Place {
    Place {
        source: Source::Live,
        rest_url: Some(rest.to_owned()),
        ws_url: Some(ws.to_owned()),
        clock_rate: 1.0,
        proxies: Proxies::None,
        timing: Timing::default(),
    }
}

async fn doctor(market: &str, place: &Place) -> Vec<Finding> {
    let flags = vec![("market", market.to_owned())];
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let began = Instant::now();
    let findings = examine(&config, place, SHORT).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    findings
}

/// The one finding of a check says this, and whether the job can be done.
fn assert_named(findings: &[Finding], check: Check, state: State, what: &str, cure: &str) {
    let found: Vec<_> = findings.iter().filter(|f| f.check == check && f.state == state).collect();
    let fits = |f: &&&Finding| f.what.contains(what) && f.cure.as_deref().unwrap_or_default().contains(cure);
    assert!(found.iter().any(|f| fits(&f)), "{check:?} {state:?} lacks {what:?} / {cure:?}:\n{findings:#?}");
    assert_eq!(can_run(findings), state != State::Fail, "{findings:#?}");
}

#[tokio::test]
async fn all_is_well_on_an_exchange_that_is() {
    let sim = exchange(|c| c.speed = 60.0).await;
    let place = Place { clock_rate: 60.0, ..place(&sim.rest_url(), &sim.ws_url()) };
    let findings = doctor("usdm,spot", &place).await;
    assert!(can_run(&findings), "{findings:#?}");
    for check in [Check::Name, Check::Connect, Check::Rest, Check::Weight, Check::Stream] {
        let ok = findings.iter().filter(|f| f.check == check && f.state == State::Ok).count();
        assert_eq!(ok, 2, "{check:?}: {findings:#?}");
    }
}

#[tokio::test]
async fn no_dns_is_named() {
    let place = place("https://hamatop-test.invalid", "wss://hamatop-test.invalid");
    let findings = doctor("usdm", &place).await;
    assert_named(&findings, Check::Name, State::Fail, "no DNS", "resolv.conf");
}

#[tokio::test]
async fn a_refused_connection_is_named() {
    // The port was free a moment ago, and nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let findings = doctor("usdm", &place(&format!("http://{free}"), &format!("ws://{free}"))).await;
    assert_named(&findings, Check::Connect, State::Fail, "refuses the connection", "--rest-url");
}

#[tokio::test]
async fn a_refused_place_is_named_and_spots_public_host_is_offered() {
    for market in ["spot", "usdm"] {
        let sim = exchange(|_| ()).await;
        post(&sim, r#"{"kind":"rest_error","status":451,"count":100}"#).await;
        let findings = doctor(market, &place(&sim.rest_url(), &sim.ws_url())).await;
        assert_named(&findings, Check::Rest, State::Fail, "HTTP 451", "https://data-api.binance.vision");
        assert_named(&findings, Check::Rest, State::Fail, "", "wss://data-stream.binance.vision");
    }
}

#[tokio::test]
async fn the_firewalls_page_is_named_and_spots_public_host_is_offered() {
    let sim = exchange(|_| ()).await;
    post(&sim, r#"{"kind":"rest_error","status":403,"count":100}"#).await;
    let findings = doctor("spot", &place(&sim.rest_url(), &sim.ws_url())).await;
    assert_named(&findings, Check::Rest, State::Fail, "HTTP 403", "https://data-api.binance.vision");
}

#[tokio::test]
async fn item_01_a_wrong_path_that_acknowledges_and_is_silent_is_named() {
    // Spot's path, on a host where it is the one that carries no candles.
    let sim = exchange(|c| c.unrouted = Market::UsdM).await;
    let findings = doctor("spot", &place(&sim.rest_url(), &sim.ws_url())).await;
    assert_named(
        &findings,
        Check::Stream,
        State::Fail,
        "wrong path: subscriptions are acknowledged",
        "/stream only",
    );
    let sim = exchange(|_| ()).await;
    post(&sim, r#"{"kind":"ws_silence","for_ms":600000}"#).await;
    let findings = doctor("usdm", &place(&sim.rest_url(), &sim.ws_url())).await;
    assert_named(&findings, Check::Stream, State::Fail, "wrong path", "/market/stream only");
    assert!(Patience::default().data <= Duration::from_secs(15));
}

#[tokio::test]
async fn a_clock_that_is_five_seconds_off_is_named() {
    for (off, word) in [(5_000, "5.0 s fast"), (-5_000, "5.0 s slow")] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let start = UnixMs(i64::try_from(now).unwrap() - off);
        let sim = exchange(|c| c.start = Some(start)).await;
        let findings = doctor("usdm", &place(&sim.rest_url(), &sim.ws_url())).await;
        let clock = findings.iter().find(|f| f.check == Check::Clock).unwrap();
        // A busy machine may need a few tenths to start the exchange.
        let near = [word.to_owned(), word.replace("5.0", "5.1"), word.replace("5.0", "4.9")];
        assert!(near.iter().any(|w| clock.what.contains(w.as_str())), "{clock:?}");
        assert!(clock.cure.as_deref().unwrap().contains("set-ntp"), "{clock:?}");
        assert_eq!(clock.state, State::Warn, "the program goes by the exchange's clock");
    }
}

#[tokio::test]
async fn weight_used_up_by_others_is_named() {
    // 54 of these use up nine tenths of the minute; seven more all of it.
    for others in [54, 61] {
        let sim = exchange(|_| ()).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for _ in 0..others {
            http.get(format!("{}/fapi/v1/ticker/24hr", sim.rest_url())).send().await.unwrap();
        }
        let findings = doctor("usdm", &place(&sim.rest_url(), &sim.ws_url())).await;
        assert_named(
            &findings,
            Check::Weight,
            State::Fail,
            "used up by other programs",
            "stop other programs",
        );
    }
}

#[tokio::test]
async fn a_proxy_that_serves_rest_but_not_the_stream_is_named() {
    let sim = exchange(|_| ()).await;
    let gateway = Gateway::start(Refuses::Tunnels).await;
    let through = Proxies::Through(format!("http://{}", gateway.address));
    let findings = doctor("usdm", &Place { proxies: through, ..place(&sim.rest_url(), &sim.ws_url()) }).await;
    assert_named(&findings, Check::Stream, State::Fail, "", "serves REST and not the stream");
    assert!(gateway.log().iter().any(|l| l.starts_with("GET http://")), "{:?}", gateway.log());
}

#[tokio::test]
async fn a_certificate_nobody_signed_is_named() {
    let front = Front::start(&Certificate::self_signed(), None).await;
    let url = format!("https://localhost:{}", front.port());
    let findings = doctor("usdm", &place(&url, &url.replace("https", "wss"))).await;
    assert_named(&findings, Check::Tls, State::Fail, "signed by nobody", "SSL_CERT_FILE");
}

#[tokio::test]
async fn a_server_without_tls_is_named() {
    let sim = exchange(|_| ()).await;
    let (rest, ws) = (sim.rest_url().replace("http:", "https:"), sim.ws_url().replace("ws:", "wss:"));
    let findings = doctor("usdm", &place(&rest, &ws)).await;
    assert_named(&findings, Check::Tls, State::Fail, "does not speak TLS", "--rest-url");
}

/// Certificates of a root that only those trust who are told to.
struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    root: String,
}

impl Certificate {
    fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        Self { chain: vec![own.der().clone()], key: key.serialize_der(), root: own.pem() }
    }

    fn signed(name: &str, years: (i32, i32)) -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new(Vec::<String>::new()).unwrap();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        root.distinguished_name.push(rcgen::DnType::CommonName, "hamatop test root");
        let pem = root.self_signed(&root_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.not_before = date_time_ymd(years.0, 1, 1);
        leaf.not_after = date_time_ymd(years.1, 1, 1);
        let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
        Self { chain: vec![leaf.der().clone()], key: key.serialize_der(), root: pem }
    }

    /// A file for `SSL_CERT_FILE`.
    fn root_file(&self, name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("hamatop-root-{name}-{}.pem", std::process::id()));
        std::fs::write(&path, &self.root).unwrap();
        path
    }
}

/// TLS before an exchange, or before nothing.
struct Front {
    address: SocketAddr,
}

impl Front {
    async fn start(certificate: &Certificate, behind: Option<SocketAddr>) -> Self {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::Pkcs8(certificate.key.clone().into());
        let acceptor =
            TlsAcceptor::from(Arc::new(builder.with_single_cert(certificate.chain.clone(), key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(behind) = behind else { return };
                    let Ok(mut out) = TcpStream::connect(behind).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut out).await;
                });
            }
        });
        Self { address }
    }

    fn port(&self) -> u16 {
        self.address.port()
    }
}

/// The program with a bare environment but for `env`.
async fn program(args: &[&str], env: &[(&str, &str)]) -> Output {
    let home = std::env::temp_dir().join(format!("hamatop-doctor-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hamatop"));
    command.args(args).env_clear().env("HOME", &home).current_dir(&home).stdin(Stdio::null());
    command.envs(env.iter().copied()).kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(30), command.output()).await.expect("ends within 30 s").unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn wrong_and_expired_certificates_are_named_and_a_good_one_serves() {
    let sim = exchange(|c| c.speed = 60.0).await;
    for (host, years, part, code) in [
        ("elsewhere.example", (2020, 2090), "is another host's", 3),
        ("localhost", (2020, 2021), "has expired", 3),
        ("localhost", (2020, 2090), "the certificates are good", 0),
    ] {
        let certificate = Certificate::signed(host, years);
        let root = certificate.root_file(&format!("{host}-{}", years.1));
        let front = Front::start(&certificate, Some(sim.address())).await;
        let (rest, ws) =
            (format!("https://localhost:{}", front.port()), format!("wss://localhost:{}", front.port()));
        let args = ["doctor", "--rest-url", &rest, "--ws-url", &ws, "--clock-rate", "60"];
        let output = program(&args, &[("SSL_CERT_FILE", root.to_str().unwrap())]).await;
        assert!(said(&output).contains(part), "{part}:\n{}", said(&output));
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        std::fs::remove_file(root).unwrap();
    }
}

#[tokio::test]
async fn proxies_of_the_environment_carry_rest_and_streams() {
    let sim = exchange(|c| c.speed = 60.0).await;
    let certificate = Certificate::signed("localhost", (2020, 2090));
    let root = certificate.root_file("proxied");
    let front = Front::start(&certificate, Some(sim.address())).await;
    let tls = (format!("https://localhost:{}", front.port()), format!("wss://localhost:{}", front.port()));
    let plain = (sim.rest_url(), sim.ws_url());
    for (variable, scheme, (rest, ws), want) in [
        ("ALL_PROXY", "http", &plain, vec!["GET http://", "CONNECT 127.0.0.1"]),
        ("ALL_PROXY", "socks5h", &plain, vec!["SOCKS5 127.0.0.1"]),
        ("HTTPS_PROXY", "http", &tls, vec!["CONNECT localhost"]),
        ("HTTPS_PROXY", "socks5h", &tls, vec!["SOCKS5 localhost"]),
    ] {
        let gateway = Gateway::start(Refuses::Nothing).await;
        let proxy = format!("{scheme}://{}", gateway.address);
        let env = [(variable, proxy.as_str()), ("SSL_CERT_FILE", root.to_str().unwrap())];
        let args = ["doctor", "--rest-url", rest, "--ws-url", ws, "--clock-rate", "60"];
        let output = program(&args, &env).await;
        assert_eq!(output.status.code(), Some(0), "{variable} {proxy}: {}", said(&output));
        assert!(said(&output).contains(&format!("{proxy}, for REST and the streams")), "{}", said(&output));
        let log = gateway.log();
        assert!(want.iter().all(|w| log.iter().any(|l| l.starts_with(w))), "{log:?}");
        // The way of each is walked and then used: four tunnels at least, or requests beside tunnels.
        assert!(log.len() >= 3, "{log:?}");
        let direct = program(&args, &[env.as_slice(), &[("NO_PROXY", "127.0.0.1,localhost")]].concat()).await;
        assert_eq!(direct.status.code(), Some(0), "{}", said(&direct));
        assert_eq!(gateway.log().len(), log.len(), "NO_PROXY goes around it");
    }
    std::fs::remove_file(root).unwrap();
}

#[tokio::test]
async fn a_proxy_that_tunnels_to_rest_alone_is_named() {
    let sim = exchange(|_| ()).await;
    let certificate = Certificate::signed("localhost", (2020, 2090));
    let root = certificate.root_file("half");
    let rest = Front::start(&certificate, Some(sim.address())).await;
    let stream = Front::start(&certificate, Some(sim.address())).await;
    let gateway = Gateway::start(Refuses::Port(stream.port())).await;
    let (rest, ws) =
        (format!("https://localhost:{}", rest.port()), format!("wss://localhost:{}", stream.port()));
    let proxy = format!("http://{}", gateway.address);
    let env = [("HTTPS_PROXY", proxy.as_str()), ("SSL_CERT_FILE", root.to_str().unwrap())];
    let output = program(&["doctor", "--rest-url", &rest, "--ws-url", &ws], &env).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("serves REST and not the stream: have it allow CONNECT"),
        "{}",
        said(&output)
    );
    std::fs::remove_file(root).unwrap();
}

#[tokio::test]
async fn the_demo_is_examined_and_json_is_for_programs() {
    let output = program(&["doctor", "--demo", "--format", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let page: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page["can_run"], true);
    let checks: Vec<_> =
        page["checks"].as_array().unwrap().iter().map(|c| c["check"].as_str().unwrap()).collect();
    for name in [
        "config",
        "files",
        "terminal",
        "proxy",
        "dns",
        "connect",
        "tls",
        "rest",
        "weight",
        "clock",
        "stream",
        "redis",
        "scheduler",
    ] {
        assert!(checks.contains(&name), "{name}: {checks:?}");
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (rest, ws) = (format!("http://{free}"), format!("ws://{free}"));
    let output = program(&["doctor", "--rest-url", &rest, "--ws-url", &ws], &[]).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("FAIL  usdm  connect"), "{}", said(&output));
}
