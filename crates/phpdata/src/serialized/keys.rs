//! The numbers that an array is keyed by, whatever it holds: of WordPress' schedule these
//! are the times.

use super::scan::strings;

/// The keys of an array that are numbers, in their order; `None` when it is no array,
/// damaged, or holds what serializes itself.
pub fn number_keys(stored: &[u8]) -> Option<Vec<i64>> {
    // From here on lengths and depth can be relied on.
    strings(stored, |_| {}).ok()?;
    let mut rest = Rest(stored.strip_prefix(b"a:")?);
    let count = rest.number(b':')?;
    rest.take(b"{")?;
    let mut keys = Vec::new();
    for _ in 0..count {
        match rest.0.first()? {
            b'i' => {
                rest.take(b"i:")?;
                keys.push(rest.number(b';')?);
            }
            _ => rest.value()?,
        }
        rest.value()?;
    }
    Some(keys)
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn number(&mut self, end: u8) -> Option<i64> {
        let at = self.0.iter().take(24).position(|byte| *byte == end)?;
        let number = std::str::from_utf8(&self.0[..at]).ok()?.parse().ok()?;
        self.0 = &self.0[at + 1..];
        Some(number)
    }

    fn quoted(&mut self) -> Option<()> {
        let length = usize::try_from(self.number(b':')?).ok()?;
        self.take(b"\"")?;
        self.0 = self.0.get(length..)?;
        self.take(b"\"")
    }

    /// Goes past one value.
    fn value(&mut self) -> Option<()> {
        // Keys and values that are still to come, per array that is open.
        let mut open: Vec<i64> = Vec::new();
        loop {
            let kind = *self.0.first()?;
            self.0 = &self.0[1..];
            let mut inner = None;
            match kind {
                b'N' | b'i' | b'b' | b'd' | b'R' | b'r' => {
                    let end = self.0.iter().position(|byte| *byte == b';')?;
                    self.0 = &self.0[end + 1..];
                }
                b's' => {
                    self.take(b":")?;
                    self.quoted()?;
                    self.take(b";")?;
                }
                b'a' | b'O' => {
                    self.take(b":")?;
                    if kind == b'O' {
                        self.quoted()?;
                        self.take(b":")?;
                    }
                    inner = Some(self.number(b':')?.checked_mul(2)?);
                    self.take(b"{")?;
                }
                _ => return None,
            }
            match inner {
                Some(left) => open.push(left),
                None if open.is_empty() => return Some(()),
                None => *open.last_mut()? -= 1,
            }
            while open.last() == Some(&0) {
                open.pop();
                self.take(b"}")?;
                match open.last_mut() {
                    Some(left) => *left -= 1,
                    None => return Some(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_whatever_they_lead_to() {
        let table: [(&str, Option<&[i64]>); 9] = [
            ("a:0:{}", Some(&[])),
            ("a:2:{i:7;i:1;i:-3;N;}", Some(&[7, -3])),
            ("a:2:{i:7;a:0:{}s:7:\"version\";i:2;}", Some(&[7])),
            (
                "a:2:{i:7;a:1:{s:3:\"a;}\";a:2:{i:0;d:1.5;i:1;b:0;}}i:9;O:1:\"A\":1:{s:1:\"b\";i:4;}}",
                Some(&[7, 9]),
            ),
            ("a:1:{i:7;C:1:\"A\":1:{x}}", None),
            ("a:1:{i:7;i:1;", None),
            ("i:7;", None),
            ("", None),
            ("a:1:{i:7;s:9:\"short\";}", None),
        ];
        for (stored, expected) in table {
            assert_eq!(
                number_keys(stored.as_bytes()).as_deref(),
                expected,
                "{stored}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, cut in 0_usize..200) {
            let _any = number_keys(&bytes);
            let whole = b"a:2:{i:7;a:1:{s:3:\"a;}\";a:2:{i:0;d:1.5;i:1;b:0;}}i:9;O:1:\"A\":1:{s:1:\"b\";i:4;}}";
            let cut = cut.min(whole.len());
            let _any = number_keys(&whole[..cut]);
        }
    }
}
