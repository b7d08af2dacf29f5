//! What the machine itself brings: settings, files, the terminal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use super::verdict::{Check, Finding, State};
use crate::app::layout::{MIN_COLS, MIN_ROWS};
use crate::app::value::Notation;
use crate::config::color::Depth;
use crate::config::{Config, Origin};
use crate::telemetry;

/// The findings about this machine.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    vec![settings(config), files(), terminal(&TerminalFacts::gather(config))]
}

fn settings(config: &Config) -> Finding {
    let set = config.origins.iter().filter(|(_, (_, origin))| *origin != Origin::Default);
    let names: Vec<&str> = set.map(|(key, _)| *key).collect();
    let what = match names.as_slice() {
        [] => "the defaults".to_owned(),
        names => format!("set: {}", names.join(", ")),
    };
    let plain = [config.rest_url.as_deref(), config.ws_url.as_deref()]
        .into_iter()
        .flatten()
        .find(|url| is_readable(url));
    match plain {
        None => Finding::new(Check::Config, None, State::Ok, what),
        Some(url) => Finding::new(
            Check::Config,
            None,
            State::Warn,
            format!("{what}; {url} is without TLS: anybody on the way can change the prices"),
        )
        .cure("use https:// and wss:// for other machines"),
    }
}

/// Without TLS, and not on this machine.
fn is_readable(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://")) else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    !["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

fn files() -> Finding {
    let Some(folder) = telemetry::state_folder() else {
        return Finding::new(Check::Files, None, State::Warn, "no home folder, so no log file")
            .cure("set HOME or XDG_STATE_HOME");
    };
    let shown = folder.display();
    match writable(&folder) {
        Ok(()) => Finding::new(Check::Files, None, State::Ok, format!("{shown} can be written")),
        Err(e) => Finding::new(
            Check::Files,
            None,
            State::Warn,
            format!("{shown} can't be written ({e}), so there is no log"),
        )
        .cure("make it yours, or point XDG_STATE_HOME elsewhere"),
    }
}

fn writable(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    fs::write(&probe, b"")?;
    fs::remove_file(&probe)
}

/// What is known of the terminal.
struct TerminalFacts {
    is_one: bool,
    size: Option<(u16, u16)>,
    term: Option<String>,
    notation: Notation,
    colors: Depth,
    tmux: bool,
}

impl TerminalFacts {
    fn gather(config: &Config) -> Self {
        let var = |name: &str| std::env::var(name).ok();
        let (all, ctype, lang) = (var("LC_ALL"), var("LC_CTYPE"), var("LANG"));
        let is_one = io::stdout().is_terminal();
        Self {
            is_one,
            size: if is_one { crossterm::terminal::size().ok() } else { None },
            notation: Notation::for_locale(all.as_deref(), ctype.as_deref(), lang.as_deref()),
            colors: config.depth(var),
            term: var("TERM"),
            tmux: var("TMUX").is_some(),
        }
    }
}

fn terminal(t: &TerminalFacts) -> Finding {
    let finding = |state, what: String| Finding::new(Check::Terminal, None, state, what);
    let term = t.term.as_deref().unwrap_or("not set");
    if !t.is_one {
        return finding(State::Off, format!("stdout is none (TERM {term}): hamatop prints the table once"));
    }
    let size = t.size.map_or("unknown size".to_owned(), |(cols, rows)| format!("{cols}x{rows}"));
    let signs = if t.notation == Notation::Unicode { "UTF-8 signs" } else { "ASCII signs, by the locale" };
    let colors = t.colors.name();
    let tmux = if t.tmux { ", inside tmux" } else { "" };
    let what = format!("{size}, TERM {term}{tmux}, {colors}, {signs}");
    if t.size.is_some_and(|(cols, rows)| cols < MIN_COLS || rows < MIN_ROWS) {
        finding(State::Warn, what).cure(format!("make it at least {MIN_COLS}x{MIN_ROWS}"))
    } else if t.tmux && !term.starts_with("tmux") && !term.starts_with("screen") {
        finding(State::Warn, what).cure("in ~/.tmux.conf: set -g default-terminal tmux-256color")
    } else if t.term.is_none() || term == "dumb" {
        finding(State::Warn, what)
            .cure("set TERM, such as xterm-256color; else hamatop prints the table once")
    } else {
        finding(State::Ok, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_judged_by_what_the_screen_needs() {
        let facts = |size, term: &str, tmux| TerminalFacts {
            is_one: true,
            size: Some(size),
            term: Some(term.into()),
            notation: Notation::Unicode,
            colors: Depth::Indexed,
            tmux,
        };
        for (facts, state, part) in [
            (facts((80, 24), "xterm-256color", false), State::Ok, "80x24"),
            (facts((59, 24), "xterm-256color", false), State::Warn, "60x16"),
            (facts((80, 24), "xterm-256color", true), State::Warn, "tmux-256color"),
            (facts((80, 24), "tmux-256color", true), State::Ok, "inside tmux"),
            (facts((80, 24), "dumb", false), State::Warn, "xterm-256color"),
            (TerminalFacts { is_one: false, ..facts((80, 24), "x", false) }, State::Off, "once"),
        ] {
            let found = terminal(&facts);
            assert_eq!(found.state, state, "{found:?}");
            assert!(format!("{found:?}").contains(part), "{found:?}");
        }
    }

    #[test]
    fn prices_that_can_be_changed_on_the_way_are_named() {
        assert!(is_readable("http://10.0.0.7:80/x") && is_readable("ws://example.org"));
        assert!(
            !is_readable("https://example.org")
                && !is_readable("http://127.0.0.1:9")
                && !is_readable("ws://[::1]:9")
        );
    }
}
