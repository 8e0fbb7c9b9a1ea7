//! Serialized data inside a string of JSON, its quotes escaped.

use super::{pairs::json_text, scan};
use std::ops::Range;

/// What a string of JSON escapes beyond what it must.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    slashes: bool,
    letters: bool,
}

impl Style {
    /// A text as a string of this style, without its quotes.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        json_text(text, self.slashes, self.letters)
    }
}

/// The insides of all strings in a text that begin as serialized data with its quotes
/// escaped: `"a:1:{s:3:\"url\"…"`. What is around them need not be JSON.
pub(super) fn literals(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(quote) = text[at..].iter().position(|byte| *byte == b'"') {
            let start = at + quote + 1;
            at = start;
            let escapes = text[..start - 1]
                .iter()
                .rev()
                .take_while(|byte| **byte == b'\\')
                .count();
            if escapes % 2 == 1 || !begins(&text[start..]) {
                continue;
            }
            let end = start + end(&text[start..])?;
            at = end + 1;
            return Some(start..end);
        }
        None
    })
}

/// As [`scan::looks_serialized`], the quote escaped.
fn begins(text: &[u8]) -> bool {
    let head = &text[..text.len().min(24)];
    match head.windows(2).position(|pair| pair == b"\\\"") {
        Some(escape) => {
            let mut plain = head[..escape].to_vec();
            plain.push(b'"');
            scan::looks_serialized(&plain) || (head[0] == b'a' && scan::looks_serialized(head))
        }
        None => scan::looks_serialized(head) && head[0] == b'a',
    }
}

/// Where a string ends.
fn end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The text that a string says, and how it says it; `None` when `json_encode()` would
/// not write that text so.
pub(super) fn decode(raw: &[u8]) -> Option<(String, Style)> {
    let mut rest = std::str::from_utf8(raw).ok()?.chars();
    let mut units: Vec<u16> = Vec::with_capacity(raw.len());
    while let Some(letter) = rest.next() {
        let letter = match letter {
            '\\' => match rest.next()? {
                letter @ ('"' | '\\' | '/') => letter,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits = rest.as_str().get(..4)?;
                    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        return None;
                    }
                    units.push(u16::from_str_radix(digits, 16).ok()?);
                    rest = rest.as_str()[4..].chars();
                    continue;
                }
                _ => return None,
            },
            letter => letter,
        };
        units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
    }
    let text = String::from_utf16(&units).ok()?;
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .map(|(slashes, letters)| Style { slashes, letters })
        .find(|style| style.encode(&text) == raw)
        .map(|style| (text, style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_strings_that_begin_as_data() {
        let text = br#"{"k":"a:1:{i:0;s:1:\"x\";}","n":"s:1:\"y\\\";","p":"text",\"a:0:{}\",'"O:"#;
        let found: Vec<&[u8]> = literals(text).map(|range| &text[range]).collect();
        assert_eq!(
            found,
            [br#"a:1:{i:0;s:1:\"x\";}"#.as_slice(), br#"s:1:\"y\\\";"#]
        );
    }

    proptest! {
        #[test]
        fn says_what_was_said(text in ".{0,30}", slashes: bool, letters: bool) {
            let raw = json_text(&text, slashes, letters);
            let (decoded, style) = decode(&raw).unwrap();
            prop_assert_eq!(&decoded, &text);
            prop_assert_eq!(style.encode(&text), raw);
        }

        #[test]
        fn never_panics(text in "(\"|\\\\|[asO]:|[0-9]|:\\{|:|u00|x|ä){0,20}") {
            for literal in literals(text.as_bytes()) {
                let _ = decode(&text.as_bytes()[literal]);
            }
        }
    }
}
