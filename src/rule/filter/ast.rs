//! What a filter means.

use crate::domain::interval::Interval;
use crate::rule::field::{Field, Scope};
use crate::rule::reading::Bar;
use crate::rule::state::State;

use super::number::Quantity;
use super::pattern::Pattern;

/// A condition. Positions are not part of it, so that equal meanings are equal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// All of them; none: always.
    All(Vec<Expr>),
    /// One of them.
    Any(Vec<Expr>),
    /// The contrary.
    Not(Box<Expr>),
    /// The symbol, or a name that stands for it, contains this.
    Word(Needle),
    /// The symbol, or a name that stands for it, matches this.
    Pattern(Pattern),
    /// `@name`
    Named(String),
    /// A condition on a field.
    Field(Test),
}

impl Expr {
    /// Binds what is said of the interval in view to one. Says whether there was anything.
    pub(super) fn bind(&mut self, interval: Interval) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter_mut().fold(false, |bound, part| part.bind(interval) | bound)
            }
            Self::Not(inner) => inner.bind(interval),
            Self::Field(test) if test.on == On::InView && test.field.spec().scope == Scope::Lane => {
                test.on = On::One(interval);
                true
            }
            Self::Word(_) | Self::Pattern(_) | Self::Named(_) | Self::Field(_) => false,
        }
    }

    /// Whether a field is asked for.
    pub(super) fn asks(&self, field: Field) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.asks(field)),
            Self::Not(inner) => inner.asks(field),
            Self::Field(test) => test.field == field,
            Self::Word(_) | Self::Pattern(_) | Self::Named(_) => false,
        }
    }
}

impl Default for Expr {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// A condition on a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub(super) on: On,
    pub(super) bar: Bar,
    pub(super) field: Field,
    pub(super) claim: Claim,
}

/// Where a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// On the pair, or on the interval in view.
    InView,
    /// On an interval.
    One(Interval),
    /// On at least one.
    Any,
    /// On each.
    All,
}

/// What is claimed of its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Claim {
    Is(State),
    Compare(Order, Quantity),
    /// Both ends belong to it.
    Within(Quantity, Quantity),
    Contains(Needle),
    Equals(Needle),
    Matches(Pattern),
}

/// Less, greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Text that is looked for. With a capital it is meant as written, without one in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Needle {
    Exact(String),
    AnyCase(String),
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        if text.chars().any(char::is_uppercase) {
            Self::Exact(text.to_owned())
        } else {
            Self::AnyCase(text.to_lowercase())
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::AnyCase(text) => text,
        }
    }

    pub(super) fn is_in(&self, hay: &str) -> bool {
        match self {
            Self::Exact(text) => hay.contains(text.as_str()),
            // Nearly all symbols are ASCII: no copy is made for them.
            Self::AnyCase(text) if hay.is_ascii() && text.is_ascii() => {
                let found = |part: &[u8]| part.eq_ignore_ascii_case(text.as_bytes());
                text.is_empty() || hay.as_bytes().windows(text.len()).any(found)
            }
            Self::AnyCase(text) => hay.to_lowercase().contains(text.as_str()),
        }
    }

    pub(super) fn equals(&self, hay: &str) -> bool {
        match self {
            Self::Exact(text) => hay == text,
            Self::AnyCase(text) => hay.to_lowercase() == *text,
        }
    }
}

/// Something a filter names that may not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mention {
    On(Interval),
    Name(String),
}
