//! What can be chosen beside the preset.

/// Settings of a calculation that are no part of a preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HamaOptions {
    /// What is taken for the last cross before one was seen.
    pub initial_side: InitialSide,
    /// How exponential averages begin.
    pub ema_seed: EmaSeed,
}

/// What is taken for the last cross before one was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialSide {
    /// The side of the first bar that has one: a market above its average must have crossed up
    /// last, on a bar older than the ones at hand.
    #[default]
    Infer,
    /// Nothing, until a cross is seen.
    None,
}

/// How exponential averages begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmaSeed {
    /// With the mean of the first L inputs, as `TradingView` and TA-Lib do.
    #[default]
    Mean,
    /// With the first input: to compare with programs that do so.
    First,
}
