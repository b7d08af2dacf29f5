//! Make-before-break: the 24 h limit, and servers that go down.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::world::{BEGIN, Order, Served, now_ms, serve, start};
use super::*;
use crate::exchange::Replacement;
use crate::exchange::testing::Exchange;

const SHUTDOWN: &str = r#"{"e":"serverShutdown","E":1760000400000}"#;
const SHUTDOWN_WRAPPED: &str =
    r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1760000400000}}"#;

async fn serve_all(mut exchange: Exchange, zero: Instant, pace: Duration, to: mpsc::Sender<Served>) {
    loop {
        let call = exchange.call().await;
        let _ = to.send(serve(call, zero, pace)).await;
    }
}

/// Two days, an exchange that ends each connection after one, and closes of every minute.
#[tokio::test(start_paused = true)]
async fn item_09_fault_01_the_daily_end_costs_no_candle_and_one_replacement_each() {
    const SOCKETS: usize = 3;
    let zero = Instant::now();
    let (mut client, exchange) = start(|c| {
        c.per_socket = 1;
        c.timing.stall = Stall::After(Duration::from_secs(60));
    });
    let (to, mut opened) = mpsc::channel(16);
    tokio::spawn(serve_all(exchange, zero, Duration::from_secs(30), to));
    client.watch(keys(SOCKETS)).await;
    let mut closes: BTreeMap<SeriesKey, BTreeSet<i64>> = BTreeMap::new();
    let mut replaced = Vec::new();
    while zero.elapsed() < Duration::from_secs(26 * 3_600) {
        match client.events.recv().await.unwrap() {
            FeedEvent::Kline(k) if k.finality == Finality::Closed => {
                closes.entry(k.key).or_default().insert(k.kline.open_time().0);
            }
            FeedEvent::Replaced { conn, why: Replacement::Age } => replaced.push((conn.number, now_ms(zero))),
            FeedEvent::Kline(_) | FeedEvent::Day(_) | FeedEvent::Connecting { .. } => {}
            FeedEvent::Subscribed { keys, .. } => assert_eq!(keys.len(), 1),
            other => panic!("{other:?}"),
        }
    }
    // Each once, at its own time, away from the ends of candles.
    let numbers: BTreeSet<u32> = replaced.iter().map(|(n, _)| *n).collect();
    assert_eq!((replaced.len(), numbers.len()), (SOCKETS, SOCKETS), "{replaced:?}");
    let mut minutes = BTreeSet::new();
    let mut all = Vec::new();
    while let Ok(served) = opened.try_recv() {
        all.push(served);
    }
    let (first, second) = all.split_at(SOCKETS);
    assert_eq!(second.len(), SOCKETS);
    for at in second.iter().map(|s| BEGIN + i64::try_from((s.opened - zero).as_millis()).unwrap()) {
        let age = (at - BEGIN) / 60_000;
        assert!((22 * 60 + 39..=23 * 60 + 21).contains(&age), "{age} min");
        let (minute, second) = (at / 60_000, at % 60_000 / 1_000);
        assert!((1..=13).contains(&(minute % 15)) && (20..=40).contains(&second), "{minute} {second}");
        minutes.insert(minute);
    }
    assert_eq!(minutes.len(), SOCKETS, "not all at once");
    for (key, opens) in closes {
        let (first, last) = (*opens.first().unwrap(), *opens.last().unwrap());
        assert_eq!(i64::try_from(opens.len()).unwrap(), (last - first) / 60_000 + 1, "{key:?}");
        assert!(last - first > 25 * 3_600_000);
    }
    assert!(first.iter().all(|s| s.closed().is_some()) && second.iter().all(|s| s.closed().is_none()));
}

