use super::*;
use crate::domain::interval::Interval::{H1, M15};

fn error(text: &str) -> FilterError {
    match Filter::parse(text) {
        Ok(_) => panic!("`{text}` is a filter"),
        Err(error) => error,
    }
}

#[test]
fn errors_have_a_column_and_name_what_is_expected() {
    for (text, column, part) in [
        ("btc scor>60", 5, "no field `scor`; did you mean `score`?"),
        ("zzzzzz>60", 1, "no field `zzzzzz` (fields: sym base"),
        ("15m.dits>1", 5, "did you mean `dist`?"),
        ("trend:upp", 7, "`upp` is no state of `trend`; did you mean `up`? expected a number"),
        ("bb:squeze", 4, "did you mean `squeeze`?"),
        ("bb:zzz", 4, "expected one of squeeze, normal, expand"),
        ("1h:bul", 4, "did you mean `bull`?"),
        ("1h:", 4, "expected a state: 1h:bull"),
        ("1h.", 4, "expected a field here"),
        ("1h>5", 3, "expected a field here: 1h.dist>1"),
        ("15m.dist", 9, "expected a comparison: 15m.dist>10"),
        ("15m.last>1", 5, "`last` is of the pair"),
        ("all.score>1", 5, "is of the pair"),
        ("15m.1h.dist>1", 5, "`1h` is one interval too many"),
        ("prev.prev.dist>1", 6, "too many"),
        ("prev.age>1s", 6, "not known of the bar before"),
        ("prev.raw>1", 6, "expected an interval: 15m.prev.raw"),
        ("score>", 7, "expected a number such as 60"),
        ("score>x", 7, "`x` is no number"),
        ("score>60 | vol>10x", 16, "`x` is no unit here; `vol` is compared with a number such as 10m"),
        ("age>2", 5, "`2` needs a unit; `age` is compared with a span such as 30s"),
        ("width<10", 7, "write 10% or a number up to 1"),
        ("score:70..40", 7, "the range goes down; write 40..70"),
        ("score>40..70", 7, "a range stands behind"),
        ("score:40..", 7, "a range has two ends"),
        ("sym>a", 5, "text and has no order"),
        ("state>1", 7, "has no order"),
        ("score~1", 7, "`~` is for text"),
        ("sym~/(/", 5, "regular expression"),
        ("/(/", 1, "regular expression"),
        ("sym:", 5, "expected text"),
        (">5", 1, "needs a field in front"),
        ("\"btc\">5", 6, "needs a field in front"),
        ("(a", 1, "not closed"),
        ("a)", 2, "nothing open"),
        ("()", 2, "expected a word"),
        ("a |", 4, "expected a word"),
        ("| a", 1, "expected a word"),
        ("a & ", 5, "expected a word"),
        ("btc -", 6, "nothing is left to exclude"),
        ("not", 4, "nothing is left to exclude"),
        ("a \"b", 3, "the quote has no end"),
        ("\"\"", 1, "an empty quote"),
        ("/a", 1, "the pattern has no end"),
        ("btc @", 5, "needs the name of a list"),
        ("币 a=b", 3, "no field `a`"),
    ] {
        let error = error(text);
        assert!(error.message.contains(part), "{text}: {error}");
        assert_eq!(error.column, column, "{text}: {error}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let said = |text: &str| read(text).check(&[M15, H1], &names()).map_err(|e| (e.column, e.message));
    assert_eq!(said("1h:bull any:bear @majors @strong btc"), Ok(()));
    let (column, message) = said("btc 4h.dist>1").unwrap_err();
    assert_eq!((column, message.as_str()), (5, "`4h` is not among the intervals (15m, 1h)"));
    let (column, message) = said("btc | @major").unwrap_err();
    assert_eq!((column, message.as_str()), (7, "there is no list `@major`; did you mean `@majors`?"));
    assert!(said("@zzzzzz").unwrap_err().1.contains("there are @majors, @strong"));
    assert!(read("@x").check(&[M15], &Names::default()).unwrap_err().message.contains("[watchlists]"));
}

#[test]
fn nothing_is_too_deep_or_too_long() {
    let deep = |n: usize| format!("{}btc{}", "(".repeat(n), ")".repeat(n));
    assert!(Filter::parse(&deep(32)).is_ok());
    assert_eq!(error(&deep(33)).message, "this is nested more than 32 deep");
    assert_eq!(error(&format!("{}a", "-".repeat(40))).column, 33);
    assert!(Filter::parse(&"a ".repeat(MAX_CHARS / 2)).is_ok());
    assert!(error(&"a".repeat(MAX_CHARS + 1)).message.contains("too long"));
    assert!(
        error(&format!("/{}a{}/", "(".repeat(40), ")".repeat(40))).message.contains("regular expression")
    );
    assert!(error("/(((a{99}){99}){99}){99}/").message.contains("regular expression"));
}
