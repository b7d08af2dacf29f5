//! Any number of made-up instruments, every candle computed from the seed alone.
//!
//! The price is a sum of seeded noises of several lengths at each minute, in whole price units: any
//! minute can be had without the ones before it, and a longer candle is the exact sum of its minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::calendar;
use super::candle::{Candle, Scale};
use super::churn::{self, Timeline};
use super::listing::{Contract, Listing, Status, split};
use crate::domain::interval::Interval;
use crate::domain::symbol::{BadSymbol, Market, Symbol};
use crate::domain::time::UnixMs;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Length in minutes of each noise and how far it moves the price, in millionths.
const NOISES: [(i64, i64); 8] = [
    (1, 400),
    (5, 800),
    (15, 1_200),
    (60, 2_500),
    (240, 6_000),
    (1_440, 15_000),
    (7_200, 40_000),
    (36_000, 120_000),
];
/// One in noise units.
const ONE: i64 = 1 << 20;
/// Computed candles kept, at most: a warm-up of some hundred instruments.
const KEPT: usize = 1_500_000;

/// How an instrument trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trading {
    Always,
    /// Only in every second minute: the others have no trade.
    Thin,
    /// Never: one price, no volume.
    Never,
}

#[derive(Clone, Debug)]
struct Coin {
    seed: u64,
    /// What a price lies below the middle: the basis of spot.
    discount: i64,
    scale: Scale,
    /// Middle price in units.
    middle: i64,
    /// How much it moves, in per cent of [`NOISES`].
    swing: i64,
    /// Base units traded in a minute, about.
    volume: i64,
    trading: Trading,
}

/// Computed instruments.
#[derive(Debug)]
pub(crate) struct Synthetic {
    coins: RwLock<Vec<Arc<Coin>>>,
    /// By instrument, how often its trading turned, interval and open.
    memo: Mutex<HashMap<(usize, usize, Interval, UnixMs), Candle>>,
}

/// The name, kind and age of one instrument of the universe.
struct Plan {
    name: String,
    contract: Contract,
    gone: Option<i64>,
    /// How long before the start it was listed.
    age: i64,
    trading: Trading,
}

impl Plan {
    fn old(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            contract: Contract::Perpetual,
            gone: None,
            age: 730 * DAY,
            trading: Trading::Always,
        }
    }
}

/// The names worth a test first, then as many plain ones as it takes.
fn universe(count: usize) -> Vec<Plan> {
    let mut plans = vec![
        Plan::old("BTCUSDT"),
        Plan::old("ETHUSDT"),
        Plan::old("币安人生USDT"),
        Plan::old("1000SATSUSDT"),
        Plan { trading: Trading::Never, ..Plan::old("FLATUSDT") },
        Plan { trading: Trading::Thin, ..Plan::old("THINUSDT") },
        Plan { age: 20 * HOUR + 17 * MINUTE, ..Plan::old("YOUNGUSDT") },
        Plan { age: 6 * DAY, ..Plan::old("NEWUSDT") },
    ];
    plans.truncate(count);
    plans.extend((1..).map(|n| Plan::old(format!("S{n:03}USDT"))).take(count - plans.len()));
    // Beyond the count, as these are not what a scanner of perpetuals wants.
    let delivery = UnixMs(1_798_185_600_000); // 2026-12-25T08:00Z
    plans.push(Plan { contract: Contract::Quarter { delivery }, ..Plan::old("BTCUSDT_261225") });
    plans.push(Plan { contract: Contract::TradFi, ..Plan::old("TSLAUSDT") });
    plans.push(Plan { gone: Some(3 * DAY), ..Plan::old("OLDUSDT") });
    plans.push(Plan { contract: Contract::Coin, ..Plan::old("BTCUSD_PERP") });
    plans
}

impl Synthetic {
    /// `count` instruments that trade on each market, and a few that do not; what they are.
    pub(crate) fn new(count: usize, seed: u64, start: UnixMs) -> Result<(Self, Vec<Listing>), BadSymbol> {
        let plans = universe(count);
        let mut all = Vec::with_capacity(2 * plans.len());
        for market in Market::ALL {
            let on_spot = |p: &Plan| p.contract == Contract::Perpetual;
            for (rank, plan) in plans.iter().enumerate().filter(|(_, p)| market == Market::UsdM || on_spot(p))
            {
                all.push(coin(plan, market, hash(seed, name_hash(&plan.name)), rank, start)?);
            }
        }
        let (coins, listings) = all.into_iter().map(|(c, l)| (Arc::new(c), l)).unzip();
        Ok((Self { coins: RwLock::new(coins), memo: Mutex::default() }, listings))
    }

