//! Frames and pages from bytes to candles, against a bare typed parse by `serde_json`.
//!
//! `cargo bench --bench ingest [NAME]`. Subject and reference take turns on the same input;
//! before that, both must agree on it.

#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, clippy::struct_field_names, clippy::range_plus_one)]

#[path = "kernel/bare_serde.rs"]
mod bare_serde;
#[path = "measure/interleaved.rs"]
mod interleaved;

use std::fmt::Write as _;
use std::hint::black_box;

use bare_serde::Bar;
use hamatop::domain::kline::{Finality, Kline};
use hamatop::exchange::binance::bodies;
use hamatop::exchange::binance::wire::{self, Frame, KlineFrame};
use interleaved::interleaved;

const FRAMES: &str = include_str!("../tests/fixtures/wire/kline-frames.jsonl");
const GOAL: f64 = 1.05;
const ROUNDS: usize = 2_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let run = |name: &str| wanted.as_ref().is_none_or(|w| name.contains(w.as_str()));
    if run("ingest/frame") {
        frame();
    }
    if run("ingest/rest_500") {
        rest();
    }
}

/// Each figure is of all recorded combined frames, read twenty times.
fn frame() {
    let frames: Vec<&str> = FRAMES.lines().filter(|l| l.starts_with("{\"stream\"")).collect();
    for text in &frames {
        let subject = kline(text);
        let (stream, symbol, interval, bar) = bare_serde::frame(text);
        assert_eq!(
            (subject.stream.as_deref(), &*subject.symbol, &*subject.interval),
            (Some(stream), symbol, interval)
        );
        let closed = subject.finality == Finality::Closed;
        assert_eq!(bar_of(&subject.kline, subject.event_time.0, closed), bar);
    }
    let times = |each: &mut dyn FnMut(&str)| {
        for _ in 0..20 {
            for text in &frames {
                each(black_box(text));
            }
        }
    };
    let pair = interleaved(
        ROUNDS,
        || times(&mut |t| drop(black_box(kline(t)))),
        || times(&mut |t| _ = black_box(bare_serde::frame(t))),
    );
    pair.print("ingest/frame", "bare serde_json, typed", GOAL);
}

fn rest() {
    let page = page();
    let subject = bodies::klines(&page).expect("a page");
    assert_eq!((subject.rows.len(), subject.skipped), (500, 0));
    let ours: Vec<Bar> = subject.rows.iter().map(|k| bar_of(k, 0, false)).collect();
    assert_eq!(ours, bare_serde::rows(&page));
    let pair = interleaved(
        ROUNDS,
        || bodies::klines(black_box(&page)).expect("a page"),
        || bare_serde::rows(black_box(&page)),
    );
    pair.print("ingest/rest_500", "bare serde_json, typed", GOAL);
}

fn kline(text: &str) -> KlineFrame<'_> {
    match wire::parse(text) {
        Ok(Frame::Kline(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

fn bar_of(k: &Kline, event_time: i64, closed: bool) -> Bar {
    let given = |v: Option<f64>| v.expect("the recordings have all fields");
    Bar {
        event_time,
        times: [k.open_time().0, k.close_time().0],
        prices: [k.open(), k.high(), k.low(), k.close()],
        volumes: [k.volume(), given(k.quote_volume()), given(k.taker_base()), given(k.taker_quote())],
        trades: k.trades().expect("the recordings have all fields"),
        closed,
    }
}

/// Five hundred rows with figures as long as the exchange's.
fn page() -> String {
    let mut page = String::from("[");
    for n in 0..500_i64 {
        let open = 1_760_000_400_000 + n * 900_000;
        let price = 83_070.80 + n as f64 * 0.1;
        let comma = if n == 0 { "" } else { "," };
        write!(
            page,
            r#"{comma}[{open},"{price:.2}","{:.2}","{:.2}","{price:.2}","86.568",{},"7193689.13750",2723,"55.410","4604044.96780","0"]"#,
            price + 72.2,
            price - 0.1,
            open + 899_999,
        )
        .expect("a string takes all");
    }
    page + "]"
}
