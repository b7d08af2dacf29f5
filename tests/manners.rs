//! What the program does to the terminal beside drawing, in a real pty.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code, reason = "a test")]
#![cfg(target_os = "linux")]

#[path = "pty/screen.rs"]
mod screen;

use std::time::{Duration, Instant};

use hamatop::ui::terminal::{Mouse, Terminal};
use screen::Screen;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hamatop");

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

fn table(text: &str) -> bool {
    text.contains("USDT  ") && text.contains("DEMO")
}

/// A shell with jobs, which says when the program has stopped and goes on with it when a line is typed.
fn in_a_shell(signal: &str) -> Screen {
    let script = format!(
        "set -m; echo SHELL $$; read -r line; \"$0\" demo --speed 60; echo STOPPED; stty -a; read -r line; fg; echo ENDED $?{signal}"
    );
    Screen::start("bash", &["-c", &script, PROGRAM], &[], (80, 24))
}

fn begun(screen: &mut Screen) -> String {
    let text = screen.wait("the shell's id", |t| t.contains("SHELL ") && t.lines().next().is_some());
    screen.type_keys("\n");
    screen.wait("a table", table);
    text
}

fn round_trip(screen: &mut Screen) {
    let text = screen.wait("the shell", |t| t.contains("STOPPED") && t.contains("icanon"));
    assert!(!text.contains("-icanon") && !text.contains("-echo "), "the terminal is in raw mode\n{text}");
    screen.assert_restored();
    screen.type_keys("\n");
    screen.wait("the table, in full", |t| table(t) && !t.contains("STOPPED") && t.contains("SCORE"));
    // It is alive, and keys are its own again.
    screen.type_keys("/doge\r");
    screen.wait("the filter", |t| t.contains("DOGEUSDT") && !t.contains("BTCUSDT"));
    screen.type_keys("Q");
    screen.wait("the end", |t| t.contains("ENDED 0"));
    screen.wait_for_end();
    screen.assert_restored();
}

#[test]
fn ctrl_z_stops_it_for_the_shell_and_fg_brings_all_of_it_back() {
    let mut screen = in_a_shell("");
    begun(&mut screen);
    screen.type_keys("\x1a");
    round_trip(&mut screen);
}

#[test]
fn a_stop_signal_from_outside_does_the_same() {
    let mut screen = in_a_shell(" outside");
    let id = child_of_shell(&begun(&mut screen));
    kill("-TSTP", id);
    round_trip(&mut screen);
}

fn kill(signal: &str, id: u32) {
    assert!(std::process::Command::new("kill").args([signal, &id.to_string()]).status().unwrap().success());
}

/// The one child of the shell, whose own id stands on the screen.
fn child_of_shell(text: &str) -> u32 {
    let shell = text.split("SHELL ").nth(1).unwrap().split_whitespace().next().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn without_a_shell_ctrl_z_says_so_and_stops_nothing() {
    let mut screen = Screen::start(PROGRAM, &["demo"], &[], (80, 24));
    screen.wait("a table", table);
    screen.type_keys("\x1a");
    screen.wait("the sentence", |t| t.contains("there is no shell to stop for"));
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    screen.assert_restored();
}

#[test]
fn the_mouse_is_ours_here_and_not_over_ssh_unless_asked_for() {
    let ssh = ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22");
    for (args, env, ours) in [
        (&["demo"][..], &[][..], true),
        (&["demo", "--no-mouse"], &[], false),
        (&["demo"], &[ssh][..], false),
        (&["demo", "--mouse", "on"], &[ssh], true),
    ] {
        let mut screen = Screen::start(PROGRAM, args, env, (80, 24));
        screen.wait("a table", table);
        let bytes = screen.bytes();
        assert_eq!(has(&bytes, b"\x1b[?1000h") && has(&bytes, b"\x1b[?1006h"), ours, "{args:?} {env:?}");
        // Clicks and the wheel alone.
        assert!(!has(&bytes, b"\x1b[?1002h") && !has(&bytes, b"\x1b[?1003h"));
        screen.type_keys("Q");
        assert!(screen.wait_for_end().success());
        screen.assert_restored();
        assert!(has(&screen.bytes(), b"\x1b[?1004l"), "focus reports are still on");
    }
}

/// What stands between two marks in the bytes written.
fn between<'b>(bytes: &'b str, begin: &str, end: &str) -> Option<&'b str> {
    bytes.split_once(begin)?.1.split_once(end).map(|(inside, _)| inside)
}

