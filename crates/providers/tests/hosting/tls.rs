//! HTTPS with an operator's certificate.

use crate::stack::{Answer, Stack, ask, write};
use pressroom_providers::hosting::{TlsFiles, WebSite};
use std::{net::TcpListener, path::Path, process::Command};

fn certify(dir: &Path, name: &str) -> TlsFiles {
    let files = TlsFiles {
        certificate: dir.join(format!("{name}.pem")),
        key: dir.join(format!("{name}.key")),
    };
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
        ])
        .arg(format!("/CN={name}"))
        .arg("-keyout")
        .arg(&files.key)
        .arg("-out")
        .arg(&files.certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    files
}

fn curl(https: u16, host: &str, path: &str) -> std::process::Output {
    Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--insecure",
            "--max-time",
            "10",
            "--noproxy",
            "*",
            "--write-out",
            " %{http_code} %{http_version}",
            "--resolve",
        ])
        .arg(format!("{host}:{https}:127.0.0.1"))
        .arg(format!("https://{host}:{https}{path}"))
        .output()
        .unwrap()
}

fn subject(https: u16, host: &str) -> String {
    let output = Command::new("openssl")
        .args([
            "s_client",
            "-connect",
            &format!("127.0.0.1:{https}"),
            "-servername",
            host,
        ])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find(|line| line.starts_with("subject="))
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_site_with_a_certificate_is_served_over_https_only() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let stack = Stack::up_with(|config| config.https_addr = Some(free)).await;
    let https = free.port();
    let plain = stack.site("plain.example").await;
    write(
        &plain,
        "public_html/index.php",
        "<?php echo 'plain ', $_SERVER['HTTPS'] ?? 'off';",
    );
    let site = stack.site("a.example").await;
    write(
        &site,
        "public_html/index.php",
        "<?php echo $_SERVER['HTTPS'], ' ', $_SERVER['REQUEST_SCHEME'];",
    );
    write(
        &site,
        "public_html/.well-known/acme-challenge/token",
        "challenge",
    );
    let with = |tls: TlsFiles| WebSite {
        tls: Some(tls),
        ..site.clone()
    };
    let files = certify(stack.temp.path(), "one");
    stack
        .hosting
        .ensure_web(&with(files.clone()))
        .await
        .unwrap();
    let output = curl(https, "a.example", "/");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "on https 200 2",
        "{output:?}"
    );

    let addr = stack.hosting.origin("a.example").unwrap().addr;
    let get = |path: &str, more: &str| {
        let request = format!("GET {path} HTTP/1.0\r\nHost: a.example\r\n{more}\r\n");
        async move { ask(addr, &request).await }
    };
    let answer: Answer = get("/page?a=1", "").await;
    let location = format!("https://a.example:{https}/page?a=1");
    assert_eq!(
        (answer.status, answer.header("Location")),
        (301, Some(location.as_str()))
    );
    assert_eq!(
        get("/x%0d%0aX-Injected:%201/", "")
            .await
            .header("X-Injected"),
        None
    );
    // A proxy on this machine that speaks HTTPS itself is not sent in a circle.
    assert_eq!(
        get("/", "X-Forwarded-Proto: https\r\n").await.body,
        "on https"
    );
    // Certificates are renewed over plain HTTP.
    assert_eq!(
        get("/.well-known/acme-challenge/token", "").await.body,
        "challenge"
    );
    assert_eq!(stack.get("plain.example", "/").await.1, "plain off");
    // Without a certificate there is no HTTPS, and no other site's either.
    assert!(!curl(https, "plain.example", "/").status.success());
    assert!(!curl(https, "unknown.example", "/").status.success());

    // A renewed certificate under the same name is taken by `up`.
    assert!(subject(https, "a.example").contains("one"));
    let renewed = certify(stack.temp.path(), "two");
    std::fs::copy(&renewed.certificate, &files.certificate).unwrap();
    std::fs::copy(&renewed.key, &files.key).unwrap();
    stack.hosting.up().await.unwrap();
    assert!(
        subject(https, "a.example").contains("two"),
        "{}",
        subject(https, "a.example")
    );

    // One that does not fit its key changes nothing.
    let broken = TlsFiles {
        certificate: certify(stack.temp.path(), "three").certificate,
        key: files.key.clone(),
    };
    let error = stack.hosting.ensure_web(&with(broken)).await.unwrap_err();
    assert!(error.to_string().contains("key values mismatch"), "{error}");
    assert!(subject(https, "a.example").contains("two"));
    stack.hosting.ensure_web(&site).await.unwrap();
    assert!(!curl(https, "a.example", "/").status.success());
    assert_eq!(stack.get("a.example", "/").await.0, 200);
}
