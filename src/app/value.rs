//! How values are written, and what they mean to a theme.

use std::fmt::Write;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::domain::hama::{BandState, LastCross, Sign};
use crate::domain::symbol::Tick;
use crate::market::snapshot::DataState;

pub use crate::rule::value::{NoteText, Pulse, Value};

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// On a terminal, with triangles and lines.
    Unicode,
    /// On a terminal, in 7 bits.
    Ascii,
    /// In text for people: words instead of signs.
    Words,
    /// For programs: plain figures, nothing for nothing.
    Machine,
}

/// What a text means; themes give it a style. Never the only carrier of a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Beside the point.
    Dim,
    /// Up.
    Up,
    /// Up, by far.
    UpStrong,
    /// Down.
    Down,
    /// Down, by far.
    DownStrong,
    /// Neither.
    Flat,
    /// Not as it should be.
    Warn,
    /// Wrong.
    Bad,
    /// Of the forming bar, or of a live price: may change before the bar closes.
    Preview,
}

impl Value<'_> {
    /// What it means.
    pub fn tone(&self) -> Tone {
        match self {
            Self::Absent
            | Self::Blank
            | Self::Warming(..)
            | Self::Age { pulse: Pulse::Live | Pulse::Standing, .. }
            | Self::Label(_) => Tone::Dim,
            Self::Age { pulse: Pulse::Off(state), .. } => state_tone(*state),
            Self::Note(n) => state_tone(n.state),
            Self::Percent(v) => by_sign(*v),
            Self::Score { shown, .. } => by_score(*shown),
            Self::Trend { now, .. } => by_direction(*now),
            Self::Side(_) => Tone::Preview,
            Self::Cross(c) if c.inferred => Tone::Dim,
            Self::Cross(c) if c.bars == 0 => strong(by_direction(c.dir)),
            Self::Cross(c) => by_direction(c.dir),
            Self::Bands(b) => match (b.breakout, b.state) {
                (Some(sign), _) => by_direction(sign),
                (None, BandState::Normal) => Tone::Dim,
                (None, _) => Tone::Plain,
            },
            Self::Gradient(g) => by_direction(g.dir),
            Self::State(s) => state_tone(*s),
            _ => Tone::Plain,
        }
    }

    /// Writes it, in at most `width` cells where it is a price (which loses digits, not size).
    pub fn write(&self, notation: Notation, width: usize, out: &mut String) {
        if notation == Notation::Machine {
            return self.write_machine(out);
        }
        let _ = match *self {
            Self::Absent => write!(out, "{}", notation.absent()),
            Self::Blank => Ok(()),
            Self::Warming(bars, need) => write!(out, "{bars}/{need}"),
            Self::Text(text) | Self::Label(text) => write!(out, "{text}"),
            Self::Flag(is_so) => out.write_str(if is_so { "yes" } else { "no" }),
            Self::Note(note) if notation == Notation::Words => note.write(out),
            Self::Note(note) => note.write_short(out),
            Self::Price(price, tick) => write_price(price, tick, width, out),
            Self::Percent(v) => write_percent(v, out),
            Self::Share(v) => write!(out, "{:.0}%", v * 100.0),
            Self::Amount(v) => write_amount(v, out),
            Self::Score { shown, partial, .. } => write!(out, "{shown:+}{}", if partial { "*" } else { "" }),
            Self::Number(v, digits) => write!(out, "{v:.*}", usize::from(digits)),
            Self::Count(n) => write!(out, "{n}"),
            Self::Trend { now, forming, .. } => {
                let turns = forming.is_some_and(|f| f != now) && notation != Notation::Words;
                write!(out, "{}{}", notation.trend(now), if turns { "~" } else { "" })
            }
            Self::Side(sign) => write!(out, "{}", side_word(sign)),
            Self::Cross(c) => write_cross(c, out),
            Self::Bands(b) => write_bands(b.state, b.breakout, notation, out),
            Self::Gradient(g) => write!(out, "{} {}", notation.trend(g.dir), g.steps),
            Self::Age { theirs, ours, pulse } => write_age(theirs, ours, pulse, out),
            Self::State(state) => write!(out, "{}", state.as_str()),
        };
    }

    fn write_machine(&self, out: &mut String) {
        let _ = match *self {
            Self::Absent | Self::Blank | Self::Warming(..) => Ok(()),
            Self::Text(text) | Self::Label(text) => write!(out, "{text}"),
            Self::Flag(is_so) => out.write_str(if is_so { "yes" } else { "no" }),
            Self::Note(note) => note.write(out),
            Self::Price(price, tick) => write!(out, "{}", tick.format(price)),
            Self::Percent(v) | Self::Share(v) | Self::Amount(v) => write!(out, "{v}"),
            Self::Score { shown, .. } => write!(out, "{shown}"),
            Self::Number(v, digits) => write!(out, "{v:.*}", usize::from(digits)),
            Self::Count(n) => write!(out, "{n}"),
            Self::Trend { now: sign, .. } => write!(out, "{}", sign.as_i8()),
            Self::Side(sign) => write!(out, "{}", side_word(sign)),
            Self::Cross(c) => write_cross(c, out),
            Self::Bands(b) => write_bands(b.state, b.breakout, Notation::Words, out),
            Self::Gradient(g) => write!(out, "{}", i16::from(g.dir.as_i8()) * i16::from(g.steps)),
            Self::Age { theirs, .. } => write!(out, "{}", theirs.as_millis()),
            Self::State(state) => write!(out, "{}", state.as_str()),
        };
    }
}

