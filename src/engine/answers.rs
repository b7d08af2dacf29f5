//! What REST answered about a series: merged, judged, followed up.

use std::time::Duration;

use crate::domain::kline::Kline;
use crate::domain::text::CleanText;
use crate::domain::time::Mono;
use crate::exchange::{ErrorKind, ExchangeError, KlinesAnswer, KlinesRequest};
use crate::market::freshness::{Refusal, Stream};
use crate::market::lane::{Answer, Lag};
use crate::market::series::Merge;
use crate::market::snapshot::Level;
use crate::market::store::LaneId;

use super::Output;
use super::core::Engine;
use super::desk::{Desk, PROBE, backoff};
use super::happenings::What;
use super::repair::{Errand, Need, Purpose, Settled, Task};

/// Failures in a row after which a series counts as failed.
const MAX_FAILURES: u32 = 4;
/// Answers in a row that know less than the stream showed, before REST's word is taken for want of
/// a better; with the pauses between them these are some four minutes.
const MAX_LAGS: u32 = 8;
/// Answers in a row with rows that could not be read, before a series counts as failed.
const MAX_UNREAD: u32 = 6;
/// How long a series that failed is left alone.
const LATER: Duration = Duration::from_secs(300);
/// The longest pause between two answers that did not help.
const MAX_PAUSE: Duration = Duration::from_secs(300);

impl Engine {
    /// Ends the tasks of an answer. `None` where it is one to nothing that was asked.
    pub(super) fn settle(&mut self, id: u64, covers: &[u64]) -> Option<Settled> {
        let mut settled: Option<Settled> = None;
        for id in covers.iter().chain([&id]) {
            let Some(Task { lane, purpose }) = self.tasks.remove(id) else { continue };
            let all = settled.get_or_insert(Settled { lane, errand: None, checks: Vec::new() });
            match purpose {
                Purpose::Check(check) => all.checks.push(check),
                _ => all.errand = Some(purpose),
            }
            if let Some(care) = self.care.get_mut(lane.index())
                && care.errand == Errand::Asked(*id)
            {
                care.errand = Errand::None;
            }
        }
        settled
    }

    /// REST has answered.
    pub(super) fn on_klines(
        &mut self,
        settled: &Settled,
        request: &KlinesRequest,
        result: Result<KlinesAnswer, ExchangeError>,
        now: Mono,
        out: &mut Vec<Output>,
    ) {
        self.touch(self.store.pair_of(settled.lane));
        match result {
            Ok(answer) => self.on_rows(settled, request, &answer, now, out),
            Err(error) => self.on_refused(settled, &error, now),
        }
        self.settle_round(settled.lane, now);
    }

    fn on_rows(
        &mut self,
        settled: &Settled,
        request: &KlinesRequest,
        answer: &KlinesAnswer,
        now: Mono,
        out: &mut Vec<Output>,
    ) {
        let id = settled.lane;
        let Some(desk) = self.desk_of(id) else { return };
        let (proved, asked) = (desk.proved(&answer.rows, answer.sent), desk.now(answer.sent));
        let margin = desk.margin();
        let lags = self.care.get(id.index()).map_or(0, |c| c.lags);
        let was_gap = self.is_gap(id);
        let mut closed = std::mem::take(&mut self.closed);
        let Some(lane) = self.store.lane_mut(id) else { return };
        let was_loaded = lane.is_loaded();
        let held = lane.series().closed().len();
        let known = lane.series().newest().map(Kline::open_time);
        // The first bars are what was there when we came, whenever they come.
        let first = known.is_none();
        let pending = lane.pending().copied();
        let merge = lane.rest(
            &Answer {
                rows: &answer.rows,
                proved,
                unread: answer.skipped,
                from: request.from,
                asked: asked.unwrap_or_default(),
                lag: if lags < MAX_LAGS { Lag::Wait } else { Lag::TakeRest },
            },
            &mut closed,
        );
        lane.seen = lane.seen.max(asked);
        lane.freshness.refused = None;
        let last = answer.rows.last().copied();
        self.store.count_merge(&merge);
        // What was held before the answer came is what the recompute found in the cache.
        if merge.rewrites() || !closed.is_empty() {
            self.store.count_read(held);
        }
        self.store.counters.discards.rows += u64::from(answer.skipped);
        // Rows lag behind the streams by up to the margin.
        let stamp = last.zip(asked).map(|(row, asked)| row.close_time().min(asked - margin));
        self.note_last(id, last.map(|row| row.close()), stamp);
        if !was_loaded {
            self.loads.loaded(now);
        }
        if first {
            let newest = closed.last().map(|c| c.kline.open_time());
            if let Some(care) = self.care.get_mut(id.index()) {
                care.loaded_to = newest;
            }
        } else {
            self.announce(id, &closed, known, now);
        }
        self.note_merge(id, &merge, settled.errand.filter(|_| !first));
        closed.clear();
        self.closed = closed;
        self.note_gap(id, was_gap);
        self.resume_answered(id);
        if settled.errand == Some(Purpose::Verify) && merge.appended > 0 {
            self.listen(id, pending.as_ref(), now);
        }
        self.note_by_rest(id, now);
        self.on_checked(settled, Ok(&merge), now);
        if let Some(care) = self.care.get_mut(id.index()) {
            care.lags += u32::from(merge.lagging > 0);
        }
        self.follow_up(id, settled.errand, now, out);
        if answer.skipped > 0 {
            self.on_unread(id, answer.skipped, now);
        }
    }

