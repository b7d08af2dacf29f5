//! A series that can be written down in a line, with figures of an independent program.

use super::bar;
use crate::domain::hama::{BandState, HamaPoint, Sign};
use crate::domain::indicator::Hama;
use crate::domain::interval::Interval;
use crate::domain::kline::Kline;
use crate::domain::preset::Preset;

fn series() -> Vec<Kline> {
    let price = |t: i32| 100.0 + f64::from(((t % 240) - 120).abs()) / 4.0 + f64::from((7 * t) % 13) / 8.0;
    (0..450)
        .map(|t: i32| {
            let (o, c) = (price(t), price(t + 1));
            let h = o.max(c) + f64::from(t % 3) / 4.0;
            let l = o.min(c) - f64::from(t % 2) / 4.0;
            bar(usize::try_from(t).unwrap(), o, h, l, c)
        })
        .collect()
}

fn points(preset: &str) -> Vec<HamaPoint> {
    let mut hama = Hama::new(&Preset::builtin(preset).unwrap(), Interval::M15);
    series().iter().map(|bar| hama.push(bar)).collect()
}

fn near(got: Option<f64>, want: f64) {
    let got = got.unwrap();
    assert!(super::near(got, want, 1e-12), "{got} instead of {want}");
}

#[test]
fn the_rows_of_the_definition_come_out() {
    let p = points("quantdinger");
    let candles = [
        (
            46,
            [124.857_789_855_072_47, 122.141_770_749_643_09, 120.949_462_848_592_83, 122.394_283_536_585_36],
        ),
        (99, [111.615_619_663_474_15, 108.901_668_726_414_63, 107.716_570_697_983_68, 109.151_676_829_268_3]),
        (
            101,
            [111.135_084_909_492_43, 108.476_762_835_001_52, 107.267_986_444_381_21, 108.681_707_317_073_18],
        ),
        (
            399,
            [106.852_058_573_936_69, 109.001_366_882_372_95, 107.846_260_263_128_47, 107.413_643_292_682_92],
        ),
        (
            449,
            [117.573_942_513_462_17, 121.391_797_563_832_06, 120.214_464_638_814_97, 119.895_807_926_829_26],
        ),
    ];
    for (t, [o, h, l, c]) in candles {
        let p: &HamaPoint = &p[t];
        for (got, want) in [(p.open, o), (p.high, h), (p.low, l), (p.close, c)] {
            near(got, want);
        }
    }
    assert_eq!(
        (p[46].ma, p[98].trend, p[100].gradient, p[100].score, p[398].bands),
        (None, None, None, None, None)
    );
    near(p[99].ma, 114.005_371_287_128_71);
    let first = p[99].last_cross.unwrap();
    assert_eq!((p[99].trend, first.inferred, first.time), (Some(Sign::Down), true, None));
    assert!(p[99].open > p[99].high, "the candle's order is not guaranteed");

    let gradients = [(101, Sign::Down, 1), (399, Sign::Up, 5), (449, Sign::Up, 5)];
    for (t, dir, steps) in gradients {
        let g = p[t].gradient.unwrap();
        assert_eq!((g.dir, g.steps, p[t].trend), (dir, steps, Some(dir)));
    }
    near(p[101].score, -77.489_766_696_871_02);
    near(p[399].score, 86.463_772_975_957_07);
    near(p[449].score, 93.477_114_403_727_78);
    for (t, basis, upper) in
        [(399, 114.725, 132.303_138_055_550_68), (449, 113.815_625, 130.000_058_831_231_17)]
    {
        let b = p[t].bands.unwrap();
        near(Some(b.basis), basis);
        near(Some(b.upper), upper);
        assert_eq!(b.state, BandState::Expansion);
    }
}

#[test]
fn flips_are_on_their_bars() {
    let flips = |preset| -> Vec<_> {
        points(preset)
            .iter()
            .enumerate()
            .filter(|(_, p)| p.flip)
            .map(|(t, p)| (t, p.cross.unwrap()))
            .collect()
    };
    assert_eq!(flips("quantdinger"), [(153, Sign::Up), (273, Sign::Down), (393, Sign::Up)]);
    assert_eq!(flips("nsdt").iter().map(|f| f.0).collect::<Vec<_>>(), [150, 269, 389]);
}

#[test]
fn the_last_cross_counts_from_its_bar() {
    let (p, bars) = (points("quantdinger"), series());
    let last = p[160].last_cross.unwrap();
    assert_eq!((last.dir, last.inferred, last.bars), (Sign::Up, false, 7));
    assert_eq!(last.time, Some(bars[153].close_time()));
}
