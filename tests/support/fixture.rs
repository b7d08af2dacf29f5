//! Snapshots made by hand: what screens and reports are tested with. The figures are invented, the
//! same on each run, and consistent only as far as a reader would notice.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::missing_panics_doc, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use hamatop::domain::clock::Clock;
use hamatop::domain::hama::{BandState, Bands, Color, Gradient, HamaPoint, LastCross, Parts, Sign, Strength};
use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::preset::{Average, BandForm, BandsSpec, GradientLine, Line, MaSource, Preset};
use hamatop::domain::score::SymbolScore;
use hamatop::domain::symbol::{Market, Pair, Tick};
use hamatop::domain::text::CleanText;
use hamatop::domain::time::{Mono, UnixMs};
use hamatop::market::snapshot::{
    Assets, CacheStats, DataState, DayFigures, Discards, Extremes, LaneView, Link, LinkState, Outcomes, Pool,
    Preview, RestStatus, Row, Snapshot, Source, Upkeep, Warmup,
};
use hamatop::schedule::{Schedule, ScheduleView, Settings};

/// 2026-11-21T14:02:11Z, when the pictures are made.
pub const NOW: UnixMs = UnixMs(1_795_269_731_000);
/// Our clock then.
pub const MADE: Mono = Mono(Duration::from_secs(10));
/// The intervals of all rows.
pub const INTERVALS: [Interval; 3] = [Interval::M15, Interval::H1, Interval::H4];

/// A row in the making: live, warm and rising unless told otherwise.
#[derive(Clone, Debug)]
pub struct RowBuilder {
    row: Row,
}

/// Starts a row of USD-M.
pub fn row(symbol: &str) -> RowBuilder {
    let pair = Pair { market: Market::UsdM, symbol: symbol.parse().expect("a symbol") };
    let row = Row {
        pair,
        assets: assets(symbol),
        pool: Pool::Top,
        tick: Tick { decimals: 2 },
        last: Some(214.08),
        last_at: Some(NOW),
        day: Some(DayFigures { change_pct: 4.81, quote_volume: 4.41e9, at: NOW }),
        basis: None,
        score: None,
        state: DataState::Live,
        seen: Some(NOW),
        lanes: INTERVALS.iter().map(|i| lane(*i, Sign::Up)).collect(),
    };
    RowBuilder { row }.score(94.2)
}

/// What the name says; the program itself goes by the exchange's list.
fn assets(symbol: &str) -> Option<Assets> {
    let quote =
        ["USDT", "USDC", "BTC"].into_iter().find(|q| symbol.len() > q.len() && symbol.ends_with(q))?;
    let base = symbol.strip_suffix(quote)?.parse().ok()?;
    Some(Assets { base, quote: quote.parse().ok()? })
}

impl RowBuilder {
    pub fn build(self) -> Row {
        self.row
    }

    pub fn market(mut self, market: Market) -> Self {
        self.row.pair.market = market;
        self
    }

    pub fn basis(mut self, pct: f64) -> Self {
        self.row.basis = Some(pct);
        self
    }

    pub fn pool(mut self, pool: Pool) -> Self {
        self.row.pool = pool;
        self
    }

    pub fn last(mut self, price: f64, decimals: u8) -> Self {
        self.row.last = Some(price);
        self.row.tick = Tick { decimals };
        for lane in &mut self.row.lanes {
            let at = |share: f64| Some(price * share);
            let point = &mut lane.point;
            (point.open, point.high, point.low) = (at(0.995), at(1.002), at(0.99));
            (point.close, point.ma) = (at(0.9985), at(0.9806));
            if let Some(bands) = &mut point.bands {
                (bands.lower, bands.basis, bands.upper) = (price * 0.94, price * 0.977, price * 1.012);
            }
        }
        self
    }

    #[expect(clippy::cast_possible_truncation, reason = "a score is small")]
    pub fn score(mut self, raw: f64) -> Self {
        let shown = raw.round() as i32;
        self.row.score = Some(SymbolScore { raw, score: shown, coverage: 1.0, coherence: 100.0 });
        self
    }

    pub fn coherence(mut self, coherence: f64) -> Self {
        if let Some(score) = &mut self.row.score {
            score.coherence = coherence;
        }
        self
    }