impl Notation {
    /// A row with news since the last key.
    pub fn changed(self) -> &'static str {
        if self == Self::Unicode { "•" } else { "." }
    }

    /// The same under the cursor.
    pub fn changed_cursor(self) -> &'static str {
        if self == Self::Unicode { "»" } else { "}" }
    }

    /// What stands for no data.
    pub fn absent(self) -> &'static str {
        match self {
            Self::Unicode => "·",
            Self::Ascii | Self::Words => "-",
            Self::Machine => "",
        }
    }

    /// Up, down, flat.
    pub fn trend(self, sign: Sign) -> &'static str {
        match (self, sign) {
            (Self::Unicode, Sign::Up) => "▲",
            (Self::Unicode, Sign::Down) => "▼",
            (Self::Unicode, Sign::Flat) => "━",
            (Self::Ascii, Sign::Up) => "^",
            (Self::Ascii, Sign::Down) => "v",
            (Self::Ascii, Sign::Flat) => "=",
            (_, Sign::Up) => "up",
            (_, Sign::Down) => "down",
            (_, Sign::Flat) => "flat",
        }
    }

    /// Which notation a terminal gets, by the values of `LC_ALL`, `LC_CTYPE` and `LANG`: signs only
    /// where the locale is UTF-8, and not where it is Chinese, Japanese or Korean, since
    /// terminals there often draw these very signs two cells wide.
    pub fn for_locale(all: Option<&str>, ctype: Option<&str>, lang: Option<&str>) -> Self {
        let locale = locale(all, ctype, lang);
        let wide = ["zh", "ja", "ko"].iter().any(|l| locale.starts_with(l));
        if is_utf8(&locale) && !wide { Self::Unicode } else { Self::Ascii }
    }
}

/// The locale of letters by the values of `LC_ALL`, `LC_CTYPE` and `LANG`, in small letters.
pub fn locale(all: Option<&str>, ctype: Option<&str>, lang: Option<&str>) -> String {
    let set = [all, ctype, lang].into_iter().flatten().find(|v| !v.is_empty());
    set.unwrap_or_default().to_ascii_lowercase()
}

/// Whether such a locale has all letters.
pub fn is_utf8(locale: &str) -> bool {
    locale.contains("utf-8") || locale.contains("utf8")
}

