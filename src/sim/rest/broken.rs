//! Answers that are not what they should be.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};

use super::answer::{json_answer, refused};
use crate::sim::fault::rest::{BodyForm, RestFault};
use crate::sim::wire;

/// The largest body that a small one unzips to.
const BOMB_MIB: u32 = 512;
const MIB: usize = 1 << 20;

/// A failure that was asked for; `None` for what is none.
pub(super) fn failure(fault: &RestFault) -> Option<Response> {
    let RestFault::RestError { status, body, code, message, retry_after_s } = fault else { return None };
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let usual = match status.as_u16() {
        _ if code.is_some() || message.is_some() => BodyForm::Json,
        403 | 500..=599 => BodyForm::Html,
        _ => BodyForm::Json,
    };
    let mut response = match body.unwrap_or(usual) {
        BodyForm::Empty => status.into_response(),
        BodyForm::Html => page(status, &format!("<h1>{status}</h1>")),
        BodyForm::Json => {
            let (usual_code, words) = usual_words(status);
            let text = wire::error(code.unwrap_or(usual_code), message.as_deref().unwrap_or(words));
            json_answer(status, None, text)
        }
    };
    let usual_wait = u32::from(matches!(status.as_u16(), 418 | 429));
    let wait = retry_after_s.unwrap_or(usual_wait);
    if wait > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    }
    Some(response)
}

fn usual_words(status: StatusCode) -> (i32, &'static str) {
    match status.as_u16() {
        451 => (
            0,
            "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error.",
        ),
        429 | 418 => (-1003, "Too many requests."),
        503 => {
            (-1008, "Server is currently overloaded with other requests. Please try again in a few minutes.")
        }
        _ => (-1000, "An unknown error occurred while processing the request."),
    }
}

fn page(status: StatusCode, inner: &str) -> Response {
    let page = format!("<html><head><title>{status}</title></head><body>{inner}</body></html>");
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// The answer of an address that is banned from now on.
pub(super) fn banned(seconds: i64, until: crate::domain::time::UnixMs) -> Response {
    refused(StatusCode::IM_A_TEAPOT, seconds, None, wire::error(-1003, &super::answer::ban_words(until)))
}

/// The good answer `body`, spoilt.
pub(super) fn spoilt(fault: &RestFault, body: &str) -> Option<Response> {
    let half = (0..=body.len() / 2).rev().find(|at| body.is_char_boundary(*at))?;
    Some(match fault {
        RestFault::Truncated {} => {
            let part = Bytes::copy_from_slice(body.get(..half)?.as_bytes());
            let breaks = async {
                // What went before is only sent while the body has nothing more to give.
                tokio::task::yield_now().await;
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            };
            let body_that_breaks = stream::once(async { Ok(part) }).chain(stream::once(breaks));
            let response = Body::from_stream(body_that_breaks).into_response();
            // Nothing on the way may zip it: the length is what shows that it broke off.
            with(
                response,
                &[(header::CONTENT_LENGTH, body.len().into()), (header::CONTENT_ENCODING, IDENTITY)],
            )
        }
        RestFault::CutJson {} => json_answer(StatusCode::OK, None, body.get(..half)?.to_owned()),
        RestFault::TruncatedGzip {} => {
            let mut zipped = zip(|out| out.write_all(body.as_bytes())).ok()?;
            zipped.truncate(zipped.len() / 2);
            with(Body::from(zipped).into_response(), &[(header::CONTENT_ENCODING, GZIP)])
        }
        RestFault::GzipBomb { mebibytes } => {
            let spaces = vec![b' '; MIB];
            let count = (*mebibytes).min(BOMB_MIB);
            let zipped = zip(|out| {
                out.write_all(b"[")?;
                (0..count).try_for_each(|_| out.write_all(&spaces))?;
                out.write_all(b"]")
            });
            with(Body::from(zipped.ok()?).into_response(), &[(header::CONTENT_ENCODING, GZIP)])
        }
        RestFault::EmptyBody {} => json_answer(StatusCode::OK, None, String::new()),
        RestFault::WrongType {} => page(StatusCode::OK, "<form>Please log in</form>"),
        _ => return None,
    })
}

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

fn with(mut response: Response, headers: &[(HeaderName, HeaderValue)]) -> Response {
    let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    for (name, value) in headers.iter().chain([&json]) {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

fn zip(write: impl FnOnce(&mut GzEncoder<Vec<u8>>) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    write(&mut out)?;
    out.finish()
}
