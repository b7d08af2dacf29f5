//! The pair's page at the exchange.

use std::fmt::Write as _;

use super::{App, Effect, View};
use crate::domain::symbol::Market;
use crate::market::snapshot::{Level, Row};

/// Its address; `None` of a spot pair whose assets are not known, by which its page goes.
fn address(row: &Row) -> Option<String> {
    match row.pair.market {
        Market::UsdM => {
            Some(format!("https://www.binance.com/en/futures/{}", encoded(row.pair.symbol.as_str())))
        }
        Market::Spot => {
            let assets = row.assets.as_ref()?;
            let (base, quote) = (encoded(assets.base.as_str()), encoded(assets.quote.as_str()));
            Some(format!("https://www.binance.com/en/trade/{base}_{quote}?type=spot"))
        }
    }
}

/// A part of an address: names are in any script.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl App {
    /// The row that keys are about, in the view that is open.
    pub(super) fn subject(&self) -> Option<&Row> {
        if self.view == View::Detail { self.detail_row() } else { self.picked() }
    }

    pub(super) fn open_page(&mut self, effects: &mut Vec<Effect>) {
        let Some(row) = self.subject() else { return self.say(Level::Info, "no pair is selected") };
        let Some(address) = address(row) else {
            return self.say(Level::Info, "the exchange lists no such pair, so there is no page of it");
        };
        self.say(Level::Info, &format!("opening {address}"));
        effects.push(Effect::Link(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::row;
    use crate::market::snapshot::Assets;

    #[test]
    fn each_market_has_pages_of_its_own_and_names_of_any_script_are_encoded() {
        let mut of = row("BTCUSDT").build();
        of.pair.market = Market::UsdM;
        assert_eq!(address(&of).unwrap(), "https://www.binance.com/en/futures/BTCUSDT");
        of.pair.symbol = "币安人生USDT".parse().unwrap();
        assert_eq!(
            address(&of).unwrap(),
            "https://www.binance.com/en/futures/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"
        );
        of.pair.market = Market::Spot;
        of.assets = Some(Assets { base: "1000SATS".parse().unwrap(), quote: "USDT".parse().unwrap() });
        assert_eq!(address(&of).unwrap(), "https://www.binance.com/en/trade/1000SATS_USDT?type=spot");
        of.assets = None;
        assert_eq!(address(&of), None, "nothing is guessed");
    }
}
