//! Where a request comes from.

use axum::{extract::ConnectInfo, http::Extensions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The address at the other end of the connection. Forwarding headers are not looked
/// at: anybody can write them.
pub fn address(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip().to_canonical()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_v4() {
        let mut extensions = Extensions::new();
        assert!(address(&extensions).is_unspecified());
        let peer: SocketAddr = "[::ffff:192.0.2.7]:99".parse().expect("an address");
        extensions.insert(ConnectInfo(peer));
        assert_eq!(address(&extensions).to_string(), "192.0.2.7");
    }
}
