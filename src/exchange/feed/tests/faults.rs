//! What networks and servers do to sockets, with the time held by the test.

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::world::{Order, Served, serve, start};
use super::*;
use crate::exchange::testing::Exchange;

const SECOND: Duration = Duration::from_secs(1);

/// Connects, and takes the events that this brings.
async fn connected(client: &mut Client, exchange: &mut Exchange, zero: Instant, count: usize) -> Vec<Served> {
    let mut served = Vec::new();
    let mut left = count;
    while served.len() < count || left > 0 {
        tokio::select! {
            call = exchange.call(), if served.len() < count => served.push(serve(call, zero, SECOND)),
            event = client.events.recv() => left -= usize::from(matches!(event, Some(FeedEvent::Subscribed { .. }))),
        }
    }
    served
}

/// The next loss: of which socket, why, and when it is tried again.
async fn loss(client: &mut Client) -> (u32, ExchangeError, Option<Mono>) {
    loop {
        match client.events.recv().await.unwrap() {
            FeedEvent::Down { conn, error, retry, .. } => return (conn.number, error, retry),
            FeedEvent::Kline(_)
            | FeedEvent::Day(_)
            | FeedEvent::Subscribed { .. }
            | FeedEvent::Connecting { .. }
            | FeedEvent::Discarded { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Waits for the next call; what is told meanwhile goes to `told`.
async fn next_call(
    client: &mut Client,
    exchange: &mut Exchange,
    told: &mut Vec<FeedEvent>,
) -> crate::exchange::testing::Call {
    loop {
        tokio::select! {
            call = exchange.call() => return call,
            event = client.events.recv() => match event.unwrap() {
                FeedEvent::Kline(_) | FeedEvent::Day(_) => {}
                other => told.push(other),
            },
        }
    }
}

#[tokio::test(start_paused = true)]
async fn item_32_fault_04_one_silent_socket_of_several_is_found_and_it_alone_is_replaced() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 2);
    client.watch(keys(6)).await;
    let served = connected(&mut client, &mut exchange, zero, 3).await;
    tokio::time::sleep(SECOND).await;
    let victim = &served[1];
    victim.order(Order::Mute).await;
    let names = victim.log.lock().unwrap().names.clone();
    let muted = Instant::now();
    let mut told = Vec::new();
    next_call(&mut client, &mut exchange, &mut told).await;
    assert!(muted.elapsed() <= Duration::from_secs(30), "{:?}", muted.elapsed());
    let [FeedEvent::Down { conn: lost, keys, error, .. }, rest @ ..] = &told[..] else { panic!("{told:?}") };
    assert!(rest.iter().all(|e| matches!(e, FeedEvent::Connecting { conn, .. } if conn == lost)), "{rest:?}");
    assert_eq!(error.kind, ErrorKind::Silent);
    assert!(keys.iter().all(|k| names.contains(&crate::exchange::binance::endpoint::stream_name(k))));
    let open = [&served[0], &served[2]].iter().all(|s| s.closed().is_none());
    assert!(open && victim.closed().is_some());
}

/// The 24 h figures go on over the socket whose candles stop, and over the next one too.
#[tokio::test(start_paused = true)]
async fn item_32_fault_04_figures_do_not_hide_a_socket_whose_candles_stopped() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 25);
    client.watch(keys(75)).await;
    let served = connected(&mut client, &mut exchange, zero, 3).await;
    let figures = |s: &Served| s.log.lock().unwrap().names.iter().any(|n| n == "!miniTicker@arr");
    let (victim, others): (Vec<_>, Vec<_>) = served.iter().partition(|s| figures(s));
    let [victim] = &victim[..] else { panic!("{} have the figures", victim.len()) };
    tokio::time::sleep(SECOND * 3).await;
    let (mut told, mut stopped) = (Vec::new(), Instant::now());
    victim.order(Order::FiguresOnly).await;
    for word in ["the candles stopped", "without candles"] {
        let found = tokio::time::timeout(SECOND * 60, loss(&mut client)).await;
        let (lost, error, retry) = found.expect("a loss within a minute");
        assert_eq!((lost, error.kind), (0, ErrorKind::Silent));
        assert!(error.message.as_str().contains(word), "{error}");
        assert!(stopped.elapsed() <= Duration::from_secs(16) && retry.is_some(), "{:?}", stopped.elapsed());
        let call = next_call(&mut client, &mut exchange, &mut told).await;
        assert!(stopped.elapsed() <= Duration::from_secs(30), "{:?}", stopped.elapsed());
        let next = serve(call, zero, SECOND);
        stopped = next.opened;
        if word == "the candles stopped" {
            next.order(Order::FiguresOnly).await;
        }
    }
    assert!(told.iter().all(|e| matches!(e, FeedEvent::Connecting { .. })), "{told:?}");
    let cured = loop {
        if let FeedEvent::Kline(candle) = client.event().await
            && candle.conn.number == 0
        {
            break candle;
        }
    };
    assert_eq!(cured.conn.market, Market::UsdM);
    assert!(victim.closed().is_some() && others.iter().all(|s| s.closed().is_none()));
}

