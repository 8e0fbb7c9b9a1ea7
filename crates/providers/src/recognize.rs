//! Whether a WordPress answers at an address of which nothing else is known.

use crate::outgoing::{self, Error, Outgoing};
use reqwest::{StatusCode, header::LINK};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// How long one page may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a page that are read; what tells WordPress stands far above.
const PAGE: u64 = 4 << 20;
/// What WordPress' API is called, in a header and in pages.
const API: &str = "https://api.w.org/";

/// What was seen at an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sighting {
    /// The front page's status, after redirects.
    pub status: u16,
    /// Whether what answered is plainly WordPress.
    pub is_wordpress: bool,
    /// The version that the page calls itself made by; nobody has verified it.
    pub version: Option<String>,
}

/// Looks at the front page and, where that tells nothing, at the API's index. An address in
/// a network that may not be asked is an error, as is one where nothing answers.
pub async fn recognize(outgoing: &Outgoing, url: &Url) -> Result<Sighting, Error> {
    let (status, page) = fetch(outgoing, url.clone()).await?;
    let mut seen = told(&page);
    seen.status = status.as_u16();
    if !seen.is_wordpress {
        let base = url.as_str().trim_end_matches('/');
        if let Ok(index) = Url::parse(&format!("{base}/wp-json/")) {
            // A site may have switched it off: that says nothing.
            let answered = fetch(outgoing, index).await;
            seen.is_wordpress = matches!(answered, Ok((status, body))
                if status.is_success() && is_index(&body));
        }
    }
    Ok(seen)
}

/// Status and page, with a line for each link that was told in a header.
async fn fetch(outgoing: &Outgoing, url: Url) -> Result<(StatusCode, String), Error> {
    let shown = outgoing::shown(&url);
    let asking = async {
        let answer = outgoing.get(url).await?;
        let status = answer.status();
        let links = answer.headers().get_all(LINK).iter();
        let mut text = String::new();
        for link in links.filter_map(|link| link.to_str().ok()) {
            text.push_str("Link: ");
            text.push_str(link);
            text.push('\n');
        }
        let body = outgoing::read(answer, PAGE).await?;
        text.push_str(&String::from_utf8_lossy(&body));
        Ok((status, text))
    };
    let late = |_| Error::Late {
        url: shown,
        seconds: PATIENCE.as_secs(),
    };
    timeout(PATIENCE, asking).await.map_err(late)?
}

/// What a page tells of what made it.
fn told(page: &str) -> Sighting {
    let lower = page.to_ascii_lowercase();
    let generator = lower
        .find("content=\"wordpress")
        .or_else(|| lower.find("content='wordpress"));
    let version = generator.and_then(|at| {
        let rest = &page[at + "content=\"wordpress".len()..];
        let version: String = rest
            .trim_start()
            .chars()
            .take_while(|char| char.is_ascii_alphanumeric() || ".-".contains(*char))
            .take(20)
            .collect();
        (!version.is_empty()).then_some(version)
    });
    Sighting {
        status: 0,
        is_wordpress: generator.is_some()
            || lower.contains(API)
            || lower.contains("/wp-content/")
            || lower.contains("/wp-includes/"),
        version,
    }
}

/// Whether this is the index of WordPress' API.
fn is_index(body: &str) -> bool {
    // Before it stand the links of its header.
    let Some(at) = body.find('{') else {
        return false;
    };
    let parsed: serde_json::Value = serde_json::from_str(&body[at..]).unwrap_or_default();
    let namespaces = parsed["namespaces"].as_array();
    namespaces.is_some_and(|all| all.iter().any(|name| name == "wp/v2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wordpress_leaves_in_its_pages() {
        let seen = told("<meta name=\"generator\" content=\"WordPress 6.5.5\" />");
        assert!(seen.is_wordpress);
        assert_eq!(seen.version.as_deref(), Some("6.5.5"));
        for page in [
            "Link: <https://x/wp-json/>; rel=\"https://api.w.org/\"\n<html>",
            "<link href='/blog/wp-content/themes/x/style.css'>",
            "<META NAME='generator' CONTENT='WordPress'>",
        ] {
            let seen = told(page);
            assert_eq!((seen.is_wordpress, seen.version), (true, None), "{page}");
        }
        for page in ["", "<html>We love WordPress", "content=\"Drupal 10\""] {
            assert_eq!(told(page), Sighting::default(), "{page}");
        }
    }

    #[test]
    fn the_index_of_the_api_is_known() {
        assert!(is_index(
            "Link: <x>\n{\"namespaces\":[\"oembed/1.0\",\"wp/v2\"]}"
        ));
        for other in ["", "{", "{}", "{\"namespaces\":[\"x/v1\"]}", "[\"wp/v2\"]"] {
            assert!(!is_index(other), "{other}");
        }
    }
}
