//! Invitations and other passwords as people meet them: asked for at the command line or on
//! a page, read from the mail that arrives, and walked to the end.

use crate::{
    installation::{Installation, PASSWORD, Server, ask},
    sink::Sink,
};
use std::{fs, net::SocketAddr, process::Command};

const CHOSEN: &str = "long+enough";

/// Somebody, an account, and a server for mail.
fn with_mail(sink: &Sink) -> Installation {
    let place = Installation::settled();
    let config = format!(
        "public_url = \"https://press.example\"\n[mail]\nsmtp = \"{}\"\nsecurity = \"none\"\n\
         from = \"Pressroom <press@example.com>\"\n[console]\nsecure_cookies = \"never\"\n",
        sink.address
    );
    fs::write(place.data().join("pressroom.toml"), config).expect("written");
    place
}

/// A server that also sends.
fn server(place: &Installation) -> Command {
    place.command(&["serve", "--listen", "127.0.0.1:0"])
}

fn post(server: SocketAddr, path: &str, form: &str) -> (u16, String) {
    ask(
        server,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ),
    )
}

fn sign_in(server: SocketAddr, email: &str, password: &str) -> u16 {
    let form = format!(
        "email={}&password={}",
        email.replace('@', "%40"),
        password.replace(' ', "+")
    );
    post(server, "/sign-in", &form).0
}

#[test]
fn an_invitation_comes_by_mail_and_makes_a_member_once() {
    let sink = Sink::new();
    let place = with_mail(&sink);
    let server = Server::start(server(&place));
    let invite = |email: &str, role: &str| {
        let args = [
            "user",
            "invite",
            email,
            "--account",
            "agency",
            "--role",
            role,
        ];
        place.run(&args)
    };
    let said = invite("bob@example.com", "member");
    assert_eq!(said.out, "", "the link is in the mail alone");
    assert!(
        said.err.contains("goes to bob@example.com by mail"),
        "{said:?}"
    );
    let mail = sink.taken(1).remove(0);
    assert_eq!(mail.to, "bob@example.com");
    assert!(
        mail.data.contains("Subject: Invitation to agency"),
        "{mail:?}"
    );
    let link = mail.link("invitation");
    let secret = link.trim_start_matches("/invitation/").to_owned();
    let open = place.run(&["--json", "user", "invitations"]).json();
    assert_eq!(open[0]["email"], "bob@example.com");
    assert_eq!(open[0]["role"], "member");
    let listed = place.run(&["--json", "mail", "list"]).done();
    assert!(listed.contains("\"sent\""), "{listed}");
    assert!(!listed.contains(&secret), "no list shows what mail says");

    let (status, page) = server.get(&link);
    assert_eq!(status, 200);
    assert!(page.contains("Come to agency"), "{page}");
    let form = format!("name=Bob&password={CHOSEN}&again={CHOSEN}");
    assert_eq!(post(server.address, &link, &form).0, 303);
    assert_eq!(
        post(server.address, &link, &form).0,
        404,
        "it was good once"
    );
    assert_eq!(server.get(&link).0, 404);
    assert_eq!(
        sign_in(server.address, "bob@example.com", "long enough"),
        303
    );
    let users = place.run(&["user", "list", "--json"]).json();
    let bob = users.as_array().and_then(|all| {
        all.iter()
            .find(|user| user["email"] == "bob@example.com")
            .cloned()
    });
    assert_eq!(bob.expect("Bob")["operator"], false);
    let twice = invite("bob@example.com", "admin").failed(5);
    assert!(twice.contains("belongs to `agency` already"), "{twice}");

    // Taken back before it was used.
    invite("eve@example.com", "owner").done();
    let link = sink.taken(2).pop().expect("a mail").link("invitation");
    assert_eq!(server.get(&link).0, 200);
    let args = ["user", "uninvite", "eve@example.com", "--account", "agency"];
    place.run(&args).done();
    assert_eq!(server.get(&link).0, 404);
    let error = place.run(&args).failed(3);
    assert!(error.contains("pressroom user invitations"), "{error}");
    let none = place.run(&["user", "invitations"]).done();
    assert_eq!(none, "");
    let (status, log) = server_log(server);
    assert!(status && !log.contains(&secret), "the log shows a link");
}

