//! The bundled recording: how it is written into one small file, and read from it.
//!
//! Gzipped text. `S symbol digits-of-price digits-of-volume digits-of-quote` begins a symbol,
//! `I interval first-open count has-quote-and-trades` a series without gaps; then one candle a line, in
//! whole units: open less the close before, close less open, high and low as distances from the
//! nearer of the two, volume, and quote volume and trades where the source has them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::candle::{Candle, Scale};
use super::folder::{self, BadFolder};
use super::rows::{Raw, Recording};
use crate::domain::interval::Interval;
use crate::domain::time::UnixMs;

/// The file that is compiled in; `PROVENANCE.md` beside it says where it comes from.
const BUNDLED: &[u8] = include_bytes!("replay/um-2025-10.gz");
const FIRST_LINE: &str = "hamatop replay 1";

/// Where candles begin to be played by 5m ones: 2025-10-10T00:00Z.
pub const PLAYED_FROM: UnixMs = UnixMs(1_760_054_400_000);
/// Where the recording ends: 2025-10-12T00:00Z.
pub const END: UnixMs = UnixMs(1_760_227_200_000);
/// Where it is started unless said otherwise: 2025-10-10T20:00Z, before the fall.
pub const START: UnixMs = UnixMs(1_760_126_400_000);

/// Candles kept before [`PLAYED_FROM`].
const HISTORY: i64 = 660;

/// The bundled recording can't be read: the program was built with a broken file.
#[derive(Debug, thiserror::Error)]
pub enum BadReplay {
    /// It does not unzip.
    #[error("the bundled recording is broken: {0}")]
    Zip(#[from] std::io::Error),
    /// A line makes no sense.
    #[error("the bundled recording is broken in line {0}")]
    Line(usize),
    /// The folder to make it from can't be read.
    #[error(transparent)]
    Folder(#[from] BadFolder),
    /// The folder's candles contradict each other or have gaps.
    #[error("{0}")]
    Source(String),
}

/// The bundled recording.
pub(crate) fn bundled() -> Result<Vec<Recording>, BadReplay> {
    let mut text = String::new();
    GzDecoder::new(BUNDLED).read_to_string(&mut text)?;
    decode(&text)
}

/// Makes the file from a folder of 5m, 15m, 1h and 4h kline files.
pub fn make(folder: &Path) -> Result<Vec<u8>, BadReplay> {
    let mut text = format!("{FIRST_LINE}\n");
    for recording in folder::load(folder)? {
        let named = |why: String| BadReplay::Source(format!("{}: {why}", recording.symbol));
        encode(&recording, &mut text).map_err(named)?;
    }
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(text.as_bytes())?;
    Ok(zip.finish()?)
}

fn encode(recording: &Recording, out: &mut String) -> Result<(), String> {
    let scale = recording.scale;
    // Writing to a string does not fail.
    let _ = writeln!(out, "S {} {} {} {}", recording.symbol, scale.price, scale.volume, scale.quote);
    for interval in [Interval::M5, Interval::M15, Interval::H1, Interval::H4] {
        let raws = recording.series.get(&interval).ok_or_else(|| format!("no {interval} file"))?;
        let history = if interval == Interval::M5 { 0 } else { HISTORY };
        let from = PLAYED_FROM.0 - history * interval.millis();
        let kept: Vec<&Raw> =
            raws.iter().filter(|r| r.candle.open_time.0 >= from && r.candle.open_time < END).collect();
        let first = kept.first().ok_or_else(|| format!("no {interval} candles of that time"))?;
        let given = first.has_quote && first.has_trades;
        let start = first.candle.open_time.0;
        let _ = writeln!(out, "I {interval} {start} {} {}", kept.len(), u8::from(given));
        let mut last = 0;
        for (n, raw) in (0..).zip(&kept) {
            let c = raw.candle;
            if c.open_time.0 != start + n * interval.millis() {
                return Err(format!("{interval}: a candle is missing before {}", c.open_time));
            }
            check(recording, interval, &c)?;
            let (top, bottom) = (c.open.max(c.close), c.open.min(c.close));
            let (gap, body) = (c.open - last, c.close - c.open);
            let _ = write!(out, "{gap} {body} {} {} {}", c.high - top, bottom - c.low, c.volume);
            let _ = if given { writeln!(out, " {} {}", c.quote, c.trades) } else { writeln!(out) };
            last = c.close;
        }
    }
    Ok(())
}

/// While it is played by 5m candles, a longer one has to be exactly what they make.
fn check(recording: &Recording, interval: Interval, whole: &Candle) -> Result<(), String> {
    if interval == Interval::M5 || whole.open_time < PLAYED_FROM {
        return Ok(());
    }
    let fives = recording.series.get(&Interval::M5).map(Vec::as_slice).unwrap_or_default();
    let inside = |c: &Candle| c.open_time >= whole.open_time && c.open_time <= whole.close_time;
    let made = Candle::join(fives.iter().map(|r| r.candle).filter(inside), whole.close_time);
    let prices = |c: &Candle| (c.open, c.high, c.low, c.close, c.volume);
    match made.filter(|m| prices(m) == prices(whole)) {
        Some(_) => Ok(()),
        None => Err(format!("{interval} candle {} is not what its 5m candles make", whole.open_time)),
    }
}

fn decode(text: &str) -> Result<Vec<Recording>, BadReplay> {
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, l)| l != FIRST_LINE) {
        return Err(BadReplay::Line(1));
    }
    let mut all: Vec<Recording> = Vec::new();
    while let Some((n, line)) = lines.next() {
        let broken = || BadReplay::Line(n + 1);
        let mut words = line.split(' ');
        match words.next() {
            Some("S") => all.push(symbol(words).ok_or_else(broken)?),
            Some("I") => {
                let head = series(words).ok_or_else(broken)?;
                let mut last = 0;
                let mut raws = Vec::with_capacity(head.count);
                for n in 0..head.count {
                    let (at, line) = lines.next().ok_or_else(broken)?;
                    let open_time = head.start + i64::try_from(n).unwrap_or(0) * head.interval.millis();
                    let raw = candle(line, &head, open_time, last).ok_or(BadReplay::Line(at + 1))?;
                    last = raw.candle.close;
                    raws.push(raw);
                }
                all.last_mut().ok_or_else(broken)?.series.insert(head.interval, raws);
            }
            _ => return Err(broken()),
        }
    }
    Ok(all)
}

