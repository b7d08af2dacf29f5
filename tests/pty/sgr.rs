//! Which colours a program wrote: the richest kind of them.

/// Kinds of colours, by what a terminal has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None at all; bold, dim, reverse and underline are no colours.
    None,
    /// The sixteen that every terminal names.
    Sixteen,
    /// One of the palette of 256.
    Palette,
    /// Red, green and blue.
    True,
}

/// The richest colour in `bytes`. Setting the default colour back is none.
pub fn depth(bytes: &[u8]) -> Depth {
    codes(bytes).iter().map(|code| of_code(code)).max().unwrap_or(Depth::None)
}

/// The parameters of all SGR sequences, `1;38;5;208` of `ESC [ 1;38;5;208 m`.
pub fn codes(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|w| w == b"\x1b[") {
        rest = &rest[at + 2..];
        let end = rest.iter().position(|b| (0x40..=0x7e).contains(b)).unwrap_or(rest.len());
        let (code, last) = (&rest[..end], rest.get(end));
        let plain = code.iter().all(|b| b.is_ascii_digit() || b";:".contains(b));
        if last == Some(&b'm') && plain {
            found.push(String::from_utf8_lossy(code).into_owned());
        }
    }
    found
}

fn of_code(code: &str) -> Depth {
    let mut numbers = code.split([';', ':']).map(|n| n.parse::<u16>().unwrap_or(0));
    let mut richest = Depth::None;
    while let Some(number) = numbers.next() {
        let depth = match number {
            30..=37 | 40..=47 | 90..=97 | 100..=107 => Depth::Sixteen,
            38 | 48 | 58 => match (numbers.next(), numbers.next()) {
                (Some(5), Some(0..=15)) => Depth::Sixteen,
                (Some(5), _) => Depth::Palette,
                _ => {
                    // Red stands already read; green and blue follow.
                    let _ = (numbers.next(), numbers.next());
                    Depth::True
                }
            },
            _ => Depth::None,
        };
        richest = richest.max(depth);
    }
    richest
}

#[test]
fn the_richest_colour_is_found() {
    for (bytes, want) in [
        (&b"\x1b[0;1;7mx\x1b[39;49m"[..], Depth::None),
        (b"\x1b[?2026h\x1b[31;12H\x1b[2J31m", Depth::None),
        (b"\x1b[31mx", Depth::Sixteen),
        (b"\x1b[1;97;100mx", Depth::Sixteen),
        (b"\x1b[38;5;9mx", Depth::Sixteen),
        (b"\x1b[38;5;9;48;5;236mx", Depth::Palette),
        (b"\x1b[38;2;31;32;33;1mx\x1b[31m", Depth::True),
    ] {
        assert_eq!(depth(bytes), want, "{}", String::from_utf8_lossy(bytes));
    }
}
