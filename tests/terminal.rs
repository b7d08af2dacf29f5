//! The terminal program in a real pty, seen as a terminal would show it.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test")]

#[cfg(target_os = "linux")]
#[path = "pty/orphan.rs"]
mod orphan;
#[path = "pty/screen.rs"]
mod screen;

use hamatop::ui::terminal::{Mouse, Terminal};
use screen::Screen;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hamatop");

fn demo(size: (u16, u16)) -> Screen {
    Screen::start(PROGRAM, &["demo"], &[], size)
}

/// All 24 pairs loaded: the warm-up line is gone and every row has a score.
fn warm(text: &str) -> bool {
    text.contains("BTCUSDT") && !text.contains("warm-up")
}

#[test]
fn the_demo_fills_says_what_it_is_filters_and_quits_clean() {
    let mut screen = demo((120, 36));
    let text = screen.wait("a warm table", |t| warm(t) && t.contains("ETHUSDT"));
    assert!(text.contains("DEMO"), "{text}");
    assert!(text.contains("2025-10-1"), "the replayed time is on the screen at all times\n{text}");
    screen.type_keys("/doge\r");
    let text = screen.wait("the filter", |t| t.contains("DOGEUSDT") && !t.contains("ETHUSDT"));
    assert!(text.contains("1 of 24"), "{text}");
    screen.type_keys("\\");
    screen.wait("all rows again", |t| t.contains("ETHUSDT"));
    screen.type_keys("?");
    screen.wait("the help", |t| t.contains("Esc closes"));
    screen.type_keys("\x1b");
    // Escape and a digit in one read would be Alt and the digit.
    screen.wait("the table behind it", |t| t.contains("ETHUSDT") && !t.contains("Esc closes"));
    screen.type_keys("4");
    screen.wait("the cache view", |t| t.contains("klines") && t.contains("hit rate"));
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    screen.assert_restored();
}

#[test]
fn small_windows_are_drawn_and_tiny_ones_say_what_they_need() {
    let screen = demo((80, 24));
    let text = screen.wait("a warm table", |t| t.contains("PEPEUSDT") && t.contains("DEMO"));
    assert!(text.lines().all(|l| l.chars().count() <= 80));
    screen.resize((10, 3));
    screen.wait("the notice", |t| t.trim() == "60x16");
    screen.resize((120, 36));
    screen.wait("the table again", |t| t.contains("BTCUSDT") && t.contains("ETHUSDT"));
}

#[test]
fn fault_34_signals_give_the_terminal_back() {
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        let mut screen = demo((80, 24));
        screen.wait("the first frame", |t| t.contains("DEMO"));
        screen.signal(signal);
        assert!(screen.wait_for_end().success(), "SIG{signal}");
        screen.assert_restored();
    }
}

#[test]
fn fault_34_stopped_and_continued_it_goes_on_from_the_newest() {
    let mut screen = demo((120, 36));
    screen.wait("a warm table", warm);
    screen.signal("STOP");
    // The exchange, in the same process, stands meanwhile; sockets and timers find a jump.
    std::thread::sleep(std::time::Duration::from_secs(2));
    screen.signal("CONT");
    screen.type_keys("/doge\r");
    screen.wait("the filter", |t| t.contains("DOGEUSDT") && !t.contains("ETHUSDT"));
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    screen.assert_restored();
}

#[test]
fn fault_34_a_blocked_terminal_does_not_keep_the_program_from_ending() {
    let mut screen = Screen::start(PROGRAM, &["demo", "--speed", "600", "--data-fps", "30"], &[], (200, 60));
    screen.wait("rows", |t| t.contains("BTCUSDT"));
    screen.freeze();
    // Enough frames to fill what the system buffers between a program and its terminal.
    std::thread::sleep(std::time::Duration::from_secs(2));
    screen.signal("TERM");
    screen.wait_for_exit();
}

