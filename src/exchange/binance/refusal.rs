//! What an answer other than 200 means, and what to do about it.

use std::time::Duration;

use chrono::DateTime;
use serde::Deserialize;

use crate::domain::time::UnixMs;
use crate::exchange::{ErrorKind, ExchangeError};

/// An answer that is no answer.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
    /// The body, as far as it is text.
    pub body: &'a str,
    /// What was asked: a base address.
    pub asked: &'a str,
}

/// The exchange's ban when it does not say how long: the shortest it has.
const SHORTEST_BAN: Duration = Duration::from_secs(120);

#[derive(Deserialize, Default)]
struct ErrorBody {
    code: Option<i64>,
    msg: Option<String>,
}

/// Reads the refusal. Waiting times are on the exchange's clock, which shows `now` where known.
pub fn classify(refusal: Refusal<'_>, now: Option<UnixMs>) -> ExchangeError {
    let Refusal { status, asked, body, .. } = refusal;
    let json: Option<ErrorBody> = serde_json::from_str(body).ok();
    let code = json.as_ref().and_then(|b| b.code);
    let said = json.and_then(|b| b.msg).map_or_else(|| first_words(&plain(body)), |said| plain(&said));
    let (kind, sentence) = match (status, code) {
        (418, _) => {
            let wait = wait(refusal, now).unwrap_or(SHORTEST_BAN);
            // The sentence is kept for as long as the ban lasts: no span in it may count down.
            let until = now.and_then(|now| DateTime::from_timestamp_millis((now + wait).0)).map_or_else(
                || format!("for {} min from this answer on", wait.as_secs().div_ceil(60)),
                |until| format!("until {}", until.format("%m-%d %H:%MZ")),
            );
            (
                ErrorKind::Banned { wait },
                format!("{asked} has banned this address {until} (HTTP 418): nothing is asked until then; run fewer programs on this address"),
            )
        }
        (429, _) | (_, Some(-1003)) => {
            let wait = wait(refusal, now).or(now.map(super::super::budget::Budget::to_next_minute));
            (
                ErrorKind::RateLimited { wait: wait.unwrap_or(Duration::from_secs(60)) },
                format!("{asked} says that this address has used up its request weight (HTTP {status}); waiting, other programs on it may use some too"),
            )
        }
        (451, _) => (
            ErrorKind::Restricted,
            format!("{asked} does not serve the place you are in (HTTP 451); for spot try --rest-url https://data-api.binance.vision, or a proxy (HTTPS_PROXY) in a place it serves"),
        ),
        (403, _) => (
            ErrorKind::Forbidden { wait: wait(refusal, now).unwrap_or(Duration::from_secs(60)) },
            format!("{asked} has its firewall refuse us (HTTP 403): too many requests, or a proxy on the way; trying again later"),
        ),
        (407, _) => (
            ErrorKind::Rejected,
            "the proxy wants a user name and a password (HTTP 407): put them into HTTPS_PROXY, as http://user:password@host:port".to_owned(),
        ),
        (_, Some(-1121)) => (ErrorKind::Rejected, format!("{asked} knows no such symbol: {said}")),
        (_, Some(-1120)) => (ErrorKind::Rejected, format!("{asked} has no candles of this interval: {said}")),
        (404, _) => (
            ErrorKind::Rejected,
            format!("{asked} has no such route (HTTP 404): is --rest-url or --ws-url that of a host that speaks Binance's protocol?"),
        ),
        (408 | 425 | 500.., _) | (_, Some(-1008 | -1000 | -1001 | -1006 | -1007 | -1016)) => {
            (ErrorKind::Transient, format!("{asked} is busy or broken (HTTP {status}): {said}; trying again"))
        }
        (300..400, _) => (
            ErrorKind::Rejected,
            format!("{asked} sends us elsewhere (HTTP {status}): is the URL the right one?"),
        ),
        _ => (ErrorKind::Rejected, format!("{asked} refuses the request (HTTP {status}): {said}")),
    };
    ExchangeError::new(kind, sentence)
}

fn wait(refusal: Refusal<'_>, now: Option<UnixMs>) -> Option<Duration> {
    // No ban is longer than three days; a longer one is a mistake in the header.
    let most = 3 * 24 * 3_600;
    let header = refusal.retry_after.map(|s| Duration::from_secs(s.clamp(1, most)));
    header.or_else(|| {
        let until: i64 = refusal
            .body
            .split("banned until ")
            .nth(1)?
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()?;
        let left = UnixMs(until).since(now?);
        (left > Duration::ZERO).then(|| left.min(Duration::from_secs(most)))
    })
}

