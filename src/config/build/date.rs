//! Instants as RFC 3339 writes them: `2030-01-01T00:00:00Z`.

use crate::policy::UnixTime;

/// Reads an RFC 3339 date-time (section 5.6), from the year 1970 on. A leap second counts as the
/// first second after it.
pub fn instant(text: &str) -> Option<UnixTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
    let real =
        year >= 1970 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !real || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (milliseconds, zone) = fraction(rest)?;
    let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    Some(UnixTime::from_milliseconds((seconds - offset(zone)?) * 1000 + milliseconds))
}

fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        *number = digits(parts.next()?, width)?;
    }
    parts.next().is_none().then_some(numbers)
}

fn digits(text: &str, width: usize) -> Option<i64> {
    let plain = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Milliseconds, finer ones cut off, and what follows them.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (fraction, zone) = rest.split_at_checked(end)?;
    if fraction.is_empty() {
        return None;
    }
    let milliseconds = format!("{fraction:0<3}");
    Some((milliseconds.get(..3)?.parse().ok()?, zone))
}

/// Seconds that the zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = fields(zone.strip_prefix(['+', '-'])?, ':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400;
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    // 719162 days lie between 0001-01-01 and 1970-01-01.
    before * 365 + leaps + months + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_counted_from_the_epoch() {
        for (text, milliseconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799_000),
            ("2026-11-22T00:00:00Z", 1_795_305_600_000),
            ("2030-01-01T00:00:00Z", 1_893_456_000_000),
            ("2030-01-01T02:00:00+02:00", 1_893_456_000_000),
            ("2029-12-31t20:30:00.25-03:30", 1_893_456_000_250),
            ("2030-01-01 00:00:00.123456789z", 1_893_456_000_123),
        ] {
            assert_eq!(instant(text), Some(UnixTime::from_milliseconds(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-1-01T00:00:00Z",
            "2030-02-29T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00+0200",
            "1969-12-31T23:59:59Z",
            "2030-01-01T00:00:00ZZ",
            "2030-01-0éT00:00:00Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
