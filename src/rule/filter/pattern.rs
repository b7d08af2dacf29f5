//! Regular expressions: linear in the text, bounded in size.

use regex_lite::{Regex, RegexBuilder};

/// Bytes that a compiled expression may take.
const MAX_BYTES: usize = 64 * 1024;
/// How deep its groups may be nested.
const MAX_DEPTH: u32 = 16;

/// A regular expression with its text.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Pattern {
    /// Without a capital it matches in any case.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text)
            .case_insensitive(!has_capital(text))
            .size_limit(MAX_BYTES)
            .nest_limit(MAX_DEPTH)
            .build();
        match built {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(error) => Err(format!("the regular expression can't be read: {error}")),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_match(&self, hay: &str) -> bool {
        self.regex.is_match(hay)
    }
}

/// A capital that is meant: not the one of `\S` or `\D`.
fn has_capital(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let counts = !escaped && c.is_uppercase();
        escaped = c == '\\' && !escaped;
        counts
    })
}
