//! Tiny servers on loopback for the tests of the fetcher and the feed.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Waits for what a test expects, and fails it after ten seconds.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("did not happen in time")
}

/// An HTTP server: `answer` turns the request's path with its query into the bytes of an answer.
pub(super) struct Rest {
    pub(super) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Rest {
    pub(super) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    /// The same where another one was.
    pub(super) async fn start_at(
        address: SocketAddr,
        answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), log.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, seen) = (answer.clone(), seen.clone());
                tokio::spawn(async move {
                    let head = read_head(&mut stream).await;
                    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    let path = target.split_once("://").map_or(target.clone(), |(_, rest)| {
                        rest[rest.find('/').unwrap_or(rest.len())..].to_owned()
                    });
                    seen.lock().unwrap().push(path.clone());
                    let bytes = answer(&path);
                    if bytes.is_empty() {
                        // Says nothing until the other side gives up.
                        let _ = stream.read(&mut [0; 1]).await;
                    }
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { address, log, task }
    }

    /// Nobody listens there any more.
    pub(super) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Paths asked for so far.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

pub(super) fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let n = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {n}\r\nConnection: close\r\n{headers}\r\n{body}")
        .into_bytes()
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    reply(200, "", body)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|n| n == 1) {
        head.push(byte[0]);
        // The first byte of a TLS greeting: what follows has no lines.
        if head[0] == 0x16 {
            break;
        }
    }
    String::from_utf8(head).unwrap()
}

/// A network in memory: under a runtime whose time is paused, days pass in no time, and nothing
/// depends on how busy the machine is.
#[derive(Clone)]
pub(super) struct Net {
    calls: mpsc::UnboundedSender<oneshot::Sender<std::io::Result<DuplexStream>>>,
}

impl Net {
    pub(super) fn new() -> (Self, Exchange) {
        let (calls, taken) = mpsc::unbounded_channel();
        (Self { calls }, Exchange { calls: taken })
    }

    pub(super) async fn dial(&self) -> std::io::Result<Box<dyn super::connect::ByteStream>> {
        let gone = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let (call, answer) = oneshot::channel();
        self.calls.send(call).map_err(|_| gone())?;
        let stream = answer.await.map_err(|_| gone())??;
        Ok(Box::new(stream))
    }
}

/// The other end of a [`Net`].
pub(super) struct Exchange {
    calls: mpsc::UnboundedReceiver<oneshot::Sender<std::io::Result<DuplexStream>>>,
}

impl Exchange {
    /// The next caller, who waits to be connected.
    pub(super) async fn call(&mut self) -> Call {
        Call(self.calls.recv().await.expect("nobody calls any more"))
    }

    /// Whether somebody calls.
    pub(super) fn is_called(&mut self) -> bool {
        !self.calls.is_empty()
    }
}

/// Somebody who connects.
pub(super) struct Call(oneshot::Sender<std::io::Result<DuplexStream>>);

impl Call {
    pub(super) fn connect(self) -> Option<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        self.0.send(Ok(theirs)).is_ok().then_some(ours)
    }

    /// The network says no.
    pub(super) fn fail(self, error: std::io::Error) {
        let _ = self.0.send(Err(error));
    }

    /// The server answers the handshake with an HTTP status, and hangs up.
    pub(super) async fn refuse(self, status: u16, headers: &str) {
        if let Some(mut stream) = self.connect() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(&reply(status, headers, "{}")).await.unwrap();
        }
    }
}

/// A WebSocket server that hands each connection to the test.
pub(super) struct Streams {
    pub(super) address: SocketAddr,
    accepted: mpsc::Receiver<(String, WebSocketStream<TcpStream>)>,
}

impl Streams {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, accepted) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut path = String::new();
                #[expect(clippy::result_large_err, reason = "the library's type")]
                let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                    path = request.uri().path().to_owned();
                    Ok(response)
                };
                if let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, note).await {
                    let _ = sender.send((path, socket)).await;
                }
            }
        });
        Self { address, accepted }
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The next connection, and the path it asked for.
    pub(super) async fn accept(&mut self) -> (String, WebSocketStream<TcpStream>) {
        soon(self.accepted.recv()).await.unwrap()
    }
}

/// A proxy that speaks HTTP (CONNECT, and whole URLs) and SOCKS5. Counts its tunnels.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    let mut first = [0];
                    let _ = stream.peek(&mut first).await;
                    let _ =
                        if first[0] == 5 { socks(stream, &seen).await } else { http(stream, &seen).await };
                });
            }
        });
        Self { address, log }
    }

    /// What was asked of it.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn http(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let head = read_head(&mut stream).await;
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    seen.lock().unwrap().push(format!("{method} {target}"));
    let host = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let mut out = TcpStream::connect(host).await?;
    if method == "CONNECT" {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    } else {
        out.write_all(head.as_bytes()).await?;
    }
    tokio::io::copy_bidirectional(&mut stream, &mut out).await.map(|_| ())
}

async fn socks(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await?;
    stream.read_exact(&mut vec![0; usize::from(greeting[1])]).await?;
    stream.write_all(&[5, 0]).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let host = if head[3] == 1 {
        let mut ip = [0; 4];
        stream.read_exact(&mut ip).await?;
        std::net::Ipv4Addr::from(ip).to_string()
    } else {
        let n = stream.read_u8().await?;
        let mut name = vec![0; usize::from(n)];
        stream.read_exact(&mut name).await?;
        String::from_utf8(name).unwrap()
    };
    let port = stream.read_u16().await?;
    seen.lock().unwrap().push(format!("SOCKS5 {host}:{port}"));
    let mut out = TcpStream::connect((host.as_str(), port)).await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut out).await.map(|_| ())
}
