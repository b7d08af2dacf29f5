//! Why rows are no series.

use std::fmt;

use crate::domain::interval::UnknownInterval;
use crate::domain::kline::BadKline;

use super::header::Column;

/// Why rows are no series of candles, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsError {
    /// The line, or the place in an array, from 1; `None` where it is about all of them.
    pub line: Option<usize>,
    /// Why.
    pub why: Why,
}

impl RowsError {
    pub(super) fn at(line: usize, why: Why) -> Self {
        Self { line: Some(line), why }
    }

    pub(super) fn whole(why: Why) -> Self {
        Self { line: None, why }
    }
}

impl fmt::Display for RowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.why),
            None => self.why.fmt(f),
        }
    }
}

impl std::error::Error for RowsError {}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no row.
    #[error("there are no rows")]
    Empty,
    /// The header lacks a column.
    #[error("the header has no column `{0}`; a kline file begins with open_time,open,high,low,close,volume")]
    NoColumn(&'static str),
    /// A row has another number of fields than it should.
    #[error("the row has {found} fields instead of {expected}")]
    Columns {
        /// Fields in the row.
        found: usize,
        /// Fields there should be.
        expected: usize,
    },
    /// Rows without a header have six fields at least and twelve at most.
    #[error(
        "a row without a header has 6 to 12 fields, open_time,open,high,low,close,volume first; this one has {0}"
    )]
    Positional(usize),
    /// A row of an array is no array itself.
    #[error("a candle is an array of 12 fields, and this is none")]
    NoArray,
    /// A field is not a number.
    #[error("`{0}` is not a number")]
    NotANumber(&'static str),
    /// The numbers make no candle.
    #[error("{0}")]
    Candle(BadKline),
    /// The candle stands there twice.
    #[error("this open time stands in the row before, too; keep one of them")]
    Doubled,
    /// The candle is older than the one before.
    #[error("the row is older than the one before; sort the file by open_time")]
    Descending,
    /// The length of the candles can't be told.
    #[error("one row does not tell how long its candle is; say it with --interval")]
    NoStep,
    /// The rows are apart by what no interval is.
    #[error("most rows are {0} ms apart; {UnknownInterval}; say which with --interval")]
    Step(i64),
}

impl Column {
    /// The name in this project's header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OpenTime => "open_time",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::CloseTime => "close_time",
            Self::QuoteVolume => "quote_volume",
            Self::Trades => "trades",
            Self::TakerBase => "taker_base",
            Self::TakerQuote => "taker_quote",
            Self::Ignored => "ignore",
        }
    }
}
