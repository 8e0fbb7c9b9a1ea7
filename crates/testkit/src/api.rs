//! A program that talks to the server: JSON over HTTP with a bearer token.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::sync::Once;
use std::time::Duration;

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON, `Null` where it is none.
    pub body: Value,
}

impl Reply {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The reply itself when its status is the expected one.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(
            self.status == status,
            "expected {status}, got {}: {}",
            self.status,
            self.text
        );
        Ok(self)
    }

    /// A member of the body that must be a string.
    pub fn string(&self, member: &str) -> Result<String> {
        self.body[member]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no string `{member}` in {}", self.text))
    }
}

/// A client of one dialect.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Api {
    /// Talks to `base` (no trailing slash) with this token.
    pub fn new(base: &str, token: Option<&str>) -> Result<Self> {
        Ok(Self {
            client: client_builder().timeout(Duration::from_secs(150)).build()?,
            base: base.to_owned(),
            token: token.map(str::to_owned),
        })
    }

    /// The same server, asked with another token or none.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.send(Method::GET, path, &[], None).await
    }

    /// POSTs JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.post_with(path, &[], body).await
    }

    /// POSTs JSON with further headers.
    pub async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Reply> {
        self.send(Method::POST, path, headers, Some(body.to_string()))
            .await
    }

    /// Sends anything, malformed bodies included.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Reply> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {url}"))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply {
            status,
            headers,
            text,
            body,
        })
    }
}

/// A client builder with the one crypto provider installed; reqwest panics at the
/// first client otherwise, plain HTTP included.
pub fn client_builder() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error only says that another part of the test was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy()
}
