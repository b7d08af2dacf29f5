//! Whether a connection lives, and whether it brings what it promised.
//!
//! Invariant: pure; the time is handed in. An answer to a ping proves the connection, an
//! acknowledgement proves nothing, and only data proves the streams.

use std::time::Duration;

use crate::domain::symbol::Market;
use crate::domain::time::Mono;
use crate::exchange::{ErrorKind, ExchangeError};

/// How long what may take, on our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Opening a connection, all hops and handshakes.
    pub connect: Duration,
    /// From one ping of ours to the next.
    pub ping: Duration,
    /// Without any frame the connection is dead after this.
    pub dead: Duration,
    /// A subscription is acknowledged within this.
    pub ack: Duration,
    /// Data comes at least this often.
    pub stall: Stall,
    /// A write is through within this.
    pub write: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            ping: Duration::from_secs(20),
            dead: Duration::from_secs(30),
            ack: Duration::from_secs(10),
            stall: Stall::ByMarket,
            write: Duration::from_secs(5),
        }
    }
}

/// After how long a silence of the data a connection that answers pings is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// 15 s on USD-M, which sends four times a second, 30 s on spot, and less where no data came
    /// at all; five minutes where only a few pairs' candles come. Of many pairs, their candles have
    /// to come, whatever else does.
    ByMarket,
    /// This.
    After(Duration),
    /// Never: an exchange whose clock stands still sends nothing.
    Never,
}

impl Stall {
    /// A short silence of the candles of fewer pairs can be the market's. All intervals of a pair
    /// speak or are silent together, so that it is pairs that count.
    pub const FEWEST_PAIRS: usize = 20;
    /// What their silence may last.
    const FEW: Duration = Duration::from_secs(300);
    /// The first data is due this much earlier, so that a wrong route is known within the limit
    /// counted from the connection, not from the last acknowledgement.
    const FIRST: Duration = Duration::from_secs(5);
    /// The first data of any kind, where the 24 h figures are carried. They come each second on
    /// both markets.
    const FIRST_FIGURES: Duration = Duration::from_secs(10);

    fn candles(self, market: Market, came: bool) -> Option<Duration> {
        self.or(if came { steady(market) } else { steady(market).saturating_sub(Self::FIRST) })
    }

    fn anything(self, market: Market, figures: bool, came: bool) -> Option<Duration> {
        self.or(match (figures, came) {
            (false, _) => Self::FEW,
            (true, false) => Self::FIRST_FIGURES,
            (true, true) => steady(market),
        })
    }

    fn or(self, by_market: Duration) -> Option<Duration> {
        match self {
            Self::ByMarket => Some(by_market),
            Self::After(limit) => Some(limit),
            Self::Never => None,
        }
    }
}

fn steady(market: Market) -> Duration {
    match market {
        Market::UsdM => Duration::from_secs(15),
        Market::Spot => Duration::from_secs(30),
    }
}

/// What is to be expected of a socket that carries something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Candles of so many pairs that some come every few seconds. Those of a few may not be traded
    /// for minutes.
    pub(super) busy: bool,
    /// The 24 h figures, every second.
    pub(super) figures: bool,
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Candle,
    Figures,
}

/// What stays away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// The candles, while the figures come.
    Candles,
    /// All data.
    Data,
}

/// The watch over one connection.
#[derive(Clone, Debug)]
pub(super) struct Liveness {
    market: Market,
    timing: Timing,
    last_frame: Mono,
    last_ping: Mono,
    /// The acknowledgement from which on data is expected.
    promised: Option<Mono>,
    last_data: Option<Mono>,
    /// A clock of their own: the 24 h figures can go on while the candles do not.
    last_candle: Option<Mono>,
}

impl Liveness {
    /// Of a connection that came up at `now`.
    pub(super) fn new(market: Market, timing: Timing, now: Mono) -> Self {
        Self {
            market,
            timing,
            last_frame: now,
            last_ping: now,
            promised: None,
            last_data: None,
            last_candle: None,
        }
    }

    /// A frame came, of whatever kind.
    pub(super) fn frame(&mut self, now: Mono) {
        self.last_frame = now;
    }

