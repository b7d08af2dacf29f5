//! The filter: which rows are wanted.
//!
//! ```text
//! or   = and { ("|" | "or") and }
//! and  = not { ["&" | "and"] not }
//! not  = ("!" | "-" | "not") not | "(" or ")" | term
//! term = word | "quoted" | /regex/ | "@" name | [path] flag | [path] field op value | [path] field ":" state
//!      | on ":" state
//! path = { on "." }               on = 15m 1h 4h … | any | all | prev
//! op   = = != < <= > >= ~         value = number [unit] | number ".." number | state | text
//! ```
//!
//! A comparison with something that is not known is unknown, and so is its contrary. A figure of a
//! series that is not live is compared as it stands, since the row shows it too, dimmed and with its
//! age; `live` and `stale` say it. What only makes sense live (`c/ma`, bars since a cross while closes
//! are missing) is unknown then.

mod ast;
mod eval;
mod lexer;
mod number;
mod parser;
mod pattern;
mod print;
mod term;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::domain::interval::Interval;
use crate::domain::text::nearest;
use crate::market::snapshot::Row;

use super::field::Field;
use super::names::Names;
use super::reading::Reading;
use super::truth::Truth;

use self::ast::{Expr, Mention};

/// The longest filter, in characters.
pub const MAX_CHARS: usize = 2_000;

/// A condition on rows. The empty filter wants every row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    source: String,
    expr: Expr,
    mentions: Vec<(usize, Mention)>,
}

/// The text is no filter, or not one that can be used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong and what helps, as a sentence.
    pub message: String,
}

impl FilterError {
    fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }

    /// As the command line says it.
    pub fn of_flag(&self) -> String {
        format!("--{self}")
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter, column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for FilterError {}

/// Why nothing can be asked of an interval that is not shown.
pub fn not_among(interval: Interval, intervals: &[Interval]) -> String {
    let shown: Vec<&str> = intervals.iter().map(|i| i.as_str()).collect();
    format!("`{interval}` is not among the intervals ({})", shown.join(", "))
}

impl Filter {
    /// Reads a filter. Names of lists and intervals are taken as they are; see [`Filter::check`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let (expr, mentions) = parser::parse(text)?;
        Ok(Self { source: text.trim().to_owned(), expr, mentions })
    }

    /// Whether what it names is there: intervals that no row has, and lists that nobody knows,
    /// would never match.
    pub fn check(&self, intervals: &[Interval], names: &Names) -> Result<(), FilterError> {
        for (column, mention) in &self.mentions {
            match mention {
                Mention::On(interval) if !intervals.contains(interval) => {
                    return Err(FilterError::new(*column, not_among(*interval, intervals)));
                }
                Mention::Name(name) if names.find(name).is_none() => {
                    return Err(FilterError::new(*column, unknown_name(name, names)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The same where `interval` is in view, whatever is in view later: what is said of no interval
    /// is said of that one.
    pub fn on(&self, interval: Interval) -> Self {
        let mut bound = self.clone();
        if bound.expr.bind(interval) {
            let text = bound.to_string();
            return Self::parse(&text).unwrap_or(bound);
        }
        bound
    }

    /// Whether it asks for marks, which only a screen has.
    pub fn asks_marks(&self) -> bool {
        self.expr.asks(Field::Mark)
    }

    /// The text it was made of.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it wants every row.
    pub fn is_empty(&self) -> bool {
        self.expr == Expr::default()
    }

    /// Whether a row is wanted.
    pub fn test(&self, row: &Row, at: &Reading) -> Truth {
        eval::test(self, row, at)
    }
}

/// In one form for each meaning: blanks, cases and signs as the documentation has them. Reads back
/// as the same condition.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::write(&self.expr, f)
    }
}

fn unknown_name(name: &str, names: &Names) -> String {
    let known: Vec<&str> = names.known().collect();
    match (nearest(name, known.iter().copied()), known.as_slice()) {
        (Some(near), _) => format!("there is no list `@{name}`; did you mean `@{near}`?"),
        (None, []) => format!("there is no list `@{name}`; write it under [watchlists] in the config file"),
        (None, known) => format!("there is no list `@{name}`; there are @{}", known.join(", @")),
    }
}
