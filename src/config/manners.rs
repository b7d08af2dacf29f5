//! What the program may do with the terminal beside drawing.

/// The setting `mouse`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseChoice {
    /// Ours, but not over SSH, where people select and copy with it.
    #[default]
    Auto,
    /// Ours.
    On,
    /// The terminal's own.
    Off,
}

impl MouseChoice {
    /// Whether the mouse is ours.
    pub fn resolve(self, over_ssh: bool) -> bool {
        match self {
            Self::Auto => !over_ssh,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// The setting `notify`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotifyChoice {
    /// The bell, and a notification where the terminal is known to show them.
    #[default]
    Auto,
    /// The bell alone.
    Bell,
    /// Nothing.
    Off,
}
