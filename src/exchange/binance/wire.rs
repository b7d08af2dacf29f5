//! What the sockets say, in the exchange's one-letter names. They are known in this file only.
//!
//! Invariant: no text makes this panic; what can't be read is a [`Discard`].

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, Visitor};

use crate::domain::kline::{Finality, Kline, KlineFields};
use crate::domain::time::UnixMs;
use crate::exchange::Discard;

use super::decimal;

/// One text frame, understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame<'a> {
    /// A candle.
    Kline(KlineFrame<'a>),
    /// 24 h figures of the pairs that changed.
    Day {
        /// Those that could be read, without those of the coin-margined market.
        rows: Vec<DayRow<'a>>,
        /// Those that could not.
        skipped: u32,
    },
    /// The answer to a request over the socket.
    Reply {
        /// Of which request.
        id: Option<u64>,
        /// What the exchange has against it; `None` = done.
        refusal: Option<String>,
    },
    /// The server goes down; a new connection is wanted at once.
    Shutdown,
}

/// A candle and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct KlineFrame<'a> {
    /// The stream it came by, on a combined connection.
    pub stream: Option<Cow<'a, str>>,
    /// The exchange's name of the pair.
    pub symbol: Cow<'a, str>,
    /// The exchange's name of the interval.
    pub interval: Cow<'a, str>,
    /// The candle.
    pub kline: Kline,
    /// Whether it is closed.
    pub finality: Finality,
    /// The exchange's stamp.
    pub event_time: UnixMs,
}

/// 24 h figures of one pair.
#[derive(Clone, Debug, PartialEq)]
pub struct DayRow<'a> {
    /// The exchange's name of the pair.
    pub symbol: Cow<'a, str>,
    /// The last price.
    pub last: f64,
    /// Change over 24 h in per cent.
    pub change_pct: f64,
    /// Quote asset traded in 24 h.
    pub quote_volume: f64,
    /// The exchange's stamp.
    pub event_time: UnixMs,
}

/// Reads a text frame.
pub fn parse(text: &str) -> Result<Frame<'_>, Discard> {
    // Nearly every frame is this one, and its first bytes say so.
    if let Some(rest) = text.strip_prefix("{\"stream\":\"")
        && let Some(at) = rest.bytes().position(|b| b == b'@' || b == b'"')
        && rest.as_bytes()[at..].starts_with(b"@kline_")
        && let Ok(Combined { stream, data }) =
            serde_json::from_str::<Combined<&str, WireKlineEvent<&str>>>(text)
    {
        return data.read(Some(Cow::Borrowed(stream)));
    }
    parse_any(text)
}

/// Out of line, so that the way of the many stays short.
#[cold]
#[inline(never)]
fn parse_any(text: &str) -> Result<Frame<'_>, Discard> {
    if text.trim_start().starts_with('[') {
        return day(from_str::<Vec<Lenient<WireDay<'_>>>>(text)?);
    }
    let sniff: Sniff<'_> = from_str(text)?;
    let wrapped = sniff.data.is_some();
    let event = match sniff.data {
        Some(SniffData::Object { event }) => event,
        Some(SniffData::Other(_)) => None,
        None => sniff.event,
    };
    match (event.as_deref(), wrapped) {
        (Some("kline"), true) => {
            let Combined { stream, data } =
                from_str::<Combined<Cow<'_, str>, WireKlineEvent<Cow<'_, str>>>>(text)
                    .map_err(|_| Discard::BadValue)?;
            data.read(Some(stream))
        }
        (Some("kline"), false) => {
            from_str::<WireKlineEvent<Cow<'_, str>>>(text).map_err(|_| Discard::BadValue)?.read(None)
        }
        (Some("serverShutdown"), _) => Ok(Frame::Shutdown),
        (None, true) => day(from_str::<Combined<IgnoredAny, Vec<Lenient<WireDay<'_>>>>>(text)?.data),
        (None, false) => reply(sniff.id.as_ref(), sniff.error, sniff.code, sniff.msg),
        (Some(_), _) => Err(Discard::UnknownShape),
    }
}

fn from_str<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Discard> {
    serde_json::from_str(text).map_err(|e| if e.is_data() { Discard::UnknownShape } else { Discard::NotJson })
}

fn reply<'a>(
    id: Option<&Lenient<u64>>,
    error: Option<Lenient<WireError<'a>>>,
    code: Option<i64>,
    msg: Option<Cow<'a, str>>,
) -> Result<Frame<'a>, Discard> {
    if id.is_none() && error.is_none() && code.is_none() {
        return Err(Discard::UnknownShape);
    }
    let sentence = |code: Option<i64>, msg: Option<Cow<'_, str>>| {
        format!("{} (code {})", msg.as_deref().unwrap_or("no reason given"), code.unwrap_or_default())
    };
    let refusal = match error {
        Some(Lenient::Good(e)) => Some(sentence(e.code, e.msg)),
        Some(Lenient::Bad(_)) => Some("an error of unknown shape".to_owned()),
        None => code.map(|_| sentence(code, msg)),
    };
    let id = match id {
        Some(Lenient::Good(id)) => Some(*id),
        _ => None,
    };
    Ok(Frame::Reply { id, refusal })
}

