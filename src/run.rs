//! The composition root: the only place that makes channels, tasks and runtimes.

pub mod crash;
pub mod demo;
pub mod doctor;
pub mod failure;
mod kept;
mod names;
pub mod scan;
pub mod session;
pub mod setup;
mod signals;
pub mod tasks;
mod terminal;
pub mod themes;
mod zone;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::time::UnixMs;
use crate::sim::command::ExchangeArgs;
use crate::{sim, telemetry};

use doctor::page::DoctorFormat;
use failure::Failure;
use scan::ScanPlan;
use tasks::Tasks;

/// Whether a command that looks for rows found some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Some; also what commands end with that look for none.
    Some,
    /// None.
    None,
}

/// How the replay runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DemoRun {
    /// Where its clock starts; `None` = 2025-10-10T20:00Z.
    pub start: Option<UnixMs>,
    /// How fast it runs; 0 stands still.
    pub speed: f64,
}

/// The terminal program.
pub fn terminal(config: &Config, demo: Option<DemoRun>) -> Result<(), Failure> {
    let (_log, problem) = match telemetry::start(&config.log_level, telemetry::Sink::File) {
        Ok(guard) => (guard, None),
        Err(problem) => (None, Some(problem)),
    };
    if let Some(folder) = telemetry::state_folder() {
        crash::install(folder);
    }
    under_signals(|cancel| terminal::run(config, demo, problem, cancel))
}

/// The table once.
pub fn scan(config: &Config, demo: Option<DemoRun>, plan: &ScanPlan) -> Result<Rows, Failure> {
    // stderr belongs to the progress; the log speaks there only when asked to.
    let level = if config.origins.get("log_level").is_some_and(|(_, o)| *o != crate::config::Origin::Default)
    {
        &config.log_level
    } else {
        "error"
    };
    let _ = telemetry::start(level, telemetry::Sink::Stderr);
    under_signals(|cancel| scan::run(config, demo, plan, cancel))
}

/// What works and what not.
pub fn doctor(config: &Config, demo: Option<DemoRun>, format: DoctorFormat) -> Result<(), Failure> {
    let _ = telemetry::start("error", telemetry::Sink::Stderr);
    under_signals(|cancel| doctor::run(config, demo, format, cancel))
}

/// The embedded exchange alone, until a signal.
pub fn exchange(args: ExchangeArgs) -> Result<(), Failure> {
    let _ = telemetry::start("info", telemetry::Sink::Stderr);
    under_signals(async |cancel| Ok(sim::command::run(args, io::stdout(), cancel).await?))
}

/// Whether what the settings name exists: the theme, the zone. Says what is wrong with a theme that
/// another stands in for.
pub fn check(config: &Config) -> Result<Option<String>, Failure> {
    setup::check(config)?;
    let known = names::names(config);
    for rule in config.alerts.iter().map(|rule| rule.clone().checked(&config.intervals, &known)) {
        if let Some(why) = &rule.refused {
            return Err(Failure::Usage(format!("the alert `{}`: {why}", rule.name)));
        }
    }
    zone::find(&config.tz)?;
    themes::Themes::gather().look(config).map(|(_, broken)| broken)
}

/// Runs `work` on a runtime of its own, with signals turned into a cancelled token.
///
/// Multi-threaded even where one thread would do: the root future may be stuck in a write to a
/// frozen terminal, and the sockets must not be.
fn under_signals<T, F: Future<Output = Result<T, Failure>>>(
    work: impl FnOnce(CancellationToken) -> F,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::NoData(format!("can't start: {e}")))?;
    let cancel = CancellationToken::new();
    let result = runtime.block_on(async {
        let mut tasks = Tasks::new(cancel.clone());
        let ended = CancellationToken::new();
        tasks.spawn("signals", signals::watch(cancel.clone(), ended.clone()));
        let result = work(cancel).await;
        ended.cancel();
        tasks.drain().await;
        result
    });
    // Threads that read the terminal can't be cancelled, and nothing is lost with them.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use crate::config::Sources;

    use super::session::{Purpose, Session};
    use super::*;

    #[test]
    fn a_root_future_that_is_stuck_does_not_stall_the_market() {
        let config = Config::load(&Sources::default()).unwrap();
        under_signals(async |cancel| {
            let (_exchange, place) = demo::start(None, 600.0, cancel.clone()).await?;
            let mut session = Session::start(&config, &place, Purpose::LIVE, cancel)?;
            let warm = session.wait_for(|s| s.warmup.is_over()).await?;
            // As a write to a frozen terminal does, this blocks without ever yielding.
            let patience = Instant::now() + Duration::from_secs(60);
            let later = loop {
                let newest = Arc::clone(&session.snapshots.borrow());
                if newest.stats.newest > warm.stats.newest.map(|t| t + Duration::from_secs(1_800)) {
                    break newest;
                }
                assert!(Instant::now() < patience, "no candle closes while the root future is stuck");
                std::thread::sleep(Duration::from_millis(5));
            };
            assert!(later.stats.outcomes.appended >= warm.stats.outcomes.appended + 48);
            session.end().await;
            Ok(())
        })
        .unwrap();
    }
}
