//! One message to an address that a customer named: guarded, bounded, sent once.
//!
//! What the address leads to is looked at when the message is sent, on the very addresses
//! that are connected to: a name that led elsewhere when it was written down reaches nothing.
//! A redirect is an answer, not a way on.

use crate::{address::is_private, tls};
use futures_util::{FutureExt, future::BoxFuture};
use ipnet::IpNet;
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};
use url::{Host, Url};

/// What a receiver gets to answer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
pub const ANSWER: usize = 4 * 1024;
/// What a name gets to be looked up while somebody waits.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Why a message was not sent, or not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `https` nor to a network where `http` may be used.
    #[error("the address is not `https`")]
    NotHttps,
    /// It leads to this machine or its networks.
    #[error("the address leads to a private network")]
    Private,
    /// This machine has no certificates to trust.
    #[error("no HTTPS client can be made, install `ca-certificates`")]
    NoClient,
    /// It took too long.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// No connection, or one that broke; the text says why, without the address.
    #[error("{0}")]
    Broken(String),
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// The beginning of what it said.
    pub text: String,
}

/// Where names are looked up.
pub trait LookUp: Send + Sync {
    /// All addresses of a host.
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As this machine does it.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl LookUp for System {
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}

/// What may be sent where.
#[derive(Clone)]
pub struct Rules {
    /// Private networks that may be reached, with `http` too.
    pub allow: Vec<IpNet>,
    /// What a receiver gets to answer.
    pub patience: Duration,
    /// Where names are looked up.
    pub names: Arc<dyn LookUp>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            patience: PATIENCE,
            names: Arc::new(System),
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("allow", &self.allow)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Rules {
    /// Whether a connection may be made to this address.
    fn permits(&self, ip: IpAddr, encrypted: bool) -> bool {
        let allowed = self.allow.iter().any(|network| network.contains(&ip));
        allowed || (encrypted && !is_private(ip))
    }

    fn refusal(encrypted: bool) -> Error {
        if encrypted {
            Error::Private
        } else {
            Error::NotHttps
        }
    }
}

/// Posts messages. Clones share it.
#[derive(Debug, Clone)]
pub struct Poster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Rules,
    /// Made when first needed: making one reads this machine's certificates.
    encrypted: OnceLock<Option<Client>>,
    plain: OnceLock<Option<Client>>,
}

impl Default for Poster {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Poster {
    /// Posts by these rules.
    pub fn new(rules: Rules) -> Self {
        Self(Arc::new(Inner {
            rules,
            encrypted: OnceLock::new(),
            plain: OnceLock::new(),
        }))
    }

    /// Refuses what no message would be sent to, as far as that can be known now. A name
    /// that has no address yet is let pass if it is `https`.
    pub async fn check(&self, url: &Url) -> Result<(), Error> {
        let encrypted = is_encrypted(url)?;
        let addresses = if let Some(ip) = literal(url) {
            vec![ip]
        } else {
            let host = url.host_str().unwrap_or_default().to_owned();
            let found = timeout(LOOK_UP, self.0.rules.names.look_up(host)).await;
            found.ok().and_then(Result::ok).unwrap_or_default()
        };
        let mut permitted = addresses
            .iter()
            .filter(|ip| self.0.rules.permits(**ip, encrypted));
        if permitted.next().is_some() || (addresses.is_empty() && encrypted) {
            return Ok(());
        }
        Err(Rules::refusal(encrypted))
    }

    /// Posts once, and reads the beginning of what is answered.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Answered, Error> {
        let encrypted = is_encrypted(url)?;
        // Literal addresses pass no resolver.
        if literal(url).is_some_and(|ip| !self.0.rules.permits(ip, encrypted)) {
            return Err(Rules::refusal(encrypted));
        }
        let mut request = self.client(encrypted)?.post(url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let patience = self.0.rules.patience;
        let deadline = Instant::now() + patience;
        let sent = timeout_at(deadline, request.send()).await;
        let answer = sent
            .map_err(|_| Error::Silent(patience))?
            .map_err(|error| why(&error, encrypted, patience))?;
        Ok(Answered {
            status: answer.status().as_u16(),
            text: beginning(answer, deadline).await,
        })
    }

