//! Pages of candles.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::super::wire::{Lenient, Number};
use super::{WrongShape, from_str};
use crate::domain::kline::{Kline, KlineFields};
use crate::domain::time::UnixMs;

/// A page of candles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KlineRows {
    /// Those that could be read, in the order given.
    pub rows: Vec<Kline>,
    /// How many could not.
    pub skipped: u32,
}

impl KlineRows {
    /// How many rows the page had.
    pub fn given(&self) -> usize {
        self.rows.len() + self.skipped as usize
    }
}

/// Reads the answer to a klines request.
pub fn klines(body: &str) -> Result<KlineRows, WrongShape> {
    // Rows of the right shape with impossible values are sorted out on the way; only a row of
    // another shape makes it look at each one by itself.
    if let Ok(page) = page(body) {
        return Ok(page);
    }
    let mut page = KlineRows::default();
    for row in from_str::<Vec<Lenient<WireRow>>>(body)? {
        match row {
            Lenient::Good(row) => page.push(&row),
            Lenient::Bad(_) => page.skipped += 1,
        }
    }
    Ok(page)
}

impl KlineRows {
    fn push(&mut self, row: &WireRow) {
        match row.read() {
            Some(kline) => self.rows.push(kline),
            None => self.skipped += 1,
        }
    }
}

/// Reads a page whose rows all have the right shape.
struct Page {
    /// How many rows to expect.
    about: usize,
}

impl<'de> Visitor<'de> for Page {
    type Value = KlineRows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of candles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<KlineRows, A::Error> {
        let mut page = KlineRows { rows: Vec::with_capacity(self.about), skipped: 0 };
        while let Some(row) = seq.next_element::<WireRow>()? {
            page.push(&row);
        }
        Ok(page)
    }
}

fn page(body: &str) -> serde_json::Result<KlineRows> {
    // A row has some 130 bytes, a short one 100.
    let about = (body.len() / 100).min(1_500);
    let mut json = serde_json::Deserializer::from_str(body);
    let page = json.deserialize_seq(Page { about })?;
    json.end().map(|()| page)
}

/// A row: open time, four prices, volume, close time, then what not every source has.
#[derive(Clone, Debug)]
struct WireRow {
    open_time: i64,
    prices: [f64; 4],
    volume: f64,
    close_time: i64,
    quote_volume: Option<Number>,
    trades: Option<i64>,
    taker_base: Option<Number>,
    taker_quote: Option<Number>,
}

impl WireRow {
    fn read(&self) -> Option<Kline> {
        let [open, high, low, close] = self.prices;
        Kline::new(KlineFields {
            open_time: UnixMs(self.open_time),
            close_time: UnixMs(self.close_time),
            open,
            high,
            low,
            close,
            volume: self.volume,
            quote_volume: self.quote_volume.map(|v| v.0),
            trades: self.trades.map(u32::try_from).transpose().ok()?,
            taker_base: self.taker_base.map(|v| v.0),
            taker_quote: self.taker_quote.map(|v| v.0),
        })
        .ok()
    }
}

impl<'de> Deserialize<'de> for WireRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;

        impl<'de> Visitor<'de> for Row {
            type Value = WireRow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a candle as an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WireRow, A::Error> {
                let mut place = 0;
                let row = WireRow {
                    open_time: need(&mut seq, &mut place)?,
                    prices: [
                        need::<_, Number>(&mut seq, &mut place)?.0,
                        need::<_, Number>(&mut seq, &mut place)?.0,
                        need::<_, Number>(&mut seq, &mut place)?.0,
                        need::<_, Number>(&mut seq, &mut place)?.0,
                    ],
                    volume: need::<_, Number>(&mut seq, &mut place)?.0,
                    close_time: need(&mut seq, &mut place)?,
                    quote_volume: seq.next_element()?,
                    trades: seq.next_element()?,
                    taker_base: seq.next_element()?,
                    taker_quote: seq.next_element()?,
                };
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(row)
            }
        }

        deserializer.deserialize_seq(Row)
    }
}

fn need<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A, place: &mut usize) -> Result<T, A::Error> {
    *place += 1;
    seq.next_element()?.ok_or_else(|| serde::de::Error::invalid_length(*place - 1, &"a whole candle"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"[1760000400000,"2.0","3.0","1.5","2.5","10",1760001299999,"25","7","6","15","0"]"#;

    fn row() -> String {
        ROW.replace("\"7\"", "7")
    }

    #[test]
    fn a_row_has_twelve_fields_of_which_seven_are_needed() {
        let page = klines(&format!("[{},{}]", row(), r#"[1760001300000,"2","3","1","2","0",1760002199999]"#))
            .unwrap();
        assert_eq!((page.rows.len(), page.skipped), (2, 0));
        assert_eq!(page.rows[0].trades(), Some(7));
        assert_eq!(page.rows[0].taker_quote(), Some(15.0));
        assert_eq!((page.rows[1].trades(), page.rows[1].quote_volume()), (None, None));
        assert_eq!(klines("[]"), Ok(KlineRows::default()));
    }

    #[test]
    fn a_bad_row_costs_itself() {
        for bad in [
            r#"[1760000400000,"NaN","3.0","1.5","2.5","10",1760001299999]"#,
            r#"[1760000400000000,"2","3.0","1.5","2.5","10",1760001299999000]"#,
            r#"[1760000400000,"2","1.0","1.5","2.5","10",1760001299999]"#,
            r#"["a"]"#,
            "[]",
            "7",
            "{}",
            "null",
            r#"[1760000400000,{},"3.0","1.5","2.5","10",1760001299999]"#,
        ] {
            let page = klines(&format!("[{},{bad},{}]", row(), row())).unwrap();
            assert_eq!((page.rows.len(), page.skipped, page.given()), (2, 1, 3), "{bad}");
        }
        for wrong in ["", "{}", "[[1]", "<html>", r#"{"code":-1121,"msg":"Invalid symbol."}"#] {
            assert_eq!(klines(wrong), Err(WrongShape), "{wrong}");
        }
    }
}
