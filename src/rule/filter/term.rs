//! Terms that begin with a word: the word itself, flags, conditions on fields.

use crate::domain::interval::Interval;
use crate::domain::text::nearest;
use crate::rule::field::{FIELDS, Field, FieldSpec, Kind as FieldKind, Scope};
use crate::rule::reading::Bar;
use crate::rule::state::State;

use super::FilterError;
use super::ast::{Claim, Expr, Mention, Needle, On, Test};
use super::lexer::{Kind, Op};
use super::number::{self, Amount};
use super::parser::Parser;
use super::pattern::Pattern;

/// What stands in front of a field: `15m.`, `any.prev.`
#[derive(Clone, Copy, Debug)]
struct Path {
    on: On,
    bar: Bar,
}

/// A word that was taken at `column`, and what belongs to it.
pub(super) fn read(parser: &mut Parser, word: &str, column: usize) -> Result<Expr, FilterError> {
    let (path, rest, at) = path(word, column)?;
    let op = parser.op();
    if let (Some(path), "") = (path, rest) {
        // `15m:bull`
        return match op {
            Some(Op::Is) if !word.ends_with('.') => state_on(parser, path, word, column),
            None if !word.contains('.') => Ok(Expr::Word(Needle::new(word))),
            _ => Err(FilterError::new(
                at,
                format!("expected a field here: {}.dist>1", word.trim_end_matches('.')),
            )),
        };
    }
    let field = Field::find(rest);
    let is_flag = field.is_some_and(|f| f.spec().kind == FieldKind::Flag);
    match (field, op) {
        (Some(field), None) if is_flag => {
            let path = place(parser, path, field, (column, at))?;
            Ok(test(path, field, Claim::Is(State::Yes)))
        }
        (_, None) if path.is_none() => Ok(Expr::Word(Needle::new(word))),
        (Some(field), None) => Err(FilterError::new(
            at + rest.chars().count(),
            format!("expected a comparison: {}", example(word, field.spec())),
        )),
        (None, _) => Err(FilterError::new(at, unknown_field(rest, path))),
        (Some(field), Some(op)) => {
            let path = place(parser, path, field, (column, at))?;
            let (claim, negated) = claim(parser, field.spec(), op)?;
            let test = test(path, field, claim);
            Ok(if negated { Expr::Not(Box::new(test)) } else { test })
        }
    }
}

fn test(path: Path, field: Field, claim: Claim) -> Expr {
    Expr::Field(Test { on: path.on, bar: path.bar, field, claim })
}

/// Takes the path off a word; what is left of it, and where that begins.
fn path(word: &str, column: usize) -> Result<(Option<Path>, &str, usize), FilterError> {
    let (mut on, mut bar) = (None, None);
    let (mut rest, mut at) = (word, column);
    while !rest.is_empty() {
        let (part, after) = rest.split_once('.').unwrap_or((rest, ""));
        let twice = |what: &str| FilterError::new(at, format!("`{part}` is one {what} too many"));
        if part.eq_ignore_ascii_case("prev") {
            if bar.replace(Bar::Before).is_some() {
                return Err(twice("`prev`"));
            }
        } else if let Some(found) = on_of(part) {
            if on.replace(found).is_some() {
                return Err(twice("interval"));
            }
        } else {
            break;
        }
        at += rest.chars().count() - after.chars().count();
        rest = after;
    }
    let path = (on.is_some() || bar.is_some())
        .then(|| Path { on: on.unwrap_or(On::InView), bar: bar.unwrap_or(Bar::Newest) });
    Ok((path, rest, at))
}

fn on_of(part: &str) -> Option<On> {
    if part.eq_ignore_ascii_case("any") {
        return Some(On::Any);
    }
    if part.eq_ignore_ascii_case("all") {
        return Some(On::All);
    }
    // `1M` is a month and `1m` a minute; for all others the case does not matter.
    let interval = part.parse::<Interval>().or_else(|_| part.to_ascii_lowercase().parse());
    interval.ok().map(On::One)
}

/// Whether the field can be read there.
fn place(
    parser: &mut Parser,
    path: Option<Path>,
    field: Field,
    (column, at): (usize, usize),
) -> Result<Path, FilterError> {
    let path = path.unwrap_or(Path { on: On::InView, bar: Bar::Newest });
    let (spec, before) = (field.spec(), path.bar == Bar::Before);
    let id = spec.id;
    let message = match (spec.scope, path.on) {
        _ if before && !field.has_before() => {
            Some(format!("`{id}` is not known of the bar before; trend, dist, bb, cross and such are"))
        }
        (Scope::Row, On::One(_) | On::Any | On::All) => {
            Some(format!("`{id}` is of the pair, not of an interval; write it alone: {id}"))
        }
        (Scope::Either, On::InView) if before => Some(format!("expected an interval: 15m.prev.{id}")),
        _ => None,
    };
    if let Some(message) = message {
        return Err(FilterError::new(at, message));
    }
    if let On::One(interval) = path.on {
        parser.mentions.push((column, Mention::On(interval)));
    }
    Ok(path)
}

