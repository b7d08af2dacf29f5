//! The terminal in a real pty: taken, painted, and given back on every way out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hamatop::app::value::Notation;
use hamatop::app::{App, AppConfig};
use hamatop::stopwatch::Stopwatch;
use hamatop::ui::event_loop::{UiConfig, Wires, run};
use hamatop::ui::theme::Theme;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

#[path = "support/fixture.rs"]
mod fixture;

const HOW: &str = "HAMATOP_TEST_WAY_OUT";

/// The program under test: this test binary again, told by a variable how to end.
#[test]
#[ignore = "started by the other tests, inside a pty"]
fn child() {
    let Ok(how) = std::env::var(HOW) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let picture = Arc::new(fixture::assorted());
    let (_pictures, snapshots) = watch::channel(Arc::clone(&picture));
    let (commands, _taken) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let wires = Wires { snapshots, commands, stopwatch: Stopwatch::start(), cancel: cancel.clone() };
    let app = App::new(AppConfig { notation: Notation::Unicode, replay: None }, picture);
    let config = UiConfig { theme: Theme::dark(), colors: how != "no-color", data_fps: 4 };
    let ended = runtime.block_on(async {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            match how.as_str() {
                "panic" => panic!("a part fell over"),
                "cancel" => cancel.cancel(),
                _ => {}
            }
        });
        run(app, wires, config).await
    });
    println!("ended: {ended:?}");
}

struct Pty {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
}

impl Pty {
    fn start(how: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--ignored", "--nocapture"]);
        command.env(HOW, how);
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let master = pair.master;
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut chunk) {
                sink.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
            drop(master);
        });
        Self { child, keys, bytes, reader }
    }

    fn screen(&self) -> vt100::Parser {
        let mut parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        parser.process(&self.bytes.lock().unwrap());
        parser
    }

    fn wait_for(&self, what: &str) -> vt100::Parser {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let parser = self.screen();
            if parser.screen().contents().contains(what) {
                return parser;
            }
            assert!(Instant::now() < end, "no {what:?} in\n{}", parser.screen().contents());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end and asserts that the terminal is as it was.
    fn given_back(mut self) -> String {
        let parser = self.wait_for("ended: ");
        self.child.wait().unwrap();
        drop(self.keys);
        self.reader.join().unwrap();
        let screen = parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        screen.contents()
    }
}

#[test]
fn quitting_gives_the_terminal_back() {
    let mut pty = Pty::start("quit");
    let parser = pty.wait_for("BTCUSDT");
    let screen = parser.screen();
    assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
    pty.keys.write_all(b"/btc").unwrap();
    pty.wait_for("1 of 12 match");
    pty.keys.write_all(b"\r").unwrap();
    pty.keys.write_all(b"q").unwrap();
    assert!(pty.given_back().contains("ended: Ok(Quit)"));
}

#[test]
fn being_told_to_end_gives_the_terminal_back() {
    assert!(Pty::start("cancel").given_back().contains("ended: Ok(Cancelled)"));
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_message() {
    let text = Pty::start("panic").given_back();
    assert!(text.contains("a part fell over") && text.contains("ended: Ok(Cancelled)"), "{text}");
}

#[test]
fn without_colours_no_colour_is_sent() {
    let mut pty = Pty::start("no-color");
    pty.wait_for("BTCUSDT");
    pty.keys.write_all(b"q").unwrap();
    let bytes = Arc::clone(&pty.bytes);
    pty.given_back();
    let text = String::from_utf8_lossy(&bytes.lock().unwrap()).into_owned();
    for sequence in text.split("\x1b[").skip(1) {
        let (codes, end) = sequence.split_at(sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap());
        if end.starts_with('m') {
            let colour =
                |c: &str| c.parse::<u32>().is_ok_and(|n| (30..=48).contains(&n) || (90..=107).contains(&n));
            assert!(!codes.split(';').any(colour), "{codes}m");
        }
    }
}