    pub fn change(mut self, pct: f64) -> Self {
        if let Some(day) = &mut self.row.day {
            day.change_pct = pct;
        }
        self
    }

    pub fn volume(mut self, amount: f64) -> Self {
        if let Some(day) = &mut self.row.day {
            day.quote_volume = amount;
        }
        self
    }

    pub fn trends(mut self, trends: [Sign; 3]) -> Self {
        for (lane, trend) in self.row.lanes.iter_mut().zip(trends) {
            set_trend(&mut lane.point, trend);
            lane.preview = None;
        }
        self
    }

    pub fn cross(mut self, dir: Sign, bars: u32, inferred: bool) -> Self {
        for lane in &mut self.row.lanes {
            let time = (!inferred).then(|| lane.newest.map(|n| n.1)).flatten();
            lane.point.last_cross = Some(LastCross { dir, inferred, bars, time });
        }
        self
    }

    pub fn bands(mut self, state: BandState, breakout: Option<Sign>) -> Self {
        for bands in self.row.lanes.iter_mut().filter_map(|l| l.point.bands.as_mut()) {
            bands.state = state;
            bands.breakout = breakout;
        }
        self
    }

    /// Changes what the indicator said of the bar before, on all intervals.
    pub fn before(mut self, change: impl Fn(&mut HamaPoint)) -> Self {
        for lane in &mut self.row.lanes {
            change(&mut lane.previous);
        }
        self
    }

    /// The forming bar of the primary interval would turn the trend.
    pub fn forming(mut self, trend: Sign) -> Self {
        let lane = &mut self.row.lanes[0];
        let mut point = lane.point;
        set_trend(&mut point, trend);
        let (_, close) = lane.newest.expect("a live lane has bars");
        lane.preview = Some(Preview { bar: bar(lane.interval, close.0 + 1, 214.0), point });
        self
    }

    /// All intervals have so many bars, too few for anything.
    pub fn warming(mut self, bars: u32) -> Self {
        self.row.score = None;
        self.row.state = DataState::Warming;
        self.row.lanes = INTERVALS.iter().map(|i| empty_lane(*i, bars)).collect();
        self
    }

    /// Nothing has come yet, no price either.
    pub fn unknown(mut self) -> Self {
        self = self.warming(0);
        (self.row.last, self.row.day, self.row.seen) = (None, None, None);
        self
    }

    /// The last interval lacks bars for its bands.
    pub fn young(mut self, bars: u32) -> Self {
        let lane = &mut self.row.lanes[2];
        lane.bars = bars;
        lane.point.bands = None;
        self
    }

    pub fn stale(mut self, why: &str, seconds: u64) -> Self {
        self.row.state = DataState::Stale;
        self.row.seen = Some(NOW - Duration::from_secs(seconds));
        self.row.lanes[0].state = DataState::Stale;
        self.row.lanes[0].seen = self.row.seen;
        self.row.lanes[0].why = Some(CleanText::new(why));
        self
    }

    pub fn failed(mut self, why: &str) -> Self {
        self = self.warming(0);
        self.row.state = DataState::Failed;
        (self.row.last, self.row.day, self.row.seen) = (None, None, None);
        for lane in &mut self.row.lanes {
            lane.state = DataState::Failed;
            lane.why = Some(CleanText::new(why));
        }
        self
    }

    pub fn delisted(mut self) -> Self {
        self.row.state = DataState::Delisted;
        self.row.seen = Some(NOW - Duration::from_secs(200_000));
        for lane in &mut self.row.lanes {
            lane.state = DataState::Delisted;
        }
        self
    }

    pub fn klines(mut self, count: i64) -> Self {
        for lane in &mut self.row.lanes {
            let (open, _) = lane.newest.expect("a live lane has bars");
            let first = open.0 - (count - 1) * lane.interval.millis();
            let bars = (0..count).map(|n| bar(lane.interval, first + n * lane.interval.millis(), 200.0));
            lane.klines = Some(bars.collect());
        }
        self
    }
}

fn bar(interval: Interval, open_time: i64, price: f64) -> Kline {
    Kline::new(KlineFields {
        open_time: UnixMs(open_time),
        close_time: UnixMs(open_time + interval.millis() - 1),
        open: price,
        high: price + 2.0,
        low: price - 1.5,
        close: price + 0.5,
        volume: 12.5,
        quote_volume: Some(2_500.25),
        trades: Some(42),
        taker_base: None,
        taker_quote: None,
    })
    .expect("a candle")
}

