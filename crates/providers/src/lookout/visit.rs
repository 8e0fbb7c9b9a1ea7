//! A page as its visitors get it: by its name, through DNS, following redirects.

use crate::{
    address::Allowed,
    outgoing::PublicOnly,
    probe::{self, Probe, Prober},
    tls,
};
use reqwest::Client;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use url::{Host, Url};

/// What a page gets in all, its redirects included.
const TIMEOUT: Duration = Duration::from_secs(20);
const REDIRECTS: usize = 5;

/// Why a page was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a page of the web.
    #[error("`{0}` is no address of a page")]
    Scheme(String),
    /// Nothing is known by this name.
    #[error("`{0}` has no address")]
    Unresolved(String),
    /// It leads to this machine or its networks, where nothing is registered.
    #[error("`{0}` leads to a private address that no site is registered at")]
    Private(String),
}

/// A page, and the way to it.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// What answered in the end.
    pub probe: Probe,
    /// Where that was.
    pub url: Option<Url>,
    /// How often the visitor was sent on.
    pub redirects: usize,
}

/// Asks pages by their names. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Connects to public addresses, whatever a name says by then.
    public: Option<Client>,
    /// Private networks that may be asked like public ones.
    allowed: Allowed,
    prober: Prober,
}

impl Visitor {
    /// Asks public addresses, private ones that are allowed, and those that are registered
    /// with the prober.
    pub fn new(prober: &Prober, allowed: Allowed) -> Self {
        tls::install();
        let public = probe::options()
            .timeout(TIMEOUT)
            .dns_resolver(Arc::new(PublicOnly(allowed.clone())))
            .build()
            .inspect_err(|error| tracing::warn!(%error, "no HTTPS client can be made"))
            .ok();
        Self {
            public,
            allowed,
            prober: prober.clone(),
        }
    }

    /// The page as visitors get it, from whatever cache. That nothing answers is no
    /// error; [`Refused`] is what is not asked at all.
    pub async fn visit(&self, url: &Url) -> Result<Visit, Refused> {
        self.follow(url.clone(), false).await
    }

    /// The page as it is made now: page caches are passed by a query they have not seen
    /// and a cookie of somebody who is signed in.
    pub async fn visit_uncached(&self, url: &Url) -> Result<Visit, Refused> {
        let mut url = url.clone();
        let query = match url.query() {
            Some(query) => format!("{query}&{}", probe::unseen()),
            None => probe::unseen(),
        };
        url.set_query(Some(&query));
        self.follow(url, true).await
    }

    /// An address that a name leads to and that may be asked: a public one, otherwise one
    /// that is registered.
    pub async fn address(&self, url: &Url) -> Result<SocketAddr, Refused> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Refused::Scheme(crate::outgoing::shown(url)));
        };
        let found: Vec<SocketAddr> = match host {
            Host::Ipv4(ip) => vec![(IpAddr::from(ip), port).into()],
            Host::Ipv6(ip) => vec![(IpAddr::from(ip), port).into()],
            Host::Domain(name) => {
                let looked_up = tokio::net::lookup_host((name, port));
                match tokio::time::timeout(TIMEOUT / 2, looked_up).await {
                    Ok(Ok(found)) => found.collect(),
                    _ => Vec::new(),
                }
            }
        };
        let host = host.to_string();
        if found.is_empty() {
            return Err(Refused::Unresolved(host));
        }
        let public = found.iter().find(|addr| self.allowed.permits(addr.ip()));
        let known = || found.iter().find(|addr| self.prober.is_registered(**addr));
        public.or_else(known).copied().ok_or(Refused::Private(host))
    }

    async fn follow(&self, url: Url, uncached: bool) -> Result<Visit, Refused> {
        let start = Instant::now();
        let asked = tokio::time::timeout(TIMEOUT, self.hops(url.clone(), uncached)).await;
        let mut visit = asked.unwrap_or_else(|_| {
            Ok(Visit {
                probe: unanswered(format!("no complete answer within {} s", TIMEOUT.as_secs())),
                url: Some(url),
                redirects: 0,
            })
        })?;
        visit.probe.ms = probe::millis(start);
        Ok(visit)
    }

    async fn hops(&self, mut url: Url, uncached: bool) -> Result<Visit, Refused> {
        // What came before the last page is a part of how long that took to begin.
        let start = Instant::now();
        for redirects in 0..=REDIRECTS {
            let asked = probe::millis(start);
            let mut probe = self.once(&url, uncached).await?;
            probe.ttfb_ms = probe.ttfb_ms.saturating_add(asked);
            let sent_on = probe
                .status
                .is_some_and(|status| (300..400).contains(&status));
            let next = probe.location.as_deref().filter(|_| sent_on);
            match next.and_then(|location| url.join(location).ok()) {
                Some(next) => url = next,
                None => {
                    return Ok(Visit {
                        probe,
                        url: Some(url),
                        redirects,
                    });
                }
            }
        }
        Ok(Visit {
            probe: unanswered(format!("it redirects more than {REDIRECTS} times")),
            url: Some(url),
            redirects: REDIRECTS,
        })
    }

    async fn once(&self, url: &Url, uncached: bool) -> Result<Probe, Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(crate::outgoing::shown(url)));
        }
        let addr = self.address(url).await?;
        let pinned;
        let client = if self.allowed.permits(addr.ip()) {
            self.public.as_ref()
        } else {
            // The registered port, and no other: a name could mean another one by then.
            let name = url.host_str().unwrap_or_default();
            pinned = probe::options()
                .timeout(TIMEOUT)
                .resolve(name, addr)
                .build();
            pinned.as_ref().ok()
        };
        let Some(client) = client else {
            return Ok(unanswered("no HTTPS client can be made".to_owned()));
        };
        let mut request = client.get(url.clone());
        if uncached {
            request = probe::past_caches(request);
        }
        Ok(probe::answer(request)
            .await
            .unwrap_or_else(|error| unanswered(probe::short(&probe::root_cause(&error)))))
    }
}