    /// Counts what an answer did to the closed bars.
    fn note_merge(&mut self, id: LaneId, merge: &Merge, errand: Option<Purpose>) {
        if let Some(first) = merge.first_amended {
            self.happened(id, What::Corrected(first, merge.amended));
        }
        if merge.holes > 0 {
            self.happened(id, What::Holes(merge.holes));
        }
        if errand == Some(Purpose::Verify) && merge.appended > 0 {
            self.happened(id, What::ClosedByRest(merge.appended));
        }
    }

    /// Whether the answer was enough, and when to look again if not.
    fn follow_up(&mut self, id: LaneId, purpose: Option<Purpose>, now: Mono, out: &mut Vec<Output>) {
        let Some(lane) = self.store.lane(id) else { return };
        let rate = self.desk_of(id).and_then(Desk::clock).map_or(1.0, |c| c.rate().max(1.0));
        let need = self.need(id, lane.tail(), now);
        let Some(care) = self.care.get_mut(id.index()) else { return };
        care.failures = 0;
        match care.errand {
            Errand::Asked(_) => return,
            // A pause after a failure; REST answers again.
            Errand::Again(..) | Errand::Turn(..) => care.errand = Errand::None,
            Errand::None => {}
        }
        let Need::Klines(again) = need else {
            care.fruitless = 0;
            care.lags = 0;
            return;
        };
        if matches!(purpose, None | Some(Purpose::Warmup)) {
            return self.attend(id, now, out);
        }
        care.fruitless += 1;
        let pause = Duration::from_secs(1 << care.fruitless.min(9)).div_f64(2.0 * rate);
        let pause = pause.clamp(Duration::from_millis(100), MAX_PAUSE);
        care.errand = Errand::Again(now + pause, again);
        if let Some(lane) = self.store.lane_mut(id) {
            lane.doubt_close();
        }
    }

    /// Rows that could not be read are no proof that the exchange has no such bars. Where they may
    /// be what is missing, it is asked again; at last the series has failed for the time being.
    fn on_unread(&mut self, id: LaneId, skipped: u32, now: Mono) {
        let Some(care) = self.care.get_mut(id.index()) else { return };
        let (Errand::Again(_, purpose), tries) = (care.errand, care.fruitless) else { return };
        let why = CleanText::new(&format!("{skipped} rows of REST's answer could not be read"));
        let refusal = if tries < MAX_UNREAD {
            Refusal::Retrying(why)
        } else {
            care.errand = Errand::Again(now + LATER, purpose);
            Refusal::GivenUp(why)
        };
        if let Some(lane) = self.store.lane_mut(id) {
            lane.freshness.refused = Some(refusal);
        }
    }

    fn on_refused(&mut self, settled: &Settled, error: &ExchangeError, now: Mono) {
        let id = settled.lane;
        let is_pause = error.kind.pause().is_some();
        if let Some(market) = self.desk_of(id).map(|d| d.market)
            && let Some(desk) = self.desk(market)
        {
            desk.note_error(error, now);
            if error.kind == ErrorKind::Restricted {
                desk.restrict(now);
            }
        }
        self.on_checked(settled, Err(error), now);
        let Some(purpose) = settled.errand else { return };
        let Some(care) = self.care.get_mut(id.index()) else { return };
        care.failures += u32::from(!is_pause);
        let (wait, gives_up) = match error.kind {
            ErrorKind::RateLimited { wait } | ErrorKind::Forbidden { wait } | ErrorKind::Banned { wait } => {
                (wait + Duration::from_millis(100), false)
            }
            // One request of all series is enough to find that out, so it may be asked often.
            ErrorKind::NoConnection => (backoff(care.failures), care.failures >= MAX_FAILURES),
            ErrorKind::Transient | ErrorKind::Silent if care.failures < MAX_FAILURES => {
                (backoff(care.failures), false)
            }
            ErrorKind::Transient | ErrorKind::Silent => (LATER, true),
            ErrorKind::Rejected | ErrorKind::Bug => (LATER * 2, true),
            // Until then it is asked by nobody; where that ends sooner, this does too.
            ErrorKind::Restricted => (PROBE, true),
        };
        care.errand = Errand::Again(now + wait, purpose);
        let key = self.store.key(id);
        let Some(lane) = self.store.lane_mut(id) else { return };
        // Without any way to the exchange the lost stream is the news, and it is told already.
        let cut_off = matches!(lane.freshness.stream, Stream::Lost(_))
            && matches!(error.kind, ErrorKind::NoConnection | ErrorKind::Transient);
        if cut_off && lane.is_loaded() {
            lane.freshness.by_rest = false;
            return;
        }
        let news = gives_up && !matches!(lane.freshness.refused, Some(Refusal::GivenUp(_)));
        let message = error.message.clone();
        lane.freshness.refused =
            Some(if gives_up { Refusal::GivenUp(message) } else { Refusal::Retrying(message) });
        lane.doubt_close();
        if news
            && self.noticed.replace(error.message.clone()).as_ref() != Some(&error.message)
            && let Some(key) = key
        {
            self.notice(now, Level::Error, &format!("{key}: {error}"));
        }
    }
}
