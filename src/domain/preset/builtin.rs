//! The five presets that have a name.

use super::{Average, BandForm, BandsSpec, GradientLine, Line, MaSource, Preset};

impl Preset {
    /// The preset that is used where none is named.
    pub const DEFAULT_NAME: &'static str = "quantdinger";

    /// The names of all built-in presets, the default first.
    pub const BUILTIN_NAMES: [&'static str; 5] = ["quantdinger", "nsdt", "nsdt-v1", "aicoin", "qd-monitor"];

    /// The built-in preset of that name.
    pub fn builtin(name: &str) -> Option<Self> {
        Self::builtins().into_iter().find(|p| &*p.name == name)
    }

    /// All built-in presets, in the order of [`Preset::BUILTIN_NAMES`].
    pub fn builtins() -> [Self; 5] {
        [quantdinger(), nsdt(), nsdt_v1(), aicoin(), qd_monitor()]
    }
}

impl Default for Preset {
    fn default() -> Self {
        quantdinger()
    }
}

/// What its users run: the NSDT candles with Bollinger's bands.
fn quantdinger() -> Preset {
    Preset {
        name: "quantdinger".into(),
        open: ema(45),
        high: ema(20),
        low: ema(20),
        close: wma(40),
        ma: wma(100),
        ma_source: MaSource::Close,
        gradient: GradientLine::Ma,
        bands: Some(BandsSpec { form: BandForm::Simple, length: 400, mult: 2.0 }),
        depth: 500,
    }
}

/// The published script as it is now.
fn nsdt() -> Preset {
    Preset {
        name: "nsdt".into(),
        open: ema(25),
        high: ema(20),
        low: ema(20),
        close: ema(20),
        ma: ema(55),
        ma_source: MaSource::Hl2,
        gradient: GradientLine::OfClose(wma(55)),
        bands: None,
        depth: 640,
    }
}

/// The published script's first version.
fn nsdt_v1() -> Preset {
    Preset { name: "nsdt-v1".into(), ma: ema(100), ma_source: MaSource::Close, depth: 1_150, ..nsdt() }
}

/// `AICoin`'s version.
fn aicoin() -> Preset {
    Preset {
        name: "aicoin".into(),
        close: ema(40),
        ma: ema(100),
        bands: Some(BandsSpec { form: BandForm::Exponential, length: 400, mult: 2.0 }),
        depth: 1_500,
        ..quantdinger()
    }
}

/// The version of the original services' monitor.
fn qd_monitor() -> Preset {
    Preset {
        name: "qd-monitor".into(),
        open: ema(25),
        high: ema(20),
        low: ema(20),
        close: wma(20),
        ma: wma(55),
        ma_source: MaSource::HamaClose,
        gradient: GradientLine::Ma,
        bands: None,
        depth: 500,
    }
}

const fn ema(length: u32) -> Line {
    Line { kind: Average::Ema, length }
}

const fn wma(length: u32) -> Line {
    Line { kind: Average::Wma, length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_presets_agree() {
        for (name, preset) in Preset::BUILTIN_NAMES.into_iter().zip(Preset::builtins()) {
            assert_eq!(&*preset.name, name);
            assert_eq!(Preset::builtin(name), Some(preset));
        }
        assert_eq!(&*Preset::default().name, Preset::DEFAULT_NAME);
        assert_eq!(Preset::builtin("QuantDinger"), None);
    }
}
