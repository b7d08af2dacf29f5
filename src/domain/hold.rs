//! A pause of REST that the exchange wants.

use std::time::Duration;

use super::time::UnixMs;

/// Why nothing may be asked. From the mildest to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldKind {
    /// The weight of this address is used up (HTTP 429): a pause.
    Pause,
    /// A firewall refuses us (HTTP 403).
    Firewall,
    /// This address is banned (HTTP 418), and every program on it.
    Ban,
}

impl HoldKind {
    /// The word, as exports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Firewall => "firewall",
            Self::Ban => "ban",
        }
    }
}

/// For how long nothing is asked of a market, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub kind: HoldKind,
    /// Nothing is sent before this time of the exchange's.
    pub until: UnixMs,
}

impl Hold {
    /// How long it lasts from `now` on; `None` where it is over, or nobody knows the time.
    pub fn left(&self, now: Option<UnixMs>) -> Option<Duration> {
        now.filter(|now| self.until > *now).map(|now| self.until.since(now))
    }
}

/// What is left of a time, to be counted down: `52s`, `17m38s`, `3h54m`, `2d23h`.
pub fn countdown(left: Duration) -> String {
    // The last second is one, not none.
    let s = left.as_secs() + 1;
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        3_600..172_800 => format!("{}h{:02}m", s / 3_600, s % 3_600 / 60),
        _ => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_two_units() {
        for (secs, want) in [
            (0, "1s"),
            (51, "52s"),
            (59, "1m00s"),
            (1_057, "17m38s"),
            (14_031, "3h53m"),
            (172_799, "2d00h"),
            (259_199, "3d00h"),
        ] {
            assert_eq!(countdown(Duration::from_secs(secs)), want);
        }
        let hold = Hold { kind: HoldKind::Ban, until: UnixMs(5_000) };
        assert_eq!(hold.left(Some(UnixMs(2_000))), Some(Duration::from_secs(3)));
        assert_eq!((hold.left(Some(UnixMs(5_000))), hold.left(None)), (None, None));
        assert!(HoldKind::Ban > HoldKind::Firewall && HoldKind::Firewall > HoldKind::Pause);
    }
}
