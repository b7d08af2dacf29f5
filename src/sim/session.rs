//! The protocol of one socket, without the socket: requests in, answers and subscriptions out.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::figures::About;
use super::truth::{ListingId, Series, Truth};
use super::wire::{self, Form};
use crate::domain::symbol::Market;
use crate::domain::time::Mono;

/// The longest text frame that the exchange reads.
const FRAME_BYTES: usize = 4_088;
/// Streams on one socket, at most.
const STREAMS: usize = 1_024;

/// Which streams a path carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Candles and tickers of USD-M, and all of spot.
    Market,
    /// Depth and book tickers: none of which this exchange has.
    Public,
}

/// What a socket was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) market: Market,
    pub(crate) class: Class,
    /// Whether data comes wrapped with the stream's name.
    pub(crate) combined: bool,
}

impl Route {
    /// The route of a path, and the streams that the path names. `unrouted` says whose data the
    /// paths without a class carry.
    pub(crate) fn of(path: &str, unrouted: Market) -> Option<(Self, Vec<String>)> {
        let path = path.strip_prefix('/')?;
        let (class, rest) = match path.split_once('/') {
            Some(("market", rest)) => (Some(Class::Market), rest),
            Some(("public" | "private", rest)) => (Some(Class::Public), rest),
            _ => (None, path),
        };
        // USD-M's own paths without a class connect, acknowledge and carry no candles.
        let (market, class) = match (class, unrouted) {
            (Some(class), _) => (Market::UsdM, class),
            (None, Market::Spot) => (Market::Spot, Class::Market),
            (None, Market::UsdM) => (Market::UsdM, Class::Public),
        };
        let (mode, names) = rest.split_once('/').unwrap_or((rest, ""));
        let combined = match mode {
            "ws" => false,
            "stream" => true,
            _ => return None,
        };
        let names = names.split('/').filter(|n| !n.is_empty()).map(str::to_owned).collect();
        Some((Self { market, class, combined }, names))
    }
}

/// What a stream's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Kline(Series, Form),
    Figures(About),
    /// Acknowledged and never heard of again.
    Nothing,
}

fn topic(route: Route, name: &str, truth: &Truth) -> Topic {
    if route.class == Class::Public {
        return Topic::Nothing;
    }
    let um = route.market == Market::UsdM;
    match name {
        "!miniTicker@arr" => return Topic::Figures(About::AllMini),
        // Spot's was taken away in March 2026.
        "!ticker@arr" if um => return Topic::Figures(About::AllFull),
        "!markPrice@arr" | "!markPrice@arr@1s" if um => return Topic::Figures(About::AllMarks),
        "!contractInfo" if um => return Topic::Figures(About::Contracts),
        _ => {}
    }
    let Some((symbol, kind)) = name.split_once('@') else { return Topic::Nothing };
    let kline = |listing: ListingId, interval: &str, form| {
        let series = Series { listing, interval: interval.parse().ok()? };
        truth.has(series).then_some(Topic::Kline(series, form))
    };
    if let Some(interval) = kind.strip_prefix("continuousKline_").filter(|_| um) {
        let found = continuous(symbol, truth).and_then(|id| kline(id, interval, Form::Continuous));
        return found.unwrap_or(Topic::Nothing);
    }
    let found = truth.find_stream(route.market, symbol).and_then(|id| match kind {
        "miniTicker" => Some(Topic::Figures(About::Mini(id))),
        "ticker" => Some(Topic::Figures(About::Full(id))),
        "markPrice" | "markPrice@1s" if um => Some(Topic::Figures(About::Mark(id))),
        _ => kline(id, kind.strip_prefix("kline_")?, Form::Symbol),
    });
    found.unwrap_or(Topic::Nothing)
}

/// The contract of a name such as `btcusdt_perpetual` or `btcusdt_current_quarter`.
fn continuous(name: &str, truth: &Truth) -> Option<ListingId> {
    let (pair, kind) = name.split_once('_')?;
    truth.continuous(&pair.to_ascii_uppercase(), |contract| contract.is(kind))
}

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    TooManyStreams,
}

/// What a frame from the client leads to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) answer: Option<String>,
    pub(crate) added: Vec<(String, Topic)>,
    pub(crate) removed: Vec<String>,
    pub(crate) ending: Option<Ending>,
    pub(crate) oddity: Option<Oddity>,
}

/// A frame worth counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    TooLong,
    NotARequest,
}

/// One socket's subscriptions and message rate.
#[derive(Debug)]
pub(crate) struct Session {
    route: Route,
    names: Vec<String>,
    messages: VecDeque<Mono>,
}

impl Session {
    pub(crate) fn new(route: Route) -> Self {
        Self { route, names: Vec::new(), messages: VecDeque::new() }
    }

    pub(crate) fn combined(&self) -> bool {
        self.route.combined
    }

    pub(crate) fn streams(&self) -> usize {
        self.names.len()
    }

    /// How many frames came within this second.
    pub(crate) fn rate(&self) -> usize {
        self.messages.len()
    }

    /// Counts a frame of any kind; whether it is one too many for this second (of real time).
    pub(crate) fn over_rate(&mut self, now: Mono) -> bool {
        let most = match self.route.market {
            Market::UsdM => 10,
            Market::Spot => 5,
        };
        while self.messages.front().is_some_and(|t| now.since(*t) >= Duration::from_secs(1)) {
            self.messages.pop_front();
        }
        self.messages.push_back(now);
        self.messages.len() > most
    }

