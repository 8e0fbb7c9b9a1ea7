//! Stylesheet, scripts and pictures, embedded in the binary.

use crate::errors::Failure;
use axum::{
    extract::{Path, Query},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;
use std::fmt::Write as _;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

#[derive(Deserialize)]
pub(crate) struct Version {
    #[serde(default)]
    v: String,
}

/// The address of an asset, changing with its content.
pub(crate) fn url(path: &str) -> String {
    match Assets::get(path) {
        Some(file) => format!("/assets/{path}?v={}", version(&file)),
        None => format!("/assets/{path}"),
    }
}

/// `GET /assets/{path}`
pub(crate) async fn serve(
    Path(path): Path<String>,
    Query(asked): Query<Version>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let file = Assets::get(&path).ok_or_else(Failure::missing)?;
    let version = version(&file);
    let etag = format!("\"{version}\"");
    let caching = if asked.v == version {
        "public, max-age=31536000, immutable"
    } else {
        "public, no-cache"
    };
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| {
            known
                .split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == etag)
        });
    let head = [(ETAG, etag), (CACHE_CONTROL, caching.to_owned())];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let kind = [(CONTENT_TYPE, content_type(&path))];
    Ok((head, kind, file.data).into_response())
}

fn version(file: &EmbeddedFile) -> String {
    let mut text = String::with_capacity(16);
    for byte in &file.metadata.sha256_hash()[..8] {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, kind)| kind) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_has_a_versioned_address() {
        for path in Assets::iter() {
            let url = url(&path);
            assert!(url.starts_with(&format!("/assets/{path}?v=")), "{url}");
        }
        assert_eq!(url("none.css"), "/assets/none.css");
    }

    #[tokio::test]
    async fn a_known_version_is_not_sent_again() {
        let file = Assets::get("console.css").unwrap();
        let ask = |v: String, headers: HeaderMap| {
            serve(Path("console.css".into()), Query(Version { v }), headers)
        };
        let first = ask(version(&file), HeaderMap::new()).await.unwrap();
        assert!(
            first.headers()[CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        let again = ask(String::new(), headers).await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[CACHE_CONTROL], "public, no-cache");
        assert!(
            serve(
                Path("../Cargo.toml".into()),
                Query(Version { v: String::new() }),
                HeaderMap::new()
            )
            .await
            .is_err()
        );
    }
}
