//! What can be made to go wrong, when, and to whom.
//!
//! A fault is one JSON object: its `kind` and what belongs to it, and beside that, for every kind
//! alike, a [`scope`] (whom it strikes) and a [`schedule`](trigger) (when it begins, how long it
//! lasts, how often it strikes at most).

pub(crate) mod board;
pub mod frames;
pub mod market;
pub mod rest;
pub mod scope;
pub mod sockets;
pub mod trigger;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::time::UnixMs;
use frames::FrameFault;
use market::MarketFault;
use rest::RestFault;
use scope::Scope;
use sockets::SocketFault;
use trigger::{Begin, Boundary, Schedule};

/// One thing that goes wrong. Spans are of the exchange's time unless the name says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With data frames.
    Frame(FrameFault),
    /// With connections.
    Socket(SocketFault),
    /// With requests.
    Rest(RestFault),
    /// With the market itself.
    Market(MarketFault),
}

impl Fault {
    /// Its name, one of its family's `KINDS`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Frame(f) => f.kind(),
            Self::Socket(f) => f.kind(),
            Self::Rest(f) => f.kind(),
            Self::Market(f) => f.kind(),
        }
    }

    /// How often it strikes where neither a count nor a span is given; `None` for what then goes on
    /// for good.
    fn usual_count(&self) -> Option<u32> {
        match self {
            Self::Frame(f) => f.usual_count(),
            Self::Socket(f) => f.usual_count(),
            Self::Rest(f) => f.usual_count(),
            Self::Market(_) => None,
        }
    }

    /// The parts of a scope that mean something to it.
    fn scopes(&self) -> &'static [&'static str] {
        match self {
            Self::Frame(_) => &["market", "symbol", "interval", "stream", "connection", "route"],
            Self::Socket(SocketFault::DeadSubscribe { .. }) => &["market", "stream", "connection", "route"],
            Self::Socket(_) => &["market", "connection", "route"],
            Self::Rest(_) => &["market", "symbol", "interval", "route"],
            Self::Market(_) => &["market", "symbol"],
        }
    }

    fn read(kind: &str, value: Value) -> Result<Self, String> {
        let say = |e: serde_json::Error| e.to_string();
        if FrameFault::KINDS.contains(&kind) {
            return serde_json::from_value(value).map(Self::Frame).map_err(say);
        }
        if SocketFault::KINDS.contains(&kind) {
            return serde_json::from_value(value).map(Self::Socket).map_err(say);
        }
        if RestFault::KINDS.contains(&kind) {
            return serde_json::from_value(value).map(Self::Rest).map_err(say);
        }
        if MarketFault::KINDS.contains(&kind) {
            return serde_json::from_value(value).map(Self::Market).map_err(say);
        }
        let all = [FrameFault::KINDS, SocketFault::KINDS, RestFault::KINDS, MarketFault::KINDS].concat();
        Err(format!("there is no kind `{kind}`; there are {}", all.join(", ")))
    }
}

/// A fault, whom it strikes and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// What.
    pub fault: Fault,
    /// Whom.
    pub scope: Scope,
    /// When and how often.
    pub schedule: Schedule,
    /// The object it was read from, for who asks what is in force.
    source: Value,
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

/// Reads one fault or a list of them.
pub fn parse(json: &str) -> Result<Vec<Scheduled>, BadFault> {
    let value: Value = serde_json::from_str(json).map_err(|e| BadFault::Json(e.to_string()))?;
    let entries = match value {
        Value::Array(entries) => entries,
        one => vec![one],
    };
    let numbered = entries.into_iter().enumerate();
    numbered.map(|(n, e)| entry(e).map_err(|why| BadFault::Entry { number: n + 1, why })).collect()
}

/// When and how often, as it stands in JSON.
#[derive(Debug, Deserialize)]
struct Timing {
    at: Option<Value>,
    on: Option<String>,
    nth: Option<u64>,
    after_ms: Option<i64>,
    for_ms: Option<i64>,
    count: Option<u32>,
}

const TIMING: [&str; 6] = ["at", "on", "nth", "after_ms", "for_ms", "count"];
const SCOPE: [&str; 6] = ["market", "symbol", "interval", "stream", "connection", "route"];

fn entry(source: Value) -> Result<Scheduled, String> {
    let mut object = source.as_object().cloned().ok_or("not an object")?;
    let kind = object.get("kind").and_then(Value::as_str).ok_or("it has no `kind`")?.to_owned();
    // The span of a delayed frame is how late it comes, the older way to say `by_ms`.
    if kind == "delay_close" && !object.contains_key("by_ms") {
        let by = object.remove("for_ms").ok_or("`by_ms` says how late the frame comes")?;
        object.insert("by_ms".to_owned(), by);
    }
    let mut take = |names: &[&str]| -> Map<String, Value> {
        let given = names.iter().filter_map(|n| object.remove_entry(*n));
        given.filter(|(_, v)| !v.is_null()).collect()
    };
    let (timing, scope) = (take(&TIMING), take(&SCOPE));
    let fault = Fault::read(&kind, Value::Object(object))?;
    let strange = scope.keys().find(|k| !fault.scopes().contains(&k.as_str()));
    if let Some(strange) = strange {
        let parts = fault.scopes().join(", ");
        return Err(format!("`{strange}` means nothing to `{kind}`, which has {parts}"));
    }
    let scope = Scope::read(scope)?;
    let timing: Timing = serde_json::from_value(Value::Object(timing)).map_err(|e| e.to_string())?;
    let begin = begin(&timing, &scope)?;
    let awaits = matches!(begin, Begin::Connection(_) | Begin::Subscribe(_) | Begin::Request(_));
    if awaits && matches!(fault, Fault::Market(_)) {
        return Err(format!("`{kind}` waits for a time, not for an event: the truth is known ahead"));
    }
    let count = match (timing.count, timing.for_ms) {
        (None, None) => fault.usual_count(),
        (count, _) => count,
    };
    let schedule = Schedule { begin, after_ms: timing.after_ms.unwrap_or(0), for_ms: timing.for_ms, count };
    Ok(Scheduled { fault, scope, schedule, source })
}

