//! Who is in the table: rows come, grey out, return and go as the exchange's lists say.
//!
//! Invariant: a place of the store that is given back is forgotten here by all that kept it, so
//! that nothing meant for a pair reaches the next one in its place.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::domain::clock::Clock;
use crate::domain::symbol::{Instrument, Market, Pair, SeriesKey, Symbol, Tick};
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::exchange::{ErrorKind, ExchangeError, FeedCommand, UniverseAnswer};
use crate::market::freshness::{Freshness, Stage, Stream};
use crate::market::series::Merge;
use crate::market::snapshot::{Assets, DayFigures, Level, Pool, Row};
use crate::market::store::{LaneId, PairId};
use crate::schedule::JobId;

use super::Output;
use super::basis::Spot;
use super::core::{Engine, day_figures};
use super::desk::{Call, Desk, PROBE, backoff};
use super::repair::{Care, Purpose};
use super::universe::{Chosen, Selection};

/// How soon a list is asked for again that is not believed by itself.
const DOUBT: Duration = Duration::from_secs(60);
/// How long a pair stays, greyed, after it was last listed as traded; on the exchange's clock. One
/// asked for by name stays, without its candles.
const LINGER: Duration = Duration::from_secs(3_600);
/// Names told of each kind of change.
const TOLD: usize = 5;

/// What a row shows beside its lanes.
#[derive(Debug)]
pub(super) struct RowSlot {
    pub(super) assets: Option<Assets>,
    pub(super) pool: Pool,
    pub(super) tick: Tick,
    pub(super) day: Option<DayFigures>,
    /// The newest price and its stamp.
    pub(super) last: Option<(f64, UnixMs)>,
    /// Of a perpetual: its spot pair.
    pub(super) spot: Option<Spot>,
    /// Of a spot pair: its perpetual.
    pub(super) perpetual: Option<PairId>,
    /// Since when it is no longer traded.
    gone: Option<UnixMs>,
    /// As last shown; `None` = it has to be built anew.
    pub(super) shown: Option<std::sync::Arc<Row>>,
}

impl RowSlot {
    fn new(pool: Pool, tick: Tick) -> Self {
        Self {
            assets: None,
            pool,
            tick,
            day: None,
            last: None,
            spot: None,
            perpetual: None,
            gone: None,
            shown: None,
        }
    }
}

fn assets(instrument: &Instrument) -> Assets {
    Assets { base: instrument.base.clone(), quote: instrument.quote.clone() }
}

/// What a list changes.
#[derive(Debug, Default)]
struct Changes {
    entered: Vec<Symbol>,
    returned: Vec<Symbol>,
    left: Vec<Symbol>,
    delisted: Vec<Symbol>,
    /// Streams no longer wanted.
    unwatched: Vec<SeriesKey>,
}

/// What a list says of a pair in the table that it does not choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Trades,
    /// It is there, and can't be read.
    Unread,
    Gone,
}

impl Engine {
    /// The list of a market is here.
    pub(super) fn on_universe(
        &mut self,
        market: Market,
        answer: &UniverseAnswer,
        now: Mono,
        out: &mut Vec<Output>,
    ) {
        if answer.trading.is_empty() {
            let message = CleanText::new("the exchange lists no pair that trades; asking again");
            let error = ExchangeError { kind: ErrorKind::Transient, message };
            return self.universe_refused(market, &error, now);
        }
        let spec = self.cfg.universe.clone();
        if self.desk_of_market(market).is_some_and(|d| !d.roster.can_rank(&spec, answer)) {
            let message = CleanText::new("the exchange tells no volume of any pair; asking again");
            let error = ExchangeError { kind: ErrorKind::Transient, message };
            return self.universe_refused(market, &error, now);
        }
        let standing = standing(answer);
        let missing = self.missing(market, &standing);
        let Some(desk) = self.desk(market) else { return };
        if !desk.roster.believes(&missing) {
            return self.doubt_list(market, missing, now);
        }
        let rest_only = self.cfg.rest_only;
        let every = self.schedule.every(JobId::Universe);
        let Some(desk) = self.desk(market) else { return };
        let theirs = desk.now(now);
        let selection = desk.roster.select(&spec, answer, theirs);
        desk.list_taken(now, (!rest_only).then_some(every));
        let first = desk.roster.lists == 1;
        self.report.counts.lists += 1;
        let mut changes = Changes::default();
        self.part(market, &selection, &standing, (now, theirs), &mut changes);
        if !changes.unwatched.is_empty() && !rest_only {
            out.push(Output::Feed(FeedCommand::Unwatch(std::mem::take(&mut changes.unwatched))));
        }
        let new = self.admit(&selection, first, now, &mut changes);
        self.settle_rows();
        self.tell_unread(market, answer, now);
        self.note_names(market, selection, now);
        if first {
            self.notice(now, Level::Info, &format!("{market}: {} pairs", new.len()));
        } else {
            self.tell(market, &changes, now);
            // Rows that are there already; new ones came with theirs.
            for day in &answer.day {
                self.on_day(day, now);
            }
        }
        self.load(&new, now, out);
    }

