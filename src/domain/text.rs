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

/// How many characters have to be changed, added or dropped to get from one to the other
/// (Levenshtein).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(x != *y)).min(*cell + 1).min(left + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The known name that was likely meant; `None` where none is close, since a far-fetched guess
/// helps nobody.
pub fn nearest<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is long is no slip of a name, and is not worth the time.
    const MAX_CHARS: usize = 64;
    let chars = asked.chars().count();
    let far = (chars / 3).max(2);
    if chars > MAX_CHARS {
        return None;
    }
    let slips = |name: &'a str| (distance(asked, name), name);
    let close = known.into_iter().map(slips).filter(|(n, name)| *n <= far && *n < name.chars().count());
    close.min_by_key(|(n, _)| *n).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, slips) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("nstd", "nsdt", 2), ("币安", "币", 1)]
        {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }

    #[test]
    fn a_name_is_suggested_only_where_it_is_close() {
        let of = |asked| nearest(asked, ["top", "intervals", "preset"]);
        assert_eq!((of("tpo"), of("intervall")), (Some("top"), Some("intervals")));
        assert_eq!((of("zzz"), of("nonsense"), of("")), (None, None, None));
    }

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
