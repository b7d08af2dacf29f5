//! The log: a file while the screen is drawn, stderr otherwise. Never stdout.

use std::path::PathBuf;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Where the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// `$XDG_STATE_HOME/hamatop/hamatop.log`, since the terminal belongs to the screen.
    File,
    /// stderr, for commands that print.
    Stderr,
}

/// Lines that may wait for the disk; more are dropped. Room for all that many as the library takes
/// by itself would be the slowest step of the program's start.
const LINES: usize = 4_096;

/// Starts the log. Keep the guard to the end: dropping it writes what is still queued. Where the
/// file can't be written there is no log, and the reason comes back to be shown.
pub fn start(level: &str, sink: Sink) -> Result<Option<WorkerGuard>, String> {
    // Other crates speak only when something is wrong: their debug lines would drown ours.
    let filter = EnvFilter::try_new(format!("warn,hamatop={level}")).map_err(|e| e.to_string())?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    match sink {
        Sink::Stderr => {
            // A second start, as in tests, keeps the first log.
            drop(builder.with_writer(std::io::stderr).try_init());
            Ok(None)
        }
        Sink::File => {
            let folder = state_folder().ok_or("no home folder, so no log file")?;
            std::fs::create_dir_all(&folder)
                .map_err(|e| format!("no log: can't make {}: {e}", folder.display()))?;
            let path = folder.join("hamatop.log");
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
            let file = file.map_err(|e| format!("no log: can't write {}: {e}", path.display()))?;
            // Lossy and on a thread of its own: a slow disk must not stall the feed.
            let queue = NonBlockingBuilder::default().buffered_lines_limit(LINES);
            let (writer, guard) = queue.finish(file);
            drop(builder.with_writer(writer).try_init());
            Ok(Some(guard))
        }
    }
}

/// `$XDG_STATE_HOME/hamatop`.
pub fn state_folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    Some(etcetera::base_strategy::Xdg::new().ok()?.state_dir()?.join("hamatop"))
}