#[tokio::test(start_paused = true)]
async fn item_33_fault_03_a_half_open_connection_is_found_within_30_s() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.timing.stall = Stall::Never);
    client.watch(keys(2)).await;
    let served = connected(&mut client, &mut exchange, zero, 1).await;
    served[0].order(Order::Freeze).await;
    let frozen = Instant::now();
    let (_, error, retry) = loss(&mut client).await;
    assert!(frozen.elapsed() <= Duration::from_secs(30), "{:?}", frozen.elapsed());
    assert!(error.message.as_str().starts_with("dead") && retry.is_some(), "{error}");
}

/// From the handshake on: what is behind the address acknowledges and never sends anything. The
/// first socket has few streams; that must not hide it.
#[tokio::test(start_paused = true)]
async fn item_01_fault_05_an_unrouted_address_is_told_as_what_it_is_and_not_asked_in_a_loop() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(1)).await;
    let mut waits = Vec::new();
    for _ in 0..6 {
        let peer = tokio::select! {
            call = exchange.call() => call,
            () = async { loop { client.events.recv().await; } } => unreachable!(),
        };
        let up = Instant::now();
        let served = serve(peer, zero, SECOND);
        served.order(Order::Mute).await;
        let (_, error, retry) = loss(&mut client).await;
        assert!(up.elapsed() <= Duration::from_secs(15), "{:?}", up.elapsed());
        assert_eq!(error.kind, ErrorKind::Silent);
        assert!(error.message.as_str().starts_with("acknowledged but silent"), "{error}");
        assert!(error.message.as_str().contains("/market"), "{error}");
        waits.push(retry.unwrap().since(Mono(zero.elapsed())));
    }
    assert!(waits[3..].iter().all(|w| *w >= SECOND), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn fault_01_each_way_to_close_is_told_with_its_cause_and_mended() {
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(3)).await;
    for code in [None, Some(1_001), Some(1_008), Some(1_011)] {
        let served = connected(&mut client, &mut exchange, zero, 1).await;
        tokio::time::sleep(Duration::from_secs(40)).await;
        match code {
            None => served[0].order(Order::HangUp).await,
            Some(code) => {
                let close = CloseFrame { code: code.into(), reason: "\u{1b}[31mgoing away".into() };
                served[0].order(Order::Say(Message::Close(Some(close)))).await;
            }
        }
        let lost = Instant::now();
        let (_, error, retry) = loss(&mut client).await;
        assert_eq!(error.kind, ErrorKind::Transient);
        let text = error.message.as_str();
        assert!(code.is_none_or(|c| text.contains(&c.to_string())) && !text.contains('\u{1b}'), "{text}");
        // A healthy time starts the waits anew: this is no storm.
        let wait = retry.unwrap().since(Mono(lost - zero));
        assert!(wait <= Duration::from_millis(1_100), "{code:?} {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_13_accept_then_drop_is_no_storm() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 1);
    client.watch(keys(4)).await;
    let mut calls = Vec::new();
    let mut told = Vec::new();
    while zero.elapsed() < Duration::from_secs(1_800) {
        let call = next_call(&mut client, &mut exchange, &mut told).await;
        calls.push(zero.elapsed());
        let peer = tokio_tungstenite::accept_async(call.connect().unwrap()).await;
        drop(peer);
    }
    let window = Duration::from_secs(300);
    let most = (0..calls.len()).map(|i| calls[i..].iter().take_while(|t| **t < calls[i] + window).count());
    let most = most.max().unwrap();
    assert!((30..=60).contains(&most), "{most} attempts in five minutes");
    // All sockets are told with growing waits, and from the fourth on at least a second.
    let mut waits: BTreeMap<u32, Vec<Duration>> = BTreeMap::new();
    let mut down = None;
    for event in &told {
        if let FeedEvent::Down { conn, retry, .. } = event {
            waits.entry(conn.number).or_default().push(retry.unwrap().0);
            down = Some(conn);
        }
    }
    assert!(down.is_some() && waits.len() == 4);
    for retries in waits.values() {
        assert!(retries[3..].windows(2).all(|w| w[1].saturating_sub(w[0]) >= SECOND), "{retries:?}");
    }
}

/// Two markets share the address we come from, and so they share the count.
#[tokio::test(start_paused = true)]
async fn item_33_sixty_attempts_in_five_minutes_are_of_all_markets_together() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| {
        c.per_socket = 1;
        c.endpoints.push(Endpoint::new(Market::Spot, None, Some("ws://spot")).unwrap());
    });
    let spot = |k: SeriesKey| SeriesKey::new(Pair { market: Market::Spot, ..k.pair }, k.interval);
    client.watch(keys(40).into_iter().chain(keys(40).into_iter().map(spot)).collect()).await;
    let mut calls = 0;
    let mut told = Vec::new();
    let until = zero + Duration::from_secs(290);
    loop {
        tokio::select! {
            call = next_call(&mut client, &mut exchange, &mut told) => {
                calls += 1;
                call.fail(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
            }
            () = tokio::time::sleep_until(until) => break,
        }
    }
    assert_eq!(calls, 60);
}

/// No descriptor left, no name, no route, nobody there: each is told, waited out, and mended when
/// the network is.
#[tokio::test(start_paused = true)]
async fn item_33_fault_11_a_broken_network_is_not_asked_in_a_spin() {
    use std::io::{Error, ErrorKind::ConnectionRefused};
    type Fault = fn() -> Error;
    let faults: [(Fault, &str); 4] = [
        (|| Error::from_raw_os_error(24), "open files"),
        (|| Error::from_raw_os_error(101), "unreachable"),
        (|| Error::other("failed to lookup address information: Name or service not known"), "lookup"),
        (|| Error::from(ConnectionRefused), "refused"),
    ];
    for (error, word) in faults {
        let zero = Instant::now();
        let (mut client, mut exchange) = start(|_| ());
        client.watch(keys(3)).await;
        let mut told = Vec::new();
        let mut calls = 0;
        while zero.elapsed() < Duration::from_secs(600) {
            next_call(&mut client, &mut exchange, &mut told).await.fail(error());
            calls += 1;
        }
        assert!((8..=60).contains(&calls), "{calls} attempts in ten minutes");
        let losses = told.iter().filter_map(|e| match e {
            FeedEvent::Down { error, retry, .. } => Some((error.message.as_str(), *retry)),
            _ => None,
        });
        for (text, retry) in losses {
            assert!(text.contains(word) && text.contains("check the network"), "{text}");
            assert!(retry.is_some());
        }
        connected(&mut client, &mut exchange, zero, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn item_33_fault_10_a_handshake_that_is_refused_is_repeated_when_the_exchange_said() {
    for (status, header, least, most) in [
        (429, "Retry-After: 50\r\n", 50, 52),
        (418, "Retry-After: 300\r\n", 300, 302),
        (403, "Retry-After: 20\r\n", 20, 22),
        (503, "Retry-After: 20\r\n", 20, 22),
        (418, "", 120, 122),
        (503, "", 0, 2),
    ] {
        let zero = Instant::now();
        let (mut client, mut exchange) = start(|c| c.per_socket = 1);
        client.watch(keys(2)).await;
        let mut told = Vec::new();
        // The second is refused too; whoever calls afterwards keeps to what was said.
        for _ in 0..2 {
            next_call(&mut client, &mut exchange, &mut told).await.refuse(status, header).await;
        }
        let (_, error, retry) = match told.iter().find(|e| matches!(e, FeedEvent::Down { .. })) {
            Some(FeedEvent::Down { conn, error, retry, .. }) => (conn.number, error.clone(), *retry),
            _ => loss(&mut client).await,
        };
        assert!(error.message.as_str().contains(&status.to_string()), "{error}");
        assert!(retry.is_some());
        let refused = Instant::now();
        next_call(&mut client, &mut exchange, &mut told).await;
        let wait = refused.elapsed().as_secs();
        assert!((least..=most).contains(&wait), "{status}: {wait} s");
        assert!(zero.elapsed() >= Duration::from_secs(least));
    }
}

#[tokio::test(start_paused = true)]
async fn fault_10_a_place_that_is_refused_is_not_asked_again() {
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(2)).await;
    exchange.call().await.refuse(451, "").await;
    let (_, error, retry) = loss(&mut client).await;
    assert_eq!((error.kind, retry), (ErrorKind::Restricted, None));
    assert!(error.message.as_str().contains("451"), "{error}");
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(!exchange.is_called());
}

#[tokio::test(start_paused = true)]
async fn fault_10_a_handshake_that_drags_on_is_given_up_after_20_s() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(2)).await;
    // A byte a second: never silent, and never done.
    let mut stream = exchange.call().await.connect().unwrap();
    let dripping = tokio::spawn(async move {
        for byte in b"HTTP/1.1 101 Switching Protocols\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(SECOND).await;
        }
    });
    let (_, error, retry) = loss(&mut client).await;
    assert_eq!(zero.elapsed().as_secs(), 20);
    assert!(error.message.as_str().contains("20 s") && retry.is_some(), "{error}");
    dripping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn fault_14_a_connection_that_drips_is_given_up_and_its_streams_are_carried_on() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(2)).await;
    let mut served = connected(&mut client, &mut exchange, zero, 1).await;
    let log = served.remove(0);
    log.order(Order::Drip).await;
    let dripping = Instant::now();
    let (_, error, retry) = loss(&mut client).await;
    assert!(dripping.elapsed() <= Duration::from_secs(30), "{:?}", dripping.elapsed());
    assert!(error.kind == ErrorKind::Silent && retry.is_some(), "{error}");
    connected(&mut client, &mut exchange, zero, 1).await;
}

