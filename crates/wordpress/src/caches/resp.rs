//! Redis' wire format, version 2, bounded.

use super::wire::{Wire, bad};
use std::io;

/// The longest single text; keys and cursors are short.
const MAX_TEXT: usize = 1024 * 1024;
/// The most elements of one array.
const MAX_ELEMENTS: usize = 200_000;
/// The deepest nesting; `SCAN` answers two deep.
const MAX_DEPTH: usize = 4;
/// The most that may be pending of one answer.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `+OK` and the like.
    Simple(Vec<u8>),
    /// A refusal.
    Error(String),
    /// A number.
    Number(i64),
    /// Bytes.
    Text(Vec<u8>),
    /// Several.
    Array(Vec<Value>),
    /// Nothing.
    Null,
}

/// A connection to a Redis server.
pub(super) struct Client {
    wire: Wire,
    pending: Vec<u8>,
}

impl Client {
    pub(super) async fn connect(address: &str) -> io::Result<Self> {
        Ok(Self {
            wire: Wire::connect(address).await?,
            pending: Vec::new(),
        })
    }

    /// Runs one command; a refusal is an answer, too.
    pub(super) async fn call(&mut self, command: &[&[u8]]) -> io::Result<Value> {
        self.wire.send(&encode(command)).await?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some((value, used)) = parse(&self.pending)? {
                self.pending.drain(..used);
                return Ok(value);
            }
            if self.pending.len() > MAX_ANSWER {
                return Err(bad("the server's answer does not end"));
            }
            match self.wire.receive(&mut buffer).await? {
                0 => return Err(bad("the server ended the connection")),
                count => self.pending.extend(&buffer[..count]),
            }
        }
    }

    /// As [`Client::call`], a refusal being a failure.
    pub(super) async fn ask(&mut self, command: &[&[u8]]) -> io::Result<Value> {
        match self.call(command).await? {
            Value::Error(why) => Err(bad(format!("the server refused: {why}"))),
            value => Ok(value),
        }
    }
}

fn encode(command: &[&[u8]]) -> Vec<u8> {
    let mut all = format!("*{}\r\n", command.len()).into_bytes();
    for part in command {
        all.extend(format!("${}\r\n", part.len()).into_bytes());
        all.extend(*part);
        all.extend(b"\r\n");
    }
    all
}

/// The first whole value and how many bytes it took; `None` while it is not whole.
pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<(Value, usize)>> {
    let mut at = 0;
    Ok(value(bytes, &mut at, 0)?.map(|value| (value, at)))
}

fn value(bytes: &[u8], at: &mut usize, depth: usize) -> io::Result<Option<Value>> {
    if depth > MAX_DEPTH {
        return Err(bad("the server's answer is nested too deep"));
    }
    let Some(line) = line(bytes, at)? else {
        return Ok(None);
    };
    let Some((kind, rest)) = line.split_first() else {
        return Err(bad("the server does not answer as Redis"));
    };
    Ok(Some(match kind {
        b'+' => Value::Simple(rest.to_vec()),
        b'-' => Value::Error(
            String::from_utf8_lossy(&rest[..rest.len().min(200)])
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        ),
        b':' => Value::Number(number(rest)?),
        b'$' => match length(rest, MAX_TEXT)? {
            None => Value::Null,
            Some(length) => {
                let Some(text) = bytes.get(*at..*at + length + 2) else {
                    return Ok(None);
                };
                *at += length + 2;
                match text.strip_suffix(b"\r\n") {
                    Some(text) => Value::Text(text.to_vec()),
                    None => return Err(bad("the server does not answer as Redis")),
                }
            }
        },
        b'*' => match length(rest, MAX_ELEMENTS)? {
            None => Value::Null,
            Some(count) => {
                // Not as many as it says: they must come first.
                let mut all = Vec::new();
                for _ in 0..count {
                    match value(bytes, at, depth + 1)? {
                        Some(value) => all.push(value),
                        None => return Ok(None),
                    }
                }
                Value::Array(all)
            }
        },
        _ => return Err(bad("the server does not answer as Redis")),
    }))
}

/// The next line without its end.
fn line<'a>(bytes: &'a [u8], at: &mut usize) -> io::Result<Option<&'a [u8]>> {
    let rest = bytes.get(*at..).unwrap_or_default();
    match rest.windows(2).position(|two| two == b"\r\n") {
        Some(end) => {
            *at += end + 2;
            Ok(Some(&rest[..end]))
        }
        None if rest.len() > MAX_TEXT => Err(bad("the server does not answer as Redis")),
        None => Ok(None),
    }
}

fn number(text: &[u8]) -> io::Result<i64> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| bad("the server does not answer as Redis"))
}

/// A length; `None` for the null of that kind.
fn length(text: &[u8], most: usize) -> io::Result<Option<usize>> {
    match number(text)? {
        -1 => Ok(None),
        number => match usize::try_from(number) {
            Ok(length) if length <= most => Ok(Some(length)),
            _ => Err(bad("the server's answer is too long")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(value: &Value) -> Vec<u8> {
        match value {
            Value::Simple(text) => [b"+", text.as_slice(), b"\r\n"].concat(),
            Value::Error(text) => format!("-{text}\r\n").into_bytes(),
            Value::Number(number) => format!(":{number}\r\n").into_bytes(),
            Value::Text(text) => {
                let mut all = format!("${}\r\n", text.len()).into_bytes();
                all.extend(text);
                all.extend(b"\r\n");
                all
            }
            Value::Array(values) => {
                let mut all = format!("*{}\r\n", values.len()).into_bytes();
                for value in values {
                    all.extend(render(value));
                }
                all
            }
            Value::Null => b"$-1\r\n".to_vec(),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            "[a-z ]{0,20}".prop_map(|text| Value::Simple(text.into_bytes())),
            "[A-Z ]{0,20}".prop_map(Value::Error),
            any::<i64>().prop_map(Value::Number),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Text),
            Just(Value::Null),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            proptest::collection::vec(inner, 0..5).prop_map(Value::Array)
        })
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        for bad in [
            "*99999999999\r\n",
            "$1048577\r\n",
            "$-2\r\n",
            ":x\r\n",
            "?\r\n",
            "\r\n",
            "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
            "$1\r\nabc",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert_eq!(parse(b"*200000\r\n:1\r\n").unwrap(), None);
    }

    proptest! {
        #[test]
        fn anything_is_parsed_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn nearly_right_is_parsed_without_panic(text in "[*$:+\\-0-9a\r\n]{0,60}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn values_come_back_and_parts_of_them_wait(value in values(), rest in "[a-z]{0,5}") {
            let whole = render(&value);
            for cut in 0..whole.len() {
                prop_assert_eq!(parse(&whole[..cut]).unwrap(), None);
            }
            let mut bytes = whole.clone();
            bytes.extend(rest.as_bytes());
            prop_assert_eq!(parse(&bytes).unwrap(), Some((value, whole.len())));
        }
    }
}
