//! A server that keeps the mail it takes.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub to: String,
    pub data: String,
}

pub struct Sink {
    pub address: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Taken {
    /// The path of the link to this page that it carries.
    pub fn link(&self, page: &str) -> String {
        // Long lines are broken, by a `=` at their end.
        let text = self.data.replace("=\n", "");
        let (before, rest) = text
            .split_once(&format!("/{page}/"))
            .unwrap_or_else(|| panic!("no link in {text}"));
        assert!(before.ends_with("https://press.example"), "{before}");
        let secret: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        assert_eq!(secret.len(), 64, "{text}");
        format!("/{page}/{secret}")
    }
}

impl Sink {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let taken = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let keeps = Arc::clone(&keeps);
                thread::spawn(move || talk(stream, &keeps));
            }
        });
        Self { address, taken }
    }

    /// Waits until it has taken so many.
    pub fn taken(&self, number: usize) -> Vec<Taken> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let taken = self.taken.lock().expect("ours").clone();
            if taken.len() >= number {
                return taken;
            }
            assert!(Instant::now() < deadline, "only {taken:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn talk(stream: TcpStream, keeps: &Mutex<Vec<Taken>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    let mut line = || {
        let mut text = String::new();
        let read = lines.read_line(&mut text).ok()?;
        (read > 0).then(|| text.trim_end().to_owned())
    };
    let mut mail = Taken::default();
    write!(stream, "220 sink\r\n").ok()?;
    loop {
        let said = line()?;
        let verb = said.split([' ', ':']).next()?.to_ascii_uppercase();
        match verb.as_str() {
            "RCPT" => said.split(['<', '>']).nth(1)?.clone_into(&mut mail.to),
            "DATA" => {
                write!(stream, "354 go on\r\n").ok()?;
                loop {
                    let said = line()?;
                    if said == "." {
                        break;
                    }
                    mail.data.push_str(&said);
                    mail.data.push('\n');
                }
                keeps.lock().ok()?.push(std::mem::take(&mut mail));
            }
            _ => {}
        }
        let answer = if verb == "QUIT" { "221 bye" } else { "250 ok" };
        write!(stream, "{answer}\r\n").ok()?;
    }
}
