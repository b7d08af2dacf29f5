//! What the header says of the filter in views that do not follow it.

use super::*;
use crate::app::layout::{Shape, Tier};

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (120, 36)];

/// The header's line of the filter after these keys.
fn line(size: (u16, u16), keys: &str) -> String {
    let mut app = app_of(assorted(), size);
    press(&mut app, keys);
    let text = shown(&app);
    let y = app.shape().filter_line();
    if Shape::of(size.0, size.1).tier == Tier::Reduced {
        assert!(text.lines().nth(1).unwrap().contains("FAILED"), "the state of the whole\n{text}");
    }
    text.lines().nth(y.into()).unwrap().to_owned()
}

#[test]
fn a_view_that_follows_no_filter_and_no_order_shows_neither() {
    for size in SIZES {
        for keys in ["2", "3", "5", "6"] {
            let line = line(size, keys);
            assert!(!line.contains(" / filter") && !line.contains("sort"), "{keys} {size:?} {line}");
            assert!(!line.contains("SCORE"), "{keys} {size:?} {line}");
        }
        for keys in ["/btc<ret>3", "/btc<ret>5"] {
            assert!(!line(size, keys).contains("btc"), "{size:?}");
        }
        let cache = line(size, "4");
        assert!(cache.contains(" / filter") && cache.contains("15m") && !cache.contains("SCORE"), "{cache}");
    }
}

#[test]
fn the_detail_says_where_its_pair_stands_and_of_which_interval_its_figures_are() {
    for size in SIZES {
        assert!(line(size, "jj2").starts_with(" 3 of 12  figures: 15m"), "{}", line(size, "jj2"));
        let filtered = line(size, "/usdt -btc<ret>2]");
        assert!(filtered.starts_with(" 1 of 11  figures: 1h  filter: us"), "{filtered}");
    }
}

#[test]
fn the_alerts_say_which_rule_their_key_would_make_or_how_to_get_one() {
    for size in SIZES {
        assert!(line(size, "6").starts_with(" a rule watches a filter: 1 / to "), "{}", line(size, "6"));
        let rule = line(size, "/btc<ret>6");
        assert!(rule.starts_with(" a makes a rule of: btc"), "{rule}");
    }
}
