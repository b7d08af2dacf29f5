//! The command line: what can be typed, and what becomes of it.

pub mod execute;
mod manual;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use clap_complete::Shell;

use crate::config::settings::SETTINGS;
use crate::config::{Config, ConfigError, Sources};
use crate::domain::time::UnixMs;
use crate::sim::fault::parse_time;

/// What was asked for.
#[derive(Debug)]
pub enum Wish {
    /// The terminal program.
    Terminal,
    /// The table, once.
    Scan(ScanWish),
    /// The indicator over a file.
    Hama(HamaWish),
    /// The embedded exchange alone.
    Exchange(ExchangeWish),
    /// What works and what not.
    Doctor(DoctorWish),
    /// Settings.
    Config(ConfigWish),
    /// The keys of the terminal program.
    Keys,
    /// The manual page.
    Man,
    /// What a shell completes.
    Completions(Shell),
    /// The themes, or the file of one.
    Themes(Option<String>),
}

/// Everything the command line said.
#[derive(Debug)]
pub struct Invocation {
    /// What was asked for.
    pub wish: Wish,
    /// The replay instead of the exchange.
    pub demo: Option<DemoWish>,
    /// Settings given as flags.
    pub flags: Vec<(&'static str, String)>,
    /// `--config FILE`.
    pub config_file: Option<PathBuf>,
}

/// How the replay is to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DemoWish {
    /// Where the replayed clock starts; `None` = the default.
    pub start: Option<UnixMs>,
    /// How fast it runs; `None` = the command's default.
    pub speed: Option<f64>,
}

/// `hamatop scan`.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the names are the flags")]
pub struct ScanWish {
    pub filter: Option<String>,
    pub sort: Option<String>,
    pub columns: Option<String>,
    pub limit: Option<usize>,
    pub min_score: Option<u32>,
    pub format: Option<String>,
    pub timeout: Option<Duration>,
    pub klines: Option<u32>,
}

/// `hamatop hama`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are the flags")]
pub struct HamaWish {
    pub file: PathBuf,
    pub interval: Option<String>,
    pub format: String,
    pub tail: Option<usize>,
    pub keep_last: bool,
}

/// `hamatop exchange`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are the flags")]
pub struct ExchangeWish {
    pub listen: String,
    pub data: Option<PathBuf>,
    pub synthetic: Option<u32>,
    pub seed: u64,
    pub start: Option<UnixMs>,
    pub speed: Option<f64>,
    pub faults: Option<PathBuf>,
    pub latency: Duration,
}

/// `hamatop doctor`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are the flags")]
pub struct DoctorWish {
    pub format: String,
}

/// `hamatop config`.
#[derive(Clone, Copy, Debug)]
pub enum ConfigWish {
    /// Every setting, its value and where it came from.
    Show,
    /// Whether the settings can be used.
    Check,
    /// Where the file is looked for.
    Path,
    /// A commented sample file.
    Example,
}

