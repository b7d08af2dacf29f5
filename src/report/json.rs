//! The rows as JSON: what is not known is null.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::app::behind::{missing, row_since};
use crate::app::column::Reading;
use crate::app::text::rfc3339;
use crate::domain::hama::{Bands, Gradient, HamaPoint, LastCross, Parts, Sign, Strength};
use crate::domain::kline::Kline;
use crate::domain::symbol::{Market, Pair};
use crate::domain::time::UnixMs;
use crate::market::snapshot::{CacheStats, LaneView, Row, Snapshot, UniverseCounts};

use super::scan::ScanOptions;

/// Everything in one object.
pub(super) fn document(
    snapshot: &Snapshot,
    options: &ScanOptions,
    (rows, matched): (&[&Row], usize),
    reading: &Reading,
    out: &mut dyn Write,
) -> io::Result<()> {
    let seconds = options.elapsed.as_secs_f64();
    let total = snapshot.rows.len();
    #[expect(clippy::cast_precision_loss, reason = "a count of pairs is small")]
    let rate = (seconds > 0.0).then(|| total as f64 / seconds);
    let document = Document {
        generated_at: reading.clock.map(ms),
        source: snapshot.source.as_str(),
        preset: &snapshot.preset.name,
        summary: Summary {
            complete: options.incomplete.is_none(),
            incomplete: options.incomplete.as_deref(),
            held: held(snapshot, reading),
            total_symbols: total,
            signals_found: matched,
            elapsed_seconds: seconds,
            symbols_per_second: rate,
            api_calls: snapshot.rest.iter().map(|r| r.requests).sum(),
            cache_stats: Cache::new(snapshot),
            universe: UniverseJson::new(&snapshot.universe.counts),
        },
        rows: rows.iter().map(|r| RowJson { row: r, reading, newest: options.newest_bars() }).collect(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

/// One object a line.
pub(super) fn lines(
    options: &ScanOptions,
    rows: &[&Row],
    reading: &Reading,
    out: &mut dyn Write,
) -> io::Result<()> {
    for row in rows {
        let line = Line {
            complete: options.incomplete.is_none(),
            row: RowJson { row, reading, newest: options.newest_bars() },
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}

/// A row that has no document around it to say whether rows or figures are missing.
#[derive(Serialize)]
struct Line<'a> {
    complete: bool,
    #[serde(flatten)]
    row: RowJson<'a>,
}

fn ms(time: UnixMs) -> i64 {
    time.0
}

#[derive(Serialize)]
struct Document<'a> {
    generated_at: Option<i64>,
    source: &'static str,
    preset: &'a str,
    summary: Summary<'a>,
    rows: Vec<RowJson<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    /// Whether all that was asked for could be loaded.
    complete: bool,
    /// Why not.
    incomplete: Option<&'a str>,
    held: Vec<HeldJson>,
    total_symbols: usize,
    signals_found: usize,
    elapsed_seconds: f64,
    symbols_per_second: Option<f64>,
    api_calls: u64,
    cache_stats: Cache<'a>,
    universe: UniverseJson,
}

/// A pause of REST that the exchange wants.
#[derive(Serialize)]
struct HeldJson {
    market: &'static str,
    kind: &'static str,
    until: i64,
}

fn held(snapshot: &Snapshot, reading: &Reading) -> Vec<HeldJson> {
    let holds = snapshot.rest.iter().filter_map(|r| Some((r.market, r.held?)));
    holds
        .filter(|(_, hold)| hold.left(reading.clock).is_some())
        .map(|(market, hold)| HeldJson {
            market: market.as_str(),
            kind: hold.kind.as_str(),
            until: ms(hold.until),
        })
        .collect()
}

/// What became of the exchange's lists of pairs.
#[derive(Serialize)]
struct UniverseJson {
    lists: u64,
    refused: u64,
    entered: u64,
    left: u64,
    delisted: u64,
    returned: u64,
    unread: u64,
    unknown: u64,
}

impl UniverseJson {
    fn new(c: &UniverseCounts) -> Self {
        let UniverseCounts { lists, refused, entered, left, delisted, returned, unread, unknown } = *c;
        Self { lists, refused, entered, left, delisted, returned, unread, unknown }
    }
}

/// The cache as the route for its statistics has it.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
struct Cache<'a> {
    cache_type: &'static str,
    cached_symbols: usize,
    /// Nothing in memory expires.
    cache_duration_minutes: Option<u32>,
    symbols: Vec<Cow<'a, str>>,
    memory_cache_fallback: bool,
    oldest_cache: Option<String>,
    newest_cache: Option<String>,
    klines: Klines,
    upkeep: UpkeepJson,
}

impl<'a> Cache<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let held = snapshot.rows.iter().filter(|r| r.lanes.iter().any(|l| l.bars > 0));
        let symbols: Vec<_> = held.map(|r| name(&r.pair)).collect();
        Self {
            cache_type: "memory",
            cached_symbols: symbols.len(),
            cache_duration_minutes: None,
            symbols,
            memory_cache_fallback: false,
            oldest_cache: snapshot.stats.oldest.and_then(rfc3339),
            newest_cache: snapshot.stats.newest.and_then(rfc3339),
            klines: Klines::new(&snapshot.stats),
            upkeep: UpkeepJson::new(&snapshot.stats),
        }
    }
}

