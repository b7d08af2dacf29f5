//! The name of a preset in keys and files.

use super::{Average, BandForm, GradientLine, Line, MaSource, Preset};

impl Preset {
    /// The name in keys, files and records: `NAME` for a built-in preset as it is, else
    /// `NAME-xxxxxxxx` with a hash of all settings that change a figure. The hash is the same on
    /// every machine and in every version.
    pub fn cache_name(&self) -> String {
        let figures = self.cache_figures();
        if Self::builtin(&self.name).is_some_and(|b| b.cache_figures() == figures) {
            return self.name.to_string();
        }
        format!("{}-{:08x}", self.name, fnv1a(figures.as_bytes()))
    }

    /// Every setting that changes a figure, as text. The depth is not one.
    pub(super) fn cache_figures(&self) -> String {
        let gradient = match self.gradient {
            GradientLine::Ma => "ma".to_owned(),
            GradientLine::OfClose(line) => shown(line),
        };
        let bands = self.bands.map_or_else(
            || "none".to_owned(),
            |b| {
                let form = match b.form {
                    BandForm::Simple => "simple",
                    BandForm::Exponential => "exponential",
                };
                format!("{form}:{}:{}", b.length, b.mult)
            },
        );
        let lines = [self.open, self.high, self.low, self.close, self.ma].map(shown).join(",");
        format!("{lines},{},{gradient},{bands}", source(self.ma_source))
    }
}

/// Spelt out here, since a nicer `Display` must not change a key.
fn shown(line: Line) -> String {
    let kind = match line.kind {
        Average::Ema => "ema",
        Average::Wma => "wma",
        Average::Sma => "sma",
    };
    format!("{kind}{}", line.length)
}

fn source(source: MaSource) -> &'static str {
    match source {
        MaSource::Close => "close",
        MaSource::Hl2 => "hl2",
        MaSource::Ohlc4 => "ohlc4",
        MaSource::HamaClose => "hama_close",
    }
}

/// 32 bits of FNV-1a: short, fixed for all time, unlike the standard library's hasher.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, b| (hash ^ u32::from(*b)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_presets_go_by_their_names() {
        for preset in Preset::builtins() {
            assert_eq!(preset.cache_name(), &*preset.name);
        }
    }

    #[test]
    fn a_changed_figure_changes_the_name_and_a_depth_does_not() {
        let own = Preset::custom("mine").build().unwrap();
        let deeper = Preset::custom("mine").depth(900).build().unwrap();
        let other = Preset::custom("mine").bands(None).build().unwrap();
        assert_eq!(own.cache_name(), deeper.cache_name());
        assert_ne!(own.cache_name(), other.cache_name());
        let shadow = Preset::default().with_bands(None).unwrap();
        assert!(shadow.cache_name().starts_with("quantdinger-"), "{}", shadow.cache_name());
        let same = Preset { depth: 900, ..Preset::default() };
        assert_eq!(same.cache_name(), "quantdinger");
    }

    #[test]
    fn the_hash_stays_what_it_is() {
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
        assert_eq!(Preset::custom("mine").build().unwrap().cache_name(), "mine-6f79ff52");
    }
}
