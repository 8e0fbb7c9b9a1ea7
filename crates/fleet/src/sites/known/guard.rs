//! Whether an address that somebody names may be asked at all.

use crate::{Fleet, Problem};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};
use tokio::{net::lookup_host, time::timeout};
use url::{Host, Url};

/// How long a name server may take.
const PATIENCE: Duration = Duration::from_secs(3);

impl Fleet {
    /// Refuses an address that leads to this machine or a private network, unless that is
    /// allowed by configuration. A name that means nothing now is not refused: whoever asks
    /// it later looks again, at the addresses that are really connected to.
    pub(super) async fn refuse_private(&self, url: &Url, problems: &mut Vec<Problem>) {
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) if is_own(name) => vec![IpAddr::from(Ipv4Addr::LOCALHOST)],
            Some(Host::Domain(name)) => addresses(name).await,
            None => Vec::new(),
        };
        let allowed = &self.parts.settings.allowed;
        if !addresses.is_empty() && !addresses.iter().any(|address| allowed.permits(*address)) {
            problems.push(Problem::new("url", "is not allowed"));
        }
    }
}

/// Names that are this machine by definition (RFC 6761), whatever a name server says.
fn is_own(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

async fn addresses(name: &str) -> Vec<IpAddr> {
    match timeout(PATIENCE, lookup_host((name, 80))).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}
