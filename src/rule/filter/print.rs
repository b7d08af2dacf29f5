//! A filter's meaning as text that reads back as the same.

use std::fmt::{self, Write};

use crate::rule::field::Kind as FieldKind;
use crate::rule::reading::Bar;
use crate::rule::state::State;

use super::ast::{Claim, Expr, Needle, On, Order, Test};
use super::lexer::RESERVED;
use super::parser;

pub(super) fn write(expr: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match expr {
        Expr::Any(parts) => list(parts, " | ", f),
        expr => and(expr, f),
    }
}

fn and(expr: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match expr {
        Expr::All(parts) => list(parts, " ", f),
        expr => one(expr, f),
    }
}

fn list(parts: &[Expr], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        // A sum in a sum was in parentheses, and stays there.
        one(part, f)?;
    }
    Ok(())
}

fn one(expr: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match expr {
        Expr::All(_) | Expr::Any(_) => {
            f.write_char('(')?;
            write(expr, f)?;
            f.write_char(')')
        }
        Expr::Not(inner) => {
            f.write_char('-')?;
            one(inner, f)
        }
        // Without quotes it might be a flag, or a part of a condition.
        Expr::Word(needle) => match parser::parse(needle.text()) {
            Ok((Expr::Word(same), _)) if same == *needle => f.write_str(needle.text()),
            _ => quoted(needle.text(), '"', f),
        },
        Expr::Pattern(pattern) => quoted(pattern.text(), '/', f),
        Expr::Named(name) => {
            f.write_char('@')?;
            text(name, f)
        }
        Expr::Field(test) => field(test, f),
    }
}

fn field(test: &Test, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match test.on {
        On::InView => {}
        On::One(interval) => write!(f, "{interval}.")?,
        On::Any => f.write_str("any.")?,
        On::All => f.write_str("all.")?,
    }
    if test.bar == Bar::Before {
        f.write_str("prev.")?;
    }
    let spec = test.field.spec();
    f.write_str(spec.id)?;
    match &test.claim {
        Claim::Is(State::Yes) if spec.kind == FieldKind::Flag => Ok(()),
        Claim::Is(state) => write!(f, ":{}", state.as_str()),
        Claim::Compare(order, bound) => write!(f, "{}{}", sign(*order), bound.text),
        Claim::Within(low, high) if low == high => write!(f, "={}", low.text),
        Claim::Within(low, high) => write!(f, "={}..{}", low.text, high.text),
        Claim::Contains(needle) => value(":", needle, f),
        Claim::Equals(needle) => value("=", needle, f),
        Claim::Matches(pattern) => {
            f.write_char('~')?;
            text(pattern.text(), f)
        }
    }
}

fn sign(order: Order) -> &'static str {
    match order {
        Order::Less => "<",
        Order::AtMost => "<=",
        Order::Greater => ">",
        Order::AtLeast => ">=",
    }
}

fn value(op: &str, needle: &Needle, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(op)?;
    text(needle.text(), f)
}

fn text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_bare(text) { f.write_str(text) } else { quoted(text, '"', f) }
}

/// Whether it can stand without quotes behind a comparison.
fn is_bare(text: &str) -> bool {
    !text.starts_with('/') && !text.contains(|c: char| c.is_whitespace() || RESERVED.contains(c))
}

fn quoted(text: &str, mark: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char(mark)?;
    for c in text.chars() {
        if c == mark || (c == '\\' && mark == '"') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char(mark)
}
