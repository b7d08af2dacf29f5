//! A kline file's bytes, whatever form they are in, as rows.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::domain::kline::KlineFields;
use crate::domain::kline_rows::{self, Row, RowsError, Why, millis};

use super::HamaError;

/// The largest file read, unpacked: ten years of one-minute candles are half of it.
const MAX_BYTES: u64 = 1 << 30;

/// Rows of CSV or of a REST array, packed or not.
pub(super) fn rows(bytes: &[u8], name: &str) -> Result<Vec<Row>, HamaError> {
    let unpacked;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(bytes).map_err(|error| HamaError::Read { name: name.to_owned(), error })?;
        &unpacked
    } else {
        bytes
    };
    if bytes.trim_ascii_start().starts_with(b"[") {
        return json_rows(bytes, name);
    }
    let text = String::from_utf8_lossy(bytes);
    kline_rows::parse_csv(&text).map_err(|error| HamaError::Rows { name: name.to_owned(), error })
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
    let no_json = |error| HamaError::Json { name: name.to_owned(), error };
    let rows: Vec<RestRow<'_>> = serde_json::from_slice(bytes).map_err(no_json)?;
    if rows.is_empty() {
        let error = RowsError { line: None, why: Why::Empty };
        return Err(HamaError::Rows { name: name.to_owned(), error });
    }
    let rows = rows.into_iter().enumerate();
    rows.map(|(n, row)| row.into_row(n + 1).map_err(|error| HamaError::Rows { name: name.to_owned(), error }))
        .collect()
}

/// A kline as Binance's REST writes it: twelve fields, the figures as strings.
#[derive(Deserialize)]
struct RestRow<'a>(
    i64,
    #[serde(borrow)] Figure<'a>,
    #[serde(borrow)] Figure<'a>,
    #[serde(borrow)] Figure<'a>,
    #[serde(borrow)] Figure<'a>,
    #[serde(borrow)] Figure<'a>,
    i64,
    #[serde(borrow)] Figure<'a>,
    u32,
    #[serde(borrow)] Figure<'a>,
    #[serde(borrow)] Figure<'a>,
    serde::de::IgnoredAny,
);

/// A figure as a string, as Binance writes it, or as a number, as other programs do.
#[derive(Deserialize)]
#[serde(untagged)]
enum Figure<'a> {
    Text(&'a str),
    Number(f64),
}

impl Figure<'_> {
    fn value(&self, line: usize, name: &'static str) -> Result<f64, RowsError> {
        match self {
            Self::Number(x) => Ok(*x),
            Self::Text(text) => {
                text.parse().map_err(|_| RowsError { line: Some(line), why: Why::NotANumber(name) })
            }
        }
    }
}

impl RestRow<'_> {
    fn into_row(self, line: usize) -> Result<Row, RowsError> {
        let fields = KlineFields {
            open_time: millis(self.0),
            open: self.1.value(line, "open")?,
            high: self.2.value(line, "high")?,
            low: self.3.value(line, "low")?,
            close: self.4.value(line, "close")?,
            volume: self.5.value(line, "volume")?,
            quote_volume: Some(self.7.value(line, "quote_volume")?),
            trades: Some(self.8),
            taker_base: Some(self.9.value(line, "taker_base")?),
            taker_quote: Some(self.10.value(line, "taker_quote")?),
            ..KlineFields::default()
        };
        Ok(Row { line, fields, close_time: Some(millis(self.6)) })
    }
}
