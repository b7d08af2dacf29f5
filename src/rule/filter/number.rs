//! Numbers with their units, which depend on the field: `m` is a million of an amount and a minute
//! of an age.

use crate::rule::field::{FieldSpec, Unit};

/// A number in the field's base unit, and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: f64,
    pub(super) text: String,
}

/// A number, or a range of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Amount {
    One(Quantity),
    Range(Quantity, Quantity),
}

/// An ending: what it is called, the power of ten it stands for, and what is left to multiply by.
type Ending = (&'static str, i8, f64);

const PLAIN: Ending = ("", 0, 1.0);

fn endings(unit: Unit) -> &'static [Ending] {
    match unit {
        Unit::Plain => &[PLAIN],
        Unit::Money => &[PLAIN, ("k", 3, 1.0), ("m", 6, 1.0), ("b", 9, 1.0), ("t", 12, 1.0)],
        Unit::Percent => &[PLAIN, ("%", 0, 1.0)],
        Unit::Share => &[PLAIN, ("%", -2, 1.0)],
        Unit::Bars => &[PLAIN, ("b", 0, 1.0), ("bar", 0, 1.0), ("bars", 0, 1.0)],
        Unit::Span => &[
            ("s", 0, 1.0),
            ("m", 0, 60.0),
            ("min", 0, 60.0),
            ("h", 0, 3_600.0),
            ("d", 0, 86_400.0),
            ("w", 0, 604_800.0),
        ],
    }
}

/// What may stand behind a comparison of such a field.
pub(super) fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Plain => "a number such as 60 or -15.5",
        Unit::Money => "a number such as 10m (k thousand, m million, b billion, t trillion)",
        Unit::Percent => "per cent such as 5% or -1.5",
        Unit::Share => "a share such as 10% or 0.1",
        Unit::Span => "a span such as 30s, 2min, 4h or 1d",
        Unit::Bars => "a number of bars such as 3",
    }
}

/// Whether a text is meant as a number.
pub(super) fn looks_like_one(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
}

/// Reads `60`, `10m`, `-5%`, `40..70`, `5..10min`. The error says what is wrong.
pub(super) fn parse(text: &str, unit: Unit, spec: &FieldSpec) -> Result<Amount, String> {
    let Some((low, high)) = text.split_once("..") else {
        return one(text, unit, spec).map(Amount::One);
    };
    if low.is_empty() || high.is_empty() {
        return Err(format!("a range has two ends: {}:10..20", spec.id));
    }
    let high = one(high, unit, spec)?;
    // `5..10min`: the ending holds for both.
    let shared = split(low).1.is_empty().then(|| format!("{low}{}", split(&high.text).1));
    let low = one(shared.as_deref().unwrap_or(low), unit, spec)?;
    if low.value > high.value {
        return Err(format!("the range goes down; write {}..{}", high.text, low.text));
    }
    Ok(Amount::Range(low, high))
}

/// The digits and what stands behind them.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+')));
    text.split_at(end.unwrap_or(text.len()))
}

fn one(text: &str, unit: Unit, spec: &FieldSpec) -> Result<Quantity, String> {
    let (digits, ending) = split(text);
    let ending = ending.to_ascii_lowercase();
    let digits = digits.replace('_', "");
    let wanted = || format!("`{}` is compared with {}", spec.id, expected(unit));
    if digits.parse::<f64>().is_err() {
        return Err(format!("`{text}` is no number; {}", wanted()));
    }
    let Some((_, power, factor)) = endings(unit).iter().find(|(name, ..)| *name == ending) else {
        return Err(if ending.is_empty() {
            format!("`{text}` needs a unit; {}", wanted())
        } else {
            format!("`{ending}` is no unit here; {}", wanted())
        });
    };
    // Through the text, so that 7.27% is the very number that 0.0727 is.
    let value = format!("{digits}e{power}").parse::<f64>().unwrap_or(f64::NAN) * factor;
    if !value.is_finite() {
        return Err(format!("`{text}` is too large; {}", wanted()));
    }
    if unit == Unit::Share && ending.is_empty() && value.abs() > 1.0 {
        return Err(format!("a share of 1 is meant: write {digits}% or a number up to 1"));
    }
    Ok(Quantity { value, text: format!("{digits}{ending}") })
}
