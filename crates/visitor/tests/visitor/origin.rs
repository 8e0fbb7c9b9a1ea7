//! The way to a site's registered address, over real sockets.

use pressroom_providers::{hosting::Origin, probe::Prober};
use pressroom_visitor::{AtOrigin, Channel, Fetch, Unreachable};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers with what was asked, in its body.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = vec![0; 8192];
                let length = stream.read(&mut read).await.unwrap_or(0);
                let asked = String::from_utf8_lossy(&read[..length]).into_owned();
                if asked.starts_with("GET /slow") {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
                let head = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nX-A: 1\r\nX-A: 2\r\n";
                let answer = format!("{head}Content-Length: {}\r\n\r\n{asked}", asked.len());
                let _gone = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    addr
}

fn at(prober: &Prober, addr: SocketAddr) -> AtOrigin {
    AtOrigin::new(
        prober,
        Origin {
            addr,
            host: "a.example".into(),
            tls: false,
        },
    )
}

#[tokio::test]
async fn a_registered_origin_is_asked_and_nothing_else() {
    let addr = echo().await;
    let prober = Prober::new();
    let origin = at(&prober, addr);
    let fetch = || Fetch::get("/a?b=1", 1 << 16, Duration::from_secs(5)).header("x-b", "2");
    let refused = origin.fetch(fetch()).await.unwrap_err();
    assert!(matches!(refused, Unreachable::Refused(_)), "{refused}");
    prober.register(addr);
    let fetched = origin.fetch(fetch()).await.unwrap();
    // Its redirect is told, not followed.
    assert_eq!(fetched.status, 302);
    assert_eq!(fetched.header("location"), Some("http://169.254.169.254/"));
    let twice = fetched.headers.iter().filter(|(name, _)| name == "x-a");
    assert_eq!(twice.count(), 2);
    let asked = String::from_utf8(fetched.body).unwrap();
    assert!(asked.starts_with("GET /a?b=1 HTTP/1.1"), "{asked}");
    assert!(asked.contains("host: a.example\r\n"), "{asked}");
    assert!(asked.contains("x-b: 2\r\n"), "{asked}");
}

#[tokio::test]
async fn limits_hold() {
    let addr = echo().await;
    let prober = Prober::new();
    prober.register(addr);
    let origin = at(&prober, addr);
    let cut = origin
        .fetch(Fetch::get("/", 10, Duration::from_secs(5)))
        .await
        .unwrap();
    assert!(cut.cut);
    assert_eq!(cut.body.len(), 10);
    let late = origin
        .fetch(Fetch::get("/slow", 10, Duration::from_millis(1200)))
        .await
        .unwrap_err();
    assert!(
        matches!(late, Unreachable::Late { .. } | Unreachable::NoAnswer(_)),
        "{late}"
    );
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = gone.local_addr().unwrap();
    drop(gone);
    prober.register(addr);
    let none = at(&prober, addr)
        .fetch(Fetch::get("/", 10, Duration::from_secs(5)))
        .await
        .unwrap_err();
    assert!(matches!(none, Unreachable::NoAnswer(_)), "{none}");
}