    /// Somebody wants everything anew: the lists too, where none is under way.
    pub(super) fn relist(&mut self, now: Mono) {
        self.schedule.want(JobId::Universe);
        for desk in &mut self.desks {
            if matches!(desk.universe, Call::Due(_) | Call::DueThere(_)) {
                desk.universe = Call::Due(now);
            }
            desk.probe(now);
        }
    }

    pub(super) fn universe_refused(&mut self, market: Market, error: &ExchangeError, now: Mono) {
        self.report.counts.refused += 1;
        let Some(desk) = self.desk(market) else { return };
        desk.note_error(error, now);
        desk.universe_failures += 1;
        let wait = match error.kind {
            ErrorKind::RateLimited { wait } | ErrorKind::Forbidden { wait } | ErrorKind::Banned { wait } => {
                wait
            }
            ErrorKind::Transient | ErrorKind::Silent | ErrorKind::NoConnection => {
                backoff(desk.universe_failures)
            }
            ErrorKind::Restricted => PROBE,
            ErrorKind::Rejected | ErrorKind::Bug => Duration::from_secs(60),
        };
        desk.universe = Call::Due(now + wait);
        if error.kind == ErrorKind::Restricted {
            desk.restrict(now);
        }
        let known = desk.universe_error.replace(error.message.clone());
        // With a table to show it is a nuisance, without one all that there is to tell.
        let level = if desk.roster.lists > 0 { Level::Warn } else { Level::Error };
        if known.as_ref() != Some(&error.message) {
            self.notice(now, level, &format!("{market}: the list of pairs can't be had: {error}"));
        }
        self.sum_up_universe();
    }

    pub(super) fn sum_up_universe(&mut self) {
        let pending = self.desks.iter().filter(|d| d.roster.lists == 0).count();
        self.report.pending = u32::try_from(pending).unwrap_or(u32::MAX);
        self.report.failed =
            self.desks.iter().filter_map(|d| Some((d.market, d.universe_error.clone()?))).collect();
        self.dirty = true;
    }

    /// The rows that a list would take away, where these are most of a market's. That is what a torn
    /// answer looks like, so it needs a second one that says the same.
    fn missing(&self, market: Market, standing: &HashMap<&Symbol, Standing>) -> HashSet<Symbol> {
        let traded: Vec<&Symbol> =
            self.members(market).filter(|(id, _)| !self.is_gone(*id)).map(|(_, p)| &p.symbol).collect();
        let missing: HashSet<Symbol> =
            traded.iter().filter(|s| !standing.contains_key(**s)).map(|s| (*s).clone()).collect();
        if missing.len() * 2 > traded.len() { missing } else { HashSet::new() }
    }

    fn doubt_list(&mut self, market: Market, missing: HashSet<Symbol>, now: Mono) {
        self.report.counts.refused += 1;
        let Some(desk) = self.desk(market) else { return };
        desk.roster.doubted = missing;
        desk.universe = Call::Due(now + desk.ours(DOUBT));
        let text = format!("{market}: a list of pairs lacks most of the table; asking again");
        self.notice(now, Level::Warn, &text);
    }

    pub(super) fn members(&self, market: Market) -> impl Iterator<Item = (PairId, &Pair)> {
        self.store.pairs().filter(move |(_, pair)| pair.market == market)
    }

    fn is_gone(&self, id: PairId) -> bool {
        let mut lanes = self.store.lanes_of(id).filter_map(|l| self.store.lane(l));
        lanes.any(|l| l.freshness.stage == Stage::Delisted)
    }

    /// Greys out, and lets go, the rows that a list no longer chooses.
    fn part(
        &mut self,
        market: Market,
        selection: &Selection,
        standing: &HashMap<&Symbol, Standing>,
        at: (Mono, Option<UnixMs>),
        changes: &mut Changes,
    ) {
        let chosen: HashSet<&Symbol> = selection.chosen.iter().map(|c| &c.instrument.pair.symbol).collect();
        let members: Vec<(PairId, Pair)> =
            self.members(market).filter(|(_, p)| !chosen.contains(&p.symbol)).map(own).collect();
        for (id, pair) in members {
            let gone = self.is_gone(id);
            match standing.get(&pair.symbol).copied().unwrap_or(Standing::Gone) {
                Standing::Unread => {}
                Standing::Trades => {
                    changes.unwatched.extend(self.keys_of(id));
                    changes.left.push(pair.symbol.clone());
                    self.evict(&pair, at.0);
                }
                Standing::Gone if !gone => {
                    changes.unwatched.extend(self.keys_of(id));
                    changes.delisted.push(pair.symbol.clone());
                    self.grey_out(id, at);
                }
                Standing::Gone => self.let_go(id, &pair, at),
            }
        }
    }

