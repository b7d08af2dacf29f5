//! The way to the exchange: proxies and TLS, the same for REST and for sockets.
//!
//! Invariant: both read the same environment by the same code (hyper-util's matcher and tunnels,
//! which reqwest uses too) and trust the same roots. Both name their crypto
//! provider, so that none has to be installed for the process.

pub mod probe;

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::{ErrorKind, ExchangeError};
use crate::domain::text::CleanText;

/// Which proxies are used.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Proxies {
    /// Those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, without the hosts of `NO_PROXY`.
    #[default]
    FromEnvironment,
    /// None: the exchange is on this machine.
    None,
    /// This one, for everything.
    Through(String),
}

/// Opens connections. Cheap to clone; made once for all sockets and clients.
#[derive(Clone)]
pub struct Dialer {
    proxies: Proxies,
    matcher: Arc<Matcher>,
    tls: Result<Arc<ClientConfig>, CleanText>,
    /// A network inside the test, whose time the test holds.
    #[cfg(test)]
    memory: Option<super::testing::Net>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("proxies", &self.proxies)
            .field("tls", &self.tls.is_ok())
            .finish_non_exhaustive()
    }
}

/// A byte stream, whatever lies below it.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

type BoxedError = Box<dyn StdError + Send + Sync>;
type Bytes = TokioIo<Box<dyn ByteStream>>;

/// How long a TCP connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);

impl Dialer {
    /// Reads the environment where asked to, and the system's certificates. Without certificates
    /// plain connections still work, so that an exchange on this machine needs none.
    pub fn new(proxies: Proxies) -> Self {
        let matcher = match &proxies {
            Proxies::FromEnvironment => Matcher::from_env(),
            Proxies::None => Matcher::builder().build(),
            Proxies::Through(url) => Matcher::builder().all(url.as_str()).build(),
        };
        let tls = tls_config().map_err(|e| {
            CleanText::new(&format!(
                "no root certificates to check the exchange's against ({e}): install the package ca-certificates, or point SSL_CERT_FILE at a file of them"
            ))
        });
        Self {
            proxies,
            matcher: Arc::new(matcher),
            tls,
            #[cfg(test)]
            memory: None,
        }
    }

    #[cfg(test)]
    pub(super) fn within(net: super::testing::Net) -> Self {
        let tls = Err(CleanText::new("a test without certificates"));
        let matcher = Arc::new(Matcher::builder().build());
        Self { proxies: Proxies::None, matcher, tls, memory: Some(net) }
    }

    /// A client for REST.
    pub fn http_client(&self, timeout: Duration) -> Result<reqwest::Client, ExchangeError> {
        let mut tls = match &self.tls {
            Ok(config) => (**config).clone(),
            // Trusts nobody: plain HTTP works, and TLS fails.
            Err(_) => untrusting().map_err(|e| ExchangeError::new(ErrorKind::Bug, e.to_string()))?,
        };
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("hamatop/", env!("CARGO_PKG_VERSION")));
        let builder = match &self.proxies {
            Proxies::FromEnvironment => builder,
            Proxies::None => builder.no_proxy(),
            Proxies::Through(url) => {
                builder.no_proxy().proxy(reqwest::Proxy::all(url).map_err(|_| bad_proxy())?)
            }
        };
        builder.build().map_err(|e| ExchangeError::new(ErrorKind::Bug, sentence(&e)))
    }

    /// Why a connection with TLS can't work, where it can't.
    pub fn tls_fault(&self) -> Option<ExchangeError> {
        let message = self.tls.as_ref().err()?.clone();
        Some(ExchangeError { kind: ErrorKind::Rejected, message })
    }

    /// Opens a stream to the host of `url` (`ws:` or `wss:`), through a proxy where there is one
    /// for it, and with TLS where the URL says so.
    pub async fn open(&self, url: &str) -> Result<Box<dyn ByteStream>, ExchangeError> {
        let target = Target::of(url)?;
        #[cfg(test)]
        if let Some(net) = &self.memory {
            return net.dial().await.map_err(|e| unreachable_error(&target, &e));
        }
        let dial = Dial { tcp: tcp(), tls: self.tls.clone().ok() };
        let way = match self.matcher.intercept(&target.uri) {
            None => dial.plain(target.uri.clone()).await,
            Some(proxy) => through(&proxy, dial, &target).await,
        };
        let bytes = way.map_err(|e| unreachable_error(&target, &*e))?;
        if !target.tls {
            return Ok(bytes.into_inner());
        }
        let config =
            self.tls.clone().map_err(|message| ExchangeError { kind: ErrorKind::Rejected, message })?;
        let stream = start_tls(config, target.host(), bytes.into_inner()).await;
        stream.map_err(|e| unreachable_error(&target, &*e))
    }
}

struct Target {
    /// With the scheme `http` or `https` and a port, as the matcher and the tunnels want it.
    uri: Uri,
    tls: bool,
}

