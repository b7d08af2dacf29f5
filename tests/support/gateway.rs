//! A proxy as companies have them: HTTP (CONNECT and whole URLs) and SOCKS5, with a list of what it
//! does not let through. Notes what was asked of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running proxy; ends with the runtime.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// What it refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuses {
    Nothing,
    /// Tunnels, and so WebSocket without TLS.
    Tunnels,
    /// Tunnels to this port.
    Port(u16),
}

impl Gateway {
    pub(crate) async fn start(refuses: Refuses) -> Self {
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
                    let _ = if first[0] == 5 {
                        socks(stream, &seen).await
                    } else {
                        http(stream, &seen, refuses).await
                    };
                });
            }
        });
        Self { address, log }
    }

    /// What was asked of it, a line each.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn http(mut stream: TcpStream, seen: &Mutex<Vec<String>>, refuses: Refuses) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    seen.lock().unwrap().push(format!("{method} {target}"));
    let host = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let shut = match refuses {
        Refuses::Nothing => false,
        Refuses::Tunnels => method == "CONNECT",
        Refuses::Port(port) => method == "CONNECT" && host.ends_with(&format!(":{port}")),
    };
    if shut {
        return stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    }
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
        String::from_utf8_lossy(&name).into_owned()
    };
    let port = stream.read_u16().await?;
    seen.lock().unwrap().push(format!("SOCKS5 {host}:{port}"));
    let mut out = TcpStream::connect((host.as_str(), port)).await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut out).await.map(|_| ())
}