fn unanswered(why: String) -> Probe {
    Probe {
        error: Some(why),
        ..Probe::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// Answers each request with what `answer` makes of its first line.
    async fn server(answer: fn(&str) -> String) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut read = vec![0; 4096];
                let length = stream.read(&mut read).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&read[..length]).into_owned();
                let first = text.lines().next().unwrap_or_default();
                let _gone = stream.write_all(answer(first).as_bytes()).await;
            }
        });
        addr
    }

    fn page(head: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn url(addr: SocketAddr, path: &str) -> Url {
        format!("http://{addr}{path}").parse().unwrap()
    }

    #[tokio::test]
    async fn redirects_are_followed_five_times_and_never_to_what_is_private() {
        let addr = server(|first| match first.split(' ').nth(1).unwrap_or_default() {
            "/five" => page("302 Found\r\nLocation: /4", ""),
            "/4" => page("302 Found\r\nLocation: /3", ""),
            "/3" => page("302 Found\r\nLocation: /2", ""),
            "/2" => page("302 Found\r\nLocation: /1", ""),
            "/1" => page("302 Found\r\nLocation: /end", ""),
            "/end" => page("200 OK", "<title>There</title></html>"),
            "/away" => page("302 Found\r\nLocation: http://127.0.0.1:1/x", ""),
            "/file" => page("302 Found\r\nLocation: file:///etc/passwd", ""),
            _ => page("302 Found\r\nLocation: /round", ""),
        })
        .await;
        let prober = Prober::new();
        let visitor = Visitor::new(&prober, Allowed::default());
        let refused = visitor.visit(&url(addr, "/end")).await.unwrap_err();
        assert_eq!(refused, Refused::Private("127.0.0.1".into()));
        prober.register(addr);
        let visit = visitor.visit(&url(addr, "/five")).await.unwrap();
        assert_eq!(visit.redirects, 5);
        assert_eq!(visit.probe.title.as_deref(), Some("There"));
        assert_eq!(visit.url.unwrap().path(), "/end");
        let round = visitor.visit(&url(addr, "/round")).await.unwrap();
        assert_eq!(round.probe.status, None);
        let why = round.probe.error.unwrap();
        assert_eq!(why, "it redirects more than 5 times");
        let away = visitor.visit(&url(addr, "/away")).await.unwrap_err();
        assert!(matches!(away, Refused::Private(_)), "{away}");
        let file = visitor.visit(&url(addr, "/file")).await.unwrap_err();
        assert!(matches!(file, Refused::Scheme(_)), "{file}");
    }

    #[tokio::test]
    async fn caches_are_passed_and_json_is_known() {
        let addr = server(|first| {
            let body = if first.contains("?a=1&pressroom=") {
                "{\"a\":1}"
            } else {
                "<p>"
            };
            page(
                "200 OK\r\nContent-Type: application/json; charset=UTF-8",
                body,
            )
        })
        .await;
        let prober = Prober::new();
        prober.register(addr);
        let visitor = Visitor::new(&prober, Allowed::default());
        let visit = visitor.visit_uncached(&url(addr, "/x?a=1")).await.unwrap();
        assert!(visit.probe.json);
        assert!(!visitor.visit(&url(addr, "/x")).await.unwrap().probe.json);
    }

    #[tokio::test]
    async fn a_name_of_nothing_is_told() {
        let visitor = Visitor::new(&Prober::new(), Allowed::default());
        let url = Url::parse("https://nothing.invalid/").unwrap();
        let refused = visitor.visit(&url).await.unwrap_err();
        assert_eq!(refused, Refused::Unresolved("nothing.invalid".into()));
    }
}
