//! A kline file's bytes, whatever form they are in, as rows.

use std::fmt;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::domain::kline::KlineFields;
use crate::domain::kline_rows::{self, Row, RowsError, Why, millis};

use super::HamaError;

/// The largest file read, unpacked: ten years of one-minute candles are half of it.
const MAX_BYTES: u64 = 1 << 30;

/// Fields of a candle in the exchange's array.
const FIELDS: usize = 12;

/// What was in a file.
pub(super) struct Input {
    pub(super) rows: Vec<Row>,
    pub(super) form: Form,
}

/// What the rows are counted in.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Lines of text.
    Csv,
    /// Rows of an array, which may all stand on one line.
    Json,
}

impl Form {
    /// The sentence for what is wrong with the rows.
    pub(super) fn error(self, name: &str, error: RowsError) -> HamaError {
        let name = name.to_owned();
        match (self, error.line) {
            (Self::Json, Some(row)) => HamaError::Row { name, row, why: error.why },
            _ => HamaError::Rows { name, error },
        }
    }
}

/// Rows of CSV or of a REST array, packed or not.
pub(super) fn read(bytes: &[u8], name: &str) -> Result<Input, HamaError> {
    let unpacked;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(bytes).map_err(|error| HamaError::Read { name: name.to_owned(), error })?;
        &unpacked
    } else {
        bytes
    };
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Ok(Input { rows: json_rows(bytes, name)?, form: Form::Json });
    }
    let text = String::from_utf8_lossy(bytes);
    let rows = kline_rows::parse_csv(&text).map_err(|error| Form::Csv.error(name, error))?;
    Ok(Input { rows, form: Form::Csv })
}

fn unpack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let limit = MAX_BYTES + 1;
    MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut out)?;
    if out.len() as u64 >= limit {
        return Err(std::io::Error::other("it unpacks to more than 1 GiB; split it"));
    }
    Ok(out)
}

fn json_rows(bytes: &[u8], name: &str) -> Result<Vec<Row>, HamaError> {
    let mut reader = Rows { rows: Vec::new(), bad: None };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = reader.deserialize(&mut json).and_then(|()| json.end());
    match (read, reader.bad) {
        (_, Some(bad)) => Err(Form::Json.error(name, bad)),
        (Err(error), None) => {
            Err(HamaError::Json { name: name.to_owned(), row: reader.rows.len() + 1, error })
        }
        (Ok(()), None) if reader.rows.is_empty() => {
            Err(Form::Json.error(name, RowsError { line: None, why: Why::Empty }))
        }
        (Ok(()), None) => Ok(reader.rows),
    }
}

/// Takes the rows one by one: what is wrong with one is said with its number, and in our words.
struct Rows {
    rows: Vec<Row>,
    bad: Option<RowsError>,
}

impl<'de> DeserializeSeed<'de> for &mut Rows {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Rows {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of candles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(row) = seq.next_element::<RestRow<'_>>()? {
            let line = self.rows.len() + 1;
            match row.into_row(line) {
                Ok(row) => self.rows.push(row),
                Err(why) => {
                    self.bad = Some(RowsError { line: Some(line), why });
                    // Ends the reading; what is said is `bad`.
                    return Err(A::Error::custom("a bad row"));
                }
            }
        }
        Ok(())
    }
}

/// A kline as Binance's REST writes it: twelve fields, the figures as strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum RestRow<'a> {
    Fields(#[serde(borrow)] Vec<Figure<'a>>),
    Other(IgnoredAny),
}

/// A figure as a string, as Binance writes it, or as a number, as other programs do; null where a
/// source does not give it.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Figure<'a> {
    Integer(i64),
    Number(f64),
    Text(&'a str),
    Null(()),
    Other(IgnoredAny),
}

impl Figure<'_> {
    fn number(self, name: &'static str) -> Result<f64, Why> {
        let read = match self {
            // A figure of more than 2^53 is rounded, as it is where it is written as a string.
            #[expect(clippy::cast_precision_loss, reason = "prices and volumes are floating point")]
            Self::Integer(x) => Some(x as f64),
            Self::Number(x) => Some(x),
            Self::Text(text) => text.parse().ok(),
            Self::Null(()) | Self::Other(_) => None,
        };
        read.ok_or(Why::NotANumber(name))
    }

    fn integer(self, name: &'static str) -> Result<i64, Why> {
        let read = match self {
            Self::Integer(x) => Some(x),
            Self::Text(text) => text.parse().ok(),
            Self::Number(_) | Self::Null(()) | Self::Other(_) => None,
        };
        read.ok_or(Why::NotANumber(name))
    }

    /// What a source may leave out.
    fn if_given<T>(self, read: impl FnOnce(Self) -> Result<T, Why>) -> Result<Option<T>, Why> {
        if matches!(self, Self::Null(())) { Ok(None) } else { read(self).map(Some) }
    }
}

impl RestRow<'_> {
    fn into_row(self, line: usize) -> Result<Row, Why> {
        let Self::Fields(fields) = self else { return Err(Why::NoArray) };
        let columns = Why::Columns { found: fields.len(), expected: FIELDS };
        let fields: [Figure<'_>; FIELDS] = fields.try_into().map_err(|_| columns)?;
        let [open_time, open, high, low, close, volume, close_time, quote, trades, base, taker, _] = fields;
        let count =
            |f: Figure<'_>| u32::try_from(f.integer("trades")?).map_err(|_| Why::NotANumber("trades"));
        let fields = KlineFields {
            open_time: millis(open_time.integer("open_time")?),
            open: open.number("open")?,
            high: high.number("high")?,
            low: low.number("low")?,
            close: close.number("close")?,
            volume: volume.number("volume")?,
            quote_volume: quote.if_given(|f| f.number("quote_volume"))?,
            trades: trades.if_given(count)?,
            taker_base: base.if_given(|f| f.number("taker_base"))?,
            taker_quote: taker.if_given(|f| f.number("taker_quote"))?,
            ..KlineFields::default()
        };
        Ok(Row { line, fields, close_time: Some(millis(close_time.integer("close_time")?)) })
    }
}
