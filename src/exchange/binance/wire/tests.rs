use proptest::prelude::*;

use super::*;

const FRAMES: &str = include_str!("../../../../tests/fixtures/wire/kline-frames.jsonl");
const GOOD: &str = r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1791383685913,"s":"BTCUSDT","k":{"t":1791383640000,"T":1791383699999,"s":"BTCUSDT","i":"1m","f":8153670676,"L":8153673404,"o":"83070.80","c":"83142.90","h":"83143.00","l":"83070.70","v":"86.568","n":2723,"x":false,"q":"7193689.13750","V":"55.410","Q":"4604044.96780","B":"0"}}}"#;

fn kline(text: &str) -> KlineFrame<'_> {
    match parse(text) {
        Ok(Frame::Kline(k)) => k,
        other => panic!("{other:?} from {text}"),
    }
}

#[test]
fn a_combined_frame_gives_all_its_fields() {
    let f = kline(GOOD);
    assert_eq!(f.stream.as_deref(), Some("btcusdt@kline_1m"));
    assert_eq!((&*f.symbol, &*f.interval), ("BTCUSDT", "1m"));
    assert_eq!((f.finality, f.event_time), (Finality::Forming, UnixMs(1_791_383_685_913)));
    let want = Kline::new(KlineFields {
        open_time: UnixMs(1_791_383_640_000),
        close_time: UnixMs(1_791_383_699_999),
        open: 83_070.8,
        high: 83_143.0,
        low: 83_070.7,
        close: 83_142.9,
        volume: 86.568,
        quote_volume: Some(7_193_689.137_5),
        trades: Some(2_723),
        taker_base: Some(55.41),
        taker_quote: Some(4_604_044.967_8),
    });
    assert_eq!(f.kline, want.unwrap());
    // The names are borrowed from the frame, not copied.
    assert!(matches!((f.stream, f.symbol), (Some(Cow::Borrowed(_)), Cow::Borrowed(_))));
}

#[test]
fn every_recorded_frame_is_read() {
    let mut closed = 0;
    for line in FRAMES.lines() {
        let f = kline(line);
        closed += u32::from(f.finality == Finality::Closed);
        assert_eq!(f.stream.is_some(), line.starts_with("{\"stream\""));
    }
    assert!(FRAMES.lines().count() > 20 && closed > 0, "{closed}");
}

