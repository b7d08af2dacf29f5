//! Stand-in until the indicator is merged.

use std::collections::VecDeque;

use crate::domain::hama::{HamaPoint, LastCross, Sign};
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::Preset;
use crate::domain::score::SymbolScore;

#[derive(Clone, Debug)]
pub(crate) struct Hama {
    closes: VecDeque<f64>,
    length: usize,
    last: Option<LastCross>,
    before: Option<Sign>,
}

impl Hama {
    pub(crate) fn new(preset: &Preset, _interval: Interval) -> Self {
        let length = preset.ma.length as usize;
        Self { closes: VecDeque::with_capacity(length), length, last: None, before: None }
    }

    pub(crate) fn push(&mut self, k: &Kline) -> HamaPoint {
        if self.closes.len() == self.length {
            self.closes.pop_front();
        }
        self.closes.push_back(k.close());
        let mut p = HamaPoint::UNKNOWN;
        let c = (k.open() + k.high() + k.low() + k.close()) / 4.0;
        p.close = Some(c);
        if self.closes.len() < self.length {
            return p;
        }
        #[expect(clippy::cast_precision_loss, reason = "stand-in")]
        let m = self.closes.iter().sum::<f64>() / self.length as f64;
        p.ma = Some(m);
        let side = if c > m { Sign::Up } else if c < m { Sign::Down } else { Sign::Flat };
        if let Some(l) = &mut self.last {
            l.bars += 1;
        }
        if side != Sign::Flat && self.before.is_some_and(|b| b != side) {
            p.cross = Some(side);
            p.flip = self.last.is_some_and(|l| l.dir != side);
            self.last = Some(LastCross { dir: side, inferred: false, bars: 0, time: Some(k.close_time()) });
        } else if self.last.is_none() && side != Sign::Flat {
            self.last = Some(LastCross { dir: side, inferred: true, bars: 0, time: None });
        }
        self.before = Some(side);
        p.side = Some(side);
        p.last_cross = self.last;
        p.score = Some(side.as_f64() * 10.0);
        p
    }

    pub(crate) fn peek(&self, k: &Kline) -> HamaPoint {
        self.clone().push(k)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.closes.capacity() * 8
    }
}

pub(crate) fn bars_for_score(preset: &Preset) -> u32 {
    preset.ma.length
}

pub(crate) fn bars_for_all(preset: &Preset) -> u32 {
    preset.ma.length.max(preset.bands.map_or(0, |b| b.length))
}

pub(crate) fn symbol_score(parts: &[(Interval, Option<f64>)]) -> Option<SymbolScore> {
    let raw = parts.first()?.1?;
    #[expect(clippy::cast_possible_truncation, reason = "stand-in")]
    Some(SymbolScore { raw, score: raw.round() as i32, coverage: 1.0, coherence: 100.0 })
}
