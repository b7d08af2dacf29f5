//! One connection: opens it, talks, tells why it ended.
//!
//! Invariant: the socket is polled all the time, so that pings are answered; who does not listen
//! to what it tells only makes its outbox coalesce. Sockets end, they do not heal: whether and
//! when another takes over is the supervisor's.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_util::sync::CancellationToken;

use super::refusal::{Refusal, classify};
use super::session::{Lifetime, News, Outgoing, Session, Timing, Wanted};
use crate::domain::time::Mono;
use crate::exchange::connect::{ByteStream, Dialer, sentence};
use crate::exchange::{ConnId, ErrorKind, ExchangeError, FeedEvent};
use crate::stopwatch::Stopwatch;

/// What a socket has to know.
#[derive(Clone, Debug)]
pub struct SocketConfig {
    /// Which it is.
    pub conn: ConnId,
    /// Given back with what it tells.
    pub attempt: u64,
    /// Whether it takes over from one that lives, so that nobody has to know that it connects.
    pub role: Role,
    /// Where to.
    pub url: String,
    /// How to get there.
    pub dialer: Dialer,
    /// How long what may take.
    pub timing: Timing,
    /// How fast the exchange's clock runs against ours.
    pub clock_rate: f64,
    /// Its place among its neighbours, in `0..1`: they must not age all at once.
    pub stagger: f64,
    /// Our clock.
    pub stopwatch: Stopwatch,
}

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its streams have no connection.
    Carrier,
    /// Its streams have one that is going to end.
    Successor,
}

/// What goes into a socket and comes out of it.
#[derive(Debug)]
pub struct Ports {
    /// What it is to carry.
    pub wanted: watch::Receiver<Wanted>,
    /// For the engine. Full: the outbox keeps what must not be lost.
    pub events: mpsc::Sender<FeedEvent>,
    /// For the supervisor. Full: the session keeps it, one of each kind.
    pub reports: mpsc::Sender<Report>,
    /// Ends it, since another carries its streams: what it has heard is still told.
    pub retire: CancellationToken,
}

/// What a connection tells its supervisor.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub conn: ConnId,
    /// As given.
    pub attempt: u64,
    /// What is new.
    pub news: News,
}

/// How a connection ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Which.
    pub conn: ConnId,
    /// As given.
    pub attempt: u64,
    /// Why; `None` = we wanted it.
    pub why: Option<ExchangeError>,
    /// When it was up, if it ever was.
    pub connected: Option<Mono>,
    /// Whether it carried data.
    pub had_data: bool,
}

type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// How long the farewell may take: a peer that does not answer a close would hold us for ever.
const FAREWELL: Duration = Duration::from_millis(400);

/// Runs one connection to its end.
pub async fn run(config: SocketConfig, mut ports: Ports, cancel: CancellationToken) -> Ended {
    let conn = config.conn;
    let streams = u32::try_from(ports.wanted.borrow().keys.len()).unwrap_or(u32::MAX);
    let mut ended = Ended { conn, attempt: config.attempt, why: None, connected: None, had_data: false };
    let opening = async {
        if config.role == Role::Carrier {
            // A closed channel shows when there is something to tell.
            let _ = ports.events.send(FeedEvent::Connecting { conn, streams }).await;
        }
        open(&config).await
    };
    let socket = tokio::select! {
        () = cancel.cancelled() => return ended,
        () = ports.retire.cancelled() => return ended,
        socket = opening => socket,
    };
    let mut socket = match socket {
        Ok(socket) => socket,
        Err(e) => return Ended { why: Some(e), ..ended },
    };
    let now = config.stopwatch.now();
    ended.connected = Some(now);
    tracing::info!("{} socket {} is connected, for {streams} streams", conn.market, conn.number);
    let lifetime = Lifetime::new(now, config.clock_rate, config.stagger);
    let mut session = Session::new(conn, config.timing, lifetime, now);
    let retire = ports.retire.clone();
    tokio::select! {
        () = cancel.cancelled() => {}
        () = retire.cancelled() => {}
        why = talk(&config, &mut socket, &mut session, &mut ports) => ended.why = why,
    }
    ended.had_data = session.had_data();
    if ended.why.is_none() {
        let _ = tokio::time::timeout(FAREWELL, socket.close(None)).await;
    }
    drop(socket);
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tell_rest(&mut session, &ports.events) => {}
    }
    ended
}

async fn open(config: &SocketConfig) -> Result<Socket, ExchangeError> {
    let limit = config.timing.connect;
    match tokio::time::timeout(limit, handshake(config)).await {
        Ok(result) => result,
        Err(_) => Err(ExchangeError::new(
            ErrorKind::Transient,
            format!(
                "{} did not open a connection within {} s; check the network, the proxy (HTTPS_PROXY, ALL_PROXY) and --ws-url",
                config.url,
                limit.as_secs_f64()
            ),
        )),
    }
}

async fn handshake(config: &SocketConfig) -> Result<Socket, ExchangeError> {
    let request = config.url.as_str().into_client_request();
    let request = request.map_err(|e| {
        ExchangeError::new(ErrorKind::Rejected, format!("{}: {e}; check --ws-url", config.url))
    })?;
    let stream = config.dialer.open(&config.url).await?;
    // All-market arrays have some hundred KiB; what is larger is not from Binance.
    let limits = WebSocketConfig::default()
        .read_buffer_size(32 << 10)
        .max_write_buffer_size(256 << 10)
        .max_message_size(Some(4 << 20))
        .max_frame_size(Some(4 << 20));
    let greeted = tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await;
    greeted.map(|(socket, _)| socket).map_err(|e| handshake_error(config, e))
}

