//! What a running server takes up, and where it writes its log.

use crate::installation::{Installation, PASSWORD, Server};
use rustix::process::Signal;
use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

fn web(place: &Installation) -> Command {
    place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"])
}

fn configure(place: &Installation, text: &str) {
    fs::write(place.data().join("pressroom.toml"), text).expect("ours");
}

/// Signs in from behind a proxy; answers the address in the activity log.
fn signed_in_from(server: &Server, claimed: &str) -> String {
    let body = format!("{{\"email\":\"ann@example.com\",\"password\":\"{PASSWORD}\"}}");
    let (status, answer) = server.ask(&format!(
        "POST /api/v1/auth HTTP/1.1\r\nHost: p.example\r\nX-Forwarded-For: {claimed}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(status, 200, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let token = answer["token"].as_str().expect("a token");
    let (_, log) = server.ask(&format!(
        "GET /api/v1/activity_logs?event=user.signed_in&per_page=1 HTTP/1.1\r\nHost: p.example\r\n\
         Authorization: token {token}\r\nConnection: close\r\n\r\n"
    ));
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    log[0]["ip_address"]
        .as_str()
        .expect("an address")
        .to_owned()
}

#[test]
fn proxies_are_believed_once_they_are_named() {
    let place = Installation::settled();
    let mut server = Server::start(web(&place));
    assert_eq!(signed_in_from(&server, "203.0.113.9"), "127.0.0.1");
    configure(&place, "[http]\ntrusted_proxies = \"127.0.0.0/8, ::1\"\n");
    server.signal(Signal::HUP);
    server.says("read again and holds");
    assert_eq!(
        signed_in_from(&server, "198.51.100.1, 203.0.113.9"),
        "203.0.113.9"
    );
}

#[test]
fn a_configuration_is_read_again_and_a_wrong_one_changes_nothing() {
    let place = Installation::settled();
    let mut server = Server::start(web(&place));
    configure(&place, "[log]\nfilter = \"debug\"\n");
    server.signal(Signal::HUP);
    server.says("read again and holds");
    server.get("/nothing/here");
    server.says("GET /nothing/here answered");

    configure(
        &place,
        "[log]\nfilter = \"debug\"\n[jobs]\nlease_s = 90\nworkers = 2\n",
    );
    server.signal(Signal::HUP);
    server.says("waits for the next start: jobs.lease_s, jobs.workers");

    configure(&place, "[log]\nfilter = \"a=b=c\"\n");
    server.signal(Signal::HUP);
    server.says("`log.filter` is no filter");
    configure(&place, "[http]\ntrusted_proxies = \"everybody\"\n");
    server.signal(Signal::HUP);
    server.says("`http.trusted_proxies` must be networks such as `192.0.2.0/24`");
    assert_eq!(server.get("/readyz").0, 200);
}

#[test]
fn a_log_file_has_the_day_in_its_name_and_old_ones_go() {
    let place = Installation::settled();
    let logs = place.data().join("logs");
    fs::create_dir_all(&logs).expect("ours");
    for day in 1..=5 {
        fs::write(logs.join(format!("pressroom.log.2026-01-0{day}")), "old\n").expect("ours");
    }
    let others = [
        "other.txt",
        "pressroom.log-notes",
        "pressroom.log.gz",
        "pressroom.log.2026-01",
    ];
    for other in others {
        fs::write(logs.join(other), "not ours\n").expect("ours");
    }
    let mut command = web(&place);
    command
        .env("PRESSROOM_LOG__FILE", logs.join("pressroom.log"))
        .env("PRESSROOM_LOG__KEEP", "3")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut server = command.spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    let named = loop {
        let found: Vec<_> = fs::read_dir(&logs)
            .expect("a directory")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.display().to_string().contains("pressroom.log.2026-"))
            .filter(|path| !path.ends_with("pressroom.log.2026-01"))
            .collect();
        let current = found.iter().find(|path| {
            fs::read_to_string(path).is_ok_and(|text| text.contains("listens on http://"))
        });
        // Old ones are removed beside the start.
        if current.is_some() && found.len() == 3 {
            break found;
        }
        assert!(Instant::now() < deadline, "nothing is logged");
        thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(named.len(), 3, "{named:?}");
    for other in others {
        assert!(logs.join(other).exists(), "{other}");
    }
    server.kill().expect("ours");
    let output = server.wait_with_output().expect("it ended");
    assert_eq!(output.stdout, b"", "all is in the file");

    let mut nowhere = web(&place);
    nowhere.env("PRESSROOM_LOG__FILE", "/proc/none/pressroom.log");
    let error = Installation::end(nowhere, "").failed(2);
    assert!(
        error.contains("cannot log to `/proc/none/pressroom.log`"),
        "{error}"
    );
}