#[test]
fn a_copy_is_what_the_clipboard_gets_and_no_part_of_a_frame() {
    use base64::Engine as _;
    let mut screen = Screen::start(PROGRAM, &["demo", "--speed", "0"], &[], (120, 36));
    screen.wait("a table", |t| table(t) && !t.contains("warm-up"));
    screen.type_keys("/doge\r");
    screen.wait("the filter", |t| t.contains("1 of 24"));
    screen.type_keys("y");
    screen.wait("the word", |t| t.contains("copied DOGEUSDT"));
    let bytes = String::from_utf8(screen.bytes()).unwrap();
    let payload = between(&bytes, "\x1b]52;c;", "\x07").unwrap();
    let copied = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
    assert_eq!(copied, b"DOGEUSDT");
    let before = bytes.split_once("\x1b]52;").unwrap().0;
    assert!(before.ends_with("\x1b[?2026l"), "a frame was under way");
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
}

fn tmux(server: &str, args: &[&str]) -> String {
    let output = std::process::Command::new("tmux").args(["-L", server]).args(args).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Where there is tmux: its own clipboard has it, and from there its terminals'.
#[test]
fn inside_tmux_a_copy_is_given_to_tmux() {
    if std::process::Command::new("tmux").arg("-V").output().is_err() {
        return;
    }
    let server = format!("hamatop-{}", std::process::id());
    let args = ["-L", &server, "-f", "/dev/null", "new-session", PROGRAM, "demo", "--speed", "0"];
    let mut screen = Screen::start("tmux", &args, &[], (120, 37));
    screen.wait("a table", |t| table(t) && !t.contains("warm-up"));
    screen.type_keys("/doge\r");
    screen.wait("the filter", |t| t.contains("1 of 24"));
    screen.type_keys("y");
    let deadline = Instant::now() + Duration::from_secs(20);
    while tmux(&server, &["show-buffer"]) != "DOGEUSDT" {
        assert!(Instant::now() < deadline, "{}", screen.text());
        std::thread::sleep(Duration::from_millis(20));
    }
    screen.type_keys("Q");
    screen.wait_for_end();
    tmux(&server, &["kill-server"]);
}

fn wait_for_bytes(screen: &Screen, part: &[u8]) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !has(&screen.bytes(), part) {
        assert!(Instant::now() < deadline, "never written: {part:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every SGR code written.
fn codes(bytes: &[u8]) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let sequences = text.split("\x1b[").skip(1);
    let bodies = sequences.filter_map(|s| {
        let end = s.find(|c: char| c != ';' && !c.is_ascii_digit())?;
        s[end..].starts_with('m').then(|| s[..end].to_owned())
    });
    bodies.map(|b| b.split(';').filter_map(|n| n.parse().ok()).collect()).collect()
}

#[test]
fn each_level_of_colours_writes_its_own_codes_and_no_other() {
    let term = |t| ("TERM", t);
    for (env, args, level) in [
        (&[("NO_COLOR", "1")][..], &["demo"][..], "none"),
        (&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], &["demo", "--color", "16"], "16"),
        (&[term("linux")], &["demo", "--theme", "gruvbox"], "16"),
        (&[term("xterm-256color")], &["demo", "--theme", "gruvbox"], "256"),
        (&[("COLORTERM", "truecolor")], &["demo", "--theme", "gruvbox"], "true"),
    ] {
        for size in [(80, 24), (120, 36)] {
            let mut screen = Screen::start(PROGRAM, args, env, size);
            screen.wait("a table", |t| table(t) && !t.contains("warm-up"));
            screen.type_keys("q");
            screen.wait_for_end();
            let codes = codes(&screen.bytes());
            let any =
                |first: u16, second: u16| codes.iter().any(|c| c.windows(2).any(|w| w == [first, second]));
            let sixteen = codes.iter().any(|c| {
                !c.contains(&38)
                    && !c.contains(&48)
                    && c.iter().any(|n| (30..38).contains(n) || (90..98).contains(n))
            });
            let (indexed, rgb) = (any(38, 5) || any(48, 5), any(38, 2) || any(48, 2));
            let want = match level {
                "none" => (false, false, false),
                "16" => (true, false, false),
                "256" => (false, true, false),
                _ => (false, false, true),
            };
            assert_eq!((sixteen, indexed, rgb), want, "{env:?} {args:?} {size:?}");
            assert!(!codes.is_empty(), "bold and reversed stay");
        }
    }
}

#[test]
fn seven_bits_are_kept_with_chinese_names_too() {
    // Where the demo has none, the filter that is typed is as good.
    let mut screen = Screen::start(PROGRAM, &["demo", "--ascii"], &[], (80, 24));
    screen.wait("a table", table);
    screen.type_keys("/币安");
    screen.wait("the filter", |t| t.contains("/ ????"));
    screen.type_keys("\x03");
    screen.wait_for_end();
    assert_eq!(screen.bytes().into_iter().filter(|b| *b >= 0x80).count(), 0);
}

#[test]
fn themes_are_tried_out_live() {
    let mut screen = Screen::start(PROGRAM, &["demo", "--color", "256"], &[], (80, 24));
    screen.wait("a table", table);
    assert!(!has(&screen.bytes(), b"48;5;231"), "the default paints no background");
    screen.type_keys("Tj");
    screen.wait("the second theme", |t| t.contains("> light"));
    wait_for_bytes(&screen, b"48;5;231");
    screen.type_keys("\x1b");
    screen.wait("the table", |t| table(t) && !t.contains("> light"));
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
}

#[test]
fn a_broken_theme_is_named_and_the_market_shown_all_the_same() {
    let folder = std::env::temp_dir().join(format!("hamatop-broken-{}", std::process::id()));
    let themes = folder.join("hamatop").join("themes");
    std::fs::create_dir_all(&themes).unwrap();
    std::fs::write(themes.join("light.toml"), "[roles]\nwern = {}\n").unwrap();
    let env = [("XDG_CONFIG_HOME", folder.to_str().unwrap())];
    let mut screen = Screen::start(PROGRAM, &["demo", "--theme", "light"], &env, (200, 36));
    let said = screen.wait("the sentence", |t| t.contains("there is no role `wern`"));
    assert!(said.contains("light.toml") && said.contains("`warn` is the nearest"), "{said}");
    screen.wait("a table", table);
    screen.type_keys("Q");
    assert!(screen.wait_for_end().success());
    std::fs::remove_dir_all(folder).unwrap();
}

/// The other half of the next test: runs only when that test starts this file in a pty.
#[test]
fn panic_with_a_report() {
    if let Some(folder) = std::env::var_os("HAMATOP_TEST_REPORT") {
        hamatop::run::crash::install(folder.into());
        let cancel = tokio_util::sync::CancellationToken::new();
        let _screen = Terminal::enter(cancel, Mouse::Ours).unwrap();
        panic!("on purpose");
    }
}

#[test]
fn a_panic_leaves_a_report_and_says_where() {
    let this = std::env::current_exe().unwrap();
    let folder = std::env::temp_dir().join(format!("hamatop-report-{}", std::process::id()));
    let env = [("HAMATOP_TEST_REPORT", folder.to_str().unwrap())];
    let args = ["--exact", "panic_with_a_report", "--nocapture"];
    let mut screen = Screen::start(this.to_str().unwrap(), &args, &env, (200, 60));
    assert!(!screen.wait_for_end().success());
    screen.assert_restored();
    let text = screen.text();
    assert!(text.contains("this is a bug; the report is"), "{text}");
    let report = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert!(text.contains(report.file_name().unwrap().to_str().unwrap()), "{text}");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("on purpose") && report.contains(env!("CARGO_PKG_VERSION")), "{report}");
    std::fs::remove_dir_all(folder).unwrap();
}
