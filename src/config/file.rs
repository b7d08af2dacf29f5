//! The config file: TOML in, names and texts with their line numbers out.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::text::nearest;

use super::settings::SETTINGS;

/// What a config file holds, not yet understood.
#[derive(Debug, Default)]
pub struct FileContent {
    /// Settings by key, as text, with their line.
    pub settings: Vec<(String, String, usize)>,
    /// Custom presets.
    pub presets: Vec<RawPreset>,
    /// Lists of pairs, by their names.
    pub watchlists: Vec<RawList>,
    /// Other names of symbols, by the symbols.
    pub aliases: Vec<RawList>,
    /// Keys of actions.
    pub keys: Vec<RawList>,
    /// Sets of columns.
    pub columns: Vec<RawList>,
}

/// A line of `[watchlists]`, `[aliases]`, `[keys]` or `[columns]`.
#[derive(Debug)]
pub struct RawList {
    /// What stands on its left.
    pub name: String,
    /// Its line.
    pub line: usize,
    /// The texts on its right.
    pub texts: Vec<String>,
}

/// A `[presets.NAME]` table.
#[derive(Debug)]
pub struct RawPreset {
    /// NAME.
    pub name: String,
    /// The line it starts on.
    pub line: usize,
    /// Its entries as text; those of `bands` as `bands.length`, `bands.mult`.
    pub entries: Vec<(String, String, usize)>,
}

/// A line that can't be read, and why.
#[derive(Debug)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// Why, with the cure.
    pub message: String,
}

/// Reads a config file's text.
pub fn parse(text: &str) -> Result<FileContent, BadLine> {
    let line_of = |at: usize| text.get(..at).map_or(1, |t| t.matches('\n').count() + 1);
    let table = DeTable::parse(text).map_err(|e| BadLine {
        line: e.span().map_or(1, |s| line_of(s.start)),
        message: e.message().to_owned(),
    })?;
    let mut content = FileContent::default();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let name = key.get_ref().to_string();
        if name == "presets" {
            content.presets = presets(value, &line_of)?;
        } else if name == "watchlists" {
            let wanted = "`watchlists` holds lists of pairs: NAME = [\"BTCUSDT\", \"ETHUSDT\"]";
            content.watchlists = lists(value, wanted, &line_of)?;
        } else if name == "aliases" {
            let wanted = "`aliases` holds names to type for symbols: \"币安人生USDT\" = [\"bianrensheng\"]";
            content.aliases = lists(value, wanted, &line_of)?;
        } else if name == "keys" {
            let wanted = "`keys` holds the keys of actions: refresh = [\"r\", \"ctrl-r\"]";
            content.keys = lists(value, wanted, &line_of)?;
        } else if name == "columns" {
            let wanted = "`columns` holds lists of columns: NAME = [\"sym\", \"last\", \"15m.dist\"]";
            content.columns = lists(value, wanted, &line_of)?;
        } else if SETTINGS.iter().any(|s| s.key == name) {
            let text = scalar(value.get_ref()).ok_or_else(|| BadLine {
                line,
                message: format!("`{name}` needs a plain value or a list of them"),
            })?;
            content.settings.push((name, text, line));
        } else {
            let known = SETTINGS.iter().map(|s| s.key);
            let known = known.chain(["presets", "watchlists", "aliases", "keys", "columns"]);
            return Err(BadLine { line, message: unknown(&name, known) });
        }
    }
    Ok(content)
}

const PRESET_KEYS: [&str; 11] = [
    "open",
    "high",
    "low",
    "close",
    "ma",
    "ma_source",
    "gradient",
    "bands",
    "depth",
    "bands.length",
    "bands.mult",
];

fn presets(
    value: &Spanned<DeValue<'_>>,
    line_of: &dyn Fn(usize) -> usize,
) -> Result<Vec<RawPreset>, BadLine> {
    let line = line_of(value.span().start);
    let wanted = "`presets` holds tables: [presets.NAME]";
    let tables = value.get_ref().as_table().ok_or(BadLine { line, message: wanted.into() })?;
    let mut out = Vec::new();
    for (name, body) in tables {
        let line = line_of(name.span().start);
        let body = body.get_ref().as_table().ok_or(BadLine { line, message: wanted.into() })?;
        let mut preset = RawPreset { name: name.get_ref().to_string(), line, entries: Vec::new() };
        flatten("", body, &mut preset.entries, line_of)?;
        out.push(preset);
    }
    Ok(out)
}

