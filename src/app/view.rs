//! The views.

/// The main views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// The table of pairs.
    #[default]
    Scanner,
    /// One pair on one interval, as a chart.
    Detail,
    /// What closed bars said.
    Signals,
    /// The cache, the links, REST.
    Cache,
    /// The jobs.
    Scheduler,
    /// The rules.
    Alerts,
}

impl View {
    /// In the order of their keys.
    pub const ALL: [Self; 6] =
        [Self::Scanner, Self::Detail, Self::Signals, Self::Cache, Self::Scheduler, Self::Alerts];

    /// Its name, and as short as it may be.
    pub fn titles(self) -> (&'static str, &'static str) {
        match self {
            Self::Scanner => ("Scanner", "Scan"),
            Self::Detail => ("Detail", "Det"),
            Self::Signals => ("Signals", "Sig"),
            Self::Cache => ("Cache", "Cache"),
            Self::Scheduler => ("Scheduler", "Sched"),
            Self::Alerts => ("Alerts", "Alert"),
        }
    }
}
