//! The replay inside the program: the same client, talking to an exchange on loopback.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::domain::time::UnixMs;
use crate::exchange::binance::session::{Stall, Timing};
use crate::exchange::connect::Proxies;
use crate::market::snapshot::Source;
use crate::sim::{self, SimConfig, SimHandle};

use super::failure::Failure;
use super::session::Place;

/// Starts the replay; it runs until `cancel`. Port 0: the system finds a free one.
pub async fn start(
    start: Option<UnixMs>,
    speed: f64,
    cancel: CancellationToken,
) -> Result<(SimHandle, Place), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener =
        listener.map_err(|e| Failure::NoData(format!("the replay can't listen on loopback: {e}")))?;
    let config = SimConfig { start, speed, ..SimConfig::default() };
    let exchange = sim::serve(listener, config, cancel).await?;
    let place = Place {
        source: Source::Demo,
        rest_url: Some(exchange.rest_url()),
        ws_url: Some(exchange.ws_url()),
        clock_rate: speed,
        proxies: Proxies::None,
        // A replay that has ended, or stands, is silent and healthy.
        timing: Timing { stall: Stall::Never, ..Timing::default() },
    };
    Ok((exchange, place))
}
