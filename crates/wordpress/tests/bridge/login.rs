//! One-time logins on networks, redeemed over HTTP.

use crate::lab::{Lab, read};
use pressroom_lab::{Multisite, Site, SiteOptions, Wordpress};
use pressroom_wordpress::bridge::{Action, BridgeOptions, outcomes::IssuedLogin};
use sha2::{Digest, Sha256};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(lab: &Lab) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // What a network's rewrite rules do: paths of a blog lead to the one tree.
        let router = lab.site.home().join("router.php");
        std::fs::write(
            &router,
            "<?php $path = preg_replace('~^/second(?=/)~', '', parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
             if (substr($path, -1) === '/' && $path !== '/') { $path .= 'index.php'; }
             $file = $_SERVER['DOCUMENT_ROOT'] . $path; if ($path === '/' || !is_file($file)) { $file = $_SERVER['DOCUMENT_ROOT'] . '/index.php'; }
             $_SERVER['SCRIPT_FILENAME'] = $file; $_SERVER['PHP_SELF'] = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH); chdir(dirname($file)); require $file;",
        )
        .unwrap();
        let child = Command::new("php")
            .args([
                "-d",
                "display_errors=1",
                "-S",
                &format!("127.0.0.1:{port}"),
                "-t",
            ])
            .arg(lab.site.path())
            .arg(&router)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("php");
        let server = Self { child, port };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the server does not come up");
            std::thread::yield_now();
        }
        server
    }

    /// Head and body of one page.
    fn get(&self, url: &str, cookies: &str) -> (String, String) {
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.to_owned(), body.to_owned())
    }
}

fn lines<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

fn issue(
    lab: &Lab,
    blog: u64,
    user: Option<&str>,
    redirect: &str,
    token: &str,
) -> Result<IssuedLogin, String> {
    let action = Action::IssueLogin {
        user: user.map(Into::into),
        token_hash: hex::encode(Sha256::digest(token)),
        lifetime_s: 60,
        redirect: redirect.into(),
    };
    let options = BridgeOptions {
        blog: Some(blog),
        ..BridgeOptions::default()
    };
    let report = lab.run_with(&[action], &options);
    let outcome = &report.outcomes[0];
    if outcome.ok {
        Ok(read(outcome))
    } else {
        Err(outcome.code.clone().unwrap())
    }
}

#[test]
fn a_link_works_once_on_every_blog_of_a_network() {
    for (wordpress, kind, second) in [
        (
            Wordpress::V6_5,
            Multisite::Subdirectories,
            "http://example.test/second",
        ),
        (
            Wordpress::V6_1,
            Multisite::Subdomains,
            "http://second.example.test",
        ),
    ] {
        let site = Site::with(&SiteOptions {
            wordpress,
            multisite: Some(kind),
            config: "define('WP_HTTP_BLOCK_EXTERNAL', true);".into(),
            ..SiteOptions::default()
        })
        .unwrap();
        let lab = Lab::of(site);
        let server = Server::start(&lab);
        lab.site
            .php("$id = wp_create_user('local', 'x', 'local@example.test'); remove_user_from_blog($id, 1); add_user_to_blog(2, $id, 'editor');")
            .unwrap();
        // Somebody of the other blog has nothing to do on this one.
        assert_eq!(
            issue(&lab, 1, Some("local"), "/", "t0"),
            Err("user_without_role".into())
        );

        for (user, redirect, target) in [
            (
                Some("local"),
                "/wp-admin/profile.php",
                format!("{second}/wp-admin/profile.php"),
            ),
            (
                None,
                "/wp-admin/network/",
                "http://example.test/wp-admin/network/".to_owned(),
            ),
        ] {
            let token = format!("token for {redirect}").replace(' ', "-");
            let issued = issue(&lab, 2, user, redirect, &token).unwrap();
            assert_eq!(issued.home, format!("{second}/"));
            let link = format!("{}?wisp_login={token}", issued.home);
            let (head, _) = server.get(&link, "");
            assert!(head.contains(" 302 "), "{head}");
            assert_eq!(lines(&head, "location"), [target.as_str()]);
            let cookies: Vec<&str> = lines(&head, "set-cookie")
                .into_iter()
                .filter_map(|cookie| cookie.split(';').next())
                .filter(|cookie| {
                    !cookie.ends_with('+')
                        && cookie.starts_with("wordpress_")
                        && !cookie.ends_with("=%20")
                })
                .collect();
            let (head, page) = server.get(&target, &cookies.join("; "));
            assert!(head.contains(" 200 "), "{redirect}: {head}");
            assert!(
                page.contains("wp-admin-bar") || page.contains("wpadminbar"),
                "{redirect}"
            );
            let (head, _) = server.get(&link, "");
            assert!(head.contains(" 403 "), "a second time: {head}");
        }
    }
}
