//! A program in a real pty, and the screen that a terminal would show.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::sgr::Depth;

/// How long a condition may take to come true. Long, since a loaded machine is slow, not wrong.
const PATIENCE: Duration = Duration::from_secs(40);

/// What the two sizes of most tests are: the least with all functions, and a roomy one.
pub const SIZES: [(u16, u16); 2] = [(80, 24), (120, 36)];

/// How many colours a terminal says it has, and how it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    True,
    Palette,
    Sixteen,
    None,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::True, Self::Palette, Self::Sixteen, Self::None];

    /// What the environment says of it.
    pub fn env(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::True => &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
            Self::Palette => &[("TERM", "xterm-256color")],
            Self::Sixteen => &[("TERM", "xterm")],
            Self::None => &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")],
        }
    }

    /// The richest colour that may be written to it.
    pub fn depth(self) -> Depth {
        match self {
            Self::True => Depth::True,
            Self::Palette => Depth::Palette,
            Self::Sixteen => Depth::Sixteen,
            Self::None => Depth::None,
        }
    }
}

/// Begins and ends a frame.
const FRAME: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");

/// A program and its screen.
pub struct Screen {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    shared: Arc<(Mutex<State>, Condvar)>,
}

struct State {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// So many of them the terminal has shown: not a frame that is half there.
    shown: usize,
    ended: bool,
    /// Nobody reads what the program writes, as in a frozen session.
    frozen: bool,
}

impl State {
    /// Takes what was written, at the end nothing. As terminals do that know of synchronized
    /// frames, one that has begun is shown when it has ended.
    fn take(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        self.ended = chunk.is_empty();
        let new = &self.bytes[self.shown..];
        let last = |what: &[u8]| new.windows(what.len()).rposition(|w| w == what);
        let begun = match (last(FRAME.0), last(FRAME.1)) {
            (Some(begun), ended) if ended.is_none_or(|ended| ended < begun) => begun,
            // The mark itself may have come in two pieces.
            _ => {
                let part = (1..FRAME.0.len()).rev().find(|n| new.ends_with(&FRAME.0[..*n]));
                new.len() - part.unwrap_or(0)
            }
        };
        let whole = if self.ended { new.len() } else { begun };
        self.parser.process(&new[..whole]);
        self.shown += whole;
    }
}

