//! Statements in bytes.

use super::{
    charset,
    table::{Column, Key, KeyKind, Table},
};
use pressroom_phpdata::serialized::Replacer;

pub(super) use crate::database::client::quoted as name;

/// A text literal. Ours is the mode in which `\` escapes.
pub(super) fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + bytes.len() / 16 + 2);
    out.push(b'\'');
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'\'' => b"\\'",
            b'\\' => b"\\\\",
            0 => b"\\0",
            0x1a => b"\\Z",
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        out.extend_from_slice(escaped);
        from = at + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'\'');
}

/// A part of a key, so that it compares in the column's own order.
pub(super) fn key_literal(out: &mut Vec<u8>, kind: &KeyKind, value: &[u8]) {
    match kind {
        // Digits that the server wrote.
        KeyKind::Integer => out.extend_from_slice(value),
        KeyKind::Text(charset) => {
            out.push(b'_');
            out.extend_from_slice(charset.as_bytes());
            literal(out, value);
        }
        KeyKind::Bytes => literal(out, value),
        KeyKind::Plain => {
            out.extend_from_slice(b"_latin1");
            literal(out, value);
        }
    }
}

/// `k1=… AND k2=…`
pub(super) fn is_key(out: &mut Vec<u8>, table: &Table, key: &Key) {
    for (at, (part, value)) in table.key.iter().zip(key).enumerate() {
        if at > 0 {
            out.extend_from_slice(b" AND ");
        }
        out.extend_from_slice(name(&part.name).as_bytes());
        out.push(b'=');
        key_literal(out, &part.kind, value);
    }
}

/// `(k1, k2) > (…)`, in the form that the optimizer takes for a range.
pub(super) fn after_key(out: &mut Vec<u8>, table: &Table, key: &Key) {
    let first = &table.key[0];
    out.extend_from_slice(name(&first.name).as_bytes());
    out.extend_from_slice(if table.key.len() == 1 { b">" } else { b">=" });
    key_literal(out, &first.kind, &key[0]);
    if table.key.len() == 1 {
        return;
    }
    out.extend_from_slice(b" AND (");
    for last in 0..table.key.len() {
        if last > 0 {
            out.extend_from_slice(b" OR ");
        }
        out.push(b'(');
        for (at, part) in table.key[..=last].iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(b" AND ");
            }
            out.extend_from_slice(name(&part.name).as_bytes());
            out.push(if at == last { b'>' } else { b'=' });
            key_literal(out, &part.kind, &key[at]);
        }
        out.push(b')');
    }
    out.push(b')');
}

/// What the server looks for, so that rows without a search text need not travel.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    /// Every search text contains one of these.
    needles: Vec<Vec<u8>>,
    /// Every search text.
    forms: Vec<Vec<u8>>,
    /// `REGEXP` works on bytes and is several times faster than `LIKE`: `MariaDB`.
    regexp: bool,
}

impl Filter {
    pub(super) fn new(replacer: &Replacer, regexp: bool) -> Self {
        let forms: Vec<Vec<u8>> = replacer
            .forms()
            .iter()
            .map(|pair| pair.old.clone())
            .collect();
        Self {
            needles: needles(&forms),
            forms,
            regexp,
        }
    }

    /// A condition that holds for every value with a search text, and for few others.
    pub(super) fn may_hold(&self, out: &mut Vec<u8>, column: &Column) {
        self.any(out, column, &self.needles);
    }

    /// A condition that holds just for values with a search text.
    pub(super) fn holds(&self, out: &mut Vec<u8>, column: &Column) {
        if self.needles == self.forms {
            return self.any(out, column, &self.forms);
        }
        out.push(b'(');
        self.any(out, column, &self.needles);
        out.extend_from_slice(b" AND ");
        self.any(out, column, &self.forms);
        out.push(b')');
    }