/// What a page of HTML says, without its tags.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let is_tag =
            tag.chars().nth(1).is_none_or(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if is_tag {
            out.push(' ');
            // What ends within a tag says nothing more.
            rest = tag.split_once('>').map_or("", |(_, after)| after);
        } else {
            out.push('<');
            rest = tag.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// Enough of a page to recognise it by.
fn first_words(body: &str) -> String {
    let words: Vec<&str> = body.split_whitespace().take(12).collect();
    if words.is_empty() { "no reason given".to_owned() } else { words.join(" ").chars().take(120).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(status: u16, retry_after: Option<u64>, body: &str) -> ExchangeError {
        classify(Refusal { status, retry_after, body, asked: "http://h" }, Some(UnixMs(1_760_000_050_000)))
    }

    fn limited(secs: u64) -> ErrorKind {
        ErrorKind::RateLimited { wait: Duration::from_secs(secs) }
    }

    fn banned(secs: u64) -> ErrorKind {
        ErrorKind::Banned { wait: Duration::from_secs(secs) }
    }

    #[test]
    fn each_refusal_has_its_kind_and_a_sentence_with_the_cure() {
        let ban = r#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1760000650000. Please use"}"#;
        let html = "<html><head><title>403</title></head></html>";
        for (status, retry, body, kind, word) in [
            (429, Some(7), "", limited(7), "weight"),
            (429, None, "", limited(51), "weight"),
            (400, None, r#"{"code":-1003,"msg":"Too many requests queued."}"#, limited(51), "weight"),
            (418, Some(300), "", banned(300), "until 10-09 08:59Z"),
            (418, None, ban, banned(600), "until 10-09 09:04Z"),
            (418, None, "<html>", banned(120), "until 10-09 08:56Z"),
            (418, Some(u64::MAX), "", banned(259_200), "banned"),
            (403, None, html, ErrorKind::Forbidden { wait: Duration::from_secs(60) }, "firewall"),
            (407, None, "", ErrorKind::Rejected, "HTTPS_PROXY"),
            (
                451,
                None,
                r#"{"code":0,"msg":"Service unavailable from a restricted location"}"#,
                ErrorKind::Restricted,
                "data-api.binance.vision",
            ),
            (400, None, r#"{"code":-1121,"msg":"Invalid symbol."}"#, ErrorKind::Rejected, "no such symbol"),
            (400, None, r#"{"code":-1120,"msg":"Invalid interval."}"#, ErrorKind::Rejected, "interval"),
            (404, None, "<html>", ErrorKind::Rejected, "--rest-url"),
            (302, None, "", ErrorKind::Rejected, "elsewhere"),
            (400, None, r#"{"code":-1008,"msg":"busy"}"#, ErrorKind::Transient, "busy"),
            (408, None, "", ErrorKind::Transient, "408"),
            (502, None, html, ErrorKind::Transient, "502"),
            (503, None, "", ErrorKind::Transient, "no reason given"),
            (400, None, "x\u{1b}[2J", ErrorKind::Rejected, "refuses"),
        ] {
            let e = ask(status, retry, body);
            assert_eq!(e.kind, kind, "{status} {body}");
            assert!(e.message.as_str().contains(word) && !e.message.as_str().contains('\u{1b}'), "{e}");
        }
    }

    #[test]
    fn no_sentence_has_html_in_it_or_a_span_that_counts_down() {
        let page = "<html>\r\n<head><title>503 Service Unavailable</title></head><body><h1>Busy";
        let said = ask(503, None, page).message;
        assert!(said.as_str().contains("(HTTP 503): 503 Service Unavailable Busy;"), "{said}");
        for body in [page, r#"{"code":1,"msg":"no <b>way</b>"}"#, "x <!-- y", "<p", "<html></html>"] {
            for status in [400, 403, 418, 429, 503] {
                let said = ask(status, None, body).message;
                assert!(!said.as_str().contains(['<', '>']), "{said}");
            }
        }
        assert_eq!(plain("1 < 2"), "1 < 2");
        let banned = ask(418, Some(17_220), "").message;
        assert!(!banned.as_str().contains(" min"), "{banned}");
        // Nobody knows the time yet: the span says from when it counts.
        let banned = classify(Refusal { status: 418, retry_after: Some(300), body: "", asked: "h" }, None);
        assert!(banned.message.as_str().contains("for 5 min from this answer on"), "{banned}");
    }
}
