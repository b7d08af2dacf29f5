//! Figures as the exchange writes them: digits, a point, digits.
//!
//! A frame of a candle has eight of them, and the standard library's parser, made for every way in
//! which a float can be written, takes a good part of the time that a frame costs.

/// Up to here every whole number is a float without rounding.
const EXACT: u64 = 1 << 53;

/// Powers of ten that are floats without rounding.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The float nearest to what is written, NaN where no number is.
///
/// Where all digits together are a whole number below 2^53, both that and the power of ten it is
/// divided by are exact, and a division rounds once: to the float that any parser gives. All else
/// is left to the standard library.
#[inline]
pub(super) fn parse(text: &str) -> f64 {
    exact(text.as_bytes()).unwrap_or_else(|| by_the_book(text))
}

#[cold]
#[inline(never)]
fn by_the_book(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

#[inline]
#[expect(clippy::cast_precision_loss, reason = "below 2^53 nothing is lost")]
fn exact(text: &[u8]) -> Option<f64> {
    // Nineteen digits always fit into 64 bits.
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let mut whole = 0_u64;
    let mut point = None;
    for (at, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            whole = whole * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() && at > 0 {
            point = Some(at);
        } else {
            return None;
        }
    }
    let places = point.map_or(0, |at| text.len() - at - 1);
    (whole < EXACT).then(|| whole as f64 / POWERS[places])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_exchange_writes_and_what_it_should_not() {
        for text in
            ["0", "0.00", "83070.80", "0.00000123", "9007199254740991", "9007199254740993", "1.", "007.50"]
        {
            assert_eq!(parse(text).to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        for text in ["", ".", "-", "1.2.3", "1,2", "０", "0x1", "1 ", "abc", "12345678901234567890x"] {
            assert!(parse(text).is_nan(), "{text}");
        }
        assert_eq!((parse("-1.5"), parse("1e3"), parse(".5")), (-1.5, 1000.0, 0.5));
    }

    proptest! {
        #[test]
        fn it_is_the_float_that_the_standard_library_gives(whole in 0_u64..20_000_000_000_000_000, places in 0_usize..16) {
            let digits = format!("{whole:0>width$}", width = places + 1);
            let (before, after) = digits.split_at(digits.len() - places);
            let text = if places == 0 { digits.clone() } else { format!("{before}.{after}") };
            prop_assert_eq!(parse(&text).to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic_or_differ(text in "\\PC{0,24}|[0-9.eE+-]{0,24}") {
            let want = text.parse::<f64>().unwrap_or(f64::NAN);
            let got = parse(&text);
            prop_assert!(got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()), "{} {}", text, got);
        }
    }
}
