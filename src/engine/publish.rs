//! The picture: built from what is known, and only where something changed.

use std::sync::Arc;

use crate::domain::indicator::tie;
use crate::domain::kline::Kline;
use crate::domain::score::{SymbolScore, symbol_score};
use crate::domain::time::Mono;
use crate::market::freshness::{Refusal, Stage};
use crate::market::lane::Lane;
use crate::market::snapshot::{AlertsView, DataState, LaneView, Row, Snapshot};
use crate::market::store::{LaneId, PairId};

use super::core::Engine;

impl Engine {
    /// Everything there is to show at `now`. Rows that did not change since the last picture are
    /// the same `Arc`s.
    pub fn snapshot(&mut self, now: Mono) -> Snapshot {
        self.seq += 1;
        self.dirty = false;
        let order = std::mem::take(&mut self.order);
        let rows = order.iter().filter_map(|id| self.row(*id, now)).collect();
        self.order = order;
        let mut picture = Snapshot {
            seq: self.seq,
            made: now,
            clock: self.clock(),
            source: self.cfg.source,
            preset: Arc::clone(&self.cfg.preset),
            intervals: Arc::clone(&self.cfg.intervals),
            markets: Arc::clone(&self.cfg.markets),
            rows,
            universe: self.report.clone(),
            warmup: self.warmup(),
            links: self.wires.values().map(|w| w.link.clone()).collect(),
            rest: self.desks.iter().map(|d| d.rest.clone()).collect(),
            stats: self.store.stats(),
            notices: Vec::new(),
            signals: self.rings.signals(),
            schedule: self.schedule_view(),
            alerts: AlertsView::default(),
        };
        self.watch_rules(&mut picture, now);
        picture
    }

    fn row(&mut self, id: PairId, now: Mono) -> Option<Arc<Row>> {
        if let Some(row) = &self.rows.get(id.index())?.shown {
            return Some(Arc::clone(row));
        }
        let wanted = self.cfg.keep_klines || self.focus == Some(id);
        let lanes: Vec<LaneId> = self.store.lanes_of(id).collect();
        let klines: Vec<_> = lanes.iter().map(|l| wanted.then(|| self.hand_out(*l)).flatten()).collect();
        let slot = self.rows.get(id.index())?;
        let last = slot.last.map(|(price, _)| price);
        let views: Vec<LaneView> = lanes
            .iter()
            .zip(klines)
            .filter_map(|(l, klines)| {
                let live = last.filter(|_| self.is_forming(*l, now));
                let mut view = self.view(self.store.lane(*l)?, live, klines);
                view.check = self.verdicts.get(l).cloned();
                Some(view)
            })
            .collect();
        let row = Arc::new(Row {
            pair: self.store.pair(id)?.clone(),
            assets: slot.assets.clone(),
            pool: slot.pool,
            tick: slot.tick,
            last,
            last_at: slot.last.map(|(_, at)| at),
            day: slot.day,
            basis: self.basis(id),
            score: score(&views),
            state: worst(&views),
            seen: views.iter().filter_map(|v| v.seen).max(),
            lanes: views,
        });
        if let Some(slot) = self.rows.get_mut(id.index()) {
            slot.shown = Some(Arc::clone(&row));
        }
        Some(row)
    }

    /// Whether the candle after the newest closed one still forms, as far as we are told: the
    /// stream lives, and the candle's time is not over by more than a close may take.
    fn is_forming(&self, id: LaneId, now: Mono) -> bool {
        let (Some(lane), Some(desk)) = (self.store.lane(id), self.desk_of(id)) else { return false };
        let due = lane.next_close().map(|close| self.due(desk, close));
        let over = due.zip(desk.now(now)).is_some_and(|(due, theirs)| theirs >= due);
        lane.freshness.is_current() && !over
    }

    /// `live` is the price now; `None` where the candle it belongs to is not known.
    fn view(&self, lane: &Lane, live: Option<f64>, klines: Option<Arc<[Kline]>>) -> LaneView {
        let bars = lane.series().closed().len();
        let need_score = self.store.need_score();
        let state = lane.freshness.state(bars, need_score);
        let quiet = state == DataState::Live && !matches!(lane.freshness.refused, Some(Refusal::GivenUp(_)));
        LaneView {
            interval: lane.interval(),
            state,
            why: if quiet { None } else { lane.freshness.why() },
            bars: u32::try_from(bars).unwrap_or(u32::MAX),
            need: self.store.need_full(),
            need_score,
            oldest: lane.series().closed().front().map(Kline::open_time),
            newest: lane.series().newest().map(|k| (k.open_time(), k.close_time())),
            point: *lane.point(),
            previous: *lane.previous(),
            extremes: lane.extremes(),
            preview: live.and_then(|_| lane.preview()),
            price_side: live.zip(lane.point().ma).map(|(price, ma)| tie::sign(price, ma)),
            seen: lane.seen,
            holes: u32::try_from(lane.series().holes().len()).unwrap_or(u32::MAX),
            check: None,
            klines,
        }
    }

    /// A program that loads once and shows the table reads each series once: when all is loaded.
    pub(super) fn count_scan(&mut self) {
        let may = self.cfg.rest_only && !self.scanned && self.report.pending == 0;
        if !may || !self.warmup().is_over() {
            return;
        }
        self.scanned = true;
        for id in self.store.ids() {
            let held = self.store.lane(id).filter(|l| l.freshness.stage != Stage::Delisted);
            if let Some(held) = held.map(|l| l.series().closed().len()) {
                self.store.count_read(held);
            }
        }
    }

    /// The closed bars of a lane, copied only when they changed. No read: drawing does not count,
    /// and a scan's reading is counted by itself.
    fn hand_out(&mut self, id: LaneId) -> Option<Arc<[Kline]>> {
        let revision = self.store.lane(id)?.revision();
        if let Some((of, bars)) = self.handed.get(&id)
            && *of == revision
        {
            return Some(Arc::clone(bars));
        }
        let bars = self.store.bars(id)?;
        self.handed.insert(id, (revision, Arc::clone(&bars)));
        Some(bars)
    }
}

fn score(views: &[LaneView]) -> Option<SymbolScore> {
    let parts: Vec<_> = views.iter().map(|v| (v.interval, v.point.score)).collect();
    symbol_score(&parts)
}

fn worst(views: &[LaneView]) -> DataState {
    views.iter().map(|v| v.state).max().unwrap_or(DataState::Warming)
}
