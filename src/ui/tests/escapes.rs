//! Hostile text on every way to the terminal: what arrives there are the program's own sequences and
//! clean letters, nothing else. What a sequence may be stands in a list; all else fails.

use super::*;
use crate::domain::symbol::Symbol;
use crate::domain::text::is_unsafe;
use crate::ui::outside::{Multiplexer, Notify, Outside};

/// Strings a run in CI; the long run is a test that is asked for.
const STRINGS: usize = 20_000;
const MANY: usize = 1_000_000;

const PIECES: [&str; 26] = [
    "\x1b[2J",
    "\x1b[31m",
    "\x1b]52;c;QUJD\x07",
    "\x1b]0;title\x1b\\",
    "\x1bPtmux;\x1b\x1b[c\x1b\\",
    "\x1bc",
    "\x1b",
    "\u{9b}6n",
    "\u{9d}8;;http://x\u{9c}",
    "\u{90}q",
    "\x07",
    "\x08\x08",
    "\r\n",
    "\0",
    "\x7f",
    "\t",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "币安人生",
    "👩\u{200d}👩\u{200d}👧",
    "e\u{301}\u{301}",
    "❤\u{fe0f}",
    "BTC-USDT;1",
];

fn hostile(random: &mut fastrand::Rng) -> String {
    (0..random.usize(1..8)).fold(String::new(), |mut out, _| {
        match random.u8(0..4) {
            0 => out.push(random.char(..)),
            1 => out.push(char::from(random.u8(0x20..0x7f))),
            _ => out.push_str(PIECES[random.usize(..PIECES.len())]),
        }
        out
    })
}

/// Reads frames as a terminal does.
fn check_frames(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\x1b' {
            if is_unsafe(c) {
                return Err(format!("{c:?} before {:?}", rest.chars().take(20).collect::<String>()));
            }
            continue;
        }
        let end = rest.find(|c: char| !"[?;0123456789".contains(c)).ok_or("an open sequence")?;
        let sequence = &rest[..=end];
        let own = match sequence.strip_prefix('[') {
            Some("?2026h" | "?2026l" | "?25h" | "?25l" | "2J") => true,
            Some(other) => {
                let (numbers, last) = other.split_at(other.len() - 1);
                let figures = numbers.split(';').filter(|n| n.parse::<u16>().is_ok()).count();
                let all = figures == numbers.split(';').count();
                all && matches!((last, figures), ("H", 2) | ("G", 1) | ("m", 1..=12))
            }
            None => false,
        };
        if !own {
            return Err(format!("the sequence {sequence:?}"));
        }
        rest = &rest[end + 1..];
    }
    Ok(())
}

/// What goes past the screen: one sequence in a fixed wrapping, and the bell.
fn check_outside(bytes: &[u8], multiplexer: Multiplexer) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?.to_owned();
    let bare = match multiplexer {
        Multiplexer::None => text.clone(),
        Multiplexer::Tmux => match text.strip_prefix("\x1bPtmux;") {
            Some(inside) => inside.replacen("\x1b\\", "", 1).replace("\x1b\x1b", "\x1b"),
            None => text.clone(),
        },
        Multiplexer::Screen => text.replace("\x1b\\\x1bP", "").replace("\x1b\\", "").replace("\x1bP", ""),
    };
    let bare = bare.strip_suffix('\x07').ok_or("no bell")?;
    let inside = ["\x1b]52;c;", "\x1b]9;hamatop: ", "\x1b]777;notify;hamatop;"]
        .iter()
        .find_map(|begin| bare.strip_prefix(begin))
        .unwrap_or(bare);
    let inside = inside.strip_suffix('\x07').unwrap_or(inside);
    if inside.contains(is_unsafe) { Err(format!("{text:?}")) } else { Ok(()) }
}

#[test]
fn the_checker_knows_what_is_not_ours() {
    for good in ["\x1b[?2026h\x1b[0m\x1b[2J\x1b[1;1Ha\x1b[1;38;5;77mb\x1b[12Gc\x1b[?2026l", "币"] {
        assert_eq!(check_frames(good.as_bytes()), Ok(()));
    }
    for bad in
        ["\x1b[6n", "\x1b]0;x\x07", "\x1bc", "\x1b[?1049l", "\u{9b}m", "\x07", "\u{202e}", "\x1b[m", "\x1b"]
    {
        assert!(check_frames(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(check_outside(b"\x1b]52;c;QQ==\x07", Multiplexer::None).is_ok());
    assert!(check_outside(b"\x1b]9;hamatop: \x1b[2J\x07\x07", Multiplexer::None).is_err());
    assert!(check_outside(b"\x1b]0;x\x07", Multiplexer::None).is_err());
}

/// One frame with hostile text wherever text from outside can stand; how many strings that took.
fn frame(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) -> usize {
    let notation = if random.bool() { Notation::Unicode } else { Notation::Ascii };
    let mut used = 0;
    let mut text = || {
        used += 1;
        hostile(random)
    };
    let mut rows: Vec<_> =
        (0..12).map(|_| text()).filter(|s| s.parse::<Symbol>().is_ok()).map(|s| row(&s)).collect();
    rows.extend((0..24).map(|n| row(&format!("S{n}USDT")).stale(&text(), n)));
    rows.extend((0..8).map(|n| row(&format!("F{n}USDT")).failed(&text())));
    let mut picture = snapshot(rows);
    picture.notices = vec![Notice { seq: 1, level: Level::Error, text: CleanText::new(&text()), at: MADE }];
    let place = Some(crate::app::text::host(&text()));
    let mut app = App::new(AppConfig { notation, place, ..AppConfig::default() }, Arc::new(picture));
    app.update(MADE, Msg::Resize(100, 50));
    let mut screen = Screen::new(&mut *bytes, 100, 50);
    let theme = Theme::dark();
    let mut paint = |app: &App| screen.paint(|buffer| draw(app, &theme, buffer)).unwrap();
    paint(&app);
    press(&mut app, "j/");
    app.update(MADE, Msg::Paste(text()));
    for c in text().chars() {
        app.update(MADE, Msg::Key(Chord::char(c)));
    }
    app.update(MADE, Msg::Word(Level::Warn, CleanText::new(&text())));
    press(&mut app, "<ret><esc>");
    paint(&app);
    press(&mut app, "4");
    paint(&app);
    used
}

fn fuzz(count: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut done = 0;
    while done < count {
        let mut bytes = Vec::new();
        done += frame(&mut random, &mut bytes);
        check_frames(&bytes).unwrap_or_else(|e| panic!("after {done} strings of seed {seed}: {e}"));
        for multiplexer in [Multiplexer::None, Multiplexer::Tmux, Multiplexer::Screen] {
            for notify in [Notify::Bell, Notify::Osc9, Notify::Osc777] {
                let outside = Outside { multiplexer, notify, over_ssh: false, opener: None };
                let text = hostile(&mut random);
                for bytes in [outside.copy(&text), outside.notify(&text)] {
                    let bytes = if bytes.ends_with(b"\x07") { bytes } else { [bytes, vec![7]].concat() };
                    check_outside(&bytes, multiplexer).unwrap_or_else(|e| panic!("{text:?}: {e}"));
                }
                done += 1;
            }
        }
    }
}

#[test]
fn no_hostile_text_becomes_a_sequence() {
    fuzz(STRINGS, 7);
}

#[test]
#[ignore = "a minute or more in a release build"]
fn no_hostile_text_of_a_million_becomes_a_sequence() {
    fuzz(MANY, fastrand::u64(..));
}
