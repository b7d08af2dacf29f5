//! Presets of the user's own.

use super::{BandForm, BandsSpec, GradientLine, Line, MAX_LENGTH, MaSource, Needs, Preset};

/// The widest bands, in deviations.
pub const MAX_MULT: f64 = 100.0;

/// The longest name of a preset, in characters.
const MAX_NAME: usize = 32;

/// A preset being put together; [`Preset::custom`] begins one.
#[derive(Clone, Debug)]
pub struct CustomPreset {
    preset: Preset,
    depth: Option<u32>,
}

impl Preset {
    /// Begins a preset of that name with the default one's settings.
    pub fn custom(name: &str) -> CustomPreset {
        Self::default().customized(name)
    }

    /// Begins a preset of that name with this one's settings.
    pub fn customized(&self, name: &str) -> CustomPreset {
        CustomPreset { preset: Self { name: name.into(), ..self.clone() }, depth: None }
    }

    /// This preset with other bands, or with none. Its cache name tells it from the original.
    pub fn with_bands(&self, bands: Option<BandsSpec>) -> Result<Self, BadPreset> {
        self.customized(&self.name).bands(bands).build()
    }
}

impl CustomPreset {
    /// The average of the candle's open.
    pub fn open(mut self, line: Line) -> Self {
        self.preset.open = line;
        self
    }

    /// The average of the candle's high.
    pub fn high(mut self, line: Line) -> Self {
        self.preset.high = line;
        self
    }

    /// The average of the candle's low.
    pub fn low(mut self, line: Line) -> Self {
        self.preset.low = line;
        self
    }

    /// The average of the candle's close.
    pub fn close(mut self, line: Line) -> Self {
        self.preset.close = line;
        self
    }

    /// The moving average line.
    pub fn ma(mut self, line: Line, source: MaSource) -> Self {
        self.preset.ma = line;
        self.preset.ma_source = source;
        self
    }

    /// What the gradient is taken of.
    pub fn gradient(mut self, gradient: GradientLine) -> Self {
        self.preset.gradient = gradient;
        self
    }

    /// The bands, or none.
    pub fn bands(mut self, bands: Option<BandsSpec>) -> Self {
        self.preset.bands = bands;
        self
    }

    /// Bars kept and fetched; where it is not called they follow from the lengths.
    pub fn depth(mut self, bars: u32) -> Self {
        self.depth = Some(bars);
        self
    }

    /// Checks it.
    pub fn build(self) -> Result<Preset, BadPreset> {
        let Self { mut preset, depth } = self;
        let named = (1..=MAX_NAME).contains(&preset.name.chars().count())
            && preset.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
        if !named {
            return Err(BadPreset::Name);
        }
        let gradient = match preset.gradient {
            GradientLine::OfClose(line) => Some(line.length),
            GradientLine::Ma => None,
        };
        let lines = [preset.open, preset.high, preset.low, preset.close, preset.ma].map(|l| l.length);
        let lengths = lines.into_iter().chain(gradient).chain(preset.bands.map(|b| b.length));
        if lengths.into_iter().any(|length| !(1..=MAX_LENGTH).contains(&length)) {
            return Err(BadPreset::Length);
        }
        if preset.bands.is_some_and(|b| !(b.mult > 0.0 && b.mult <= MAX_MULT)) {
            return Err(BadPreset::Mult);
        }
        preset.depth = depth.unwrap_or_else(|| derived_depth(&preset));
        Ok(preset)
    }
}

/// The depth at which a restarted process agrees with one that never stopped: the bars until every
/// seed's influence on an exponential average is below 1e-9, and all windows are full.
fn derived_depth(preset: &Preset) -> u32 {
    if let Some(known) = Preset::builtins().into_iter().find(|b| b.cache_figures() == preset.cache_figures())
    {
        return known.depth;
    }
    let exponential_bands = preset.bands.filter(|b| b.form == BandForm::Exponential).map(|b| b.length);
    // ln(1e-9) / ln(1 - 2/(L+1)) is just under 10.4 L.
    let settle = |length: u32| length * 104 / 10 + length;
    let own = [preset.open, preset.high, preset.low, preset.close];
    let own =
        own.into_iter().map(|l| if l.kind == super::Average::Ema { settle(l.length) } else { l.length });
    let candle = own.max().unwrap_or(1);
    let line =
        if preset.ma.kind == super::Average::Ema { settle(preset.ma.length) } else { preset.ma.length };
    let line = if preset.ma_source == MaSource::HamaClose { line + candle } else { line };
    let bands = exponential_bands.map_or(0, |length| 15 * length / 4);
    // The gradient's short average and counter settle within some dozens of bars.
    let settled = candle.max(line).max(bands) + 60;
    settled.max(Needs::of(preset).full() + 100).max(500)
}

/// Why a preset can't be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPreset {
    /// The name is not fit for keys and files.
    #[error("a preset's name has 1 to {MAX_NAME} characters out of a-z, 0-9, `-` and `_`")]
    Name,
    /// A length is out of range.
    #[error("the lengths of a preset's averages and bands are 1 to {MAX_LENGTH} bars")]
    Length,
    /// The bands' multiplier is out of range.
    #[error("the bands' `mult` is above 0 and at most {MAX_MULT}")]
    Mult,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        text.parse().unwrap()
    }

    #[test]
    fn a_preset_is_built_and_checked() {
        let p = Preset::custom("mine")
            .open(line("SMA3"))
            .ma(line("EMA9"), MaSource::Ohlc4)
            .gradient(GradientLine::OfClose(line("WMA7")))
            .bands(None)
            .build()
            .unwrap();
        assert_eq!((p.open, p.ma_source, p.bands), (line("SMA3"), MaSource::Ohlc4, None));
        assert_eq!(p.high, Preset::default().high);

        assert_eq!(Preset::custom("").build(), Err(BadPreset::Name));
        assert_eq!(Preset::custom("a b").build(), Err(BadPreset::Name));
        let zero = Line { length: 0, ..line("EMA3") };
        assert_eq!(Preset::custom("x").low(zero).build(), Err(BadPreset::Length));
        for mult in [0.0, -1.0, f64::NAN, 1e9] {
            let bands = BandsSpec { form: BandForm::Simple, length: 20, mult };
            assert_eq!(Preset::custom("x").bands(Some(bands)).build(), Err(BadPreset::Mult), "{mult}");
        }
    }

    #[test]
    fn bands_can_be_added_to_any_preset() {
        let bands = BandsSpec { form: BandForm::Simple, length: 20, mult: 2.0 };
        for preset in Preset::builtins() {
            let with = preset.with_bands(Some(bands)).unwrap();
            assert_eq!((with.bands, &with.name), (Some(bands), &preset.name));
        }
    }

    #[test]
    fn the_depth_covers_what_the_preset_needs() {
        let p = Preset::custom("long").open(line("EMA400")).build().unwrap();
        assert!(p.depth > 4_145, "{}", p.depth);
        assert_eq!(Preset::custom("same").build().unwrap().depth, 500);
        assert_eq!(Preset::custom("asked").depth(321).build().unwrap().depth, 321);
    }
}