impl NoteText<'_> {
    /// For a few cells: the reason's first words first.
    fn write_short(&self, out: &mut String) -> std::fmt::Result {
        let names = !self.everywhere || self.bars.is_some();
        if names && self.missing == 0 {
            let bars = if self.state == DataState::Stale { " bars" } else { "" };
            write!(out, "{}{bars} ", self.interval)?;
        }
        match (self.state, self.bars) {
            _ if self.missing > 0 => self.write_missing(out)?,
            (DataState::Live, Some((have, need))) => write!(out, "{have}/{need}")?,
            (DataState::Live, None) => {}
            // The share of the score says it, in fewer cells.
            (DataState::Warming, Some((have, need))) if self.coverage.is_some() => {
                write!(out, "{have}/{need}")?;
            }
            (state, Some((have, need))) => write!(out, "{} {have}/{need}", state.as_str())?,
            (state, None) => out.write_str(state.as_str())?,
        }
        if let Some(why) = self.why {
            write!(out, ": {}", first_words(why))?;
        }
        if let Some((interval, have, need)) = self.young {
            write!(out, "; {interval} {have}/{need}")?;
        }
        if let Some(coverage) = self.coverage {
            write!(out, "; score of {:.0}%", coverage * 100.0)?;
        }
        Ok(())
    }

    /// `15m: 9 closes missing`
    fn write_missing(&self, out: &mut String) -> std::fmt::Result {
        match self.state {
            DataState::Stale => write!(out, "{}: ", self.interval)?,
            state => write!(out, "{} {}, ", self.interval, state.as_str())?,
        }
        super::behind::write_missing(self.missing, out)
    }

    /// At length.
    fn write(&self, out: &mut String) -> std::fmt::Result {
        match self.state {
            _ if self.missing > 0 => self.write_missing(out)?,
            DataState::Live => out.write_str(self.interval)?,
            DataState::Stale => write!(out, "{} bars stale", self.interval)?,
            state => write!(out, "{} {}", self.interval, state.as_str())?,
        }
        if let Some((have, need)) = self.bars {
            write!(out, " {have}/{need} bars")?;
        }
        self.why.map_or(Ok(()), |why| write!(out, ": {why}"))
    }
}

/// What a sentence says first, addresses left out.
fn first_words(why: &str) -> &str {
    let part = why.split(": ").find(|part| !part.contains("://")).unwrap_or(why);
    part.split([';', '(']).next().unwrap_or(part).trim_end()
}

/// The tone of a state.
pub fn state_tone(state: DataState) -> Tone {
    match state {
        DataState::Live => Tone::Plain,
        DataState::Warming | DataState::Delisted => Tone::Dim,
        DataState::Stale => Tone::Warn,
        DataState::Failed => Tone::Bad,
    }
}

/// The tone of a direction.
pub fn by_direction(sign: Sign) -> Tone {
    match sign {
        Sign::Up => Tone::Up,
        Sign::Down => Tone::Down,
        Sign::Flat => Tone::Flat,
    }
}

fn strong(tone: Tone) -> Tone {
    match tone {
        Tone::Up => Tone::UpStrong,
        Tone::Down => Tone::DownStrong,
        other => other,
    }
}

/// What is written as 0.00% is neither up nor down.
fn by_sign(v: f64) -> Tone {
    if v.abs() < 0.005 {
        Tone::Flat
    } else if v > 0.0 {
        Tone::Up
    } else if v < 0.0 {
        Tone::Down
    } else {
        Tone::Flat
    }
}

/// Below 15 a score says nothing, from 70 on it is strong.
fn by_score(score: i32) -> Tone {
    let tone = if score > 0 { Tone::Up } else { Tone::Down };
    match score.abs() {
        0..15 => Tone::Flat,
        15..70 => tone,
        _ => strong(tone),
    }
}

fn side_word(sign: Sign) -> &'static str {
    match sign {
        Sign::Up => "above",
        Sign::Flat => "touch",
        Sign::Down => "below",
    }
}

