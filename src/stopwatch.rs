//! The one place that reads the monotonic clock.

use std::time::Instant;

use crate::domain::time::Mono;

/// Turns `Instant`s into [`Mono`] and back. Made once, at the start, and handed to the shells that
/// have to know the time; the pure parts are told.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    // The runtime's, so that a test that holds the runtime's time holds this too.
    start: tokio::time::Instant,
}

impl Stopwatch {
    /// Starts counting.
    pub fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Mono {
        Mono(self.start.elapsed())
    }

    /// The instant of `moment`, for timers.
    pub fn instant(&self, moment: Mono) -> Instant {
        (self.start + moment.0).into_std()
    }
}
