//! True, false, or not known.

use std::ops::Not;

/// Kleene's three values. "And" is the least of two, "or" the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Truth {
    /// It is not so.
    False,
    /// What would decide it is not known.
    Unknown,
    /// It is so.
    True,
}

impl Truth {
    /// Of something that is known.
    pub fn of(is_so: bool) -> Self {
        if is_so { Self::True } else { Self::False }
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either.
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether it is known to be so.
    pub fn is_true(self) -> bool {
        self == Self::True
    }
}

impl Not for Truth {
    type Output = Self;

    /// What is not known is not known the other way round either.
    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    #[test]
    fn the_tables_are_kleenes() {
        let both = |f: fn(Truth, Truth) -> Truth| {
            [False, Unknown, True].map(|a| [False, Unknown, True].map(|b| f(a, b)))
        };
        let and = [[False, False, False], [False, Unknown, Unknown], [False, Unknown, True]];
        let or = [[False, Unknown, True], [Unknown, Unknown, True], [True, True, True]];
        assert_eq!((both(Truth::and), both(Truth::or)), (and, or));
        assert_eq!([!False, !Unknown, !True], [True, Unknown, False]);
    }
}
