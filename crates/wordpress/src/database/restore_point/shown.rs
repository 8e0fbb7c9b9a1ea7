//! What of a row may be shown to people: little, and no secret.

use super::{
    diff::NUMBER,
    key::Keyed,
    options::{Conflict, ConflictKind, ConflictValue},
};
use mysql_async::{Row, Value};

/// So many rows of a table are listed.
pub(super) const LISTED: usize = 20;
/// So many characters of a value are shown.
const SHOWN: usize = 60;
/// A column, or an option's or meta's name, with one of these in it holds a secret.
const SECRET: [&str; 12] = [
    "pass", "secret", "token", "salt", "auth", "nonce", "hash", "session", "_key", "apikey",
    "private", "licen",
];
/// Columns that hold the name of what the others say.
const NAMES: [&str; 2] = ["option_name", "meta_key"];

/// The columns of a query whose rows [`conflict`] understands: a number, what is there of
/// *p*, *u* and *c*, whether *c* is *u*, the key, then all columns of *p* and of *c*.
pub(super) fn selected(keyed: &Keyed, key_from: &str) -> String {
    let there = |alias| format!("{} AS there_{alias}", keyed.present(alias));
    format!(
        "d.{NUMBER}, {}, {}, {}, {} AS is_u, {}, {}, {}",
        there("p"),
        there("u"),
        there("c"),
        keyed.same("c", "u"),
        keyed.key_of(key_from),
        keyed.all_of("p"),
        keyed.all_of("c"),
    )
}

/// A row of such a query as people may see it.
pub(super) fn conflict(keyed: &Keyed, row: &Row) -> Conflict {
    let is = |at: usize| text(row, at).is_some_and(|text| text == "1");
    let (p, u, c) = (is(1), is(2), is(3));
    let kind = match (p, u, c) {
        // As the update left it, although what was before was to return.
        (true, _, _) if is(4) => ConflictKind::Taken,
        (_, _, false) => ConflictKind::Removed,
        (false, true, true) => ConflictKind::ChangedNew,
        (_, false, true) => ConflictKind::WrittenAgain,
        (true, true, true) => ConflictKind::Changed,
    };
    let first = 5;
    let key = keyed
        .key
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let value = shown(text(row, first + at), is_secret(column));
            ConflictValue {
                column: column.clone(),
                before: value.clone().filter(|_| p),
                now: value,
            }
        })
        .collect();
    let before = first + keyed.key.len();
    let now = before + keyed.columns.len();
    let named = keyed.columns.iter().enumerate().any(|(at, column)| {
        let is_name = NAMES.contains(&column.name.as_str());
        is_name
            && [before + at, now + at]
                .into_iter()
                .filter_map(|at| text(row, at))
                .any(|name| is_secret(&name))
    });
    let columns = keyed
        .columns
        .iter()
        .enumerate()
        .filter(|(at, column)| {
            let differs = bytes(row, before + at) != bytes(row, now + at);
            (differs || NAMES.contains(&column.name.as_str())) && !keyed.key.contains(&column.name)
        })
        .map(|(at, column)| {
            let is_name = NAMES.contains(&column.name.as_str());
            let secret = is_secret(&column.name) || (named && !is_name);
            ConflictValue {
                column: column.name.clone(),
                before: shown(text(row, before + at), secret && !is_name),
                now: shown(text(row, now + at), secret && !is_name),
            }
        })
        .collect();
    Conflict { key, kind, columns }
}

fn bytes(row: &Row, at: usize) -> Option<&[u8]> {
    match row.as_ref(at) {
        Some(Value::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

fn text(row: &Row, at: usize) -> Option<String> {
    match row.as_ref(at) {
        Some(Value::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Some(Value::Int(number)) => Some(number.to_string()),
        Some(Value::UInt(number)) => Some(number.to_string()),
        _ => None,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part)) && name != "meta_key"
}

fn shown(value: Option<String>, secret: bool) -> Option<String> {
    let value = value?;
    // Settings are often kept together, secret ones among them.
    let together = value.starts_with(['a', 'O', '{', '[']) && is_secret(&value);
    if secret || together {
        return Some("(not shown)".to_owned());
    }
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut cut: String = value.chars().take(SHOWN).map(clean).collect();
    if value.chars().nth(SHOWN).is_some() {
        cut.push('…');
    }
    Some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_long_values_are_not_shown() {
        for name in [
            "user_pass",
            "user_activation_key",
            "session_tokens",
            "stripe_API_Secret",
            "auth_salt",
            "license",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["option_name", "meta_key", "post_title", "blogname"] {
            assert!(!is_secret(name), "{name}");
        }
        assert_eq!(shown(Some("a\nb".into()), false).unwrap(), "a b");
        assert_eq!(shown(Some("x".into()), true).unwrap(), "(not shown)");
        let long = shown(Some("ä".repeat(100)), false).unwrap();
        assert_eq!(long.chars().count(), SHOWN + 1);
        let together = shown(Some("a:1:{s:9:\"smtp_pass\";s:1:\"x\";}".into()), false);
        assert_eq!(together.unwrap(), "(not shown)");
        assert_eq!(shown(None, true), None);
    }
}
