//! W17: archives that are sent.

use crate::{
    parcel::{Parcel, awaited, gzip, tar, tar_gz},
    scene::until,
    sites::connected,
    world::{ANA, FRED, MIA, World, assert_error, worlds},
};
use data_encoding::BASE64;
use futures_util::stream;
use pressroom_store::{EnvironmentState, environments};
use reqwest::Body;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use tar::EntryType::{Char, Link, Regular, Symlink};
use tokio::{io::AsyncWriteExt, net::TcpStream};

async fn place(world: &World, name: &str) -> String {
    let row = connected(world, "Acme", name, EnvironmentState::Active).await;
    let site = environments::get_site(&world.test.store, row.site_id).await;
    let site = site.expect("found").expect("a site");
    format!("/sites/site_{}/snapshots", site.short_id)
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

async fn status(world: &World, auth: &str, path: &str) -> String {
    let shown = world.get(auth, path).await;
    shown.string("status").expect("a status")
}

#[tokio::test]
async fn w17_takes_in_every_form_and_says_what_it_is() {
    Box::pin(worlds(async |world| {
        let place = place(&world, "beta").await;
        let token = world.sign_in(MIA).await;
        let plain = tar(&[
            ("wp-content/a.txt", Regular, "", b"one"),
            (
                "wp-includes/version.php",
                Regular,
                "",
                b"<?php\n$wp_version = '6.5.5';\n",
            ),
        ]);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("wp-content/a.txt", zip::write::SimpleFileOptions::default())
            .expect("a file");
        zip.write_all(b"one").expect("content");
        let zip = zip.finish().expect("an archive").into_inner();
        for (media, bytes, version) in [
            ("application/gzip", gzip(&plain), json!("6.5.5")),
            ("application/x-tar", plain.clone(), json!("6.5.5")),
            ("application/zip", zip, Value::Null),
            ("application/octet-stream", gzip(&plain), json!("6.5.5")),
            ("application/octet-stream; x=y", tar_gz(b"x"), Value::Null),
        ] {
            let id = awaited(&world, &token, &place, json!({ "kind": "files" })).await;
            let here = format!("{place}/{id}");
            let asked = world.get(&token, &here).await;
            let url = asked.body["upload"]["url"].as_str().expect("an address");
            assert_eq!(url, format!("https://press.example/api/v1{here}/upload"));
            assert_eq!(asked.body["upload"]["required"], true);
            assert!(asked.body["upload"]["expires_at"].is_string());
            assert_eq!(asked.body["contents"]["files"], false);
            let path = format!("{here}/upload");
            let parcel = Parcel {
                media,
                ..Parcel::new(&path, &token)
            };
            let reply = parcel.send(&world, bytes.clone()).await;
            assert_eq!(reply.status, 200, "{media}: {}", reply.text);
            assert_eq!(reply.body["status"], "available");
            assert_eq!(reply.body["sha256"], hash(&bytes));
            assert_eq!(reply.body["size_bytes"], bytes.len());
            assert_eq!(reply.body["wp_version"], version);
            assert_eq!(reply.body["contents"]["files"], true);
            assert_eq!(
                reply.body["upload"],
                json!({ "required": false, "url": null, "expires_at": null })
            );
            assert!(reply.body["download_url"].is_string());
            assert!(reply.body["completed_at"].is_string());
            let again = parcel.send(&world, bytes).await;
            assert_error(&again, 422, "Snapshot is not awaiting upload");
        }
        let log = world
            .get(&token, "/activity_logs?event=snapshot.created")
            .await;
        assert_eq!(log.header("total-count"), Some("5"));
        assert_eq!(log.body[0]["actor"]["name"], "Mia");
    }))
    .await;
}

#[tokio::test]
async fn w17_checksums_and_forms() {
    worlds(async |world| {
        let place = place(&world, "beta").await;
        let token = world.sign_in(ANA).await;
        let bytes = tar_gz(b"content");
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        let digest = |bytes: &[u8]| format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(bytes)));
        let (right, wrong) = (hash(&bytes), hash(b"else"));
        let (right_digest, wrong_digest) = (digest(&bytes), digest(b"else"));
        let send = async |headers: &[(&str, &str)]| {
            let parcel = Parcel {
                headers,
                ..Parcel::new(&path, &token)
            };
            parcel.send(&world, bytes.clone()).await
        };
        for headers in [
            [("x-checksum-sha256", wrong.as_str())],
            [("content-digest", wrong_digest.as_str())],
        ] {
            assert_error(&send(&headers).await, 422, "Checksum mismatch");
        }
        for headers in [
            [("x-checksum-sha256", "abc"), ("x-none", "")],
            [("content-digest", "sha-256=:AAAA:"), ("x-none", "")],
            [("content-digest", "sha-256=abc"), ("x-none", "")],
            [
                ("x-checksum-sha256", &right),
                ("content-digest", &wrong_digest),
            ],
        ] {
            let reply = send(&headers).await;
            assert_eq!(reply.status, 422, "{}", reply.text);
            assert!(reply.text.contains("is invalid"), "{}", reply.text);
        }
        assert_eq!(Parcel::kept(&world), 0);
        assert_eq!(
            status(&world, &token, &format!("{place}/{id}")).await,
            "awaiting_upload"
        );
        let upper = right.to_uppercase();
        let both = format!("md5=:AAAA:, {right_digest}");
        let reply = send(&[("x-checksum-sha256", &upper), ("content-digest", &both)]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);

        // The same in a form, beside other parts.
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        let form = |name: &str| {
            let mut form = format!(
                "--b0\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nx\r\n--b0\r\n\
                 Content-Disposition: form-data; name=\"{name}\"; filename=\"s.tgz\"\r\n\
                 Content-Type: application/gzip\r\n\r\n"
            )
            .into_bytes();
            form.extend(&bytes);
            form.extend(b"\r\n--b0--\r\n");
            form
        };
        let headers = [("x-checksum-sha256", right.as_str())];
        let parcel = Parcel {
            media: "multipart/form-data; boundary=b0",
            headers: &headers,
            ..Parcel::new(&path, &token)
        };
        let none = parcel.send(&world, form("other")).await;
        assert_eq!(none.status, 422, "{}", none.text);
        let reply = parcel.send(&world, form("file")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["size_bytes"], bytes.len());
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        let parcel = Parcel {
            media: "multipart/form-data",
            ..Parcel::new(&path, &token)
        };
        assert_eq!(parcel.send(&world, form("file")).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn w17_what_is_hostile_or_no_archive_is_refused() {
    worlds(async |world| {
        let place = place(&world, "beta").await;
        let token = world.sign_in(ANA).await;
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        let whole = tar_gz(&[7; 9000]);
        let mut bodies = vec![
            b"hello".to_vec(),
            whole[..whole.len() / 2].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            tar(&[("a", Regular, "", b"1")])[..1000].to_vec(),
        ];
        for (name, kind, target) in [
            ("../x", Regular, ""),
            ("/etc/x", Regular, ""),
            ("x", Symlink, "../../etc/passwd"),
            ("x", Symlink, "/etc/passwd"),
            ("x", Link, "../x"),
            ("x", Char, ""),
        ] {
            bodies.push(gzip(&tar(&[(name, kind, target, b"")])));
        }
        for body in bodies {
            let reply = Parcel::new(&path, &token).send(&world, body).await;
            assert_eq!(reply.status, 422, "{}", reply.text);
            assert_eq!(reply.body["error"], "Archive is not readable");
            assert!(
                reply.body["errors"]["file"][0].is_string(),
                "{}",
                reply.text
            );
        }
        let nothing = raw(&world, &path, &token, "Content-Length: 0\r\n", b"").await;
        assert!(nothing.contains("Archive is not readable"), "{nothing}");
        assert_eq!(Parcel::kept(&world), 0);
        assert_eq!(
            status(&world, &token, &format!("{place}/{id}")).await,
            "awaiting_upload"
        );
    })
    .await;
}

#[tokio::test]
async fn w17_length_size_and_kind() {
    worlds(async |world| {
        let place = place(&world, "beta").await;
        let token = world.sign_in(ANA).await;
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        for media in [
            "application/json",
            "text/html",
            "application/x-www-form-urlencoded",
        ] {
            let parcel = Parcel {
                media,
                ..Parcel::new(&path, &token)
            };
            let reply = parcel.send(&world, tar_gz(b"x")).await;
            assert_error(&reply, 415, "Unsupported media type");
        }
        // Declared, and found out on the way.
        let limit = usize::try_from(crate::fleet::UPLOAD_LIMIT).expect("small");
        let large = vec![0; limit + 1];
        let reply = Parcel::new(&path, &token).send(&world, large.clone()).await;
        assert_error(&reply, 413, "Payload too large");
        let mut start = tar(&[]);
        start[257..262].copy_from_slice(b"ustar");
        let pieces = stream::iter([Ok::<_, std::io::Error>(start), Ok(large)]);
        let reply = Parcel::new(&path, &token)
            .send(&world, Body::wrap_stream(pieces))
            .await;
        assert_error(&reply, 413, "Payload too large");
        // Neither a length nor pieces.
        let answer = raw(&world, &path, &token, "", b"").await;
        assert!(answer.starts_with("HTTP/1.1 411 "), "{answer}");
        assert!(answer.contains("Length required"), "{answer}");
        // In pieces.
        let bytes = tar_gz(&[3; 3000]);
        let pieces: Vec<_> = bytes
            .chunks(100)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        let reply = Parcel::new(&path, &token)
            .send(&world, Body::wrap_stream(stream::iter(pieces)))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["sha256"], hash(&bytes));
    })
    .await;
}

/// Sends a head and some bytes over a plain connection; what is answered.
async fn raw(world: &World, path: &str, token: &str, more: &str, bytes: &[u8]) -> String {
    use tokio::io::AsyncReadExt;
    let mut stream = begun(world, path, token, more, bytes).await;
    let mut answer = vec![0; 4096];
    let count = stream.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

async fn begun(world: &World, path: &str, token: &str, more: &str, bytes: &[u8]) -> TcpStream {
    let address = world.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "PUT /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {token}\r\n\
         Content-Type: application/gzip\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(bytes).await.expect("sent");
    stream
}

#[tokio::test]
async fn w17_a_broken_connection_leaves_nothing() {
    worlds(async |world| {
        let place = place(&world, "beta").await;
        let token = world.sign_in(ANA).await;
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        // Not compressible: more than is gathered before it is written.
        let mut noise = vec![0; 3 << 20];
        let mut state = 1_u64;
        for byte in &mut noise {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = state.to_be_bytes()[0];
        }
        let bytes = tar_gz(&noise);
        let length = format!("Content-Length: {}\r\n", bytes.len());
        for sent in [10, 600, 2 << 20] {
            let stream = begun(&world, &path, &token, &length, &bytes[..sent]).await;
            if sent > 1 << 20 {
                until(|| Parcel::kept(&world) > 0).await;
            }
            drop(stream);
            until(|| Parcel::kept(&world) == 0).await;
        }
        assert_eq!(
            status(&world, &token, &format!("{place}/{id}")).await,
            "awaiting_upload"
        );
        let reply = Parcel::new(&path, &token).send(&world, bytes).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn w17_of_two_at_once_one_wins() {
    worlds(async |world| {
        let place = place(&world, "beta").await;
        let token = world.sign_in(ANA).await;
        let id = awaited(&world, &token, &place, json!({})).await;
        let path = format!("{place}/{id}/upload");
        let (one, two) = (tar_gz(b"one"), tar_gz(b"two"));
        let parcel = Parcel::new(&path, &token);
        let (first, second) = tokio::join!(
            parcel.send(&world, one.clone()),
            parcel.send(&world, two.clone())
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", first.text, second.text);
        let (won, lost, bytes) = if first.status == 200 {
            (first, second, one)
        } else {
            (second, first, two)
        };
        assert_error(&lost, 422, "Snapshot is not awaiting upload");
        assert_eq!(won.body["sha256"], hash(&bytes));
        // An archive and its manifest.
        assert_eq!(Parcel::kept(&world), 2);
    })
    .await;
}

#[tokio::test]
async fn w17_who_may_send() {
    worlds(async |world| {
        let ana = world.sign_in(ANA).await;
        let fred = world.sign_in(FRED).await;
        let none = "Record not found";
        let add = async |name: &str, url: &str| {
            let body = json!({ "name": name, "url": url });
            let added = world.post_as(&ana, "/sites", &body).await;
            assert_eq!(added.status, 201, "{}", added.text);
            let secret = added.body["connection"]["token"].as_str().expect("a token");
            let id = added.string("id").expect("an id");
            (format!("/sites/{id}/snapshots"), format!("token {secret}"))
        };
        let (own, site) = add("one", "https://one.example").await;
        let (_, other) = add("two", "https://two.example").await;
        let id = awaited(&world, &ana, &own, json!({})).await;
        let path = format!("{own}/{id}/upload");
        for auth in [&fred, &other] {
            let reply = Parcel::new(&path, auth).send(&world, tar_gz(b"x")).await;
            assert_error(&reply, 404, none);
        }
        let reader = world.issue(ANA, &["read"]).await;
        let reply = Parcel::new(&path, &reader).send(&world, tar_gz(b"x")).await;
        assert_error(&reply, 403, "Not authorized");
        let nobody = Parcel::new(&path, "token nothing");
        assert_error(
            &nobody.send(&world, tar_gz(b"x")).await,
            401,
            "Unauthorized",
        );
        // A site's token opens nothing else.
        for path in [
            "/me".to_owned(),
            "/sites".to_owned(),
            own.clone(),
            format!("{own}/{id}"),
        ] {
            assert_error(&world.get(&site, &path).await, 403, "Not authorized");
        }
        let asked = world
            .post_as(&site, &own, &json!({ "mode": "upload" }))
            .await;
        assert_error(&asked, 403, "Not authorized");
        let reply = Parcel::new(&path, &site).send(&world, tar_gz(b"x")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(
            reply.body.get("download_url"),
            None,
            "a site is handed nothing"
        );
        let log = world
            .get(&ana, "/activity_logs?event=snapshot.created")
            .await;
        assert_eq!(log.body[0]["actor"]["name"], "https://one.example");
        let unknown = format!(
            "{own}/snap_{}/upload",
            pressroom_base::id::ShortId::random()
        );
        let reply = Parcel::new(&unknown, &ana).send(&world, tar_gz(b"x")).await;
        assert_error(&reply, 404, none);
        let begun = world.post_as(&ana, &path, &json!({})).await;
        assert_eq!(begun.status, 405);
    })
    .await;
}
