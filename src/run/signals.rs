//! SIGTERM and its relatives: end in order, and if that does not work, end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long an orderly end may take. Longer than tasks are given to drain: a terminal that does
/// not read any more can hold up the last frame for ever.
const DEADLINE: Duration = Duration::from_secs(4);

/// Cancels `cancel` on the first signal that asks the program to end. Then waits for `ended`, but
/// ends the process itself when a second signal comes or the end takes too long.
pub(super) async fn watch(cancel: CancellationToken, ended: CancellationToken) {
    // Without handlers the default holds: a signal ends the process.
    let Ok(mut signals) = Signals::new() else { return ended.cancelled().await };
    tokio::select! {
        () = signals.next() => tracing::info!("told to end by a signal"),
        () = cancel.cancelled() => {}
        () = ended.cancelled() => return,
    }
    cancel.cancel();
    tokio::select! {
        () = ended.cancelled() => return,
        () = signals.next() => {}
        () = tokio::time::sleep(DEADLINE) => {}
    }
    tracing::error!("the end takes too long; ending the process");
    std::process::exit(3);
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 4]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::quit())?,
        ]))
    }

    async fn next(&mut self) {
        let [term, hup, int, quit] = &mut self.0;
        tokio::select! {
            _ = term.recv() => {}
            _ = hup.recv() => {}
            _ = int.recv() => {}
            _ = quit.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on unix")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
