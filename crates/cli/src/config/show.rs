//! The configuration that holds, for a person.

use super::{Config, KEYS, Key, Origin, Value};
use serde_json::{Map, json};
use std::fmt::Write;

/// As a TOML file that says the same, with the origin of each value that is not a
/// default. Passwords are left out.
pub fn show(config: &Config) -> String {
    let mut text = String::new();
    let mut section = "";
    for key in KEYS {
        let Some((value, origin)) = config.values.get(&key.path()) else {
            continue;
        };
        if key.section != section {
            section = key.section;
            let _ = write!(text, "\n[{section}]\n");
        }
        let _ = write!(text, "{} = {}", key.name, masked(key, value).to_toml());
        if *origin != Origin::Default {
            let _ = write!(text, "  # {origin}");
        }
        text.push('\n');
    }
    text
}

/// As a JSON object by table.
pub fn show_json(config: &Config) -> serde_json::Value {
    let mut top = Map::new();
    for key in KEYS {
        let Some((value, _)) = config.values.get(&key.path()) else {
            continue;
        };
        let value = masked(key, value).to_json();
        if key.section.is_empty() {
            top.insert(key.name.to_owned(), value);
        } else if let Some(table) = top
            .entry(key.section)
            .or_insert_with(|| json!({}))
            .as_object_mut()
        {
            table.insert(key.name.to_owned(), value);
        }
    }
    top.into()
}

/// Hides the password of an address such as `postgres://me:secret@host/db`, also where
/// it is given as a parameter.
fn masked(key: &Key, value: &Value) -> Value {
    let Value::Text(text) = value else {
        return value.clone();
    };
    if !text.contains("://") || key.name == "filter" {
        return value.clone();
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, tail) = match rest.find(['/', '?']) {
        // A password may hold an unescaped slash; whatever stands before the last `@` is hidden.
        Some(at) if !rest[at..].contains('@') => rest.split_at(at),
        Some(_) => match rest.rfind('@') {
            Some(at) => {
                let end = rest[at..]
                    .find(['/', '?'])
                    .map_or(rest.len(), |next| at + next);
                rest.split_at(end)
            }
            None => (rest, ""),
        },
        None => (rest, ""),
    };
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let tail = match tail.split_once('?') {
        Some((path, query)) => {
            let parts: Vec<String> = query
                .split('&')
                .map(|part| match part.split_once('=') {
                    Some((name, _)) if name.contains("password") => format!("{name}=***"),
                    _ => part.to_owned(),
                })
                .collect();
            format!("{path}?{}", parts.join("&"))
        }
        None => tail.to_owned(),
    };
    Value::Text(format!("{scheme}://{authority}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        let key = Key::find("", "database_url").expect("a key");
        for (said, shown) in [
            ("sqlite:///d/p.db", "sqlite:///d/p.db"),
            ("postgres://u:p@h/db", "postgres://u:***@h/db"),
            ("postgres://u:p@h:5432", "postgres://u:***@h:5432"),
            ("postgres://u:p/q@h/db?x=1", "postgres://u:***@h/db?x=1"),
            ("postgres://u:p@q@h/db", "postgres://u:***@h/db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            (
                "postgres://h/db?user=u&password=p&x=1",
                "postgres://h/db?user=u&password=***&x=1",
            ),
        ] {
            let masked = masked(key, &Value::Text(said.into()));
            assert_eq!(masked, Value::Text(shown.into()));
        }
    }
}