    /// One more instrument, that trades from `onboard` on, and its first price anywhere.
    pub(crate) fn add(
        &self,
        market: Market,
        name: &str,
        contract: Contract,
        onboard: UnixMs,
    ) -> Result<Listing, BadSymbol> {
        let plan = Plan { age: 0, contract, ..Plan::old(name) };
        let (coin, listing) = coin(&plan, market, name_hash(name), 1, onboard)?;
        self.coins.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(coin));
        Ok(listing)
    }

    /// One more instrument, that trades as `like` does.
    pub(crate) fn twin(&self, like: usize) {
        let mut coins = self.coins.write().unwrap_or_else(PoisonError::into_inner);
        let twin = coins.get(like).cloned();
        coins.extend(twin);
    }

    fn coin(&self, number: usize) -> Option<Arc<Coin>> {
        self.coins.read().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }

    pub(crate) fn candle(
        &self,
        number: usize,
        of: &Listing,
        interval: Interval,
        open: UnixMs,
    ) -> Option<Candle> {
        if calendar::open_at(interval, open) != open {
            return None;
        }
        let end = calendar::next_open(interval, open);
        let (from, to) = trades_within(of, open, end)?;
        let key = (number, of.timeline.turns(), interval, open);
        let kept = interval != Interval::M1;
        if kept && let Some(known) = self.memo.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(*known);
        }
        let candle = self.coin(number)?.minutes(&of.timeline, from, to)?;
        let candle = Candle { open_time: open, close_time: UnixMs(end.0 - 1), ..candle };
        if kept {
            let mut memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
            if memo.len() >= KEPT {
                memo.clear();
            }
            memo.insert(key, candle);
        }
        Some(candle)
    }

    /// The minutes of `[from, to)` as one candle; `None` where there are none.
    pub(crate) fn sum(&self, number: usize, of: &Listing, from: UnixMs, to: UnixMs) -> Option<Candle> {
        let (begin, end) = trades_within(of, from, to)?;
        self.coin(number)?.minutes(&of.timeline, begin, end).map(|c| Candle { open_time: from, ..c })
    }
}

/// The last open at or before `t`, holes left aside.
pub(crate) fn last_open(of: &Listing, interval: Interval, t: UnixMs) -> Option<UnixMs> {
    let last = of.gone().map_or(t, |gone| t.min(UnixMs(gone.0 - 1)));
    let first = calendar::open_at(interval, of.onboard);
    let open = calendar::open_at(interval, last);
    (open >= first).then_some(open)
}

/// The first open after `t`, holes left aside.
pub(crate) fn next_open(of: &Listing, interval: Interval, t: UnixMs) -> Option<UnixMs> {
    let first = calendar::open_at(interval, of.onboard);
    let next = if t < first { first } else { calendar::next_open(interval, calendar::open_at(interval, t)) };
    of.gone().is_none_or(|gone| next < gone).then_some(next)
}

fn trades_within(of: &Listing, from: UnixMs, to: UnixMs) -> Option<(UnixMs, UnixMs)> {
    let from = from.max(of.onboard);
    let to = of.gone().map_or(to, |gone| to.min(gone));
    (from < to).then_some((from, to))
}

impl Coin {
    fn minutes(&self, timeline: &Timeline, from: UnixMs, to: UnixMs) -> Option<Candle> {
        let mut walk = Walk::default();
        let mut open = walk.price(self, from.0 / MINUTE);
        // What a halted market shows is its last price: it may have been halted before `from`.
        let plain = timeline.turns() == 0;
        if !plain && timeline.halted(from) {
            open = walk.price(self, Self::halted_since(timeline, from));
        }
        let mut resumed = false;
        let each = (from.0 / MINUTE..to.0 / MINUTE).filter_map(|minute| {
            let at = UnixMs(minute * MINUTE);
            if !plain && timeline.halted(at) {
                resumed = true;
                return (!timeline.missing(at)).then(|| still(at, open));
            }
            if std::mem::take(&mut resumed) {
                open = walk.price(self, minute);
            }
            let close = walk.price(self, minute + 1);
            let candle = self.minute(minute, open, close);
            open = close;
            if plain {
                return Some(candle);
            }
            (!timeline.missing(at)).then(|| churn::scaled(candle, timeline.per_mille(at)))
        });
        Candle::join(each, UnixMs(to.0 - 1))
    }

    /// The first minute of the halt that `t` lies in.
    fn halted_since(timeline: &Timeline, t: UnixMs) -> i64 {
        let mut minute = t.0 / MINUTE;
        while minute > 0 && timeline.halted(UnixMs((minute - 1) * MINUTE)) {
            minute -= 1;
        }
        minute
    }

