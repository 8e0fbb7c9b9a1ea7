//! A service that speaks S3 as an object store.

use super::Key;
use crate::{Error, Result};
use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};
use pressroom_base::Secret;
use std::time::Duration;
use url::Url;

/// One request, which carries at most one part.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a bucket is and how to be let in.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// `https://host[:port]` of the service; `None` for Amazon's own in the region.
    pub endpoint: Option<String>,
    /// The region that signatures name; services without regions mostly say `us-east-1`.
    pub region: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// Everything is kept below this key; `None` for the whole bucket.
    pub prefix: Option<String>,
    /// Who we are.
    pub access_key: String,
    /// The proof of it.
    pub secret: Secret<String>,
    /// Name the bucket in the path rather than in the host.
    pub path_style: bool,
    /// Accept an `http://` endpoint.
    pub allow_http: bool,
    /// How often a request is tried again before it fails.
    pub retries: usize,
}

impl S3Config {
    /// A bucket at an endpoint, path style, HTTPS only, five retries.
    pub fn new(endpoint: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self {
            endpoint: Some(endpoint.into()),
            region: "us-east-1".to_owned(),
            bucket: bucket.into(),
            prefix: None,
            access_key: String::new(),
            secret: Secret::new(String::new()),
            path_style: true,
            allow_http: false,
            retries: 5,
        }
    }
}

#[derive(Debug)]
pub(super) struct S3 {
    pub(super) store: AmazonS3,
    pub(super) prefix: Option<Key>,
    /// For what the store crate has no call; only to addresses it signed.
    pub(super) client: reqwest::Client,
    pub(super) attempts: usize,
}

impl S3 {
    pub(super) fn open(config: S3Config) -> Result<Self> {
        // The error says that a provider is installed already, which is what we want.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let bad = |error: &dyn std::fmt::Display| Error::BadConfig(error.to_string());
        let is_bucket = (3..=63).contains(&config.bucket.len())
            && config.bucket.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
            });
        if !is_bucket {
            return Err(bad(&format!("`{}` is no bucket's name", config.bucket)));
        }
        if config.access_key.is_empty() || config.secret.expose().is_empty() {
            // The store crate would go looking for credentials of the machine.
            return Err(bad(&"access key and secret are needed"));
        }
        let prefix = config.prefix.as_deref().map(Key::parse).transpose()?;
        let options = ClientOptions::new()
            .with_allow_http(config.allow_http)
            .with_timeout(REQUEST_TIMEOUT)
            .with_connect_timeout(CONNECT_TIMEOUT);
        let mut builder = AmazonS3Builder::new()
            .with_region(config.region)
            .with_bucket_name(config.bucket.clone())
            .with_access_key_id(config.access_key)
            .with_secret_access_key(config.secret.into_inner())
            .with_virtual_hosted_style_request(!config.path_style)
            .with_client_options(options)
            // One at a time is all we need, and not every service knows more.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig {
                max_retries: config.retries,
                retry_timeout: Duration::from_mins(3),
                backoff: BackoffConfig::default(),
            });
        if let Some(endpoint) = &config.endpoint {
            let endpoint = endpoint_of(endpoint, &config.bucket, config.path_style)?;
            if endpoint.scheme() == "http" && !config.allow_http {
                return Err(bad(&"its endpoint is `http` and that is not allowed"));
            }
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        let store = builder.build().map_err(|error| bad(&error))?;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| bad(&error))?;
        Ok(Self {
            store,
            prefix,
            client,
            attempts: config.retries + 1,
        })
    }
}

fn endpoint_of(text: &str, bucket: &str, path_style: bool) -> Result<Url> {
    let wrong = || Error::BadConfig(format!("`{text}` is not an `https` address of a service"));
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str().ok_or_else(wrong)?;
    if !plain {
        return Err(wrong());
    }
    // The store crate wants the bucket in the host already.
    if !path_style {
        let with_bucket = format!("{bucket}.{host}");
        url.set_host(Some(&with_bucket)).map_err(|_| wrong())?;
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> S3Config {
        S3Config {
            access_key: "key".into(),
            secret: Secret::new("hush".into()),
            ..S3Config::new("https://objects.example.org", "bucket")
        }
    }

    #[test]
    fn configurations_that_cannot_be_right_are_refused() {
        let wrong: Vec<(&str, S3Config)> = vec![
            (
                "no secret",
                S3Config {
                    secret: Secret::new(String::new()),
                    ..config()
                },
            ),
            (
                "http",
                S3Config {
                    endpoint: Some("http://10.0.0.1".into()),
                    ..config()
                },
            ),
            (
                "no URL",
                S3Config {
                    endpoint: Some("objects".into()),
                    ..config()
                },
            ),
            (
                "file",
                S3Config {
                    endpoint: Some("file:///etc".into()),
                    ..config()
                },
            ),
            (
                "user",
                S3Config {
                    endpoint: Some("https://u:p@host".into()),
                    ..config()
                },
            ),
            (
                "bucket",
                S3Config {
                    bucket: "../other".into(),
                    ..config()
                },
            ),
            (
                "prefix",
                S3Config {
                    prefix: Some("../other".into()),
                    ..config()
                },
            ),
        ];
        for (what, config) in wrong {
            assert!(S3::open(config).is_err(), "{what}");
        }
        S3::open(config()).expect("is right");
        assert!(!format!("{:?}", config()).contains("hush"));
    }

    #[test]
    fn the_bucket_goes_into_path_or_host() {
        let host = |path_style| endpoint_of("https://s.example:9000", "photos", path_style);
        assert_eq!(host(true).unwrap().as_str(), "https://s.example:9000/");
        assert_eq!(
            host(false).unwrap().as_str(),
            "https://photos.s.example:9000/"
        );
    }
}
