//! HTTP to addresses that others name: guarded, bounded, and with few redirects.
//!
//! One origin, the configured one, is trusted with any address; it may be a mirror
//! in the private network. Everything else, redirects and links in its answers
//! included, must resolve to public hosts. The check is made on the addresses that
//! are really connected to, so a name cannot change its meaning in between.

use crate::{address::Allowed, tls};
use futures_util::FutureExt;
use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::LOCATION,
    redirect::Policy,
};
use std::{net::IpAddr, net::SocketAddr, sync::Arc, time::Duration};
use url::{Host, Origin, Url};

const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
const TOTAL: Duration = Duration::from_mins(10);
const REDIRECTS: usize = 5;

/// Why a request was not made or not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This machine has no certificates to trust.
    #[error("no HTTPS client can be made, install `ca-certificates`")]
    NoClient,
    /// Not a URL that we follow.
    #[error("`{0}` is not an address that may be asked: its scheme is not `https`")]
    Scheme(String),
    /// It leads to this machine or its networks.
    #[error("`{0}` leads to a private address")]
    Private(String),
    /// More redirects than anybody needs.
    #[error("`{0}` redirects more than 5 times")]
    Redirects(String),
    /// No connection, no answer, or an answer cut short.
    #[error("`{url}` did not answer")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Nothing whole came in time.
    #[error("`{url}` did not answer within {seconds} s")]
    Late {
        /// What was asked.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// More bytes than the caller accepts.
    #[error("the answer of `{url}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: String,
        /// The most that is accepted.
        limit: u64,
    },
}

/// An address for messages and logs, without what may be secret in it: user, password,
/// query and fragment.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Refused only for addresses that can have neither.
    let _has_none = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// A client with one trusted origin.
#[derive(Debug, Clone)]
pub struct Outgoing {
    trusted_origin: Origin,
    allowed: Allowed,
    https_only: bool,
    /// `None` where this machine has no certificates to trust: making a client reads them.
    trusted: Option<Client>,
    guarded: Option<Client>,
}

impl Outgoing {
    /// Trusts the origin of `base` with whatever address it has.
    pub fn new(base: &Url) -> Self {
        Self::with_origin(base.origin(), Allowed::default())
    }

    fn with_origin(trusted_origin: Origin, allowed: Allowed) -> Self {
        tls::install();
        let builder = || {
            Client::builder()
                .user_agent(concat!("Pressroom/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                // A proxy would resolve names where the guard does not see them.
                .no_proxy()
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .timeout(TOTAL)
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder
                .build()
                .inspect_err(|error| tracing::warn!(%error, "no HTTPS client can be made"))
                .ok()
        };
        Self {
            trusted_origin,
            https_only: false,
            trusted: build(builder()),
            guarded: build(builder().dns_resolver(Arc::new(PublicOnly(allowed.clone())))),
            allowed,
        }
    }

    /// Trusts nobody, and follows `https` only.
    pub fn public() -> Self {
        Self {
            https_only: true,
            ..Self::guarded(Allowed::default())
        }
    }

    /// Trusts no origin, and asks public hosts and those in these networks.
    pub fn guarded(allowed: Allowed) -> Self {
        // Equal to no other origin.
        Self::with_origin(Origin::new_opaque(), allowed)
    }

    /// Asks, following redirects.
    pub async fn get(&self, url: Url) -> Result<Response, Error> {
        let start = shown(&url);
        let mut url = url;
        for _ in 0..=REDIRECTS {
            let answer = self.send(Method::GET, url.clone(), None).await?;
            let next = Some(&answer)
                .filter(|answer| answer.status().is_redirection())
                .and_then(|answer| answer.headers().get(LOCATION)?.to_str().ok())
                .and_then(|location| url.join(location).ok());
            match next {
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(Error::Redirects(start))
    }

    /// Posts a form; a redirect is an answer like any other.
    pub async fn post(&self, url: Url, form: &[(&str, &str)]) -> Result<Response, Error> {
        self.send(Method::POST, url, Some(form)).await
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        form: Option<&[(&str, &str)]>,
    ) -> Result<Response, Error> {
        let shown = shown(&url);
        let client = self.client_for(&url)?;
        let mut request = client.request(method, url);
        if let Some(form) = form {
            request = request.form(form);
        }
        request.send().await.map_err(|source| {
            if refused(&source) {
                Error::Private(shown)
            } else {
                Error::Unreachable {
                    url: shown,
                    source: source.without_url(),
                }
            }
        })
    }

    fn client_for(&self, url: &Url) -> Result<&Client, Error> {
        match url.scheme() {
            "https" => {}
            "http" if !self.https_only => {}
            _ => return Err(Error::Scheme(shown(url))),
        }
        if url.origin() == self.trusted_origin {
            return self.trusted.as_ref().ok_or(Error::NoClient);
        }
        // Literal addresses pass no resolver.
        let literal: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            _ => None,
        };
        match literal {
            Some(ip) if !self.allowed.permits(ip) => Err(Error::Private(shown(url))),
            _ => self.guarded.as_ref().ok_or(Error::NoClient),
        }
    }
}

/// The whole answer, if it is no larger than `limit`.
pub async fn read(mut answer: Response, limit: u64) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = next_chunk(&mut answer).await? {
        body.extend_from_slice(chunk.as_ref());
        within(&answer, body.len() as u64, limit)?;
    }
    Ok(body)
}

/// The next piece of an answer.
pub async fn next_chunk(answer: &mut Response) -> Result<Option<impl AsRef<[u8]> + use<>>, Error> {
    let url = shown(answer.url());
    answer.chunk().await.map_err(|source| Error::Unreachable {
        url,
        source: source.without_url(),
    })
}

/// Fails once an answer has more bytes than accepted.
pub fn within(answer: &Response, read: u64, limit: u64) -> Result<(), Error> {
    if read <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        url: shown(answer.url()),
        limit,
    })
}

