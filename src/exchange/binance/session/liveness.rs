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
    /// at all; five minutes where only a few pairs' candles come.
    ByMarket,
    /// This.
    After(Duration),
    /// Never: an exchange whose clock stands still sends nothing.
    Never,
}

impl Stall {
    /// A short silence of fewer streams of candles can be the market's.
    pub const FEWEST_STREAMS: usize = 20;
    /// What their silence may last.
    const FEW: Duration = Duration::from_secs(300);
    /// The first data is due this much earlier, so that a wrong route is known within the limit
    /// counted from the connection, not from the last acknowledgement.
    const FIRST: Duration = Duration::from_secs(5);

    fn limit(self, market: Market, traffic: Traffic, had_data: bool) -> Option<Duration> {
        let steady = match (self, traffic) {
            (Self::ByMarket, Traffic::Sparse) => return Some(Self::FEW),
            (Self::ByMarket, Traffic::Steady) => match market {
                Market::UsdM => Duration::from_secs(15),
                Market::Spot => Duration::from_secs(30),
            },
            (Self::After(limit), _) => return Some(limit),
            (Self::Never, _) => return None,
        };
        Some(if had_data { steady } else { steady.saturating_sub(Self::FIRST) })
    }
}

/// What is to be expected of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Something every few seconds.
    Steady,
    /// Candles of a few pairs, which may not be traded for minutes.
    Sparse,
}

/// The watch over one connection.
#[derive(Clone, Debug)]
pub(super) struct Liveness {
    market: Market,
    timing: Timing,
    last_frame: Mono,
    last_ping: Mono,
    /// The last data, or the last acknowledgement, from which data is expected.
    last_sign: Option<Mono>,
    had_data: bool,
}

impl Liveness {
    /// Of a connection that came up at `now`.
    pub(super) fn new(market: Market, timing: Timing, now: Mono) -> Self {
        Self { market, timing, last_frame: now, last_ping: now, last_sign: None, had_data: false }
    }

    /// A frame came, of whatever kind.
    pub(super) fn frame(&mut self, now: Mono) {
        self.last_frame = now;
    }

    /// Data came.
    pub(super) fn data(&mut self, now: Mono) {
        self.had_data = true;
        self.last_sign = Some(now);
    }

    /// All that was asked for is acknowledged: from here on data is due.
    pub(super) fn promised(&mut self, now: Mono) {
        self.last_sign = Some(self.last_sign.map_or(now, |t| t.max(now)));
    }

    /// Whether any data came.
    pub(super) fn had_data(&self) -> bool {
        self.had_data
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
        self.stall_at(traffic).map_or(dead, |stall| stall.min(dead))
    }

    pub(super) fn stall_at(&self, traffic: Option<Traffic>) -> Option<Mono> {
        let limit = self.timing.stall.limit(self.market, traffic?, self.had_data)?;
        self.last_sign.map(|t| t + limit)
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
        self.stall_at(traffic).filter(|t| now >= *t)?;
        let sentence = match (self.had_data, self.market) {
            (true, _) => {
                "stall: the data stopped, though the connection answers; connecting anew. If it stays so, a proxy on the way may hold it back"
            }
            (false, Market::UsdM) => {
                "acknowledged but silent: this address takes subscriptions and sends nothing, as Binance's do off the route /market, which alone has candles; check that --ws-url, or the proxy behind it, keeps that route"
            }
            (false, Market::Spot) => {
                "acknowledged but silent: this address takes subscriptions and sends nothing; check that --ws-url, or the proxy behind it, leads to Binance's route /stream"
            }
        };
        Some(ExchangeError::new(ErrorKind::Silent, sentence))
    }
}
