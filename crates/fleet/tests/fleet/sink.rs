//! A server that keeps the mail it takes.

use pressroom_fleet::mail::{Security, Server, Smtp};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A server that takes mail, or answers as it is told.
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// What the next mails are answered instead.
    answers: Mutex<VecDeque<&'static str>>,
    taken: Mutex<Vec<Taken>>,
}

#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub to: String,
    pub data: String,
}

impl Taken {
    pub fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let found = self.data.lines().find_map(|line| line.strip_prefix(&start));
        found.unwrap_or_default().to_owned()
    }

    /// The secret of the link to this page that it carries.
    pub fn secret(&self, page: &str) -> String {
        // Long lines are broken, by a `=` at their end.
        let text = self.data.replace("=\n", "");
        let (_, rest) = text
            .split_once(&format!("https://press.example/{page}/"))
            .unwrap_or_else(|| panic!("no link in {text}"));
        rest.chars().take_while(char::is_ascii_hexdigit).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Sink {
    pub async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                tokio::spawn(async move { shared.talk(stream).await });
            }
        });
        Self {
            port,
            shared,
            server,
        }
    }

    pub fn answer(&self, answers: &[&'static str]) {
        self.shared.answers.lock().unwrap().extend(answers);
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    pub fn smtp(&self) -> Smtp {
        Smtp::new(&Server {
            host: "127.0.0.1".into(),
            port: self.port,
            security: Security::None,
            login: None,
            from: "Pressroom <press@example.com>".into(),
            name: "press.example".into(),
        })
        .unwrap()
    }
}

impl Shared {
    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        say(&mut stream, "220 sink").await?;
        let mut mail = Taken::default();
        loop {
            let line = line(&mut stream).await?;
            let answer = match line.split([' ', ':']).next()?.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => "250 sink",
                "RCPT" => {
                    mail.to = line.split(['<', '>']).nth(1)?.to_owned();
                    let refused = self.answers.lock().unwrap().pop_front();
                    refused.unwrap_or("250 ok")
                }
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    mail.data = data(&mut stream).await?;
                    self.taken.lock().unwrap().push(std::mem::take(&mut mail));
                    "250 taken"
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return None;
                }
                _ => "250 ok",
            };
            say(&mut stream, answer).await?;
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    let text = format!("{text}\r\n");
    stream.get_mut().write_all(text.as_bytes()).await.ok()
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    let read = stream.read_line(&mut text).await.ok()?;
    (read > 0).then(|| text.trim_end().to_owned())
}

async fn data(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Some(text);
        }
        text.push_str(&line);
        text.push('\n');
    }
}