struct Head {
    interval: Interval,
    start: i64,
    count: usize,
    given: bool,
}

fn symbol<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Recording> {
    let symbol = words.next()?.parse().ok()?;
    let mut digits = || words.next()?.parse::<u8>().ok();
    let scale = Scale { price: digits()?, volume: digits()?, quote: digits()? };
    Some(Recording { symbol, scale, series: BTreeMap::new() })
}

fn series<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Head> {
    Some(Head {
        interval: words.next()?.parse().ok()?,
        start: words.next()?.parse().ok()?,
        count: words.next()?.parse().ok().filter(|n| *n < 1_000_000)?,
        given: words.next()? == "1",
    })
}

fn candle(line: &str, head: &Head, open_time: i64, last: i64) -> Option<Raw> {
    let mut words = line.split(' ').map(|w| w.parse::<i64>().ok());
    let mut next = || words.next().flatten();
    let open = last + next()?;
    let close = open + next()?;
    let high = open.max(close) + next()?;
    let low = open.min(close) - next()?;
    let volume = next()?;
    let (quote, trades) = if head.given { (next()?, next()?) } else { (0, 0) };
    let candle = Candle {
        open_time: UnixMs(open_time),
        close_time: UnixMs(open_time + head.interval.millis() - 1),
        open,
        high,
        low,
        close,
        volume,
        quote,
        trades,
        taker_base: 0,
        taker_quote: 0,
    };
    Some(Raw { candle, has_quote: head.given, has_trades: head.given, has_taker: false })
}
