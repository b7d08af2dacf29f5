//! The inputs of the averages, one column each.

use std::ops::Range;

use crate::domain::kline::Kline;
use crate::domain::preset::MaSource;
use crate::domain::time::UnixMs;

#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    pub(super) candle: CandleSources,
    pub(super) close_times: Vec<UnixMs>,
    /// (open + high + low + close) / 4
    pub(super) close: Vec<f64>,
    pub(super) bar_close: Vec<f64>,
    /// Filled where the moving average is taken of it.
    hl2: Vec<f64>,
}

/// Inputs of the candle's open, high and low.
#[derive(Clone, Debug, Default)]
pub(super) struct CandleSources {
    /// (open + close) / 2 of the bar before; of the first bar there is none.
    pub(super) open: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) low: Vec<f64>,
}

impl Sources {
    pub(super) fn resize(&mut self, bars: &[Kline], ma: MaSource) {
        let candle = &mut self.candle;
        let columns = [&mut candle.open, &mut candle.high, &mut candle.low];
        for column in columns.into_iter().chain([&mut self.close, &mut self.bar_close]) {
            column.resize(bars.len(), 0.0);
        }
        self.close_times.resize(bars.len(), UnixMs(0));
        if ma == MaSource::Hl2 {
            self.hl2.clear();
            self.hl2.extend(bars.iter().map(|bar| (bar.high() + bar.low()) * 0.5));
        }
    }

    /// Takes the first `head` bars.
    pub(super) fn take(&mut self, bars: &[Kline], head: usize) {
        let mut candle = std::mem::take(&mut self.candle);
        let columns = candle.open.iter_mut().zip(&mut candle.high).zip(&mut candle.low);
        self.take_into(bars, 0..head, columns, |((open, high), low), x| {
            [*open, *high, *low] = x;
        });
        self.candle = candle;
    }

    /// Takes the bars of that range; what the candle's averages need of each goes to `candle`,
    /// together with that bar's place among `places`.
    #[inline]
    pub(super) fn take_into<P>(
        &mut self,
        bars: &[Kline],
        range: Range<usize>,
        places: impl Iterator<Item = P>,
        mut candle: impl FnMut(P, [f64; 3]),
    ) {
        let before = range.start.checked_sub(1).and_then(|n| bars.get(n));
        let mut body = before.map_or(0.0, body);
        let columns = self.close[range.clone()].iter_mut().zip(&mut self.bar_close[range.clone()]);
        let columns = columns.zip(&mut self.close_times[range.clone()]).zip(places);
        for (bar, (((close, bar_close), close_time), place)) in bars[range].iter().zip(columns) {
            let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
            candle(place, [body, if h > c { h } else { c }, if l < c { l } else { c }]);
            body = self::body(bar);
            *close = (o + h + l + c) * 0.25;
            *bar_close = c;
            *close_time = bar.close_time();
        }
    }

    /// The column that the moving average is taken of; of the HAMA close there is none here.
    pub(super) fn ma(&self, source: MaSource) -> &[f64] {
        match source {
            MaSource::Close => &self.bar_close,
            MaSource::Ohlc4 => &self.close,
            MaSource::Hl2 => &self.hl2,
            MaSource::HamaClose => &[],
        }
    }
}

#[inline]
fn body(bar: &Kline) -> f64 {
    (bar.open() + bar.close()) * 0.5
}
