//! What the config says of keys, columns and names, as the terminal program takes it.

use crate::app::Setup;
use crate::app::columns::ColumnSet;
use crate::app::keymap::Keymap;
use crate::app::look::Wears;
use crate::app::saved::Saved;
use crate::config::{Config, Origin};

use super::failure::Failure;

/// The user's keys and columns, and what was kept.
pub(super) fn of(config: &Config, saved: Option<Saved>) -> Result<Setup, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::Usage(format!("config file: {e}"));
    let keys = Keymap::with(&config.keys).map_err(|e| usage(&e))?;
    let set = |(name, columns): &(String, Vec<String>)| {
        ColumnSet::parse(name, columns).map_err(|e| usage(&format!("[columns] `{name}`: {e}")))
    };
    let columns = config.columns.iter().map(set).collect::<Result<_, _>>()?;
    let is_asked = |key| config.origins.get(key).is_some_and(|(_, origin)| *origin != Origin::Default);
    // What is asked for now wins over what was chosen then.
    let wears = if is_asked("theme") || is_asked("palette") { Wears::Asked } else { Wears::Chosen };
    Ok(Setup { keys, columns, saved, wears, problems: Vec::new() })
}

/// Whether the keys and columns of the config can be used.
pub(super) fn check(config: &Config) -> Result<(), Failure> {
    of(config, None).map(drop)
}

/// The keys of the terminal program, a line each.
pub fn keys(config: &Config) -> Result<String, Failure> {
    Ok(of(config, None)?.keys.page())
}
