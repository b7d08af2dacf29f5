//! The same information at every colour level and both sizes, in frames and nothing but frames.

use super::exchange::Exchange;
use super::screen::{Level, SIZES, Screen};
use super::sgr;
use super::{PROGRAM, warm};

/// The lines below the header, whose lag and weight are never twice the same.
fn table(text: &str) -> Vec<String> {
    text.lines().skip(4).map(|l| l.trim_end().to_owned()).collect()
}

fn settled(text: &str) -> bool {
    warm(text) && text.contains("DEMO") && text.contains(" Welcome. ")
}

#[test]
fn every_colour_level_says_the_same_and_uses_no_richer_colour() {
    for size in SIZES {
        let mut first: Option<Vec<String>> = None;
        for level in Level::ALL {
            let mut screen = Screen::start(PROGRAM, &["demo", "--speed", "0"], level.env(), size);
            screen.wait("a warm table", settled);
            let said = table(&screen.wait_for_rest());
            screen.type_keys("Q");
            assert!(screen.wait_for_end().success());
            screen.assert_restored();
            screen.assert_only_frames();
            let used = sgr::depth(&screen.bytes());
            assert!(used <= level.depth(), "{level:?} at {size:?}: {used:?}");
            let first = first.get_or_insert_with(|| said.clone());
            assert_eq!(*first, said, "{level:?} at {size:?}");
        }
    }
}

#[test]
fn without_colours_no_colour_code_is_written_in_any_view() {
    for size in SIZES {
        for (args, env) in [(&["demo"][..], Level::None.env()), (&["demo", "--color", "never"], &[])] {
            let mut screen = Screen::start(PROGRAM, args, env, size);
            screen.wait("a warm table", settled);
            look_around(&mut screen);
            screen.type_keys("Q");
            screen.wait_for_end();
            assert_eq!(sgr::depth(&screen.bytes()), sgr::Depth::None, "{args:?} {env:?}");
        }
    }
}

#[test]
fn an_ascii_screen_is_seven_bit_in_any_view() {
    for size in SIZES {
        for (args, env) in [(&["demo", "--ascii"][..], ("LANG", "C.UTF-8")), (&["demo"][..], ("LANG", "C"))] {
            let mut screen = Screen::start(PROGRAM, args, &[env], size);
            screen.wait("a warm table", settled);
            look_around(&mut screen);
            screen.type_keys("Q");
            screen.wait_for_end();
            let strange = screen.bytes().into_iter().filter(|b| *b >= 0x80).count();
            assert_eq!(strange, 0, "{args:?} {env:?}");
        }
    }
}

/// Every view, the help, the sort picker and a filter that is wrong.
fn look_around(screen: &mut Screen) {
    for key in ["6", "5", "4", "3", "2", "1", "?"] {
        let before = screen.text();
        screen.type_keys(key);
        screen.wait("another view", |t| t != before);
    }
    screen.type_keys("\x1b");
    let table = |t: &str| warm(t) && t.contains(" j k move");
    screen.wait("the table", |t| table(t) && !t.contains("Esc closes"));
    screen.type_keys("/\"");
    screen.wait("the caret's column", |t| t.contains("column "));
    screen.type_keys("\x1b");
    screen.wait("the table again", |t| table(t) && !t.contains("column "));
}

#[test]
fn a_dumb_terminal_gets_the_table_once() {
    let dumb = &[("TERM", "dumb")];
    let mut screen = Screen::start(PROGRAM, &["demo", "--speed", "0"], dumb, (120, 36));
    assert!(screen.wait_for_end().success());
    let bytes = screen.bytes();
    assert!(!bytes.contains(&0x1b), "{}", String::from_utf8_lossy(&bytes));
    assert!(screen.text().contains("USDT"), "{}", screen.text());
}

/// A name of wide glyphs and one of narrow ones take each other's place. What stands right of them
/// stays in its columns, also where only the difference was drawn.
#[test]
fn rows_of_wide_names_are_aligned() {
    let exchange = Exchange::start(PROGRAM, &["--synthetic", "6"]);
    for size in SIZES {
        let mut args = exchange.flags();
        args.extend(["--top", "6"]);
        let mut screen = Screen::start(PROGRAM, &args, &[], size);
        screen.wait("a warm table", |t| warm(t) && t.contains("币安人生USDT") && t.contains("THINUSDT"));
        for _ in 0..4 {
            let before = place(&screen.text());
            screen.type_keys("I");
            screen.wait_for_cells("the other order", |s| place(&s.contents()) != before && is_aligned(s));
        }
        screen.repaint();
        screen.wait_for_cells("columns below their heads", is_aligned);
    }
}

/// In which line the wide name stands.
fn place(text: &str) -> Option<usize> {
    text.lines().position(|l| l.contains("币安人生USDT"))
}

/// Whether each price ends below the end of its heading, with a gap after it, and the glyphs of the
/// wide name have two cells each.
fn is_aligned(screen: &vt100::Screen) -> bool {
    // A cell that nothing was written to looks like a blank.
    let text = |c: &vt100::Cell| if c.has_contents() { c.contents().to_owned() } else { " ".to_owned() };
    let cell = |y: u16, x: u16| screen.cell(y, x).map(text).unwrap_or_default();
    let (rows, cols) = screen.size();
    let (rows, cols) = (rows.get(), cols.get());
    let word = |y: u16, x: u16| -> String { (x..(x + 4).min(cols)).map(|x| cell(y, x)).collect() };
    let head = (0..rows).find_map(|y| (0..cols).find(|x| word(y, *x) == "LAST").map(|x| (y, x + 3)));
    let Some((head, end)) = head else { return false };
    let aligned = |y| {
        let digit = cell(y, end).chars().all(|c| c.is_ascii_digit());
        let wide = (0..end).filter(|x| screen.cell(y, *x).is_some_and(vt100::Cell::is_wide)).count();
        digit && cell(y, end + 1) == " " && (wide == 0 || wide == 4)
    };
    (head + 1..=head + 6).all(aligned)
}
