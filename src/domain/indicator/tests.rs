mod golden_rows;
mod long_run;
mod oracle;
mod properties;
mod still;

use crate::domain::kline::{Kline, KlineFields};
use crate::domain::time::UnixMs;

const STEP: i64 = 900_000;

/// A bar of 15 minutes; what is out of order is put right.
#[expect(clippy::many_single_char_names, reason = "their usual names")]
fn bar(t: usize, o: f64, h: f64, l: f64, c: f64) -> Kline {
    let open_time = UnixMs(1_700_000_100_000 + i64::try_from(t).unwrap() * STEP);
    let fields = KlineFields {
        open_time,
        close_time: UnixMs(open_time.0 + STEP - 1),
        open: o,
        high: h.max(o).max(c),
        low: l.min(o).min(c),
        close: c,
        volume: 1.0,
        ..KlineFields::default()
    };
    Kline::new(fields).unwrap()
}

/// A random walk from `price`, `step` being the greatest relative change of a bar.
fn walk(seed: u64, bars: usize, price: f64, step: f64) -> Vec<Kline> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut last = price;
    (0..bars)
        .map(|t| {
            let open = last;
            last = (last * (1.0 + step * (random.f64() * 2.0 - 1.0))).max(price * 1e-3);
            let (h, l) = (1.0 + step * random.f64(), 1.0 - step * 0.5 * random.f64());
            bar(t, open, open.max(last) * h, open.min(last) * l, last)
        })
        .collect()
}

fn near(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}
