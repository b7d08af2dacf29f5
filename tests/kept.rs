//! What outlives the program, through its front door: two runs in a real pty, one state folder.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code, reason = "a test")]

#[path = "pty/screen.rs"]
mod screen;
#[path = "pty/sgr.rs"]
mod sgr;

use std::path::{Path, PathBuf};

use screen::Screen;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hamatop");
/// Nobody listens there, and nothing here needs data.
const NOWHERE: [&str; 4] = ["--rest-url", "http://127.0.0.1:1", "--ws-url", "ws://127.0.0.1:1"];

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hamatop-state-{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    folder
}

fn start(args: &[&str], state: &Path) -> Screen {
    Screen::start(PROGRAM, args, &[("XDG_STATE_HOME", state.to_str().unwrap())], (100, 30))
}

#[test]
fn the_program_goes_on_where_it_was_left_however_it_ended() {
    let state = folder("ends");
    let mut first = start(&NOWHERE, &state);
    first.wait("a greeting", |t| t.contains("Welcome."));
    first.type_keys("w");
    first.wait("the next columns", |t| t.contains("bands") && !t.contains("Welcome."));
    first.type_keys("Q");
    assert!(first.wait_for_end().success());
    let file = state.join("hamatop/view.toml");
    assert!(std::fs::read_to_string(&file).unwrap().contains("columns = \"bands\""));

    let mut second = start(&NOWHERE, &state);
    second.wait("the same columns", |t| t.contains("bands") && !t.contains("Welcome."));
    second.type_keys("/btc\rw");
    second.wait("others", |t| t.contains("figures"));
    second.signal("TERM");
    second.wait_for_end();
    let third = start(&NOWHERE, &state);
    third.wait("what was changed last", |t| t.contains("/ btc") && t.contains(" figures"));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("filter = \"btc\"") && kept.contains("history = [\"btc\"]"), "{kept}");
    drop(third);
    std::fs::remove_dir_all(&state).unwrap();
}

#[test]
fn a_broken_file_is_told_put_aside_and_in_nobodys_way() {
    let state = folder("broken");
    let file = state.join("hamatop/view.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "version = 1\nview = \"nowhere\"\n").unwrap();
    let mut screen = start(&NOWHERE, &state);
    screen.wait("a sentence", |t| t.contains("view.toml") && t.contains("nowhere"));
    assert!(file.with_file_name("view.toml.aside").exists() && !file.exists());
    screen.type_keys("wQ");
    assert!(screen.wait_for_end().success());
    assert!(std::fs::read_to_string(&file).unwrap().contains("bands"));
    std::fs::remove_dir_all(&state).unwrap();
}

#[test]
fn the_demo_keeps_nothing() {
    let state = folder("demo");
    let mut screen = start(&["demo"], &state);
    screen.wait("the first picture", |t| t.contains("Welcome."));
    screen.type_keys("w");
    screen.wait("the next columns", |t| t.contains("bands"));
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    assert!(!state.join("hamatop/view.toml").exists());
    drop(std::fs::remove_dir_all(&state));
}