impl Target {
    fn of(url: &str) -> Result<Self, ExchangeError> {
        let bad = || ExchangeError::new(ErrorKind::Bug, format!("{url} is no address of a socket"));
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(bad()),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let host = uri.host().ok_or_else(bad)?;
        let built = Uri::builder()
            .scheme(if tls { "https" } else { "http" })
            .authority(format!("{host}:{port}"))
            .path_and_query("/")
            .build();
        Ok(Self { uri: built.map_err(|_| bad())?, tls })
    }

    fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }
}

async fn through(proxy: &Intercept, dial: Dial, target: &Target) -> Result<Bytes, BoxedError> {
    let uri = with_port(proxy.uri())?;
    let scheme = uri.scheme_str().unwrap_or_default();
    match scheme {
        "http" | "https" => {
            let mut tunnel = Tunnel::new(uri, dial);
            if let Some(auth) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            tunnel.call(target.uri.clone()).await.map_err(Into::into)
        }
        "socks5" | "socks5h" => {
            // `socks5` resolves names here, `socks5h` at the proxy. The connector would resolve
            // with a call that blocks the runtime.
            let here = scheme == "socks5";
            let dst = if here { resolved(&target.uri).await? } else { target.uri.clone() };
            let mut socks = SocksV5::new(uri, dial);
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            socks.call(dst).await.map_err(|e| BoxedError::from(format!("the SOCKS5 proxy: {e}")))
        }
        other => {
            Err(format!("a proxy of the kind {other}:// is not supported; use http:// or socks5h://").into())
        }
    }
}

fn with_port(proxy: &Uri) -> Result<Uri, BoxedError> {
    if proxy.port().is_some() {
        return Ok(proxy.clone());
    }
    let port = match proxy.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        _ => 1_080,
    };
    let mut parts = proxy.clone().into_parts();
    parts.authority = Some(format!("{}:{port}", proxy.host().unwrap_or_default()).parse()?);
    Ok(Uri::from_parts(parts)?)
}

async fn resolved(uri: &Uri) -> Result<Uri, BoxedError> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = tokio::net::lookup_host((bare, uri.port_u16().unwrap_or(443))).await?.next();
    let address = address.ok_or("the name has no address")?;
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(address.to_string().parse()?);
    Ok(Uri::from_parts(parts)?)
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    tcp
}

/// The first hop: TCP, and TLS where the hop is a proxy that wants it.
#[derive(Clone)]
struct Dial {
    tcp: HttpConnector,
    tls: Option<Arc<ClientConfig>>,
}

impl Dial {
    async fn plain(mut self, uri: Uri) -> Result<Bytes, BoxedError> {
        let stream = self.tcp.call(uri).await?.into_inner();
        Ok(TokioIo::new(Box::new(stream)))
    }
}

impl Service<Uri> for Dial {
    type Response = Bytes;
    type Error = BoxedError;
    type Future = Pin<Box<dyn Future<Output = Result<Bytes, BoxedError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxedError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move {
            let tls = dial.tls.clone();
            let bytes = dial.plain(uri.clone()).await?;
            if uri.scheme_str() != Some("https") {
                return Ok(bytes);
            }
            let config = tls.ok_or("the proxy wants TLS, and there are no root certificates")?;
            Ok(TokioIo::new(start_tls(config, uri.host().unwrap_or_default(), bytes.into_inner()).await?))
        })
    }
}

async fn start_tls(
    config: Arc<ClientConfig>,
    host: &str,
    bytes: Box<dyn ByteStream>,
) -> Result<Box<dyn ByteStream>, BoxedError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned())?;
    let handshake = TlsConnector::from(config).connect(name, bytes);
    let stream =
        tokio::time::timeout(CONNECT, handshake).await.map_err(|_| "the TLS handshake took too long")??;
    Ok(Box::new(stream))
}

fn tls_config() -> Result<Arc<ClientConfig>, tokio_rustls::rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(provider.clone())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn untrusting() -> Result<ClientConfig, tokio_rustls::rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// The error and what caused it, in one line.
pub fn sentence(error: &(dyn StdError + 'static)) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        // Layers often repeat what lies below them.
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        cause = e.source();
    }
    out
}

fn unreachable_error(target: &Target, error: &(dyn StdError + 'static)) -> ExchangeError {
    let place = target.uri.authority().map_or("", |a| a.as_str());
    ExchangeError::new(
        ErrorKind::Transient,
        format!(
            "can't connect to {place} ({}); check the network, the proxy (HTTPS_PROXY, ALL_PROXY) and --ws-url",
            sentence(error)
        ),
    )
}

fn bad_proxy() -> ExchangeError {
    ExchangeError::new(
        ErrorKind::Rejected,
        "the proxy's address can't be read; it is to look like http://host:port or socks5h://host:port",
    )
}