/// At the end of an hour all sockets may go at once: they come back one by one, and soon.
#[tokio::test(start_paused = true)]
async fn fault_01_sockets_lost_together_do_not_come_back_together() {
    const SOCKETS: usize = 20;
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 1);
    client.watch(keys(SOCKETS)).await;
    let served = connected(&mut client, &mut exchange, zero, SOCKETS).await;
    let reading = async {
        for _ in 0..40 * SOCKETS {
            client.event().await;
        }
    };
    reading.await;
    assert!(zero.elapsed() >= Duration::from_secs(30));
    let lost = Instant::now();
    for served in &served {
        served.order(Order::HangUp).await;
    }
    let mut back = Vec::new();
    let mut told = Vec::new();
    for _ in 0..SOCKETS {
        let call = next_call(&mut client, &mut exchange, &mut told).await;
        back.push(lost.elapsed());
        serve(call, zero, SECOND);
    }
    assert!(back.iter().all(|t| (500..=1_100).contains(&t.as_millis())), "{back:?}");
    let mut moments: Vec<u128> = back.iter().map(|t| t.as_millis() / 25).collect();
    moments.dedup();
    assert!(moments.len() >= SOCKETS / 3, "{back:?}");
    assert_eq!(told.iter().filter(|e| matches!(e, FeedEvent::Down { .. })).count(), SOCKETS);
}

