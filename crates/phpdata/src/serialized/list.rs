//! Flat arrays, as WordPress keeps lists of plugins, and no others:
//! `a:1:{i:0;s:9:"hello.php";}` and `a:1:{s:9:"hello.php";i:1700000000;}`.

/// More entries than any site has plugins.
const MAX_ENTRIES: usize = 10_000;

/// The strings of an array of strings, whatever their keys; an empty value, as PHP
/// casts it to an array, is empty. `None` when it is anything else.
pub fn list_values(stored: &[u8]) -> Option<Vec<String>> {
    if stored.is_empty() {
        return Some(Vec::new());
    }
    entries(stored)?
        .into_iter()
        .map(|(_, value)| value.text())
        .collect()
}

/// The string keys of an array of strings and numbers; `None` when one is a number, or
/// it is anything else.
pub fn list_keys(stored: &[u8]) -> Option<Vec<String>> {
    if stored.is_empty() {
        return Some(Vec::new());
    }
    entries(stored)?
        .into_iter()
        .map(|(key, _)| key.text())
        .collect()
}

/// A key or a value.
enum Scalar {
    Text(String),
    Number,
}

impl Scalar {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number => None,
        }
    }
}

fn entries(stored: &[u8]) -> Option<Vec<(Scalar, Scalar)>> {
    let mut rest = stored.strip_prefix(b"a:")?;
    let count = number(&mut rest, b':')?;
    let count = usize::try_from(count)
        .ok()
        .filter(|it| *it <= MAX_ENTRIES)?;
    rest = rest.strip_prefix(b"{")?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let key = scalar(&mut rest)?;
        let value = scalar(&mut rest)?;
        entries.push((key, value));
    }
    (rest == b"}").then_some(entries)
}

/// A string, or anything else that is one number; the rest is not for us.
fn scalar(rest: &mut &[u8]) -> Option<Scalar> {
    let kind = *rest.first()?;
    *rest = rest.get(1..)?.strip_prefix(b":")?;
    match kind {
        b's' => {
            let length = usize::try_from(number(rest, b':')?).ok()?;
            let text = rest.strip_prefix(b"\"")?;
            let (text, behind) = text.split_at_checked(length)?;
            *rest = behind.strip_prefix(b"\";")?;
            Some(Scalar::Text(String::from_utf8_lossy(text).into_owned()))
        }
        b'i' | b'b' => {
            number(rest, b';')?;
            Some(Scalar::Number)
        }
        _ => None,
    }
}

fn number(rest: &mut &[u8], end: u8) -> Option<i64> {
    let at = rest.iter().take(24).position(|byte| *byte == end)?;
    let number = std::str::from_utf8(&rest[..at]).ok()?.parse().ok()?;
    *rest = &rest[at + 1..];
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    #[test]
    fn reads_what_wordpress_stores() {
        let list = b"a:2:{i:0;s:19:\"akismet/akismet.php\";i:5;s:9:\"hello.php\";}";
        assert_eq!(
            list_values(list).unwrap(),
            ["akismet/akismet.php", "hello.php"]
        );
        assert_eq!(
            list_keys(b"a:1:{s:9:\"hello.php\";i:1700000000;}").unwrap(),
            ["hello.php"]
        );
        assert_eq!(list_values(b"a:0:{}").unwrap(), Vec::<String>::new());
        assert_eq!(list_values(b"").unwrap(), Vec::<String>::new());
        for bad in [
            "a:1:{i:0;s:3:\"ab\";}",
            "a:1:{i:0;i:5;}",
            "a:1:{i:0;a:0:{}}",
            "a:2:{i:0;s:1:\"a\";}",
            "a:1:{i:0;s:1:\"a\";}x",
            "a:99999999:{}",
            "s:1:\"a\";",
            "b:0;",
        ] {
            assert_eq!(list_values(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reads_back(names in prop::collection::vec("[^\0]{0,12}", 0..8)) {
            let mut list = format!("a:{}:{{", names.len());
            let mut map = list.clone();
            for (at, name) in names.iter().enumerate() {
                write!(list, "i:{at};s:{}:\"{name}\";", name.len()).unwrap();
                write!(map, "s:{}:\"{name}\";i:-{at};", name.len()).unwrap();
            }
            prop_assert_eq!(list_values(format!("{list}}}").as_bytes()), Some(names.clone()));
            prop_assert_eq!(list_keys(format!("{map}}}").as_bytes()), Some(names));
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(prop::sample::select(b"a:{}sib\";0129-".to_vec()), 0..40)) {
            let _ = list_values(&bytes);
            let _ = list_keys(&bytes);
        }
    }
}
