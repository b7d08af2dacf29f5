use super::*;
use crate::domain::kline::BadKline;

const TWO: &str = "1756080000000,113446.2,113472.7,113313.6,113366.4,1416.628,1756080899999,1.5,7,0.5,0.25,0
1756080900000,113366.4,113438.3,113014.4,113029.3,2130.159,1756081799999,2.5,9,0.5,0.25,0
";

fn read(text: &str) -> Result<Series, RowsError> {
    series(&parse_csv(text)?, None)
}

#[test]
fn all_the_forms_of_a_file_give_the_same_candles() {
    let plain = read(TWO).unwrap();
    assert_eq!((plain.interval, plain.klines.len()), (Interval::M15, 2));
    assert_eq!((plain.klines[1].trades(), plain.klines[1].close()), (Some(9), 113_029.3));
    let archive = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
    assert_eq!(read(&format!("\u{feff}{archive}{TWO}")), Ok(plain.clone()));
    assert_eq!(read(&TWO.replace('\n', "\r\n")), Ok(plain.clone()));
    let micros = TWO.replace("00000,11", "00000000,11").replace("99999,", "99999999,");
    assert_eq!(read(&micros), Ok(plain));
}

#[test]
fn what_a_file_leaves_out_is_not_given() {
    let text = format!("{HEADER}\n1756080000000,2,3,1,2.5,10,,,,,\n1756080900000,2,3,1,2.5,10,,,,,\n");
    let kline = read(&text).unwrap().klines[0];
    assert_eq!(kline.close_time(), UnixMs(1_756_080_899_999));
    assert_eq!((kline.quote_volume(), kline.trades(), kline.taker_base()), (None, None, None));
}

#[test]
fn a_bad_row_is_named_by_its_line() {
    let row = |n: i64, rest: &str| format!("{},{rest}\n", 1_756_080_000_000 + n * 900_000);
    let good = "2,3,1,2.5,10";
    let head = format!("open_time,open,high,low,close,volume\n{}{}", row(0, good), row(1, good));
    for (bad, why) in [
        (row(1, good), Why::Doubled),
        (row(-1, good), Why::Descending),
        (row(2, "2,3,1,2.5"), Why::Columns { found: 5, expected: 6 }),
        (row(2, "2,3,1,2.5,10,11"), Why::Columns { found: 7, expected: 6 }),
        (row(2, "2,x,1,2.5,10"), Why::NotANumber("high")),
        (row(2, "2,,1,2.5,10"), Why::NotANumber("high")),
        (row(2, "2,NaN,1,2.5,10"), Why::Candle(BadKline::Price)),
        (row(2, "2,2.2,1,2.5,10"), Why::Candle(BadKline::Order)),
        (row(2, "2,3,1,2.5,-1"), Why::Candle(BadKline::Volume)),
        ("soon,2,3,1,2.5,10\n".to_owned(), Why::NotANumber("open_time")),
    ] {
        let error = read(&format!("{head}{bad}{}", row(9, good))).unwrap_err();
        assert_eq!(error, RowsError { line: Some(4), why }, "{bad}");
        assert!(error.to_string().starts_with("line 4: "));
    }
}

#[test]
fn what_is_no_kline_file_says_so() {
    assert_eq!(read("").unwrap_err().why, Why::Empty);
    assert_eq!(read("\n \n").unwrap_err().why, Why::Empty);
    assert_eq!(read("a,b,c\n1,2,3\n").unwrap_err().why, Why::NoColumn("open_time"));
    assert_eq!(read("open_time,open,high,low,close\n").unwrap_err().why, Why::NoColumn("volume"));
    assert_eq!(read("1,2,3\n").unwrap_err().why, Why::Positional(3));
    assert_eq!(read("\n\n1,2,3\n").unwrap_err().line, Some(3));
    assert_eq!(read("\n \na,b,c\n").unwrap_err().line, Some(3));
}

#[test]
fn the_interval_is_the_step_that_most_rows_are_apart() {
    let rows = |times: &[i64]| -> Vec<Row> {
        let fields = |t| KlineFields {
            open_time: UnixMs(t),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            ..KlineFields::default()
        };
        times.iter().map(|t| Row { line: 1, fields: fields(*t), close_time: None }).collect()
    };
    let hour = 3_600_000;
    let gap = rows(&[0, hour, 5 * hour, 9 * hour, 10 * hour, 11 * hour]);
    assert_eq!(series(&gap, None).unwrap().interval, Interval::H1);
    let day = 24 * hour;
    assert_eq!(series(&rows(&[0, 31 * day, 59 * day, 90 * day]), None).unwrap().interval, Interval::Mo1);
    assert_eq!(series(&rows(&[0, 1_000, 2_000]), None).unwrap_err().why, Why::Step(1_000));
    assert_eq!(series(&rows(&[0]), None).unwrap_err().why, Why::NoStep);
    assert_eq!(series(&rows(&[0]), Some(Interval::H4)).unwrap().interval, Interval::H4);
}
