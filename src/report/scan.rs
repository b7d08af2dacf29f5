//! `hamatop scan`, and what `hamatop` prints where there is no terminal.

use std::io::{self, Write};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::app::column::{Column, Field, Reading, UnknownColumn, scanner_columns};
use crate::app::order::{SortBy, order};
use crate::domain::time::Mono;
use crate::market::snapshot::{Row, Snapshot};
use crate::rule::filter::Filter;
use crate::rule::names::Names;

use super::{json, table};

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned, for people.
    #[default]
    Table,
    /// Comma-separated, plain figures.
    Csv,
    /// One object.
    Json,
    /// One object a row.
    Ndjson,
    /// A Markdown table.
    Md,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Table, Self::Csv, Self::Json, Self::Ndjson, Self::Md];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Md => "md",
        }
    }
}

/// No such format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a format is `table`, `csv`, `json`, `ndjson` or `md`")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|f| f.as_str() == s).ok_or(UnknownFormat)
    }
}

/// What is wanted of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct ScanOptions {
    /// How it is written.
    pub format: Format,
    /// Which rows.
    pub filter: Filter,
    /// What the filter's names stand for.
    pub names: Arc<Names>,
    /// In which order.
    pub sort: SortBy,
    /// Which columns of table, csv and md; empty: those of the screen.
    pub columns: Vec<Column>,
    /// At most so many rows.
    pub limit: Option<usize>,
    /// Only scores of at least this size, whatever their sign.
    pub min_score: Option<u32>,
    /// How many of the closed bars that the picture carries go into json and ndjson; `None`: all.
    pub klines: Option<u32>,
    /// Why it is not all that was asked for; `None`: it is.
    pub incomplete: Option<String>,
    /// When it is written, on our clock.
    pub now: Mono,
    /// How long the scan took.
    pub elapsed: Duration,
}

impl ScanOptions {
    pub(super) fn newest_bars(&self) -> usize {
        self.klines.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
    }
}

/// Reads `--columns a,b,c`.
pub fn parse_columns(list: &str) -> Result<Vec<Column>, UnknownColumn> {
    list.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::parse).collect()
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows that match, before the limit.
    pub matched: usize,
    /// Rows written.
    pub rows: usize,
    /// Rows left out since it is not known whether they match.
    pub unknown: usize,
}

/// Writes the rows that are wanted.
pub fn write(snapshot: &Snapshot, options: &ScanOptions, out: &mut dyn Write) -> io::Result<Written> {
    let reading = Reading::new(snapshot, options.now, 0).with_names(&options.names);
    let order = order(&snapshot.rows, &options.filter, options.sort, &reading);
    let strong = |row: &&Row| {
        options.min_score.is_none_or(|min| row.score.is_some_and(|s| s.score.unsigned_abs() >= min))
    };
    let mut rows: Vec<&Row> = order.rows.iter().map(|n| &*snapshot.rows[*n]).filter(strong).collect();
    let matched = rows.len();
    rows.truncate(options.limit.unwrap_or(usize::MAX));
    let columns = || match options.columns.as_slice() {
        [] => default_columns(snapshot),
        columns => columns.to_vec(),
    };
    let written = Written { matched, rows: rows.len(), unknown: order.unknown };
    match options.format {
        Format::Table => table::table(&columns(), &rows, &reading, out)?,
        Format::Md => table::markdown(&columns(), &rows, &reading, out)?,
        Format::Csv => table::csv(&columns(), &rows, &reading, out)?,
        Format::Json => json::document(snapshot, options, (&rows, matched), &reading, out)?,
        Format::Ndjson => json::lines(options, &rows, &reading, out)?,
    }
    out.flush()?;
    Ok(written)
}

fn default_columns(snapshot: &Snapshot) -> Vec<Column> {
    let columns = scanner_columns(&snapshot.intervals, snapshot.markets.len() > 1);
    // In text a state is a word of its own.
    let with_state = |c: Column| match c.field {
        Field::Age => vec![c, Column::of(Field::State)],
        _ => vec![c],
    };
    columns.into_iter().flat_map(with_state).collect()
}

#[cfg(test)]
mod tests;
