use std::fs;
use std::io::Write as _;

use super::*;

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hamatop-report-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn args(path: PathBuf) -> HamaArgs {
    HamaArgs {
        file: path.into(),
        preset: Preset::default(),
        interval: None,
        format: HamaFormat::Csv,
        tail: None,
        keep_last: false,
        now: UnixMs(i64::MAX),
    }
}

fn output(args: &HamaArgs) -> Result<String, HamaError> {
    let mut out = Vec::new();
    run(args, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

const HOUR: i64 = 3_600_000;

/// `open, high, low, close` of a made-up market.
fn prices(t: i64) -> [i64; 4] {
    let (o, c) = (1_000 + (t * 7) % 13, 1_000 + ((t + 1) * 7) % 13);
    [o, o.max(c) + 1, o.min(c) - 1, c]
}

fn csv(bars: i64) -> String {
    let row = |t: i64| {
        let [o, h, l, c] = prices(t);
        format!("{},{o},{h},{l},{c},10\n", t * HOUR)
    };
    let rows: String = (0..bars).map(row).collect();
    format!("open_time,open,high,low,close,volume\n{rows}")
}

fn json(bars: i64) -> String {
    let row = |t: i64| {
        let [o, h, l, c] = prices(t);
        let end = (t + 1) * HOUR - 1;
        format!(
            "[{},\"{o}\",\"{h}\",\"{l}\",\"{c}\",\"10\",{end},\"1.5\",7,\"0.5\",\"0.25\",\"0\"]",
            t * HOUR
        )
    };
    let rows: Vec<_> = (0..bars).map(row).collect();
    format!("[{}]", rows.join(",\n"))
}

fn packed(text: &str) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

#[test]
fn all_the_forms_of_input_give_the_same_output() {
    let folder = Folder::new("forms");
    let plain = output(&args(folder.file("a.csv", csv(450).as_bytes()))).unwrap();
    assert_eq!(plain.lines().count(), 451);
    for (name, bytes) in [
        ("a.json", json(450).into_bytes()),
        ("a.csv.gz", packed(&csv(450))),
        ("a.json.gz", packed(&json(450))),
    ] {
        assert_eq!(output(&args(folder.file(name, &bytes))).unwrap(), plain, "{name}");
    }
}

#[test]
fn the_header_is_the_contract_and_unknown_is_empty() {
    let folder = Folder::new("header");
    let text = output(&args(folder.file("a.csv", csv(2).as_bytes()))).unwrap();
    let header = "open_time,hama_open,hama_high,hama_low,hama_close,ma,color,open_slope,gradient_dir,gradient_steps,ma_slope,side,dev_pct,trend,strength,cross,flip,last_cross_dir,cross_inferred,bars_since_cross,bb_basis,bb_upper,bb_lower,bb_width,bb_pos,bb_state,bb_break,score";
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines,
        [header, "0,,,,,,gray,,,,,,,,,,0,,,,,,,,,,,", "3600000,,,,,,gray,,,,,,,,,,0,,,,,,,,,,,"]
    );
}

#[test]
fn json_has_the_same_names_and_figures() {
    let folder = Folder::new("json");
    let path = folder.file("a.csv", csv(420).as_bytes());
    let csv = output(&args(path.clone())).unwrap();
    let json = output(&HamaArgs { format: HamaFormat::Json, ..args(path) }).unwrap();
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&json).unwrap();
    let mut lines = csv.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    assert_eq!(rows.len(), 420);
    for (row, line) in rows.iter().zip(lines) {
        assert_eq!(row.len(), names.len());
        for (name, field) in names.iter().zip(line.split(',')) {
            match &row[*name] {
                serde_json::Value::Null => assert_eq!(field, ""),
                serde_json::Value::String(s) => assert_eq!(field, s),
                // serde_json reads numbers to within their last bit.
                number => {
                    let (a, b) = (field.parse::<f64>().unwrap(), number.as_f64().unwrap());
                    assert!((a - b).abs() <= 1e-15 * a.abs(), "{name}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn the_tail_is_the_end_and_no_rows_are_an_empty_array() {
    let folder = Folder::new("tail");
    let path = folder.file("a.csv", csv(120).as_bytes());
    let all = output(&args(path.clone())).unwrap();
    let tail = output(&HamaArgs { tail: Some(3), ..args(path.clone()) }).unwrap();
    assert_eq!(tail.lines().skip(1).collect::<Vec<_>>(), all.lines().skip(118).collect::<Vec<_>>());
    let none = HamaArgs { tail: Some(0), format: HamaFormat::Json, ..args(path) };
    assert_eq!(output(&none).unwrap(), "[]\n");
}

#[test]
fn a_last_candle_that_is_still_open_is_dropped_unless_kept() {
    let folder = Folder::new("last");
    let path = folder.file("a.csv", csv(5).as_bytes());
    let rows = |now: i64, keep_last| {
        let args = HamaArgs { now: UnixMs(now), keep_last, ..args(path.clone()) };
        output(&args).unwrap().lines().count() - 1
    };
    assert_eq!((rows(5 * HOUR, false), rows(5 * HOUR - 1, false), rows(4 * HOUR, true)), (5, 4, 5));
}

#[test]
fn the_interval_decides_the_score_alone() {
    let folder = Folder::new("interval");
    let path = folder.file("a.csv", csv(300).as_bytes());
    let modal = output(&args(path.clone())).unwrap();
    let with = |interval| output(&HamaArgs { interval: Some(interval), ..args(path.clone()) }).unwrap();
    assert_eq!(with(Interval::H1), modal);
    assert_ne!(with(Interval::H4), modal);
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    let folder = Folder::new("wrong");
    let said = |name: &str, bytes: &[u8]| {
        let message = output(&args(folder.file(name, bytes))).unwrap_err().to_string();
        message.replace(&folder.0.display().to_string(), "")
    };
    let doubled = csv(3).replace("7200000,", "3600000,");
    assert!(said("a.csv", doubled.as_bytes()).starts_with("/a.csv: line 4: "));
    assert!(said("b.csv", b"").contains("no rows"));
    assert_eq!(said("c.json", b"[[1,2]]"), "/c.json: row 1: the row has 2 fields instead of 12");
    let two = |bad: &str| {
        let rows = json(3).replacen("[7200000,", &format!("{bad},[7200000,"), 1);
        said("h.json", rows.as_bytes())
    };
    assert_eq!(two("7"), "/h.json: row 3: a candle is an array of 12 fields, and this is none");
    assert_eq!(two("{\"code\":-1121}"), two("7"));
    let field = |n: usize, field: &str| {
        let mut fields = ["9", "1", "1", "1", "1", "1", "99", "1", "1", "1", "1", "0"];
        fields[n] = field;
        two(&format!("[{}]", fields.join(",")))
    };
    assert_eq!(field(2, "\"x\""), "/h.json: row 3: `high` is not a number");
    assert_eq!(field(4, "null"), "/h.json: row 3: `close` is not a number");
    assert_eq!(field(0, "\"soon\""), "/h.json: row 3: `open_time` is not a number");
    assert_eq!(field(8, "-1"), "/h.json: row 3: `trades` is not a number");
    assert!(field(8, "null").contains("row 3: the row is older"), "{}", field(8, "null"));
    let torn = json(3);
    assert!(said("i.json", &torn.as_bytes()[..torn.len() - 5]).starts_with("/i.json: row 3 is no JSON: EOF"));
    assert!(said("d.json", b"[]").contains("no rows"));
    assert!(said("e.csv.gz", &packed(&csv(3))[..30]).starts_with("can't read /e.csv.gz"));
    assert!(said("f.csv", &[0xff, 0xfe, 0x00, 0x01]).contains("open_time"));
    let falling = json(3).replace("[7200000,", "[1,");
    assert!(said("g.json", falling.as_bytes()).starts_with("/g.json: row 3: "));
    let missing = output(&args(folder.0.join("none.csv"))).unwrap_err().to_string();
    assert!(missing.contains("none.csv"), "{missing}");
}

#[test]
fn a_closed_pipe_is_an_error_of_writing() {
    struct Closed;
    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = Folder::new("pipe");
    let error = run(&args(folder.file("a.csv", csv(3).as_bytes())), &mut Closed).unwrap_err();
    assert!(matches!(error, HamaError::Write(e) if e.kind() == io::ErrorKind::BrokenPipe));
}
