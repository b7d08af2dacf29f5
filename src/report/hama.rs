//! `hamatop hama`: the indicator over a kline file, offline.

mod columns;
mod input;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use crate::domain::hama::HamaPoint;
use crate::domain::indicator::HamaColumns;
use crate::domain::interval::Interval;
use crate::domain::kline_rows::{self, RowsError, Series, Why};
use crate::domain::preset::Preset;
use crate::domain::time::UnixMs;

use columns::{COLUMNS, Cell};

/// What to compute, of what, and how to show it.
#[derive(Clone, Debug)]
pub struct HamaArgs {
    /// Where the candles are.
    pub file: InputFile,
    /// The indicator.
    pub preset: Preset,
    /// How long the candles are; `None` = the step most rows are apart.
    pub interval: Option<Interval>,
    /// How to write the rows.
    pub format: HamaFormat,
    /// Only the last so many rows.
    pub tail: Option<usize>,
    /// Keep a last candle that has not closed at [`HamaArgs::now`].
    pub keep_last: bool,
    /// The time now.
    pub now: UnixMs,
}

/// Where the candles are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputFile {
    /// `-`
    Stdin,
    /// A file.
    Path(PathBuf),
}

impl From<PathBuf> for InputFile {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path) }
    }
}

/// How to write the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HamaFormat {
    /// A header and one line a bar; what is not known is empty.
    #[default]
    Csv,
    /// An array of objects with the same names; what is not known is null.
    Json,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum HamaError {
    /// The file can't be opened or read.
    #[error("can't read {name}: {error}")]
    Read {
        /// Its name.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The file is no kline file.
    #[error("{name}: {error}")]
    Rows {
        /// Its name.
        name: String,
        /// Why.
        error: RowsError,
    },
    /// A row of a JSON array is no candle, or is not in its place.
    #[error("{name}: row {row}: {why}")]
    Row {
        /// The file's name.
        name: String,
        /// Its place in the array, from 1.
        row: usize,
        /// Why.
        why: Why,
    },
    /// The file looks like JSON and is none.
    #[error("{name}: row {row} is no JSON: {error}")]
    Json {
        /// Its name.
        name: String,
        /// Up to which row it can be read.
        row: usize,
        /// Why, with line and column.
        error: serde_json::Error,
    },
    /// The result can't be written; a closed pipe among others.
    #[error("can't write the result: {0}")]
    Write(#[from] io::Error),
}

/// Reads the candles, computes the indicator of each and writes it to `out`.
pub fn run(args: &HamaArgs, out: &mut dyn Write) -> Result<(), HamaError> {
    let name = match &args.file {
        InputFile::Stdin => "standard input".to_owned(),
        InputFile::Path(path) => path.display().to_string(),
    };
    let bytes = read(&args.file).map_err(|error| HamaError::Read { name: name.clone(), error })?;
    let input = input::read(&bytes, &name)?;
    let series = kline_rows::series(&input.rows, args.interval);
    let mut series = series.map_err(|error| input.form.error(&name, error))?;
    if !args.keep_last && series.klines.last().is_some_and(|k| k.close_time() >= args.now) {
        series.klines.pop();
    }
    write_series(&series, args, out)
}

fn read(file: &InputFile) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match file {
        InputFile::Stdin => io::stdin().lock().read_to_end(&mut bytes)?,
        InputFile::Path(path) => std::fs::File::open(path)?.read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

fn write_series(series: &Series, args: &HamaArgs, out: &mut dyn Write) -> Result<(), HamaError> {
    let mut columns = HamaColumns::new(&args.preset, series.interval);
    columns.compute(&series.klines);
    let from = args.tail.map_or(0, |tail| series.klines.len().saturating_sub(tail));
    let times = series.klines.iter().map(crate::domain::kline::Kline::open_time);
    let rows = times.enumerate().skip(from).filter_map(|(n, t)| Some((t, columns.point(n)?)));
    let mut out = io::BufWriter::new(out);
    match args.format {
        HamaFormat::Csv => write_csv(rows, &mut out)?,
        HamaFormat::Json => write_json(rows, &mut out)?,
    }
    Ok(out.flush()?)
}

fn write_csv(rows: impl Iterator<Item = (UnixMs, HamaPoint)>, out: &mut impl Write) -> io::Result<()> {
    let names: Vec<_> = COLUMNS.iter().map(|c| c.name).collect();
    writeln!(out, "{}", names.join(","))?;
    for (time, point) in rows {
        for (n, column) in COLUMNS.iter().enumerate() {
            if n > 0 {
                out.write_all(b",")?;
            }
            match (column.cell)(time, &point) {
                Cell::Unknown => {}
                Cell::Integer(x) => write!(out, "{x}")?,
                Cell::Number(x) => write!(out, "{x}")?,
                Cell::Word(word) => out.write_all(word.as_bytes())?,
            }
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn write_json(rows: impl Iterator<Item = (UnixMs, HamaPoint)>, out: &mut impl Write) -> io::Result<()> {
    let mut before = "[\n";
    for (time, point) in rows {
        out.write_all(before.as_bytes())?;
        before = ",\n";
        let mut open = '{';
        for column in COLUMNS {
            write!(out, "{open}\"{}\":", column.name)?;
            open = ',';
            // Names and words are ours, and need no escapes.
            match (column.cell)(time, &point) {
                Cell::Unknown => out.write_all(b"null")?,
                Cell::Integer(x) => write!(out, "{x}")?,
                Cell::Number(x) => write!(out, "{x}")?,
                Cell::Word(word) => write!(out, "\"{word}\"")?,
            }
        }
        out.write_all(b"}")?;
    }
    out.write_all(if before == "[\n" { b"[]\n" } else { b"\n]\n" })
}

#[cfg(test)]
mod tests;