fn lane(interval: Interval, trend: Sign) -> LaneView {
    let open_of_forming = interval.open_at(NOW).expect("an aligned interval");
    let open = open_of_forming.0 - interval.millis();
    let mut point = HamaPoint {
        open: Some(213.02),
        high: Some(214.4),
        low: Some(211.9),
        close: Some(213.77),
        ma: Some(209.92),
        color: Color::Green,
        open_slope: Some(Sign::Up),
        gradient: Some(Gradient { dir: Sign::Up, steps: 5 }),
        ma_slope: Some(Sign::Up),
        side: Some(Sign::Up),
        dev_pct: Some(1.834),
        trend: Some(trend),
        strength: Some(Strength::Strong),
        cross: None,
        flip: false,
        last_cross: Some(LastCross {
            dir: Sign::Up,
            inferred: false,
            bars: 6,
            time: Some(UnixMs(open - 5 * interval.millis() - 1)),
        }),
        bands: Some(Bands {
            basis: 209.0,
            upper: 216.6,
            lower: 201.4,
            width: 0.0727,
            pos: Some(0.83),
            state: BandState::Squeeze,
            breakout: None,
        }),
        parts: Some(Parts { trend: 1.0, distance: 0.55, gradient: 1.0, body: 1.0 }),
        score: Some(88.751_234_5),
    };
    set_trend(&mut point, trend);
    LaneView {
        interval,
        state: DataState::Live,
        why: None,
        bars: 499,
        need: 400,
        need_score: 102,
        oldest: Some(UnixMs(open - 498 * interval.millis())),
        newest: Some((UnixMs(open), UnixMs(open + interval.millis() - 1))),
        point,
        previous: point,
        extremes: Some(Extremes { high: true, low: false }),
        preview: Some(Preview { bar: bar(interval, open_of_forming.0, 214.0), point }),
        price_side: Some(Sign::Up),
        seen: Some(NOW),
        holes: 0,
        check: None,
        klines: None,
    }
}

fn set_trend(point: &mut HamaPoint, trend: Sign) {
    point.trend = Some(trend);
    point.side = Some(trend);
    point.dev_pct = Some(match trend {
        Sign::Up => 1.834,
        Sign::Down => -0.62,
        Sign::Flat => 0.04,
    });
    point.strength = Some(match trend {
        Sign::Up => Strength::Strong,
        Sign::Down => Strength::Moderate,
        Sign::Flat => Strength::Weak,
    });
    if let (Sign::Down, Some(cross)) = (trend, &mut point.last_cross) {
        cross.dir = Sign::Down;
    }
}

fn empty_lane(interval: Interval, bars: u32) -> LaneView {
    LaneView {
        state: DataState::Warming,
        bars,
        oldest: None,
        newest: None,
        point: HamaPoint::UNKNOWN,
        previous: HamaPoint::UNKNOWN,
        extremes: None,
        preview: None,
        price_side: None,
        seen: None,
        holes: 0,
        ..lane(interval, Sign::Up)
    }
}

/// The default preset.
pub fn quantdinger() -> Preset {
    let ema = |length| Line { kind: Average::Ema, length };
    Preset {
        name: "quantdinger".into(),
        open: ema(45),
        high: ema(20),
        low: ema(20),
        close: Line { kind: Average::Wma, length: 40 },
        ma: Line { kind: Average::Wma, length: 100 },
        ma_source: MaSource::Close,
        gradient: GradientLine::Ma,
        bands: Some(BandsSpec { form: BandForm::Simple, length: 400, mult: 2.0 }),
        depth: 500,
    }
}