/// The command, for parsing and for help.
pub fn command() -> Command {
    let mut root = Command::new("hamatop")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Scans Binance for the HAMA indicator on several intervals at once, live in the terminal")
        .after_help(
            "Without a command: the terminal program on live Binance data; where stdout is no terminal, the table once.\n\
             Exit codes: 0 done, 1 scan without rows, 2 usage, config or input file, 3 no data or no source.",
        )
        .arg(Arg::new("config").long("config").value_name("FILE").global(true).help("Config file to read"))
        .arg(
            Arg::new("demo")
                .long("demo")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("The bundled replay of 10-11 October 2025 instead of the exchange; no network"),
        )
        .arg(
            Arg::new("speed")
                .long("speed")
                .value_name("X")
                .global(true)
                .value_parser(ValueParser::new(speed))
                .help("How fast the replayed or embedded clock runs (0 to 10000; 0 stands still)"),
        )
        .arg(
            Arg::new("start")
                .long("start")
                .value_name("TIME")
                .global(true)
                .value_parser(ValueParser::new(time))
                .help("Where that clock starts: 2025-10-10T20:00Z, or Unix milliseconds"),
        );
    for setting in SETTINGS {
        let arg = Arg::new(setting.key).long(setting.flag()).global(true).help(help_of(setting));
        root = root.arg(if setting.is_switch() {
            arg.action(ArgAction::SetTrue)
        } else {
            arg.value_name(setting.value).allow_hyphen_values(true)
        });
    }
    root.subcommand(Command::new("demo").about(
        "The terminal program on the bundled replay: real candles through the real client, no network",
    ))
    .subcommand(scan_command())
    .subcommand(hama_command())
    .subcommand(exchange_command())
    .subcommand(doctor_command())
    .subcommand(Command::new("config").about("Settings").subcommand_required(true).subcommands([
        Command::new("show").about("Every setting, its value and where it came from"),
        Command::new("check").about("Whether the settings can be used"),
        Command::new("path").about("Where the config file is looked for"),
        Command::new("example").about("A commented file with the defaults"),
    ]))
    .subcommand(Command::new("keys").about("The keys of the terminal program, with the names for [keys]"))
    .subcommand(Command::new("man").about("The manual page, for man -l -"))
    .subcommand(
        Command::new("completions").about("What a shell completes, for its startup file").arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(clap::value_parser!(Shell))
                .help("Which shell"),
        ),
    )
    .subcommand(
        Command::new("themes")
            .about("The themes, or the file of one")
            .arg(Arg::new("name").value_name("NAME").help("Print this one's file")),
    )
}

fn help_of(setting: &crate::config::settings::Setting) -> String {
    let default = if setting.default.is_empty() || setting.is_switch() {
        String::new()
    } else {
        format!(" [default: {}]", setting.default)
    };
    let env = setting.env.map_or(String::new(), |e| format!(" [env: {e}]"));
    format!("{}{default}{env}", setting.help)
}

fn scan_command() -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("scan").about("The table once, for people and scripts").args([
        arg(
            "filter",
            "EXPR",
            "Only rows that match, such as \"btc -usdc score>60 1h:bull\" (README: Filter)",
        )
        .allow_hyphen_values(true),
        arg("sort", "[-]COLUMN", "Sort by a column; - inverts").allow_hyphen_values(true),
        arg("columns", "A,B,C", "Columns of table, csv and md, in order"),
        arg("limit", "N", "At most so many rows").value_parser(clap::value_parser!(usize)),
        arg("min-score", "N", "Only rows with |score| of at least N")
            .value_parser(clap::value_parser!(u32).range(0..=100)),
        arg("format", "FORMAT", "How to print")
            .value_parser(PossibleValuesParser::new(["table", "csv", "json", "ndjson", "md"]))
            .default_value("table"),
        arg("timeout", "TIME", "Give up after so long: 500ms, 90s, 2m")
            .value_parser(ValueParser::new(duration))
            .default_value("120s"),
        arg("klines", "N", "Add the last N closed bars per interval to json and ndjson")
            .value_parser(clap::value_parser!(u32).range(1..=5_000)),
    ])
}

fn hama_command() -> Command {
    Command::new("hama").about("The indicator over a kline file, offline").args([
        Arg::new("file").value_name("FILE|-").required(true).help(
            "CSV with this project's header or of Binance's archive, or a REST JSON array; .gz too; - reads stdin",
        ),
        Arg::new("interval").long("interval").value_name("INTERVAL").help("Candle interval [default: the most common step]"),
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(["csv", "json"]))
            .default_value("csv")
            .help("How to print"),
        Arg::new("tail")
            .long("tail")
            .value_name("N")
            .value_parser(clap::value_parser!(usize))
            .help("Only the last N bars"),
        Arg::new("keep-last")
            .long("keep-last")
            .action(ArgAction::SetTrue)
            .help("Keep a last row that closes in the future"),
    ])
}