/// Digits behind the point give way before the price loses its size.
fn write_price(price: f64, tick: Tick, width: usize, out: &mut String) -> std::fmt::Result {
    let mut digits = usize::from(tick.decimals);
    let start = out.len();
    write!(out, "{price:.digits$}")?;
    while digits > 0 && out[start..].width() > width {
        let over = (out[start..].width() - width).min(digits);
        digits -= over;
        out.truncate(start);
        write!(out, "{price:.digits$}")?;
    }
    Ok(())
}

/// Seven cells at most below a million per cent: `+12.34%`, `+123.4%`, `+12345%`.
fn write_percent(v: f64, out: &mut String) -> std::fmt::Result {
    let digits = match v.abs() {
        a if a < 99.995 => 2,
        a if a < 999.95 => 1,
        _ => 0,
    };
    if v.abs() < 0.005 {
        return out.write_str("0.00%");
    }
    write!(out, "{v:+.digits$}%")
}

/// Three digits and a unit: `18.2B`, `610M`, `95.3K`.
fn write_amount(v: f64, out: &mut String) -> std::fmt::Result {
    let mut scaled = v;
    for unit in ["", "K", "M", "B", "T"] {
        if scaled.abs() < 999.5 || unit == "T" {
            let digits = match scaled.abs() {
                a if unit.is_empty() || a >= 99.95 => 0,
                a if a >= 9.995 => 1,
                _ => 2,
            };
            return write!(out, "{scaled:.digits$}{unit}");
        }
        scaled /= 1_000.0;
    }
    Ok(())
}

fn write_cross(c: LastCross, out: &mut String) -> std::fmt::Result {
    let dir = match c.dir {
        Sign::Up => "up",
        Sign::Down => "dn",
        Sign::Flat => return out.write_str("none"),
    };
    if c.inferred { write!(out, "{dir} >{}", c.bars) } else { write!(out, "{dir} {}b", c.bars) }
}

fn write_bands(
    state: BandState,
    breakout: Option<Sign>,
    notation: Notation,
    out: &mut String,
) -> std::fmt::Result {
    match (notation, breakout) {
        (Notation::Words | Notation::Machine, None) => out.write_str(state.as_str()),
        (Notation::Words | Notation::Machine, Some(s)) => {
            write!(out, "{} break-{}", state.as_str(), Notation::Words.trend(s))
        }
        (_, None) => out.write_str(if state == BandState::Expansion { "expand" } else { state.as_str() }),
        (_, Some(s)) => write!(out, "{} {}", &state.as_str()[..3], notation.trend(s)),
    }
}

/// Coarse steps, so that a quiet screen stays quiet: what is younger than five seconds of ours is
/// `now`, then steps of five seconds, minutes, hours, days of the exchange's time. `now` is said only
/// of what is live.
fn write_age(theirs: Duration, ours: Duration, pulse: Pulse, out: &mut String) -> std::fmt::Result {
    match pulse {
        Pulse::Standing => out.write_str("end"),
        Pulse::Live if ours < Duration::from_secs(5) => out.write_str("now"),
        Pulse::Off(_) if theirs < Duration::from_secs(5) => out.write_str("<5s"),
        Pulse::Live | Pulse::Off(_) => write_span(theirs, out),
    }
}

