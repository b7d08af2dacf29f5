//! Whether a row is wanted.

use crate::market::snapshot::{LaneView, Row};
use crate::rule::field::{Field, Scope};
use crate::rule::names::{Named, Names};
use crate::rule::reading::Reading;
use crate::rule::truth::Truth;
use crate::rule::value::Value;

use super::Filter;
use super::ast::{Claim, Expr, On, Order, Test};

/// How far a saved filter may lead to another one; further on nothing is known.
const MAX_STEPS: u8 = 8;

pub(super) fn test(filter: &Filter, row: &Row, at: &Reading) -> Truth {
    let eval = Eval { row, at, names: at.names.as_deref() };
    eval.expr(&filter.expr, MAX_STEPS)
}

struct Eval<'a> {
    row: &'a Row,
    at: &'a Reading,
    names: Option<&'a Names>,
}

impl Eval<'_> {
    fn expr(&self, expr: &Expr, steps: u8) -> Truth {
        match expr {
            Expr::All(parts) => all(parts.iter().map(|part| self.expr(part, steps))),
            Expr::Any(parts) => any(parts.iter().map(|part| self.expr(part, steps))),
            Expr::Not(inner) => !self.expr(inner, steps),
            Expr::Word(needle) => self.name(|name| needle.is_in(name)),
            Expr::Pattern(pattern) => self.name(|name| pattern.is_match(name)),
            Expr::Named(name) => self.named(name, steps),
            Expr::Field(test) => self.field(test),
        }
    }

    /// Of the symbol and of the names that stand for it.
    fn name(&self, is_so: impl Fn(&str) -> bool) -> Truth {
        let symbol = &self.row.pair.symbol;
        let aliases = self.names.map_or(&[][..], |n| n.aliases(symbol));
        Truth::of(is_so(symbol.as_str()) || aliases.iter().any(|alias| is_so(alias)))
    }

    fn named(&self, name: &str, steps: u8) -> Truth {
        match self.names.and_then(|n| n.find(name)) {
            Some(Named::List(symbols)) => Truth::of(symbols.contains(&self.row.pair.symbol)),
            Some(Named::Filter(filter)) if steps > 0 => self.expr(&filter.expr, steps - 1),
            Some(Named::Filter(_)) | None => Truth::Unknown,
        }
    }

    fn field(&self, test: &Test) -> Truth {
        let lane =
            |lane: &LaneView| holds(&test.claim, &self.at.of_lane(test.field, self.row, lane, test.bar));
        let lanes = &self.row.lanes;
        match (test.on, test.field.spec().scope) {
            (On::Any, _) => any(lanes.iter().map(lane)),
            (On::All, _) => all(lanes.iter().map(lane)),
            (On::One(interval), _) => {
                lanes.iter().find(|l| l.interval == interval).map_or(Truth::Unknown, lane)
            }
            (On::InView, Scope::Lane) => lanes.get(self.at.lane).map_or(Truth::Unknown, lane),
            (On::InView, Scope::Row | Scope::Either) => self.of_pair(test),
        }
    }

    fn of_pair(&self, test: &Test) -> Truth {
        // The pair's own figures need no detour over the table of all values.
        match (&test.claim, test.field) {
            (Claim::Contains(needle), Field::Sym) => self.name(|name| needle.is_in(name)),
            (claim, field) => holds(claim, &self.at.of_row(field, self.row)),
        }
    }
}

fn all(parts: impl Iterator<Item = Truth>) -> Truth {
    let mut sum = Truth::True;
    for part in parts {
        sum = sum.and(part);
        if sum == Truth::False {
            break;
        }
    }
    sum
}

fn any(parts: impl Iterator<Item = Truth>) -> Truth {
    let mut sum = Truth::False;
    for part in parts {
        sum = sum.or(part);
        if sum == Truth::True {
            break;
        }
    }
    sum
}

fn holds(claim: &Claim, value: &Value<'_>) -> Truth {
    let text = |is_so: &dyn Fn(&str) -> bool| value.text().map_or(Truth::Unknown, |t| Truth::of(is_so(t)));
    match claim {
        Claim::Is(state) => state.holds(value),
        Claim::Contains(needle) => text(&|t| needle.is_in(t)),
        Claim::Equals(needle) => text(&|t| needle.equals(t)),
        Claim::Matches(pattern) => text(&|t| pattern.is_match(t)),
        Claim::Compare(order, bound) => {
            span(value).map_or(Truth::Unknown, |s| s.compare(*order, bound.value))
        }
        Claim::Within(low, high) => {
            let inside =
                |s: Span| s.compare(Order::AtLeast, low.value).and(s.compare(Order::AtMost, high.value));
            span(value).map_or(Truth::Unknown, inside)
        }
    }
}

/// Where a figure lies: a cross that was inferred is at least so many bars old.
#[derive(Clone, Copy)]
struct Span {
    low: f64,
    high: f64,
}

fn span(value: &Value<'_>) -> Option<Span> {
    let low = value.number()?;
    let high = match value {
        Value::Cross(c) if c.inferred => f64::INFINITY,
        _ => low,
    };
    Some(Span { low, high })
}

impl Span {
    fn compare(self, order: Order, bound: f64) -> Truth {
        let holds = |x: f64| match order {
            Order::Less => x < bound,
            Order::AtMost => x <= bound,
            Order::Greater => x > bound,
            Order::AtLeast => x >= bound,
        };
        match (holds(self.low), holds(self.high)) {
            (true, true) => Truth::True,
            (false, false) => Truth::False,
            _ => Truth::Unknown,
        }
    }
}