/// One name a pair, whatever the market: a symbol alone is of USD-M.
fn name(pair: &Pair) -> Cow<'_, str> {
    match pair.market {
        Market::UsdM => pair.symbol.as_str().into(),
        Market::Spot => format!("spot:{}", pair.symbol).into(),
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
struct Klines {
    total_symbols: u32,
    total_intervals: u32,
    total_klines: u64,
    total_updates: u64,
    cache_hits: u64,
    cache_misses: u64,
    hit_rate: Option<f64>,
    memory_bytes: u64,
}

impl Klines {
    fn new(s: &CacheStats) -> Self {
        Self {
            total_symbols: s.symbols,
            total_intervals: s.series,
            total_klines: s.klines,
            total_updates: s.updates,
            cache_hits: s.hits,
            cache_misses: s.misses,
            hit_rate: s.hit_rate(),
            memory_bytes: s.bytes,
        }
    }
}

/// What was done to keep the series true, since the start.
#[derive(Serialize)]
struct UpkeepJson {
    gaps_found: u64,
    gaps_repaired: u64,
    repairs_queued: u64,
    verifications: u64,
    closed_by_rest: u64,
    late_closes: u64,
    corrections: u64,
    exchange_holes: u64,
    silent_streams: u64,
    resubscribed: u64,
    refused_streams: u64,
    polls: u64,
    signals_withheld: u64,
    signals_revised: u64,
    sockets_lost: u64,
    sockets_stalled: u64,
    sockets_replaced: u64,
    discarded: DiscardsJson,
}

#[derive(Serialize)]
struct DiscardsJson {
    not_json: u64,
    unknown_shape: u64,
    bad_value: u64,
    not_watched: u64,
    overrun: u64,
    rows: u64,
}

impl UpkeepJson {
    fn new(s: &CacheStats) -> Self {
        let (u, d) = (s.upkeep, s.discards);
        Self {
            gaps_found: s.gaps,
            gaps_repaired: s.repaired,
            repairs_queued: u.spread,
            verifications: u.verifications,
            closed_by_rest: u.closed_by_rest,
            late_closes: u.late_closes,
            corrections: u.corrections,
            exchange_holes: u.holes,
            silent_streams: u.silent,
            resubscribed: u.resubscribed,
            refused_streams: u.refused,
            polls: u.polls,
            signals_withheld: u.withheld,
            signals_revised: u.revised,
            sockets_lost: u.lost,
            sockets_stalled: u.stalls,
            sockets_replaced: u.replaced,
            discarded: DiscardsJson {
                not_json: d.not_json,
                unknown_shape: d.unknown_shape,
                bad_value: d.bad_value,
                not_watched: d.not_watched,
                overrun: d.overrun,
                rows: d.rows,
            },
        }
    }
}

struct RowJson<'a> {
    row: &'a Row,
    reading: &'a Reading,
    /// How many closed bars are written of those carried.
    newest: usize,
}

impl Serialize for RowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let age = self
            .reading
            .clock
            .zip(row_since(row, self.reading.clock))
            .map(|(now, seen)| now.since(seen).as_millis());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("market", row.pair.market.as_str())?;
        map.serialize_entry("symbol", row.pair.symbol.as_str())?;
        map.serialize_entry("pool", row.pool.as_str())?;
        map.serialize_entry("last", &row.last)?;
        map.serialize_entry("change_pct_24h", &row.day.map(|d| d.change_pct))?;
        map.serialize_entry("quote_volume_24h", &row.day.map(|d| d.quote_volume))?;
        map.serialize_entry("basis", &row.basis)?;
        map.serialize_entry("score", &row.score.map(|s| s.score))?;
        map.serialize_entry("raw", &row.score.map(|s| six_digits(s.raw)))?;
        map.serialize_entry("coverage", &row.score.map(|s| s.coverage))?;
        map.serialize_entry("coherence", &row.score.map(|s| s.coherence))?;
        map.serialize_entry("state", row.state.as_str())?;
        map.serialize_entry("age_ms", &age.and_then(|a| u64::try_from(a).ok()))?;
        map.serialize_entry(
            "intervals",
            &Lanes { views: &row.lanes, newest: self.newest, now: self.reading.clock },
        )?;
        map.end()
    }
}

