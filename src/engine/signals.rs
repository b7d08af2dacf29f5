//! Signals: each once, none of a bar that is old, and a word where a correction takes one back.

use std::time::Duration;

use crate::domain::hama::Sign;
use crate::domain::time::{Mono, UnixMs};
use crate::market::lane::Closed;
use crate::market::snapshot::{Level, SignalEvent};
use crate::market::store::LaneId;

use super::core::Engine;
use super::happenings::{What, dir_text};

/// Signals remembered of each series: a correction of older ones is no news.
const KEPT: usize = 4;

/// What people were last told of a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    open: UnixMs,
    dir: Option<Sign>,
}

/// What people were told of a series, newest last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given([Option<Told>; KEPT]);

impl Given {
    fn of(&self, open: UnixMs) -> Option<Told> {
        self.0.iter().flatten().find(|t| t.open == open).copied()
    }

    /// Notes what is told now.
    fn tell(&mut self, open: UnixMs, dir: Option<Sign>) {
        if let Some(told) = self.0.iter_mut().flatten().find(|t| t.open == open) {
            told.dir = dir;
            return;
        }
        self.0.rotate_left(1);
        if let Some(last) = self.0.last_mut() {
            *last = Some(Told { open, dir });
        }
    }
}

impl Engine {
    /// Gives a signal for each bar that flipped: once, and only where the bar is no older than one
    /// interval. Bars come here when they enter the ring, so that nothing is missing before them,
    /// and again where one of them, or one before, was corrected; a gap after them is no reason to
    /// keep silent, since no later merge tells of them again. `known` is the newest bar that was in
    /// the ring before.
    pub(super) fn announce(&mut self, id: LaneId, closed: &[Closed], known: Option<UnixMs>, now: Mono) {
        let loaded_to = self.care.get(id.index()).and_then(|c| c.loaded_to);
        for bar in closed.iter().filter(|b| Some(b.kline.open_time()) > loaded_to) {
            let open = bar.kline.open_time();
            let dir = bar.point.cross.filter(|_| bar.point.flip);
            match (self.care.get(id.index()).and_then(|c| c.given.of(open)), dir) {
                (Some(told), dir) if told.dir != dir => self.revise(id, bar, dir, now),
                (None, Some(dir)) => self.signal(id, bar, dir, known.is_none_or(|k| open > k), now),
                (Some(_), _) | (None, None) => {}
            }
        }
    }

    fn signal(&mut self, id: LaneId, bar: &Closed, dir: Sign, is_new: bool, now: Mono) {
        let Some(key) = self.store.key(id) else { return };
        let Some(tick) = self.rows.get(self.store.pair_of(id).index()).map(|row| row.tick) else { return };
        let point = &bar.point;
        let (Some(hama_close), Some(ma), Some(dev_pct)) = (point.close, point.ma, point.dev_pct) else {
            return;
        };
        let (bands, score) = (point.bands.map(|b| b.state), (bar.score_before, point.score));
        let (open, close_time) = (bar.kline.open_time(), bar.kline.close_time());
        let theirs = self.desk_of(id).and_then(|d| d.now(now));
        let lag = theirs.map_or(Duration::ZERO, |t| t.since(close_time));
        if lag > key.interval.duration() {
            // Of a bar that was there before nobody has been waiting for one.
            if is_new {
                self.happened(id, What::Withheld(close_time));
            }
            return;
        }
        if let Some(care) = self.care.get_mut(id.index()) {
            care.given.tell(open, Some(dir));
        }
        let (pair, interval) = (key.pair, key.interval);
        let event = SignalEvent {
            seq: 0,
            pair,
            tick,
            interval,
            dir,
            close_time,
            hama_close,
            ma,
            dev_pct,
            bands,
            score,
            lag,
        };
        self.rings.signal(event);
    }

    /// A signal was given and is no longer true: said, and never given again.
    fn revise(&mut self, id: LaneId, bar: &Closed, dir: Option<Sign>, now: Mono) {
        let Some(key) = self.store.key(id) else { return };
        let Some(care) = self.care.get_mut(id.index()) else { return };
        let told = care.given.of(bar.kline.open_time()).and_then(|t| t.dir);
        care.given.tell(bar.kline.open_time(), dir);
        let (was, is) = (dir_text(told), dir_text(dir));
        let text = format!("{key}: a bar was corrected, and its signal with it: was {was}, is {is}");
        self.notice(now, Level::Warn, &text);
        self.happened(id, What::Revised(bar.kline.close_time(), dir));
    }
}