/// Ends a server; whether it ended well, and what it logged.
fn server_log(server: Server) -> (bool, String) {
    server.signal(rustix::process::Signal::TERM);
    let (status, log) = server.ended();
    (status.success(), log)
}

#[test]
fn another_password_comes_by_mail_and_ends_what_was_signed_in() {
    let sink = Sink::new();
    let place = with_mail(&sink);
    let server = Server::start(server(&place));
    let (_, page) = server.get("/sign-in");
    assert!(page.contains("Forgot your password?"), "{page}");
    let forgot = |email: &str| {
        let email = email.replace('@', "%40");
        post(server.address, "/forgot", &format!("email={email}"))
    };
    // The same page, whoever is asked for.
    let unknown = forgot("nobody@example.com");
    let known = forgot("ann@example.com");
    assert_eq!(known, unknown);
    assert!(known.1.contains("If somebody is known by this address"));
    let mail = sink.taken(1).remove(0);
    assert_eq!(mail.to, "ann@example.com");
    let link = mail.link("reset");
    let (status, page) = server.get(&link);
    assert_eq!(status, 200);
    assert!(page.contains("ann@example.com"), "{page}");
    assert_eq!(sign_in(server.address, "ann@example.com", PASSWORD), 303);

    let form = format!("password={CHOSEN}&again={CHOSEN}");
    assert_eq!(post(server.address, &link, &form).0, 303);
    assert_eq!(
        post(server.address, &link, &form).0,
        404,
        "it was good once"
    );
    assert_eq!(sign_in(server.address, "ann@example.com", PASSWORD), 401);
    assert_eq!(
        sign_in(server.address, "ann@example.com", "long enough"),
        303
    );
    let told = sink.taken(2).pop().expect("a mail");
    assert_eq!(told.to, "ann@example.com");
    assert!(told.data.contains("was changed"), "{told:?}");

    // An operator's goes the same way, or is printed.
    let said = place.run(&["user", "reset", "ann@example.com"]);
    assert!(
        said.out.is_empty() && said.err.contains("by mail"),
        "{said:?}"
    );
    let link = sink.taken(3).pop().expect("a mail").link("reset");
    assert_eq!(server.get(&link).0, 200);
    let printed = place
        .run(&["user", "reset", "ann@example.com", "--print"])
        .done();
    let printed = printed.trim().strip_prefix("https://press.example");
    assert_eq!(server.get(printed.expect("our address")).0, 200);
    for _ in 0..3 {
        forgot("nobody@example.com");
    }
    assert_eq!(forgot("nobody@example.com").0, 429);
    assert_eq!(sink.taken(3).len(), 3, "to nobody goes nothing");
}

#[test]
fn mail_is_tried_before_anybody_relies_on_it() {
    let sink = Sink::new();
    let place = with_mail(&sink);
    let said = place.run(&["mail", "test", "you@example.com"]);
    assert!(
        said.err.contains("took a mail to you@example.com"),
        "{said:?}"
    );
    assert_eq!(sink.taken(1)[0].to, "you@example.com");
    let odd = place.run(&["mail", "test", "no address"]).failed(2);
    assert!(odd.contains("not an e-mail address"), "{odd}");

    // Without a server links are printed, and pages say who helps.
    fs::remove_file(place.data().join("pressroom.toml")).expect("removed");
    let error = place.run(&["mail", "test", "you@example.com"]);
    assert_ne!(error.code, Some(0));
    assert!(error.err.contains("mail.smtp"), "{error:?}");
    let args = [
        "user",
        "invite",
        "bob@example.com",
        "--account",
        "agency",
        "--role",
        "viewer",
    ];
    let said = place.run(&args);
    assert!(said.err.contains("nobody else"), "{said:?}");
    let link = said.done();
    let server = Server::start(server(&place));
    let (_, path) = link.trim().split_once("/invitation/").expect("a link");
    assert_eq!(server.get(&format!("/invitation/{path}")).0, 200);
    let (_, page) = server.get("/forgot");
    assert!(page.contains("pressroom user reset"), "{page}");
    assert_eq!(
        post(server.address, "/forgot", "email=ann%40example.com").1,
        page
    );
    let unknown = place.run(&[
        "user",
        "invite",
        "bob@example.com",
        "--account",
        "none",
        "--role",
        "viewer",
    ]);
    let unknown = unknown.failed(3);
    assert!(unknown.contains("pressroom account add"), "{unknown}");
}
