//! One request to a clone as a visitor makes it.

use crate::{Error, Result, watch::Watch};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

/// The longest head of an answer, in bytes.
const HEAD: usize = 256 * 1024;
/// Beyond this an answer is not read to its end.
const LONGEST: u64 = 256 * 1024 * 1024;
const POLL: Duration = Duration::from_millis(100);

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// `GET`, `HEAD`, `POST` and so on.
    pub method: String,
    /// The path with its query, from the first slash.
    pub path: String,
    /// Headers; `Host` is the site's own unless it is among them.
    pub headers: Vec<(String, String)>,
    /// What is sent along, at most [`MAX_BODY`] bytes.
    #[serde(with = "hex::serde")]
    pub body: Vec<u8>,
    /// When to give up, in milliseconds.
    pub timeout_ms: u64,
    /// So many bytes of the answer's body are handed on.
    pub limit: u64,
}

/// The most that can be sent along.
pub const MAX_BODY: usize = 100 * 1024;

/// The head of an answer, and what was handed on of its body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers in their order, names as they were sent.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body that were handed on.
    pub bytes: u64,
    /// Bytes beyond the limit.
    pub cut: u64,
    /// Whether the body ended before the length that was announced.
    pub truncated: bool,
    /// From the request to the end of the body.
    pub ms: u64,
}

impl Visit {
    /// A plain look at a page.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: 30_000,
            limit: 4 * 1024 * 1024,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let value = |byte: u8| byte >= b' ' && byte != 0x7f || byte == b'\t';
        let sound = !self.method.is_empty()
            && self.method.bytes().all(|byte| byte.is_ascii_uppercase())
            && self.path.starts_with('/')
            && self.path.bytes().all(|byte| byte.is_ascii_graphic())
            && self.path.len() <= 8192
            && self.headers.len() <= 100
            && self.headers.iter().all(|(name, text)| {
                !name.is_empty() && name.bytes().all(token) && text.bytes().all(value)
            });
        if !sound {
            return Err(Error::BadInput("this is no request to a site".to_owned()));
        }
        if self.body.len() > MAX_BODY {
            return Err(Error::BadInput(format!(
                "more than {MAX_BODY} bytes are sent along"
            )));
        }
        Ok(())
    }
}

/// Asks at a socket, hands the body on, and tells of the rest.
pub(crate) fn ask(
    socket: &Path,
    visit: &Visit,
    host: &str,
    secret: &str,
    out: &mut dyn Write,
    watch: &Watch,
) -> Result<Answer> {
    let since = Instant::now();
    let until = since + Duration::from_millis(visit.timeout_ms);
    let mut stream =
        super::socket::connect(socket).map_err(|why| Error::io("connect to", socket, why))?;
    let failed = |why| Error::io("talk to", socket, why);
    stream.set_read_timeout(Some(POLL)).map_err(failed)?;
    stream
        .set_write_timeout(Some(Duration::from_secs(10)))
        .map_err(failed)?;
    stream
        .write_all(&head(visit, host, secret))
        .map_err(failed)?;
    stream.write_all(&visit.body).map_err(failed)?;
    let mut reader = Reader {
        stream,
        until,
        watch,
        socket,
    };
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let end = loop {
        if let Some(at) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break at;
        }
        let read = reader.read(&mut buffer)?;
        if read == 0 || bytes.len() > HEAD {
            return Err(Error::Php(
                "the rehearsal's PHP ended without an answer".to_owned(),
            ));
        }
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
    };
    let mut answer = parse(bytes.get(..end).unwrap_or_default())?;
    let rest = bytes.split_off((end + 4).min(bytes.len()));
    let mut body = Body {
        out,
        limit: visit.limit,
        answer: &mut answer,
    };
    body.take(&rest)?;
    while body.answer.bytes + body.answer.cut < LONGEST {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        body.take(buffer.get(..read).unwrap_or_default())?;
    }
    let told = answer
        .header("content-length")
        .and_then(|text| text.trim().parse::<u64>().ok());
    answer.truncated =
        visit.method != "HEAD" && told.is_some_and(|told| told > answer.bytes + answer.cut);
    answer.ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(answer)
}

