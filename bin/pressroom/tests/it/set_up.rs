//! The first start, while nobody is known.

use crate::installation::{Installation, Server, ask};
use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, process::Command, thread};

fn web(place: &Installation) -> Command {
    place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"])
}

/// The link's path.
fn link(place: &Installation) -> String {
    let file = place.data().join("set-up-link");
    let mode = fs::metadata(&file).expect("a link").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let link = fs::read_to_string(file).expect("a link");
    let (_, path) = link.trim().split_once("/set-up/").expect("a path");
    format!("/set-up/{path}")
}

fn submit(server: SocketAddr, path: &str, email: &str, password: &str) -> (u16, String) {
    let form =
        format!("name=Ann+Lee&email={email}&account=agency&password={password}&again={password}");
    ask(
        server,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: p.example\r\nOrigin: http://p.example\r\n\
         Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ),
    )
}

#[test]
fn the_first_person_comes_by_a_link_that_is_good_once() {
    let place = Installation::new();
    let server = Server::start(web(&place));
    assert!(
        server
            .log
            .contains("nobody is known here yet: open the link in"),
        "{}",
        server.log
    );
    let path = link(&place);
    let secret = path.trim_start_matches("/set-up/").to_owned();
    assert!(!server.log.contains(&secret), "the log shows the link");
    // Another process over the same store has the same link.
    let second = Server::start(web(&place));
    assert_eq!(link(&place), path);

    let (status, page) = server.get(&path);
    assert_eq!(status, 200);
    assert!(page.contains("Set up Pressroom"), "{page}");
    let wrong = format!("/set-up/{}", "0".repeat(64));
    assert_eq!(server.get(&wrong).0, 404);
    assert_eq!(
        submit(server.address, &wrong, "eve%40example.com", "long+enough").0,
        404
    );
    let (status, page) = submit(server.address, &path, "ann%40example.com", "short");
    assert_eq!(status, 422);
    assert!(
        page.contains("Password must have at least 8 characters"),
        "{page}"
    );
    assert!(
        page.contains("value=\"ann@example.com\""),
        "what was typed stays"
    );
    assert_eq!(
        submit(server.address, &path, "no-address", "long+enough").0,
        422
    );

    // Several at once, at two processes: one of them.
    let ends: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = (0..4)
            .map(|n| {
                let (server, path) = (
                    if n % 2 == 0 {
                        server.address
                    } else {
                        second.address
                    },
                    &path,
                );
                scope.spawn(move || {
                    submit(
                        server,
                        path,
                        &format!("ann{n}%40example.com"),
                        "long+enough",
                    )
                    .0
                })
            })
            .collect();
        asked
            .into_iter()
            .map(|one| one.join().expect("an answer"))
            .collect()
    });
    let mut sorted = ends.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [303, 404, 404, 404]);
    assert_eq!(server.get(&path).0, 404, "it was good once");

    let users = place.run(&["user", "list", "--json"]).json();
    let users = users.as_array().expect("a list");
    assert_eq!(users.len(), 1, "{users:?}");
    assert_eq!(users[0]["operator"], true);
    let accounts = place.run(&["account", "list", "--json"]).json();
    let accounts = accounts.as_array().expect("a list");
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert_eq!(accounts[0]["name"], "agency");
    drop((server, second));
    let server = Server::start(web(&place));
    assert!(!place.data().join("set-up-link").exists());
    assert!(!server.log.contains("nobody is known"), "{}", server.log);
}

#[test]
fn a_person_added_at_the_command_line_closes_the_link() {
    let place = Installation::new();
    let server = Server::start(web(&place));
    let path = link(&place);
    place
        .add_user("ann@example.com", "correct horse battery")
        .done();
    assert_eq!(server.get(&path).0, 404);
    assert_eq!(
        submit(server.address, &path, "eve%40example.com", "long+enough").0,
        404
    );
}
