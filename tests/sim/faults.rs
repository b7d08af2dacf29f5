//! What is made to go wrong on sockets.

use std::time::Duration;

use hamatop::domain::time::UnixMs;
use hamatop::sim::fault::frames::FrameFault;
use hamatop::sim::fault::market::MarketFault;
use hamatop::sim::fault::rest::RestFault;
use hamatop::sim::fault::sockets::SocketFault;
use hamatop::sim::{SimConfig, replay};
use serde_json::json;
use tokio::time::timeout;

use crate::client::*;

#[tokio::test]
async fn a_cut_tears_all_sockets_and_refuses_new_ones_for_its_span() {
    let sim = start(standing()).await;
    let mut ws = connect(&sim, "/market/stream").await;
    say(&mut ws, json!({"method":"LIST_SUBSCRIPTIONS","id":1})).await;
    assert_eq!(next(&mut ws).await["id"], 1);
    let answer = http().post(format!("{}/sim/faults", sim.rest_url()));
    let answer = answer.body(r#"{"kind":"ws_cut","for_ms":60000}"#).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), r#"{"injected":1}"#);
    assert_eq!(end(&mut ws).await, None);
    assert!(try_connect(&sim, "/market/stream").await.is_err());
    sim.jump(replay::START + Duration::from_secs(60)).unwrap();
    assert!(try_connect(&sim, "/market/stream").await.is_ok());
    let wrong = http().post(format!("{}/sim/faults", sim.rest_url())).body(r#"{"kind":"flood"}"#);
    let wrong = wrong.send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().await.unwrap().contains("drop_close"));
    sim.stop().await;
}

#[tokio::test]
async fn closes_are_dropped_and_delayed_and_silence_loses_frames() {
    let script = r#"[{"kind":"drop_close","symbol":"BTCUSDT","interval":"15m","count":1},
        {"kind":"delay_close","symbol":"ETHUSDT","interval":"15m","count":1,"for_ms":30000},
        {"kind":"ws_silence","for_ms":900000,"at":1767574800000}]"#;
    let start_at = UnixMs(1_767_571_200_000);
    let config = SimConfig { faults: faults(script), start: Some(start_at), ..synthetic(3, 0.0) };
    let sim = start(config).await;
    let names: Vec<String> = ["btcusdt@kline_15m", "ethusdt@kline_15m"].map(String::from).into();
    let mut ws = connect(&sim, &format!("/market/stream?streams={}", names.join("/"))).await;
    let first = [next(&mut ws).await, next(&mut ws).await];
    assert!(first.iter().all(|f| f["data"]["k"]["x"] == false));
    let quarter = |n: i64| UnixMs(start_at.0 + n * 900_000);
    sim.jump(quarter(2)).unwrap();
    // The first close of BTCUSDT is lost; that of ETHUSDT was held back until after its next one.
    let got = closes(&mut ws, &names, 1).await;
    assert_eq!(got[0][0]["t"], quarter(1).0);
    sim.jump(UnixMs(quarter(2).0 + 31_000)).unwrap();
    let mut opens: Vec<i64> = got[1].iter().map(|k| k["t"].as_i64().unwrap()).collect();
    while opens.len() < 2 {
        opens.extend(closes(&mut ws, &names[1..], 1).await[0].iter().map(|k| k["t"].as_i64().unwrap()));
    }
    opens.sort_unstable();
    assert_eq!(opens, [start_at.0, quarter(1).0]);
    // In the silence from the fourth quarter on, nothing comes; what was closed in it is lost.
    sim.jump(quarter(4)).unwrap();
    timeout(Duration::from_secs(10), async {
        while sim.stats().lost < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the frames of two quarters of two series are lost");
    sim.jump(quarter(5)).unwrap();
    let heard = closes(&mut ws, &names[..1], 1).await;
    assert_eq!(heard[0][0]["t"], quarter(4).0);
    sim.stop().await;
}

#[test]
fn the_readme_names_every_kind_and_no_other_and_its_example_is_read() {
    let readme = include_str!("../../README.md");
    let table = readme.split("| kinds of fault |").nth(1).unwrap().lines().skip(2);
    let rows = table.take_while(|l| l.starts_with("| `"));
    let names = rows.flat_map(|r| r.split('|').nth(1).unwrap().split_whitespace());
    let mut told: Vec<_> = names.map(|n| n.trim_matches('`')).collect();
    let mut known = [FrameFault::KINDS, SocketFault::KINDS, RestFault::KINDS, MarketFault::KINDS].concat();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
    let example = readme.split("echo '").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(faults(example).len(), 2);
}
