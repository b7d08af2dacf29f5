//! How a command can fail, and which exit code that is.

use std::io;

use crate::config::ConfigError;
use crate::report::hama::HamaError;
use crate::sim::SimError;

use super::tasks::TaskDied;

/// Why a command did not do its work. The sentence names the cure.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line, the settings or an input file can't be used.
    #[error("{0}")]
    Usage(String),
    /// There is no data, or nobody to get it from.
    #[error("{0}")]
    NoData(String),
    /// The table was printed, and it lacks what should be there.
    #[error("{0}")]
    Incomplete(String),
    /// The terminal can't be used.
    #[error("the terminal can't be used: {0}")]
    Terminal(io::Error),
    /// Whoever read our output has gone: no failure of ours.
    #[error("the output was closed")]
    OutputClosed,
    /// The output can't be written.
    #[error("can't write the output: {0}")]
    Output(io::Error),
    /// `doctor` found what keeps the program from its job, and has said so.
    #[error("hamatop can't do its job here")]
    Unfit,
    /// A part of the program broke.
    #[error(transparent)]
    Broken(#[from] TaskDied),
}

impl Failure {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Usage(_) => 2,
            Self::NoData(_)
            | Self::Incomplete(_)
            | Self::Terminal(_)
            | Self::Output(_)
            | Self::Broken(_)
            | Self::Unfit => 3,
        }
    }

    /// A failed write: of a closed pipe, or a real one.
    pub fn of_output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::OutputClosed } else { Self::Output(error) }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<HamaError> for Failure {
    fn from(error: HamaError) -> Self {
        match error {
            HamaError::Write(error) => Self::of_output(error),
            other => Self::Usage(other.to_string()),
        }
    }
}

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        match error {
            SimError::Io(error) => Self::of_output(error),
            SimError::Interrupted => Self::NoData(error.to_string()),
            other => Self::Usage(other.to_string()),
        }
    }
}
