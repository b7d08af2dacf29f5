//! What reaches the user past the screen: the clipboard, notifications, the browser.
//!
//! Everything here is sent between two frames, by the screen's own writer, and is clean text before
//! it comes near an escape.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::domain::text::{CleanText, is_unsafe};

/// The most that is copied: terminals take 100,000 bytes of a sequence.
pub const MAX_COPY: usize = 74_994;

/// A clipboard that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a program is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);
/// Browsers that are being started at once. One may stay for as long as it is open.
const PAGES: usize = 4;

/// What stands between the program and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    /// Nothing.
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// How the user is told where the screen is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Not at all.
    Off,
    /// By the bell alone.
    Bell,
    /// By the bell and iTerm2's sequence.
    Osc9,
    /// By the bell and urxvt's.
    Osc777,
}

/// Terminals that are known to show notifications: a variable, what it begins with, and how.
const KNOWN: [(&str, &str, Notify); 13] = [
    ("TERM", "xterm-kitty", Notify::Osc9),
    ("TERM", "xterm-ghostty", Notify::Osc9),
    ("TERM", "foot", Notify::Osc777),
    ("TERM", "rxvt-unicode", Notify::Osc777),
    ("TERM", "wezterm", Notify::Osc9),
    ("TERM_PROGRAM", "iTerm", Notify::Osc9),
    ("TERM_PROGRAM", "WezTerm", Notify::Osc9),
    ("TERM_PROGRAM", "ghostty", Notify::Osc9),
    ("TERM_PROGRAM", "kitty", Notify::Osc9),
    ("LC_TERMINAL", "iTerm2", Notify::Osc9),
    ("KITTY_WINDOW_ID", "", Notify::Osc9),
    ("WEZTERM_PANE", "", Notify::Osc9),
    ("VTE_VERSION", "", Notify::Osc777),
];

/// What is known of the way to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// What stands between.
    pub multiplexer: Multiplexer,
    /// How the user is told.
    pub notify: Notify,
    /// Whether the terminal is on another machine.
    pub over_ssh: bool,
    /// The program that shows a page in a browser here.
    pub opener: Option<&'static str>,
}

impl Outside {
    /// As the environment says.
    pub fn of(var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| var(name).filter(|v| !v.is_empty());
        let multiplexer = if var("TMUX").is_some() {
            Multiplexer::Tmux
        } else if var("STY").is_some() {
            Multiplexer::Screen
        } else {
            Multiplexer::None
        };
        let found = KNOWN.iter().find(|(name, begin, _)| var(name).is_some_and(|v| v.starts_with(begin)));
        let over_ssh = var("SSH_CONNECTION").is_some() || var("SSH_TTY").is_some();
        // Without a display it would start a browser in the terminal that is ours.
        let display = var("DISPLAY").or(var("WAYLAND_DISPLAY")).is_some();
        let opener = match (over_ssh, cfg!(target_os = "macos")) {
            (true, _) => None,
            (false, true) => Some("open"),
            (false, false) => display.then_some("xdg-open"),
        };
        Self { multiplexer, notify: found.map_or(Notify::Bell, |(_, _, n)| *n), over_ssh, opener }
    }

    /// What puts a text on the clipboard of the terminal's machine.
    pub fn copy(&self, text: &str) -> Vec<u8> {
        let payload = STANDARD.encode(clean_lines(text));
        self.wrap(format!("\x1b]52;c;{payload}\x07").into_bytes())
    }

    /// What tells the user of something.
    pub fn notify(&self, text: &str) -> Vec<u8> {
        let text = CleanText::new(text);
        let sequence = match (self.notify, self.multiplexer) {
            (Notify::Off, _) => return Vec::new(),
            // screen has no way for it.
            (Notify::Bell, _) | (_, Multiplexer::Screen) => String::new(),
            // The word before it: a text that began with a figure would be another command.
            (Notify::Osc9, _) => format!("\x1b]9;hamatop: {text}\x07"),
            (Notify::Osc777, _) => format!("\x1b]777;notify;hamatop;{text}\x07"),
        };
        let mut out = if sequence.is_empty() { Vec::new() } else { self.wrap(sequence.into_bytes()) };
        // Last, and bare: it is what a multiplexer itself marks the window for.
        out.push(b'\x07');
        out
    }

    /// Past a multiplexer, which would keep what it does not know.
    fn wrap(&self, sequence: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::with_capacity(sequence.len() + 16);
        match self.multiplexer {
            Multiplexer::None => return sequence,
            Multiplexer::Tmux => {
                out.extend_from_slice(b"\x1bPtmux;");
                for byte in sequence {
                    if byte == b'\x1b' {
                        out.push(byte);
                    }
                    out.push(byte);
                }
                out.extend_from_slice(b"\x1b\\");
            }
            Multiplexer::Screen => {
                // Longer strings it cuts.
                for part in sequence.chunks(250) {
                    out.extend_from_slice(b"\x1bP");
                    out.extend_from_slice(part);
                    out.extend_from_slice(b"\x1b\\");
                }
            }
        }
        out
    }
}

/// Lines and tabs stay, whatever else a shell could take for a command does not.
fn clean_lines(text: &str) -> String {
    let clean = |c| if is_unsafe(c) && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(clean).collect()
}

/// Whether a text is a web address and nothing else.
pub(super) fn is_address(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.len() <= 2_000 && url.bytes().all(|b| b.is_ascii_graphic())
}

