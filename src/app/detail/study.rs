//! The indicator over all closed bars of a series, for a chart of them.

use std::sync::Arc;

use crate::domain::hama::{BandState, HamaPoint, Sign};
use crate::domain::indicator::HamaColumns;
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::Preset;
use crate::domain::time::UnixMs;

/// A series and what the indicator says of each of its bars.
#[derive(Clone, Debug)]
pub struct Study {
    /// The closed bars, oldest first.
    pub klines: Arc<[Kline]>,
    /// One a bar.
    pub points: Vec<HamaPoint>,
    /// The crosses among them, newest first.
    pub crosses: Vec<Crossed>,
}

/// A cross on a closed bar, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossed {
    /// Close time of the bar.
    pub close_time: UnixMs,
    /// Up or down.
    pub dir: Sign,
    /// It went the other way than the one before: what signals go by. Else the line was only
    /// touched in between.
    pub flip: bool,
    /// HAMA close.
    pub close: f64,
    /// The moving average.
    pub ma: f64,
    /// HAMA close against it.
    pub dev_pct: f64,
    /// The bands' state then.
    pub bands: Option<BandState>,
    /// Bars until the next flip, or until the newest bar.
    pub held: u32,
    /// How far the market went; `None` on the newest bar, after which nothing is known.
    pub excursion: Option<Excursion>,
}

/// How far the market went from the close of the cross's bar, in per cent, while the cross held:
/// the bars after it, up to the one that ended it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excursion {
    /// At most in the cross's direction; not below 0.
    pub favourable: f64,
    /// At most against it; not above 0.
    pub adverse: f64,
}

impl Study {
    /// Of a series.
    pub fn of(klines: Arc<[Kline]>, preset: &Preset, interval: Interval) -> Self {
        let mut columns = HamaColumns::new(preset, interval);
        columns.compute(&klines);
        let points: Vec<HamaPoint> = (0..columns.len()).filter_map(|n| columns.point(n)).collect();
        let crosses = crosses(&klines, &points);
        Self { klines, points, crosses }
    }
}

fn crosses(klines: &[Kline], points: &[HamaPoint]) -> Vec<Crossed> {
    let mut out = Vec::new();
    let mut end = points.len().saturating_sub(1);
    for (n, point) in points.iter().enumerate().rev() {
        let (Some(dir), Some(bar)) = (point.cross, klines.get(n)) else { continue };
        if let (Some(close), Some(ma), Some(dev_pct)) = (point.close, point.ma, point.dev_pct) {
            out.push(Crossed {
                close_time: bar.close_time(),
                dir,
                flip: point.flip,
                close,
                ma,
                dev_pct,
                bands: point.bands.map(|b| b.state),
                held: u32::try_from(end - n).unwrap_or(u32::MAX),
                excursion: klines.get(n + 1..=end).and_then(|after| excursion(bar.close(), dir, after)),
            });
        }
        if point.flip {
            end = n;
        }
    }
    out
}

fn excursion(entry: f64, dir: Sign, after: &[Kline]) -> Option<Excursion> {
    let high = after.iter().map(Kline::high).reduce(f64::max)?;
    let low = after.iter().map(Kline::low).reduce(f64::min)?;
    let pct = |price: f64| (price - entry) / entry * 100.0 * dir.as_f64();
    let (best, worst) = if dir == Sign::Up { (high, low) } else { (low, high) };
    Some(Excursion { favourable: pct(best).max(0.0), adverse: pct(worst).min(0.0) })
}

#[cfg(test)]
mod tests;
