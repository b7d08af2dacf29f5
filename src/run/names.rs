//! The names that filters refer to, as the settings have them.

use std::sync::Arc;

use crate::config::Config;
use crate::rule::names::Names;

/// Lists of pairs and aliases.
pub(super) fn names(config: &Config) -> Arc<Names> {
    let mut names = Names::new();
    for (name, symbols) in &config.watchlists {
        names.set_list(name, symbols.iter().cloned());
    }
    for (symbol, alias) in &config.aliases {
        names.add_alias(symbol.clone(), alias);
    }
    Arc::new(names)
}
