//! The exchange's addresses, and the names of streams.
//!
//! Invariant: every base URL is configuration; a path is only ever appended.

use std::fmt::Write as _;

use crate::domain::symbol::{Market, SeriesKey, Symbol};
use crate::exchange::pages::Page;
use crate::exchange::{ErrorKind, ExchangeError};

/// The stream of the 24 h figures of all pairs.
pub const DAY_STREAM: &str = "!miniTicker@arr";

/// The stream of a series. Only the symbol is lowered: `kline_1M` is not `kline_1m`.
pub fn stream_name(key: &SeriesKey) -> String {
    format!("{}@kline_{}", key.pair.symbol.to_stream_name(), key.interval.as_str())
}

/// Where a market is asked and listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    market: Market,
    rest: String,
    stream: String,
}

impl Endpoint {
    /// Binance's own addresses.
    pub fn official(market: Market) -> Self {
        let (rest, stream) = match market {
            Market::UsdM => ("https://fapi.binance.com", "wss://fstream.binance.com"),
            Market::Spot => ("https://api.binance.com", "wss://stream.binance.com:9443"),
        };
        Self { market, rest: rest.to_owned(), stream: format!("{stream}{}", stream_route(market)) }
    }

    /// Other hosts that speak Binance's protocol; `None` keeps Binance's own. Routes are appended
    /// to what is given: `/fapi/v1/…` or `/api/v3/…`, and `/market/stream` or `/stream`.
    pub fn new(market: Market, rest: Option<&str>, stream: Option<&str>) -> Result<Self, ExchangeError> {
        let mut endpoint = Self::official(market);
        if let Some(rest) = rest {
            endpoint.rest = base(rest, ["http", "https"], "--rest-url")?;
        }
        if let Some(stream) = stream {
            let mut base = base(stream, ["ws", "wss"], "--ws-url")?;
            // Addresses are often copied with their route.
            for route in ["/stream", "/ws", "/market"] {
                base.truncate(base.strip_suffix(route).unwrap_or(&base).trim_end_matches('/').len());
            }
            endpoint.stream = base + stream_route(market);
        }
        Ok(endpoint)
    }

    /// Whose.
    pub fn market(&self) -> Market {
        self.market
    }

    /// The base of the REST routes, for messages.
    pub fn rest_base(&self) -> &str {
        &self.rest
    }

    /// The address of a combined connection.
    pub fn stream_url(&self) -> &str {
        &self.stream
    }

    /// The exchange's time.
    pub fn time_url(&self) -> String {
        self.route("time")
    }

    /// All instruments.
    pub fn exchange_info_url(&self) -> String {
        match self.market {
            Market::UsdM => self.route("exchangeInfo"),
            // Permission sets are most of the bytes.
            Market::Spot => self.route("exchangeInfo?showPermissionSets=false"),
        }
    }

    /// All 24 h figures.
    pub fn day_url(&self) -> String {
        match self.market {
            Market::UsdM => self.route("ticker/24hr"),
            Market::Spot => self.route("ticker/24hr?type=MINI"),
        }
    }

    /// One page of candles.
    pub fn klines_url(&self, key: &SeriesKey, page: Page) -> String {
        let mut url = self.route("klines?symbol=");
        percent_encode(&key.pair.symbol, &mut url);
        // Writing to a string does not fail.
        let _ = write!(url, "&interval={}&limit={}", key.interval.as_str(), page.limit);
        if let Some(start) = page.start {
            let _ = write!(url, "&startTime={start}");
        }
        if let Some(end) = page.end {
            let _ = write!(url, "&endTime={end}");
        }
        url
    }

    fn route(&self, name: &str) -> String {
        let version = match self.market {
            Market::UsdM => "/fapi/v1/",
            Market::Spot => "/api/v3/",
        };
        format!("{}{version}{name}", self.rest)
    }
}

/// Klines of USD-M come by `/market` only; without it a connection is accepted, acknowledges, and
/// stays silent.
fn stream_route(market: Market) -> &'static str {
    match market {
        Market::UsdM => "/market/stream",
        Market::Spot => "/stream",
    }
}