/// Answers public addresses only, and those that are allowed.
pub(crate) struct PublicOnly(pub(crate) Allowed);

#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NoPublicAddress;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found
                .iter()
                .copied()
                .filter(|addr| allowed.permits(addr.ip()))
                .collect();
            if public.is_empty() && !found.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        }
        .boxed()
    }
}

fn refused(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<NoPublicAddress>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_configured_origin_may_be_private() {
        let base = Url::parse("http://127.0.0.1:9/").unwrap();
        let outgoing = Outgoing::new(&base);
        for bad in [
            "http://127.0.0.1:10/",
            "http://[::1]:9/",
            "https://127.0.0.1:9/",
            "http://169.254.169.254/x",
            "http://localhost:9/",
        ] {
            let error = outgoing.get(Url::parse(bad).unwrap()).await.unwrap_err();
            assert!(matches!(error, Error::Private(_)), "{bad}: {error:?}");
        }
        let error = outgoing
            .get(Url::parse("file:///etc/passwd").unwrap())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Scheme(_)));
        let error = outgoing.get(base).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn secrets_of_addresses_reach_no_message() {
        let secret = "://user:hidden@127.0.0.1:9/a.zip?sig=hidden#hidden";
        let messages = async |outgoing: &Outgoing, scheme: &str| {
            let url = Url::parse(&format!("{scheme}{secret}")).unwrap();
            let error = outgoing.get(url).await.unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error} {source:?} {error:?}")
        };
        let trusted = Outgoing::new(&Url::parse("http://127.0.0.1:9/").unwrap());
        for text in [
            messages(&trusted, "http").await,
            messages(&trusted, "ftp").await,
            messages(&Outgoing::public(), "https").await,
        ] {
            assert!(text.contains("://127.0.0.1:9/a.zip"), "{text}");
            assert!(!text.contains("hidden"), "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_public_is_https_and_no_private_address() {
        let outgoing = Outgoing::public();
        for bad in [
            "https://127.0.0.1:9/",
            "https://[::1]:9/",
            "https://localhost:9/",
            "https://169.254.169.254/x",
        ] {
            let error = outgoing.get(Url::parse(bad).unwrap()).await.unwrap_err();
            assert!(matches!(error, Error::Private(_)), "{bad}: {error:?}");
        }
        for bad in [
            "http://192.0.2.1/",
            "file:///etc/passwd",
            "ftp://192.0.2.1/",
        ] {
            let error = outgoing.get(Url::parse(bad).unwrap()).await.unwrap_err();
            assert!(matches!(error, Error::Scheme(_)), "{bad}: {error:?}");
        }
    }
}
