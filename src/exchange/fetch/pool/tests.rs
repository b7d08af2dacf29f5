//! A pool by hand: what it makes of answers that cross.

use super::*;
use crate::domain::interval::Interval;
use crate::domain::symbol::{Pair, SeriesKey};
use crate::exchange::KlinesRequest;
use crate::exchange::binance::bodies::KlineRows;
use crate::exchange::connect::{Dialer, Proxies};

const NOW: Mono = Mono(Duration::from_secs(10));

fn pool() -> Pool {
    let endpoint = Endpoint::new(Market::UsdM, Some("http://127.0.0.1:9"), None).unwrap();
    let config = FetchConfig::new(vec![endpoint.clone()], Stopwatch::start());
    let client = Dialer::new(Proxies::None).http_client(config.timeout);
    Pool::new(endpoint, client, &config)
}

fn klines(id: u64) -> FetchRequest {
    let pair = Pair { market: Market::UsdM, symbol: format!("S{id}").parse().unwrap() };
    let key = SeriesKey::new(pair, Interval::M15);
    FetchRequest::Klines(KlinesRequest { id, key, from: None, bars: 3, priority: Priority::Warmup })
}

/// The next job, under way.
fn leave(pool: &mut Pool) -> Job {
    pool.under_way += 1;
    pool.queue.pop().unwrap()
}

fn end(pool: &mut Pool, job: Job, result: Result<Parsed, ExchangeError>, answers: &mut Answers) {
    let answer = Answer { sent: NOW, received: NOW, used_weight: None, result };
    pool.done(Done { market: Market::UsdM, job, weight: 1, answer }, NOW, answers);
}

fn errors(answers: &mut Answers) -> Vec<(u64, ErrorKind)> {
    let error = |answer| match answer {
        Fetched::Klines { request, result: Err(e), .. } => Some((request.id, e.kind)),
        _ => None,
    };
    answers.drain(..).filter_map(error).collect()
}

#[test]
fn item_24_a_429_of_a_request_under_way_does_not_end_a_ban_of_days_for_those_who_ask_later() {
    let days = Duration::from_secs(3 * 86_400);
    let limited = |wait| ErrorKind::RateLimited { wait };
    for (retries, kind) in [
        (0, limited(Duration::from_secs(30))),
        (3, limited(Duration::from_secs(30))),
        (0, ErrorKind::Forbidden { wait: Duration::from_secs(60) }),
    ] {
        let (mut pool, mut answers) = (pool(), Answers::new());
        pool.retries = retries;
        for id in 1..=2 {
            pool.take(klines(id), NOW, &mut answers);
        }
        let (first, second) = (leave(&mut pool), leave(&mut pool));
        end(&mut pool, first, Err(ExchangeError::new(limited(days), "banned")), &mut answers);
        end(&mut pool, second, Err(ExchangeError::new(kind, "later")), &mut answers);
        pool.take(klines(3), NOW, &mut answers);
        let told = errors(&mut answers);
        assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3], "none waits for days");
        assert!(told.iter().all(|(_, kind)| kind.pause() == Some(days)), "{told:?}");
    }
}

#[test]
fn item_25_what_follows_of_requests_under_way_is_not_asked_of_a_place_that_is_refused() {
    let (mut pool, mut answers) = (pool(), Answers::new());
    for id in 1..=2 {
        pool.take(klines(id), NOW, &mut answers);
    }
    let (first, second) = (leave(&mut pool), leave(&mut pool));
    end(&mut pool, first, Err(ExchangeError::new(ErrorKind::Restricted, "451")), &mut answers);
    // This one would be tried again.
    end(&mut pool, second, Err(ExchangeError::new(ErrorKind::Transient, "torn")), &mut answers);
    pool.take(klines(3), NOW, &mut answers);
    let told = errors(&mut answers);
    assert_eq!(told, [1, 2, 3].map(|id| (id, ErrorKind::Restricted)));
    assert!(pool.idle());
    pool.take(FetchRequest::Time(Market::UsdM), NOW, &mut answers);
    assert!(answers.is_empty() && !pool.idle(), "who asks for the time may find out");
    let probe = leave(&mut pool);
    end(&mut pool, probe, Ok(Parsed::Time(UnixMs(1_760_000_400_000))), &mut answers);
    answers.clear();
    pool.take(klines(4), NOW, &mut answers);
    assert!(answers.is_empty() && !pool.idle(), "served again");
}

#[tokio::test]
async fn item_25_who_finds_out_whether_a_place_is_served_again_is_one_request() {
    let (mut pool, mut answers) = (pool(), Answers::new());
    pool.take(FetchRequest::Time(Market::UsdM), NOW, &mut answers);
    let time = leave(&mut pool);
    end(&mut pool, time, Ok(Parsed::Time(UnixMs(1_760_000_400_000))), &mut answers);
    pool.take(klines(1), NOW, &mut answers);
    let refused = leave(&mut pool);
    end(&mut pool, refused, Err(ExchangeError::new(ErrorKind::Restricted, "451")), &mut answers);
    // Longer than the time of the exchange may be old.
    let later = NOW + SYNC_EVERY * 3;
    let mut tasks = JoinSet::new();
    pool.take(FetchRequest::Time(Market::UsdM), later, &mut answers);
    while pool.start_one(later, &mut tasks) {}
    assert_eq!(tasks.len(), 1);
}

#[tokio::test]
async fn a_ban_is_told_as_one_until_something_that_left_after_it_is_answered() {
    let (mut pool, mut answers) = (pool(), Answers::new());
    pool.take(FetchRequest::Time(Market::UsdM), NOW, &mut answers);
    let time = leave(&mut pool);
    end(&mut pool, time, Ok(Parsed::Time(UnixMs(1_760_000_400_000))), &mut answers);
    for id in 1..=4 {
        pool.take(klines(id), NOW, &mut answers);
    }
    let [first, second, third, fourth] = std::array::from_fn(|_| leave(&mut pool));
    let told = |pool: &mut Pool| {
        pool.reported = false;
        pool.report().unwrap().held.map(|hold| hold.kind)
    };
    let wait = Duration::from_secs(3_600);
    end(&mut pool, first, Err(ExchangeError::new(ErrorKind::Banned { wait }, "418")), &mut answers);
    assert_eq!(told(&mut pool), Some(HoldKind::Ban));
    end(&mut pool, second, Err(ExchangeError::new(ErrorKind::RateLimited { wait }, "429")), &mut answers);
    assert_eq!(told(&mut pool), Some(HoldKind::Ban), "a pause within a ban");
    let rows = || Ok(Parsed::Rows(KlineRows::default()));
    end(&mut pool, third, rows(), &mut answers);
    assert_eq!(told(&mut pool), Some(HoldKind::Ban), "that left before the ban");
    let after = NOW + wait + Duration::from_secs(1);
    let answer = Answer { sent: after, received: after, used_weight: None, result: rows() };
    pool.done(Done { market: Market::UsdM, job: fourth, weight: 1, answer }, after, &mut answers);
    assert_eq!(told(&mut pool), None);
}
