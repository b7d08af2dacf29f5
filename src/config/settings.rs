//! Every setting once: the flags, the config file, the environment, the documentation and the
//! sample file are all made from this table.

use std::str::FromStr;

use crate::domain::interval::Interval;
use crate::domain::symbol::{Market, Symbol};

use super::Draft;
use super::color::UnknownColor;
use super::manners::{MouseChoice, NotifyChoice};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in the config file; the flag is the same with hyphens.
    pub key: &'static str,
    /// Its environment variable, if it has one.
    pub env: Option<&'static str>,
    /// What stands for the value in the help; empty for a switch.
    pub value: &'static str,
    /// The default as the sample file writes it; empty where the default is "not set".
    pub default: &'static str,
    /// What it does, for people.
    pub help: &'static str,
    /// Whether it is about the exchange or about this program.
    pub about: About,
    /// Reads a value into the draft; the error says what a value looks like.
    pub set: fn(&mut Draft, &str) -> Result<(), String>,
}

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Which exchange, and what of it. The demo brings its own, so there only flags count.
    Exchange,
    /// How things are computed, shown or logged.
    Program,
}

impl Setting {
    /// The flag without its two hyphens.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// A switch takes no value on the command line.
    pub fn is_switch(&self) -> bool {
        self.value.is_empty()
    }

    /// The setting of that name in the config file.
    pub fn by_key(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|s| s.key == key)
    }
}

/// The table.
pub static SETTINGS: &[Setting] = &[
    Setting {
        key: "market",
        env: None,
        value: "usdm|spot|usdm,spot",
        default: "usdm",
        help: "Markets to scan",
        about: About::Exchange,
        set: |d, v| list::<Market>(v, "usdm, spot or usdm,spot").map(|m| d.markets = m),
    },
    Setting {
        key: "quote",
        env: None,
        value: "ASSET",
        default: "USDT",
        help: "Quote asset of the pairs",
        about: About::Exchange,
        set: |d, v| one::<Symbol>(v, "an asset such as USDT").map(|q| d.quote = Some(q)),
    },
    Setting {
        key: "top",
        env: None,
        value: "N",
        default: "125",
        help: "How many pairs, by 24 h quote volume (0 to 2000)",
        about: About::Exchange,
        set: |d, v| number(v, 0, 2_000).map(|n| d.top = n),
    },
    Setting {
        key: "movers",
        env: None,
        value: "N",
        default: "0",
        help: "How many more by the size of their 24 h change, chosen once an hour (0 to 500)",
        about: About::Exchange,
        set: |d, v| number(v, 0, 500).map(|n| d.movers = n),
    },
    Setting {
        key: "watchlist",
        env: None,
        value: "NAME",
        default: "",
        help: "Pairs of your [watchlists] of that name (A,B for several)",
        about: About::Exchange,
        set: |d, v| list::<String>(v, "names of your [watchlists]").map(|names| d.watchlist = names),
    },
    Setting {
        key: "symbols",
        env: None,
        value: "A,B",
        default: "",
        help: "Pairs to show whatever their volume",
        about: About::Exchange,
        set: |d, v| list::<Symbol>(v, "pairs such as BTCUSDT,ETHUSDT").map(|s| d.symbols = s),
    },
    Setting {
        key: "intervals",
        env: None,
        value: "A,B",
        default: "15m,1h,4h",
        help: "Candle intervals; the first is the primary one",
        about: About::Exchange,
        set: |d, v| {
            let intervals = list::<Interval>(v, "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M")?;
            if intervals.is_empty() || intervals.len() > 6 {
                return Err("needs 1 to 6 intervals".into());
            }
            d.intervals = intervals;
            Ok(())
        },
    },
    Setting {
        key: "preset",
        env: None,
        value: "NAME",
        default: "quantdinger",
        help: "HAMA preset: quantdinger, nsdt, nsdt-v1, aicoin, qd-monitor, or one of your [presets]",
        about: About::Program,
        set: |d, v| {
            v.clone_into(&mut d.preset);
            Ok(())
        },
    },
    Setting {
        key: "bars",
        env: None,
        value: "N",
        default: "",
        help: "Closed bars kept per series, 2 to 5000 (default: what the preset needs)",
        about: About::Program,
        set: |d, v| number(v, 2, 5_000).map(|n| d.bars = Some(n)),
    },
    Setting {
        key: "rest_url",
        env: Some("HAMATOP_REST_URL"),
        value: "URL",
        default: "",
        help: "Base URL of a host that speaks Binance's REST (default: Binance)",
        about: About::Exchange,
        set: |d, v| url(v, &["http://", "https://"]).map(|u| d.rest_url = Some(u)),
    },
    Setting {
        key: "ws_url",
        env: Some("HAMATOP_WS_URL"),
        value: "URL",
        default: "",
        help: "Base URL of a host that speaks Binance's WebSocket streams (default: Binance)",
        about: About::Exchange,
        set: |d, v| url(v, &["ws://", "wss://"]).map(|u| d.ws_url = Some(u)),
    },
    Setting {
        key: "clock_rate",
        env: None,
        value: "X",
        default: "1",
        help: "How fast that host's clock runs against ours (0.01 to 10000)",
        about: About::Exchange,
        set: |d, v| {
            let rate = v.parse::<f64>().ok().filter(|r| (0.01..=10_000.0).contains(r));
            d.clock_rate = rate.ok_or("needs a number from 0.01 to 10000")?;
            Ok(())
        },
    },
    Setting {
        key: "color",
        env: None,
        value: "auto|always|never|16|256|truecolor",
        default: "auto",
        help: "Colours; auto obeys NO_COLOR, CLICOLOR_FORCE, COLORTERM and TERM",
        about: About::Program,
        set: |d, v| {
            d.color = v.parse().map_err(|e: UnknownColor| e.to_string())?;
            Ok(())
        },
    },
    Setting {
        key: "ascii",
        env: None,
        value: "",
        default: "false",
        help: "Draw with ASCII only (on by itself where the locale is not UTF-8)",
        about: About::Program,
        set: |d, v| boolean(v).map(|b| d.ascii = b),
    },
    Setting {
        key: "theme",
        env: None,
        value: "NAME",
        default: "dark",
        help: "Styles of the screen; `hamatop themes` lists them, T tries them out",
        about: About::Program,
        set: |d, v| {
            v.clone_into(&mut d.theme);
            Ok(())
        },
    },
    Setting {
        key: "palette",
        env: None,
        value: "green-up|red-up|blue-orange",
        default: "green-up",
        help: "Colours of up and down",
        about: About::Program,
        set: |d, v| word(v, &["green-up", "red-up", "blue-orange"]).map(|p| d.palette = p),
    },
    Setting {
        key: "tz",
        env: None,
        value: "local|utc|NAME",
        default: "utc",
        help: "Zone of the times on the screen: also Asia/Shanghai or +08:00; exports stay UTC",
        about: About::Program,
        set: |d, v| {
            v.clone_into(&mut d.tz);
            Ok(())
        },
    },
    Setting {
        key: "mouse",
        env: None,
        value: "auto|on|off",
        default: "auto",
        help: "Whether the mouse is the program's; auto: not over SSH. With Shift it selects text all the same",
        about: About::Program,
        set: |d, v| {
            d.mouse = match v {
                "auto" => MouseChoice::Auto,
                "on" | "true" => MouseChoice::On,
                "off" | "false" => MouseChoice::Off,
                _ => return Err("is auto, on or off".into()),
            };
            Ok(())
        },
    },
    Setting {
        key: "no_mouse",
        env: None,
        value: "",
        default: "false",
        help: "The same as --mouse off",
        about: About::Program,
        set: |d, v| boolean(v).map(|b| d.no_mouse = b),
    },
    Setting {
        key: "notify",
        env: None,
        value: "auto|bell|off",
        default: "auto",
        help: "How alerts reach you outside: the bell and a notification of the terminal, the bell, nothing",
        about: About::Program,
        set: |d, v| {
            d.notify = match v {
                "auto" => NotifyChoice::Auto,
                "bell" => NotifyChoice::Bell,
                "off" => NotifyChoice::Off,
                _ => return Err("is auto, bell or off".into()),
            };
            Ok(())
        },
    },
    Setting {
        key: "data_fps",
        env: None,
        value: "N",
        default: "4",
        help: "Screens drawn a second for new data (1 to 30); keys are drawn at once",
        about: About::Program,
        set: |d, v| number(v, 1, 30).map(|n| d.data_fps = n),
    },
    Setting {
        key: "log_level",
        env: Some("HAMATOP_LOG"),
        value: "LEVEL",
        default: "info",
        help: "error, warn, info, debug or trace",
        about: About::Program,
        set: |d, v| word(v, &["error", "warn", "info", "debug", "trace"]).map(|l| d.log_level = l),
    },
];

