//! Bodies: what is well-formed, and which member is not what it should be.

use crate::Fault;
use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};

/// Refuses a body that no handler should see: not JSON, not an object, nested more
/// than 127 deep (the parser's bound), or with a NUL character in a text, which no
/// store, path or command line takes.
pub fn check(body: &[u8]) -> Result<(), Fault> {
    if is_blank(body) {
        return Ok(());
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Fault::InvalidJson)?;
    if !value.is_object() {
        return Err(Fault::Malformed(
            "the request body must be a JSON object".into(),
        ));
    }
    match nul(&value, String::new()) {
        None => Ok(()),
        Some(path) => Err(Fault::Member {
            path,
            problem: "contains a NUL character".into(),
        }),
    }
}

/// Reads a body; nothing at all reads as `{}`.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let body = if is_blank(body) { b"{}" } else { body };
    let mut parser = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.classify() == Category::Data {
            member(path, &inner.to_string())
        } else {
            Fault::InvalidJson
        }
    })
}

fn is_blank(body: &[u8]) -> bool {
    body.trim_ascii().is_empty()
}

/// Keeps what was expected and drops what was found: it may be a password.
fn member(path: String, message: &str) -> Fault {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text);
    if let Some(name) = message
        .strip_prefix("duplicate field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return Fault::Member {
            path: name.to_owned(),
            problem: "given more than once".into(),
        };
    }
    let problem = match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => "not a valid value".into(),
    };
    Fault::Member { path, problem }
}

fn nul(value: &Value, path: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(path),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| nul(item, format!("{path}[{at}]"))),
        Value::Object(members) => members.iter().find_map(|(name, item)| {
            let path = if path.is_empty() {
                name.replace('\0', "")
            } else {
                format!("{path}.{}", name.replace('\0', ""))
            };
            if name.contains('\0') {
                Some(path)
            } else {
                nul(item, path)
            }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct In {
        path: Option<String>,
        #[serde(default)]
        list: Vec<String>,
        on: Option<bool>,
    }

    fn problem(body: &str) -> (String, String) {
        match read::<In>(body.as_bytes()) {
            Err(Fault::Member { path, problem }) => (path, problem),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn nothing_reads_as_an_empty_object() {
        let read: In = read(b" \n").expect("nothing");
        assert!(read.path.is_none() && read.list.is_empty() && read.on.is_none());
        assert!(check(b"").is_ok());
    }

    #[test]
    fn wrong_members_are_named_and_their_values_are_not() {
        let expected = ("path".into(), "expected a string".into());
        assert_eq!(problem(r#"{"path":5}"#), expected);
        assert_eq!(problem(r#"{"list":["a",true]}"#).0, "list[1]");
        let (path, problem_) = problem(r#"{"on":"hunter2"}"#);
        assert_eq!(
            (path.as_str(), problem_.as_str()),
            ("on", "expected a boolean")
        );
        let expected = ("path".into(), "given more than once".into());
        assert_eq!(problem(r#"{"path":"a","path":"b"}"#), expected);
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in [
            "{",
            "nope",
            "{\"a\":\"\\ud800\"}",
            "{}x",
            &"[".repeat(100_000),
        ] {
            assert!(
                matches!(check(body.as_bytes()), Err(Fault::InvalidJson)),
                "{body:.20}"
            );
        }
        assert!(matches!(check(b"\xff"), Err(Fault::InvalidJson)));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(matches!(check(deep.as_bytes()), Err(Fault::InvalidJson)));
        for body in ["[]", "1", "\"x\"", "null"] {
            assert!(
                matches!(check(body.as_bytes()), Err(Fault::Malformed(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn nul_characters_are_found_wherever_they_are() {
        match check(br#"{"a":[{"b":"x\u0000y"}]}"#) {
            Err(Fault::Member { path, .. }) => assert_eq!(path, "a[0].b"),
            other => panic!("{other:?}"),
        }
        assert!(check(br#"{"a":"\\u0000"}"#).is_ok());
        assert!(check(br#"{"a\u0000":1}"#).is_err());
    }
}