/// Nothing is drawn on a screen too small for anything, so that no write fails; and the reader of
/// keys says nothing of a terminal that is gone.
#[cfg(target_os = "linux")]
#[test]
fn fault_34_a_terminal_that_hangs_up_without_a_signal_ends_the_program() {
    for size in [(10, 3), (12, 4)] {
        let id = orphan::start_and_hang_up(PROGRAM, size);
        let ended = orphan::wait_for_end(id, std::time::Duration::from_secs(20));
        assert!(ended.is_ok(), "it runs on without a terminal: {ended:?}");
    }
}

/// Sizes as fast as the system takes them, among them the least and the largest: no panic, and the
/// last one is drawn, cell by cell as if it had always been so.
#[test]
fn fault_35_a_storm_of_sizes_is_survived() {
    let mut screen = Screen::start(PROGRAM, &["demo", "--speed", "0"], &[], (120, 36));
    let settled = |t: &str| warm(t) && t.contains("ETHUSDT") && t.contains(" j k move");
    screen.wait("a warm table", settled);
    let before = screen.wait_for_rest();
    assert!(settled(&before), "{before}");
    let odd = [(1, 1), (500, 200), (2, 1), (1, 200), (500, 1), (60, 16), (59, 15), (61, 17), (7, 3)];
    for round in 0..1_000_u32 {
        let step = u16::try_from(round * 7 % 199).unwrap();
        let size =
            if round % 3 == 0 { odd[round as usize / 3 % odd.len()] } else { (1 + step * 5 / 2, 1 + step) };
        screen.resize(size);
        if round % 100 == 0 {
            // No Escape: in one read with what follows it would be Alt.
            screen.type_keys("j4?q1gk");
        }
    }
    screen.resize((120, 36));
    // What was cleared and what was written as blank look the same.
    let same = |t: &str| t.lines().map(str::trim_end).eq(before.lines().map(str::trim_end));
    screen.wait("the same picture", same);
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    screen.assert_restored();
}

/// The other half of the next test: runs only when that test starts this file in a pty.
#[test]
fn panic_inside_the_screen() {
    if std::env::var_os("HAMATOP_TEST_PANIC").is_some() {
        let cancel = tokio_util::sync::CancellationToken::new();
        let _screen = Terminal::enter(cancel, Mouse::Ours).unwrap();
        panic!("on purpose");
    }
}

#[test]
fn fault_34_a_panic_gives_the_terminal_back() {
    let this = std::env::current_exe().unwrap();
    let args = ["--exact", "panic_inside_the_screen", "--nocapture"];
    let mut screen = Screen::start(this.to_str().unwrap(), &args, &[("HAMATOP_TEST_PANIC", "1")], (80, 24));
    assert!(!screen.wait_for_end().success());
    assert!(screen.bytes().windows(8).any(|w| w == b"\x1b[?1049h"), "it never entered the alternate screen");
    screen.assert_restored();
    assert!(screen.text().contains("on purpose"), "the reason is on the screen\n{}", screen.text());
}

#[test]
fn without_colours_no_colour_code_is_written() {
    let mut screen = Screen::start(PROGRAM, &["demo"], &[("NO_COLOR", "1")], (80, 24));
    screen.wait("a table", |t| t.contains("PEPEUSDT") && t.contains("DEMO"));
    screen.type_keys("q");
    screen.wait_for_end();
    let text = String::from_utf8_lossy(&screen.bytes()).into_owned();
    for code in text.split("\x1b[").skip(1).filter_map(|s| s.split_once('m').map(|(code, _)| code)) {
        let colours = code
            .split(';')
            .filter_map(|n| n.parse::<u16>().ok())
            .filter(|n| (30..=48).contains(n) && *n != 39);
        assert_eq!(colours.count(), 0, "colour code {code:?}");
    }
}

#[test]
fn an_ascii_screen_is_seven_bit() {
    for (args, env) in [(&["demo", "--ascii"][..], ("LANG", "C.UTF-8")), (&["demo"][..], ("LANG", "C"))] {
        let mut screen = Screen::start(PROGRAM, args, &[env], (120, 36));
        screen.wait("a table", warm);
        screen.type_keys("q");
        screen.wait_for_end();
        let strange = screen.bytes().into_iter().filter(|b| *b >= 0x80).count();
        assert_eq!(strange, 0, "{args:?} {env:?}");
    }
}