fn word(text: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    let (last, others) = known.split_last().unwrap_or((&"", &[]));
    Err(format!("is {} or {last}", others.join(", ")))
}

fn one<T: FromStr>(text: &str, wanted: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("needs {wanted}"))
}

/// Comma-separated values, spaces around them allowed, each kept once. Nothing is an empty list.
fn list<T: FromStr + PartialEq>(text: &str, wanted: &str) -> Result<Vec<T>, String> {
    let mut out = Vec::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let value = part.parse().map_err(|_| format!("has `{part}`; it needs {wanted}"))?;
        if !out.contains(&value) {
            out.push(value);
        }
    }
    if out.is_empty() && !text.trim().is_empty() {
        return Err(format!("needs {wanted}"));
    }
    Ok(out)
}

fn number(text: &str, from: u32, to: u32) -> Result<u32, String> {
    let value = text.parse().ok().filter(|n| (from..=to).contains(n));
    value.ok_or_else(|| format!("needs a whole number from {from} to {to}"))
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err("is true or false".into()),
    }
}

/// A base URL, without the slash at its end.
fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let wrong = || format!("needs a URL that starts with {}", schemes.join(" or "));
    if !schemes.iter().any(|s| text.starts_with(s)) {
        return Err(wrong());
    }
    let uri = text.parse::<http::Uri>().map_err(|_| wrong())?;
    if uri.authority().is_none_or(|a| a.as_str().contains('@')) || uri.query().is_some() {
        return Err("needs a plain base URL: scheme, host, port and maybe a path".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}
