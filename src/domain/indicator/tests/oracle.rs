//! TA-Lib as the judge of every average.

use ta_lib::{Core, MAType};

use super::{near, walk};
use crate::domain::indicator::ema::Ema;
use crate::domain::indicator::spread::Spread;
use crate::domain::indicator::window_mean::{Sma, Wma};

const LENGTHS: [u32; 9] = [1, 2, 3, 20, 25, 45, 55, 100, 400];

type Oracle = fn(&Core, &[f64], i32, &mut [f64]);

fn check(
    name: &str,
    mut ours: impl FnMut(u32) -> Box<dyn FnMut(f64) -> f64>,
    oracle: Oracle,
    lengths: &[u32],
    by: f64,
) {
    for scale in [1e-8, 1e-3, 1.0, 6e4, 1e6] {
        let x: Vec<f64> =
            walk(11, 3_000, scale, 0.03).iter().map(crate::domain::kline::Kline::close).collect();
        for length in lengths {
            let mut theirs = vec![0.0; x.len()];
            oracle(&Core::new(), &x, i32::try_from(*length).unwrap(), &mut theirs);
            let mut step = ours(*length);
            for (t, x) in x.iter().enumerate() {
                let got = step(*x);
                if t + 1 >= *length as usize {
                    let want = theirs[t + 1 - *length as usize];
                    assert!(near(got, want, by), "{name}{length} at {t}, {scale}: {got} instead of {want}");
                }
            }
        }
    }
}

#[test]
fn exponential_averages_agree() {
    let ours = |length| -> Box<dyn FnMut(f64) -> f64> {
        let mut m = Ema::new(length, length);
        Box::new(move |x| m.push::<false>(x))
    };
    let theirs: Oracle = |core, x, length, out| {
        core.ema(0, x.len() - 1, x, length, out).unwrap();
    };
    check("EMA", ours, theirs, &LENGTHS, 2e-12);
}

#[test]
fn weighted_averages_agree() {
    let ours = |length| -> Box<dyn FnMut(f64) -> f64> {
        let mut m = Wma::new(length);
        Box::new(move |x| m.push(x))
    };
    let theirs: Oracle = |core, x, length, out| {
        core.wma(0, x.len() - 1, x, length, out).unwrap();
    };
    check("WMA", ours, theirs, &LENGTHS, 2e-12);
}

#[test]
fn simple_averages_agree() {
    let ours = |length| -> Box<dyn FnMut(f64) -> f64> {
        let mut m = Sma::new(length);
        Box::new(move |x| m.push(x))
    };
    let theirs: Oracle = |core, x, length, out| {
        core.sma(0, x.len() - 1, x, length, out).unwrap();
    };
    check("SMA", ours, theirs, &LENGTHS, 2e-12);
}

#[test]
fn deviations_and_band_bases_agree() {
    let sigma = |length| -> Box<dyn FnMut(f64) -> f64> {
        let mut m = Spread::new(length);
        Box::new(move |x| m.push::<false>(x).1)
    };
    let theirs: Oracle = |core, x, length, out| {
        core.stddev(0, x.len() - 1, x, length, 1.0, out).unwrap();
    };
    check("σ", sigma, theirs, &LENGTHS[1..], 1e-8);
    let basis = |length| -> Box<dyn FnMut(f64) -> f64> {
        let mut m = Spread::new(length);
        Box::new(move |x| m.push::<false>(x).0)
    };
    let theirs: Oracle = |core, x, length, out| {
        let (mut upper, mut lower) = (out.to_vec(), out.to_vec());
        core.bbands(0, x.len() - 1, x, length, 2.0, 2.0, MAType::SMA, &mut upper, out, &mut lower).unwrap();
    };
    check("basis", basis, theirs, &LENGTHS[1..], 2e-12);
}
