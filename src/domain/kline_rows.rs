//! Candles as rows of text: this project's CSV and the public archive's.

mod error;
mod header;

pub use error::{RowsError, Why};

use super::interval::Interval;
use super::kline::{Kline, KlineFields};
use super::time::UnixMs;
use header::{Column, Header};

/// The header of this project's kline files.
pub const HEADER: &str =
    "open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_base,taker_quote";

/// One row as it was read, not checked yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Where it stood: its line, or its place in an array, from 1.
    pub line: usize,
    /// Its fields; the close time is not among them yet.
    pub fields: KlineFields,
    /// Its close time, where the source gives one.
    pub close_time: Option<UnixMs>,
}

/// A series out of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// How long its candles are: as asked for, or else the step most rows are apart.
    pub interval: Interval,
    /// The candles, strictly ascending.
    pub klines: Vec<Kline>,
}

/// Reads CSV rows with this project's header, or the archive's with or without one; times in milli-
/// or microseconds.
pub fn parse_csv(text: &str) -> Result<Vec<Row>, RowsError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).peekable();
    let Some(&(at, first)) = lines.peek() else { return Err(RowsError::whole(Why::Empty)) };
    let header = if first.split(',').next().is_some_and(|f| clean(f).parse::<f64>().is_ok()) {
        Header::positional(first.split(',').count())
    } else {
        lines.next();
        Header::named(first)
    };
    let header = header.map_err(|why| RowsError::at(at + 1, why))?;
    lines.map(|(n, line)| parse_row(n + 1, line, &header)).collect()
}

fn parse_row(line: usize, text: &str, header: &Header) -> Result<Row, RowsError> {
    let at = |why| RowsError::at(line, why);
    let mut row = Row { line, fields: KlineFields::default(), close_time: None };
    let mut columns = 0;
    for (field, column) in text.split(',').zip(header.columns()) {
        columns += 1;
        set(&mut row, *column, clean(field)).map_err(at)?;
    }
    let found = text.split(',').count();
    if found != header.columns().len() || columns != found {
        return Err(at(Why::Columns { found, expected: header.columns().len() }));
    }
    Ok(row)
}

/// A field without the white space and quotes around it.
fn clean(field: &str) -> &str {
    field.trim().trim_matches('"')
}

fn set(row: &mut Row, column: Column, text: &str) -> Result<(), Why> {
    let number = || text.parse::<f64>().map_err(|_| Why::NotANumber(column.name()));
    let optional = || if text.is_empty() { Ok(None) } else { number().map(Some) };
    let fields = &mut row.fields;
    match column {
        // Sources that do not give these leave them empty.
        Column::CloseTime | Column::Trades if text.is_empty() => {}
        Column::OpenTime => fields.open_time = time(text, column)?,
        Column::CloseTime => row.close_time = Some(time(text, column)?),
        Column::Open => fields.open = number()?,
        Column::High => fields.high = number()?,
        Column::Low => fields.low = number()?,
        Column::Close => fields.close = number()?,
        Column::Volume => fields.volume = number()?,
        Column::QuoteVolume => fields.quote_volume = optional()?,
        Column::TakerBase => fields.taker_base = optional()?,
        Column::TakerQuote => fields.taker_quote = optional()?,
        Column::Trades => {
            fields.trades = Some(text.parse().map_err(|_| Why::NotANumber(column.name()))?);
        }
        Column::Ignored => {}
    }
    Ok(())
}

fn time(text: &str, column: Column) -> Result<UnixMs, Why> {
    text.parse().map(millis).map_err(|_| Why::NotANumber(column.name()))
}

/// A time in milliseconds, given one in milli- or microseconds: the archive changed its unit.
pub fn millis(t: i64) -> UnixMs {
    const FIRST_MICROS: i64 = 100_000_000_000_000;
    UnixMs(if t >= FIRST_MICROS { t / 1_000 } else { t })
}

/// Checks the rows and makes candles of them. Rows that are not there are not missed: the exchange
/// may not have had them. `interval`: how long the candles are, where that is known.
pub fn series(rows: &[Row], interval: Option<Interval>) -> Result<Series, RowsError> {
    for pair in rows.windows(2) {
        let [before, row] = pair else { continue };
        let why = match row.fields.open_time.cmp(&before.fields.open_time) {
            std::cmp::Ordering::Greater => continue,
            std::cmp::Ordering::Equal => Why::Doubled,
            std::cmp::Ordering::Less => Why::Descending,
        };
        return Err(RowsError::at(row.line, why));
    }
    let interval = match interval {
        Some(interval) => interval,
        None => modal_interval(rows).map_err(RowsError::whole)?,
    };
    let klines = rows.iter().map(|row| candle(row, interval)).collect::<Result<_, _>>()?;
    Ok(Series { interval, klines })
}

fn candle(row: &Row, interval: Interval) -> Result<Kline, RowsError> {
    let end = || UnixMs(row.fields.open_time.0.saturating_add(interval.millis() - 1));
    let close_time = row.close_time.unwrap_or_else(end);
    Kline::new(KlineFields { close_time, ..row.fields })
        .map_err(|bad| RowsError::at(row.line, Why::Candle(bad)))
}

/// The interval that most rows are apart; of one row, as long as it lasts.
fn modal_interval(rows: &[Row]) -> Result<Interval, Why> {
    let mut steps: Vec<i64> =
        rows.windows(2).map(|w| w[1].fields.open_time.0 - w[0].fields.open_time.0).collect();
    if steps.is_empty() {
        let lasts = |r: &Row| Some(r.close_time?.0 - r.fields.open_time.0 + 1);
        steps.extend(rows.iter().filter_map(lasts));
    }
    steps.sort_unstable();
    let modal = steps.chunk_by(|a, b| a == b).max_by_key(|c| (c.len(), std::cmp::Reverse(c[0])));
    let step = modal.map(|c| c[0]).ok_or(Why::NoStep)?;
    let known = Interval::ALL.iter().copied().find(|i| i.millis() == step);
    // A month is 28 to 31 days.
    let month = (28..=31).any(|days| step == days * 86_400_000).then_some(Interval::Mo1);
    known.or(month).ok_or(Why::Step(step))
}

#[cfg(test)]
mod tests;
