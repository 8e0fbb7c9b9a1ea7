//! What a page answers, asked at a registered origin: no DNS, no redirects
//! followed, nothing cached taken for life.

use crate::{address::is_private, hosting::Origin, tls};
use pressroom_base::{Kind, token};
use reqwest::{
    Client, ClientBuilder, Method, RequestBuilder,
    header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST, LOCATION},
    redirect::Policy,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(10);
const BODY_LIMIT: usize = 2 << 20;
/// The header of Pressroom's page cache.
const CACHE: &str = "x-pressroom-cache";
/// Titles and error texts are a site's bytes: kept short.
const TEXT_LIMIT: usize = 200;
/// Addresses that are longer are not followed.
const ACTION_LIMIT: usize = 2000;

/// What WordPress and PHP print when a page died, lower case.
pub const FATAL_MARKERS: [&str; 8] = [
    "there has been a critical error on this website",
    "there has been a critical error on your website",
    "fatal error</b>:",
    "php fatal error:",
    "parse error</b>:",
    "php parse error:",
    "error establishing a database connection",
    "uncaught error:",
];

/// What WordPress serves while a `.maintenance` file is fresh, lower case.
pub const MAINTENANCE_MARKER: &str = "briefly unavailable for scheduled maintenance";

/// What WordPress' login form is called, lower case.
const LOGIN_FORMS: [&str; 2] = ["id=\"loginform\"", "id='loginform'"];

/// Why a probe was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A private address that no environment registered.
    #[error("`{0}` is a private address that no environment is registered at")]
    Unregistered(SocketAddr),
    /// No client can be made for it.
    #[error("no client can be made for `{host}`")]
    Client {
        /// The name it is asked by.
        host: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
}

impl Error {
    /// What the failure means to whoever asked.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Unregistered(_) => Kind::Forbidden,
            Self::Client { .. } => Kind::Internal,
        }
    }
}

/// What a page answered.
#[expect(clippy::struct_excessive_bools, reason = "a page may be any of these")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// HTTP status; `None` when nothing answered.
    pub status: Option<u16>,
    /// The fatal error that the page shows, or `empty page`.
    pub fatal: Option<String>,
    /// Whether WordPress says it is in maintenance.
    pub maintenance: bool,
    /// Content of `<title>`.
    pub title: Option<String>,
    /// Where the page sends its visitor.
    pub location: Option<String>,
    /// Whether the page was written to its end: a body that has `</html>`.
    pub complete: bool,
    /// What Pressroom's page cache says of the page: `HIT`, `MISS` or `BYPASS`; `None`
    /// where it is not in use.
    #[serde(default)]
    pub cache: Option<String>,
    /// Whether the page has WordPress' login form.
    #[serde(default)]
    pub login_form: bool,
    /// Where that form is sent to.
    #[serde(default)]
    pub login_action: Option<String>,
    /// Bytes of the body, as far as it was read.
    pub bytes: u64,
    /// Time until the answer began.
    #[serde(default)]
    pub ttfb_ms: u64,
    /// Time until the body was read.
    pub ms: u64,
    /// Whether the body is JSON and says so.
    #[serde(default)]
    pub json: bool,
    /// Why nothing answered.
    pub error: Option<String>,
}

impl Probe {
    /// Whether a visitor got a page or was sent to one.
    pub fn is_healthy(&self) -> bool {
        self.status
            .is_some_and(|status| (200..400).contains(&status))
            && self.fatal.is_none()
    }

    /// One line for a person.
    pub fn summary(&self) -> String {
        match (self.status, &self.fatal, &self.error) {
            (None, _, error) => format!("no answer: {}", error.as_deref().unwrap_or("unknown")),
            (Some(status), Some(fatal), _) => format!("status {status}, {fatal}"),
            (Some(status), None, _) if self.maintenance => {
                format!("status {status}, in maintenance")
            }
            (Some(status), None, _) => format!("status {status}"),
        }
    }
}

/// Asks pages of environments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prober {
    client: Client,
    registered: Arc<RwLock<HashSet<SocketAddr>>>,
}

impl Default for Prober {
    fn default() -> Self {
        Self::new()
    }
}

impl Prober {
    /// Asks public addresses; private ones must be registered.
    pub fn new() -> Self {
        tls::install();
        Self {
            client: options()
                .build()
                .expect("the options are constant and valid"),
            registered: Arc::default(),
        }
    }

    /// Lets this address and port be asked although it is private.
    pub fn register(&self, addr: SocketAddr) {
        self.registered
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(addr);
    }

    /// The page as visitors get it, from whatever cache.
    pub async fn probe_home(&self, origin: &Origin, path: &str) -> Result<Probe, Error> {
        self.ask(origin, &absolute(path), |request| request).await
    }

