//! A folder of kline files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::rows::{Decimal, Recording, Row};
use crate::domain::interval::Interval;
use crate::domain::symbol::Symbol;

/// Why a folder can't be served.
#[derive(Debug, thiserror::Error)]
pub enum BadFolder {
    /// A file or the folder can't be read.
    #[error("{}: {why}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// There is nothing to serve in it.
    #[error("{}: no kline files here; they are named SYMBOL-INTERVAL.csv or .csv.gz, like BTCUSDT-1h.csv", .0.display())]
    Empty(PathBuf),
    /// A file's name says no series.
    #[error("{}: the name of a kline file is SYMBOL-INTERVAL.csv or .csv.gz, like BTCUSDT-1h.csv", .0.display())]
    Name(PathBuf),
    /// A row can't be one.
    #[error("{}: line {line}: {why}", .path.display())]
    Row {
        /// In which file.
        path: PathBuf,
        /// In which line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
}

/// Reads all kline files of a folder.
pub(crate) fn load(folder: &Path) -> Result<Vec<Recording>, BadFolder> {
    let read_error = |why| BadFolder::Read { path: folder.to_owned(), why };
    let entries = std::fs::read_dir(folder).map_err(read_error)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().map_err(read_error)?;
    paths.sort();
    let mut all: BTreeMap<Symbol, BTreeMap<Interval, Vec<Row>>> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let Some(stem) = name.strip_suffix(".csv.gz").or_else(|| name.strip_suffix(".csv")) else { continue };
        let series = stem.rsplit_once('-').and_then(|(s, i)| Some((s.parse().ok()?, i.parse().ok()?)));
        let Some((symbol, interval)) = series else { return Err(BadFolder::Name(path)) };
        let rows = read_file(&path, interval)?;
        all.entry(symbol).or_default().insert(interval, rows);
    }
    if all.is_empty() {
        return Err(BadFolder::Empty(folder.to_owned()));
    }
    Ok(all.into_iter().map(|(symbol, rows)| Recording::new(symbol, &rows)).collect())
}

fn read_file(path: &Path, interval: Interval) -> Result<Vec<Row>, BadFolder> {
    let file = File::open(path).map_err(|why| BadFolder::Read { path: path.to_owned(), why })?;
    let zipped = path.extension().is_some_and(|e| e == "gz");
    let source: Box<dyn Read> = if zipped { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    read_rows(source, interval).map_err(|(line, why)| BadFolder::Row { path: path.to_owned(), line, why })
}

fn read_rows(source: impl Read, interval: Interval) -> Result<Vec<Row>, (u64, String)> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source);
    let mut rows: Vec<Row> = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        if !reader.read_record(&mut record).map_err(|e| (line, e.to_string()))? {
            return Ok(rows);
        }
        if line == 1 && record.get(0).is_some_and(|f| f.parse::<i64>().is_err()) {
            continue; // the header
        }
        let row = row(&record, interval).map_err(|why| (line, why))?;
        if rows.last().is_some_and(|last| row.open_time <= last.open_time) {
            return Err((line, format!("open time {} does not come after the row before", row.open_time)));
        }
        rows.push(row);
    }
}

/// Reads a row of our own columns, which are the first eleven of the public archive.
fn row(record: &csv::StringRecord, interval: Interval) -> Result<Row, String> {
    let field = |n: usize| record.get(n).map(str::trim).filter(|f| !f.is_empty());
    let number = |n: usize, name: &str| {
        let text = field(n).ok_or_else(|| format!("no {name}"))?;
        Decimal::parse(text).ok_or_else(|| format!("{name} `{text}` is not a number of at least 0"))
    };
    let open_time =
        field(0).and_then(|t| t.parse::<i64>().ok()).ok_or("open_time is no time in milliseconds")?;
    // Archives since 2025 have microseconds.
    let unit = if open_time >= 100_000_000_000_000 { 1_000 } else { 1 };
    let open_time = open_time / unit;
    let close_time = match field(6) {
        None => open_time + interval.millis() - 1,
        Some(text) => text.parse::<i64>().map_err(|_| "close_time is no time in milliseconds")? / unit,
    };
    if open_time < 0 || close_time <= open_time {
        return Err("close_time does not come after open_time".to_owned());
    }
    let prices = [number(1, "open")?, number(2, "high")?, number(3, "low")?, number(4, "close")?];
    let volume = number(5, "volume")?;
    let trades = field(8).map(|t| t.parse::<i64>().ok().filter(|n| *n >= 0).ok_or("trades is no count"));
    let optional = |n: usize, name: &str| field(n).map(|_| number(n, name)).transpose();
    let taker = optional(9, "taker_base")?.zip(optional(10, "taker_quote")?);
    let quote = optional(7, "quote_volume")?;
    let row = Row { open_time, close_time, prices, volume, quote, trades: trades.transpose()?, taker };
    let [open, high, low, close] = row.prices;
    if low.is_zero() || low.over(open) || low.over(close) || open.over(high) || close.over(high) {
        return Err(
            "prices have to be positive, with low at most and high at least open and close".to_owned()
        );
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let good = "open_time,open,high,low,close,volume\n0,1,2,1,2,5\n60000,2,2,1,1,5\n";
        assert_eq!(read_rows(good.as_bytes(), Interval::M1).unwrap().len(), 2);
        for (bad, line, word) in [
            ("0,1,2,1,2,5\n0,1,2,1,2,5\n", 2, "after"),
            ("open_time,open\n0,1,2,1,x,5\n", 2, "close"),
            ("0,1,0.5,1,2,5\n", 1, "high"),
            ("0,1,2,1,2,5\nfoo,1,2,1,2,5\n", 2, "open_time"),
            ("0,0,0,0,0,0\n", 1, "positive"),
        ] {
            let (at, why) = read_rows(bad.as_bytes(), Interval::M1).unwrap_err();
            assert!(at == line && why.contains(word), "{bad:?}: line {at}: {why}");
        }
    }
}
