//! Where a request comes from.

use axum::{extract::ConnectInfo, http::Extensions};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address at the other end of the connection. Forwarding headers are not looked
/// at: anybody can write them.
pub fn address(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip().to_canonical()
        })
}

/// What one person's limit is counted under: the address, or for IPv6 its /64, since
/// a whole /64 is commonly one subscriber's.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_v4_and_v6_counts_by_network() {
        let mut extensions = Extensions::new();
        assert!(address(&extensions).is_unspecified());
        let peer: SocketAddr = "[::ffff:192.0.2.7]:99".parse().expect("an address");
        extensions.insert(ConnectInfo(peer));
        assert_eq!(address(&extensions).to_string(), "192.0.2.7");
        let one = network("2001:db8:1:2:3::9".parse().expect("an address"));
        assert_eq!(one.to_string(), "2001:db8:1:2::");
    }
}