    /// The page as PHP makes it now: page caches are passed by a query they have not
    /// seen and a cookie of somebody who is signed in.
    pub async fn probe_uncached(&self, origin: &Origin, path: &str) -> Result<Probe, Error> {
        let path = absolute(path);
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}{}", unseen());
        self.ask(origin, &path, past_caches).await
    }

    /// Whether this private address may be asked.
    pub(crate) fn is_registered(&self, addr: SocketAddr) -> bool {
        self.registered
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .contains(&addr)
    }

    async fn ask(
        &self,
        origin: &Origin,
        path: &str,
        dress: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Probe, Error> {
        let request = self.request(Method::GET, origin, path)?;
        let start = Instant::now();
        let asking = answer(dress(request));
        let asked = tokio::time::timeout(TIMEOUT, asking).await;
        let mut probe = match asked {
            Ok(Ok(probe)) => probe,
            Ok(Err(error)) => Probe {
                error: Some(short(&root_cause(&error))),
                ..Probe::default()
            },
            Err(_) => Probe {
                error: Some(format!("no complete answer within {} s", TIMEOUT.as_secs())),
                ..Probe::default()
            },
        };
        probe.ms = millis(start);
        Ok(probe)
    }

    /// A request that goes to this origin and nowhere else: a private address must be
    /// registered, no redirect is followed, and the certificate is not judged. Over TLS it
    /// names the site there, so that a server of many shows the right one.
    pub fn request(
        &self,
        method: Method,
        origin: &Origin,
        path: &str,
    ) -> Result<RequestBuilder, Error> {
        let addr = origin.addr;
        if is_private(addr.ip()) && !self.is_registered(addr) {
            return Err(Error::Unregistered(addr));
        }
        let path = absolute(path);
        let request = if origin.tls {
            let name = name_of(&origin.host);
            let is_address = name.parse::<IpAddr>().is_ok();
            // Where a name leads is an option of the whole client.
            let options = if is_address {
                options()
            } else {
                options().resolve(name, addr)
            };
            let client = options.build().map_err(|source| Error::Client {
                host: origin.host.clone(),
                source,
            })?;
            let url = if is_address {
                format!("https://{addr}{path}")
            } else {
                format!("https://{name}:{}{path}", addr.port())
            };
            client.request(method, url)
        } else {
            self.client.request(method, format!("http://{addr}{path}"))
        };
        Ok(request.header(HOST, &origin.host))
    }
}

/// A query that no cache has seen.
pub(crate) fn unseen() -> String {
    format!("pressroom={}", token::hex(16))
}

/// What no page cache answers: a request of somebody who is signed in.
pub(crate) fn past_caches(request: RequestBuilder) -> RequestBuilder {
    request
        .header(CACHE_CONTROL, "no-cache")
        .header("pragma", "no-cache")
        .header(
            COOKIE,
            "wordpress_logged_in_pressroom=no-cache; wp-settings-time-0=0",
        )
}

pub(crate) fn options() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!(
            "Pressroom/",
            env!("CARGO_PKG_VERSION"),
            " (health check)"
        ))
        // Whether a site lives does not depend on its certificate, which many an origin
        // made itself: what a visitor's browser says of that is another question. Nothing
        // secret is sent.
        .tls_certs_only([])
        .danger_accept_invalid_certs(true)
        .redirect(Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        // A kept connection would hide a web server that accepts no new ones.
        .pool_max_idle_per_host(0)
}

/// A `Host` header without its port.
fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_matches(['[', ']'])
}

/// Reads an answer; its times are told by whoever asked.
pub(crate) async fn answer(request: RequestBuilder) -> reqwest::Result<Probe> {
    let start = Instant::now();
    let mut response = request.send().await?;
    let ttfb_ms = millis(start);
    let says_json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    let location = response
        .headers()
        .get(LOCATION)
        .map(|value| short(&String::from_utf8_lossy(value.as_bytes())));
    let cache = response
        .headers()
        .get(CACHE)
        .map(|value| short(&String::from_utf8_lossy(value.as_bytes())));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= BODY_LIMIT {
            body.truncate(BODY_LIMIT);
            break;
        }
    }
    let mut probe = classify(response.status().as_u16(), &body);
    probe.location = location;
    probe.cache = cache;
    probe.ttfb_ms = ttfb_ms;
    probe.json = says_json && serde_json::from_slice::<IgnoredAny>(&body).is_ok();
    Ok(probe)
}

/// What status and body say.
fn classify(status: u16, body: &[u8]) -> Probe {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let fatal = FATAL_MARKERS
        .iter()
        .find_map(|marker| lower.find(marker))
        .map(|at| short(&without_tags(text[at..].lines().next().unwrap_or_default())))
        // A redirect has no body; a page without one is PHP that died silently.
        .or_else(|| (status == 200 && text.trim().is_empty()).then(|| "empty page".to_owned()));
    Probe {
        status: Some(status),
        fatal,
        maintenance: status == 503 && lower.contains(MAINTENANCE_MARKER),
        title: title(&text, &lower),
        complete: lower.contains("</html>"),
        login_form: login_form(&lower).is_some(),
        login_action: login_form(&lower).and_then(|at| form_action(&text, &lower, at)),
        bytes: body.len() as u64,
        ..Probe::default()
    }
}