fn exchange_command() -> Command {
    Command::new("exchange")
        .about("The embedded exchange alone: Binance's REST and WebSocket shapes on loopback")
        .args([
            Arg::new("listen")
                .long("listen")
                .value_name("ADDR")
                .default_value("127.0.0.1:0")
                .help("Address to listen on"),
            Arg::new("data")
                .long("data")
                .value_name("DIR")
                .conflicts_with("synthetic")
                .help("Serve the kline files SYMBOL-INTERVAL.csv[.gz] of a folder instead of the replay"),
            Arg::new("synthetic")
                .long("synthetic")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..=5_000))
                .help("Serve N invented symbols instead of the replay"),
            Arg::new("seed")
                .long("seed")
                .value_name("S")
                .value_parser(clap::value_parser!(u64))
                .default_value("1")
                .help("What the invented prices grow from"),
            Arg::new("faults").long("faults").value_name("FILE").help("Faults to play, a JSON array"),
            Arg::new("latency")
                .long("latency")
                .value_name("MS")
                .value_parser(clap::value_parser!(u64).range(0..=60_000))
                .default_value("0")
                .help("Delay of each REST answer"),
        ])
}

fn doctor_command() -> Command {
    Command::new("doctor")
        .about("What works and what not, a line each with what to do; exit 3 when the main job can't be done")
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["text", "json"]))
                .default_value("text")
                .help("How to print"),
        )
}

/// Understands the command line; clap's error knows its own exit code and where to print.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, clap::Error> {
    let matches = command().try_get_matches_from(args)?;
    let (name, sub) = matches.subcommand().map_or(("", &matches), |(n, m)| (n, m));
    let speed = sub.get_one::<f64>("speed").copied();
    let start = sub.get_one::<UnixMs>("start").copied();
    let demo = (name == "demo" || sub.get_flag("demo")).then_some(DemoWish { start, speed });
    let mut flags = Vec::new();
    for setting in SETTINGS {
        if setting.is_switch() {
            if sub.get_flag(setting.key) {
                flags.push((setting.key, "true".to_owned()));
            }
        } else if let Some(text) = sub.get_one::<String>(setting.key) {
            flags.push((setting.key, text.clone()));
        }
    }
    if demo.is_none() && name != "exchange" && (speed.is_some() || start.is_some()) {
        return Err(command().error(
            clap::error::ErrorKind::ArgumentConflict,
            "--speed and --start belong to `demo`, --demo and `exchange`",
        ));
    }
    let config_file = sub.get_one::<String>("config").map(PathBuf::from);
    Ok(Invocation { wish: wish(name, sub), demo, flags, config_file })
}

fn wish(name: &str, m: &ArgMatches) -> Wish {
    let text = |id: &str| m.get_one::<String>(id).cloned();
    match name {
        "scan" => Wish::Scan(ScanWish {
            filter: text("filter"),
            sort: text("sort"),
            columns: text("columns"),
            limit: m.get_one("limit").copied(),
            min_score: m.get_one("min-score").copied(),
            format: text("format"),
            timeout: m.get_one("timeout").copied(),
            klines: m.get_one("klines").copied(),
        }),
        "hama" => Wish::Hama(HamaWish {
            file: text("file").unwrap_or_default().into(),
            interval: text("interval"),
            format: text("format").unwrap_or_default(),
            tail: m.get_one("tail").copied(),
            keep_last: m.get_flag("keep-last"),
        }),
        "exchange" => Wish::Exchange(ExchangeWish {
            listen: text("listen").unwrap_or_default(),
            data: text("data").map(Into::into),
            synthetic: m.get_one("synthetic").copied(),
            seed: m.get_one("seed").copied().unwrap_or(1),
            start: m.get_one("start").copied(),
            speed: m.get_one("speed").copied(),
            faults: text("faults").map(Into::into),
            latency: Duration::from_millis(m.get_one("latency").copied().unwrap_or(0)),
        }),
        "doctor" => Wish::Doctor(DoctorWish { format: text("format").unwrap_or_default() }),
        "config" => Wish::Config(match m.subcommand_name() {
            Some("check") => ConfigWish::Check,
            Some("path") => ConfigWish::Path,
            Some("example") => ConfigWish::Example,
            _ => ConfigWish::Show,
        }),
        "keys" => Wish::Keys,
        "man" => Wish::Man,
        "completions" => m.get_one("shell").copied().map_or(Wish::Man, Wish::Completions),
        "themes" => Wish::Themes(text("name")),
        _ => Wish::Terminal,
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.trim_end_matches('x').parse::<f64>().ok().filter(|s| (0.0..=10_000.0).contains(s));
    speed.ok_or_else(|| "needs a number from 0 to 10000".into())
}

fn time(text: &str) -> Result<UnixMs, String> {
    parse_time(text).ok_or_else(|| "needs a time such as 2025-10-10T20:00Z, or Unix milliseconds".into())
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "needs a time such as 500ms, 90s or 2m".to_owned();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let number = number.parse::<u64>().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" | "" => number.checked_mul(1_000),
        "m" | "min" => number.checked_mul(60_000),
        _ => None,
    };
    millis.filter(|ms| (1..=86_400_000).contains(ms)).map(Duration::from_millis).ok_or_else(wrong)
}

