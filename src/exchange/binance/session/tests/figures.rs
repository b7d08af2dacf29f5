//! The 24 h figures beside the candles.

use super::*;

/// The figures of the whole market are no sign that candles flow: not for the watch, not for whoever
/// waits for a proof, not for the waits after a loss.
#[test]
fn item_32_fault_04_figures_that_go_on_hide_no_candles_that_stopped() {
    for (market, limit) in [(Market::UsdM, 15), (Market::Spot, 30)] {
        for candles in [true, false] {
            let mut session = of(market, Timing::default());
            session.want(&wanted(Stall::FEWEST_PAIRS));
            settle(&mut session, s(0));
            session.on_text(FIGURES, s(1)).unwrap();
            assert_eq!((session.pop_news(), session.pop_news()), (Some(standing(Stall::FEWEST_PAIRS)), None));
            assert!(!session.had_data(), "figures are no candles");
            if candles {
                session.on_text(&frame("S1USDT", "s1usdt@kline_1m", false), s(1)).unwrap();
                assert!(session.pop_news() == Some(News::Proven) && session.had_data());
            }
            let (due, word) =
                if candles { (1 + limit, "the candles stopped") } else { (limit - 5, "without candles") };
            for at in 2..due {
                session.on_text(FIGURES, s(at)).unwrap();
                // Neither does a subscription among others put it off.
                session.want(&wanted(Stall::FEWEST_PAIRS + usize::try_from(at).unwrap()));
                settle(&mut session, s(at));
                assert_eq!(says(&mut session, at), "");
            }
            let error = session.overdue(s(due)).unwrap();
            assert_eq!(error.kind, ErrorKind::Silent);
            let text = error.message.as_str();
            assert!(text.contains(word) && text.contains("24 h figures"), "{text}");
        }
    }
}

/// All intervals of a pair are silent together: many streams of few quiet pairs are no stall.
#[test]
fn a_few_quiet_pairs_of_many_intervals_are_not_torn() {
    let intervals = [Interval::M1, Interval::M15, Interval::H1];
    let few = wanted(Stall::FEWEST_PAIRS - 1);
    let keys = few.keys.iter().flat_map(|k| intervals.map(|i| SeriesKey::new(k.pair.clone(), i)));
    let few = Wanted { keys: keys.collect(), ..few };
    let mut session = session(Timing::default());
    session.want(&few);
    settle(&mut session, s(0));
    for at in 1..290 {
        session.on_text(FIGURES, s(at)).unwrap();
        assert_eq!(says(&mut session, at), "");
    }
    assert!(session.had_data());
    // Without the figures nothing is known of their candles for longer.
    let mut session = self::session(Timing::default());
    session.want(&Wanted { day: None, ..few });
    settle(&mut session, s(0));
    session.on_sign_of_life(s(290));
    assert_eq!(says(&mut session, 290), "");
}

#[test]
fn a_table_that_grows_gets_its_time() {
    let mut session = self::session(Timing::default());
    session.want(&wanted(1));
    settle(&mut session, s(0));
    for at in 1..100 {
        session.on_text(FIGURES, s(at)).unwrap();
    }
    session.want(&wanted(30));
    assert_eq!(says(&mut session, 100), "");
    settle(&mut session, s(100));
    session.on_text(FIGURES, s(109)).unwrap();
    assert_eq!(says(&mut session, 109), "");
    assert!(says(&mut session, 111).contains("candle"));
}

#[test]
fn a_few_pairs_are_judged_by_what_their_socket_carries() {
    for (market, limit) in [(Market::UsdM, 15), (Market::Spot, 30)] {
        // Whose pairs the figures are of plays no part: an empty table is a pulse and no more.
        for carries_day in [Some(Arc::default()), wanted(1).day] {
            let mut session = of(market, Timing::default());
            session.want(&Wanted { day: carries_day, ..wanted(1) });
            settle(&mut session, s(0));
            session.on_text(FIGURES, s(4)).unwrap();
            session.on_sign_of_life(s(4 + limit));
            assert_eq!(says(&mut session, 3 + limit), "");
            assert!(says(&mut session, 4 + limit).starts_with("stall"));
        }
        let mut session = of(market, Timing::default());
        session.want(&Wanted { day: None, ..wanted(1) });
        settle(&mut session, s(0));
        session.on_sign_of_life(s(300));
        assert_eq!(says(&mut session, 299), "");
        assert_ne!(says(&mut session, 300), "");
    }
}
