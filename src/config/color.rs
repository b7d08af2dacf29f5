//! Whether there are colours: the setting, then the environment.

use std::str::FromStr;

/// The setting `color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// As the environment says.
    #[default]
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// The word is neither `auto`, `always` nor `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour choice is `auto`, `always` or `never`")]
pub struct UnknownColor;

impl FromStr for Color {
    type Err = UnknownColor;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(UnknownColor),
        }
    }
}

impl Color {
    /// Whether a terminal gets colours, by the values of `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`.
    /// `NO_COLOR` counts when it is not empty.
    pub fn resolve(self, no_color: Option<&str>, force: Option<&str>, term: Option<&str>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if no_color.is_some_and(|v| !v.is_empty()) => false,
            Self::Auto if force.is_some_and(|v| !v.is_empty() && v != "0") => true,
            Self::Auto => !term.is_some_and(|t| t == "dumb" || t.ends_with("-m") || t == "vt100"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_and_then_no_color() {
        use Color::{Always, Auto, Never};
        assert!(Always.resolve(Some("1"), None, Some("dumb")));
        assert!(!Never.resolve(None, Some("1"), Some("xterm")));
        assert!(!Auto.resolve(Some("1"), Some("1"), Some("xterm")));
        assert!(Auto.resolve(Some(""), None, Some("xterm")));
        assert!(Auto.resolve(None, Some("1"), Some("dumb")));
        assert!(!Auto.resolve(None, None, Some("dumb")));
    }
}
