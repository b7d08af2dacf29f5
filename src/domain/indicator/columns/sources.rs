//! The inputs of the averages, one column each.

use crate::domain::kline::Kline;
use crate::domain::preset::MaSource;
use crate::domain::time::UnixMs;

#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    pub(super) close_times: Vec<UnixMs>,
    /// (open + close) / 2 of the bar before; of the first bar there is none.
    pub(super) open: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) low: Vec<f64>,
    /// (open + high + low + close) / 4
    pub(super) close: Vec<f64>,
    pub(super) bar_close: Vec<f64>,
    /// Filled where the moving average is taken of it.
    hl2: Vec<f64>,
}

impl Sources {
    #[inline(never)]
    pub(super) fn take(&mut self, bars: &[Kline], ma: MaSource) {
        for column in [&mut self.open, &mut self.high, &mut self.low, &mut self.close, &mut self.bar_close] {
            column.resize(bars.len(), 0.0);
        }
        self.close_times.resize(bars.len(), UnixMs(0));
        let columns = self.open.iter_mut().zip(&mut self.high).zip(&mut self.low);
        let columns = columns.zip(&mut self.close).zip(&mut self.bar_close).zip(&mut self.close_times);
        let mut body = 0.0;
        for (bar, (((((open, high), low), close), bar_close), close_time)) in bars.iter().zip(columns) {
            let (o, h, l, c) = (bar.open(), bar.high(), bar.low(), bar.close());
            *open = body;
            body = (o + c) * 0.5;
            *high = if h > c { h } else { c };
            *low = if l < c { l } else { c };
            *close = (o + h + l + c) * 0.25;
            *bar_close = c;
            *close_time = bar.close_time();
        }
        if ma == MaSource::Hl2 {
            self.hl2.clear();
            self.hl2.extend(bars.iter().map(|bar| (bar.high() + bar.low()) * 0.5));
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
