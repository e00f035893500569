//! What a plain (unquoted) scalar is: YAML 1.2's core schema, section 10.3.2, and nothing more.
//!
//! `no`, `on`, `1_000`, `1:30` and dates are text here, whatever YAML 1.1 made of them. That a date
//! would be something else to other readers is known, so that where text is meant it can be asked
//! to be quoted.

use serde_json::{Number, Value};

/// Quotes that word processors write, and YAML takes for letters.
pub(super) const TYPOGRAPHIC_QUOTES: [char; 5] = ['“', '”', '„', '«', '»'];

/// What a plain scalar says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Bool(bool),
    /// A float, finite or not.
    Float(f64),
    Int(i128),
    Null,
    /// Anything else, and whole numbers that no reader would agree on: `012`, beyond 128 bits.
    Text,
}

impl Plain {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => number(text).unwrap_or(Self::Text),
        }
    }

    /// What it is, in plain words.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Float(_) | Self::Int(_) => "a number",
            Self::Null => "nothing",
            Self::Text => "text",
        }
    }

    /// The value as JSON has it; none for text, and for what JSON has no number for.
    pub(super) fn value(&self) -> Option<Value> {
        match *self {
            Self::Bool(bool) => Some(Value::Bool(bool)),
            Self::Float(float) => Number::from_f64(float).map(Value::Number),
            Self::Int(int) => Number::from_i128(int).map(Value::Number),
            Self::Null => Some(Value::Null),
            Self::Text => None,
        }
    }
}

fn number(text: &str) -> Option<Plain> {
    if let Some((radix, digits)) = text
        .strip_prefix("0x")
        .map(|digits| (16, digits))
        .or_else(|| text.strip_prefix("0o").map(|digits| (8, digits)))
    {
        let digits_only = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        return i128::from_str_radix(digits, radix).ok().filter(|_| digits_only).map(Plain::Int);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Plain::Float(f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(Plain::Float(f64::NAN)),
        _ => {}
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return if is_octal_look_alike(unsigned) {
            None
        } else {
            text.parse().ok().map(Plain::Int)
        };
    }
    is_float(unsigned).then(|| text.parse().ok().map(Plain::Float))?
}

/// `012` is ten to YAML 1.1 and twelve to YAML 1.2.
fn is_octal_look_alike(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(unsigned: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_well = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    !(whole.is_empty() && part.is_empty()) && digits(whole) && digits(part) && exponent_is_well
}

/// Whether other readers take this plain text for a number or a date, though it is text here:
/// YAML 1.1's octals, underscores and timestamps.
pub(super) fn is_read_otherwise_elsewhere(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.replace('_', "");
    is_date(text)
        || (unsigned.starts_with(|c: char| c.is_ascii_digit())
            && !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// `2030-01-01`, alone or with a time after `T` or a blank.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let lengths = [4..=4, 1..=2, 1..=2];
    let mut parts = date.split('-');
    let is_day = lengths.into_iter().all(|length| {
        parts.next().is_some_and(|part| {
            length.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        })
    });
    let time = time.get(1..).unwrap_or_default().trim_start();
    let is_time = time.is_empty() || time.starts_with(|c: char| c.is_ascii_digit());
    is_day && parts.next().is_none() && is_time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_schema_and_nothing_more() {
        let cases = [
            ("", Plain::Null),
            ("~", Plain::Null),
            ("null", Plain::Null),
            ("nULL", Plain::Text),
            ("true", Plain::Bool(true)),
            ("FALSE", Plain::Bool(false)),
            ("tRUE", Plain::Text),
            ("yes", Plain::Text),
            ("no", Plain::Text),
            ("on", Plain::Text),
            ("0", Plain::Int(0)),
            ("-7", Plain::Int(-7)),
            ("+7", Plain::Int(7)),
            ("0x1F", Plain::Int(31)),
            ("0x", Plain::Text),
            ("0x-1", Plain::Text),
            ("0o17", Plain::Int(15)),
            ("0o8", Plain::Text),
            ("012", Plain::Text),
            ("1_000", Plain::Text),
            ("1:30", Plain::Text),
            ("1.5", Plain::Float(1.5)),
            ("-.5", Plain::Float(-0.5)),
            ("1.", Plain::Float(1.0)),
            ("1e3", Plain::Float(1000.0)),
            ("1e", Plain::Text),
            (".", Plain::Text),
            ("e3", Plain::Text),
            ("-", Plain::Text),
            ("+", Plain::Text),
            (".inf", Plain::Float(f64::INFINITY)),
            ("-.inf", Plain::Float(f64::INFINITY)),
            ("inf", Plain::Text),
            ("1.2.3", Plain::Text),
            ("10s", Plain::Text),
            ("2030-01-01", Plain::Text),
        ];
        for (text, plain) in cases {
            assert_eq!(Plain::of(text), plain, "{text:?}");
        }
        assert!(matches!(Plain::of(".nan"), Plain::Float(nan) if nan.is_nan()));
    }

    #[test]
    fn json_has_no_number_for_infinity() {
        assert_eq!(Plain::of(".inf").value(), None);
        assert_eq!(Plain::of("7").value(), Some(Value::from(7)));
        assert_eq!(Plain::of("170141183460469231731687303715884105727").value(), None);
    }

    #[test]
    fn what_yaml_1_1_reads_otherwise() {
        for text in
            ["2030-01-01", "2030-1-1", "2030-01-01T00:00:00Z", "2030-01-01 10:00", "012", "1_000"]
        {
            assert!(is_read_otherwise_elsewhere(text), "{text:?}");
        }
        for text in ["", "no", "2030", "20-01-01", "2030-01-01-x", "2030-01-01Tx", "_", "a_1", "-"]
        {
            // `2030` is a number here too, so it is no difference.
            assert_eq!(is_read_otherwise_elsewhere(text), text == "2030", "{text:?}");
        }
    }
}
