//! A program in a real pty, and the screen that a terminal would show.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a condition may take to come true. Long, since a loaded machine is slow, not wrong.
const PATIENCE: Duration = Duration::from_secs(40);

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
    ended: bool,
    /// Nobody reads what the program writes, as in a frozen session.
    frozen: bool,
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
                let mut state = writer_side.0.lock().unwrap();
                if n == 0 {
                    state.ended = true;
                } else {
                    state.parser.process(&chunk[..n]);
                    state.bytes.extend_from_slice(&chunk[..n]);
                }
                writer_side.1.notify_all();
                if n == 0 {
                    return;
                }
                drop(writer_side.1.wait_while(state, |s| s.frozen).unwrap());
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, writer, shared }
    }

    /// Waits until the screen's text fulfils `condition`; panics with the screen when it never does.
    pub fn wait(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.0.lock().unwrap();
        loop {
            let text = state.parser.screen().contents();
            if condition(&text) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never seen: {what}\n{text}");
            assert!(!state.ended, "the program ended before: {what}\n{text}");
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
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
