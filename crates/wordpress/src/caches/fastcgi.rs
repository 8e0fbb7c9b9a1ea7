//! One FastCGI request, as a web server makes it (FastCGI Specification 1.0).

use super::wire::{Wire, bad};
use std::io;

const VERSION: u8 = 1;
const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;
const RESPONDER: u16 = 1;
/// One request per connection.
const ID: u16 = 1;
const HEADER: usize = 8;
/// The most content of one record.
const MAX_RECORD: usize = 65_535;
/// The most that is taken of an answer; ours is a line.
const MAX_STDOUT: usize = 256 * 1024;
/// Of messages only the start is kept.
const MAX_STDERR: usize = 4 * 1024;

/// What a script answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// CGI headers and body.
    stdout: Vec<u8>,
    /// The start of what it complained of.
    pub(super) stderr: Vec<u8>,
    pub(super) ended: bool,
    pending: Vec<u8>,
}

/// Sends a request and receives its whole answer.
pub(super) async fn request(
    address: &str,
    params: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut wire = Wire::connect(address).await?;
    wire.send(&encode(params, body)).await?;
    let mut answer = Answer::default();
    let mut buffer = vec![0; 16 * 1024];
    while !answer.ended {
        match wire.receive(&mut buffer).await? {
            0 => return Err(bad("the pool ended the connection without an answer")),
            count => answer.feed(&buffer[..count])?,
        }
    }
    Ok(answer)
}

fn encode(params: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let [high, low] = RESPONDER.to_be_bytes();
    record(&mut all, BEGIN_REQUEST, &[high, low, 0, 0, 0, 0, 0, 0]);
    let mut pairs = Vec::new();
    for (name, value) in params {
        for part in [name, value] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX) | 0x8000_0000;
            pairs.extend(length.to_be_bytes());
        }
        pairs.extend(name.as_bytes());
        pairs.extend(value.as_bytes());
    }
    for (kind, content) in [(PARAMS, pairs.as_slice()), (STDIN, body)] {
        for part in content.chunks(MAX_RECORD) {
            record(&mut all, kind, part);
        }
        // An empty one ends the stream.
        record(&mut all, kind, &[]);
    }
    all
}

fn record(all: &mut Vec<u8>, kind: u8, content: &[u8]) {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    all.extend([VERSION, kind]);
    all.extend(ID.to_be_bytes());
    all.extend(length.to_be_bytes());
    all.extend([0, 0]);
    all.extend(content);
}