fn handshake_error(config: &SocketConfig, error: tungstenite::Error) -> ExchangeError {
    let tungstenite::Error::Http(response) = error else {
        return ExchangeError::new(
            ErrorKind::Transient,
            format!("{}: the handshake failed ({}); check --ws-url", config.url, sentence(&error)),
        );
    };
    let status = response.status().as_u16();
    if response.status().is_success() {
        return ExchangeError::new(
            ErrorKind::Rejected,
            format!(
                "{} answers like a web server, not like a stream (HTTP {status}): is --ws-url that of a host that speaks Binance's protocol?",
                config.url
            ),
        );
    }
    let header = response.headers().get("retry-after").and_then(|v| v.to_str().ok());
    let retry_after = header.and_then(|v| v.trim().parse().ok());
    let body = response.body().as_deref().unwrap_or_default();
    let body = std::str::from_utf8(body).unwrap_or_default();
    let mut error = classify(Refusal { status, retry_after, body, asked: &config.url }, None);
    if let (ErrorKind::Transient, Some(secs)) = (error.kind, retry_after) {
        // A server that is down may say for how long, too.
        error.kind = ErrorKind::RateLimited { wait: Duration::from_secs(secs.min(600)) };
    }
    error
}

/// Talks until it is over. Ends with `None` when nobody listens any more.
async fn talk(
    config: &SocketConfig,
    socket: &mut Socket,
    session: &mut Session,
    ports: &mut Ports,
) -> Option<ExchangeError> {
    session.want(&ports.wanted.borrow_and_update());
    let alarm = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(alarm);
    loop {
        let now = config.stopwatch.now();
        if let Some(error) = session.overdue(now) {
            return Some(error);
        }
        if let Some(outgoing) = session.next_outgoing(now)
            && let Err(error) = send(socket, outgoing, config.timing.write).await
        {
            return Some(error);
        }
        // The common case, without a turn of the select.
        while !session.outbox.is_empty() {
            match ports.events.try_reserve() {
                Ok(permit) => tell_one(session, permit),
                Err(mpsc::error::TrySendError::Full(())) => break,
                Err(mpsc::error::TrySendError::Closed(())) => return None,
            }
        }
        let deadline = config.stopwatch.instant(session.deadline()).into();
        // Each frame moves the deadline further off: an alarm that rings early is cheaper than one
        // set anew with each of thousands of frames.
        if alarm.is_elapsed() || deadline < alarm.deadline() {
            alarm.as_mut().reset(deadline);
        }
        tokio::select! {
            message = socket.next() => {
                if let Err(error) = hear(session, message, config.stopwatch.now()) {
                    return Some(error);
                }
            }
            changed = ports.wanted.changed() => match changed {
                Ok(()) => session.want(&ports.wanted.borrow_and_update()),
                Err(_) => return None,
            },
            permit = ports.events.reserve(), if !session.outbox.is_empty() => match permit {
                Ok(permit) => tell_one(session, permit),
                Err(_) => return None,
            },
            permit = ports.reports.reserve(), if session.has_news() => match permit {
                Ok(permit) => report(config, session, permit),
                Err(_) => return None,
            },
            () = &mut alarm => {}
        }
    }
}

fn report(config: &SocketConfig, session: &mut Session, permit: mpsc::Permit<'_, Report>) {
    if let Some(news) = session.pop_news() {
        permit.send(Report { conn: config.conn, attempt: config.attempt, news });
    }
}

fn tell_one(session: &mut Session, permit: mpsc::Permit<'_, FeedEvent>) {
    if let Some(event) = session.outbox.pop() {
        permit.send(event);
    }
}

/// Closed candles that were heard are not lost with the connection.
async fn tell_rest(session: &mut Session, events: &mpsc::Sender<FeedEvent>) {
    while let Some(event) = session.outbox.pop() {
        if events.send(event).await.is_err() {
            return;
        }
    }
}

fn hear(
    session: &mut Session,
    message: Option<tungstenite::Result<Message>>,
    now: Mono,
) -> Result<(), ExchangeError> {
    let failed = |what: &str| Err(ExchangeError::new(ErrorKind::Transient, what));
    match message {
        Some(Ok(Message::Text(text))) => session.on_text(text.as_str(), now),
        Some(Ok(Message::Binary(_))) => {
            session.on_binary(now);
            Ok(())
        }
        Some(Ok(Message::Ping(_))) => {
            session.on_ping(now);
            Ok(())
        }
        Some(Ok(Message::Pong(_) | Message::Frame(_))) => {
            session.on_sign_of_life(now);
            Ok(())
        }
        Some(Ok(Message::Close(Some(frame)))) => failed(&format!(
            "the exchange closed the connection ({} {}); connecting anew",
            frame.code, frame.reason
        )),
        Some(Ok(Message::Close(None))) | None => {
            failed("the exchange closed the connection; connecting anew")
        }
        Some(Err(e)) => failed(&format!("the connection broke ({}); connecting anew", sentence(&e))),
    }
}

/// Never inside a select: a send that is dropped half way leaves half a frame.
async fn send(socket: &mut Socket, outgoing: Outgoing, limit: Duration) -> Result<(), ExchangeError> {
    let message = match outgoing {
        Outgoing::Text(text) => Message::text(text),
        Outgoing::Ping => Message::Ping(Bytes::new()),
    };
    match tokio::time::timeout(limit, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(ExchangeError::new(
            ErrorKind::Transient,
            format!("the connection broke ({}); connecting anew", sentence(&e)),
        )),
        Err(_) => Err(ExchangeError::new(
            ErrorKind::Transient,
            "dead: the exchange takes nothing from us; connecting anew",
        )),
    }
}
