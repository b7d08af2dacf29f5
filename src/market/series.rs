//! One series: a ring of closed candles and, apart from it, the one that is still forming.

use std::collections::VecDeque;

use crate::domain::kline::Kline;
use crate::domain::time::UnixMs;

/// Confirmed holes remembered; older ones lie before the ring sooner or later.
const MAX_HOLES: usize = 64;

/// Who says that a candle is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The stream, with `x=true`.
    Stream,
    /// REST, well past the close.
    Rest,
}

/// What became of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upsert {
    /// A new one at the end.
    Appended,
    /// A known one changed.
    Amended,
    /// A known one, nothing new.
    Duplicate,
    /// Too old to matter: before the ring, or a state older than the one at hand.
    Older,
    /// Not taken: candles of these times are missing before it, first and last millisecond.
    Gap {
        /// First millisecond that no candle covers.
        from: UnixMs,
        /// Last one.
        to: UnixMs,
    },
}

/// The candle that is still forming, and how new this state of it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forming {
    /// The candle so far.
    pub kline: Kline,
    /// The exchange's stamp: of two states the later wins.
    pub event_time: UnixMs,
}

/// Times for which REST said that the exchange has no candle: first and last millisecond. For the
/// indicator its neighbours are consecutive bars, as on the exchange's own chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// First millisecond.
    pub from: UnixMs,
    /// Last one.
    pub to: UnixMs,
}

/// An answer of REST, sorted out by finality.
#[derive(Clone, Copy, Debug)]
pub struct RestRows<'a> {
    /// Rows that are proved closed, ascending.
    pub closed: &'a [Kline],
    /// Open time of the first row that is not.
    pub next_open: Option<UnixMs>,
    /// Rows of the answer that could not be read: a place without a row may be one of theirs.
    pub unread: u32,
    /// The oldest open time asked for; `None` = the newest rows were asked for.
    pub from: Option<UnixMs>,
}

/// What merging an answer of REST did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// Rows appended.
    pub appended: u32,
    /// Rows that changed a known bar, or filled a place that was thought empty.
    pub amended: u32,
    /// Rows that were known.
    pub duplicate: u32,
    /// Rows before the ring.
    pub older: u32,
    /// Holes the answer confirmed.
    pub holes: u32,
    /// Nothing connected the answer with the ring, which was emptied first.
    pub replaced: bool,
    /// Rows are missing before a part of the answer, which was not taken: it begins later than
    /// asked, or could not be read in full.
    pub gap: bool,
    /// Rows that know less than was known; not taken.
    pub lagging: u32,
    /// Open time of the oldest bar that was amended.
    pub first_amended: Option<UnixMs>,
}

impl Merge {
    /// Whether bars changed that the indicator has seen.
    pub fn rewrites(&self) -> bool {
        self.amended > 0 || self.replaced
    }
}

/// The ring of one series. Its memory is allocated once and never grows.
#[derive(Clone, Debug)]
pub struct Series {
    ring: VecDeque<Kline>,
    capacity: usize,
    forming: Option<Forming>,
    holes: Vec<Hole>,
    /// Which of the newest bars REST alone has called closed: a bit each, the newest lowest.
    by_rest: u64,
}