    /// Data came.
    pub(super) fn data(&mut self, kind: Kind, now: Mono) {
        self.last_data = Some(now);
        if kind == Kind::Candle {
            self.last_candle = Some(now);
        }
    }

    /// What is expected is acknowledged: from here on it is due.
    pub(super) fn promised(&mut self, now: Mono) {
        self.promised = Some(now);
    }

    /// Whether it brought what it is there for: candles, or of a few pairs anything.
    pub(super) fn had_data(&self, traffic: Option<Traffic>) -> bool {
        let busy = traffic.is_some_and(|t| t.busy);
        if busy { self.last_candle.is_some() } else { self.last_data.is_some() }
    }

    /// When the next ping is due.
    pub(super) fn ping_at(&self) -> Mono {
        self.last_ping + self.timing.ping
    }

    /// A ping left.
    pub(super) fn pinged(&mut self, now: Mono) {
        self.last_ping = now;
    }

    /// When it is to be given up, unless something comes. `None` for the traffic = it carries
    /// nothing.
    pub(super) fn deadline(&self, traffic: Option<Traffic>) -> Mono {
        let dead = self.last_frame + self.timing.dead;
        self.stall_at(traffic).map_or(dead, |(stall, _)| stall.min(dead))
    }

    fn stall_at(&self, traffic: Option<Traffic>) -> Option<(Mono, Missing)> {
        let Traffic { busy, figures } = traffic?;
        let Timing { stall, .. } = self.timing;
        let due = |last: Option<Mono>, limit: Option<Duration>| Some(last.max(self.promised)? + limit?);
        let candles = stall.candles(self.market, self.last_candle.is_some());
        let candles = due(self.last_candle, candles).filter(|_| busy);
        let data = stall.anything(self.market, figures, self.last_data.is_some());
        let data = due(self.last_data, data).filter(|_| figures || !busy);
        // Where all is silent it is said so, even if that takes as long.
        match (data, candles) {
            (Some(data), Some(candles)) if candles < data => Some((candles, self.missing_at(candles))),
            (None, Some(candles)) => Some((candles, Missing::Data)),
            (data, _) => data.map(|data| (data, Missing::Data)),
        }
    }

    /// What is missing where the candles are overdue at `at`: what came last may have come just
    /// before all fell silent.
    fn missing_at(&self, at: Mono) -> Missing {
        let Some(begun) = self.last_candle.max(self.promised) else { return Missing::Data };
        let half = begun + at.since(begun) / 2;
        if self.last_data.is_some_and(|t| t > half) { Missing::Candles } else { Missing::Data }
    }

    /// What is wrong, if anything.
    pub(super) fn overdue(&self, now: Mono, traffic: Option<Traffic>) -> Option<ExchangeError> {
        if now >= self.last_frame + self.timing.dead {
            let secs = self.timing.dead.as_secs_f64();
            return Some(ExchangeError::new(
                ErrorKind::Transient,
                format!("dead: no frame for {secs} s, not even an answer to our ping; connecting anew"),
            ));
        }
        let (_, missing) = self.stall_at(traffic).filter(|(at, _)| now >= *at)?;
        let sentence = match (missing, self.had_data(traffic), self.market) {
            (Missing::Candles, true, _) => {
                "stall: the candles stopped, though the 24 h figures go on; connecting anew"
            }
            (Missing::Candles, false, _) => {
                "acknowledged but without candles: the 24 h figures come, and no candle does; connecting anew. If it stays so, check that --ws-url, or the proxy behind it, lets them through"
            }
            (Missing::Data, true, _) => {
                "stall: the data stopped, though the connection answers; connecting anew. If it stays so, a proxy on the way may hold it back"
            }
            (Missing::Data, false, Market::UsdM) => {
                "acknowledged but silent: this address takes subscriptions and sends nothing, as Binance's do off the route /market, which alone has candles; check that --ws-url, or the proxy behind it, keeps that route"
            }
            (Missing::Data, false, Market::Spot) => {
                "acknowledged but silent: this address takes subscriptions and sends nothing; check that --ws-url, or the proxy behind it, leads to Binance's route /stream"
            }
        };
        Some(ExchangeError::new(ErrorKind::Silent, sentence))
    }
}
