//! Clients that keep connections without using them.

use crate::installation::{Installation, Server};
use rustix::process::Signal;
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: p.example\r\n\r\n";

fn serve(place: &Installation, settings: &[(&str, &str)]) -> Server {
    let mut command = place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"]);
    for (name, value) in settings {
        command.env(format!("PRESSROOM_HTTP__{name}"), value);
    }
    Server::start(command)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    stream
}

/// Asks on a connection that stays open.
fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(ASK).expect("sent");
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"ok\n") {
        let mut some = [0; 512];
        let count = stream.read(&mut some).expect("an answer");
        assert!(count > 0, "closed after {bytes:?}");
        bytes.extend_from_slice(&some[..count]);
    }
    String::from_utf8(bytes).expect("text")
}

/// Waits until the other end closes, which may say why first.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn who_does_not_say_what_it_wants_is_not_waited_for() {
    let place = Installation::settled();
    let server = serve(&place, &[("IDLE_S", "2")]);
    let begun = Instant::now();
    let mut silent = connect(&server);
    let mut slow = connect(&server);
    slow.write_all(b"P").expect("sent");
    let mut half = connect(&server);
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: p.exam")
        .expect("sent");
    let mut done = connect(&server);
    ask(&mut done);
    // One that goes on asking is kept.
    let mut busy = connect(&server);
    while begun.elapsed() < Duration::from_secs(4) {
        assert!(ask(&mut busy).starts_with("HTTP/1.1 200"));
        thread::sleep(Duration::from_millis(500));
    }
    for (name, stream) in [
        ("silent", &mut silent),
        ("slow", &mut slow),
        ("half", &mut half),
        ("done", &mut done),
    ] {
        assert!(is_closed(stream), "{name}");
    }
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn one_address_does_not_have_all_connections() {
    let place = Installation::settled();
    let few = [("MAX_CONNECTIONS_PER_ADDRESS", "3")];
    let mut server = serve(&place, &few);
    let mut held: Vec<_> = (0..3).map(|_| connect(&server)).collect();
    for stream in &mut held {
        ask(stream);
    }
    assert!(is_closed(&mut connect(&server)));
    server.says("gets no more");
    held.pop();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut next = connect(&server);
        next.write_all(ASK).expect("sent");
        let mut first = [0; 8];
        if next.read_exact(&mut first).is_ok() {
            assert_eq!(&first, b"HTTP/1.1");
            break;
        }
        assert!(Instant::now() < deadline, "its place is not free again");
        thread::sleep(Duration::from_millis(50));
    }

    // A proxy that is believed speaks for many.
    let trusted = [few[0], ("TRUSTED_PROXIES", "127.0.0.0/8")];
    let server = serve(&place, &trusted);
    let mut held: Vec<_> = (0..8).map(|_| connect(&server)).collect();
    for stream in &mut held {
        ask(stream);
    }
}

#[test]
fn idle_connections_do_not_keep_it_from_stopping() {
    let place = Installation::settled();
    let server = serve(&place, &[]);
    let mut idle = connect(&server);
    ask(&mut idle);
    let mut half = connect(&server);
    half.write_all(b"GET /healthz HTT").expect("sent");
    let begun = Instant::now();
    server.signal(Signal::TERM);
    let (status, log) = server.ended();
    assert!(status.success(), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{log}");
    assert!(is_closed(&mut idle));
}
