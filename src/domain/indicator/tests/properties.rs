//! What holds for every series.

use proptest::prelude::*;

use super::{near, walk};
use crate::domain::hama::{Bands, HamaPoint};
use crate::domain::indicator::mean::Mean;
use crate::domain::indicator::{EmaSeed, Hama, HamaColumns, HamaOptions, InitialSide};
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::{Average, BandForm, BandsSpec, GradientLine, Line, MaSource, Preset};

fn line() -> impl Strategy<Value = Line> {
    let kind = prop_oneof![Just(Average::Ema), Just(Average::Wma), Just(Average::Sma)];
    (kind, prop_oneof![1_u32..60, 100_u32..300]).prop_map(|(kind, length)| Line { kind, length })
}

fn bands() -> impl Strategy<Value = Option<BandsSpec>> {
    let form = prop_oneof![Just(BandForm::Simple), Just(BandForm::Exponential)];
    let spec = (form, 1_u32..300, 0.5..3.0).prop_map(|(form, length, mult)| BandsSpec { form, length, mult });
    proptest::option::of(spec)
}

fn custom() -> impl Strategy<Value = Preset> {
    let source = prop::sample::select(MaSource::ALL.to_vec());
    let gradient = prop_oneof![Just(GradientLine::Ma), line().prop_map(GradientLine::OfClose)];
    let candle = (line(), line(), line(), line());
    (candle, line(), source, gradient, bands()).prop_map(|((o, h, l, c), ma, source, gradient, bands)| {
        let preset = Preset::custom("x").open(o).high(h).low(l).close(c);
        preset.ma(ma, source).gradient(gradient).bands(bands).build().unwrap()
    })
}

fn preset() -> impl Strategy<Value = Preset> {
    prop_oneof![prop::sample::select(Preset::builtins().to_vec()), custom()]
}

fn options() -> impl Strategy<Value = HamaOptions> {
    let side = prop_oneof![Just(InitialSide::Infer), Just(InitialSide::None)];
    let seed = prop_oneof![Just(EmaSeed::Mean), Just(EmaSeed::First)];
    (side, seed).prop_map(|(initial_side, ema_seed)| HamaOptions { initial_side, ema_seed })
}

