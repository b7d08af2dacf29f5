//! Settings: flag > process environment > `.env` > config file > default.

mod alerts;
mod aliases;
pub mod color;
pub mod file;
pub mod manners;
mod presets;
pub mod settings;
mod watchlists;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::interval::Interval;
use crate::domain::preset::Preset;
use crate::domain::symbol::{Market, Symbol};
use crate::rule::alert::Rule;

use self::color::{Color, Depth};
use self::manners::{MouseChoice, NotifyChoice};
use self::settings::{About, SETTINGS, Setting};

/// Settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Markets to scan; not empty.
    pub markets: Vec<Market>,
    /// Quote asset.
    pub quote: Symbol,
    /// Pairs by volume.
    pub top: u32,
    /// Pairs by the size of their change.
    pub movers: u32,
    /// Pairs by name.
    pub symbols: Vec<Symbol>,
    /// Pairs of the lists that are asked for, each once.
    pub watched: Vec<Symbol>,
    /// All lists of the config file, by name.
    pub watchlists: Vec<(String, Vec<Symbol>)>,
    /// Names that symbols can be found by beside their own.
    pub aliases: Vec<(Symbol, String)>,
    /// Intervals, primary first; not empty.
    pub intervals: Vec<Interval>,
    /// The indicator.
    pub preset: Arc<Preset>,
    /// The alert rules.
    pub alerts: Vec<Rule>,
    /// Bars kept per series.
    pub bars: u32,
    /// Another host's REST.
    pub rest_url: Option<String>,
    /// Another host's streams.
    pub ws_url: Option<String>,
    /// That host's clock against ours.
    pub clock_rate: f64,
    /// Colours.
    pub color: Color,
    /// ASCII only.
    pub ascii: bool,
    /// The theme's name; whether there is one is found out where themes are.
    pub theme: String,
    /// The palette's name.
    pub palette: String,
    /// The zone's name, or `local`.
    pub tz: String,
    /// Whose the mouse is.
    pub mouse: MouseChoice,
    /// How the user is told outside.
    pub notify: NotifyChoice,
    /// Screens a second for new data.
    pub data_fps: u32,
    /// How much is logged.
    pub log_level: String,
    /// Keys of actions; whether they can be used is found out where the actions are.
    pub keys: Vec<(String, Vec<String>)>,
    /// Sets of columns; the same.
    pub columns: Vec<(String, Vec<String>)>,
    /// Where each setting came from, by key.
    pub origins: BTreeMap<&'static str, (String, Origin)>,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The config file, that line.
    File(usize),
    /// `.env` in the working directory.
    DotEnv,
    /// The process environment.
    Env,
    /// The command line.
    Flag,
}

/// Settings while they are being gathered.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the same fields as `Config`")]
pub struct Draft {
    pub markets: Vec<Market>,
    pub quote: Option<Symbol>,
    pub top: u32,
    pub movers: u32,
    pub symbols: Vec<Symbol>,
    pub watchlist: Vec<String>,
    pub intervals: Vec<Interval>,
    pub preset: String,
    pub bars: Option<u32>,
    pub rest_url: Option<String>,
    pub ws_url: Option<String>,
    pub clock_rate: f64,
    pub color: Color,
    pub ascii: bool,
    pub theme: String,
    pub palette: String,
    pub tz: String,
    pub mouse: MouseChoice,
    pub no_mouse: bool,
    pub notify: NotifyChoice,
    pub data_fps: u32,
    pub log_level: String,
}

impl Origin {
    /// The stronger one wins.
    fn strength(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(_) => 1,
            Self::DotEnv => 2,
            Self::Env => 3,
            Self::Flag => 4,
        }
    }
}