    fn client(&self, encrypted: bool) -> Result<&Client, Error> {
        let inner = &self.0;
        let slot = if encrypted {
            &inner.encrypted
        } else {
            &inner.plain
        };
        let make = || {
            tls::install();
            Client::builder()
                .redirect(Policy::none())
                // A proxy would resolve names where the guard does not see them.
                .no_proxy()
                // Each message is sent to what the name means now.
                .pool_max_idle_per_host(0)
                .connect_timeout(inner.rules.patience)
                .dns_resolver(Arc::new(Guarded {
                    rules: inner.rules.clone(),
                    encrypted,
                }))
                .build()
                .inspect_err(|error| tracing::warn!(%error, "no HTTPS client can be made"))
                .ok()
        };
        slot.get_or_init(make).as_ref().ok_or(Error::NoClient)
    }
}

fn is_encrypted(url: &Url) -> Result<bool, Error> {
    match url.scheme() {
        "https" => Ok(true),
        "http" => Ok(false),
        _ => Err(Error::NotHttps),
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(ip.into()),
        Host::Domain(_) => None,
    }
}

/// What was said until it was enough, or ended, or took too long. The status was told
/// before: whatever becomes of the rest changes nothing.
async fn beginning(mut answer: Response, deadline: Instant) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER {
        match timeout_at(deadline, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = ANSWER - bytes.len();
                bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The cause at the bottom: what is above it repeats the address.
fn why(error: &reqwest::Error, encrypted: bool, patience: Duration) -> Error {
    if error.is_timeout() {
        return Error::Silent(patience);
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        if next.is::<NotPermitted>() {
            return Rules::refusal(encrypted);
        }
        cause = next;
    }
    let text = if cause.source().is_none() && cause.is::<reqwest::Error>() {
        "the connection broke".to_owned()
    } else {
        cause.to_string()
    };
    Error::Broken(text)
}

/// Answers permitted addresses only.
struct Guarded {
    rules: Rules,
    encrypted: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the name has no permitted address")]
struct NotPermitted;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, encrypted) = (self.rules.clone(), self.encrypted);
        async move {
            let found = rules.names.look_up(name.as_str().to_owned()).await?;
            let permitted: Vec<SocketAddr> = found
                .iter()
                .filter(|ip| rules.permits(**ip, encrypted))
                .map(|ip| SocketAddr::new(*ip, 0))
                .collect();
            if permitted.is_empty() && !found.is_empty() {
                return Err(NotPermitted.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashMap, sync::Mutex};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    #[derive(Default)]
    struct Table(Mutex<HashMap<String, IpAddr>>);

    impl LookUp for Table {
        fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let found = self.0.lock().unwrap().get(&host).copied();
            async move {
                found
                    .map(|ip| vec![ip])
                    .ok_or_else(|| io::Error::other("no such name"))
            }
            .boxed()
        }
    }

    fn poster(allow: &[&str], names: Arc<dyn LookUp>) -> Poster {
        Poster::new(Rules {
            allow: allow.iter().map(|net| net.parse().unwrap()).collect(),
            patience: Duration::from_millis(500),
            names,
        })
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// Answers each connection with these bytes and closes it.
    async fn receiver(bytes: &'static str) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(bytes.as_bytes()).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_by_now_reaches_nothing() {
        let port = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let names = Arc::new(Table::default());
        let point = |ip: &str| {
            let mut table = names.0.lock().unwrap();
            table.insert("hooks.example".into(), ip.parse().unwrap());
        };
        let poster = poster(&[], names.clone());
        let address = url(&format!("https://hooks.example:{port}/"));
        point("1.1.1.1");
        assert!(poster.check(&address).await.is_ok());
        for private in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"] {
            point(private);
            let refused = poster.post(&address, &[], String::new()).await;
            assert!(matches!(refused, Err(Error::Private)), "{private}");
            assert!(matches!(poster.check(&address).await, Err(Error::Private)));
        }
    }

    #[tokio::test]
    async fn only_allowed_networks_are_reached_without_encryption() {
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let port = receiver(ok).await;
        let names = Arc::new(Table::default());
        names
            .0
            .lock()
            .unwrap()
            .insert("inside.example".into(), "127.0.0.1".parse().unwrap());
        let open = poster(&["127.0.0.0/8"], names.clone());
        for host in ["127.0.0.1", "inside.example"] {
            let address = url(&format!("http://{host}:{port}/"));
            open.check(&address).await.unwrap();
            let answered = open.post(&address, &[], "{}".into()).await.unwrap();
            assert_eq!((answered.status, answered.text.as_str()), (200, "hello"));
        }
        let closed = poster(&[], names);
        for bad in [
            "http://127.0.0.1/",
            "http://1.1.1.1/",
            "http://inside.example/",
            "http://unknown.example/",
            "ftp://1.1.1.1/",
        ] {
            let refused = closed.check(&url(bad)).await;
            assert!(matches!(refused, Err(Error::NotHttps)), "{bad}");
            assert!(closed.post(&url(bad), &[], String::new()).await.is_err());
        }
        for bad in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://inside.example/",
        ] {
            let refused = closed.check(&url(bad)).await;
            assert!(matches!(refused, Err(Error::Private)), "{bad}");
        }
        assert!(closed.check(&url("https://unknown.example/")).await.is_ok());
    }

    #[tokio::test]
    async fn a_status_counts_whatever_comes_after_it() {
        let names: Arc<dyn LookUp> = Arc::new(System);
        let poster = poster(&["127.0.0.0/8"], names);
        let mut statuses = Vec::new();
        for bytes in [
            "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf",
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
        ] {
            let address = url(&format!("http://127.0.0.1:{}/", receiver(bytes).await));
            let answered = poster.post(&address, &[], "{}".into()).await.unwrap();
            statuses.push(answered.status);
        }
        assert_eq!(statuses, [200, 302, 410]);
        for bytes in ["", "HTTP/1.1 200"] {
            let address = url(&format!("http://127.0.0.1:{}/", receiver(bytes).await));
            let broken = poster.post(&address, &[], "{}".into()).await;
            assert!(matches!(broken, Err(Error::Broken(_))), "{broken:?}");
        }
    }
}
