//! Subscriptions as text frames, and how fast frames may leave.
//!
//! Invariant: pure. No frame is longer than what the exchange reads: it drops longer ones without
//! a word and the connection looks healthy.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::time::Mono;

/// What to do with streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Send them.
    Subscribe,
    /// Send them no more.
    Unsubscribe,
}

/// One request over the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFrame {
    /// The answer bears it.
    pub id: u64,
    /// What goes over the wire.
    pub text: String,
    /// Stream names in it.
    pub names: Vec<String>,
    /// What it asks.
    pub method: Method,
}

/// The longest frame, in bytes of UTF-8; the exchange reads about 4088.
pub const MOST_BYTES: usize = 4_000;
/// The most stream names in a frame.
pub const MOST_NAMES: usize = 150;

/// Cuts `names` into frames; the ids count on from `*id`.
pub fn frames(method: Method, names: impl IntoIterator<Item = String>, id: &mut u64) -> Vec<ControlFrame> {
    let verb = match method {
        Method::Subscribe => "SUBSCRIBE",
        Method::Unsubscribe => "UNSUBSCRIBE",
    };
    let mut out: Vec<ControlFrame> = Vec::new();
    for name in names {
        // A symbol has no character that JSON escapes; see `Symbol`.
        let full = out.last().is_none_or(|f| {
            f.names.len() == MOST_NAMES || f.text.len() + name.len() + 3 + tail(f.id).len() > MOST_BYTES
        });
        if full {
            *id += 1;
            let text = format!("{{\"method\":\"{verb}\",\"params\":[");
            out.push(ControlFrame { id: *id, text, names: Vec::new(), method });
        }
        if let Some(frame) = out.last_mut() {
            if !frame.names.is_empty() {
                frame.text.push(',');
            }
            frame.text.push('"');
            frame.text.push_str(&name);
            frame.text.push('"');
            frame.names.push(name);
        }
    }
    for frame in &mut out {
        frame.text.push_str(&tail(frame.id));
    }
    out
}

fn tail(id: u64) -> String {
    format!("],\"id\":{id}}}")
}

/// Says when the next control message may leave a socket.
///
/// Spot closes a socket at the sixth message in a second, counting our pings and our answers to
/// its pings. We keep to four, and of these to three of our own free will, since an answer to a
/// ping can't wait.
#[derive(Clone, Debug, Default)]
pub struct Pacer {
    sent: VecDeque<Mono>,
}

impl Pacer {
    /// The most messages in a second, pongs included.
    pub const MOST: usize = 4;
    /// A little over a second: messages sent apart can arrive closer together.
    const WINDOW: Duration = Duration::from_millis(1_100);
    const APART: Duration = Duration::from_millis(250);

    /// When the next message of our own may leave.
    pub fn ready_at(&self) -> Mono {
        let spaced = self.sent.back().map_or(Mono::default(), |t| *t + Self::APART);
        let n = self.sent.len();
        let third_last = n.checked_sub(Self::MOST - 1).map(|i| self.sent[i] + Self::WINDOW);
        third_last.map_or(spaced, |t| t.max(spaced))
    }

    /// A message left: ours, or the answer to a ping.
    pub fn sent(&mut self, now: Mono) {
        if self.sent.len() == Self::MOST {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_reads_as_the_exchange_wants_it() {
        let mut id = 6;
        let f = frames(
            Method::Subscribe,
            ["btcusdt@kline_1M".to_owned(), "币安人生usdt@kline_15m".to_owned()],
            &mut id,
        );
        assert_eq!(
            f[0].text,
            r#"{"method":"SUBSCRIBE","params":["btcusdt@kline_1M","币安人生usdt@kline_15m"],"id":7}"#
        );
        assert_eq!((f.len(), id), (1, 7));
        assert!(frames(Method::Unsubscribe, [], &mut id).is_empty());
    }

    #[test]
    fn item_02_a_thousand_streams_lose_none() {
        let names: Vec<String> = (0..1_000).map(|n| format!("{n}币安人生usdt@kline_15m")).collect();
        let mut id = 0;
        let frames = frames(Method::Unsubscribe, names.clone(), &mut id);
        assert_eq!(frames.iter().flat_map(|f| f.names.clone()).collect::<Vec<_>>(), names);
        for f in &frames {
            // The exchange's own figures: a longer frame is dropped without a word.
            assert!(f.text.len() <= 4_000 && f.names.len() <= 150);
            let json: serde_json::Value = serde_json::from_str(&f.text).unwrap();
            assert_eq!(json["params"].as_array().unwrap().len(), f.names.len());
            assert_eq!(json["id"], f.id);
        }
        assert_eq!(frames.iter().map(|f| f.id).collect::<Vec<_>>(), (1..=id).collect::<Vec<_>>());
    }

    #[test]
    fn three_at_quarter_seconds_then_a_pause() {
        let mut p = Pacer::default();
        let mut at = Vec::new();
        for _ in 0..5 {
            let t = p.ready_at();
            at.push(t.0.as_millis());
            p.sent(t);
        }
        assert_eq!(at, [0, 250, 500, 1_100, 1_350]);
    }

    proptest! {
        /// With a server that pings at most once a second, no second has more than four messages.
        #[test]
        fn item_03_at_most_four_in_any_second(pings in prop::collection::vec(1_100u64..4_000, 0..20)) {
            let mut pings: VecDeque<u64> = pings.iter().scan(0, |t, d| { *t += d; Some(*t) }).collect();
            let mut p = Pacer::default();
            let mut sent: Vec<u64> = Vec::new();
            for _ in 0..60 {
                let ours = u64::try_from(p.ready_at().0.as_millis()).unwrap();
                let now = match pings.front() {
                    Some(ping) if *ping <= ours => pings.pop_front().unwrap(),
                    _ => ours,
                };
                p.sent(Mono::from_millis(now));
                sent.push(now);
            }
            for w in sent.windows(Pacer::MOST + 1) {
                prop_assert!(w[Pacer::MOST] - w[0] >= 1_000, "{:?}", w);
            }
        }
    }
}
