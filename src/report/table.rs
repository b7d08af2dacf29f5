//! Tables for people, and CSV.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::app::column::{Align, Column, Reading};
use crate::app::value::{Notation, Value};
use crate::market::snapshot::Row;

fn cells(columns: &[Column], row: &Row, reading: &Reading, notation: Notation) -> Vec<String> {
    let cell = |c: &Column| {
        let mut text = String::new();
        // Text has room for every digit.
        c.value(row, reading).write(notation, usize::MAX, &mut text);
        text
    };
    columns.iter().map(cell).collect()
}

/// Padded by cells, not by characters: a Chinese name is twice as wide.
fn pad(text: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    match align {
        Align::Left => format!("{text}{blanks}"),
        Align::Right => format!("{blanks}{text}"),
    }
}

struct Sheet {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
}

impl Sheet {
    fn new(columns: &[Column], rows: &[&Row], reading: &Reading) -> Self {
        let titles: Vec<String> = columns.iter().map(|c| c.title()).collect();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|r| cells(columns, r, reading, Notation::Words)).collect();
        let width = |n: usize, t: &String| rows.iter().map(|r| r[n].width()).fold(t.width(), usize::max);
        let widths = titles.iter().enumerate().map(|(n, t)| width(n, t)).collect();
        Self { titles, rows, widths }
    }

    fn line(&self, columns: &[Column], cells: &[String], between: &str) -> String {
        let padded = columns.iter().zip(cells).zip(&self.widths);
        let padded: Vec<String> = padded.map(|((c, t), w)| pad(t, *w, c.field.look().align)).collect();
        padded.join(between)
    }
}

/// Aligned columns under their titles; titles even where there are no rows.
pub(super) fn table(
    columns: &[Column],
    rows: &[&Row],
    reading: &Reading,
    out: &mut dyn Write,
) -> io::Result<()> {
    let sheet = Sheet::new(columns, rows, reading);
    for cells in std::iter::once(&sheet.titles).chain(&sheet.rows) {
        writeln!(out, "{}", sheet.line(columns, cells, "  ").trim_end())?;
    }
    Ok(())
}

/// A Markdown table, aligned in its source as well.
pub(super) fn markdown(
    columns: &[Column],
    rows: &[&Row],
    reading: &Reading,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut sheet = Sheet::new(columns, rows, reading);
    for (n, width) in sheet.widths.iter_mut().enumerate() {
        for row in &mut sheet.rows {
            row[n] = row[n].replace('|', "\\|");
            *width = row[n].width().max(*width).max(3);
        }
    }
    writeln!(out, "| {} |", sheet.line(columns, &sheet.titles, " | "))?;
    let rule = columns.iter().zip(&sheet.widths).map(|(c, w)| match c.field.look().align {
        Align::Left => "-".repeat(w + 2),
        Align::Right => format!("{}:", "-".repeat(w + 1)),
    });
    writeln!(out, "|{}|", rule.collect::<Vec<_>>().join("|"))?;
    for cells in &sheet.rows {
        writeln!(out, "| {} |", sheet.line(columns, cells, " | "))?;
    }
    Ok(())
}

/// Comma-separated; the heads are the columns' ids, and what is not known is empty.
pub(super) fn csv(
    columns: &[Column],
    rows: &[&Row],
    reading: &Reading,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns.iter().map(ToString::to_string))?;
    for row in rows {
        let mut cells = cells(columns, row, reading, Notation::Machine);
        for (column, cell) in columns.iter().zip(&mut cells) {
            let is_text = matches!(
                column.value(row, reading),
                Value::Text(_) | Value::Label(_) | Value::Flag(_) | Value::Note(_)
            );
            // A spreadsheet must not take a remote name for a formula.
            if is_text && cell.starts_with(['=', '+', '-', '@']) {
                cell.insert(0, '\'');
            }
        }
        writer.write_record(&cells)?;
    }
    writer.flush()
}
