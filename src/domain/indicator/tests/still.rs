//! Markets that stand still.

use super::{bar, walk};
use crate::domain::hama::{HamaPoint, Sign};
use crate::domain::indicator::{Hama, HamaColumns, HamaOptions, InitialSide};
use crate::domain::interval::Interval;
use crate::domain::preset::{BandForm, BandsSpec, Preset};

fn presets() -> Vec<Preset> {
    let bands = BandsSpec { form: BandForm::Simple, length: 50, mult: 2.0 };
    let more = Preset::builtins().map(|p| p.with_bands(Some(bands)).unwrap());
    Preset::builtins().into_iter().chain(more).collect()
}

fn says_nothing(p: &HamaPoint) {
    assert!(p.open_slope.is_none_or(|s| s == Sign::Flat), "{p:?}");
    assert!(p.ma_slope.is_none_or(|s| s == Sign::Flat), "{p:?}");
    assert!(p.side.is_none_or(|s| s == Sign::Flat), "{p:?}");
    assert!(p.trend.is_none_or(|s| s == Sign::Flat), "{p:?}");
    assert!(p.dev_pct.is_none_or(|d| d == 0.0), "{p:?}");
    assert!(p.cross.is_none() && !p.flip, "{p:?}");
    assert!(p.bands.is_none_or(|b| b.pos.is_none() && b.breakout.is_none()), "{p:?}");
}

#[test]
fn a_market_that_never_moved_says_nothing() {
    for preset in presets() {
        for price in [0.1, 1e-8 / 3.0, 61_234.567, 1e6 / 7.0] {
            let bars: Vec<_> = (0..1_200).map(|t| bar(t, price, price, price, price)).collect();
            let mut hama = Hama::new(&preset, Interval::M15);
            let mut columns = HamaColumns::new(&preset, Interval::M15);
            columns.compute(&bars);
            for (t, bar) in bars.iter().enumerate() {
                let p = hama.push(bar);
                says_nothing(&p);
                assert!(p.gradient.is_none_or(|g| g.dir == Sign::Flat && g.steps == 0), "{p:?}");
                assert!(p.last_cross.is_none_or(|c| c.dir == Sign::Flat && !c.inferred && c.time.is_none()));
                assert!(p.score.is_none_or(|s| s == 0.0));
                assert_eq!(columns.point(t), Some(p));
            }
            assert!(hama.push(&bars[0]).score.is_some());
        }
    }
}

#[test]
fn a_market_that_stops_falls_silent() {
    for preset in presets().iter().filter(|p| &*p.name == "quantdinger" || &*p.name == "qd-monitor") {
        let mut bars = walk(7, 500, 3.3, 0.02);
        let last = bars[499].close();
        bars.extend((500..2_500).map(|t| bar(t, last, last, last, last)));
        let mut hama = Hama::new(preset, Interval::H1);
        let points: Vec<_> = bars.iter().map(|bar| hama.push(bar)).collect();
        // An exponential average of 45 bars has come to rest in the twelfth digit by then.
        points[2_000..].iter().for_each(says_nothing);
    }
}

#[test]
fn a_market_that_wakes_up_has_a_signal() {
    let mut hama = Hama::new(&Preset::default(), Interval::M15);
    for t in 0..300 {
        hama.push(&bar(t, 2.0, 2.0, 2.0, 2.0));
    }
    let p = hama.push(&bar(300, 2.0, 2.2, 2.0, 2.2));
    assert_eq!((p.cross, p.flip), (Some(Sign::Up), true));
}

#[test]
fn nothing_is_inferred_where_that_is_not_wanted() {
    let options = HamaOptions { initial_side: InitialSide::None, ..HamaOptions::default() };
    let mut hama = Hama::with_options(&Preset::default(), Interval::M15, options);
    let mut last = HamaPoint::UNKNOWN;
    for t in 0_u32..150 {
        let price = 100.0 + f64::from(t);
        last = hama.push(&bar(t as usize, price, price + 1.0, price, price + 1.0));
    }
    let cross = last.last_cross.unwrap();
    assert_eq!((last.side, last.trend), (Some(Sign::Up), Some(Sign::Flat)));
    assert_eq!((cross.dir, cross.inferred, cross.time), (Sign::Flat, false, None));
}
