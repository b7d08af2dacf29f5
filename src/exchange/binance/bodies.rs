//! What REST answers, as candles, instruments and figures.
//!
//! Invariant: unknown fields and unknown values of enumerations cost nothing; an entry that can't
//! be read costs itself and is counted.

mod candles;
mod listing;

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;

use super::wire::{Lenient, Number, change_pct, millis};
use crate::domain::symbol::{Market, Pair, Symbol};
use crate::domain::time::UnixMs;
use crate::exchange::DayEvent;

pub use self::candles::{KlineRows, klines};
pub use self::listing::{ExchangeInfo, exchange_info};

/// The body has another shape than the route promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongShape;

fn from_str<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, WrongShape> {
    serde_json::from_str(body).map_err(|_| WrongShape)
}

/// The exchange's time.
pub fn time(body: &str) -> Result<UnixMs, WrongShape> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        server_time: i64,
    }
    millis(from_str::<Body>(body)?.server_time).ok_or(WrongShape)
}

/// Reads `ticker/24hr`: figures of the pairs in `known`, and how many entries could not be read.
/// Pairs without a trade in the window have no figures, and that is no fault.
pub fn day_figures<S: std::hash::BuildHasher>(
    body: &str,
    market: Market,
    known: &HashSet<&str, S>,
) -> Result<(Vec<DayEvent>, u32), WrongShape> {
    let mut events = Vec::new();
    let mut skipped = 0;
    for entry in from_str::<Vec<Lenient<WireTicker<'_>>>>(body)? {
        match entry {
            Lenient::Good(t) if known.contains(&*t.symbol) => match t.read(market) {
                Some(event) => events.push(event),
                None if t.last_price.0 == 0.0 => {}
                None => skipped += 1,
            },
            Lenient::Good(_) => {}
            Lenient::Bad(_) => skipped += 1,
        }
    }
    Ok((events, skipped))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTicker<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    last_price: Number,
    open_price: Number,
    quote_volume: Number,
    close_time: i64,
}

impl WireTicker<'_> {
    fn read(&self, market: Market) -> Option<DayEvent> {
        Some(DayEvent {
            pair: Pair { market, symbol: self.symbol.parse::<Symbol>().ok()? },
            last: Some(self.last_price.0).filter(|v| v.is_finite() && *v > 0.0)?,
            change_pct: change_pct(self.open_price.0, self.last_price.0)?,
            quote_volume: Some(self.quote_volume.0).filter(|v| v.is_finite() && *v >= 0.0)?,
            event_time: millis(self.close_time)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn day_figures_are_of_known_pairs_and_dead_ones_have_none() {
        let t = |name: &str, last: &str| {
            format!(
                r#"{{"symbol":"{name}","lastPrice":"{last}","openPrice":"100","quoteVolume":"5","closeTime":1760000400000}}"#
            )
        };
        let body = format!(
            "[{},{},{},{},7]",
            t("BTCUSDT", "90"),
            t("BTCUSD_PERP", "9"),
            t("DEAD", "0"),
            t("BAD", "x")
        );
        let known = HashSet::from(["BTCUSDT", "DEAD", "BAD"]);
        let (events, skipped) = day_figures(&body, Market::UsdM, &known).unwrap();
        assert_eq!((events.len(), skipped), (1, 2));
        assert!((events[0].change_pct + 10.0).abs() < 1e-12);
    }

    #[test]
    fn the_time_is_in_milliseconds_or_not_the_time() {
        assert_eq!(time(r#"{"serverTime":1760000400000}"#), Ok(UnixMs(1_760_000_400_000)));
        for bad in ["{}", "[]", r#"{"serverTime":1760000400000000}"#, r#"{"serverTime":"x"}"#] {
            assert_eq!(time(bad), Err(WrongShape), "{bad}");
        }
    }

    const ROW: &str = r#"[1760000400000,"2.0","3.0","1.5","2.5","10",1760001299999,"25",7,"6","15","0"]"#;

    proptest! {
        #[test]
        fn no_body_makes_it_panic(cut in 0usize..400, at in 0usize..400, byte in prop::sample::select(b"[]{},\":-0e.n".to_vec())) {
            let mut body = format!("[{ROW},{ROW},{ROW}]").into_bytes();
            let n = body.len();
            body[at % n] = byte;
            body.truncate(cut);
            if let Ok(text) = std::str::from_utf8(&body) {
                let _ = (klines(text), exchange_info(text, Market::Spot), time(text));
                let _ = day_figures(text, Market::UsdM, &HashSet::new());
            }
        }
    }
}