fn six_digits(raw: f64) -> f64 {
    (raw * 1e6).round() / 1e6
}

struct Lanes<'a> {
    views: &'a [LaneView],
    newest: usize,
    now: Option<UnixMs>,
}

impl Serialize for Lanes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.views.len()))?;
        for lane in self.views {
            map.serialize_entry(lane.interval.as_str(), &LaneJson::new(lane, self.newest, self.now))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct LaneJson<'a> {
    state: &'static str,
    /// Why that, where it is not live.
    why: Option<&'a str>,
    bars: u32,
    need: u32,
    open_time: Option<i64>,
    close_time: Option<i64>,
    hama: Candle,
    color: &'static str,
    gradient: Option<GradientJson>,
    trend: Option<i8>,
    strength: Option<&'static str>,
    dev_pct: Option<f64>,
    cross: Option<CrossJson>,
    bands: Option<BandsJson>,
    raw: Option<f64>,
    parts: Option<PartsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    klines: Option<Bars<'a>>,
}

#[derive(Serialize)]
struct Candle {
    open: Option<f64>,
    high: Option<f64>,
    low: Option<f64>,
    close: Option<f64>,
    ma: Option<f64>,
}

#[derive(Serialize)]
struct GradientJson {
    dir: i8,
    steps: u8,
}

#[derive(Serialize)]
struct CrossJson {
    dir: i8,
    bars: Option<u32>,
    time: Option<i64>,
    inferred: bool,
}

#[derive(Serialize)]
struct BandsJson {
    basis: f64,
    upper: f64,
    lower: f64,
    width: f64,
    pos: Option<f64>,
    state: &'static str,
}

#[derive(Serialize)]
struct PartsJson {
    #[serde(rename = "S")]
    trend: f64,
    #[serde(rename = "D")]
    distance: f64,
    #[serde(rename = "G")]
    gradient: f64,
    #[serde(rename = "B")]
    body: f64,
}

impl<'a> LaneJson<'a> {
    fn new(lane: &'a LaneView, newest: usize, now: Option<UnixMs>) -> Self {
        let p: &HamaPoint = &lane.point;
        Self {
            state: lane.state.as_str(),
            why: lane.why.as_ref().map(crate::domain::text::CleanText::as_str),
            bars: lane.bars,
            need: lane.need,
            open_time: lane.newest.map(|(open, _)| ms(open)),
            close_time: lane.newest.map(|(_, close)| ms(close)),
            hama: Candle { open: p.open, high: p.high, low: p.low, close: p.close, ma: p.ma },
            color: p.color.as_str(),
            gradient: p.gradient.map(|Gradient { dir, steps }| GradientJson { dir: dir.as_i8(), steps }),
            trend: p.trend.map(Sign::as_i8),
            strength: p.strength.map(Strength::as_str),
            dev_pct: p.dev_pct,
            cross: p.last_cross.map(|c| cross(c, missing(lane, now) > 0)),
            bands: p.bands.map(bands),
            raw: p.score,
            parts: p.parts.map(|Parts { trend, distance, gradient, body }| PartsJson {
                trend,
                distance,
                gradient,
                body,
            }),
            klines: lane.klines.as_deref().map(|all| Bars(&all[all.len().saturating_sub(newest)..])),
        }
    }
}

/// While no cross and no side is known, or closes are missing, nothing can be counted.
fn cross(c: LastCross, lacks_closes: bool) -> CrossJson {
    let known = c.dir != Sign::Flat && !lacks_closes;
    CrossJson {
        dir: c.dir.as_i8(),
        bars: known.then_some(c.bars),
        time: c.time.map(ms),
        inferred: c.inferred,
    }
}

fn bands(b: Bands) -> BandsJson {
    BandsJson {
        basis: b.basis,
        upper: b.upper,
        lower: b.lower,
        width: b.width,
        pos: b.pos,
        state: b.state.as_str(),
    }
}

/// Candles as the exchange's arrays of twelve, as numbers; the last field is one it does not use.
struct Bars<'a>(&'a [Kline]);

impl Serialize for Bars<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for k in self.0 {
            seq.serialize_element(&(
                ms(k.open_time()),
                k.open(),
                k.high(),
                k.low(),
                k.close(),
                k.volume(),
                ms(k.close_time()),
                k.quote_volume(),
                k.trades(),
                k.taker_base(),
                k.taker_quote(),
                0,
            ))?;
        }
        seq.end()
    }
}
