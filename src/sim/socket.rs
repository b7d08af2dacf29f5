//! One WebSocket of a client: the upgrade and the task that serves it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::fault::scope::Target;
use super::fault::sockets::SocketFault;
use super::feed::{Feed, Kind};
use super::session::{Ending, Oddity, Outcome, Route, Session, Topic};
use super::stats::Violation;
use super::world::World;
use crate::domain::symbol::Market;

/// How long a client may leave its socket full before it is dropped.
const PATIENCE: Duration = Duration::from_secs(10);
/// Streams served between two looks at the client's frames.
const BATCH: usize = 64;

/// What the upgrade route needs.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    pub(crate) world: Arc<World>,
    pub(crate) cancel: CancellationToken,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StreamsQuery {
    streams: Option<String>,
}

/// Answers a request for a WebSocket.
pub(crate) async fn upgrade(
    State(sockets): State<Sockets>,
    Query(query): Query<StreamsQuery>,
    mut request: Request,
) -> Response {
    let path = percent_decoded(request.uri().path());
    let Some((route, mut names)) = Route::of(&path, sockets.world.unrouted) else {
        sockets.world.violation(Violation::UnknownRoute);
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(accept) = accept_key(request.headers()) else {
        return (StatusCode::BAD_REQUEST, "this path speaks WebSocket only").into_response();
    };
    let target = Target { market: Some(route.market), route: Some(&path), ..Target::default() };
    let cut = sockets.world.strike(&target, |f| match f {
        Fault::Socket(SocketFault::WsCut {}) => Some(()),
        _ => None,
    });
    if cut.is_some() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    names
        .extend(query.streams.iter().flat_map(|s| s.split('/')).filter(|s| !s.is_empty()).map(str::to_owned));
    let upgrade = hyper::upgrade::on(&mut request);
    let tracker = sockets.world.sockets.clone();
    tracker.spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let io = TokioIo::new(upgraded);
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            Connection::new(sockets, route, &path, socket).run(names).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name, token: &str| {
        let value = headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        value.split(',').any(|v| v.trim().eq_ignore_ascii_case(token))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let asks = has(header::UPGRADE, "websocket") && has(header::CONNECTION, "upgrade");
    (asks && has(header::SEC_WEBSOCKET_VERSION, "13"))
        .then(|| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok())
        .flatten()
}

/// `%E5%B8%81` as the character it is; what is no valid escape stays.
pub(crate) fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = after.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        let byte = escape.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| first == b'%');
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the socket goes on.
enum Next {
    Continue,
    /// Torn, without a word.
    Drop,
    Close(CloseCode, &'static str),
}

struct Connection {
    world: Arc<World>,
    cancel: CancellationToken,
    socket: WebSocketStream<TokioIo<Upgraded>>,
    session: Session,
    feed: Feed,
    /// When the last of our pings went out, if it is unanswered.
    unanswered: Option<Instant>,
    /// How many of its streams the statistics hold.
    counted: u64,
    /// Which one it is, counted from 1 as they were opened.
    number: u64,
}

impl Connection {
    fn new(sockets: Sockets, route: Route, path: &str, socket: WebSocketStream<TokioIo<Upgraded>>) -> Self {
        let number = sockets.world.open(route.market, path);
        Self {
            number,
            world: sockets.world,
            cancel: sockets.cancel,
            socket,
            session: Session::new(route),
            feed: Feed::new(route.market, number, path),
            unanswered: None,
            counted: 0,
        }
    }

    async fn run(mut self, names: Vec<String>) {
        self.world.count(|s| {
            s.open += 1;
            s.opened += 1;
        });
        let outcome = self.session.take_url(names, &self.world.truth);
        let next = self.take(outcome).await;
        let end = match next {
            Next::Continue => self.serve().await,
            end => end,
        };
        self.world.closed(self.number);
        self.world.count(|s| {
            s.open -= 1;
            s.streams -= self.counted;
        });
        if let Next::Close(code, reason) = end {
            let frame = CloseFrame { code, reason: reason.into() };
            let goodbye = async {
                self.socket.close(Some(frame)).await?;
                // What the client had sent is read, for a socket closed over unread bytes is reset,
                // and the closing frame lost with it.
                while !self.cancel.is_cancelled()
                    && let Some(message) = self.socket.next().await
                {
                    message?;
                }
                Ok::<_, tokio_tungstenite::tungstenite::Error>(())
            };
            // The client may be gone or not answer: nothing more can be done for it.
            let _ = timeout(Duration::from_secs(1), goodbye).await;
        }
    }

    async fn serve(&mut self) -> Next {
        let mut changes = self.world.changes();
        let (period, patience) = pings(self.session.market());
        let mut next_ping = Instant::now() + period;
        let cancel = self.cancel.clone();
        loop {
            if !self.world.orders(self.number).is_empty() {
                return Next::Drop;
            }
            let due = self.feed.next_due().map(|at| Instant::from_std(self.world.stopwatch.instant(at)));
            let far = Instant::now() + Duration::from_secs(3_600);
            let next = tokio::select! {
                () = cancel.cancelled() => Next::Close(CloseCode::Away, "the exchange goes down"),
                _ = changes.changed() => {
                    self.feed.reset(self.world.stopwatch.now());
                    Next::Continue
                }
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.message(message).await,
                    Some(Err(_)) | None => Next::Drop,
                },
                () = sleep_until(due.unwrap_or(far)) => self.send_due().await,
                () = sleep_until(next_ping) => {
                    let now = Instant::now();
                    next_ping = now + period;
                    if self.unanswered.is_some_and(|since| now - since >= patience) {
                        self.world.violation(Violation::NoPong);
                        return Next::Close(CloseCode::Policy, "Pong timeout");
                    }
                    self.unanswered.get_or_insert(now);
                    let stamp = self.world.now().to_string();
                    self.send(vec![Message::Ping(stamp.into_bytes().into())]).await
                }
            };
            match next {
                Next::Continue => {}
                end => return end,
            }
        }
    }

    async fn message(&mut self, message: Message) -> Next {
        if matches!(message, Message::Close(_)) {
            return Next::Continue; // the next read ends the stream, after the answer is out
        }
        if self.session.over_rate(self.world.stopwatch.now()) {
            self.world.violation(Violation::MessageRate);
            return Next::Close(CloseCode::Policy, "Too many requests");
        }
        match message {
            Message::Text(text) => {
                let outcome = self.session.text(text.as_str(), &self.world.truth);
                self.take(outcome).await
            }
            Message::Pong(_) => {
                self.unanswered = None;
                Next::Continue
            }
            // The answer to a ping is queued by the library and goes out with a flush.
            Message::Ping(_) => self.send(Vec::new()).await,
            Message::Binary(_) | Message::Frame(_) | Message::Close(_) => {
                self.world.violation(Violation::BadFrame);
                Next::Continue
            }
        }
    }

    async fn take(&mut self, outcome: Outcome) -> Next {
        let dead = outcome.added.iter().filter(|(_, t)| *t == Topic::Nothing).count();
        let (before, after) = (self.counted, self.session.streams() as u64);
        self.counted = after;
        self.world.count(|s| {
            s.streams = s.streams + after - before;
            if dead > 0 {
                *s.violations.entry(Violation::DeadStream).or_default() += dead as u64;
            }
        });
        match outcome.oddity {
            Some(Oddity::TooLong) => self.world.violation(Violation::FrameTooLong),
            Some(Oddity::NotARequest) => self.world.violation(Violation::BadFrame),
            None => {}
        }
        for name in &outcome.removed {
            self.feed.remove(name);
        }
        for (name, topic) in outcome.added {
            self.feed.add(name, topic, &self.world);
        }
        if let Some(answer) = outcome.answer
            && let end @ (Next::Drop | Next::Close(..)) = self.send(vec![Message::Text(answer.into())]).await
        {
            return end;
        }
        match outcome.ending {
            None => Next::Continue,
            Some(Ending::TooManyStreams) => {
                self.world.violation(Violation::TooManyStreams);
                Next::Close(CloseCode::Policy, "Invalid request")
            }
        }
    }

    async fn send_due(&mut self) -> Next {
        let frames = self.feed.frames(&self.world, BATCH);
        if frames.is_empty() {
            return Next::Continue;
        }
        let of = |kind: Kind| frames.iter().filter(|f| f.kind == kind).count() as u64;
        let (updates, closes) = (of(Kind::Update), of(Kind::Close));
        let combined = self.session.combined();
        let text =
            |f: super::feed::Frame| if combined { super::wire::combined(&f.stream, &f.data) } else { f.data };
        let messages = frames.into_iter().map(|f| Message::Text(text(f).into())).collect();
        let next = self.send(messages).await;
        self.world.count(|s| {
            s.updates += updates;
            s.closes += closes;
        });
        next
    }

    /// Writes and flushes; a client that does not read for [`PATIENCE`] is dropped, so that one of
    /// them holds up nobody else.
    async fn send(&mut self, messages: Vec<Message>) -> Next {
        let write = async {
            for message in messages {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await
        };
        match timeout(PATIENCE, write).await {
            Ok(Ok(())) => Next::Continue,
            Ok(Err(_)) => Next::Drop,
            Err(_) => {
                self.world.violation(Violation::SlowReader);
                Next::Drop
            }
        }
    }
}

/// How often the exchange pings, and how long it waits for the answer; in real time.
fn pings(market: Market) -> (Duration, Duration) {
    match market {
        Market::UsdM => (Duration::from_secs(180), Duration::from_secs(600)),
        Market::Spot => (Duration::from_secs(20), Duration::from_secs(60)),
    }
}