/// Walks at all price scales, with stretches in which nothing moves.
fn series(bars: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Kline>> {
    let scale = prop::sample::select(vec![1e-8, 1e-5, 1e-2, 1.0, 6e4, 1e6]);
    (any::<u64>(), bars, scale, 0.0..0.05_f64, any::<bool>()).prop_map(|(seed, n, scale, step, rests)| {
        let mut bars = walk(seed, n, scale, step);
        if rests {
            let (from, to) = (n / 3, n / 2);
            let price = bars[from].close();
            for (t, bar) in bars.iter_mut().enumerate().take(to).skip(from) {
                *bar = super::bar(t, price, price, price, price);
            }
        }
        bars
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn incremental_equals_batch(preset in preset(), options in options(), bars in series(1..900)) {
        let mut hama = Hama::with_options(&preset, Interval::H1, options);
        let mut columns = HamaColumns::with_options(&preset, Interval::H1, options);
        // Columns that held another series before.
        columns.compute(&bars[..bars.len() / 2]);
        columns.compute(&bars);
        for (t, bar) in bars.iter().enumerate() {
            prop_assert_eq!(columns.point(t), Some(hama.push(bar)), "bar {}", t);
        }
        prop_assert_eq!(columns.point(bars.len()), None);
    }

    #[test]
    fn a_peek_sees_what_a_push_would_give_and_keeps_nothing(preset in preset(), bars in series(2..700)) {
        let mut hama = Hama::new(&preset, Interval::M15);
        for pair in bars.windows(2) {
            hama.push(&pair[0]);
            let before = hama.clone();
            let seen = hama.peek(&pair[1]);
            hama.peek(&pair[0]);
            prop_assert_eq!(&hama, &before);
            prop_assert_eq!(seen, before.clone().push(&pair[1]));
        }
    }

    #[test]
    fn fields_are_known_from_the_bar_the_preset_says(preset in preset(), bars in series(900..901)) {
        let mut hama = Hama::new(&preset, Interval::M15);
        let points: Vec<_> = bars.iter().map(|bar| hama.push(bar)).collect();
        let needs = preset.needs();
        let first = |known: fn(&HamaPoint) -> bool| {
            points.iter().position(known).and_then(|n| u32::try_from(n).ok())
        };
        prop_assert_eq!(first(|p| p.open.is_some()), Some(needs.open));
        prop_assert_eq!(first(|p| p.ma.is_some()), Some(needs.ma));
        prop_assert_eq!(first(|p| p.trend.is_some()), Some(needs.trend()));
        prop_assert_eq!(first(|p| p.gradient.is_some()), Some(needs.gradient));
        prop_assert_eq!(first(|p| p.bands.is_some()), needs.bands.filter(|b| *b < 900));
        prop_assert_eq!(first(|p| p.score.is_some()), Some(preset.need_score() - 1));
        for p in &points {
            let figures = [p.open, p.close, p.ma, p.dev_pct, p.score, p.bands.map(|b| b.width), p.bands.and_then(|b| b.pos)];
            prop_assert!(figures.iter().flatten().all(|x| x.is_finite()), "{p:?}");
            prop_assert!(p.score.is_none_or(|s| s.abs() <= 100.0));
        }
    }
}

#[test]
fn the_heap_is_counted_to_the_byte() {
    let bytes = |name: &str| Hama::new(&Preset::builtin(name).unwrap(), Interval::M15).heap_bytes();
    assert_eq!(bytes("quantdinger"), 8 * (40 + 100 + 400));
    let own_line = size_of::<Mean>() + size_of::<f64>();
    assert_eq!(bytes("nsdt"), 8 * 55 + own_line);
    assert_eq!(bytes("aicoin"), 0);
    assert_eq!(bytes("qd-monitor"), 8 * (20 + 55));
}

#[test]
fn a_restart_from_the_retained_bars_changes_nothing() {
    for preset in Preset::builtins() {
        for (seed, scale) in (0..6).zip([6e4, 1e-5, 1.0, 3e-3, 2e2, 1e6]) {
            let depth = preset.depth as usize;
            let bars = walk(100 + seed, 6_000 + depth, scale, 0.012);
            let mut stayed = Hama::new(&preset, Interval::M15);
            for bar in &bars[..6_000] {
                stayed.push(bar);
            }
            let mut restarted = Hama::new(&preset, Interval::M15);
            let mut last = None;
            for bar in &bars[6_000..] {
                last = Some((stayed.push(bar), restarted.push(bar)));
            }
            let (a, b) = last.unwrap();
            agree(&preset, &a, &b);
        }
    }
}

/// Discrete fields are the same, values within 1e-9; a cross older than the bars is inferred.
fn agree(preset: &Preset, a: &HamaPoint, b: &HamaPoint) {
    let what = format!("{preset}: {a:?} {b:?}");
    let values = |p: &HamaPoint| [p.open, p.high, p.low, p.close, p.ma].map(Option::unwrap);
    for (x, y) in values(a).into_iter().zip(values(b)) {
        assert!(near(x, y, 1e-9), "{what}");
    }
    assert!((a.dev_pct.unwrap() - b.dev_pct.unwrap()).abs() < 1e-6, "{what}");
    assert!((a.score.unwrap() - b.score.unwrap()).abs() < 1e-6, "{what}");
    let discrete =
        |p: &HamaPoint| (p.color, p.open_slope, p.gradient, p.ma_slope, p.side, p.trend, p.strength, p.flip);
    assert_eq!(discrete(a), discrete(b), "{what}");
    let (seen, again) = (a.last_cross.unwrap(), b.last_cross.unwrap());
    assert_eq!(seen.dir, again.dir, "{what}");
    if again.inferred {
        assert!(seen.bars >= again.bars, "{what}");
    } else {
        assert_eq!((seen.bars, seen.time), (again.bars, again.time), "{what}");
    }
    let tolerance = match preset.bands.map(|b| b.form) {
        Some(BandForm::Exponential) => 1e-2,
        _ => 1e-9,
    };
    let figures = |b: &Bands| [b.basis, b.upper, b.lower];
    if let (Some(x), Some(y)) = (a.bands, b.bands) {
        for (x, y) in figures(&x).into_iter().zip(figures(&y)) {
            assert!(near(x, y, tolerance), "{what}");
        }
    }
}