impl Screen {
    /// Starts `program` with `args` on a screen of `cols` by `rows`, with a bare environment.
    pub fn start(program: &str, args: &[&str], env: &[(&str, &str)], (cols, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        // No file of the person who runs the tests is read or written.
        let home = std::env::temp_dir().join(format!("hamatop-test-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        command.cwd(&home);
        command.env("HOME", home);
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let state = State {
            parser: vt100::Parser::new(cells(rows), cells(cols), 0),
            bytes: Vec::new(),
            shown: 0,
            ended: false,
            frozen: false,
        };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let writer_side = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut chunk = vec![0; 65_536];
            loop {
                // The slave's end shows as an error on Linux, as 0 bytes elsewhere.
                let n = reader.read(&mut chunk).unwrap_or(0);
                // Whoever held it has panicked: the test is over.
                let Ok(mut state) = writer_side.0.lock() else { return };
                state.take(&chunk[..n]);
                writer_side.1.notify_all();
                if n == 0 {
                    return;
                }
                drop(writer_side.1.wait_while(state, |s| s.frozen));
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, writer, shared }
    }

    /// Waits until the screen's text fulfils `condition`; panics with the screen when it never does.
    pub fn wait(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        self.wait_for(what, |state| Some(state.parser.screen().contents()).filter(|text| condition(text)))
    }

    /// The same of the screen's cells.
    pub fn wait_for_cells(&self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        self.wait_for(what, |state| condition(state.parser.screen()).then_some(()));
    }

    /// The same of what was written from `from` on; gives it.
    pub fn wait_for_bytes(&self, what: &str, from: usize, condition: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        self.wait_for(what, |state| {
            state.bytes.get(from..).filter(|bytes| condition(bytes)).map(<[u8]>::to_vec)
        })
    }

    fn wait_for<T>(&self, what: &str, look: impl Fn(&State) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.0.lock().unwrap();
        loop {
            if let Some(found) = look(&state) {
                return found;
            }
            let text = state.parser.screen().contents();
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never seen: {what}\n{text}");
            assert!(!state.ended, "the program ended before: {what}\n{text}");
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Has everything painted anew and waits for it; the text then.
    pub fn repaint(&mut self) -> String {
        let from = self.written();
        self.type_keys("\x0c");
        let whole = |bytes: &[u8]| {
            let cleared = bytes.windows(4).position(|w| w == b"\x1b[2J");
            cleared.is_some_and(|at| bytes[at..].windows(FRAME.1.len()).any(|w| w == FRAME.1))
        };
        self.wait_for_bytes("a whole frame", from, whole);
        self.text()
    }

    /// How many bytes were written so far.
    pub fn written(&self) -> usize {
        self.shared.0.lock().unwrap().bytes.len()
    }

    /// Waits until nothing has been written for a second; the text then.
    pub fn wait_for_rest(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.0.lock().unwrap();
        let mut seen = state.bytes.len();
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_secs(1) {
            assert!(Instant::now() < deadline, "it never rests\n{}", state.parser.screen().contents());
            state = self.shared.1.wait_timeout(state, Duration::from_millis(100)).unwrap().0;
            if state.bytes.len() != seen {
                (seen, since) = (state.bytes.len(), Instant::now());
            }
        }
        state.parser.screen().contents()
    }

    /// Types.
    pub fn type_keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Changes the size of the window.
    pub fn resize(&self, (cols, rows): (u16, u16)) {
        self.shared.0.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Stops reading what the program writes.
    pub fn freeze(&self) {
        self.shared.0.lock().unwrap().frozen = true;
    }

    /// Reads on.
    pub fn thaw(&self) {
        self.shared.0.lock().unwrap().frozen = false;
        self.shared.1.notify_all();
    }

    /// Waits for the end of the process alone; its output may never be read.
    pub fn wait_for_exit(&mut self) -> Duration {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        start.elapsed()
    }

    /// Sends a signal by name, as `kill -TERM` does.
    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        let status = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the program's end, and for its last output.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.0.lock().unwrap();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program does not end\n{}", state.parser.screen().contents());
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
        drop(state);
        self.child.wait().unwrap()
    }

    /// The text on the screen now.
    pub fn text(&self) -> String {
        self.shared.0.lock().unwrap().parser.screen().contents()
    }

    /// Everything written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.shared.0.lock().unwrap().bytes.clone()
    }

    /// That all between taking the screen and giving it back came in synchronized frames.
    pub fn assert_only_frames(&self) {
        let bytes = self.bytes();
        let find = |from: usize, what: &[u8]| {
            bytes[from..].windows(what.len()).position(|w| w == what).map(|at| from + at)
        };
        let mut at = find(0, FRAME.0).unwrap();
        while bytes[at..].starts_with(FRAME.0) {
            at = find(at, FRAME.1).unwrap() + FRAME.1.len();
        }
        let rest = &bytes[at..];
        let left = find(at, b"\x1b[?1049l");
        assert!(
            left.is_some_and(|end| end - at < 60),
            "outside of a frame: {:?}",
            String::from_utf8_lossy(rest)
        );
    }

    /// Whether the terminal is as a shell wants it: main screen, cursor shown, no mouse, no
    /// bracketed paste.
    pub fn assert_restored(&self) {
        let state = self.shared.0.lock().unwrap();
        let screen = state.parser.screen();
        let tail =
            String::from_utf8_lossy(&state.bytes[state.bytes.len().saturating_sub(400)..]).into_owned();
        assert!(!screen.alternate_screen(), "still on the alternate screen: {tail:?}");
        assert!(!screen.hide_cursor(), "the cursor is hidden: {tail:?}");
        assert!(!screen.bracketed_paste(), "bracketed paste is on: {tail:?}");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "{tail:?}");
    }
}

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A test that failed must not leave its program behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
