//! Whom a fault strikes.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::interval::Interval;
use crate::domain::symbol::Market;

/// A market's name in a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MarketName {
    #[serde(alias = "um")]
    Usdm,
    Spot,
}

/// Whom a fault strikes; each part that is not given means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Which market.
    pub market: Option<Market>,
    /// Which symbol, as REST spells it.
    pub symbol: Option<String>,
    /// Which interval.
    pub interval: Option<Interval>,
    /// Which stream, by its whole name.
    pub stream: Option<String>,
    /// Which socket, numbered from 1 as they were opened.
    pub connection: Option<u64>,
    /// How the path begins that was asked for.
    pub route: Option<String>,
}

/// Something that may be struck; what it has no part of is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target<'a> {
    pub(crate) market: Option<Market>,
    pub(crate) symbol: Option<&'a str>,
    pub(crate) interval: Option<Interval>,
    pub(crate) stream: Option<&'a str>,
    pub(crate) connection: Option<u64>,
    pub(crate) route: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Given {
    market: Option<MarketName>,
    symbol: Option<String>,
    interval: Option<String>,
    stream: Option<String>,
    connection: Option<u64>,
    route: Option<String>,
}

impl Scope {
    pub(super) fn read(given: Map<String, Value>) -> Result<Self, String> {
        let given: Given = serde_json::from_value(Value::Object(given)).map_err(|e| e.to_string())?;
        let interval = given.interval.map(|i| i.parse().map_err(|e| format!("interval {i}: {e}")));
        Ok(Self {
            market: given.market.map(|m| match m {
                MarketName::Usdm => Market::UsdM,
                MarketName::Spot => Market::Spot,
            }),
            symbol: given.symbol,
            interval: interval.transpose()?,
            stream: given.stream,
            connection: given.connection,
            route: given.route,
        })
    }

    /// Whether `target` is within it: what it names, the target has to have.
    pub(crate) fn fits(&self, target: &Target<'_>) -> bool {
        let same = |mine: &Option<String>, its: Option<&str>| mine.is_none() || mine.as_deref() == its;
        (self.market.is_none() || self.market == target.market)
            && same(&self.symbol, target.symbol)
            && (self.interval.is_none() || self.interval == target.interval)
            && same(&self.stream, target.stream)
            && (self.connection.is_none() || self.connection == target.connection)
            && self.route.as_ref().is_none_or(|r| target.route.is_some_and(|t| t.starts_with(r.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_fits_what_has_all_it_names() {
        let any = Scope::default();
        let btc = Target { market: Some(Market::UsdM), symbol: Some("BTCUSDT"), ..Target::default() };
        assert!(any.fits(&btc) && any.fits(&Target::default()));
        let one = Scope { symbol: Some("BTCUSDT".into()), connection: Some(2), ..Scope::default() };
        assert!(!one.fits(&btc));
        assert!(one.fits(&Target { connection: Some(2), ..btc }));
        let path = Scope { route: Some("/market".into()), ..Scope::default() };
        assert!(path.fits(&Target { route: Some("/market/ws"), ..btc }) && !path.fits(&btc));
    }
}
