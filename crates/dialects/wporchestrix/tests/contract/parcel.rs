//! Archives that are sent.

use crate::world::{World, full};
use flate2::{Compression, write::GzEncoder};
use pressroom_testkit::api::Reply;
use reqwest::Body;
use serde_json::{Value, json};
use std::io::Write;

/// How something is sent.
pub struct Parcel<'p> {
    pub path: &'p str,
    pub auth: &'p str,
    pub media: &'p str,
    pub headers: &'p [(&'p str, &'p str)],
}

impl<'p> Parcel<'p> {
    pub const fn new(path: &'p str, auth: &'p str) -> Self {
        Self {
            path,
            auth,
            media: "application/octet-stream",
            headers: &[],
        }
    }

    pub async fn send(&self, world: &World, body: impl Into<Body>) -> Reply {
        let client = pressroom_testkit::api::client_builder().build();
        let mut request = client
            .expect("a client")
            .put(format!("{}{}", world.base, full(self.path)))
            .header("authorization", self.auth)
            .header("content-type", self.media)
            .body(body);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a text");
        Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// How many files the archive keeps, unfinished ones among them.
    pub fn kept(world: &World) -> usize {
        fn files(directory: &std::path::Path) -> usize {
            let Ok(entries) = std::fs::read_dir(directory) else {
                return 0;
            };
            entries
                .flatten()
                .map(|entry| match entry.file_type() {
                    Ok(kind) if kind.is_dir() => files(&entry.path()),
                    _ => 1,
                })
                .sum()
        }
        files(&world.test.dir.path().join("archive"))
    }
}

/// Asks to send one; its id.
pub async fn awaited(world: &World, auth: &str, place: &str, mut body: Value) -> String {
    body["mode"] = json!("upload");
    let reply = world.post_as(auth, place, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.body["status"], "awaiting_upload");
    reply.string("id").expect("an id")
}

/// Asks and sends; its id.
pub async fn sent(world: &World, auth: &str, place: &str, bytes: &[u8]) -> String {
    let id = awaited(world, auth, place, json!({})).await;
    let path = format!("{place}/{id}/upload");
    let reply = Parcel::new(&path, auth).send(world, bytes.to_vec()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    id
}

/// A tar of these entries: name, kind, target of a link, content.
pub fn tar(entries: &[(&str, tar::EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, target, content) in entries {
        let mut header = tar::Header::new_ustar();
        // Not by the setters, which refuse what is hostile.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend([0; 1024]);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).expect("packs");
    packer.finish().expect("packs")
}

/// A site's files and tables, as somebody else packs them.
pub fn tar_gz(content: &[u8]) -> Vec<u8> {
    use tar::EntryType::Regular;
    gzip(&tar(&[
        ("wp-content/uploads/a.txt", Regular, "", content),
        ("site.sql", Regular, "", b"SELECT 1;"),
    ]))
}