/// A span in its largest unit.
pub fn write_span(span: Duration, out: &mut String) -> std::fmt::Result {
    match span.as_secs() {
        s @ 0..60 => write!(out, "{}s", s - s % 5),
        s @ 60..3_600 => write!(out, "{}m", s / 60),
        s @ 3_600..172_800 => write!(out, "{}h", s / 3_600),
        s @ 172_800..8_640_000 => write!(out, "{}d", s / 86_400),
        s => write!(out, "{}w", s / 604_800),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value<'_>) -> String {
        let mut out = String::new();
        value.write(Notation::Ascii, 10, &mut out);
        out
    }

    #[test]
    fn figures_fit_their_columns() {
        for (v, want) in [
            (2.138, "+2.14%"),
            (-0.001, "0.00%"),
            (-123.46, "-123.5%"),
            (1234.5, "+1234%"),
            (99.999, "+100.0%"),
        ] {
            assert_eq!(text(Value::Percent(v)), want);
        }
        for (v, want) in [
            (18_230_400_000.0, "18.2B"),
            (610_200_000.0, "610M"),
            (999_900.0, "1.00M"),
            (95_300.0, "95.3K"),
            (12.0, "12"),
        ] {
            assert_eq!(text(Value::Amount(v)), want);
        }
    }

    #[test]
    fn a_price_loses_digits_before_its_size() {
        assert_eq!(text(Value::Price(0.018_421, Tick { decimals: 6 })), "0.018421");
        assert_eq!(text(Value::Price(0.000_012_345_678, Tick { decimals: 12 })), "0.00001235");
        assert_eq!(text(Value::Price(123_456_789_012.7, Tick { decimals: 1 })), "123456789013");
    }

    #[test]
    fn ages_move_in_steps() {
        let of = |s: u64, pulse| {
            text(Value::Age { theirs: Duration::from_secs(s), ours: Duration::from_secs(s), pulse })
        };
        let age = |s: u64| of(s, Pulse::Live);
        for (s, want) in
            [(0, "now"), (4, "now"), (5, "5s"), (9, "5s"), (59, "55s"), (61, "1m"), (3_599, "59m")]
        {
            assert_eq!(age(s), want);
        }
        assert_eq!((age(7_300), age(200_000)), ("2h".to_owned(), "2d".to_owned()));
        let off = |s| of(s, Pulse::Off(DataState::Stale));
        assert_eq!((off(0), off(4), off(61)), ("<5s".to_owned(), "<5s".to_owned(), "1m".to_owned()));
        assert_eq!(of(0, Pulse::Standing), "end");
    }

    #[test]
    fn an_inferred_cross_says_that_it_is_older() {
        let cross = LastCross { dir: Sign::Up, inferred: true, bars: 398, time: None };
        assert_eq!(text(Value::Cross(cross)), "up >398");
        assert_eq!(text(Value::Cross(LastCross { inferred: false, bars: 0, ..cross })), "up 0b");
    }

    #[test]
    fn a_note_says_the_reason_before_all_else() {
        let note = NoteText {
            interval: "15m",
            state: DataState::Stale,
            missing: 0,
            why: Some("socket lost: ws://127.0.0.1:4000/stream: reset by peer"),
            bars: None,
            everywhere: true,
            young: Some(("4h", 36, 102)),
            coverage: Some(0.8),
        };
        assert_eq!(text(Value::Note(note)), "stale: socket lost; 4h 36/102; score of 80%");
        let why = Some("ws://127.0.0.1:4000/stream: refused (os error 1)");
        let one = NoteText { why, everywhere: false, young: None, coverage: None, ..note };
        assert_eq!(text(Value::Note(one)), "15m bars stale: refused");
        let behind = NoteText { missing: 9, ..one };
        assert_eq!(text(Value::Note(behind)), "15m: 9 closes missing: refused");
        let failed = NoteText { missing: 1, state: DataState::Failed, ..one };
        assert_eq!(text(Value::Note(failed)), "15m failed, 1 close missing: refused");
    }

    #[test]
    fn a_score_of_a_part_is_marked_on_itself() {
        assert_eq!(text(Value::Score { shown: 83, raw: 83.2, partial: true }), "+83*");
        assert_eq!(text(Value::Score { shown: 83, raw: 83.2, partial: false }), "+83");
    }

    #[test]
    fn the_locale_decides_on_signs() {
        let of = Notation::for_locale;
        assert_eq!(of(None, None, Some("en_US.UTF-8")), Notation::Unicode);
        assert_eq!(of(None, None, Some("C.utf8")), Notation::Unicode);
        assert_eq!(of(Some("C"), None, Some("en_US.UTF-8")), Notation::Ascii);
        assert_eq!(of(Some(""), Some("en_US.UTF-8"), None), Notation::Unicode);
        assert_eq!(of(None, None, None), Notation::Ascii);
        assert_eq!(of(None, None, Some("zh_CN.UTF-8")), Notation::Ascii);
    }
}
