use super::*;
use crate::fixture::{INTERVALS, quantdinger};
use crate::replayed::{self, UNTIL};

fn study(bars: &[Kline]) -> Study {
    Study::of(bars.into(), &quantdinger(), Interval::M15)
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        (a, b) => a == b,
    }
}

/// The engine's lane has heard of more bars than its ring holds, one after the other.
#[test]
fn the_last_bar_says_what_the_engine_says_of_it() {
    let preset = Arc::new(quantdinger());
    for symbol in ["BTCUSDT", "1000PEPEUSDT", "SOLUSDT", "DOGEUSDT"] {
        for interval in INTERVALS {
            let (all, _) = replayed::bars(symbol, interval, UNTIL);
            assert!(all.len() > 600, "{}", all.len());
            let lane = replayed::lane(&all, interval, &preset);
            let ring: Vec<Kline> = lane.series().closed().iter().copied().collect();
            assert_eq!(ring.len(), 500);
            let study = Study::of(ring.into(), &preset, interval);
            let (ours, theirs) = (study.points.last().unwrap(), lane.point());
            let figures = |p: &HamaPoint| {
                let bands = p.bands.map(|b| [b.upper, b.basis, b.lower, b.width]);
                let parts = p.parts.map(|p| [p.trend, p.distance, p.gradient, p.body]);
                let own = [p.open, p.high, p.low, p.close, p.ma, p.dev_pct, p.score];
                (own, bands.unwrap_or_default(), parts.unwrap_or_default())
            };
            let (a, b) = (figures(ours), figures(theirs));
            assert!(a.0.iter().zip(b.0).all(|(a, b)| near(*a, b)), "{symbol} {interval}: {a:?} {b:?}");
            let rest =
                |f: &([Option<f64>; 7], [f64; 4], [f64; 4])| f.1.into_iter().chain(f.2).collect::<Vec<_>>();
            assert!(rest(&a).iter().zip(rest(&b)).all(|(a, b)| near(Some(*a), Some(b))), "{a:?} {b:?}");
            assert_eq!((ours.color, ours.side, ours.trend), (theirs.color, theirs.side, theirs.trend));
            assert_eq!((ours.cross, ours.flip, ours.gradient), (theirs.cross, theirs.flip, theirs.gradient));
        }
    }
}

#[test]
fn a_cross_is_told_with_what_the_market_did_until_the_next() {
    let (bars, _) = replayed::bars("BTCUSDT", Interval::M15, UNTIL);
    let study = study(&bars);
    let flips: Vec<&Crossed> = study.crosses.iter().filter(|c| c.flip).collect();
    assert!(flips.len() >= 4, "{}", flips.len());
    assert!(study.crosses.windows(2).all(|w| w[0].close_time > w[1].close_time), "newest first");
    let place = |c: &Crossed| bars.iter().position(|b| b.close_time() == c.close_time).unwrap();
    for pair in flips.windows(2) {
        let (end, start) = (place(pair[0]), place(pair[1]));
        let crossed = pair[1];
        assert_eq!(crossed.held as usize, end - start);
        assert_ne!(pair[0].dir, crossed.dir, "flips alternate");
        let point = &study.points[start];
        assert_eq!(
            (point.cross, point.close, point.ma),
            (Some(crossed.dir), Some(crossed.close), Some(crossed.ma))
        );
        let entry = bars[start].close();
        let mut best = 0.0_f64;
        let mut worst = 0.0_f64;
        for bar in &bars[start + 1..=end] {
            for price in [bar.high(), bar.low()] {
                let pct = (price / entry - 1.0) * 100.0 * crossed.dir.as_f64();
                (best, worst) = (best.max(pct), worst.min(pct));
            }
        }
        let e = crossed.excursion.unwrap();
        assert!(
            (e.favourable - best).abs() < 1e-9 && (e.adverse - worst).abs() < 1e-9,
            "{e:?} {best} {worst}"
        );
    }
}

/// What was said of a cross that has ended is not changed by what came after.
#[test]
fn no_cross_knows_what_came_after_it() {
    let (bars, _) = replayed::bars("SOLUSDT", Interval::M15, UNTIL);
    let whole = study(&bars);
    for cut in (200..bars.len()).step_by(37) {
        let part = study(&bars[..cut]);
        let newest = bars[cut - 1].close_time();
        let older: Vec<&Crossed> = whole.crosses.iter().filter(|c| c.close_time <= newest).collect();
        assert_eq!(older.len(), part.crosses.len());
        let last_flip = part.crosses.iter().position(|c| c.flip).map_or(part.crosses.len(), |n| n + 1);
        for (n, (whole, part)) in older.iter().zip(&part.crosses).enumerate() {
            assert_eq!((whole.close_time, whole.dir, whole.close), (part.close_time, part.dir, part.close));
            assert!(n < last_flip || **whole == *part, "{whole:?} {part:?}");
            assert!(part.held as usize <= cut);
        }
        let on_newest = part.crosses.iter().find(|c| c.close_time == newest);
        assert!(on_newest.is_none_or(|c| c.held == 0 && c.excursion.is_none()));
    }
}
