//! Passwords changed and people shut out, as those who are signed in meet it.

use crate::installation::{Installation, PASSWORD, Server};

struct People {
    place: Installation,
    server: Server,
}

impl People {
    fn sign_in(&self, password: &str) -> Option<String> {
        let body = format!("{{\"email\":\"ann@example.com\",\"password\":\"{password}\"}}");
        let (status, answer) = self.server.ask(&format!(
            "POST /api/v1/auth HTTP/1.1\r\nHost: p.example\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ));
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        match status {
            200 => Some(answer["token"].as_str().expect("a token").to_owned()),
            401 => None,
            _ => panic!("{status} {answer}"),
        }
    }

    fn opens(&self, token: &str) -> bool {
        let (status, answer) = self.server.ask(&format!(
            "GET /api/v1/me HTTP/1.1\r\nHost: p.example\r\nAuthorization: token {token}\r\n\
             Connection: close\r\n\r\n"
        ));
        assert!([200, 401].contains(&status), "{status} {answer}");
        status == 200
    }

    fn set_password(&self, password: &str) -> crate::installation::Ended {
        let command =
            self.place
                .command(&["user", "password", "ann@example.com", "--password-stdin"]);
        Installation::end(command, password)
    }
}

#[test]
fn another_password_ends_what_was_signed_in_and_nothing_else() {
    let place = Installation::settled();
    let made = place
        .run(&["token", "add", "--user", "ann@example.com", "--kind", "api"])
        .done();
    let server =
        Server::start(place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"]));
    let people = People { place, server };
    let signed_in = people.sign_in(PASSWORD).expect("the right password");
    assert!(people.opens(&signed_in) && people.opens(made.trim()));

    let error = people.set_password("short").failed(2);
    assert!(error.contains("at least 8 characters"), "{error}");
    assert!(people.opens(&signed_in), "nothing changed");
    people.set_password("another long one").done();
    assert!(!people.opens(&signed_in), "it came of the old password");
    assert!(people.opens(made.trim()), "a program's token goes on");
    assert!(people.sign_in(PASSWORD).is_none());
    assert!(people.sign_in("another long one").is_some());
}

#[test]
fn who_is_shut_out_opens_nothing_until_let_in_again() {
    let place = Installation::settled();
    let made = place
        .run(&["token", "add", "--user", "ann@example.com", "--kind", "api"])
        .done();
    let server =
        Server::start(place.command(&["serve", "--role", "web", "--listen", "127.0.0.1:0"]));
    let people = People { place, server };
    let signed_in = people.sign_in(PASSWORD).expect("the right password");

    people
        .place
        .run(&["user", "disable", "ann@example.com"])
        .done();
    let again = people.place.run(&["user", "disable", "ann@example.com"]);
    assert!(again.err.contains("already"), "{again:?}");
    assert!(!people.opens(&signed_in) && !people.opens(made.trim()));
    assert!(people.sign_in(PASSWORD).is_none());
    let listed = people.place.run(&["user", "list", "--json"]).json();
    assert!(listed[0]["disabled_at"].is_i64(), "{listed}");

    people
        .place
        .run(&["user", "enable", "ann@example.com"])
        .done();
    assert!(people.opens(made.trim()), "what a program has opens again");
    assert!(!people.opens(&signed_in), "what was signed in has ended");
    assert!(people.sign_in(PASSWORD).is_some());
    let error = people
        .place
        .run(&["user", "enable", "bob@example.com"])
        .failed(3);
    assert!(error.contains("pressroom user list"), "{error}");
}