/// A picture of these rows: one healthy link, warm-up over.
pub fn snapshot(rows: Vec<RowBuilder>) -> Snapshot {
    let mut rows: Vec<Arc<Row>> = rows.into_iter().map(|r| Arc::new(r.build())).collect();
    rows.sort_by(|a, b| a.pair.cmp(&b.pair));
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    Snapshot {
        seq: 1,
        made: MADE,
        clock: Some(Clock::new(MADE, NOW, 1.0)),
        source: Source::Live,
        preset: Arc::new(quantdinger()),
        intervals: INTERVALS.into(),
        markets: [Market::UsdM].into(),
        rows,
        universe: hamatop::market::snapshot::UniverseReport::default(),
        warmup: Warmup { total: 3 * count, done: 3 * count, failed: 0, rate: Some(48.5), eta: None },
        links: vec![link(0), link(1)],
        rest: vec![RestStatus {
            market: Market::UsdM,
            used: 40,
            minute: NOW,
            limit: 2_400,
            held: None,
            failing: None,
            requests: 512,
            failed: 1,
            last_error: None,
        }],
        stats: stats(count),
        notices: Vec::new(),
        signals: Vec::new(),
        alerts: hamatop::market::snapshot::AlertsView::default(),
        schedule: schedule(),
    }
}

/// Jobs that never ran.
pub fn schedule() -> ScheduleView {
    Schedule::new(&Settings::default()).view()
}

/// A healthy link.
pub fn link(conn: u32) -> Link {
    Link {
        market: Market::UsdM,
        conn,
        state: LinkState::Up,
        streams: 1_000,
        frames: 123_456,
        lag: Some(Duration::from_millis(84 + u64::from(conn))),
        since: Mono::from_millis(1_500),
        drops: conn,
        replaced: 0,
    }
}

/// Statistics of a cache of so many pairs.
pub fn stats(symbols: u32) -> CacheStats {
    CacheStats {
        symbols,
        series: 3 * symbols,
        warm: 3 * symbols,
        klines: u64::from(symbols) * 3 * 499,
        capacity: 500,
        updates: 118_204,
        outcomes: Outcomes { appended: 4_204, amended: 114_000, duplicate: 812, older: 3, gap: 2 },
        hits: 1_204_118,
        misses: 412,
        bytes: 28_800_000,
        oldest: Some(UnixMs(NOW.0 - 7_200_000_000)),
        newest: Some(UnixMs(NOW.0 - 131_001)),
        stale: 1,
        gaps: 3,
        repaired: 3,
        discarded: 7,
        discards: Discards { not_json: 1, unknown_shape: 2, rows: 4, ..Discards::default() },
        upkeep: Upkeep {
            verifications: 12,
            closed_by_rest: 9,
            late_closes: 2,
            corrections: 4,
            holes: 1,
            silent: 1,
            resubscribed: 1,
            refused: 1,
            polls: 5,
            spread: 340,
            withheld: 3,
            revised: 1,
            lost: 2,
            stalls: 1,
            replaced: 8,
        },
    }
}

/// The same picture as a replay's: at 2025-10-10T20:14:05Z, sixty times as fast.
pub fn as_demo(mut picture: Snapshot, now: UnixMs) -> Snapshot {
    picture.source = Source::Demo;
    picture.clock = Some(Clock::new(MADE, now, 60.0));
    picture
}

/// A screenful with every state there is.
pub fn assorted() -> Snapshot {
    use Sign::{Down, Flat, Up};
    snapshot(vec![
        row("BTCUSDT").last(97_412.5, 1).score(97.0).change(2.14).volume(18.23e9).cross(Up, 3, false),
        row("ETHUSDT").last(3_641.22, 2).score(88.6).change(3.02).volume(9.12e9).trends([Up, Up, Flat]),
        row("SOLUSDT").score(-78.4).change(-4.81).trends([Down, Down, Flat]).cross(Down, 0, false),
        row("XRPUSDT").last(2.3312, 4).score(-92.0).change(-1.12).volume(2.21e9).trends([Down, Down, Down]),
        row("1000PEPEUSDT").last(0.018_421, 6).score(44.0).volume(870e6).forming(Down),
        row("币安人生USDT").last(0.382_14, 5).score(12.0).change(0.0).volume(95.3e3).cross(Up, 398, true),
        row("SUIUSDT").last(4.112, 4).score(61.0).bands(BandState::Expansion, Some(Up)).young(212),
        row("ADAUSDT").last(1.0214, 4).score(55.0).stale("the stream is behind", 2_820),
        row("NEWUSDT").last(5.5, 3).warming(40),
        row("TONUSDT").unknown(),
        row("FOOUSDT").failed("the exchange refused: no such symbol"),
        row("LUNAUSDT").last(0.05, 4).score(-3.0).delisted(),
    ])
}
