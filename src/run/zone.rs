//! The zone of the screen's times, looked up once in the system's tzdata.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::zone::Zone;
use crate::domain::time::UnixMs;

use super::failure::Failure;

/// From when to when changes of the clocks are looked up, in seconds: 2009 to 2060. Binance's
/// candles begin in 2017.
const SPAN: (i64, i64) = (1_230_768_000, 2_840_140_800);

/// What `--tz` names: `utc`, `local`, a name of tzdata, or hours and minutes ahead of UTC.
pub(super) fn find(name: &str) -> Result<Zone, Failure> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Ok(Zone::default());
    }
    if let Some(seconds) = fixed(name) {
        return Ok(Zone::new(vec![(UnixMs(0), seconds)]));
    }
    let unknown = |why: &dyn std::fmt::Display| {
        Failure::Usage(format!(
            "--tz {name}: {why}; it is local, utc, a name such as Asia/Shanghai (where the package tzdata is \
             installed), or +08:00"
        ))
    };
    let zone = if name.eq_ignore_ascii_case("local") {
        TimeZone::try_system().map_err(|e| unknown(&e))?
    } else {
        TimeZone::get(name).map_err(|e| unknown(&e))?
    };
    let from = Timestamp::from_second(SPAN.0).map_err(|e| unknown(&e))?;
    let first = (UnixMs(from.as_millisecond()), zone.to_offset(from).seconds());
    let changes = zone
        .following(from)
        .map(|t| (UnixMs(t.timestamp().as_millisecond()), t.offset().seconds()))
        .take_while(|(at, _)| at.0 / 1_000 <= SPAN.1);
    Ok(Zone::new(std::iter::once(first).chain(changes).collect()))
}

/// `+08:00`, `-3`, `+0530`: seconds.
fn fixed(text: &str) -> Option<i32> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(digits.len().min(2))?;
    let minutes = if minutes.is_empty() { "0" } else { minutes };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::text::Precision;

    const SUMMER: UnixMs = UnixMs(1_751_371_200_000); // 2025-07-01T12:00Z
    const WINTER: UnixMs = UnixMs(1_767_268_800_000); // 2026-01-01T12:00Z

    #[test]
    fn a_fixed_distance_needs_no_tzdata() {
        for (text, want) in
            [("+08:00", "20:00+08"), ("-3", "09:00-03"), ("+0530", "17:30+05:30"), ("utc", "12:00Z")]
        {
            assert_eq!(find(text).unwrap().stamp(SUMMER, Precision::Minute), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused_with_the_cure() {
        for text in ["Mars/Olympus", "+15", "+08:60", "+", "-x", "+1é"] {
            let said = find(text).unwrap_err().to_string();
            assert!(said.contains("Asia/Shanghai"), "{said}");
        }
    }

    /// Where the system has tzdata; elsewhere the refusal is right, and is what the test above sees.
    #[test]
    fn a_name_brings_its_summer_time() {
        if !std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
            return;
        }
        let berlin = find("Europe/Berlin").unwrap();
        assert_eq!(berlin.stamp(SUMMER, Precision::Minute), "14:00+02");
        assert_eq!(berlin.stamp(WINTER, Precision::Minute), "13:00+01");
        let shanghai = find("Asia/Shanghai").unwrap();
        assert_eq!(shanghai.stamp(WINTER, Precision::Day), "01-01 20:00+08");
    }
}