    /// Makes rows of what is chosen and not there yet, or traded again; the places of both.
    fn admit(&mut self, selection: &Selection, first: bool, now: Mono, changes: &mut Changes) -> Vec<PairId> {
        let stream = if self.cfg.rest_only { Stream::Unneeded } else { Stream::Waiting };
        if first {
            self.store.reserve(selection.chosen.len() + selection.not_trading.len());
        }
        let mut new = Vec::new();
        for c in &selection.chosen {
            let pair = &c.instrument.pair;
            match self.store.find_pair(pair) {
                Some(id) if self.is_gone(id) => {
                    self.evict(pair, now);
                    changes.returned.push(pair.symbol.clone());
                }
                Some(id) => {
                    self.keep(id, c);
                    continue;
                }
                None if first => {}
                None => changes.entered.push(pair.symbol.clone()),
            }
            let id = self.store.add(pair, &Freshness::new(stream.clone()));
            let mut row = RowSlot::new(c.pool, c.instrument.tick);
            row.assets = Some(assets(&c.instrument));
            row.day = c.day.as_ref().map(day_figures);
            row.last = c.day.as_ref().map(|d| (d.last, d.event_time));
            self.put_row(id, row);
            new.push(id);
        }
        for (pair, pool) in &selection.not_trading {
            if self.store.find_pair(pair).is_none() {
                let id = self.store.add(pair, &Freshness::delisted());
                self.put_row(id, RowSlot::new(*pool, Tick::default()));
                self.notice(now, Level::Warn, &format!("{pair} is not traded now"));
            }
        }
        new
    }

    /// A row that stays: what the list says of it may be new.
    fn keep(&mut self, id: PairId, chosen: &Chosen) {
        let Some(row) = self.rows.get_mut(id.index()) else { return };
        let tick = chosen.instrument.tick;
        if (row.pool, row.tick) != (chosen.pool, tick) {
            (row.pool, row.tick) = (chosen.pool, tick);
            self.touch(id);
        }
    }

    fn put_row(&mut self, id: PairId, row: RowSlot) {
        match self.rows.get_mut(id.index()) {
            Some(place) => *place = row,
            None => self.rows.push(row),
        }
        self.care.resize_with(self.store.places(), Care::default);
    }

    fn keys_of(&self, id: PairId) -> Vec<SeriesKey> {
        self.store.lanes_of(id).filter_map(|lane| self.store.key(lane)).collect()
    }

    /// Nothing more is expected of a pair; what it was stays to be seen for a while.
    fn grey_out(&mut self, id: PairId, (now, theirs): (Mono, Option<UnixMs>)) {
        let lanes: Vec<LaneId> = self.store.lanes_of(id).collect();
        for lane in &lanes {
            if let Some(lane) = self.store.lane_mut(*lane) {
                lane.freshness = Freshness::delisted();
            }
        }
        self.forget(&lanes, now);
        if let Some(row) = self.rows.get_mut(id.index()) {
            row.gone = Some(theirs.unwrap_or_default());
        }
        self.touch(id);
    }

    /// A pair that has been grey for long enough goes. One asked for by name stays to say so.
    fn let_go(&mut self, id: PairId, pair: &Pair, (now, theirs): (Mono, Option<UnixMs>)) {
        let Some(row) = self.rows.get(id.index()) else { return };
        let over = row.gone.zip(theirs).is_some_and(|(gone, theirs)| theirs >= gone + LINGER);
        if !over {
            return;
        }
        let left = RowSlot { assets: row.assets.clone(), ..RowSlot::new(row.pool, row.tick) };
        self.evict(pair, now);
        if self.cfg.universe.by_name(&pair.symbol).is_some() {
            let id = self.store.add(pair, &Freshness::delisted());
            self.put_row(id, left);
        }
    }

    /// Gives a pair's place back.
    fn evict(&mut self, pair: &Pair, now: Mono) {
        let Some((id, lanes)) = self.store.remove(pair) else { return };
        self.forget(&lanes, now);
        if let Some(row) = self.rows.get_mut(id.index()) {
            *row = RowSlot::new(Pool::Named, Tick::default());
        }
        if self.focus == Some(id) {
            self.focus = None;
        }
        self.visible.remove(&id);
        self.dirty = true;
    }