/// What another program could not do, to be done in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// tmux did not take this for the clipboard.
    Copy(String),
    /// This page was not opened.
    Open(String),
}

/// How many other programs may run for us at once: a key held down starts no crowd of them.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    pub(super) copy: Arc<Semaphore>,
    pub(super) page: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { copy: Arc::new(Semaphore::new(1)), page: Arc::new(Semaphore::new(PAGES)) }
    }
}

/// Gives a text to tmux, which knows the way to each of its terminals' clipboards. On a thread:
/// programs may hang.
pub(super) fn copy_by_tmux(
    text: &str,
    turn: OwnedSemaphorePermit,
    failed: mpsc::Sender<Failed>,
) -> io::Result<()> {
    let text = clean_lines(text);
    thread::Builder::new().name("clipboard".into()).spawn(move || {
        let mut tmux = Command::new("tmux");
        tmux.args(["load-buffer", "-w", "-"]);
        let is_done = feed(&mut tmux, text.clone().into_bytes(), PATIENCE);
        drop(turn);
        if !is_done {
            drop(failed.try_send(Failed::Copy(text)));
        }
    })?;
    Ok(())
}

/// Shows a page in the browser of this machine.
pub(super) fn open(
    opener: &'static str,
    url: String,
    turn: OwnedSemaphorePermit,
    failed: mpsc::Sender<Failed>,
) -> io::Result<()> {
    thread::Builder::new().name("browser".into()).spawn(move || {
        let mut browser = Command::new(opener);
        browser.arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let is_done = browser.status().is_ok_and(|status| status.success());
        drop(turn);
        if !is_done {
            drop(failed.try_send(Failed::Open(url)));
        }
    })?;
    Ok(())
}

/// Runs a program that has nothing to say to the terminal, for so long at most; whether it did its
/// work.
fn feed(command: &mut Command, input: Vec<u8>, patience: Duration) -> bool {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    let Some(mut stdin) = child.stdin.take() else { return false };
    // A pipe takes 64 KB, and then nothing until somebody reads. It ends with the program.
    let writing = thread::Builder::new().spawn(move || stdin.write_all(&input).is_ok());
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let written = writing.is_ok_and(|w| w.join().is_ok_and(|written| written));
                return status.success() && written;
            }
            Ok(None) if begun.elapsed() < patience => thread::sleep(LOOK),
            Ok(None) | Err(_) => {
                drop(child.kill());
                drop(child.wait());
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Outside {
        Outside::of(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_copy_is_one_sequence_and_passes_multiplexers() {
        assert_eq!(text(of(&[]).copy("BTCUSDT\n币\x1b[2J")), {
            let payload = STANDARD.encode("BTCUSDT\n币\u{fffd}[2J");
            format!("\x1b]52;c;{payload}\x07")
        });
        assert_eq!(text(of(&[("TMUX", "x")]).copy("A")), "\x1bPtmux;\x1b\x1b]52;c;QQ==\x07\x1b\\");
        let long = text(of(&[("STY", "x")]).copy(&"A".repeat(600)));
        let parts: Vec<&str> = long.split_terminator("\x1b\\").collect();
        assert!(parts.len() > 3 && parts.iter().all(|p| p.starts_with("\x1bP") && p.len() <= 252));
        let joined: String = parts.iter().map(|p| &p[2..]).collect();
        assert_eq!(joined, text(of(&[]).copy(&"A".repeat(600))));
    }

    #[test]
    fn a_notification_is_what_the_terminal_knows_and_always_rings() {
        let said = |vars: &[(&str, &str)]| text(of(vars).notify("4;1\x07x"));
        assert_eq!(said(&[("TERM", "xterm-256color")]), "\x07");
        assert_eq!(said(&[("TERM", "xterm-kitty")]), "\x1b]9;hamatop: 4;1\u{fffd}x\x07\x07");
        assert_eq!(said(&[("VTE_VERSION", "7000")]), "\x1b]777;notify;hamatop;4;1\u{fffd}x\x07\x07");
        let in_tmux = said(&[("TERM", "tmux-256color"), ("TMUX", "x"), ("VTE_VERSION", "7000")]);
        assert!(in_tmux.starts_with("\x1bPtmux;\x1b\x1b]777;") && in_tmux.ends_with("\x07\x1b\\\x07"));
        assert_eq!(said(&[("STY", "x"), ("TERM_PROGRAM", "iTerm.app")]), "\x07");
        assert_eq!(Outside { notify: Notify::Off, ..of(&[]) }.notify("x"), b"");
    }

    #[test]
    fn a_browser_is_opened_where_there_is_a_display_and_the_terminal_is_here() {
        if cfg!(target_os = "linux") {
            assert_eq!(of(&[("DISPLAY", ":0")]).opener, Some("xdg-open"));
            assert_eq!(of(&[]).opener, None);
        }
        assert_eq!(of(&[("DISPLAY", ":0"), ("SSH_TTY", "/dev/pts/1")]).opener, None);
        assert!(is_address("https://www.binance.com/en/futures/BTCUSDT"));
        for bad in ["ftp://x", "https://a b", "https://a\x1b", "--help", "https://币"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_program_that_fails_is_known() {
        let run = |name| feed(&mut Command::new(name), Vec::new(), Duration::from_secs(20));
        assert!(run("true") && !run("false") && !run("hamatop-no-such-program"));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let begun = Instant::now();
        let much = vec![b'x'; 1 << 20];
        assert!(!feed(Command::new("sleep").arg("60"), much, Duration::from_millis(20)));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
