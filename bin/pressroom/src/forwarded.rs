//! Who a request is from, where proxies stand in between.

use axum::{
    extract::{ConnectInfo, Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

/// The other end of a connection: a client's, or that of a proxy before it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The proxies that are believed; may be exchanged while requests are answered.
#[derive(Clone, Default)]
pub struct Proxies(Arc<RwLock<Vec<IpNet>>>);

impl Proxies {
    /// Believes these.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(Arc::new(RwLock::new(networks)))
    }

    /// Believes others from now on.
    pub fn replace(&self, networks: Vec<IpNet>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Whether this is one of them.
    pub fn believes(&self, peer: IpAddr) -> bool {
        let believed = self.0.read().unwrap_or_else(PoisonError::into_inner);
        believed.iter().any(|network| network.contains(&peer))
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let believed = self.0.read().unwrap_or_else(PoisonError::into_inner);
        client(peer, headers, &believed)
    }
}

/// Says who a request is from to everything behind: the other end of the connection, or
/// whom the proxies that are believed have had it from.
pub async fn tell_client(
    State(proxies): State<Proxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(ConnectInfo(Peer(peer))) = request.extensions().get().copied() {
        let client = proxies.client(peer.ip().to_canonical(), request.headers());
        let port = if client == peer.ip().to_canonical() {
            peer.port()
        } else {
            0
        };
        let told = ConnectInfo(SocketAddr::new(client, port));
        request.extensions_mut().insert(told);
    }
    next.run(request).await
}

/// The nearest address that is not a proxy we believe. Each proxy appends whom it was
/// asked by, so the list is read from its end; whatever a client wrote itself stands
/// before that.
fn client(peer: IpAddr, headers: &HeaderMap, believed: &[IpNet]) -> IpAddr {
    let is_believed = |address: IpAddr| believed.iter().any(|network| network.contains(&address));
    let mut nearest = peer;
    let named: Vec<_> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .flat_map(|value| value.split(','))
        .collect();
    for one in named.into_iter().rev() {
        if !is_believed(nearest) {
            break;
        }
        let Some(before) = address(one.trim()) else {
            break;
        };
        nearest = before;
    }
    nearest
}

/// An address, also with a port, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']').parse();
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    plain
        .or_else(|_| with_port())
        .ok()
        .map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, believed: &str, headers: &[&str]) -> String {
        let believed: Vec<_> = believed
            .split(' ')
            .filter(|one| !one.is_empty())
            .map(|one| one.parse().expect("a network"))
            .collect();
        let mut map = HeaderMap::new();
        for header in headers {
            map.append("x-forwarded-for", header.parse().expect("a value"));
        }
        client(peer.parse().expect("an address"), &map, &believed).to_string()
    }

    #[test]
    fn only_proxies_that_are_believed_are_heard() {
        for (peer, believed, headers, told) in [
            // Nobody is believed by default, nor who is not listed.
            ("192.0.2.1", "", &["203.0.113.9"][..], "192.0.2.1"),
            ("192.0.2.1", "10.0.0.0/8", &["203.0.113.9"], "192.0.2.1"),
            ("10.0.0.1", "10.0.0.0/8", &["203.0.113.9"], "203.0.113.9"),
            // What the client wrote itself stands first and is not looked at.
            (
                "10.0.0.1",
                "10.0.0.0/8",
                &["127.0.0.1, 203.0.113.9"],
                "203.0.113.9",
            ),
            // Two proxies, in one header or in two.
            (
                "10.0.0.1",
                "10.0.0.0/8",
                &["1.2.3.4, 203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
            ),
            (
                "10.0.0.1",
                "10.0.0.0/8",
                &["1.2.3.4", "203.0.113.9", "10.0.0.2"],
                "203.0.113.9",
            ),
            // Nothing beyond the proxies, or nonsense: the farthest that is known.
            ("10.0.0.1", "10.0.0.0/8", &[], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.0/8", &["10.0.0.9"], "10.0.0.9"),
            ("10.0.0.1", "10.0.0.0/8", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.0/8", &["x, 10.0.0.2"], "10.0.0.2"),
            // Ports, brackets, and IPv4 in IPv6's clothes.
            (
                "10.0.0.1",
                "10.0.0.0/8",
                &["203.0.113.9:4711"],
                "203.0.113.9",
            ),
            ("fd00::1", "fd00::/8", &["[2001:db8::9]:1"], "2001:db8::9"),
            ("fd00::1", "fd00::/8", &["[2001:db8::9]"], "2001:db8::9"),
            (
                "10.0.0.1",
                "10.0.0.0/8",
                &["::ffff:203.0.113.9"],
                "203.0.113.9",
            ),
        ] {
            assert_eq!(
                from(peer, believed, headers),
                told,
                "{peer} {believed} {headers:?}"
            );
        }
    }
}