fn begin(timing: &Timing, scope: &Scope) -> Result<Begin, String> {
    let at = match &timing.at {
        None => None,
        Some(Value::String(text)) => Some(parse_time(text).ok_or("`at` is no time")?),
        Some(number) => Some(UnixMs(number.as_i64().ok_or("`at` is no time")?)),
    };
    let nth = timing.nth.unwrap_or(1);
    if nth == 0 {
        return Err("`nth` counts from 1".to_owned());
    }
    let boundary = |of| Ok(Begin::Boundary { of, nth, not_before: at });
    let event =
        |begin| if at.is_some() { Err("`at` goes with a boundary of time only".into()) } else { Ok(begin) };
    match timing.on.as_deref() {
        None if timing.nth.is_some() => Err("`nth` needs an `on`".to_owned()),
        None => Ok(at.map_or(Begin::Now, Begin::At)),
        Some("minute") => boundary(Boundary::Minute),
        Some("hour") => boundary(Boundary::Hour),
        Some("day") => boundary(Boundary::Day),
        Some("close") => boundary(Boundary::Close(scope.interval.ok_or("`on: close` needs an `interval`")?)),
        Some("connection") => event(Begin::Connection(nth)),
        Some("subscribe") => event(Begin::Subscribe(nth)),
        Some("request") => event(Begin::Request(nth)),
        Some(other) => Err(format!(
            "there is no event `{other}`; there are minute, hour, day, close, connection, subscribe, request"
        )),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::Interval;

    #[test]
    fn faults_are_read_with_their_time_and_wrong_ones_named() {
        let read = parse(r#"[{"kind":"ws_cut","for_ms":60000,"at":"2025-10-10T20:00Z"},{"at":5,"kind":"drop_close","symbol":"BTCUSDT","interval":"15m"}]"#).unwrap();
        assert_eq!(read[0].schedule.begin, Begin::At(UnixMs(1_760_126_400_000)));
        assert_eq!(
            (&read[0].fault, read[0].schedule.for_ms),
            (&Fault::Socket(SocketFault::WsCut {}), Some(60_000))
        );
        assert_eq!(read[1].fault, Fault::Frame(FrameFault::DropClose {}));
        assert_eq!(
            (read[1].scope.symbol.as_deref(), read[1].scope.interval),
            (Some("BTCUSDT"), Some(Interval::M15))
        );
        assert_eq!((read[1].schedule.begin, read[1].schedule.count), (Begin::At(UnixMs(5)), Some(1)));
        let late = parse(r#"{"kind":"delay_close","for_ms":30000}"#).unwrap();
        assert_eq!(late[0].fault, Fault::Frame(FrameFault::DelayClose { by_ms: 30_000 }));
        assert_eq!((late[0].schedule.for_ms, late[0].schedule.count), (None, Some(1)));
        let wrong = parse(r#"[{"kind":"latency","ms":5},{"kind":"flood"}]"#).unwrap_err().to_string();
        assert!(wrong.contains("fault 2") && wrong.contains("ws_silence"), "{wrong}");
    }

    #[test]
    fn each_kind_is_read_by_its_name() {
        let must = |kind: &str| match kind {
            "delay_close" | "old_event" | "clock_skew" | "slow_handshake" | "ack_late" => r#","by_ms":5"#,
            "ws_close" => r#","code":1001"#,
            "refuse" | "rest_error" => r#","status":503"#,
            "latency" => r#","ms":5"#,
            _ => "",
        };
        for kind in [FrameFault::KINDS, SocketFault::KINDS].concat() {
            let text = format!("{{\"kind\":\"{kind}\"{}}}", must(kind));
            let read = parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(read[0].fault.kind(), kind);
        }
    }

    #[test]
    fn what_means_nothing_is_refused_not_ignored() {
        for (text, word) in [
            ("{", "JSON"),
            (r#"{"kind":"ws_cut","for_ms":1,"fro":2}"#, "fro"),
            (r#"{"kind":"ws_cut","symbol":"BTCUSDT"}"#, "symbol"),
            (r#"{"kind":"rest_error","status":500,"stream":"x"}"#, "stream"),
            (r#"{"kind":"drop_close","interval":"1x"}"#, "1x"),
            (r#"{"kind":"drop_close","on":"noon"}"#, "noon"),
            (r#"{"kind":"drop_close","on":"close"}"#, "interval"),
            (r#"{"kind":"drop_close","nth":2}"#, "nth"),
            (r#"{"for_ms":5}"#, "kind"),
            ("5", "object"),
        ] {
            let why = parse(text).unwrap_err().to_string();
            assert!(why.contains(word), "{text}: {why}");
        }
    }
}
