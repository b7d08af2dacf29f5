//! The composition root: the only place that makes channels and tasks.

pub mod tasks;
