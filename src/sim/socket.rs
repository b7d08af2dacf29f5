//! A client asks for a WebSocket: the limits on that, and the upgrade.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use super::connection::{Client, Connection};
use super::fault::Fault;
use super::fault::scope::Target;
use super::fault::sockets::SocketFault;
use super::port::Peer;
use super::session::Route;
use super::stats::Violation;
use super::world::World;
use crate::domain::symbol::Market;

/// The longest URL that is served.
const URL_BYTES: usize = 8_004;

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
    ConnectInfo(peer): ConnectInfo<Peer>,
    Query(query): Query<StreamsQuery>,
    mut request: Request,
) -> Response {
    let world = &sockets.world;
    let Some(accept) = accept_key(request.headers()) else {
        return (StatusCode::BAD_REQUEST, "this path speaks WebSocket only").into_response();
    };
    if request.uri().to_string().len() > URL_BYTES {
        world.violation(Violation::UrlTooLong);
        return StatusCode::URI_TOO_LONG.into_response();
    }
    if !world.attempt(peer.ip) {
        return refusal(429, Some(300));
    }
    let path = percent_decoded(request.uri().path());
    let Some((route, mut names)) = Route::of(&path, unrouted(world, &path)) else {
        world.violation(Violation::UnknownRoute);
        return StatusCode::NOT_FOUND.into_response();
    };
    let target = Target { market: Some(route.market), route: Some(&path), ..Target::default() };
    let slow = world.strike(&target, |f| match f {
        Fault::Socket(SocketFault::SlowHandshake { by_ms }) => Some(*by_ms),
        _ => None,
    });
    if let Some(by_ms) = slow {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(by_ms)) => {}
            () = sockets.cancel.cancelled() => {}
        }
    }
    let refused = world.strike(&target, |f| match f {
        Fault::Socket(SocketFault::WsCut {}) => Some((503, None)),
        Fault::Socket(SocketFault::Refuse { status, retry_after }) => Some((*status, *retry_after)),
        _ => None,
    });
    if let Some((status, retry_after)) = refused {
        return refusal(status, retry_after);
    }
    let dropped =
        world.strike(&target, |f| matches!(f, Fault::Socket(SocketFault::AcceptThenDrop {})).then_some(()));
    names
        .extend(query.streams.iter().flat_map(|s| s.split('/')).filter(|s| !s.is_empty()).map(str::to_owned));
    let upgrade = hyper::upgrade::on(&mut request);
    let tracker = world.sockets.clone();
    tracker.spawn(async move {
        if let Ok(upgraded) = upgrade.await
            && dropped.is_none()
        {
            let io = TokioIo::new(upgraded);
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            let client = Client { peer, route, path };
            Connection::new(sockets, client, socket).run(names).await;
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

/// Whose streams a path without a class carries.
fn unrouted(world: &World, path: &str) -> Market {
    let bare = path.starts_with("/ws") || path.starts_with("/stream");
    let target = Target { route: Some(path), ..Target::default() };
    let moved = |f: &Fault| matches!(f, Fault::Socket(SocketFault::Unrouted {})).then_some(Market::UsdM);
    let fault = if bare { world.strike(&target, moved) } else { None };
    fault.unwrap_or(world.unrouted)
}

fn refusal(status: u16, retry_after: Option<u32>) -> Response {
    super::rest::refusal(status, retry_after).unwrap_or(StatusCode::SERVICE_UNAVAILABLE.into_response())
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
