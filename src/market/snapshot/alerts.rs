//! The alert rules, and what they told.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::symbol::{Pair, Tick};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};

/// At which change a rule fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FireOn {
    /// When a pair begins to match.
    #[default]
    Enter,
    /// When it ceases to.
    Leave,
    /// At either.
    Both,
}

impl FireOn {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Enter, Self::Leave, Self::Both];

    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Leave => "leave",
            Self::Both => "both",
        }
    }

    /// Whether that change is told.
    pub fn wants(self, edge: Edge) -> bool {
        match self {
            Self::Both => true,
            Self::Enter => edge == Edge::Entered,
            Self::Leave => edge == Edge::Left,
        }
    }
}

impl FromStr for FireOn {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|on| on.as_str() == s).ok_or(())
    }
}

/// What a pair did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// It matches now.
    Entered,
    /// It no longer matches.
    Left,
}

impl Edge {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Left => "left",
        }
    }
}

/// When a rule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// At which change.
    pub on: FireOn,
    /// For so long a change has to last before it counts, so that a figure that hovers about its
    /// bound does not ring at each tick.
    pub debounce: Duration,
    /// For so long the rule is quiet about a pair after it told of it.
    pub cooldown: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { on: FireOn::Enter, debounce: Duration::from_secs(30), cooldown: Duration::from_secs(3_600) }
    }
}

/// The rules and what they told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertsView {
    /// Each rule, in the order they were written down.
    pub rules: Vec<RuleView>,
    /// What they told, oldest first; a bounded ring.
    pub told: Arc<[Alert]>,
}

/// A rule as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleView {
    /// Its name.
    pub name: CleanText,
    /// What is watched, as a filter.
    pub when: CleanText,
    /// When it fires.
    pub timing: Timing,
    /// Whether it is in force.
    pub enabled: bool,
    /// Pairs that match now; `None` while nobody has looked.
    pub matching: Option<u32>,
    /// Pairs of which it can't be said.
    pub unknown: u32,
    /// How often it fired.
    pub fired: u64,
    /// Changes that have not lasted long enough.
    pub waiting: u32,
    /// Why it can't be in force.
    pub refused: Option<CleanText>,
    /// Changes it kept to itself, being quiet about the pair.
    pub quiet: u64,
    /// When it last fired, on the exchange's clock.
    pub last: Option<UnixMs>,
}

/// What a rule told.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Counts up by one with each.
    pub seq: u64,
    /// Whose.
    pub rule: CleanText,
    /// About which pair.
    pub pair: Pair,
    /// What it did.
    pub edge: Edge,
    /// When, on the exchange's clock; `None` where that is not known.
    pub at: Option<UnixMs>,
    /// When, on ours.
    pub told: Mono,
    /// The newest price then.
    pub last: Option<f64>,
    /// The pair's price step.
    pub tick: Tick,
    /// The score then.
    pub score: Option<i32>,
}
