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
use super::session::{Outgoing, Over, Session, Timing, Wanted};
use crate::domain::time::Mono;
use crate::exchange::connect::{ByteStream, Dialer, sentence};
use crate::exchange::{ConnId, ErrorKind, ExchangeError, FeedEvent};
use crate::stopwatch::Stopwatch;

/// What a socket has to know.
#[derive(Clone, Debug)]
pub struct SocketConfig {
    /// Which it is.
    pub conn: ConnId,
    /// Given back at the end.
    pub attempt: u64,
    /// Where to.
    pub url: String,
    /// How to get there.
    pub dialer: Dialer,
    /// How long what may take.
    pub timing: Timing,
    /// Our clock.
    pub stopwatch: Stopwatch,
}

/// How a connection ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Which.
    pub conn: ConnId,
    /// As given.
    pub attempt: u64,
    /// Why; `None` = we wanted it.
    pub why: Option<Over>,
    /// When it was up, if it ever was.
    pub connected: Option<Mono>,
    /// Whether it carried data.
    pub had_data: bool,
}

type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// How long the farewell may take: a peer that does not answer a close would hold us for ever.
const FAREWELL: Duration = Duration::from_millis(400);

/// Runs one connection to its end.
pub async fn run(
    config: SocketConfig,
    mut wanted: watch::Receiver<Wanted>,
    events: mpsc::Sender<FeedEvent>,
    cancel: CancellationToken,
) -> Ended {
    let conn = config.conn;
    let streams = u32::try_from(wanted.borrow().keys.len()).unwrap_or(u32::MAX);
    let mut ended = Ended { conn, attempt: config.attempt, why: None, connected: None, had_data: false };
    let opening = async {
        // A closed channel shows when there is something to tell.
        let _ = events.send(FeedEvent::Connecting { conn, streams }).await;
        open(&config).await
    };
    let socket = tokio::select! {
        () = cancel.cancelled() => return ended,
        socket = opening => socket,
    };
    let mut socket = match socket {
        Ok(socket) => socket,
        Err(e) => return Ended { why: Some(Over::Failed(e)), ..ended },
    };
    ended.connected = Some(config.stopwatch.now());
    let mut session = Session::new(conn, config.timing, config.stopwatch.now());
    tokio::select! {
        () = cancel.cancelled() => {}
        over = talk(&config, &mut socket, &mut session, &mut wanted, &events) => ended.why = over,
    }
    ended.had_data = session.had_data();
    if !matches!(ended.why, Some(Over::Failed(_))) {
        let _ = tokio::time::timeout(FAREWELL, socket.close(None)).await;
    }
    drop(socket);
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tell_rest(&mut session, &events) => {}
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
    classify(Refusal { status, retry_after, body, asked: &config.url }, None)
}

/// Talks until it is over. Ends with `None` when nobody listens any more.
async fn talk(
    config: &SocketConfig,
    socket: &mut Socket,
    session: &mut Session,
    wanted: &mut watch::Receiver<Wanted>,
    events: &mpsc::Sender<FeedEvent>,
) -> Option<Over> {
    session.want(&wanted.borrow_and_update());
    let alarm = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(alarm);
    loop {
        let now = config.stopwatch.now();
        if let Some(error) = session.overdue(now) {
            return Some(Over::Failed(error));
        }
        if let Some(outgoing) = session.next_outgoing(now)
            && let Err(error) = send(socket, outgoing, config.timing.write).await
        {
            return Some(Over::Failed(error));
        }
        // The common case, without a turn of the select.
        while !session.outbox.is_empty() {
            match events.try_reserve() {
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
                if let Err(over) = hear(session, message, config.stopwatch.now()) {
                    return Some(over);
                }
            }
            changed = wanted.changed() => match changed {
                Ok(()) => session.want(&wanted.borrow_and_update()),
                Err(_) => return None,
            },
            permit = events.reserve(), if !session.outbox.is_empty() => match permit {
                Ok(permit) => tell_one(session, permit),
                Err(_) => return None,
            },
            () = &mut alarm => {}
        }
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

fn hear(session: &mut Session, message: Option<tungstenite::Result<Message>>, now: Mono) -> Result<(), Over> {
    let failed = |what: &str| Err(Over::Failed(ExchangeError::new(ErrorKind::Transient, what)));
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
