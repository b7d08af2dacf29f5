//! What can be made to go wrong, and when.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::truth::{Series, Truth};
use crate::domain::symbol::Market;
use crate::domain::time::UnixMs;

/// One thing that goes wrong. Spans are of the exchange's time unless the name says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// All sockets are torn, without a closing frame, and new ones refused for a while.
    WsCut {
        /// Whose; both where not given.
        #[serde(default)]
        market: Option<MarketName>,
        /// How long.
        for_ms: i64,
    },
    /// Sockets stay open, answer pings and requests, and carry no data for a while.
    WsSilence {
        /// Whose; both where not given.
        #[serde(default)]
        market: Option<MarketName>,
        /// How long.
        for_ms: i64,
    },
    /// The closing frames of the next candles never come.
    DropClose {
        /// On which market; any where not given.
        #[serde(default)]
        market: Option<MarketName>,
        /// Of which symbol; any where not given.
        #[serde(default)]
        symbol: Option<String>,
        /// Of which interval; any where not given.
        #[serde(default)]
        interval: Option<String>,
        /// Of how many candles.
        #[serde(default = "one")]
        count: u32,
    },
    /// The closing frames of the next candles come late.
    DelayClose {
        /// On which market; any where not given.
        #[serde(default)]
        market: Option<MarketName>,
        /// Of which symbol; any where not given.
        #[serde(default)]
        symbol: Option<String>,
        /// Of which interval; any where not given.
        #[serde(default)]
        interval: Option<String>,
        /// Of how many candles.
        #[serde(default = "one")]
        count: u32,
        /// How late.
        for_ms: i64,
    },
    /// The next requests fail.
    RestError {
        /// With this HTTP status.
        status: u16,
        /// How many.
        #[serde(default = "one")]
        count: u32,
        /// Only those whose path begins so; all where not given.
        #[serde(default)]
        route: Option<String>,
    },
    /// Each answer of REST takes longer.
    Latency {
        /// By so many milliseconds of real time.
        ms: u64,
        /// For how long; for good where not given.
        #[serde(default)]
        for_ms: Option<i64>,
    },
}

fn one() -> u32 {
    1
}

/// A market's name in a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketName {
    /// USD-M.
    #[serde(alias = "um")]
    Usdm,
    /// Spot.
    Spot,
}

impl MarketName {
    fn market(self) -> Market {
        match self {
            Self::Usdm => Market::UsdM,
            Self::Spot => Market::Spot,
        }
    }
}

/// Which series; each part that is not given means any.
#[derive(Clone, Debug)]
struct Which {
    market: Option<MarketName>,
    symbol: Option<String>,
    interval: Option<String>,
}

impl Which {
    fn fits(&self, series: Series, truth: &Truth) -> bool {
        let Some(listing) = truth.listing(series.listing) else { return false };
        self.market.is_none_or(|m| m.market() == listing.market)
            && self.symbol.as_ref().is_none_or(|s| s == listing.symbol.as_str())
            && self.interval.as_ref().is_none_or(|i| i == series.interval.as_str())
    }
}

impl Fault {
    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WsCut { .. } => "ws_cut",
            Self::WsSilence { .. } => "ws_silence",
            Self::DropClose { .. } => "drop_close",
            Self::DelayClose { .. } => "delay_close",
            Self::RestError { .. } => "rest_error",
            Self::Latency { .. } => "latency",
        }
    }
}

/// A fault and when it sets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// When, on the exchange's clock; at once where not given.
    pub at: Option<UnixMs>,
    /// What.
    pub fault: Fault,
}