#[tokio::test(start_paused = true)]
async fn item_08_a_server_that_goes_down_hands_over_without_a_loss() {
    for text in [SHUTDOWN, SHUTDOWN_WRAPPED] {
        let zero = Instant::now();
        let (mut client, mut exchange) = start(|_| ());
        client.watch(keys(3)).await;
        let old = serve(exchange.call().await, zero, Duration::from_secs(1));
        client.subscribed().await;
        tokio::time::sleep(Duration::from_secs(90)).await;
        // Said twice, as servers do.
        old.order(Order::Say(Message::text(text))).await;
        old.order(Order::Say(Message::text(text))).await;
        let announced = Instant::now();
        let next = exchange.call();
        let reader = async {
            loop {
                // Somebody has to listen, or nothing moves.
                let event = client.events.recv().await.unwrap();
                assert!(
                    matches!(event, FeedEvent::Kline(_) | FeedEvent::Day(_)),
                    "while the new one is opened: {event:?}"
                );
            }
        };
        let peer = tokio::select! { peer = next => peer, () = reader => unreachable!() };
        assert!(announced.elapsed() < Duration::from_secs(1), "at once");
        let new = serve(peer, zero, Duration::from_secs(1));
        loop {
            match client.event().await {
                FeedEvent::Replaced { why: Replacement::Shutdown, .. } => break,
                FeedEvent::Kline(_) | FeedEvent::Day(_) | FeedEvent::Subscribed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        for _ in 0..30 {
            assert!(matches!(client.event().await, FeedEvent::Kline(_) | FeedEvent::Day(_)));
        }
        assert!(new.data().unwrap() <= old.closed().unwrap(), "made before broken");
        assert!(new.closed().is_none() && !exchange.is_called());
    }
}

/// One at a time, with growing pauses, and the old one goes on meanwhile.
#[tokio::test(start_paused = true)]
async fn item_09_a_replacement_that_fails_is_tried_again_and_is_still_one() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(3)).await;
    let old = serve(exchange.call().await, zero, Duration::from_secs(1));
    client.subscribed().await;
    let mut told = Vec::new();
    let mut calls = Vec::new();
    let mut news = tokio::time::interval(Duration::from_secs(2));
    let deadline = zero + Duration::from_secs(120);
    let new = loop {
        tokio::select! {
            event = client.events.recv() => match event.unwrap() {
                FeedEvent::Kline(_) | FeedEvent::Day(_) => {}
                other => told.push(other),
            },
            _ = news.tick() => old.order(Order::Say(Message::text(SHUTDOWN))).await,
            call = exchange.call() => {
                calls.push(Instant::now());
                if calls.len() < 5 {
                    call.refuse(503, "").await;
                } else {
                    break serve(call, zero, Duration::from_secs(1));
                }
            }
            () = tokio::time::sleep_until(deadline) => panic!("only {} attempts", calls.len()),
        }
    };
    while !matches!(told.last(), Some(FeedEvent::Replaced { .. })) {
        match client.event().await {
            FeedEvent::Kline(_) | FeedEvent::Day(_) | FeedEvent::Subscribed { .. } => {}
            other => told.push(other),
        }
    }
    assert!(matches!(&told[..], [FeedEvent::Replaced { why: Replacement::Shutdown, .. }]), "{told:?}");
    assert!(calls.windows(2).all(|w| w[1] - w[0] >= Duration::from_millis(500)), "{calls:?}");
    assert!(calls[4] - calls[3] >= Duration::from_secs(1), "{calls:?}");
    for _ in 0..20 {
        assert!(matches!(client.event().await, FeedEvent::Kline(_) | FeedEvent::Day(_)));
    }
    assert!(old.closed().is_some() && new.closed().is_none() && !exchange.is_called());
}

