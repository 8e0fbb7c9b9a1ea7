//! One page, and the way there: redirects, cookies, what came out.

use super::Visitor;
use crate::{
    address::{self, Home, Place},
    channel::{Fetch, Fetched, Unreachable},
    html,
    impression::{Chosen, Content, PageKind, Seen},
    marks::Marks,
    sitemap,
};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// How often a visitor lets themselves be sent on.
const REDIRECTS: usize = 10;
/// Cookies that a visitor keeps.
const COOKIES: usize = 30;
const COOKIE: usize = 4096;
/// Headers in which caches say what they did.
const CACHES: [&str; 9] = [
    "x-pressroom-cache",
    "x-cache",
    "x-cache-status",
    "cf-cache-status",
    "x-litespeed-cache",
    "x-proxy-cache",
    "x-wp-cf-super-cache",
    "x-srcache-fetch-status",
    "x-varnish-cache",
];

/// Whether caches may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// None.
    Alive,
    /// Any.
    Served,
}

/// A page, and its body where more of it is read: that of a REST index.
pub(super) struct Visit {
    pub(super) seen: Seen,
    pub(super) body: Vec<u8>,
}

impl Visitor {
    /// Goes to a page, by way of what comes first.
    pub(super) async fn visit(&self, page: &Chosen, freshness: Freshness) -> Visit {
        let mut cookies = BTreeMap::new();
        if let Some(first) = &page.first {
            // What it answers does not matter: the page shows whether it worked.
            let _way = self.go(first, page.kind, freshness, &mut cookies).await;
        }
        self.go(&page.address, page.kind, freshness, &mut cookies)
            .await
    }

    async fn go(
        &self,
        address: &str,
        kind: PageKind,
        freshness: Freshness,
        cookies: &mut BTreeMap<String, String>,
    ) -> Visit {
        let mut seen = Seen::default();
        let Some(mut url) = self.home.join(address) else {
            seen.error = Some(format!("`{address}` is no address"));
            return Visit {
                seen,
                body: Vec::new(),
            };
        };
        let mut been = BTreeSet::from([(url.to_string(), cookies.clone())]);
        loop {
            let fetched = match self.ask(&url, kind, freshness, cookies).await {
                Ok(fetched) => fetched,
                Err(error) => {
                    seen.error = Some(error.to_string());
                    return Visit {
                        seen,
                        body: Vec::new(),
                    };
                }
            };
            keep_cookies(cookies, &fetched);
            seen.status = Some(fetched.status);
            seen.ttfb_ms = seen.ttfb_ms.saturating_add(fetched.ttfb_ms);
            let next = (300..400)
                .contains(&fetched.status)
                .then(|| fetched.header("location"))
                .flatten()
                .and_then(|location| url.join(location).ok());
            let Some(mut next) = next else {
                return self.arrived(seen, &url, kind, fetched).await;
            };
            let place = self.home.place_of(&next);
            seen.chain.push(place.as_str().to_owned());
            if !matches!(place, Place::Own(_)) {
                // What others answer is not the site's.
                return self.arrived(seen, &url, kind, fetched).await;
            }
            // The mark that passes caches comes back in many a redirect.
            let asked = address::asked(&next);
            let (path, query) = asked.split_once('?').unwrap_or((&asked, ""));
            let (path, query) = (path.to_owned(), query.to_owned());
            next.set_path(&path);
            next.set_query((!query.is_empty()).then_some(&*query));
            next.set_fragment(None);
            let is_new = been.insert((next.to_string(), cookies.clone()));
            if !is_new || seen.chain.len() >= REDIRECTS {
                seen.is_loop = true;
                return self.arrived(seen, &url, kind, fetched).await;
            }
            url = next;
        }
    }

    async fn ask(
        &self,
        url: &Url,
        kind: PageKind,
        freshness: Freshness,
        cookies: &BTreeMap<String, String>,
    ) -> Result<Fetched, Unreachable> {
        let mut fetch = Fetch::get(&address::asked(url), html::LIMIT, self.plan.timeout)
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("accept-language", "en");
        if self.home.url().scheme() == "https" {
            // Who ends TLS before a site says so in this way; without it many a site sends
            // its visitor to where they are.
            fetch = fetch.header("x-forwarded-proto", "https");
        }
        for (name, value) in cookies {
            fetch = fetch.header("cookie", &format!("{name}={value}"));
        }
        if let Some(cookie) = &self.plan.as_admin
            && kind == PageKind::Admin
        {
            fetch = fetch.header("cookie", cookie.expose());
        }
        if freshness == Freshness::Alive {
            fetch = fetch.past_caches();
        }
        let first = self.channel.fetch(fetch.clone()).await;
        match first {
            // A connection may break for reasons that are not the site's: asked once more.
            Err(Unreachable::NoAnswer(_)) => self.channel.fetch(fetch).await,
            answer => answer,
        }
    }

    async fn arrived(&self, mut seen: Seen, at: &Url, kind: PageKind, fetched: Fetched) -> Visit {
        seen.bytes = fetched.body.len() as u64;
        seen.cut = fetched.cut;
        seen.cache = CACHES.iter().find_map(|name| {
            let value = fetched.header(name)?;
            Some(format!("{name}: {}", html::short(value, 60)))
        });
        let (home, at) = (self.home.clone(), at.clone());
        // A large page keeps a processor for a while.
        let reading = tokio::task::spawn_blocking(move || read(fetched, kind, &home, &at));
        let (content, marks, body) = reading.await.unwrap_or_default();
        seen.content = content;
        seen.marks = marks;
        Visit { seen, body }
    }
}

/// What a body is, what is wrong with it, and itself where more of it is read.
fn read(fetched: Fetched, kind: PageKind, home: &Home, at: &Url) -> (Content, Marks, Vec<u8>) {
    let is_page = is_page(&fetched);
    let marks = Marks::of(&fetched.body, is_page);
    match kind {
        PageKind::Rest => {
            let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&fetched.body);
            let is_valid = parsed.is_ok();
            (Content::Json { is_valid }, marks, fetched.body)
        }
        PageKind::Feed => {
            let (is_valid, items) = sitemap::feed(&fetched.body);
            (Content::Feed { is_valid, items }, marks, Vec::new())
        }
        _ if is_page => {
            let facts = html::read(&fetched.body, home, at);
            (Content::Html(Box::new(facts)), marks, Vec::new())
        }
        _ => (Content::Other, marks, Vec::new()),
    }
}

fn is_page(fetched: &Fetched) -> bool {
    matches!(
        fetched.content_type().as_str(),
        "text/html" | "application/xhtml+xml" | ""
    )
}

fn keep_cookies(cookies: &mut BTreeMap<String, String>, fetched: &Fetched) {
    for (name, value) in &fetched.headers {
        if !name.eq_ignore_ascii_case("set-cookie") || value.len() > COOKIE {
            continue;
        }
        let pair = value.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let is_known = cookies.contains_key(name.trim());
        if is_known || cookies.len() < COOKIES {
            cookies.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}