fn day(wire: Vec<Lenient<WireDay<'_>>>) -> Result<Frame<'_>, Discard> {
    // An array of something else altogether is not a table of which all rows are bad.
    if !wire.is_empty() && wire.iter().all(|r| matches!(r, Lenient::Bad(_))) {
        return Err(Discard::UnknownShape);
    }
    let mut skipped = 0;
    let mut rows = Vec::with_capacity(wire.len());
    for row in wire {
        match row {
            Lenient::Good(row) if row.product == Some(COIN_MARGINED) => {}
            Lenient::Good(row) => match row.read() {
                Some(row) => rows.push(row),
                // A pair that nobody traded in the window has no figures, and that is no fault.
                None if row.is_untraded() => {}
                None => skipped += 1,
            },
            Lenient::Bad(_) => skipped += 1,
        }
    }
    Ok(Frame::Day { rows, skipped })
}

/// `st` of a row that belongs to the coin-margined market, whose all-market arrays are sent along.
const COIN_MARGINED: u8 = 2;

/// What a combined connection wraps each event in. Names are of the type `S`: a slice of the frame,
/// or where that can't be because of escapes, a copy.
#[derive(Deserialize)]
struct Combined<S, T> {
    stream: S,
    data: T,
}

/// What the event is called is not read again: whoever comes here knows it.
#[derive(Deserialize)]
struct WireKlineEvent<S> {
    #[serde(rename = "E")]
    event_time: i64,
    #[serde(rename = "s")]
    symbol: S,
    #[serde(rename = "k")]
    kline: WireKline<S>,
}

#[derive(Deserialize)]
struct WireKline<S> {
    #[serde(rename = "t")]
    open_time: i64,
    #[serde(rename = "T")]
    close_time: i64,
    #[serde(rename = "i")]
    interval: S,
    #[serde(rename = "o")]
    open: Decimal,
    #[serde(rename = "c")]
    close: Decimal,
    #[serde(rename = "h")]
    high: Decimal,
    #[serde(rename = "l")]
    low: Decimal,
    #[serde(rename = "v")]
    volume: Decimal,
    #[serde(rename = "n")]
    trades: Option<u32>,
    #[serde(rename = "x")]
    closed: bool,
    #[serde(rename = "q")]
    quote_volume: Option<Decimal>,
    #[serde(rename = "V")]
    taker_base: Option<Decimal>,
    #[serde(rename = "Q")]
    taker_quote: Option<Decimal>,
}

#[derive(Deserialize)]
struct WireDay<'a> {
    #[serde(rename = "E")]
    event_time: i64,
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "c")]
    last: Number,
    #[serde(rename = "o")]
    open: Number,
    #[serde(rename = "q")]
    quote_volume: Number,
    #[serde(rename = "st")]
    product: Option<u8>,
}

