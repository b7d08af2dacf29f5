//! The lists of pairs that were asked for.

use std::path::Path;

use crate::domain::symbol::Symbol;
use crate::domain::text::nearest;

use super::ConfigError;
use super::file::RawList;

/// The sample file's part on lists.
pub(super) const EXAMPLE: &str = r#"
# Your own lists of pairs, for --watchlist NAME and for @NAME in filters.
# [watchlists]
# majors = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]

# Your own keys, by the names that `hamatop keys` prints.
# [keys]
# refresh = ["r", "ctrl-x"]

# Your own sets of columns; w goes through them.
# [columns]
# mine = ["sym", "last", "15m.dist", "1h.dist", "age"]
"#;

/// A list of pairs and its name.
pub(super) type Watchlist = (String, Vec<Symbol>);

/// Every list, checked, also those that are not asked for: filters may name them.
pub(super) fn read_all(raw: &[RawList], path: &Path) -> Result<Vec<Watchlist>, ConfigError> {
    raw.iter().map(|list| Ok((list.name.clone(), read(list, path)?))).collect()
}

/// The pairs of the lists `names`, each once.
pub(super) fn resolve(names: &[String], lists: &[Watchlist]) -> Result<Vec<Symbol>, ConfigError> {
    let mut out: Vec<Symbol> = Vec::new();
    for name in names {
        let Some((_, symbols)) = lists.iter().find(|(n, _)| n == name) else {
            return Err(unknown(name, &lists.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>()));
        };
        for symbol in symbols {
            if !out.contains(symbol) {
                out.push(symbol.clone());
            }
        }
    }
    Ok(out)
}

fn read(list: &RawList, path: &Path) -> Result<Vec<Symbol>, ConfigError> {
    let wrong = |why: &str| {
        ConfigError(format!("{}:{}: the watchlist `{}` {why}", path.display(), list.line, list.name))
    };
    let symbols: Result<Vec<Symbol>, _> =
        list.texts.iter().map(|s| s.parse().map_err(|e| wrong(&format!("has `{s}`: {e}")))).collect();
    let symbols = symbols?;
    if symbols.is_empty() {
        return Err(wrong("is empty; it needs pairs such as [\"BTCUSDT\"]"));
    }
    Ok(symbols)
}

fn unknown(name: &str, known: &[&str]) -> ConfigError {
    let guess = nearest(name, known.iter().copied()).map(|n| format!("; did you mean `{n}`?"));
    let known = if known.is_empty() {
        "the config file has none; write NAME = [\"BTCUSDT\"] under [watchlists]".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    ConfigError(format!("no watchlist `{name}`{} ({known})", guess.unwrap_or_default()))
}
