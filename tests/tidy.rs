//! The house rules that a compiler does not hold: which layer may import which, how long a file
//! may be, and what must not stand in the sources.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom. A new edge is a visible edit of this table.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("stopwatch", &["domain"]),
    ("schedule", &["domain"]),
    ("market", &["domain", "schedule"]),
    ("rule", &["domain", "market"]),
    ("exchange", &["domain", "stopwatch"]),
    ("engine", &["domain", "stopwatch", "schedule", "market", "rule", "exchange"]),
    ("app", &["domain", "schedule", "market", "rule", "engine"]),
    ("ui", &["domain", "stopwatch", "schedule", "market", "rule", "engine", "app"]),
    ("report", &["domain", "market", "rule", "app"]),
    ("sim", &["domain", "stopwatch"]),
    ("config", &["domain", "market", "rule"]),
    ("telemetry", &[]),
    (
        "run",
        &[
            "domain",
            "stopwatch",
            "market",
            "rule",
            "exchange",
            "engine",
            "app",
            "ui",
            "rule",
            "report",
            "sim",
            "config",
            "telemetry",
        ],
    ),
    ("cli", &["domain", "stopwatch", "config", "run", "report", "sim", "rule"]),
];

/// What the pure layers must not name.
const IMPURE: &[&str] =
    &["std::time::Instant", "SystemTime", "tokio::", "std::fs", "std::net", "std::env", "reqwest", "serde"];
const PURE: &[&str] = &["domain", "schedule", "market", "rule", "app"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries.map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.to_string_lossy().ends_with(ending) {
                out.push(entry);
            }
        }
    }
    out.sort();
    out
}

/// The sources with their text, but not files that hold only unit tests.
fn sources() -> Vec<(PathBuf, String)> {
    let only_tests = |f: &PathBuf| {
        f.file_stem().is_some_and(|s| s == "tests" || s == "testing")
            || f.to_string_lossy().contains("/tests/")
    };
    let files = files(&root().join("src"), ".rs").into_iter().filter(|f| !only_tests(f));
    files.map(|f| (f.clone(), fs::read_to_string(f).unwrap())).collect()
}

/// `src/domain/kline.rs` → `domain`; `None` for `lib.rs` and `main.rs`, which tie it all together.
fn layer(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).ok()?;
    let first = inside.components().next()?.as_os_str().to_string_lossy().into_owned();
    let name = first.trim_end_matches(".rs").to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// The code of a file, without comments and without its unit tests.
fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = shipped.lines().map(|l| l.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Every `X` of `crate::X` in some code, with `use crate::{a::…, b}` opened up.
fn imports(code: &str) -> BTreeSet<String> {
    let word =
        |s: &str| s.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut out = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            out.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    out.insert(word(&group[start..i]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    out.insert(word(&group[start..i]));
                    start = i + 1;
                }
                _ => {}
            }
        }
    }
    out.remove("");
    out
}

#[test]
fn layers_point_one_way() {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (file, text) in sources() {
        let Some(layer) = layer(&file) else { continue };
        let Some(may) = allowed.get(layer.as_str()) else {
            wrong.push(format!("{}: layer `{layer}` is not in the table", file.display()));
            continue;
        };
        for import in imports(&code(&text)) {
            used.insert((layer.clone(), import.clone()));
            if import != layer && !may.contains(&import.as_str()) {
                wrong.push(format!("{}: `{layer}` must not import `{import}`", file.display()));
            }
        }
    }
    // An edge nobody uses would let a new one in unseen.
    for (layer, may) in ALLOWED {
        for import in may.iter().filter(|i| !used.contains(&((*layer).to_owned(), (**i).to_owned()))) {
            wrong.push(format!(
                "`{layer}` may import `{import}` and does not: take the edge out of the table"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_reader_sees_what_it_should() {
    let found = imports("use crate::{domain::a::{B, C}, ui::d, exchange};\nlet x = crate::sim::f();");
    assert_eq!(found, ["domain", "exchange", "sim", "ui"].map(String::from).into());
}

#[test]
fn pure_layers_name_nothing_impure() {
    let mut wrong = Vec::new();
    for (file, text) in sources().iter().filter(|(f, _)| layer(f).is_some_and(|l| PURE.contains(&l.as_str())))
    {
        let text = code(text);
        for word in IMPURE.iter().filter(|w| text.contains(**w)) {
            wrong.push(format!("{}: {word}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_readable() {
    let mut long = Vec::new();
    for (file, text) in sources() {
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
        if lines > 500 {
            long.push(format!("{}: {lines} lines without tests", file.display()));
        }
        assert!(!file.ends_with("mod.rs"), "{}: name it after its folder", file.display());
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn tasks_are_owned_and_nothing_is_shared_behind_a_lock() {
    let mut wrong = Vec::new();
    // The embedded exchange is a server of its own, with state that many connections share.
    for (file, text) in sources().iter().filter(|(f, _)| layer(f).is_some_and(|l| l != "sim")) {
        let text = code(text);
        for word in ["tokio::spawn", "unbounded_channel", "Mutex<", "RwLock<", "static mut", "lazy_static"] {
            if text.contains(word) {
                wrong.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_names_a_place_that_users_do_not_have() {
    let mut wrong = Vec::new();
    for dir in ["src", "tests", "benches", "themes", "screenshots"] {
        for file in files(&root().join(dir), "").into_iter().filter(|f| !f.ends_with("tests/tidy.rs")) {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            for word in ["/work/", "/root/", "/home/"].iter().filter(|w| text.contains(**w)) {
                wrong.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `item_12` and `fault_07` of `fn item_12_fault_07_one_candle…`.
fn numbered(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let line = line.trim_start();
    let Some(mut rest) = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ") else {
        return found;
    };
    while let Some(family) = ["item_", "fault_"].into_iter().find(|f| rest.starts_with(f)) {
        let end = family.len() + 2;
        if rest.as_bytes().get(end) != Some(&b'_') {
            break;
        }
        found.push(rest[..end].to_owned());
        rest = &rest[end + 1..];
    }
    found
}

#[test]
fn each_line_of_the_checklist_has_a_test_and_each_such_test_a_line() {
    let list = fs::read_to_string(root().join("tests/checklist.md")).unwrap();
    let of_row = |l: &str| l.strip_prefix("| ")?.split(' ').next().map(str::to_owned);
    let wanted: BTreeSet<String> = list.lines().filter_map(of_row).filter(|w| w.contains('_')).collect();
    let mut found = BTreeSet::new();
    for dir in ["src", "tests"] {
        for file in files(&root().join(dir), ".rs") {
            let text = fs::read_to_string(file).unwrap();
            found.extend(text.lines().flat_map(numbered));
        }
    }
    let lacking: Vec<_> = wanted.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&wanted).collect();
    assert!(lacking.is_empty() && unknown.is_empty(), "no test: {lacking:?}; no line: {unknown:?}");
    assert!(wanted.len() >= 60, "{}", wanted.len());
}

#[test]
fn the_machines_clock_is_read_in_one_place() {
    let product = |(file, text): &&(PathBuf, String)| {
        layer(file).is_some_and(|l| !matches!(l.as_str(), "stopwatch" | "sim"))
            && code(text).contains("SystemTime")
    };
    let found: Vec<_> = sources().iter().filter(product).map(|(f, _)| f.display().to_string()).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
