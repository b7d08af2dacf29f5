//! Colours as numbers: how far apart two look, whether one can be read on the other, and the nearest
//! one that a terminal of 256 or 16 colours has.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// None.
    Plain,
    /// The sixteen of its palette.
    Sixteen,
    /// Those, a cube of 216 and 24 greys.
    Indexed,
    /// All.
    True,
}

/// What text needs against its background (WCAG 2, AA).
pub const LEGIBLE: f64 = 4.5;

/// The sixteen colours by their names in theme files and as xterm shows them.
const NAMED: [(Color, u32); 16] = [
    (Color::Black, 0x00_00_00),
    (Color::Red, 0xcd_00_00),
    (Color::Green, 0x00_cd_00),
    (Color::Yellow, 0xcd_cd_00),
    (Color::Blue, 0x00_00_ee),
    (Color::Magenta, 0xcd_00_cd),
    (Color::Cyan, 0x00_cd_cd),
    (Color::Gray, 0xe5_e5_e5),
    (Color::DarkGray, 0x7f_7f_7f),
    (Color::LightRed, 0xff_00_00),
    (Color::LightGreen, 0x00_ff_00),
    (Color::LightYellow, 0xff_ff_00),
    (Color::LightBlue, 0x5c_5c_ff),
    (Color::LightMagenta, 0xff_00_ff),
    (Color::LightCyan, 0x00_ff_ff),
    (Color::White, 0xff_ff_ff),
];

/// The place of one of the sixteen in their palette, however it is written.
pub(super) fn place_of(color: Color) -> Option<u8> {
    match color {
        Color::Indexed(n @ 0..=15) => Some(n),
        _ => NAMED.iter().position(|(c, _)| *c == color).and_then(|n| u8::try_from(n).ok()),
    }
}

type Rgb = [u8; 3];

/// What a colour looks like; `None` for the terminal's own.
fn rgb(color: Color) -> Option<Rgb> {
    let from_place = |n: u8| NAMED.get(usize::from(n)).map(|(_, hex)| split(*hex));
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(n @ 232..) => Some([8 + (n - 232) * 10; 3]),
        Color::Indexed(n @ 16..) => {
            let step = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
            let n = n - 16;
            Some([step(n / 36), step(n / 6 % 6), step(n % 6)])
        }
        named => place_of(named).and_then(from_place),
    }
}

fn split(hex: u32) -> Rgb {
    let [_, r, g, b] = hex.to_be_bytes();
    [r, g, b]
}

fn linear([r, g, b]: Rgb) -> [f64; 3] {
    [r, g, b].map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

/// 1 to 21 by WCAG 2; `None` where one of the two is the terminal's own.
pub fn contrast(one: Color, other: Color) -> Option<f64> {
    let luminance = |c| {
        let [r, g, b] = linear(rgb(c)?);
        Some(0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05)
    };
    let (a, b) = (luminance(one)?, luminance(other)?);
    Some(a.max(b) / a.min(b))
}

/// `OKLab`, where distances are as far as they look.
fn oklab(color: Rgb) -> [f64; 3] {
    let [r, g, b] = linear(color);
    let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
    let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
    let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

/// How different two colours look; 0 is the same, black and white are 1 apart.
pub fn difference(one: Color, other: Color) -> Option<f64> {
    distance(one, other, 1.0)
}

fn distance(one: Color, other: Color, weight_of_lightness: f64) -> Option<f64> {
    let (a, b) = (oklab(rgb(one)?), oklab(rgb(other)?));
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    Some(squares.zip([weight_of_lightness.powi(2), 1.0, 1.0]).map(|(s, w)| s * w).sum::<f64>().sqrt())
}

/// A background: as it was meant, and as it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct On {
    pub(super) meant: Color,
    pub(super) shown: Color,
}

/// The nearest colour at a level. Where it could be read on its background, the nearest one that
/// can be read on what is shown of that.
pub(super) fn nearest(color: Color, level: Level, on: Option<On>) -> Color {
    let fits = match (level, color) {
        (Level::True, _) | (_, Color::Reset) => true,
        (Level::Indexed, Color::Rgb(..)) => false,
        (Level::Indexed, _) => true,
        (Level::Sixteen, c) => place_of(c).is_some(),
        (Level::Plain, _) => return Color::Reset,
    };
    if fits {
        return color;
    }
    let reads = |c: Color, on: Color| contrast(c, on).is_none_or(|r| r >= LEGIBLE);
    let shown = on.filter(|on| reads(color, on.meant)).map(|on| on.shown);
    let candidates: Vec<Color> = match level {
        // Not the sixteen: what they look like is the terminal's choice.
        Level::Indexed => (16..=255).map(Color::Indexed).collect(),
        _ => NAMED.iter().map(|(c, _)| *c).collect(),
    };
    // Among sixteen the hue has to stay: a dark grey is rather black than the red that is as dark.
    let weight = if level == Level::Sixteen { 0.3 } else { 1.0 };
    let far = |c: &Color| distance(*c, color, weight).unwrap_or(f64::MAX);
    let legible = candidates.into_iter().filter(|c| shown.is_none_or(|shown| reads(*c, shown)));
    legible.min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(Color::Reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_the_standard_says() {
        let of = |a, b| contrast(a, b).unwrap();
        assert!((of(Color::White, Color::Black) - 21.0).abs() < 1e-9);
        assert!((of(Color::Rgb(0x77, 0x77, 0x77), Color::White) - 4.478).abs() < 0.001);
        assert!((of(Color::Indexed(226), Color::Indexed(16)) - 19.556).abs() < 0.001);
        assert_eq!(contrast(Color::Reset, Color::Black), None);
    }

    #[test]
    fn a_colour_that_a_terminal_has_stays_and_others_go_to_the_nearest() {
        assert_eq!(nearest(Color::Rgb(0x5f, 0xd7, 0x5f), Level::Indexed, None), Color::Indexed(77));
        assert_eq!(nearest(Color::Rgb(250, 250, 250), Level::Indexed, None), Color::Indexed(231));
        assert_eq!(nearest(Color::Indexed(77), Level::Indexed, None), Color::Indexed(77));
        assert_eq!(nearest(Color::Rgb(0, 200, 0), Level::Sixteen, None), Color::Green);
        assert_eq!(nearest(Color::Indexed(9), Level::Sixteen, None), Color::Indexed(9));
        assert_eq!(nearest(Color::Rgb(1, 2, 3), Level::True, None), Color::Rgb(1, 2, 3));
        assert_eq!(nearest(Color::Green, Level::Plain, None), Color::Reset);
    }

    const ON_BLACK: On = On { meant: Color::Black, shown: Color::Black };

    #[test]
    fn what_could_be_read_still_can() {
        // A mid grey that is legible on black only just; the nearest of sixteen is legible too.
        for grey in (0x75..=0xff).step_by(7) {
            let color = Color::Rgb(grey, grey, grey);
            let near = nearest(color, Level::Sixteen, Some(ON_BLACK));
            assert!(contrast(near, Color::Black).unwrap() >= LEGIBLE, "{grey:x} {near:?}");
        }
        let blue = nearest(Color::Rgb(0x5f, 0x87, 0xff), Level::Sixteen, Some(ON_BLACK));
        assert!(contrast(blue, Color::Black).unwrap() >= LEGIBLE, "{blue:?}");
        // The background moves towards the letters: these move away.
        let on = On { meant: Color::Indexed(24), shown: Color::DarkGray };
        let near = nearest(Color::Indexed(231), Level::Sixteen, Some(on));
        assert!(contrast(near, Color::DarkGray).unwrap() >= LEGIBLE, "{near:?}");
    }
}
