//! One value, checked as PHP checks it, its strings reported where they stand.

use std::ops::Range;

/// How deep PHP nests by default (`unserialize_max_depth`); deeper is a fault.
pub const MAX_DEPTH: usize = 4096;

/// A string that is a value: an element of an array, a property of an object, or the
/// whole. Keys and names are never reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringSpan {
    /// From `s` or `S` to the closing `;`.
    pub whole: Range<usize>,
    /// Between the quotes.
    pub text: Range<usize>,
    /// An `S:` string, whose text may hold `\xx` for a byte.
    pub escaped: bool,
    /// Whether it stands somewhere inside an object.
    pub in_object: bool,
}

/// Where a value stops being one that PHP would read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} is not PHP-serialized data")]
pub struct Fault {
    /// Offset of the offending part.
    pub at: usize,
}

/// What `trim()` of PHP takes away; WordPress trims before it unserializes.
pub fn trim(bytes: &[u8]) -> Range<usize> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0);
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |at| at + 1);
    start..end
}

/// Whether bytes begin as a serialized string, array, object or enum does, whatever
/// follows: `s:5:"`, `a:1:{`, `O:3:"`. Text that begins so and cannot be read to
/// its end is broken data, not text: its lengths would lie after a replacement.
pub fn looks_serialized(bytes: &[u8]) -> bool {
    let Some((&kind, rest)) = bytes.split_first() else {
        return false;
    };
    let opens = match kind {
        b's' | b'S' | b'O' | b'C' | b'E' => b'"',
        b'a' => b'{',
        _ => return false,
    };
    let Some(rest) = rest.strip_prefix(b":") else {
        return false;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && rest.get(digits) == Some(&b':') && rest.get(digits + 1) == Some(&opens)
}

/// Reads exactly one value that fills `bytes`, reporting each string value in order.
///
/// Accepts what `unserialize()` of PHP 8 accepts with no class loaded, and is
/// stricter where PHP drops data without a word: bytes after the value, a length
/// beyond 64 bits (PHP wraps it), a count without digits. An `E:` is accepted whether
/// or not its enum exists: that is the site's to know.
pub fn strings(bytes: &[u8], mut found: impl FnMut(StringSpan)) -> Result<(), Fault> {
    let mut scan = Scan {
        bytes,
        at: 0,
        slots: Vec::new(),
    };
    scan.run(&mut found)?;
    if scan.at == bytes.len() {
        Ok(())
    } else {
        Err(Fault { at: scan.at })
    }
}

/// How many bytes the value takes that `bytes` begin with, read as [`strings`] does.
pub(super) fn value_length(bytes: &[u8]) -> Result<usize, Fault> {
    let mut scan = Scan {
        bytes,
        at: 0,
        slots: Vec::new(),
    };
    scan.run(&mut |_| {})?;
    Ok(scan.at)
}

/// An array or object whose elements are being read.
struct Frame {
    /// Elements not read yet.
    left: u64,
    in_object: bool,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// For each value so far, in PHP's numbering, whether it is an object: `r:` may
    /// name only those.
    slots: Vec<bool>,
}

type Scanned<T> = Result<T, Fault>;

impl Scan<'_> {
    fn run(&mut self, found: &mut impl FnMut(StringSpan)) -> Scanned<()> {
        // No recursion: the depth is the foreign bytes' choice.
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            let in_object = frames.last().is_some_and(|frame| frame.in_object);
            if let Some(frame) = self.value(in_object, found)? {
                if frames.len() >= MAX_DEPTH {
                    return self.fault();
                }
                frames.push(frame);
            }
            loop {
                let Some(frame) = frames.last_mut() else {
                    return Ok(());
                };
                if frame.left > 0 {
                    frame.left -= 1;
                    break;
                }
                self.expect(b"}")?;
                frames.pop();
            }
            self.key()?;
        }
    }

    /// Reads a value; a container only up to its first element.
    fn value(
        &mut self,
        in_object: bool,
        found: &mut impl FnMut(StringSpan),
    ) -> Scanned<Option<Frame>> {
        let start = self.at;
        let kind = self.next()?;
        if kind != b'R' {
            self.slots.push(matches!(kind, b'O' | b'C' | b'E'));
        }
        match kind {
            b'N' => self.expect(b";")?,
            b'b' => {
                self.expect(b":")?;
                if !matches!(self.next()?, b'0' | b'1') {
                    return self.fault();
                }
                self.expect(b";")?;
            }
            b'i' => self.integer()?,
            b'd' => self.float()?,
            b's' | b'S' => {
                let text = self.quoted(kind == b'S')?;
                self.expect(b";")?;
                found(StringSpan {
                    whole: start..self.at,
                    text,
                    escaped: kind == b'S',
                    in_object,
                });
            }
            b'a' => {
                self.expect(b":")?;
                let left = self.count(true)?;
                self.expect(b":{")?;
                if left > self.rest() {
                    return self.fault();
                }
                if left == 0 {
                    // An empty array counts for no depth.
                    self.expect(b"}")?;
                    return Ok(None);
                }
                return Ok(Some(Frame { left, in_object }));
            }
            b'O' => {
                self.name()?;
                self.expect(b":")?;
                let left = self.count(false)?;
                if left > self.rest() {
                    return self.fault();
                }
                self.expect(b":{")?;
                return Ok(Some(Frame {
                    left,
                    in_object: true,
                }));
            }
            b'C' => {
                self.name()?;
                self.expect(b":")?;
                let length = self.count(false)?;
                self.expect(b":{")?;
                self.skip(length)?;
                self.expect(b"}")?;
            }
            b'E' => {
                let name = self.quoted(false)?;
                let valid = self.bytes[name]
                    .split(|byte| *byte == b':')
                    .try_fold(0, |parts, part| is_class(part).then_some(parts + 1));
                if valid != Some(2) {
                    return self.fault();
                }
                self.expect(b";")?;
            }
            b'R' | b'r' => {
                self.expect(b":")?;
                let id = self.count(true)?;
                self.expect(b";")?;
                // An `r:` has a number itself and cannot mean it.
                let known = self.slots.len() - usize::from(kind == b'r');
                let slot = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
                match slot.filter(|slot| *slot < known) {
                    Some(slot) if kind == b'R' || self.slots[slot] => {}
                    _ => return self.fault(),
                }
            }
            _ => {
                self.at = start;
                return self.fault();
            }
        }
        Ok(None)
    }

    /// A key of an array or the name of a property: an integer or a string.
    fn key(&mut self) -> Scanned<()> {
        match self.next()? {
            b'i' => self.integer(),
            kind @ (b's' | b'S') => {
                self.quoted(kind == b'S')?;
                self.expect(b";")
            }
            _ => self.fault(),
        }
    }

    fn integer(&mut self) -> Scanned<()> {
        self.expect(b":")?;
        self.sign();
        if self.digits() == 0 {
            return self.fault();
        }
        self.expect(b";")
    }

    fn float(&mut self) -> Scanned<()> {
        self.expect(b":")?;
        for word in [b"NAN;".as_slice(), b"INF;", b"-INF;"] {
            if self.bytes[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        self.sign();
        let mut digits = self.digits();
        if self.peek() == Some(b'.') {
            self.at += 1;
            digits += self.digits();
        }
        if digits == 0 {
            return self.fault();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.sign();
            if self.digits() == 0 {
                return self.fault();
            }
        }
        self.expect(b";")
    }

    /// `:LENGTH:"TEXT"`; where the text is.
    fn quoted(&mut self, escaped: bool) -> Scanned<Range<usize>> {
        self.expect(b":")?;
        let length = self.count(true)?;
        self.expect(b":\"")?;
        let start = self.at;
        if escaped {
            // The length is that of the decoded text.
            for _ in 0..length {
                if self.next()? == b'\\' {
                    for _ in 0..2 {
                        if !self.next()?.is_ascii_hexdigit() {
                            return self.fault();
                        }
                    }
                }
            }
        } else {
            self.skip(length)?;
        }
        let text = start..self.at;
        self.expect(b"\"")?;
        Ok(text)
    }

    /// `:LENGTH:"CLASS"`.
    fn name(&mut self) -> Scanned<()> {
        let name = self.quoted(false)?;
        if is_class(&self.bytes[name]) {
            Ok(())
        } else {
            self.fault()
        }
    }

    /// An unsigned number. Some of PHP's counts may carry a sign.
    fn count(&mut self, plain: bool) -> Scanned<u64> {
        let mut negative = false;
        if !plain {
            negative = self.peek() == Some(b'-');
            self.sign();
        }
        let start = self.at;
        let mut number: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
                .ok_or(Fault { at: start })?;
            self.at += 1;
        }
        if self.at == start || (negative && number > 0) {
            return self.fault();
        }
        Ok(number)
    }

    fn skip(&mut self, length: u64) -> Scanned<()> {
        if length > self.rest() {
            return self.fault();
        }
        // It fits, since that many bytes are there.
        self.at += usize::try_from(length).map_err(|_| Fault { at: self.at })?;
        Ok(())
    }

    fn rest(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    fn sign(&mut self) {
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.at += 1;
        }
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += count;
        count
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Scanned<u8> {
        let byte = self.peek().ok_or(Fault { at: self.at })?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, expected: &[u8]) -> Scanned<()> {
        if !self.bytes[self.at..].starts_with(expected) {
            return self.fault();
        }
        self.at += expected.len();
        Ok(())
    }

    fn fault<T>(&self) -> Scanned<T> {
        Err(Fault { at: self.at })
    }
}

/// Whether PHP takes these bytes for the name of a class.
fn is_class(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\\' | 0x7f..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn depth_is_bounded_as_in_php() {
        let nested = |depth: usize, inner: &str| {
            format!("{}{inner}{}", "a:1:{i:0;".repeat(depth), "}".repeat(depth)).into_bytes()
        };
        assert!(strings(&nested(MAX_DEPTH, "N;"), |_| ()).is_ok());
        assert!(strings(&nested(MAX_DEPTH, "a:0:{}"), |_| ()).is_ok());
        assert!(strings(&nested(MAX_DEPTH + 1, "N;"), |_| ()).is_err());
        assert!(strings(&nested(MAX_DEPTH, "O:1:\"A\":0:{}"), |_| ()).is_err());
        assert!(strings(&nested(1_000_000, "N;"), |_| ()).is_err());
    }

    proptest! {
        #[test]
        fn never_panics_and_reports_true_spans(bytes in "([aOsSCERribdN]:?[0-9]{0,2}[:;]?[\"{}]?){0,12}") {
            let bytes = bytes.as_bytes();
            let _ = strings(bytes, |span| {
                assert!(matches!(bytes[span.whole.start], b's' | b'S'));
                assert_eq!(bytes[span.whole.end - 1], b';');
                assert_eq!(&bytes[span.text.end..span.whole.end], b"\";");
            });
        }

        #[test]
        fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = strings(&bytes, |_| ());
            let _ = looks_serialized(&bytes[trim(&bytes)]);
        }
    }
}
