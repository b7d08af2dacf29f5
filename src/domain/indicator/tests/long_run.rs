//! What is left of the digits after a long time.

use super::near;
use crate::domain::indicator::spread::Spread;
use crate::domain::indicator::window_mean::{Sma, Wma};

/// Tests are built without optimisation; the release build goes the whole way.
const BARS: usize = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

/// Two passes over the window, nothing carried over.
fn two_pass(window: &[f64]) -> (f64, f64, f64) {
    let length = f64::from(u32::try_from(window.len()).unwrap());
    let anchor = window[0];
    let mean = anchor + window.iter().map(|x| x - anchor).sum::<f64>() / length;
    let variance = window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / length;
    let weights = (1_u32..).map(f64::from);
    let weighted = window.iter().zip(weights).map(|(x, w)| (x - anchor) * w).sum::<f64>();
    (mean, variance.sqrt(), anchor + weighted / (length * (length + 1.0) / 2.0))
}

fn check(x: impl Iterator<Item = f64>, length: u32, every: usize) {
    let (mut sma, mut wma, mut spread) = (Sma::new(length), Wma::new(length), Spread::new(length));
    let mut all = Vec::new();
    for (t, x) in x.enumerate() {
        all.push(x);
        let (plain, weighted, (mean, sigma)) = (sma.push(x), wma.push(x), spread.push::<false>(x));
        if t + 1 < length as usize || !(t.is_multiple_of(every) || t + 50 > BARS) {
            continue;
        }
        let (want_mean, want_sigma, want_weighted) = two_pass(&all[t + 1 - length as usize..]);
        assert!(near(plain, want_mean, 1e-12), "SMA{length} at {t}: {plain} instead of {want_mean}");
        assert!(near(mean, want_mean, 1e-12), "basis{length} at {t}: {mean} instead of {want_mean}");
        assert!(near(weighted, want_weighted, 1e-12), "WMA{length} at {t}: {weighted} not {want_weighted}");
        let nothing = sigma <= 1e-12 * mean && want_sigma <= 1e-12 * want_mean;
        assert!(
            nothing || near(sigma, want_sigma, 1e-9),
            "σ{length} at {t}: {sigma} instead of {want_sigma}"
        );
    }
}

#[test]
fn averages_do_not_drift_at_any_price() {
    for (seed, scale, length) in [(1, 1e-8, 400), (2, 6e4, 400), (3, 1e6, 100), (4, 1.0, 2), (5, 1e-3, 20)] {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut price: f64 = scale;
        let walk = (0..BARS).map(move |_| {
            price = (price * (1.0 + 0.004 * (random.f64() - 0.5))).clamp(scale / 10.0, scale * 10.0);
            price
        });
        check(walk, length, 997);
    }
}

#[test]
fn a_price_that_hardly_moves_keeps_its_deviation() {
    let mut random = fastrand::Rng::with_seed(9);
    check((0..BARS / 4).map(|_| 61_000.0 + 1e-4 * random.f64()), 400, 499);
}

#[test]
fn spikes_jumps_and_rests_leave_nothing_behind() {
    let mut random = fastrand::Rng::with_seed(10);
    let mut price = 1.0;
    let wild = (0..BARS / 10).map(move |t| {
        match t % 2_000 {
            700 => price *= 60.0,
            1_400 => price /= 60.0,
            1_000..1_600 => return price,
            300 => return price * 20.0,
            _ => price *= 1.0 + 0.01 * (random.f64() - 0.5),
        }
        price
    });
    check(wild, 100, 7);
}