fn base(given: &str, schemes: [&str; 2], option: &str) -> Result<String, ExchangeError> {
    let [plain, tls] = schemes;
    let reject = |why: &str| {
        let text =
            format!("{option} {given:?}: {why}; it is to look like {tls}://host or {plain}://127.0.0.1:8080");
        ExchangeError::new(ErrorKind::Rejected, text)
    };
    let trimmed = given.trim().trim_end_matches('/');
    let (scheme, rest) = trimmed.split_once("://").ok_or_else(|| reject("there is no scheme"))?;
    if !schemes.iter().any(|s| s.eq_ignore_ascii_case(scheme)) {
        return Err(reject("the scheme is wrong"));
    }
    if rest.contains(['?', '#']) {
        return Err(reject("a query has no place in it"));
    }
    let uri: http::Uri = trimmed.parse().map_err(|_| reject("it is no URL"))?;
    match uri.authority() {
        Some(a) if a.as_str().contains('@') => Err(reject("a user name has no place in it")),
        Some(a) if !a.host().is_empty() => Ok(format!("{}://{rest}", scheme.to_ascii_lowercase())),
        _ => Err(reject("there is no host")),
    }
}

fn percent_encode(symbol: &Symbol, out: &mut String) {
    for byte in symbol.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::Interval;
    use crate::domain::symbol::Pair;
    use crate::domain::time::UnixMs;

    fn key(market: Market, symbol: &str, interval: Interval) -> SeriesKey {
        SeriesKey::new(Pair { market, symbol: symbol.parse().unwrap() }, interval)
    }

    #[test]
    fn item_07_stream_names_keep_the_case_of_the_interval() {
        for (symbol, interval, want) in [
            ("BTCUSDT", Interval::M1, "btcusdt@kline_1m"),
            ("BTCUSDT", Interval::Mo1, "btcusdt@kline_1M"),
            ("币安人生USDT", Interval::H4, "币安人生usdt@kline_4h"),
            ("BTCUSDT_261225", Interval::D1, "btcusdt_261225@kline_1d"),
        ] {
            assert_eq!(stream_name(&key(Market::UsdM, symbol, interval)), want);
        }
    }

    #[test]
    fn official_addresses_have_the_right_path() {
        let um = Endpoint::official(Market::UsdM);
        assert_eq!(um.stream_url(), "wss://fstream.binance.com/market/stream");
        assert_eq!(um.exchange_info_url(), "https://fapi.binance.com/fapi/v1/exchangeInfo");
        let spot = Endpoint::official(Market::Spot);
        assert_eq!(spot.stream_url(), "wss://stream.binance.com:9443/stream");
        assert_eq!(spot.time_url(), "https://api.binance.com/api/v3/time");
    }

    #[test]
    fn routes_are_appended_to_any_host_with_or_without_a_slash_or_a_route() {
        for ws in [
            "ws://[::1]:9/x",
            "ws://[::1]:9/x/",
            "ws://[::1]:9/x/market",
            "WS://[::1]:9/x/market/stream",
            "ws://[::1]:9/x/ws",
        ] {
            let e = Endpoint::new(Market::UsdM, Some(" http://h:1/p/ "), Some(ws)).unwrap();
            assert_eq!(e.stream_url(), "ws://[::1]:9/x/market/stream", "{ws}");
            assert_eq!(e.day_url(), "http://h:1/p/fapi/v1/ticker/24hr");
        }
        assert_eq!(Endpoint::new(Market::Spot, None, Some("ws://h")).unwrap().stream_url(), "ws://h/stream");
    }

    #[test]
    fn item_07_a_klines_address_has_the_page_and_the_name_in_bytes() {
        let e = Endpoint::new(Market::UsdM, Some("http://h"), None).unwrap();
        let page = Page { start: Some(UnixMs(1)), end: Some(UnixMs(2)), limit: 3, weight: 1 };
        assert_eq!(
            e.klines_url(&key(Market::UsdM, "牛USDT", Interval::Mo1), page),
            "http://h/fapi/v1/klines?symbol=%E7%89%9BUSDT&interval=1M&limit=3&startTime=1&endTime=2"
        );
    }

    #[test]
    fn what_is_no_base_says_what_one_looks_like() {
        for bad in [
            "",
            "fapi.binance.com",
            "ftp://h",
            "ws://h",
            "http://",
            "http://h/?a=b",
            "http://u:p@h",
            "http://a b",
        ] {
            let e = Endpoint::new(Market::UsdM, Some(bad), None).unwrap_err();
            assert_eq!(e.kind, ErrorKind::Rejected, "{bad}");
            assert!(e.message.as_str().contains("--rest-url"), "{e}");
            assert!(e.message.as_str().contains("https://host"), "{e}");
        }
        let e = Endpoint::new(Market::UsdM, None, Some("https://h")).unwrap_err();
        assert!(e.message.as_str().starts_with("--ws-url") && e.message.as_str().contains("wss://host"));
    }
}