fn head(visit: &Visit, host: &str, secret: &str) -> Vec<u8> {
    const OURS: [&str; 4] = [
        "connection",
        "content-length",
        "transfer-encoding",
        "x-pressroom-rehearsal",
    ];
    let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    let mut lines = vec![format!("{} {} HTTP/1.1", visit.method, visit.path)];
    if !visit.headers.iter().any(|(name, _)| is(name, "host")) {
        lines.push(format!("Host: {host}"));
    }
    for (name, value) in &visit.headers {
        if !OURS.iter().any(|own| is(name, own)) {
            lines.push(format!("{name}: {value}"));
        }
    }
    if !visit.body.is_empty() || visit.method == "POST" {
        lines.push(format!("Content-Length: {}", visit.body.len()));
    }
    lines.push(format!("X-Pressroom-Rehearsal: {secret}"));
    lines.push("Connection: close\r\n\r\n".to_owned());
    lines.join("\r\n").into_bytes()
}

impl Answer {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter();
        let found = found.find(|(one, _)| one.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The head of an answer.
fn parse(head: &[u8]) -> Result<Answer> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .filter(|line| line.starts_with("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| Error::Php("the rehearsal's web server does not speak HTTP".to_owned()))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Ok(Answer {
        status,
        headers,
        ..Answer::default()
    })
}

struct Body<'a> {
    out: &'a mut dyn Write,
    limit: u64,
    answer: &'a mut Answer,
}

impl Body<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let room = self.limit.saturating_sub(self.answer.bytes);
        let kept = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if kept > 0 {
            self.out
                .write_all(bytes.get(..kept).unwrap_or_default())
                .map_err(|why| Error::io("send", "the page", why))?;
        }
        self.answer.bytes += kept as u64;
        self.answer.cut += (bytes.len() - kept) as u64;
        Ok(())
    }
}

struct Reader<'a> {
    stream: UnixStream,
    until: Instant,
    watch: &'a Watch,
    socket: &'a Path,
}

impl Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            self.watch.check()?;
            if Instant::now() >= self.until {
                return Err(Error::Deadline);
            }
            match self.stream.read(buffer) {
                Ok(read) => return Ok(read),
                Err(why)
                    if matches!(
                        why.kind(),
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::TimedOut
                            | io::ErrorKind::Interrupted
                    ) => {}
                // It died in the middle: what came is what there is.
                Err(why) if why.kind() == io::ErrorKind::ConnectionReset => return Ok(0),
                Err(why) => return Err(Error::io("talk to", self.socket, why)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_they_come() {
        let answer = parse(
            b"HTTP/1.0 302 Found\r\nLocation: /x\r\nSet-Cookie: a=b\r\nset-cookie: c:d\r\nnonsense",
        )
        .unwrap();
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("/x"));
        assert_eq!(answer.headers.len(), 3);
        for bad in ["", "HTTP/1.1 abc", "HTTP/1.1 99", "SSH-2.0", "HTTP/1.1"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_request_is_sent() {
        let mut visit = Visit::get("/a?b=c");
        visit.headers = vec![
            ("Cookie".into(), "a=b".into()),
            ("connection".into(), "keep-alive".into()),
        ];
        visit.check().unwrap();
        let text = String::from_utf8(head(&visit, "shop.test", "s")).unwrap();
        assert_eq!(
            text,
            "GET /a?b=c HTTP/1.1\r\nHost: shop.test\r\nCookie: a=b\r\nX-Pressroom-Rehearsal: s\r\nConnection: close\r\n\r\n"
        );
        for (path, header) in [("a", ""), ("/a b", ""), ("/a\r\nX: y", ""), ("/", "x\r\ny")] {
            let mut bad = Visit::get(path);
            bad.headers = vec![("A".into(), header.into())];
            assert!(bad.check().is_err(), "{path:?} {header:?}");
        }
        let mut bad = Visit::get("/");
        bad.body = vec![0; MAX_BODY + 1];
        assert!(bad.check().is_err());
    }
}
