//! Frames that nobody in their right mind sends, over real sockets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::exchange::Discard;

/// A connection on which all is subscribed.
async fn talking(count: usize) -> (Streams, Client, Peer) {
    let mut server = Streams::start().await;
    // What a busy machine takes its time with is no stall.
    let mut client = Client::start(&server.url(), |c| c.timing.stall = Stall::Never);
    client.watch(keys(count)).await;
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, count + 1).await;
    client.subscribed().await;
    (server, client, peer)
}

/// The bytes of a frame from a server: its kind with the bit for the last, and its length.
fn head(kind: u8, length: u64) -> Vec<u8> {
    let mut out = vec![kind];
    match length {
        0..126 => out.push(u8::try_from(length).unwrap()),
        126..65_536 => {
            out.push(126);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend(length.to_be_bytes());
        }
    }
    out
}

#[tokio::test]
async fn item_10_fault_15_frames_that_are_no_news_are_counted_and_the_connection_stays() {
    let (_server, mut client, mut peer) = talking(2).await;
    let bad = [
        Message::text("not json"),
        Message::text(""),
        Message::binary(vec![0; 1_000]),
        Message::binary(Vec::new()),
        Message::text("[".repeat(200_000)),
        Message::text(r#"{"stream":"x","data":{"e":"neverHeardOf"}}"#),
        Message::text("x".repeat(3 << 20)),
        Message::text("{\"e\":\"kline\",\"E\":\u{0}}"),
    ];
    let count = bad.len();
    for message in bad {
        peer.send(message).await.unwrap();
    }
    peer.send(frame(1, 60_000, 119_999, true)).await.unwrap();
    let mut why = Vec::new();
    loop {
        match client.event().await {
            FeedEvent::Discarded { why: w, .. } => why.push(w),
            FeedEvent::Kline(k) => break assert_eq!(k.key, key(1)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(why.len(), count, "{why:?}");
    assert!(why.iter().all(|w| matches!(w, Discard::NotJson | Discard::UnknownShape | Discard::BadValue)));
}

#[tokio::test]
async fn fault_15_a_million_fragments_are_one_message_and_too_long_ones_end_the_connection() {
    let (mut server, mut client, mut peer) = talking(2).await;
    let stream = peer.get_mut();
    // A million fragments of one byte, of a message that is nonsense.
    let mut bytes = head(0x01, 1);
    bytes.push(b'x');
    for _ in 0..1_000_000 {
        bytes.extend([0x00, 1, b'x']);
    }
    bytes.extend([0x80, 1, b'x']);
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, stream.write_all(&bytes)).await.unwrap().unwrap();
    let event = tokio::time::timeout(minute, client.events.recv()).await.unwrap().unwrap();
    assert!(matches!(event, FeedEvent::Discarded { why: Discard::NotJson, .. }));

    // Fragments without an end: what is kept of them is bounded.
    let _ = soon(stream.write_all(&head(0x01, 0))).await;
    let mut piece = head(0x00, 60_000);
    piece.resize(piece.len() + 60_000, b'x');
    let mut sent = 0;
    while sent < 1_000 && soon(stream.write_all(&piece)).await.is_ok() {
        sent += 1;
    }
    let (error, retry) = client.down().await;
    assert!(error.message.as_str().contains("connection broke") && retry.is_some(), "{error}");
    assert!(sent < 1_000, "sixty megabytes were taken");

    // A frame of 16 MiB, by what its head says: nobody waits for the rest.
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 3).await;
    peer.get_mut().write_all(&head(0x81, 16 << 20)).await.unwrap();
    let (error, _) = client.down().await;
    assert!(error.message.as_str().contains("connection broke"), "{error}");

    // Text that is none.
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 3).await;
    peer.get_mut().write_all(&[0x81, 2, 0xC3, 0x28]).await.unwrap();
    let (error, _) = client.down().await;
    assert!(error.message.as_str().contains("connection broke"), "{error}");

    // And all is well again.
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 3).await;
    assert_eq!(client.subscribed().await.len(), 2);
}

#[tokio::test]
async fn fault_02_a_reset_in_the_middle_of_a_frame_is_a_loss_like_others() {
    let (mut server, mut client, mut peer) = talking(2).await;
    peer.send(frame(1, 60_000, 119_999, true)).await.unwrap();
    let stream = peer.get_mut();
    stream.write_all(&head(0x81, 500)).await.unwrap();
    stream.write_all(b"{\"stream\":\"s1usdt@kl").await.unwrap();
    assert!(matches!(client.event().await, FeedEvent::Kline(k) if k.finality == Finality::Closed));
    // Closed with no time to linger, the system sends a reset.
    stream.set_zero_linger().unwrap();
    drop(peer);
    let (error, retry) = client.down().await;
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(error.message.as_str().contains("connection broke") && retry.is_some(), "{error}");
    let (_, mut peer) = server.accept().await;
    acknowledge(&mut peer, 3).await;
    assert_eq!(client.subscribed().await.len(), 2);
}

#[tokio::test]
async fn item_05_a_ping_in_the_midst_of_a_flood_is_answered_within_a_second() {
    let (_server, client, peer) = talking(30).await;
    let (mut sink, mut stream) = peer.split();
    let flood = tokio::spawn(async move {
        for n in 0_i64.. {
            let series = usize::try_from(n % 30).unwrap();
            if sink.feed(frame(series, 60_000, n, false)).await.is_err() {
                break;
            }
            if n == 3_000 {
                sink.send(Message::Ping(Bytes::from_static(b"1791383685913"))).await.unwrap();
            }
            if n % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    // Nobody takes the events, and the flood goes on.
    let begun = std::time::Instant::now();
    loop {
        if let Message::Pong(payload) = soon(stream.next()).await.unwrap().unwrap() {
            assert_eq!(&payload[..], b"1791383685913");
            break;
        }
    }
    assert!(!flood.is_finished());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    flood.abort();
    drop(client);
}

#[tokio::test]
async fn item_33_fault_10_a_certificate_that_nobody_vouches_for_is_refused_and_told() {
    let certificate = include_bytes!("../../../../tests/fixtures/tls/certificate.pem");
    let key = include_bytes!("../../../../tests/fixtures/tls/key.pem");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut greeted = 0;
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                greeted += usize::from(stream.read_u8().await.is_ok());
            }
            if greeted > 0 {
                break;
            }
        }
    });
    let mut client = Client::start(&url, |_| ());
    client.watch(keys(1)).await;
    let (error, retry) = client.down().await;
    let text = error.message.as_str();
    assert!(text.contains("certificate") && text.contains("can't connect"), "{text}");
    assert!(retry.is_some() && !serving.is_finished(), "nothing was said over it");
    serving.abort();
}

#[tokio::test]
async fn item_33_a_name_that_has_no_address_is_told() {
    let mut client = Client::start("ws://no-such-host.invalid:9", |_| ());
    client.watch(keys(1)).await;
    let (error, retry) = client.down().await;
    let text = error.message.as_str();
    assert!(text.contains("can't connect to no-such-host.invalid:9"), "{text}");
    assert_eq!(error.kind, ErrorKind::Transient);
    assert!(retry.is_some());
}