/// `1h:bull`, `all:squeeze`: the state says which field is meant.
fn state_on(parser: &mut Parser, path: Path, word: &str, column: usize) -> Result<Expr, FilterError> {
    let at = parser.column();
    let fields = || FIELDS.iter().filter(|f| f.scope != Scope::Row && f.kind != FieldKind::Flag);
    let order = |f: &&FieldSpec| (f.field != Field::Trend, f.field as usize);
    let Some(Kind::Bare(state)) = parser.take() else {
        return Err(FilterError::new(
            at,
            format!("expected a state: {word}:bull, {word}:bear or {word}:flat"),
        ));
    };
    let found = fields().filter(|f| State::find(f.states, &state).is_some()).min_by_key(order);
    let Some((spec, state)) = found.and_then(|f| Some((f, State::find(f.states, &state)?))) else {
        let known = fields().flat_map(|f| f.states).flat_map(|s| s.words()).copied();
        let guess = nearest(&state.to_ascii_lowercase(), known)
            .map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
        let message =
            format!("`{state}` is no state of an interval{guess} (bull, bear, flat, squeeze, expand, …)");
        return Err(FilterError::new(at, message));
    };
    let path = place(parser, Some(path), spec.field, (column, column))?;
    Ok(test(path, spec.field, Claim::Is(state)))
}

/// What stands behind the comparison, and whether the contrary is meant.
fn claim(parser: &mut Parser, spec: &'static FieldSpec, op: Op) -> Result<(Claim, bool), FilterError> {
    let column = parser.column();
    let expected = |why: &str| FilterError::new(column, format!("{why}expected {}", expected(spec)));
    let value = match parser.take() {
        Some(Kind::Regex(text)) if op == Op::Match && spec.kind == FieldKind::Text => text,
        Some(Kind::Bare(text) | Kind::Quoted(text)) => text,
        _ => return Err(expected("")),
    };
    let negated = op == Op::NotEqual;
    let claim = match (spec.kind, op) {
        (FieldKind::Text, Op::Match) => {
            Claim::Matches(Pattern::new(&value).map_err(|why| FilterError::new(column, why))?)
        }
        (_, Op::Match) => return Err(expected("`~` is for text such as sym; ")),
        (FieldKind::Text, Op::Is) => Claim::Contains(Needle::new(&value)),
        (FieldKind::Text, Op::Equal | Op::NotEqual) => Claim::Equals(Needle::new(&value)),
        (FieldKind::Text, Op::Order(_)) => {
            return Err(expected(&format!("`{}` is text and has no order; ", spec.id)));
        }
        (FieldKind::States | FieldKind::Flag, Op::Order(_)) => {
            return Err(expected(&format!("`{}` has no order; ", spec.id)));
        }
        (FieldKind::Number(unit), _) if number::looks_like_one(&value) => {
            let amount = number::parse(&value, unit, spec);
            compare(amount.map_err(|why| FilterError::new(column, why))?, op)
                .map_err(|why| FilterError::new(column, why))?
        }
        (FieldKind::Number(_), Op::Order(_)) => return Err(expected(&format!("`{value}` is no number; "))),
        _ => match State::find(spec.states, &value) {
            Some(state) => Claim::Is(state),
            None => return Err(expected(&no_state(&value, spec))),
        },
    };
    Ok((claim, negated))
}

fn compare(amount: Amount, op: Op) -> Result<Claim, String> {
    Ok(match (amount, op) {
        (Amount::One(bound), Op::Order(order)) => Claim::Compare(order, bound),
        (Amount::One(value), _) => Claim::Within(value.clone(), value),
        (Amount::Range(low, high), Op::Is | Op::Equal | Op::NotEqual) => Claim::Within(low, high),
        (Amount::Range(..), _) => return Err("a range stands behind `:`, `=` or `!=`: score:40..70".into()),
    })
}

/// What may stand behind a comparison of the field.
fn expected(spec: &FieldSpec) -> String {
    let words: Vec<&str> = spec.states.iter().map(|s| s.as_str()).collect();
    let words = words.join(", ");
    match spec.kind {
        FieldKind::Text => "text: sym:btc, sym=BTCUSDT, sym~/^1000/".to_owned(),
        FieldKind::Number(unit) if words.is_empty() => number::expected(unit).to_owned(),
        FieldKind::Number(unit) => format!("{}, or one of {words}", number::expected(unit)),
        FieldKind::States | FieldKind::Flag => format!("one of {words}"),
    }
}

fn no_state(value: &str, spec: &FieldSpec) -> String {
    let known = spec.states.iter().flat_map(|s| s.words()).copied();
    let guess = nearest(&value.to_ascii_lowercase(), known)
        .map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
    format!("`{value}` is no state of `{}`{guess} ", spec.id)
}

/// How a field is compared, said with the word that was typed.
fn example(word: &str, spec: &FieldSpec) -> String {
    match (spec.kind, spec.states.first()) {
        (FieldKind::Text, _) => format!("{word}:btc"),
        (FieldKind::Number(_), None) => format!("{word}>10"),
        (_, Some(state)) => format!("{word}:{}", state.as_str()),
        (_, None) => format!("{word}:yes"),
    }
}

fn unknown_field(asked: &str, path: Option<Path>) -> String {
    let fits = |f: &&FieldSpec| path.is_none_or(|p| p.on == On::InView) || f.scope != Scope::Row;
    let known = || FIELDS.iter().filter(fits).map(|f| f.id);
    let names = || FIELDS.iter().filter(fits).flat_map(|f| std::iter::once(f.id).chain(f.field.aliases()));
    match nearest(&asked.to_ascii_lowercase(), names()) {
        Some(near) => format!("there is no field `{asked}`; did you mean `{near}`?"),
        None => format!("there is no field `{asked}` (fields: {})", known().collect::<Vec<_>>().join(" ")),
    }
}
