//! Text that came from outside: the exchange, a file, another program.

use std::fmt;
use std::sync::Arc;

/// Remote text made fit for a terminal, a log line or a file name.
///
/// Everything remote is text of an enemy until it has gone through here: control characters
/// (with ESC, the C1 range and the bidirectional overrides) become `\u{FFFD}`, and what is longer
/// than [`CleanText::MAX_CHARS`] is cut and ends in `…`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CleanText(Arc<str>);

impl CleanText {
    /// The longest text kept, in characters.
    pub const MAX_CHARS: usize = 400;

    /// Cleans `raw`. Never fails: an empty text stays empty.
    pub fn new(raw: &str) -> Self {
        let mut out = String::with_capacity(raw.len().min(4 * Self::MAX_CHARS));
        for (n, c) in raw.chars().enumerate() {
            if n == Self::MAX_CHARS {
                out.push('…');
                break;
            }
            out.push(if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c });
        }
        Self(out.into())
    }

    /// The cleaned text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character may move a cursor, change a colour or reorder what follows it.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

impl fmt::Display for CleanText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CleanText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_do_not_survive() {
        let text = CleanText::new("a\x1b[31mb\u{9b}c\u{202e}d\n");
        assert_eq!(text.as_str(), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d\u{FFFD}");
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        let text = CleanText::new(&"币".repeat(1000));
        assert_eq!(text.as_str().chars().count(), CleanText::MAX_CHARS + 1);
        assert!(text.as_str().ends_with('…'));
    }
}