fn title(text: &str, lower: &str) -> Option<String> {
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(short(text[start..end].trim()))
}

/// Where the login form calls itself so.
fn login_form(lower: &str) -> Option<usize> {
    LOGIN_FORMS.iter().find_map(|form| lower.find(form))
}

/// Where the form is sent to in whose tag this place is.
fn form_action(text: &str, lower: &str, at: usize) -> Option<String> {
    let start = lower[..at].rfind("<form")?;
    let end = at + lower[at..].find('>')?;
    let named = start + lower[start..end].find(" action=")? + " action=".len();
    let value = &text[named..end];
    let quote = value.chars().next().filter(|sign| "\"'".contains(*sign))?;
    let value = value[1..].split(quote).next()?;
    let plain = value.replace("&#038;", "&").replace("&amp;", "&");
    (plain.len() <= ACTION_LIMIT && !plain.contains(char::is_control)).then_some(plain)
}

fn without_tags(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, tagged)) = rest.split_once('<') {
        plain.push_str(before);
        let (tag, after) = tagged.split_once('>').unwrap_or((tagged, ""));
        // Paragraphs must not run into each other.
        if matches!(tag.trim_start_matches('/').as_bytes(), [b'p' | b'P', ..])
            && !plain.ends_with(' ')
        {
            plain.push(' ');
        }
        rest = after;
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

pub(crate) fn short(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(TEXT_LIMIT)
        .collect()
}

pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_page_from_a_dead_one() {
        let table: [(u16, &str, Option<&str>, bool); 9] = [
            (200, "<html><title>Hi</title>x", None, true),
            (200, " \n", Some("empty page"), false),
            (301, "", None, true),
            (404, "<title>Not found</title>", None, false),
            (
                500,
                "<p>There has been a critical error on this website.</p>",
                Some("There has been a critical error on this website."),
                false,
            ),
            (
                200,
                "<br />\n<b>Fatal error</b>:  Uncaught Error: x in <b>/a.php</b>",
                Some("Fatal error:  Uncaught Error: x in /a.php"),
                false,
            ),
            (
                200,
                "<b>Parse error</b>:  syntax error",
                Some("Parse error:  syntax error"),
                false,
            ),
            (
                500,
                "<h1>Error establishing a database connection</h1>",
                Some("Error establishing a database connection"),
                false,
            ),
            (
                503,
                "Briefly unavailable for scheduled maintenance. Check back in a minute.",
                None,
                false,
            ),
        ];
        for (status, body, fatal, healthy) in table {
            let probe = classify(status, body.as_bytes());
            assert_eq!(probe.fatal.as_deref(), fatal, "{body}");
            assert_eq!(probe.is_healthy(), healthy, "{body}");
        }
        assert!(classify(200, b"<FORM name=\"loginform\" ID=\"loginform\">").login_form);
        assert!(!classify(200, b"<p>loginform</p>").login_form);
        let action = |page: &str| classify(200, page.as_bytes()).login_action;
        assert_eq!(
            action(
                "<form action='/x'></form><Form id=\"loginform\" Action=\"/?d&#038;a=b&amp;C\">"
            )
            .as_deref(),
            Some("/?d&a=b&C")
        );
        for none in [
            "<form action='/x'>",
            "<form id='loginform'>",
            "<form id='loginform' action=/x>",
            "<form id='loginform' action='",
            "id='loginform'> action='/x'",
        ] {
            assert_eq!(action(none), None, "{none}");
        }
        assert!(classify(503, b"Briefly unavailable for scheduled maintenance.").maintenance);
    }

    #[test]
    fn finds_the_title_in_any_bytes() {
        assert_eq!(
            classify(200, "<TITLE id=\"a\">\n Ü \n</TITLE>".as_bytes())
                .title
                .as_deref(),
            Some("Ü")
        );
        assert_eq!(
            classify(200, b"<title>\xff</title>").title.as_deref(),
            Some("\u{fffd}")
        );
        assert_eq!(classify(200, b"<title").title, None);
        assert_eq!(classify(200, b"<title>x").title, None);
        assert_eq!(
            classify(200, "<title>İ</title> fatal error</b>: ß".as_bytes())
                .title
                .as_deref(),
            Some("İ")
        );
    }

    #[tokio::test]
    async fn private_addresses_must_be_registered() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let origin = Origin {
            addr,
            host: "a.example".into(),
            tls: false,
        };
        let prober = Prober::new();
        let error = prober.probe_home(&origin, "/").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden);
        drop(listener);
        prober.register(addr);
        let probe = prober.probe_home(&origin, "/").await.unwrap();
        assert_eq!(probe.status, None);
        assert!(
            probe.summary().starts_with("no answer: "),
            "{}",
            probe.summary()
        );
    }
}
