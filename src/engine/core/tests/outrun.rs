//! The 24 h figures show that the price moves, and the pair's candles say nothing of it.

use super::*;

const WHY: &str = "the price moves, its candles don't";

impl Rig {
    /// The 24 h figures tell a price.
    fn day(&mut self, name: &str, last: f64) {
        let (change_pct, quote_volume) = (1.0, 1e9);
        let event = DayEvent { pair: pair(name), last, change_pct, quote_volume, event_time: self.server() };
        self.step(Input::Feed(FeedEvent::Day(vec![event])));
    }

    /// A second passes.
    fn second(&mut self) {
        self.now = self.now + Duration::from_secs(1);
        self.tick();
    }

    fn anew(&mut self) -> usize {
        let is = |o: &Output| matches!(o, Output::Feed(FeedCommand::Resubscribe(_)));
        let count = self.out.iter().filter(|o| is(o)).count();
        self.out.retain(|o| !is(o));
        count
    }

    /// What BTCUSDT's stream brings while it is well: the candle at the price of the figures.
    fn btc(&mut self, second: u32) {
        let price = 499.0 - f64::from(second) / 100.0;
        self.frame("BTCUSDT", bar_to(N, price, 10 + second), Finality::Forming);
        self.day("BTCUSDT", price);
    }
}

#[test]
fn a_pair_whose_price_moves_without_its_candles_is_stale_within_twenty_seconds() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.frame("ETHUSDT", bar_to(N, 499.5, 10), Finality::Forming);
    assert!(rig.lane("ETHUSDT").preview.is_some());
    for second in 1..=20 {
        rig.second();
        rig.btc(second);
        rig.day("ETHUSDT", 499.5 + f64::from(second));
        let live = rig.state("ETHUSDT").0 == DataState::Live;
        assert!(live || second > 15, "{second}");
    }
    assert_eq!(rig.state("ETHUSDT"), (DataState::Stale, Some(WHY.to_owned())));
    let lane = rig.lane("ETHUSDT");
    assert_eq!((lane.preview, lane.price_side), (None, None), "what forms is not known");
    assert_eq!(rig.state("BTCUSDT"), (DataState::Live, None));
    rig.tick();
    assert_eq!(rig.anew(), 1);
    // It is not asked for again and again, nor forgotten.
    rig.subscribed(&["ETHUSDT"]);
    for second in 21..60 {
        rig.second();
        rig.btc(second);
        rig.day("ETHUSDT", 499.5 + f64::from(second));
        assert_eq!(rig.state("ETHUSDT").0, DataState::Stale, "{second}");
    }
    assert_eq!(rig.anew(), 0);
    rig.frame("ETHUSDT", bar_to(N, 558.5, 50), Finality::Forming);
    assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None), "the next frame ends it");
    assert!(rig.lane("ETHUSDT").preview.is_some());
}

#[test]
fn a_quiet_pair_whose_price_does_not_move_stays_live() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.frame("ETHUSDT", bar_to(N, 499.5, 10), Finality::Forming);
    for second in 1..600 {
        rig.second();
        rig.btc(second);
        // Its figures change as old trades leave the 24 hours.
        rig.day("ETHUSDT", 499.5);
        assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None), "{second}");
    }
    assert_eq!(rig.anew(), 0);
}

/// A trade a minute, which the figures tell a second before the candle does.
#[test]
fn a_pair_that_trades_now_and_then_does_not_flap() {
    let names = ["BTCUSDT", "ETHUSDT"];
    let mut rig = Rig::live(&names);
    rig.frame("ETHUSDT", bar_to(N, 499.5, 10), Finality::Forming);
    for second in 1..600 {
        rig.second();
        rig.btc(second);
        let trades = second / 60;
        let price = 499.5 + f64::from(trades);
        rig.day("ETHUSDT", price);
        if second % 60 == 2 && trades > 0 {
            rig.frame("ETHUSDT", bar_to(N, price, 10 + trades), Finality::Forming);
        }
        assert_eq!(rig.state("ETHUSDT"), (DataState::Live, None), "{second}");
    }
    assert_eq!(rig.anew(), 0);
}
