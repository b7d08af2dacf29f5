use super::*;
use crate::fixture::assorted;

/// Pieces that filters are made of, and some that they are not.
const PIECES: &[&str] = &[
    " ",
    " ",
    " ",
    "btc",
    "币安",
    "BTC",
    "\"a b\"",
    "\"",
    "/^1/",
    "/",
    "(",
    ")",
    "|",
    "&",
    "-",
    "!",
    "not ",
    " or ",
    " and ",
    "@majors",
    "@",
    "score",
    "vol",
    "age",
    "chg",
    "trend",
    "cross",
    "bb",
    "c/ma",
    "state",
    "pool",
    "sym",
    "note",
    "width",
    "posb",
    "raw",
    ".",
    "15m.",
    "1h.",
    "4h:",
    "5m.",
    "any.",
    "all:",
    "all.",
    "prev.",
    ":",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "~",
    "1",
    "60",
    "-5",
    "10m",
    "5%",
    "2min",
    "3bars",
    "..",
    "1..2",
    "up",
    "bull",
    "squeeze",
    "live",
    "stale",
    "warm",
    "mark",
    "upper",
    "strong",
    "9e999",
    "\\",
    "\u{0}",
    "\u{1b}[31m",
    "İ",
    "ß",
    "\u{301}",
    "\t",
    "\n",
    "%",
    "_",
    "+",
    "0",
];

const FIELDS: &[&str] =
    &["score", "vol", "age", "15m.dist", "any.cross", "all.prev.bb", "state", "sym", "width", "live"];
const SIGNS: &[&str] = &[":", "=", "!=", "<", ">=", "~"];
const VALUES: &[&str] =
    &["60", "10m", "5%", "2min", "1..2", "up", "squeeze", "stale", "\"a b\"", "/^b/", "a\\", "yes", "0"];

fn random(rng: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(1..9) {
        let pick = |rng: &mut fastrand::Rng, from: &[&'static str]| from[rng.usize(..from.len())];
        if rng.u8(..) < 12 {
            text.push(rng.char(..));
        } else if rng.u8(..) < 80 {
            text.push(' ');
            text.push_str(pick(rng, FIELDS));
            text.push_str(pick(rng, SIGNS));
            text.push_str(pick(rng, VALUES));
        } else {
            text.push_str(PIECES[rng.usize(..PIECES.len())]);
        }
    }
    text
}

#[test]
fn no_text_panics_and_what_is_a_filter_reads_back() {
    const ROUNDS: u64 = 20_000;
    let picture = assorted();
    let at = Reading::new(&picture, picture.made, 1).with_names(&Arc::new(names()));
    let (mut filters, mut conditions) = (0, 0);
    for seed in 0..ROUNDS {
        let text = random(&mut fastrand::Rng::with_seed(seed));
        match Filter::parse(&text) {
            Err(error) => {
                let columns = 1..=text.chars().count() + 1;
                assert!(columns.contains(&error.column), "{text:?}: {error}");
                assert!(error.message.len() > 10, "{text:?}: {error}");
            }
            Ok(filter) => {
                filters += 1;
                conditions += u32::from(filter.to_string().contains([':', '<', '>', '=']));
                let again = filter.to_string();
                let same = Filter::parse(&again).unwrap_or_else(|e| panic!("{text:?} -> {again:?}: {e}"));
                assert_eq!(same.expr, filter.expr, "{text:?} -> {again:?}");
                for row in &picture.rows {
                    assert_eq!(filter.test(row, &at), same.test(row, &at), "{text:?}");
                }
                let _ = filter.check(&picture.intervals, &names());
            }
        }
    }
    assert!(filters > 1_000 && conditions > 200, "{filters} filters, {conditions} with a condition");
}