    /// Takes a text frame.
    pub(crate) fn text(&mut self, text: &str, truth: &Truth) -> Outcome {
        if text.len() > FRAME_BYTES {
            return Outcome { oddity: Some(Oddity::TooLong), ..Outcome::default() };
        }
        let Ok(request) = serde_json::from_str::<Value>(text) else {
            let answer = wire::socket_error(&Value::Null, 3, "Invalid JSON: expected value");
            return Outcome { answer: Some(answer), oddity: Some(Oddity::NotARequest), ..Outcome::default() };
        };
        let id = request.get("id").cloned().unwrap_or(Value::Null);
        if !usable_id(&id) {
            let words =
                "Invalid request: request ID must be an integer, a string of up to 36 characters or null";
            let answer = wire::socket_error(&Value::Null, 2, words);
            return Outcome { answer: Some(answer), oddity: Some(Oddity::NotARequest), ..Outcome::default() };
        }
        let params = request.get("params").and_then(Value::as_array);
        let names =
            || -> Option<Vec<String>> { params?.iter().map(|p| p.as_str().map(str::to_owned)).collect() };
        match (request.get("method").and_then(Value::as_str), names()) {
            (Some("SUBSCRIBE"), Some(names)) => self.subscribe(names, &id, truth),
            (Some("UNSUBSCRIBE"), Some(names)) => {
                self.names.retain(|n| !names.contains(n));
                let answer = Some(wire::result(&id, &Value::Null));
                Outcome { answer, removed: names, ..Outcome::default() }
            }
            (Some("LIST_SUBSCRIPTIONS"), _) => answer(wire::result(&id, &json!(self.names))),
            (Some("GET_PROPERTY" | "SET_PROPERTY"), _) => answer(self.property(&request, &id)),
            _ => {
                let answer = wire::socket_error(&id, 2, "Invalid request: unknown method or parameters");
                Outcome { answer: Some(answer), oddity: Some(Oddity::NotARequest), ..Outcome::default() }
            }
        }
    }

    /// Subscribes to what the URL names.
    pub(crate) fn take_url(&mut self, names: Vec<String>, truth: &Truth) -> Outcome {
        Outcome { answer: None, ..self.subscribe(names, &Value::Null, truth) }
    }

    fn subscribe(&mut self, names: Vec<String>, id: &Value, truth: &Truth) -> Outcome {
        let mut added: Vec<(String, Topic)> = Vec::new();
        for name in names {
            if !self.names.contains(&name) {
                self.names.push(name.clone());
                added.push((name.clone(), topic(self.route, &name, truth)));
            }
        }
        if self.names.len() > STREAMS {
            let answer = wire::socket_error(id, 4, "Too many subscriptions");
            return Outcome {
                answer: Some(answer),
                ending: Some(Ending::TooManyStreams),
                ..Outcome::default()
            };
        }
        Outcome { answer: Some(wire::result(id, &Value::Null)), added, ..Outcome::default() }
    }

    fn property(&mut self, request: &Value, id: &Value) -> String {
        let params = request.get("params").and_then(Value::as_array);
        if params.and_then(|p| p.first()) != Some(&json!("combined")) {
            return wire::socket_error(id, 0, "Unknown property");
        }
        if request.get("method") == Some(&json!("GET_PROPERTY")) {
            return wire::result(id, &json!(self.route.combined));
        }
        match params.and_then(|p| p.get(1)).and_then(Value::as_bool) {
            Some(combined) => {
                self.route.combined = combined;
                wire::result(id, &Value::Null)
            }
            None => wire::socket_error(id, 1, "Invalid value type: expected Boolean"),
        }
    }
}

fn usable_id(id: &Value) -> bool {
    match id {
        Value::Null => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => text.len() <= 36,
        _ => false,
    }
}

fn answer(text: String) -> Outcome {
    Outcome { answer: Some(text), ..Outcome::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_market_class_and_mode() {
        let of = |p| Route::of(p, Market::Spot);
        let um = Route { market: Market::UsdM, class: Class::Market, combined: true };
        assert_eq!(of("/market/stream"), Some((um, vec![])));
        let (route, names) = of("/market/ws/a@kline_1m/b@kline_1m").unwrap();
        assert_eq!((route.combined, names.len()), (false, 2));
        assert_eq!(of("/public/stream").unwrap().0.class, Class::Public);
        assert_eq!(of("/ws").unwrap().0.market, Market::Spot);
        let bare = Route::of("/stream", Market::UsdM).unwrap().0;
        assert_eq!((bare.market, bare.class), (Market::UsdM, Class::Public));
        assert_eq!(of("/nothing"), None);
        assert_eq!(of("/fapi/v1/stream"), None);
    }

    #[test]
    fn the_rate_is_of_one_second_of_ours() {
        let mut session = Session::new(Route { market: Market::Spot, class: Class::Market, combined: true });
        for n in 0..5 {
            assert!(!session.over_rate(Mono::from_millis(n * 100)));
        }
        assert!(!session.over_rate(Mono::from_millis(1_000)));
        assert!(session.over_rate(Mono::from_millis(1_050)));
    }
}
