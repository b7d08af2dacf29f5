//! Any number of made-up instruments, every candle computed from the seed alone.
//!
//! The price is a sum of seeded noises of several lengths at each minute, in whole price units: any
//! minute can be had without the ones before it, and a longer candle is the exact sum of its minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::calendar;
use super::candle::{Candle, Scale};
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
    listing: Listing,
    seed: u64,
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
    coins: Vec<Coin>,
    memo: Mutex<HashMap<(usize, Interval, UnixMs), Candle>>,
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
    plans
}

impl Synthetic {
    /// `count` instruments that trade on each market, and a few that do not.
    pub(crate) fn new(count: usize, seed: u64, start: UnixMs) -> Result<Self, BadSymbol> {
        let plans = universe(count);
        let mut coins = Vec::with_capacity(2 * plans.len());
        for market in Market::ALL {
            let on_spot = |p: &Plan| p.contract == Contract::Perpetual;
            for (rank, plan) in plans.iter().enumerate().filter(|(_, p)| market == Market::UsdM || on_spot(p))
            {
                coins.push(coin(plan, market, hash(seed, name_hash(&plan.name)), rank, start)?);
            }
        }
        Ok(Self { coins, memo: Mutex::default() })
    }

    pub(crate) fn listings(&self) -> Vec<Listing> {
        self.coins.iter().map(|c| c.listing.clone()).collect()
    }

    pub(crate) fn candle(&self, coin: usize, interval: Interval, open: UnixMs) -> Option<Candle> {
        let whose = self.coins.get(coin)?;
        if calendar::open_at(interval, open) != open {
            return None;
        }
        let end = calendar::next_open(interval, open);
        let (from, to) = whose.trades_within(open, end)?;
        if interval == Interval::M1 {
            return whose.minutes(from, to);
        }
        let key = (coin, interval, open);
        if let Some(known) = self.memo.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(*known);
        }
        let candle = whose.minutes(from, to)?;
        let candle = Candle { open_time: open, close_time: UnixMs(end.0 - 1), ..candle };
        let mut memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        if memo.len() >= KEPT {
            memo.clear();
        }
        memo.insert(key, candle);
        Some(candle)
    }

    /// The minutes of `[from, to)` as one candle; `None` where there are none.
    pub(crate) fn sum(&self, coin: usize, from: UnixMs, to: UnixMs) -> Option<Candle> {
        let whose = self.coins.get(coin)?;
        let (begin, end) = whose.trades_within(from, to)?;
        whose.minutes(begin, end).map(|c| Candle { open_time: from, ..c })
    }

    pub(crate) fn last_open(&self, coin: usize, interval: Interval, t: UnixMs) -> Option<UnixMs> {
        let whose = self.coins.get(coin)?;
        let last = whose.gone().map_or(t, |gone| t.min(UnixMs(gone.0 - 1)));
        (last >= whose.listing.onboard || t >= calendar::open_at(interval, whose.listing.onboard))
            .then(|| calendar::open_at(interval, last))
            .filter(|open| *open >= calendar::open_at(interval, whose.listing.onboard))
    }

    pub(crate) fn next_open(&self, coin: usize, interval: Interval, t: UnixMs) -> Option<UnixMs> {
        let whose = self.coins.get(coin)?;
        let first = calendar::open_at(interval, whose.listing.onboard);
        let next =
            if t < first { first } else { calendar::next_open(interval, calendar::open_at(interval, t)) };
        whose.gone().is_none_or(|gone| next < gone).then_some(next)
    }
}

impl Coin {
    fn gone(&self) -> Option<UnixMs> {
        match self.listing.status {
            Status::Gone { since } => Some(since),
            Status::Trading => None,
        }
    }

    fn trades_within(&self, from: UnixMs, to: UnixMs) -> Option<(UnixMs, UnixMs)> {
        let from = from.max(self.listing.onboard);
        let to = self.gone().map_or(to, |gone| to.min(gone));
        (from < to).then_some((from, to))
    }

    fn minutes(&self, from: UnixMs, to: UnixMs) -> Option<Candle> {
        let mut walk = Walk::default();
        let mut open = walk.price(self, from.0 / MINUTE);
        let each = (from.0 / MINUTE..to.0 / MINUTE).map(|minute| {
            let close = walk.price(self, minute + 1);
            let candle = self.minute(minute, open, close);
            open = close;
            candle
        });
        Candle::join(each, UnixMs(to.0 - 1))
    }

    fn minute(&self, minute: i64, open: i64, close: i64) -> Candle {
        let time = UnixMs(minute * MINUTE);
        let still = Candle {
            open_time: time,
            close_time: UnixMs(time.0 + MINUTE - 1),
            open,
            high: open,
            low: open,
            close: open,
            volume: 0,
            quote: 0,
            trades: 0,
            taker_base: 0,
            taker_quote: 0,
        };
        if self.trading == Trading::Never || (self.trading == Trading::Thin && minute % 2 != 0) {
            return still;
        }
        let dice = hash(self.seed ^ 0x5eed, minute.unsigned_abs());
        let part = |shift: u32, of: i64| i64::try_from((dice >> shift) & 0xfff).unwrap_or(0) * of / 0xfff;
        let wick = self.middle * self.swing / 100 * 400 / 1_000_000;
        let high = open.max(close) + part(0, wick);
        let low = (open.min(close) - part(12, wick)).max(1);
        let volume = self.volume / 2 + part(24, self.volume) + 1;
        let scale = self.listing.scale;
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
        let basis = if coin.listing.market == Market::Spot { coin.middle / 2_000 } else { 0 };
        (coin.middle + moved - basis).max(1)
    }
}

impl Coin {
    /// Between -1 and 1 in noise units.
    fn noise(&self, which: usize, number: i64) -> i64 {
        let dice = hash(self.seed.wrapping_add(which as u64), number.unsigned_abs());
        i64::try_from(dice % (2 * ONE.unsigned_abs())).unwrap_or(0) - ONE
    }
}

fn coin(plan: &Plan, market: Market, seed: u64, rank: usize, start: UnixMs) -> Result<Coin, BadSymbol> {
    let symbol: Symbol = plan.name.parse()?;
    let (base, quote) = split(&symbol)?;
    let dice = |n: u64, of: u64| i64::try_from(hash(seed, n) % of).unwrap_or(0);
    // Price in units with as many digits as make it about five figures, like the exchange's ticks.
    let (middle, price) = match plan.name.as_str() {
        "BTCUSDT" | "BTCUSDT_261225" => (1_000_000 + dice(1, 100_000), 1),
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
    Ok(Coin {
        listing: Listing {
            market,
            symbol,
            base,
            quote,
            contract,
            status,
            scale: Scale { price, volume: 3, quote: 2 },
            onboard: minute_of(start.0 - plan.age),
        },
        seed,
        middle,
        swing: 50 + dice(3, 150),
        volume,
        trading: plan.trading,
    })
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
