//! Noticing that the terminal is gone.
//!
//! Where no SIGHUP tells of it (`nohup`, a task runner, another session), the thread that reads keys
//! spins on the dead terminal and reports nothing, and a screen on which nothing changes writes
//! nothing that could fail.

/// Ends when the terminal behind stdin or stdout has hung up; never where that can't be watched.
pub(super) async fn hung_up() {
    #[cfg(unix)]
    if let Some(terminal) = unix::watched() {
        unix::gone(terminal).await;
        return;
    }
    std::future::pending::<()>().await;
}

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal};
    use std::os::fd::{AsFd, OwnedFd};

    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[expect(deprecated, reason = "sound for an owned descriptor; its successor is an unsafe function")]
    pub(super) fn watched() -> Option<AsyncFd<OwnedFd>> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let fd = if stdin.is_terminal() { stdin.as_fd() } else { stdout.as_fd() };
        AsyncFd::with_interest(fd.try_clone_to_owned().ok()?, Interest::READABLE).ok()
    }

    /// Keys wake this, too, and are left to whoever reads them.
    pub(super) async fn gone(terminal: AsyncFd<OwnedFd>) {
        while let Ok(mut guard) = terminal.ready(Interest::READABLE).await {
            let ready = guard.ready();
            if ready.is_read_closed() {
                return;
            }
            guard.clear_ready();
        }
    }
}
