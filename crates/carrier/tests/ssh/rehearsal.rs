//! A throw-away clone at the other end of a line.

use crate::host::{Host, soon};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Epoch;
use pressroom_lab::{Hosted, Wordpress};
use pressroom_wordpress::{
    bridge::Action,
    rehearsal::{RehearsalOptions, Visit},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

const EPOCH: Epoch = Epoch::new(3);
const DIRECTORY: &str = "www";

#[tokio::test]
async fn a_clone_is_made_looked_at_and_dropped() {
    let host = Host::new();
    let hosted = Hosted::new(
        Wordpress::V6_5,
        &host.login,
        DIRECTORY,
        "shop.example.test",
        None,
    )
    .unwrap();
    let session = host.session().await;
    session.recover(EPOCH).await.unwrap();
    let site = SiteRef {
        root: DIRECTORY.into(),
        php: Some("php".into()),
    };
    let before = session.tree_hash(DIRECTORY).await.unwrap();
    let made = session.make_rehearsal(EPOCH, site.clone(), RehearsalOptions::default());
    let clone = soon(made).await.unwrap();
    assert_eq!(clone.unblocked, [""; 0], "{clone:?}");

    let page = soon(session.visit(&clone.handle, Visit::get("/")))
        .await
        .unwrap();
    let live = live_page(&hosted);
    assert_eq!(page.status, 200);
    assert!(page.body.ends_with(b"</html>\n") && live.ends_with(b"</html>\n"));
    let title = b"<title>Lab</title>".as_slice();
    for body in [&page.body, &live] {
        assert!(body.windows(title.len()).any(|part| part == title));
    }
    let picture = soon(session.visit(&clone.handle, Visit::get("/wp-includes/images/blank.gif")));
    assert!(picture.await.unwrap().body.starts_with(b"GIF8"));
    let report = soon(session.bridge(
        Some(EPOCH),
        &clone.root,
        "php",
        vec![Action::ReadActivePlugins],
    ))
    .await
    .unwrap();
    assert!(report.is_ok(), "{report:?}");
    let log = soon(session.rehearsal_log(&clone.handle)).await.unwrap();
    assert_eq!(log.php_errors, [], "{log:?}");

    soon(session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    let left = host.login.home().join(".pressroom/rehearsal");
    assert_eq!(std::fs::read_dir(left).unwrap().count(), 0);
    assert_eq!(hosted.database.sql("SHOW TABLES LIKE 'prr%'").unwrap(), "");
    assert_eq!(session.tree_hash(DIRECTORY).await.unwrap(), before);

    // A line that is cut takes the clone's processes along, the next work the clone.
    let made = session.make_rehearsal(EPOCH, site, RehearsalOptions::default());
    let clone = soon(made).await.unwrap();
    let page = soon(session.visit(&clone.handle, Visit::get("/")))
        .await
        .unwrap();
    assert_eq!(page.status, 200);
    soon(session.close()).await;
    let next = host.session().await;
    let recovery = soon(next.recover(Epoch::new(4))).await.unwrap();
    assert_eq!(recovery.dropped_rehearsals, [clone.handle], "{recovery:?}");
    assert_eq!(hosted.database.sql("SHOW TABLES LIKE 'prr%'").unwrap(), "");
}

fn live_page(hosted: &Hosted) -> Vec<u8> {
    let mut stream = TcpStream::connect(hosted.addr).unwrap();
    let host = hosted.url.trim_start_matches("http://");
    let request = format!("GET / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