#[test]
fn the_order_of_fields_and_what_is_added_do_not_matter() {
    let inner = &GOOD[GOOD.find("{\"e\"").unwrap()..GOOD.len() - 1];
    let swapped = format!(r#" {{"data":{inner},"extra":[1,{{"a":null}}],"stream":"btcusdt@kline_1m"}}"#);
    assert_eq!(kline(&swapped), kline(GOOD));
    assert_eq!(kline(inner).kline, kline(GOOD).kline);
    let more = GOOD.replace(r#""B":"0""#, r#""st":1,"zz":{}"#);
    assert_eq!(kline(&more), kline(GOOD));
    let escaped = GOOD.replace(r#""s":"BTCUSDT","k""#, r#""s":"\u5e01USDT","k""#);
    assert_eq!(kline(&escaped).symbol, "币USDT");
}

#[test]
fn a_candle_without_trades_is_a_candle() {
    let text = GOOD
        .replace(r#""f":8153670676,"L":8153673404"#, r#""f":-1,"L":-1"#)
        .replace("2723", "0")
        .replace(r#""x":false"#, r#""x":true"#);
    let f = kline(&text);
    assert_eq!((f.kline.trades(), f.finality), (Some(0), Finality::Closed));
    let text = GOOD.replace(r#""n":2723,"#, "").replace(r#""q":"7193689.13750","#, "");
    assert_eq!((kline(&text).kline.trades(), kline(&text).kline.quote_volume()), (None, None));
}

#[test]
fn what_is_no_candle_is_a_bad_value() {
    for (from, to) in [
        (r#""o":"83070.80""#, r#""o":"NaN""#),
        (r#""o":"83070.80""#, r#""o":"inf""#),
        (r#""o":"83070.80""#, r#""o":"""#),
        (r#""o":"83070.80""#, r#""o":"x""#),
        (r#""o":"83070.80""#, r#""o":null"#),
        (r#""o":"83070.80""#, r#""o":{}"#),
        (r#""o":"83070.80""#, r#""o":"-1""#),
        (r#""o":"83070.80","#, ""),
        (r#""l":"83070.70""#, r#""l":"99999""#),
        (r#""v":"86.568""#, r#""v":"-1""#),
        (r#""n":2723"#, r#""n":-1"#),
        (r#""n":2723"#, r#""n":99999999999"#),
        (r#""t":1791383640000,"T":1791383699999"#, r#""t":1791383640000000,"T":1791383699999999"#),
        (r#""E":1791383685913"#, r#""E":1791383685913000"#),
        (r#""E":1791383685913"#, r#""E":-1"#),
        (r#""x":false"#, r#""x":"no""#),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        assert_eq!(parse(&text), Err(Discard::BadValue), "{to}");
    }
}

#[test]
fn what_is_not_ours_says_so() {
    for (text, why) in [
        ("", Discard::NotJson),
        ("pong", Discard::NotJson),
        ("{\"stream\":\"btcusdt@kline_1m\"", Discard::NotJson),
        ("[1,2", Discard::NotJson),
        ("{}", Discard::UnknownShape),
        ("42", Discard::UnknownShape),
        ("[1,2]", Discard::UnknownShape),
        (r#"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1}}"#, Discard::UnknownShape),
        (r#"{"e":"continuous_kline","E":1,"ps":"BTCUSDT"}"#, Discard::UnknownShape),
        (r#"{"stream":"x","data":7}"#, Discard::UnknownShape),
    ] {
        assert_eq!(parse(text), Err(why), "{text}");
    }
}

#[test]
fn replies_come_in_three_shapes() {
    for (text, id, refusal) in [
        (r#"{"result":null,"id":7}"#, Some(7), None),
        (r#"{"id":7,"result":["a"]}"#, Some(7), None),
        (r#"{"result":null,"id":"abc"}"#, None, None),
        (r#"{"code":2,"msg":"Invalid request","id":3}"#, Some(3), Some("Invalid request (code 2)")),
        (r#"{"error":{"code":4,"msg":"Too many"},"id":9}"#, Some(9), Some("Too many (code 4)")),
        (r#"{"error":{"code":3,"msg":"Invalid JSON"}}"#, None, Some("Invalid JSON (code 3)")),
        (r#"{"error":"odd","id":1}"#, Some(1), Some("an error of unknown shape")),
    ] {
        assert_eq!(parse(text), Ok(Frame::Reply { id, refusal: refusal.map(str::to_owned) }), "{text}");
    }
}

#[test]
fn a_shutdown_is_recognised_in_both_shapes() {
    for text in [
        r#"{"e":"serverShutdown","E":1791383685913}"#,
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1791383685913}}"#,
    ] {
        assert_eq!(parse(text), Ok(Frame::Shutdown));
    }
}

#[test]
fn item_30_day_figures_come_alone_or_wrapped_and_without_the_coin_margined() {
    let good = r#"{"e":"24hrMiniTicker","E":1791383685913,"s":"BTCUSDT","c":"110","o":"100","h":"1","l":"1","v":"2","q":"3","ps":"BTCUSDT","st":1}"#;
    let coin = good.replace("\"st\":1", "\"st\":2");
    let dead = good.replace("\"o\":\"100\"", "\"o\":\"0\"");
    let never = good.replace("\"110\"", "\"0\"").replace("\"q\":\"3\"", "\"q\":\"0\"");
    let array = format!(r#"[{good},{coin},{dead},{never},{{"s":1}},7]"#);
    for text in [array.clone(), format!(r#"{{"stream":"!miniTicker@arr","data":{array}}}"#)] {
        let Ok(Frame::Day { rows, skipped }) = parse(&text) else { panic!("{text}") };
        assert_eq!((rows.len(), skipped), (1, 3));
        assert_eq!((&*rows[0].symbol, rows[0].last, rows[0].quote_volume), ("BTCUSDT", 110.0, 3.0));
        assert!((rows[0].change_pct - 10.0).abs() < 1e-12);
    }
    assert_eq!(parse("[]"), Ok(Frame::Day { rows: Vec::new(), skipped: 0 }));
}

#[test]
fn a_pair_without_volume_keeps_its_price() {
    let quiet = r#"[{"e":"24hrMiniTicker","E":1791383685913,"s":"OLDUSDT","c":"2.5","o":"2.5","h":"2.5","l":"2.5","v":"0","q":"0"}]"#;
    let Ok(Frame::Day { rows, skipped }) = parse(quiet) else { panic!("{quiet}") };
    assert_eq!((rows[0].last, rows[0].change_pct, rows[0].quote_volume, skipped), (2.5, 0.0, 0.0, 0));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    /// Frames cut off, and with bytes replaced by others that matter to JSON.
    #[test]
    fn no_damaged_frame_makes_it_panic(
        line in 0usize..25, cut in 0usize..400,
        hits in prop::collection::vec((0usize..400, prop::sample::select(b"{}[]\",:-0e1ntf\\u ".to_vec())), 0..6),
    ) {
        let mut bytes = FRAMES.lines().nth(line).unwrap_or(GOOD).as_bytes().to_vec();
        for (at, byte) in hits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(cut.max(1));
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = parse(text);
        }
    }

    /// The short cut and the long way read the same.
    #[test]
    fn the_fast_path_is_only_faster(line in 0usize..25) {
        let text = FRAMES.lines().nth(line).unwrap_or(GOOD);
        prop_assert_eq!(parse(text), parse_any(text));
    }
}