/// Texts by their names; a single one need not be a list.
fn lists(
    value: &Spanned<DeValue<'_>>,
    wanted: &str,
    line_of: &dyn Fn(usize) -> usize,
) -> Result<Vec<RawList>, BadLine> {
    let wrong = |line| BadLine { line, message: wanted.to_owned() };
    let lists = value.get_ref().as_table().ok_or_else(|| wrong(line_of(value.span().start)))?;
    let text = |v: &DeValue<'_>| if let DeValue::String(s) = v { Some(s.to_string()) } else { None };
    let mut out = Vec::new();
    for (name, list) in lists {
        let line = line_of(name.span().start);
        let texts: Option<Vec<String>> = match list.get_ref() {
            DeValue::Array(items) => items.iter().map(|v| text(v.get_ref())).collect(),
            one => text(one).map(|t| vec![t]),
        };
        let texts = texts.ok_or_else(|| wrong(line))?;
        out.push(RawList { name: name.get_ref().to_string(), line, texts });
    }
    Ok(out)
}

fn flatten(
    prefix: &str,
    table: &DeTable<'_>,
    out: &mut Vec<(String, String, usize)>,
    line_of: &dyn Fn(usize) -> usize,
) -> Result<(), BadLine> {
    for (key, value) in table {
        let line = line_of(key.span().start);
        let name = format!("{prefix}{}", key.get_ref());
        if !PRESET_KEYS.contains(&name.as_str()) {
            return Err(BadLine { line, message: unknown(&name, PRESET_KEYS) });
        }
        match value.get_ref() {
            DeValue::Table(inner) if prefix.is_empty() => flatten(&format!("{name}."), inner, out, line_of)?,
            other => {
                let text = scalar(other)
                    .ok_or_else(|| BadLine { line, message: format!("`{name}` needs a plain value") })?;
                out.push((name, text, line));
            }
        }
    }
    Ok(())
}

/// A scalar as text; a list of scalars joined by commas.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(s) => Some(s.to_string()),
        DeValue::Integer(i) => Some(i.to_string()),
        DeValue::Float(f) => Some(f.to_string()),
        DeValue::Boolean(b) => Some(b.to_string()),
        DeValue::Array(items) => {
            let parts: Option<Vec<_>> = items.iter().map(|v| scalar(v.get_ref())).collect();
            parts.map(|p| p.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("unknown key `{name}`; the nearest valid one is `{nearest}`"),
        None => format!("unknown key `{name}`; the valid ones are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_text_with_their_lines() {
        let content = parse("# a comment\ntop = 50\nintervals = [\"15m\", \"1h\"]\nascii = true\n").unwrap();
        let got: Vec<_> = content.settings.iter().map(|(k, v, l)| (k.as_str(), v.as_str(), *l)).collect();
        assert!(got.contains(&("top", "50", 2)), "{got:?}");
        assert!(got.contains(&("intervals", "15m,1h", 3)));
        assert!(got.contains(&("ascii", "true", 4)));
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_one() {
        let bad = parse("top = 5\nintervall = '1h'\n").unwrap_err();
        assert_eq!(
            (bad.line, bad.message.as_str()),
            (2, "unknown key `intervall`; the nearest valid one is `intervals`")
        );
    }

    #[test]
    fn keys_and_columns_are_lists_of_words() {
        let content = parse("[keys]\nrefresh = ['r', 'ctrl-r']\n[columns]\nmine = ['sym']\n").unwrap();
        assert_eq!((content.keys[0].name.as_str(), content.keys[0].line), ("refresh", 2));
        assert_eq!(
            (&content.keys[0].texts[1], &content.columns[0].texts[0]),
            (&"ctrl-r".into(), &"sym".into())
        );
        for (text, line, like) in
            [("[keys]\nrefresh = 5\n", 2, "keys of actions"), ("[columns]\na = [1]\n", 2, "lists of columns")]
        {
            let bad = parse(text).unwrap_err();
            assert!(bad.line == line && bad.message.contains(like), "{bad:?}");
        }
    }

    #[test]
    fn where_no_key_is_near_all_are_named() {
        let bad = parse("zzzzzz = 5\n").unwrap_err();
        assert!(
            bad.message.contains("the valid ones are") && bad.message.contains("intervals"),
            "{}",
            bad.message
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let bad = parse("top = 5\nquote = 'US\n").unwrap_err();
        assert_eq!(bad.line, 2);
    }

    #[test]
    fn presets_are_flattened_and_their_keys_checked() {
        let content = parse("[presets.mine]\nopen = 'EMA9'\nbands = { length = 20, mult = 2.5 }\n").unwrap();
        let preset = &content.presets[0];
        assert_eq!(preset.name, "mine");
        let keys: Vec<_> = preset.entries.iter().map(|(k, v, _)| format!("{k}={v}")).collect();
        assert!(keys.contains(&"bands.mult=2.5".to_owned()), "{keys:?}");
        let bad = parse("[presets.mine]\nopne = 'EMA9'\n").unwrap_err();
        assert!(bad.message.contains("`open`"), "{}", bad.message);
    }
}