    fn any(&self, out: &mut Vec<u8>, column: &Column, texts: &[Vec<u8>]) {
        // The cast keeps the column's collation out of it.
        let column = charset::bytes(column);
        if self.regexp {
            out.extend_from_slice(format!("{column} REGEXP '").as_bytes());
            for (at, text) in texts.iter().enumerate() {
                if at > 0 {
                    out.push(b'|');
                }
                for byte in text {
                    if byte.is_ascii_alphanumeric() {
                        out.push(*byte);
                    } else {
                        out.extend_from_slice(format!("\\\\x{byte:02x}").as_bytes());
                    }
                }
            }
            out.push(b'\'');
            return;
        }
        out.push(b'(');
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(b" OR ");
            }
            out.extend_from_slice(format!("{column} LIKE ").as_bytes());
            let mut pattern = vec![b'%'];
            for byte in text {
                if matches!(byte, b'%' | b'_' | b'\\') {
                    pattern.push(b'\\');
                }
                pattern.push(*byte);
            }
            pattern.push(b'%');
            literal(out, &pattern);
        }
        out.push(b')');
    }
}

/// A few texts of which every form contains at least one: forms that share a long
/// part (an address and its form in JSON share the host) are looked for by it.
fn needles(forms: &[Vec<u8>]) -> Vec<Vec<u8>> {
    const SHORT: usize = 5;
    const MANY: usize = 50;
    let mut needles: Vec<Vec<u8>> = Vec::new();
    if forms.len() > MANY || forms.iter().any(|form| form.len() > 200) {
        return forms.to_vec();
    }
    for form in forms {
        let shared = needles
            .iter_mut()
            .map(|needle| (longest_shared(needle, form).to_vec(), needle))
            .max_by_key(|(shared, _)| shared.len());
        match shared {
            Some((shared, needle)) if shared.len() >= SHORT.max(form.len() / 2) => *needle = shared,
            _ => needles.push(form.clone()),
        }
    }
    needles
}

fn longest_shared<'a>(one: &'a [u8], other: &[u8]) -> &'a [u8] {
    let mut best = 0..0;
    for start in 0..one.len() {
        for other_start in 0..other.len() {
            let length = one[start..]
                .iter()
                .zip(&other[other_start..])
                .take_while(|(a, b)| a == b)
                .count();
            if length > best.len() {
                best = start..start + length;
            }
        }
    }
    &one[best]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_phpdata::serialized::Pair;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn forms_of_one_address_are_looked_for_by_its_host() {
        let replacer = Replacer::new(&[
            Pair::new("http://old.example", "x"),
            Pair::new("other", "y"),
        ])
        .unwrap();
        let filter = Filter::new(&replacer, true);
        let mut out = Vec::new();
        let column = |name: &str, charset: Option<&str>| Column {
            name: name.to_owned(),
            json: false,
            charset: charset.map(str::to_owned),
        };
        filter.may_hold(&mut out, &column("a`b", None));
        assert_eq!(
            text(&out),
            "CAST(`a``b` AS BINARY) REGEXP '\\\\x2fold\\\\x2eexample|other'"
        );
        let mut out = Vec::new();
        Filter::new(&replacer, false).may_hold(&mut out, &column("a", None));
        assert_eq!(
            text(&out),
            "(CAST(`a` AS BINARY) LIKE '%/old.example%' OR CAST(`a` AS BINARY) LIKE '%other%')"
        );
        let mut out = Vec::new();
        filter.may_hold(&mut out, &column("a", Some("latin1")));
        assert!(text(&out).starts_with("CAST(CONVERT(`a` USING utf8mb4) AS BINARY) REGEXP '"));
    }

    #[test]
    fn literals_keep_every_byte() {
        let mut out = Vec::new();
        literal(&mut out, b"a'b\\c\0\x1a\xff\n");
        assert_eq!(out, b"'a\\'b\\\\c\\0\\Z\xff\n'");
    }
}
