//! The tasks of a running program: named, watched, and ended in order.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long tasks may take to end once they are told to.
const DRAIN: Duration = Duration::from_secs(3);

/// A set of tasks under one cancellation token.
#[derive(Debug)]
pub struct Tasks {
    set: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    cancel: CancellationToken,
}

/// A task that ended although nobody told it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} task ended unexpectedly; this is a bug in hamatop, the log has more")]
pub struct TaskDied(pub &'static str);

impl Tasks {
    /// An empty set; all its tasks end when `cancel` is cancelled.
    pub fn new(cancel: CancellationToken) -> Self {
        Self { set: JoinSet::new(), names: HashMap::new(), cancel }
    }

    /// The token that ends the tasks.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Starts a task.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.set.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until some task ends before it was told to. Cancel-safe.
    pub async fn died(&mut self) -> TaskDied {
        match self.set.join_next_with_id().await {
            Some(Ok((id, ()))) => TaskDied(self.names.get(&id).copied().unwrap_or("unnamed")),
            Some(Err(error)) => {
                tracing::error!("{error}");
                TaskDied(self.names.get(&error.id()).copied().unwrap_or("unnamed"))
            }
            None => std::future::pending().await,
        }
    }

    /// Tells all tasks to end and waits for them, but not for ever.
    pub async fn drain(mut self) {
        self.cancel.cancel();
        let all = async { while self.set.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, all).await.is_err() {
            tracing::warn!("some tasks did not end within {DRAIN:?} and were dropped");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_early_or_panics_is_named() {
        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("short", async {});
        assert_eq!(tasks.died().await, TaskDied("short"));
        tasks.spawn("broken", async { panic!("on purpose") });
        assert_eq!(tasks.died().await, TaskDied("broken"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_listen_does_not_hold_up_the_end() {
        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("deaf", std::future::pending());
        tasks.drain().await;
    }
}