    /// Lets go of everything that is kept by these lanes: an answer still under way is then one to
    /// nothing that was asked.
    fn forget(&mut self, lanes: &[LaneId], now: Mono) {
        let asked: Vec<(u64, Purpose)> = self
            .tasks
            .iter()
            .filter(|(_, task)| lanes.contains(&task.lane))
            .map(|(id, task)| (*id, task.purpose))
            .collect();
        for (id, purpose) in asked {
            self.tasks.remove(&id);
            if let Purpose::Check(check) = purpose {
                self.checked(check, None, Ok(&Merge::default()), now);
            }
        }
        for lane in lanes {
            if let Some(care) = self.care.get_mut(lane.index()) {
                *care = Care::default();
            }
            self.handed.remove(lane);
            self.verdicts.remove(lane);
        }
        self.leave_round(lanes, now);
        self.unwire(lanes);
    }

    /// The rows in order, and which belong together.
    fn settle_rows(&mut self) {
        let mut order: Vec<_> = self.store.pairs().map(|(id, pair)| (pair.clone(), id)).collect();
        order.sort();
        self.order = order.into_iter().map(|(_, id)| id).collect();
        self.dirty = true;
        if self.desks.len() > 1 {
            self.pair_up();
        }
    }

    /// What could not be read, or not be understood.
    fn tell_unread(&mut self, market: Market, answer: &UniverseAnswer, now: Mono) {
        let counts = &mut self.report.counts;
        counts.unread += u64::from(answer.skipped);
        counts.unknown += u64::from(answer.unknown);
        let skipped = [(answer.skipped, "pairs"), (answer.skipped_day, "24 h figures")];
        self.store.counters.discards.rows += skipped.iter().map(|(count, _)| u64::from(*count)).sum::<u64>();
        let Some(desk) = self.desk(market) else { return };
        let news = std::mem::replace(&mut desk.unread, [answer.skipped, answer.skipped_day]);
        for ((count, what), before) in skipped.into_iter().zip(news) {
            if count > before {
                self.notice(now, Level::Warn, &format!("{market}: {count} {what} could not be read"));
            }
        }
    }

    /// What came and went, in a sentence.
    fn tell(&mut self, market: Market, changes: &Changes, now: Mono) {
        let Changes { entered, returned, left, delisted, .. } = changes;
        let counts = &mut self.report.counts;
        for (count, names) in [
            (&mut counts.entered, entered),
            (&mut counts.returned, returned),
            (&mut counts.left, left),
            (&mut counts.delisted, delisted),
        ] {
            *count += names.len() as u64;
        }
        let parts = [
            ("no longer traded", delisted),
            ("traded again", returned),
            ("new in the table", entered),
            ("left the table", left),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, n)| !n.is_empty())
            .map(|(what, n)| format!("{what}: {}", some(n)))
            .collect();
        if !parts.is_empty() {
            let level = if delisted.is_empty() { Level::Info } else { Level::Warn };
            self.notice(now, level, &format!("{market}: {}", parts.join("; ")));
        }
    }
}

pub(super) fn own((id, pair): (PairId, &Pair)) -> (PairId, Pair) {
    (id, pair.clone())
}

/// The first few names, and how many more.
fn some(names: &[Symbol]) -> String {
    let text = names.iter().take(TOLD).map(Symbol::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(TOLD) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// What the list says of each pair that it has, but for those it says are not traded.
fn standing(answer: &UniverseAnswer) -> HashMap<&Symbol, Standing> {
    let trading = answer.trading.iter().chain(&answer.others).map(|i: &Instrument| &i.pair.symbol);
    let unread = answer.unread.iter().map(|name| (name, Standing::Unread));
    unread.chain(trading.map(|name| (name, Standing::Trades))).collect()
}

impl Desk {
    /// The list has done its work; the next one is due in `every`, or never.
    fn list_taken(&mut self, now: Mono, every: Option<Duration>) {
        self.universe_error = None;
        self.universe_failures = 0;
        self.roster.doubted = HashSet::new();
        self.roster.lists += 1;
        match every {
            Some(every) => self.list_in(every, now),
            None => self.universe = Call::Done,
        }
    }

    /// The next list is due in `every` of the exchange's time.
    pub(super) fn list_in(&mut self, every: Duration, now: Mono) {
        self.universe = match self.now(now) {
            Some(theirs) => Call::DueThere(theirs + JobId::Universe.wait(every, theirs.0)),
            None => Call::Due(now + self.ours(every)),
        };
    }

    /// A span of the exchange's clock on ours.
    fn ours(&self, span: Duration) -> Duration {
        self.clock().filter(|c| !c.is_standing()).map_or(span, |c: &Clock| c.ours(span))
    }
}
