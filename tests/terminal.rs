//! The terminal program in a real pty, seen as a terminal would show it.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test")]

#[path = "pty/exchange.rs"]
mod exchange;
#[path = "pty/levels.rs"]
mod levels;
#[cfg(target_os = "linux")]
#[path = "pty/orphan.rs"]
mod orphan;
#[path = "pty/screen.rs"]
mod screen;
#[path = "pty/sgr.rs"]
mod sgr;
#[cfg(target_os = "linux")]
#[path = "pty/ssh.rs"]
mod ssh;

use hamatop::ui::terminal::{Mouse, Terminal};
use screen::{SIZES, Screen};

const PROGRAM: &str = env!("CARGO_BIN_EXE_hamatop");

fn demo(size: (u16, u16)) -> Screen {
    Screen::start(PROGRAM, &["demo"], &[], size)
}

/// All pairs loaded: the warm-up line is gone.
fn warm(text: &str) -> bool {
    text.contains("USDT  ") && !text.contains("warm-up")
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

/// The last good filter goes on, and the line below says where the new one is wrong.
#[test]
fn a_filter_that_is_wrong_says_where_and_the_one_before_stays() {
    for size in SIZES {
        let mut screen = demo(size);
        screen.wait("a warm table", warm);
        screen.type_keys("/doge\r");
        let alone = |t: &str| t.contains("DOGEUSDT") && !t.contains("ETHUSDT");
        screen.wait("the filter", alone);
        screen.type_keys("/ \"");
        screen.wait("the error's place", |t| alone(t) && t.contains("column 6"));
        screen.type_keys("\x1b");
        screen.wait("the filter of before", |t| alone(t) && !t.contains("column "));
        screen.type_keys("\\");
        screen.wait("all rows", |t| t.contains("ETHUSDT") || t.contains("BTCUSDT"));
    }
}

/// Ten minutes of the fall at 60 times its speed, every pair in motion.
#[test]
fn a_storm_of_prices_costs_a_few_kilobytes_a_second() {
    for size in SIZES {
        let mut screen = demo(size);
        screen.wait("a warm table", warm);
        let (from, began) = (screen.written(), std::time::Instant::now());
        let shown = |t: &str| t.find("2025-10-1").and_then(|at| minutes(&t[at..]));
        let start = shown(&screen.text()).unwrap();
        screen.wait("ten minutes later", |t| shown(t).is_some_and(|now| now >= start + 10));
        let bytes = screen.written() - from;
        let most = 8_000.0 * began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let within = bytes as f64 <= most;
        assert!(within, "{bytes} bytes at {size:?}, at most {most:.0}");
        screen.type_keys("Q");
        assert!(screen.wait_for_end().success());
        screen.assert_only_frames();
    }
}

/// Of `2025-10-10T20:14`, since the month began.
fn minutes(text: &str) -> Option<u32> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    Some((part(8..10)? * 24 + part(11..13)?) * 60 + part(14..16)?)
}

#[test]
fn fault_34_signals_give_the_terminal_back() {
    for (signal, size) in ["TERM", "HUP", "INT", "QUIT"].into_iter().flat_map(|s| SIZES.map(|size| (s, size)))
    {
        let mut screen = demo(size);
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
/// keys says nothing of a terminal that is gone. Told by no signal, or by one that the program was
/// started to ignore.
#[cfg(target_os = "linux")]
#[test]
fn fault_34_a_terminal_that_hangs_up_without_a_signal_ends_the_program() {
    use orphan::Signal;
    for (size, signal) in [((10, 3), Signal::Never), ((12, 4), Signal::Never), ((10, 3), Signal::Ignored)] {
        let orphan = orphan::start_and_hang_up(PROGRAM, size, signal);
        let gone = orphan.wait_for_end(std::time::Duration::from_secs(20));
        let gone = gone.unwrap_or_else(|stat| panic!("it runs on without a terminal: {stat}"));
        assert!(gone.after.as_secs_f64() <= 1.0, "{signal:?}: {gone:?}");
        assert!(gone.ticks <= 10, "more than 0.1 s of a processor, {signal:?}: {gone:?}");
    }
}

/// Sizes as fast as the system takes them, among them the least and the largest: no panic, and the
/// last one is drawn, cell by cell as if it had always been so.
#[test]
fn fault_35_a_storm_of_sizes_is_survived() {
    let mut screen = Screen::start(PROGRAM, &["demo", "--speed", "0"], &[], (120, 36));
    screen.wait("a warm table", |t| warm(t) && t.contains("ETHUSDT") && t.contains(" Welcome. "));
    screen.type_keys("g");
    // The order is held for a while after a motion, and the header says so.
    let settled =
        |t: &str| warm(t) && t.contains("ETHUSDT") && t.contains(" j k move") && !t.contains("order held");
    screen.wait("the keys' line", settled);
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
            screen.type_keys("j41s\rgk");
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