impl Series {
    /// An empty ring for `capacity` bars (at least 1).
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            ring: VecDeque::with_capacity(capacity),
            capacity,
            forming: None,
            holes: Vec::new(),
            by_rest: 1,
        }
    }

    /// The closed bars, oldest first.
    pub fn closed(&self) -> &VecDeque<Kline> {
        &self.ring
    }

    /// The newest closed bar.
    pub fn newest(&self) -> Option<&Kline> {
        self.ring.back()
    }

    /// The candle that is still forming.
    pub fn forming(&self) -> Option<&Forming> {
        self.forming.as_ref()
    }

    /// Bars the ring holds at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Holes that REST confirmed and that matter still, oldest first.
    pub fn holes(&self) -> &[Hole] {
        &self.holes
    }

    /// Who said that the newest closed bar is closed; the stream's word counts once it came.
    pub fn newest_by(&self) -> Origin {
        if self.by_rest & 1 == 1 { Origin::Rest } else { Origin::Stream }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.ring.capacity() * size_of::<Kline>() + self.holes.capacity() * size_of::<Hole>()
    }

    /// Whether a candle that opens at `open` is the next after the newest closed one: it opens
    /// the millisecond after that closed, or only a confirmed hole lies between.
    pub fn follows(&self, open: UnixMs) -> bool {
        self.newest().is_none_or(|newest| {
            let from = after(newest);
            from == open || self.holes.iter().any(|h| h.from == from && h.to.0 + 1 == open.0)
        })
    }

    /// Takes a closed candle.
    pub fn close(&mut self, kline: Kline, origin: Origin) -> Upsert {
        let open = kline.open_time();
        let Some(newest) = self.newest() else {
            self.append(kline, origin);
            return Upsert::Appended;
        };
        if open > newest.close_time() {
            if !self.follows(open) {
                return Upsert::Gap { from: after(newest), to: UnixMs(open.0 - 1) };
            }
            self.append(kline, origin);
            return Upsert::Appended;
        }
        match self.ring.binary_search_by_key(&open, Kline::open_time) {
            Ok(at) => self.amend(at, kline, origin),
            Err(at) => self.insert(at, kline, origin),
        }
    }

    /// Takes a state of a candle that is still forming. One that is not the next is taken, too,
    /// and says what is missing before it.
    pub fn form(&mut self, kline: Kline, event_time: UnixMs) -> Upsert {
        let open = kline.open_time();
        if self.newest().is_some_and(|newest| open <= newest.close_time()) {
            return Upsert::Older;
        }
        let new = Forming { kline, event_time };
        let outcome = match &self.forming {
            Some(old) if old.kline.open_time() > open => return Upsert::Older,
            Some(old) if old.kline.open_time() == open => {
                if old.kline == kline {
                    Upsert::Duplicate
                } else if event_time < old.event_time
                    || (event_time == old.event_time && smaller(&kline, &old.kline))
                {
                    return Upsert::Older;
                } else {
                    Upsert::Amended
                }
            }
            _ => Upsert::Appended,
        };
        self.forming = Some(Forming {
            event_time: self
                .forming
                .filter(|old| old.kline.open_time() == open)
                .map_or(event_time, |old| old.event_time.max(event_time)),
            ..new
        });
        match self.newest() {
            Some(newest) if !self.follows(open) => {
                Upsert::Gap { from: after(newest), to: UnixMs(open.0 - 1) }
            }
            _ => outcome,
        }
    }

    /// Takes an answer of REST. Rows of one answer are neighbours: where candles are missing
    /// between two of them, the exchange has none, and the hole is recorded. Where a row could not
    /// be read nobody knows.
    pub fn merge(&mut self, rows: &RestRows<'_>) -> Merge {
        let mut done = Merge::default();
        let reaches = |s: &Self| rows.from.is_some_and(|f| s.newest().is_none_or(|n| f <= after(n)));
        let mut linked = reaches(self);
        for row in rows.closed {
            if self.is_beyond(row.open_time()) {
                if linked && rows.unread == 0 {
                    done.holes += u32::from(self.confirm_hole(row.open_time()));
                } else if !linked && rows.from.is_none() {
                    self.clear();
                    done.replaced = true;
                } else {
                    done.gap = true;
                    return done;
                }
            }
            done.lagging += u32::from(self.find(row.open_time()).is_some_and(|known| smaller(row, known)));
            match self.close(*row, Origin::Rest) {
                Upsert::Appended => done.appended += 1,
                Upsert::Amended => {
                    done.amended += 1;
                    done.first_amended.get_or_insert(row.open_time());
                }
                Upsert::Duplicate => done.duplicate += 1,
                Upsert::Older | Upsert::Gap { .. } => done.older += 1,
            }
            linked = true;
        }
        if let Some(open) = rows.next_open.filter(|open| self.is_beyond(*open)) {
            if linked && rows.unread == 0 {
                done.holes += u32::from(self.confirm_hole(open));
            } else {
                done.gap = true;
            }
        }
        done
    }

    /// Forgets the forming candle if it, or this state of it, is of later than `horizon`. Whether it
    /// was.
    pub fn drop_forming_after(&mut self, horizon: UnixMs) -> bool {
        self.forming.take_if(|f| f.kline.open_time().max(f.event_time) > horizon).is_some()
    }

    /// Forgets all bars; keeps the memory.
    pub fn clear(&mut self) {
        self.ring.clear();
        self.holes.clear();
        self.by_rest = 1;
    }

    fn find(&self, open: UnixMs) -> Option<&Kline> {
        let at = self.ring.binary_search_by_key(&open, Kline::open_time).ok()?;
        self.ring.get(at)
    }

    fn is_beyond(&self, open: UnixMs) -> bool {
        self.newest().is_some_and(|n| open > n.close_time()) && !self.follows(open)
    }

    fn append(&mut self, kline: Kline, origin: Origin) {
        if self.ring.len() == self.capacity {
            self.ring.pop_front();
        }
        self.ring.push_back(kline);
        self.by_rest = self.by_rest << 1 | u64::from(origin == Origin::Rest);
        // Where REST had said that there is none.
        self.holes.retain(|h| h.to < kline.open_time() || h.from > kline.close_time());
        if self.forming.is_some_and(|f| f.kline.open_time() <= kline.close_time()) {
            self.forming = None;
        }
        if let Some(oldest) = self.ring.front().map(Kline::open_time) {
            self.holes.retain(|h| h.to >= oldest);
        }
    }

    /// A closed bar stays as it is, except that a source which knows of more trades is right:
    /// REST, or the stream where so far only REST had closed the bar. Where both know of as many
    /// trades and differ, REST is right.
    fn amend(&mut self, at: usize, kline: Kline, origin: Origin) -> Upsert {
        // Beyond the bits nobody is late.
        let age = u32::try_from(self.ring.len() - 1 - at).unwrap_or(u32::MAX);
        let bit = 1_u64.checked_shl(age).unwrap_or(0);
        let may = origin == Origin::Rest || self.by_rest & bit != 0;
        let Some(known) = self.ring.get_mut(at) else { return Upsert::Older };
        let larger =
            smaller(known, &kline) || (origin == Origin::Rest && *known != kline && !smaller(&kline, known));
        if larger && may {
            *known = kline;
        }
        if origin == Origin::Stream {
            self.by_rest &= !bit;
        }
        if larger && may { Upsert::Amended } else { Upsert::Duplicate }
    }

    /// A bar where the exchange was thought to have none.
    fn insert(&mut self, at: usize, kline: Kline, origin: Origin) -> Upsert {
        let before = at.checked_sub(1).and_then(|i| self.ring.get(i));
        let fits = before.is_some_and(|b| b.close_time() < kline.open_time())
            && self.ring.get(at).is_some_and(|next| kline.close_time() < next.open_time());
        if !fits {
            return Upsert::Older;
        }
        let mut at = at;
        if self.ring.len() == self.capacity {
            self.ring.pop_front();
            at -= 1;
        }
        self.ring.insert(at, kline);
        let age = u32::try_from(self.ring.len() - 1 - at).unwrap_or(u32::MAX);
        let newer = 1_u64.checked_shl(age).map_or(u64::MAX, |bit| bit - 1);
        let bit = u64::from(origin == Origin::Rest).checked_shl(age).unwrap_or(0);
        self.by_rest = self.by_rest & newer | (self.by_rest & !newer) << 1 | bit;
        self.holes.retain(|h| h.to < kline.open_time() || h.from > kline.close_time());
        Upsert::Amended
    }

    fn confirm_hole(&mut self, next_open: UnixMs) -> bool {
        let Some(from) = self.newest().map(after) else { return false };
        if self.holes.len() == MAX_HOLES {
            self.holes.remove(0);
        }
        self.holes.push(Hole { from, to: UnixMs(next_open.0 - 1) });
        true
    }
}

/// The millisecond after a candle.
pub fn after(kline: &Kline) -> UnixMs {
    UnixMs(kline.close_time().0 + 1)
}

/// Whether `a` has seen less trade than `b`: fewer trades where both count them, else less volume.
pub fn smaller(a: &Kline, b: &Kline) -> bool {
    match (a.trades(), b.trades()) {
        (Some(x), Some(y)) if x != y => x < y,
        _ => a.volume() < b.volume(),
    }
}

#[cfg(test)]
mod tests;
