//! Stores to test with, and what is put into them.

use crate::cloud::{ACCESS_KEY, BUCKET, Cloud, SECRET_KEY};
use futures_util::TryStreamExt;
use pressroom_archive::{
    Archive, Format, Key, Manifest, Objects, Place, S3Config, Said, SnapshotName, Streaming,
};
use pressroom_base::{
    Secret, Timestamp,
    id::{AccountId, EnvironmentId},
};
use pressroom_testkit::Scratch;
use std::{
    io::{Cursor, Write},
    net::SocketAddr,
    path::PathBuf,
};

/// A store of either kind, with a look at what really lies in it.
pub struct Stores {
    pub archive: Archive,
    pub cloud: Option<Cloud>,
    pub scratch: Scratch,
}

impl Stores {
    pub fn directory() -> Self {
        let scratch = Scratch::new().unwrap();
        let objects = Objects::directory(scratch.path().join("archive")).unwrap();
        Self {
            archive: Archive::new(objects),
            cloud: None,
            scratch,
        }
    }

    pub async fn s3() -> Self {
        let scratch = Scratch::new().unwrap();
        let cloud = Cloud::start(&scratch.path().join("archive")).await;
        let objects = Objects::s3(config(cloud.address)).unwrap();
        Self {
            archive: Archive::new(objects),
            cloud: Some(cloud),
            scratch,
        }
    }

    pub fn objects(&self) -> &Objects {
        self.archive.objects()
    }

    /// The file in which an object lies.
    pub fn file(&self, key: &Key) -> PathBuf {
        match &self.cloud {
            Some(cloud) => cloud.file(key.as_str()),
            None => self.scratch.path().join("archive").join(key.as_str()),
        }
    }

    /// Every file of the store, whether an object or not, without those that only
    /// describe objects.
    pub fn files(&self) -> Vec<String> {
        let root = self.scratch.path().join("archive");
        let mut found = Vec::new();
        let mut waiting = vec![root.clone()];
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                    let describes = name.starts_with(".bucket-") && !name.contains(".upload-");
                    // What a server is just receiving goes with its connection.
                    let passes = name.starts_with(".tmp.");
                    if !describes && !passes {
                        found.push(name.to_owned());
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// Asserts that the store holds nothing: no object, no upload, no file.
    pub async fn assert_empty(&self) {
        let listed: Vec<_> = self
            .objects()
            .list(&Key::parse("snapshots").unwrap(), None)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(listed, []);
        let later = Timestamp::now().plus(std::time::Duration::from_mins(1));
        assert_eq!(self.objects().unfinished(later).await.unwrap(), []);
        assert_eq!(self.files(), [""; 0]);
    }
}

pub fn config(address: SocketAddr) -> S3Config {
    S3Config {
        access_key: ACCESS_KEY.into(),
        secret: Secret::new(SECRET_KEY.into()),
        allow_http: true,
        retries: 2,
        ..S3Config::new(format!("http://{address}"), BUCKET)
    }
}

pub fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

pub fn place(id: &str) -> Place {
    Place {
        account: AccountId::new(4),
        environment: EnvironmentId::new(9),
        name: SnapshotName::parse(id).unwrap(),
    }
}

/// Bytes that do not compress, the same for the same seed: one random block, repeated
/// at a distance that packers do not look back over, with its number at the beginning.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    const BLOCK: usize = 1 << 20;
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut block = Vec::with_capacity(BLOCK);
    while block.len() < BLOCK.min(len.next_multiple_of(8)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend(state.to_le_bytes());
    }
    let mut bytes = Vec::with_capacity(len + BLOCK);
    for number in 0..len.div_ceil(BLOCK) {
        bytes.extend_from_slice(&block);
        if number > 0 {
            bytes[number * BLOCK..number * BLOCK + 8].copy_from_slice(&number.to_le_bytes());
        }
    }
    bytes.truncate(len);
    bytes
}

/// A tar.zst of about so many bytes, with the frame checksums of a careful packer.
pub fn tar_zst(len: usize) -> Vec<u8> {
    let mut content = noise(len.next_multiple_of(512), 5);
    content.extend([0; 1024]);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(&content).unwrap();
    encoder.finish().unwrap()
}

pub fn zip(files: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..files {
        let options = zip::write::SimpleFileOptions::default();
        writer
            .start_file(format!("file-{number}"), options)
            .unwrap();
        writer.write_all(&noise(2000, number as u64)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Stores a whole snapshot.
pub async fn store(archive: &Archive, id: &str, format: Format, bytes: &[u8]) -> Manifest {
    archive
        .receive(&place(id), format, bytes, &Streaming::default())
        .await
        .unwrap()
        .commit(Said::default())
        .await
        .unwrap()
}
