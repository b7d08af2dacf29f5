//! The filter: which rows are wanted.
//!
//! Today it knows words. Text that a fuller grammar would read differently is refused with a
//! sentence, so that no filter written now changes its meaning later.

use std::fmt;

use crate::market::snapshot::Row;

/// Characters that belong to comparisons, states, groups and lists.
const RESERVED: &str = ":<>=()|&@~";

/// Words that the symbol must, or must not, contain. The empty filter wants every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    source: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    wanted: bool,
    needle: Needle,
}

/// A word with a capital is meant as written; one without matches in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Needle {
    Exact(String),
    AnyCase(String),
}

/// The text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong and what helps, as a sentence.
    pub message: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter, column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Reads `btc -usdc "1000"`: all words must match; `-` or `!` before one excludes it.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader { chars: text.chars().collect(), at: 0 };
        let mut terms = Vec::new();
        while let Some(term) = reader.term()? {
            terms.push(term);
        }
        Ok(Self { source: text.trim().to_owned(), terms })
    }

    /// The text it was made of.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it wants every row.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the row is wanted.
    pub fn matches(&self, row: &Row) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let symbol = row.pair.symbol.as_str();
        let lower = symbol.to_lowercase();
        self.terms.iter().all(|term| {
            let found = match &term.needle {
                Needle::Exact(word) => symbol.contains(word.as_str()),
                Needle::AnyCase(word) => lower.contains(word.as_str()),
            };
            found == term.wanted
        })
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn term(&mut self) -> Result<Option<Term>, FilterError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let Some(first) = self.peek() else { return Ok(None) };
        let wanted = !matches!(first, '-' | '!');
        if !wanted {
            self.at += 1;
        }
        let word = if self.peek() == Some('"') { self.quoted()? } else { self.bare()? };
        if word.is_empty() {
            let message = if wanted {
                "an empty quote matches everything; put text between the quotes".to_owned()
            } else {
                format!("`{first}` excludes a word; write one right after it")
            };
            return Err(FilterError { column: self.at + 1, message });
        }
        let any_case = !word.chars().any(char::is_uppercase);
        let needle = if any_case { Needle::AnyCase(word.to_lowercase()) } else { Needle::Exact(word) };
        Ok(Some(Term { wanted, needle }))
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let open = self.at + 1;
        self.at += 1;
        let mut word = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == '"' {
                return Ok(word);
            }
            word.push(c);
        }
        Err(FilterError { column: open, message: "the quote has no end; add a `\"`".to_owned() })
    }

    fn bare(&mut self) -> Result<String, FilterError> {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace()) {
            if RESERVED.contains(c) {
                let message =
                    format!("`{c}` is not understood; use words of the symbol, `-word`, \"quoted text\"");
                return Err(FilterError { column: self.at + 1, message });
            }
            if c == '"' {
                let message = "a quote starts a new word; put a space before it".to_owned();
                return Err(FilterError { column: self.at + 1, message });
            }
            word.push(c);
            self.at += 1;
        }
        Ok(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::row;

    fn hits(filter: &str) -> Vec<&'static str> {
        let filter = Filter::parse(filter).unwrap();
        let all = ["BTCUSDT", "BTCUSDC", "ETHBTC", "1000PEPEUSDT", "币安人生USDT"];
        all.into_iter().filter(|s| filter.matches(&row(s).build())).collect()
    }

    #[test]
    fn all_words_must_match_and_case_counts_only_with_a_capital() {
        assert_eq!(hits("").len(), 5);
        assert_eq!(hits("  btc "), ["BTCUSDT", "BTCUSDC", "ETHBTC"]);
        assert_eq!(hits("btc usd"), ["BTCUSDT", "BTCUSDC"]);
        assert_eq!(hits("BTC"), ["BTCUSDT", "BTCUSDC", "ETHBTC"]);
        assert!(hits("Btc").is_empty());
        assert_eq!(hits("币安"), ["币安人生USDT"]);
    }

    #[test]
    fn words_are_excluded_and_quoted() {
        assert_eq!(hits("btc -usdc !eth"), ["BTCUSDT"]);
        assert_eq!(hits("\"1000\""), ["1000PEPEUSDT"]);
        assert_eq!(hits("-\"usdt\""), ["BTCUSDC", "ETHBTC"]);
    }

    #[test]
    fn what_a_fuller_grammar_would_read_is_refused_with_its_column() {
        for (text, column) in [
            ("btc score>60", 10),
            ("trend:up", 6),
            ("(a", 1),
            ("a | b", 3),
            ("@majors", 1),
            ("币 a=b", 4),
            ("btc -", 6),
            ("a \"b", 3),
            ("\"\"", 3),
            ("a\"b\"", 2),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.message.len() > 20, "{text}: {error}");
        }
    }
}
