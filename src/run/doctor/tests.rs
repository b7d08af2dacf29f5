use std::sync::Arc;

use super::*;
use crate::domain::kline::{Finality, Kline, KlineFields};
use crate::exchange::{ConnId, DayEvent, KlineEvent};

fn pair() -> Pair {
    Pair { market: Market::UsdM, symbol: "BTCUSDT".parse().unwrap() }
}

/// What is heard where the figures come each second, and a candle where `candle` says.
async fn heard(candle: bool) -> StreamFacts {
    let (told, mut events) = mpsc::channel(4);
    let conn = ConnId { market: Market::UsdM, number: 0 };
    let key = SeriesKey::new(pair(), Interval::M1);
    tokio::spawn(async move {
        let keys = Arc::from([key.clone()]);
        told.send(FeedEvent::Subscribed { conn, keys }).await.unwrap();
        for second in 0.. {
            let event_time = UnixMs(1_760_000_400_000 + second * 1_000);
            let day = DayEvent { pair: pair(), last: 1.0, change_pct: 0.0, quote_volume: 1.0, event_time };
            if told.send(FeedEvent::Day(vec![day])).await.is_err() {
                break;
            }
            if candle && second == 3 {
                let fields = KlineFields {
                    open_time: UnixMs(1_760_000_400_000),
                    close_time: UnixMs(1_760_000_459_999),
                    open: 1.0,
                    high: 1.0,
                    low: 1.0,
                    close: 1.0,
                    ..KlineFields::default()
                };
                let kline = Kline::new(fields).unwrap();
                let (key, finality, received) = (key.clone(), Finality::Forming, Mono::default());
                let event = KlineEvent { conn, key, kline, finality, event_time, received };
                let _ = told.send(FeedEvent::Kline(event)).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    listen(&mut events, Patience::default(), false, Stopwatch::start()).await
}

#[tokio::test(start_paused = true)]
async fn item_32_figures_without_candles_are_no_healthy_stream() {
    let began = Instant::now();
    let StreamFacts::FiguresOnly(waited) = heard(false).await else { panic!("taken to be well") };
    assert_eq!((waited, began.elapsed().as_secs()), (Duration::from_secs(15), 15));
    assert!(matches!(heard(true).await, StreamFacts::Data(_)));
}