/// Reads the settings that an invocation stands in: the file, `.env`, the environment.
///
/// The demo reads no `.env`: what a project nearby sets must not change what a replay shows.
pub fn settings(invocation: &Invocation) -> Result<Config, ConfigError> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .map_err(|e| ConfigError(format!("can't read the config file {}: {e}", path.display())))
    };
    let file = match &invocation.config_file {
        Some(path) => Some((path.clone(), read(path)?)),
        None => default_config_file().filter(|p| p.exists()).map(|p| read(&p).map(|t| (p, t))).transpose()?,
    };
    let dot_env = if invocation.demo.is_some() { BTreeMap::new() } else { dot_env()? };
    let env = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .collect();
    Config::load(&Sources {
        flags: invocation.flags.clone(),
        env,
        dot_env,
        file,
        demo: invocation.demo.is_some(),
    })
}

fn dot_env() -> Result<BTreeMap<String, String>, ConfigError> {
    let Ok(entries) = dotenvy::from_path_iter(".env") else { return Ok(BTreeMap::new()) };
    entries
        .map(|entry| {
            entry.map_err(|e| ConfigError(format!(".env can't be read: {e}; its lines are NAME=value")))
        })
        .collect()
}

/// `$XDG_CONFIG_HOME/hamatop/config.toml`.
pub fn default_config_file() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let dirs = etcetera::base_strategy::Xdg::new().ok()?;
    Some(dirs.config_dir().join("hamatop").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation, clap::Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_definition_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn flags_work_before_and_behind_the_command() {
        for line in ["hamatop --top 5 scan --limit 3", "hamatop scan --top 5 --limit 3"] {
            let got = parsed(line).unwrap();
            assert_eq!(got.flags, [("top", "5".to_owned())], "{line}");
            assert!(matches!(got.wish, Wish::Scan(ScanWish { limit: Some(3), .. })), "{line}");
        }
    }

    #[test]
    fn demo_is_a_command_and_a_flag() {
        let got = parsed("hamatop demo --speed 60x --start 2025-10-10T20:00Z").unwrap();
        assert_eq!(got.demo, Some(DemoWish { start: Some(UnixMs(1_760_126_400_000)), speed: Some(60.0) }));
        assert!(parsed("hamatop scan --demo").unwrap().demo.is_some());
        assert!(parsed("hamatop").unwrap().demo.is_none());
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for line in [
            "hamatop scan --timeout 5h",
            "hamatop scan --timeout 0s",
            "hamatop scan --min-score 101",
            "hamatop scan --format xml",
            "hamatop demo --speed -1",
            "hamatop demo --speed NaN",
            "hamatop demo --start yesterday",
            "hamatop --speed 3",
            "hamatop hama",
            "hamatop exchange --synthetic 0",
            "hamatop exchange --synthetic 5 --data x",
            "hamatop frobnicate",
            "hamatop completions",
            "hamatop completions cmd",
        ] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn an_inverted_sort_is_not_taken_for_a_flag() {
        let Wish::Scan(scan) = parsed("hamatop scan --sort -chg --filter -usdc").unwrap().wish else {
            panic!()
        };
        assert_eq!((scan.sort.as_deref(), scan.filter.as_deref()), (Some("-chg"), Some("-usdc")));
    }
}