#[tokio::test(start_paused = true)]
async fn item_09_an_old_one_that_dies_too_soon_leaves_an_ordinary_reconnect() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(3)).await;
    let old = serve(exchange.call().await, zero, Duration::from_secs(1));
    client.subscribed().await;
    old.order(Order::Say(Message::text(SHUTDOWN))).await;
    let call = loop {
        tokio::select! {
            call = exchange.call() => break call,
            event = client.events.recv() => assert!(matches!(event, Some(FeedEvent::Kline(_) | FeedEvent::Day(_)))),
        }
    };
    // It acknowledges, and before it brings data the old one is gone.
    let new = serve(call, zero + Duration::from_secs(3_600), Duration::from_secs(5));
    let mut told = Vec::new();
    let mut hung_up = false;
    while told.len() < 3 {
        match client.event().await {
            FeedEvent::Kline(_) | FeedEvent::Day(_) => {}
            FeedEvent::Subscribed { .. } if !hung_up => {
                hung_up = true;
                new.order(Order::Mute).await;
                old.order(Order::HangUp).await;
            }
            other => told.push(other),
        }
        if told.len() == 2 {
            new.order(Order::Say(frame(1, BEGIN, BEGIN + 1, false))).await;
            told.push(loop {
                let event = client.event().await;
                if !matches!(event, FeedEvent::Day(_)) {
                    break event;
                }
            });
        }
    }
    assert!(matches!(&told[0], FeedEvent::Down { retry: Some(_), .. }), "{told:?}");
    // Told again: what was said before the loss is forgotten with it.
    assert!(matches!(&told[1], FeedEvent::Subscribed { keys, .. } if keys.len() == 3), "{told:?}");
    assert!(matches!(&told[2], FeedEvent::Kline(_)), "{told:?}");
    assert!(new.closed().is_none() && !exchange.is_called(), "no third connection");
}

/// Figures of the whole market come over any path: who brings them alone is no successor.
#[tokio::test(start_paused = true)]
async fn item_09_a_replacement_without_candles_is_given_up_and_the_old_one_goes_on() {
    let zero = Instant::now();
    let second = Duration::from_secs(1);
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(25)).await;
    let old = serve(exchange.call().await, zero, second);
    client.subscribed().await;
    old.order(Order::Say(Message::text(SHUTDOWN))).await;
    let mut served = Vec::new();
    loop {
        tokio::select! {
            call = exchange.call() => {
                assert!(old.closed().is_none(), "nobody has taken over");
                let new = serve(call, zero, second);
                if served.is_empty() {
                    new.order(Order::FiguresOnly).await;
                }
                served.push(new);
            }
            event = client.events.recv() => match event.unwrap() {
                FeedEvent::Replaced { .. } => break,
                FeedEvent::Kline(_) | FeedEvent::Day(_) | FeedEvent::Subscribed { .. } => {}
                other => panic!("{other:?}"),
            },
        }
    }
    let [without, with] = &served[..] else { panic!("{} replacements", served.len()) };
    assert!(without.data().is_none() && with.data().is_some());
    assert!(without.closed().unwrap() - without.opened <= Duration::from_secs(15));
}

/// What is told again after the loss of the old one is what the new one was granted, no more.
#[tokio::test(start_paused = true)]
async fn item_06_a_stream_refused_to_the_new_one_is_not_told_as_subscribed() {
    let zero = Instant::now();
    let (mut client, mut exchange) = start(|_| ());
    client.watch(keys(3)).await;
    let old = serve(exchange.call().await, zero, Duration::from_secs(1));
    client.subscribed().await;
    old.order(Order::Say(Message::text(SHUTDOWN))).await;
    let call = loop {
        tokio::select! {
            call = exchange.call() => break call,
            event = client.events.recv() => assert!(matches!(event, Some(FeedEvent::Kline(_) | FeedEvent::Day(_)))),
        }
    };
    let new = serve(call, zero, Duration::from_secs(3_600));
    new.log.lock().unwrap().refused = Some("s1usdt@kline_1m");
    let (mut refused, mut again) = (0, Vec::new());
    let mut lost = false;
    while again.is_empty() {
        match client.event().await {
            FeedEvent::Refused { key: of, .. } => {
                assert_eq!(of, key(1));
                refused += 1;
            }
            FeedEvent::Subscribed { keys, .. } if lost => again = keys.to_vec(),
            FeedEvent::Subscribed { .. } => {
                new.order(Order::Mute).await;
                old.order(Order::HangUp).await;
            }
            FeedEvent::Down { .. } => lost = true,
            FeedEvent::Kline(_) | FeedEvent::Day(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((refused, again), (1, vec![key(0), key(2)]));
}
