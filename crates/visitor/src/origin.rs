//! A site at the address where it is registered to answer.

use crate::channel::{Channel, Fetch, Fetched, Method, Unreachable};
use async_trait::async_trait;
use pressroom_providers::{
    hosting::Origin,
    probe::{Error, Prober},
};
use std::time::Instant;

/// Asks a registered origin, whatever DNS says. A private address must be registered with
/// the prober; redirects are not followed and the certificate is not judged.
#[derive(Debug, Clone)]
pub struct AtOrigin {
    prober: Prober,
    origin: Origin,
}

impl AtOrigin {
    /// Through this prober's guard.
    pub fn new(prober: &Prober, origin: Origin) -> Self {
        Self {
            prober: prober.clone(),
            origin,
        }
    }
}

#[async_trait]
impl Channel for AtOrigin {
    async fn fetch(&self, request: Fetch) -> Result<Fetched, Unreachable> {
        let timeout = request.timeout;
        let late = |_| Unreachable::Late {
            seconds: timeout.as_secs(),
        };
        tokio::time::timeout(timeout, self.ask(request))
            .await
            .map_err(late)?
    }
}

impl AtOrigin {
    async fn ask(&self, request: Fetch) -> Result<Fetched, Unreachable> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
        };
        let mut asking = self
            .prober
            .request(method, &self.origin, &request.path_and_query)
            .map_err(|error| match error {
                Error::Unregistered(_) => Unreachable::Refused(error.to_string()),
                Error::Client { source, .. } => Unreachable::NoAnswer(root_cause(&source)),
            })?
            .timeout(request.timeout);
        for (name, value) in &request.headers {
            asking = asking.header(name, value);
        }
        if !request.body.is_empty() {
            asking = asking.body(request.body);
        }
        let start = Instant::now();
        let mut response = asking.send().await.map_err(no_answer)?;
        let mut fetched = Fetched {
            status: response.status().as_u16(),
            ttfb_ms: millis(start),
            ..Fetched::default()
        };
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            fetched.headers.push((name.as_str().to_owned(), value));
        }
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            let room = request.limit - fetched.body.len();
            fetched
                .body
                .extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                fetched.cut = true;
                break;
            }
        }
        fetched.ms = millis(start);
        Ok(fetched)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn no_answer(error: reqwest::Error) -> Unreachable {
    Unreachable::NoAnswer(root_cause(&error))
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    crate::html::short(&cause.to_string(), 200)
}

pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