/// A setting that can't be used; the message names it, its place and the cure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Where settings come from, strongest first. All of it is passed in, so that nothing here reads
/// the process's environment behind its caller's back.
#[derive(Debug, Default)]
pub struct Sources {
    /// Flags given, by setting key.
    pub flags: Vec<(&'static str, String)>,
    /// The process environment.
    pub env: BTreeMap<String, String>,
    /// `.env`.
    pub dot_env: BTreeMap<String, String>,
    /// The config file, if there is one.
    pub file: Option<(PathBuf, String)>,
    /// The replay is asked for: what is about the exchange comes from flags alone.
    pub demo: bool,
}

impl Config {
    /// Gathers, checks and remembers where each setting came from.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let (path, content) = match &sources.file {
            Some((path, text)) => {
                let content = file::parse(text).map_err(|bad| {
                    ConfigError(format!("{}:{}: {}", path.display(), bad.line, bad.message))
                })?;
                (path.clone(), content)
            }
            None => (PathBuf::new(), file::FileContent::default()),
        };
        let mut draft = Draft::default();
        let mut origins = BTreeMap::new();
        for setting in SETTINGS {
            let Some((text, origin)) = find(setting, sources, &content) else { continue };
            (setting.set)(&mut draft, &text).map_err(|why| {
                ConfigError(place(setting, &origin, &path) + &format!(" {why} (got `{text}`)"))
            })?;
            origins.insert(setting.key, (text, origin));
        }
        let mouse = mouse(&draft, &origins);
        let preset = presets::resolve(&draft.preset, &content.presets, &path)?;
        let bars = draft.bars.unwrap_or(preset.depth);
        let quote = draft.quote.ok_or_else(|| ConfigError("`quote` needs an asset such as USDT".into()))?;
        if draft.markets.is_empty() {
            return Err(ConfigError("`market` needs usdm, spot or usdm,spot".into()));
        }
        let watchlists = watchlists::read_all(&content.watchlists, &path)?;
        let watched = watchlists::resolve(&draft.watchlist, &watchlists)?;
        let aliases = aliases::read_all(&content.aliases, &path)?;
        if draft.top == 0 && draft.movers == 0 && draft.symbols.is_empty() && watched.is_empty() {
            let cure = "with --top 0 some --symbols, a --watchlist or --movers are needed";
            return Err(ConfigError(cure.into()));
        }
        let texts = |lists: Vec<file::RawList>| lists.into_iter().map(|l| (l.name, l.texts)).collect();
        let primary =
            draft.intervals.first().copied().ok_or_else(|| ConfigError("`intervals` is empty".into()))?;
        Ok(Self {
            keys: texts(content.keys),
            columns: texts(content.columns),
            markets: draft.markets,
            quote,
            top: draft.top,
            movers: draft.movers,
            symbols: draft.symbols,
            watched,
            watchlists,
            aliases,
            intervals: draft.intervals,
            preset: Arc::new(preset),
            alerts: alerts::resolve(&content.alerts, primary, &path)?,
            bars,
            rest_url: draft.rest_url,
            ws_url: draft.ws_url,
            clock_rate: draft.clock_rate,
            color: draft.color,
            ascii: draft.ascii,
            theme: draft.theme,
            palette: draft.palette,
            tz: draft.tz,
            mouse,
            notify: draft.notify,
            data_fps: draft.data_fps,
            log_level: draft.log_level,
            origins,
        })
    }

    /// How many colours the terminal gets, by the settings and the environment.
    pub fn depth(&self, var: impl Fn(&str) -> Option<String>) -> Depth {
        let is_flag = self.origins.get("color").is_some_and(|(_, origin)| *origin == Origin::Flag);
        self.color.resolve(is_flag, var)
    }
}

fn find(setting: &Setting, sources: &Sources, content: &file::FileContent) -> Option<(String, Origin)> {
    if let Some((_, text)) = sources.flags.iter().find(|(k, _)| *k == setting.key) {
        return Some((text.clone(), Origin::Flag));
    }
    let default = (!setting.default.is_empty()).then(|| (setting.default.to_owned(), Origin::Default));
    if sources.demo && setting.about == About::Exchange {
        return default;
    }
    for (variables, origin) in [(&sources.env, Origin::Env), (&sources.dot_env, Origin::DotEnv)] {
        // An empty variable counts as unset, as shells and compose files treat it.
        if let Some(text) = setting.env.and_then(|e| variables.get(e)).filter(|t| !t.is_empty()) {
            return Some((text.clone(), origin));
        }
    }
    if let Some((_, text, line)) = content.settings.iter().find(|(k, ..)| k == setting.key) {
        return Some((text.clone(), Origin::File(*line)));
    }
    default
}

/// `no_mouse` is another word for `mouse = off`: what comes from the stronger place wins, and of one
/// place the refusal.
fn mouse(draft: &Draft, origins: &BTreeMap<&'static str, (String, Origin)>) -> MouseChoice {
    let strength = |key| origins.get(key).map_or(0, |(_, origin)| origin.strength());
    let is_refused = draft.no_mouse && strength("no_mouse") >= strength("mouse");
    if is_refused { MouseChoice::Off } else { draft.mouse }
}

fn place(setting: &Setting, origin: &Origin, path: &Path) -> String {
    match origin {
        Origin::Flag => format!("--{}", setting.flag()),
        Origin::Env => setting.env.unwrap_or(setting.key).to_owned(),
        Origin::DotEnv => format!("{} in .env", setting.env.unwrap_or(setting.key)),
        Origin::File(line) => format!("{}:{line}: `{}`", path.display(), setting.key),
        Origin::Default => format!("`{}`", setting.key),
    }
}

/// The sample file: every setting, commented, as its default.
pub fn example() -> String {
    let mut out = String::from(
        "# hamatop's settings, as their defaults. Flags and environment variables win over this file.\n",
    );
    for s in SETTINGS {
        let env = s.env.map_or(String::new(), |e| format!(" Environment: {e}."));
        let value = if s.value.is_empty() { "true|false" } else { s.value };
        let set = if s.default.is_empty() { "# " } else { "" };
        let bare = s.default.parse::<f64>().is_ok() || matches!(s.default, "true" | "false");
        let default = if bare { s.default.to_owned() } else { format!("{:?}", s.default) };
        // Writing to a string cannot fail.
        let _ = write!(out, "\n# {} [{value}].{env}\n{set}{} = {default}\n", s.help, s.key);
    }
    out + watchlists::EXAMPLE + aliases::EXAMPLE + alerts::EXAMPLE + presets::EXAMPLE
}

#[cfg(test)]
mod tests;
