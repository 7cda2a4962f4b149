//! What a plain scalar means: YAML 1.1 as Ansible's users know it, without its two traps.
//!
//! Left out on purpose: base-60 integers (`22:30` would be 1350, and port mappings look like that)
//! and timestamps. `0o644` of YAML 1.2 is read too. Source: <https://yaml.org/type/>.

use super::Value;

/// The value of a plain (unquoted) scalar.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    if let Some(number) = integer(text) {
        return Value::Int(number, text.to_owned());
    }
    if let Some(number) = float(text) {
        return Value::Float(number, text.to_owned());
    }
    Value::Text(text.to_owned())
}

/// An integer that fits 64 bits; a longer one stays a string, so that no digit is lost.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', _, ..] => (16, &digits[2..]),
        [b'0', b'o', _, ..] => (8, &digits[2..]),
        [b'0', b'b', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let digits = digits.replace('_', "");
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    // Through i128, because the smallest i64 has no positive counterpart.
    let number = i128::from_str_radix(&digits, radix).ok()?;
    i64::try_from(sign * number).ok()
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(if text.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            });
        }
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let shaped = unsigned.contains('.')
        && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit());
    if shaped { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match resolve(text) {
            Value::Null => "null".into(),
            Value::Bool(value) => format!("bool {value}"),
            Value::Int(value, text) => format!("int {value} {text}"),
            Value::Float(value, text) => format!("float {value} {text}"),
            Value::Text(text) => format!("text {text}"),
            Value::List(_) | Value::Map(_) => "collection".into(),
        }
    }

    #[test]
    fn plain_scalars_mean_what_yaml_1_1_says() {
        let table = [
            ("", "null"),
            ("~", "null"),
            ("null", "null"),
            ("nil", "text nil"),
            ("yes", "bool true"),
            ("No", "bool false"),
            ("on", "bool true"),
            ("OFF", "bool false"),
            ("True", "bool true"),
            ("y", "text y"),
            ("tRue", "text tRue"),
            ("0", "int 0 0"),
            ("7", "int 7 7"),
            ("-12", "int -12 -12"),
            ("+3", "int 3 +3"),
            ("1_000", "int 1000 1_000"),
            ("0644", "int 420 0644"),
            ("0o644", "int 420 0o644"),
            ("0x1F", "int 31 0x1F"),
            ("0b101", "int 5 0b101"),
            ("08", "text 08"),
            ("0x", "text 0x"),
            ("-", "text -"),
            ("_1", "text _1"),
            (
                "-9223372036854775808",
                "int -9223372036854775808 -9223372036854775808",
            ),
            ("9223372036854775808", "text 9223372036854775808"),
            ("26.10", "float 26.1 26.10"),
            (".5", "float 0.5 .5"),
            ("1.5e+3", "float 1500 1.5e+3"),
            ("-.inf", "float -inf -.inf"),
            (".nan", "float NaN .nan"),
            (".", "text ."),
            ("1e3", "text 1e3"),
            ("1.2.3", "text 1.2.3"),
            ("10.20.0.1", "text 10.20.0.1"),
            ("22:30", "text 22:30"),
            ("2024-01-31", "text 2024-01-31"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }
}
