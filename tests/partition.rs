//! The whole scanner behind a proxy that fails as networks do: what is shown while it fails, and
//! that all is true again afterwards.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code, reason = "a test")]

#[path = "support/proxy.rs"]
mod proxy;
#[path = "world/world.rs"]
mod world;

use std::time::{Duration, Instant};

use hamatop::domain::time::UnixMs;
use hamatop::exchange::binance::session::{Stall, Timing};
use hamatop::market::snapshot::{LinkState, Snapshot};
use hamatop::run::session::{Place, Session};
use hamatop::sim::SimConfig;
use proxy::{Door, FaultProxy, Flow, Strike};
use world::{World, all_live, assert_true, lanes, wait};

const SPEED: f64 = 60.0;
const ROWS: usize = 6;
/// 2025-10-10T20:15Z.
const CLOSE: UnixMs = UnixMs(1_760_127_300_000);
/// How much the real figures are shortened: thirty seconds become three.
const DEAD: Duration = Duration::from_secs(3);

fn timing() -> Timing {
    Timing {
        connect: Duration::from_secs(2),
        ping: Duration::from_secs(2),
        dead: DEAD,
        ack: Duration::from_secs(2),
        stall: Stall::Never,
        write: Duration::from_secs(2),
    }
}

/// An exchange three of its minutes before a close, and a scanner with both its ways through
/// proxies.
struct Net {
    world: World,
    rest: FaultProxy,
    streams: FaultProxy,
    scanner: Session,
}

impl Net {
    async fn start() -> Self {
        let start = Some(CLOSE - Duration::from_secs(180));
        let world = World::start(SimConfig { speed: SPEED, start, ..SimConfig::default() }).await;
        let rest = FaultProxy::start(world.exchange.address()).await;
        let streams = FaultProxy::start(world.exchange.address()).await;
        let place = Place {
            rest_url: Some(format!("http://{}", rest.address())),
            ws_url: Some(format!("ws://{}", streams.address())),
            timing: timing(),
            ..world.place(SPEED)
        };
        let mut scanner = world.scanner_at(&[("top", "6")], &place, |_| Duration::from_secs(60));
        wait(&mut scanner, "all rows live", |s| all_live(s, ROWS)).await;
        Self { world, rest, streams, scanner }
    }

    /// Waits until the exchange's clock shows that.
    async fn until(&self, time: UnixMs) {
        while self.world.exchange.now() < time {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A link is shown as lost, for a reason with this word in it.
    async fn lost(&mut self, word: &str) {
        let lost = |s: &Snapshot| {
            s.links
                .iter()
                .any(|l| matches!(&l.state, LinkState::Down { why, .. } if why.as_str().contains(word)))
        };
        let seen = wait(&mut self.scanner, &format!("a link is lost: {word}"), lost).await;
        assert!(!all_live(&seen, ROWS), "what no stream carries is not called live");
        assert!(lanes(&seen).any(|(_, l)| l.why.is_some()), "and says why");
    }

    /// All is live and true, past the close that the fault was laid over, and the exchange has
    /// nothing to complain of.
    async fn healed(mut self) {
        let closed = UnixMs(CLOSE.0 - 1);
        let past = |s: &Snapshot| {
            lanes(s)
                .filter(|(_, l)| l.interval.minutes() == 15)
                .all(|(_, l)| l.newest.is_some_and(|(_, t)| t >= closed))
        };
        let after = wait(&mut self.scanner, "healed", |s| all_live(s, ROWS) && past(s)).await;
        assert_true(&self.world, &after, 1).await;
        let stats = self.world.get("/sim/stats").await;
        let violations = stats["violations"].as_object().unwrap();
        assert!(violations.values().all(|n| n.as_u64() == Some(0)), "{violations:?}");
        let used = stats["weight_by_minute"]["um"].as_object().unwrap();
        assert!(used.values().all(|w| w.as_u64() <= Some(2_160)), "{used:?}");
        assert!(stats["connections"]["opened"].as_u64() <= Some(60));
        self.scanner.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_02_a_reset_in_the_middle_of_a_frame_loses_nothing() {
    let mut net = Net::start().await;
    net.until(CLOSE - Duration::from_secs(20)).await;
    let before = net.streams.opened();
    net.streams.strike(Strike::ResetMidway);
    net.lost("").await;
    assert!(net.streams.opened() >= before);
    net.healed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_03_item_33_a_half_open_connection_is_found_dead_in_time_and_replaced() {
    let mut net = Net::start().await;
    net.until(CLOSE - Duration::from_secs(60)).await;
    net.streams.flow(Flow::Stall);
    let stalled = Instant::now();
    net.lost("dead").await;
    let found = stalled.elapsed();
    assert!(found + Duration::from_secs(1) >= DEAD && found < DEAD * 3, "{found:?}");
    assert_eq!(Timing::default().dead, Duration::from_secs(30), "what users have");
    net.streams.flow(Flow::Pass);
    net.healed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_12_a_partition_from_all_hosts_shows_and_heals() {
    let mut net = Net::start().await;
    net.until(CLOSE - Duration::from_secs(60)).await;
    for way in [&net.rest, &net.streams] {
        way.flow(Flow::Stall);
        way.door(Door::Blackhole);
    }
    net.lost("dead").await;
    // Candles close meanwhile, and neither streams nor REST say so.
    net.until(CLOSE + Duration::from_secs(300)).await;
    for way in [&net.rest, &net.streams] {
        way.flow(Flow::Pass);
        way.door(Door::Open);
        way.strike(Strike::Reset);
    }
    net.healed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_14_a_drip_of_a_byte_a_second_is_no_sign_of_life() {
    let mut net = Net::start().await;
    net.until(CLOSE - Duration::from_secs(60)).await;
    net.streams.flow(Flow::Drip(Duration::from_secs(1)));
    net.lost("dead").await;
    net.streams.flow(Flow::Pass);
    net.healed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fin_a_half_close_and_a_torn_frame_lose_nothing() {
    let mut net = Net::start().await;
    for strike in [Strike::Fin, Strike::HalfClose, Strike::Truncate] {
        net.streams.strike(strike);
        net.lost("").await;
        wait(&mut net.scanner, "the next is up", |s| all_live(s, ROWS)).await;
    }
    net.healed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_with_a_wrong_bit_are_counted_and_no_figure_of_them_is_shown() {
    let mut net = Net::start().await;
    net.streams.flow(Flow::Corrupt);
    let discards = |s: &Snapshot| s.stats.discarded > 0 || !all_live(s, ROWS);
    wait(&mut net.scanner, "a wrong frame is counted, or the link given up", discards).await;
    net.until(CLOSE + Duration::from_secs(10)).await;
    net.streams.flow(Flow::Pass);
    net.healed().await;
}