/// Why a list of faults can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BadFault {
    /// It is not JSON, or not a list of objects.
    #[error("faults are a JSON object or a list of them, like {{\"kind\":\"ws_cut\",\"for_ms\":60000}}: {0}")]
    Json(String),
    /// One of them is wrong.
    #[error("fault {number}: {why}")]
    Entry {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads one fault or a list of them, each with an optional `at` (milliseconds or RFC 3339).
pub fn parse(json: &str) -> Result<Vec<Scheduled>, BadFault> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|e| BadFault::Json(e.to_string()))?;
    let entries = match value {
        serde_json::Value::Array(entries) => entries,
        one => vec![one],
    };
    let numbered = entries.into_iter().enumerate();
    numbered.map(|(n, e)| entry(e).map_err(|why| BadFault::Entry { number: n + 1, why })).collect()
}

fn entry(mut value: serde_json::Value) -> Result<Scheduled, String> {
    let object = value.as_object_mut().ok_or("not an object")?;
    let at = match object.remove("at") {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(text)) => Some(parse_time(&text).ok_or("`at` is no time")?),
        Some(number) => Some(UnixMs(number.as_i64().ok_or("`at` is no time")?)),
    };
    let fault = serde_json::from_value(value).map_err(|e| e.to_string())?;
    Ok(Scheduled { at, fault })
}

/// Reads `2025-10-10T20:00Z`, `2025-10-10T20:00:00Z` (or with an offset), `2025-10-10`, or
/// milliseconds.
pub fn parse_time(text: &str) -> Option<UnixMs> {
    if let Ok(ms) = text.parse::<i64>() {
        return Some(UnixMs(ms));
    }
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.strip_suffix('Z').filter(|t| t.len() == 16).map_or(text.to_owned(), |t| format!("{t}:00Z")),
    };
    Some(UnixMs(chrono::DateTime::parse_from_rfc3339(&whole).ok()?.timestamp_millis()))
}

/// A span of the exchange's time on some markets.
#[derive(Clone, Copy, Debug)]
struct Window {
    market: Option<Market>,
    until: UnixMs,
}

impl Window {
    fn covers(&self, market: Market, now: UnixMs) -> bool {
        now < self.until && self.market.is_none_or(|m| m == market)
    }
}

#[derive(Clone, Debug)]
struct Closes {
    of: Which,
    left: u32,
    delay: Option<i64>,
    /// Candles it took already: each socket that carries the series loses the same ones.
    taken: BTreeSet<(Series, UnixMs)>,
}

#[derive(Clone, Debug)]
struct Refusal {
    status: u16,
    left: u32,
    route: Option<String>,
}

/// What happens to a closing frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    Sent,
    Dropped,
    Delayed(i64),
}

/// The faults in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultBoard {
    cuts: Vec<Window>,
    silences: Vec<Window>,
    closes: Vec<Closes>,
    refusals: Vec<Refusal>,
    latencies: Vec<(u64, Option<UnixMs>)>,
    /// Cuts so far, of USD-M and of spot: at a high speed one may be over before a socket looks.
    begun: (u64, u64),
}

impl FaultBoard {
    pub(crate) fn inject(&mut self, fault: Fault, now: UnixMs) {
        let window = |market: Option<MarketName>, for_ms: i64| Window {
            market: market.map(MarketName::market),
            until: UnixMs(now.0.saturating_add(for_ms)),
        };
        let closes = |of, left, delay| Closes { of, left, delay, taken: BTreeSet::new() };
        match fault {
            Fault::WsCut { market, for_ms } => {
                self.begun.0 += u64::from(market != Some(MarketName::Spot));
                self.begun.1 += u64::from(market != Some(MarketName::Usdm));
                self.cuts.push(window(market, for_ms));
            }
            Fault::WsSilence { market, for_ms } => self.silences.push(window(market, for_ms)),
            Fault::DropClose { market, symbol, interval, count } => {
                self.closes.push(closes(Which { market, symbol, interval }, count, None));
            }
            Fault::DelayClose { market, symbol, interval, count, for_ms } => {
                self.closes.push(closes(Which { market, symbol, interval }, count, Some(for_ms)));
            }
            Fault::RestError { status, count, route } => {
                self.refusals.push(Refusal { status, left: count, route });
            }
            Fault::Latency { ms, for_ms } => {
                self.latencies.push((ms, for_ms.map(|f| UnixMs(now.0.saturating_add(f)))));
            }
        }
    }

