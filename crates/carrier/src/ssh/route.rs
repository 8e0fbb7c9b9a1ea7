//! Where a host is, and what opens it.

use super::{Address, Key, Pin};
use std::net::IpAddr;

/// The way to a host, over none or several others.
#[derive(Debug, Clone)]
pub struct Route {
    /// The hosts to go through, the first one first.
    pub via: Vec<Stop>,
    /// The host itself.
    pub host: Stop,
    /// Whether an address that a name stands for may be asked at all. Behind another
    /// host names are that host's to resolve: then only a number can be judged.
    pub may_ask: fn(IpAddr) -> bool,
}

/// One host on the way.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Where it is, and whom to log in as.
    pub address: Address,
    /// What opens it.
    pub key: Key,
    /// How it is known.
    pub pin: Pin,
}

impl Route {
    /// Every host on the way, the last one last.
    pub(super) fn stops(&self) -> impl Iterator<Item = &Stop> {
        self.via.iter().chain([&self.host])
    }

    /// Whether it says the same, so that it would fail again as that one did.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.via.len() == other.via.len()
            && self.stops().zip(other.stops()).all(|(one, other)| {
                one.address == other.address
                    && one.key == other.key
                    && one.pin.key() == other.pin.key()
            })
    }

    /// Whether a connection that was made by another route is one of this route too. A
    /// pin that knows nothing yet learns what that connection saw.
    pub(super) fn is_served_by(&self, made: &Self) -> bool {
        self.via.len() == made.via.len()
            && self.stops().zip(made.stops()).all(|(ours, theirs)| {
                ours.address == theirs.address
                    && ours.key == theirs.key
                    && theirs
                        .pin
                        .key()
                        .is_some_and(|seen| ours.pin.check(seen).is_ok())
            })
    }
}
