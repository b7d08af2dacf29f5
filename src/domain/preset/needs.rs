//! How many bars each field of the indicator needs.

use super::{BandForm, BandsSpec, GradientLine, Line, MaSource, Preset};

/// Bars in the short average that the gradient compares its line with.
pub(crate) const GRADIENT_AVERAGE: u32 = 3;

/// For each field the 0-based index of the first bar on which it is known, counted from the first
/// bar of the series. Once known, a field stays known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// HAMA open. One later than its length says: the first bar has no bar before it.
    pub open: u32,
    /// HAMA high.
    pub high: u32,
    /// HAMA low.
    pub low: u32,
    /// HAMA close.
    pub close: u32,
    /// The moving average line.
    pub ma: u32,
    /// The line that the gradient is taken of.
    pub gradient_line: u32,
    /// The gradient.
    pub gradient: u32,
    /// All of the bands; `None` where the preset has none.
    pub bands: Option<u32>,
}

impl Needs {
    /// Of a preset.
    pub fn of(preset: &Preset) -> Self {
        Self::with(preset, |line| line.length)
    }

    /// Of a preset whose averages need as many inputs as `inputs` says.
    pub(crate) fn with(preset: &Preset, inputs: impl Fn(Line) -> u32) -> Self {
        let first = |line: Line| inputs(line).max(1) - 1;
        let close = first(preset.close);
        let ma = match preset.ma_source {
            MaSource::HamaClose => close + first(preset.ma),
            MaSource::Close | MaSource::Hl2 | MaSource::Ohlc4 => first(preset.ma),
        };
        let gradient_line = match preset.gradient {
            GradientLine::Ma => ma,
            GradientLine::OfClose(line) => first(line),
        };
        Self {
            open: first(preset.open) + 1,
            high: first(preset.high),
            low: first(preset.low),
            close,
            ma,
            gradient_line,
            gradient: gradient_line + GRADIENT_AVERAGE - 1,
            bands: preset.bands.map(BandsSpec::first_bar),
        }
    }

    /// Colour and slope of the HAMA open.
    pub fn color(&self) -> u32 {
        self.open + 1
    }

    /// Slope of the moving average line.
    pub fn ma_slope(&self) -> u32 {
        self.ma + 1
    }

    /// Side, distance, trend, strength and the last cross.
    pub fn trend(&self) -> u32 {
        self.close.max(self.ma)
    }

    /// A cross.
    pub fn cross(&self) -> u32 {
        self.trend() + 1
    }

    /// Score and parts.
    pub fn score_index(&self) -> u32 {
        self.trend().max(self.gradient).max(self.color())
    }

    /// How many bars the score needs.
    pub fn score(&self) -> u32 {
        self.score_index() + 1
    }

    /// How many bars every field needs.
    pub fn full(&self) -> u32 {
        let candle = self.high.max(self.low);
        let lines = self.cross().max(self.ma_slope()).max(self.score_index());
        candle.max(lines).max(self.bands.unwrap_or(0)) + 1
    }
}

impl BandsSpec {
    /// The first bar on which the bands are known, from 0.
    pub(crate) fn first_bar(self) -> u32 {
        let basis = self.length.max(1) - 1;
        match self.form {
            BandForm::Simple => basis,
            // The squared distances begin where the basis does, and are averaged as long.
            BandForm::Exponential => 2 * basis,
        }
    }
}

impl Preset {
    /// For each field the first bar on which it is known.
    pub fn needs(&self) -> Needs {
        Needs::of(self)
    }

    /// Bars that trend, cross and score need: with them a series is warm.
    pub fn need_score(&self) -> u32 {
        self.needs().score()
    }

    /// Bars that every field needs, the bands too.
    pub fn need_full(&self) -> u32 {
        self.needs().full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::type_complexity, reason = "a table")]
    fn the_table_of_first_bars_follows_from_the_lengths() {
        let table: [(&str, [u32; 7], Option<u32>, u32, u32); 5] = [
            ("quantdinger", [45, 46, 39, 99, 99, 100, 101], Some(399), 102, 400),
            ("nsdt", [25, 26, 19, 54, 54, 55, 56], None, 57, 57),
            ("nsdt-v1", [25, 26, 19, 99, 99, 100, 56], None, 100, 101),
            ("aicoin", [45, 46, 39, 99, 99, 100, 101], Some(798), 102, 799),
            ("qd-monitor", [25, 26, 19, 73, 73, 74, 75], None, 76, 76),
        ];
        for (name, [open, color, close, ma, trend, cross, gradient], bands, score, full) in table {
            let preset = Preset::builtin(name).unwrap();
            let n = preset.needs();
            let got = [n.open, n.color(), n.close, n.ma, n.trend(), n.cross(), n.gradient];
            assert_eq!(got, [open, color, close, ma, trend, cross, gradient], "{name}");
            assert_eq!(n.bands, bands, "{name}");
            assert_eq!((preset.need_score(), preset.need_full()), (score, full), "{name}");
        }
    }
}