impl Answer {
    /// Takes the next bytes of the stream, cut wherever they are.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend(bytes);
        let mut at = 0;
        while !self.ended {
            let rest = &self.pending[at..];
            let Some(header) = rest.first_chunk::<HEADER>() else {
                break;
            };
            let [version, kind, id_high, id_low, high, low, padding, _] = *header;
            if version != VERSION || u16::from_be_bytes([id_high, id_low]) != ID {
                return Err(bad("the pool does not answer in FastCGI"));
            }
            let length = usize::from(u16::from_be_bytes([high, low]));
            let Some(content) = rest.get(HEADER..HEADER + length) else {
                break;
            };
            let whole = HEADER + length + usize::from(padding);
            // The padding of the last record need not have come yet.
            if kind == END_REQUEST {
                // The fifth byte says how it ended on the pool's side; zero is whole.
                if content.get(4).is_none_or(|status| *status != 0) {
                    return Err(bad("the pool is overloaded or refused the request"));
                }
                self.ended = true;
                break;
            }
            if rest.len() < whole {
                break;
            }
            match kind {
                STDOUT if self.stdout.len() + length > MAX_STDOUT => {
                    return Err(bad(format!("the answer is longer than {MAX_STDOUT} bytes")));
                }
                STDOUT => self.stdout.extend(content),
                STDERR => {
                    let room = MAX_STDERR.saturating_sub(self.stderr.len());
                    self.stderr.extend(&content[..length.min(room)]);
                }
                // Whatever else a pool may say is not for us.
                _ => {}
            }
            at += whole;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// The body, and the status that the CGI headers say (200 when they say none).
    pub(super) fn split(&self) -> (u16, &[u8]) {
        let separator = |end: &[u8]| {
            self.stdout
                .windows(end.len())
                .position(|found| found == end)
                .map(|at| (at, at + end.len()))
        };
        let Some((head, body)) = separator(b"\r\n\r\n").or_else(|| separator(b"\n\n")) else {
            return (200, &self.stdout);
        };
        let status = self.stdout[..head]
            .split(|byte| *byte == b'\n')
            .find_map(|line| {
                let (name, value) = line.split_at_checked(7)?;
                let number = value.trim_ascii_start().get(..3)?;
                name.eq_ignore_ascii_case(b"status:")
                    .then(|| std::str::from_utf8(number).ok()?.parse().ok())?
            });
        (status.unwrap_or(200), &self.stdout[body..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A stream as a server writes it, with padding.
    fn stream(parts: &[(u8, Vec<u8>, u8)]) -> Vec<u8> {
        let mut all = Vec::new();
        for (kind, content, padding) in parts {
            let start = all.len();
            record(&mut all, *kind, content);
            all[start + 6] = *padding;
            all.extend(vec![0; usize::from(*padding)]);
        }
        all
    }

    #[test]
    fn headers_and_body_are_told_apart() {
        let answer = |text: &str| Answer {
            stdout: text.into(),
            ..Answer::default()
        };
        for (text, status, body) in [
            ("Content-type: x\r\n\r\nbody", 200, "body"),
            ("Status: 404 Not Found\r\nA: b\r\n\r\nnone", 404, "none"),
            ("status:500\n\n", 500, ""),
            ("Status: x\r\n\r\n", 200, ""),
            ("no headers", 200, "no headers"),
        ] {
            let answer = answer(text);
            assert_eq!(answer.split(), (status, body.as_bytes()), "{text}");
        }
    }

    #[test]
    fn too_long_an_answer_is_refused() {
        let mut answer = Answer::default();
        let part = stream(&[(STDOUT, vec![b'x'; 60_000], 0)]);
        let ended = (0..10).try_for_each(|_| answer.feed(&part));
        assert!(ended.is_err());
        assert!(answer.stdout.len() <= MAX_STDOUT);
        let mut answer = Answer::default();
        let part = stream(&[(STDERR, vec![b'x'; 60_000], 0)]);
        (0..10).try_for_each(|_| answer.feed(&part)).unwrap();
        assert_eq!(answer.stderr.len(), MAX_STDERR);
    }

    proptest! {
        #[test]
        fn anything_is_taken_without_panic(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20),
        ) {
            let mut answer = Answer::default();
            for part in parts {
                if answer.feed(&part).is_err() {
                    break;
                }
                let _ = answer.split();
            }
        }

        #[test]
        fn cuts_in_the_stream_do_not_matter(
            parts in proptest::collection::vec(
                (prop_oneof![Just(STDOUT), Just(STDERR), Just(99)],
                 proptest::collection::vec(any::<u8>(), 0..300), any::<u8>()), 0..8),
            size in 1_usize..40,
        ) {
            let mut expected: Vec<u8> = Vec::new();
            for (kind, content, _) in &parts {
                if *kind == STDOUT {
                    expected.extend(content);
                }
            }
            let mut parts = parts;
            parts.push((END_REQUEST, vec![0; 8], 3));
            let mut answer = Answer::default();
            for cut in stream(&parts).chunks(size) {
                prop_assert!(answer.feed(cut).is_ok());
            }
            prop_assert!(answer.ended);
            prop_assert_eq!(answer.stdout, expected);
        }

        #[test]
        fn what_we_send_is_whole_records(name in ".{0,300}", value in ".{0,300}", length in 0_usize..140_000) {
            let sent = encode(&[(&name, &value)], &vec![b'b'; length]);
            let (mut at, mut body, mut ends) = (0, 0, 0);
            while at < sent.len() {
                let size = usize::from(u16::from_be_bytes([sent[at + 4], sent[at + 5]]));
                match (sent[at + 1], size) {
                    (STDIN | PARAMS, 0) => ends += 1,
                    (STDIN, _) => body += size,
                    _ => {}
                }
                at += HEADER + size;
            }
            prop_assert_eq!(at, sent.len());
            prop_assert_eq!(body, length);
            prop_assert_eq!(ends, 2);
        }
    }
}