#[derive(Deserialize)]
struct WireError<'a> {
    code: Option<i64>,
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

/// Enough of any object to tell what it is.
#[derive(Deserialize)]
struct Sniff<'a> {
    #[serde(rename = "e", borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<SniffData<'a>>,
    id: Option<Lenient<u64>>,
    #[serde(borrow)]
    error: Option<Lenient<WireError<'a>>>,
    code: Option<i64>,
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SniffData<'a> {
    Object {
        #[serde(rename = "e", borrow)]
        event: Option<Cow<'a, str>>,
    },
    Other(IgnoredAny),
}

/// One entry of a list: a bad one must not take the others with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Lenient<T> {
    /// As expected.
    Good(T),
    /// Something else.
    Bad(IgnoredAny),
}

/// A number that may be written as a string. What is no number becomes NaN, which no candle takes:
/// the frame's other fields can still be read, and the error is the candle's, not the parser's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A number written as a string, as those of candles always are; to expect just that is faster.
struct Decimal(f64);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NumberVisitor).map(|Number(v)| Self(v))
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, plain or as a string")
    }

    fn visit_str<E>(self, v: &str) -> Result<Number, E> {
        Ok(Number(decimal::parse(v)))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Number, E> {
        Ok(Number(v))
    }

    #[expect(clippy::cast_precision_loss, reason = "prices and volumes are f64 here")]
    fn visit_u64<E>(self, v: u64) -> Result<Number, E> {
        Ok(Number(v as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "prices and volumes are f64 here")]
    fn visit_i64<E>(self, v: i64) -> Result<Number, E> {
        Ok(Number(v as f64))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number(f64::NAN))
    }
}

/// A stamp in milliseconds; one in microseconds would be far in the future.
pub(super) fn millis(raw: i64) -> Option<UnixMs> {
    (0..100_000_000_000_000).contains(&raw).then_some(UnixMs(raw))
}

impl<'a, S: Into<Cow<'a, str>>> WireKlineEvent<S> {
    #[inline]
    fn read(self, stream: Option<Cow<'a, str>>) -> Result<Frame<'a>, Discard> {
        let k = self.kline;
        let kline = Kline::new(KlineFields {
            open_time: UnixMs(k.open_time),
            close_time: UnixMs(k.close_time),
            open: k.open.0,
            high: k.high.0,
            low: k.low.0,
            close: k.close.0,
            volume: k.volume.0,
            quote_volume: k.quote_volume.map(|v| v.0),
            trades: k.trades,
            taker_base: k.taker_base.map(|v| v.0),
            taker_quote: k.taker_quote.map(|v| v.0),
        })
        .map_err(|_| Discard::BadValue)?;
        Ok(Frame::Kline(KlineFrame {
            stream,
            symbol: self.symbol.into(),
            interval: k.interval.into(),
            kline,
            finality: if k.closed { Finality::Closed } else { Finality::Forming },
            event_time: millis(self.event_time).ok_or(Discard::BadValue)?,
        }))
    }
}

impl<'a> WireDay<'a> {
    /// Nobody has ever traded the pair, or not within the window.
    fn is_untraded(&self) -> bool {
        self.last.0 == 0.0 && self.quote_volume.0 == 0.0
    }

    fn read(&self) -> Option<DayRow<'a>> {
        let Number(last) = self.last;
        Some(DayRow {
            symbol: self.symbol.clone(),
            last: Some(last).filter(|v| v.is_finite() && *v > 0.0)?,
            change_pct: change_pct(self.open.0, last)?,
            quote_volume: Some(self.quote_volume.0).filter(|v| v.is_finite() && *v >= 0.0)?,
            event_time: millis(self.event_time)?,
        })
    }
}

/// From `open` to `last` in per cent, where there is an open to compare with.
pub(super) fn change_pct(open: f64, last: f64) -> Option<f64> {
    (open > 0.0).then(|| (last - open) / open * 100.0).filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests;