    fn minute(&self, minute: i64, open: i64, close: i64) -> Candle {
        let time = UnixMs(minute * MINUTE);
        let still = still(time, open);
        if self.trading == Trading::Never || (self.trading == Trading::Thin && minute % 2 != 0) {
            return still;
        }
        let dice = hash(self.seed ^ 0x5eed, minute.unsigned_abs());
        let part = |shift: u32, of: i64| i64::try_from((dice >> shift) & 0xfff).unwrap_or(0) * of / 0xfff;
        let wick = self.middle * self.swing / 100 * 400 / 1_000_000;
        let high = open.max(close) + part(0, wick);
        let low = (open.min(close) - part(12, wick)).max(1);
        let volume = self.volume / 2 + part(24, self.volume) + 1;
        let scale = self.scale;
        let unit = 10_i64.pow(u32::from(scale.price + scale.volume - scale.quote));
        let quote = volume.saturating_mul(open + high + low + close) / 4 / unit;
        let buyers = 300 + part(36, 400);
        let of_buyers = |v: i64| v.saturating_mul(buyers) / 1_000;
        Candle {
            high,
            low,
            close,
            volume,
            quote,
            trades: 1 + part(48, 240),
            taker_base: of_buyers(volume),
            taker_quote: of_buyers(quote),
            ..still
        }
    }
}

/// A minute without trades.
fn still(time: UnixMs, price: i64) -> Candle {
    Candle {
        open_time: time,
        close_time: UnixMs(time.0 + MINUTE - 1),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 0,
        quote: 0,
        trades: 0,
        taker_base: 0,
        taker_quote: 0,
    }
}

/// The two ends of each noise's running piece, so that a walk over minutes hashes rarely.
#[derive(Default)]
struct Walk {
    pieces: [Option<(i64, i64, i64)>; NOISES.len()],
}

impl Walk {
    fn price(&mut self, coin: &Coin, minute: i64) -> i64 {
        if coin.trading == Trading::Never {
            return coin.middle;
        }
        let mut millionths = 0;
        for (n, (piece, (length, reach))) in self.pieces.iter_mut().zip(NOISES).enumerate() {
            let number = minute.div_euclid(length);
            let (from, to) = match *piece {
                Some((known, from, to)) if known == number => (from, to),
                _ => {
                    let ends = (coin.noise(n, number), coin.noise(n, number + 1));
                    *piece = Some((number, ends.0, ends.1));
                    ends
                }
            };
            let here = from + (to - from) * minute.rem_euclid(length) / length;
            millionths += here * reach;
        }
        // Ten bits less, so that the product fits.
        let moved = coin.middle * coin.swing * (millionths >> 10) / (100 * 1_000_000 * (ONE >> 10));
        (coin.middle + moved - coin.discount).max(1)
    }
}

impl Coin {
    /// Between -1 and 1 in noise units.
    fn noise(&self, which: usize, number: i64) -> i64 {
        let dice = hash(self.seed.wrapping_add(which as u64), number.unsigned_abs());
        i64::try_from(dice % (2 * ONE.unsigned_abs())).unwrap_or(0) - ONE
    }
}

fn coin(
    plan: &Plan,
    market: Market,
    seed: u64,
    rank: usize,
    start: UnixMs,
) -> Result<(Coin, Listing), BadSymbol> {
    let symbol: Symbol = plan.name.parse()?;
    let (base, quote) = split(&symbol)?;
    let dice = |n: u64, of: u64| i64::try_from(hash(seed, n) % of).unwrap_or(0);
    // Price in units with as many digits as make it about five figures, like the exchange's ticks.
    let (middle, price) = match plan.name.as_str() {
        "BTCUSDT" | "BTCUSDT_261225" | "BTCUSD_PERP" => (1_000_000 + dice(1, 100_000), 1),
        "ETHUSDT" => (350_000 + dice(1, 50_000), 2),
        _ => (10_000 + dice(1, 90_000), u8::try_from(2 + dice(2, 5)).unwrap_or(4)),
    };
    let volume_digits = 3;
    // Quote volume of a minute falls with the rank, so that a ranking by volume is the list's order.
    let quote_a_minute = 60_000_000 / (i64::try_from(rank).unwrap_or(0) + 1);
    let scale_up = 10_i128.pow(u32::from(price) + volume_digits);
    let volume = i64::try_from(i128::from(quote_a_minute) * scale_up / i128::from(middle)).unwrap_or(1_000);
    let status = plan.gone.map_or(Status::Trading, |ago| Status::Gone { since: minute_of(start.0 - ago) });
    let contract = if market == Market::Spot { Contract::Spot } else { plan.contract };
    let scale = Scale { price, volume: 3, quote: 2 };
    let onboard = minute_of(start.0 - plan.age);
    let listing = Listing {
        market,
        symbol,
        base,
        quote,
        contract,
        status,
        scale,
        onboard,
        timeline: Timeline::default(),
    };
    let discount = if market == Market::Spot { middle / 2_000 } else { 0 };
    let swing = 50 + dice(3, 150);
    Ok((Coin { seed, discount, scale, middle, swing, volume, trading: plan.trading }, listing))
}

fn minute_of(t: i64) -> UnixMs {
    UnixMs(t - t.rem_euclid(MINUTE))
}

fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// `SplitMix64` of two numbers: the same everywhere, for ever, unlike a library's generator.
fn hash(seed: u64, n: u64) -> u64 {
    let mut z = seed ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