#[tokio::test(start_paused = true)]
async fn item_02_a_thousand_streams_with_any_names_all_arrive() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 1_000);
    let keys: Vec<SeriesKey> = (0..1_000)
        .map(|n| {
            let symbol = format!("{n}我踏马来了币安人生USDT").parse().unwrap();
            SeriesKey::new(Pair { market: Market::UsdM, symbol }, Interval::M15)
        })
        .collect();
    client.watch(keys).await;
    let served = connected(&mut client, &mut exchange, zero, 1).await;
    let log = served[0].log.lock().unwrap();
    assert_eq!(log.names.len(), 1_001);
    assert!(log.texts.iter().all(|(_, text)| text.len() <= 4_000));
    for w in log.texts.windows(5) {
        assert!(w[4].0 - w[0].0 >= SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn item_04_no_socket_has_more_streams_than_the_exchange_takes() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 100_000);
    client.watch(keys(1_500)).await;
    let served = connected(&mut client, &mut exchange, zero, 2).await;
    let counts: Vec<usize> = served.iter().map(|s| s.log.lock().unwrap().names.len()).collect();
    assert!(counts.iter().all(|n| *n <= 1_024), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 1_501, "all streams, and the 24 h figures");
}

#[tokio::test(start_paused = true)]
async fn series_are_subscribed_anew_on_the_socket_that_carries_them() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|c| c.per_socket = 2);
    client.watch(keys(4)).await;
    let served = connected(&mut client, &mut exchange, zero, 2).await;
    let before: Vec<usize> = served.iter().map(|s| s.log.lock().unwrap().texts.len()).collect();
    client.commands.send(FeedCommand::Resubscribe(vec![key(3), key(77)])).await.unwrap();
    assert_eq!(*client.subscribed().await, [key(3)]);
    let texts: Vec<Vec<String>> = served
        .iter()
        .zip(before)
        .map(|(s, n)| s.log.lock().unwrap().texts[n..].iter().map(|(_, t)| t.clone()).collect())
        .collect();
    let mut texts = texts.into_iter().filter(|t| !t.is_empty());
    let [off, on] = &texts.next().unwrap()[..] else { panic!() };
    assert!(off.contains(r#""UNSUBSCRIBE","params":["s3usdt@kline_1m"]"#), "{off}");
    assert!(on.contains(r#""SUBSCRIBE","params":["s3usdt@kline_1m"]"#), "{on}");
    assert!(texts.next().is_none(), "the other socket is let be");
}
