//! `hamatop exchange`: the exchange alone.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{SimConfig, SimError, SourceConfig, fault, serve};
use crate::domain::time::UnixMs;

/// What the command line says.
#[derive(Clone, Debug)]
pub struct ExchangeArgs {
    /// Where to listen; port 0 takes a free one.
    pub listen: String,
    /// Where the candles come from.
    pub source: SourceConfig,
    /// What the clock shows at first.
    pub start: Option<UnixMs>,
    /// How fast it runs.
    pub speed: f64,
    /// A JSON file of faults.
    pub faults: Option<PathBuf>,
    /// How long each answer of REST takes at least.
    pub latency: Duration,
}

impl Default for ExchangeArgs {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            source: SourceConfig::Replay,
            start: None,
            speed: 1.0,
            faults: None,
            latency: Duration::ZERO,
        }
    }
}

/// Runs the exchange until `cancel`; writes one line of JSON to `ready` when it can be used.
pub async fn run(
    args: ExchangeArgs,
    mut ready: impl Write,
    cancel: CancellationToken,
) -> Result<(), SimError> {
    let faults = match &args.faults {
        None => Vec::new(),
        Some(path) => {
            let named = |why: String| SimError::Faults(format!("{}: {why}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|e| named(e.to_string()))?;
            fault::parse(&text).map_err(|e| named(e.to_string()))?
        }
    };
    let listen_error = |why| SimError::Listen { address: args.listen.clone(), why };
    let listener = TcpListener::bind(&args.listen).await.map_err(listen_error)?;
    let config = SimConfig {
        source: args.source,
        start: args.start,
        speed: args.speed,
        latency: args.latency,
        faults,
        ..SimConfig::default()
    };
    let exchange = serve(listener, config, cancel).await?;
    let line = serde_json::json!({"rest": exchange.rest_url(), "ws": exchange.ws_url()});
    writeln!(ready, "{line}")?;
    ready.flush()?;
    exchange.stopped().await;
    Ok(())
}
