//! Lines and sources as people write them: `EMA45`, `hama_close`.

use std::fmt;
use std::str::FromStr;

use super::{Average, Line, MaSource};

/// The longest average and the longest bands: more than any source of candles gives in one go.
pub const MAX_LENGTH: u32 = 5_000;

impl Average {
    /// `EMA`, `WMA`, `SMA`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ema => "EMA",
            Self::Wma => "WMA",
            Self::Sma => "SMA",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.as_str(), self.length)
    }
}

impl FromStr for Line {
    type Err = BadLine;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let digits = s.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(s.len());
        let (kind, length) = s.split_at(digits);
        let kind = [Average::Ema, Average::Wma, Average::Sma]
            .into_iter()
            .find(|k| k.as_str().eq_ignore_ascii_case(kind))
            .ok_or(BadLine::Kind)?;
        if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadLine::NoLength);
        }
        let length = length.parse().ok().filter(|n| (1..=MAX_LENGTH).contains(n)).ok_or(BadLine::Length)?;
        Ok(Self { kind, length })
    }
}

/// Why a text is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It does not begin with a kind.
    #[error("an average is EMA, WMA or SMA and its length in bars, as in `EMA45`")]
    Kind,
    /// Something other than a whole number stands behind the kind, or nothing.
    #[error("the length in bars is missing or is no whole number; write it as in `EMA45`")]
    NoLength,
    /// The length is out of range.
    #[error("an average's length is 1 to {MAX_LENGTH} bars")]
    Length,
}

impl MaSource {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Close, Self::Hl2, Self::Ohlc4, Self::HamaClose];

    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Hl2 => "hl2",
            Self::Ohlc4 => "ohlc4",
            Self::HamaClose => "hama_close",
        }
    }
}

impl FromStr for MaSource {
    type Err = UnknownMaSource;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|m| m.as_str() == s).ok_or(UnknownMaSource)
    }
}

/// There is no such source of the moving average line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the moving average's source is `close`, `hl2`, `ohlc4` or `hama_close`")]
pub struct UnknownMaSource;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip() {
        for text in ["EMA45", "WMA100", "SMA1", "EMA5000"] {
            assert_eq!(text.parse::<Line>().unwrap().to_string(), text);
        }
        assert_eq!("ema45".parse(), Ok(Line { kind: Average::Ema, length: 45 }));
    }

    #[test]
    fn what_is_no_line_says_why() {
        for (text, why) in [
            ("", BadLine::Kind),
            ("45", BadLine::Kind),
            ("HMA9", BadLine::Kind),
            ("EMA", BadLine::NoLength),
            ("EMA 45", BadLine::NoLength),
            ("EMA-3", BadLine::NoLength),
            ("EMA4.5", BadLine::NoLength),
            ("EMA币", BadLine::NoLength),
            ("EMA0", BadLine::Length),
            ("EMA5001", BadLine::Length),
            ("EMA99999999999", BadLine::Length),
        ] {
            assert_eq!(text.parse::<Line>(), Err(why), "{text}");
        }
    }

    #[test]
    fn sources_round_trip() {
        for source in MaSource::ALL {
            assert_eq!(source.as_str().parse(), Ok(source));
        }
        assert_eq!("Close".parse::<MaSource>(), Err(UnknownMaSource));
    }
}
