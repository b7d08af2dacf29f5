//! Stopping and going on, as shells have it with Ctrl-Z and `fg`.
//!
//! In raw mode the terminal sends no signal for Ctrl-Z, and one that is caught stops nothing: the
//! program gives the terminal back and then stops itself, all of its process group, with the one
//! signal that can't be ignored.

/// What the shell wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Stop.
    Stop,
    /// Go on: it may have been stopped without a word.
    Continue,
}

#[cfg(unix)]
pub(super) use unix::Jobs;

#[cfg(not(unix))]
pub(super) use other::Jobs;

#[cfg(unix)]
mod unix {
    use std::io;

    use futures_util::FutureExt;
    use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
    use tokio::signal::unix::{self, SignalKind, signal};

    use super::Job;

    /// The shell's signals.
    #[derive(Debug)]
    pub(in super::super) struct Jobs {
        stop: unix::Signal,
        go_on: unix::Signal,
    }

    impl Jobs {
        pub(in super::super) fn new() -> io::Result<Self> {
            let kind = |raw: Signal| SignalKind::from_raw(raw.as_raw());
            Ok(Self { stop: signal(kind(Signal::TSTP))?, go_on: signal(kind(Signal::CONT))? })
        }

        /// Cancel-safe.
        pub(in super::super) async fn next(&mut self) -> Job {
            tokio::select! {
                Some(()) = self.stop.recv() => Job::Stop,
                Some(()) = self.go_on.recv() => Job::Continue,
                else => std::future::pending().await,
            }
        }

        /// Whether somebody is there who could go on with us: a shell with jobs puts each into a
        /// group of its own. In the group of the session's first process we would stop it, too.
        pub(in super::super) fn can_stop() -> bool {
            getsid(None).is_ok_and(|session| session != getpgrp())
        }

        /// Stops the process, and returns when it goes on.
        pub(in super::super) async fn stop(&mut self) -> io::Result<()> {
            while self.go_on.recv().now_or_never().is_some() {}
            kill_current_process_group(Signal::STOP)?;
            // Threads may run on for a moment after the call; the terminal is not ours any more.
            self.go_on.recv().await;
            Ok(())
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use super::Job;

    #[derive(Debug)]
    pub(in super::super) struct Jobs;

    impl Jobs {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(in super::super) async fn next(&mut self) -> Job {
            std::future::pending().await
        }

        pub(in super::super) fn can_stop() -> bool {
            false
        }

        pub(in super::super) async fn stop(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
