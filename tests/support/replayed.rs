//! Pictures of the bundled recording's candles, as the engine's lanes make them.
#![allow(unreachable_pub, reason = "unit tests of several modules read it")]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use hamatop::domain::interval::Interval;
use hamatop::domain::kline::{Kline, KlineFields};
use hamatop::domain::preset::Preset;
use hamatop::domain::symbol::Tick;
use hamatop::domain::time::UnixMs;
use hamatop::fixture;
use hamatop::market::freshness::{Freshness, Stream};
use hamatop::market::lane::{Answer, Lag, Lane};
use hamatop::market::snapshot::{DataState, LaneView, Snapshot};
use hamatop::sim::candle::{Candle, Scale};
use hamatop::sim::replay;

/// Bars that a ring holds.
const RING: usize = 500;

/// 2025-10-11T08:00Z: the fall of the evening before is on screen.
pub const UNTIL: UnixMs = UnixMs(1_760_169_600_000);

/// A symbol of the recording: its digits, and its candles.
struct Recorded {
    symbol: String,
    scale: Scale,
    series: BTreeMap<Interval, Vec<Candle>>,
}

fn recorded() -> Vec<Recorded> {
    let all = replay::bundled().expect("the bundled recording").into_iter();
    all.map(|r| Recorded {
        symbol: r.symbol.to_string(),
        scale: r.scale,
        series: r
            .series
            .into_iter()
            .map(|(i, s)| (i, s.into_iter().map(|raw| raw.candle).collect()))
            .collect(),
    })
    .collect()
}

/// The candles of a symbol that have closed by `until`, and its price step.
#[expect(clippy::cast_precision_loss, reason = "prices and volumes have fewer than 53 bits")]
pub fn bars(symbol: &str, interval: Interval, until: UnixMs) -> (Vec<Kline>, Tick) {
    static ALL: OnceLock<Vec<Recorded>> = OnceLock::new();
    let of = ALL.get_or_init(recorded).iter().find(|r| r.symbol == symbol).expect("a recorded symbol");
    let price = |units: i64| units as f64 / 10_f64.powi(i32::from(of.scale.price));
    let closed = of.series[&interval].iter().filter(|c| c.close_time < until);
    let kline = |c: &Candle| {
        let fields = KlineFields {
            open_time: c.open_time,
            close_time: c.close_time,
            open: price(c.open),
            high: price(c.high),
            low: price(c.low),
            close: price(c.close),
            volume: c.volume as f64 / 10_f64.powi(i32::from(of.scale.volume)),
            ..KlineFields::default()
        };
        Kline::new(fields).expect("a candle")
    };
    (closed.map(kline).collect(), Tick { decimals: of.scale.price })
}

/// A lane that loaded the older of these bars and heard of the last hundred one by one.
pub fn lane(bars: &[Kline], interval: Interval, preset: &Arc<Preset>) -> Lane {
    let mut lane = Lane::new(interval, preset, RING, Freshness::new(Stream::Fed));
    let mut out = Vec::new();
    let (loaded, heard) = bars.split_at(bars.len().saturating_sub(100));
    let asked = loaded.last().map_or(UNTIL, Kline::close_time);
    let answer =
        Answer { rows: loaded, proved: loaded.len(), unread: 0, from: None, asked, lag: Lag::TakeRest };
    lane.rest(&answer, &mut out);
    for bar in heard {
        lane.stream_closed(*bar, &mut out);
    }
    lane
}

/// A picture of one pair at `until`, with its bars.
pub fn picture(symbol: &str, until: UnixMs) -> Snapshot {
    let preset = Arc::new(fixture::quantdinger());
    let mut row = fixture::row(symbol).build();
    let mut views = Vec::new();
    for interval in fixture::INTERVALS {
        let (all, tick) = bars(symbol, interval, until);
        row.tick = tick;
        let lane = lane(&all, interval, &preset);
        views.push(view(&lane, interval));
    }
    row.lanes = views;
    row.last = row.lanes[0].klines.as_ref().and_then(|k| k.last()).map(Kline::close);
    (row.last_at, row.seen) = (Some(until), Some(until));
    for lane in &mut row.lanes {
        lane.seen = Some(until);
    }
    let mut picture = fixture::as_demo(fixture::snapshot(Vec::new()), until);
    picture.warmup = fixture::snapshot(vec![fixture::row(symbol)]).warmup;
    picture.rows = vec![Arc::new(row)];
    picture
}

fn view(lane: &Lane, interval: Interval) -> LaneView {
    let bars: Vec<Kline> = lane.series().closed().iter().copied().collect();
    LaneView {
        interval,
        state: DataState::Live,
        why: None,
        bars: u32::try_from(bars.len()).expect("a ring"),
        need: 400,
        need_score: 102,
        newest: lane.series().newest().map(|k| (k.open_time(), k.close_time())),
        point: *lane.point(),
        previous: *lane.previous(),
        oldest: bars.first().map(Kline::open_time),
        extremes: None,
        check: None,
        preview: None,
        price_side: None,
        seen: None,
        holes: 0,
        klines: Some(bars.into()),
    }
}
