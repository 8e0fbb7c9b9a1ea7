//! Copies of the store, and another key for it, while a server runs.

use crate::installation::{Installation, PASSWORD, Server};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

fn web(place: &Installation) -> Server {
    Server::start(place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"]))
}

fn token(place: &Installation) -> String {
    let made = place
        .run(&["token", "add", "--user", "ann@example.com", "--kind", "api"])
        .done();
    made.trim().to_owned()
}

fn opens(server: &Server, token: &str) -> bool {
    let (status, _) = server.ask(&format!(
        "GET /api/v1/me HTTP/1.1\r\nHost: p.example\r\nAuthorization: token {token}\r\n\
         Connection: close\r\n\r\n"
    ));
    status == 200
}

/// What two-factor keeps is sealed: turning it on again tells whether that still opens.
fn has_second_factor(place: &Installation) -> bool {
    let shown = place.run(&["--json", "user", "two-factor", "show", "ann@example.com"]);
    shown.json()["state"] == "proposed"
}

#[test]
fn a_copy_made_while_a_server_runs_is_another_installation() {
    let place = Installation::settled();
    let token = token(&place);
    place
        .run(&["user", "two-factor", "enable", "ann@example.com"])
        .done();
    let server = web(&place);
    let file = place.data().join("monday.copy");
    let named = file.to_str().expect("a path");
    let told = place.run(&["data", "backup", named]).done();
    assert!(told.starts_with("copied and loaded once"), "{told}");
    let mode = fs::metadata(&file).expect("it").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let error = place.run(&["data", "backup", named]).failed(5);
    assert!(error.contains("is there already"), "{error}");
    let told = place.run(&["data", "check", named]).done();
    assert!(told.starts_with("whole, and can be loaded"), "{told}");
    let error = place.run(&["data", "restore", named]).failed(5);
    assert!(error.contains("the database is not empty"), "{error}");
    assert!(opens(&server, &token), "nothing happened to it");

    let other = Installation::new();
    fs::create_dir_all(other.data()).expect("ours");
    let error = other.run(&["data", "restore", named]).failed(3);
    assert!(error.contains("put it back first"), "{error}");
    assert!(!other.data().join("secret.key").exists(), "no key is made");
    fs::write(other.data().join("secret.key"), "0".repeat(64)).expect("ours");
    let error = other.run(&["data", "restore", named]).failed(2);
    assert!(error.contains("another secret key"), "{error}");
    fs::copy(
        place.data().join("secret.key"),
        other.data().join("secret.key"),
    )
    .expect("ours");
    let told = other.run(&["data", "restore", named]).done();
    assert!(told.starts_with("restored: "), "{told}");
    let restored = web(&other);
    assert!(opens(&restored, &token));
    assert!(has_second_factor(&other));
    let left: Vec<_> = fs::read_dir(other.data())
        .expect("ours")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("check-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    let told = other.run(&["data", "check"]).done();
    assert!(told.contains("ok     secrets: "), "{told}");
    fs::write(&file, b"nothing").expect("ours");
    let error = place.run(&["data", "check", named]).failed(2);
    assert!(error.contains("no copy that Pressroom made"), "{error}");
}

#[test]
fn a_damaged_database_and_a_lost_key_are_found() {
    let place = Installation::settled();
    place
        .run(&["user", "two-factor", "enable", "ann@example.com"])
        .done();
    fs::write(place.data().join("secret.key"), "0".repeat(64)).expect("ours");
    let ended = place.run(&["data", "check"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("WRONG  secrets"), "{ended:?}");
    assert!(
        ended.out.contains("second_factors.secret_sealed, row 1"),
        "{ended:?}"
    );
}

/// Status of signing in for a pair of tokens.
fn pair(server: &Server) -> u16 {
    let body = format!("{{\"email\":\"ann@example.com\",\"password\":\"{PASSWORD}\"}}");
    let (status, _) = server.ask(&format!(
        "POST /api/v1/jwt HTTP/1.1\r\nHost: p.example\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    status
}

#[test]
fn keys_exchanged_at_once_lose_none() {
    let place = Installation::settled();
    place
        .run(&["user", "two-factor", "enable", "ann@example.com"])
        .done();
    let ends: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| place.run(&["data", "rotate-key"]).code))
            .collect();
        asked
            .into_iter()
            .map(|one| one.join().expect("an end"))
            .collect()
    });
    let done = ends.iter().filter(|code| **code == Some(0)).count();
    assert_eq!(done, 1, "{ends:?}");
    assert!(has_second_factor(&place));
    place.run(&["data", "check"]).done();
}

#[test]
fn a_key_behind_a_link_keeps_its_mode_and_its_place() {
    let place = Installation::settled();
    let (named, real) = (
        place.data().join("secret.key"),
        place.data().join("real.key"),
    );
    fs::rename(&named, &real).expect("ours");
    std::os::unix::fs::symlink(&real, &named).expect("ours");
    fs::set_permissions(&real, Permissions::from_mode(0o640)).expect("ours");
    place.run(&["data", "rotate-key"]).done();
    assert!(fs::symlink_metadata(&named).expect("a link").is_symlink());
    assert_eq!(fs::read_to_string(&real).expect("keys").lines().count(), 2);
    let mode = fs::metadata(&real).expect("it").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn nothing_is_made_where_nothing_was() {
    let place = Installation::new();
    for args in [
        &["data", "backup", "/tmp/none.copy"][..],
        &["data", "check"],
        &["data", "rotate-key"],
    ] {
        let error = place.run(args).failed(3);
        assert!(error.contains("is missing"), "{args:?}: {error}");
    }
    assert!(!place.data().exists());
    let place = Installation::settled();
    fs::remove_file(place.data().join("pressroom.db")).expect("ours");
    let error = place.run(&["data", "backup", "/tmp/none.copy"]).failed(3);
    assert!(error.contains("there is no database"), "{error}");
}

#[test]
fn the_key_is_exchanged_under_a_running_server() {
    let place = Installation::settled();
    place
        .run(&["user", "two-factor", "enable", "ann@example.com"])
        .done();
    let server = web(&place);
    let file = place.data().join("secret.key");
    let old = fs::read_to_string(&file).expect("a key");
    assert_eq!(pair(&server), 200, "the signing key is made and sealed");

    // Two steps for several machines: known first, sealing later.
    place.run(&["data", "rotate-key", "--prepare"]).done();
    let error = place.run(&["data", "rotate-key", "--prepare"]).failed(5);
    assert!(error.contains("more than one key"), "{error}");
    let both = fs::read_to_string(&file).expect("keys");
    assert!(
        both.starts_with(&old) && both.contains("\n+"),
        "it still seals"
    );
    place.run(&["data", "rotate-key"]).done();
    let rotated = fs::read_to_string(&file).expect("keys");
    let next = both.lines().nth(1).expect("a key").trim_start_matches('+');
    assert_eq!(rotated, format!("{next}\n{old}"));
    let error = place.run(&["data", "rotate-key"]).failed(5);
    assert!(error.contains("--forget"), "{error}");

    // A pair is signed with a key that is sealed: the running server must open it.
    assert_eq!(pair(&server), 200);
    let error = place.run(&["data", "rotate-key", "--forget"]).failed(5);
    assert!(error.contains("younger than two minutes"), "{error}");
    place
        .run(&["data", "rotate-key", "--forget", "--now"])
        .done();
    assert_eq!(pair(&server), 200, "with the new key alone");
    assert_eq!(
        fs::read_to_string(&file).expect("a key"),
        format!("{next}\n")
    );
    assert!(has_second_factor(&place));
    place.run(&["data", "check"]).done();
    let mode = fs::metadata(&file).expect("it").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
