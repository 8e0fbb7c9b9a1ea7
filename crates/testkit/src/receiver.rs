//! A receiver of webhooks that behaves as it is told, and remembers all that came.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What it does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes it.
    Ok,
    /// Closes the connection without a word.
    Drop,
    /// Says nothing for a minute.
    Stall,
    /// Answers 500.
    Fail,
    /// Sends it elsewhere.
    Redirect,
    /// Says half an answer and no more.
    HalfClose,
    /// Says that it is gone.
    Gone,
}

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
    /// What was done with it.
    pub manner: Manner,
}

impl Received {
    /// A header that must be there, as text.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect(name);
        value.to_str().expect("text")
    }

    /// What it is known by, the same each time it comes.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }
}

/// A listening receiver; it ends with this.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens, on this machine.
    pub port: u16,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    usual: Mutex<Manner>,
    next: Mutex<VecDeque<Manner>>,
    received: Mutex<Vec<Received>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// One that always behaves so.
    pub async fn that(usual: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            usual: Mutex::new(usual),
            next: Mutex::default(),
            received: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                tokio::spawn(async move { shared.answer(stream).await });
            }
        });
        Self {
            port,
            shared,
            server,
        }
    }

    /// Its address, with something in it that no log should show.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in?key=hidden", self.port)
    }

    /// From now on it behaves so.
    pub fn becomes(&self, manner: Manner) {
        *self.shared.usual.lock().expect("whole") = manner;
    }

    /// To the next messages it behaves so, one after the other.
    pub fn next(&self, manners: &[Manner]) {
        let mut next = self.shared.next.lock().expect("whole");
        next.extend(manners);
    }

    /// All that came, in its order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("whole").clone()
    }
}

impl Shared {
    async fn answer(&self, mut stream: TcpStream) {
        let Some((headers, body)) = request(&mut stream).await else {
            return;
        };
        let planned = self.next.lock().expect("whole").pop_front();
        let manner = planned.unwrap_or(*self.usual.lock().expect("whole"));
        self.received.lock().expect("whole").push(Received {
            headers,
            body,
            manner,
        });
        let answer = match manner {
            Manner::Ok => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            Manner::Drop => return,
            Manner::Stall => {
                tokio::time::sleep(Duration::from_mins(1)).await;
                return;
            }
            Manner::Fail => "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
            Manner::Redirect => {
                "HTTP/1.1 307 Elsewhere\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"
            }
            Manner::HalfClose => "HTTP/1.1 20",
            Manner::Gone => "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// Headers and body of a request with a length.
async fn request(stream: &mut TcpStream) -> Option<(HeaderMap, String)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
    {
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    let length: usize = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
    Some((headers, body))
}
