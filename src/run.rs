//! The composition root: the only place that makes channels and tasks.

pub mod demo;
pub mod failure;
pub mod session;
pub mod tasks;
