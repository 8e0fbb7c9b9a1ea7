//! The program as a server.

use crate::installation::{Installation, PASSWORD, Server};
use rustix::process::Signal;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

fn web(place: &Installation) -> std::process::Command {
    let mut command = place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"]);
    command.env("PRESSROOM_LOG", "trace");
    command
}

#[test]
fn watchers_have_their_paths_and_a_stop_is_clean() {
    let place = Installation::settled();
    let server = Server::start(web(&place));
    assert_eq!(server.get("/healthz"), (200, "ok\n".into()));
    assert_eq!(server.get("/readyz"), (200, "ready\n".into()));
    let (status, text) = server.get("/metrics");
    assert_eq!(status, 200);
    assert!(
        text.contains("# TYPE pressroom_leases_lost_total counter"),
        "{text}"
    );
    let (status, _) = server.get("/nothing/here");
    assert_eq!(status, 404);
    let (status, _) = server.get("/api/v1/wordpress/installations");
    assert_eq!(status, 401);
    server.signal(Signal::TERM);
    let (ended, log) = server.ended();
    assert_eq!(ended.code(), Some(0), "{log}");
    assert!(
        log.lines()
            .last()
            .is_some_and(|line| line.ends_with("stopped")),
        "{log}"
    );
}

#[test]
fn a_token_opens_its_dialect_and_no_secret_is_logged() {
    let place = Installation::settled();
    let token = place
        .run(&[
            "token",
            "add",
            "--user",
            "ann@example.com",
            "--kind",
            "panel",
        ])
        .done();
    let token = token.trim();
    let mut command = web(&place);
    command.env("PRESSROOM_LOG__FORMAT", "json");
    let server = Server::start(command);
    let (status, body) = server.ask(&format!(
        "GET /api/v1/wordpress/installations?secret=in-the-query HTTP/1.1\r\nHost: p.example\r\n\
         Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    ));
    assert_eq!((status, body.as_str()), (200, "[]"));
    let form = format!(
        "email=ann%40example.com&password={}",
        PASSWORD.replace(' ', "+")
    );
    let (status, _) = server.ask(&format!(
        "POST /sign-in HTTP/1.1\r\nHost: p.example\r\nOrigin: http://p.example\r\n\
         Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
        form.len()
    ));
    assert_eq!(status, 303, "signed in and sent on");
    // Whether it is a link or almost one: it may be somebody's.
    let link = "b64url".repeat(30);
    for path in ["/download/snapshots", "/Download", ""] {
        let (status, _) = server.get(&format!("{path}/{link}"));
        assert_eq!(status, 404, "{path}");
    }
    server.signal(Signal::TERM);
    let (_, log) = server.ended();
    let key = fs::read_to_string(place.data().join("secret.key")).expect("read");
    for secret in [
        token,
        key.trim(),
        PASSWORD,
        &PASSWORD.replace(' ', "+"),
        "in-the-query",
        &link,
    ] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
    for line in log.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
}

#[test]
fn a_taken_address_is_told_and_the_holder_goes_on() {
    let place = Installation::settled();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let error = place.run(&["serve", "--role", "web", "--listen", &address]);
    assert_eq!(error.code, Some(5), "{error:?}");
    assert!(
        error.err.contains(&format!("cannot listen on `{address}`")),
        "{error:?}"
    );
}

#[test]
fn a_connection_that_says_nothing_does_not_hold_up_the_end() {
    let place = Installation::settled();
    let server = Server::start(web(&place));
    let mut silent = TcpStream::connect(server.address).expect("it listens");
    let mut half = TcpStream::connect(server.address).expect("it listens");
    half.write_all(b"GET /fleet HTTP/1.1\r\nHost:")
        .expect("it reads");
    assert_eq!(server.get("/healthz").0, 200);
    server.signal(Signal::TERM);
    let (ended, log) = server.ended();
    assert_eq!(ended.code(), Some(0), "{log}");
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest);
    assert!(rest.is_empty());
}

#[test]
fn a_second_signal_does_not_wait() {
    let place = Installation::settled();
    let server = Server::start(web(&place));
    // A request whose body never comes keeps the turnstile busy.
    let mut slow = TcpStream::connect(server.address).expect("it listens");
    slow.write_all(
        b"POST /sign-in HTTP/1.1\r\nHost: p.example\r\nOrigin: http://p.example\r\nSec-Fetch-Site: same-origin\r\n\
          Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail=",
    )
    .expect("it reads");
    assert_eq!(server.get("/healthz").0, 200);
    server.signal(Signal::TERM);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while TcpStream::connect(server.address).is_ok() {
        assert!(std::time::Instant::now() < deadline, "it still accepts");
        std::thread::yield_now();
    }
    server.signal(Signal::TERM);
    let (ended, log) = server.ended();
    assert_eq!(ended.code(), Some(130), "{log}");
}
