//! How many colours there are: the setting, then the environment.

use std::str::FromStr;

/// The setting `color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// As the environment says.
    #[default]
    Auto,
    /// Yes, as many as the environment says, and at least 16.
    Always,
    /// No.
    Never,
    /// So many.
    Exactly(Depth),
}

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// None.
    None,
    /// The sixteen of its palette.
    Sixteen,
    /// 256.
    Indexed,
    /// All.
    True,
}

impl Depth {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "no colours",
            Self::Sixteen => "16 colours",
            Self::Indexed => "256 colours",
            Self::True => "truecolor",
        }
    }
}

/// The word is no choice of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour choice is `auto`, `always`, `never`, `16`, `256` or `truecolor`")]
pub struct UnknownColor;

impl FromStr for Color {
    type Err = UnknownColor;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            "16" => Ok(Self::Exactly(Depth::Sixteen)),
            "256" => Ok(Self::Exactly(Depth::Indexed)),
            "truecolor" => Ok(Self::Exactly(Depth::True)),
            _ => Err(UnknownColor),
        }
    }
}

/// Terminals of all colours whose `TERM` says so where nothing else does, as over SSH, which does
/// not carry `COLORTERM`.
const TRUE: [&str; 7] =
    ["-direct", "xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour"];

impl Color {
    /// How many colours a terminal gets: the flag, `NO_COLOR`, the config file, `CLICOLOR_FORCE`,
    /// `COLORTERM`, `TERM`, the first that says something. A variable counts when it is not empty.
    pub fn resolve(self, is_flag: bool, var: impl Fn(&str) -> Option<String>) -> Depth {
        let var = |name| var(name).filter(|v| !v.is_empty());
        let allowed = is_flag || var("NO_COLOR").is_none();
        match self {
            _ if !allowed => Depth::None,
            Self::Never => Depth::None,
            Self::Exactly(depth) => depth,
            Self::Always => shown(&var).unwrap_or(Depth::Sixteen),
            Self::Auto if var("CLICOLOR_FORCE").is_some_and(|v| v != "0") => {
                shown(&var).unwrap_or(Depth::Sixteen)
            }
            Self::Auto => shown(&var).unwrap_or(Depth::None),
        }
    }
}

/// What the environment says of the terminal; `None` where it shows no colours.
fn shown(var: &impl Fn(&'static str) -> Option<String>) -> Option<Depth> {
    let term = var("TERM").unwrap_or_default();
    if term == "dumb" || term == "vt100" || term.ends_with("-m") {
        return None;
    }
    let says_true = var("COLORTERM").is_some_and(|v| v == "truecolor" || v == "24bit");
    Some(if says_true || TRUE.iter().any(|t| term.contains(t)) {
        Depth::True
    } else if term.contains("256color") {
        Depth::Indexed
    } else {
        Depth::Sixteen
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(color: &str, is_flag: bool, vars: &[(&str, &str)]) -> Depth {
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        color.parse::<Color>().unwrap().resolve(is_flag, var)
    }

    #[test]
    fn the_first_that_says_something_wins() {
        let all = [("NO_COLOR", "1"), ("COLORTERM", "truecolor"), ("TERM", "xterm-256color")];
        assert_eq!(of("always", true, &all), Depth::True);
        assert_eq!(of("16", true, &all), Depth::Sixteen);
        // What is always wanted by the file is not wanted by who sets NO_COLOR now.
        assert_eq!(of("always", false, &all), Depth::None);
        assert_eq!(of("256", false, &all), Depth::None);
        assert_eq!(of("256", false, &all[1..]), Depth::Indexed);
        assert_eq!(of("never", false, &all[1..]), Depth::None);
        assert_eq!(of("auto", false, &all[1..]), Depth::True);
        assert_eq!(of("auto", false, &all[2..]), Depth::Indexed);
        assert_eq!(of("auto", false, &[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(of("auto", false, &[("TERM", "xterm-kitty")]), Depth::True);
        assert_eq!(of("auto", false, &[("NO_COLOR", ""), ("TERM", "xterm")]), Depth::Sixteen);
        assert_eq!(of("auto", false, &[("TERM", "dumb")]), Depth::None);
        assert_eq!(of("auto", false, &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]), Depth::Sixteen);
        assert_eq!(of("always", false, &[("TERM", "vt100")]), Depth::Sixteen);
        assert!("pink".parse::<Color>().is_err());
    }
}
