//! A kline frame and a page of rows by `serde_json` alone: the fields typed and borrowed, the
//! numbers parsed, nothing checked, nothing looked up. Shares no code with the product.

use serde::Deserialize;

/// Times, four prices, four volumes, trades, closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    pub event_time: i64,
    pub times: [i64; 2],
    pub prices: [f64; 4],
    pub volumes: [f64; 4],
    pub trades: u32,
    pub closed: bool,
}

#[derive(Deserialize)]
struct Combined<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: Event<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "E")]
    event_time: i64,
    s: &'a str,
    #[serde(borrow)]
    k: Candle<'a>,
}

#[derive(Deserialize)]
struct Candle<'a> {
    t: i64,
    #[serde(rename = "T")]
    close_time: i64,
    i: &'a str,
    o: &'a str,
    c: &'a str,
    h: &'a str,
    l: &'a str,
    v: &'a str,
    n: u32,
    x: bool,
    q: &'a str,
    #[serde(rename = "V")]
    taker_base: &'a str,
    #[serde(rename = "Q")]
    taker_quote: &'a str,
}

/// The stream's name, the pair's, the interval's, and the bar.
pub fn frame(text: &str) -> (&str, &str, &str, Bar) {
    let Combined { stream, data } = serde_json::from_str(text).expect("a recorded frame");
    let k = data.k;
    let bar = Bar {
        event_time: data.event_time,
        times: [k.t, k.close_time],
        prices: [k.o, k.h, k.l, k.c].map(number),
        volumes: [k.v, k.q, k.taker_base, k.taker_quote].map(number),
        trades: k.n,
        closed: k.x,
    };
    (stream, data.s, k.i, bar)
}

type Row<'a> =
    (i64, &'a str, &'a str, &'a str, &'a str, &'a str, i64, &'a str, u32, &'a str, &'a str, &'a str);

/// The bars of a page.
pub fn rows(text: &str) -> Vec<Bar> {
    let rows: Vec<Row<'_>> = serde_json::from_str(text).expect("a page of rows");
    let bar = |r: Row<'_>| Bar {
        event_time: 0,
        times: [r.0, r.6],
        prices: [r.1, r.2, r.3, r.4].map(number),
        volumes: [r.5, r.7, r.9, r.10].map(number),
        trades: r.8,
        closed: false,
    };
    rows.into_iter().map(bar).collect()
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}
