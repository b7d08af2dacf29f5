//! From the command line to an exit code.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use crate::config::settings::SETTINGS;
use crate::config::{self, Config, Origin};
use crate::domain::time::UnixMs;
use crate::report::hama::{self, HamaArgs, HamaFormat};
use crate::report::scan::{ScanOptions, parse_columns};
use crate::rule::filter::Filter;
use crate::run::doctor::page::DoctorFormat;
use crate::run::failure::Failure;
use crate::run::scan::ScanPlan;
use crate::run::{self, DemoRun, Rows};
use crate::sim::SourceConfig;
use crate::sim::command::ExchangeArgs;
use crate::stopwatch::wall_clock;

use super::{ConfigWish, DemoWish, ExchangeWish, HamaWish, Invocation, ScanWish, Wish, parse, settings};

/// The speed of `demo` where none is given.
const DEMO_SPEED: f64 = 60.0;
/// When the table that is printed without a command gives up.
const SCAN_TIMEOUT: Duration = Duration::from_secs(120);

/// Does what the command line asks.
pub fn main(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let invocation = match parse(args) {
        Ok(invocation) => invocation,
        Err(error) => {
            // clap prints help to stdout and complaints to stderr; a closed one changes nothing.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match execute(&invocation) {
        Ok(Rows::Some) => ExitCode::SUCCESS,
        Ok(Rows::None) => ExitCode::from(1),
        Err(failure) => {
            if !matches!(failure, Failure::OutputClosed | Failure::Unfit) {
                drop(writeln!(io::stderr(), "hamatop: {failure}"));
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn execute(invocation: &Invocation) -> Result<Rows, Failure> {
    match &invocation.wish {
        Wish::Hama(wish) => hama_command(wish, &settings(invocation)?),
        Wish::Exchange(wish) => run::exchange(exchange_args(wish)).map(|()| Rows::Some),
        Wish::Doctor(wish) => {
            let config = settings(invocation)?;
            let format = if wish.format == "json" { DoctorFormat::Json } else { DoctorFormat::Text };
            run::doctor(&config, invocation.demo.map(|d| demo(d, 0.0)), format).map(|()| Rows::Some)
        }
        Wish::Config(wish) => config_command(*wish, invocation),
        Wish::Keys => print(&run::setup::keys(&settings(invocation)?)?),
        Wish::Themes(name) => print(&run::themes::show(name.as_deref())?),
        Wish::Man => print(&super::manual::page(&settings(invocation)?)?),
        Wish::Completions(shell) => print(&super::manual::completions(*shell)),
        Wish::Scan(wish) => {
            let config = settings(invocation)?;
            run::scan(&config, invocation.demo.map(|d| demo(d, 0.0)), &scan_args(wish)?)
        }
        Wish::Terminal => {
            let config = settings(invocation)?;
            let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
            if dumb || !io::stdout().is_terminal() {
                let demo = invocation.demo.map(|d| demo(d, 0.0));
                return run::scan(&config, demo, &scan_args(&ScanWish::default())?);
            }
            run::terminal(&config, invocation.demo.map(|d| demo(d, DEMO_SPEED))).map(|()| Rows::Some)
        }
    }
}

fn scan_args(wish: &ScanWish) -> Result<ScanPlan, Failure> {
    let usage = |flag: &str, why: &dyn std::fmt::Display| Failure::Usage(format!("--{flag}: {why}"));
    let mut options = ScanOptions { limit: wish.limit, min_score: wish.min_score, ..ScanOptions::default() };
    if let Some(text) = &wish.filter {
        options.filter = Filter::parse(text).map_err(|e| Failure::Usage(e.of_flag()))?;
    }
    if let Some(text) = &wish.sort {
        options.sort = text.parse().map_err(|e| usage("sort", &e))?;
    }
    if let Some(text) = &wish.columns {
        options.columns = parse_columns(text).map_err(|e| usage("columns", &e))?;
    }
    if let Some(text) = &wish.format {
        options.format = text.parse().map_err(|e| usage("format", &e))?;
    }
    Ok(ScanPlan { options, timeout: wish.timeout.unwrap_or(SCAN_TIMEOUT), klines: wish.klines })
}

fn demo(wish: DemoWish, speed: f64) -> DemoRun {
    DemoRun { start: wish.start, speed: wish.speed.unwrap_or(speed) }
}

fn print(text: &str) -> Result<Rows, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::of_output)?;
    Ok(Rows::Some)
}

fn hama_command(wish: &HamaWish, config: &Config) -> Result<Rows, Failure> {
    let interval = match &wish.interval {
        Some(text) => Some(text.parse().map_err(|e| Failure::Usage(format!("--interval {text}: {e}")))?),
        None => None,
    };
    // The one place where our wall clock counts: a file has no exchange to ask.
    let now = wall_clock();
    let args = HamaArgs {
        file: wish.file.clone().into(),
        preset: (*config.preset).clone(),
        interval,
        format: if wish.format == "json" { HamaFormat::Json } else { HamaFormat::Csv },
        tail: wish.tail,
        keep_last: wish.keep_last,
        now: UnixMs(i64::try_from(now.as_millis()).unwrap_or(i64::MAX)),
    };
    hama::run(&args, &mut io::stdout().lock())?;
    Ok(Rows::Some)
}

fn exchange_args(wish: &ExchangeWish) -> ExchangeArgs {
    let source = match (&wish.data, wish.synthetic) {
        (Some(folder), _) => SourceConfig::Folder(folder.clone()),
        (None, Some(count)) => {
            SourceConfig::Synthetic { count: usize::try_from(count).unwrap_or(usize::MAX), seed: wish.seed }
        }
        (None, None) => SourceConfig::Replay,
    };
    ExchangeArgs {
        listen: wish.listen.clone(),
        source,
        start: wish.start,
        speed: wish.speed.unwrap_or(1.0),
        faults: wish.faults.clone(),
        latency: wish.latency,
    }
}

fn config_command(wish: ConfigWish, invocation: &Invocation) -> Result<Rows, Failure> {
    let path = invocation.config_file.clone().or_else(super::default_config_file);
    let path = path.map_or("no home folder, so no config file".to_owned(), |p| p.display().to_string());
    match wish {
        ConfigWish::Example => print(&config::example()),
        ConfigWish::Path => print(&format!("{path}\n")),
        ConfigWish::Check => match run::check(&settings(invocation)?)? {
            Some(problem) => print(&format!("the settings can be used, but {problem}\n")),
            None => print("the settings can be used\n"),
        },
        ConfigWish::Show => {
            let config = settings(invocation)?;
            let rows = SETTINGS.iter().map(|setting| {
                let key = setting.key;
                let (value, origin) = match config.origins.get(key) {
                    Some((value, Origin::Default)) => (value.clone(), "default".to_owned()),
                    Some((value, Origin::File(line))) => (value.clone(), format!("{path}:{line}")),
                    Some((value, Origin::DotEnv)) => (value.clone(), ".env".to_owned()),
                    Some((value, Origin::Env)) => (value.clone(), "environment".to_owned()),
                    Some((value, Origin::Flag)) => (value.clone(), "flag".to_owned()),
                    None if key == "bars" => (config.bars.to_string(), "what the preset needs".to_owned()),
                    None => ("-".to_owned(), "not set".to_owned()),
                };
                format!("{key:<11} {value:<24} {origin}\n")
            });
            print(&rows.collect::<String>())
        }
    }
}
