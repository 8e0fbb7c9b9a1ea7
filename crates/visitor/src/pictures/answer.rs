//! What a shown page asks for, answered through the channel of the look.

use crate::{
    address::{self, Home},
    channel::{Channel, Fetch, Fetched, Method, Unreachable},
    impression::Failed,
};
use chromiumoxide::{
    Page,
    cdp::browser_protocol::{
        fetch::{EventRequestPaused, FailRequestParams, FulfillRequestParams, HeaderEntry},
        network::{ErrorReason, GetCookiesParams, ResourceType},
    },
};
use data_encoding::BASE64;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// Bytes of one answer.
const LIMIT: usize = 8 << 20;
/// Bytes that a page may send.
const SENT: usize = 64 << 10;
/// Requests that are told as failed.
const FAILED: usize = 60;
/// Headers of a request that are the channel's.
const NOT_ASKED: [&str; 8] = [
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "cookie",
    "upgrade-insecure-requests",
    "if-modified-since",
    "if-none-match",
];
/// Headers of an answer that are not true any more once it was read, or that would make the
/// browser ask elsewhere.
const NOT_TOLD: [&str; 7] = [
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "connection",
    "strict-transport-security",
    "alt-svc",
    "public-key-pins",
];

/// Answers for one page.
#[derive(Clone)]
pub(super) struct Answerer {
    pub(super) page: Page,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) home: Home,
    pub(super) timeout: Duration,
    /// What did not arrive.
    pub(super) failed: Arc<Mutex<BTreeMap<String, Failed>>>,
}

impl Answerer {
    /// Answers one request, whatever becomes of it: one without an answer would hold the
    /// page up.
    pub(super) async fn answer(&self, event: &EventRequestPaused) {
        let url = Url::parse(&event.request.url).ok();
        let own = url.filter(|url| self.home.owns(url));
        let told = if let Some(url) = own {
            let fetched = self.fetch(event, &url).await.ok();
            self.note(
                event,
                &url,
                fetched.as_ref().map_or(0, |fetched| fetched.status),
            );
            match fetched {
                Some(fetched) => self.fulfill(event, &fetched).await,
                None => self.refuse(event, ErrorReason::Failed).await,
            }
        } else {
            self.refuse(event, ErrorReason::BlockedByClient).await
        };
        if let Err(error) = told {
            // The page went on to somewhere else meanwhile.
            tracing::trace!(%error, "an answer came too late");
        }
    }

    async fn fetch(&self, event: &EventRequestPaused, url: &Url) -> Result<Fetched, Unreachable> {
        let asked = &event.request;
        let mut fetch = Fetch::get(&address::asked(url), LIMIT, self.timeout);
        fetch.method = match asked.method.as_str() {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            other => return Err(Unreachable::Refused(format!("the method `{other}`"))),
        };
        if let Some(headers) = asked.headers.inner().as_object() {
            for (name, value) in headers {
                let is_ours = NOT_ASKED
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known));
                if let Some(value) = value.as_str().filter(|_| !is_ours) {
                    fetch = fetch.header(name, value);
                }
            }
        }
        if self.home.url().scheme() == "https" {
            fetch = fetch.header("x-forwarded-proto", "https");
        }
        for entry in asked.post_data_entries.iter().flatten() {
            let Some(bytes) = &entry.bytes else { continue };
            let encoded: &str = bytes.as_ref();
            if let Ok(bytes) = BASE64.decode(encoded.as_bytes()) {
                fetch.body.extend(bytes);
            }
        }
        if fetch.body.len() > SENT {
            return Err(Unreachable::Refused("more than a page sends".to_owned()));
        }
        let is_made = matches!(
            event.resource_type,
            ResourceType::Document | ResourceType::Xhr | ResourceType::Fetch
        );
        if is_made {
            let cookies = self.cookies(url).await;
            if !cookies.is_empty() {
                fetch = fetch.header("cookie", &cookies);
            }
        }
        if event.resource_type == ResourceType::Document && fetch.method == Method::Get {
            fetch = fetch.past_caches();
        }
        self.channel.fetch(fetch).await
    }

    async fn cookies(&self, url: &Url) -> String {
        let wanted = GetCookiesParams::builder().url(url.as_str()).build();
        let Ok(known) = self.page.execute(wanted).await else {
            return String::new();
        };
        let pairs: Vec<String> = known
            .result
            .cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        pairs.join("; ")
    }

    fn note(&self, event: &EventRequestPaused, url: &Url, status: u16) {
        let arrived = (1..400).contains(&status);
        let is_page = event.resource_type == ResourceType::Document;
        // Browsers ask for it whether there is one or not.
        if arrived || is_page || url.path().ends_with("/favicon.ico") {
            return;
        }
        let is_needed = matches!(
            event.resource_type,
            ResourceType::Stylesheet | ResourceType::Script
        );
        let place = self.home.place_of(url).as_str().to_owned();
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() < FAILED {
            failed.insert(place, Failed { status, is_needed });
        }
    }

    async fn fulfill(
        &self,
        event: &EventRequestPaused,
        fetched: &Fetched,
    ) -> Result<(), super::Error> {
        let headers = fetched
            .headers
            .iter()
            .filter(|(name, _)| {
                !NOT_TOLD
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known))
            })
            .filter(|(_, value)| !value.contains(['\r', '\n', '\0']))
            .map(|(name, value)| HeaderEntry::new(name.clone(), value.clone()));
        let answer = FulfillRequestParams::builder()
            .request_id(event.request_id.clone())
            .response_code(i64::from(fetched.status))
            .response_headers(headers)
            .body(BASE64.encode(&fetched.body))
            .build()
            .map_err(super::Error::Browser)?;
        if self.page.execute(answer).await.is_err() {
            // A header that the browser does not take must not leave the page waiting.
            self.refuse(event, ErrorReason::Failed).await?;
        }
        Ok(())
    }

    async fn refuse(
        &self,
        event: &EventRequestPaused,
        reason: ErrorReason,
    ) -> Result<(), super::Error> {
        let answer = FailRequestParams::new(event.request_id.clone(), reason);
        self.page.execute(answer).await?;
        Ok(())
    }
}
