//! The embedded exchange, a scanner on it, and the exchange's own word on what is true.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hamatop::config::{Config, Sources};
use hamatop::domain::hama::HamaPoint;
use hamatop::domain::indicator::HamaColumns;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::symbol::Market;
use hamatop::domain::time::UnixMs;
use hamatop::exchange::binance::session::Timing;
use hamatop::exchange::connect::Proxies;
use hamatop::market::snapshot::{DataState, LaneView, Row, Snapshot, Source};
use hamatop::run::session::{Place, Purpose, Session};
use hamatop::sim::{self, SimConfig, SimHandle};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long a condition may take. Long, since a loaded machine is slow, not wrong.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// An exchange and what its HTTP says of itself.
pub struct World {
    pub exchange: SimHandle,
    http: reqwest::Client,
    cancel: CancellationToken,
}

impl World {
    pub async fn start(config: SimConfig) -> Self {
        // Once a process; a second time is refused and changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let cancel = CancellationToken::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let exchange = sim::serve(listener, config, cancel.clone()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { exchange, http, cancel }
    }

    /// A scanner on this exchange. The grace before REST is asked for a missing close is a minute
    /// of the exchange's time: at these speeds five seconds of it are shorter than a time slice.
    pub fn scanner(&self, flags: &[(&'static str, &str)], rate: f64) -> Session {
        self.scanner_with(flags, rate, |_| Duration::from_secs(60))
    }

    /// A scanner with a grace of its own.
    pub fn scanner_with(
        &self,
        flags: &[(&'static str, &str)],
        rate: f64,
        close_grace: fn(Market) -> Duration,
    ) -> Session {
        self.scanner_at(flags, &self.place(rate), close_grace)
    }

    /// The way to this exchange.
    pub fn place(&self, rate: f64) -> Place {
        Place {
            source: Source::Demo,
            rest_url: Some(self.exchange.rest_url()),
            ws_url: Some(self.exchange.ws_url()),
            clock_rate: rate,
            proxies: Proxies::None,
            timing: Timing::default(),
        }
    }

    /// A scanner that goes to this exchange by a way of its own.
    pub fn scanner_at(
        &self,
        flags: &[(&'static str, &str)],
        place: &Place,
        close_grace: fn(Market) -> Duration,
    ) -> Session {
        let flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let purpose = Purpose { rest_only: false, keep_klines: true, close_grace };
        Session::start(&config, place, purpose, self.cancel.clone()).unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let text =
            self.http.get(format!("{}{path}", self.exchange.rest_url())).send().await.unwrap().text().await;
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    pub async fn inject(&self, fault: &str) {
        let url = format!("{}/sim/faults", self.exchange.rest_url());
        let answer = self.http.post(url).header("content-type", "application/json").body(fault.to_owned());
        let answer = answer.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Requests for candles that the exchange has counted.
    pub async fn klines_requests(&self) -> u64 {
        let stats = self.get("/sim/stats").await;
        let count = |path: &str| stats["requests"][path].as_u64().unwrap_or(0);
        count("/fapi/v1/klines") + count("/api/v3/klines")
    }

    /// The newest closed bars of a series, as the exchange knows them.
    pub async fn truth(&self, row: &Row, lane: &LaneView, limit: usize) -> Vec<Kline> {
        let (market, symbol, interval) = (row.pair.market, &row.pair.symbol, lane.interval);
        let path = format!("/sim/truth?market={market}&symbol={symbol}&interval={interval}&limit={limit}");
        let rows = self.get(&path).await;
        rows.as_array().unwrap().iter().map(kline).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn kline(row: &Value) -> Kline {
    let number = |i: usize| row[i].as_f64().or_else(|| row[i].as_str()?.parse().ok());
    Kline::new(KlineFields {
        open_time: UnixMs(row[0].as_i64().unwrap()),
        open: number(1).unwrap(),
        high: number(2).unwrap(),
        low: number(3).unwrap(),
        close: number(4).unwrap(),
        volume: number(5).unwrap(),
        close_time: UnixMs(row[6].as_i64().unwrap()),
        quote_volume: number(7),
        trades: row[8].as_u64().and_then(|n| n.try_into().ok()),
        taker_base: number(9),
        taker_quote: number(10),
    })
    .unwrap()
}

pub fn lanes(snapshot: &Snapshot) -> impl Iterator<Item = (&Arc<Row>, &LaneView)> {
    snapshot.rows.iter().flat_map(|r| r.lanes.iter().map(move |l| (r, l)))
}

/// Everything is loaded and kept true by the streams.
pub fn all_live(snapshot: &Snapshot, rows: usize) -> bool {
    snapshot.rows.len() == rows && lanes(snapshot).all(|(_, l)| l.state == DataState::Live)
}

/// Waits until `condition` holds; panics with what it is and the states of the lanes otherwise.
pub async fn wait(session: &mut Session, what: &str, condition: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let found = tokio::time::timeout(PATIENCE, session.wait_for(|s| condition(s))).await;
    if let Ok(found) = found {
        return found.unwrap();
    }
    let last = Arc::clone(&session.snapshots.borrow());
    let odd: Vec<_> = lanes(&last)
        .filter(|(_, l)| l.state != DataState::Live)
        .map(|(r, l)| format!("{} {} {:?} {:?} {}/{}", r.pair, l.interval, l.state, l.why, l.bars, l.need))
        .collect();
    let (rows, warmup, links) = (last.rows.len(), last.warmup, &last.links);
    panic!("never: {what}; {rows} rows, {warmup:?}\n{links:?}\n{}", odd.join("\n"))
}

/// Each series of the picture equals the exchange's truth bar for bar up to the picture's newest
/// bar, lacks at most `behind` bars of it, and its figures are the indicator of that truth.
pub async fn assert_true(world: &World, snapshot: &Snapshot, behind: usize) {
    let mut compared = 0;
    // The exchange's clock runs on while its truth is asked for, series by series: hence more rows
    // than are held.
    let asked = world.exchange.now();
    for (row, lane) in lanes(snapshot) {
        let held =
            lane.klines.as_ref().unwrap_or_else(|| panic!("{} {} has no bars", row.pair, lane.interval));
        let since = (world.exchange.now().0 - asked.0) / lane.interval.millis();
        let mut truth = world.truth(row, lane, held.len() + 20 + usize::try_from(since).unwrap()).await;
        truth.retain(|k| k.close_time() < asked);
        let newest = held.last().unwrap().open_time();
        let later = truth.iter().filter(|k| k.open_time() > newest).count();
        assert!(later <= behind, "{} {}: {later} closed bars behind", row.pair, lane.interval);
        truth.truncate(truth.len() - later);
        let truth = &truth[truth.len().saturating_sub(held.len())..];
        assert_eq!(&held[..], truth, "{} {}", row.pair, lane.interval);
        let mut columns = HamaColumns::new(&snapshot.preset, lane.interval);
        columns.compute(truth);
        assert_same(
            &lane.point,
            &columns.point(truth.len() - 1).unwrap(),
            &format!("{} {}", row.pair, lane.interval),
        );
        compared += 1;
    }
    assert!(compared > 0);
}

/// Figures agree within 1e-9 of each other, all else exactly, but what depends on how long the
/// process has been running: how old a cross is that the retained bars no longer show.
fn assert_same(ours: &HamaPoint, theirs: &HamaPoint, what: &str) {
    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        (a, b) => a == b,
    };
    let bands = |p: &HamaPoint| p.bands.map(|b| (b.basis, b.upper, b.lower));
    for (a, b) in [
        (ours.open, theirs.open),
        (ours.high, theirs.high),
        (ours.low, theirs.low),
        (ours.close, theirs.close),
        (ours.ma, theirs.ma),
        (ours.dev_pct, theirs.dev_pct),
        (ours.score, theirs.score),
        (bands(ours).map(|b| b.0), bands(theirs).map(|b| b.0)),
        (bands(ours).map(|b| b.1), bands(theirs).map(|b| b.1)),
        (bands(ours).map(|b| b.2), bands(theirs).map(|b| b.2)),
    ] {
        assert!(near(a, b), "{what}: {a:?} against {b:?}");
    }
    assert_eq!((ours.color, ours.trend, ours.side), (theirs.color, theirs.trend, theirs.side), "{what}");
    assert_eq!((ours.gradient, ours.cross), (theirs.gradient, theirs.cross), "{what}");
    assert_eq!(ours.last_cross.map(|c| c.dir), theirs.last_cross.map(|c| c.dir), "{what}");
}
