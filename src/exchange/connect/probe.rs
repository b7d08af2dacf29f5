//! The way to an address, step by step: for people who want to know where it ends.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Intercept;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::rustls::{self, CertificateError};

use super::{ByteStream, Dial, Dialer, Target, sentence, start_tls, tcp, through, with_port};
use crate::domain::text::CleanText;
use crate::exchange::ExchangeError;

/// A step of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The name of the host, or of the proxy, becomes an address.
    Name,
    /// TCP.
    Connect,
    /// The proxy opens a way to the host.
    Tunnel,
    /// The host proves who it is.
    Tls,
}

/// Why the way ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The name has no address.
    NoSuchName,
    /// Nobody listens there.
    Refused,
    /// There is no route: the network is down, or a firewall says so.
    NoRoute,
    /// No answer at all.
    Silent,
    /// The certificate is signed by nobody we trust.
    Untrusted,
    /// The certificate is another host's.
    OtherName,
    /// The certificate's time is over, or has not begun.
    OutOfDate,
    /// What answers does not speak TLS.
    NotTls,
    /// Something else.
    Other(CleanText),
}

/// The way to a host, as far as it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Host and port.
    pub to: String,
    /// Through which proxy: scheme, host and port, and no more, since the rest is secret.
    pub proxy: Option<String>,
    /// Whether TLS is on it.
    pub tls: bool,
    /// The last step that was tried.
    pub step: Step,
    /// Why it failed; `None` = the way is open.
    pub broken: Option<Broken>,
}

impl Dialer {
    /// Walks to the host of `url`, at most `each` for a step, and says nothing there.
    pub async fn probe(&self, url: &str, each: Duration) -> Result<Way, ExchangeError> {
        // REST without TLS goes to a proxy as a request, not through a tunnel.
        let plain_rest = url.starts_with("http:");
        let target = Target::of(&url.replacen("http", "ws", usize::from(url.starts_with("http"))))?;
        let proxy = self.matcher.intercept(&target.uri);
        let to = target.uri.authority().map_or(String::new(), ToString::to_string);
        let shown = proxy.as_ref().and_then(|p| with_port(p.uri()).ok());
        let mut way = Way {
            to,
            proxy: shown.map(|u| {
                format!("{}://{}:{}", u.scheme_str().unwrap_or("http"), host(&u), u.port_u16().unwrap_or(0))
            }),
            tls: target.tls,
            step: Step::Name,
            broken: None,
        };
        let hops = Hops { target: &target, proxy: proxy.as_ref(), tunnel: !plain_rest };
        way.broken = self.walk(&hops, each, &mut way.step).await.err();
        Ok(way)
    }

    async fn walk(&self, hops: &Hops<'_>, each: Duration, step: &mut Step) -> Result<(), Broken> {
        let first = match hops.proxy {
            Some(proxy) => with_port(proxy.uri()).map_err(|e| other(&*e))?,
            None => hops.target.uri.clone(),
        };
        let (name, port) = (host(&first), first.port_u16().unwrap_or(443));
        let addresses = timeout(each, lookup_host((name.as_str(), port))).await;
        let addresses: Vec<_> = match addresses {
            Ok(Ok(found)) => found.collect(),
            // Resolvers tell a name that is not there from one that they could not ask for in words only.
            Ok(Err(_)) if name.parse::<IpAddr>().is_err() => return Err(Broken::NoSuchName),
            Ok(Err(e)) => return Err(other(&e)),
            Err(_) => return Err(Broken::NoSuchName),
        };
        *step = Step::Connect;
        let mut bytes: Box<dyn ByteStream> = Box::new(connect(&addresses, each).await?);
        match hops.proxy {
            Some(_) if !hops.tunnel => return Ok(()),
            Some(proxy) => {
                *step = Step::Tunnel;
                let dial = Dial { tcp: tcp(), tls: self.tls.clone().ok() };
                let opened = timeout(each, through(proxy, dial, hops.target)).await;
                bytes = opened.map_err(|_| Broken::Silent)?.map_err(|e| other(&*e))?.into_inner();
            }
            None => {}
        }
        if !hops.target.tls {
            return Ok(());
        }
        *step = Step::Tls;
        let config = self.tls.clone().map_err(Broken::Other)?;
        let greeted = timeout(each, start_tls(config, hops.target.host(), bytes)).await;
        greeted.map_err(|_| Broken::Silent)?.map_err(|e| tls_fault(&*e)).map(|_| ())
    }
}

struct Hops<'a> {
    target: &'a Target,
    proxy: Option<&'a Intercept>,
    tunnel: bool,
}

fn host(uri: &http::Uri) -> String {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// The first address that answers, all within `limit`.
async fn connect(addresses: &[std::net::SocketAddr], limit: Duration) -> Result<TcpStream, Broken> {
    let trying = async {
        let mut last = Broken::NoSuchName;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(e) => last = tcp_fault(&e),
            }
        }
        Err(last)
    };
    timeout(limit, trying).await.unwrap_or(Err(Broken::Silent))
}

fn tcp_fault(e: &io::Error) -> Broken {
    match e.kind() {
        io::ErrorKind::ConnectionRefused => Broken::Refused,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown => {
            Broken::NoRoute
        }
        io::ErrorKind::TimedOut => Broken::Silent,
        _ => other(e),
    }
}

fn tls_fault(error: &(dyn StdError + 'static)) -> Broken {
    use CertificateError as C;
    match find::<rustls::Error>(error) {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            C::UnknownIssuer => Broken::Untrusted,
            C::NotValidForName | C::NotValidForNameContext { .. } => Broken::OtherName,
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
                Broken::OutOfDate
            }
            _ => other(error),
        },
        Some(rustls::Error::InvalidMessage(_)) => Broken::NotTls,
        _ => other(error),
    }
}

fn other(error: &(dyn StdError + 'static)) -> Broken {
    Broken::Other(CleanText::new(&sentence(error)))
}

/// The error of that type in the chain; what an `io::Error` wraps is not among its sources.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut at = Some(error);
    while let Some(e) = at {
        if let Some(found) = e.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = e.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        at = wrapped.map(|w| w as &(dyn StdError + 'static)).or_else(|| e.source());
    }
    None
}
