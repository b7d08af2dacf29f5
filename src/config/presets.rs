//! The preset that was asked for: built in, or one of the config file's own.

use std::path::Path;

use crate::domain::preset::{BandForm, BandsSpec, GradientLine, Line, Preset};

use super::ConfigError;
use super::file::{RawPreset, distance};

/// The sample file's part on presets.
pub(super) const EXAMPLE: &str = r#"
# Your own presets. An average is EMA, WMA or SMA and a length; ma_source is close, hl2, ohlc4 or
# hama_close; gradient is "ma" or an average of the close such as "WMA55". What is left out is as in
# quantdinger, but for the bands: no `bands`, no bands.
# [presets.mine]
# open = "EMA45"
# high = "EMA20"
# low = "EMA20"
# close = "WMA40"
# ma = "WMA100"
# ma_source = "close"
# gradient = "ma"
# bands = { length = 400, mult = 2.0 }
"#;

/// Finds the preset `name`. Every own preset is checked, also those that are not asked for.
pub(super) fn resolve(name: &str, raw: &[RawPreset], path: &Path) -> Result<Preset, ConfigError> {
    let mut own = Vec::new();
    for preset in raw {
        if Preset::builtin(&preset.name).is_some() {
            let message = format!(
                "{}:{}: `{}` is built in; give yours another name",
                path.display(),
                preset.line,
                preset.name
            );
            return Err(ConfigError(message));
        }
        own.push((&preset.name, build(preset, path)?));
    }
    if let Some((_, preset)) = own.iter().find(|(n, _)| *n == name) {
        return Ok(preset.clone());
    }
    Preset::builtin(name).ok_or_else(|| {
        let known: Vec<String> = Preset::builtins()
            .iter()
            .map(|p| p.name.to_string())
            .chain(raw.iter().map(|p| p.name.clone()))
            .collect();
        let nearest = known.iter().min_by_key(|k| distance(name, k)).map_or("", String::as_str);
        ConfigError(format!("no preset `{name}`; did you mean `{nearest}`? There are {}", known.join(", ")))
    })
}

fn build(raw: &RawPreset, path: &Path) -> Result<Preset, ConfigError> {
    let at = |line: usize, message: String| ConfigError(format!("{}:{line}: {message}", path.display()));
    let mut preset = Preset::default();
    let mut bands = BandsSpec { form: BandForm::Simple, length: 400, mult: 2.0 };
    let mut has_bands = false;
    let mut depth = None;
    for (key, text, line) in &raw.entries {
        let wrong = |why: String| at(*line, format!("`{key}`: {why}"));
        let average = || text.parse::<Line>().map_err(|e| wrong(e.to_string()));
        match key.as_str() {
            "open" => preset.open = average()?,
            "high" => preset.high = average()?,
            "low" => preset.low = average()?,
            "close" => preset.close = average()?,
            "ma" => preset.ma = average()?,
            "ma_source" => {
                preset.ma_source =
                    text.parse().map_err(|e: crate::domain::preset::UnknownMaSource| wrong(e.to_string()))?;
            }
            "gradient" if text == "ma" => preset.gradient = GradientLine::Ma,
            "gradient" => preset.gradient = GradientLine::OfClose(average()?),
            "depth" => {
                let bars = text.parse().ok().filter(|n| (2..=5_000).contains(n));
                depth = Some(bars.ok_or_else(|| wrong("needs a whole number from 2 to 5000".into()))?);
            }
            "bands" => {
                has_bands = parse_switch(text)
                    .ok_or_else(|| wrong("is { length = 400, mult = 2.0 } or false".into()))?;
            }
            "bands.length" => {
                bands.length = text.parse().map_err(|_| wrong("needs a whole number of bars".into()))?;
                has_bands = true;
            }
            "bands.mult" => {
                bands.mult = text.parse().map_err(|_| wrong("needs a number".into()))?;
                has_bands = true;
            }
            other => return Err(at(*line, format!("unknown key `{other}`"))),
        }
    }
    let builder = preset.customized(&raw.name).bands(has_bands.then_some(bands));
    let builder = if let Some(bars) = depth { builder.depth(bars) } else { builder };
    let built = builder.build().map_err(|e| at(raw.line, e.to_string()))?;
    // The name goes into cache keys and exports: two presets of one name and other figures must
    // not be taken for each other.
    let name = built.cache_name();
    Ok(Preset { name: name.into(), ..built })
}

fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
