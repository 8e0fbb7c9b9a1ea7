//! Forms, read as the JSON that says the same.

use crate::Fault;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde_json::{Map, Value};

const FORM: &str = "application/x-www-form-urlencoded";

/// The body as JSON: as it is, unless the request says that it is a form. `a=1&b[c]=2`
/// is `{"a":"1","b":{"c":"2"}}`. An object is one whatever its type is said to be: `curl
/// -d` calls everything a form.
pub fn as_json(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Fault> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM));
    if !is_form || body.trim_ascii_start().starts_with(b"{") {
        return Ok(body);
    }
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(body.trim_ascii()) {
        put(&mut members, &name, value.into_owned())?;
    }
    serde_json::to_vec(&members)
        .map(Bytes::from)
        .map_err(|_| Fault::InvalidJson)
}

fn put(members: &mut Map<String, Value>, name: &str, value: String) -> Result<(), Fault> {
    let twice = || Fault::Member {
        path: name.replace('\0', ""),
        problem: "given more than once".into(),
    };
    let nested = name
        .strip_suffix(']')
        .and_then(|rest| rest.split_once('['))
        .filter(|(outer, inner)| !outer.is_empty() && !inner.contains(['[', ']']));
    let (members, name) = match nested {
        None => (members, name),
        Some((outer, inner)) => match members.entry(outer).or_insert_with(|| Map::new().into()) {
            Value::Object(within) => (within, inner),
            _ => return Err(twice()),
        },
    };
    match members.insert(name.to_owned(), value.into()) {
        None => Ok(()),
        Some(_) => Err(twice()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(kind: &'static str, body: &'static str) -> Result<String, Fault> {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let body = as_json(&headers, Bytes::from_static(body.as_bytes()))?;
        Ok(String::from_utf8(body.to_vec()).expect("text"))
    }

    #[test]
    fn a_form_says_the_same_as_json() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        for (body, json) in [
            ("", "{}"),
            (
                "email=a%40b.c&password=x+y",
                r#"{"email":"a@b.c","password":"x y"}"#,
            ),
            (
                "user[email]=a&user[password]=b",
                r#"{"user":{"email":"a","password":"b"}}"#,
            ),
            ("a[b][c]=1&[x]=2&y", r#"{"[x]":"2","a[b][c]":"1","y":""}"#),
            (r#"{"email":"x"}"#, r#"{"email":"x"}"#),
        ] {
            let got: Value = serde_json::from_str(&read(form, body).expect(body)).expect("JSON");
            let wanted: Value = serde_json::from_str(json).expect("JSON");
            assert_eq!(got, wanted, "{body}");
        }
        for twice in ["a=1&a=2", "a=1&a[b]=2", "a[b]=1&a[b]=2"] {
            assert!(
                matches!(read(form, twice), Err(Fault::Member { .. })),
                "{twice}"
            );
        }
        assert_eq!(read("application/json", "a=1").expect("as it is"), "a=1");
    }
}
