//! PHP's `version_compare()`, to the last oddity.
//!
//! The WordPress world decides what is newer with this function, so an order of our
//! own, however sensible, would disagree with every plugin and advisory.

use std::cmp::Ordering;

/// Compares as PHP's `version_compare($a, $b)` does.
pub fn compare(a: &str, b: &str) -> Ordering {
    compare_bytes(a.as_bytes(), b.as_bytes())
}

/// As [`compare`], for bytes; a NUL ends the string, as in C.
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    compare_canonical(&canonical(until_nul(a)), &canonical(until_nul(b)))
}

/// A version taken apart once, to be compared often.
#[derive(Debug, Clone)]
pub struct Version(Box<[u8]>);

impl Version {
    /// Takes a version apart.
    pub fn new(text: &str) -> Self {
        Self(canonical(until_nul(text.as_bytes())).into_boxed_slice())
    }

    /// Compares as [`compare`] does. It is no `Ord`: PHP promises no order that sorts.
    pub fn compare(&self, other: &Self) -> Ordering {
        compare_canonical(&self.0, &other.0)
    }
}

/// Nothing but nothing has an empty canonical form.
fn compare_canonical(a: &[u8], b: &[u8]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    // What is left of each side; `None` once its last part was taken.
    let (mut left_a, mut left_b) = (Some(a), Some(b));
    while let (Some(rest_a @ [_, ..]), Some(rest_b @ [_, ..])) = (left_a, left_b) {
        let (part_a, next_a) = split(rest_a);
        let (part_b, next_b) = split(rest_b);
        let order = compare_parts(part_a, part_b);
        if order != Ordering::Equal {
            return order;
        }
        (left_a, left_b) = (next_a, next_b);
    }
    if let Some(rest) = left_a {
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return Ordering::Greater;
        }
        return compare_bytes(rest, b"#N#");
    }
    if let Some(rest) = left_b {
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return Ordering::Less;
        }
        return compare_bytes(b"#N#", rest);
    }
    Ordering::Equal
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn split(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    match rest.iter().position(|byte| *byte == b'.') {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    }
}

/// Puts a dot wherever a part ends.
fn canonical(version: &[u8]) -> Vec<u8> {
    if version.first() == Some(&b'#') {
        return version.to_vec();
    }
    let mut out: Vec<u8> = Vec::with_capacity(version.len() * 2);
    let mut previous = 0;
    for (at, &byte) in version.iter().enumerate() {
        if at == 0 {
            out.push(byte);
            previous = byte;
            continue;
        }
        let is_word = |byte: u8| !byte.is_ascii_digit() && byte != b'.';
        let border = (is_word(previous) && byte.is_ascii_digit())
            || (previous.is_ascii_digit() && is_word(byte));
        let special = matches!(byte, b'-' | b'_' | b'+');
        let ends_a_part = special || border || !byte.is_ascii_alphanumeric();
        if ends_a_part && out.last() != Some(&b'.') {
            out.push(b'.');
        }
        if !special && (border || byte.is_ascii_alphanumeric()) {
            out.push(byte);
        }
        previous = byte;
    }
    out
}

fn compare_parts(a: &[u8], b: &[u8]) -> Ordering {
    let starts_with_digit = |part: &[u8]| part.first().is_some_and(u8::is_ascii_digit);
    match (starts_with_digit(a), starts_with_digit(b)) {
        (true, true) => number(a).cmp(&number(b)),
        (false, false) => rank(a).cmp(&rank(b)),
        (true, false) => rank(b"#").cmp(&rank(b)),
        (false, true) => rank(a).cmp(&rank(b"#")),
    }
}

/// `strtol()`: leading digits, saturating.
fn number(part: &[u8]) -> i64 {
    part.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_i64, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(i64::from(digit - b'0'))
        })
}

/// The order of words, by case-sensitive prefix; the first hit counts.
fn rank(part: &[u8]) -> i8 {
    const WORDS: [(&[u8], i8); 10] = [
        (b"dev", 0),
        (b"alpha", 1),
        (b"a", 1),
        (b"beta", 2),
        (b"b", 2),
        (b"RC", 3),
        (b"rc", 3),
        (b"#", 4),
        (b"pl", 5),
        (b"p", 5),
    ];
    WORDS
        .iter()
        .find(|(word, _)| part.starts_with(word))
        .map_or(-1, |(_, rank)| *rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_on_php() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expected) in [
            ("1.0", "1.0.0", Less),
            ("1.0.", "1.0", Less),
            ("1..0", "1.0", Equal),
            ("01.02", "1.2", Equal),
            ("1.10", "1.9", Greater),
            ("1.0rc1", "1.0RC1", Equal),
            ("1.0Rc1", "1.0", Less),
            ("1.0-release", "1.0", Less),
            ("1.0-pro", "1.0", Greater),
            ("1.0-developer", "1.0-dev", Equal),
            ("v1.0", "1.0", Less),
            ("1.0 ", "1.0", Less),
            ("10.0.0", "10.0.0pl", Less),
            ("99999999999999999999", "99999999999999999998", Equal),
            ("", "0", Less),
            ("", "", Equal),
        ] {
            assert_eq!(compare(a, b), expected, "{a:?} against {b:?}");
            assert_eq!(compare(b, a), expected.reverse(), "{b:?} against {a:?}");
            let apart = Version::new(a).compare(&Version::new(b));
            assert_eq!(apart, expected, "{a:?} against {b:?}, taken apart");
        }
    }
}