    pub(crate) fn cut(&mut self, market: Market, now: UnixMs) -> bool {
        self.cuts.retain(|w| now < w.until);
        self.cuts.iter().any(|w| w.covers(market, now))
    }

    /// How many cuts of a market there were.
    pub(crate) fn cuts(&self, market: Market) -> u64 {
        match market {
            Market::UsdM => self.begun.0,
            Market::Spot => self.begun.1,
        }
    }

    pub(crate) fn silent(&mut self, market: Market, now: UnixMs) -> bool {
        self.silences.retain(|w| now < w.until);
        self.silences.iter().any(|w| w.covers(market, now))
    }

    pub(crate) fn close(&mut self, series: Series, open: UnixMs, truth: &Truth) -> Close {
        for rule in &mut self.closes {
            let known = rule.taken.contains(&(series, open));
            if !known && (rule.left == 0 || !rule.of.fits(series, truth)) {
                continue;
            }
            if !known {
                rule.left -= 1;
                rule.taken.insert((series, open));
            }
            return rule.delay.map_or(Close::Dropped, Close::Delayed);
        }
        Close::Sent
    }

    /// The status that a request for `path` fails with.
    pub(crate) fn refusal(&mut self, path: &str) -> Option<u16> {
        self.refusals.retain(|r| r.left > 0);
        let fits = |r: &&mut Refusal| r.route.as_ref().is_none_or(|p| path.starts_with(p.as_str()));
        let refusal = self.refusals.iter_mut().find(fits)?;
        refusal.left -= 1;
        Some(refusal.status)
    }

    pub(crate) fn latency(&mut self, now: UnixMs) -> u64 {
        self.latencies.retain(|(_, until)| until.is_none_or(|u| now < u));
        self.latencies.iter().map(|(ms, _)| ms).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_with_their_time_and_wrong_ones_named() {
        let read = parse(r#"[{"kind":"ws_cut","for_ms":60000,"at":"2025-10-10T20:00Z"},{"at":5,"kind":"drop_close","symbol":"BTCUSDT","interval":"15m"}]"#).unwrap();
        assert_eq!(read[0].at, Some(UnixMs(1_760_126_400_000)));
        assert_eq!(read[0].fault, Fault::WsCut { market: None, for_ms: 60_000 });
        let (symbol, interval) = (Some("BTCUSDT".into()), Some("15m".into()));
        let fault = Fault::DropClose { market: None, symbol, interval, count: 1 };
        assert_eq!(read[1], Scheduled { at: Some(UnixMs(5)), fault });
        let wrong = parse(r#"[{"kind":"latency","ms":5},{"kind":"flood"}]"#).unwrap_err().to_string();
        assert!(wrong.contains("fault 2") && wrong.contains("ws_silence"), "{wrong}");
        assert!(parse("{").is_err());
        assert!(parse(r#"{"kind":"ws_cut","for_ms":1,"fro":2}"#).is_err());
    }

    #[test]
    fn requests_fail_as_often_as_was_said() {
        let mut board = FaultBoard::default();
        let route = Some("/fapi/v1/klines".to_owned());
        board.inject(Fault::RestError { status: 500, count: 2, route }, UnixMs(0));
        assert_eq!(board.refusal("/fapi/v1/time"), None);
        let answers: Vec<_> = (0..3).map(|_| board.refusal("/fapi/v1/klines")).collect();
        assert_eq!(answers, [Some(500), Some(500), None]);
    }

    #[test]
    fn windows_end_on_the_exchanges_clock() {
        let mut board = FaultBoard::default();
        board.inject(Fault::WsCut { market: Some(MarketName::Spot), for_ms: 100 }, UnixMs(1_000));
        assert!(board.cut(Market::Spot, UnixMs(1_099)));
        assert!(!board.cut(Market::UsdM, UnixMs(1_050)));
        assert!(!board.cut(Market::Spot, UnixMs(1_100)));
    }
}
