//! A package at an address that somebody names.

use super::{
    Error, Package, PackageCache, PackageKind, Result,
    candidate::Place,
    source::check_name,
    storage::{Wanted, stamp_of},
    wordpress_org::download,
};
use crate::outgoing::Outgoing;
use url::Url;

/// Bytes of a package that may be fetched so.
const LIMIT: u64 = 100 << 20;

impl PackageCache {
    /// Fetches a plugin or theme from an `https` address of a public host, redirects to
    /// such ones included, of at most 100 MiB. It is asked each time: what lies there may
    /// change. The package passes the same checks as one from a source, and must have
    /// `slug` as its one folder.
    pub async fn fetch_address(&self, kind: PackageKind, slug: &str, url: &str) -> Result<Package> {
        self.fetch_from(&Outgoing::public(), kind, slug, url, LIMIT)
            .await
    }

    async fn fetch_from(
        &self,
        outgoing: &Outgoing,
        kind: PackageKind,
        slug: &str,
        url: &str,
        limit: u64,
    ) -> Result<Package> {
        check_name("slug", slug)?;
        let url: Url = url.parse().map_err(|_| Error::BadName {
            what: "address",
            name: url
                .chars()
                .take(200)
                .flat_map(char::escape_default)
                .collect(),
        })?;
        let temporary = self.storage().temporary()?;
        download(outgoing, url.clone(), &temporary.path, limit).await?;
        let stamp = stamp_of(&url);
        let index = self.storage().address_index(kind, slug, &stamp);
        let wanted = Wanted {
            kind,
            slug: slug.to_owned(),
            version: None,
        };
        let row = self
            .keep(temporary, Place::Url(url), wanted, &index, stamp)
            .await?;
        Ok(Package {
            kind,
            slug: slug.to_owned(),
            version: row.version,
            locale: "en_US".into(),
            path: self.storage().object(&row.sha256),
            sha256: row.sha256,
            size: row.size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing;
    use std::io::{Cursor, Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn package(slug: &str, header: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(format!("{slug}/{slug}.php"), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(header.as_bytes()).unwrap();
        zip.finish().unwrap().into_inner()
    }

    /// Answers every path with what `serve` gives for it.
    fn server(serve: fn(&str) -> (String, Vec<u8>)) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut asked = [0; 4096];
                let read = stream.read(&mut asked).unwrap();
                let line = String::from_utf8_lossy(&asked[..read]).into_owned();
                let (head, body) = serve(line.split(' ').nth(1).unwrap_or_default());
                let _gone = write!(
                    stream,
                    "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                )
                .and_then(|()| stream.write_all(&body));
            }
        });
        url.parse().unwrap()
    }

    fn serve(path: &str) -> (String, Vec<u8>) {
        let good = "<?php\n/* Plugin Name: Shop\nVersion: 1.2 */";
        match path {
            "/shop.zip" => ("200 OK".into(), package("shop", good)),
            "/other.zip" => ("200 OK".into(), package("other", good)),
            "/page.zip" => ("200 OK".into(), b"<html>".to_vec()),
            "/large.zip" => ("200 OK".into(), vec![0; 5000]),
            "/inside" => (
                "302 Found\r\nLocation: http://169.254.169.254/shop.zip".into(),
                vec![],
            ),
            "/there" => ("302 Found\r\nLocation: /shop.zip".into(), vec![]),
            _ => ("404 Not Found".into(), vec![]),
        }
    }

    #[tokio::test]
    async fn a_package_is_fetched_checked_and_kept_or_nothing_is() {
        let dir = tempfile::tempdir().unwrap();
        let cache = PackageCache::new(dir.path(), Vec::new());
        let base = server(serve);
        let outgoing = Outgoing::new(&base);
        let fetch = async |path: &str| {
            let url = base.join(path).unwrap();
            cache
                .fetch_from(&outgoing, PackageKind::Plugin, "shop", url.as_str(), 4000)
                .await
        };
        for path in ["shop.zip", "there"] {
            let package = fetch(path).await.unwrap();
            assert_eq!(package.version, "1.2");
            assert!(package.path.is_file());
        }
        let bad = async |path: &str| fetch(path).await.unwrap_err();
        assert!(matches!(bad("page.zip").await, Error::Damaged { .. }));
        let other = bad("other.zip").await;
        assert!(
            other.blames_request() && other.to_string().contains("`other`"),
            "{other}"
        );
        let large = bad("large.zip").await;
        assert!(matches!(
            large,
            Error::Source(outgoing::Error::TooLarge { .. })
        ));
        let inside = bad("inside").await;
        assert!(
            matches!(inside, Error::Source(outgoing::Error::Private(_))),
            "{inside}"
        );
        assert!(matches!(bad("gone").await, Error::Answer { .. }));
        let left = std::fs::read_dir(dir.path().join("tmp")).unwrap().count();
        assert_eq!(left, 0, "what did not become a package is removed");
    }

    #[tokio::test]
    async fn what_came_from_an_address_goes_again_and_leaves_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let cache = PackageCache::new(dir.path(), Vec::new());
        let mut url = server(serve).join("shop.zip").unwrap();
        let outgoing = Outgoing::new(&url);
        url.set_username("user").unwrap();
        url.set_password(Some("hidden")).unwrap();
        url.set_fragment(Some("hidden"));
        let kind = PackageKind::Plugin;
        let package = cache
            .fetch_from(&outgoing, kind, "shop", url.as_str(), 4000)
            .await
            .unwrap();
        for entry in std::fs::read_dir(dir.path().join("index")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains("hidden"), "{text}");
        }
        std::fs::write(dir.path().join("tmp/left"), "by a killed download").unwrap();
        cache.prune(Duration::from_hours(1)).await.unwrap();
        assert!(package.path.is_file() && dir.path().join("tmp/left").exists());
        cache.prune(Duration::ZERO).await.unwrap();
        assert!(!package.path.exists() && !dir.path().join("tmp/left").exists());
        let index = std::fs::read_dir(dir.path().join("index")).unwrap();
        assert_eq!(index.count(), 0);
    }

    #[tokio::test]
    async fn a_package_that_a_source_has_too_outlives_its_address() {
        let dir = tempfile::tempdir().unwrap();
        let cache = PackageCache::new(dir.path(), Vec::new());
        let url = server(serve).join("shop.zip").unwrap();
        let package = cache
            .fetch_from(
                &Outgoing::new(&url),
                PackageKind::Plugin,
                "shop",
                url.as_str(),
                4000,
            )
            .await
            .unwrap();
        let rows = || -> Vec<_> {
            let index = std::fs::read_dir(dir.path().join("index")).unwrap();
            index.map(|entry| entry.unwrap().path()).collect()
        };
        let source = dir.path().join("index/plugin-shop.json");
        std::fs::copy(&rows()[0], &source).unwrap();
        cache.prune(Duration::ZERO).await.unwrap();
        assert!(package.path.is_file());
        assert_eq!(rows(), [source]);
    }

    #[tokio::test]
    async fn only_public_https_addresses_are_asked() {
        let dir = tempfile::tempdir().unwrap();
        let cache = PackageCache::new(dir.path(), Vec::new());
        for url in [
            "https://127.0.0.1/shop.zip",
            "https://localhost/shop.zip",
            "http://192.0.2.1/shop.zip",
            "file:///etc/passwd",
            "not an address",
        ] {
            let error = cache
                .fetch_address(PackageKind::Plugin, "shop", url)
                .await
                .unwrap_err();
            assert!(error.blames_request(), "{url}: {error}");
        }
    }
}
