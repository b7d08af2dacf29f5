//! Names to type for symbols that a keyboard does not have.

use std::path::Path;

use crate::domain::symbol::Symbol;
use crate::domain::text::is_unsafe;

use super::ConfigError;
use super::file::RawList;

/// The sample file's part on aliases.
pub(super) const EXAMPLE: &str = r#"
# Names that the filter finds a symbol by, beside its own; a list for several. The table shows the
# symbol.
# [aliases]
# "币安人生USDT" = "bianrensheng"
"#;

/// The longest name.
const MAX_CHARS: usize = 64;

/// Every alias with its symbol.
pub(super) fn read_all(raw: &[RawList], path: &Path) -> Result<Vec<(Symbol, String)>, ConfigError> {
    let mut out = Vec::new();
    for line in raw {
        let wrong = |why: &str| ConfigError(format!("{}:{}: {why}", path.display(), line.line));
        let symbol: Symbol =
            line.name.parse().map_err(|e| wrong(&format!("`aliases` names `{}`: {e}", line.name)))?;
        if line.texts.is_empty() {
            return Err(wrong(&format!("the alias of `{symbol}` is empty; write the name to type for it")));
        }
        for alias in &line.texts {
            if !is_typable(alias) {
                let cure = "an alias has 1 to 64 letters, digits, `-`, `_` or `.`, without spaces";
                return Err(wrong(&format!("`{symbol}` has the alias `{}`: {cure}", alias.escape_debug())));
            }
            out.push((symbol.clone(), alias.clone()));
        }
    }
    Ok(out)
}

/// Whether it can be typed as one word of a filter.
fn is_typable(alias: &str) -> bool {
    let fits = |c: char| (c.is_alphanumeric() || "-_.".contains(c)) && !is_unsafe(c);
    (1..=MAX_CHARS).contains(&alias.chars().count()) && alias.chars().all(fits)
}
