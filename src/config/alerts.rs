//! The alert rules of the config file.

use std::path::Path;
use std::time::Duration;

use crate::domain::interval::Interval;
use crate::domain::text::{CleanText, nearest};
use crate::market::snapshot::FireOn;
use crate::rule::alert::Rule;
use crate::rule::filter::Filter;

use super::ConfigError;
use super::file::RawAlert;

/// The sample file's part on rules.
pub(super) const EXAMPLE: &str = r#"
# Your own alert rules: a filter that is watched. `on` is enter, leave or both; a change counts when it
# has lasted for `debounce`; after it told of a pair, a rule is quiet about it for `cooldown`.
# [alerts.aligned]
# when = "all:bull cross<=2 vol>50m"
# on = "enter"
# debounce = "30s"
# cooldown = "1h"
# enabled = true
"#;

/// What a rule may say.
pub(super) const KEYS: [&str; 5] = ["when", "on", "debounce", "cooldown", "enabled"];

/// As many as are watched: each is a pass over all rows, twice a second.
const MOST: usize = 32;

/// The rules, each checked, also those that are not enabled. What a filter says of no interval is
/// said of the primary one.
pub(super) fn resolve(raw: &[RawAlert], primary: Interval, path: &Path) -> Result<Vec<Rule>, ConfigError> {
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.len());
    for alert in raw {
        let rule = read(alert, primary, path)?;
        let at = |message: &str| ConfigError(format!("{}:{}: {message}", path.display(), alert.line));
        if rules.len() == MOST {
            return Err(at(&format!("there are more than {MOST} alerts; take some out")));
        }
        if rule.name.as_str().trim().is_empty() || rules.iter().any(|r| r.name == rule.name) {
            return Err(at(&format!("the alert `{}` needs a name of its own", rule.name)));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn read(raw: &RawAlert, primary: Interval, path: &Path) -> Result<Rule, ConfigError> {
    let at = |line: usize, message: &str| {
        ConfigError(format!("{}:{line}: the alert `{}`: {message}", path.display(), raw.name))
    };
    let mut rule = Rule::new(CleanText::new(&raw.name), &Filter::default(), primary);
    for (key, text, line) in &raw.entries {
        let wrong = |message: String| at(*line, &message);
        match key.as_str() {
            "when" => rule.when = Filter::parse(text).map_err(|e| wrong(e.to_string()))?.on(primary),
            "on" => rule.timing.on = text.parse().map_err(|()| wrong(unknown_edge(text)))?,
            "debounce" => rule.timing.debounce = span(text).map_err(wrong)?,
            "cooldown" => rule.timing.cooldown = span(text).map_err(wrong)?,
            _ => rule.enabled = text.parse().map_err(|_| wrong("`enabled` is true or false".into()))?,
        }
    }
    if rule.when.is_empty() {
        return Err(at(raw.line, "needs a filter to watch, such as when = \"all:bull score>60\""));
    }
    Ok(rule)
}

fn unknown_edge(text: &str) -> String {
    let known = FireOn::ALL.map(FireOn::as_str);
    let guess = nearest(text, known).map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
    format!("`on` is {}, not `{text}`{guess}", known.join(", "))
}

/// The longest time a rule may wait: a week.
const LONGEST: u64 = 7 * 86_400;

/// `30s`, `5m`, `1h`, `0`.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write 30s, 5m or 1h, up to 168h");
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(digits) => (digits, text.as_bytes().last().copied()),
        None => (text, None),
    };
    let seconds = match unit {
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(_) => 1,
        // A figure without a unit could mean anything, but none is none in all of them.
        None if digits == "0" => 1,
        None => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let whole = count.checked_mul(seconds).filter(|s| *s <= LONGEST).ok_or_else(wrong)?;
    Ok(Duration::from_secs(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::snapshot::Timing;

    fn alert(entries: &[(&str, &str)]) -> Result<Rule, String> {
        let entries = (2..).zip(entries).map(|(n, (k, v))| ((*k).to_owned(), (*v).to_owned(), n)).collect();
        let raw = RawAlert { name: "mine".into(), line: 1, entries };
        let rules = resolve(&[raw], Interval::H1, Path::new("config.toml")).map_err(|e| e.0)?;
        Ok(rules.into_iter().next().unwrap())
    }

    #[test]
    fn a_rule_is_read_and_what_is_left_out_is_as_documented() {
        let rule = alert(&[("when", "btc"), ("on", "both"), ("debounce", "0"), ("cooldown", "90m")]).unwrap();
        let timing =
            Timing { on: FireOn::Both, debounce: Duration::ZERO, cooldown: Duration::from_secs(5_400) };
        assert_eq!((rule.timing, rule.enabled, rule.when.source()), (timing, true, "btc"));
        assert_eq!(alert(&[("when", "btc")]).unwrap().timing, Timing::default());
    }

    #[test]
    fn what_is_said_of_no_interval_is_said_of_the_primary_one() {
        let rule = alert(&[("when", "dist>2% 4h:bull score>60 -(bb:squeeze | all:bear)")]).unwrap();
        let said = "1h.dist>2% 4h.trend:up score>60 -(1h.bb:squeeze | all.trend:down)";
        assert_eq!(rule.when.source(), said);
    }

    #[test]
    fn there_is_a_most_and_names_are_their_own() {
        let raw = |name: &str, line| RawAlert {
            name: name.into(),
            line,
            entries: vec![("when".into(), "btc".into(), line)],
        };
        let error = |raw: &[RawAlert]| resolve(raw, Interval::H1, Path::new("c.toml")).unwrap_err().0;
        let many: Vec<RawAlert> = (0..=MOST).map(|n| raw(&format!("a{n}"), n + 1)).collect();
        assert_eq!(error(&many), "c.toml:33: there are more than 32 alerts; take some out");
        assert!(error(&[raw("", 4)]).starts_with("c.toml:4: the alert `` needs a name"));
    }

    #[test]
    fn what_is_wrong_names_the_line_and_the_cure() {
        for (entries, said) in [
            (&[("on", "enter")][..], "config.toml:1: the alert `mine`: needs a filter"),
            (
                &[("when", "btc"), ("on", "entre")],
                "config.toml:3: the alert `mine`: `on` is enter, leave, both",
            ),
            (&[("when", "(btc")], "config.toml:2: the alert `mine`: filter, column"),
            (&[("when", "btc"), ("debounce", "5")], "`5` is no time; write 30s"),
            (&[("when", "btc"), ("cooldown", "999h")], "`999h` is no time"),
            (&[("when", "btc"), ("cooldown", "99999999999999999999h")], "is no time"),
            (&[("when", "btc"), ("enabled", "maybe")], "`enabled` is true or false"),
        ] {
            let error = alert(entries).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
